//! Agents: registered, owned, listed, counted.

use domain::agent::{Access, AgentFacts, Environment, Lifecycle, Running, Sensitivity, ToolGrant, ToolKind};
use domain::assignment::{RaciRole, RuntimeOwner};
use domain::can::Actor;
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Role};
use register::agents::list::{self, Query, Sort};
use register::assignments::{self, Mode, Wanted};
use register::{Db, Error, agents, clock, posture, stops};

use crate::support::{actor, by, story};

/// The demonstration's people: 1 leads security, 4 owns care, 5 leads the agent platform team,
/// 11 (Lucas Moretti) has left.
async fn company(db: &Db) {
    register::seed::demo(db, by(&Actor::cli(), 0)).await.unwrap();
}

fn lead() -> Actor {
    actor(1, &[Role::SecurityLead])
}

fn running(name: &str) -> AgentFacts {
    let mut f = AgentFacts::named(name);
    f.running = Running::Yes;
    f.environment = Environment::Production;
    f
}

fn query() -> Query {
    Query { limit: 50, count_to: 10_000, ..Query::default() }
}

async fn state(db: &Db, id: AgentId, days: i64) -> Option<RuntimeOwner> {
    agents::read(db, by(&lead(), days), id).await.unwrap().judged.assessment.runtime_owner.map(|o| o.state)
}

/// Counters equal what a count over the rows gives, for every runtime-owner state.
async fn counters_are_true(db: &Db, days: i64) {
    let lead = lead();
    let p = posture::posture(db, by(&lead, days)).await.unwrap();
    let mut all = 0;
    for s in RuntimeOwner::ALL {
        let q = Query { runtime_owner: vec![*s], limit: 200, ..query() };
        let page = list::list(db, by(&lead, days), &q).await.unwrap();
        assert_eq!(page.total, Some(page.items.len() as i64), "{s}");
        assert_eq!(p.runtime_owner[s.key()], page.items.len() as i64, "{s}");
        assert!(page.items.iter().all(|l| l.runtime_owner == Some(*s)));
        all += page.items.len() as i64;
    }
    assert_eq!(all + p.by_state["retired"], p.total);
    for k in FindingKey::ALL {
        let q = Query { finding: Some(*k), limit: 200, ..query() };
        let page = list::list(db, by(&lead, days), &q).await.unwrap();
        assert_eq!(p.findings[k.key()], page.items.len() as i64, "{k}");
        // What is due now and what waits for the date of its import are all of it.
        let mut parts = Vec::new();
        for due in [true, false] {
            let q = Query { finding: Some(*k), due: Some(due), limit: 200, ..query() };
            let page = list::list(db, by(&lead, days), &q).await.unwrap();
            assert_eq!(page.total, Some(page.items.len() as i64), "{k}, due {due}");
            parts.push(page.items.len() as i64);
        }
        assert_eq!(parts.iter().sum::<i64>(), p.findings[k.key()], "{k}");
        assert_eq!(parts[1], p.onboarding.get(k.key()).copied().unwrap_or(0), "{k}");
    }
    for duty in &p.duties {
        let q = Query { vacant: Some(duty.duty), limit: 200, ..query() };
        let page = list::list(db, by(&lead, days), &q).await.unwrap();
        assert_eq!(page.total, Some(duty.required - duty.held), "{}", duty.duty);
        assert_eq!(page.total, Some(page.items.len() as i64), "{}", duty.duty);
    }
    // The loud number and the rows that it opens are the same.
    let q = Query { runs: Some(true), runtime_owner: RuntimeOwner::NOBODY.to_vec(), limit: 200, ..query() };
    let page = list::list(db, by(&lead, days), &q).await.unwrap();
    assert_eq!((page.total, page.items.len() as i64), (Some(p.unstoppable()), p.unstoppable()));
    assert_eq!(p.running.values().sum::<i64>() + p.idle.values().sum::<i64>(), all);
}

