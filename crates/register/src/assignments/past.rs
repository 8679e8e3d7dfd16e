//! Who was accountable at a moment: assignments and stays on platforms are dated and never
//! overwritten, and the record keeps the rest, so the answer is exact.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::can::{Action, can};
use domain::duty::Duty;
use domain::exception::Control;
use domain::id::{AgentId, ExceptionId, PersonId, RequestId, SystemId, TeamId};
use domain::party::Party;
use domain::request::RequestKind;
use domain::system::SHARED;

use super::Ground;
use crate::agents::assess::party_names;
use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, Reads, marks};
use crate::error::Error;

/// Who was accountable for a duty at a moment.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The duty.
    pub duty: Duty,
    /// Who.
    pub party: Party,
    /// By what name, today.
    pub name: String,
    /// The person who was named by it, with their name today: a person themself, a team's
    /// lead at that moment. `None` when nobody led the team.
    pub named: Option<(PersonId, String)>,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The platform from which the agent inherited it then.
    pub inherited: Option<SystemId>,
}

/// An approval that was in force at a moment: the newest that was given by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The request.
    pub request: RequestId,
    /// What was asked.
    pub kind: RequestKind,
    /// When it was approved.
    pub at: DateTime<Utc>,
    /// The SHA-256 of the boundary that was approved.
    pub boundary_sha256: String,
    /// Who approved, in which capacity, and their name today.
    pub by: Vec<(Duty, PersonId, String)>,
}

/// An exception that was in force at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excepted {
    /// The exception.
    pub exception: ExceptionId,
    /// What it was about, in a line.
    pub title: String,
    /// What was excepted.
    pub control: Control,
    /// From when it was in force.
    pub from: DateTime<Utc>,
    /// Until when: its expiry, or its early end as known today.
    pub until: DateTime<Utc>,
    /// Who agreed, for this agent: in which capacity, and their name today.
    pub by: Vec<(Duty, PersonId, String)>,
}

/// Who answered for what at a moment.
#[derive(Debug, Clone)]
pub struct Accountability {
    /// The moment.
    pub at: DateTime<Utc>,
    /// Every duty that had an owner then.
    pub duties: Vec<Moment>,
    /// The approval in force then, if there was one.
    pub approval: Option<Granted>,
    /// The exceptions in force then.
    pub exceptions: Vec<Excepted>,
    /// The boundary's hash then; `None` before the record of the agent began.
    pub boundary_sha256: Option<String>,
}

/// Who was accountable for each duty of an agent at a moment.
pub async fn accountability(db: &Db, by: By<'_>, agent: AgentId, at: DateTime<Utc>) -> Result<Accountability, Error> {
    let mut reads = db;
    let ground = Ground::find(&mut reads, by, agent.into()).await?;
    can(by.actor, Action::AgentHistory, ground.relation)?;
    let own = "SELECT duty, party_kind, party_id, valid_from FROM assignment WHERE agent_id = $1 AND role = 'A' \
               AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)";
    let mut duties = moments(&mut reads, own, agent.0, at, None).await?;
    if let Some((platform, since)) = platform(&mut reads, agent, at).await? {
        let theirs = "SELECT duty, party_kind, party_id, valid_from FROM assignment WHERE system_id = $1 AND role = 'A' \
                      AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)";
        let mut more = moments(&mut reads, theirs, platform.0, at, Some(platform)).await?;
        more.retain(|m| SHARED.contains(&m.duty) && !duties.iter().any(|d| d.duty == m.duty));
        for m in &mut more {
            // The agent inherits no earlier than it runs there.
            m.since = m.since.max(since);
        }
        duties.extend(more);
    }
    name(&mut reads, &mut duties, at).await?;
    duties.sort_by_key(|d| d.duty);
    let approval = approval(&mut reads, agent, at).await?;
    let exceptions = excepted(&mut reads, agent, at).await?;
    Ok(Accountability { at, duties, approval, exceptions, boundary_sha256: boundary(&mut reads, agent, at).await? })
}

async fn approval(reads: &mut impl Reads, agent: AgentId, at: DateTime<Utc>) -> Result<Option<Granted>, Error> {
    let sql = "SELECT id, kind, closed_at, subject_sha256 FROM request WHERE agent_id = $1 \
               AND kind IN ('approval', 'scope-change') AND outcome = 'approved' AND closed_at <= $2 \
               ORDER BY closed_at DESC, id DESC LIMIT 1";
    let rows = reads.rows(sql, args![agent, at]).await?;
    let Some(r) = rows.first() else { return Ok(None) };
    let request: RequestId = r.get(0)?;
    let sql = "SELECT s.duty, s.decided_by, p.name FROM request_step s JOIN person p ON p.id = s.decided_by \
               WHERE s.request_id = $1 ORDER BY s.place";
    let mut by = Vec::new();
    for s in reads.rows(sql, args![request]).await? {
        by.push((s.get(0)?, s.get(1)?, s.get(2)?));
    }
    Ok(Some(Granted { request, kind: r.get(1)?, at: r.get(2)?, boundary_sha256: r.get(3)?, by }))
}

