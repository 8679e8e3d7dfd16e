//! Starting a retirement.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::agent::{Lifecycle, Running};
use domain::canonical;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId};
use domain::party::Party;
use domain::policy::Wanted;
use domain::request::{RequestKind, RequestState};
use domain::retirement::{self, Planned, RowKind, watch_days};
use domain::tiding;
use domain::tier::Tier;
use serde_json::json;

use super::Doers;
use super::stored::{KeptRow, done_before};
use crate::agents::assess::{party_names, reassess};
use crate::agents::relation::capacity;
use crate::agents::{Agent, moves, stored as agents_stored};
use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Arg, Db};
use crate::error::Error;
use crate::policies;
use crate::requests::open::{New, begin, write};
use crate::requests::stored::unclosed;
use crate::requests::{asked_by, ends, words};
use crate::tidings::To;

/// What retiring an agent would take.
#[derive(Debug, Clone)]
pub struct Foreseen {
    /// The agent.
    pub agent: Agent,
    /// The rows, with who would do each, in which capacity.
    pub rows: Vec<(Planned, Option<(Duty, domain::party::Party, String)>)>,
    /// For how many days it is watched after it was stopped.
    pub watch_days: i64,
    /// Its tier.
    pub tier: Tier,
    /// The requests that would be void.
    pub voids: Vec<(RequestId, RequestKind)>,
    /// The retirement that is open already.
    pub open: Option<RequestId>,
}

/// Shows the checklist before it is started.
pub async fn foresee(db: &Db, by: By<'_>, id: AgentId) -> Result<Foreseen, Error> {
    let mut reads = db;
    let (agent, _) = asked_by(&mut reads, by, id).await?;
    let doers = Doers::read(&mut reads, &[id], by.actor.person_id(), by.now).await?;
    let planned = retirement::rows(&agent.facts);
    let found: Vec<_> = planned.iter().map(|p| doers.of(id, p.kind)).collect();
    let names = party_names(&mut reads, found.iter().flatten().map(|(_, p)| *p).collect::<Vec<_>>()).await?;
    let named = |(duty, party)| (duty, party, names.get(&party).cloned().unwrap_or_else(|| party.to_string()));
    let mut out = Foreseen {
        rows: planned.into_iter().zip(found.into_iter().map(|f| f.map(named))).collect(),
        watch_days: watch_days(agent.tier),
        tier: agent.tier,
        voids: Vec::new(),
        open: None,
        agent,
    };
    for request in unclosed(&mut reads, &[id]).await? {
        if request.state(by.now).ended() {
            continue;
        }
        match request.kind {
            RequestKind::Retirement => out.open = Some(request.id),
            kind => out.voids.push((request.id, kind)),
        }
    }
    Ok(out)
}

/// Starts the retirement of an agent: it is retiring at once, and whatever else was asked
/// about it is void.
pub async fn start(db: &Db, by: By<'_>, id: AgentId, why: &str) -> Result<RequestId, Error> {
    let why = words(why, "/reason", Some("Say why it is retired: whoever relies on it reads it."))?;
    let (mut change, agent, stands, me) = begin(db, by, id).await?;
    let request = open(&mut change, agent, me, capacity(by.actor, stands), &why).await?;
    reassess(&mut change, &[id], false).await?;
    change.commit().await?;
    Ok(request)
}

/// Starts it within the change of a review that ends so. The caller holds the agent, has asked
/// whether the reviewer may decide, and assesses the agent again.
pub async fn start_from_review(
    change: &mut Change<'_>,
    agent: AgentId,
    reviewer: PersonId,
    why: &str,
) -> Result<RequestId, Error> {
    let record = agents_stored::load(&mut change.tx, &[agent], change.by.now)
        .await?
        .pop()
        .ok_or_else(|| Error::NotFound(format!("agent {agent}")))?;
    open(change, record, reviewer, "reviewer".to_owned(), why).await
}

