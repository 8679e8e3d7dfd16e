//! Operating models: previewed, applied as one change, never over what somebody chose; a
//! justification that ends.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::agent::{
    Access, AgentFacts, Environment, Exposure, Hosting, Lifecycle, Running, Sensitivity, ToolGrant, ToolKind,
};
use domain::assignment::RaciRole;
use domain::can::Actor;
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::{AgentId, PersonId, TeamId};
use domain::model::{CONTROL_POINTS, Fate, Model, Slot, justified_until};
use domain::party::{Party, Role};
use register::agents::list::{self, Query};
use register::assignments::{self, Mode};
use register::models::{self, Filler, Wish};
use register::{By, Db, Error, agents, audit, clock, posture};

use crate::support::{actor, by, day, story};

fn lead() -> Actor {
    actor(1, &[Role::SecurityLead])
}

/// Everything that makes a duty required: fifteen rows.
fn demanding(name: &str) -> AgentFacts {
    let mut f = AgentFacts::named(name);
    f.running = Running::Yes;
    f.environment = Environment::Production;
    f.exposure = Exposure::CustomerFacing;
    f.regulated = true;
    f.hosting = Hosting::VendorManaged;
    f.vendor = "Acme".into();
    f.operated_by = Some(TeamId(6));
    f.tools = vec![ToolGrant {
        name: "Ledger".into(),
        kind: ToolKind::InternalApi,
        sensitivity: Sensitivity::High,
        access: Access::Write,
        scope: String::new(),
    }];
    f
}

async fn made(db: &Db, name: &str) -> AgentId {
    agents::create(db, by(&lead(), 1), demanding(name), Lifecycle::Draft).await.unwrap().id
}

/// The demonstration's functions: who leads each is person 4, 20, 5, 7, 8, 2, 9, 3, 17.
fn everybody() -> BTreeMap<Slot, Filler> {
    let team = |n| Filler::Party(Party::Team(TeamId(n)));
    BTreeMap::from([
        (Slot::Business, Filler::Party(Party::Person(PersonId(4)))),
        (Slot::Team, Filler::OperatedBy),
        (Slot::Platform, team(3)),
        (Slot::Identity, team(1)),
        (Slot::Api, team(2)),
        (Slot::Security, team(4)),
        (Slot::Incident, team(5)),
        (Slot::VendorManager, team(9)),
        (Slot::Legal, team(10)),
    ])
}

const LEADS: [i64; 9] = [4, 20, 5, 7, 8, 2, 9, 3, 17];

fn wish(reason: &str) -> Wish {
    Wish { slots: everybody(), reason: reason.into(), ..Wish::default() }
}

fn justified(days: i64) -> Wish {
    Wish { justification: "Two people keep all of it.".into(), until: Some(day(days)), ..wish("we are few") }
}

async fn everybody_accepts(db: &Db, agent: AgentId, days: i64) {
    for n in LEADS {
        let who = actor(n, &[Role::Member]);
        let open = assignments::offers(db, by(&who, days), agent).await.unwrap();
        let mine: Vec<_> = open.iter().filter(|o| o.mine).map(|o| (agent, o.duty)).collect();
        if !mine.is_empty() {
            assignments::answer(db, by(&who, days), &mine, true, "").await.unwrap();
        }
    }
}

async fn keys(db: &Db, agent: AgentId, days: i64) -> Vec<FindingKey> {
    let lead = lead();
    let view = agents::read(db, by(&lead, days), agent).await.unwrap();
    let held = view.judged.assessment.findings.into_iter().filter(|f| f.holds_at(day(days)));
    held.map(|f| f.key).collect()
}

async fn whole(db: &Db, days: i64) {
    audit::verify(db, by(&lead(), days), None, |_| ()).await.unwrap();
}

async fn every_model_fills_an_empty_matrix(db: Db) {
    register::seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let lead = lead();
    for &model in Model::ALL {
        let id = made(&db, model.label()).await;
        let wish = if model.needs_justification() { justified(100) } else { wish("agreed") };
        let plan = models::preview(&db, by(&lead, 2), &[id], model, &wish).await.unwrap();
        assert_eq!(plan.changes(), 1);
        let rows = &plan.agents[0].fate.as_ref().unwrap().rows;
        assert!(rows.len() == 15 && rows.iter().all(|r| matches!(r.fate, Fate::Offer { .. })), "{model}: {rows:?}");
        assert_eq!(assignments::matrix(&db, by(&lead, 2), id).await.unwrap().cells, [], "a preview writes nothing");
        let done = models::apply(&db, by(&lead, 2), &[id], model, &wish, Some(&plan.digest)).await.unwrap();
        assert_eq!((done.agents.as_slice(), done.offered), ([id].as_slice(), 15), "{model}");
        everybody_accepts(&db, id, 3).await;
        let wrong = keys(&db, id, 4).await;
        let matrix = [
            FindingKey::NoRuntimeOwner,
            FindingKey::RuntimeOwnerPending,
            FindingKey::NoOwner,
            FindingKey::NoResponsible,
            FindingKey::RegulatoryConflict,
            FindingKey::LifecycleSplit,
            FindingKey::JustificationEnded,
        ];
        assert!(!wrong.iter().any(|k| matrix.contains(k)), "{model}: {wrong:?}");
        let applied = models::applied(&db, by(&lead, 4), id).await.unwrap().unwrap();
        assert_eq!((applied.model, applied.by.as_str(), applied.at), (model, "PE-1", day(2)));
        // Once more it has nothing to do.
        let again = models::preview(&db, by(&lead, 4), &[id], model, &wish).await.unwrap();
        assert_eq!(again.changes(), 0, "{model}");
    }
    whole(&db, 5).await;
}

