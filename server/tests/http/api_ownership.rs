//! Who answers for what: the matrix, offers and their answers, bulk assignments, and who did
//! at a moment.

use axum::http::Method;
use chrono::TimeDelta;
use domain::can::Scope;
use domain::party::Role;
use register::tokens::NewToken;
use serde_json::{Value, json};

use crate::contract::Program;
use crate::support::{Answer, Site};

const RACI: &str = "/api/v1/agents/AG-1/raci";

async fn admin(site: &Site) -> Program<'_> {
    Program(site.program(&[Scope::Admin]).await)
}

/// A member who acts by a token of theirs.
async fn person<'a>(site: &'a Site, name: &str, role: Role) -> (String, Program<'a>) {
    let id = site.person(&format!("{name}@muster.test"), &[role]).await;
    let new = NewToken { name: name.into(), scopes: vec![Scope::Write], owner: Some(id), ..NewToken::default() };
    (id.to_string(), Program(site.token(new).await))
}

#[track_caller]
fn wrong_at(answer: Answer) -> String {
    let body = answer.is_problem(422, "invalid").body();
    body["errors"][0]["pointer"].as_str().unwrap().to_owned()
}

fn cell<'v>(raci: &'v Value, duty: &str, party: &str, role: &str) -> Option<&'v Value> {
    raci["cells"].as_array().unwrap().iter().find(|c| c["duty"] == duty && c["party"] == party && c["role"] == role)
}

