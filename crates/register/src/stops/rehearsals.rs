//! Rehearsals of written procedures: carried out before a witness, with a file that shows it.

use chrono::{DateTime, Utc};
use domain::assignment::accountable;
use domain::can::{Action, Actor, Relation, can};
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Roles};
use domain::stop::{self, MethodKind, Surface};
use domain::text;
use domain::tiding;
use serde_json::{Value, json};

use super::calls::{NewCall, in_force, insert, load, none_under_way, shows, stopped};
use super::evidence::{self, File};
use super::shown::told;
use crate::agents::assess::party_names;
use crate::agents::read::visible;
use crate::agents::relation::{acts_for, relation};
use crate::agents::{Agent, View};
use crate::args;
use crate::change::{self, By, Change};
use crate::db::Db;
use crate::error::{Checked, Error};
use crate::tidings::To;

/// Longest note, in characters.
const NOTE_MAX: usize = 1000;

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

/// Whether the actor shows that any surface of an agent can be stopped, so that it is worth
/// reading what they bring.
pub async fn may(db: &Db, by: By<'_>, view: &View) -> Result<(), Error> {
    let mut reads = db;
    let mine = match by.actor.person_id() {
        Some(me) => acts_for(&mut reads, me, by.now).await?,
        None => Vec::new(),
    };
    let shows = |s: &Surface| accountable(&view.judged.held, s.duty()).is_some_and(|h| mine.contains(&h.party));
    let relation = if Surface::ALL.iter().any(shows) { Relation::Owner } else { Relation::None };
    can(by.actor, Action::StopDrill, relation)?;
    Ok(())
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
    if let Some(witness) = drill.witness {
        let who = crate::tidings::actor(&mut change).await?;
        change.tell(To::Person(witness), tiding::witness_asked(&delivery, agent, &who));
    }
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