async fn what_somebody_chose_stays(db: Db) {
    register::seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let lead = lead();
    let id = made(&db, "Chosen").await;
    let mateo = Party::Person(PersonId(29));
    assignments::assign(&db, by(&lead, 1), id, Duty::Identity, mateo, Mode::Record, "known").await.unwrap();
    assignments::assign(&db, by(&lead, 1), id, Duty::Platform, mateo, Mode::Offer, "").await.unwrap();
    let seen = models::preview(&db, by(&lead, 2), &[id], Model::Regulated, &wish("so")).await.unwrap();
    let fate = |plan: &models::Plan, duty| {
        let filled = plan.agents[0].fate.as_ref().unwrap();
        filled.rows.iter().find(|r| r.duty == duty).unwrap().fate
    };
    assert_eq!(fate(&seen, Duty::Identity), Fate::Kept { owner: Some(mateo), offered: None });
    assert_eq!(fate(&seen, Duty::Platform), Fate::Kept { owner: None, offered: Some(mateo) });

    // What is done is what was shown, or nothing.
    assignments::withdraw(&db, by(&lead, 2), id, Duty::Platform, "").await.unwrap();
    let stale = models::apply(&db, by(&lead, 3), &[id], Model::Regulated, &wish("so"), Some(&seen.digest)).await;
    assert!(matches!(stale, Err(Error::Conflict(_))), "{stale:?}");
    let done = models::apply(&db, by(&lead, 3), &[id], Model::Regulated, &wish("so"), None).await.unwrap();
    assert_eq!(done.offered, 14, "all but identity");
    let held = |view: agents::View, duty| {
        view.judged.held.into_iter().find(|h| h.duty == duty && h.role == RaciRole::Accountable).map(|h| h.party)
    };
    let view = agents::read(&db, by(&lead, 3), id).await.unwrap();
    assert_eq!(held(view, Duty::Identity), Some(mateo));

    // Replacing asks the model's party; the present owner stays until it accepts.
    let replace = Wish { replace: true, ..wish("the identity team takes over") };
    let done = models::apply(&db, by(&lead, 4), &[id], Model::Regulated, &replace, None).await.unwrap();
    assert_eq!(done.offered, 1);
    let view = agents::read(&db, by(&lead, 4), id).await.unwrap();
    assert_eq!(held(view, Duty::Identity), Some(mateo));
    everybody_accepts(&db, id, 5).await;
    let view = agents::read(&db, by(&lead, 5), id).await.unwrap();
    assert_eq!(held(view, Duty::Identity), Some(Party::Team(TeamId(1))));

    // Where its party holds a duty, an offer to somebody else ends; without replacing it stays.
    assignments::assign(&db, by(&lead, 6), id, Duty::Identity, mateo, Mode::Offer, "").await.unwrap();
    let identity = Party::Team(TeamId(1));
    let seen = models::preview(&db, by(&lead, 6), &[id], Model::Regulated, &wish("so")).await.unwrap();
    assert_eq!(fate(&seen, Duty::Identity), Fate::Kept { owner: Some(identity), offered: Some(mateo) });
    let seen = models::preview(&db, by(&lead, 6), &[id], Model::Regulated, &replace).await.unwrap();
    assert_eq!(fate(&seen, Duty::Identity), Fate::Withdraw { owner: identity, asked: mateo });
    let done = models::apply(&db, by(&lead, 6), &[id], Model::Regulated, &replace, Some(&seen.digest)).await.unwrap();
    assert_eq!((done.agents.len(), done.offered), (1, 0));
    let open = assignments::offers(&db, by(&lead, 6), id).await.unwrap();
    assert!(open.iter().all(|o| o.duty != Duty::Identity), "{open:?}");
    let view = agents::read(&db, by(&lead, 6), id).await.unwrap();
    assert_eq!(held(view, Duty::Identity), Some(identity));
    let again = models::preview(&db, by(&lead, 6), &[id], Model::Regulated, &replace).await.unwrap();
    assert_eq!(again.changes(), 0, "once");
    whole(&db, 7).await;
}

