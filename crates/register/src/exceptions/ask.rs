//! Asking for an exception: for agents, for a system, for a label; again, as a renewal; and with
//! other compensating controls while nothing is decided.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::Lifecycle;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::exception::{
    self, AGENTS_MAX, AgentStep, Asked, AskedControl, Compensating, Control, Exception, ExceptionState, Renewal,
    Selection, begins, renewal, steps,
};
use domain::id::{AgentId, ExceptionId, PersonId, SystemId};
use domain::party::Party;
use domain::request::RequestKind;
use domain::tier::Tier;
use domain::{record, text};
use serde_json::{Value, json};

use super::{Kept, hold, stored};
use crate::agents::assess::{party_names, reassess};
use crate::agents::relation::capacity;
use crate::agents::{Agent, read::visible};
use crate::args;
use crate::change::{self, By, Change, EventRef};
use crate::db::{Arg, Db, Reads};
use crate::error::{Checked, Error, FieldError};
use crate::policies::{self, Versioned};
use crate::requests::open::{Dates, New, insert_of, me};
use crate::requests::{ends, seats::seats};

/// Which agents an exception is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// These.
    Agents(Vec<AgentId>),
    /// The members of a system as they are now.
    System(SystemId),
    /// Those with a label, `key=value`: as they are now, and the same when the last step is decided.
    Label(String),
}

/// A compensating control as it is asked.
pub type NewControl = AskedControl;

/// An exception as it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewException {
    /// Which agents.
    pub scope: Scope,
    /// Everything else.
    pub asked: Asked,
}

/// What asking would take, for a form that shows it before.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreseen {
    /// The agents it would be for.
    pub agents: Vec<(AgentId, String)>,
    /// The tier of the riskiest of them.
    pub tier: Tier,
    /// How many days it may last.
    pub most_days: i64,
    /// The steps, with who decides each by name; `None` while the capacity is vacant.
    pub steps: Vec<(AgentStep, Option<(PersonId, String)>)>,
    /// What it would renew.
    pub renews: Option<Renewal>,
    /// Why it cannot be asked, as a sentence.
    pub blocked: Option<String>,
}

fn invalid(wrong: exception::Wrong) -> Result<(), Error> {
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Error::Invalid(wrong.into_iter().map(|(pointer, message)| FieldError { pointer, message }).collect()))
}

fn refused(e: &exception::Refused) -> Error {
    match e {
        exception::Refused::SameReason(_) => Error::field("/justification", e.to_string()),
        _ => Error::Conflict(e.to_string()),
    }
}

/// The agents with a label now, those that are retired left out: at most one more than an exception
/// may have.
pub(super) async fn labelled(
    reads: &mut impl Reads,
    key: &str,
    value: &str,
    now: DateTime<Utc>,
) -> Result<Vec<AgentId>, Error> {
    // What matches as text may match in another member; the labels themselves decide.
    let quoted = format!("%{}:{}%", json!(key), json!(value));
    let mut out: Vec<AgentId> = Vec::new();
    let mut after = 0_i64;
    loop {
        let sql = "SELECT id FROM agent WHERE id > $1 AND labels LIKE $2 AND state <> 'retired' ORDER BY id LIMIT 500";
        let rows = reads.rows(sql, args![after, &quoted]).await?;
        let ids = rows.iter().map(|r| r.get::<AgentId>(0)).collect::<Result<Vec<_>, _>>()?;
        let Some(last) = ids.last() else { break };
        after = last.0;
        let records = crate::agents::stored::load(reads, &ids, now).await?;
        out.extend(records.iter().filter(|a| a.facts.labels.get(key).is_some_and(|v| v == value)).map(|a| a.id));
        if out.len() > AGENTS_MAX {
            break;
        }
    }
    out.truncate(AGENTS_MAX + 1);
    Ok(out)
}

/// Whether the actor may ask for an exception of an agent at all: a person does, who does not only
/// read.
pub fn may_ask(by: By<'_>) -> Result<(), Error> {
    me(by)?;
    can(by.actor, Action::RequestOpen, Relation::Owner)?;
    Ok(())
}

