//! What findings read of approvals, reviews and requests.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::Lifecycle;
use domain::exception::covered;
use domain::finding::{FindingKey, Governance};
use domain::id::AgentId;
use domain::reach::Span;
use domain::request::{RequestState, standing_credentials};

use super::stored::unclosed;
use crate::agents::Agent;
use crate::args;
use crate::db::{Arg, Reads, marks};
use crate::error::Error;
use crate::policies;

fn first(slot: &mut Option<(DateTime<Utc>, String)>, at: DateTime<Utc>, what: String) {
    if slot.as_ref().is_none_or(|(then, _)| at < *then) {
        *slot = Some((at, what));
    }
}

/// Reads it for some agents.
pub(crate) async fn read(
    reads: &mut impl Reads,
    agents: &[Agent],
    now: DateTime<Utc>,
) -> Result<HashMap<AgentId, Governance>, Error> {
    let mut out: HashMap<AgentId, Governance> = HashMap::new();
    if agents.is_empty() {
        return Ok(out);
    }
    let policy = policies::present(reads).await?;
    let everybody: Vec<AgentId> = agents.iter().map(|a| a.id).collect();
    let excepted = crate::exceptions::of_findings(reads, &everybody).await?;
    for a in agents.iter().filter(|a| a.state.boundary_is_approved()) {
        let g = out.entry(a.id).or_default();
        if let Some(approved) = &a.approved {
            let ends = approved.at + TimeDelta::days(policy.policy.approval_days.of(a.tier));
            first(&mut g.approval_due, ends, "it is older than the policy allows".to_owned());
            let added = policy.policy.steps(&a.facts).into_iter().find(|w| !approved.by.contains(&w.duty));
            let covers = excepted.get(&a.id).map_or(&[][..], |(covers, _)| covers);
            // It was approved under an exception: without that it would not have been.
            let relied = covered(covers, FindingKey::LongLivedCredential)
                .into_iter()
                .find(|s| s.holds_at(approved.at))
                .and_then(|s| s.until)
                .filter(|_| !standing_credentials(&a.facts).is_empty());
            if let Some(ends) = relied {
                first(&mut g.approval_due, ends, "the exception that it relied on has ended".to_owned());
            }
            if let (Some(step), Some(since)) = (added, policy.at) {
                let owner = step.duty.owner_title();
                first(&mut g.approval_due, since.max(approved.at), format!("the policy asks for the {owner} too"));
            }
        }
        if matches!(a.state, Lifecycle::Active | Lifecycle::Suspended) {
            let last = [a.reviewed_at, a.approved.as_ref().map(|p| p.at)].into_iter().flatten().max();
            let days = TimeDelta::days(policy.policy.review_days.of(a.tier));
            g.review_due = Some(last.unwrap_or(a.state_at) + days);
        }
    }
    for (agent, (covers, unchecked)) in excepted {
        let g = out.entry(agent).or_default();
        (g.covers, g.unchecked) = (covers, unchecked);
    }
    let ids: Vec<AgentId> = agents.iter().filter(|a| a.state != Lifecycle::Retired).map(|a| a.id).collect();
    let escalates = TimeDelta::days(i64::from(policy.policy.escalate_days));
    for request in unclosed(reads, &ids).await? {
        for agent in request.agents() {
            let g = out.entry(agent).or_default();
            if g.request_lapses.is_none_or(|at| request.lapses_at < at) {
                g.request_lapses = Some(request.lapses_at);
            }
        }
        if request.state(now) == RequestState::Lapsed {
            continue;
        }
        let rules = request.rules(false);
        let mut late: HashMap<AgentId, Option<(DateTime<Utc>, String)>> = HashMap::new();
        for (step, agent) in request.steps.iter().map(|s| (&s.step, s.agent)).filter(|(s, _)| rules.ready(s)) {
            let what = format!("{}, step {} of {}", step.duty.owner_title(), step.place, request.id);
            first(late.entry(agent).or_default(), step.due_at + escalates, what);
        }
        // Once it has lapsed nothing of it is to be decided any more.
        for (agent, (from, what)) in late.into_iter().filter_map(|(a, l)| Some((a, l?))) {
            if from < request.lapses_at {
                let span = Span { from, until: Some(request.lapses_at) };
                out.entry(agent).or_default().decision_due.push((span, what));
            }
        }
    }
    // A review that was put off is not overdue before its new date.
    for (agent, until) in crate::reviews::deferred(reads, &ids, now).await? {
        let g = out.entry(agent).or_default();
        g.review_due = g.review_due.map(|at| at.max(until));
    }
    for batch in ids.chunks(500) {
        let list = marks(1, batch.len());
        let all = || batch.iter().map(|id| Arg::from(*id)).collect::<Vec<_>>();
        let sql = format!("SELECT agent_id, due_at, words FROM condition WHERE met_at IS NULL AND agent_id IN {list}");
        for r in reads.rows(sql, all()).await? {
            first(&mut out.entry(r.get(0)?).or_default().condition_due, r.get(1)?, r.get(2)?);
        }
        let sql =
            format!("SELECT agent_id, first_at, source FROM observed WHERE closed_at IS NULL AND agent_id IN {list}");
        for r in reads.rows(sql, all()).await? {
            let seen = format!("seen by {}", r.get::<String>(2)?);
            first(&mut out.entry(r.get(0)?).or_default().drift, r.get(1)?, seen);
        }
        let sql = format!(
            "SELECT agent_id, until_at FROM acting WHERE ended_at IS NULL AND until_at > $1 AND agent_id IN {}",
            marks(2, batch.len())
        );
        let mut list = args![now];
        list.extend(all());
        for r in reads.rows(sql, list).await? {
            let until: DateTime<Utc> = r.get(1)?;
            let g = out.entry(r.get(0)?).or_default();
            g.acting_until = Some(g.acting_until.map_or(until, |at| at.min(until)));
        }
    }
    Ok(out)
}
