//! Assignments: offering a duty, answering, recording who already holds it, changing the
//! matrix. Rows are never overwritten: a change closes one and opens the next.

pub mod confirm;
pub mod export;
mod ground;
pub(crate) mod lapse;
mod matrix;
mod open;
mod past;

use domain::assignment::Ended;
use domain::assignment::RaciRole;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RuleId, SystemId, TeamId};
use domain::party::{Party, Standing};
use domain::system::Subject;
use domain::text;
use domain::tiding::Post;
use serde_json::{Value, json};

use crate::agents::assess::{party_names, party_standing, reassess};
use crate::agents::read::visible;
use crate::agents::relation::{capacity, relation};
use crate::agents::{Agent, stored};
use crate::args;
use crate::change::{self, By, Change, EventRef};
use crate::clock::alarms;
use crate::db::{Arg, Db, DbError, marks};
use crate::error::Error;
use crate::tidings::To;

use ground::Ground;
pub(crate) use ground::settle;
pub(crate) use matrix::put_within;
pub use matrix::{Cell, Matrix, Platform, Violation, Wanted, matrix, put};
pub use open::{Foreseen, Open, add, end, foresee, offers};
pub use past::{Accountability, Moment, accountability};

/// How a new A comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// An offer: they own it once they accept.
    Offer,
    /// A statement of who holds it already, by a security lead, once.
    Record,
}

/// Longest reason, in characters.
pub const REASON_MAX: usize = 1000;

/// What a bulk assignment did.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Agents whose duty was offered or recorded.
    pub done: Vec<AgentId>,
    /// Agents left as they were, and why.
    pub skipped: Vec<(AgentId, String)>,
}

/// Offers or records one duty of one agent.
pub async fn assign(
    db: &Db,
    by: By<'_>,
    agent: AgentId,
    duty: Duty,
    party: Party,
    mode: Mode,
    reason: &str,
) -> Result<(), Error> {
    let outcome = assign_many(db, by, &[agent], duty, party, mode, reason).await?;
    match outcome.skipped.into_iter().next() {
        None => Ok(()),
        Some((_, why)) => Err(Error::Conflict(why)),
    }
}

/// Offers or records one duty of many agents in one transaction, one event an agent.
/// Agents for which it cannot be done are skipped, each with the reason.
pub async fn assign_many(
    db: &Db,
    by: By<'_>,
    agents: &[AgentId],
    duty: Duty,
    party: Party,
    mode: Mode,
    reason: &str,
) -> Result<Outcome, Error> {
    let mut change = Change::begin(db, by).await?;
    let outcome = assign_within(&mut change, agents, duty, party, mode, reason).await?;
    reassess(&mut change, &outcome.done, false).await?;
    change.commit().await.map_err(raced)?;
    Ok(outcome)
}

