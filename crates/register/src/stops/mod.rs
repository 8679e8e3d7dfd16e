//! How an agent is stopped, surface by surface: a written procedure, or a webhook that Muster
//! calls. Another text is a new version, and what was shown with the old one proves nothing of
//! the new.

pub mod calls;
pub mod card;
pub mod cut;
pub mod evidence;
pub mod press;
pub mod radius;
pub mod rehearsals;
pub mod shown;
pub mod steps;
pub mod sweep;

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::Lifecycle;
use domain::assignment::RaciRole;
use domain::can::{Action, Actor, Denied, Relation, can};
use domain::duty::Duty;
use domain::id::AgentId;
use domain::party::Party;
use domain::stop::{self, MethodKind, Surface};
use domain::text;
use serde_json::{Value, json};

use crate::agents::assess::{ownership, reassess};
use crate::agents::read::visible;
use crate::agents::relation::{acts_for, capacity, relation};
use crate::agents::{Agent, stored};
use crate::change::{self, By, Change};
use crate::db::{Db, DbError, Reads};
use crate::error::{Checked, Error};
use crate::{args, random};

/// Longest procedure, in characters.
pub const PROCEDURE_MAX: usize = 8000;

/// What every secret of a method begins with, so that a scanner finds one in a place it
/// should not be.
pub const SECRET_PREFIX: &str = "msk_";

pub use domain::stop::Method;

/// A method to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMethod {
    /// What it stops.
    pub surface: Surface,
    /// How.
    pub kind: MethodKind,
    /// What people do; may be empty for a webhook.
    pub procedure: String,
    /// What Muster calls; empty for a procedure.
    pub url: String,
    /// How long the signed callback is awaited; [`stop::DEFAULT_TIMEOUT`] unless said.
    pub timeout: Option<TimeDelta>,
    /// A new version with a new secret, though nothing else changed.
    pub new_secret: bool,
    /// `http` is taken too: the operator allows targets in private networks.
    pub plain: bool,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The version in force.
    pub version: i64,
    /// The webhook's secret, if one was made: the only moment at which it is shown.
    pub secret: Option<String>,
}

/// The methods in force of an agent, for whoever may see them.
pub async fn methods(reads: &mut impl Reads, agent: AgentId) -> Result<Vec<Method>, DbError> {
    let rows = reads
        .rows(
            "SELECT id, COALESCE(surface, 'pause'), version, kind, procedure_text, url, timeout_ms, valid_from \
             FROM stop_method WHERE agent_id = $1 AND valid_to IS NULL",
            args![agent],
        )
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        out.push(Method {
            id: r.get(0)?,
            surface: r.get(1)?,
            version: r.get(2)?,
            kind: r.get(3)?,
            procedure: r.get(4)?,
            url: r.get(5)?,
            timeout: r.get::<Option<i64>>(6)?.map(TimeDelta::milliseconds),
            since: r.get(7)?,
        });
    }
    out.sort_by_key(|m| m.surface);
    Ok(out)
}

/// For which party the actor holds a duty of an agent in one of these roles, the
/// Accountable one first.
pub(crate) async fn holds(
    reads: &mut impl Reads,
    actor: &Actor,
    agent: AgentId,
    duty: Duty,
    roles: &[RaciRole],
    now: DateTime<Utc>,
) -> Result<Option<Party>, Error> {
    let Some(me) = actor.person_id() else { return Ok(None) };
    let mine = acts_for(reads, me, now).await?;
    let mut held = ownership(reads, &[agent]).await?.held.remove(&agent).unwrap_or_default();
    held.retain(|h| h.duty == duty && roles.contains(&h.role) && mine.contains(&h.party));
    held.sort_by_key(|h| h.role != RaciRole::Accountable);
    Ok(held.first().map(|h| h.party))
}

/// How the actor stands to one surface of an agent. Pausing is every owner's business; the
/// other surfaces are their own duty's.
pub(crate) async fn stands(
    reads: &mut impl Reads,
    actor: &Actor,
    agent: &Agent,
    surface: Surface,
) -> Result<Relation, Error> {
    let general = relation(reads, actor, agent).await?;
    if surface == Surface::Pause || !matches!(general, Relation::Owner | Relation::Delegate) {
        return Ok(general);
    }
    let does = [RaciRole::Accountable, RaciRole::Responsible];
    Ok(match holds(reads, actor, agent.id, surface.duty(), &does, agent.as_of).await? {
        Some(_) => Relation::Owner,
        None => Relation::None,
    })
}

/// Whether the actor may record how this surface is stopped; the refusal says who may.
pub async fn may_write(db: &Db, by: By<'_>, agent: &Agent, surface: Surface) -> Result<Relation, Error> {
    let mut reads = db;
    let stands = stands(&mut reads, by.actor, agent, surface).await?;
    permitted(by.actor, stands, surface)?;
    Ok(stands)
}

fn permitted(actor: &Actor, stands: Relation, surface: Surface) -> Result<(), Error> {
    can(actor, Action::StopMethodWrite, stands).map_err(|denied| match denied {
        Denied::Forbidden(_) if surface != Surface::Pause && actor.scopes.is_none() => {
            Error::Denied(Denied::Forbidden(format!(
                "How to {} is written by its {}, by whoever does that work, and by security leads.",
                surface.label().to_lowercase(),
                surface.duty().owner_title().to_lowercase().replace("api", "API")
            )))
        }
        denied => denied.into(),
    })
}

