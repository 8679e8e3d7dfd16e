//! Notices of the demonstration: read and unread, urgent and not, in each case about what is
//! so in the demonstration. No channel that calls out.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::Actor;
use domain::id::{AgentId, PersonId};
use domain::notice::{How, NoticeKind, Preferences};
use domain::party::{Role, Roles};

use crate::change::{By, Change};
use crate::db::Db;
use crate::error::Error;
use crate::notices::{New, list, preferences, tell};

/// People of the demonstration, by position.
const INGRID: usize = 0;
const TOMAS: usize = 1;
const MAREN: usize = 2;
const BEA: usize = 3;

/// Notices. `agent` finds an agent by name, `person` a person by position.
pub(super) async fn notices(
    db: &Db,
    now: DateTime<Utc>,
    agent: impl Fn(&str) -> Result<AgentId, Error>,
    person: impl Fn(usize) -> PersonId,
) -> Result<(), Error> {
    let (budget, buddy, tax) = (agent("Budget copilot")?, agent("Onboarding buddy")?, agent("Tax code checker")?);
    let here = |id: AgentId| format!("/agents/{id}");
    let told: [(i64, &[usize], New); 4] = [
        (
            14,
            &[INGRID, TOMAS],
            New {
                subject: budget.to_string(),
                what: "An approval of “Budget copilot” was asked for 14 days ago, and nobody has decided.".into(),
                why: "You lead security: what nobody decides comes to you.".into(),
                todo: "See who is asked, and appoint somebody where nobody decides.".into(),
                link: here(budget),
                ..New::of(NoticeKind::DecisionEscalated, "demo/budget-copilot")
            },
        ),
        (
            1,
            &[MAREN],
            New {
                subject: buddy.to_string(),
                what: "The business owner of “Onboarding buddy” asks: does it see the salary of whoever starts?".into(),
                why: "You asked for its approval.".into(),
                todo: "Answer, so that they can decide.".into(),
                link: here(buddy),
                ..New::of(NoticeKind::QuestionAsked, "demo/onboarding-buddy")
            },
        ),
        (
            2,
            &[BEA],
            New {
                subject: buddy.to_string(),
                what: "“Onboarding buddy” may run once every answer is logged for thirty days.".into(),
                why: "You are named as the owner of that condition.".into(),
                todo: "Say that it is met before its date.".into(),
                link: here(buddy),
                ..New::of(NoticeKind::ConditionDue, "demo/onboarding-buddy/condition")
            },
        ),
        (
            0,
            &[INGRID, TOMAS],
            New {
                critical: true,
                subject: tax.to_string(),
                what: "“Tax code checker” is stopped.".into(),
                why: "You lead security.".into(),
                todo: "See what remains to be done of the stop.".into(),
                link: format!("/agents/{tax}/stop"),
                ..New::of(NoticeKind::AgentStopped, "demo/tax-code-checker")
            },
        ),
    ];
    for (days, to, new) in told {
        let actor = Actor::muster();
        let mut change = Change::begin(db, By { actor: &actor, now: now - TimeDelta::days(days) }).await?;
        let readers: Vec<PersonId> = to.iter().map(|n| person(*n)).collect();
        tell(&mut change, &readers, &new).await?;
        change.commit().await?;
    }
    // Bea has read hers, and is left alone at night.
    let bea = Actor::person(person(BEA), Roles::NONE.with(Role::Member));
    let by = By { actor: &bea, now };
    let page = list::page(db, by, &list::Query::default()).await?;
    if let Some(oldest) = page.items.last() {
        list::mark(db, by, &oldest.item.id, true).await?;
    }
    let mut chosen = Preferences { offset: 60, quiet: Some((22 * 60, 6 * 60)), ..Preferences::default() };
    chosen.choose(NoticeKind::ReviewDue, How::AtOnce);
    preferences::write(db, by, &chosen).await?;
    Ok(())
}