/// As [`assign_many`], within a change under way; the assessment is left to the caller.
pub(crate) async fn assign_within(
    change: &mut Change<'_>,
    agents: &[AgentId],
    duty: Duty,
    party: Party,
    mode: Mode,
    reason: &str,
) -> Result<Outcome, Error> {
    let by = change.by;
    let reason = match mode {
        Mode::Offer => text::prose(reason, "The reason", REASON_MAX),
        Mode::Record => text::prose(reason, "The reason", REASON_MAX).and_then(|r| {
            if r.is_empty() { Err(text::TextError::Empty("how you know that they hold it")) } else { Ok(r) }
        }),
    }
    .map_err(|e| Error::field("/reason", e.to_string()))?;
    let standing = party_standing(&mut change.tx, party).await?;
    let names = party_names(&mut change.tx, [party]).await?;
    let name = names.get(&party).cloned().unwrap_or_else(|| party.to_string());
    match standing {
        None => return Err(Error::field("/party", format!("There is no {party}."))),
        Some(Standing::Left) => {
            return Err(Error::field(
                "/party",
                format!("{name} has left and cannot be Accountable; choose somebody active."),
            ));
        }
        Some(Standing::Leaderless) => {
            return Err(Error::field(
                "/party",
                format!("{name} has no active lead, so nobody would be named; give the team a lead first."),
            ));
        }
        Some(Standing::Active) => {}
    }
    let loaded = stored::load(&mut change.tx, agents, by.now).await?;
    if loaded.len() < agents.len() {
        let missing = agents.iter().find(|id| !loaded.iter().any(|a| a.id == **id));
        return Err(Error::NotFound(missing.map_or_else(|| "agent".into(), |id| format!("agent {id}"))));
    }
    lapse::of_agents(change, agents).await?;
    let numbers: Vec<i64> = agents.iter().map(|a| a.0).collect();
    let current = current(change, "agent_id", &numbers, duty).await?;
    let mut outcome = Outcome::default();
    let mut rows = Vec::new();
    let mut next = change.next("assignment", i64::try_from(loaded.len()).unwrap_or(0)).await?;
    for agent in loaded {
        let capacity = match permitted(change, by, &agent, mode).await {
            Ok(c) => c,
            Err(e) if agents.len() > 1 => {
                outcome.skipped.push((agent.id, e.to_string()));
                continue;
            }
            Err(e) => return Err(e),
        };
        if agent.state == domain::agent::Lifecycle::Retired {
            outcome.skipped.push((agent.id, format!("{} is retired.", agent.id)));
            continue;
        }
        let mine: Vec<&Current> = current.iter().filter(|c| c.of == agent.id.0).collect();
        let held = mine.iter().find(|c| c.open && c.accepted);
        if held.is_some_and(|h| h.party == party) {
            outcome
                .skipped
                .push((agent.id, format!("{name} is {} of {} already.", duty.owner_title().to_lowercase(), agent.id)));
            continue;
        }
        if mode == Mode::Record && mine.iter().any(|c| c.accepted) {
            outcome.skipped.push((
                agent.id,
                format!(
                    "{} has had a {}: offer the duty instead, so that it is handed over.",
                    agent.id,
                    duty.owner_title().to_lowercase()
                ),
            ));
            continue;
        }
        let (action, ended) = match mode {
            Mode::Offer => ("assignment.offered", Ended::Replaced),
            Mode::Record => ("assignment.recorded", Ended::Replaced),
        };
        let event = change.event(&capacity, action, agent.id);
        let before = match mine.iter().find(|c| c.open) {
            None => Value::Null,
            // What is the same on both sides is left out of an event, and who it is must be told.
            Some(c) if c.party == party => json!({"accepted": c.accepted}),
            Some(c) => json!({"party": c.party, "accepted": c.accepted}),
        };
        change.describe(event, before, json!({"duty": duty, "role": "A", "party": party, "name": name}));
        change.because(event, &reason);
        for offer in mine.iter().filter(|c| c.open && !c.accepted) {
            close(change, event, offer.id, ended).await?;
        }
        let wanted = Wanted { duty, party, role: RaciRole::Accountable };
        rows.push(row(change, event, next, agent.id.into(), wanted, mode, &reason));
        next += 1;
        outcome.done.push(agent.id);
    }
    insert(change, rows).await?;
    Ok(outcome)
}

pub(crate) fn raced(e: DbError) -> Error {
    Error::unique(e, "Somebody else changed the same duty at the same moment; look at it again.")
}

/// The columns of an assignment, in the order in which rows are built.
pub(crate) const COLUMNS: &[&str] = &[
    "id",
    "event_id",
    "agent_id",
    "system_id",
    "duty",
    "role",
    "party_kind",
    "party_id",
    "offered_at",
    "offered_by",
    "accepted_at",
    "accepted_by",
    "recorded",
    "reason",
    "valid_from",
    "valid_to",
    "ended",
    "rule_id",
];

/// A row that begins now, as `event` tells it: an A is offered unless it is recorded, and
/// other letters are so at once.
pub(crate) fn row(
    change: &mut Change<'_>,
    event: EventRef,
    id: i64,
    of: Subject,
    wanted: Wanted,
    mode: Mode,
    reason: &str,
) -> Vec<Arg> {
    ruled(change, event, id, of, (wanted, mode, None), reason)
}

