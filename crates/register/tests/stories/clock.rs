//! The clock: each reminder once, at its instant and not before, only of what still holds; late
//! and in order after an outage; once however many servers there are; and what it costs.

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::{AgentFacts, Lifecycle};
use domain::can::Actor;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Role};
use domain::request::Verdict;
use register::assignments::{self, Mode};
use register::clock::{self, Done, days};
use register::people::{self, Fields};
use register::{By, Db, Error, agents, args, audit, requests};

use crate::requests::{approve_all, decide, draft, facts, lead, member, organisation, submit};
use crate::support::{by, day, story};

/// Everything that is due at a moment, done.
async fn all(db: &Db, now: DateTime<Utc>) -> Done {
    let mut sum = Done::default();
    while let Some(done) = clock::step(db, now).await.unwrap() {
        sum.turns += done.turns;
        sum.alarms += done.alarms;
        sum.days += done.days;
    }
    sum
}

/// What somebody was told from a moment on: the kind, and the first words.
async fn told(db: &Db, person: i64, since: DateTime<Utc>) -> Vec<(String, String)> {
    let sql = "SELECT kind, what FROM notice WHERE person_id = $1 AND at >= $2 ORDER BY id";
    let rows = db.all(sql, args![person, since]).await.unwrap();
    rows.iter().map(|r| (r.get(0).unwrap(), r.get(1).unwrap())).collect()
}

async fn kinds(db: &Db, person: i64, since: DateTime<Utc>) -> Vec<String> {
    told(db, person, since).await.into_iter().map(|(kind, _)| kind).collect()
}

async fn count(db: &Db, sql: &'static str) -> i64 {
    db.one(sql, args![]).await.unwrap().unwrap().get(0).unwrap()
}

const TINY: TimeDelta = TimeDelta::microseconds(1);

async fn a_request_is_told_of_step_by_step_while_it_waits(db: Db) {
    organisation(&db).await;
    let id = draft(&db, facts()).await;
    let r = submit(&db, id, 2).await;
    for person in [2, 3, 4] {
        let told = told(&db, person, day(2)).await;
        assert_eq!(told.len(), 1, "{person}: {told:?}");
        assert_eq!(told[0].0, "decision-waits");
        assert!(told[0].1.contains("“Dispatcher” (AG-1)"), "{told:?}");
    }
    assert_eq!(kinds(&db, 5, day(2)).await, [""; 0], "whoever asked knows it");

    // Ten days of a low tier: soon is two days before.
    let due = day(12);
    let soon = due - TimeDelta::days(2);
    let reminded = |person, since| kinds(&db, person, since);
    all(&db, soon - TINY).await;
    assert_eq!(reminded(4, day(2) + TINY).await, [""; 0], "not before");
    decide(&db, 2, 9, r, Duty::Purpose, Verdict::Approve).await.unwrap();
    all(&db, soon).await;
    assert_eq!(reminded(4, soon).await, ["decision-due"]);
    assert_eq!(reminded(3, soon).await, ["decision-due"], "four steps of one request are one word");
    assert_eq!(reminded(2, soon).await, [""; 0], "decided meanwhile");
    all(&db, soon + TINY).await;
    assert_eq!(reminded(4, soon).await.len(), 1, "once");

    all(&db, due - TINY).await;
    assert_eq!(reminded(4, soon + TINY).await, [""; 0]);
    all(&db, due).await;
    assert_eq!(reminded(4, due).await, ["decision-due"]);

    let late = due + TimeDelta::days(3);
    all(&db, late - TINY).await;
    assert_eq!((reminded(9, due).await.len(), reminded(1, due).await.len()), (0, 0));
    all(&db, late).await;
    let manager = told(&db, 9, due).await;
    assert_eq!(manager.len(), 1, "{manager:?}");
    assert!(manager[0].1.contains("waits for Security and was due on"), "{manager:?}");
    assert_eq!(reminded(1, due).await, ["decision-escalated"], "security, once for the request");

    // It lapses ninety days after it was asked; those who can still decide, and who asked, hear of it.
    all(&db, day(89)).await;
    assert_eq!((reminded(5, late).await, reminded(3, late).await.len()), (vec!["decision-due".to_owned()], 1));
    all(&db, day(92)).await;
    assert_eq!(reminded(5, day(92)).await, ["request-ended"]);
    assert_eq!(all(&db, day(92)).await.alarms, 0);
    whole(&db).await;
}

