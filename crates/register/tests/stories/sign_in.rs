//! Signing in: set-up, passwords, sessions, throttle, tokens.

use argon2::password_hash::SaltString;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use chrono::TimeDelta;
use domain::can::{Action, Actor, Relation, Scope, Who, can};
use domain::party::{Role, Roles};
use register::passwords::{self, SetUp};
use register::sessions::{self, From};
use register::throttle::{self, Key};
use register::tokens::{self, NewToken};
use register::{By, Db, Error, args, people};

use crate::support::{actor, by, day, story};

const PASSWORD: &str = "correct horse battery staple 9";

fn given(email: &str) -> SetUp {
    SetUp {
        name: "Ana Sousa".into(),
        email: email.into(),
        password: PASSWORD.into(),
        again: PASSWORD.into(),
        organisation: "Halden".into(),
        team: "Security operations".into(),
    }
}

story!(set_up_happens_once, super::set_up_once);
async fn set_up_once(db: Db) {
    assert!(!passwords::anybody(&db).await.unwrap());
    let wrong = SetUp { name: " ".into(), email: "x".into(), again: "other".into(), ..given("") };
    let Err(Error::Invalid(errors)) = passwords::set_up(&db, day(0), &wrong).await else { panic!() };
    assert_eq!(errors.iter().map(|e| e.pointer.as_str()).collect::<Vec<_>>(), ["/name", "/email", "/again"]);

    // Two at the same moment: one succeeds.
    let (ana_form, eve_form) = (given("ana@muster.test"), given("eve@muster.test"));
    let (ana, eve) = tokio::join!(passwords::set_up(&db, day(0), &ana_form), passwords::set_up(&db, day(0), &eve_form));
    assert!(ana.is_ok() != eve.is_ok(), "{ana:?} {eve:?}");
    let first = ana.or(eve).unwrap();
    assert_eq!(first.roles, [Role::Administrator, Role::SecurityLead].into_iter().collect());
    assert!(passwords::anybody(&db).await.unwrap());
    let mut reads = &db;
    let (settings, _) = register::settings::load(&mut reads).await.unwrap();
    assert_eq!(settings.organisation, "Halden");
    let team = settings.oncall_team.expect("the team is on call");
    assert_eq!(register::teams::load(&mut reads, team).await.unwrap().unwrap().lead, Some(first.person));
    let again = passwords::set_up(&db, day(1), &given("eve2@muster.test")).await;
    assert!(matches!(again, Err(Error::Conflict(_))));
}

async fn ana(db: &Db) -> passwords::Login {
    passwords::set_up(db, day(0), &given("ana@muster.test")).await.unwrap()
}

story!(a_session_is_opened_found_and_ended, super::session);
async fn session(db: Db) {
    let ana = ana(&db).await;
    let who = passwords::actor(&ana);
    let from = From { user_agent: "Firefox\u{0}".into(), address: "203.0.113.7".into() };
    let public = sessions::open(&db, by(&who, 0), "aa", &from).await.unwrap();
    let found = sessions::find(&db, "aa", day(0)).await.unwrap().unwrap();
    assert_eq!((found.public_id.as_str(), found.person, found.roles), (public.as_str(), ana.person, ana.roles));
    assert!(sessions::find(&db, "bb", day(0)).await.unwrap().is_none());

    let just = |delta: TimeDelta| day(0) + delta;
    assert!(sessions::find(&db, "aa", just(sessions::IDLE) - TimeDelta::seconds(1)).await.unwrap().is_some());
    assert!(sessions::find(&db, "aa", just(sessions::IDLE)).await.unwrap().is_none());
    sessions::touch(&db, "aa", just(TimeDelta::minutes(4))).await.unwrap();
    assert_eq!(sessions::find(&db, "aa", day(0)).await.unwrap().unwrap().seen_at, day(0), "not yet written again");
    for hours in (10..168).step_by(10) {
        sessions::touch(&db, "aa", just(TimeDelta::hours(hours))).await.unwrap();
    }
    assert!(sessions::find(&db, "aa", just(sessions::LONGEST) - TimeDelta::hours(1)).await.unwrap().is_some());
    assert!(sessions::find(&db, "aa", just(sessions::LONGEST)).await.unwrap().is_none());
    assert_eq!(sessions::sweep(&db, just(sessions::LONGEST)).await.unwrap(), 1);

    // One's own, anybody's by an administrator, and nobody else's.
    let one = sessions::open(&db, by(&who, 8), "cc", &from).await.unwrap();
    let two = sessions::open(&db, by(&who, 8), "dd", &from).await.unwrap();
    let stranger = actor(99, &[Role::SecurityLead]);
    assert!(matches!(sessions::revoke(&db, by(&stranger, 8), &one).await, Err(Error::Denied(_))));
    assert!(matches!(sessions::list(&db, by(&stranger, 8), Some(ana.person)).await, Err(Error::Denied(_))));
    assert_eq!(sessions::list(&db, by(&who, 8), Some(ana.person)).await.unwrap().len(), 2);
    sessions::revoke(&db, by(&who, 8), &one).await.unwrap();
    let cli = Actor::cli();
    assert_eq!(sessions::list(&db, by(&cli, 8), None).await.unwrap()[0].public_id, two);
    sessions::revoke(&db, by(&cli, 8), &two).await.unwrap();
    assert!(matches!(sessions::revoke(&db, by(&cli, 8), &two).await, Err(Error::NotFound(_))));
    sessions::close(&db, by(&who, 8), "dd").await.unwrap();
}

