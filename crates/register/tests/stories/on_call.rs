//! On call: turns, absences, who takes over, and what they may then do.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::Actor;
use domain::duty::Duty;
use domain::id::{PersonId, TeamId};
use domain::oncall::Why;
use domain::party::{Party, Role, TeamKind};
use register::oncall::{self, NewCover, NewRotation};
use register::reach::absences;
use register::stops::press::press;
use register::{By, Db, Error, args, people, teams};

use crate::people::{agent, keeper, owns, person, pointers, the_record_holds};
use crate::support::{actor, by, day, story};

fn member(id: PersonId) -> Actor {
    actor(id.0, &[Role::Member])
}

/// A team with a lead and two members, and somebody outside it.
pub(crate) async fn team(db: &Db) -> (TeamId, [PersonId; 4]) {
    let people = [
        person(db, "Ada Okafor").await,
        person(db, "Bao Lindgren").await,
        person(db, "Carmen Rossi").await,
        person(db, "Dario Weber").await,
    ];
    let fields = teams::Fields {
        name: "Platform".into(),
        kind: TeamKind::Platform,
        lead: Some(people[0]),
        deputy: None,
        members: Some(vec![people[1], people[2]]),
    };
    (teams::create(db, by(&keeper(), 0), &fields).await.unwrap().id, people)
}

fn weekly(people: &[PersonId]) -> NewRotation {
    NewRotation { people: people.to_vec(), starts: None, turn: TimeDelta::days(7) }
}

async fn who(db: &Db, team: TeamId, at: DateTime<Utc>) -> (Option<PersonId>, Why) {
    let answer = oncall::on_call(db, by(&keeper(), 0), team, at).await.unwrap().0;
    (answer.person, answer.why)
}

