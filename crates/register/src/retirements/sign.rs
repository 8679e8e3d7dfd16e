//! A vacant signer: security signs in its place, with a reason that stays on the tombstone.

use domain::can::{Action, Denied, Relation, can};
use domain::id::RequestId;
use domain::request::{Decider, RequestState, Verdict, Via, barred, decider};
use serde_json::json;

use super::rows::{held, waiver};
use crate::agents::assess::reassess;
use crate::change::{By, Change};
use crate::db::Db;
use crate::error::Error;
use crate::requests::{decide, ends, seats, stored, words};

/// Waives the signature of a capacity that is vacant. Answers how the retirement stands then.
pub async fn waive_signature(db: &Db, by: By<'_>, id: RequestId, place: i64, why: &str) -> Result<RequestState, Error> {
    let mut change = Change::begin(db, by).await?;
    let (kept, record, _) = held(&mut change, by, id).await?;
    can(by.actor, Action::RetirementWaive, Relation::None)?;
    let me = waiver(by, &kept)?;
    let until = crate::models::justified(&mut change.tx, &[record.id]).await?;
    let rules = kept.rules(until.get(&record.id).is_some_and(|u| *u > by.now));
    let step = rules.step(place).cloned().ok_or_else(|| Error::NotFound(format!("step {place} of {id}")))?;
    let state = kept.state(by.now);
    if state.ended() {
        return Err(Error::Conflict(format!("{id} is not open any more: {}.", state.label().to_lowercase())));
    }
    let why = words(why, "/reason", Some("Say why nobody can sign: it stays on the tombstone."))?;
    if step.decided.is_some() {
        return Err(Error::Conflict("This is signed already.".into()));
    }
    if kept.present_sha256(&record) != kept.subject_sha256 {
        return Err(Error::Conflict(domain::request::Refused::Changed.to_string()));
    }
    if !rules.ready(&step) {
        return Err(Error::Conflict(domain::request::Refused::RowsOpen(kept.rows_open.clone()).to_string()));
    }
    let key = (record.id, step.duty);
    let seat = seats::seats(&mut change.tx, &[key], by.now).await?.remove(&key).unwrap_or_default();
    let title = step.duty.owner_title().to_lowercase();
    if decider(&rules, step.duty, &seat).is_some() {
        return Err(Error::Conflict(format!("The {title} is there and signs: only a vacant signature is waived.")));
    }
    if let Some(refused) = barred(&rules, step.duty, me) {
        return Err(Error::Denied(Denied::Forbidden(refused.to_string())));
    }
    let event = change.event("security-lead", "retirement.signature-waived", record.id);
    let found = Decider { person: me, via: Via::Waiver, on_behalf_of: None };
    decide::write(&mut change, event, &kept, place, &rules, Verdict::Approve, &why, found).await?;
    let mut after = json!({"request": id, "step": place, "duty": step.duty, "verdict": Verdict::Approve});
    let decided = stored::load(&mut change.tx, id).await?;
    let end = decided.rules(rules.small_organisation).end();
    if let Some(outcome) = end {
        ends::follow(&mut change, event, &decided, &record, outcome, &mut after).await?;
    }
    change.describe(event, serde_json::Value::Null, after);
    change.because(event, why);
    reassess(&mut change, &[record.id], false).await?;
    change.commit().await?;
    Ok(end.unwrap_or(RequestState::Open))
}
