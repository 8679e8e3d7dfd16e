//! Exceptions as their rows have them.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use domain::exception::{Checked, Compensating, Control, Ended, Ending, Exception, Selection};
use domain::id::{AgentId, ExceptionId, PersonId, RequestId};

use crate::args;
use crate::db::{Arg, DbError, Reads, Row, marks};
use crate::error::Error;

/// An exception with everything that is kept of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// What the rules read.
    pub exception: Exception,
    /// Its version.
    pub version: i64,
    /// When it was asked.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// The request that decides it.
    pub request: RequestId,
    /// The SHA-256 of what is decided on.
    pub subject_sha256: String,
}

impl Kept {
    /// Its reference.
    pub const fn id(&self) -> ExceptionId {
        self.exception.id
    }
}

/// The columns of an exception `e`, as [`read`] takes them.
pub(super) const COLUMNS: &str = "e.id, e.version, e.created_at, e.updated_at, e.request_id, e.requester_id, e.title, \
     e.control, e.node, e.duty, e.likelihood, e.impact, e.justification, e.selection, e.tier, e.starts_at, \
     e.expires_at, e.lapses_at, e.suspends, e.renews, e.renewals, e.subject_sha256, e.approved_at, e.rejected_at, \
     e.rejection, e.ended_at, e.ended, e.ended_by, e.ending";

fn read(r: &Row) -> Result<Kept, DbError> {
    let control: String = r.get(7)?;
    let rejected: Option<DateTime<Utc>> = r.get(23)?;
    let ended: Option<DateTime<Utc>> = r.get(25)?;
    let small = |n: i64| u8::try_from(n).unwrap_or(u8::MAX);
    Ok(Kept {
        version: r.get(1)?,
        created_at: r.get(2)?,
        updated_at: r.get(3)?,
        request: r.get(4)?,
        subject_sha256: r.get(21)?,
        exception: Exception {
            id: r.get(0)?,
            requester: r.get(5)?,
            title: r.get(6)?,
            control: Control::parse(&control).unwrap_or(Control::Own(control)),
            node: r.get(8)?,
            duty: r.get(9)?,
            likelihood: small(r.get(10)?),
            impact: small(r.get(11)?),
            justification: r.get(12)?,
            agents: Vec::new(),
            selection: r.get::<String>(13)?.parse::<Selection>().unwrap_or_default(),
            tier: r.get(14)?,
            controls: Vec::new(),
            starts_at: r.get(15)?,
            expires_at: r.get(16)?,
            lapses_at: r.get(17)?,
            suspends: r.get(18)?,
            renews: r.get(19)?,
            renewals: u16::try_from(r.get::<i64>(20)?).unwrap_or(u16::MAX),
            approved_at: r.get(22)?,
            rejected: match rejected {
                Some(at) => Some((at, r.get(24)?)),
                None => None,
            },
            ended: match (ended, r.get::<String>(26)?.parse::<Ending>()) {
                (Some(at), Ok(how)) => Some(Ended { at, how, by: r.get(27)?, why: r.get(28)? }),
                _ => None,
            },
        },
    })
}

/// The exceptions of some rows selected by [`COLUMNS`], in their order, with their agents and
/// controls.
pub(super) async fn with_parts(reads: &mut impl Reads, rows: &[Row]) -> Result<Vec<Kept>, DbError> {
    let mut out = rows.iter().map(read).collect::<Result<Vec<Kept>, DbError>>()?;
    let at: HashMap<ExceptionId, usize> = out.iter().enumerate().map(|(n, k)| (k.id(), n)).collect();
    let ids: Vec<ExceptionId> = out.iter().map(Kept::id).collect();
    for batch in ids.chunks(500) {
        let list = marks(1, batch.len());
        let all = || batch.iter().map(|id| Arg::from(*id)).collect::<Vec<_>>();
        let sql = format!(
            "SELECT exception_id, agent_id FROM exception_agent WHERE exception_id IN {list} \
             ORDER BY exception_id, agent_id"
        );
        for r in reads.rows(sql, all()).await? {
            if let Some(n) = at.get(&r.get(0)?) {
                out[*n].exception.agents.push(r.get(1)?);
            }
        }
        let sql = format!(
            "SELECT exception_id, place, words, owner_id, check_at, checked_at, checked_by, note \
             FROM compensating_control WHERE dropped_at IS NULL AND exception_id IN {list} ORDER BY exception_id, place"
        );
        for r in reads.rows(sql, all()).await? {
            let Some(n) = at.get(&r.get(0)?) else { continue };
            let checked_at: Option<DateTime<Utc>> = r.get(5)?;
            out[*n].exception.controls.push(Compensating {
                place: r.get(1)?,
                text: r.get(2)?,
                owner: r.get::<PersonId>(3)?,
                check_at: r.get(4)?,
                checked: match checked_at {
                    Some(at) => Some(Checked { at, by: r.get(6)?, note: r.get(7)? }),
                    None => None,
                },
            });
        }
    }
    Ok(out)
}

/// An exception.
pub async fn load(reads: &mut impl Reads, id: ExceptionId) -> Result<Kept, Error> {
    let rows = reads.rows(format!("SELECT {COLUMNS} FROM exception e WHERE e.id = $1"), args![id]).await?;
    with_parts(reads, &rows).await?.pop().ok_or_else(|| Error::NotFound(format!("exception {id}")))
}

/// The exception that a request decides, if one does.
pub(crate) async fn of_request(reads: &mut impl Reads, id: RequestId) -> Result<Option<Kept>, DbError> {
    let rows = reads.rows(format!("SELECT {COLUMNS} FROM exception e WHERE e.request_id = $1"), args![id]).await?;
    Ok(with_parts(reads, &rows).await?.pop())
}

/// The exceptions of one agent, newest first.
pub async fn of_agent(reads: &mut impl Reads, agent: AgentId, most: i64) -> Result<Vec<Kept>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM exception_agent x CROSS JOIN exception e WHERE x.agent_id = $1 AND e.id = x.exception_id \
         ORDER BY x.exception_id DESC LIMIT {most}"
    );
    let rows = reads.rows(sql, args![agent]).await?;
    with_parts(reads, &rows).await
}

/// The exceptions of any of these agents, refused ones left out: each once, oldest first.
pub(crate) async fn of_agents(reads: &mut impl Reads, agents: &[AgentId]) -> Result<Vec<Kept>, DbError> {
    let mut found: BTreeMap<ExceptionId, Kept> = BTreeMap::new();
    for batch in agents.chunks(500) {
        let sql = format!(
            "SELECT {COLUMNS} FROM exception e WHERE e.rejected_at IS NULL AND e.id IN \
             (SELECT exception_id FROM exception_agent WHERE agent_id IN {})",
            marks(1, batch.len())
        );
        let rows = reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await?;
        found.extend(with_parts(reads, &rows).await?.into_iter().map(|k| (k.id(), k)));
    }
    Ok(found.into_values().collect())
}
