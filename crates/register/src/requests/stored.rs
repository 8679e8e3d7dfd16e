//! Requests and their steps as their rows have them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::agent::AgentFacts;
use domain::id::{AgentId, PersonId, RequestId};
use domain::request::{self, Decided, RequestKind, RequestState, Step, Verdict, Via};
use domain::retirement;
use domain::tier::Tier;
use serde_json::Value;

use crate::agents::Agent;
use crate::db::{Arg, DbError, Reads, Row, marks};
use crate::error::Error;

/// A step with everything that is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptStep {
    /// The row's number.
    pub id: i64,
    /// Of which agent: the request's own, and of an exception one of its agents.
    pub agent: AgentId,
    /// What the rules read.
    pub step: Step,
    /// Why it is asked, one sentence each.
    pub because: Vec<String>,
    /// By virtue of what it was decided.
    pub via: Option<Via>,
    /// What the decider said.
    pub reason: String,
    /// The hash of what was decided on.
    pub decided_sha256: String,
    /// Who would decide it now, as derived when its agent was last assessed.
    pub waits_for: Option<PersonId>,
    /// Whether it was its turn then.
    pub ready: bool,
}

/// A request with everything that is kept of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Its reference.
    pub id: RequestId,
    /// What is asked.
    pub kind: RequestKind,
    /// Of which agent.
    pub agent: AgentId,
    /// Who asked.
    pub requester: PersonId,
    /// When.
    pub opened_at: DateTime<Utc>,
    /// The version of the policy by which its steps were computed.
    pub policy_version: i64,
    /// The tier of the agent then.
    pub tier: Tier,
    /// The SHA-256 of what is decided on.
    pub subject_sha256: String,
    /// What is decided on.
    pub content: Value,
    /// Why, in the requester's words.
    pub reason: String,
    /// Who reviews what its tools of high sensitivity do.
    pub reviewer: Option<PersonId>,
    /// When it lapses if nobody ends it before.
    pub lapses_at: DateTime<Utc>,
    /// How and when it was closed, as written.
    pub closed: Option<(RequestState, DateTime<Utc>)>,
    /// By whom, as in the record.
    pub closed_by: String,
    /// Why.
    pub closing: String,
    /// Its steps by number.
    pub steps: Vec<KeptStep>,
    /// Of a retirement, the rows that are open, each as one line.
    pub rows_open: Vec<String>,
}

impl Kept {
    /// The request as the rules read it. `small` says that a justification for several parts in
    /// one hand is in force.
    pub fn rules(&self, small: bool) -> request::Request {
        request::Request {
            kind: self.kind,
            requester: self.requester,
            subject_sha256: self.subject_sha256.clone(),
            lapses_at: self.lapses_at,
            closed: self.closed,
            small_organisation: small,
            rows_open: self.rows_open.clone(),
            steps: self.steps.iter().map(|s| s.step.clone()).collect(),
        }
    }

    /// Where it stands at a moment.
    pub fn state(&self, now: DateTime<Utc>) -> RequestState {
        match self.closed {
            Some((state, _)) => state,
            None if now >= self.lapses_at => RequestState::Lapsed,
            None => RequestState::Open,
        }
    }

