//! A key makes a request safe to repeat, whatever happens in between.

use chrono::TimeDelta;
use domain::agent::{AgentFacts, Lifecycle};
use domain::can::Actor;
use register::idempotency::{Answer, Claim, KEPT, Made, Named, Request, claim, keep, release};
use register::{By, Db, agents};

use crate::support::{day, story};

fn request(key: &str, body: &str, seconds: i64, server: &str) -> Request {
    Request {
        actor: "cli".into(),
        key: key.into(),
        sha256: body.into(),
        at: day(0) + TimeDelta::seconds(seconds),
        server: server.into(),
    }
}

story!(the_first_answer_is_given_again_for_a_day, super::answered_again);
async fn answered_again(db: Db) {
    let first = request("k", "a", 0, "one");
    assert_eq!(claim(&db, &first).await.unwrap(), Claim::Mine);
    assert_eq!(claim(&db, &request("k", "a", 1, "one")).await.unwrap(), Claim::Running);
    assert_eq!(claim(&db, &request("k", "b", 1, "one")).await.unwrap(), Claim::Other);
    assert_eq!(claim(&db, &request("l", "b", 1, "one")).await.unwrap(), Claim::Mine, "another key");
    let stranger = Request { actor: "PE-1".into(), ..request("k", "b", 1, "one") };
    assert_eq!(claim(&db, &stranger).await.unwrap(), Claim::Mine, "another actor");

    let answer = Answer {
        status: 201,
        headers: vec![Named { name: "location".into(), value: "/api/v1/agents/AG-1".into() }],
        body: "{\"name\":\"ع\"}".into(),
    };
    keep(&db, &first, &answer).await.unwrap();
    assert_eq!(claim(&db, &request("k", "a", 2, "two")).await.unwrap(), Claim::Answered(answer));
    assert_eq!(claim(&db, &request("k", "b", 2, "two")).await.unwrap(), Claim::Other);

    let later = request("k", "b", KEPT.num_seconds(), "one");
    assert_eq!(claim(&db, &later).await.unwrap(), Claim::Mine, "after a day the key is free");
}

story!(a_refused_request_may_be_corrected_and_sent_again, super::corrected);
async fn corrected(db: Db) {
    let first = request("k", "a", 0, "one");
    claim(&db, &first).await.unwrap();
    release(&db, &first).await.unwrap();
    let second = request("k", "b", 1, "one");
    assert_eq!(claim(&db, &second).await.unwrap(), Claim::Mine);
    // Whoever lost the key changes nothing any more.
    release(&db, &first).await.unwrap();
    keep(&db, &first, &Answer { status: 200, headers: Vec::new(), body: "a".into() }).await.unwrap();
    assert_eq!(claim(&db, &request("k", "b", 2, "one")).await.unwrap(), Claim::Running);
}

story!(after_a_crash_the_record_says_whether_it_was_done, super::crashed);
async fn crashed(db: Db) {
    let before = request("before", "a", 0, "one");
    let after = request("after", "a", 1, "one");
    claim(&db, &before).await.unwrap();
    claim(&db, &after).await.unwrap();
    let cli = Actor::cli();
    let by = By { actor: &cli, now: after.at };
    let agent = agents::create(&db, by, AgentFacts::named("A"), Lifecycle::Draft).await.unwrap();

    // Server one is gone; server two is asked again.
    let made = Made { action: "agent.created".into(), subject: agent.id.to_string() };
    assert_eq!(claim(&db, &request("after", "a", 5, "two")).await.unwrap(), Claim::Done(made));
    assert_eq!(claim(&db, &request("before", "a", 5, "two")).await.unwrap(), Claim::Running, "it may still be at it");
    assert_eq!(claim(&db, &request("before", "a", 200, "two")).await.unwrap(), Claim::Mine);
    assert_eq!(claim(&db, &request("before", "a", 201, "three")).await.unwrap(), Claim::Running);
}
