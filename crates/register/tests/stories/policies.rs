//! The policy: weighed before it is kept, kept with its reason, and never weakened by one alone.

use domain::agent::Lifecycle;
use domain::can::Actor;
use domain::duty::Duty;
use domain::party::Role;
use domain::policy::{Approver, Conditions, Policy, When};
use domain::proposal::Matter;
use register::agents::list::{self, Query};
use register::agents::{needs, stored};
use register::policies::{self, Written};
use register::proposals::{self, Decided};
use register::{Db, Error, args};

use crate::people::{person, pointers, the_record_holds};
use crate::proposals::governor;
use crate::support::{actor, by, day, story};

async fn company(db: &Db) {
    register::seed::demo(db, by(&Actor::cli(), 0)).await.unwrap();
}

/// With one approver asked on another condition.
fn with(policy: &Policy, duty: Duty, when: When) -> Policy {
    let mut out = policy.clone();
    out.approvers.retain(|a| a.duty != duty);
    out.approvers.push(Approver { duty, when, last: false });
    out
}

async fn every_agent(db: &Db) -> Vec<stored::Agent> {
    let rows = db.all("SELECT id FROM agent ORDER BY id", args![]).await.unwrap();
    let ids: Vec<_> = rows.iter().map(|r| r.get(0).unwrap()).collect();
    let mut reads = db;
    stored::load(&mut reads, &ids, day(1)).await.unwrap()
}

fn holds_approval(state: Lifecycle) -> bool {
    matches!(state, Lifecycle::Approved | Lifecycle::Active | Lifecycle::Suspended)
}

/// What a condition counts, what the inventory finds by it, and what the agents' facts say.
async fn the_numbers_are_those_of_the_agents(db: Db) {
    company(&db).await;
    let lead = actor(1, &[Role::SecurityLead]);
    let agents = every_agent(&db).await;
    let living: Vec<&stored::Agent> = agents.iter().filter(|a| a.state != Lifecycle::Retired).collect();
    assert!(living.len() < agents.len(), "some are retired");
    let holding = policies::holding(&db, by(&lead, 1)).await.unwrap().unwrap();
    assert_eq!(policies::holding(&db, by(&actor(4, &[Role::Member]), 1)).await.unwrap(), None);
    for when in When::ALL {
        let found = living.iter().filter(|a| when.holds(&a.facts)).count();
        assert_eq!(holding[when], found as u64, "{when}");
        for (condition, without_condition, expected) in
            [(Some(*when), None, found), (None, Some(*when), living.len() - found)]
        {
            let query = Query { condition, without_condition, limit: 200, count_to: 10_000, ..Query::default() };
            let page = list::list(&db, by(&lead, 1), &query).await.unwrap();
            assert_eq!(
                (page.items.len(), page.total),
                (expected, Some(expected as i64)),
                "{condition:?} {without_condition:?}"
            );
        }
    }
    let both = Query {
        condition: Some(When::Production),
        without_condition: Some(When::Regulated),
        state: Some(Lifecycle::Active),
        limit: 200,
        count_to: 10_000,
        ..Query::default()
    };
    let page = list::list(&db, by(&lead, 1), &both).await.unwrap();
    let expected = living.iter().filter(|a| {
        a.state == Lifecycle::Active && When::Production.holds(&a.facts) && !When::Regulated.holds(&a.facts)
    });
    assert_eq!(page.items.iter().map(|l| l.id).collect::<Vec<_>>(), expected.map(|a| a.id).collect::<Vec<_>>());

    // The effect of a change is what counting agent by agent gives.
    let policy = with(&Policy::default(), Duty::Monitoring, When::Production);
    let policy = with(&policy, Duty::Identity, When::Regulated);
    let seen = policies::preview(&db, by(&lead, 1), &policy).await.unwrap();
    let count = |f: &dyn Fn(&stored::Agent) -> bool| living.iter().filter(|a| f(a)).count() as u64;
    let of = |duty| *seen.effect.duties.iter().find(|d| d.duty == duty).unwrap();
    assert_eq!(seen.effect.duties.len(), 2);
    let watched = of(Duty::Monitoring);
    assert!(watched.more > 0 && watched.fewer == 0);
    assert_eq!(watched.more, count(&|a| When::Production.holds(&a.facts)));
    assert_eq!(watched.more_approved, count(&|a| holds_approval(a.state) && When::Production.holds(&a.facts)));
    let identity = of(Duty::Identity);
    assert_eq!(identity.fewer, count(&|a| When::BeyondReadOnly.holds(&a.facts) && !When::Regulated.holds(&a.facts)));
    assert_eq!(
        seen.effect.due,
        count(&|a| holds_approval(a.state) && policy.asks_more(&Policy::default(), Conditions::of(&a.facts)))
    );
    assert!(!seen.weaker.is_empty() && !seen.behind);
    let refused = policies::preview(&db, by(&actor(4, &[Role::Member]), 1), &policy).await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");

    // A database from before the counters: assessed again, a batch at a time.
    db.run("UPDATE agent SET needs = NULL WHERE id <= 7", args![]).await.unwrap();
    let mut reads = &db;
    assert!(needs::behind(&mut reads).await.unwrap());
    assert_eq!(needs::catch_up(&db, day(1)).await.unwrap(), 7);
    assert_eq!(needs::catch_up(&db, day(1)).await.unwrap(), 0);
    assert!(!needs::behind(&mut reads).await.unwrap());
    assert_eq!(policies::holding(&db, by(&lead, 1)).await.unwrap().unwrap(), holding);
    the_record_holds(&db).await;
}

