//! "Still yours?": by the tier's cadence, and at once for who changed department.

use domain::can::Actor;
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Role};
use register::assignments::confirm;
use register::people::{self, Fields};
use register::{Db, Error, agents, args, posture, teams};

use crate::on_call::team;
use crate::people::{agent, called, keeper, owns, the_record_holds};
use crate::support::{actor, by, day, story};

fn member(id: PersonId) -> Actor {
    actor(id.0, &[Role::Member])
}

async fn asked(db: &Db, agent: AgentId, who: PersonId, days: i64) -> (i64, bool) {
    let me = member(who);
    let page = confirm::due(db, by(&me, days), None, 50).await.unwrap();
    let count = confirm::due_count(db, day(days), who).await.unwrap();
    assert_eq!((page.total, page.items.len() as i64), (Some(count), count));
    let lead = keeper();
    let view = agents::read(db, by(&lead, days), agent).await.unwrap();
    let holds = view.judged.assessment.findings;
    let holds = holds.iter().any(|f| f.key == FindingKey::OwnershipUnconfirmed && f.holds_at(day(days)));
    let counted = posture::posture(db, by(&lead, days)).await.unwrap().findings["ownership-unconfirmed"];
    assert_eq!(counted, i64::from(holds), "the counter, on day {days}");
    (count, holds)
}

async fn owners_are_asked_again(db: Db) {
    let (team, [ada, bao, carmen, dario]) = team(&db).await;
    let one = agent(&db, "Router").await;
    let version = people::load(&mut &db, dario).await.unwrap().unwrap().version;
    let given = Fields { business_unit: "Claims".into(), ..called("Dario Weber") };
    people::edit(&db, by(&keeper(), 0), dario, version, &given, None, "").await.unwrap();
    owns(&db, Party::Person(dario), one, Duty::Purpose).await;
    owns(&db, Party::Team(team), one, Duty::Containment).await;

    // Accepting is the first word, and counts for a year of an agent of low tier.
    assert_eq!(asked(&db, one, dario, 364).await, (0, false));
    assert_eq!(asked(&db, one, dario, 365).await, (1, true));
    assert_eq!(asked(&db, one, ada, 365).await, (1, true), "its lead answers for the team");
    assert_eq!(asked(&db, one, bao, 365).await, (0, true), "a member does not");

    // Only the owner says so, and all that is named or none of it.
    let purpose = (one, Duty::Purpose);
    for (who, list) in
        [(carmen, vec![purpose]), (dario, vec![purpose, (one, Duty::Containment)]), (dario, vec![(one, Duty::Policy)])]
    {
        let denied = confirm::confirm(&db, by(&member(who), 366), &list).await;
        assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    }
    let auditor = actor(dario.0, &[Role::Auditor]);
    assert!(matches!(confirm::confirm(&db, by(&auditor, 366), &[purpose]).await, Err(Error::Denied(_))));
    assert_eq!(confirm::confirm(&db, by(&member(dario), 366), &[purpose]).await.unwrap(), 1);
    assert_eq!(asked(&db, one, dario, 366).await, (0, true), "the team's is still open");
    confirm::confirm(&db, by(&member(ada), 367), &[(one, Duty::Containment)]).await.unwrap();
    assert_eq!(asked(&db, one, ada, 367).await, (0, false));

    // Another department: each duty of theirs is asked about at once.
    let moved = |unit: &str| Fields { business_unit: unit.into(), ..called("Dario Weber") };
    let edit = async |fields: Fields, days| {
        let version = people::load(&mut &db, dario).await.unwrap().unwrap().version;
        people::edit(&db, by(&keeper(), days), dario, version, &fields, None, "").await.unwrap()
    };
    edit(Fields { title: "Head".into(), ..moved(" claims ") }, 370).await;
    assert_eq!(asked(&db, one, dario, 370).await, (0, false), "the same department");
    edit(moved("Underwriting"), 371).await;
    assert_eq!(asked(&db, one, dario, 371).await, (1, true));
    let due = confirm::due(&db, by(&member(dario), 371), None, 50).await.unwrap().items.remove(0);
    assert_eq!(due.moved.as_ref().map(|m| (m.person, m.at)), Some((dario, day(371))), "{due:?}");
    assert!(due.due_at == day(371) && due.said_at == day(366), "{due:?}");
    confirm::confirm(&db, by(&member(dario), 372), &[purpose]).await.unwrap();
    assert_eq!(asked(&db, one, dario, 372).await, (0, false));

    // The lead is asked so about what the team holds; whoever leads it after they moved is not.
    for (unit, days) in [("Claims", 373), ("Underwriting", 374)] {
        let version = people::load(&mut &db, ada).await.unwrap().unwrap().version;
        let fields = Fields { business_unit: unit.into(), ..called("Ada Okafor") };
        people::edit(&db, by(&keeper(), days), ada, version, &fields, None, "").await.unwrap();
    }
    assert_eq!(asked(&db, one, ada, 374).await, (1, true), "its lead moved");
    let due = confirm::due(&db, by(&member(ada), 374), None, 50).await.unwrap().items.remove(0);
    assert_eq!((due.party, due.moved.map(|m| m.person), due.due_at), (Party::Team(team), Some(ada), day(374)));
    for (lead, days) in [(bao, 375), (ada, 376)] {
        let before = teams::load(&mut &db, team).await.unwrap().unwrap();
        let fields =
            teams::Fields { name: before.name, kind: before.kind, lead: Some(lead), deputy: None, members: None };
        teams::edit(&db, by(&keeper(), days), team, Some(before.version), &fields, "").await.unwrap();
        assert_eq!(asked(&db, one, lead, days).await, (0, false), "{lead} did not move while they led it");
    }

    // A page of many, forth and back.
    for n in 0..5 {
        let id = agent(&db, &format!("Agent {n}")).await;
        owns(&db, Party::Person(dario), id, Duty::Purpose).await;
        owns(&db, Party::Person(dario), id, Duty::Policy).await;
    }
    let me = member(dario);
    let page = async |cursor: Option<&str>| confirm::due(&db, by(&me, 500), cursor, 4).await.unwrap();
    let first = page(None).await;
    let second = page(first.next.as_deref()).await;
    let third = page(second.next.as_deref()).await;
    assert_eq!((first.items.len(), second.items.len(), third.items.len(), first.total), (4, 4, 2, Some(10)));
    let back = page(third.previous.as_deref()).await;
    let keys = |p: &register::paging::Page<confirm::Due>| p.items.iter().map(|d| (d.agent, d.duty)).collect::<Vec<_>>();
    assert_eq!(keys(&back), keys(&second));
    assert!(db.run("UPDATE assignment SET confirmed_at = 1 WHERE role = 'A'", args![]).await.is_err());
    the_record_holds(&db).await;
}

story!(asked_again, super::owners_are_asked_again);