async fn what_was_decided_is_told_to_nobody_later(db: Db) {
    organisation(&db).await;
    let id = draft(&db, facts()).await;
    let r = submit(&db, id, 2).await;
    approve_all(&db, r, 3).await;
    assert_eq!(kinds(&db, 5, day(3)).await, ["request-ended"]);
    let before = count(&db, "SELECT COUNT(*) FROM notice").await;
    let done = all(&db, day(91)).await;
    assert_eq!(done.alarms, 4, "its alarms went off");
    assert_eq!(
        count(&db, "SELECT COUNT(*) FROM notice WHERE kind LIKE 'decision-%' AND at >= 1790700000000000").await,
        0
    );
    assert_eq!(count(&db, "SELECT COUNT(*) FROM notice").await, before, "nothing is left to say");
    assert_eq!(count(&db, "SELECT COUNT(*) FROM alarm").await, 0);
    whole(&db).await;
}

async fn after_an_outage_what_still_holds_is_told_once(db: Db) {
    organisation(&db).await;
    let mut asked = Vec::new();
    for n in 0..5 {
        let id = draft(&db, AgentFacts { name: format!("Agent {n}"), ..facts() }).await;
        asked.push(submit(&db, id, 2).await);
    }
    // Nobody was there from the second day to the twentieth.
    let done = all(&db, day(20)).await;
    assert_eq!(done.alarms, 15, "soon, due and escalated of each");
    let four = told(&db, 4, day(20)).await;
    assert_eq!(four.len(), 1, "what is overdue, folded, and nothing of what was due soon: {four:?}");
    assert_eq!(four[0].1, "5 decisions are overdue: RQ-1, RQ-2, RQ-3 and more.");
    let security = told(&db, 1, day(20)).await;
    assert!(security.iter().any(|(_, what)| what.starts_with("5 decisions are long overdue")), "{security:?}");
    // Of three months it is told that they ended, once.
    all(&db, day(200)).await;
    let asker = told(&db, 5, day(200)).await;
    assert_eq!(asker.len(), 1, "{asker:?}");
    assert!(asker[0].1.starts_with("5 of your requests ended: RQ-1"), "{asker:?}");
    let lapsed = count(&db, "SELECT COUNT(*) FROM audit_event WHERE action = 'request.lapsed'").await;
    assert_eq!(lapsed, i64::try_from(asked.len()).unwrap());
    whole(&db).await;
}

async fn a_review_put_off_is_told_of_at_its_new_date(db: Db) {
    organisation(&db).await;
    let id = draft(&db, facts()).await;
    let r = submit(&db, id, 2).await;
    approve_all(&db, r, 3).await;
    requests::activate(&db, by(&member(5), 4), id, "Go.").await.unwrap();
    let review = register::reviews::open(&db, by(&lead(), 5), id, "A look.").await.unwrap();
    assert_eq!(kinds(&db, 2, day(5)).await, ["review-due"]);
    register::reviews::defer(&db, by(&member(2), 6), review, day(40), "The team is away.").await.unwrap();
    all(&db, day(37)).await;
    assert_eq!(kinds(&db, 2, day(5) + TINY).await, [""; 0], "its old date is past, and it is not due");
    all(&db, day(38)).await;
    assert_eq!(kinds(&db, 2, day(38)).await, ["decision-due"]);
}