/// As [`row`]; what a standing rule offers is offered by the rule.
pub(crate) fn ruled(
    change: &mut Change<'_>,
    event: EventRef,
    id: i64,
    of: Subject,
    (wanted, mode, rule): (Wanted, Mode, Option<RuleId>),
    reason: &str,
) -> Vec<Arg> {
    let now = change.by.now;
    let recorded = mode == Mode::Record;
    let accepted = recorded || wanted.role != RaciRole::Accountable;
    if !accepted {
        change.tell(To::Answerers(wanted.party), Post { of, duty: wanted.duty, number: id }.offered());
        alarms::of_offer(change, wanted.party);
    }
    let actor = change.by.actor.who.to_string();
    change.wrote(event, &change::ASSIGNMENT, id);
    args![
        id,
        change.id(event),
        of.agent(),
        of.system(),
        wanted.duty.key(),
        wanted.role.key(),
        wanted.party.kind(),
        wanted.party.number(),
        now,
        rule.map_or_else(|| actor.clone(), |r| r.to_string()),
        accepted.then_some(now),
        if accepted { actor.as_str() } else { "" },
        recorded,
        reason,
        accepted.then_some(now),
        Option::<i64>::None,
        "",
        rule.map(|r| r.0),
    ]
}

pub(crate) async fn insert(change: &mut Change<'_>, rows: Vec<Vec<Arg>>) -> Result<(), Error> {
    change.tx.insert("assignment", COLUMNS, rows, "").await.map_err(raced)?;
    Ok(())
}

async fn permitted(change: &mut Change<'_>, by: By<'_>, agent: &Agent, mode: Mode) -> Result<String, Error> {
    let relation =
        if by.actor.person_id().is_some() { relation(&mut change.tx, by.actor, agent).await? } else { Relation::None };
    visible(by.actor, agent, relation)?;
    let action = match mode {
        Mode::Offer => Action::AssignmentOffer,
        Mode::Record => Action::AssignmentRecord,
    };
    can(by.actor, action, relation)?;
    Ok(capacity(by.actor, relation))
}

/// An A, or an offer of it, present or past.
struct Current {
    id: i64,
    of: i64,
    party: Party,
    accepted: bool,
    open: bool,
    offered_by: String,
}

/// Every A and offer of a duty, ended ones included, of these agents or systems: `column`
/// says of which.
async fn current(change: &mut Change<'_>, column: &str, numbers: &[i64], duty: Duty) -> Result<Vec<Current>, DbError> {
    let mut out = Vec::new();
    for batch in numbers.chunks(500) {
        let sql = format!(
            "SELECT id, {column}, party_kind, party_id, accepted_at IS NOT NULL, valid_to IS NULL, offered_by \
             FROM assignment WHERE role = 'A' AND duty = $1 AND {column} IN {} ORDER BY id",
            marks(2, batch.len())
        );
        let mut list = args![duty.key()];
        list.extend(batch.iter().map(|n| Arg::from(*n)));
        for r in change.tx.all(sql, list).await? {
            let Some(party) = Party::from_stored(&r.get::<String>(2)?, r.get(3)?) else { continue };
            out.push(Current {
                id: r.get(0)?,
                of: r.get(1)?,
                party,
                accepted: r.get(4)?,
                open: r.get(5)?,
                offered_by: r.get(6)?,
            });
        }
    }
    Ok(out)
}

/// Ends a row that is open; a row that somebody else ended meanwhile is a conflict.
pub(crate) async fn close(change: &mut Change<'_>, event: EventRef, id: i64, ended: Ended) -> Result<(), Error> {
    let args = args![id, change.by.now, ended.key(), change.id(event)];
    let n = change
        .tx
        .run("UPDATE assignment SET valid_to = $2, ended = $3, event_id = $4 WHERE id = $1 AND valid_to IS NULL", args)
        .await?;
    if n != 1 {
        return Err(Error::Conflict(
            "Somebody else changed the same duty at the same moment; look at it again.".into(),
        ));
    }
    change.wrote(event, &change::ASSIGNMENT, id);
    Ok(())
}

