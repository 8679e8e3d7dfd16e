//! How the demonstration's agents are stopped: webhooks that were drilled, a rehearsal that waits
//! for its witness, a stop with open steps whose webhook failed, and one whose review is overdue.
//! All of it is done by the use cases themselves, as its people did it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::Actor;
use domain::id::{AgentId, PersonId};
use domain::party::{Role, Roles};
use domain::stop::{MethodKind, Outcome, Step, Surface, sign};
use serde_json::json;

use crate::change::By;
use crate::db::Db;
use crate::error::Error;
use crate::stops::calls::{self, Callback};
use crate::stops::evidence::File;
use crate::stops::press::press;
use crate::stops::rehearsals::{self, ManualDrill};
use crate::stops::{self, NewMethod, card, steps};

/// People of the demonstration who stop agents, by position.
const ASTRID: usize = 19;
const OSKAR: usize = 12;
const RAVI: usize = 4;
const CLARA: usize = 6;
const MAREK: usize = 14;
const THANDI: usize = 37;

/// Who does something, and when.
struct Doer {
    actor: Actor,
    now: DateTime<Utc>,
}

impl Doer {
    const fn by(&self) -> By<'_> {
        By { actor: &self.actor, now: self.now }
    }
}

/// Records and rehearses. `agent` finds an agent by name, `person` a person by position.
pub(super) async fn stops(
    db: &Db,
    now: DateTime<Utc>,
    agent: impl Fn(&str) -> Result<AgentId, Error>,
    person: impl Fn(usize) -> PersonId,
) -> Result<(), Error> {
    let member = Roles::NONE.with(Role::Member);
    let who = |n: usize, at: DateTime<Utc>| Doer { actor: Actor::person(person(n), member), now: at };
    let (days, hours, minutes) = (TimeDelta::days, TimeDelta::hours, TimeDelta::minutes);

    let bot = agent("Delivery status bot")?;
    let orchestrator = agent("Dispatch orchestrator")?;
    let reminder = agent("Renewal reminder")?;
    let checker = agent("Tax code checker")?;
    let summariser = agent("Complaint summariser")?;

    shown(db, &who(ASTRID, now - days(19)), bot, Surface::Pause, 22).await?;
    written(db, &who(CLARA, now - days(16)), orchestrator, Surface::Revoke).await?;
    webhook(db, &who(ASTRID, now - days(10)), reminder, Surface::Pause).await?;
    shown(db, &who(OSKAR, now - days(8)), orchestrator, Surface::Pause, 33).await?;
    shown(db, &who(RAVI, now - days(7)), orchestrator, Surface::Isolate, 12).await?;

    // Nobody has reviewed it, and a day is over.
    let marek = who(MAREK, now - days(3));
    let pressed = press(db, marek.by(), checker, "It proposed a wrong code again after it was resumed.").await?;
    done(db, &who(MAREK, now - days(3) + minutes(4)), checker, pressed.id, Step::Pause).await?;

    let drill = ManualDrill {
        seconds: Some(54),
        witness: Some(person(THANDI)),
        note: "On the staging copy, with yesterday’s complaints.".into(),
        evidence: File {
            name: "drill.log".into(),
            bytes: b"09:14:02 scale summariser to 0\n09:14:56 no instance left\n".to_vec(),
        },
    };
    rehearsals::rehearse(db, who(ASTRID, now - days(1)).by(), summariser, Surface::Pause, drill).await?;

    // The webhook failed in earnest: a person paused it, and the rest is open.
    let astrid = who(ASTRID, now - hours(3));
    let pressed = press(db, astrid.by(), reminder, "It mails customers whose contracts were renewed.").await?;
    for call in &pressed.calls {
        let at = who(ASTRID, now - hours(3) + TimeDelta::seconds(2));
        calls::answered(db, at.by(), &call.delivery, Outcome::Refused, "HTTP 503: down for maintenance").await?;
    }
    done(db, &who(ASTRID, now - hours(3) + minutes(9)), reminder, pressed.id, Step::Pause).await
}

fn method(agent: AgentId, surface: Surface, kind: MethodKind) -> NewMethod {
    let (url, procedure) = match kind {
        MethodKind::Webhook => {
            (format!("https://stop.halden.example/{agent}/{surface}"), "The orchestrator’s stop hook.".to_owned())
        }
        MethodKind::Manual => (
            String::new(),
            "1. Revoke its tokens at the token service.\n2. Issue its grant anew once it may run again.".to_owned(),
        ),
    };
    NewMethod { surface, kind, procedure, url, timeout: None, new_secret: false, plain: false }
}

async fn written(db: &Db, who: &Doer, agent: AgentId, surface: Surface) -> Result<(), Error> {
    stops::record(db, who.by(), agent, method(agent, surface, MethodKind::Manual)).await?;
    Ok(())
}

/// Records a webhook; answers its secret.
async fn webhook(db: &Db, who: &Doer, agent: AgentId, surface: Surface) -> Result<String, Error> {
    let recorded = stops::record(db, who.by(), agent, method(agent, surface, MethodKind::Webhook)).await?;
    recorded.secret.ok_or_else(|| Error::Conflict(format!("the demonstration's webhook of {agent} is there already")))
}

/// A webhook that was recorded, drilled and shown by its signed callback after so many seconds.
async fn shown(db: &Db, who: &Doer, agent: AgentId, surface: Surface, seconds: i64) -> Result<(), Error> {
    let secret = webhook(db, who, agent, surface).await?;
    let begun = calls::begin_drill(db, who.by(), agent, surface).await?;
    calls::answered(db, who.by(), &begun.delivery, Outcome::Accepted, "HTTP 202").await?;
    let at = who.now + TimeDelta::seconds(seconds);
    let body = json!({"delivery": begun.delivery, "stopped": true}).to_string().into_bytes();
    let timestamp = at.timestamp().to_string();
    let signature = sign(&secret, &timestamp, &body);
    let sent = Callback { delivery: &begun.delivery, timestamp: &timestamp, signature: &signature, body: &body };
    calls::callback(db, at, sent).await?;
    Ok(())
}

/// Notes that a step of a stop is done.
async fn done(db: &Db, who: &Doer, agent: AgentId, stop: i64, step: Step) -> Result<(), Error> {
    let card = card::read(db, who.by(), agent, Some(stop)).await?;
    let open = card.and_then(|c| c.steps.into_iter().find(|s| s.step == step && s.done.is_none()));
    match open {
        Some(step) => steps::done(db, who.by(), agent, step.id).await,
        None => Ok(()),
    }
}
