//! The clock: nothing that is shown waits for it, and it wakes when it must.

use std::time::Duration;

use chrono::TimeDelta;
use domain::can::{Actor, Scope};
use domain::party::Role;
use register::{By, people};
use serde_json::{Value, json};

use crate::support::Site;

/// What is shown of the whole register, as JSON; what was written last and when is left out.
async fn shown(site: &Site) -> Value {
    let program = site.program(&[Scope::Read]).await;
    let posture = program.get("/api/v1/posture").await.is(200).body();
    let mut agents = program.get("/api/v1/agents?limit=200").await.is(200).body();
    for agent in agents["items"].as_array_mut().unwrap() {
        let object = agent.as_object_mut().unwrap();
        object.retain(|key, _| key != "version" && key != "updated_at");
    }
    let mut requests = program.get("/api/v1/requests?limit=200").await.is(200).body();
    for request in requests["items"].as_array_mut().unwrap() {
        let object = request.as_object_mut().unwrap();
        object.retain(|key, _| matches!(key.as_str(), "id" | "state" | "kind" | "agent" | "steps"));
    }
    json!({"posture": posture, "agents": agents["items"], "requests": requests["items"]})
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_shown_waits_for_the_clock() {
    for days in [1, 20, 40] {
        let (stopped, running) = (Site::demo().await, Site::demo().await);
        for site in [&stopped, &running] {
            site.app.clock.advance(TimeDelta::days(days));
        }
        server::scheduler::all(&running.app).await.unwrap();
        let due = "SELECT COUNT(*) FROM turn WHERE at <= $1";
        let left = |site: &Site| {
            let (db, now) = (site.app.db.clone(), site.app.clock.now());
            async move { db.one(due, register::args![now]).await.unwrap().unwrap().get::<i64>(0).unwrap() }
        };
        assert_eq!(left(&running).await, 0);
        assert!(left(&stopped).await > 0, "something turned in {days} days, or this shows nothing");
        let (a, b) = (shown(&stopped).await, shown(&running).await);
        for part in ["posture", "agents", "requests"] {
            assert_eq!(a[part], b[part], "{part} after {days} days");
        }
    }
}

/// Waits for the scheduler, which works beside the test.
async fn comes_true(what: &str, mut is: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{what} did not come about");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_wakes_when_time_has_come_and_when_something_sooner_is_written() {
    let site = Site::empty().await;
    let lead = site.person("lead@muster.test", &[Role::SecurityLead]).await;
    let count = async |sql: &'static str| {
        site.app.db.one(sql, register::args![]).await.unwrap().unwrap().get::<i64>(0).unwrap()
    };
    let kept = async || count("SELECT COUNT(DISTINCT day) FROM posture_day").await;
    let clock = tokio::spawn(server::scheduler::run(site.app.clone()));
    // It sleeps until midnight: the test's clock takes it there.
    let midnight = register::clock::next(&site.app.db, site.app.clock.now()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(kept().await, 0);
    site.app.clock.advance(midnight - site.app.clock.now());
    comes_true("the day's posture", async || kept().await == 1).await;

    // Something that is due sooner is written behind its back: an alarm set in the past by a change
    // of a person's, which rings.
    let who = Actor::person(lead, [Role::SecurityLead].into_iter().collect());
    let by = By { actor: &who, now: site.app.clock.now() };
    let fields = register::people::Fields { name: "Other".into(), email: "o@muster.test".into(), ..Default::default() };
    let other =
        people::create(&site.app.db, By { actor: &Actor::cli(), ..by }, &fields, domain::party::Roles::default()).await;
    let other = other.unwrap().person.id;
    let facts = domain::agent::AgentFacts::named("Sorter");
    let agent = register::agents::create(&site.app.db, by, facts, domain::agent::Lifecycle::Draft).await.unwrap().id;
    let party = domain::party::Party::Person(other);
    // Offered eleven days ago: nobody has answered for ten.
    let then = By { now: by.now - TimeDelta::days(11), ..by };
    let duty = domain::duty::Duty::Purpose;
    register::assignments::assign(&site.app.db, then, agent, duty, party, register::assignments::Mode::Offer, "")
        .await
        .unwrap();
    comes_true("the word that nobody answers", async || {
        count("SELECT COUNT(*) FROM notice WHERE kind = 'offer-lapsing'").await >= 1
    })
    .await;
    // Whoever is asked, and whoever offered it and leads security too: each once.
    let each = "SELECT MAX(n) * 10 + COUNT(*) FROM (SELECT COUNT(*) AS n FROM notice WHERE kind = 'offer-lapsing' \
                GROUP BY person_id) AS told";
    assert_eq!(count(each).await, 12);
    clock.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_posture_says_which_days_are_missing() {
    let site = Site::demo().await;
    let program = site.program(&[Scope::Read]).await;
    let empty = program.get("/api/v1/posture/history").await.is(200).body();
    assert_eq!(empty, json!({"days": []}), "nothing is invented");
    let midnight = async || register::clock::next(&site.app.db, site.app.clock.now()).await.unwrap();
    let to_midnight = async || {
        server::scheduler::all(&site.app).await.unwrap();
        let now = site.app.clock.now();
        let day = now.date_naive().succ_opt().unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc();
        assert!(midnight().await <= day);
        site.app.clock.advance(day - now);
    };
    to_midnight().await;
    server::scheduler::all(&site.app).await.unwrap();
    site.app.clock.advance(TimeDelta::hours(47));
    to_midnight().await;
    server::scheduler::all(&site.app).await.unwrap();
    let posture = program.get("/api/v1/posture").await.is(200).body();
    let days = program.get("/api/v1/posture/history").await.is(200).body();
    let days = days["days"].as_array().unwrap();
    let recorded: Vec<bool> = days.iter().map(|d| d["recorded"].as_bool().unwrap()).collect();
    assert_eq!(recorded, [true, false, true], "{days:?}");
    assert_eq!(days[1]["total"], Value::Null);
    assert_eq!(days[1]["findings"], Value::Null);
    for part in ["total", "by_state", "runtime_owner", "findings", "duties", "unstoppable"] {
        assert_eq!(days[2][part], posture[part], "{part}");
    }
    let one = days[2]["day"].as_str().unwrap();
    let range = format!("/api/v1/posture/history?from={one}&to={one}");
    assert_eq!(program.get(&range).await.is(200).body()["days"].as_array().unwrap().len(), 1);
    for bad in ["?from=yesterday", "?from=2026-12-02&to=2026-12-01", "?from=2020-01-01&to=2026-01-01"] {
        program.get(&format!("/api/v1/posture/history{bad}")).await.is_problem(422, "invalid");
    }
    site.signed_in(Role::Member).await.get("/api/v1/posture/history").await.is_problem(403, "forbidden");
}
