//! Calls of webhooks. A drill rehearses without changing the agent: the webhook is called with
//! `"drill": true`, and only its signed callback shows that it stopped. What was shown becomes
//! the drill that an assessment reads, or closes the steps of a stop.

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::Lifecycle;
use domain::assignment::{RaciRole, accountable};
use domain::can::{Action, Actor, Denied, Relation, can};
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Standing};
use domain::stop::{self, CallState, MethodKind, Outcome, Step, Surface};
use serde_json::{Value, json};

use super::shown::told;
use super::{Method, holds, methods};
use crate::agents::assess::{ownership, reassess};
use crate::agents::read::visible;
use crate::agents::relation::relation;
use crate::agents::{Agent, stored};
use crate::change::{self, By, Change, EventRef};
use crate::db::{Arg, Db, marks};
use crate::error::Error;
use crate::{args, random};

/// A call that Muster is about to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Its id, in the header `Muster-Delivery` and in the callback's address.
    pub delivery: String,
    /// The agent.
    pub agent: AgentId,
    /// What is stopped.
    pub surface: Surface,
    /// The version of the method.
    pub version: i64,
    /// A rehearsal.
    pub drill: bool,
    /// What is called.
    pub url: String,
    /// Signs the call.
    pub secret: String,
    /// How long the callback is awaited.
    pub timeout: TimeDelta,
}

/// In whose name the actor shows that a surface can be stopped: its present owner, in person
/// or through their team.
pub(super) async fn shows(change: &mut Change<'_>, agent: &Agent, surface: Surface) -> Result<Party, Error> {
    let stands = relation(&mut change.tx, change.by.actor, agent).await?;
    visible(change.by.actor, agent, stands)?;
    if agent.state == Lifecycle::Retired {
        return Err(Error::Conflict(format!("{} is retired: there is nothing left to stop.", agent.id)));
    }
    let title = surface.duty().owner_title();
    let (actor, now) = (change.by.actor, change.by.now);
    let mine = holds(&mut change.tx, actor, agent.id, surface.duty(), &[RaciRole::Accountable], now).await?;
    let relation = if mine.is_some() { Relation::Owner } else { Relation::None };
    can(change.by.actor, Action::StopDrill, relation).map_err(|denied| match denied {
        Denied::Forbidden(_) if change.by.actor.scopes.is_none() => Denied::Forbidden(format!(
            "Only its present {title} shows that this works: the person, or a member of the team that holds the duty."
        )),
        denied => denied,
    })?;
    let held = ownership(&mut change.tx, &[agent.id]).await?.held.remove(&agent.id).unwrap_or_default();
    match accountable(&held, surface.duty()) {
        Some(owner) if owner.standing == Standing::Active && mine == Some(owner.party) => Ok(owner.party),
        _ => Err(Error::Conflict(format!("It has no active {title} who could show it. Assign one first."))),
    }
}

pub(super) async fn in_force(change: &mut Change<'_>, agent: AgentId, surface: Surface) -> Result<Method, Error> {
    methods(&mut change.tx, agent).await?.into_iter().find(|m| m.surface == surface).ok_or_else(|| {
        Error::Conflict(format!("No way to {} it is recorded. Record one first.", surface.label().to_lowercase()))
    })
}

pub(super) async fn load(change: &mut Change<'_>, agent: AgentId) -> Result<Agent, Error> {
    let now = change.by.now;
    stored::load(&mut change.tx, &[agent], now).await?.pop().ok_or_else(|| Error::NotFound(format!("agent {agent}")))
}

/// Refuses a second drill while one may still be shown.
pub(super) async fn none_under_way(change: &mut Change<'_>, agent: AgentId, surface: Surface) -> Result<(), Error> {
    let rows = change
        .tx
        .all(
            "SELECT outcome, due_at, stopped_at, denied_at, evidence_sha256 IS NOT NULL FROM stop_call \
             WHERE agent_id = $1 AND surface = $2 AND stopping_id IS NULL AND due_at > $3",
            args![agent, surface.key(), change.by.now],
        )
        .await?;
    for r in rows {
        if told(&r, 0)?.awaits(change.by.now) {
            return Err(Error::Conflict(
                "A drill of this is under way. Wait until it is shown, or until it lapses.".into(),
            ));
        }
    }
    Ok(())
}