async fn from_nobody_to_untested(db: Db) {
    company(&db).await;
    let lead = lead();
    let agent = agents::create(&db, by(&lead, 1), running("Parcel whisperer"), Lifecycle::Draft).await.unwrap();
    let id = agent.id;
    assert_eq!(state(&db, id, 1).await, Some(RuntimeOwner::None));
    counters_are_true(&db, 1).await;

    let ravi = Party::Person(PersonId(5));
    assignments::assign(&db, by(&lead, 1), id, Duty::Containment, ravi, Mode::Offer, "").await.unwrap();
    assert_eq!(state(&db, id, 1).await, Some(RuntimeOwner::Pending));
    counters_are_true(&db, 1).await;

    // Somebody else cannot accept it; Ravi can.
    let bea = actor(4, &[Role::Member]);
    let refused = assignments::answer(&db, by(&bea, 2), &[(id, Duty::Containment)], true, "").await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    let me = actor(5, &[Role::Member]);
    assert_eq!(
        assignments::waiting(&db, PersonId(5), crate::support::day(2), 50).await.unwrap().0.last().unwrap().of,
        id.into()
    );
    assignments::answer(&db, by(&me, 2), &[(id, Duty::Containment)], true, "").await.unwrap();
    assert_eq!(state(&db, id, 2).await, Some(RuntimeOwner::Unable));

    stops::record_procedure(&db, by(&me, 3), id, "Scale it to zero.").await.unwrap();
    assert_eq!(state(&db, id, 3).await, Some(RuntimeOwner::Untested));
    counters_are_true(&db, 3).await;

    // A handover: the old owner stays until the new one accepts.
    let platform = Party::Person(PersonId(29));
    assignments::assign(&db, by(&me, 4), id, Duty::Containment, platform, Mode::Offer, "I move on").await.unwrap();
    let view = agents::read(&db, by(&lead, 4), id).await.unwrap();
    assert_eq!(view.judged.held.iter().find(|h| h.duty == Duty::Containment).unwrap().party, ravi);
    let mateo = actor(29, &[Role::Member]);
    assignments::answer(&db, by(&mateo, 5), &[(id, Duty::Containment)], true, "").await.unwrap();
    let then = assignments::accountability(&db, by(&lead, 6), id, crate::support::day(4)).await.unwrap();
    assert_eq!(then.duties[0].party, ravi);
    let now = assignments::accountability(&db, by(&lead, 6), id, crate::support::day(6)).await.unwrap();
    assert_eq!(now.duties[0].party, platform);
    counters_are_true(&db, 6).await;
}

async fn a_matrix_is_saved_though_an_owner_of_it_is_gone(db: Db) {
    company(&db).await;
    let admin = actor(1, &[Role::Administrator, Role::SecurityLead]);
    let id = agents::create(&db, by(&admin, 1), running("Left behind"), Lifecycle::Draft).await.unwrap().id;
    let (ravi, mateo) = (Party::Person(PersonId(5)), Party::Person(PersonId(29)));
    assignments::assign(&db, by(&admin, 1), id, Duty::Purpose, mateo, Mode::Record, "known").await.unwrap();
    register::people::leave(&db, by(&admin, 2), PersonId(29), None, "left").await.unwrap();
    let kept = Wanted { duty: Duty::Purpose, party: mateo, role: RaciRole::Accountable };
    let more = Wanted { duty: Duty::Purpose, party: ravi, role: RaciRole::Responsible };
    let saved = assignments::put(&db, by(&admin, 3), id, None, &[kept, more], "he does the work").await.unwrap();
    assert_eq!(saved.cells.len(), 2);
    // A new A who is gone is refused as ever.
    let gone = Wanted { duty: Duty::Policy, ..kept };
    let refused = assignments::put(&db, by(&admin, 3), id, None, &[kept, more, gone], "him again").await;
    assert!(matches!(&refused, Err(Error::Invalid(w)) if w[0].pointer == "/cells/2/party"), "{refused:?}");
}

