//! What needs a second person: asked for by one who governs, confirmed by another.

use domain::can::Actor;
use domain::duty::Duty;
use domain::id::PersonId;
use domain::party::{Party, Role, Roles};
use domain::proposal::Matter;
use register::people::{self, Fields};
use register::proposals::{self, Decided, Proposal};
use register::{Db, Error, args, passwords};

use crate::people::{agent, owns, person, the_record_holds};
use crate::support::{actor, by, story};

const PASSWORD: &str = "correct horse battery";

fn roles(list: &[Role]) -> Roles {
    list.iter().copied().collect()
}

/// Somebody who governs, recorded by whoever has the machine.
pub(crate) async fn governor(db: &Db, name: &str, role: Role) -> (PersonId, Actor) {
    let given = Fields { name: name.into(), email: format!("{name}@g.test"), ..Fields::default() };
    let id = people::create(db, by(&Actor::cli(), 0), &given, roles(&[role])).await.unwrap().id;
    (id, actor(id.0, &[role]))
}

async fn give(db: &Db, me: &Actor, day: i64, to: PersonId, wanted: &[Role]) -> Result<people::Recorded, Error> {
    let mut reads = db;
    let known = people::load(&mut reads, to).await.unwrap().unwrap();
    people::edit(db, by(me, day), to, known.version, &Fields::from(&known), Some(roles(wanted)), "trusted").await
}

async fn has(db: &Db, id: PersonId) -> Roles {
    let mut reads = db;
    people::load(&mut reads, id).await.unwrap().unwrap().roles
}

async fn about(db: &Db, me: &Actor, day: i64, id: PersonId) -> Vec<Proposal> {
    proposals::about(db, by(me, day), id).await.unwrap()
}

#[track_caller]
fn denied<T: std::fmt::Debug>(done: Result<T, Error>) {
    assert!(matches!(done, Err(Error::Denied(_))), "{done:?}");
}

async fn one_asks_and_another_confirms(db: Db) {
    let (ana, by_ana) = governor(&db, "ana", Role::Administrator).await;
    let zoe = person(&db, "Zoe").await;
    let kim = person(&db, "Kim").await;
    // Alone it goes through at once, but never to oneself.
    denied(give(&db, &by_ana, 1, ana, &[Role::Administrator, Role::SecurityLead]).await);
    let done = give(&db, &by_ana, 1, kim, &[Role::Member, Role::SecurityLead]).await.unwrap();
    assert!(done.asked.is_none() && done.roles.has(Role::SecurityLead));
    let by_kim = actor(kim.0, &[Role::Member, Role::SecurityLead]);
    // From two on it is proposed; what is not privileged is so at once.
    let wanted = [Role::Member, Role::Auditor, Role::Administrator];
    let done = give(&db, &by_ana, 2, zoe, &wanted).await.unwrap();
    assert!(done.asked.as_deref().is_some_and(|s| s.contains("Administrator") && s.contains("second person")));
    assert_eq!(has(&db, zoe).await, roles(&[Role::Member, Role::Auditor]));
    assert!(matches!(give(&db, &by_ana, 2, zoe, &wanted).await, Err(Error::Conflict(s)) if s.contains("already")));
    let open = about(&db, &by_kim, 3, zoe).await;
    assert_eq!((open.len(), open[0].asked_by, open[0].may_confirm, open[0].may_refuse), (1, ana, true, true));
    assert_eq!(proposals::waiting(&db, by(&by_kim, 3)).await.unwrap(), open);
    let id = open[0].id;
    let mine = about(&db, &by_ana, 3, zoe).await;
    assert!(!mine[0].may_confirm && mine[0].may_refuse, "who asked may take it back");
    let member = actor(zoe.0, &[Role::Member]);
    assert!(about(&db, &member, 3, zoe).await.is_empty(), "nobody else has business knowing");
    // Never who asked, whom it is about, who does not govern, or a program.
    denied(proposals::confirm(&db, by(&by_ana, 3), zoe, id, PASSWORD, "").await);
    denied(proposals::confirm(&db, by(&member, 3), zoe, id, PASSWORD, "").await);
    denied(proposals::confirm(&db, by(&actor(zoe.0, &[Role::Administrator]), 3), zoe, id, PASSWORD, "").await);
    denied(proposals::confirm(&db, by(&Actor::cli(), 3), zoe, id, PASSWORD, "").await);
    let program = Actor { scopes: Some(vec![domain::can::Scope::Admin]), ..by_kim.clone() };
    denied(proposals::confirm(&db, by(&program, 3), zoe, id, PASSWORD, "").await);
    assert!(matches!(proposals::confirm(&db, by(&by_kim, 3), ana, id, PASSWORD, "").await, Err(Error::NotFound(_))));
    let done = proposals::confirm(&db, by(&by_kim, 4), zoe, id, PASSWORD, "known to me").await.unwrap();
    assert_eq!(done, Decided::Granted(roles(&[Role::Administrator])));
    assert_eq!(has(&db, zoe).await, roles(&wanted));
    let again = proposals::confirm(&db, by(&by_kim, 4), zoe, id, PASSWORD, "").await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    // What a new person is to govern is asked for as well.
    let given = Fields { name: "Bo".into(), email: "bo@g.test".into(), ..Fields::default() };
    let bo = people::create(&db, by(&by_ana, 5), &given, roles(&[Role::SecurityLead, Role::Member])).await.unwrap();
    assert!(bo.asked.is_some() && bo.roles == roles(&[Role::Member]));
    let id = about(&db, &by_kim, 5, bo.id).await[0].id;
    assert_eq!(proposals::refuse(&db, by(&by_kim, 5), bo.id, id, "not known").await.unwrap(), Decided::Refused);
    assert_eq!(has(&db, bo.id).await, roles(&[Role::Member]));
    the_record_holds(&db).await;
}

