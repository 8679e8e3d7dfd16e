//! What the demonstration's people have retired: one agent half way, and a tombstone with a waiver
//! whose agent gave a sign of life. Done by the use cases themselves, each row by its owner.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::Actor;
use domain::id::{AgentId, PersonId, RequestId};
use domain::party::{Party, Role, Roles};
use domain::request::Verdict;
use domain::retirement::RowKind;

use crate::args;
use crate::change::By;
use crate::db::Db;
use crate::error::Error;
use crate::requests::{self, Answer};
use crate::retirements::{self, Shown, ShownRow, life};
use crate::stops::evidence::File;

/// People of the demonstration by position.
const TOMAS: usize = 1;
const MAREN: usize = 2;

struct Stage<'a> {
    db: &'a Db,
    now: DateTime<Utc>,
    /// A security lead.
    lead: Actor,
    /// A risk analyst, who asks.
    analyst: Actor,
}

impl Stage<'_> {
    fn at<'a>(&self, actor: &'a Actor, days: i64) -> By<'a> {
        By { actor, now: self.now - TimeDelta::days(days) }
    }

    async fn rows(&self, id: RequestId, days: i64) -> Result<Vec<ShownRow>, Error> {
        Ok(retirements::read(self.db, self.at(&self.lead, days), id).await?.rows)
    }

    /// Whoever does a row: its owner, or the lead of the team that owns it; else security.
    async fn doer(&self, row: &ShownRow) -> Result<Actor, Error> {
        let person = match row.doer {
            Some((_, Party::Person(person), _)) => Some(person),
            Some((_, Party::Team(team), _)) => {
                let found = self.db.one("SELECT lead_id FROM team WHERE id = $1", args![team]).await?;
                found.map(|r| r.get::<Option<PersonId>>(0)).transpose()?.flatten()
            }
            None => None,
        };
        Ok(person.map_or_else(|| self.lead.clone(), |p| Actor::person(p, Roles::NONE.with(Role::Member))))
    }

    async fn close(&self, id: RequestId, row: &ShownRow, days: i64) -> Result<(), Error> {
        let actor = self.doer(row).await?;
        let said = format!("{}\ndone, and looked at again an hour later\n", row.kept.label());
        let file = File { name: format!("{}.log", row.kept.kind), bytes: said.into_bytes() };
        retirements::close(self.db, self.at(&actor, days), id, row.kept.place, Shown::File(file), "").await
    }

    async fn sign(&self, id: RequestId, place: i64, days: i64, reason: &str) -> Result<(), Error> {
        let view = requests::read(self.db, self.at(&self.lead, days), id).await?;
        let signer = view.steps.iter().find(|s| s.kept.step.place == place).and_then(|s| s.decider);
        let Some(signer) = signer else {
            retirements::waive_signature(self.db, self.at(&self.lead, days), id, place, "Nobody owns it any more.")
                .await?;
            return Ok(());
        };
        let actor = Actor::person(signer.person, Roles::NONE.with(Role::Member));
        let answer = Answer {
            verdict: Verdict::Approve,
            reason: reason.into(),
            conditions: Vec::new(),
            subject_sha256: view.kept.subject_sha256.clone(),
        };
        requests::decide(self.db, self.at(&actor, days), id, &[place], &answer).await?;
        Ok(())
    }
}

/// Retires and begins to retire. `agent` finds an agent by name, `person` a person by position.
pub(super) async fn retirements(
    db: &Db,
    now: DateTime<Utc>,
    agent: impl Fn(&str) -> Result<AgentId, Error>,
    person: impl Fn(usize) -> PersonId,
) -> Result<(), Error> {
    let of = |n: usize, role: Role| Actor::person(person(n), Roles::NONE.with(role));
    let stage = Stage { db, now, lead: of(TOMAS, Role::SecurityLead), analyst: of(MAREN, Role::RiskAnalyst) };

    let studio = agent("Image studio")?;
    let why = "Pictures come from the office suite now.";
    let stone = retirements::start(db, stage.at(&stage.analyst, 60), studio, why).await?;
    for row in stage.rows(stone, 58).await? {
        match row.kept.kind {
            RowKind::Watch => {}
            RowKind::ArchiveLogs => {
                let why = "The supplier closed its console with the contract; no logs can be had.";
                retirements::waive(db, stage.at(&stage.lead, 57), stone, row.kept.place, why).await?;
            }
            _ => stage.close(stone, &row, 58).await?,
        }
    }
    for row in stage.rows(stone, 20).await?.into_iter().filter(|r| r.kept.open()) {
        stage.close(stone, &row, 20).await?;
    }
    stage.sign(stone, 1, 19, "Nobody in marketing uses it.").await?;
    stage.sign(stone, 2, 18, "Its key is gone at the issuer.").await?;
    life::report(db, stage.at(&stage.lead, 2), studio, "cmdb").await?;

    let inspector = agent("Damage inspector")?;
    let why = "The camera supplier reads damage itself from next quarter.";
    let half = retirements::start(db, stage.at(&stage.analyst, 9), inspector, why).await?;
    for row in stage.rows(half, 8).await? {
        if matches!(row.kept.kind, RowKind::Announce | RowKind::StopExecution | RowKind::RevokeCredential) {
            stage.close(half, &row, 7).await?;
        }
    }
    Ok(())
}
