//! Rows of a checklist as they are stored.

use chrono::{DateTime, Utc};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId};
use domain::retirement::{Proof, Row as Rule, RowKind, Standing};

use crate::db::{Arg, DbError, Reads, Row, marks};
use crate::error::Error;

/// A row with everything that is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRow {
    /// The row's number in the store.
    pub id: i64,
    /// The retirement.
    pub request: RequestId,
    /// The agent.
    pub agent: AgentId,
    /// Its number in the checklist, from 1.
    pub place: i64,
    /// What it is about.
    pub kind: RowKind,
    /// Which credential, tool or identity; empty for the rest.
    pub subject: String,
    /// Whose owner does it.
    pub duty: Duty,
    /// How good the evidence is; `None` while it is open, and of a waived one.
    pub proof: Option<Proof>,
    /// Where the evidence is said to be, when a link was given.
    pub link: String,
    /// The call whose signed callback shows it.
    pub delivery: Option<String>,
    /// The file that shows it.
    pub evidence_sha256: Option<String>,
    /// What was said with it.
    pub note: String,
    /// When it was done, and by whom, as in the record.
    pub done: Option<(DateTime<Utc>, String)>,
    /// When it was waived, by whom, and why.
    pub waived: Option<(DateTime<Utc>, PersonId, String)>,
    /// The retirement in which it was done, when that one ended before.
    pub carried_from: Option<RequestId>,
}

impl KeptRow {
    /// As the rules read it.
    pub fn rule(&self) -> Rule {
        let standing = match (&self.done, &self.waived) {
            (Some((at, _)), _) => Standing::Done(*at),
            (None, Some((at, ..))) => Standing::Waived(*at),
            (None, None) => Standing::Open,
        };
        Rule { place: self.place, kind: self.kind, subject: self.subject.clone(), standing }
    }

    /// Whether it keeps the retirement from ending.
    pub const fn open(&self) -> bool {
        self.done.is_none() && self.waived.is_none()
    }

    /// As one line: what, and which.
    pub fn label(&self) -> String {
        domain::retirement::label(self.kind, &self.subject)
    }
}

const COLUMNS: &str = "id, request_id, agent_id, place, kind, subject, duty, evidence_kind, link, delivery, \
     evidence_sha256, note, done_at, done_by, waived_at, waived_by, waiver, carried_from";

fn read(r: &Row) -> Result<KeptRow, DbError> {
    let done_at: Option<DateTime<Utc>> = r.get(12)?;
    let waived_at: Option<DateTime<Utc>> = r.get(14)?;
    let waived_by: Option<PersonId> = r.get(15)?;
    Ok(KeptRow {
        id: r.get(0)?,
        request: r.get(1)?,
        agent: r.get(2)?,
        place: r.get(3)?,
        kind: r.get(4)?,
        subject: r.get(5)?,
        duty: r.get(6)?,
        proof: r.get::<String>(7)?.parse().ok(),
        link: r.get(8)?,
        delivery: r.get(9)?,
        evidence_sha256: r.get(10)?,
        note: r.get(11)?,
        done: done_at.zip(Some(r.get(13)?)),
        waived: match (waived_at, waived_by) {
            (Some(at), Some(by)) => Some((at, by, r.get(16)?)),
            _ => None,
        },
        carried_from: r.get(17)?,
    })
}

/// The rows of some retirements, by retirement and number.
pub async fn of(reads: &mut impl Reads, requests: &[RequestId]) -> Result<Vec<KeptRow>, Error> {
    let mut out = Vec::new();
    for batch in requests.chunks(500) {
        let sql = format!(
            "SELECT {COLUMNS} FROM retirement_row WHERE request_id IN {} ORDER BY request_id, place",
            marks(1, batch.len())
        );
        for r in reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
            out.push(read(&r)?);
        }
    }
    Ok(out)
}

/// What was done for an agent in its earlier retirements, newest first.
pub(super) async fn done_before(reads: &mut impl Reads, agent: AgentId) -> Result<Vec<KeptRow>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM retirement_row WHERE agent_id = $1 AND done_at IS NOT NULL ORDER BY request_id DESC, place"
    );
    let rows = reads.rows(sql, vec![Arg::from(agent)]).await?;
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}
