//! Arguments and cells: the few types both engines keep faithfully.

use chrono::{DateTime, Utc};
use sqlx::{Arguments as _, Database, Encode, Row as _, Type};

use super::{DbError, Row};

/// The end of a span that nothing ends: later than any time.
pub const FOREVER: i64 = i64::MAX;

/// A time as it is stored: microseconds since the epoch.
pub const fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// A stored time. [`FOREVER`] and what lies beyond the calendar become its last moment.
pub fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// An argument of a statement. Absence is typed, since PostgreSQL asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// A whole number, or a time in microseconds.
    Int(Option<i64>),
    /// Text.
    Text(Option<String>),
    /// Yes or no.
    Bool(bool),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Arg {
    /// The argument as JSON, for the digest of a row.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Int(v) => (*v).into(),
            Self::Text(v) => v.clone().into(),
            Self::Bool(v) => (*v).into(),
            Self::Bytes(v) => hex::encode(v).into(),
        }
    }
}

macro_rules! from {
    ($($t:ty => |$v:ident| $e:expr;)+) => { $(impl From<$t> for Arg { fn from($v: $t) -> Self { $e } })+ };
}

from! {
    i64 => |v| Self::Int(Some(v));
    Option<i64> => |v| Self::Int(v);
    &str => |v| Self::Text(Some(v.to_owned()));
    String => |v| Self::Text(Some(v));
    &String => |v| Self::Text(Some(v.clone()));
    Option<String> => |v| Self::Text(v);
    Option<&str> => |v| Self::Text(v.map(str::to_owned));
    bool => |v| Self::Bool(v);
    Vec<u8> => |v| Self::Bytes(v);
    DateTime<Utc> => |v| Self::Int(Some(micros(v)));
    Option<DateTime<Utc>> => |v| Self::Int(v.map(micros));
    domain::id::AgentId => |v| Self::Int(Some(v.0));
    domain::id::PersonId => |v| Self::Int(Some(v.0));
    domain::id::TeamId => |v| Self::Int(Some(v.0));
    domain::id::SystemId => |v| Self::Int(Some(v.0));
    domain::id::WaveId => |v| Self::Int(Some(v.0));
    domain::id::TokenId => |v| Self::Int(Some(v.0));
    domain::id::RequestId => |v| Self::Int(Some(v.0));
    domain::id::CampaignId => |v| Self::Int(Some(v.0));
    domain::id::ExceptionId => |v| Self::Int(Some(v.0));
    Option<domain::id::AgentId> => |v| Self::Int(v.map(|v| v.0));
    Option<domain::id::PersonId> => |v| Self::Int(v.map(|v| v.0));
    Option<domain::id::TeamId> => |v| Self::Int(v.map(|v| v.0));
    Option<domain::id::SystemId> => |v| Self::Int(v.map(|v| v.0));
    Option<domain::id::WaveId> => |v| Self::Int(v.map(|v| v.0));
    Option<domain::id::RequestId> => |v| Self::Int(v.map(|v| v.0));
    Option<domain::id::ExceptionId> => |v| Self::Int(v.map(|v| v.0));
}

/// Binds arguments for one engine.
pub(super) fn bind<D>(args: Vec<Arg>) -> Result<D::Arguments, sqlx::Error>
where
    D: Database,
    Option<i64>: for<'q> Encode<'q, D> + Type<D>,
    Option<String>: for<'q> Encode<'q, D> + Type<D>,
    bool: for<'q> Encode<'q, D> + Type<D>,
    Vec<u8>: for<'q> Encode<'q, D> + Type<D>,
{
    let mut bound = D::Arguments::default();
    for arg in args {
        match arg {
            Arg::Int(v) => bound.add(v),
            Arg::Text(v) => bound.add(v),
            Arg::Bool(v) => bound.add(v),
            Arg::Bytes(v) => bound.add(v),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(bound)
}

/// What a cell can be read as.
pub trait Cell: Sized {
    /// Reads the cell at a position.
    fn read(row: &Row, at: usize) -> Result<Self, DbError>;
}

macro_rules! cell {
    ($($t:ty),+) => { $(impl Cell for $t {
        fn read(row: &Row, at: usize) -> Result<Self, DbError> {
            Ok(match row { Row::Sqlite(r) => r.try_get(at)?, Row::Postgres(r) => r.try_get(at)? })
        }
    })+ };
}

cell!(i64, Option<i64>, String, Option<String>, bool, Vec<u8>);

impl Cell for DateTime<Utc> {
    fn read(row: &Row, at: usize) -> Result<Self, DbError> {
        i64::read(row, at).map(time)
    }
}

impl Cell for Option<DateTime<Utc>> {
    fn read(row: &Row, at: usize) -> Result<Self, DbError> {
        Ok(Option::<i64>::read(row, at)?.map(time))
    }
}

macro_rules! id_cell {
    ($($t:ident),+) => { $(
        impl Cell for domain::id::$t {
            fn read(row: &Row, at: usize) -> Result<Self, DbError> { i64::read(row, at).map(domain::id::$t) }
        }
        impl Cell for Option<domain::id::$t> {
            fn read(row: &Row, at: usize) -> Result<Self, DbError> {
                Ok(Option::<i64>::read(row, at)?.map(domain::id::$t))
            }
        }
    )+ };
}

id_cell!(AgentId, PersonId, TeamId, SystemId, WaveId, TokenId, RuleId, HandoverId, RequestId, ExceptionId);

macro_rules! word_cell {
    ($($t:path),+ $(,)?) => { $(impl Cell for $t {
        fn read(row: &Row, at: usize) -> Result<Self, DbError> {
            String::read(row, at)?.parse().map_err(|e| DbError::Other(sqlx::Error::Decode(Box::new(e))))
        }
    })+ };
}

word_cell!(
    domain::request::RequestKind,
    domain::retirement::RowKind,
    domain::notice::NoticeKind,
    domain::notice::OutletKind,
    domain::notice::DeliveryState,
    domain::rule::RuleState,
    domain::rule::AtImport,
    domain::agent::AgentKind,
    domain::agent::Environment,
    domain::agent::Hosting,
    domain::agent::Autonomy,
    domain::agent::Exposure,
    domain::agent::DataClass,
    domain::agent::Running,
    domain::agent::Lifecycle,
    domain::agent::ToolKind,
    domain::agent::Access,
    domain::agent::Sensitivity,
    domain::agent::CredentialKind,
    domain::reach::ChannelKind,
    domain::tier::Tier,
    domain::duty::Duty,
    domain::assignment::RaciRole,
    domain::assignment::RuntimeOwner,
    domain::party::PersonStatus,
    domain::party::TeamKind,
    domain::party::Roles,
    domain::proposal::Matter,
    domain::finding::FindingKey,
    domain::finding::Severity,
    domain::stop::Surface,
    domain::stop::MethodKind,
    domain::stop::Step,
    domain::system::SystemKind,
);
