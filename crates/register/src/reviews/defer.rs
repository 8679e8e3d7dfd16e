//! Putting a review off: once, with a reason, for half of the tier's cadence at most.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Denied, Relation, can};
use domain::id::RequestId;
use domain::request::{self, Asked, Refused, RequestKind, Verdict, may_decide};
use domain::review::may_defer;
use serde_json::json;

use crate::agents::assess::reassess;
use crate::agents::moves;
use crate::args;
use crate::change::{self, By, Change};
use crate::clock::alarms;
use crate::db::{Db, DbError, Reads};
use crate::error::Error;
use crate::policies;
use crate::requests::ends::hidden;
use crate::requests::open::me;
use crate::requests::seats::seats;
use crate::requests::{agent, stored, words};

/// When a review was put off, until when, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferral {
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// Whether a review was put off.
pub async fn deferral(reads: &mut impl Reads, id: RequestId) -> Result<Option<Deferral>, DbError> {
    let sql = "SELECT deferred_at, deferral FROM request_step WHERE request_id = $1 AND deferred_at IS NOT NULL";
    let rows = reads.rows(sql, args![id]).await?;
    let Some(r) = rows.first() else { return Ok(None) };
    Ok(Some(Deferral { at: r.get(0)?, reason: r.get::<Option<String>>(1)?.unwrap_or_default() }))
}

/// Puts a review off until a moment, as whoever would decide it. It stays open.
pub async fn defer(db: &Db, by: By<'_>, id: RequestId, until: DateTime<Utc>, why: &str) -> Result<(), Error> {
    let mut change = Change::begin(db, by).await?;
    let about = stored::load(&mut change.tx, id).await?.agent;
    moves::hold(&mut change, about).await?;
    let kept = stored::load(&mut change.tx, id).await?;
    let record = crate::agents::stored::load(&mut change.tx, &[about], by.now)
        .await?
        .pop()
        .ok_or_else(|| Error::NotFound(format!("request {id}")))?;
    let Some(step) = kept.steps.first().cloned() else {
        return Err(Error::NotFound(format!("a step of {id}")));
    };
    let who = match me(by) {
        Ok(who) => who,
        Err(e) => {
            agent(&mut change.tx, by, about).await.map_err(|e| hidden(e, id))?;
            return Err(e);
        }
    };
    let key = (about, step.step.duty);
    let seat = seats(&mut change.tx, &[key], by.now).await?.remove(&key).unwrap_or_default();
    let justified = crate::models::justified(&mut change.tx, &[about]).await?;
    let rules = kept.rules(justified.get(&about).is_some_and(|u| *u > by.now));
    let present = kept.present_sha256(&record);
    let review = kept.kind == RequestKind::Review;
    let asked = Asked {
        place: step.step.place,
        by: who,
        verdict: kept.kind.verdicts().first().copied().unwrap_or(Verdict::Attest),
        subject_sha256: &kept.subject_sha256,
        present_sha256: &present,
    };
    let found = match may_decide(&rules, &seat, &asked, by.now) {
        Ok(found) => found,
        Err(refused) => {
            if refused.is_forbidden() {
                agent(&mut change.tx, by, about).await.map_err(|e| hidden(e, id))?;
            }
            return Err(match refused {
                Refused::NotYours(_) => Error::Denied(Denied::Forbidden("Only the reviewer puts a review off.".into())),
                other => match other.denied() {
                    Some(denied) => Error::Denied(denied),
                    None => Error::Conflict(other.to_string()),
                },
            });
        }
    };
    can(by.actor, Action::RequestDecide, Relation::Owner)?;
    if !review {
        return Err(Error::Conflict(format!(
            "{id} is no review ({}): only a review can be put off.",
            kept.kind.label().to_lowercase()
        )));
    }
    let why = words(why, "/reason", Some("Say why it is put off."))?;
    let policy = policies::present(&mut change.tx).await?.policy;
    let cadence = policy.review_days.of(record.tier);
    let before = deferral(&mut change.tx, id).await?;
    may_defer(before.is_some(), step.step.due_at, until, cadence, by.now).map_err(|e| match e {
        domain::review::NotDeferred::Twice => Error::Conflict(e.to_string()),
        e => Error::field("/until", e.to_string()),
    })?;
    let title = step.step.duty.owner_title().to_lowercase();
    let capacity = match found.via {
        request::Via::Owner => title,
        via => format!("{} for the {title}", via.label().to_lowercase()),
    };
    let event = change.event(capacity, "review.deferred", about);
    let args = args![step.id, change.id(event), until, by.now, &why];
    let sql = "UPDATE request_step SET event_id = $2, due_at = $3, deferred_at = $4, deferral = $5 \
               WHERE id = $1 AND decided_at IS NULL AND deferred_at IS NULL";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Conflict("Somebody else answered it at the same moment; look at it again.".into()));
    }
    change.wrote(event, &change::REQUEST_STEP, step.id);
    alarms::of_request(&mut change, id, until, TimeDelta::days(i64::from(policy.escalate_days)));
    let at = domain::record::timestamp;
    change.describe(
        event,
        json!({"request": id, "due_at": at(step.step.due_at)}),
        json!({"request": id, "due_at": at(until)}),
    );
    change.because(event, why);
    reassess(&mut change, &[about], false).await?;
    change.commit().await?;
    Ok(())
}