async fn what_nobody_confirms_lapses(db: Db) {
    let (_, by_ana) = governor(&db, "ana", Role::Administrator).await;
    let (_, by_ben) = governor(&db, "ben", Role::SecurityLead).await;
    let zoe = person(&db, "Zoe").await;
    give(&db, &by_ana, 10, zoe, &[Role::Administrator]).await.unwrap();
    let id = about(&db, &by_ben, 16, zoe).await[0].id;
    assert!(about(&db, &by_ben, 17, zoe).await.is_empty());
    let late = proposals::confirm(&db, by(&by_ben, 17), zoe, id, PASSWORD, "").await;
    assert!(matches!(&late, Err(Error::Conflict(s)) if s.contains("lapsed")), "{late:?}");
    assert!(!has(&db, zoe).await.has(Role::Administrator));
    // Asked for again it is another.
    let asked = give(&db, &by_ana, 18, zoe, &[Role::Administrator]).await.unwrap();
    assert!(asked.asked.is_some());
    let open = about(&db, &by_ben, 18, zoe).await;
    assert!(open.len() == 1 && open[0].id != id);
    proposals::confirm(&db, by(&by_ben, 19), zoe, open[0].id, PASSWORD, "").await.unwrap();
    the_record_holds(&db).await;
}

async fn taking_the_other_away_does_not_help(db: Db) {
    let (ana, by_ana) = governor(&db, "ana", Role::Administrator).await;
    let (ben, _) = governor(&db, "ben", Role::Administrator).await;
    let zoe = person(&db, "Zoe").await;
    give(&db, &by_ana, 20, ben, &[Role::Member]).await.unwrap();
    assert!(give(&db, &by_ana, 20, zoe, &[Role::Administrator]).await.unwrap().asked.is_some());
    assert_eq!(has(&db, zoe).await, roles(&[]));
    // A week later they really are alone.
    let id = about(&db, &by_ana, 21, zoe).await[0].id;
    proposals::refuse(&db, by(&by_ana, 21), zoe, id, "taken back").await.unwrap();
    assert!(give(&db, &by_ana, 28, zoe, &[Role::Administrator]).await.unwrap().asked.is_none());
    // The same by leaving.
    people::leave(&db, by(&by_ana, 30), zoe, None, "gone").await.unwrap();
    let kim = person(&db, "Kim").await;
    assert!(give(&db, &by_ana, 31, kim, &[Role::SecurityLead]).await.unwrap().asked.is_some());
    denied(give(&db, &by_ana, 31, ana, &[Role::Administrator, Role::SecurityLead]).await);
    the_record_holds(&db).await;
}

