//! Alarms: set by the use case that knows the instant, in its own transaction; at the instant the
//! facts are read again, and who is told what still holds follows from them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use domain::alarm::{AlarmKind, LAPSING, UNANSWERED, of_lapse, of_steps};
use domain::assignment::OFFER_LAPSES_AFTER;
use domain::can::Actor;
use domain::id::{PersonId, RequestId};
use domain::party::Party;
use domain::system::Subject;
use domain::tiding::{OpenStep, Unanswered, unanswered};

use super::{Done, begin};
use crate::agents::assess::party_names;
use crate::agents::moves;
use crate::args;
use crate::assignments::{lapse, subject};
use crate::change::Change;
use crate::db::{Arg, Db, DbError, marks, micros};
use crate::error::Error;
use crate::policies;
use crate::tidings::To;

/// What is due of alarms, soonest first: some of it. `$2` is how many.
pub const DUE: &str = "SELECT id, at, kind, subject, about FROM alarm WHERE at <= $1 ORDER BY at, id LIMIT $2";
/// How many alarms go off in one transaction.
const BATCH: i64 = 200;
/// How long an alarm is put off that cannot be acted on.
const PUT_OFF: TimeDelta = TimeDelta::minutes(15);

/// An alarm to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewAlarm {
    pub(crate) at: DateTime<Utc>,
    pub(crate) kind: AlarmKind,
    pub(crate) subject: String,
    pub(crate) about: i64,
}

/// An alarm that goes off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alarm {
    pub(crate) id: i64,
    pub(crate) kind: AlarmKind,
    pub(crate) subject: String,
    pub(crate) about: i64,
}

/// Writes the alarms of a change, each once for its key.
pub(crate) async fn write(change: &mut Change<'_>, alarms: BTreeMap<String, NewAlarm>) -> Result<(), DbError> {
    if alarms.is_empty() {
        return Ok(());
    }
    let first = change.next("alarm", i64::try_from(alarms.len()).unwrap_or(0)).await?;
    let mut rows = Vec::with_capacity(alarms.len());
    for (id, (key, a)) in (first..).zip(alarms) {
        change.wakes(a.at);
        rows.push(args![id, a.at, a.kind.key(), a.subject, a.about, key]);
    }
    let columns = ["id", "at", "kind", "subject", "about", "key"];
    change.tx.insert("alarm", &columns, rows, "ON CONFLICT (key) DO NOTHING").await?;
    Ok(())
}

/// Sets the alarms of a request's steps that are due at `due`, as of now.
pub(crate) fn of_request(change: &mut Change<'_>, id: RequestId, due: DateTime<Utc>, escalates: TimeDelta) {
    for (at, kind) in of_steps(change.by.now, due, escalates) {
        change.alarm(at, kind, id, 0);
    }
}

/// Sets the alarm of a request that lapses.
pub(crate) fn of_request_lapse(change: &mut Change<'_>, id: RequestId, lapses: DateTime<Utc>) {
    if let Some((at, kind)) = of_lapse(change.by.now, lapses) {
        change.alarm(at, kind, id, 0);
    }
}

/// Sets the alarm of what is offered to a party now.
pub(crate) fn of_offer(change: &mut Change<'_>, party: Party) {
    let now = change.by.now;
    change.alarm(now + UNANSWERED, AlarmKind::OfferUnanswered, party, micros(now));
    change.alarm(now + OFFER_LAPSES_AFTER, AlarmKind::OfferLapses, party, micros(now));
}

/// Lets what is due go off: some of it at once, or, when that fails, the first alone, which is put
/// off when it fails again.
pub(crate) async fn go_off(db: &Db, now: DateTime<Utc>) -> Result<Done, Error> {
    match some(db, now, BATCH).await {
        Ok(done) => return Ok(done),
        Err(Error::Store(error)) => return Err(error.into()),
        Err(error) => tracing::warn!(%error, "some alarms could not be acted on; each is tried by itself"),
    }
    match some(db, now, 1).await {
        Ok(done) => Ok(done),
        Err(Error::Store(error)) => Err(error.into()),
        Err(error) => {
            let sql =
                "UPDATE alarm SET at = $2 WHERE id = (SELECT id FROM alarm WHERE at <= $1 ORDER BY at, id LIMIT 1)";
            db.run(sql, args![now, now + PUT_OFF]).await?;
            tracing::error!(%error, "an alarm could not be acted on; it is put off");
            Ok(Done::default())
        }
    }
}

