//! Break glass: an agent stopped at once, by whoever holds a duty of it or leads security. The
//! stop is recorded whatever becomes of the call; each step is noted by its duty; somebody else
//! reviews it within a day.

use chrono::{DateTime, Utc};
use domain::agent::{CredentialKind, Lifecycle};
use domain::assignment::RaciRole;
use domain::can::{Action, Denied, Relation, can};
use domain::id::AgentId;
use domain::party::Party;
use domain::stop::{self, MethodKind, REVIEW_WITHIN, Residual, Step, Surface, Token, residual};
use domain::text;
use serde_json::{Value, json};

use super::calls::{self, Begun, NewCall};
use super::{holds, methods};
use crate::agents::assess::{party_names, reassess};
use crate::agents::read::visible;
use crate::agents::relation::{capacity, relation};
use crate::agents::stored;
use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Arg, Db, Reads};
use crate::error::Error;

/// Longest reason or review, in characters.
const REASON_MAX: usize = 1000;

/// What is said where pausing has no webhook.
pub const BY_HAND: &str =
    "No webhook pauses it: the runtime owner carries out the written procedure, if there is one, now.";

/// A stop that was pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pressed {
    /// Its number.
    pub id: i64,
    /// The agent was active, and is suspended now.
    pub suspended: bool,
    /// The webhook to be called, if pausing has one.
    pub call: Option<Begun>,
}

/// A step as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepShown {
    /// Its number.
    pub id: i64,
    /// Which.
    pub step: Step,
    /// The credential it is about; empty otherwise.
    pub subject: String,
    /// When it was done.
    pub done_at: Option<DateTime<Utc>>,
    /// By whom, by name.
    pub done_by: String,
}

/// A stop with its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Its number.
    pub id: i64,
    /// When it was pressed.
    pub at: DateTime<Utc>,
    /// By whom: a reference.
    pub stopped_by: String,
    /// The same, by name.
    pub stopped_by_name: String,
    /// Why.
    pub reason: String,
    /// The state in which the agent was.
    pub was: Lifecycle,
    /// By when it is to be reviewed.
    pub review_due: DateTime<Utc>,
    /// When it was, by whom (by name), and what was found.
    pub review: Option<(DateTime<Utc>, String, String)>,
    /// What is to be done.
    pub steps: Vec<StepShown>,
    /// What remains at worst.
    pub residual: Residual,
}

fn sentence(given: &str, what: &'static str, pointer: &str, ask: &str) -> Result<String, Error> {
    let given = text::prose(given, what, REASON_MAX).map_err(|e| Error::field(pointer, e.to_string()))?;
    if given.is_empty() { Err(Error::field(pointer, ask)) } else { Ok(given) }
}

