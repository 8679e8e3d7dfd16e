//! What the clock does about exceptions: says in time that one ends, that it has ended and that
//! nothing was mended, that a compensating control is to be checked; and stops what was to stop.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::alarm::{AlarmKind, BEFORE_END, SOON, of_exception, soon};
use domain::assignment::accountable;
use domain::can::Relation;
use domain::exception::{Control, Exception, ExceptionState};
use domain::id::{AgentId, ExceptionId, PersonId};
use domain::party::{Party, Standing};
use domain::tiding;

use super::alarms::Alarm;
use crate::agents::assess::{ownership, party_names, reassess, runs};
use crate::agents::{moves, stored as agents_stored};
use crate::args;
use crate::change::Change;
use crate::db::{Arg, DbError, marks};
use crate::error::Error;
use crate::exceptions::stored;
use crate::stops::calls::Begun;
use crate::stops::press;
use crate::tidings::To;

/// Sets the alarms of an exception that is approved now.
pub(crate) fn set(change: &mut Change<'_>, e: &Exception) {
    let now = change.by.now;
    for ((at, kind), days) in of_exception(now, e.expires_at) {
        change.alarm(at, kind, e.id, days);
    }
    for control in e.controls.iter().filter(|c| c.checked.is_none()) {
        if let Some(at) = soon(now, control.check_at) {
            change.alarm(at, AlarmKind::ControlCheck, e.id, control.place);
            change.alarm(control.check_at, AlarmKind::ControlCheck, e.id, control.place);
        }
    }
    if e.suspends {
        change.alarm(e.expires_at, AlarmKind::ExceptionSuspends, e.id, 0);
    }
}

/// Lets the alarms of exceptions go off. Answers the webhooks to be called for what was stopped.
pub(super) async fn go_off(change: &mut Change<'_>, due: &[Alarm]) -> Result<Vec<Begun>, Error> {
    let now = change.by.now;
    let mut calls = Vec::new();
    let mut queue = 0;
    for alarm in due {
        let Ok(id) = alarm.subject.parse::<ExceptionId>() else { continue };
        let e = stored::load(&mut change.tx, id).await?.exception;
        let state = e.state(now);
        match alarm.kind {
            AlarmKind::ExceptionEnding if matches!(state, ExceptionState::Active | ExceptionState::Scheduled) => {
                let left = e.days_left(now);
                // After an outage the last of several is told, and none twice.
                if BEFORE_END.into_iter().filter(|days| left <= *days).min() == Some(alarm.about) {
                    owners_told(change, &e, &tiding::exception_ending(&e, left, alarm.about)).await?;
                }
            }
            AlarmKind::ExceptionEnded if state == ExceptionState::Expired => {
                owners_told(change, &e, &tiding::exception_ended(&e, false)).await?;
                change.tell(To::Person(e.requester), tiding::exception_ended(&e, true));
            }
            AlarmKind::ExceptionUnmended
                if state == ExceptionState::Expired
                    && !renewed(change, &e).await?
                    && !still_wrong(change, &e).await?.is_empty() =>
            {
                escalated(change, &e).await?;
            }
            AlarmKind::ControlCheck if matches!(state, ExceptionState::Active | ExceptionState::Scheduled) => {
                for c in e.controls.iter().filter(|c| c.checked.is_none() && c.check_at - now <= SOON) {
                    change.tell(To::Person(c.owner), tiding::control_check(&e, c, now));
                }
            }
            AlarmKind::ExceptionSuspends
                if state == ExceptionState::Expired && e.suspends && !renewed(change, &e).await? =>
            {
                calls.extend(stop(change, &e, &mut queue).await?);
            }
            _ => {}
        }
    }
    Ok(calls)
}

/// The owners of the control that is excepted, of each agent.
async fn owners(change: &mut Change<'_>, e: &Exception) -> Result<BTreeSet<Party>, Error> {
    let held = ownership(&mut change.tx, &e.agents).await?.held;
    let owner = |a: &AgentId| accountable(held.get(a)?, e.duty).filter(|h| h.standing == Standing::Active);
    Ok(e.agents.iter().filter_map(owner).map(|h| h.party).collect())
}

async fn owners_told(change: &mut Change<'_>, e: &Exception, tiding: &tiding::Tiding) -> Result<(), Error> {
    let owners = owners(change, e).await?;
    if owners.is_empty() {
        change.tell(To::Security, tiding.clone());
    }
    for party in owners {
        change.tell(To::Owner(party), tiding.clone());
    }
    Ok(())
}

async fn escalated(change: &mut Change<'_>, e: &Exception) -> Result<(), Error> {
    let owners = owners(change, e).await?;
    let names = party_names(&mut change.tx, owners.iter().copied()).await?;
    for party in &owners {
        let person = match party {
            Party::Person(p) => Some(*p),
            Party::Team(t) => {
                let row = change.tx.one("SELECT lead_id FROM team WHERE id = $1", args![*t]).await?;
                row.map(|r| r.get::<Option<PersonId>>(0)).transpose()?.flatten()
            }
        };
        if let Some(person) = person {
            let name = names.get(party).map(String::as_str);
            change.tell(To::Manager(person), tiding::exception_unmended(e, name));
        }
    }
    change.tell(To::Security, tiding::exception_unmended(e, None));
    Ok(())
}

/// Whether an exception that renews it is in force.
async fn renewed(change: &mut Change<'_>, e: &Exception) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM exception WHERE renews = $1 AND approved_at IS NOT NULL AND ended_at IS NULL \
               AND starts_at <= $2 AND expires_at > $2 LIMIT 1";
    Ok(change.tx.one(sql, args![e.id, change.by.now]).await?.is_some())
}

/// The agents for which what was excepted still holds. Of a control of the organisation's own
/// nobody knows that it was mended.
async fn still_wrong(change: &mut Change<'_>, e: &Exception) -> Result<Vec<AgentId>, DbError> {
    let Control::Finding(key) = &e.control else { return Ok(e.agents.clone()) };
    let now: DateTime<Utc> = change.by.now;
    let mut out = Vec::new();
    for batch in e.agents.chunks(500) {
        let sql = format!(
            "SELECT DISTINCT agent_id FROM finding WHERE key = $1 AND from_at <= $2 AND until_at > $2 \
             AND excepted IS NULL AND agent_id IN {} ORDER BY agent_id",
            marks(3, batch.len())
        );
        let mut list = args![key.key(), now];
        list.extend(batch.iter().map(|a| Arg::from(*a)));
        for r in change.tx.all(sql, list).await? {
            out.push(r.get(0)?);
        }
    }
    Ok(out)
}

/// Stops the agents for which what was excepted still holds, as was decided with the exception.
async fn stop(change: &mut Change<'_>, e: &Exception, queue: &mut usize) -> Result<Vec<Begun>, Error> {
    let mut wrong = still_wrong(change, e).await?;
    wrong.sort_unstable();
    for id in &wrong {
        moves::hold(change, *id).await?;
    }
    let why = format!("{} ended and what it covered was not mended: it was decided that it stops then.", e.id);
    let (mut calls, mut stopped) = (Vec::new(), Vec::new());
    for record in agents_stored::load(&mut change.tx, &wrong, change.by.now).await? {
        let goes = record.state == Lifecycle::Active || (runs(&record) && record.state != Lifecycle::Suspended);
        if goes {
            let why = press::Why { reason: &why, uses: None };
            calls.extend(press::stop(change, &record, Relation::None, &why, queue).await?.calls);
            stopped.push(record.id);
        }
    }
    reassess(change, &stopped, false).await?;
    Ok(calls)
}