async fn some(db: &Db, now: DateTime<Utc>, most: i64) -> Result<Done, Error> {
    let muster = Actor::muster();
    let mut change = begin(db, &muster, now).await?;
    let mut due: Vec<Alarm> = Vec::new();
    let mut taken: Vec<Arg> = Vec::new();
    for r in change.tx.all(DUE, args![now, most]).await? {
        taken.push(Arg::from(r.get::<i64>(0)?));
        // What a later Muster has set, this one does not know.
        if let Ok(kind) = r.get::<String>(2)?.parse() {
            due.push(Alarm { id: r.get(0)?, kind, subject: r.get(3)?, about: r.get(4)? });
        }
    }
    let mut done = Done { alarms: taken.len(), ..Done::default() };
    if taken.is_empty() {
        return Ok(done);
    }
    // Taken out in the transaction of what follows.
    change.tx.run(format!("DELETE FROM alarm WHERE id IN {}", marks(1, taken.len())), taken).await?;
    requests(&mut change, &due).await?;
    offers(&mut change, &due).await?;
    lapsed(&mut change, &due).await?;
    done.calls = super::exceptions::go_off(&mut change, &due).await?;
    change.commit().await?;
    Ok(done)
}

/// A step that is open and whose turn it is, with whom it waits for.
struct Waiting {
    step: OpenStep,
    decider: Option<PersonId>,
    requester: PersonId,
    lapses_at: DateTime<Utc>,
}

/// The steps that wait for a decision now, of requests that have not lapsed.
async fn waiting(change: &mut Change<'_>, ids: &[RequestId]) -> Result<HashMap<RequestId, Vec<Waiting>>, DbError> {
    let now = change.by.now;
    let mut out: HashMap<RequestId, Vec<Waiting>> = HashMap::new();
    for batch in ids.chunks(500) {
        let sql = format!(
            "SELECT r.id, r.kind, s.place, s.duty, s.agent_id, s.due_at, s.waits_for, s.waits_until, r.requester_id, \
             r.lapses_at FROM request r JOIN request_step s ON s.request_id = r.id \
             WHERE r.outcome = '' AND r.lapses_at > $1 AND s.verdict = '' AND s.ready AND r.id IN {} \
             ORDER BY r.id, s.place",
            marks(2, batch.len())
        );
        let mut list = args![now];
        list.extend(batch.iter().map(|id| Arg::from(*id)));
        for r in change.tx.all(sql, list).await? {
            let step = OpenStep {
                request: r.get(0)?,
                kind: r.get(1)?,
                place: r.get(2)?,
                duty: r.get(3)?,
                agent: r.get(4)?,
                due_at: r.get(5)?,
            };
            // Whoever was appointed decides until then; nothing waits for it to be written.
            let until: DateTime<Utc> = r.get(7)?;
            let decider = r.get::<Option<PersonId>>(6)?.filter(|_| until > now);
            out.entry(step.request).or_default().push(Waiting {
                step,
                decider,
                requester: r.get(8)?,
                lapses_at: r.get(9)?,
            });
        }
    }
    Ok(out)
}