async fn an_offer_that_nobody_answers_lapses_by_the_clock(db: Db) {
    company(&db).await;
    let lead = lead();
    let id = agents::create(&db, by(&lead, 1), running("Waiting room"), Lifecycle::Draft).await.unwrap().id;
    let idle = agents::create(&db, by(&lead, 1), AgentFacts::named("Idle room"), Lifecycle::Draft).await.unwrap().id;
    let (ravi, mateo) = (Party::Person(PersonId(5)), Party::Person(PersonId(29)));
    for agent in [id, idle] {
        assignments::assign(&db, by(&lead, 2), agent, Duty::Containment, ravi, Mode::Offer, "").await.unwrap();
        assignments::assign(&db, by(&lead, 2), agent, Duty::Purpose, ravi, Mode::Offer, "").await.unwrap();
    }
    let me = actor(5, &[Role::Member]);
    let of = |waiting: Vec<assignments::Waiting>| waiting.iter().filter(|w| w.of == id.into()).count();
    for (days, expected, open) in [(31, RuntimeOwner::Pending, 2), (32, RuntimeOwner::None, 0)] {
        assert_eq!(state(&db, id, days).await, Some(expected));
        let waiting = assignments::waiting(&db, PersonId(5), crate::support::day(days), 500).await.unwrap().0;
        assert_eq!(of(waiting), open, "day {days}");
        let offers = assignments::offers(&db, by(&lead, days), id).await.unwrap();
        assert_eq!(offers.len(), open, "day {days}");
        let matrix = assignments::matrix(&db, by(&lead, days), id).await.unwrap();
        assert_eq!(matrix.cells.len(), open, "day {days}");
        let q = Query { runtime_owner: vec![expected], limit: 200, ..query() };
        let page = list::list(&db, by(&lead, days), &q).await.unwrap();
        let line = page.items.iter().find(|l| l.id == id).unwrap();
        assert_eq!(line.runtime_party.is_some(), open > 0);
        counters_are_true(&db, days).await;
    }
    // The finding says since when nobody can stop it: since the offer lapsed.
    let view = agents::read(&db, by(&lead, 33), id).await.unwrap();
    let nobody = view.judged.assessment.findings.iter().find(|f| f.key == FindingKey::NoRuntimeOwner).unwrap();
    assert_eq!(nobody.from, crate::support::day(32));
    let late = assignments::answer(&db, by(&me, 33), &[(id, Duty::Containment)], true, "").await;
    assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
    // A new offer closes the old one as of the moment at which it lapsed; folding does too.
    assignments::assign(&db, by(&lead, 33), id, Duty::Containment, mateo, Mode::Offer, "").await.unwrap();
    assert_eq!(state(&db, id, 33).await, Some(RuntimeOwner::Pending));
    clock::turns::fold(&db, crate::support::day(34)).await.unwrap();
    for days in [34, 63] {
        counters_are_true(&db, days).await;
    }
    register::audit::verify(&db, by(&lead, 34), None, |_| {}).await.unwrap();
}

async fn recording_is_once_and_needs_a_reason(db: Db) {
    company(&db).await;
    let lead = lead();
    let id = agents::create(&db, by(&lead, 1), running("Ledger scribe"), Lifecycle::Draft).await.unwrap().id;
    let ravi = Party::Person(PersonId(5));
    let gone = Party::Person(PersonId(11));
    let no_reason = assignments::assign(&db, by(&lead, 1), id, Duty::Containment, ravi, Mode::Record, " ").await;
    assert!(matches!(no_reason, Err(Error::Invalid(_))));
    let left = assignments::assign(&db, by(&lead, 1), id, Duty::Containment, gone, Mode::Record, "known").await;
    assert!(matches!(left, Err(Error::Invalid(_))));
    let member = actor(4, &[Role::Member]);
    let not_lead = assignments::assign(&db, by(&member, 1), id, Duty::Containment, ravi, Mode::Record, "known").await;
    assert!(matches!(not_lead, Err(Error::Denied(_))));
    assignments::assign(&db, by(&lead, 1), id, Duty::Containment, ravi, Mode::Record, "asked him").await.unwrap();
    let again = assignments::assign(
        &db,
        by(&lead, 2),
        id,
        Duty::Containment,
        Party::Person(PersonId(4)),
        Mode::Record,
        "changed my mind",
    )
    .await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
}