/// Records the manual procedure by which an agent is paused.
pub async fn record_procedure(db: &Db, by: By<'_>, agent: AgentId, procedure: &str) -> Result<(), Error> {
    let new = NewMethod {
        surface: Surface::Pause,
        kind: MethodKind::Manual,
        procedure: procedure.to_owned(),
        url: String::new(),
        timeout: None,
        new_secret: false,
        plain: false,
    };
    record(db, by, agent, new).await.map(|_| ())
}

/// A method whose texts are checked.
struct Valid {
    procedure: String,
    url: Option<String>,
    timeout_ms: Option<i64>,
}

fn checked(new: &NewMethod) -> Result<Valid, Error> {
    let mut wrong = Checked::default();
    let procedure = wrong.take("/procedure", text::prose(&new.procedure, "The procedure", PROCEDURE_MAX));
    let (mut url, mut timeout_ms) = (None, None);
    match new.kind {
        MethodKind::Manual if new.procedure.trim().is_empty() => {
            wrong.refuse("/procedure", "Write down, step by step, how the agent is stopped.");
        }
        MethodKind::Manual => {}
        MethodKind::Webhook => {
            url = Some(wrong.take("/url", stop::target(&new.url, new.plain)));
            let timeout = new.timeout.unwrap_or(stop::DEFAULT_TIMEOUT);
            if timeout < stop::TIMEOUT.0 || timeout > stop::TIMEOUT.1 {
                wrong.refuse("/timeout_seconds", "A callback is awaited for 1 second to 30 minutes.");
            }
            timeout_ms = Some(timeout.num_milliseconds());
        }
    }
    wrong.done()?;
    Ok(Valid { procedure, url, timeout_ms })
}

/// Records how one surface of an agent is stopped.
pub async fn record(db: &Db, by: By<'_>, agent: AgentId, new: NewMethod) -> Result<Recorded, Error> {
    let mut change = Change::begin(db, by).await?;
    let found = stored::load(&mut change.tx, &[agent], by.now).await?;
    let Some(record) = found.first() else { return Err(Error::NotFound(format!("agent {agent}"))) };
    let stands = stands(&mut change.tx, by.actor, record, new.surface).await?;
    visible(by.actor, record, relation(&mut change.tx, by.actor, record).await?)?;
    permitted(by.actor, stands, new.surface)?;
    let Valid { procedure, url, timeout_ms } = checked(&new)?;
    if record.state == Lifecycle::Retired {
        return Err(Error::Conflict(format!("{agent} is retired: there is nothing left to stop.")));
    }
    let last: i64 = change
        .tx
        .one(
            "SELECT COALESCE(MAX(version), 0) FROM stop_method WHERE agent_id = $1 AND COALESCE(surface, 'pause') = $2",
            args![agent, new.surface.key()],
        )
        .await?
        .map(|r| r.get(0))
        .transpose()?
        .unwrap_or(0);
    let old = methods(&mut change.tx, agent).await?.into_iter().find(|m| m.surface == new.surface);
    let event = change.event(capacity(by.actor, stands), "stop-method.recorded", agent);
    let mut before = Value::Null;
    if let Some(old) = old {
        let same = old.kind == new.kind
            && old.procedure == procedure
            && old.url == url
            && old.timeout.map(|t| t.num_milliseconds()) == timeout_ms;
        if same && !(new.new_secret && new.kind == MethodKind::Webhook) {
            return Ok(Recorded { version: old.version, secret: None });
        }
        before = described(new.surface, old.version, old.kind, &old.procedure, old.url.as_deref());
        let args = args![old.id, by.now, change.id(event)];
        change.tx.run("UPDATE stop_method SET valid_to = $2, event_id = $3 WHERE id = $1", args).await?;
        change.wrote(event, &change::STOP_METHOD, old.id);
    }
    let version = last + 1;
    change.describe(event, before, described(new.surface, version, new.kind, &procedure, url.as_deref()));
    let id = change.next("stop", 1).await?;
    let row = args![
        id,
        change.id(event),
        agent,
        version,
        new.kind.key(),
        &procedure,
        by.now,
        Option::<i64>::None,
        new.surface.key(),
        url,
        timeout_ms
    ];
    let inserted = change
        .tx
        .insert(
            "stop_method",
            &[
                "id",
                "event_id",
                "agent_id",
                "version",
                "kind",
                "procedure_text",
                "valid_from",
                "valid_to",
                "surface",
                "url",
                "timeout_ms",
            ],
            vec![row],
            "",
        )
        .await;
    inserted.map_err(|e| Error::unique(e, "Somebody else recorded a method at the same moment; look at it first."))?;
    change.wrote(event, &change::STOP_METHOD, id);
    let mut secret = None;
    if new.kind == MethodKind::Webhook {
        let made = format!("{SECRET_PREFIX}{}", random::secret());
        change
            .tx
            .insert("stop_secret", &["method_id", "secret", "made_at"], vec![args![id, &made, by.now]], "")
            .await?;
        secret = Some(made);
    }
    if new.surface == Surface::Pause {
        reassess(&mut change, &[agent], false).await?;
    }
    change.commit().await?;
    Ok(Recorded { version, secret })
}

fn described(surface: Surface, version: i64, kind: MethodKind, procedure: &str, url: Option<&str>) -> Value {
    let mut out = json!({"version": version, "kind": kind, "procedure": procedure});
    if surface != Surface::Pause {
        out["surface"] = surface.key().into();
    }
    if let Some(url) = url {
        out["url"] = url.into();
    }
    out
}
