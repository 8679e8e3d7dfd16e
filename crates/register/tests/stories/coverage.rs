//! Coverage: what is counted is what judging every agent gives, at any moment, whether or not
//! anything was folded; and the rows behind a number are those that it counted.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::{AgentFacts, Lifecycle};
use domain::coverage::{Condition, ControlKey, Outcome, Signature, Standing};
use domain::framework::{self, Strength};
use domain::id::AgentId;
use domain::text;
use register::agents::{self, assess};
use register::coverage::mapping::{self, Wish};
use register::coverage::{self, Query, estate, rows};
use register::{By, Db, Error, args, clock, seed};

use crate::clock::verified;
use crate::exception_board::{Wish as Excepting, agreed, cast, keyed, standing};
use crate::people::{keeper, the_record_holds};
use crate::requests::{approve_all, draft, facts, lead, member, organisation, submit};
use crate::support::{by, day, story};

type Counted = BTreeMap<(String, i64), i64>;

/// Every agent judged at the moment: the slow, obvious way.
async fn slowly(db: &Db, now: DateTime<Utc>) -> Counted {
    let all = db.all("SELECT id FROM agent", args![]).await.unwrap();
    let ids: Vec<AgentId> = all.iter().map(|r| r.get(0).unwrap()).collect();
    let mut out = Counted::new();
    for j in assess::judge(&mut &*db, &ids, now).await.unwrap() {
        if let Some(signature) = coverage::evidence(&j).signature(now) {
            *out.entry((text::fold(&j.agent.facts.business_unit), signature.number())).or_default() += 1;
        }
    }
    out
}

async fn counted(db: &Db, now: DateTime<Utc>) -> Counted {
    let keeper = keeper();
    let estate = estate(db, By { actor: &keeper, now }).await.unwrap();
    assert!(!estate.behind);
    let of = |s: &domain::coverage::Share| ((estate.units[s.unit].folded.clone(), s.signature.number()), s.agents);
    estate.shares.iter().map(of).collect()
}

/// How many agents have this outcome of a control.
async fn outcomes(db: &Db, now: DateTime<Utc>, control: ControlKey, outcome: Outcome) -> i64 {
    let all = counted(db, now).await.into_iter();
    all.filter(|((_, n), _)| Signature::kept(*n).outcome(control) == outcome).map(|(_, n)| n).sum()
}

const TINY: TimeDelta = TimeDelta::microseconds(1);

async fn what_is_counted_follows_the_clock(db: Db) {
    organisation(&db).await;
    let cast = cast(&db).await;
    let covered = keyed(&db, &cast, "Keyed").await;
    let shown = verified(&db, 1).await;
    let approved = draft(&db, AgentFacts { business_unit: "Roads".into(), ..facts() }).await;
    let request = submit(&db, approved, 2).await;
    approve_all(&db, request, 3).await;
    let wish = Excepting {
        agents: vec![covered],
        control: standing(),
        node: "NHI7",
        why: "The vault comes.",
        starts: None,
        until: 30,
    };
    agreed(&db, &cast, 10, &wish).await;
    let lapses = day(2) + TimeDelta::days(365);
    let moments = [day(11), day(30) - TINY, day(30), lapses - TINY, lapses, day(500), day(900)];
    for now in moments {
        assert_eq!(counted(&db, now).await, slowly(&db, now).await, "{now}");
    }
    let of = async |now, control, outcome| outcomes(&db, now, control, outcome).await;
    assert_eq!(of(day(30) - TINY, ControlKey::DelegatedAccess, Outcome::Excepted).await, 1);
    assert_eq!(of(day(30), ControlKey::DelegatedAccess, Outcome::Excepted).await, 0, "the second it ends");
    assert_eq!(of(lapses - TINY, ControlKey::KillSwitch, Outcome::Met).await, 1);
    assert_eq!(of(lapses, ControlKey::KillSwitch, Outcome::Met).await, 0, "the second the drill lapses");
    assert_eq!(of(day(11), ControlKey::ApprovalRecord, Outcome::Met).await, 1);

    // A change is there at once, and one that moves the agent to another unit moves its count.
    let before = counted(&db, day(40)).await;
    let view = agents::read(&db, by(&lead(), 40), shown).await.unwrap();
    let changed = AgentFacts { business_unit: "Roads".into(), ..view.judged.agent.facts.clone() };
    agents::edit(&db, by(&lead(), 40), shown, view.judged.agent.version, changed, "").await.unwrap();
    let after = counted(&db, day(40)).await;
    let roads = |c: &Counted| c.iter().filter(|((unit, _), _)| unit == "roads").map(|(_, n)| n).sum::<i64>();
    assert_eq!((roads(&before), roads(&after)), (1, 2));

    // Folded by the scheduler it reads the same.
    while clock::step(&db, day(400)).await.unwrap().is_some() {}
    for now in [day(400), day(900)] {
        assert_eq!(counted(&db, now).await, slowly(&db, now).await, "{now}");
    }
    the_record_holds(&db).await;
}
story!(counted_by_the_clock, super::what_is_counted_follows_the_clock);