async fn fifty_at_once_make_one_accountable(db: Db) {
    company(&db).await;
    let lead = lead();
    let id = agents::create(&db, by(&lead, 1), running("Contended"), Lifecycle::Draft).await.unwrap().id;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..50 {
        let db = db.clone();
        tasks.spawn(async move {
            let lead = actor(1, &[Role::SecurityLead]);
            // Active people only: 11, 33 and 37 have left.
            let person = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10][n % 10];
            let party = Party::Person(PersonId(person));
            assignments::assign(&db, by(&lead, 1), id, Duty::Containment, party, Mode::Record, "race").await
        });
    }
    let mut won = 0;
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(()) => won += 1,
            Err(Error::Conflict(_)) => {}
            Err(e) => panic!("neither won nor a conflict: {e:?}"),
        }
    }
    assert_eq!(won, 1);
    let view = agents::read(&db, by(&lead, 1), id).await.unwrap();
    assert_eq!(view.judged.held.len(), 1);
    counters_are_true(&db, 1).await;
}

async fn a_whole_unit_in_one_go(db: Db) {
    company(&db).await;
    let lead = lead();
    let mut ids = Vec::new();
    for n in 0..12 {
        ids.push(agents::create(&db, by(&lead, 1), running(&format!("Bulk {n}")), Lifecycle::Draft).await.unwrap().id);
    }
    let before = posture::posture(&db, by(&lead, 1)).await.unwrap();
    let team = Party::Team(domain::id::TeamId(3));
    let out = assignments::assign_many(&db, by(&lead, 1), &ids, Duty::Containment, team, Mode::Record, "agreed")
        .await
        .unwrap();
    assert_eq!((out.done.len(), out.skipped.len()), (12, 0));
    let after = posture::posture(&db, by(&lead, 1)).await.unwrap();
    assert_eq!(before.unstoppable() - after.unstoppable(), 12);
    let again = assignments::assign_many(&db, by(&lead, 1), &ids, Duty::Containment, team, Mode::Record, "agreed")
        .await
        .unwrap();
    assert_eq!((again.done.len(), again.skipped.len()), (0, 12));
    counters_are_true(&db, 1).await;
}

async fn a_drill_lapses_by_the_clock_alone(db: Db) {
    company(&db).await;
    let lead = lead();
    let verified = |days| {
        let db = db.clone();
        let lead = lead.clone();
        async move { posture::posture(&db, by(&lead, days)).await.unwrap().runtime_owner["verified"] }
    };
    let at_first = verified(0).await;
    assert!(at_first > 10, "{at_first}");
    counters_are_true(&db, 0).await;
    // No job has run: two hundred days on, critical and high tiers have lapsed.
    let later = verified(200).await;
    assert!(later < at_first, "{later} of {at_first}");
    counters_are_true(&db, 200).await;
    // Folding changes nothing that is shown.
    while clock::turns::fold(&db, crate::support::day(200)).await.unwrap() > 0 {}
    assert_eq!(verified(200).await, later);
    counters_are_true(&db, 200).await;
}

async fn pages_meet_end_to_end(db: Db) {
    company(&db).await;
    let lead = lead();
    for (_, sort) in Sort::ALL {
        for down in [false, true] {
            let mut seen = Vec::new();
            let mut q = Query { limit: 7, sort, down, ..query() };
            let mut firsts = Vec::new();
            loop {
                let page = list::list(&db, by(&lead, 0), &q).await.unwrap();
                assert_eq!(page.total, Some(60));
                firsts.push(page.items[0].id);
                seen.extend(page.items.iter().map(|l| l.id));
                if let Some(next) = page.next {
                    q.cursor = Some(next);
                } else {
                    // And back again.
                    let mut previous = page.previous;
                    let mut back = vec![];
                    while let Some(p) = previous {
                        q.cursor = Some(p);
                        let page = list::list(&db, by(&lead, 0), &q).await.unwrap();
                        back.push(page.items[0].id);
                        previous = page.previous;
                    }
                    firsts.pop();
                    firsts.reverse();
                    assert_eq!(back, firsts, "{sort:?} {down}");
                    break;
                }
            }
            let mut unique = seen.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!((seen.len(), unique.len()), (60, 60), "{sort:?} {down}");
        }
    }
}

async fn search_finds_what_people_type(db: Db) {
    company(&db).await;
    let lead = lead();
    let mut f = running("Crème brûlée وكيل 🤖");
    f.business_unit = "Küche".into();
    let id = agents::create(&db, by(&lead, 1), f, Lifecycle::Draft).await.unwrap().id;
    for text in ["creme", "Crème", "BRU", "وكيل", "kuche", "creme kuche", &id.to_string()] {
        let q = Query { q: text.into(), ..query() };
        let page = list::list(&db, by(&lead, 1), &q).await.unwrap();
        assert!(page.items.iter().any(|l| l.id == id), "{text}");
        assert_eq!(page.total, Some(page.items.len() as i64), "{text}");
    }
    let q = Query { q: "xylophone".into(), ..query() };
    assert_eq!(list::list(&db, by(&lead, 1), &q).await.unwrap().total, Some(0));
}