async fn a_stronger_policy_goes_through_at_once(db: Db) {
    company(&db).await;
    let lead = actor(1, &[Role::SecurityLead]);
    let policy = with(&Policy::default(), Duty::Monitoring, When::Regulated);
    let empty = policies::write(&db, by(&lead, 1), Some(0), &policy, "  ").await.unwrap_err();
    assert_eq!(pointers(empty), ["/reason"]);
    let mut wrong = policy.clone();
    wrong.approvers.retain(|a| a.duty != Duty::Purpose);
    wrong.review_days.critical = 400;
    let refused = policies::write(&db, by(&lead, 1), Some(0), &wrong, "").await.unwrap_err();
    assert_eq!(pointers(refused), ["/reason", "/approvers", "/review_days"]);
    for who in [actor(3, &[Role::Administrator]), actor(4, &[Role::Member]), actor(5, &[Role::Auditor])] {
        assert!(matches!(policies::write(&db, by(&who, 1), None, &policy, "so").await, Err(Error::Denied(_))));
        assert_eq!(policies::read(&db, by(&who, 1)).await.unwrap().version, 0);
    }
    let same = policies::write(&db, by(&lead, 1), Some(0), &Policy::default(), "nothing").await;
    assert!(matches!(same, Err(Error::Conflict(_))), "{same:?}");

    // Whoever holds an approval and is asked a step more is assessed again, and nobody else.
    db.run("UPDATE agent SET tier_points = 999", args![]).await.unwrap();
    let done = policies::write(&db, by(&lead, 2), Some(0), &policy, "Watched by name.").await.unwrap();
    assert_eq!(done, Written::InForce(1));
    let again: Vec<_> = every_agent(&db).await.into_iter().filter(|a| a.tier_points != 999).collect();
    assert!(!again.is_empty());
    assert!(again.iter().all(|a| a.facts.regulated && holds_approval(a.state)), "{again:?}");
    let asked = every_agent(&db).await.into_iter().filter(|a| a.facts.regulated && holds_approval(a.state)).count();
    assert_eq!(again.len(), asked);

    let now = policies::read(&db, by(&lead, 3)).await.unwrap();
    assert_eq!((now.version, now.at, now.made_by.as_str()), (1, Some(day(2)), "PE-1"));
    assert_eq!((now.reason.as_str(), now.confirmed_by.as_deref()), ("Watched by name.", None));
    assert_eq!(now.policy.when(Duty::Monitoring), When::Regulated);
    let stale = policies::write(&db, by(&lead, 3), Some(0), &Policy::default(), "back").await;
    assert!(matches!(stale, Err(Error::Stale(1))), "{stale:?}");
    let longer = with(&policy, Duty::Incident, When::Regulated);
    policies::write(&db, by(&lead, 4), Some(1), &longer, "And led.").await.unwrap();

    let past = policies::past(&db, by(&lead, 5), None, 20).await.unwrap();
    assert_eq!(past.iter().map(|p| p.version.version).collect::<Vec<_>>(), [2, 1, 0]);
    assert_eq!(past[1].changes, ["Monitoring owner: asked “regulated” instead of “never”."]);
    assert!(past.iter().all(|p| p.weaker.is_empty()) && past[2].changes.is_empty());
    // By pages of one.
    for (before, expected) in [(None, 2), (Some(2), 1), (Some(1), 0)] {
        let page = policies::past(&db, by(&lead, 5), before, 1).await.unwrap();
        assert_eq!(page.iter().map(|p| p.version.version).collect::<Vec<_>>(), [expected]);
    }
    assert!(policies::past(&db, by(&lead, 5), Some(0), 1).await.unwrap().is_empty());
    assert!(matches!(policies::read_version(&db, by(&lead, 5), 9).await, Err(Error::NotFound(_))));
    // A version is never changed, whoever tries.
    assert!(db.run("UPDATE policy SET reason = 'other'", args![]).await.is_err());
    the_record_holds(&db).await;
}