/// The agents that a scope means now, and how it is kept.
async fn meant(reads: &mut impl Reads, by: By<'_>, scope: &Scope) -> Result<(Vec<AgentId>, Selection), Error> {
    let (mut ids, selection, pointer) = match scope {
        Scope::Agents(ids) => (ids.clone(), Selection::Named, "/agents"),
        Scope::System(id) => {
            let found = crate::systems::load(reads, *id).await;
            let system = found.map_err(|_| Error::field("/system", format!("There is no system {id}.")))?;
            let sql = match system.kind {
                domain::system::SystemKind::MultiAgent => {
                    "SELECT id FROM agent WHERE parent_id = $1 AND state <> 'retired' ORDER BY id LIMIT 201"
                }
                domain::system::SystemKind::Platform => {
                    "SELECT y.agent_id FROM platform_stay y JOIN agent a ON a.id = y.agent_id WHERE y.system_id = $1 \
                     AND y.valid_to IS NULL AND a.state <> 'retired' ORDER BY y.agent_id LIMIT 201"
                }
            };
            let rows = reads.rows(sql, args![*id]).await?;
            let ids = rows.iter().map(|r| r.get(0)).collect::<Result<Vec<AgentId>, _>>()?;
            (ids, Selection::System(*id), "/system")
        }
        Scope::Label(query) => {
            let selection = Selection::label(query).map_err(|e| Error::field("/label", e))?;
            let Selection::Label { key, value } = &selection else { return Ok((Vec::new(), selection)) };
            (labelled(reads, key, value, by.now).await?, selection, "/label")
        }
    };
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        let how = match scope {
            Scope::Agents(_) => "Name at least one agent.",
            Scope::System(_) => "No agent belongs to it.",
            Scope::Label(_) => "No agent has this label.",
        };
        return Err(Error::field(pointer, how));
    }
    if ids.len() > AGENTS_MAX {
        return Err(Error::field(pointer, format!("An exception is for at most {AGENTS_MAX} agents: ask for fewer.")));
    }
    Ok((ids, selection))
}

/// The agents, for an actor who may ask about each of them. One that they may not see is as if
/// there were none.
async fn agents(reads: &mut impl Reads, by: By<'_>, ids: &[AgentId]) -> Result<(Vec<Agent>, Relation), Error> {
    let records = crate::agents::stored::load(reads, ids, by.now).await?;
    let relations = crate::agents::relation::relations(reads, by.actor, ids, by.now).await?;
    let mut out = Vec::with_capacity(ids.len());
    let mut wrong = Checked::default();
    let mut weakest = Relation::Owner;
    let mut records: BTreeMap<AgentId, Agent> = records.into_iter().map(|a| (a.id, a)).collect();
    for (at, id) in ids.iter().enumerate() {
        let stands = relations.get(id).copied().unwrap_or(Relation::None);
        match records.remove(id).filter(|a| visible(by.actor, a, stands).is_ok()) {
            None => wrong.refuse(&format!("/agents/{at}"), format!("There is no agent {id}.")),
            Some(a) if a.state == Lifecycle::Retired => {
                wrong.refuse(&format!("/agents/{at}"), format!("{id} is retired: nothing of it is excepted."));
            }
            Some(a) => {
                can(by.actor, Action::RequestOpen, stands)?;
                weakest = weakest.max(stands);
                out.push(a);
            }
        }
    }
    wrong.done()?;
    Ok((out, weakest))
}

/// The agent whose tier is riskiest; of several the first.
fn riskiest(agents: &[Agent]) -> Option<&Agent> {
    agents.iter().rev().max_by_key(|a| domain::tier::score(&a.facts).tier)
}

fn tier_of(agents: &[Agent]) -> Tier {
    riskiest(agents).map_or(Tier::Low, |a| domain::tier::score(&a.facts).tier)
}

/// The owners of compensating controls must be people who are there.
async fn owners(reads: &mut impl Reads, controls: &[AskedControl]) -> Result<exception::Wrong, Error> {
    let mut out = exception::Wrong::new();
    let ids: Vec<PersonId> = controls.iter().map(|c| c.owner).collect();
    let people = crate::people::load_many(reads, &ids).await?;
    for (at, c) in controls.iter().enumerate() {
        if !people.iter().any(|p| p.id == c.owner && p.active()) {
            let pointer = format!("/compensating_controls/{at}/owner");
            out.push((pointer, format!("There is no active person {}.", c.owner)));
        }
    }
    Ok(out)
}