async fn what_one_may_not_see_is_not_there(db: Db) {
    company(&db).await;
    let lead = lead();
    let mut f = running("Whistleblower line");
    f.confidential = true;
    let id = agents::create(&db, by(&lead, 1), f, Lifecycle::Draft).await.unwrap().id;
    let member = actor(15, &[Role::Member]);
    assert!(matches!(agents::read(&db, by(&member, 1), id).await, Err(Error::NotFound(_))));
    let q = Query { q: "whistleblower".into(), ..query() };
    let page = list::list(&db, by(&member, 1), &q).await.unwrap();
    assert_eq!((page.items.len(), page.total), (0, Some(0)));
    let q = Query { runtime_owner: vec![RuntimeOwner::None], ..query() };
    assert!(matches!(list::list(&db, by(&member, 1), &q).await, Err(Error::Denied(_))));
    // Asked to own it, they may look.
    let party = Party::Person(PersonId(15));
    assignments::assign(&db, by(&lead, 1), id, Duty::Purpose, party, Mode::Offer, "").await.unwrap();
    assert!(agents::read(&db, by(&member, 1), id).await.is_ok());
}

async fn edits_are_guarded(db: Db) {
    company(&db).await;
    let lead = lead();
    let agent = agents::create(&db, by(&lead, 1), running("Editable"), Lifecycle::Draft).await.unwrap();
    let mut f = agent.facts.clone();
    f.tools = vec![ToolGrant {
        name: "Code runner".into(),
        kind: ToolKind::CodeExecution,
        sensitivity: Sensitivity::High,
        access: Access::Admin,
        scope: String::new(),
    }];
    let edited = agents::edit(&db, by(&lead, 2), agent.id, 1, f.clone(), "it runs code").await.unwrap();
    assert_eq!(edited.version, 2);
    assert!(edited.tier > agent.tier);
    assert!(edited.facts == f);
    let stale = agents::edit(&db, by(&lead, 2), agent.id, 1, agent.facts.clone(), "").await;
    assert!(matches!(stale, Err(Error::Stale(2))));
    let mut odd = f.clone();
    odd.tools[0].kind = ToolKind::Saas;
    let clash = agents::edit(&db, by(&lead, 2), agent.id, 2, odd, "").await;
    assert!(matches!(clash, Err(Error::Invalid(_))));
    // An approved boundary is not edited in place; other facts are.
    let approved = AgentId(1);
    let view = agents::read(&db, by(&lead, 2), approved).await.unwrap();
    let mut f = view.judged.agent.facts.clone();
    f.environment = Environment::Sandbox;
    let refused = agents::edit(&db, by(&lead, 2), approved, 1, f, "").await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    let mut f = view.judged.agent.facts;
    f.business_unit = "Care".into();
    agents::edit(&db, by(&lead, 2), approved, 1, f, "renamed").await.unwrap();
    counters_are_true(&db, 2).await;
}

async fn a_shared_record_has_one_spelling(db: Db) {
    company(&db).await;
    let lead = lead();
    let tool = |name: &str| ToolGrant {
        name: name.into(),
        kind: ToolKind::Saas,
        sensitivity: Sensitivity::Low,
        access: Access::Read,
        scope: String::new(),
    };
    let first = AgentFacts { tools: vec![tool("Ledger Desk")], ..running("First") };
    agents::create(&db, by(&lead, 1), first, Lifecycle::Draft).await.unwrap();
    let other = AgentFacts { tools: vec![tool("ledger DESK")], ..running("Other") };
    let other = agents::create(&db, by(&lead, 1), other, Lifecycle::Draft).await.unwrap();
    assert_eq!(other.facts.tools[0].name, "Ledger Desk");
    assert_eq!(other.boundary_sha256, other.facts.boundary_sha256());
    // Another spelling of the same is no change.
    let again = AgentFacts { tools: vec![tool("LEDGER desk")], ..other.facts.clone() };
    let same = agents::edit(&db, by(&lead, 2), other.id, 1, again, "").await.unwrap();
    assert_eq!(same.version, 1);
}

