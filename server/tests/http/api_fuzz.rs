//! Bad input, made by chance: whatever is sent, the answer is one that is documented; it is
//! never 500, and what the document forbids is never done.

use axum::http::Method;
use domain::can::Scope;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::contract::{Program, hold, violations};
use crate::support::Site;

/// The same inputs every time.
fn runner() -> TestRunner {
    TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("a\u{0}b".to_owned()),
        Just("AG-1".to_owned()),
        Just("PE-1".to_owned()),
        Just("draft".to_owned()),
        Just("A".to_owned()),
        Just("purpose".to_owned()),
        Just("x".repeat(5000)),
        Just("\u{202e}evil <script>'\"; DROP TABLE agent; --".to_owned()),
        "\\PC{0,12}",
        any::<String>(),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|f| serde_json::Number::from_f64(f).map_or(Value::Null, Value::Number)),
        Just(json!(18_446_744_073_709_551_615_u64)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A body with some of the members that a schema has, and some that it has not.
fn body(names: Vec<String>) -> impl Strategy<Value = Value> {
    let name = prop_oneof![8 => prop::sample::select(names), 1 => text()];
    prop_oneof![
        9 => prop::collection::vec((name, value()), 0..5)
            .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        1 => value(),
    ]
}

/// Where a body is sent, and the schema that the document has for it.
struct Target {
    method: Method,
    path: &'static str,
    template: &'static str,
}

fn schema_of<'d>(document: &'d Value, target: &Target) -> &'d Value {
    let operation = &document["paths"][target.template][target.method.as_str().to_lowercase()];
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{} takes no JSON", target.template);
    schema
}

#[tokio::test]
async fn no_body_breaks_anything() {
    let site = Site::demo().await;
    let program = Program(site.program(&[Scope::Admin]).await);
    let document = server::api::document();
    let target = |method: Method, path, template| Target { method, path, template };
    let targets = [
        target(Method::POST, "/api/v1/agents", "/api/v1/agents"),
        target(Method::PATCH, "/api/v1/agents/AG-1", "/api/v1/agents/{id}"),
        target(Method::PUT, "/api/v1/agents/by-external-id/fuzz/1", "/api/v1/agents/by-external-id/{source}/{id}"),
        target(Method::PUT, "/api/v1/agents/AG-2/tools", "/api/v1/agents/{id}/tools"),
        target(Method::PUT, "/api/v1/agents/AG-2/credentials", "/api/v1/agents/{id}/credentials"),
        target(Method::POST, "/api/v1/agents/AG-2/stop-methods", "/api/v1/agents/{id}/stop-methods"),
        target(Method::POST, "/api/v1/blast-radius/stop", "/api/v1/blast-radius/stop"),
        target(Method::PUT, "/api/v1/agents/AG-3/raci", "/api/v1/agents/{id}/raci"),
        target(Method::POST, "/api/v1/assignments", "/api/v1/assignments"),
        target(Method::POST, "/api/v1/assignments/preview", "/api/v1/assignments/preview"),
        target(Method::POST, "/api/v1/people", "/api/v1/people"),
        target(Method::PATCH, "/api/v1/people/PE-2", "/api/v1/people/{id}"),
        target(Method::POST, "/api/v1/teams", "/api/v1/teams"),
        target(Method::PATCH, "/api/v1/teams/TE-1", "/api/v1/teams/{id}"),
        target(Method::POST, "/api/v1/systems", "/api/v1/systems"),
        target(Method::PATCH, "/api/v1/systems/SY-1", "/api/v1/systems/{id}"),
    ];
    let mut runner = runner();
    let mut sent = 0;
    for target in &targets {
        let schema = schema_of(document, target);
        let mut names: Vec<String> =
            crate::contract::resolved(document, schema)["properties"].as_object().unwrap().keys().cloned().collect();
        names.push("id".to_owned());
        let bodies = body(names);
        for _ in 0..40 {
            let body = bodies.new_tree(&mut runner).unwrap().current();
            let answer = program.ask(target.method.clone(), target.path, &[("if-match", "*")], Some(&body)).await;
            let status = answer.status.as_u16();
            assert!(
                matches!(status, 200 | 201 | 400 | 409 | 412 | 422),
                "{} {}: {status}\n{body}",
                target.method,
                target.path
            );
            let wrong = violations(document, schema, &body, "");
            if answer.status.is_success() && target.method == Method::POST {
                assert!(wrong.is_empty(), "{} took {body}: {wrong:?}", target.path);
            }
            sent += 1;
        }
    }
    assert!(sent >= 300);
    // Nothing of it hurt the record.
    let cli = domain::can::Actor::cli();
    let by = register::By { actor: &cli, now: site.app.clock.now() };
    register::audit::verify(&site.app.db, by, None, |_| {}).await.map_err(|e| format!("{e:?}")).unwrap();
}

#[tokio::test]
async fn no_bytes_and_no_address_break_anything() {
    let site = Site::empty().await;
    let program = site.program(&[Scope::Admin]).await;
    let mut runner = runner();
    let bytes = prop::collection::vec(any::<u8>(), 0..200);
    for _ in 0..100 {
        let body = bytes.new_tree(&mut runner).unwrap().current();
        let answer = program.send(Method::POST, "/api/v1/agents", Some("application/json"), body).await;
        hold(&Method::POST, "/api/v1/agents", &answer);
        assert!(matches!(answer.status.as_u16(), 400 | 422), "{}", answer.text());
    }
    let parts = text();
    let lists = ["agents", "people", "teams", "systems", "audit", "assignments", "posture"];
    let names =
        ["q", "state", "limit", "cursor", "sort", "owner", "business_unit", "vendor", "tool", "actor", "subject", "at"];
    let encoded = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
    for n in 0..300 {
        let part = encoded(&parts.new_tree(&mut runner).unwrap().current());
        let list = lists[n % lists.len()];
        let path = match n % 4 {
            0 if !part.is_empty() => format!("/api/v1/{list}/{part}"),
            1 if !part.is_empty() => format!("/api/v1/agents/by-external-id/{part}/{part}"),
            2 => format!("/api/v1/{list}?{}={part}", names[n % names.len()]),
            _ => format!("/api/v1/{list}?{part}={part}"),
        };
        let answer = program.get(&path).await;
        assert!(matches!(answer.status.as_u16(), 200 | 404 | 405 | 422), "{path}: {}", answer.text());
        if answer.status != 405 {
            hold(&Method::GET, &path, &answer);
        }
    }
}
