//! The policy, version by version: who approves what, and how often things fall due.

mod preview;
mod write;

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::canonical;
use domain::policy::Policy;

use crate::args;
use crate::change::By;
use crate::db::{Db, DbError, Reads, Row};
use crate::error::{Checked, Error};

pub use preview::{Preview, holding, preview, proposed};
pub(crate) use write::confirmed;
pub use write::{REASON_MAX, Written, write};

/// The subject of events about the policy.
pub const SUBJECT: &str = "policy";

/// The columns of a version, in the order of [`Versioned`]'s reading.
const COLUMNS: &str = "version, at, made_by, reason, content, confirmed_by";

/// A version of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// Its number; 0 is the policy that Muster begins with.
    pub version: i64,
    /// When it came into force; `None` for the first.
    pub at: Option<DateTime<Utc>>,
    /// Who wrote it, as in the record; empty for the first.
    pub made_by: String,
    /// Who confirmed it, being weaker, as in the record; nobody where that was not needed.
    pub confirmed_by: Option<String>,
    /// Why.
    pub reason: String,
    /// What it says.
    pub policy: Policy,
}

impl Versioned {
    /// The policy that Muster begins with.
    fn first() -> Self {
        Self {
            version: 0,
            at: None,
            made_by: String::new(),
            confirmed_by: None,
            reason: String::new(),
            policy: Policy::default(),
        }
    }

    fn read(r: &Row) -> Result<Self, DbError> {
        Ok(Self {
            version: r.get(0)?,
            at: Some(r.get(1)?),
            made_by: r.get(2)?,
            reason: r.get(3)?,
            policy: parsed(&r.get::<String>(4)?)?,
            confirmed_by: r.get(5)?,
        })
    }
}

/// A policy as it is stored.
pub(crate) fn content(policy: &Policy) -> String {
    serde_json::to_value(policy).map_or_else(|_| "{}".to_owned(), |v| canonical::to_string(&v))
}

/// A stored policy.
pub(crate) fn parsed(content: &str) -> Result<Policy, DbError> {
    serde_json::from_str(content).map_err(|e| DbError::Url(format!("a stored policy: {e}")))
}

/// A policy in its one form, if nothing is wrong with it.
fn sound(policy: &Policy) -> Result<Policy, Error> {
    let mut wrong = Checked::default();
    for (pointer, message) in policy.wrong() {
        wrong.refuse(&pointer, message);
    }
    wrong.done()?;
    Ok(policy.clone().normal())
}

/// The policy in force.
pub async fn present(reads: &mut impl Reads) -> Result<Versioned, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM policy ORDER BY version DESC LIMIT 1");
    let rows = reads.rows(sql, args![]).await?;
    rows.first().map_or_else(|| Ok(Versioned::first()), Versioned::read)
}

/// A version of the policy, as requests pin it.
pub async fn version(reads: &mut impl Reads, number: i64) -> Result<Option<Versioned>, DbError> {
    if number == 0 {
        return Ok(Some(Versioned::first()));
    }
    let sql = format!("SELECT {COLUMNS} FROM policy WHERE version = $1");
    reads.rows(sql, args![number]).await?.first().map(Versioned::read).transpose()
}

/// The policy in force, for everybody who may read it.
pub async fn read(db: &Db, by: By<'_>) -> Result<Versioned, Error> {
    can(by.actor, Action::PolicyRead, Relation::None)?;
    let mut reads = db;
    Ok(present(&mut reads).await?)
}

/// One version of the policy.
pub async fn read_version(db: &Db, by: By<'_>, number: i64) -> Result<Versioned, Error> {
    can(by.actor, Action::PolicyRead, Relation::None)?;
    let mut reads = db;
    version(&mut reads, number).await?.ok_or_else(|| Error::NotFound(format!("version {number} of the policy")))
}

/// A version and what it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The version.
    pub version: Versioned,
    /// What it changed of the one before, each a sentence; empty for the first.
    pub changes: Vec<String>,
    /// How it was weaker than the one before.
    pub weaker: Vec<String>,
}

/// Versions, newest first: those before a number, at most `most`. The last is version 0, the
/// policy that Muster begins with.
pub async fn past(db: &Db, by: By<'_>, before: Option<i64>, most: i64) -> Result<Vec<Past>, Error> {
    can(by.actor, Action::PolicyRead, Relation::None)?;
    let sql = format!("SELECT {COLUMNS} FROM policy WHERE version < $1 ORDER BY version DESC LIMIT $2");
    let rows = db.all(sql, args![before.unwrap_or(i64::MAX), most + 1]).await?;
    let mut versions = rows.iter().map(Versioned::read).collect::<Result<Vec<_>, _>>()?;
    let whole = i64::try_from(versions.len()).unwrap_or(i64::MAX) <= most;
    if whole && before.is_none_or(|b| b > 0) {
        versions.push(Versioned::first());
    }
    let mut out: Vec<Past> = versions
        .windows(2)
        .map(|pair| Past {
            changes: pair[0].policy.changes(&pair[1].policy),
            weaker: pair[0].policy.weaker_than(&pair[1].policy),
            version: pair[0].clone(),
        })
        .collect();
    if whole && let Some(first) = versions.pop() {
        out.push(Past { version: first, changes: Vec::new(), weaker: Vec::new() });
    }
    out.truncate(usize::try_from(most).unwrap_or(0));
    Ok(out)
}