    /// The agents that its steps are about, each once; of most kinds its one agent.
    pub fn agents(&self) -> Vec<AgentId> {
        let mut out: Vec<AgentId> = self.steps.iter().map(|s| s.agent).chain([self.agent]).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The agent that a step is about.
    pub fn about(&self, place: i64) -> AgentId {
        self.steps.iter().find(|s| s.step.place == place).map_or(self.agent, |s| s.agent)
    }

    /// The facts before and after: of an approval, the same.
    pub fn facts(&self) -> Option<(AgentFacts, AgentFacts)> {
        let read = |v: &Value| serde_json::from_value::<AgentFacts>(v.clone()).ok();
        let after = read(&self.content["facts"])?;
        Some((read(&self.content["before"]).unwrap_or_else(|| after.clone()), after))
    }

    /// The checklist that a retirement began with.
    pub fn checklist(&self) -> Vec<retirement::Planned> {
        serde_json::from_value(self.content["rows"].clone()).unwrap_or_default()
    }

    /// The SHA-256 of what the request is about as it is now: the pinned one while nothing
    /// changed.
    pub fn present_sha256(&self, agent: &Agent) -> String {
        match self.kind {
            RequestKind::Approval => agent.facts.boundary_sha256(),
            // What is taken away meanwhile is the very purpose; what is added has no row.
            RequestKind::Retirement => {
                if retirement::covers(&self.checklist(), &agent.facts) {
                    self.subject_sha256.clone()
                } else {
                    format!("changed:{}", agent.boundary_sha256)
                }
            }
            // Its terms change only by another request; who is covered is looked up at its end.
            RequestKind::Exception => self.subject_sha256.clone(),
            _ => {
                let pinned = self.content["boundary_sha256"].as_str();
                let same = pinned == Some(agent.facts.boundary_sha256().as_str());
                if same { self.subject_sha256.clone() } else { format!("changed:{}", agent.boundary_sha256) }
            }
        }
    }
}

const COLUMNS: &str = "r.id, r.kind, r.agent_id, r.requester_id, r.opened_at, r.policy_version, r.tier, \
     r.subject_sha256, r.content, r.reason, r.reviewer_id, r.lapses_at, r.outcome, r.closed_at, r.closed_by, r.closing";

fn read(r: &Row) -> Result<Kept, DbError> {
    let outcome: String = r.get(12)?;
    Ok(Kept {
        id: r.get(0)?,
        kind: r.get(1)?,
        agent: r.get(2)?,
        requester: r.get(3)?,
        opened_at: r.get(4)?,
        policy_version: r.get(5)?,
        tier: r.get(6)?,
        subject_sha256: r.get(7)?,
        content: serde_json::from_str(&r.get::<String>(8)?).unwrap_or_default(),
        reason: r.get(9)?,
        reviewer: r.get(10)?,
        lapses_at: r.get(11)?,
        closed: outcome.parse::<RequestState>().ok().zip(r.get(13)?),
        closed_by: r.get(14)?,
        closing: r.get(15)?,
        steps: Vec::new(),
        rows_open: Vec::new(),
    })
}

async fn with_steps(reads: &mut impl Reads, rows: &[Row]) -> Result<Vec<Kept>, Error> {
    let mut out: BTreeMap<RequestId, Kept> = BTreeMap::new();
    for r in rows {
        let kept = read(r)?;
        out.insert(kept.id, kept);
    }
    let ids: Vec<RequestId> = out.keys().copied().collect();
    for batch in ids.chunks(500) {
        let sql = format!(
            "SELECT request_id, id, place, duty, comes_last, because, due_at, verdict, decided_at, decided_by, \
             on_behalf_of, via, reason, decided_sha256, waits_for, agent_id, ready FROM request_step WHERE request_id IN {} \
             ORDER BY request_id, place",
            marks(1, batch.len())
        );
        for r in reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
            let Some(request) = out.get_mut(&r.get::<RequestId>(0)?) else { continue };
            let verdict = r.get::<String>(7)?.parse::<Verdict>().ok();
            let decided = match (verdict, r.get(8)?, r.get::<Option<PersonId>>(9)?) {
                (Some(verdict), Some(at), Some(by)) => Some(Decided { by, on_behalf_of: r.get(10)?, verdict, at }),
                _ => None,
            };
            request.steps.push(KeptStep {
                id: r.get(1)?,
                agent: r.get(15)?,
                step: Step { place: r.get(2)?, duty: r.get(3)?, last: r.get(4)?, due_at: r.get(6)?, decided },
                because: serde_json::from_str(&r.get::<String>(5)?).unwrap_or_default(),
                via: r.get::<String>(11)?.parse().ok(),
                reason: r.get(12)?,
                decided_sha256: r.get(13)?,
                waits_for: r.get(14)?,
                ready: r.get(16)?,
            });
        }
    }
    let retirements: Vec<RequestId> =
        out.values().filter(|k| k.kind == RequestKind::Retirement).map(|k| k.id).collect();
    for batch in retirements.chunks(500) {
        let sql = format!(
            "SELECT request_id, kind, subject FROM retirement_row WHERE done_at IS NULL AND waived_at IS NULL \
             AND request_id IN {} ORDER BY request_id, place",
            marks(1, batch.len())
        );
        for r in reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
            if let Some(request) = out.get_mut(&r.get::<RequestId>(0)?) {
                request.rows_open.push(retirement::label(r.get(1)?, &r.get::<String>(2)?));
            }
        }
    }
    Ok(out.into_values().collect())
}

/// A request.
pub async fn load(reads: &mut impl Reads, id: RequestId) -> Result<Kept, Error> {
    let rows = reads.rows(format!("SELECT {COLUMNS} FROM request r WHERE r.id = $1"), vec![Arg::from(id)]).await?;
    with_steps(reads, &rows).await?.pop().ok_or_else(|| Error::NotFound(format!("request {id}")))
}

/// The requests about these agents that nobody has closed, lapsed ones included; also those about
/// others in which a step is about one of these.
pub(crate) async fn unclosed(reads: &mut impl Reads, agents: &[AgentId]) -> Result<Vec<Kept>, Error> {
    let mut out = Vec::new();
    for batch in agents.chunks(500) {
        // From the agents, never from all that is open: the other index is hidden.
        let sql = format!(
            "SELECT {COLUMNS} FROM request r WHERE r.outcome || '' = '' AND r.id IN (SELECT id FROM request \
             WHERE agent_id IN {list} UNION SELECT request_id FROM request_step WHERE verdict = '' \
             AND agent_id IN {list}) ORDER BY r.id",
            list = marks(1, batch.len())
        );
        let rows = reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await?;
        if !rows.is_empty() {
            out.extend(with_steps(reads, &rows).await?);
        }
    }
    // One of several batches' agents comes once.
    out.sort_by_key(|k: &Kept| k.id);
    out.dedup_by_key(|k| k.id);
    Ok(out)
}

/// The requests about one agent, newest first.
pub async fn of_agent(reads: &mut impl Reads, agent: AgentId, most: i64) -> Result<Vec<Kept>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM request r WHERE r.agent_id = $1 ORDER BY r.id DESC LIMIT {most}");
    let rows = reads.rows(sql, vec![Arg::from(agent)]).await?;
    let mut out = with_steps(reads, &rows).await?;
    out.reverse();
    Ok(out)
}