async fn turns_absences_and_overrides(db: Db) {
    let (team, [ada, bao, carmen, dario]) = team(&db).await;
    let lead = member(ada);
    assert_eq!(who(&db, team, day(1)).await, (None, Why::NoRotation));

    // The lead says who takes turns; a member may not, and nobody from outside takes one.
    let denied = oncall::rotate(&db, by(&member(bao), 0), team, None, &weekly(&[bao]), "").await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    let wrong = NewRotation { turn: TimeDelta::minutes(5), ..weekly(&[ada, dario, ada]) };
    let refused = oncall::rotate(&db, by(&lead, 0), team, Some(0), &wrong, "").await.unwrap_err();
    assert_eq!(pointers(refused), ["/people/1", "/people/2", "/turn_hours"]);
    let first = oncall::rotate(&db, by(&lead, 0), team, Some(0), &weekly(&[ada, bao, carmen]), "").await.unwrap();
    let stale = oncall::rotate(&db, by(&lead, 0), team, Some(0), &weekly(&[ada]), "").await;
    assert!(matches!(stale, Err(Error::Stale(v)) if v == first), "{stale:?}");
    for (days, person) in [(0, ada), (6, ada), (7, bao), (14, carmen), (21, ada)] {
        assert_eq!(who(&db, team, day(days)).await, (Some(person), Why::Turn), "day {days}");
    }

    // Who is away is stood in for; they say so themselves, or whoever leads them.
    let denied = absences::add(&db, by(&member(carmen), 1), bao, day(8), day(10)).await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    let away = absences::add(&db, by(&member(bao), 1), bao, day(8), day(10)).await.unwrap();
    absences::add(&db, by(&lead, 1), carmen, day(9), day(30)).await.unwrap();
    assert_eq!(who(&db, team, day(8)).await, (Some(carmen), Why::StandsIn(vec![bao])));
    assert_eq!(who(&db, team, day(9)).await, (Some(ada), Why::StandsIn(vec![bao, carmen])));
    assert_eq!(who(&db, team, day(10)).await, (Some(bao), Why::Turn));

    // A member gives it to somebody from outside, who may then stop what the team would.
    let agent = agent(&db, "Router").await;
    owns(&db, Party::Team(team), agent, Duty::Containment).await;
    let outsider = member(dario);
    let new = NewCover { person: dario, from: day(2), until: day(4), reason: "I am at a wedding".into() };
    let denied = oncall::cover(&db, by(&outsider, 1), team, &new).await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    let cover = oncall::cover(&db, by(&member(bao), 1), team, &new).await.unwrap();
    assert_eq!(who(&db, team, day(3)).await, (Some(dario), Why::Override(cover)));
    let press = |days| press(&db, by(&outsider, days), agent, "It writes to customers");
    assert!(matches!(press(1).await, Err(Error::Denied(_))), "not yet");
    press(2).await.unwrap();
    assert!(matches!(press(4).await, Err(Error::Denied(_))), "no more");

    // What is cancelled ends there; what has passed stays.
    oncall::cancel(&db, By { now: day(3) + TimeDelta::hours(1), ..by(&lead, 3) }, team, cover, "").await.unwrap();
    assert_eq!(who(&db, team, day(3)).await.0, Some(dario));
    assert_eq!(who(&db, team, day(3) + TimeDelta::hours(2)).await.0, Some(ada));
    assert!(matches!(oncall::cancel(&db, by(&lead, 4), team, cover, "").await, Err(Error::Conflict(_))));
    absences::end(&db, By { now: day(8) + TimeDelta::hours(6), ..by(&lead, 8) }, bao, away, "Back early")
        .await
        .unwrap();
    assert_eq!(who(&db, team, day(8)).await.0, Some(carmen), "the past is not rewritten");
    assert_eq!(who(&db, team, day(8) + TimeDelta::hours(7)).await.0, Some(bao));

    // Another rotation begins later; until then, and in the past, the first one holds.
    let new = NewRotation { starts: Some(day(40)), turn: TimeDelta::days(1), ..weekly(&[carmen, ada]) };
    let second = oncall::rotate(&db, by(&keeper(), 30), team, Some(first), &new, "Shorter turns").await.unwrap();
    for (days, person) in [(7, bao), (38, carmen), (40, carmen), (41, ada)] {
        assert_eq!(who(&db, team, day(days)).await.0, Some(person), "day {days}");
    }

    // Who leaves the team takes no turn any more; the past stays.
    teams::part(&db, by(&keeper(), 45), team, carmen).await.unwrap();
    assert_eq!(who(&db, team, day(44)).await.0, Some(carmen));
    assert_eq!(who(&db, team, day(46)).await, (Some(ada), Why::Turn));
    let view = oncall::view(&db, by(&lead, 46), team).await.unwrap();
    assert!(view.version > second && view.may_write && view.plan.len() == 1, "{view:?}");
    let denied = oncall::end_rotation(&db, by(&member(bao), 50), team, None, "").await;
    assert!(matches!(denied, Err(Error::Denied(_))));
    oncall::end_rotation(&db, by(&lead, 50), team, Some(view.version), "").await.unwrap();
    assert_eq!(who(&db, team, day(51)).await, (None, Why::NoRotation));
    // Who left was away, also once they are back.
    people::leave(&db, by(&keeper(), 60), bao, None, "gone").await.unwrap();
    oncall::rotate(&db, by(&lead, 60), team, None, &weekly(&[bao, ada]), "").await.unwrap_err();
    oncall::rotate(&db, by(&lead, 60), team, None, &weekly(&[ada]), "").await.unwrap();
    people::come_back(&db, by(&keeper(), 63), bao, None, "back").await.unwrap();
    oncall::rotate(&db, by(&lead, 63), team, None, &weekly(&[bao, ada]), "").await.unwrap();
    assert_eq!((who(&db, team, day(61)).await.0, who(&db, team, day(63)).await.0), (Some(ada), Some(bao)));
    people::leave(&db, by(&keeper(), 64), bao, None, "gone").await.unwrap();
    assert_eq!(who(&db, team, day(65)).await, (Some(ada), Why::StandsIn(vec![bao])));
    people::come_back(&db, by(&keeper(), 66), bao, None, "back").await.unwrap();
    assert_eq!(who(&db, team, day(65)).await, (Some(ada), Why::StandsIn(vec![bao])), "as it was");
    assert_eq!(who(&db, team, day(66)).await.0, Some(bao));
    for sql in ["DELETE FROM rotation", "DELETE FROM cover", "UPDATE cover SET until_at = until_at + 1"] {
        assert!(db.run(sql, args![]).await.is_err(), "{sql}");
    }
    the_record_holds(&db).await;
}

story!(turns, super::turns_absences_and_overrides);
