//! Deciding in somebody's place: given by oneself, dated, ended, never passed on.

use domain::can::{Actor, Scope};
use domain::id::PersonId;
use domain::party::Role;
use register::delegations::{self, Of};
use register::{Db, Error, args, people};

use crate::people::{called, keeper, person, pointers, roles, the_record_holds};
use crate::support::{actor, by, day, story};

fn member(id: PersonId) -> Actor {
    actor(id.0, &[Role::Member])
}

async fn of(db: &Db, who: &Actor, days: i64, person: PersonId) -> Option<Of> {
    delegations::of(db, by(who, days), person).await.unwrap()
}

async fn deciding_for(db: &Db, person: PersonId, days: i64) -> Vec<PersonId> {
    let mut reads = db;
    delegations::in_force(&mut reads, person, day(days)).await.unwrap().into_iter().map(|(_, from)| from).collect()
}

async fn somebody_decides_in_anothers_place(db: Db) {
    let (ana, ben, cleo) = (person(&db, "Ana").await, person(&db, "Ben").await, person(&db, "Cleo").await);
    let (a, b) = (member(ana), member(ben));
    let reader = people::create(&db, by(&keeper(), 0), &called("Rita"), roles(&[Role::Auditor])).await.unwrap().id;

    // What is wrong is said at once.
    let none = delegations::create(&db, by(&a, 1), ana, day(5), day(2), " ").await.unwrap_err();
    assert_eq!(pointers(none), ["/reason", "/until", "/to"]);
    let long = delegations::create(&db, by(&a, 1), ben, day(1), day(92), "away").await.unwrap_err();
    assert_eq!(pointers(long), ["/until"]);
    for to in [PersonId(999), reader] {
        let wrong = delegations::create(&db, by(&a, 1), to, day(1), day(9), "away").await.unwrap_err();
        assert_eq!(pointers(wrong), ["/to"], "{to}");
    }
    // Nobody but a person, and none who only reads.
    let token = Actor::token(domain::id::TokenId(1), vec![Scope::Write]);
    for who in [token, Actor::cli(), actor(reader.0, &[Role::Auditor])] {
        let refused = delegations::create(&db, by(&who, 1), ben, day(1), day(9), "away").await;
        assert!(matches!(refused, Err(Error::Denied(_) | Error::Conflict(_))), "{refused:?}");
    }

    let id = delegations::create(&db, by(&a, 1), ben, day(3), day(9), "On leave.").await.unwrap();
    let again = delegations::create(&db, by(&a, 1), ben, day(8), day(12), "More leave.").await;
    assert!(matches!(&again, Err(Error::Conflict(s)) if s.contains("already")), "{again:?}");
    // Ben passes on what is his, and not what is Ana's.
    delegations::create(&db, by(&b, 1), cleo, day(1), day(20), "Course.").await.unwrap();
    for (days, expected) in [(2, vec![]), (3, vec![ana]), (8, vec![ana]), (9, vec![])] {
        assert_eq!(deciding_for(&db, ben, days).await, expected, "day {days}");
        assert_eq!(deciding_for(&db, cleo, days).await, [ben]);
    }
    let mut reads = &db;
    let all = delegations::delegates_of(&mut reads, &[ana, ben, cleo], day(4)).await.unwrap();
    assert_eq!((all.len(), all[&ana][0], all[&ben][0].1), (2, (id, ben), cleo));

    // Both see it, whoever governs or reads the record too, and nobody else.
    assert_eq!(of(&db, &a, 2, ana).await.unwrap().given[0].to, ben);
    let seen = of(&db, &b, 2, ben).await.unwrap();
    assert_eq!((seen.received[0].from, seen.received[0].reason.as_str(), seen.given[0].to), (ana, "On leave.", cleo));
    assert_eq!(of(&db, &keeper(), 2, ben).await.unwrap(), seen);
    assert_eq!(of(&db, &actor(77, &[Role::Auditor]), 2, ben).await.unwrap(), seen);
    assert!(of(&db, &a, 2, ben).await.is_none());

    // A third does not end it; the one who has it gives it back; then it is over for good.
    let third = delegations::end(&db, by(&member(cleo), 4), id, "").await;
    assert!(matches!(third, Err(Error::NotFound(_))), "{third:?}");
    delegations::end(&db, by(&b, 4), id, "Too much.").await.unwrap();
    assert!(deciding_for(&db, ben, 4).await.is_empty());
    assert!(matches!(delegations::end(&db, by(&a, 4), id, "").await, Err(Error::Conflict(_))));
    assert!(of(&db, &a, 4, ana).await.unwrap().given.is_empty());
    // Given anew, since nothing overlaps what has ended; and taken back.
    let second = delegations::create(&db, by(&a, 5), ben, day(1), day(12), "Leave.").await.unwrap();
    assert_eq!(deciding_for(&db, ben, 5).await, [ana], "what has passed counts from now");
    delegations::end(&db, by(&a, 6), second, "Back.").await.unwrap();
    assert!(deciding_for(&db, ben, 6).await.is_empty());

    // Whoever left decides nothing, and has nothing to be decided.
    let third = delegations::create(&db, by(&a, 7), ben, day(7), day(30), "Leave.").await.unwrap();
    people::leave(&db, by(&keeper(), 8), ana, None, "gone").await.unwrap();
    assert!(deciding_for(&db, ben, 8).await.is_empty());
    people::leave(&db, by(&keeper(), 9), cleo, None, "gone").await.unwrap();
    assert!(delegations::delegates_of(&mut reads, &[ben], day(9)).await.unwrap().is_empty());
    the_record_holds(&db).await;

    // The store keeps the rule by itself.
    for wrong in [
        "UPDATE delegation SET until_at = until_at + 1 WHERE id = $1",
        "UPDATE delegation SET to_id = from_id WHERE id = $1",
        "DELETE FROM delegation WHERE id = $1",
    ] {
        assert!(db.run(wrong, args![third]).await.is_err(), "{wrong}");
    }
    let long = "INSERT INTO delegation (id, event_id, from_id, to_id, from_at, until_at, reason) \
                SELECT 900, event_id, from_id, to_id, 0, 7776000000001, 'x' FROM delegation WHERE id = $1";
    assert!(db.run(long, args![third]).await.is_err(), "longer than 90 days");
}

story!(a_delegation_is_dated_and_not_passed_on, super::somebody_decides_in_anothers_place);
