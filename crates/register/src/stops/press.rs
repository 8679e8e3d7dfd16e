//! Break glass: an agent stopped at once, by whoever holds a duty of it or leads security. The
//! stop is recorded whatever becomes of its calls.

use domain::agent::{CredentialKind, Lifecycle};
use domain::assignment::RaciRole;
use domain::can::{Action, Relation, Who, can};
use domain::id::AgentId;
use domain::party::Party;
use domain::stop::{self, MethodKind, REVIEW_WITHIN, Surface};
use domain::text;
use domain::tiding;
use serde_json::{Value, json};

use super::calls::{self, Begun, NewCall};
use super::methods;
use crate::agents::assess::{ownership, reassess};
use crate::agents::read::visible;
use crate::agents::relation::{capacity, relation};
use crate::agents::{Agent, stored};
use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Arg, Db};
use crate::error::Error;
use crate::tidings::To;

/// Longest reason or review, in characters.
const REASON_MAX: usize = 1000;

/// What is said where pausing has no webhook.
pub const BY_HAND: &str =
    "No webhook pauses it: the runtime owner carries out the written procedure, if there is one, now.";

/// A stop that was pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pressed {
    /// Its number.
    pub id: i64,
    /// The agent was active, and is suspended now.
    pub suspended: bool,
    /// The webhooks to be called, one a surface that has one.
    pub calls: Vec<Begun>,
}

impl Pressed {
    /// Whether no webhook pauses it, so that a person must.
    pub fn by_hand(&self) -> bool {
        !self.calls.iter().any(|c| c.surface == Surface::Pause)
    }
}

pub(super) fn sentence(given: &str, what: &'static str, pointer: &str, ask: &str) -> Result<String, Error> {
    let given = text::prose(given, what, REASON_MAX).map_err(|e| Error::field(pointer, e.to_string()))?;
    if given.is_empty() { Err(Error::field(pointer, ask)) } else { Ok(given) }
}

/// Why something is stopped, checked.
pub(super) fn reason(given: &str) -> Result<String, Error> {
    sentence(given, "The reason", "/reason", "Say why: whoever reviews it reads it.")
}

/// Stops an agent at once. It only ever removes access, so it works in every state; an active
/// agent becomes suspended. The answer's calls are then made by the caller.
pub async fn press(db: &Db, by: By<'_>, agent: AgentId, why: &str) -> Result<Pressed, Error> {
    let mut change = Change::begin(db, by).await?;
    let record = stored::load(&mut change.tx, &[agent], by.now)
        .await?
        .pop()
        .ok_or_else(|| Error::NotFound(format!("agent {agent}")))?;
    let stands = relation(&mut change.tx, by.actor, &record).await?;
    visible(by.actor, &record, stands)?;
    can(by.actor, Action::StopPress, stands)?;
    let reason = reason(why)?;
    let pressed = stop(&mut change, &record, stands, &Why { reason: &reason, uses: None }, &mut 0).await?;
    reassess(&mut change, &[agent], false).await?;
    change.commit().await?;
    Ok(pressed)
}

/// Why an agent is stopped.
pub(crate) struct Why<'a> {
    /// In the actor's words.
    pub(crate) reason: &'a str,
    /// What it uses, when everything that does is stopped.
    pub(crate) uses: Option<&'a str>,
}

/// Tells whoever is Accountable for a duty of the agent that it was stopped.
async fn tell(change: &mut Change<'_>, agent: AgentId, pressed: &Pressed, reason: &str) -> Result<(), Error> {
    let held = ownership(&mut change.tx, &[agent]).await?.held.remove(&agent).unwrap_or_default();
    let who = crate::tidings::actor(change).await?;
    let told = tiding::stopped(agent, pressed.id, &who, reason, pressed.by_hand());
    let mut parties: Vec<Party> = held.iter().filter(|h| h.role == RaciRole::Accountable).map(|h| h.party).collect();
    parties.sort_unstable();
    parties.dedup();
    for party in parties {
        change.tell(To::Owner(party), told.clone());
    }
    Ok(())
}

