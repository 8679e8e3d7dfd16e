//! The calendar of what is due, and the secret that opens it.

use domain::can::Actor;
use domain::duty::Duty;
use domain::id::PersonId;
use domain::party::{Party, Role};
use register::assignments::{self, Mode};
use register::{Db, Error, args, calendar, people};

use crate::people::{agent, keeper, owns, person, the_record_holds};
use crate::support::{actor, by, day, story};

fn member(id: PersonId) -> Actor {
    actor(id.0, &[Role::Member])
}

async fn opens(db: &Db, secret: &str, days: i64) -> Option<Vec<calendar::Due>> {
    calendar::feed(db, secret, day(days)).await.unwrap().map(|f| f.due)
}

async fn a_secret_opens_what_is_due(db: Db) {
    let (ana, ben) = (person(&db, "Ana").await, person(&db, "Ben").await);
    let a = member(ana);
    let kept = agent(&db, "Kept").await;
    let asked = agent(&db, "Asked").await;
    let other = agent(&db, "Other").await;
    owns(&db, Party::Person(ana), kept, Duty::Purpose).await;
    owns(&db, Party::Person(ben), other, Duty::Purpose).await;
    assignments::assign(&db, by(&keeper(), 3), asked, Duty::Purpose, Party::Person(ana), Mode::Offer, "please")
        .await
        .unwrap();

    assert_eq!(calendar::link(&db, by(&a, 1)).await.unwrap(), None);
    assert!(matches!(calendar::revoke(&db, by(&a, 1)).await, Err(Error::Conflict(_))));
    for who in [actor(99, &[Role::Auditor]), Actor::cli()] {
        assert!(calendar::make(&db, by(&who, 1)).await.is_err());
    }
    let secret = calendar::make(&db, by(&a, 3)).await.unwrap();
    assert_eq!(secret.len(), 43, "256 bits");
    assert_eq!(calendar::link(&db, by(&a, 4)).await.unwrap(), Some(day(3)));
    // Nothing that is kept opens it.
    let kept_of_it = db.one("SELECT sha256 FROM calendar_link", args![]).await.unwrap().unwrap();
    assert!(opens(&db, &kept_of_it.get::<String>(0).unwrap(), 4).await.is_none());
    let told = format!("%{secret}%");
    let told = db.one("SELECT COUNT(*) FROM audit_event WHERE after LIKE $1", args![told]).await.unwrap().unwrap();
    assert_eq!(told.get::<i64>(0).unwrap(), 0, "the record does not tell it");

    // An offer, until it lapses.
    let due = opens(&db, &secret, 4).await.unwrap();
    assert_eq!(due.iter().map(|d| (d.agent, d.at)).collect::<Vec<_>>(), [(Some(asked), day(33))]);
    assert!(due[0].title.contains("Asked"), "{due:?}");
    let uid = due[0].uid.clone();
    assert_eq!(opens(&db, &secret, 20).await.unwrap()[0].uid, uid, "the same each time");
    assert!(opens(&db, &secret, 34).await.unwrap().is_empty());
    // A duty is asked again a year after it was accepted: seen 120 days before, and after.
    assert!(opens(&db, &secret, 244).await.unwrap().is_empty());
    for days in [246, 364, 400] {
        let due = opens(&db, &secret, days).await.unwrap();
        assert_eq!(due.iter().map(|d| (d.agent, d.at)).collect::<Vec<_>>(), [(Some(kept), day(365))], "day {days}");
        assert_eq!(due[0].link, "/still-yours");
    }

    // Replaced, the one before opens nothing; revoked, none does.
    let second = calendar::make(&db, by(&a, 5)).await.unwrap();
    assert!(opens(&db, &secret, 6).await.is_none());
    assert!(opens(&db, &second, 6).await.is_some());
    calendar::revoke(&db, by(&a, 7)).await.unwrap();
    assert!(opens(&db, &second, 7).await.is_none());
    assert_eq!(calendar::link(&db, by(&a, 7)).await.unwrap(), None);
    // Whoever left has none.
    let third = calendar::make(&db, by(&a, 8)).await.unwrap();
    people::leave(&db, by(&keeper(), 9), ana, None, "gone").await.unwrap();
    assert!(opens(&db, &third, 9).await.is_none());
    the_record_holds(&db).await;
    assert!(db.run("UPDATE calendar_link SET revoked_at = NULL", args![]).await.is_err());
}

/// Drills of the demonstration: each as its agent's stop state says, and the runtime owner's alone.
async fn drills_are_due_when_what_was_shown_ends(db: Db) {
    register::seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let mut seen = 0;
    for id in 1..=16 {
        let due = calendar::due(&db, PersonId(id), day(0)).await.unwrap();
        assert!(due.windows(2).all(|w| w[0].at <= w[1].at), "soonest first");
        for d in due.iter().filter(|d| d.uid.starts_with("drill-")) {
            let sql = "SELECT runtime_owner, runtime_owner_until, runtime_party_kind, runtime_party_id FROM agent WHERE id = $1";
            let row = db.one(sql, args![d.agent.unwrap()]).await.unwrap().unwrap();
            match row.get::<String>(0).unwrap().as_str() {
                "verified" => assert_eq!(row.get::<chrono::DateTime<chrono::Utc>>(1).unwrap(), d.at),
                "untested" => assert!(d.at <= day(0), "{d:?}"),
                other => panic!("{other}: {d:?}"),
            }
            let party = row.get::<i64>(3).unwrap();
            let led = if row.get::<String>(2).unwrap() == "person" {
                party == id
            } else {
                let sql = "SELECT 1 FROM team WHERE id = $1 AND (lead_id = $2 OR deputy_id = $2)";
                db.one(sql, args![party, id]).await.unwrap().is_some()
            };
            assert!(led, "{d:?} of PE-{id}");
            seen += 1;
        }
    }
    assert!(seen > 3, "{seen}");
}

story!(a_calendar_is_opened_by_its_secret, super::a_secret_opens_what_is_due);
story!(a_calendar_tells_of_drills, super::drills_are_due_when_what_was_shown_ends);
