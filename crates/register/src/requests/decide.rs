//! Deciding steps.

use chrono::{DateTime, Utc};
use domain::assignment::RuntimeOwner;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId};
use domain::request::{
    self, Asked, CONDITION_WITHIN, CONDITIONS_MAX, Decided, Refused, RequestKind, Verdict, may_decide,
};
use serde_json::json;

use super::ends::{consents, follow, hidden};
use super::seats::seats;
use super::{agent, stored, words};
use crate::agents::assess::{party_names, reassess};
use crate::agents::{Agent, moves};
use crate::args;
use crate::change::{self, By, Change, EventRef};
use crate::db::{Arg, Db, FOREVER};
use crate::error::{Checked, Error};

/// A condition as a decider sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCondition {
    /// What must be done.
    pub words: String,
    /// By whom.
    pub owner: PersonId,
    /// Until when.
    pub due_at: DateTime<Utc>,
}

/// How a step is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How.
    pub verdict: Verdict,
    /// Why; needed to reject.
    pub reason: String,
    /// On what it depends; needed for, and only for, an approval with conditions.
    pub conditions: Vec<NewCondition>,
    /// The hash of what the decider was shown.
    pub subject_sha256: String,
}

async fn checked(change: &mut Change<'_>, answer: &Answer) -> Result<(String, Vec<NewCondition>), Error> {
    let now = change.by.now;
    let ask = match answer.verdict {
        Verdict::Reject => Some("Say why you reject it, so that it can be mended."),
        Verdict::Change => Some("Say what must change."),
        Verdict::Retire => Some("Say why it is to be retired."),
        _ => None,
    };
    let reason = words(&answer.reason, "/reason", ask)?;
    let conditional = answer.verdict == Verdict::ApproveWithConditions;
    let mut wrong = Checked::default();
    if conditional && answer.conditions.is_empty() {
        wrong.refuse("/conditions", "Write at least one condition: what, who, until when. Or approve without.");
    }
    if !conditional && !answer.conditions.is_empty() {
        wrong.refuse("/conditions", "Only an approval with conditions has conditions.");
    }
    if answer.conditions.len() > CONDITIONS_MAX {
        wrong.refuse("/conditions", format!("At most {CONDITIONS_MAX} conditions."));
    }
    let mut out = Vec::new();
    for (at, c) in answer.conditions.iter().enumerate() {
        let said = words(&c.words, &format!("/conditions/{at}/text"), Some("Say what must be done."));
        if let Err(Error::Invalid(list)) = &said {
            for e in list {
                wrong.refuse(&e.pointer, e.message.clone());
            }
        }
        if c.due_at <= now || c.due_at - now > CONDITION_WITHIN {
            wrong.refuse(&format!("/conditions/{at}/due"), "The date of a condition lies within the next 366 days.");
        }
        let owner = crate::people::load(&mut change.tx, c.owner).await?;
        if owner.is_none_or(|p| !p.active()) {
            wrong.refuse(&format!("/conditions/{at}/owner"), format!("There is no active person {}.", c.owner));
        }
        if let Ok(words) = said {
            out.push(NewCondition { words, ..c.clone() });
        }
    }
    wrong.done()?;
    Ok((reason, out))
}

/// What the policy demands of a consent, whoever gives it.
async fn demands(change: &mut Change<'_>, agent: &Agent, kept: &stored::Kept, duty: Duty) -> Result<(), Error> {
    if kept.kind == RequestKind::Exception {
        return crate::exceptions::demands(change, kept.id).await;
    }
    if !matches!(kept.kind, RequestKind::Approval | RequestKind::ScopeChange) {
        return Ok(());
    }
    let Some((_, facts)) = kept.facts() else { return Ok(()) };
    let standing = request::standing_credentials(&facts);
    if !standing.is_empty() && !crate::exceptions::credentials_covered(&mut change.tx, agent.id, change.by.now).await? {
        return Err(Error::Conflict(format!(
            "It uses a long-lived secret or a shared account ({}), and no exception in force covers that.",
            standing.join(", ")
        )));
    }
    if duty == Duty::CustomerImpact && agent.runtime_owner != Some(RuntimeOwner::Verified) {
        return Err(Error::Conflict(
            "Customers or the public meet it: its runtime owner must have passed a stop drill in time before you approve."
                .into(),
        ));
    }
    Ok(())
}

