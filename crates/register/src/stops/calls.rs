//! Calls of stop methods. A drill rehearses without changing the agent: a webhook is called
//! with `"drill": true` and only its signed callback shows that it stopped; a written procedure
//! is carried out before a witness, with a file that shows it. What was shown becomes the drill
//! that an assessment reads.

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::Lifecycle;
use domain::assignment::{RaciRole, accountable};
use domain::can::{Action, Actor, Denied, Relation, can};
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Roles, Standing};
use domain::stop::{self, CallState, MethodKind, Outcome, Surface, Told};
use domain::text;
use serde_json::{Value, json};

use super::evidence::{self, File};
use super::{Method, holds, methods};
use crate::agents::assess::{ownership, party_names, reassess};
use crate::agents::read::visible;
use crate::agents::relation::relation;
use crate::agents::{Agent, stored};
use crate::change::{self, By, Change, EventRef};
use crate::db::{Db, DbError, Reads, Row};
use crate::error::{Checked, Error};
use crate::{args, random};

/// Longest note, in characters.
const NOTE_MAX: usize = 1000;

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

/// A call or a rehearsal as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its id.
    pub delivery: String,
    /// What is stopped.
    pub surface: Surface,
    /// The version of the method.
    pub version: i64,
    /// A rehearsal, not a stop.
    pub drill: bool,
    /// Who began it, by name.
    pub begun_by: String,
    /// When.
    pub begun_at: DateTime<Utc>,
    /// Where it stands.
    pub state: CallState,
    /// How the call went.
    pub outcome: Option<Outcome>,
    /// What the receiver answered, in short.
    pub detail: String,
    /// When it is over if nothing shows that it stopped.
    pub due_at: DateTime<Utc>,
    /// How long it took, once shown.
    pub seconds: Option<i64>,
    /// Who watched or is to say what they saw.
    pub witness: Option<(PersonId, String)>,
    /// The file that shows it.
    pub evidence: Option<String>,
    /// What was written with it.
    pub note: String,
    /// The reader is the witness, and has not said yet.
    pub mine: bool,
}

/// A drill that waits for a person to say what they saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its id.
    pub delivery: String,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// What was rehearsed.
    pub surface: Surface,
    /// Who did it, by name.
    pub begun_by: String,
    /// When.
    pub begun_at: DateTime<Utc>,
    /// How long it took, as they say.
    pub seconds: i64,
    /// What they wrote.
    pub note: String,
    /// The file that shows it.
    pub evidence: String,
}

/// A rehearsal of a written procedure.
#[derive(Debug, Clone, Default)]
pub struct ManualDrill {
    /// How long it took, in seconds.
    pub seconds: Option<i64>,
    /// Who watched.
    pub witness: Option<PersonId>,
    /// What is to be known of it.
    pub note: String,
    /// The file that shows it.
    pub evidence: File,
}

