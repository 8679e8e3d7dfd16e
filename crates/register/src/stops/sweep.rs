//! Everything that uses a credential, a tool, a vendor or a system, stopped in one press. Each
//! agent has its own event and its own stop; they are written some at a time, so that others
//! can write meanwhile and a stop that broke off has stopped whatever it reached.

use domain::agent::Lifecycle;
use domain::can::{Action, Denied, Relation, can};
use domain::id::AgentId;
use domain::stop::{Part, Uses};

use super::calls::Begun;
use super::press::{self, Why};
use super::radius::{Over, Scope, Shared, find, radius};
use crate::agents::assess::reassess;
use crate::agents::read::visible;
use crate::agents::relation::relations;
use crate::agents::stored;
use crate::change::{By, Change};
use crate::db::Db;
use crate::error::Error;

/// How many agents one transaction stops.
const BATCH: i64 = 50;
/// How often a batch is tried again when somebody else changes an agent of it meanwhile.
const TRIES: usize = 4;

/// A stop of many, under way.
#[derive(Debug)]
pub struct Sweep {
    shared: Shared,
    scope: Scope,
    reason: String,
    last: i64,
    queue: usize,
    done: Swept,
}

/// What a stop of many has done so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Swept {
    /// How many agents are stopped by it.
    pub stopped: i64,
    /// How many of these were active, and are suspended now.
    pub suspended: i64,
    /// How many webhooks are called for it.
    pub calls: i64,
    /// How many of the agents no webhook pauses: a person must.
    pub by_hand: i64,
}

impl Sweep {
    /// Prepares to stop every agent that uses something and that the actor may stop. Refused
    /// when there is none; the refusal says why.
    pub async fn begin(db: &Db, by: By<'_>, uses: &Uses, why: &str) -> Result<Self, Error> {
        let scope = Scope::of(by.actor)?;
        let (shared, radius) = radius(db, by, uses).await?;
        scope.may_stop(by.actor)?;
        let reason = press::reason(why)?;
        if radius.of(Part::Yours) == 0 {
            let all = radius.of(Part::All);
            return Err(match (all, radius.of(Part::Stopped)) {
                (0, _) => {
                    let (verb, called) = (shared.uses.verb(), shared.called());
                    Error::Conflict(format!("No agent {verb} the {called}: there is nothing to stop."))
                }
                (all, stopped) if all == stopped => Error::Conflict("Every one of them is stopped already.".into()),
                _ => Error::Denied(Denied::Forbidden(
                    "None of them is yours to stop: their owners, their deputies and security leads may.".into(),
                )),
            });
        }
        Ok(Self { shared, scope, reason, last: 0, queue: 0, done: Swept::default() })
    }

    /// What is used.
    pub const fn shared(&self) -> &Shared {
        &self.shared
    }

    /// What is done so far.
    pub const fn done(&self) -> &Swept {
        &self.done
    }

    /// Stops the next agents in one transaction, and answers the calls to be made for them;
    /// `None` once no agent is left.
    pub async fn next(&mut self, db: &Db, by: By<'_>) -> Result<Option<Vec<Begun>>, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.batch(db, by).await {
                Err(Error::Conflict(_)) if tries < TRIES => {}
                outcome => return outcome,
            }
        }
    }

    async fn batch(&mut self, db: &Db, by: By<'_>) -> Result<Option<Vec<Begun>>, Error> {
        let mut change = Change::begin(db, by).await?;
        // Each agent's rights are asked again: they may have changed since the last batch.
        let shared = find(&mut change.tx, &self.shared.uses).await?;
        let mut over = Over::new(&mut change.tx, by, &shared, self.scope).await?;
        over.narrow(Part::Yours);
        let (sql, list) = over.ids(self.last, BATCH);
        let ids = change.tx.all(sql, list).await?.iter().map(|r| r.get(0)).collect::<Result<Vec<AgentId>, _>>()?;
        let Some(last) = ids.last().map(|id| id.0) else { return Ok(None) };
        let agents = stored::load(&mut change.tx, &ids, by.now).await?;
        let stands = relations(&mut change.tx, by.actor, &ids, by.now).await?;
        let called = shared.called();
        let why = Why { reason: &self.reason, uses: Some(&called) };
        let (mut done, mut queue, mut calls, mut stopped) = (self.done.clone(), self.queue, Vec::new(), Vec::new());
        for agent in &agents {
            let stands = stands.get(&agent.id).copied().unwrap_or(Relation::None);
            let may = visible(by.actor, agent, stands).is_ok() && can(by.actor, Action::StopPress, stands).is_ok();
            if !may || agent.state == Lifecycle::Retired {
                continue;
            }
            let pressed = press::stop(&mut change, agent, stands, &why, &mut queue).await?;
            done.stopped += 1;
            done.suspended += i64::from(pressed.suspended);
            done.calls += i64::try_from(pressed.calls.len()).unwrap_or(0);
            done.by_hand += i64::from(pressed.by_hand());
            calls.extend(pressed.calls);
            stopped.push(agent.id);
        }
        reassess(&mut change, &stopped, false).await?;
        change.commit().await?;
        (self.last, self.queue, self.done) = (last, queue, done);
        Ok(Some(calls))
    }
}
