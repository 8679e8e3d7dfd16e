//! Reviews of the demonstration: one attested that soon falls due again, and a campaign half
//! done. What is overdue is so by the clock alone. All of it is done by the use cases.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::Actor;
use domain::id::{AgentId, PersonId};
use domain::party::{Role, Roles};
use domain::request::Verdict;
use domain::review::latest;

use crate::change::By;
use crate::db::Db;
use crate::error::Error;
use crate::requests::{Answer, decide};
use crate::reviews::{self, NewCampaign};

/// People of the demonstration, by position.
const MAREN: usize = 2;
const BEA: usize = 3;
const RAVI: usize = 4;
const ASTRID: usize = 19;

/// The agents of the campaign; the last is not approved, so it is left out.
const CODING: [&str; 6] =
    ["Code reviewer", "Test writer", "Patch agent", "Incident scribe", "Log explorer", "Infra planner"];

struct Doer {
    actor: Actor,
    now: DateTime<Utc>,
}

impl Doer {
    const fn by(&self) -> By<'_> {
        By { actor: &self.actor, now: self.now }
    }
}

/// Reviews. `agent` finds an agent by name, `person` a person by position.
pub(super) async fn reviews(
    db: &Db,
    now: DateTime<Utc>,
    agent: impl Fn(&str) -> Result<AgentId, Error>,
    person: impl Fn(usize) -> PersonId,
) -> Result<(), Error> {
    let who = |n: usize, role: Role, days: i64| Doer {
        actor: Actor::person(person(n), Roles::NONE.with(role)),
        now: now - TimeDelta::days(days),
    };
    let member = |n, days| who(n, Role::Member, days);

    let bot = agent("Delivery status bot")?;
    let review = reviews::open(db, member(BEA, 68).by(), bot, "Before the busy season.").await?;
    answer(db, &member(ASTRID, 66), review, Verdict::Attest, "It still only says where parcels are.").await?;

    let agents = CODING.iter().map(|name| agent(name)).collect::<Result<Vec<_>, _>>()?;
    let asked = who(MAREN, Role::RiskAnalyst, 12);
    let new = NewCampaign {
        name: "Coding agents, autumn".into(),
        reason: "After the incident with the build server: does each still do only what it is for?".into(),
        due_at: now + TimeDelta::days(9),
        selection: String::new(),
        agents,
    };
    let campaign = reviews::make(db, asked.by(), &new).await?;
    let lines = reviews::list_of_campaign(db, asked.by(), campaign, None, None, Some(50)).await?.items;
    let of = |name: &str| -> Result<_, Error> {
        let id = agent(name)?;
        lines
            .iter()
            .find(|l| l.agent == id)
            .and_then(|l| l.id)
            .ok_or_else(|| Error::Conflict(format!("the demonstration has no review of “{name}”")))
    };
    let ravi = member(RAVI, 8);
    answer(db, &ravi, of("Code reviewer")?, Verdict::Attest, "Comments only, as approved.").await?;
    let ask = "Give it write access without admin: it opens merge requests, nothing more.";
    answer(db, &member(RAVI, 6), of("Patch agent")?, Verdict::Change, ask).await?;
    let explorer = of("Log explorer")?;
    let by = member(RAVI, 5);
    let line = reviews::read(db, by.by(), explorer).await?;
    let until = line.due_at.map_or(now, |at| at + TimeDelta::days(12));
    // Half of the cadence of its tier may be less than that.
    let until = until.min(latest(90, by.now));
    reviews::defer(db, by.by(), explorer, until, "Its business owner left; a new one is being found.").await
}

async fn answer(
    db: &Db,
    who: &Doer,
    review: domain::id::RequestId,
    verdict: Verdict,
    reason: &str,
) -> Result<(), Error> {
    let line = reviews::read(db, who.by(), review).await?;
    let answer =
        Answer { verdict, reason: reason.to_owned(), conditions: Vec::new(), subject_sha256: line.subject_sha256 };
    decide(db, who.by(), review, &[line.place], &answer).await?;
    Ok(())
}