/// What a new call's row says beside what every call has.
#[derive(Default)]
pub(crate) struct NewCall {
    pub(crate) stopping: Option<i64>,
    pub(crate) party: Option<Party>,
    pub(crate) due_at: DateTime<Utc>,
    pub(crate) evidence: Option<String>,
    pub(crate) witness: Option<PersonId>,
    pub(crate) seconds: Option<i64>,
    pub(crate) note: String,
}

/// Writes the row of a call under the event. Answers its delivery id.
pub(crate) async fn insert(
    change: &mut Change<'_>,
    event: EventRef,
    agent: AgentId,
    method: &Method,
    new: NewCall,
) -> Result<String, Error> {
    let delivery = random::uuid_v7(change.by.now, 0);
    let id = change.next("stop-call", 1).await?;
    let columns = [
        "id",
        "event_id",
        "agent_id",
        "method_id",
        "stopping_id",
        "delivery",
        "surface",
        "method_version",
        "party_kind",
        "party_id",
        "begun_by",
        "begun_at",
        "due_at",
        "detail",
        "evidence_sha256",
        "witness_id",
        "seconds",
        "note",
    ];
    let row = args![
        id,
        change.id(event),
        agent,
        method.id,
        new.stopping,
        &delivery,
        method.surface.key(),
        method.version,
        new.party.map_or("", Party::kind),
        new.party.map(Party::number),
        change.by.actor.who.to_string(),
        change.by.now,
        new.due_at,
        "",
        new.evidence,
        new.witness.map(|w| w.0),
        new.seconds,
        new.note
    ];
    change.tx.insert("stop_call", &columns, vec![row], "").await?;
    change.wrote(event, &change::STOP_CALL, id);
    Ok(delivery)
}

/// What a call needs of a webhook.
pub(crate) async fn begun(
    change: &mut Change<'_>,
    agent: AgentId,
    method: &Method,
    delivery: String,
    drill: bool,
) -> Result<Begun, Error> {
    let row = change.tx.one("SELECT secret FROM stop_secret WHERE method_id = $1", args![method.id]).await?;
    let (Some(url), Some(timeout), Some(row)) = (method.url.clone(), method.timeout, row) else {
        return Err(Error::Conflict("This method is a written procedure: people carry it out.".into()));
    };
    Ok(Begun {
        delivery,
        agent,
        surface: method.surface,
        version: method.version,
        drill,
        url,
        secret: row.get(0)?,
        timeout,
    })
}

/// Begins the drill of a webhook: what is answered is then called, and how that went is
/// told to [`answered`].
pub async fn begin_drill(db: &Db, by: By<'_>, agent: AgentId, surface: Surface) -> Result<Begun, Error> {
    let mut change = Change::begin(db, by).await?;
    let record = load(&mut change, agent).await?;
    let party = shows(&mut change, &record, surface).await?;
    let method = in_force(&mut change, agent, surface).await?;
    none_under_way(&mut change, agent, surface).await?;
    let Some(timeout) = method.timeout.filter(|_| method.kind == MethodKind::Webhook) else {
        return Err(Error::Conflict(
            "The method is a written procedure: carry it out, then bring the file that shows it and name a witness."
                .into(),
        ));
    };
    let event = change.event("owner", "stop-drill.begun", agent);
    change.describe(event, Value::Null, json!({"surface": surface, "version": method.version, "for": party}));
    let new = NewCall { party: Some(party), due_at: by.now + timeout, ..NewCall::default() };
    let delivery = insert(&mut change, event, agent, &method, new).await?;
    let begun = begun(&mut change, agent, &method, delivery, true).await?;
    change.commit().await?;
    Ok(begun)
}