#[tokio::test]
async fn a_matrix_is_put_offered_accepted_and_remembered() {
    let site = Site::empty().await;
    let admin = admin(&site).await;
    let (ana, as_ana) = person(&site, "ana", Role::Member).await;
    let (ben, as_ben) = person(&site, "ben", Role::Member).await;
    admin.post("/api/v1/agents", json!({"name": "A", "environment": "production"})).await.is(201);

    let empty = admin.get(RACI).await.is(200);
    assert_eq!((empty.header("etag"), empty.body()["cells"].as_array().unwrap().len()), ("\"1\"", 0));
    let rules: Vec<String> = empty.body()["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| format!("{}:{}", v["rule"].as_str().unwrap(), v["duty"].as_str().unwrap()))
        .collect();
    assert!(rules.contains(&"no-owner:purpose".to_owned()), "{rules:?}");

    let cells = json!([
        {"duty": "containment", "party": ana, "role": "A"},
        {"duty": "containment", "party": ben, "role": "R"},
    ]);
    admin.ask(Method::PUT, RACI, &[], Some(&json!({"cells": cells}))).await.is_problem(428, "precondition-required");
    admin.put(RACI, "\"9\"", json!({"cells": cells})).await.is_problem(412, "stale");
    let put = admin.put(RACI, "\"1\"", json!({"cells": cells, "reason": "first"})).await.is(200);
    let etag = put.header("etag").to_owned();
    let raci = put.body();
    assert!(cell(&raci, "containment", &ana, "A").unwrap()["accepted_at"].is_null(), "an A is offered");
    assert!(cell(&raci, "containment", &ben, "R").unwrap()["accepted_at"].is_string());
    let agent = admin.get("/api/v1/agents/AG-1").await.body();
    assert_eq!(agent["runtime_owner"], json!({"state": "pending", "party": ana}));

    let waiting = as_ana.get("/api/v1/assignments?mine=true").await.is(200).body();
    assert_eq!((&waiting["total"], &waiting["items"][0]["agent"]), (&json!(1), &json!("AG-1")));
    assert_eq!(as_ben.get("/api/v1/assignments").await.is(200).body()["total"], 0);

    let accept = "/api/v1/agents/AG-1/raci/containment/acceptance";
    admin.post(accept, json!({})).await.is_problem(403, "forbidden");
    as_ben.post(accept, json!({})).await.is_problem(403, "forbidden");
    as_ana.post("/api/v1/agents/AG-1/raci/soup/acceptance", json!({})).await.is_problem(404, "not-found");
    as_ana.post("/api/v1/agents/AG-9/raci/containment/acceptance", json!({})).await.is_problem(404, "not-found");
    as_ana.post("/api/v1/agents/AG-1/raci/purpose/acceptance", json!({})).await.is_problem(409, "conflict");
    site.app.clock.advance(TimeDelta::hours(1));
    let done = as_ana.ask(Method::POST, accept, &[], None).await.is(200).body();
    assert_eq!((&done["answer"], &done["duty"]), (&json!("accepted"), &json!("containment")));
    as_ana.post(accept, json!({})).await.is_problem(409, "conflict");
    let agent = admin.get("/api/v1/agents/AG-1").await.body();
    assert_eq!(agent["runtime_owner"], json!({"state": "unable", "party": ana}));
    admin.put(RACI, &etag, json!({"cells": []})).await.is_problem(412, "stale");

    // What was read may be sent back, also while a handover is under way.
    let now = admin.get(RACI).await;
    let mut raci = now.body();
    raci["cells"][0]["party"] = json!(ben);
    raci["cells"][0]["accepted_at"] = Value::Null;
    let put = admin.put(RACI, now.header("etag"), raci).await.is(200);
    let raci = put.body();
    assert!(cell(&raci, "containment", &ana, "A").unwrap()["accepted_at"].is_string(), "stays until it is accepted");
    assert!(cell(&raci, "containment", &ben, "A").unwrap()["accepted_at"].is_null());
    let same = admin.put(RACI, put.header("etag"), raci.clone()).await.is(200);
    assert_eq!(same.body(), raci);

    site.app.clock.advance(TimeDelta::hours(1));
    as_ben.post("/api/v1/agents/AG-1/raci/containment/refusal", json!({})).await.is_problem(422, "invalid");
    as_ben.post("/api/v1/agents/AG-1/raci/containment/refusal", json!({"reason": "Not mine."})).await.is(200);
    let raci = admin.get(RACI).await.body();
    assert!(cell(&raci, "containment", &ben, "A").is_none());

    // Who was accountable, to the second.
    let start = crate::support::start();
    let at = |hours: i64, seconds: i64| {
        (start + TimeDelta::hours(hours) + TimeDelta::seconds(seconds))
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    let then =
        async |at: String| admin.get(&format!("/api/v1/agents/AG-1/accountability?at={at}")).await.is(200).body();
    assert_eq!(then(at(1, -1)).await["duties"], json!([]));
    let held = then(at(1, 1)).await;
    assert_eq!((&held["duties"][0]["party"], &held["duties"][0]["duty"]), (&json!(ana), &json!("containment")));
    assert_eq!((&held["approvals"], &held["exceptions"]), (&json!([]), &json!([])));
    assert_eq!(held["boundary_sha256"], admin.get("/api/v1/agents/AG-1").await.body()["boundary_sha256"]);
    let zoned = admin.get("/api/v1/agents/AG-1/accountability?at=2036-07-03T14:05:00+02:00").await.is(200).body();
    assert_eq!(zoned["at"], "2036-07-03T12:05:00Z");
    admin.get("/api/v1/agents/AG-1/accountability").await.is(200);
}

#[tokio::test]
async fn a_matrix_that_cannot_be_is_refused_where_it_is_wrong() {
    let site = Site::empty().await;
    let admin = admin(&site).await;
    let (ana, as_ana) = person(&site, "ana", Role::Member).await;
    let (ben, _) = person(&site, "ben", Role::Member).await;
    admin.post("/api/v1/agents", json!({"name": "A"})).await.is(201);
    admin.post("/api/v1/teams", json!({"name": "Nobody leads", "kind": "platform"})).await.is(201);
    admin.patch(&format!("/api/v1/people/{ben}"), "*", json!({"status": "left", "reason": "moved"})).await.is(200);
    for (body, pointer) in [
        (json!({}), "/cells"),
        (json!({"cells": 1}), "/cells"),
        (json!({"cells": [{"duty": "purpose", "party": ana}]}), "/cells/0/role"),
        (json!({"cells": [{"duty": "soup", "party": ana, "role": "A"}]}), "/cells/0/duty"),
        (json!({"cells": [{"duty": "purpose", "party": ana, "role": "X"}]}), "/cells/0/role"),
        (json!({"cells": [{"duty": "purpose", "party": "AG-1", "role": "A"}]}), "/cells/0/party"),
        (json!({"cells": [{"duty": "purpose", "party": "PE-99", "role": "I"}]}), "/cells/0/party"),
        (json!({"cells": [{"duty": "purpose", "party": ben, "role": "A"}]}), "/cells/0/party"),
        (json!({"cells": [{"duty": "purpose", "party": "TE-1", "role": "A"}]}), "/cells/0/party"),
        (
            json!({"cells": [
                {"duty": "policy", "party": ana, "role": "I"},
                {"duty": "purpose", "party": ana, "role": "A"}, {"duty": "purpose", "party": "PE-3", "role": "A"}
            ]}),
            "/cells/2/party",
        ),
        (
            json!({"cells": [{"duty": "purpose", "party": ana, "role": "A", "accepted_at": "2026-01-01T00:00:00Z"}]}),
            "/cells/0/accepted_at",
        ),
        (json!({"cells": [{"duty": "purpose", "party": ana, "role": "A", "since": 1}]}), "/cells/0/since"),
        (json!({"cells": [], "reason": "x".repeat(1001)}), "/reason"),
        (json!({"cells": [], "soup": 1}), "/soup"),
    ] {
        assert_eq!(wrong_at(admin.put(RACI, "*", body.clone()).await), pointer, "{body}");
    }
    as_ana.put(RACI, "*", json!({"cells": []})).await.is_problem(403, "forbidden");
    admin.put("/api/v1/agents/AG-9/raci", "*", json!({"cells": []})).await.is_problem(404, "not-found");
}

#[tokio::test]
async fn many_agents_at_once() {
    let site = Site::empty().await;
    let admin = admin(&site).await;
    let (ana, as_ana) = person(&site, "ana", Role::Member).await;
    let (_, auditor) = person(&site, "aud", Role::Auditor).await;
    for n in 1..=4 {
        let unit = if n < 4 { "Claims" } else { "Other" };
        admin.post("/api/v1/agents", json!({"name": format!("A{n}"), "business_unit": unit})).await.is(201);
    }
    let query = json!({"query": {"business_unit": "claims", "runtime_owner": "none"}, "duty": "containment", "party": ana, "reason": "r"});
    let foreseen = admin.post("/api/v1/assignments/preview", query.clone()).await.is(200).body();
    assert_eq!((&foreseen["changes"], &foreseen["skipped"]), (&json!(3), &json!([])));
    let done = admin.post("/api/v1/assignments", query.clone()).await.is(200).body();
    assert_eq!(done, json!({"done": ["AG-1", "AG-2", "AG-3"], "skipped": []}));
    assert_eq!(site.events("assignment.offered").await, 3);
    let posture = admin.get("/api/v1/posture").await.is(200).body();
    assert_eq!((&posture["runtime_owner"]["pending"], &posture["runtime_owner"]["none"]), (&json!(3), &json!(1)));

    let answered = as_ana
        .post(
            "/api/v1/assignments/acceptance",
            json!({"offers": [{"agent": "AG-1", "duty": "containment"}, {"agent": "AG-2", "duty": "containment"}]}),
        )
        .await
        .is(200);
    assert_eq!(answered.body(), json!({"answered": 2}));
    let declined = json!({"offers": [{"agent": "AG-3", "duty": "containment"}], "reason": "Not ours."});
    admin.post("/api/v1/assignments/refusal", declined.clone()).await.is_problem(403, "forbidden");
    as_ana.post("/api/v1/assignments/refusal", declined).await.is(200);
    let both = json!({"offers": [{"agent": "AG-4", "duty": "purpose"}, {"agent": "AG-3", "duty": "containment"}]});
    as_ana.post("/api/v1/assignments/acceptance", both).await.is_problem(409, "conflict");

    let record = json!({"agents": ["AG-3", "AG-4", "AG-4"], "duty": "purpose", "party": ana, "mode": "record", "reason": "Known."});
    as_ana.post("/api/v1/assignments", record.clone()).await.is_problem(403, "forbidden");
    let done = admin.post("/api/v1/assignments", record.clone()).await.is(200).body();
    assert_eq!(done["done"], json!(["AG-3", "AG-4"]));
    let again = admin.post("/api/v1/assignments", record).await.is(200).body();
    assert_eq!((&again["done"], again["skipped"].as_array().unwrap().len()), (&json!([]), 2));
    auditor.post("/api/v1/assignments", query).await.is_problem(403, "forbidden");

    for (body, pointer) in [
        (json!({"duty": "purpose", "party": ana}), "/agents"),
        (json!({"agents": [], "duty": "purpose", "party": ana}), "/agents"),
        (json!({"agents": ["AG-1"], "query": {}, "duty": "purpose", "party": ana}), "/query"),
        (json!({"agents": ["AG-1", "AG-99"], "duty": "purpose", "party": ana}), "/agents/1"),
        (json!({"agents": ["PE-1"], "duty": "purpose", "party": ana}), "/agents/0"),
        (json!({"agents": ["AG-1"], "duty": "purpose", "party": "PE-99"}), "/party"),
        (json!({"agents": ["AG-1"], "duty": "soup", "party": ana}), "/duty"),
        (json!({"agents": ["AG-1"], "duty": "purpose", "party": ana, "mode": "force"}), "/mode"),
        (json!({"agents": ["AG-1"], "duty": "purpose", "party": ana, "mode": "record"}), "/reason"),
        (json!({"query": {"soup": "x"}, "duty": "purpose", "party": ana}), "/query/soup"),
        (json!({"query": {"state": "x"}, "duty": "purpose", "party": ana}), "/query/state"),
        (json!({"query": {"limit": "9"}, "duty": "purpose", "party": ana}), "/query/limit"),
    ] {
        assert_eq!(wrong_at(admin.post("/api/v1/assignments", body.clone()).await), pointer, "{body}");
    }
    assert_eq!(wrong_at(as_ana.post("/api/v1/assignments/acceptance", json!({"offers": []})).await), "/offers");
}

#[tokio::test]
async fn an_offer_is_taken_back_by_whoever_made_it() {
    let site = Site::empty().await;
    let admin = admin(&site).await;
    let (ana, as_ana) = person(&site, "ana", Role::Member).await;
    let (ben, as_ben) = person(&site, "ben", Role::Member).await;
    as_ana.post("/api/v1/agents", json!({"name": "Mine"})).await.is(201);
    let offer = json!({"agents": ["AG-1"], "duty": "purpose", "party": ben});
    as_ana.post("/api/v1/assignments", offer.clone()).await.is(200);
    let at = "/api/v1/agents/AG-1/raci/purpose/withdrawal";
    as_ben.post(at, json!({})).await.is_problem(403, "forbidden");
    let done = as_ana.ask(Method::POST, at, &[], None).await.is(200).body();
    assert_eq!(done["answer"], "withdrawn");
    as_ana.post(at, json!({})).await.is_problem(409, "conflict");
    as_ana.post("/api/v1/assignments", offer).await.is(200);
    admin.post(at, json!({"reason": "wrong person"})).await.is(200);
    assert!(ana != ben);
}