/// Stops an agent at once. It only ever removes access, so it works in every state; an active
/// agent becomes suspended. The answer's call is then made by [`crate::stops::calls`]'s caller.
pub async fn press(db: &Db, by: By<'_>, agent: AgentId, reason: &str) -> Result<Pressed, Error> {
    let mut change = Change::begin(db, by).await?;
    let record = stored::load(&mut change.tx, &[agent], by.now)
        .await?
        .pop()
        .ok_or_else(|| Error::NotFound(format!("agent {agent}")))?;
    let stands = relation(&mut change.tx, by.actor, &record).await?;
    visible(by.actor, &record, stands)?;
    can(by.actor, Action::StopPress, stands)?;
    let reason = sentence(reason, "The reason", "/reason", "Say why: whoever reviews it reads it.")?;
    let who = capacity(by.actor, stands);
    let event = change.event(who.clone(), "stop.pressed", agent);
    change.because(event, &reason);
    let suspended = record.state == Lifecycle::Active;
    if suspended {
        let done = change
            .tx
            .run(
                "UPDATE agent SET version = version + 1, event_id = $3, updated_at = $4, state = $5, state_at = $4 \
                 WHERE id = $1 AND version = $2",
                args![agent, record.version, change.id(event), by.now, Lifecycle::Suspended.key()],
            )
            .await?;
        if done != 1 {
            return Err(Error::Conflict(format!("{agent} was changed at the same moment; press again.")));
        }
        change.wrote(event, &change::AGENT, agent.0);
        change.describe(event, json!({"state": record.state}), json!({"state": Lifecycle::Suspended}));
    } else {
        change.describe(event, Value::Null, json!({"was": record.state}));
    }
    let id = change.next("stopping", 1).await?;
    let columns = [
        "id",
        "event_id",
        "agent_id",
        "at",
        "stopped_by",
        "capacity",
        "reason",
        "was",
        "review_due",
        "reviewed_by",
        "review",
    ];
    let row = args![
        id,
        change.id(event),
        agent,
        by.now,
        by.actor.who.to_string(),
        who,
        &reason,
        record.state.key(),
        by.now + REVIEW_WITHIN,
        "",
        ""
    ];
    change.tx.insert("stopping", &columns, vec![row], "").await?;
    change.wrote(event, &change::STOPPING, id);
    let plan = stop::plan(&record.facts);
    let first = change.next("stop-step", i64::try_from(plan.len()).unwrap_or(i64::MAX)).await?;
    let mut rows: Vec<Vec<Arg>> = Vec::with_capacity(plan.len());
    for (number, step) in (first..).zip(plan) {
        rows.push(args![
            number,
            change.id(event),
            id,
            step.step.key(),
            step.subject,
            step.kind.map_or("", CredentialKind::key),
            step.ttl_seconds,
            ""
        ]);
        change.wrote(event, &change::STOP_STEP, number);
    }
    let columns = ["id", "event_id", "stopping_id", "step", "subject", "credential_kind", "ttl_seconds", "done_by"];
    change.tx.insert("stop_step", &columns, rows, "").await?;
    let method = methods(&mut change.tx, agent).await?.into_iter().find(|m| m.surface == Surface::Pause);
    let mut call = None;
    if let Some(method) = method.filter(|m| m.kind == MethodKind::Webhook)
        && let Some(timeout) = method.timeout
    {
        let new = NewCall { stopping: Some(id), due_at: by.now + timeout, ..NewCall::default() };
        let delivery = calls::insert(&mut change, event, agent, &method, new).await?;
        call = Some(calls::begun(&mut change, agent, &method, delivery, false).await?);
    }
    reassess(&mut change, &[agent], false).await?;
    change.commit().await?;
    Ok(Pressed { id, suspended, call })
}

/// Notes that a step is done: by who holds its duty as A or R, or a security lead.
pub async fn done(db: &Db, by: By<'_>, agent: AgentId, step: i64) -> Result<(), Error> {
    let missing = || Error::NotFound("such a step".into());
    let mut change = Change::begin(db, by).await?;
    let record = stored::load(&mut change.tx, &[agent], by.now).await?.pop().ok_or_else(missing)?;
    let stands = relation(&mut change.tx, by.actor, &record).await?;
    visible(by.actor, &record, stands)?;
    let row = change
        .tx
        .one(
            "SELECT t.step, t.subject FROM stop_step t JOIN stopping s ON s.id = t.stopping_id \
             WHERE t.id = $1 AND s.agent_id = $2",
            args![step, agent],
        )
        .await?
        .ok_or_else(missing)?;
    let what: Step = row.get(0)?;
    let does = [RaciRole::Accountable, RaciRole::Responsible];
    let holds = holds(&mut change.tx, by.actor, agent, what.duty(), &does, by.now).await?;
    let relation = if holds.is_some() { Relation::Owner } else { Relation::None };
    can(by.actor, Action::StopStep, relation)?;
    let event = change.event(capacity(by.actor, relation), "stop-step.done", agent);
    change.describe(event, Value::Null, json!({"step": what, "subject": row.get::<String>(1)?}));
    let args = args![step, by.now, by.actor.who.to_string(), change.id(event)];
    let sql = "UPDATE stop_step SET done_at = $2, done_by = $3, event_id = $4 WHERE id = $1 AND done_at IS NULL";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Conflict("That step was done before.".into()));
    }
    change.wrote(event, &change::STOP_STEP, step);
    change.commit().await?;
    Ok(())
}