fn regulated(agents: &[Agent]) -> Vec<(AgentId, bool)> {
    agents.iter().map(|a| (a.id, a.facts.regulated)).collect()
}

/// What asking for this would take.
pub async fn foresee(
    db: &Db,
    by: By<'_>,
    scope: &Scope,
    control: &Control,
    duty: Option<Duty>,
) -> Result<Foreseen, Error> {
    let mut reads = db;
    let (ids, _) = meant(&mut reads, by, scope).await?;
    let (agents, _) = agents(&mut reads, by, &ids).await?;
    let policy = policies::present(&mut reads).await?.policy;
    let whose = match control {
        Control::Finding(key) => exception::duty_of(*key).or(duty),
        Control::Own(_) => duty,
    };
    let wanted = whose.map_or_else(Vec::new, |d| steps(d, &regulated(&agents)));
    let keys: Vec<(AgentId, Duty)> = wanted.iter().map(|s| (s.agent, s.wanted.duty)).collect();
    let found = seats(&mut reads, &keys, by.now).await?;
    let mine = by.actor.person_id();
    let decider = |s: &AgentStep| {
        let seat = found.get(&(s.agent, s.wanted.duty))?;
        match seat.holder {
            Some(p) if Some(p) != mine => Some(p),
            Some(_) => seat.managers.iter().copied().find(|m| Some(*m) != mine),
            None => seat.acting.filter(|p| Some(*p) != mine),
        }
    };
    let people: Vec<Option<PersonId>> = wanted.iter().map(decider).collect();
    let names = party_names(&mut reads, people.iter().flatten().map(|p| Party::Person(*p)).collect::<Vec<_>>()).await?;
    let name = |p: PersonId| names.get(&Party::Person(p)).cloned().unwrap_or_else(|| p.to_string());
    let before = stored::of_agents(&mut reads, &ids).await?;
    let found = renewal(control, &ids, "", before.iter().map(|k| &k.exception), policy.exception_renewals, by.now);
    let blocked = match control {
        Control::Finding(key) => policy.no_exception(*key),
        Control::Own(_) => None,
    };
    let tier = tier_of(&agents);
    Ok(Foreseen {
        agents: agents.iter().map(|a| (a.id, a.facts.name.clone())).collect(),
        tier,
        most_days: policy.exception_days.of(tier),
        steps: wanted.into_iter().zip(people).map(|(s, p)| (s, p.map(|p| (p, name(p))))).collect(),
        renews: found.as_ref().ok().copied().flatten(),
        blocked: blocked.or_else(|| found.err().map(|e| e.to_string())),
    })
}

fn controls_of(asked: &[AskedControl]) -> Vec<Compensating> {
    (1..)
        .zip(asked)
        .map(|(place, c)| Compensating {
            place,
            text: text::prose(&c.text, "The text", 1000).unwrap_or_default(),
            owner: c.owner,
            check_at: c.check_at,
            checked: None,
        })
        .collect()
}

