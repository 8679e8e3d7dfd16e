//! `/api/v1/agents`: registering, reading, changing, finding, discovering.

use axum::http::Method;
use domain::can::Scope;
use domain::party::Role;
use register::tokens::NewToken;
use serde_json::{Value, json};

use crate::contract::Program;
use crate::support::{Answer, Site};

const AGENTS: &str = "/api/v1/agents";

async fn writer(site: &Site) -> Program<'_> {
    Program(site.program(&[Scope::Read, Scope::Write]).await)
}

fn id(answer: &Answer) -> String {
    answer.body()["id"].as_str().unwrap().to_owned()
}

/// The pointers of what is wrong.
#[track_caller]
fn wrong_at(answer: Answer) -> Vec<String> {
    let body = answer.is_problem(422, "invalid").body();
    body["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_name_is_enough_and_what_is_unknown_is_said_to_be() {
    let site = Site::empty().await;
    let program = writer(&site).await;
    let made = program.post(AGENTS, json!({"name": "  Claims triage "})).await.is(201);
    assert_eq!(made.header("location"), "/api/v1/agents/AG-1");
    assert_eq!(made.header("etag"), "\"1\"");
    let agent = made.body();
    for (member, value) in [
        ("id", json!("AG-1")),
        ("version", json!(1)),
        ("name", json!("Claims triage")),
        ("purpose", json!("")),
        ("state", json!("draft")),
        ("running", json!("unknown")),
        ("environment", json!("sandbox")),
        ("hosting", json!("internal")),
        ("business_unit", json!("")),
        ("external_ids", json!([])),
        ("labels", json!({})),
        ("runtime_owner", json!({"state": "none", "party": null})),
        ("created_by", json!("TK-1")),
    ] {
        assert_eq!(agent[member], value, "{member}");
    }
    assert_eq!(agent["boundary_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(program.get("/api/v1/agents/AG-1").await.is(200).body(), agent);
    assert_eq!(site.events("agent.created").await, 1);
}

#[tokio::test]
async fn everything_that_is_written_is_read_again() {
    let site = Site::empty().await;
    let lead = site.person("lead@muster.test", &[Role::SecurityLead]).await;
    let program = writer(&site).await;
    program.post("/api/v1/teams", json!({"name": "Platform", "kind": "platform", "lead": lead})).await.is(201);
    program.post("/api/v1/systems", json!({"name": "Desk"})).await.is(201);
    let written = json!({
        "name": "وكيل 🤖 <script>", "state": "discovered", "purpose": "Line one\nline two", "kind": "coding",
        "running": "yes", "environment": "production", "hosting": "vendor-managed", "vendor": "Acme",
        "contract": "C-1", "business_unit": "Claims", "built_by": "TE-1", "operated_by": "TE-1", "parent": "SY-1",
        "external_ids": [{"source": "cmdb", "id": "A/1"}], "labels": {"a/b~c": "=cmd()"},
        "workload_identity": "spiffe://x/y", "models": ["m1", "m2"], "autonomy": "acts-alone", "exposure": "public",
        "data": "restricted", "regulated": true,
        "tools": [{"name": "crm", "kind": "saas", "sensitivity": "high", "access": "write", "scope": "cases"}],
        "credentials": [{"name": "key", "kind": "long-lived", "ttl_seconds": 60, "kept_in": "vault", "last_rotated": "2026-01-31"}],
        "confidential": true,
    });
    let agent = program.post(AGENTS, written.clone()).await.is(201).body();
    for (member, value) in written.as_object().unwrap() {
        assert_eq!(&agent[member], value, "{member}");
    }
    assert_eq!(agent["tier"], "critical");
    let points: i64 = agent["tier_because"].as_array().unwrap().iter().map(|p| p["points"].as_i64().unwrap()).sum();
    assert_eq!(agent["tier_points"], points);
    let listed = program.get(AGENTS).await.is(200).body();
    let mut whole = agent.clone();
    whole.as_object_mut().unwrap().remove("tier_because");
    assert_eq!(listed["items"][0], whole, "a list tells the same");
}

#[tokio::test]
async fn what_is_wrong_is_said_where_it_is() {
    let site = Site::empty().await;
    let program = writer(&site).await;
    for (body, pointer) in [
        (json!({}), "/name"),
        (json!({"name": ""}), "/name"),
        (json!({"name": 7}), "/name"),
        (json!({"name": null}), "/name"),
        (json!({"name": "a\u{0}b"}), "/name"),
        (json!({"name": "a\nb"}), "/name"),
        (json!({"name": "x".repeat(201)}), "/name"),
        (json!({"name": "a", "nme": "b"}), "/nme"),
        (json!({"name": "a", "id": "AG-9"}), "/id"),
        (json!({"name": "a", "tier": "low"}), "/tier"),
        (json!({"name": "a", "state": "active"}), "/state"),
        (json!({"name": "a", "state": "retired"}), "/state"),
        (json!({"name": "a", "state": "soup"}), "/state"),
        (json!({"name": "a", "running": null}), "/running"),
        (json!({"name": "a", "regulated": "yes"}), "/regulated"),
        (json!({"name": "a", "models": "m"}), "/models"),
        (json!({"name": "a", "models": ["m", 1]}), "/models/1"),
        (json!({"name": "a", "labels": {"k": 1}}), "/labels/k"),
        (json!({"name": "a", "labels": {"k\u{0}": "v"}}), "/labels/k\u{0}"),
        (json!({"name": "a", "operated_by": "TE-9"}), "/operated_by"),
        (json!({"name": "a", "operated_by": "PE-1"}), "/operated_by"),
        (json!({"name": "a", "parent": "SY-9"}), "/parent"),
        (json!({"name": "a", "hosting": "vendor-managed"}), "/vendor"),
        (json!({"name": "a", "vendor": "Acme"}), "/vendor"),
        (json!({"name": "a", "tools": [{"kind": "saas"}]}), "/tools/0/name"),
        (json!({"name": "a", "tools": [{"name": "t", "access": "king"}]}), "/tools/0/access"),
        (json!({"name": "a", "tools": [{"name": "t"}, {"name": "T"}]}), "/tools/1/name"),
        (json!({"name": "a", "credentials": [{"name": "c"}]}), "/credentials/0/kind"),
        (
            json!({"name": "a", "credentials": [{"name": "c", "kind": "long-lived", "secret": "x"}]}),
            "/credentials/0/secret",
        ),
        (
            json!({"name": "a", "credentials": [{"name": "c", "kind": "long-lived", "ttl_seconds": -1}]}),
            "/credentials/0/ttl_seconds",
        ),
        (json!({"name": "a", "external_ids": [{"source": "s"}]}), "/external_ids/0/id"),
        (json!([]), ""),
        (json!("a"), ""),
        (json!(null), ""),
    ] {
        assert_eq!(wrong_at(program.post(AGENTS, body.clone()).await), [pointer], "{body}");
    }
    assert_eq!(site.events("agent.created").await, 0);
    let all = wrong_at(program.post(AGENTS, json!({"name": " ", "hosting": "vendor-managed", "models": [""]})).await);
    assert_eq!(all, ["/name", "/models/0", "/vendor"], "everything at once");
}

#[tokio::test]
async fn a_body_that_is_no_json_is_told_from_one_that_is_wrong() {
    let site = Site::empty().await;
    let program = site.program(&[Scope::Write]).await;
    let send = async |kind: Option<&str>, body: &[u8]| program.send(Method::POST, AGENTS, kind, body.to_vec()).await;
    let json = Some("application/json");
    for bad in [&b""[..], b"{", b"{\"name\": \"\\ud800\"}", b"\xff\xfe", b"{\"name\": \"a\"} x", b"nul"] {
        send(json, bad).await.is_problem(400, "malformed");
    }
    send(json, "[".repeat(2000).as_bytes()).await.is_problem(400, "malformed");
    for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("text/json")] {
        send(kind, b"{\"name\": \"a\"}").await.is_problem(415, "unsupported-media-type");
    }
    send(Some("application/json; charset=utf-8"), b"{\"name\": \"a\"}").await.is(201);
    let large = format!("{{\"name\": \"a\", \"purpose\": \"{}\"}}", "x".repeat(3 << 20));
    send(json, large.as_bytes()).await.is_problem(413, "too-large");
}

#[tokio::test]
async fn a_change_names_the_version_that_was_read() {
    let site = Site::empty().await;
    let program = writer(&site).await;
    program.post(AGENTS, json!({"name": "A", "purpose": "p", "labels": {"a": "1", "b": "2"}})).await.is(201);
    let at = "/api/v1/agents/AG-1";

    program.ask(Method::PATCH, at, &[], Some(&json!({"name": "B"}))).await.is_problem(428, "precondition-required");
    let stale = program.patch(at, "\"7\"", json!({"name": "B"})).await.is_problem(412, "stale");
    assert_eq!(stale.header("etag"), "\"1\"");
    for never in ["W/\"1\"", "soup", "\"\""] {
        program.patch(at, never, json!({"name": "B"})).await.is_problem(412, "stale");
    }
    program.patch("/api/v1/agents/AG-9", "\"1\"", json!({"name": "B"})).await.is_problem(404, "not-found");
    program.ask(Method::PATCH, "/api/v1/agents/AG-9", &[], Some(&json!({}))).await.is_problem(404, "not-found");

    let done = program
        .patch(at, "\"1\"", json!({"name": "B", "labels": {"a": null, "c": "3"}, "reason": "why"}))
        .await
        .is(200);
    assert_eq!(done.header("etag"), "\"2\"");
    let body = done.body();
    assert_eq!((&body["name"], &body["labels"]), (&json!("B"), &json!({"b": "2", "c": "3"})));
    assert_eq!(body["version"], 2);
    program.patch(at, "\"1\"", json!({"name": "C"})).await.is_problem(412, "stale");
    let same = program.patch(at, "\"1\", \"2\"", json!({"name": "B"})).await.is(200);
    assert_eq!(same.header("etag"), "\"2\"", "nothing was changed");
    program.patch(at, "*", json!({"purpose": null})).await.is(200);
    assert_eq!(program.get(at).await.body()["purpose"], "");
    let history = program.get("/api/v1/agents/AG-1/history").await.is(200).body();
    let actions: Vec<&str> =
        history["items"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["agent.changed", "agent.changed", "agent.created"]);
    assert_eq!(history["items"][1]["reason"], "why");
}

#[tokio::test]
async fn what_was_read_may_be_sent_back_and_what_follows_cannot_be_written() {
    let site = Site::empty().await;
    let program = writer(&site).await;
    let tools = json!([{"name": "crm", "kind": "saas", "sensitivity": "high", "access": "read", "scope": ""}]);
    let mut read = program.post(AGENTS, json!({"name": "A", "tools": tools})).await.is(201).body();
    read["business_unit"] = "Claims".into();
    let done = program.patch("/api/v1/agents/AG-1", "\"1\"", read.clone()).await.is(200).body();
    assert_eq!((&done["business_unit"], &done["tools"]), (&json!("Claims"), &tools));

    for (member, value) in
        [("state", json!("active")), ("tier", json!("low")), ("id", json!("AG-2")), ("runtime_owner", json!(null))]
    {
        let answer = program.patch("/api/v1/agents/AG-1", "*", json!({ member: value })).await;
        assert_eq!(wrong_at(answer), [format!("/{member}")]);
    }
    for (body, pointer) in [
        (json!({"name": null}), "/name"),
        (json!({"soup": 1}), "/soup"),
        (json!({"reason": 1}), "/reason"),
        (json!({"reason": "x".repeat(1001)}), "/reason"),
        (json!({"tools": [{"name": "crm", "kind": "other"}]}), "/tools"),
        (json!([]), ""),
    ] {
        assert_eq!(wrong_at(program.patch("/api/v1/agents/AG-1", "*", body.clone()).await), [pointer], "{body}");
    }
}

#[tokio::test]
async fn the_boundary_of_an_approved_agent_stays() {
    let site = Site::empty().await;
    let program = writer(&site).await;
    let at = "/api/v1/agents/by-external-id/k8s/pod-1";
    program.ask(Method::PUT, at, &[], Some(&json!({"name": "A", "autonomy": "suggests"}))).await.is(201);
    site.app.db.run("UPDATE agent SET state = 'approved'", Vec::new()).await.unwrap();
    program.patch("/api/v1/agents/AG-1", "*", json!({"autonomy": "acts-alone"})).await.is_problem(409, "conflict");
    // What a program saw is kept beside, and what was approved stays.
    let seen = program.put(at, "*", json!({"autonomy": "acts-alone"})).await.is(200).body();
    assert_eq!(seen["autonomy"], json!("suggests"));
    assert_eq!(program.get("/api/v1/agents?finding=drift").await.is(200).body()["total"], 1);
    program.put("/api/v1/agents/AG-1/tools", "*", json!({"items": [{"name": "t"}]})).await.is_problem(409, "conflict");
    let done = program.put(at, "*", json!({"name": "B", "running": "yes"})).await.is(200).body();
    assert_eq!((&done["name"], &done["autonomy"]), (&json!("B"), &json!("suggests")));
}

#[tokio::test]
async fn discovery_reports_what_it_sees() {
    let site = Site::empty().await;
    let program = writer(&site).await;
    let at = "/api/v1/agents/by-external-id/k8s/prod%2Fclaims";
    let seen = json!({"name": "claims", "running": "yes", "environment": "production", "state": "discovered"});
    program.get(at).await.is_problem(404, "not-found");
    program.put(at, "\"1\"", seen.clone()).await.is_problem(412, "stale");
    assert_eq!(wrong_at(program.ask(Method::PUT, at, &[], Some(&json!({"running": "yes"}))).await), ["/name"]);

    let made = program.put(at, "*", seen.clone()).await.is(201);
    assert_eq!(made.header("location"), "/api/v1/agents/AG-1");
    let agent = made.body();
    assert_eq!(agent["state"], "discovered");
    assert_eq!(agent["external_ids"], json!([{"source": "k8s", "id": "prod/claims"}]));
    assert_eq!(program.get(at).await.is(200).body()["id"], "AG-1");

    // A person writes more; the next report does not take it away.
    program.patch("/api/v1/agents/AG-1", "*", json!({"purpose": "Sorts claims."})).await.is(200);
    let again = program.ask(Method::PUT, at, &[], Some(&seen)).await.is(200);
    assert_eq!((again.header("etag"), &again.body()["purpose"]), ("\"2\"", &json!("Sorts claims.")));
    let moved = json!({"name": "claims", "running": "no"});
    program.ask(Method::PUT, at, &[], Some(&moved)).await.is_problem(428, "precondition-required");
    program.put(at, "\"1\"", moved.clone()).await.is_problem(412, "stale");
    assert_eq!(program.put(at, "\"2\"", moved.clone()).await.is(200).body()["running"], "no");
    assert_eq!(program.put(at, "*", seen.clone()).await.is(200).body()["version"], 4);
    let only_new = [("if-none-match", "*")];
    program.ask(Method::PUT, at, &only_new, Some(&seen)).await.is_problem(412, "stale");
    let other = "/api/v1/agents/by-external-id/k8s/other";
    program.ask(Method::PUT, other, &only_new, Some(&json!({"name": "other"}))).await.is(201);

    assert_eq!(wrong_at(program.put(at, "*", json!({"state": "active"})).await), ["/state"]);
    let taken = json!({"external_ids": [{"source": "k8s", "id": "other"}]});
    program.put(at, "*", taken).await.is_problem(409, "conflict");
    program.get("/api/v1/agents/by-external-id/k8s/%00").await.is_problem(404, "not-found");
    assert_eq!(wrong_at(program.put("/api/v1/agents/by-external-id/k8s/%00", "*", seen).await), ["/id"]);
}

#[tokio::test]
async fn tools_and_credentials_are_lists_of_their_own() {
    let site = Site::empty().await;
    let program = writer(&site).await;
    program.post(AGENTS, json!({"name": "A"})).await.is(201);
    let tool = json!({"name": "CRM", "kind": "saas", "sensitivity": "high", "access": "write"});
    let tools =
        program.put("/api/v1/agents/AG-1/tools", "\"1\"", json!({"items": [tool], "reason": "seen"})).await.is(200);
    assert_eq!((tools.header("etag"), &tools.body()["total"]), ("\"2\"", &json!(1)));
    let read = program.get("/api/v1/agents/AG-1/tools").await.is(200).body();
    assert_eq!(read["items"][0]["sensitivity"], "high");

    // A shared tool that is known needs only its name.
    let second = program.post(AGENTS, json!({"name": "B", "tools": [{"name": "crm"}]})).await.is(201).body();
    assert_eq!(
        second["tools"][0],
        json!({"name": "CRM", "kind": "saas", "sensitivity": "high", "access": "write", "scope": ""})
    );
    let third = program.post(AGENTS, json!({"name": "C", "tools": [{"name": "new"}]})).await.is(201).body();
    assert_eq!(third["tools"][0]["kind"], "other");
    let found = program.get("/api/v1/agents?tool=crm").await.is(200).body();
    assert_eq!(found["total"], 2);

    let key = json!({"name": "key", "kind": "shared-account"});
    program.put("/api/v1/agents/AG-1/credentials", "\"2\"", json!({"items": [key]})).await.is(200);
    let read = program.get("/api/v1/agents/AG-1/credentials").await.is(200);
    assert_eq!(read.header("etag"), "\"3\"");
    assert_eq!(
        read.body()["items"],
        json!([{"name": "key", "kind": "shared-account", "ttl_seconds": null, "kept_in": "", "last_rotated": null}])
    );
    let bad = json!({"items": [key, {"name": "key", "kind": "shared-account"}]});
    assert_eq!(wrong_at(program.put("/api/v1/agents/AG-1/credentials", "*", bad).await), ["/items/1/name"]);
    let findings = program.get("/api/v1/agents/AG-1/findings").await.is(200).body();
    let keys: Vec<&str> = findings["items"].as_array().unwrap().iter().map(|f| f["key"].as_str().unwrap()).collect();
    assert!(keys.contains(&"long-lived-credential") && keys.contains(&"no-runtime-owner"), "{keys:?}");
    program
        .ask(Method::PUT, "/api/v1/agents/AG-1/tools", &[], Some(&json!({"items": []})))
        .await
        .is_problem(428, "precondition-required");
}

#[tokio::test]
async fn how_it_is_stopped_has_versions() {
    let site = Site::empty().await;
    let program = writer(&site).await;
    program.post(AGENTS, json!({"name": "A"})).await.is(201);
    let at = "/api/v1/agents/AG-1/stop-methods";
    assert_eq!(program.get(at).await.is(200).body()["total"], 0);
    let first = program.post(at, json!({"procedure": "Scale to zero."})).await.is(201);
    assert_eq!((first.header("etag"), &first.body()["procedure"]), ("\"1\"", &json!("Scale to zero.")));
    assert_eq!(program.post(at, json!({"procedure": "Call the vendor."})).await.is(201).body()["version"], 2);
    assert_eq!(program.get(at).await.is(200).body()["items"][0]["version"], 2);
    assert_eq!(wrong_at(program.post(at, json!({"procedure": " "})).await), ["/procedure"]);
}

#[tokio::test]
async fn a_token_does_what_its_scopes_and_its_owner_may() {
    let site = Site::empty().await;
    let program = writer(&site).await;
    program.post(AGENTS, json!({"name": "Open"})).await.is(201);
    program
        .post(
            AGENTS,
            json!({"name": "Hidden", "confidential": true, "credentials": [{"name": "k", "kind": "long-lived"}]}),
        )
        .await
        .is(201);

    let reads = Program(site.program(&[Scope::Read]).await);
    reads.get("/api/v1/agents/AG-2").await.is(200);
    reads.post(AGENTS, json!({"name": "x"})).await.is_problem(403, "forbidden");
    reads.post(AGENTS, json!({})).await.is_problem(403, "forbidden");
    reads.ask(Method::PATCH, "/api/v1/agents/AG-1", &[], Some(&json!({}))).await.is_problem(403, "forbidden");
    let scim = Program(site.program(&[Scope::Scim]).await);
    scim.get(AGENTS).await.is_problem(403, "forbidden");

    // A member: sees names and owners, not controls, and nothing confidential.
    let member = site.person("member@muster.test", &[Role::Member]).await;
    let owned = NewToken { name: "m".into(), scopes: vec![Scope::Write], owner: Some(member), ..NewToken::default() };
    let member = Program(site.token(owned).await);
    let agent = member.get("/api/v1/agents/AG-1").await.is(200).body();
    assert_eq!(agent["runtime_owner"], json!({"state": null, "party": null}));
    assert!(agent.get("credentials").is_none());
    member.get("/api/v1/agents/AG-2").await.is_problem(404, "not-found");
    member.patch("/api/v1/agents/AG-2", "*", json!({"name": "x"})).await.is_problem(404, "not-found");
    for part in ["raci", "accountability", "tools", "credentials", "findings", "history", "stop-methods"] {
        member.get(&format!("/api/v1/agents/AG-2/{part}")).await.is_problem(404, "not-found");
    }
    for part in ["credentials", "findings", "history", "stop-methods"] {
        member.get(&format!("/api/v1/agents/AG-1/{part}")).await.is_problem(403, "forbidden");
    }
    let listed = member.get(AGENTS).await.is(200).body();
    assert_eq!((&listed["total"], listed["items"].as_array().unwrap().len()), (&json!(1), 1));
    member.get("/api/v1/agents?runtime_owner=none").await.is_problem(403, "forbidden");
    member.patch("/api/v1/agents/AG-1", "*", json!({"name": "x"})).await.is_problem(403, "forbidden");
    let mine = member
        .post(AGENTS, json!({"name": "Mine", "credentials": [{"name": "k2", "kind": "short-lived"}]}))
        .await
        .is(201);
    assert_eq!(mine.body()["created_by"], "PE-1");
    let mine = member.get(&format!("/api/v1/agents/{}", id(&mine))).await.is(200).body();
    assert_eq!(mine["credentials"][0]["name"], "k2", "whoever registers it sees all of it");
    assert_eq!(mine["runtime_owner"]["state"], "none");
    member.patch("/api/v1/agents/AG-3", "\"1\"", json!({"name": "Still mine"})).await.is(200);
}

#[tokio::test]
async fn a_session_asks_as_its_person_and_not_from_another_site() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let body: Value = json!({"name": "By hand"});
    lead.json(Method::POST, AGENTS, &body).await.is(201);
    let elsewhere = site.signed_in(Role::SecurityLead).await.with("sec-fetch-site", "cross-site");
    elsewhere.json(Method::POST, AGENTS, &body).await.is_problem(403, "forbidden");
    site.browser().json(Method::POST, AGENTS, &body).await.is_problem(401, "unauthorized");
    site.browser().send(Method::POST, AGENTS, None, b"{".to_vec()).await.is_problem(401, "unauthorized");
}