/// Decides steps of a request, each in a capacity of the actor's, in one transaction: all of
/// them or none. Each is recorded apart; conditions stand with the first. Answers how the request
/// stands then.
pub async fn decide(
    db: &Db,
    by: By<'_>,
    id: RequestId,
    places: &[i64],
    answer: &Answer,
) -> Result<request::RequestState, Error> {
    let mut change = Change::begin(db, by).await?;
    let about = stored::load(&mut change.tx, id).await?.agent;
    moves::hold(&mut change, about).await?;
    let kept = stored::load(&mut change.tx, id).await?;
    // Of an exception, each of its agents; they never change.
    for other in kept.agents().into_iter().filter(|a| *a != about) {
        moves::hold(&mut change, other).await?;
    }
    let seen = crate::agents::stored::load(&mut change.tx, &[about], by.now).await?.pop();
    let record = seen.ok_or_else(|| Error::NotFound(format!("request {id}")))?;
    let until = crate::models::justified(&mut change.tx, &kept.agents()).await?;
    let mut rules = kept.rules(kept.agents().iter().all(|a| until.get(a).is_some_and(|u| *u > by.now)));
    let parts = parts(&mut change, &kept, &mut rules, &record, places, answer).await?;
    can(by.actor, Action::RequestDecide, Relation::Owner)?;
    let (reason, conditions) = checked(&mut change, answer).await?;
    if consents(answer.verdict) {
        // What is demanded of an exception is the same of each of its steps.
        let most = if kept.kind == RequestKind::Exception { 1 } else { parts.len() };
        for part in &parts[..most] {
            demands(&mut change, &record, &kept, part.step.duty).await?;
        }
    }
    let mut events = Vec::with_capacity(parts.len());
    for (at, part) in parts.iter().enumerate() {
        let event = change.event(part.capacity(), "request.decided", kept.about(part.step.place));
        write(&mut change, event, &kept, part.step.place, &rules, answer.verdict, &reason, part.found).await?;
        let set = if at == 0 { conditions.as_slice() } else { &[] };
        write_conditions(&mut change, event, &kept, part.step.place, part.found.person, set).await?;
        let mut after =
            json!({"request": id, "step": part.step.place, "duty": part.step.duty, "verdict": answer.verdict});
        if !set.is_empty() {
            after["conditions"] = set.iter().map(|c| json!({"text": c.words, "owner": c.owner})).collect();
        }
        if let Some(whose) = part.found.on_behalf_of {
            after["on_behalf_of"] = json!(whose);
        }
        events.push((event, after));
    }
    let decided = stored::load(&mut change.tx, id).await?;
    let mut end = decided.rules(rules.small_organisation).end();
    let last = events.len() - 1;
    for (at, (event, mut after)) in events.into_iter().enumerate() {
        if let Some(outcome) = end.filter(|_| at == last) {
            end = Some(follow(&mut change, event, &decided, &record, outcome, &mut after).await?);
        }
        change.describe(event, serde_json::Value::Null, after);
        change.because(event, &reason);
    }
    reassess(&mut change, &kept.agents(), false).await?;
    change.commit().await?;
    Ok(end.unwrap_or(request::RequestState::Open))
}

/// A step that is about to be decided, and by virtue of what.
struct Part {
    step: request::Step,
    found: request::Decider,
}

impl Part {
    fn capacity(&self) -> String {
        let title = self.step.duty.owner_title().to_lowercase();
        match self.found.via {
            request::Via::Owner => title,
            via => format!("{} for the {title}", via.label().to_lowercase()),
        }
    }
}