/// Asks for an exception: it is `requested`, and a request is open whose steps decide it.
pub async fn ask(db: &Db, by: By<'_>, new: &NewException) -> Result<ExceptionId, Error> {
    let me = me(by)?;
    let mut change = Change::begin(db, by).await?;
    let (ids, selection) = meant(&mut change.tx, by, &new.scope).await?;
    // Before anything is held: whoever may not ask holds nothing.
    agents(&mut change.tx, by, &ids).await?;
    hold(&mut change, &ids).await?;
    crate::requests::lapse(&mut change, &ids).await?;
    let (agents, stands) = agents(&mut change.tx, by, &ids).await?;
    let policy = policies::present(&mut change.tx).await?;
    let tier = tier_of(&agents);
    let asked = &new.asked;
    let mut wrong = asked.wrong(tier, &policy.policy, by.now);
    wrong.extend(owners(&mut change.tx, &asked.controls).await?);
    let node = domain::framework::kept(&asked.node).unwrap_or_default();
    if !asked.node.is_empty() && node.is_empty() && !wrong.iter().any(|(pointer, _)| pointer == "/node") {
        let message = format!(
            "No catalogue has “{}”. Give a reference such as ASI03, NHI7:2025 or GOVERN 1.6, or leave it out.",
            asked.node
        );
        wrong.push(("/node".to_owned(), message));
    }
    invalid(wrong)?;
    let (Some(starts_at), Some(expires_at), Some(duty)) =
        (begins(asked.starts_at, by.now), asked.expires_at, asked.whose())
    else {
        return Err(Error::field("/expires_at", "Say when it ends: every exception does."));
    };
    let justification = text::prose(&asked.justification, "The justification", 4000)
        .map_err(|e| Error::field("/justification", e.to_string()))?;
    let before = stored::of_agents(&mut change.tx, &ids).await?;
    let others = before.iter().map(|k| &k.exception);
    let most = policy.policy.exception_renewals;
    let renews = renewal(&asked.control, &ids, &justification, others, most, by.now).map_err(|e| refused(&e))?;
    let id = ExceptionId(change.next("exception", 1).await?);
    let small = |n: i64| u8::try_from(n).unwrap_or(u8::MAX);
    let exception = Exception {
        id,
        title: text::required_line(&asked.title, "The title", 200)
            .map_err(|e| Error::field("/title", e.to_string()))?,
        control: asked.control.clone(),
        node,
        duty,
        likelihood: small(asked.likelihood),
        impact: small(asked.impact),
        justification,
        agents: ids.clone(),
        selection,
        tier,
        controls: controls_of(&asked.controls),
        starts_at,
        expires_at,
        lapses_at: lapses(by.now, &policy, expires_at),
        suspends: asked.suspends,
        requester: me,
        renews: renews.map(|r| r.of),
        renewals: renews.map_or(0, |r| r.renewals),
        approved_at: None,
        rejected: None,
        ended: None,
    };
    let event = change.event(capacity(by.actor, stands), "exception.requested", id);
    let request = open(&mut change, event, &exception, &agents, &policy).await?;
    write(&mut change, event, &exception, request).await?;
    change.describe(event, Value::Null, told(&exception, request));
    change.because(event, &exception.justification);
    reassess(&mut change, &ids, false).await?;
    change.commit().await?;
    Ok(id)
}

fn told(e: &Exception, request: domain::id::RequestId) -> Value {
    let mut out = e.terms();
    out["request"] = json!(request);
    out["subject_sha256"] = json!(e.sha256());
    out
}

/// Nothing is approved once it would be over.
fn lapses(now: DateTime<Utc>, policy: &Versioned, expires_at: DateTime<Utc>) -> DateTime<Utc> {
    (now + TimeDelta::days(i64::from(policy.policy.lapse_days))).min(expires_at)
}

/// Opens the request that decides an exception.
async fn open(
    change: &mut Change<'_>,
    event: EventRef,
    exception: &Exception,
    agents: &[Agent],
    policy: &Versioned,
) -> Result<domain::id::RequestId, Error> {
    let Some(first) = riskiest(agents) else {
        return Err(Error::field("/agents", "Name at least one agent."));
    };
    let steps = steps(exception.duty, &regulated(agents));
    let whose: Vec<AgentId> = steps.iter().map(|s| s.agent).collect();
    let days = policy.policy.step_days.of(exception.tier);
    let new = New {
        kind: RequestKind::Exception,
        agent: agents.first().unwrap_or(first),
        facts: &first.facts,
        sha256: exception.sha256(),
        content: exception.terms(),
        wanted: steps.into_iter().map(|s| s.wanted).collect(),
        told: &exception.justification,
        reviewer: None,
        takes: TimeDelta::zero(),
    };
    let due_at = (change.by.now + TimeDelta::days(days)).min(exception.lapses_at);
    let dates = Dates { due_at, lapses_at: exception.lapses_at };
    insert_of(change, event, exception.requester, policy.version, new, dates, &whose).await
}

