//! `Idempotency-Key`: a POST that may be sent again.

use axum::http::Method;
use chrono::TimeDelta;
use domain::can::Scope;
use serde_json::{Value, json};

use crate::contract::Program;
use crate::support::{Answer, Site};

const AGENTS: &str = "/api/v1/agents";

async fn post(program: &Program<'_>, key: &str, body: Value) -> Answer {
    program.ask(Method::POST, AGENTS, &[("idempotency-key", key)], Some(&body)).await
}

#[tokio::test]
async fn the_first_answer_is_given_again() {
    let site = Site::empty().await;
    let program = Program(site.program(&[Scope::Write]).await);
    let first = post(&program, "k-1", json!({"name": "A"})).await.is(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    site.app.clock.advance(TimeDelta::hours(23));
    let again = post(&program, "k-1", json!({"name": "A"})).await.is(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    for name in ["location", "etag", "content-type"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!(again.bytes, first.bytes);
    assert_eq!(post(&program, "\"k-1\"", json!({"name": "A"})).await.bytes, first.bytes, "quoted");
    assert_eq!(site.events("agent.created").await, 1);

    post(&program, "k-1", json!({"name": "B"})).await.is_problem(422, "invalid");
    let elsewhere = [("idempotency-key", "k-1")];
    program
        .ask(Method::POST, "/api/v1/systems", &elsewhere, Some(&json!({"name": "A"})))
        .await
        .is_problem(422, "invalid");
    post(&program, "k-2", json!({"name": "A"})).await.is(201);
    let other = Program(site.program(&[Scope::Write]).await);
    assert_eq!(post(&other, "k-1", json!({"name": "C"})).await.is(201).body()["name"], "C", "keys are of an actor");

    site.app.clock.advance(TimeDelta::hours(1));
    post(&program, "k-1", json!({"name": "D"})).await.is(201);
    assert_eq!(site.events("agent.created").await, 4);
}

#[tokio::test]
async fn what_was_refused_may_be_corrected_with_the_same_key() {
    let site = Site::empty().await;
    let program = Program(site.program(&[Scope::Write]).await);
    post(&program, "k", json!({"name": ""})).await.is_problem(422, "invalid");
    post(&program, "k", json!({"name": "A"})).await.is(201);
    let reads = Program(site.program(&[Scope::Read]).await);
    post(&reads, "k", json!({"name": "A"})).await.is_problem(403, "forbidden");
    for bad in ["", " ", "a b", &"x".repeat(256)] {
        post(&program, bad, json!({"name": "A"})).await.is_problem(400, "malformed");
    }
    let headers = [("idempotency-key", "k")];
    program.ask(Method::GET, AGENTS, &headers, None).await.is(200);
    program
        .ask(
            Method::PATCH,
            "/api/v1/agents/AG-1",
            &[("idempotency-key", "k"), ("if-match", "*")],
            Some(&json!({"name": "B"})),
        )
        .await
        .is(200);
    let large = json!({"name": "A", "purpose": "x".repeat(3 << 20)});
    post(&program, "large", large).await.is_problem(413, "too-large");
    let nobody = site.browser().send_with(Method::POST, AGENTS, None, Vec::new(), &headers).await;
    nobody.is_problem(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_is_carried_out() {
    let site = Site::empty().await;
    let program = Program(site.program(&[Scope::Write]).await);
    let all = futures_util::future::join_all((0..12).map(|_| post(&program, "k", json!({"name": "A"})))).await;
    let made: Vec<&Answer> = all.iter().filter(|a| a.status == 201).collect();
    assert!(!made.is_empty());
    assert!(made.iter().all(|a| a.bytes == made[0].bytes));
    assert_eq!(made.iter().filter(|a| a.header("idempotency-replayed").is_empty()).count(), 1);
    for other in all.into_iter().filter(|a| a.status != 201) {
        let other = other.is_problem(409, "conflict");
        assert_eq!(other.header("retry-after"), "1");
    }
    assert_eq!(site.events("agent.created").await, 1);
}

#[tokio::test]
async fn a_bulk_assignment_is_done_once() {
    let site = Site::empty().await;
    let program = Program(site.program(&[Scope::Admin]).await);
    program.post("/api/v1/people", json!({"name": "Ana", "email": "ana@example.org"})).await.is(201);
    program.post(AGENTS, json!({"name": "A"})).await.is(201);
    let body = json!({"query": {}, "duty": "purpose", "party": "PE-1"});
    let headers = [("idempotency-key", "bulk")];
    let first = program.ask(Method::POST, "/api/v1/assignments", &headers, Some(&body)).await.is(200);
    let again = program.ask(Method::POST, "/api/v1/assignments", &headers, Some(&body)).await.is(200);
    assert_eq!(first.bytes, again.bytes);
    assert_eq!(first.body()["done"], json!(["AG-1"]));
    assert_eq!(site.events("assignment.offered").await, 1);
}
