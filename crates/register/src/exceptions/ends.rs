//! What the request engine asks of an exception: whether it may be approved, whether what it
//! covers is still the same, and what its end brings.

use domain::exception::{Selection, may_approve};
use domain::id::{PersonId, RequestId};
use domain::record::timestamp;
use domain::request::RequestState;
use domain::tier;
use serde_json::{Value, json};

use super::ask::labelled;
use super::stored;
use crate::args;
use crate::change::{self, Change, EventRef};
use crate::clock;
use crate::error::Error;
use crate::policies;

async fn of(change: &mut Change<'_>, request: RequestId) -> Result<stored::Kept, Error> {
    let found = stored::of_request(&mut change.tx, request).await?;
    found.ok_or_else(|| Error::NotFound(format!("exception that {request} decides")))
}

/// What an approval demands, whoever gives it: something is done instead, by people who are there,
/// and the riskiest tier of its agents still allows it.
pub(crate) async fn demands(change: &mut Change<'_>, request: RequestId) -> Result<(), Error> {
    let kept = of(change, request).await?;
    let e = &kept.exception;
    let policy = policies::present(&mut change.tx).await?.policy;
    let agents = crate::agents::stored::load(&mut change.tx, &e.agents, change.by.now).await?;
    let tier = agents.iter().map(|a| tier::score(&a.facts).tier).max().unwrap_or(e.tier);
    let owners: Vec<PersonId> = e.controls.iter().map(|c| c.owner).collect();
    let people = crate::people::load_many(&mut change.tx, &owners).await?;
    let gone: Vec<PersonId> = owners.into_iter().filter(|o| !people.iter().any(|p| p.id == *o && p.active())).collect();
    if let domain::exception::Control::Finding(key) = e.control
        && let Some(why) = policy.no_exception(key)
    {
        return Err(Error::Conflict(why));
    }
    may_approve(e, tier, &policy, &gone, change.by.now).map_err(|r| Error::Conflict(r.to_string()))
}

/// Whether the agents that its label query finds now are not those it was asked for.
pub(crate) async fn moved(change: &mut Change<'_>, request: RequestId) -> Result<bool, Error> {
    let kept = of(change, request).await?;
    let Selection::Label { key, value } = &kept.exception.selection else { return Ok(false) };
    let now = labelled(&mut change.tx, key, value, change.by.now).await?;
    Ok(now != kept.exception.agents)
}

/// Approves the exception that a request decides, under the event of the last decision.
pub(crate) async fn approve(
    change: &mut Change<'_>,
    event: EventRef,
    request: RequestId,
    after: &mut Value,
) -> Result<(), Error> {
    let kept = of(change, request).await?;
    let e = &kept.exception;
    let args = args![e.id, change.id(event), kept.version, change.by.now];
    let sql = "UPDATE exception SET event_id = $2, version = version + 1, updated_at = $4, approved_at = $4 \
               WHERE id = $1 AND version = $3 AND approved_at IS NULL AND rejected_at IS NULL";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Conflict("Somebody else changed it at the same moment; look at it again.".into()));
    }
    change.wrote(event, &change::EXCEPTION, e.id.0);
    let approved = domain::exception::Exception { approved_at: Some(change.by.now), ..e.clone() };
    super::figures::approved(change, &approved).await?;
    clock::exceptions::set(change, e);
    decided(change, &kept, RequestState::Approved, "");
    after["exception"] = json!(e.id);
    Ok(())
}

/// Notes that the request of an exception ended without an approval; other requests are left alone.
pub(crate) async fn refused(
    change: &mut Change<'_>,
    event: EventRef,
    request: RequestId,
    outcome: RequestState,
) -> Result<(), Error> {
    let Some(kept) = stored::of_request(&mut change.tx, request).await? else { return Ok(()) };
    if kept.exception.rejected.is_some() || kept.exception.approved_at.is_some() {
        return Ok(());
    }
    let args = args![kept.id(), change.id(event), change.by.now, outcome.key()];
    let sql = "UPDATE exception SET event_id = $2, version = version + 1, updated_at = $3, rejected_at = $3, \
               rejection = $4 WHERE id = $1 AND approved_at IS NULL AND rejected_at IS NULL";
    change.tx.run(sql, args).await?;
    change.wrote(event, &change::EXCEPTION, kept.id().0);
    decided(change, &kept, outcome, outcome.label());
    Ok(())
}

/// The exception's own line in the record.
fn decided(change: &mut Change<'_>, kept: &stored::Kept, outcome: RequestState, why: &str) {
    let e = &kept.exception;
    let event = change.event("muster", "exception.decided", e.id);
    let mut after = json!({"request": kept.request, "outcome": outcome, "agents": e.agents,
        "subject_sha256": kept.subject_sha256});
    if outcome == RequestState::Approved {
        after["from"] = json!(timestamp(e.starts_at.max(change.by.now)));
        after["until"] = json!(timestamp(e.expires_at));
    }
    change.describe(event, Value::Null, after);
    change.because(event, why);
}