/// An offer that waits for somebody.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Of what a duty is offered.
    pub of: Subject,
    /// Its name.
    pub name: String,
    /// The duty.
    pub duty: Duty,
    /// To whom it was offered: the person, or a team they lead or deputise.
    pub party: Party,
    /// Since when.
    pub offered_at: chrono::DateTime<chrono::Utc>,
    /// By whom.
    pub offered_by: String,
    /// Why.
    pub reason: String,
}

/// The offers that a person may answer, oldest first, and how many there are.
pub async fn waiting(
    db: &Db,
    person: PersonId,
    now: chrono::DateTime<chrono::Utc>,
    limit: i64,
) -> Result<(Vec<Waiting>, i64), Error> {
    let from = "FROM assignment s WHERE s.party_kind = $1 AND s.party_id = $2 AND s.role = 'A' \
                AND s.valid_to IS NULL AND s.accepted_at IS NULL AND s.offered_at > $3";
    let (mut out, mut total) = (Vec::new(), 0);
    // Each party by itself: of an `OR` of several SQLite makes a walk of the whole index.
    for party in answerable(db, person).await? {
        let asked = args![party.kind(), party.number(), lapse::since(now)];
        let count = db.one(format!("SELECT COUNT(*) {from}"), asked.clone()).await?;
        let count: i64 = count.map(|r| r.get(0)).transpose()?.unwrap_or(0);
        if count == 0 {
            continue;
        }
        total += count;
        let mut list = asked;
        list.push(Arg::from(limit));
        let sql = format!(
            "SELECT s.agent_id, s.system_id, COALESCE((SELECT name FROM agent a WHERE a.id = s.agent_id), \
                    (SELECT name FROM system y WHERE y.id = s.system_id)), s.duty, s.offered_at, s.offered_by, \
                    s.reason {from} ORDER BY s.offered_at, s.id LIMIT $4"
        );
        for r in db.all(sql, list).await? {
            let Some(of) = subject(r.get(0)?, r.get(1)?) else { continue };
            out.push(Waiting {
                of,
                name: r.get(2)?,
                duty: r.get(3)?,
                party,
                offered_at: r.get(4)?,
                offered_by: r.get(5)?,
                reason: r.get(6)?,
            });
        }
    }
    out.sort_by_key(|w| (w.offered_at, w.of, w.duty));
    out.truncate(usize::try_from(limit).unwrap_or(0));
    Ok((out, total))
}

/// Whose a row is: the database lets exactly one of the two be set.
pub(crate) fn subject(agent: Option<AgentId>, system: Option<SystemId>) -> Option<Subject> {
    agent.map(Subject::Agent).or(system.map(Subject::System))
}

/// The parties in whose name a person answers offers: themself, and teams they lead or deputise.
pub(crate) async fn answerable(db: &Db, person: PersonId) -> Result<Vec<Party>, Error> {
    let mut out = vec![Party::Person(person)];
    for r in db
        .all("SELECT id FROM team WHERE lead_id = $1 UNION SELECT id FROM team WHERE deputy_id = $1", args![person])
        .await?
    {
        out.push(Party::Team(TeamId(r.get(0)?)));
    }
    Ok(out)
}