async fn excepted(reads: &mut impl Reads, agent: AgentId, at: DateTime<Utc>) -> Result<Vec<Excepted>, Error> {
    let mut out = Vec::new();
    for kept in crate::exceptions::stored::of_agents(reads, &[agent]).await? {
        let Some(span) = kept.exception.span().filter(|s| s.holds_at(at)) else { continue };
        let sql = "SELECT s.duty, s.decided_by, p.name FROM request_step s JOIN person p ON p.id = s.decided_by \
                   WHERE s.request_id = $1 AND s.agent_id = $2 ORDER BY s.place";
        let mut by = Vec::new();
        for s in reads.rows(sql, args![kept.request, agent]).await? {
            by.push((s.get(0)?, s.get(1)?, s.get(2)?));
        }
        out.push(Excepted {
            exception: kept.id(),
            title: kept.exception.title.clone(),
            from: span.from,
            until: kept.exception.ends_at(),
            control: kept.exception.control,
            by,
        });
    }
    Ok(out)
}

async fn moments(
    reads: &mut impl Reads,
    sql: &'static str,
    of: i64,
    at: DateTime<Utc>,
    inherited: Option<SystemId>,
) -> Result<Vec<Moment>, Error> {
    let rows = reads.rows(sql, args![of, at]).await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        let Some(party) = Party::from_stored(&r.get::<String>(1)?, r.get(2)?) else { continue };
        out.push(Moment { duty: r.get(0)?, party, name: String::new(), named: None, since: r.get(3)?, inherited });
    }
    Ok(out)
}

/// On which platform an agent ran at a moment, and since when.
async fn platform(
    reads: &mut impl Reads,
    agent: AgentId,
    at: DateTime<Utc>,
) -> Result<Option<(SystemId, DateTime<Utc>)>, Error> {
    let rows = reads
        .rows(
            "SELECT system_id, valid_from FROM platform_stay WHERE agent_id = $1 AND valid_from <= $2 \
             AND (valid_to IS NULL OR valid_to > $2)",
            args![agent, at],
        )
        .await?;
    rows.first().map(|r| Ok((r.get(0)?, r.get(1)?))).transpose()
}

/// The boundary's hash as the newest event by then tells it.
async fn boundary(reads: &mut impl Reads, agent: AgentId, at: DateTime<Utc>) -> Result<Option<String>, Error> {
    let rows = reads
        .rows(
            "SELECT after FROM audit_event WHERE subject = $1 AND at <= $2 AND after LIKE '%\"boundary_sha256\":%' \
             ORDER BY seq DESC LIMIT 1",
            args![agent.to_string(), at],
        )
        .await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let after: serde_json::Value = serde_json::from_str(&row.get::<String>(0)?).unwrap_or_default();
    Ok(after["boundary_sha256"].as_str().map(str::to_owned))
}

/// Names who is meant: a person themself, a team's lead at that moment.
async fn name(reads: &mut impl Reads, duties: &mut [Moment], at: DateTime<Utc>) -> Result<(), Error> {
    let names = party_names(reads, duties.iter().map(|d| d.party).collect::<Vec<_>>()).await?;
    let teams: BTreeSet<TeamId> = duties
        .iter()
        .filter_map(|d| match d.party {
            Party::Team(team) => Some(team),
            Party::Person(_) => None,
        })
        .collect();
    let leads = led_by(reads, &teams, at).await?;
    let led: Vec<Party> = leads.values().flatten().map(|id| Party::Person(*id)).collect();
    let people = party_names(reads, led).await?;
    for d in duties {
        d.name = names.get(&d.party).cloned().unwrap_or_default();
        d.named = match d.party {
            Party::Person(id) => Some((id, d.name.clone())),
            Party::Team(team) => leads
                .get(&team)
                .copied()
                .flatten()
                .map(|id| (id, people.get(&Party::Person(id)).cloned().unwrap_or_else(|| id.to_string()))),
        };
    }
    Ok(())
}

/// Who led each of these teams at a moment: before the first change of its lead since then, or
/// now if there was none. The record keeps every such change, so the answer is exact.
async fn led_by(
    reads: &mut impl Reads,
    teams: &BTreeSet<TeamId>,
    at: DateTime<Utc>,
) -> Result<BTreeMap<TeamId, Option<PersonId>>, Error> {
    let mut out = BTreeMap::new();
    if teams.is_empty() {
        return Ok(out);
    }
    let sql = format!("SELECT id, lead_id FROM team WHERE id IN {}", marks(1, teams.len()));
    for r in reads.rows(sql, teams.iter().map(|t| Arg::from(*t)).collect()).await? {
        out.insert(r.get(0)?, r.get(1)?);
    }
    // By what these teams went through, not by every change of any team: the other index is hidden.
    let sql = format!(
        "SELECT subject, before FROM audit_event WHERE subject IN {} AND action || '' = 'team.changed' AND at + 0 > $1 \
         AND before LIKE '%\"lead\":%' ORDER BY seq DESC",
        marks(2, teams.len())
    );
    let mut list = args![at];
    list.extend(teams.iter().map(|t| Arg::from(t.to_string())));
    for r in reads.rows(sql, list).await? {
        let Ok(team) = r.get::<String>(0)?.parse() else { continue };
        let before: serde_json::Value = serde_json::from_str(&r.get::<String>(1)?).unwrap_or_default();
        // The earliest comes last, and stays.
        out.insert(team, before["lead"].as_str().and_then(|id| id.parse().ok()));
    }
    Ok(out)
}
