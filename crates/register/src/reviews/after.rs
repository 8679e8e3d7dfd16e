//! What follows from the answer to a review, under the event of the decision.

use chrono::TimeDelta;
use domain::assignment::accountable;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId};
use domain::request::Verdict;
use domain::review::NOT_OBSERVED;
use serde_json::{Value, json};

use crate::agents::Agent;
use crate::agents::assess::ownership;
use crate::args;
use crate::change::{self, Change, EventRef};
use crate::error::Error;
use crate::policies;
use crate::requests::WORDS_MAX;
use crate::requests::seats::named;
use crate::requests::stored::{Kept, KeptStep};

fn answered(kept: &Kept) -> Option<(&KeptStep, Verdict, PersonId)> {
    kept.steps.iter().find_map(|s| s.step.decided.as_ref().map(|d| (s, d.verdict, d.by)))
}

/// What is written where the review closes. What the agent did was not observed, and an
/// attestation says so.
pub(crate) fn closing(kept: &Kept) -> &'static str {
    match answered(kept).map(|(_, verdict, _)| verdict) {
        Some(Verdict::Change) => "A change was asked for. What the agent did was not observed.",
        Some(Verdict::Retire) => "To be retired. What the agent did was not observed.",
        _ => "Attested. What the agent did was not observed: no source reports it.",
    }
}

/// Attested: it was reviewed. A change or a retirement becomes a dated task of its owner.
pub(crate) async fn follow(
    change: &mut Change<'_>,
    event: EventRef,
    kept: &Kept,
    agent: &Agent,
    after: &mut Value,
) -> Result<(), Error> {
    let Some((step, verdict, me)) = answered(kept) else { return Ok(()) };
    after["activity"] = NOT_OBSERVED.into();
    match verdict {
        Verdict::Attest => {
            let args = args![agent.id, agent.version, change.id(event), change.by.now];
            let sql = "UPDATE agent SET version = version + 1, event_id = $3, updated_at = $4, reviewed_at = $4 \
                       WHERE id = $1 AND version = $2";
            if change.tx.run(sql, args).await? != 1 {
                return Err(Error::Conflict(format!(
                    "{} was changed by somebody else at the same moment; try again.",
                    agent.id
                )));
            }
            change.wrote(event, &change::AGENT, agent.id.0);
            after["reviewed_at"] = domain::record::timestamp(change.by.now).into();
        }
        Verdict::Change => {
            let said = format!("The review asks for a change: {}", step.reason);
            let owner = owner(change, agent.id, [Duty::Implementation, Duty::Purpose], me).await?;
            task(change, event, kept, step, me, owner, &said).await?;
            after["task"] = json!({"owner": owner, "text": said});
        }
        // Its retirement starts at once, asked for by the reviewer.
        Verdict::Retire => {
            let retirement = crate::retirements::start_from_review(change, agent.id, me, &step.reason).await?;
            after["retirement"] = json!(retirement);
        }
        Verdict::Approve | Verdict::ApproveWithConditions | Verdict::Reject => {}
    }
    Ok(())
}

/// The named owner of the first of these duties that has one; else whoever decided.
async fn owner(
    change: &mut Change<'_>,
    agent: AgentId,
    duties: [Duty; 2],
    otherwise: PersonId,
) -> Result<PersonId, Error> {
    let held = ownership(&mut change.tx, &[agent]).await?.held;
    let wanted: Vec<(AgentId, Duty)> = duties
        .into_iter()
        .filter(|d| held.get(&agent).is_some_and(|h| accountable(h, *d).is_some()))
        .map(|d| (agent, d))
        .collect();
    let found = named(&mut change.tx, &held, &wanted).await?;
    Ok(wanted.iter().find_map(|k| found.get(k).copied()).unwrap_or(otherwise))
}

/// A dated task that the review leaves: a condition, which its owner or a security lead closes.
async fn task(
    change: &mut Change<'_>,
    event: EventRef,
    kept: &Kept,
    step: &KeptStep,
    me: PersonId,
    owner: PersonId,
    said: &str,
) -> Result<(), Error> {
    let days = policies::present(&mut change.tx).await?.policy.step_days.of(kept.tier);
    let number = change.next("condition", 1).await?;
    let words: String = said.chars().take(WORDS_MAX).collect();
    let now = change.by.now;
    let due_at = now + TimeDelta::days(days);
    let row =
        args![number, change.id(event), kept.agent, kept.id, step.step.place, words, owner, due_at, now, me, "", ""];
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
    change.tx.insert("condition", &columns, vec![row], "").await?;
    change.wrote(event, &change::CONDITION, number);
    Ok(())
}