async fn an_offer_is_told_of_asked_again_and_lapses(db: Db) {
    organisation(&db).await;
    let lead = lead();
    let mut ids = Vec::new();
    for n in 0..20 {
        let named = AgentFacts { name: format!("Agent {n}"), ..facts() };
        ids.push(agents::create(&db, by(&lead, 1), named, Lifecycle::Draft).await.unwrap().id);
    }
    let seven = Party::Person(PersonId(7));
    assignments::assign_many(&db, by(&lead, 2), &ids, Duty::Purpose, seven, Mode::Offer, "").await.unwrap();
    let offered = told(&db, 7, day(2)).await;
    assert_eq!(offered.len(), 1, "many at once are one word: {offered:?}");
    assert_eq!(offered[0].1, "20 duties are offered to you: AG-1, AG-2, AG-3 and more.");
    all(&db, day(12) - TINY).await;
    assert_eq!(kinds(&db, 7, day(2) + TINY).await, [""; 0]);
    let me = member(7);
    let first: Vec<(AgentId, Duty)> = ids[..5].iter().map(|id| (*id, Duty::Purpose)).collect();
    assignments::answer(&db, by(&me, 11), &first, true, "").await.unwrap();
    assert!(told(&db, 1, day(11)).await[0].1.starts_with("5 duties that you offered were accepted"), "who offered");
    all(&db, day(12)).await;
    let again = told(&db, 7, day(12)).await;
    assert_eq!(again.len(), 1, "{again:?}");
    assert!(again[0].1.contains("15 duties"), "{again:?}");
    assert_eq!(kinds(&db, 1, day(12)).await, ["offer-lapsing"], "who offered leads security, and hears it once");
    all(&db, day(32)).await;
    let lapsed = told(&db, 1, day(32)).await;
    assert!(lapsed.iter().any(|(_, what)| what.starts_with("15 duties that you offered lapsed")), "{lapsed:?}");
    whole(&db).await;
}

/// An agent whose runtime owner, 3, has shown on day 2 that stopping works.
async fn verified(db: &Db, n: usize) -> AgentId {
    let id = draft(db, AgentFacts { name: format!("Verified {n}"), ..facts() }).await;
    let method: i64 = db
        .one("SELECT version FROM stop_method WHERE agent_id = $1 AND valid_to IS NULL", args![id])
        .await
        .unwrap()
        .unwrap()
        .get(0)
        .unwrap();
    assert_eq!(method, 1);
    let drill = register::stops::rehearsals::ManualDrill {
        seconds: Some(30),
        witness: Some(PersonId(2)),
        note: "All of it.".into(),
        evidence: register::stops::evidence::File { name: "log.txt".into(), bytes: b"stopped".to_vec() },
    };
    let delivery =
        register::stops::rehearsals::rehearse(db, by(&member(3), 2), id, domain::stop::Surface::Pause, drill)
            .await
            .unwrap();
    register::stops::rehearsals::testify(db, by(&member(2), 2), &delivery, true).await.unwrap();
    id
}

async fn what_begins_by_the_clock_is_told_to_who_can_mend_it(db: Db) {
    organisation(&db).await;
    let id = verified(&db, 1).await;
    assert!(kinds(&db, 2, day(2)).await.contains(&"drill-due".to_owned()), "the witness is asked");
    let lapses = day(2) + TimeDelta::days(365);
    all(&db, lapses - TINY).await;
    let drill = async |since| kinds(&db, 3, since).await.iter().filter(|k| *k == "drill-due").count();
    assert_eq!(drill(day(3)).await, 0);
    all(&db, lapses).await;
    assert_eq!(drill(day(3)).await, 1);
    all(&db, lapses + TimeDelta::days(30)).await;
    assert_eq!(drill(day(3)).await, 1, "once");
    // Nothing is lost when a person's change comes before the clock.
    let other = verified(&db, 2).await;
    assert_ne!(id, other);
    let view = agents::read(&db, By { actor: &lead(), now: lapses + TINY }, other).await.unwrap();
    let changed = AgentFacts { business_unit: "Roads".into(), ..view.judged.agent.facts.clone() };
    let version = view.judged.agent.version;
    agents::edit(&db, By { actor: &lead(), now: lapses + TINY }, other, version, changed, "").await.unwrap();
    assert_eq!(drill(day(3)).await, 2);
    all(&db, lapses + TimeDelta::days(1)).await;
    assert_eq!(drill(day(3)).await, 2);
    whole(&db).await;
}

