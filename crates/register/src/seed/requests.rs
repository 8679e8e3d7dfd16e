//! What the demonstration's people have asked and decided, done by the use cases themselves;
//! and the approvals that estates begin with.

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::{Access, Lifecycle, Sensitivity, ToolGrant, ToolKind};
use domain::can::Actor;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId};
use domain::party::{Role, Roles};
use domain::policy::Policy;
use domain::request::{RequestKind, Verdict};
use serde_json::json;

use crate::agents::{self, moves, stored};
use crate::args;
use crate::change::{By, Change};
use crate::db::{Db, DbError, micros};
use crate::error::Error;
use crate::policies;
use crate::requests::{self, Answer, NewCondition, Submission, observed, open};

/// Agents that an estate begins with as approved have been approved within the last months, by
/// everybody whom the first policy may ask, and a third of them were reviewed since. The rows are those of this change.
pub(super) async fn approved(change: &mut Change<'_>, first: AgentId, present: DateTime<Utc>) -> Result<(), DbError> {
    let duties: Vec<&str> = Policy::default().approvers.iter().map(|a| a.duty.key()).collect();
    let day = 86_400_000_000_i64;
    let sql = "UPDATE agent SET approved_sha256 = boundary_sha256, approved_at = $2 - (id * 11 % 170) * $3, \
               approved_by = $4, reviewed_at = CASE WHEN id % 3 = 0 THEN $2 - (id % 60) * $3 ELSE NULL END \
               WHERE id >= $1 AND state IN ('approved', 'active', 'suspended')";
    change.tx.run(sql, args![first, micros(present), day, duties.join(" ")]).await?;
    Ok(())
}

/// These drafts of an estate are asked for by one person.
pub(super) async fn asked(change: &mut Change<'_>, drafts: &[AgentId], asker: PersonId) -> Result<(), Error> {
    let policy = policies::present(&mut change.tx).await?;
    for agent in stored::load(&mut change.tx, drafts, change.by.now).await? {
        let event = change.event("requester", "request.opened", agent.id);
        moves::to(change, event, &agent, Lifecycle::Proposed).await?;
        let new = open::New {
            kind: RequestKind::Approval,
            agent: &agent,
            facts: &agent.facts,
            sha256: agent.facts.boundary_sha256(),
            content: json!({"facts": agent.facts}),
            wanted: policy.policy.steps(&agent.facts),
            told: "It is ready to be looked at.",
            reviewer: None,
            takes: TimeDelta::zero(),
        };
        open::write(change, event, asker, &policy, new).await?;
    }
    Ok(())
}

/// People of the demonstration by position.
const TOMAS: usize = 1;
const MAREN: usize = 2;
const BEA: usize = 3;
const MAREK: usize = 14;
const ASTRID: usize = 19;

struct Stage<'a, P: Fn(usize) -> PersonId> {
    db: &'a Db,
    now: DateTime<Utc>,
    person: P,
}

impl<P: Fn(usize) -> PersonId> Stage<'_, P> {
    fn actor(&self, n: usize) -> Actor {
        let role = match n {
            TOMAS => Role::SecurityLead,
            MAREN => Role::RiskAnalyst,
            _ => Role::Member,
        };
        Actor::person((self.person)(n), Roles::NONE.with(role))
    }

    async fn ask(&self, n: usize, days: i64, agent: AgentId, reason: &str) -> Result<RequestId, Error> {
        let actor = self.actor(n);
        let by = By { actor: &actor, now: self.now - TimeDelta::days(days) };
        let said = Submission { reason: reason.into(), reviewer: Some((self.person)(ASTRID)) };
        requests::submit(self.db, by, agent, &said).await
    }

    /// Decides the step of a duty in the name of whoever it waits for.
    async fn decide(
        &self,
        days: i64,
        id: RequestId,
        duty: Duty,
        verdict: Verdict,
        reason: &str,
        conditions: Vec<NewCondition>,
    ) -> Result<(), Error> {
        let mut reads = self.db;
        let kept = requests::stored::load(&mut reads, id).await?;
        let step = kept.steps.iter().find(|s| s.step.duty == duty);
        let Some((step, person)) = step.and_then(|s| Some((s, s.waits_for?))) else { return Ok(()) };
        let actor = Actor::person(person, Roles::NONE.with(Role::Member));
        let by = By { actor: &actor, now: self.now - TimeDelta::days(days) };
        let answer = Answer { verdict, reason: reason.into(), conditions, subject_sha256: kept.subject_sha256.clone() };
        requests::decide(self.db, by, id, &[step.step.place], &answer).await?;
        Ok(())
    }
}

