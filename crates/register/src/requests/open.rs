//! Asking: for an approval, a change of scope, a resumption. What it would take is shown before.

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::{AgentFacts, Lifecycle};
use domain::can::Relation;
use domain::canonical;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId};
use domain::policy::{Wanted, When};
use domain::request::{RequestKind, Seat, before_asking, may_submit, technical};
use domain::tier;
use serde_json::{Value, json};

use super::{asked_by, seats, words};
use crate::agents::assess::reassess;
use crate::agents::relation::capacity;
use crate::agents::{Agent, moves};
use crate::args;
use crate::change::{self, By, Change, EventRef};
use crate::clock::alarms;
use crate::db::{Arg, Db, Reads};
use crate::error::Error;
use crate::policies;

/// A step as it would be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeseenStep {
    /// Whose owner decides, and why.
    pub wanted: Wanted,
    /// Who that is now, by name; `None` while the capacity is vacant.
    pub decider: Option<(PersonId, String)>,
    /// Until when.
    pub due_at: DateTime<Utc>,
}

/// What asking would take.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreseen {
    /// The agent's name.
    pub name: String,
    /// The boundary it would be about.
    pub facts: AgentFacts,
    /// Its SHA-256.
    pub subject_sha256: String,
    /// The version of the policy.
    pub policy_version: i64,
    /// The steps.
    pub steps: Vec<ForeseenStep>,
    /// What must be mended before it can be asked, as sentences.
    pub blocked: Vec<String>,
    /// Whether a human reviewer must be named, for a tool of high sensitivity.
    pub needs_reviewer: bool,
    /// When it would lapse.
    pub lapses_at: DateTime<Utc>,
}

/// What is said when asking.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Submission {
    /// Why, or what the deciders must know.
    pub reason: String,
    /// Who reviews what tools of high sensitivity do.
    pub reviewer: Option<PersonId>,
}

async fn foreseen(
    reads: &mut impl Reads,
    by: By<'_>,
    agent: &Agent,
    facts: AgentFacts,
    wanted: Vec<Wanted>,
    policy: &policies::Versioned,
) -> Result<Foreseen, Error> {
    let tier = tier::score(&facts).tier;
    let keys: Vec<(AgentId, Duty)> = wanted.iter().map(|w| (agent.id, w.duty)).collect();
    let found = seats::seats(reads, &keys, by.now).await?;
    let me = by.actor.person_id();
    let decider = |w: &Wanted| -> Option<PersonId> {
        let seat: &Seat = found.get(&(agent.id, w.duty))?;
        match seat.holder {
            Some(p) if Some(p) != me => Some(p),
            Some(_) => seat.managers.iter().copied().find(|m| Some(*m) != me),
            None => seat.acting.filter(|p| Some(*p) != me),
        }
    };
    let people: Vec<Option<PersonId>> = wanted.iter().map(decider).collect();
    let parties = people.iter().flatten().map(|p| domain::party::Party::Person(*p));
    let names = crate::agents::assess::party_names(reads, parties.collect::<Vec<_>>()).await?;
    let due_at = by.now + TimeDelta::days(policy.policy.step_days.of(tier));
    let covered = crate::exceptions::credentials_covered(reads, agent.id, by.now).await?;
    let steps = wanted
        .into_iter()
        .zip(people)
        .map(|(wanted, person)| ForeseenStep {
            wanted,
            decider: person
                .map(|p| (p, names.get(&domain::party::Party::Person(p)).cloned().unwrap_or_else(|| p.to_string()))),
            due_at,
        })
        .collect();
    Ok(Foreseen {
        name: facts.name.clone(),
        subject_sha256: facts.boundary_sha256(),
        policy_version: policy.version,
        steps,
        blocked: before_asking(&facts, covered),
        needs_reviewer: When::HighSensitivity.holds(&facts),
        lapses_at: by.now + TimeDelta::days(i64::from(policy.policy.lapse_days)),
        facts,
    })
}

/// What an approval of the agent as it is would take.
pub async fn foresee(db: &Db, by: By<'_>, id: AgentId) -> Result<Foreseen, Error> {
    let mut reads = db;
    let (agent, _) = asked_by(&mut reads, by, id).await?;
    let policy = policies::present(&mut reads).await?;
    let wanted = policy.policy.steps(&agent.facts);
    foreseen(&mut reads, by, &agent, agent.facts.clone(), wanted, &policy).await
}

/// What a change of an approved agent's boundary to these facts would take.
pub async fn foresee_scope(db: &Db, by: By<'_>, id: AgentId, given: AgentFacts) -> Result<Foreseen, Error> {
    let mut reads = db;
    let (agent, _) = asked_by(&mut reads, by, id).await?;
    let given = crate::agents::write::checked(given)?;
    let policy = policies::present(&mut reads).await?;
    let wanted = policy.policy.scope_steps(&agent.facts, &given);
    foreseen(&mut reads, by, &agent, given, wanted, &policy).await
}