/// What cannot be read of one agent keeps no other waiting, nor what else the clock does.
async fn one_that_cannot_be_assessed_stops_nothing(db: Db) {
    organisation(&db).await;
    let (bad, good) = (verified(&db, 1).await, verified(&db, 2).await);
    db.run("UPDATE agent SET environment = 'the moon' WHERE id = $1", args![bad]).await.unwrap();
    let lapses = day(2) + TimeDelta::days(365);
    let mut failed = false;
    for _ in 0..100 {
        match clock::step(&db, lapses).await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the bad one is due still"),
            Err(_) => {
                failed = true;
                break;
            }
        }
    }
    assert!(failed, "once nothing else is due, it is said");
    let due = db.all(clock::turns::DUE, args![lapses]).await.unwrap();
    assert!(due.iter().all(|r| r.get::<AgentId>(0).unwrap() == bad), "{good} is folded");
    let alarms = "SELECT COUNT(*) FROM alarm WHERE at <= $1";
    assert_eq!(db.one(alarms, args![lapses]).await.unwrap().unwrap().get::<i64>(0).unwrap(), 0);
    assert!(kinds(&db, 3, day(3)).await.contains(&"drill-due".to_owned()));
    db.run("UPDATE agent SET environment = 'staging' WHERE id = $1", args![bad]).await.unwrap();
    all(&db, lapses).await;
}

async fn gaps_that_were_there_from_the_beginning_tell_nobody(db: Db) {
    organisation(&db).await;
    for n in 0..3 {
        let named = AgentFacts { name: format!("Gap {n}"), running: domain::agent::Running::Yes, ..facts() };
        agents::create(&db, by(&lead(), 1), named, Lifecycle::Discovered).await.unwrap();
    }
    all(&db, day(200)).await;
    assert_eq!(count(&db, "SELECT COUNT(*) FROM notice").await, 0);
}

async fn a_day_is_kept_at_its_end_and_never_invented(db: Db) {
    organisation(&db).await;
    draft(&db, facts()).await;
    let midnight = |n: i64| {
        let date = day(n).date_naive();
        date.and_hms_opt(0, 0, 0).unwrap().and_utc()
    };
    assert_eq!(all(&db, midnight(2) - TINY).await.days, 0);
    assert_eq!(clock::next(&db, midnight(2) - TINY).await.unwrap(), midnight(2));
    assert_eq!(all(&db, midnight(2)).await.days, 1);
    assert_eq!(all(&db, midnight(2) + TimeDelta::seconds(5)).await.days, 0, "once");
    // Two midnights nobody was there.
    assert_eq!(all(&db, midnight(4) + TimeDelta::hours(3)).await.days, 0);
    assert_eq!(all(&db, midnight(5)).await.days, 1);
    let who = lead();
    let seen = By { actor: &who, now: midnight(5) + TimeDelta::hours(1) };
    let list = days::history(&db, seen, day(-30).date_naive(), day(5).date_naive()).await.unwrap();
    let kept: Vec<bool> = list.iter().map(|d| d.figures.is_some()).collect();
    assert_eq!(kept, [true, false, false, true], "{list:?}");
    assert_eq!(list[0].day, day(1).date_naive());
    let figures = list[0].figures.as_ref().unwrap();
    assert_eq!((figures["agents"], figures["state:draft"]), (1, 1));
    let now = register::posture::posture(&db, seen).await.unwrap();
    assert_eq!(
        list[3].figures.as_ref().unwrap()["finding:runtime-owner-untested"],
        now.findings["runtime-owner-untested"]
    );
    let denied = days::history(&db, By { actor: &member(5), ..seen }, day(0).date_naive(), day(1).date_naive()).await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    let far = days::history(&db, seen, day(-500).date_naive(), day(1).date_naive()).await;
    assert!(matches!(far, Err(Error::Invalid(_))), "{far:?}");
    let sql = "UPDATE posture_day SET n = n + 1";
    assert!(db.run(sql, args![]).await.is_err(), "what was recorded is never changed");
}