/// The calls of stops in earnest that were begun and that nobody has answered or made yet: what a
/// server that was stopped on the way left to be done. Drills are not among them: whoever
/// rehearses rehearses again.
pub async fn unfinished(db: &Db, now: DateTime<Utc>) -> Result<Vec<Begun>, Error> {
    let rows = db
        .all(
            "SELECT c.delivery, c.agent_id, c.surface, c.method_version, m.url, s.secret, m.timeout_ms \
             FROM stop_call c JOIN stop_method m ON m.id = c.method_id JOIN stop_secret s ON s.method_id = m.id \
             WHERE c.witness_id IS NULL AND c.due_at > $1 AND c.stopped_at IS NULL AND c.denied_at IS NULL \
             AND c.outcome IS NULL AND c.stopping_id IS NOT NULL ORDER BY c.id",
            args![now],
        )
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        out.push(Begun {
            delivery: r.get(0)?,
            agent: r.get(1)?,
            surface: r.get(2)?,
            version: r.get(3)?,
            drill: false,
            url: r.get::<Option<String>>(4)?.unwrap_or_default(),
            secret: r.get(5)?,
            timeout: TimeDelta::milliseconds(r.get::<Option<i64>>(6)?.unwrap_or(0)),
        });
    }
    Ok(out)
}

/// Writes how a call went. A call that was shown meanwhile is over, and left as it is.
pub async fn answered(db: &Db, by: By<'_>, delivery: &str, outcome: Outcome, detail: &str) -> Result<(), Error> {
    let mut change = Change::begin(db, by).await?;
    let row = change
        .tx
        .one("SELECT id, agent_id, stopping_id FROM stop_call WHERE delivery = $1", args![delivery])
        .await?
        .ok_or_else(|| Error::NotFound("such a call".into()))?;
    let (id, agent): (i64, AgentId) = (row.get(0)?, row.get(1)?);
    let action = if row.get::<Option<i64>>(2)?.is_some() { "stop.called" } else { "stop-drill.called" };
    let event = change.event("muster", action, agent);
    change.describe(event, Value::Null, json!({"delivery": delivery, "outcome": outcome, "detail": detail}));
    let done = change
        .tx
        .run(
            "UPDATE stop_call SET outcome = $2, detail = $3, answered_at = $4, event_id = $5 \
             WHERE id = $1 AND outcome IS NULL AND stopped_at IS NULL AND denied_at IS NULL",
            args![id, outcome.key(), detail, by.now, change.id(event)],
        )
        .await?;
    if done == 1 {
        change.wrote(event, &change::STOP_CALL, id);
        change.commit().await?;
    }
    Ok(())
}

/// A callback as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Callback<'a> {
    /// From its address.
    pub delivery: &'a str,
    /// `Muster-Timestamp`.
    pub timestamp: &'a str,
    /// `Muster-Signature`.
    pub signature: &'a str,
    /// The body, as it was signed.
    pub body: &'a [u8],
}

/// Takes a signed callback: it shows that the call stopped it, once. Answers how many seconds
/// that took, by Muster's clock.
pub async fn callback(db: &Db, now: DateTime<Utc>, sent: Callback<'_>) -> Result<i64, Error> {
    let row = db
        .one(
            "SELECT s.secret FROM stop_call c JOIN stop_secret s ON s.method_id = c.method_id WHERE c.delivery = $1",
            args![sent.delivery],
        )
        .await?
        .ok_or_else(|| Error::NotFound("such a delivery".into()))?;
    stop::verify(&row.get::<String>(0)?, sent.delivery, sent.timestamp, sent.signature, sent.body, now)
        .map_err(|e| Error::Denied(Denied::Forbidden(e.to_string())))?;
    let muster = Actor::muster();
    let mut change = Change::begin(db, By { actor: &muster, now }).await?;
    let seconds = stopped(&mut change, sent.delivery, "webhook").await?;
    change.commit().await?;
    Ok(seconds)
}