fn weak(password: &str) -> String {
    let params = Params::new(8, 1, 1, None).unwrap();
    let salt = SaltString::encode_b64(&[1; 16]).unwrap();
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password(password.as_bytes(), &salt).unwrap().to_string()
}

story!(a_password_changes_and_takes_sessions_along, super::password);
async fn password(db: Db) {
    let ana = ana(&db).await;
    let who = passwords::actor(&ana);
    let sign_in = async |password: &str| passwords::sign_in(&db, "ana@muster.test", password).await.unwrap();
    assert_eq!(sign_in(PASSWORD).await.unwrap().person, ana.person);
    assert!(sign_in("something else entirely").await.is_none());
    assert!(passwords::sign_in(&db, "no address", PASSWORD).await.unwrap().is_none());
    sessions::open(&db, by(&who, 0), "aa", &From::default()).await.unwrap();
    let new = "an entirely new sentence";
    passwords::change(&db, by(&who, 1), PASSWORD, new, new).await.unwrap();
    assert!(sessions::find(&db, "aa", day(0)).await.unwrap().is_none());
    assert!(sign_in(PASSWORD).await.is_none() && sign_in(new).await.is_some());

    // Stored with weaker parameters, it is stored anew by the next sign-in, and only then.
    let weak = weak(new);
    db.run("UPDATE login SET password_hash = $1", args![&weak]).await.unwrap();
    let kept = async || passwords::login(&db, "ana@muster.test").await.unwrap().unwrap().hash;
    assert!(sign_in("wrong").await.is_none());
    assert_eq!(kept().await, weak);
    assert!(sign_in(new).await.is_some());
    assert!(kept().await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(sign_in(new).await.is_some());

    // An administrator sets it; who left does not sign in.
    let cli = Actor::cli();
    passwords::set(&db, by(&cli, 2), ana.person, PASSWORD).await.unwrap();
    assert!(sign_in(PASSWORD).await.is_some());
    assert!(matches!(
        passwords::set(&db, by(&actor(99, &[Role::SecurityLead]), 2), ana.person, PASSWORD).await,
        Err(Error::Denied(_))
    ));
    let second = people::Fields { name: "Ben".into(), email: "ben@muster.test".into(), ..people::Fields::default() };
    let roles = Roles::NONE.with(Role::Administrator);
    let ben = passwords::create_with_login(&db, by(&cli, 2), &second, roles, PASSWORD).await.unwrap();
    db.run("UPDATE person SET status = 'left', left_at = 1 WHERE id = $1", args![ben]).await.unwrap();
    assert!(passwords::sign_in(&db, "ben@muster.test", PASSWORD).await.unwrap().is_none());
    assert!(matches!(passwords::set(&db, by(&cli, 2), ben, PASSWORD).await, Err(Error::Conflict(_))));
}

story!(failures_wait, super::throttled);
async fn throttled(db: Db) {
    let keys = [Key::account("Ana@Muster.test "), Key::address("203.0.113.7")];
    for _ in 0..5 {
        assert_eq!(throttle::attempt(&db, &keys, day(0)).await.unwrap(), Ok(()));
    }
    assert_eq!(throttle::attempt(&db, &keys, day(0)).await.unwrap(), Err(30));
    let same = [Key::account("ana@muster.test"), Key::address("198.51.100.1")];
    assert_eq!(throttle::attempt(&db, &same, day(0)).await.unwrap(), Err(30));
    let other = [Key::account("ben@muster.test"), Key::address("203.0.113.7")];
    assert_eq!(throttle::attempt(&db, &other, day(0)).await.unwrap(), Ok(()));
    throttle::succeeded(&db, &other[0], &other[1]).await.unwrap();
    assert_eq!(throttle::attempt(&db, &keys, day(0) + TimeDelta::seconds(30)).await.unwrap(), Ok(()));
    assert_eq!(throttle::attempt(&db, &keys, day(0) + TimeDelta::seconds(31)).await.unwrap(), Err(59));
    // A quarter of an hour without another failure, and it is forgotten.
    assert_eq!(throttle::attempt(&db, &keys, day(1)).await.unwrap(), Ok(()));
    assert_eq!(throttle::attempt(&db, &keys, day(1)).await.unwrap(), Ok(()));
    assert_eq!(throttle::sweep(&db, day(2)).await.unwrap(), 2);

    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (db, keys) = (db.clone(), keys.clone());
        tries.spawn(async move { throttle::attempt(&db, &keys, day(3)).await.unwrap().is_ok() });
    }
    let free = tries.join_all().await.into_iter().filter(|free| *free).count();
    assert_eq!(free, 5, "attempts at once are counted one by one");
}