async fn requests(change: &mut Change<'_>, due: &[Alarm]) -> Result<(), Error> {
    let mine: Vec<(RequestId, AlarmKind)> =
        due.iter().filter_map(|a| Some((a.subject.parse().ok()?, a.kind))).collect();
    let ids: BTreeSet<RequestId> = mine.iter().map(|(id, _)| *id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let now = change.by.now;
    let waiting = waiting(change, &ids.into_iter().collect::<Vec<_>>()).await?;
    let escalates = TimeDelta::days(i64::from(policies::present(&mut change.tx).await?.policy.escalate_days));
    let deciders = waiting.values().flatten().filter_map(|w| w.decider).map(Party::Person);
    let names = party_names(&mut change.tx, deciders.collect::<Vec<_>>()).await?;
    for (id, kind) in mine {
        for w in waiting.get(&id).into_iter().flatten() {
            let to = w.decider.map_or(To::Security, To::Person);
            let overdue = w.step.due_at <= now;
            match kind {
                AlarmKind::DecisionSoon if !overdue && w.step.due_at - now <= domain::alarm::SOON => match w.decider {
                    Some(_) => change.tell(to, w.step.soon()),
                    None => change.tell(to, w.step.vacant()),
                },
                AlarmKind::DecisionDue if overdue => {
                    match w.decider {
                        Some(_) => change.tell(to, w.step.due()),
                        None => change.tell(to, w.step.escalated(None, false)),
                    }
                    // Set from the beginning, except of what was open before there were alarms.
                    if w.step.due_at + escalates > now {
                        change.alarm(w.step.due_at + escalates, AlarmKind::DecisionEscalates, id, 0);
                    }
                }
                AlarmKind::DecisionEscalates if w.step.due_at + escalates <= now => {
                    let name = w.decider.and_then(|d| names.get(&Party::Person(d))).map(String::as_str);
                    if let Some(decider) = w.decider {
                        change.tell(To::Manager(decider), w.step.escalated(name, true));
                    }
                    change.tell(To::Security, w.step.escalated(name, false));
                }
                // The policy gives more days than when it was set.
                AlarmKind::DecisionEscalates if overdue => {
                    change.alarm(w.step.due_at + escalates, kind, id, 0);
                }
                AlarmKind::RequestLapses if w.lapses_at - now <= LAPSING => {
                    change.tell(to, w.step.lapses(w.lapses_at, false));
                    change.tell(To::Person(w.requester), w.step.lapses(w.lapses_at, true));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

async fn offers(change: &mut Change<'_>, due: &[Alarm]) -> Result<(), Error> {
    let now = change.by.now;
    for alarm in due.iter().filter(|a| a.kind == AlarmKind::OfferUnanswered) {
        let Ok(party) = alarm.subject.parse::<Party>() else { continue };
        let rows = change
            .tx
            .all(
                "SELECT offered_by, COUNT(*) FROM assignment WHERE party_kind = $1 AND party_id = $2 AND role = 'A' \
                 AND valid_to IS NULL AND accepted_at IS NULL AND offered_at = $3 AND offered_at > $4 \
                 GROUP BY offered_by ORDER BY offered_by",
                args![party.kind(), party.number(), alarm.about, lapse::since(now)],
            )
            .await?;
        let mut made: Vec<(String, i64)> = Vec::new();
        for r in rows {
            made.push((r.get(0)?, r.get(1)?));
        }
        let all: i64 = made.iter().map(|(_, n)| n).sum();
        let Some(at) = DateTime::from_timestamp_micros(alarm.about).filter(|_| all > 0) else { continue };
        let name = party_names(&mut change.tx, [party]).await?.remove(&party).unwrap_or_else(|| party.to_string());
        let tiding = |count, whose| unanswered(&party.to_string(), &name, count, at, whose);
        change.tell(To::Answerers(party), tiding(all, Unanswered::Addressee));
        for (by, count) in &made {
            if let Ok(maker) = by.parse::<PersonId>() {
                change.tell(To::Person(maker), tiding(*count, Unanswered::Maker));
            }
        }
        change.tell(To::Security, tiding(all, Unanswered::Security));
    }
    Ok(())
}

/// Closes what has lapsed of these offers, which tells who made them. What it means for their agents
/// was known before and holds already.
async fn lapsed(change: &mut Change<'_>, due: &[Alarm]) -> Result<(), Error> {
    let (mut agents, mut systems) = (BTreeSet::new(), BTreeSet::new());
    for alarm in due.iter().filter(|a| a.kind == AlarmKind::OfferLapses) {
        let Ok(party) = alarm.subject.parse::<Party>() else { continue };
        let sql = "SELECT agent_id, system_id FROM assignment WHERE party_kind = $1 AND party_id = $2 AND role = 'A' \
                   AND valid_to IS NULL AND accepted_at IS NULL AND offered_at = $3";
        for r in change.tx.all(sql, args![party.kind(), party.number(), alarm.about]).await? {
            match subject(r.get(0)?, r.get(1)?) {
                Some(Subject::Agent(id)) => agents.insert(id),
                Some(Subject::System(id)) => systems.insert(id),
                None => false,
            };
        }
    }
    for agent in &agents {
        moves::hold(change, *agent).await?;
    }
    lapse::of_agents(change, &agents.into_iter().collect::<Vec<_>>()).await?;
    for system in systems {
        lapse::of(change, Subject::System(system)).await?;
    }
    Ok(())
}