/// Accepts or declines offers. Every offer named must wait for this actor; one acceptance
/// may cover a batch. The old A stays accountable until this moment.
pub async fn answer<S: Into<Subject> + Copy>(
    db: &Db,
    by: By<'_>,
    offers: &[(S, Duty)],
    accept: bool,
    reason: &str,
) -> Result<usize, Error> {
    let reason = text::prose(reason, "The reason", REASON_MAX).map_err(|e| Error::field("/reason", e.to_string()))?;
    if !accept && reason.is_empty() {
        return Err(Error::field("/reason", "Say why you decline, so that a better owner can be found."));
    }
    can(by.actor, Action::AssignmentAnswer, Relation::Owner)?;
    let Some(me) = by.actor.person_id() else {
        return Err(Error::Denied(domain::can::Denied::Forbidden("Only a person answers an offer.".into())));
    };
    let mine = answerable(db, me).await?;
    let mut change = Change::begin(db, by).await?;
    let mut touched: Vec<Subject> = Vec::new();
    for (of, duty) in offers {
        let of: Subject = (*of).into();
        lapse::of(&mut change, of).await?;
        let all = current(&mut change, ground::column(of), &[of.number()], *duty).await?;
        let Some(offer) = all.iter().find(|c| c.open && !c.accepted) else {
            return Err(Error::Conflict(format!("{} of {of} is not on offer any more.", duty.owner_title())));
        };
        if !mine.contains(&offer.party) {
            Ground::find(&mut change.tx, by, of).await?;
            can(by.actor, Action::AssignmentAnswer, Relation::None)?;
        }
        let event = change.event("addressee", if accept { "assignment.accepted" } else { "assignment.declined" }, of);
        let former = all.iter().find(|c| c.open && c.accepted);
        let before = former.map_or(Value::Null, |f| json!({"party": f.party}));
        change.describe(event, before, json!({"duty": duty, "role": "A", "party": offer.party}));
        change.because(event, &reason);
        if accept {
            if let Some(f) = former {
                close(&mut change, event, f.id, Ended::Replaced).await?;
            }
            let args = args![offer.id, by.now, me.to_string(), change.id(event)];
            let n = change
                .tx
                .run(
                    "UPDATE assignment SET accepted_at = $2, valid_from = $2, accepted_by = $3, event_id = $4 \
                     WHERE id = $1 AND accepted_at IS NULL AND valid_to IS NULL",
                    args,
                )
                .await
                .map_err(raced)?;
            if n != 1 {
                return Err(Error::Conflict("Somebody else answered at the same moment; look at it again.".into()));
            }
            change.wrote(event, &change::ASSIGNMENT, offer.id);
        } else {
            close(&mut change, event, offer.id, Ended::Declined).await?;
        }
        let name = party_names(&mut change.tx, [offer.party]).await?.remove(&offer.party);
        let name = name.unwrap_or_else(|| offer.party.to_string());
        let post = Post { of, duty: *duty, number: offer.id };
        if let Ok(maker) = offer.offered_by.parse::<PersonId>() {
            let answer = if accept { post.accepted(&name) } else { post.declined(&name, &reason) };
            change.tell(To::Person(maker), answer);
        }
        if let Some(f) = former.filter(|_| accept) {
            change.tell(To::Answerers(f.party), post.passed_on(&name));
        }
        touched.push(of);
    }
    ground::settle(&mut change, &touched).await?;
    change.commit().await.map_err(raced)?;
    Ok(offers.len())
}

/// Takes an open offer back.
pub async fn withdraw(db: &Db, by: By<'_>, of: impl Into<Subject>, duty: Duty, reason: &str) -> Result<(), Error> {
    let of = of.into();
    let reason = text::prose(reason, "The reason", REASON_MAX).map_err(|e| Error::field("/reason", e.to_string()))?;
    let mut change = Change::begin(db, by).await?;
    let ground = Ground::find(&mut change.tx, by, of).await?;
    lapse::of(&mut change, of).await?;
    let all = current(&mut change, ground::column(of), &[of.number()], duty).await?;
    let Some(offer) = all.iter().find(|c| c.open && !c.accepted) else {
        return Err(Error::Conflict(format!("{} of {of} is not on offer.", duty.owner_title())));
    };
    let made = by.actor.who.to_string() == offer.offered_by;
    can(by.actor, Action::AssignmentWithdraw, if made { Relation::Requester } else { Relation::None })?;
    let event = change.event(ground.capacity(by.actor), "assignment.withdrawn", of);
    change.describe(event, json!({"duty": duty, "role": "A", "party": offer.party}), json!({}));
    change.because(event, &reason);
    close(&mut change, event, offer.id, Ended::Withdrawn).await?;
    change.tell(To::Answerers(offer.party), Post { of, duty, number: offer.id }.withdrawn());
    ground::settle(&mut change, &[of]).await?;
    change.commit().await?;
    Ok(())
}