async fn a_matrix_is_saved_as_one_change(db: Db) {
    company(&db).await;
    let lead = lead();
    let id = agents::create(&db, by(&lead, 1), running("Gridded"), Lifecycle::Draft).await.unwrap().id;
    let (ravi, team) = (Party::Person(PersonId(5)), Party::Team(domain::id::TeamId(3)));
    let cell = |duty, party, role| Wanted { duty, party, role };
    let wanted = [
        cell(Duty::Containment, ravi, RaciRole::Accountable),
        cell(Duty::Containment, team, RaciRole::Responsible),
        cell(Duty::Policy, team, RaciRole::Informed),
    ];
    let before = assignments::matrix(&db, by(&lead, 1), id).await.unwrap();
    let saved = assignments::put(&db, by(&lead, 1), id, Some(before.version), &wanted, "set up").await.unwrap();
    assert_eq!(saved.cells.len(), 3);
    assert!(saved.cells.iter().any(|c| c.role == RaciRole::Accountable && c.accepted_at.is_none()), "A is offered");
    let stale = assignments::put(&db, by(&lead, 1), id, Some(before.version), &wanted, "again").await;
    assert!(matches!(stale, Err(Error::Stale(_))));
    let two = [wanted[0], cell(Duty::Containment, team, RaciRole::Accountable)];
    let refused = assignments::put(&db, by(&lead, 1), id, None, &two, "two").await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    let fewer = assignments::put(&db, by(&lead, 2), id, None, &wanted[..1], "fewer").await.unwrap();
    assert_eq!(fewer.cells.len(), 1);
}

async fn what_was_read_may_be_sent_back(db: Db) {
    company(&db).await;
    let lead = lead();
    let id = agents::create(&db, by(&lead, 1), running("On offer"), Lifecycle::Draft).await.unwrap().id;
    let (ravi, other) = (Party::Person(PersonId(5)), Party::Person(PersonId(4)));
    assignments::assign(&db, by(&lead, 1), id, Duty::Purpose, ravi, Mode::Record, "known").await.unwrap();
    assignments::assign(&db, by(&lead, 1), id, Duty::Purpose, other, Mode::Offer, "").await.unwrap();
    let read = assignments::matrix(&db, by(&lead, 1), id).await.unwrap();
    let cell = |c: &assignments::Cell| Wanted { duty: c.duty, party: c.party, role: c.role };
    let back = read.meant(read.cells.iter().map(cell).collect());
    let saved = assignments::put(&db, by(&lead, 1), id, Some(read.version), &back, "nothing new").await.unwrap();
    assert_eq!(saved.version, read.version);
    assert_eq!(saved.cells, read.cells);
    // Without the offer, the offer ends and the owner stays.
    let kept = read.meant(read.cells.iter().filter(|c| c.accepted_at.is_some()).map(cell).collect());
    let saved = assignments::put(&db, by(&lead, 2), id, Some(read.version), &kept, "not them").await.unwrap();
    assert_eq!(saved.cells.iter().map(|c| c.party).collect::<Vec<_>>(), [ravi]);
    counters_are_true(&db, 2).await;
}

story!(gone_stays, super::a_matrix_is_saved_though_an_owner_of_it_is_gone);
story!(lapses, super::an_offer_that_nobody_answers_lapses_by_the_clock);
story!(nobody_to_untested, super::from_nobody_to_untested);
story!(recording, super::recording_is_once_and_needs_a_reason);
story!(race, super::fifty_at_once_make_one_accountable);
story!(bulk, super::a_whole_unit_in_one_go);
story!(drill_lapses, super::a_drill_lapses_by_the_clock_alone);
story!(paging, super::pages_meet_end_to_end);
story!(search, super::search_finds_what_people_type);
story!(confidential, super::what_one_may_not_see_is_not_there);
story!(edits, super::edits_are_guarded);
story!(spelling, super::a_shared_record_has_one_spelling);
story!(matrix, super::a_matrix_is_saved_as_one_change);
story!(matrix_sent_back, super::what_was_read_may_be_sent_back);
