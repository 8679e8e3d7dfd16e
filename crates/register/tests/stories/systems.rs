//! Systems: their own matrix, and what agents inherit from a platform.

use domain::agent::{AgentFacts, Environment, Lifecycle, Running};
use domain::assignment::{RaciRole, accountable};
use domain::can::{Actor, Relation};
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::{AgentId, PersonId, SystemId};
use domain::party::{Party, Role};
use domain::system::SystemKind;
use register::agents::list::{self, Query};
use register::assignments::{self, Mode, Wanted};
use register::{Db, Error, agents, people, posture, systems};

use crate::support::{actor, by, day, story};

const RAVI: Party = Party::Person(PersonId(5));
const MATEO: Party = Party::Person(PersonId(29));

async fn company(db: &Db) {
    register::seed::demo(db, by(&Actor::cli(), 0)).await.unwrap();
}

fn lead() -> Actor {
    actor(1, &[Role::SecurityLead])
}

async fn system(db: &Db, name: &str, kind: SystemKind) -> SystemId {
    let fields = systems::Fields { name: name.into(), kind, purpose: String::new() };
    systems::create(db, by(&lead(), 1), &fields).await.unwrap().id
}

fn wanted(duty: Duty, role: RaciRole, party: Party) -> Wanted {
    Wanted { duty, party, role }
}

/// A platform that Ravi answers for, identity and platform; he does the work too.
async fn platform(db: &Db) -> SystemId {
    let id = system(db, "Agent runtime", SystemKind::Platform).await;
    let cells = [Duty::Identity, Duty::Platform]
        .map(|d| [wanted(d, RaciRole::Accountable, RAVI), wanted(d, RaciRole::Responsible, RAVI)]);
    assignments::put(db, by(&lead(), 1), id, Some(1), cells.as_flattened(), "set up").await.unwrap();
    let ravi = actor(5, &[Role::Member]);
    let offers = [(id, Duty::Identity), (id, Duty::Platform)];
    assert_eq!(assignments::answer(db, by(&ravi, 1), &offers, true, "").await.unwrap(), 2);
    id
}

fn facts(name: &str, platform: Option<SystemId>) -> AgentFacts {
    let mut f = AgentFacts::named(name);
    f.running = Running::Yes;
    f.environment = Environment::Production;
    f.platform = platform;
    f
}

async fn lacks(db: &Db, agent: AgentId, days: i64) -> Vec<Duty> {
    let view = agents::read(db, by(&lead(), days), agent).await.unwrap();
    let keys = [FindingKey::NoOwner, FindingKey::OwnerInactive];
    view.judged.assessment.findings.iter().filter(|f| keys.contains(&f.key)).filter_map(|f| f.duty).collect()
}

/// Counters and rows say the same of who lacks an owner of platform.
async fn counters_are_true(db: &Db, days: i64) {
    let lead = lead();
    let p = posture::posture(db, by(&lead, days)).await.unwrap();
    for duty in &p.duties {
        let q = Query { vacant: Some(duty.duty), limit: 200, count_to: 10_000, ..Query::default() };
        let page = list::list(db, by(&lead, days), &q).await.unwrap();
        assert_eq!(page.total, Some(duty.required - duty.held), "{}", duty.duty);
    }
}