async fn who_may_not_is_told(db: Db) {
    register::seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let (lead, bea) = (lead(), actor(4, &[Role::Member]));
    let (mine, other) = (made(&db, "Mine").await, made(&db, "Other").await);
    let four = Party::Person(PersonId(4));
    assignments::assign(&db, by(&lead, 1), mine, Duty::Purpose, four, Mode::Record, "known").await.unwrap();
    let refused = models::apply(&db, by(&bea, 2), &[other], Model::Regulated, &wish("so"), None).await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    // Of several, those that are not theirs stay as they are.
    let done = models::apply(&db, by(&bea, 2), &[mine, other], Model::Regulated, &wish("so"), None).await.unwrap();
    assert_eq!((done.agents, done.skipped.len()), (vec![mine], 1));
    // One hand over several control points is a security lead's to allow.
    let refused = models::preview(&db, by(&bea, 2), &[mine], Model::SmallOrganisation, &justified(9)).await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    // Nobody approves what they ask for as business owner.
    let mut same = wish("so");
    same.slots.insert(Slot::Legal, Filler::Party(four));
    let plan = models::preview(&db, by(&lead, 3), &[other], Model::Regulated, &same).await.unwrap();
    assert!(plan.agents[0].fate.as_ref().unwrap_err().contains("business owner"));
    // What is wrong is said at its place, all of it.
    let mut wrong = Wish { reason: String::new(), ..wish("") };
    wrong.slots.insert(Slot::Legal, Filler::Party(Party::Person(PersonId(11))));
    wrong.slots.insert(Slot::Api, Filler::Party(Party::Team(TeamId(12))));
    let Err(Error::Invalid(list)) = models::apply(&db, by(&lead, 3), &[other], Model::Regulated, &wrong, None).await
    else {
        panic!("it is refused");
    };
    let at: Vec<&str> = list.iter().map(|e| e.pointer.as_str()).collect();
    assert_eq!(at, ["/reason", "/slots/api", "/slots/legal"]);
    let missing = models::preview(&db, by(&lead, 3), &[AgentId(99_999)], Model::Regulated, &wish("")).await;
    assert!(matches!(missing, Err(Error::NotFound(_))));
}

async fn a_justification_ends(db: Db) {
    register::seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let lead = lead();
    let id = made(&db, "Few hands").await;
    for (until, at) in
        [(None, "/until"), (Some(day(1)), "/until"), (Some(justified_until(day(2)) + TimeDelta::days(1)), "/until")]
    {
        let wish = Wish { until, ..justified(9) };
        let refused = models::apply(&db, by(&lead, 2), &[id], Model::SmallOrganisation, &wish, None).await;
        assert!(matches!(&refused, Err(Error::Invalid(e)) if e[0].pointer == at), "{refused:?}");
    }
    let silent = Wish { justification: " ".into(), ..justified(9) };
    let refused = models::apply(&db, by(&lead, 2), &[id], Model::SmallOrganisation, &silent, None).await;
    assert!(matches!(&refused, Err(Error::Invalid(e)) if e[0].pointer == "/justification"), "{refused:?}");

    models::apply(&db, by(&lead, 2), &[id], Model::SmallOrganisation, &justified(50), None).await.unwrap();
    everybody_accepts(&db, id, 3).await;
    let count = async |days: i64| {
        let query = Query { finding: Some(FindingKey::JustificationEnded), limit: 50, ..Query::default() };
        let page = list::list(&db, by(&lead, days), &query).await.unwrap();
        let counted = posture::posture(&db, by(&lead, days)).await.unwrap().findings["justification-ended"];
        assert_eq!(page.total, Some(counted));
        assert_eq!(
            page.items.iter().any(|l| l.id == id),
            keys(&db, id, days).await.contains(&FindingKey::JustificationEnded)
        );
        page.items.iter().filter(|l| l.id == id).count()
    };
    // The clock alone turns it.
    assert_eq!((count(49).await, count(50).await), (0, 1));
    clock::turns::fold(&db, day(51)).await.unwrap();
    assert_eq!(count(51).await, 1);
    // Justified again: one stands, the one before is kept.
    let done = models::apply(&db, by(&lead, 52), &[id], Model::SmallOrganisation, &justified(300), None).await.unwrap();
    assert_eq!((done.agents.as_slice(), done.offered), ([id].as_slice(), 0));
    assert_eq!(count(53).await, 0);
    let now = models::justification(&db, by(&lead, 53), id).await.unwrap().unwrap();
    assert_eq!((now.until, now.made_by.as_str()), (day(300), "PE-1"));
    let stranger = actor(36, &[Role::Member]);
    assert_eq!(models::justification(&db, by(&stranger, 53), id).await.unwrap(), None);
    // Shared out, nothing is left to justify.
    let apart = Wish { replace: true, ..wish("each to its own") };
    models::apply(&db, By { actor: &lead, now: day(54) }, &[id], Model::Regulated, &apart, None).await.unwrap();
    everybody_accepts(&db, id, 55).await;
    let view = agents::read(&db, by(&lead, 55), id).await.unwrap();
    let of = |duty| view.judged.held.iter().find(|h| h.duty == duty && h.role == RaciRole::Accountable).unwrap().party;
    assert_eq!(CONTROL_POINTS.map(of), [1, 2, 3].map(|n| Party::Team(TeamId(n))));
    assert_eq!(count(301).await, 0);
    whole(&db, 302).await;
}

story!(models_fill, super::every_model_fills_an_empty_matrix);
story!(models_keep, super::what_somebody_chose_stays);
story!(models_rights, super::who_may_not_is_told);
story!(models_justification, super::a_justification_ends);
