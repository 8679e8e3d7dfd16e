//! Reaching people: a colleague tests a channel, the test lapses, people are away, and what
//! that means for the agents they would stop.

use chrono::TimeDelta;
use domain::can::Actor;
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Role};
use domain::reach::ChannelKind;
use register::{By, Db, Error, agents, args, posture, reach, teams};

use crate::on_call::team;
use crate::people::{agent, keeper, owns, pointers, the_record_holds};
use crate::support::{actor, by, day, story};

fn member(id: PersonId) -> Actor {
    actor(id.0, &[Role::Member])
}

/// Whether nobody can be reached who would stop it: the finding and the counter, which agree.
async fn unreached(db: &Db, agent: AgentId, days: i64) -> bool {
    let lead = keeper();
    let view = agents::read(db, by(&lead, days), agent).await.unwrap();
    let found = view.judged.assessment.findings;
    let holds = found.iter().any(|f| f.key == FindingKey::OwnerUnreachable && f.holds_at(day(days)));
    let stored = db
        .one(
            "SELECT COUNT(*) FROM finding WHERE key = 'owner-unreachable' AND from_at <= $1 AND until_at > $1",
            args![day(days)],
        )
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.get::<i64>(0).unwrap(), i64::from(holds), "what is stored, on day {days}");
    let counted = posture::posture(db, by(&lead, days)).await.unwrap().findings["owner-unreachable"];
    assert_eq!(counted, i64::from(holds), "the counter, on day {days}");
    holds
}

async fn a_channel_counts_once_a_colleague_has_tested_it(db: Db) {
    let (team, [ada, bao, carmen, dario]) = team(&db).await;
    let (a, b, outsider) = (member(ada), member(bao), member(dario));
    let agent = agent(&db, "Router").await;
    owns(&db, Party::Team(team), agent, Duty::Containment).await;
    assert!(unreached(&db, agent, 0).await, "nobody has a channel");

    let refused = reach::add(&db, by(&a, 1), ada, ChannelKind::Phone, "call me").await.unwrap_err();
    assert_eq!(pointers(refused), ["/address"]);
    let phone = reach::add(&db, by(&a, 1), ada, ChannelKind::Phone, "+49 30 1234567").await.unwrap();
    let twice = reach::add(&db, by(&a, 1), ada, ChannelKind::Phone, "+49 30 1234567").await.unwrap_err();
    assert_eq!(pointers(twice), ["/address"]);
    let denied = reach::add(&db, by(&b, 1), ada, ChannelKind::Phone, "+49 30 7654321").await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    assert!(unreached(&db, agent, 1).await, "it was not tested");

    // Colleagues know it, and nobody else.
    let seen = async |who: &Actor| reach::view(&db, by(who, 1), ada).await.unwrap().channels.map(|c| c.len());
    assert_eq!((seen(&a).await, seen(&b).await, seen(&keeper()).await), (Some(1), Some(1), Some(1)));
    assert_eq!(seen(&outsider).await, None);
    assert_eq!(seen(&actor(77, &[Role::Auditor])).await, None);
    let told = db.one("SELECT COUNT(*) FROM audit_event WHERE after LIKE '%1234567%'", args![]).await.unwrap();
    assert_eq!(told.unwrap().get::<i64>(0).unwrap(), 0, "the record does not tell it");

    // Nobody shows it alone, and who may not know it does not test it.
    assert!(matches!(reach::begin_test(&db, by(&a, 2), ada, phone).await, Err(Error::Conflict(_))));
    assert!(matches!(reach::begin_test(&db, by(&outsider, 2), ada, phone).await, Err(Error::Denied(_))));
    let begun = reach::begin_test(&db, by(&b, 2), ada, phone).await.unwrap();
    assert_eq!(begun.code.len(), 6);
    assert!(matches!(reach::prove(&db, by(&b, 2), phone, &begun.code).await, Err(Error::Conflict(_))), "not theirs");
    let wrong = if begun.code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(pointers(reach::prove(&db, by(&a, 2), phone, wrong).await.unwrap_err()), ["/code"]);
    }
    let spent = reach::prove(&db, by(&a, 2), phone, &begun.code).await;
    assert!(matches!(spent, Err(Error::Conflict(_))), "after five tries the code is void: {spent:?}");
    let begun = reach::begin_test(&db, by(&b, 2), ada, phone).await.unwrap();
    let late = By { now: day(2) + TimeDelta::minutes(15), ..by(&a, 2) };
    assert!(matches!(reach::prove(&db, late, phone, &begun.code).await, Err(Error::Conflict(_))), "too late");
    assert_eq!(reach::open_tests(&db, ada, day(2)).await.unwrap().len(), 1);
    let begun = reach::begin_test(&db, by(&b, 2), ada, phone).await.unwrap();
    let spaced = format!("{} {}", &begun.code[..3], &begun.code[3..]);
    reach::prove(&db, by(&a, 2), phone, &spaced).await.unwrap();
    assert!(matches!(reach::prove(&db, by(&a, 2), phone, &begun.code).await, Err(Error::Conflict(_))), "once");

    // It counts for 180 days: known in advance, without anything being written meanwhile.
    assert!(!unreached(&db, agent, 2).await && !unreached(&db, agent, 181).await);
    assert!(unreached(&db, agent, 182).await);

    // Away is not reached.
    let away = reach::absences::add(&db, by(&a, 3), ada, day(10), day(20)).await.unwrap();
    for (days, gone) in [(9, false), (10, true), (19, true), (20, false), (182, true)] {
        assert_eq!(unreached(&db, agent, days).await, gone, "day {days}");
    }
    // Folding what has turned changes nothing of it.
    register::clock::turns::fold(&db, day(12)).await.unwrap();
    for (days, gone) in [(12, true), (20, false), (182, true)] {
        assert_eq!(unreached(&db, agent, days).await, gone, "day {days}, folded");
    }
    reach::absences::end(&db, by(&a, 13), ada, away, "").await.unwrap();
    assert!(!unreached(&db, agent, 13).await);

    // A colleague bridges it; who parts from the team does not.
    let chat = reach::add(&db, by(&member(carmen), 14), carmen, ChannelKind::Chat, "@carmen").await.unwrap();
    let begun = reach::begin_test(&db, by(&keeper_in(&db).await, 14), carmen, chat).await.unwrap();
    reach::prove(&db, by(&member(carmen), 14), chat, &begun.code).await.unwrap();
    reach::remove(&db, by(&a, 15), ada, phone).await.unwrap();
    assert!(!unreached(&db, agent, 15).await, "Carmen is reached");
    teams::part(&db, by(&keeper(), 16), team, carmen).await.unwrap();
    assert!(unreached(&db, agent, 16).await);
    the_record_holds(&db).await;
}

/// A security lead who is recorded, since whoever begins a test is named.
async fn keeper_in(db: &Db) -> Actor {
    let id = crate::people::person(db, "Quinn Security").await;
    actor(id.0, &[Role::SecurityLead])
}

story!(tested, super::a_channel_counts_once_a_colleague_has_tested_it);