/// In whose name the actor shows that a surface can be stopped: its present owner, in person
/// or through their team.
async fn shows(change: &mut Change<'_>, agent: &Agent, surface: Surface) -> Result<Party, Error> {
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

async fn in_force(change: &mut Change<'_>, agent: AgentId, surface: Surface) -> Result<Method, Error> {
    methods(&mut change.tx, agent).await?.into_iter().find(|m| m.surface == surface).ok_or_else(|| {
        Error::Conflict(format!("No way to {} it is recorded. Record one first.", surface.label().to_lowercase()))
    })
}

async fn load(change: &mut Change<'_>, agent: AgentId) -> Result<Agent, Error> {
    let now = change.by.now;
    stored::load(&mut change.tx, &[agent], now).await?.pop().ok_or_else(|| Error::NotFound(format!("agent {agent}")))
}

/// Refuses a second drill while one may still be shown.
async fn none_under_way(change: &mut Change<'_>, agent: AgentId, surface: Surface) -> Result<(), Error> {
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

/// Outcome, due, stopped, denied and whether it is manual, from these columns on.
fn told(r: &Row, at: usize) -> Result<Told, DbError> {
    Ok(Told {
        outcome: r.get::<Option<String>>(at)?.and_then(|o| o.parse().ok()),
        due_at: r.get(at + 1)?,
        stopped_at: r.get(at + 2)?,
        denied_at: r.get(at + 3)?,
        manual: r.get(at + 4)?,
    })
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
async fn stopped(change: &mut Change<'_>, delivery: &str, capacity: &str) -> Result<i64, Error> {
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
        let paused = change
            .tx
            .one(
                "UPDATE stop_step SET done_at = $2, done_by = $3, event_id = $4 \
                 WHERE stopping_id = $1 AND step = 'pause' AND done_at IS NULL RETURNING id",
                args![stopping, now, capacity, change.id(event)],
            )
            .await?;
        if let Some(step) = paused {
            change.wrote(event, &change::STOP_STEP, step.get::<i64>(0)?);
        }
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

/// Brings a rehearsal of a written procedure: it counts once the witness has said that they
/// saw it. Answers its id.
pub async fn rehearse(
    db: &Db,
    by: By<'_>,
    agent: AgentId,
    surface: Surface,
    drill: ManualDrill,
) -> Result<String, Error> {
    let mut change = Change::begin(db, by).await?;
    let record = load(&mut change, agent).await?;
    let party = shows(&mut change, &record, surface).await?;
    let method = in_force(&mut change, agent, surface).await?;
    if method.kind != MethodKind::Manual {
        return Err(Error::Conflict("The method is a webhook: press the drill, and its callback shows it.".into()));
    }
    none_under_way(&mut change, agent, surface).await?;
    let mut wrong = Checked::default();
    let note = wrong.take("/note", text::prose(&drill.note, "The note", NOTE_MAX));
    let seconds = drill.seconds.filter(|s| (1..=86_400).contains(s)).unwrap_or_else(|| {
        wrong.refuse("/seconds", "Enter how many seconds it took until it had stopped, from 1 to 86400.");
        0
    });
    if let Err(Error::Invalid(fields)) = drill.evidence.check() {
        for field in fields {
            wrong.refuse(&field.pointer, field.message);
        }
    }
    if let Err(sentence) = witness(&mut change, &record, drill.witness).await? {
        wrong.refuse("/witness", sentence);
    }
    wrong.done()?;
    let event = change.event("owner", "stop-drill.rehearsed", agent);
    let sha256 = evidence::store(&mut change, event, drill.evidence).await?;
    change.describe(
        event,
        Value::Null,
        json!({"surface": surface, "version": method.version, "for": party, "seconds": seconds,
            "witness": drill.witness, "evidence": sha256}),
    );
    let new = NewCall {
        party: Some(party),
        due_at: by.now + stop::WITNESS_WITHIN,
        evidence: Some(sha256),
        witness: drill.witness,
        seconds: Some(seconds),
        note,
        stopping: None,
    };
    let delivery = insert(&mut change, event, agent, &method, new).await?;
    change.commit().await?;
    Ok(delivery)
}

/// Whether a person can be the witness of the actor's drill of this agent.
async fn witness(
    change: &mut Change<'_>,
    agent: &Agent,
    person: Option<PersonId>,
) -> Result<Result<(), &'static str>, Error> {
    let Some(person) = person else { return Ok(Err("Name somebody else who watched.")) };
    if change.by.actor.person_id() == Some(person) {
        return Ok(Err("The witness is a second person: somebody else who watched."));
    }
    let row = change.tx.one("SELECT status, roles FROM person WHERE id = $1", args![person]).await?;
    let Some(row) = row.filter(|r| r.get::<String>(0).is_ok_and(|s| s == "active")) else {
        return Ok(Err("Name somebody who is here."));
    };
    let other = Actor::person(person, row.get::<Roles>(1)?);
    let stands = relation(&mut change.tx, &other, agent).await?;
    Ok(if visible(&other, agent, stands).is_ok() { Ok(()) } else { Err("They may not see this agent.") })
}

/// The witness says what they saw.
pub async fn testify(db: &Db, by: By<'_>, delivery: &str, saw: bool) -> Result<AgentId, Error> {
    let missing = || Error::NotFound("such a drill".into());
    let mut change = Change::begin(db, by).await?;
    let row = change
        .tx
        .one(
            "SELECT id, agent_id, witness_id, outcome, due_at, stopped_at, denied_at, evidence_sha256 IS NOT NULL \
             FROM stop_call WHERE delivery = $1",
            args![delivery],
        )
        .await?
        .ok_or_else(missing)?;
    let (id, agent): (i64, AgentId) = (row.get(0)?, row.get(1)?);
    let mine = by.actor.person_id().is_some() && row.get::<Option<PersonId>>(2)? == by.actor.person_id();
    let record = load(&mut change, agent).await?;
    let stands = relation(&mut change.tx, by.actor, &record).await?;
    if !mine {
        visible(by.actor, &record, stands)?;
    }
    can(by.actor, Action::StopWitness, if mine { Relation::Owner } else { Relation::None })?;
    if saw {
        stopped(&mut change, delivery, "witness").await?;
    } else {
        if !told(&row, 3)?.awaits(by.now) {
            return Err(Error::Conflict("That drill is over; there is nothing left to say.".into()));
        }
        let event = change.event("witness", "stop-drill.denied", agent);
        change.describe(event, Value::Null, json!({"delivery": delivery}));
        let args = args![id, by.now, change.id(event)];
        change.tx.run("UPDATE stop_call SET denied_at = $2, event_id = $3 WHERE id = $1", args).await?;
        change.wrote(event, &change::STOP_CALL, id);
    }
    change.commit().await?;
    Ok(agent)
}

/// The newest calls and rehearsals of an agent, for whoever may see them.
pub async fn shown(db: &Db, by: By<'_>, agent: AgentId, limit: i64) -> Result<Vec<Shown>, Error> {
    let rows = db
        .all(
            "SELECT delivery, surface, method_version, stopping_id IS NULL, begun_by, begun_at, outcome, due_at, \
             stopped_at, denied_at, evidence_sha256 IS NOT NULL, detail, seconds, witness_id, evidence_sha256, note \
             FROM stop_call WHERE agent_id = $1 ORDER BY id DESC LIMIT $2",
            args![agent, limit],
        )
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    let mut people = Vec::new();
    for r in &rows {
        people.extend(r.get::<String>(4)?.parse::<Party>());
        people.extend(r.get::<Option<PersonId>>(13)?.map(Party::Person));
    }
    let mut reads = db;
    let names = party_names(&mut reads, people).await?;
    let called = |p: Party| names.get(&p).cloned().unwrap_or_else(|| p.to_string());
    for r in rows {
        let call = told(&r, 6)?;
        let state = call.state(by.now);
        let begun_by: String = r.get(4)?;
        let witness: Option<PersonId> = r.get(13)?;
        out.push(Shown {
            delivery: r.get(0)?,
            surface: r.get(1)?,
            version: r.get(2)?,
            drill: r.get(3)?,
            begun_by: begun_by.parse::<Party>().map_or(begun_by, called),
            begun_at: r.get(5)?,
            state,
            outcome: call.outcome,
            detail: r.get(11)?,
            due_at: call.due_at,
            seconds: r.get::<Option<i64>>(12)?,
            evidence: r.get(14)?,
            note: r.get(15)?,
            mine: state == CallState::Witness && witness.is_some() && witness == by.actor.person_id(),
            witness: witness.map(|w| (w, called(Party::Person(w)))),
        });
    }
    Ok(out)
}

/// Drills that wait for this person to say what they saw.
pub async fn waiting(db: &Db, by: By<'_>, person: PersonId) -> Result<Vec<Waiting>, Error> {
    let rows = db
        .all(
            "SELECT c.delivery, c.agent_id, a.name, c.surface, c.begun_by, c.begun_at, c.seconds, c.note, c.evidence_sha256 \
             FROM stop_call c JOIN agent a ON a.id = c.agent_id \
             WHERE c.witness_id = $1 AND c.due_at > $2 AND c.stopped_at IS NULL AND c.denied_at IS NULL \
             ORDER BY c.due_at LIMIT 20",
            args![person, by.now],
        )
        .await?;
    let mut reads = db;
    let people = rows.iter().filter_map(|r| r.get::<String>(4).ok()?.parse::<Party>().ok()).collect::<Vec<_>>();
    let names = party_names(&mut reads, people).await?;
    rows.iter()
        .map(|r| {
            let begun_by: String = r.get(4)?;
            Ok(Waiting {
                delivery: r.get(0)?,
                agent: r.get(1)?,
                name: r.get(2)?,
                surface: r.get(3)?,
                begun_by: begun_by.parse::<Party>().ok().and_then(|p| names.get(&p).cloned()).unwrap_or(begun_by),
                begun_at: r.get(5)?,
                seconds: r.get::<Option<i64>>(6)?.unwrap_or_default(),
                note: r.get(7)?,
                evidence: r.get::<Option<String>>(8)?.unwrap_or_default(),
            })
        })
        .collect()
}

/// Whether a call with this id is one of the agent's: for an address that names both.
pub async fn agent_of(reads: &mut impl Reads, delivery: &str) -> Result<Option<AgentId>, DbError> {
    let rows = reads.rows("SELECT agent_id FROM stop_call WHERE delivery = $1", args![delivery]).await?;
    rows.first().map(|r| r.get(0)).transpose()
}