/// Requests in each state.
pub(super) async fn requests(
    db: &Db,
    now: DateTime<Utc>,
    agent: impl Fn(&str) -> Result<AgentId, Error>,
    person: impl Fn(usize) -> PersonId,
) -> Result<(), Error> {
    let stage = Stage { db, now, person };
    // Waits for everybody, long overdue.
    stage.ask(MAREN, 14, agent("Budget copilot")?, "Budget holders ask for it each quarter.").await?;
    // Half decided, on a condition, with a question to whoever asked.
    let buddy = stage.ask(MAREN, 3, agent("Onboarding buddy")?, "New colleagues start on the first.").await?;
    let logged = NewCondition {
        words: "Log every answer for thirty days, so that wrong ones are found.".into(),
        owner: (stage.person)(BEA),
        due_at: now + TimeDelta::days(10),
    };
    stage
        .decide(2, buddy, Duty::Policy, Verdict::ApproveWithConditions, "Good, once it is logged.", vec![logged])
        .await?;
    let mut reads = db;
    let kept = requests::stored::load(&mut reads, buddy).await?;
    if let Some(step) = kept.steps.iter().find(|s| s.step.duty == Duty::Purpose)
        && let Some(whose) = step.waits_for
    {
        let actor = Actor::person(whose, Roles::NONE.with(Role::Member));
        let by = By { actor: &actor, now: now - TimeDelta::days(1) };
        requests::ask(db, by, buddy, step.step.place, "Does it see the salary of whoever starts?").await?;
    }
    // Rejected: a draft again.
    let survey = stage.ask(MAREN, 9, agent("Survey reader")?, "To group the answers of the spring survey.").await?;
    stage
        .decide(8, survey, Duty::Purpose, Verdict::Reject, "We have no spring survey; come back with one.", Vec::new())
        .await?;
    // A change of scope, which waits for the business owner among others.
    let refund = agent("Refund assistant")?;
    let record = stored::load(&mut reads, &[refund], now).await?.pop();
    if let Some(record) = record {
        let mut facts = record.facts.clone();
        facts.credentials.retain(|c| !c.kind.is_standing());
        facts.tools.push(ToolGrant {
            name: "Voucher service".into(),
            kind: ToolKind::InternalApi,
            sensitivity: Sensitivity::Medium,
            access: Access::Write,
            scope: "issue below 50 euro".into(),
        });
        let actor = stage.actor(MAREN);
        let by = By { actor: &actor, now: now - TimeDelta::days(1) };
        let said = Submission {
            reason: "Customers prefer a voucher to a refund below 50 euro.".into(),
            reviewer: Some((stage.person)(ASTRID)),
        };
        requests::scope(db, by, refund, facts, &said).await?;
    }
    // What was stopped is to run again.
    let actor = stage.actor(MAREK);
    let by = By { actor: &actor, now: now - TimeDelta::days(1) };
    let said = Submission { reason: "The table of codes was corrected and tested on March.".into(), reviewer: None };
    requests::resume(db, by, agent("Tax code checker")?, &said).await?;
    drift(db, now, agent("Fuel analyst")?).await
}

/// A scan saw a tool that was never approved.
async fn drift(db: &Db, now: DateTime<Utc>, id: AgentId) -> Result<(), Error> {
    let actor = Actor::cli();
    let mut change = Change::begin(db, By { actor: &actor, now: now - TimeDelta::days(2) }).await?;
    let Some(record) = stored::load(&mut change.tx, &[id], now).await?.pop() else { return Ok(()) };
    let mut seen = record.facts.clone();
    seen.tools.push(ToolGrant {
        name: "Driver payroll".into(),
        kind: ToolKind::InternalApi,
        sensitivity: Sensitivity::Medium,
        access: Access::Read,
        scope: String::new(),
    });
    let approved = record.facts.boundary_sha256();
    observed::record(&mut change, "import", id, "gateway scan", &approved, &seen).await?;
    agents::assess::reassess(&mut change, &[id], false).await?;
    change.commit().await?;
    Ok(())
}
