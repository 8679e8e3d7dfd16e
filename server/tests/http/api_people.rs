//! People, teams and systems.

use axum::http::Method;
use domain::can::Scope;
use domain::party::Role;
use serde_json::{Value, json};

use crate::contract::Program;
use crate::support::{Answer, Site};

async fn admin(site: &Site) -> Program<'_> {
    Program(site.program(&[Scope::Admin]).await)
}

#[track_caller]
fn wrong_at(answer: Answer) -> String {
    let body = answer.is_problem(422, "invalid").body();
    body["errors"][0]["pointer"].as_str().unwrap().to_owned()
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|i| i["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn people_are_recorded_found_changed_and_leave() {
    let site = Site::empty().await;
    let program = admin(&site).await;
    let made = program
        .post(
            "/api/v1/people",
            json!({"name": "Ana Sousa", "email": "Ana@Example.org", "title": "Head", "roles": ["member"]}),
        )
        .await
        .is(201);
    assert_eq!((made.header("location"), made.header("etag")), ("/api/v1/people/PE-1", "\"1\""));
    assert_eq!(made.body()["email"], "ana@example.org");
    program
        .post(
            "/api/v1/people",
            json!({"name": "Ben Ito", "email": "ben@example.org", "manager": "PE-1", "deputy": "PE-1"}),
        )
        .await
        .is(201);

    for (body, pointer) in [
        (json!({"name": "x"}), "/email"),
        (json!({"name": "x", "email": "x"}), "/email"),
        (json!({"name": "x", "email": "ana@example.org"}), "/email"),
        (json!({"name": "", "email": "x@example.org"}), "/name"),
        (json!({"name": "x", "email": "x@example.org", "manager": "PE-99"}), "/manager"),
        (json!({"name": "x", "email": "x@example.org", "deputy": "TE-1"}), "/deputy"),
        (json!({"name": "x", "email": "x@example.org", "roles": ["king"]}), "/roles"),
        (json!({"name": "x", "email": "x@example.org", "roles": "member"}), "/roles"),
        (json!({"name": "x", "email": "x@example.org", "status": "left"}), "/status"),
        (json!({"name": "x", "email": "x@example.org", "password": "x"}), "/password"),
    ] {
        let at = wrong_at(program.post("/api/v1/people", body.clone()).await);
        assert!(at == pointer || at == format!("{pointer}/0"), "{body}: {at}");
    }

    let listed = program.get("/api/v1/people").await.is(200).body();
    assert_eq!((names(&listed), &listed["total"]), (vec!["Ana Sousa", "Ben Ito"], &json!(2)));
    assert_eq!(names(&program.get("/api/v1/people?sort=-name&limit=1").await.body()), ["Ben Ito"]);
    assert_eq!(names(&program.get("/api/v1/people?q=sou&role=member&status=active").await.body()), ["Ana Sousa"]);

    let at = "/api/v1/people/PE-2";
    let ben = program.get(at).await.is(200);
    assert_eq!((&ben.body()["manager"], ben.header("etag")), (&json!("PE-1"), "\"1\""));
    program.ask(Method::PATCH, at, &[], Some(&json!({"title": "x"}))).await.is_problem(428, "precondition-required");
    program.patch(at, "\"2\"", json!({"title": "x"})).await.is_problem(412, "stale");
    let mut whole = ben.body();
    whole["title"] = "Lead".into();
    whole["deputy"] = Value::Null;
    let done = program.patch(at, "\"1\"", whole).await.is(200).body();
    assert_eq!((&done["title"], &done["deputy"], &done["manager"]), (&json!("Lead"), &Value::Null, &json!("PE-1")));
    assert_eq!(
        program.patch(at, "*", json!({"roles": ["risk-analyst"]})).await.is(200).body()["roles"],
        json!(["risk-analyst"])
    );
    assert_eq!(wrong_at(program.patch(at, "*", json!({"manager": "PE-2"})).await), "/manager");
    assert_eq!(wrong_at(program.patch(at, "*", json!({"status": "left", "title": "x"})).await), "/status");
    assert_eq!(wrong_at(program.patch(at, "*", json!({"left_at": "2026-01-01T00:00:00Z"})).await), "/left_at");

    let left = program.patch(at, "*", json!({"status": "left", "reason": "moved"})).await.is(200).body();
    assert_eq!((&left["status"], left["left_at"].is_string()), (&json!("left"), true));
    let back = program.patch(at, "*", json!({"status": "active"})).await.is(200).body();
    assert_eq!(back["left_at"], Value::Null);
    assert_eq!(site.events("person.left").await + site.events("person.returned").await, 2);
    program.get("/api/v1/people/PE-9").await.is_problem(404, "not-found");
    program.patch("/api/v1/people/PE-9", "*", json!({})).await.is_problem(404, "not-found");
}

#[tokio::test]
async fn what_would_have_no_owner_is_said_before_and_after() {
    let site = Site::empty().await;
    let program = admin(&site).await;
    let lead = site.person("lead@muster.test", &[Role::SecurityLead]).await;
    program.post("/api/v1/people", json!({"name": "Dep", "email": "dep@example.org"})).await.is(201);
    program.patch(&format!("/api/v1/people/{lead}"), "*", json!({"deputy": "PE-2"})).await.is(200);
    program
        .post("/api/v1/teams", json!({"name": "Platform", "kind": "platform", "lead": lead, "members": [lead, "PE-2"]}))
        .await
        .is(201);
    program.post("/api/v1/agents", json!({"name": "A", "running": "yes"})).await.is(201);
    for (duty, party) in [("containment", "TE-1"), ("purpose", "PE-1")] {
        let body = json!({"agents": ["AG-1"], "duty": duty, "party": party, "mode": "record", "reason": "known"});
        assert_eq!(program.post("/api/v1/assignments", body).await.is(200).body()["done"], json!(["AG-1"]));
    }
    let impact = program.get("/api/v1/people/PE-1/impact").await.is(200).body();
    assert_eq!((&impact["total"], &impact["agents"]), (&json!(2), &json!(1)));
    assert_eq!(impact["orphans"][0]["duty"], "containment", "what stops it comes first");
    assert_eq!(impact["orphans"][0]["team"], "TE-1");
    assert_eq!(impact["next"][0]["person"], "PE-2");
    assert_eq!(impact["sole_roles"], json!(["security-lead"]));
    program.patch("/api/v1/people/PE-1", "*", json!({"status": "left"})).await.is(200);
    let agent = program.get("/api/v1/agents/AG-1").await.body();
    assert_eq!(agent["runtime_owner"], json!({"state": "inactive", "party": "TE-1"}));
    assert_eq!(program.get("/api/v1/teams/TE-1").await.is(200).body()["led"], false);
    program.get("/api/v1/people/PE-9/impact").await.is_problem(404, "not-found");
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let site = Site::empty().await;
    let program = admin(&site).await;
    program
        .post("/api/v1/people", json!({"name": "Root", "email": "root@example.org", "roles": ["administrator"]}))
        .await
        .is(201);
    program.patch("/api/v1/people/PE-1", "*", json!({"roles": []})).await.is_problem(409, "conflict");
    program.patch("/api/v1/people/PE-1", "*", json!({"status": "left"})).await.is_problem(409, "conflict");
}

#[tokio::test]
async fn teams_have_a_lead_and_members() {
    let site = Site::empty().await;
    let program = admin(&site).await;
    for name in ["ana", "ben", "eve"] {
        program.post("/api/v1/people", json!({"name": name, "email": format!("{name}@example.org")})).await.is(201);
    }
    let made = program
        .post(
            "/api/v1/teams",
            json!({"name": "Platform", "kind": "platform", "lead": "PE-1", "members": ["PE-1", "PE-2"]}),
        )
        .await
        .is(201);
    assert_eq!(made.header("location"), "/api/v1/teams/TE-1");
    let team = made.body();
    assert_eq!(
        (&team["led"], &team["member_count"], &team["members"]),
        (&json!(true), &json!(2), &json!(["PE-1", "PE-2"]))
    );
    assert_eq!(program.post("/api/v1/teams", json!({"name": "Plain"})).await.is(201).body()["kind"], "business");
    for (body, pointer) in [
        (json!({}), "/name"),
        (json!({"name": "platform"}), "/name"),
        (json!({"name": "x", "kind": "soup"}), "/kind"),
        (json!({"name": "x", "kind": null}), "/kind"),
        (json!({"name": "x", "lead": "PE-99"}), "/lead"),
        (json!({"name": "x", "lead": "PE-1", "deputy": "PE-1"}), "/deputy"),
        (json!({"name": "x", "members": ["PE-1", "PE-99"]}), "/members/1"),
        (json!({"name": "x", "members": ["TE-1"]}), "/members/0"),
    ] {
        assert_eq!(wrong_at(program.post("/api/v1/teams", body.clone()).await), pointer, "{body}");
    }
    let at = "/api/v1/teams/TE-1";
    program.ask(Method::PATCH, at, &[], Some(&json!({"name": "x"}))).await.is_problem(428, "precondition-required");
    program.patch(at, "\"7\"", json!({"name": "x"})).await.is_problem(412, "stale");
    let done = program.patch(at, "\"1\"", json!({"deputy": "PE-3", "members": ["PE-2"]})).await.is(200);
    assert_eq!((done.header("etag"), &done.body()["members"]), ("\"2\"", &json!(["PE-2"])));
    let gone = program.patch(at, "*", json!({"lead": null})).await.is(200).body();
    assert_eq!((&gone["lead"], &gone["led"], &gone["members"]), (&Value::Null, &json!(false), &json!(["PE-2"])));
    let listed = program.get("/api/v1/teams?led=false&kind=platform").await.is(200).body();
    assert_eq!((names(&listed), &listed["items"][0]["member_count"]), (vec!["Platform"], &json!(1)));
    let belongs = program.get("/api/v1/people/PE-2").await.is(200).body();
    assert_eq!((&belongs["teams"][0]["team"], &belongs["teams"][0]["part"]), (&json!("TE-1"), &json!("member")));
}

#[tokio::test]
async fn systems_hold_agents() {
    let site = Site::empty().await;
    let program = admin(&site).await;
    let made = program.post("/api/v1/systems", json!({"name": "Desk", "purpose": "Handles claims."})).await.is(201);
    assert_eq!((made.header("location"), &made.body()["kind"]), ("/api/v1/systems/SY-1", &json!("multi-agent")));
    program.post("/api/v1/systems", json!({"name": "Base", "kind": "platform"})).await.is(201);
    program.post("/api/v1/agents", json!({"name": "A", "parent": "SY-1"})).await.is(201);
    assert_eq!(program.get("/api/v1/systems/SY-1").await.is(200).body()["members"][0]["agent"], "AG-1");
    assert_eq!(names(&program.get("/api/v1/systems?kind=platform").await.is(200).body()), ["Base"]);
    assert_eq!(wrong_at(program.post("/api/v1/systems", json!({"name": "desk"})).await), "/name");
    let at = "/api/v1/systems/SY-1";
    program.ask(Method::PATCH, at, &[], Some(&json!({"name": "x"}))).await.is_problem(428, "precondition-required");
    program.patch(at, "\"4\"", json!({"name": "x"})).await.is_problem(412, "stale");
    assert_eq!(wrong_at(program.patch(at, "\"1\"", json!({"kind": "platform"})).await), "/kind");
    let done = program.patch(at, "\"1\"", json!({"purpose": null})).await.is(200);
    assert_eq!((done.header("etag"), &done.body()["purpose"]), ("\"2\"", &json!("")));
    program.get("/api/v1/systems/SY-9").await.is_problem(404, "not-found");
}

#[tokio::test]
async fn agents_inherit_from_their_platform() {
    let site = Site::empty().await;
    let program = admin(&site).await;
    program.post("/api/v1/systems", json!({"name": "Base", "kind": "platform"})).await.is(201);
    program.post("/api/v1/people", json!({"name": "Ana", "email": "ana@example.org"})).await.is(201);
    let at = "/api/v1/systems/SY-1/raci";
    let empty = program.get(at).await.is(200);
    assert_eq!(empty.body()["violations"].as_array().map(Vec::len), Some(3));
    let version = empty.header("etag").to_owned();
    let cells = json!({"cells": [{"duty": "platform", "party": "PE-1", "role": "R"}], "reason": "she runs it"});
    let saved = program.ask(Method::PUT, at, &[("if-match", &version)], Some(&cells)).await.is(200);
    assert_eq!(saved.body()["cells"][0]["party"], "PE-1");
    let stale = program.ask(Method::PUT, at, &[("if-match", &version)], Some(&cells)).await;
    stale.is_problem(412, "stale");
    let purpose = json!({"cells": [{"duty": "purpose", "party": "PE-1", "role": "R"}]});
    let now = saved.header("etag").to_owned();
    let refused = program.ask(Method::PUT, at, &[("if-match", &now)], Some(&purpose)).await;
    assert_eq!(wrong_at(refused), "/cells/0/duty");
    let agent = program.post("/api/v1/agents", json!({"name": "A", "platform": "SY-1"})).await.is(201);
    assert_eq!(agent.body()["platform"], "SY-1");
    let raci = program.get("/api/v1/agents/AG-1/raci").await.is(200);
    assert_eq!(raci.body()["cells"], json!([]));
    assert_eq!(
        (&raci.body()["inherited"][0]["system"], &raci.body()["inherited"][0]["party"]),
        (&json!("SY-1"), &json!("PE-1"))
    );
    // What was read may be sent back as it is.
    let (etag, mut same) = (raci.header("etag").to_owned(), raci.body());
    same["reason"] = "nothing new".into();
    program.ask(Method::PUT, "/api/v1/agents/AG-1/raci", &[("if-match", &etag)], Some(&same)).await.is(200);
    assert_eq!(names(&program.get("/api/v1/agents?platform=SY-1").await.is(200).body()), ["A"]);
}

#[tokio::test]
async fn who_may_not_write_people_is_told_who_may() {
    let site = Site::empty().await;
    let member = site.signed_in(Role::Member).await;
    let answer = member.json(Method::POST, "/api/v1/people", &json!({})).await.is_problem(403, "forbidden");
    answer.says("administrators");
    member.json(Method::POST, "/api/v1/teams", &json!({})).await.is_problem(403, "forbidden");
    member.json(Method::POST, "/api/v1/systems", &json!({})).await.is_problem(403, "forbidden");
    member.get("/api/v1/posture").await.is_problem(403, "forbidden");
    member.get("/api/v1/audit").await.is_problem(403, "forbidden");
    member.get("/api/v1/audit/export").await.is_problem(403, "forbidden");
    let reads = Program(site.program(&[Scope::Read]).await);
    reads.patch("/api/v1/people/PE-1", "*", json!({})).await.is_problem(403, "forbidden");
    reads.get("/api/v1/people/PE-1").await.is(200);
}
