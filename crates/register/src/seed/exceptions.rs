//! Exceptions of the demonstration: one in each state, asked, decided, checked and ended by the
//! use cases themselves, each step by whoever it waits for.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::Actor;
use domain::duty::Duty;
use domain::exception::{Asked, AskedControl, Control};
use domain::finding::FindingKey;
use domain::id::{AgentId, ExceptionId, PersonId, SystemId};
use domain::party::{Role, Roles};
use domain::request::Verdict;

use crate::agents::assess::reassess;
use crate::change::{By, Change};
use crate::db::Db;
use crate::error::Error;
use crate::exceptions::{self, NewException, Scope};
use crate::requests::{self, Answer};

/// People of the demonstration, by position.
const TOMAS: usize = 1;
const MAREN: usize = 2;
const BEA: usize = 3;
const RAVI: usize = 4;
const CLARA: usize = 6;
const SALMA: usize = 8;
const ELENA: usize = 17;
const EMIL: usize = 38;

struct Stage<'a, P: Fn(usize) -> PersonId> {
    db: &'a Db,
    now: DateTime<Utc>,
    person: P,
}

/// What is asked, as a row of the script.
struct Wish<'a> {
    title: &'a str,
    scope: Scope,
    control: Control,
    duty: Option<Duty>,
    node: &'a str,
    risk: (i64, i64),
    why: &'a str,
    /// What is done instead, by whom, and checked so many days after it was asked.
    instead: &'a [(&'a str, usize, i64)],
    /// Asked so many days ago, and wished for so many days.
    days: (i64, i64),
    suspends: bool,
}

impl<P: Fn(usize) -> PersonId> Stage<'_, P> {
    fn at(&self, days: i64) -> DateTime<Utc> {
        self.now - TimeDelta::days(days)
    }

    fn actor(&self, n: usize) -> Actor {
        let role = match n {
            TOMAS => Role::SecurityLead,
            MAREN => Role::RiskAnalyst,
            _ => Role::Member,
        };
        Actor::person((self.person)(n), Roles::NONE.with(role))
    }

    /// The risk analyst asks; no longer than the tier of the agents allows.
    async fn ask(&self, wish: Wish<'_>) -> Result<ExceptionId, Error> {
        let actor = self.actor(MAREN);
        let (ago, days) = wish.days;
        let by = By { actor: &actor, now: self.at(ago) };
        let takes = exceptions::foresee(self.db, by, &wish.scope, &wish.control, wish.duty).await?;
        let end = by.now + TimeDelta::days(days.min(takes.most_days)) - TimeDelta::hours(1);
        let controls = wish
            .instead
            .iter()
            .map(|(text, owner, after)| AskedControl {
                text: (*text).to_owned(),
                owner: (self.person)(*owner),
                check_at: (by.now + TimeDelta::days(*after)).min(end - TimeDelta::hours(12)),
            })
            .collect();
        let asked = Asked {
            title: wish.title.to_owned(),
            control: wish.control,
            node: wish.node.to_owned(),
            duty: wish.duty,
            likelihood: wish.risk.0,
            impact: wish.risk.1,
            justification: wish.why.to_owned(),
            controls,
            starts_at: None,
            expires_at: Some(end),
            suspends: wish.suspends,
        };
        exceptions::ask(self.db, by, &NewException { scope: wish.scope, asked }).await
    }

    /// Everybody it waits for decides alike, so many days ago; with `only`, only that duty.
    async fn decide(
        &self,
        id: ExceptionId,
        days: i64,
        verdict: Verdict,
        reason: &str,
        only: Option<Duty>,
    ) -> Result<(), Error> {
        let mut reads = self.db;
        let request = exceptions::stored::load(&mut reads, id).await?.request;
        loop {
            let kept = requests::stored::load(&mut reads, request).await?;
            if kept.closed.is_some() {
                return Ok(());
            }
            let mut open = kept.steps.iter().filter(|s| s.step.decided.is_none());
            let mine = |duty: Duty| only.is_none_or(|only| only == duty);
            let Some((step, whose)) = open.find_map(|s| Some((s, s.waits_for?)).filter(|(s, _)| mine(s.step.duty)))
            else {
                return Ok(());
            };
            let actor = Actor::person(whose, Roles::NONE.with(Role::Member));
            let by = By { actor: &actor, now: self.at(days) };
            let answer = Answer {
                verdict,
                reason: reason.to_owned(),
                conditions: Vec::new(),
                subject_sha256: kept.subject_sha256.clone(),
            };
            requests::decide(self.db, by, request, &[step.step.place], &answer).await?;
        }
    }

    async fn agreed(&self, wish: Wish<'_>, days: i64) -> Result<ExceptionId, Error> {
        let id = self.ask(wish).await?;
        self.decide(id, days, Verdict::Approve, "", None).await?;
        Ok(id)
    }

    async fn check(&self, id: ExceptionId, place: i64, n: usize, days: i64, note: &str) -> Result<(), Error> {
        let actor = self.actor(n);
        exceptions::check(self.db, By { actor: &actor, now: self.at(days) }, id, place, note).await?;
        Ok(())
    }
}