async fn reviewer(
    reads: &mut impl Reads,
    me: PersonId,
    facts: &AgentFacts,
    given: Option<PersonId>,
) -> Result<(), Error> {
    match given {
        None if When::HighSensitivity.holds(facts) => Err(Error::field(
            "/reviewer",
            "It uses a tool of high sensitivity: name the person who reviews what it does with it.",
        )),
        Some(p) if p == me => {
            Err(Error::field("/reviewer", "You ask for this yourself: name somebody else as reviewer."))
        }
        Some(p) => match crate::people::load(reads, p).await? {
            Some(person) if person.active() => Ok(()),
            _ => Err(Error::field("/reviewer", format!("There is no active person {p}."))),
        },
        None => Ok(()),
    }
}

/// The person who asks.
pub(crate) fn me(by: By<'_>) -> Result<PersonId, Error> {
    by.actor.person_id().ok_or_else(|| {
        Error::Denied(domain::can::Denied::Forbidden(
            "A person asks: sign in, or use a token that has an owner.".into(),
        ))
    })
}

/// A request about to be written.
pub(crate) struct New<'a> {
    pub(crate) kind: RequestKind,
    pub(crate) agent: &'a Agent,
    pub(crate) facts: &'a AgentFacts,
    pub(crate) sha256: String,
    pub(crate) content: Value,
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) told: &'a str,
    pub(crate) reviewer: Option<PersonId>,
    /// How long it takes at least until it can be decided.
    pub(crate) takes: TimeDelta,
}

/// Until when its steps are to be decided, and when it lapses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dates {
    pub(crate) due_at: DateTime<Utc>,
    pub(crate) lapses_at: DateTime<Utc>,
}

/// Writes a request and its steps under an event.
pub(crate) async fn write(
    change: &mut Change<'_>,
    event: EventRef,
    me: PersonId,
    policy: &policies::Versioned,
    new: New<'_>,
) -> Result<RequestId, Error> {
    let now = change.by.now;
    let due_at = now + new.takes + TimeDelta::days(policy.policy.step_days.of(tier::score(new.facts).tier));
    let lapses_at = now + new.takes + TimeDelta::days(i64::from(policy.policy.lapse_days));
    insert(change, event, me, policy.version, new, Dates { due_at, lapses_at }).await
}

/// Writes a request and its steps under an event, with its dates.
pub(crate) async fn insert(
    change: &mut Change<'_>,
    event: EventRef,
    me: PersonId,
    policy_version: i64,
    new: New<'_>,
    dates: Dates,
) -> Result<RequestId, Error> {
    insert_of(change, event, me, policy_version, new, dates, &[]).await
}

/// As [`insert`], where the steps are about several agents: whose each is, in their order.
pub(crate) async fn insert_of(
    change: &mut Change<'_>,
    event: EventRef,
    me: PersonId,
    policy_version: i64,
    new: New<'_>,
    Dates { due_at, lapses_at }: Dates,
    whose: &[AgentId],
) -> Result<RequestId, Error> {
    let now = change.by.now;
    let tier = tier::score(new.facts).tier;
    let id = RequestId(change.next("request", 1).await?);
    let columns = [
        "id",
        "event_id",
        "kind",
        "agent_id",
        "requester_id",
        "opened_at",
        "policy_version",
        "tier",
        "subject_sha256",
        "content",
        "reason",
        "reviewer_id",
        "lapses_at",
        "outcome",
        "closed_by",
        "closing",
    ];
    let row = args![
        id,
        change.id(event),
        new.kind.key(),
        new.agent.id,
        me,
        now,
        policy_version,
        tier.key(),
        &new.sha256,
        canonical::to_string(&new.content),
        new.told,
        new.reviewer,
        lapses_at,
        "",
        "",
        "",
    ];
    change.tx.insert("request", &columns, vec![row], "").await.map_err(|e| {
        let what = new.kind.label().to_lowercase();
        Error::unique(e, format!("A request of this kind ({what}) about {} is open already.", new.agent.id))
    })?;
    change.wrote(event, &change::REQUEST, id.0);
    let first = change.next("request-step", i64::try_from(new.wanted.len()).unwrap_or(0)).await?;
    let mut rows: Vec<Vec<Arg>> = Vec::new();
    let mut told = Vec::new();
    for (at, ((number, place), w)) in (first..).zip(1_i64..).zip(&new.wanted).enumerate() {
        rows.push(args![
            number,
            change.id(event),
            id,
            whose.get(at).copied().unwrap_or(new.agent.id),
            me,
            place,
            w.duty.key(),
            technical(w.duty),
            w.last,
            canonical::to_string(&json!(w.because)),
            due_at,
            "",
            "",
            "",
            "",
            false,
            lapses_at,
            !w.last,
            new.kind.key(),
        ]);
        change.wrote(event, &change::REQUEST_STEP, number);
        told.push(w.duty.key());
    }
    let columns = [
        "id",
        "event_id",
        "request_id",
        "agent_id",
        "requester_id",
        "place",
        "duty",
        "technical",
        "comes_last",
        "because",
        "due_at",
        "verdict",
        "via",
        "reason",
        "decided_sha256",
        "justified",
        "waits_until",
        "ready",
        "kind",
    ];
    change.tx.insert("request_step", &columns, rows, "").await?;
    let escalates = policies::present(&mut change.tx).await?.policy.escalate_days;
    alarms::of_request(change, id, due_at, TimeDelta::days(i64::from(escalates)));
    alarms::of_request_lapse(change, id, lapses_at);
    let mut after =
        json!({"request": id, "kind": new.kind, "subject_sha256": new.sha256, "policy": policy_version, "steps": told});
    if new.kind == RequestKind::Approval && new.agent.state == Lifecycle::Draft {
        after["state"] = Lifecycle::Proposed.key().into();
    }
    let mut before = Value::Null;
    if new.kind == RequestKind::Retirement && new.agent.state != Lifecycle::Retiring {
        before = json!({"state": new.agent.state});
        after["state"] = Lifecycle::Retiring.key().into();
    }
    change.describe(event, before, after);
    change.because(event, new.told);
    Ok(id)
}