async fn two_schedulers_do_each_thing_once(db: Db) {
    organisation(&db).await;
    for n in 0..30 {
        let id = verified(&db, n).await;
        submit(&db, id, 3).await;
    }
    let alarms = count(&db, "SELECT COUNT(*) FROM alarm").await;
    assert_eq!(alarms, 120);
    let at_once = |db: Db| async move {
        let (mut turns, mut alarms) = (0, 0);
        while let Some(done) = clock::step(&db, day(400)).await.unwrap() {
            turns += done.turns;
            alarms += done.alarms;
        }
        (turns, alarms)
    };
    let (one, two) = tokio::join!(tokio::spawn(at_once(db.clone())), tokio::spawn(at_once(db.clone())));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(i64::try_from(one.1 + two.1).unwrap(), alarms, "each alarm once: {one:?} {two:?}");
    assert_eq!(one.0 + two.0, 30, "each agent once: {one:?} {two:?}");
    assert_eq!(count(&db, "SELECT COUNT(*) FROM audit_event WHERE action = 'request.lapsed'").await, 30);
    let twice = "SELECT COUNT(*) FROM (SELECT person_id, kind, what FROM notice WHERE at >= 1824000000000000 \
                 GROUP BY person_id, kind, what HAVING COUNT(*) > 1) x";
    assert_eq!(count(&db, twice).await, 0);
    let untested = count(&db, "SELECT n FROM tally WHERE facet = 'owner:untested'").await;
    assert_eq!(untested, 30, "no counter moved twice");
    whole(&db).await;
}

/// What the clock asks is answered by an index, however large the estate.
async fn what_the_clock_asks_grows_with_nothing(db: Db) {
    organisation(&db).await;
    draft(&db, facts()).await;
    for sql in clock::EARLIEST {
        reads_an_index(&db, sql, args![]).await;
    }
    reads_an_index(&db, days::LAST, args![]).await;
    reads_an_index(&db, clock::turns::DUE, args![day(9)]).await;
    reads_an_index(&db, clock::alarms::DUE, args![day(9), 200]).await;
}

async fn reads_an_index(db: &Db, sql: &str, args: Vec<register::db::Arg>) {
    if db.engine() != "sqlite" {
        // A planner of PostgreSQL walks a table that has one page; its indexes are the same.
        return;
    }
    let plan = db.plan(sql, args).await.unwrap();
    let walks = |step: &String| step.starts_with("SCAN") || step.contains("TEMP B-TREE");
    assert!(!plan.iter().any(walks), "{sql}: {plan:?}");
}