async fn every_number_leads_to_its_rows(db: Db) {
    seed::synthetic(&db, by(&keeper(), 0), 120, Some(20), 7, |_| ()).await.unwrap();
    let node = framework::node("MANAGE 2.4").unwrap();
    // Long after, with nothing folded: what the clock has moved is read where it is now.
    for days in [0, 400] {
        let keeper = keeper();
        let now = by(&keeper, days);
        let estate = estate(&db, now).await.unwrap();
        let counts = estate.of_node(node);
        assert_eq!(counted(&db, day(days)).await, slowly(&db, day(days)).await);
        let units = std::iter::once(None).chain(estate.units.iter().map(|u| Some(u.name.clone())));
        let mut sums = BTreeMap::<Standing, i64>::new();
        for unit in units {
            for standing in Standing::ALL {
                let mut query = Query { standing: Some(*standing), unit: unit.clone(), limit: Some(7), cursor: None };
                let mut seen = std::collections::BTreeSet::new();
                let total = loop {
                    let page = rows(&db, now, node, &query).await.unwrap();
                    let total = page.total.unwrap();
                    for row in page.items {
                        assert_eq!(row.standing, *standing, "{}", row.id);
                        assert!(seen.insert(row.id), "{} twice", row.id);
                        assert!(unit.as_ref().is_none_or(|u| text::fold(u) == text::fold(&row.business_unit)));
                    }
                    let Some(next) = page.next else { break total };
                    query.cursor = Some(next);
                };
                assert_eq!(seen.len() as i64, total);
                match &unit {
                    None => assert_eq!(total, counts.of(*standing)),
                    Some(_) => *sums.entry(*standing).or_default() += total,
                }
            }
        }
        assert!(Standing::ALL.iter().all(|s| sums.get(s).copied().unwrap_or(0) == counts.of(*s)));
    }
    let wrong = Query { cursor: Some("x".into()), ..Query::default() };
    assert!(matches!(rows(&db, by(&keeper(), 0), node, &wrong).await, Err(Error::Invalid(_))));
    assert!(matches!(rows(&db, by(&member(5), 0), node, &Query::default()).await, Err(Error::Denied(_))));
}
story!(rows_behind_numbers, super::every_number_leads_to_its_rows);

async fn an_update_counts_every_agent_again(db: Db) {
    let keeper = keeper();
    agents::create(&db, by(&keeper, 0), AgentFacts::named("One"), Lifecycle::Draft).await.unwrap();
    let before = counted(&db, day(1)).await;
    db.run("UPDATE agent SET needs = NULL, evidence = NULL", args![]).await.unwrap();
    assert!(estate(&db, by(&keeper, 1)).await.unwrap().behind);
    assert_eq!(agents::needs::catch_up(&db, day(1)).await.unwrap(), 1);
    assert_eq!(counted(&db, day(1)).await, before);
    let node = framework::node("GOVERN 1.6").unwrap();
    assert_eq!(rows(&db, by(&keeper, 1), node, &Query::default()).await.unwrap().items.len(), 1);
}
story!(counted_after_an_update, super::an_update_counts_every_agent_again);