/// What every ask begins with: the agent held, lapsed requests about it closed, and read.
pub(crate) async fn begin<'a>(
    db: &Db,
    by: By<'a>,
    id: AgentId,
) -> Result<(Change<'a>, Agent, Relation, PersonId), Error> {
    let me = me(by)?;
    let mut change = Change::begin(db, by).await?;
    moves::hold(&mut change, id).await?;
    asked_by(&mut change.tx, by, id).await?;
    super::lapse(&mut change, &[id]).await?;
    let (agent, stands) = asked_by(&mut change.tx, by, id).await?;
    Ok((change, agent, stands, me))
}

/// Asks for the agent to be approved as it is: a draft for the first time, an approved one
/// again.
pub async fn submit(db: &Db, by: By<'_>, id: AgentId, said: &Submission) -> Result<RequestId, Error> {
    let told = words(&said.reason, "/reason", None)?;
    let (mut change, agent, stands, me) = begin(db, by, id).await?;
    if !may_submit(agent.state) {
        let how = match agent.state {
            Lifecycle::Discovered => "adopt it first, which makes it a draft",
            Lifecycle::Proposed => "it is asked already",
            _ => "it is on its way out",
        };
        let state = agent.state.label().to_lowercase();
        return Err(Error::Conflict(format!("{id} is {state}: {how}.")));
    }
    let covered = crate::exceptions::credentials_covered(&mut change.tx, id, by.now).await?;
    let missing = before_asking(&agent.facts, covered);
    if !missing.is_empty() {
        return Err(Error::Conflict(missing.join(" ")));
    }
    reviewer(&mut change.tx, me, &agent.facts, said.reviewer).await?;
    let policy = policies::present(&mut change.tx).await?;
    let event = change.event(capacity(by.actor, stands), "request.opened", id);
    let wanted = policy.policy.steps(&agent.facts);
    if agent.state == Lifecycle::Draft {
        moves::to(&mut change, event, &agent, Lifecycle::Proposed).await?;
    }
    let new = New {
        kind: RequestKind::Approval,
        agent: &agent,
        facts: &agent.facts,
        sha256: agent.facts.boundary_sha256(),
        content: json!({"facts": agent.facts}),
        wanted,
        told: &told,
        reviewer: said.reviewer,
        takes: TimeDelta::zero(),
    };
    let request = write(&mut change, event, me, &policy, new).await?;
    reassess(&mut change, &[id], false).await?;
    change.commit().await?;
    Ok(request)
}