story!(a_token_is_scoped_dated_and_shown_once, super::token);
async fn token(db: Db) {
    let ana = ana(&db).await;
    let cli = Actor::cli();
    let new = |scopes: &[Scope], owner| NewToken { name: "ci".into(), scopes: scopes.to_vec(), owner, life: None };
    let made = tokens::create(&db, by(&cli, 0), new(&[Scope::Write, Scope::Read, Scope::Read], None)).await.unwrap();
    assert!(made.secret.starts_with("mst_") && made.secret.len() == 47, "{}", made.secret);
    assert_eq!(made.expires_at, day(90));
    let kept = db.one("SELECT COUNT(*) FROM token WHERE sha256 = $1", args![&made.secret]).await.unwrap().unwrap();
    assert_eq!(kept.get::<i64>(0).unwrap(), 0, "the secret itself is not stored");

    let shown = tokens::authenticate(&db, &made.secret, day(1)).await.unwrap().unwrap();
    assert_eq!(shown.actor.who, Who::Token(made.id));
    assert_eq!(shown.actor.scopes, Some(vec![Scope::Read, Scope::Write]));
    assert!(can(&shown.actor, Action::AgentCreate, Relation::None).is_ok());
    assert!(can(&shown.actor, Action::TokenManage, Relation::None).is_err());
    assert!(shown.is_stale(day(1)));
    tokens::touch(&db, made.id, day(1)).await.unwrap();
    tokens::touch(&db, made.id, day(1) + TimeDelta::minutes(2)).await.unwrap();
    assert_eq!(tokens::list(&db, by(&cli, 1)).await.unwrap()[0].last_used_at, Some(day(1)));
    assert!(tokens::authenticate(&db, &made.secret, day(90)).await.unwrap().is_none());
    assert!(tokens::authenticate(&db, "mst_x", day(1)).await.unwrap().is_none());

    let hers = tokens::create(&db, by(&cli, 0), new(&[Scope::Admin], Some(ana.person))).await.unwrap();
    let shown = tokens::authenticate(&db, &hers.secret, day(1)).await.unwrap().unwrap();
    assert_eq!((shown.actor.person_id(), shown.actor.roles), (Some(ana.person), ana.roles));

    tokens::revoke(&db, by(&cli, 2), hers.id).await.unwrap();
    assert!(tokens::authenticate(&db, &hers.secret, day(2)).await.unwrap().is_none());
    assert!(matches!(tokens::revoke(&db, by(&cli, 2), hers.id).await, Err(Error::Conflict(_))));
    assert!(matches!(tokens::revoke(&db, by(&cli, 2), domain::id::TokenId(99)).await, Err(Error::NotFound(_))));

    let lead = actor(1, &[Role::SecurityLead]);
    assert!(matches!(tokens::create(&db, by(&lead, 0), new(&[Scope::Read], None)).await, Err(Error::Denied(_))));
    // Whoever makes a token holds its secret: nobody makes one that acts as somebody else.
    let admin = actor(9, &[Role::Administrator]);
    let refused = tokens::create(&db, by(&admin, 0), new(&[Scope::Write], Some(ana.person))).await;
    assert!(matches!(&refused, Err(Error::Invalid(w)) if w[0].pointer == "/owner"), "{refused:?}");
    let nobody =
        NewToken { owner: Some(domain::id::PersonId(99)), life: Some(TimeDelta::zero()), ..NewToken::default() };
    let Err(Error::Invalid(errors)) = tokens::create(&db, By { actor: &cli, now: day(0) }, nobody).await else {
        panic!()
    };
    let pointers: Vec<_> = errors.iter().map(|e| e.pointer.as_str()).collect();
    assert_eq!(pointers, ["/name", "/scopes", "/expires", "/owner"]);

    let verified = register::audit::verify(&db, by(&cli, 3), None, |_| {}).await;
    assert!(verified.is_ok());
}