async fn people_hear_of_what_others_do_to_what_is_theirs(db: Db) {
    organisation(&db).await;
    let id = draft(&db, facts()).await;
    let r = submit(&db, id, 2).await;
    requests::ask(&db, by(&member(2), 3), r, 1, "How many rounds?").await.unwrap();
    assert_eq!(kinds(&db, 5, day(3)).await, ["question-asked"]);
    requests::reply(&db, by(&member(5), 4), r, 1, "Twelve.").await.unwrap();
    let answer = told(&db, 2, day(4)).await;
    assert_eq!(answer.len(), 1);
    assert!(answer[0].1.contains("“Twelve.”"), "{answer:?}");
    register::delegations::create(&db, by(&member(4), 4), PersonId(6), day(4), day(9), "On leave.").await.unwrap();
    assert_eq!(kinds(&db, 6, day(4)).await, ["account"]);
    register::stops::press::press(&db, by(&lead(), 5), id, "It drives in circles.").await.unwrap();
    for person in [2, 3, 4] {
        assert_eq!(kinds(&db, person, day(5)).await, ["agent-stopped"], "{person}");
    }
    assert_eq!(count(&db, "SELECT COUNT(*) FROM notice WHERE kind = 'agent-stopped' AND critical").await, 3);
    people::leave(&db, by(&Actor::cli(), 6), PersonId(3), None, "Gone.").await.unwrap();
    assert!(kinds(&db, 1, day(6)).await.contains(&"ownership-ended".to_owned()), "security hears what is open");
    let vacant = told(&db, 1, day(6)).await;
    assert!(vacant.iter().any(|(kind, _)| kind == "decision-escalated"), "and that nobody can decide: {vacant:?}");
    let given = Fields { name: "New".into(), email: "new@x.example".into(), ..Fields::default() };
    let lead2 = people::create(&db, by(&Actor::cli(), 7), &given, [Role::SecurityLead].into_iter().collect()).await;
    assert!(lead2.is_ok(), "{lead2:?}");
    whole(&db).await;
}

async fn an_exception_is_told_of_until_it_ends_and_after(db: Db) {
    use crate::exceptions::{approve, ask, asked, control, draft, facts, organisation};
    organisation(&db).await;
    let agent = draft(&db, facts("Dispatcher")).await;
    let id = ask(&db, 5, 2, &[agent], asked(60, vec![control(30)])).await.unwrap();
    approve(&db, 4, id).await;
    let since = day(4) + TINY;
    let of = |person| {
        let db = db.clone();
        async move {
            let list = kinds(&db, person, since).await;
            list.into_iter().filter(|k| k.starts_with("exception-") || k == "control-check-due").collect::<Vec<_>>()
        }
    };
    let mut expected = 0;
    for at in [30, 46, 53, 59] {
        all(&db, day(at) - TINY).await;
        assert_eq!(of(3).await.len(), expected, "not before day {at}");
        all(&db, day(at)).await;
        expected += 1;
        assert_eq!(of(3).await.len(), expected, "on day {at}");
    }
    assert!(of(3).await.iter().all(|k| k == "exception-expiring"));
    assert_eq!(of(8).await, ["control-check-due", "control-check-due"], "soon, and when it was not done");
    all(&db, day(60) - TINY).await;
    assert_eq!(of(3).await.len(), 4);
    all(&db, day(60)).await;
    assert_eq!(of(3).await.len(), 5);
    assert_eq!((of(5).await, of(9).await), (vec!["exception-expired".to_owned()], vec![]));
    assert_eq!(count(&db, "SELECT COUNT(*) FROM stopping").await, 0, "it was not decided that it stops");
    all(&db, day(63)).await;
    assert_eq!(of(9).await, ["exception-expired"], "the manager, as nothing was mended");
    assert_eq!(of(1).await, ["exception-expired"]);
    all(&db, day(200)).await;
    assert_eq!((of(3).await.len(), of(9).await.len(), of(8).await.len()), (5, 1, 2), "once");
    whole(&db).await;
}

async fn an_exception_that_was_renewed_or_closed_is_told_to_nobody(db: Db) {
    use crate::exceptions::{approve, ask, asked, control, draft, facts, organisation};
    organisation(&db).await;
    let agent = draft(&db, facts("Dispatcher")).await;
    let suspends = domain::exception::Asked { suspends: true, ..asked(60, vec![control(30)]) };
    let id = ask(&db, 5, 2, &[agent], suspends).await.unwrap();
    approve(&db, 4, id).await;
    register::exceptions::close(&db, by(&lead(), 10), id, "The vault is there.").await.unwrap();
    let before = count(&db, "SELECT COUNT(*) FROM notice WHERE kind LIKE 'exception-%' OR kind LIKE 'control-%'").await;
    all(&db, day(100)).await;
    let after = count(&db, "SELECT COUNT(*) FROM notice WHERE kind LIKE 'exception-%' OR kind LIKE 'control-%'").await;
    assert_eq!(before, after);
    assert_eq!(count(&db, "SELECT COUNT(*) FROM stopping").await, 0);
}