/// Asks for another boundary of an approved agent. Nothing of it is written before it is
/// approved.
pub async fn scope(db: &Db, by: By<'_>, id: AgentId, given: AgentFacts, said: &Submission) -> Result<RequestId, Error> {
    let told = words(&said.reason, "/reason", Some("Say why the boundary changes: the deciders read it."))?;
    let given = crate::agents::write::checked(given)?;
    let (mut change, agent, stands, me) = begin(db, by, id).await?;
    if !agent.state.boundary_is_approved() {
        let state = agent.state.label().to_lowercase();
        return Err(Error::Conflict(format!(
            "{id} is {state}: only what was approved is changed by a request; edit it instead."
        )));
    }
    let mut given = given;
    crate::agents::write::prepared(&mut change, &mut given).await?;
    let covered = crate::exceptions::credentials_covered(&mut change.tx, id, by.now).await?;
    let missing = before_asking(&given, covered);
    if !missing.is_empty() {
        return Err(Error::Conflict(missing.join(" ")));
    }
    reviewer(&mut change.tx, me, &given, said.reviewer).await?;
    let policy = policies::present(&mut change.tx).await?;
    let wanted = policy.policy.scope_steps(&agent.facts, &given);
    if wanted.is_empty() {
        return Err(Error::Conflict("Nothing of the boundary changes: edit the other facts in place.".into()));
    }
    let event = change.event(capacity(by.actor, stands), "request.opened", id);
    let content = json!({
        "before": agent.facts,
        "facts": given,
        "boundary_sha256": agent.facts.boundary_sha256(),
    });
    let new = New {
        kind: RequestKind::ScopeChange,
        agent: &agent,
        facts: &given,
        sha256: given.boundary_sha256(),
        content,
        wanted,
        told: &told,
        reviewer: said.reviewer,
        takes: TimeDelta::zero(),
    };
    let request = write(&mut change, event, me, &policy, new).await?;
    reassess(&mut change, &[id], false).await?;
    change.commit().await?;
    Ok(request)
}

/// The duty in whose name a stop was made: its present holder agrees to the resumption.
fn stopped_as(capacity: &str) -> Duty {
    if capacity == "security-lead" { Duty::Policy } else { Duty::Containment }
}

/// In whose name an agent was last stopped: the stop, and its duty.
async fn stopped(reads: &mut impl Reads, id: AgentId) -> Result<(Option<i64>, Duty), Error> {
    let sql = "SELECT id, capacity FROM stopping WHERE agent_id = $1 ORDER BY id DESC LIMIT 1";
    Ok(match reads.rows(sql, args![id]).await?.first() {
        Some(r) => (Some(r.get(0)?), stopped_as(&r.get::<String>(1)?)),
        None => (None, Duty::Containment),
    })
}

fn not_suspended(agent: &Agent) -> Option<String> {
    let state = agent.state.label().to_lowercase();
    (agent.state != Lifecycle::Suspended)
        .then(|| format!("{} is {state}: only what is suspended is resumed.", agent.id))
}

/// What it would take to have a suspended agent run again.
pub async fn foresee_resumption(db: &Db, by: By<'_>, id: AgentId) -> Result<Foreseen, Error> {
    let mut reads = db;
    let (agent, _) = asked_by(&mut reads, by, id).await?;
    let policy = policies::present(&mut reads).await?;
    let (_, duty) = stopped(&mut reads, id).await?;
    let wanted = policy.policy.resumption_steps(&agent.facts, duty);
    let mut out = foreseen(&mut reads, by, &agent, agent.facts.clone(), wanted, &policy).await?;
    out.blocked = not_suspended(&agent).into_iter().collect();
    out.needs_reviewer = false;
    Ok(out)
}

/// Asks for a suspended agent to run again: the business owner and the present holder of the
/// capacity that suspended it decide; of a regulated agent the regulatory approver too.
pub async fn resume(db: &Db, by: By<'_>, id: AgentId, said: &Submission) -> Result<RequestId, Error> {
    let told = words(&said.reason, "/reason", Some("Say what was mended, so that it may run again."))?;
    let (mut change, agent, stands, me) = begin(db, by, id).await?;
    if let Some(refusal) = not_suspended(&agent) {
        return Err(Error::Conflict(refusal));
    }
    let (stopping, duty) = stopped(&mut change.tx, id).await?;
    let policy = policies::present(&mut change.tx).await?;
    let wanted = policy.policy.resumption_steps(&agent.facts, duty);
    let content = json!({
        "facts": agent.facts,
        "boundary_sha256": agent.facts.boundary_sha256(),
        "stopping": stopping,
        "suspended_at": domain::record::timestamp(agent.state_at),
    });
    let event = change.event(capacity(by.actor, stands), "request.opened", id);
    let new = New {
        kind: RequestKind::Resumption,
        agent: &agent,
        facts: &agent.facts,
        sha256: canonical::sha256_hex(&content),
        content,
        wanted,
        told: &told,
        reviewer: None,
        takes: TimeDelta::zero(),
    };
    let request = write(&mut change, event, me, &policy, new).await?;
    reassess(&mut change, &[id], false).await?;
    change.commit().await?;
    Ok(request)
}