/// The steps with these numbers, each of which the actor may decide as they answer, the ones
/// before it decided.
async fn parts(
    change: &mut Change<'_>,
    kept: &stored::Kept,
    rules: &mut request::Request,
    record: &Agent,
    places: &[i64],
    answer: &Answer,
) -> Result<Vec<Part>, Error> {
    let (by, about, id) = (change.by, kept.agent, kept.id);
    if places.is_empty() {
        return Err(Error::field("/step", "Say in which capacity you decide."));
    }
    let wanted: Vec<(AgentId, Duty)> =
        places.iter().filter_map(|p| rules.step(*p)).map(|s| (kept.about(s.place), s.duty)).collect();
    let seats = seats(&mut change.tx, &wanted, by.now).await?;
    let present = kept.present_sha256(record);
    let mut out: Vec<Part> = Vec::with_capacity(places.len());
    for &place in places {
        if out.iter().any(|p| p.step.place == place) {
            continue;
        }
        let Some(step) = rules.step(place).cloned() else {
            // Whoever may not see the agent learns nothing of its requests.
            agent(&mut change.tx, by, about).await.map_err(|e| hidden(e, id))?;
            return Err(Error::NotFound(format!("step {place} of {id}")));
        };
        let Some(me) = by.actor.person_id() else {
            can(by.actor, Action::RequestDecide, Relation::None)?;
            return Err(Error::Denied(domain::can::Denied::Hidden));
        };
        let seat = seats.get(&(kept.about(place), step.duty)).cloned().unwrap_or_default();
        let asked = Asked {
            place,
            by: me,
            verdict: answer.verdict,
            subject_sha256: &answer.subject_sha256,
            present_sha256: &present,
        };
        match may_decide(rules, &seat, &asked, by.now) {
            Ok(found) => {
                let decided = Decided { by: me, on_behalf_of: found.on_behalf_of, verdict: answer.verdict, at: by.now };
                if let Some(s) = rules.steps.iter_mut().find(|s| s.place == place) {
                    s.decided = Some(decided);
                }
                out.push(Part { step, found });
            }
            Err(refused) => {
                // Whoever may not see the agent learns nothing of its requests.
                if refused.is_forbidden() {
                    agent(&mut change.tx, by, about).await.map_err(|e| hidden(e, id))?;
                }
                return Err(told(change, refused, rules, &seat, step.duty).await?);
            }
        }
    }
    Ok(out)
}

/// A refusal as an answer, with who decides instead.
async fn told(
    change: &mut Change<'_>,
    refused: Refused,
    rules: &request::Request,
    seat: &request::Seat,
    duty: Duty,
) -> Result<Error, Error> {
    let refused = match refused {
        Refused::NotYours(_) => {
            let who = request::decider(rules, duty, seat).map(|d| domain::party::Party::Person(d.person));
            let names = party_names(&mut change.tx, who).await?;
            Refused::NotYours(who.and_then(|w| names.get(&w).cloned()))
        }
        other => other,
    };
    Ok(match refused.denied() {
        Some(denied) => Error::Denied(denied),
        None => match refused {
            Refused::NotThisWord { .. } => Error::field("/decision", refused.to_string()),
            Refused::NoStep(_) => Error::NotFound(refused.to_string()),
            other => Error::Conflict(other.to_string()),
        },
    })
}

#[expect(clippy::too_many_arguments, reason = "one row, written in one place")]
pub(crate) async fn write(
    change: &mut Change<'_>,
    event: EventRef,
    kept: &stored::Kept,
    place: i64,
    rules: &request::Request,
    verdict: Verdict,
    reason: &str,
    found: request::Decider,
) -> Result<(), Error> {
    let Some(step) = kept.steps.iter().find(|s| s.step.place == place) else {
        return Err(Error::NotFound(format!("step {place} of {}", kept.id)));
    };
    let args = args![
        step.id,
        change.id(event),
        verdict.key(),
        change.by.now,
        found.person,
        found.on_behalf_of,
        found.via.key(),
        reason,
        &kept.subject_sha256,
        rules.small_organisation,
        FOREVER,
    ];
    let sql = "UPDATE request_step SET event_id = $2, verdict = $3, decided_at = $4, decided_by = $5, \
               on_behalf_of = $6, via = $7, reason = $8, decided_sha256 = $9, justified = $10, waits_for = NULL, \
               waits_until = $11, ready = FALSE WHERE id = $1 AND decided_at IS NULL";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Conflict("Somebody else decided this step at the same moment; look at it again.".into()));
    }
    change.wrote(event, &change::REQUEST_STEP, step.id);
    Ok(())
}

async fn write_conditions(
    change: &mut Change<'_>,
    event: EventRef,
    kept: &stored::Kept,
    place: i64,
    me: PersonId,
    conditions: &[NewCondition],
) -> Result<(), Error> {
    if conditions.is_empty() {
        return Ok(());
    }
    let first = change.next("condition", i64::try_from(conditions.len()).unwrap_or(0)).await?;
    let mut rows: Vec<Vec<Arg>> = Vec::new();
    for (number, c) in (first..).zip(conditions) {
        rows.push(args![
            number,
            change.id(event),
            kept.agent,
            kept.id,
            place,
            &c.words,
            c.owner,
            c.due_at,
            change.by.now,
            me,
            "",
            "",
        ]);
        change.wrote(event, &change::CONDITION, number);
    }
    let columns = [
        "id",
        "event_id",
        "agent_id",
        "request_id",
        "place",
        "words",
        "owner_id",
        "due_at",
        "set_at",
        "set_by",
        "met_by",
        "note",
    ];
    change.tx.insert("condition", &columns, rows, "").await?;
    Ok(())
}