async fn open(
    change: &mut Change<'_>,
    agent: Agent,
    me: PersonId,
    capacity: String,
    why: &str,
) -> Result<RequestId, Error> {
    let id = agent.id;
    if agent.state == Lifecycle::Retired {
        return Err(Error::Conflict(format!("{id} is retired already: what is left is its tombstone.")));
    }
    let before = unclosed(&mut change.tx, &[id]).await?;
    if let Some(other) = before.iter().find(|r| r.kind == RequestKind::Retirement) {
        return Err(Error::Conflict(format!("{id} is being retired already: see {}.", other.id)));
    }
    for other in &before {
        ends::finish(change, other, RequestState::Voided, "request.voided", "The agent is being retired.").await?;
    }
    // A first approval that is void has made it a draft.
    let agent = agents_stored::load(&mut change.tx, &[id], change.by.now)
        .await?
        .pop()
        .ok_or_else(|| Error::NotFound(format!("agent {id}")))?;
    let event = change.event(capacity, "request.opened", id);
    if agent.state != Lifecycle::Retiring {
        moves::to(change, event, &agent, Lifecycle::Retiring).await?;
    }
    let planned = retirement::rows(&agent.facts);
    let content = json!({
        "facts": agent.facts,
        "boundary_sha256": agent.facts.boundary_sha256(),
        "rows": planned,
        "was": agent.state,
    });
    let want = |duty: Duty, because: &str| Wanted { duty, because: vec![because.to_owned()], last: false };
    let policy = policies::present(&mut change.tx).await?;
    let new = New {
        kind: RequestKind::Retirement,
        agent: &agent,
        facts: &agent.facts,
        sha256: canonical::sha256_hex(&content),
        content,
        wanted: vec![
            want(Duty::Purpose, "The business owner signs that nobody relies on it any more."),
            want(Duty::Identity, "The identity owner signs that nothing can act as this agent any more."),
        ],
        told: why,
        reviewer: None,
        takes: TimeDelta::days(watch_days(agent.tier)),
    };
    let request = write(change, event, me, &policy, new).await?;
    let carried = done_before(&mut change.tx, id).await?;
    let kept = |p: &Planned| -> Option<&KeptRow> {
        // The watch is looked at anew, and what runs again was not stopped.
        let again =
            p.kind == RowKind::Watch || (p.kind == RowKind::StopExecution && agent.facts.running == Running::Yes);
        carried.iter().find(|r| !again && r.kind == p.kind && r.subject == p.subject)
    };
    let first = change.next("retirement-row", i64::try_from(planned.len()).unwrap_or(0)).await?;
    let mut rows: Vec<Vec<Arg>> = Vec::new();
    for ((number, place), p) in (first..).zip(1_i64..).zip(&planned) {
        let was = kept(p);
        let done = was.and_then(|w| w.done.clone());
        rows.push(args![
            number,
            change.id(event),
            request,
            id,
            place,
            p.kind.key(),
            &p.subject,
            p.kind.duty().key(),
            was.and_then(|w| w.proof).map_or("", retirement::Proof::key),
            was.map_or("", |w| w.link.as_str()),
            was.and_then(|w| w.delivery.clone()),
            was.and_then(|w| w.evidence_sha256.clone()),
            was.map_or("", |w| w.note.as_str()),
            done.as_ref().map(|(at, _)| *at),
            done.as_ref().map_or("", |(_, by)| by.as_str()),
            "",
            was.map(|w| w.carried_from.unwrap_or(w.request)),
        ]);
        change.wrote(event, &change::RETIREMENT_ROW, number);
    }
    let columns = [
        "id",
        "event_id",
        "request_id",
        "agent_id",
        "place",
        "kind",
        "subject",
        "duty",
        "evidence_kind",
        "link",
        "delivery",
        "evidence_sha256",
        "note",
        "done_at",
        "done_by",
        "waiver",
        "carried_from",
    ];
    change.tx.insert("retirement_row", &columns, rows, "").await?;
    let doers = Doers::read(&mut change.tx, &[id], Some(me), change.by.now).await?;
    let todo = planned.iter().filter(|p| kept(p).is_none_or(|w| w.done.is_none()));
    let parties: BTreeSet<Party> = todo.filter_map(|p| doers.of(id, p.kind)).map(|(_, party)| party).collect();
    for party in parties {
        change.tell(To::Answerers(party), tiding::retirement_started(request, id, why));
    }
    Ok(request)
}
