//! The policy, version by version: who approves what, and how often things fall due.

use chrono::{DateTime, Utc};
use domain::policy::Policy;

use crate::args;
use crate::db::{DbError, Reads, Row};

/// A version of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// Its number; 0 is the policy that Muster begins with.
    pub version: i64,
    /// When it came into force; `None` for the first.
    pub at: Option<DateTime<Utc>>,
    /// Who wrote it, as in the record; empty for the first.
    pub made_by: String,
    /// Why.
    pub reason: String,
    /// What it says.
    pub policy: Policy,
}

impl Versioned {
    /// The policy that Muster begins with.
    fn first() -> Self {
        Self { version: 0, at: None, made_by: String::new(), reason: String::new(), policy: Policy::default() }
    }

    fn read(r: &Row) -> Result<Self, DbError> {
        let content: String = r.get(4)?;
        let policy = serde_json::from_str(&content).map_err(|e| DbError::Url(format!("a stored policy: {e}")))?;
        Ok(Self { version: r.get(0)?, at: Some(r.get(1)?), made_by: r.get(2)?, reason: r.get(3)?, policy })
    }
}

/// The policy in force.
pub async fn present(reads: &mut impl Reads) -> Result<Versioned, DbError> {
    let sql = "SELECT version, at, made_by, reason, content FROM policy ORDER BY version DESC LIMIT 1";
    let rows = reads.rows(sql, args![]).await?;
    rows.first().map_or_else(|| Ok(Versioned::first()), Versioned::read)
}

/// A version of the policy, as requests pin it.
pub async fn version(reads: &mut impl Reads, number: i64) -> Result<Option<Versioned>, DbError> {
    if number == 0 {
        return Ok(Some(Versioned::first()));
    }
    let sql = "SELECT version, at, made_by, reason, content FROM policy WHERE version = $1";
    reads.rows(sql, args![number]).await?.first().map(Versioned::read).transpose()
}
