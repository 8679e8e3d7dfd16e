//! The OpenAPI document: whole, sound, and true to the routes.

use std::collections::BTreeSet;

use domain::can::Scope;
use domain::party::Role;
use serde_json::Value;
use server::routes::Door;

use crate::contract::resolved;
use crate::support::Site;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let mut out = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                out.push((path.as_str(), method, operation));
            }
        }
    }
    out
}

#[test]
fn every_route_of_the_api_is_documented_and_nothing_else() {
    let routes: BTreeSet<(String, String)> = server::router::table()
        .into_iter()
        .filter(|r| r.door == Door::Api && r.path.starts_with("/api/v1/"))
        .map(|r| (r.path, r.method.to_lowercase()))
        .collect();
    let documented: BTreeSet<(String, String)> = operations(server::api::document())
        .into_iter()
        .map(|(path, method, _)| (path.to_owned(), method.to_owned()))
        .collect();
    assert_eq!(routes, documented);
    assert!(documented.len() >= 40, "{}", documented.len());
}

#[test]
fn the_document_is_sound() {
    let document = server::api::document();
    assert_eq!(document["openapi"], "3.1.0");
    for door in ["token", "session"] {
        assert!(document["components"]["securitySchemes"][door]["type"].is_string());
        assert!(document["security"].as_array().unwrap().iter().any(|s| s.get(door).is_some()));
    }
    let tags: BTreeSet<&str> =
        document["tags"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(document) {
        let at = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{at}: its id is taken");
        assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{at}: no summary");
        assert!(tags.contains(operation["tags"][0].as_str().unwrap()), "{at}: unknown tag");
        let parameters: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
        let mut names = BTreeSet::new();
        for p in &parameters {
            let (name, place) = (p["name"].as_str().unwrap(), p["in"].as_str().unwrap());
            assert!(names.insert((place, name)), "{at}: {name} is there twice");
            assert!(p["schema"].is_object(), "{at}: {name} has no schema");
            assert!(!p["description"].as_str().unwrap_or_default().is_empty(), "{at}: {name} is not explained");
            assert!(matches!(place, "path" | "query" | "header"), "{at}: {place}");
            assert_eq!(place == "path", p["required"] == true && path.contains(&format!("{{{name}}}")), "{at}: {name}");
        }
        for name in path.split('{').skip(1).map(|p| p.split('}').next().unwrap()) {
            assert!(names.contains(&("path", name)), "{at}: {name} is not described");
        }
        assert_eq!(names.contains(&("header", "Idempotency-Key")), method == "post", "{at}");
        assert_eq!(names.contains(&("header", "If-Match")), matches!(method, "put" | "patch"), "{at}");
        let responses = operation["responses"].as_object().unwrap();
        let known = ["200", "201", "400", "401", "403", "404", "409", "412", "413", "415", "422", "428", "500", "503"];
        for (status, response) in responses {
            assert!(known.contains(&status.as_str()), "{at}: {status}");
            let response = resolved(document, response);
            assert!(!response["description"].as_str().unwrap_or_default().is_empty(), "{at}: {status}");
            assert!(!response["content"].as_object().unwrap().is_empty(), "{at}: {status}");
        }
        assert!(responses.keys().any(|s| s.starts_with('2')), "{at}: it never succeeds");
        for needed in ["401", "403", "500"] {
            assert!(responses.contains_key(needed), "{at}: {needed} is not said");
        }
        assert_eq!(responses.contains_key("404"), path.contains('{'), "{at}");
        let takes = operation.get("requestBody").is_some();
        assert_eq!(responses.contains_key("415"), takes, "{at}");
        assert_eq!(takes, method != "get", "{at}");
    }
    references(document, document);
}

/// Every reference leads somewhere.
fn references(document: &Value, value: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref") {
                let reference = reference.as_str().unwrap();
                assert!(reference.starts_with("#/components/"), "{reference}");
                assert!(document.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
            }
            members.values().for_each(|v| references(document, v));
        }
        Value::Array(items) => items.iter().for_each(|v| references(document, v)),
        _ => {}
    }
}

/// The examples are as their schemas say.
#[test]
fn the_examples_are_true() {
    let document = server::api::document();
    let mut seen = 0;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if let Some(example) = schema.get("example") {
            let wrong = crate::contract::violations(document, schema, example, "");
            assert!(wrong.is_empty(), "{name}: {wrong:#?}");
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen}");
}

#[tokio::test]
async fn it_is_read_by_programs_and_as_a_page() {
    let site = Site::empty().await;
    let program = site.program(&[Scope::Read]).await;
    let answer = program.get("/api/v1/openapi.json").await.is(200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(&answer.body(), server::api::document());
    site.browser().get("/api/v1/openapi.json").await.is_problem(401, "unauthorized");
    site.browser().get("/api/docs").await.is_problem(401, "unauthorized");

    let person = site.signed_in(Role::Auditor).await;
    let page = person.get("/api/docs").await.is(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    let page = page.says("/api/v1/agents/{id}/raci").says("List agents").says("If-Match").says("href=\"/people\"");
    let html = page.text();
    for (_, _, operation) in operations(server::api::document()) {
        let id = operation["operationId"].as_str().unwrap();
        assert_eq!(html.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
    for href in html.split("href=\"#").skip(1).map(|h| h.split('"').next().unwrap()) {
        assert!(html.contains(&format!("id=\"{href}\"")), "#{href} leads nowhere");
    }
    program.get("/api/docs").await.is(200).says("List agents");
}

#[tokio::test]
async fn what_is_not_there_is_404_after_the_door() {
    let site = Site::empty().await;
    let program = site.program(&[Scope::Admin]).await;
    for path in [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/nothing",
        "/api/v1/alerts",
        "/api/v1/incidents",
        "/api/v1/frameworks",
        "/api/v1/agents/",
    ] {
        site.browser().get(path).await.is_problem(401, "unauthorized");
        program.get(path).await.is_problem(404, "not-found");
    }
    for path in [
        "/api/v1/agents/xyz",
        "/api/v1/agents/AG-0",
        "/api/v1/agents/PE-1",
        "/api/v1/agents/AG-999",
        "/api/v1/people/AG-1",
    ] {
        program.get(path).await.is_problem(404, "not-found");
    }
    let answer = program.send(axum::http::Method::DELETE, "/api/v1/agents", None, Vec::new()).await;
    let answer = answer.is_problem(405, "method-not-allowed");
    let allowed = answer.header("allow");
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
    let nobody = site.browser().send(axum::http::Method::DELETE, "/api/v1/agents", None, Vec::new()).await;
    nobody.is_problem(401, "unauthorized");
}
