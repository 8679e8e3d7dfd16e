//! What the demonstration shows of operating models and standing rules: one agent under
//! each model, one justification near its end, two rules, a handover done and one open.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::agent::Hosting;
use domain::can::Actor;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, TeamId};
use domain::model::{Model, Slot};
use domain::party::{Party, Role, Roles};
use domain::rule::{AtImport, Condition};

use crate::change::By;
use crate::db::Db;
use crate::error::Error;
use crate::handovers;
use crate::models::{self, Filler, Wish};
use crate::rules::{self, Fields};

/// The agent of which one team holds every control point.
pub(super) const ONE_HAND: &str = "Maintenance planner";

/// Agent, model, business owner (position).
const UNDER: [(&str, Model, usize); 5] = [
    ("Stock counter", Model::CentralPlatform, 21),
    ("Delivery status bot", Model::ProductEmbedded, 3),
    ("Website chat", Model::VendorHosted, 3),
    ("Invoice matcher", Model::Regulated, 13),
    (ONE_HAND, Model::SmallOrganisation, 24),
];

/// Agents that another team built than the one that operates them, and which (positions).
pub(super) const BUILT: [(&str, usize); 2] = [("Dock scheduler", 2), ("Test writer", 6)];

/// When the models were applied, and how long the justification has still to go, in days.
const APPLIED_DAYS_AGO: i64 = 100;
const JUSTIFIED_DAYS: i64 = 9;

pub(super) async fn models(
    db: &Db,
    by: By<'_>,
    agent: impl Fn(&str) -> Option<AgentId>,
    person: impl Fn(usize) -> PersonId,
    team: impl Fn(usize) -> TeamId,
) -> Result<(), Error> {
    let roles: Roles = [Role::SecurityLead].into_iter().collect();
    let lead = Actor::person(person(0), roles);
    let then = By { actor: &lead, now: by.now - TimeDelta::days(APPLIED_DAYS_AGO) };
    for (name, model, business) in UNDER {
        let Some(id) = agent(name) else { continue };
        let of = |slot: Slot| {
            let filler = match slot {
                Slot::Business => Filler::Party(Party::Person(person(business))),
                Slot::Team => Filler::OperatedBy,
                Slot::Identity => Filler::Party(Party::Team(team(0))),
                Slot::Api => Filler::Party(Party::Team(team(1))),
                Slot::Platform => Filler::Party(Party::Team(team(2))),
                Slot::Security => Filler::Party(Party::Team(team(3))),
                Slot::Incident => Filler::Party(Party::Team(team(4))),
                Slot::VendorManager => Filler::Party(Party::Team(team(8))),
                Slot::Legal => Filler::Party(Party::Team(team(9))),
            };
            (slot, filler)
        };
        let mut wish = Wish {
            slots: model.slots(Duty::ALL).into_iter().map(of).collect::<BTreeMap<_, _>>(),
            reason: "Agreed when the register was set up.".into(),
            ..Wish::default()
        };
        if model.needs_justification() {
            wish.justification = "Fleet has one systems team of two. The platform team takes over identity and \
                                  requests once its second shift is hired."
                .into();
            wish.until = Some(by.now + TimeDelta::days(JUSTIFIED_DAYS));
        }
        models::apply(db, then, &[id], model, &wish, None).await?;
    }
    let marketing = Fields {
        name: "Marketing's agents are run by customer care digital".into(),
        condition: Condition { business_unit: Some("Marketing".into()), ..Condition::default() },
        duty: Duty::Containment,
        party: Party::Team(team(5)),
        at_import: AtImport::Offer,
    };
    let vendors = Fields {
        name: "Risk and assurance holds vendors to their contracts".into(),
        condition: Condition { hosting: Some(Hosting::VendorManaged), ..Condition::default() },
        duty: Duty::Vendor,
        party: Party::Team(team(8)),
        at_import: AtImport::Record,
    };
    for fields in [marketing, vendors] {
        rules::create(db, then, &fields, "So that no import leaves them without.").await?;
    }
    // Who leads the teams: the agent platform team, warehouse systems, dispatch systems.
    let member = |n| Actor::person(person(n), [Role::Member].into_iter().collect());
    let (platform, warehouse, dispatch) = (member(4), member(20), member(12));
    let ago = |actor, days| By { actor, now: by.now - TimeDelta::days(days) };
    if let Some(id) = agent(BUILT[0].0) {
        let words = "The platform team stays on call for it for two weeks.";
        let offered = handovers::offer(db, ago(&platform, 90), id, words).await?;
        handovers::answer(db, ago(&warehouse, 88), offered.id, true, "Runbook read and tried.").await?;
    }
    if let Some(id) = agent(BUILT[1].0) {
        let words = "It has run beside ours for a month; its tests and alerts are yours from here.";
        handovers::offer(db, ago(&dispatch, 4), id, words).await?;
    }
    Ok(())
}