/// Exceptions. `agent` finds an agent by name, `person` a person by position.
pub(super) async fn exceptions(
    db: &Db,
    now: DateTime<Utc>,
    agent: impl Fn(&str) -> Result<AgentId, Error>,
    crew: SystemId,
    person: impl Fn(usize) -> PersonId,
) -> Result<(), Error> {
    let stage = Stage { db, now, person };
    let standing = || Control::Finding(FindingKey::LongLivedCredential);
    let own = |name: &str| Control::Own(name.to_owned());
    let of = |names: &[&str]| -> Result<Scope, Error> {
        Ok(Scope::Agents(names.iter().map(|n| agent(n)).collect::<Result<_, _>>()?))
    };

    // In force for a while yet, what is done instead looked at once.
    let payments = Wish {
        title: "Payments key until the vault rotates it",
        scope: of(&["Dunning writer", "Cash forecaster"])?,
        control: standing(),
        duty: None,
        node: "NHI7:2025",
        risk: (2, 4),
        why: "The bank's gateway takes no short-lived token before its release in the new year. The key is kept in the \
              vault and read at start only.",
        instead: &[
            ("Rotate the key by hand every two weeks.", CLARA, 14),
            ("Compare each day's payments with the bank's own list.", SALMA, 25),
        ],
        days: (16, 60),
        suspends: true,
    };
    let first = stage.agreed(payments, 15).await?;
    stage.check(first, 1, CLARA, 3, "Rotated on Monday; the old key is refused at the gateway.").await?;

    // Over in a few days, and one of its controls was not looked at in time.
    let crm = Wish {
        title: "Shared CRM account until the supplier offers single sign-on",
        scope: of(&["Quote builder"])?,
        control: standing(),
        duty: None,
        node: "NHI9:2025",
        risk: (3, 3),
        why: "The supplier sells no service accounts. It is to offer single sign-on this quarter.",
        instead: &[
            ("Look through the account's sign-ins every week.", EMIL, 18),
            ("Change its password whenever somebody leaves Sales.", CLARA, 20),
        ],
        days: (26, 30),
        suspends: false,
    };
    let crm = stage.agreed(crm, 24).await?;
    stage.check(crm, 2, CLARA, 8, "Changed after the pricing analyst left.").await?;

    // Over, and what it allowed is still so.
    let export = Wish {
        title: "HR export key of the leave assistant",
        scope: of(&["Leave assistant"])?,
        control: standing(),
        duty: None,
        node: "NHI7:2025",
        risk: (3, 4),
        why: "The personnel system writes its export with one key for all. Its owner replaces it in spring.",
        instead: &[("The export leaves out salaries and health.", ELENA, 20)],
        days: (48, 29),
        suspends: false,
    };
    let export = stage.agreed(export, 45).await?;
    stage.check(export, 1, ELENA, 27, "Looked at three exports: neither is in them.").await?;

    // Renewed once: the first is over, the second in force.
    let payroll = |why, days| -> Result<Wish<'_>, Error> {
        Ok(Wish {
            title: "HR export key of the payroll checker",
            scope: of(&["Payroll checker"])?,
            control: standing(),
            duty: None,
            node: "A05",
            risk: (2, 5),
            why,
            instead: &[("Only the payroll lead starts a comparison.", ELENA, 25)],
            days,
            suspends: false,
        })
    };
    let before = stage
        .agreed(payroll("The same key as the leave assistant's; no other is to be had yet.", (70, 29))?, 68)
        .await?;
    stage.check(before, 1, ELENA, 55, "Four comparisons, all started by her.").await?;
    let again = "The supplier moved the new export to the end of the quarter; the contract now names that date.";
    stage.agreed(payroll(again, (20, 29))?, 18).await?;

    // Ended early, and taken away.
    let freeze = Wish {
        title: "Merge requests during the change freeze",
        scope: of(&["Patch agent"])?,
        control: own("Change freeze"),
        duty: Some(Duty::Implementation),
        node: "GOVERN 1.4",
        risk: (2, 3),
        why: "Security updates cannot wait until the freeze of the peak season is over.",
        instead: &[("Ravi merges them, one by one.", RAVI, 10)],
        days: (24, 28),
        suspends: false,
    };
    let freeze = stage.agreed(freeze, 23).await?;
    let actor = stage.actor(MAREN);
    let by = By { actor: &actor, now: stage.at(5) };
    exceptions::close(db, by, freeze, "The freeze ended a week early.").await?;
    let egress = Wish {
        title: "Website chat calls the supplier's address directly",
        scope: of(&["Website chat"])?,
        control: own("Egress through the filter"),
        duty: Some(Duty::Platform),
        node: "ASI03",
        risk: (4, 4),
        why: "The filter cuts long answers off; the supplier mends that in its next release.",
        instead: &[("Compare the addresses it calls with the list that was agreed.", EMIL, 8)],
        days: (21, 28),
        suspends: false,
    };
    let egress = stage.agreed(egress, 20).await?;
    stage.check(egress, 1, EMIL, 14, "It called two addresses that nobody had agreed to.").await?;
    let lead = stage.actor(TOMAS);
    let by = By { actor: &lead, now: stage.at(13) };
    exceptions::revoke(db, by, egress, "It called addresses that nobody had agreed to.").await?;

    // Refused.
    let drill = Wish {
        title: "No stop drill before the new year",
        scope: of(&["Complaint summariser"])?,
        control: Control::Finding(FindingKey::RuntimeOwnerUntested),
        duty: None,
        node: "ASI10",
        risk: (3, 3),
        why: "The team has no time for a drill in the peak season.",
        instead: &[("Nobody uses its summaries without reading the complaints.", BEA, 20)],
        days: (9, 60),
        suspends: false,
    };
    let drill = stage.ask(drill).await?;
    let no = "A drill takes a quarter of an hour. Do it.";
    stage.decide(drill, 8, Verdict::Reject, no, Some(Duty::Purpose)).await?;

    // Asked: half decided, and without anything that is done instead.
    let console = Wish {
        title: "The supplier's console takes one login only",
        scope: of(&["Expense reader"])?,
        control: standing(),
        duty: None,
        node: "NHI9:2025",
        risk: (4, 3),
        why: "The contract runs until May; until then there is no other way to sign in.",
        instead: &[("A second person is told of every sign-in by mail.", EMIL, 12)],
        days: (4, 30),
        suspends: true,
    };
    let console = stage.ask(console).await?;
    stage.decide(console, 2, Verdict::Approve, "Agreed, with the mail.", Some(Duty::Identity)).await?;
    let crew = Wish {
        title: "Weekly instead of daily review of the crew's logs",
        scope: Scope::System(crew),
        control: own("Daily log review"),
        duty: Some(Duty::Monitoring),
        node: "",
        risk: (2, 2),
        why: "Two of the three who read them are away until the new year.",
        instead: &[],
        days: (1, 30),
        suspends: false,
    };
    stage.ask(crew).await?;

    // What was done in the past was assessed as of then.
    let touched = ["Dunning writer", "Cash forecaster", "Quote builder", "Leave assistant", "Payroll checker"];
    let touched = touched.iter().map(|n| agent(n)).collect::<Result<Vec<_>, _>>()?;
    let muster = Actor::muster();
    let mut change = Change::begin(db, By { actor: &muster, now }).await?;
    reassess(&mut change, &touched, false).await?;
    change.commit().await?;
    Ok(())
}