async fn an_exception_that_suspends_stops_its_agents_at_its_last_moment(db: Db) {
    use crate::exceptions::{approve, ask, asked, control, draft, facts, organisation};
    organisation(&db).await;
    let agent = draft(&db, facts("Dispatcher")).await;
    let mended = draft(&db, facts("Mended")).await;
    let suspends = domain::exception::Asked { suspends: true, ..asked(60, vec![control(30)]) };
    let id = ask(&db, 5, 2, &[agent, mended], suspends).await.unwrap();
    approve(&db, 4, id).await;
    let view = agents::read(&db, by(&lead(), 50), mended).await.unwrap().judged.agent;
    let better = AgentFacts { credentials: Vec::new(), ..view.facts.clone() };
    agents::edit(&db, by(&lead(), 50), mended, view.version, better, "").await.unwrap();
    // After an outage of days, and by two servers at once.
    let one = tokio::spawn({
        let db = db.clone();
        async move { all(&db, day(70)).await }
    });
    let two = tokio::spawn({
        let db = db.clone();
        async move { all(&db, day(70)).await }
    });
    one.await.unwrap();
    two.await.unwrap();
    let rows = db.all("SELECT agent_id, stopped_by, capacity, reason FROM stopping", args![]).await.unwrap();
    assert_eq!(rows.len(), 1, "once, and only what is still wrong");
    assert_eq!(rows[0].get::<AgentId>(0).unwrap(), agent);
    assert_eq!(
        (rows[0].get::<String>(1).unwrap(), rows[0].get::<String>(2).unwrap()),
        ("muster".into(), "clock".into())
    );
    assert!(rows[0].get::<String>(3).unwrap().contains("EX-1"));
    let stopped = told(&db, 2, day(70)).await;
    assert!(
        stopped.iter().any(|(kind, what)| kind == "agent-stopped" && what.starts_with("Muster stopped")),
        "{stopped:?}"
    );
    // Of the reminders before the end none is told after it.
    assert!(kinds(&db, 3, day(5)).await.iter().all(|k| k != "exception-expiring"));
    whole(&db).await;
}

/// The record is whole.
async fn whole(db: &Db) {
    audit::verify(db, by(&lead(), 900), None, |_| {}).await.unwrap();
}

story!(one_that_cannot_be_assessed_stops_nothing, super::one_that_cannot_be_assessed_stops_nothing);
story!(a_request, super::a_request_is_told_of_step_by_step_while_it_waits);
story!(decided, super::what_was_decided_is_told_to_nobody_later);
story!(outage, super::after_an_outage_what_still_holds_is_told_once);
story!(put_off, super::a_review_put_off_is_told_of_at_its_new_date);
story!(an_offer, super::an_offer_is_told_of_asked_again_and_lapses);
story!(begun, super::what_begins_by_the_clock_is_told_to_who_can_mend_it);
story!(no_storm, super::gaps_that_were_there_from_the_beginning_tell_nobody);
story!(kept_days, super::a_day_is_kept_at_its_end_and_never_invented);
story!(two_schedulers, super::two_schedulers_do_each_thing_once);
story!(cost, super::what_the_clock_asks_grows_with_nothing);
story!(heard, super::people_hear_of_what_others_do_to_what_is_theirs);
story!(exceptions_told, super::an_exception_is_told_of_until_it_ends_and_after);
story!(exceptions_closed, super::an_exception_that_was_renewed_or_closed_is_told_to_nobody);
story!(exceptions_stop, super::an_exception_that_suspends_stops_its_agents_at_its_last_moment);