/// Writes an exception with its agents and controls.
async fn write(
    change: &mut Change<'_>,
    event: EventRef,
    e: &Exception,
    request: domain::id::RequestId,
) -> Result<(), Error> {
    let now = change.by.now;
    let row = args![
        e.id,
        change.id(event),
        1_i64,
        now,
        now,
        request,
        e.requester,
        &e.title,
        e.control.key(),
        &e.node,
        e.duty.key(),
        i64::from(e.likelihood),
        i64::from(e.impact),
        &e.justification,
        e.selection.to_string(),
        e.tier.key(),
        e.starts_at,
        e.expires_at,
        e.lapses_at,
        e.suspends,
        e.renews,
        i64::from(e.renewals),
        e.sha256(),
        "",
        "",
        "",
        "",
    ];
    let columns = [
        "id",
        "event_id",
        "version",
        "created_at",
        "updated_at",
        "request_id",
        "requester_id",
        "title",
        "control",
        "node",
        "duty",
        "likelihood",
        "impact",
        "justification",
        "selection",
        "tier",
        "starts_at",
        "expires_at",
        "lapses_at",
        "suspends",
        "renews",
        "renewals",
        "subject_sha256",
        "rejection",
        "ended",
        "ended_by",
        "ending",
    ];
    change.tx.insert("exception", &columns, vec![row], "").await?;
    change.wrote(event, &change::EXCEPTION, e.id.0);
    let first = change.next("exception-agent", i64::try_from(e.agents.len()).unwrap_or(0)).await?;
    let mut rows: Vec<Vec<Arg>> = Vec::new();
    for (number, agent) in (first..).zip(&e.agents) {
        rows.push(args![number, change.id(event), e.id, *agent]);
        change.wrote(event, &change::EXCEPTION_AGENT, number);
    }
    change.tx.insert("exception_agent", &["id", "event_id", "exception_id", "agent_id"], rows, "").await?;
    write_controls(change, event, e).await
}

async fn write_controls(change: &mut Change<'_>, event: EventRef, e: &Exception) -> Result<(), Error> {
    if e.controls.is_empty() {
        return Ok(());
    }
    let first = change.next("compensating-control", i64::try_from(e.controls.len()).unwrap_or(0)).await?;
    let mut rows: Vec<Vec<Arg>> = Vec::new();
    for (number, c) in (first..).zip(&e.controls) {
        rows.push(args![number, change.id(event), e.id, c.place, &c.text, c.owner, c.check_at, "", ""]);
        change.wrote(event, &change::COMPENSATING_CONTROL, number);
    }
    let columns = ["id", "event_id", "exception_id", "place", "words", "owner_id", "check_at", "checked_by", "note"];
    change.tx.insert("compensating_control", &columns, rows, "").await?;
    Ok(())
}

/// What a renewal says anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// Why it is still needed.
    pub justification: String,
    /// Until when.
    pub expires_at: Option<DateTime<Utc>>,
    /// What is done meanwhile instead; `None` keeps what there is, each to be checked anew halfway.
    pub controls: Option<Vec<AskedControl>>,
}

/// Asks for an exception again, filled in from the one before: a new request, with a new reason.
/// Agents that are retired meanwhile are left out.
pub async fn renew(db: &Db, by: By<'_>, id: ExceptionId, again: &Again) -> Result<ExceptionId, Error> {
    let mut reads = db;
    let kept = stored::load(&mut reads, id).await?;
    super::stands(&mut reads, by, &kept).await?;
    let e = &kept.exception;
    match e.state(by.now) {
        ExceptionState::Active | ExceptionState::Expired | ExceptionState::Closed | ExceptionState::Revoked => {}
        state => {
            let state = state.label().to_lowercase();
            return Err(Error::Conflict(format!("{id} cannot be renewed: {state}. Ask for an exception of its own.")));
        }
    }
    let records = crate::agents::stored::load(&mut reads, &e.agents, by.now).await?;
    let left: Vec<AgentId> = records.iter().filter(|a| a.state != Lifecycle::Retired).map(|a| a.id).collect();
    let halfway = again.expires_at.map_or(by.now, |end| by.now + (end - by.now) / 2);
    let kept_on = || {
        let asked = |c: &Compensating| AskedControl { text: c.text.clone(), owner: c.owner, check_at: halfway };
        e.controls.iter().map(asked).collect()
    };
    let new = NewException {
        scope: match &e.selection {
            Selection::Label { key, value } => Scope::Label(format!("{key}={value}")),
            _ => Scope::Agents(left),
        },
        asked: Asked {
            title: e.title.clone(),
            control: e.control.clone(),
            node: e.node.clone(),
            duty: Some(e.duty),
            likelihood: e.likelihood.into(),
            impact: e.impact.into(),
            justification: again.justification.clone(),
            controls: again.controls.clone().unwrap_or_else(kept_on),
            starts_at: None,
            expires_at: again.expires_at,
            suspends: e.suspends,
        },
    };
    ask(db, by, &new).await
}