async fn an_owners_password_needs_two(db: Db) {
    let (_, by_ana) = governor(&db, "ana", Role::Administrator).await;
    let zoe = person(&db, "Zoe").await;
    let ida = person(&db, "Ida").await;
    let one = agent(&db, "One").await;
    owns(&db, Party::Person(zoe), one, Duty::Purpose).await;
    assert!(passwords::set(&db, by(&by_ana, 1), zoe, PASSWORD).await.unwrap().is_none(), "alone at once");
    let (ben, by_ben) = governor(&db, "ben", Role::SecurityLead).await;
    let other = "another horse battery";
    for subject in [zoe, ben] {
        let next = passwords::set(&db, by(&by_ana, 2), subject, other).await.unwrap();
        assert!(next.is_some_and(|s| s.contains("second person")), "{subject}");
    }
    assert!(passwords::set(&db, by(&by_ana, 2), ida, other).await.unwrap().is_none(), "who owns nothing");
    assert!(passwords::set(&db, by(&Actor::cli(), 2), zoe, "a third horse battery").await.unwrap().is_none());
    let open = about(&db, &by_ben, 3, zoe).await;
    assert_eq!(open[0].matter, Matter::Password);
    denied(proposals::confirm(&db, by(&by_ana, 3), zoe, open[0].id, other, "").await);
    let own = about(&db, &by_ben, 3, ben).await;
    denied(proposals::confirm(&db, by(&by_ben, 3), ben, own[0].id, other, "").await);
    let done = proposals::confirm(&db, by(&by_ben, 3), zoe, open[0].id, other, "called them").await.unwrap();
    assert_eq!(done, Decided::PasswordSet);
    let mut reads = &db;
    let email = people::load(&mut reads, zoe).await.unwrap().unwrap().email;
    assert!(passwords::sign_in(&db, &email, other).await.unwrap().is_some());
    the_record_holds(&db).await;
}

/// Whatever writes the row: the store itself keeps one person from being both.
async fn the_store_refuses_one_person_twice(db: Db) {
    let (ana, by_ana) = governor(&db, "ana", Role::Administrator).await;
    let (ben, _) = governor(&db, "ben", Role::Administrator).await;
    let zoe = person(&db, "Zoe").await;
    give(&db, &by_ana, 1, zoe, &[Role::Administrator]).await.unwrap();
    let confirm = "UPDATE proposal SET state = 'confirmed', decided_at = 1, decided_by = $1";
    for wrong in [ana, zoe] {
        assert!(db.run(confirm, args![wrong]).await.is_err(), "{wrong}");
    }
    assert!(db.run("UPDATE proposal SET state = 'confirmed', decided_at = 1", args![]).await.is_err());
    assert!(db.run(confirm, args![ben]).await.is_ok());
}

story!(a_privileged_role_needs_two, super::one_asks_and_another_confirms);
story!(a_proposal_lapses, super::what_nobody_confirms_lapses);
story!(nobody_makes_themself_alone, super::taking_the_other_away_does_not_help);
story!(a_password_of_an_owner_needs_two, super::an_owners_password_needs_two);
story!(the_store_keeps_the_rule, super::the_store_refuses_one_person_twice);