async fn a_platform_has_owners_that_its_agents_inherit(db: Db) {
    company(&db).await;
    let lead = lead();
    let platform = platform(&db).await;
    let agent =
        agents::create(&db, by(&lead, 2), facts("Night clerk", Some(platform)), Lifecycle::Draft).await.unwrap();
    let id = agent.id;
    let held = agents::read(&db, by(&lead, 2), id).await.unwrap().judged.held;
    let owner = accountable(&held, Duty::Platform).unwrap();
    assert_eq!((owner.party, owner.inherited), (RAVI, Some(platform)));
    let gaps = lacks(&db, id, 2).await;
    assert!(
        !gaps.contains(&Duty::Platform) && !gaps.contains(&Duty::Identity) && gaps.contains(&Duty::Purpose),
        "{gaps:?}"
    );
    counters_are_true(&db, 2).await;
    // Whoever owns it of the platform owns it of the agent, whose page they may then read.
    let ravi = actor(5, &[Role::Member]);
    assert_eq!(agents::read(&db, by(&ravi, 2), id).await.unwrap().relation, Relation::Owner);
    let q = Query { platform: Some(platform), limit: 50, count_to: 10_000, ..Query::default() };
    assert_eq!(list::list(&db, by(&lead, 2), &q).await.unwrap().total, Some(1));

    // An owner of its own overrides the row, and the matrix says both.
    assignments::assign(&db, by(&lead, 3), id, Duty::Platform, MATEO, Mode::Record, "their own cluster").await.unwrap();
    let held = agents::read(&db, by(&lead, 3), id).await.unwrap().judged.held;
    let owner = accountable(&held, Duty::Platform).unwrap();
    assert_eq!((owner.party, owner.inherited), (MATEO, None));
    assert_eq!(accountable(&held, Duty::Identity).unwrap().inherited, Some(platform));
    let matrix = assignments::matrix(&db, by(&lead, 3), id).await.unwrap();
    assert_eq!(matrix.platform.as_ref().unwrap().cells.len(), 4);
    assert_eq!(matrix.cells.len(), 1);

    // It moves away: what it inherited is a gap from then on, and the past keeps its answer.
    let version = agents::read(&db, by(&lead, 4), id).await.unwrap().judged.agent.version;
    agents::edit(&db, by(&lead, 5), id, version, facts("Night clerk", None), "moved out").await.unwrap();
    assert!(lacks(&db, id, 5).await.contains(&Duty::Identity));
    counters_are_true(&db, 5).await;
    let then = assignments::accountability(&db, by(&lead, 6), id, day(4)).await.unwrap();
    let identity = then.duties.iter().find(|d| d.duty == Duty::Identity).unwrap();
    assert_eq!((identity.party, identity.inherited, identity.since), (RAVI, Some(platform), day(2)));
    let now = assignments::accountability(&db, by(&lead, 6), id, day(6)).await.unwrap();
    assert!(!now.duties.iter().any(|d| d.duty == Duty::Identity));
    register::audit::verify(&db, by(&lead, 6), None, |_| {}).await.unwrap();
}

async fn a_platform_owner_who_leaves_is_a_gap_on_every_agent_there(db: Db) {
    company(&db).await;
    let lead = lead();
    let platform = platform(&db).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let f = facts(&format!("Clerk {n}"), Some(platform));
        ids.push(agents::create(&db, by(&lead, 2), f, Lifecycle::Draft).await.unwrap().id);
    }
    let would = people::impact(&db, by(&lead, 2), PersonId(5)).await.unwrap();
    assert_eq!(would.systems.iter().filter(|(team, _)| team.is_none()).count(), 2);
    let admin = actor(1, &[Role::Administrator, Role::SecurityLead]);
    // First everything of his is handed over, the platform's duties with it.
    let over = people::hand_over(&db, by(&admin, 3), PersonId(5), MATEO, false, "he moves on").await.unwrap();
    assert!(over.offered >= 2, "{over:?}");
    let matrix = assignments::matrix(&db, by(&lead, 3), platform).await.unwrap();
    let a = |accepted: bool| {
        matrix.cells.iter().filter(|c| c.role == RaciRole::Accountable && c.accepted_at.is_some() == accepted).count()
    };
    assert_eq!((a(true), a(false)), (2, 2), "he answers for it until it is accepted");
    people::leave(&db, by(&admin, 4), PersonId(5), None, "left").await.unwrap();
    for id in &ids {
        let gaps = lacks(&db, *id, 4).await;
        assert!(gaps.contains(&Duty::Platform) && gaps.contains(&Duty::Identity), "{gaps:?}");
    }
    counters_are_true(&db, 4).await;
    let mateo = actor(29, &[Role::Member]);
    let mine = assignments::waiting(&db, PersonId(29), day(4), 500).await.unwrap().0;
    assert_eq!(mine.iter().filter(|w| w.of == platform.into()).count(), 2);
    let offers = [(platform, Duty::Identity), (platform, Duty::Platform)];
    assignments::answer(&db, by(&mateo, 5), &offers, true, "").await.unwrap();
    for id in &ids {
        assert!(!lacks(&db, *id, 5).await.contains(&Duty::Platform));
    }
    counters_are_true(&db, 5).await;
    // Who is gone still stands there as R; that is no reason to refuse another change.
    let now = assignments::matrix(&db, by(&lead, 6), platform).await.unwrap();
    let mut same: Vec<Wanted> = now.cells.iter().map(|c| wanted(c.duty, c.role, c.party)).collect();
    same.push(wanted(Duty::Platform, RaciRole::Informed, MATEO));
    assignments::put(&db, by(&lead, 6), platform, Some(now.version), &same, "tell him").await.unwrap();
    let other = actor(12, &[Role::Member]);
    let refused = assignments::answer(&db, by(&other, 6), &[(platform, Duty::Identity)], true, "").await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
}