/// Changes what is done instead, while the exception waits for its decisions: what was decided on
/// the other terms counts no more, and it is asked again as it is now.
pub async fn controls(
    db: &Db,
    by: By<'_>,
    id: ExceptionId,
    version: i64,
    asked: &[AskedControl],
) -> Result<Kept, Error> {
    let mut change = Change::begin(db, by).await?;
    let mut kept = super::held(&mut change, id).await?;
    super::stands(&mut change.tx, by, &kept).await?;
    super::view::amend(by, &kept.exception)?;
    if kept.version != version {
        return Err(Error::Stale(kept.version));
    }
    let state = kept.exception.state(by.now);
    if state != ExceptionState::Requested {
        return Err(Error::Conflict(format!(
            "{id} is not waiting for decisions any more ({}): what was decided on is never changed.",
            state.label().to_lowercase()
        )));
    }
    let mut wrong =
        exception::wrong_controls(asked, kept.exception.starts_at.max(by.now), Some(kept.exception.expires_at), by.now);
    wrong.extend(owners(&mut change.tx, asked).await?);
    invalid(wrong)?;
    let old = kept.request;
    let before = kept.exception.terms();
    kept.exception.controls = controls_of(asked);
    let policy = policies::present(&mut change.tx).await?;
    kept.exception.lapses_at = lapses(by.now, &policy, kept.exception.expires_at);
    let agents = crate::agents::stored::load(&mut change.tx, &kept.exception.agents, by.now).await?;
    let event = change.event("requester", "exception.controls-changed", id);
    let request = open(&mut change, event, &kept.exception, &agents, &policy).await?;
    let args =
        args![id, change.id(event), version, by.now, request, kept.exception.sha256(), kept.exception.lapses_at,];
    let sql = "UPDATE exception SET event_id = $2, version = version + 1, updated_at = $4, request_id = $5, \
               subject_sha256 = $6, lapses_at = $7 WHERE id = $1 AND version = $3";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Conflict("Somebody else changed it at the same moment; look at it again.".into()));
    }
    change.wrote(event, &change::EXCEPTION, id.0);
    let rows = change
        .tx
        .all("SELECT id FROM compensating_control WHERE exception_id = $1 AND dropped_at IS NULL", args![id])
        .await?;
    for r in &rows {
        let number: i64 = r.get(0)?;
        let args = args![number, change.id(event), by.now];
        change.tx.run("UPDATE compensating_control SET event_id = $2, dropped_at = $3 WHERE id = $1", args).await?;
        change.wrote(event, &change::COMPENSATING_CONTROL, number);
    }
    write_controls(&mut change, event, &kept.exception).await?;
    let why = "What is done instead changed, so it is asked again.";
    ends::close(&mut change, event, old, domain::request::RequestState::Voided, why).await?;
    change.describe(
        event,
        json!({"compensating_controls": before["compensating_controls"], "request": old}),
        json!({"compensating_controls": kept.exception.terms()["compensating_controls"], "request": request,
            "subject_sha256": kept.exception.sha256(), "at": record::timestamp(by.now)}),
    );
    reassess(&mut change, &kept.exception.agents, false).await?;
    let out = stored::load(&mut change.tx, id).await?;
    change.commit().await?;
    Ok(out)
}