async fn a_weaker_policy_needs_a_second_person(db: Db) {
    let (ana, by_ana) = governor(&db, "ana", Role::SecurityLead).await;
    let weak = with(&Policy::default(), Duty::Identity, When::Never);
    let weaker = with(&weak, Duty::Requests, When::HighSensitivity);
    // One who governs alone decides alone.
    let alone = policies::write(&db, by(&by_ana, 0), Some(0), &weak, "Too many steps.").await.unwrap();
    assert_eq!(alone, Written::InForce(1));
    let (ben, by_ben) = governor(&db, "ben", Role::Administrator).await;
    let zoe = person(&db, "Zoe").await;
    assert!(policies::preview(&db, by(&by_ana, 1), &weaker).await.unwrap().second_person);
    let asked = policies::write(&db, by(&by_ana, 1), Some(1), &weaker, "Fewer still.").await.unwrap();
    assert!(matches!(&asked, Written::Asked(s) if s.contains("second person") && s.contains("/policy")), "{asked:?}");
    assert_eq!(policies::read(&db, by(&by_ben, 1)).await.unwrap().version, 1, "nothing changed yet");
    let twice = policies::write(&db, by(&by_ana, 1), Some(1), &weaker, "Again.").await;
    assert!(matches!(&twice, Err(Error::Conflict(s)) if s.contains("already")), "{twice:?}");

    let open = proposals::about_policy(&db, by(&by_ben, 2)).await.unwrap().unwrap();
    assert_eq!((open.matter, open.person, open.asked_by), (Matter::Policy, None, ana));
    assert_eq!(
        open.changes,
        ["API owner: asked “uses a tool of high sensitivity” instead of “uses tools or MCP servers”."]
    );
    assert!(open.may_confirm && open.may_refuse);
    assert_eq!(proposals::waiting(&db, by(&by_ben, 2)).await.unwrap(), std::slice::from_ref(&open));
    assert!(!proposals::about_policy(&db, by(&by_ana, 2)).await.unwrap().unwrap().may_confirm);
    let member = actor(zoe.0, &[Role::Member]);
    assert!(proposals::about_policy(&db, by(&member, 2)).await.unwrap().is_none());
    for who in [&by_ana, &member, &Actor::cli()] {
        let refused = proposals::confirm_policy(&db, by(who, 2), open.id, "").await;
        assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    }
    // It is not about a person, and nobody's password comes of it.
    assert!(proposals::confirm(&db, by(&by_ben, 2), zoe, open.id, "", "").await.is_err());
    let done = proposals::confirm_policy(&db, by(&by_ben, 2), open.id, "Agreed.").await.unwrap();
    assert_eq!(done, Decided::PolicyInForce(2));
    let now = policies::read(&db, by(&by_ana, 2)).await.unwrap();
    assert_eq!((now.made_by, now.confirmed_by), (ana.to_string(), Some(ben.to_string())));
    assert_eq!((now.reason.as_str(), now.policy.when(Duty::Requests)), ("Fewer still.", When::HighSensitivity));
    assert!(matches!(proposals::confirm_policy(&db, by(&by_ben, 2), open.id, "").await, Err(Error::Conflict(_))));

    // What was proposed of a version that is not in force any more is not confirmed.
    let mut longer = now.policy.clone();
    longer.review_days.low = 400;
    policies::write(&db, by(&by_ana, 3), Some(2), &longer, "Low can wait.").await.unwrap();
    let stronger = with(&now.policy, Duty::Monitoring, When::Always);
    let at_once = policies::write(&db, by(&by_ana, 3), Some(2), &stronger, "Watched.").await.unwrap();
    assert_eq!(at_once, Written::InForce(3), "what is stronger waits for nobody");
    let open = proposals::about_policy(&db, by(&by_ben, 4)).await.unwrap().unwrap();
    let late = proposals::confirm_policy(&db, by(&by_ben, 4), open.id, "").await;
    assert!(matches!(&late, Err(Error::Conflict(s)) if s.contains("version 3")), "{late:?}");
    assert_eq!(proposals::refuse_policy(&db, by(&by_ana, 4), open.id, "Anew.").await.unwrap(), Decided::Refused);
    assert!(proposals::about_policy(&db, by(&by_ben, 4)).await.unwrap().is_none());

    // Nobody answers: it lapses, and may be asked for again.
    let mut longer = stronger;
    longer.review_days.low = 400;
    policies::write(&db, by(&by_ana, 10), Some(3), &longer, "Low can wait.").await.unwrap();
    let id = proposals::about_policy(&db, by(&by_ben, 16)).await.unwrap().unwrap().id;
    assert!(proposals::about_policy(&db, by(&by_ben, 17)).await.unwrap().is_none());
    let late = proposals::confirm_policy(&db, by(&by_ben, 17), id, "").await;
    assert!(matches!(&late, Err(Error::Conflict(s)) if s.contains("lapsed")), "{late:?}");
    let again = policies::write(&db, by(&by_ana, 18), Some(3), &longer, "Low can wait.").await.unwrap();
    assert!(matches!(again, Written::Asked(_)));
    the_record_holds(&db).await;
    // Whatever writes the row, the store keeps one person from being both.
    let confirm = "UPDATE proposal SET state = 'confirmed', decided_at = 1, decided_by = $1 WHERE state = 'open'";
    assert!(db.run(confirm, args![ana]).await.is_err());
    assert!(db.run("UPDATE proposal SET person_id = 1 WHERE matter = 'policy'", args![]).await.is_err());
    assert!(db.run("UPDATE proposal SET content = NULL WHERE matter = 'policy'", args![]).await.is_err());
}

story!(the_effect_of_a_policy_is_counted, super::the_numbers_are_those_of_the_agents);
story!(what_is_stronger_needs_one_person, super::a_stronger_policy_goes_through_at_once);
story!(what_is_weaker_needs_two, super::a_weaker_policy_needs_a_second_person);