/// Writes the stop of one agent, whose caller has asked whether the actor may. `queue` counts
/// the calls that are made before those of this stop.
pub(crate) async fn stop(
    change: &mut Change<'_>,
    record: &Agent,
    stands: Relation,
    why: &Why<'_>,
    queue: &mut usize,
) -> Result<Pressed, Error> {
    let (agent, by) = (record.id, change.by);
    // What stops at an instant was decided before, and nobody presses it.
    let who = if by.actor.who == Who::Nobody { "clock".to_owned() } else { capacity(by.actor, stands) };
    let event = change.event(who.clone(), "stop.pressed", agent);
    change.because(event, why.reason);
    let suspended = record.state == Lifecycle::Active;
    let mut after = json!({});
    let mut before = Value::Null;
    if suspended {
        let done = change
            .tx
            .run(
                "UPDATE agent SET version = version + 1, event_id = $3, updated_at = $4, state = $5, state_at = $4 \
                 WHERE id = $1 AND version = $2",
                args![agent, record.version, change.id(event), by.now, Lifecycle::Suspended.key()],
            )
            .await?;
        if done != 1 {
            return Err(Error::Conflict(format!("{agent} was changed at the same moment; press again.")));
        }
        change.wrote(event, &change::AGENT, agent.0);
        before = json!({"state": record.state});
        after["state"] = Lifecycle::Suspended.key().into();
    } else {
        after["was"] = record.state.key().into();
    }
    if let Some(uses) = why.uses {
        after["everything_that_uses"] = uses.into();
    }
    change.describe(event, before, after);
    let id = change.next("stopping", 1).await?;
    let columns = [
        "id",
        "event_id",
        "agent_id",
        "at",
        "stopped_by",
        "capacity",
        "reason",
        "was",
        "review_due",
        "reviewed_by",
        "review",
    ];
    let row = args![
        id,
        change.id(event),
        agent,
        by.now,
        by.actor.who.to_string(),
        who,
        why.reason,
        record.state.key(),
        by.now + REVIEW_WITHIN,
        "",
        ""
    ];
    change.tx.insert("stopping", &columns, vec![row], "").await?;
    change.wrote(event, &change::STOPPING, id);
    let methods = methods(&mut change.tx, agent).await?;
    let surfaces: Vec<Surface> = methods.iter().map(|m| m.surface).collect();
    let plan = stop::plan(&record.facts, &surfaces);
    let first = change.next("stop-step", i64::try_from(plan.len()).unwrap_or(i64::MAX)).await?;
    let mut rows: Vec<Vec<Arg>> = Vec::with_capacity(plan.len());
    for (number, step) in (first..).zip(plan) {
        rows.push(args![
            number,
            change.id(event),
            id,
            step.step.key(),
            step.subject,
            step.kind.map_or("", CredentialKind::key),
            step.ttl_seconds,
            ""
        ]);
        change.wrote(event, &change::STOP_STEP, number);
    }
    let columns = ["id", "event_id", "stopping_id", "step", "subject", "credential_kind", "ttl_seconds", "done_by"];
    change.tx.insert("stop_step", &columns, rows, "").await?;
    let mut made = Vec::new();
    for method in methods.iter().filter(|m| m.kind == MethodKind::Webhook) {
        let Some(timeout) = method.timeout else { continue };
        let due_at = by.now + timeout + stop::queued(*queue);
        let new = NewCall { stopping: Some(id), due_at, ..NewCall::default() };
        let delivery = calls::insert(change, event, agent, method, new).await?;
        made.push(calls::begun(change, agent, method, delivery, false).await?);
        *queue += 1;
    }
    let pressed = Pressed { id, suspended, calls: made };
    tell(change, agent, &pressed, why.reason).await?;
    Ok(pressed)
}