async fn a_system_has_a_matrix_of_its_own(db: Db) {
    company(&db).await;
    let lead = lead();
    let crew = system(&db, "Claims crew", SystemKind::MultiAgent).await;
    let empty = assignments::matrix(&db, by(&lead, 1), crew).await.unwrap();
    assert_eq!(empty.violations.len(), SystemKind::MultiAgent.required().len());
    let cells =
        [wanted(Duty::Purpose, RaciRole::Accountable, RAVI), wanted(Duty::Purpose, RaciRole::Responsible, MATEO)];
    let saved = assignments::put(&db, by(&lead, 1), crew, Some(empty.version), &cells, "set up").await.unwrap();
    assert_eq!(saved.violations.len(), SystemKind::MultiAgent.required().len(), "offered is not held");
    let stale = assignments::put(&db, by(&lead, 1), crew, Some(empty.version), &cells[..1], "again").await;
    assert!(matches!(stale, Err(Error::Stale(_))), "{stale:?}");
    let ravi = actor(5, &[Role::Member]);
    assignments::answer(&db, by(&ravi, 2), &[(crew, Duty::Purpose)], true, "").await.unwrap();
    let held = assignments::matrix(&db, by(&lead, 2), crew).await.unwrap();
    assert_eq!(held.violations.len(), SystemKind::MultiAgent.required().len() - 1);
    // A member has its own owner, whatever the system has.
    let mut f = facts("Claims reader", None);
    f.parent = Some(crew);
    let member = agents::create(&db, by(&lead, 2), f, Lifecycle::Draft).await.unwrap().id;
    assert!(lacks(&db, member, 2).await.contains(&Duty::Purpose));
    // Whoever holds nothing of it changes nothing of it; its owner may.
    let other = actor(12, &[Role::Member]);
    let refused = assignments::put(&db, by(&other, 3), crew, None, &cells, "mine").await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    let more = [cells[0], cells[1], wanted(Duty::Policy, RaciRole::Consulted, MATEO)];
    assignments::put(&db, by(&ravi, 3), crew, None, &more, "ask Mateo").await.unwrap();
    // What is of one kind stays so while it matters.
    let fields = systems::Fields { name: "Claims crew".into(), kind: SystemKind::Platform, purpose: String::new() };
    let refused = systems::edit(&db, by(&lead, 4), crew, None, &fields, "").await;
    assert!(matches!(&refused, Err(Error::Invalid(w)) if w[0].pointer == "/kind"), "{refused:?}");
    // A platform has owners of what it shares alone, and is no parent.
    let platform = platform(&db).await;
    let refused = assignments::put(&db, by(&lead, 4), platform, None, &cells, "").await;
    assert!(matches!(&refused, Err(Error::Invalid(w)) if w[0].pointer == "/cells/0/duty"), "{refused:?}");
    let mut f = facts("Stray", None);
    f.parent = Some(platform);
    let refused = agents::create(&db, by(&lead, 4), f, Lifecycle::Draft).await;
    assert!(matches!(&refused, Err(Error::Invalid(w)) if w[0].pointer == "/parent"), "{refused:?}");
}

async fn one_owner_of_a_duty_of_a_system_however_many_try(db: Db) {
    company(&db).await;
    let crew = system(&db, "Claims crew", SystemKind::MultiAgent).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 1..=10 {
        let db = db.clone();
        tasks.spawn(async move {
            let party = Party::Person(PersonId(n));
            let cell = [wanted(Duty::Containment, RaciRole::Accountable, party)];
            (party, assignments::put(&db, by(&lead(), 1), crew, Some(1), &cell, "race").await)
        });
    }
    let mut won = Vec::new();
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            (party, Ok(_)) => won.push(party),
            (_, Err(Error::Stale(_) | Error::Conflict(_))) => {}
            (_, Err(e)) => panic!("neither won nor a conflict: {e:?}"),
        }
    }
    assert_eq!(won.len(), 1);
    let matrix = assignments::matrix(&db, by(&lead(), 2), crew).await.unwrap();
    assert_eq!(matrix.cells.iter().map(|c| c.party).collect::<Vec<_>>(), won);
}

story!(inherited, super::a_platform_has_owners_that_its_agents_inherit);
story!(leaver, super::a_platform_owner_who_leaves_is_a_gap_on_every_agent_there);
story!(own_matrix, super::a_system_has_a_matrix_of_its_own);
story!(race, super::one_owner_of_a_duty_of_a_system_however_many_try);