async fn what_is_said_of_a_node_is_a_version_and_ends(db: Db) {
    organisation(&db).await;
    let node = framework::node("MANAGE 2.4").unwrap();
    draft(&db, AgentFacts { business_unit: "Roads".into(), ..facts() }).await;
    draft(&db, AgentFacts { business_unit: "Claims".into(), tools: Vec::new(), ..facts() }).await;
    let of = async |days| {
        let keeper = keeper();
        let estate = estate(&db, by(&keeper, days)).await.unwrap();
        let counts = estate.of_node(node);
        let listed = rows(&db, by(&keeper, days), node, &Query::default()).await.unwrap().items;
        for standing in Standing::ALL {
            let rows = listed.iter().filter(|r| r.standing == *standing).count();
            assert_eq!(rows as i64, counts.of(*standing), "{standing}");
        }
        counts
    };
    assert_eq!(of(3).await.of(Standing::Partly) + of(3).await.of(Standing::Missing), 2);
    let last = |days: i64| Some(day(days).date_naive());
    let only = Wish::Only(Some((Condition::HasTools, last(20))));
    assert_eq!(mapping::amend(&db, by(&lead(), 3), Some(0), node, &only, "It is about tools.").await.unwrap(), 1);
    assert_eq!(of(3).await.of(Standing::NotApplicable), 1);
    assert_eq!(of(20).await.of(Standing::NotApplicable), 1, "to the end of that day");
    assert_eq!(of(21).await.of(Standing::NotApplicable), 0);
    let attest = |unit: Option<&str>, evidence: &str, days| Wish::Attest {
        business_unit: unit.map(str::to_owned),
        says: "The supplier stops it.".into(),
        evidence: evidence.into(),
        until: last(days),
    };
    let said = attest(Some("roads"), "Contract 7", 30);
    let stale = mapping::amend(&db, by(&lead(), 4), Some(0), node, &said, "So.").await;
    assert!(matches!(stale, Err(Error::Stale(1))));
    assert_eq!(mapping::amend(&db, by(&lead(), 4), Some(1), node, &said, "No record shows it.").await.unwrap(), 2);
    assert_eq!(of(4).await.of(Standing::Met), 1);
    assert_eq!(of(31).await.of(Standing::Met), 0, "it ends with its day");
    for (wish, reason, pointer) in [
        (attest(Some("Nowhere"), "x", 30), "So.", "/business_unit"),
        (attest(None, "", 30), "So.", "/evidence"),
        (attest(None, "x", 500), "So.", "/until"),
        (attest(None, "x", 3), "So.", "/until"),
        (attest(None, "x", 30), "", "/reason"),
    ] {
        let refused = mapping::amend(&db, by(&lead(), 5), None, node, &wish, reason).await.unwrap_err();
        assert_eq!(crate::people::pointers(refused), [pointer]);
    }
    let denied = mapping::amend(&db, by(&member(5), 5), None, node, &said, "So.").await;
    assert!(matches!(denied, Err(Error::Denied(_))));
    // Another reading: the owner's name alone is a whole answer, for the organisation.
    let links = [(ControlKey::NamedBusinessOwner, Strength::Full)].into_iter().collect();
    mapping::amend(&db, by(&lead(), 6), None, node, &Wish::Links(links), "Agreed by the board.").await.unwrap();
    assert_eq!((of(6).await.of(Standing::Met), of(6).await.of(Standing::NotApplicable)), (1, 1));
    mapping::amend(&db, by(&lead(), 6), None, node, &Wish::Only(None), "For all.").await.unwrap();
    assert_eq!(of(6).await.of(Standing::Met), 2);
    let ended = Wish::End(Some("Roads".into()));
    assert_eq!(mapping::amend(&db, by(&lead(), 7), None, node, &ended, "Over.").await.unwrap(), 5);
    assert!(matches!(mapping::amend(&db, by(&lead(), 7), None, node, &ended, "Over.").await, Err(Error::Conflict(_))));
    let kept = mapping::mapping(&db, by(&member(5), 7)).await.unwrap();
    assert_eq!((kept.version, kept.amendments.attested.len(), kept.made_by.as_str()), (5, 0, "PE-1"));
    the_record_holds(&db).await;
}
story!(mappings_and_attestations, super::what_is_said_of_a_node_is_a_version_and_ends);