/// Somebody else than who stopped it says whether that was right.
pub async fn review(db: &Db, by: By<'_>, agent: AgentId, stopping: i64, found: &str) -> Result<(), Error> {
    let missing = || Error::NotFound("such a stop".into());
    let mut change = Change::begin(db, by).await?;
    let record = stored::load(&mut change.tx, &[agent], by.now).await?.pop().ok_or_else(missing)?;
    let stands = relation(&mut change.tx, by.actor, &record).await?;
    visible(by.actor, &record, stands)?;
    can(by.actor, Action::StopReview, stands)?;
    let row = change
        .tx
        .one("SELECT stopped_by FROM stopping WHERE id = $1 AND agent_id = $2", args![stopping, agent])
        .await?
        .ok_or_else(missing)?;
    let me = by.actor.who.to_string();
    if row.get::<String>(0)? == me {
        return Err(Error::Denied(Denied::Forbidden(
            "Nobody reviews what they did: another security lead reviews this stop.".into(),
        )));
    }
    let found = sentence(found, "The review", "/review", "Say what you found: was it right, and what follows.")?;
    let event = change.event(capacity(by.actor, stands), "stop.reviewed", agent);
    change.because(event, &found);
    let args = args![stopping, by.now, &me, &found, change.id(event)];
    let sql = "UPDATE stopping SET reviewed_at = $2, reviewed_by = $3, review = $4, event_id = $5 \
               WHERE id = $1 AND reviewed_at IS NULL";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Conflict("That stop was reviewed before.".into()));
    }
    change.wrote(event, &change::STOPPING, stopping);
    reassess(&mut change, &[agent], false).await?;
    change.commit().await?;
    Ok(())
}

/// The newest stop of an agent, for whoever may see it.
pub async fn latest(db: &Db, by: By<'_>, agent: AgentId) -> Result<Option<Card>, Error> {
    let row = db
        .one(
            "SELECT id, at, stopped_by, reason, was, review_due, reviewed_at, reviewed_by, review FROM stopping \
             WHERE agent_id = $1 ORDER BY id DESC LIMIT 1",
            args![agent],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let id: i64 = row.get(0)?;
    let rows = db
        .all(
            "SELECT id, step, subject, credential_kind, ttl_seconds, done_at, done_by FROM stop_step \
             WHERE stopping_id = $1 ORDER BY id",
            args![id],
        )
        .await?;
    let (stopped_by, reviewed_by): (String, String) = (row.get(2)?, row.get(7)?);
    let mut people: Vec<Party> = [&stopped_by, &reviewed_by].into_iter().filter_map(|p| p.parse().ok()).collect();
    for r in &rows {
        people.extend(r.get::<String>(6)?.parse::<Party>());
    }
    let mut reads = db;
    let names = party_names(&mut reads, people).await?;
    let called = |who: String| match who.parse::<Party>() {
        Ok(party) => names.get(&party).cloned().unwrap_or(who),
        Err(_) => who,
    };
    let (mut steps, mut tokens, mut paused_at) = (Vec::new(), Vec::new(), None);
    for r in rows {
        let (step, done_at): (Step, Option<DateTime<Utc>>) = (r.get(1)?, r.get(5)?);
        if step == Step::Pause {
            paused_at = done_at;
        }
        if let Ok(kind) = r.get::<String>(3)?.parse::<CredentialKind>()
            && step == Step::Revoke
        {
            tokens.push(Token { kind, ttl_seconds: r.get(4)?, revoked_at: done_at });
        }
        steps.push(StepShown { id: r.get(0)?, step, subject: r.get(2)?, done_at, done_by: called(r.get(6)?) });
    }
    let review: Option<DateTime<Utc>> = row.get(6)?;
    let found: String = row.get(8)?;
    Ok(Some(Card {
        id,
        at: row.get(1)?,
        stopped_by_name: called(stopped_by.clone()),
        stopped_by,
        reason: row.get(3)?,
        was: row.get(4)?,
        review_due: row.get(5)?,
        review: review.map(|at| (at, called(reviewed_by), found)),
        steps,
        residual: residual(&tokens, paused_at, by.now),
    }))
}

/// When the oldest unreviewed stop of each agent is due for review.
pub(crate) async fn reviews_due(
    reads: &mut impl Reads,
    ids: &[AgentId],
) -> Result<std::collections::HashMap<AgentId, DateTime<Utc>>, Error> {
    let mut out = std::collections::HashMap::new();
    for batch in ids.chunks(500) {
        let sql = format!(
            "SELECT agent_id, MIN(review_due) FROM stopping WHERE reviewed_at IS NULL AND agent_id IN {} GROUP BY agent_id",
            crate::db::marks(1, batch.len())
        );
        for r in reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
            out.insert(r.get(0)?, r.get(1)?);
        }
    }
    Ok(out)
}