/// Notes that a call is shown to have stopped it; a drill so shown is one passed.
pub(super) async fn stopped(change: &mut Change<'_>, delivery: &str, capacity: &str) -> Result<i64, Error> {
    let now = change.by.now;
    let row = change
        .tx
        .one(
            "SELECT id, agent_id, stopping_id, surface, method_version, party_kind, party_id, begun_by, begun_at, seconds, \
             outcome, due_at, stopped_at, denied_at, evidence_sha256 IS NOT NULL, note FROM stop_call WHERE delivery = $1",
            args![delivery],
        )
        .await?
        .ok_or_else(|| Error::NotFound("such a delivery".into()))?;
    let call = told(&row, 10)?;
    if !call.awaits(now) {
        return Err(Error::Conflict(
            match call.state(now) {
                CallState::Stopped => "That was shown before; it counts once.",
                CallState::Lapsed => "It came too late: the call has lapsed.",
                _ => "That call is over.",
            }
            .into(),
        ));
    }
    let (id, agent): (i64, AgentId) = (row.get(0)?, row.get(1)?);
    let surface: Surface = row.get(3)?;
    let drill = row.get::<Option<i64>>(2)?.is_none();
    let begun_at: DateTime<Utc> = row.get(8)?;
    let millis = (now - begun_at).num_milliseconds().max(0);
    let seconds = row.get::<Option<i64>>(9)?.unwrap_or_else(|| millis.div_euclid(1000) + i64::from(millis % 1000 > 0));
    let action = if drill { "stop-drill.passed" } else { "stop.shown" };
    let event = change.event(capacity, action, agent);
    change.describe(event, Value::Null, json!({"delivery": delivery, "surface": surface, "seconds": seconds}));
    let done = change
        .tx
        .run(
            "UPDATE stop_call SET stopped_at = $2, seconds = $3, event_id = $4 \
             WHERE id = $1 AND stopped_at IS NULL AND denied_at IS NULL",
            args![id, now, seconds, change.id(event)],
        )
        .await?;
    if done != 1 {
        return Err(Error::Conflict("That was shown before; it counts once.".into()));
    }
    change.wrote(event, &change::STOP_CALL, id);
    if let Some(stopping) = row.get::<Option<i64>>(2)? {
        close(change, event, stopping, surface, capacity).await?;
    }
    if drill {
        let number = change.next("drill", 1).await?;
        let columns = [
            "id",
            "event_id",
            "agent_id",
            "method_version",
            "party_kind",
            "party_id",
            "at",
            "seconds",
            "passed",
            "note",
            "surface",
            "acted_by",
            "call_id",
        ];
        let passed = args![
            number,
            change.id(event),
            agent,
            row.get::<i64>(4)?,
            row.get::<String>(5)?,
            row.get::<Option<i64>>(6)?,
            begun_at,
            seconds,
            true,
            row.get::<String>(15)?,
            surface.key(),
            row.get::<String>(7)?,
            id
        ];
        change.tx.insert("stop_drill", &columns, vec![passed], "").await?;
        change.wrote(event, &change::STOP_DRILL, number);
        if surface == Surface::Pause {
            reassess(change, &[agent], false).await?;
        }
    }
    Ok(seconds)
}

/// Notes that the steps of a stop that this surface's method does are done.
async fn close(
    change: &mut Change<'_>,
    event: EventRef,
    stopping: i64,
    surface: Surface,
    capacity: &str,
) -> Result<(), Error> {
    let steps: Vec<Arg> =
        Step::ALL.iter().filter(|s| s.surface() == Some(surface)).map(|s| Arg::from(s.key())).collect();
    let sql = format!(
        "UPDATE stop_step SET done_at = $2, done_by = $3, event_id = $4 \
         WHERE stopping_id = $1 AND done_at IS NULL AND step IN {} RETURNING id",
        marks(5, steps.len())
    );
    let mut list = args![stopping, change.by.now, capacity, change.id(event)];
    list.extend(steps);
    for row in change.tx.all(sql, list).await? {
        change.wrote(event, &change::STOP_STEP, row.get::<i64>(0)?);
    }
    Ok(())
}
