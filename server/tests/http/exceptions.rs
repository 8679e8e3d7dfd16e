//! Exceptions as the API serves them: asked, decided, in force by the clock alone; and a thousand
//! attempts that are refused.

use axum::http::Method;
use chrono::{DateTime, TimeDelta, Utc};
use domain::can::Scope;
use domain::id::PersonId;
use domain::party::Role;
use serde_json::{Value, json};

use crate::contract::Program;
use crate::support::{Browser, Site, start};

fn at(days: i64) -> String {
    domain::record::timestamp(start() + TimeDelta::days(days))
}

/// An agent of the demonstration that uses a standing credential, and whose owners decide.
async fn agent(site: &Site) -> String {
    let program = site.program(&[Scope::Admin]).await;
    let list = program.get("/api/v1/agents?finding=long-lived-credential&limit=200").await.is(200).body();
    for item in list["items"].as_array().unwrap() {
        let id = item["id"].as_str().unwrap();
        let raci = program.get(&format!("/api/v1/agents/{id}/raci")).await.is(200).body();
        let held = |duty: &str| {
            let cells = raci["cells"].as_array().unwrap();
            cells.iter().any(|c| c["duty"] == duty && c["role"] == "A" && !c["accepted_at"].is_null())
        };
        let gone = raci["violations"].as_array().unwrap().iter().any(|v| v["rule"] == "owner-inactive");
        if ["identity", "purpose", "policy"].into_iter().all(held) && !gone {
            return id.to_owned();
        }
    }
    panic!("no agent of the demonstration fits")
}

fn wish(agent: &str) -> Value {
    json!({
        "title": "The key until the vault is there", "agents": [agent], "control": "long-lived-credential",
        "node": "NHI7", "duty": "identity", "likelihood": 2, "impact": 4,
        "justification": "The vault goes live in the spring.",
        "compensating_controls": [{"text": "One address only.", "owner": "PE-5", "check_at": at(10)}],
        "expires_at": at(20)
    })
}

/// Who decides the next step of an exception's request.
async fn next(lead: &Browser<'_>, exception: &Value) -> Option<PersonId> {
    let request =
        lead.get(&format!("/api/v1/requests/{}", exception["request"].as_str().unwrap())).await.is(200).body();
    let step = request["steps"].as_array().unwrap().iter().find(|s| s["ready"] == true)?.clone();
    Some(step["decider"]["person"].as_str().expect("somebody decides").parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exception_is_in_force_exactly_from_its_approval_to_its_last_moment() {
    let site = Site::demo().await;
    let agent = agent(&site).await;
    let risk = Program(site.signed_in(Role::RiskAnalyst).await);
    let lead = site.signed_in_as(PersonId(2)).await;
    let asked = risk.post("/api/v1/exceptions", wish(&agent)).await.is(201);
    let id = asked.body()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/exceptions/{id}");
    assert_eq!(asked.header("location"), path);
    assert_eq!((&asked.body()["state"], &asked.body()["version"]), (&json!("requested"), &json!(1)));
    let decision = |e: &Value| json!({"decision": "approve", "subject_sha256": e["subject_sha256"]});
    // Never by whoever asked, nor on something else.
    let to = format!("{path}/decision");
    risk.post(&to, decision(&asked.body())).await.is_problem(403, "forbidden");
    let now = risk.get(&path).await.is(200).body();
    while let Some(person) = next(&lead, &now).await {
        let decider = Program(site.signed_in_as(person).await);
        let other = json!({"decision": "approve", "subject_sha256": "0".repeat(64)});
        decider.post(&to, other).await.is_problem(409, "conflict");
        let with = json!({"decision": "approve", "conditions": [{}], "subject_sha256": now["subject_sha256"]});
        decider.post(&to, with).await.is_problem(422, "invalid");
        decider.post(&to, json!({"decision": "maybe"})).await.is_problem(422, "invalid");
        decider.post(&to, decision(&now)).await.is(200);
    }
    let now = risk.get(&path).await.is(200).body();
    assert_eq!(now["state"], "active", "{now}");
    risk.post(&to, decision(&now)).await.is_problem(403, "forbidden");
    let listed = risk.get("/api/v1/exceptions?state=active&sort=expires_at").await.is(200).body();
    assert!(listed["items"].as_array().unwrap().iter().any(|e| e["id"] == json!(id)), "{listed}");

    // What says how it stands, all at the same moment; nothing runs between.
    let stands = async || {
        // Signed in anew: days go by.
        let risk = Program(site.signed_in(Role::RiskAnalyst).await);
        let lead = site.signed_in_as(PersonId(2)).await;
        let findings = risk.get(&format!("/api/v1/agents/{agent}/findings")).await.is(200).body();
        let items = findings["items"].as_array().unwrap().clone();
        let found = items.iter().find(|f| f["key"] == "long-lived-credential").unwrap().clone();
        let page = lead.get(&format!("/agents/{agent}")).await.is(200).text();
        let figures = risk.get("/api/v1/posture").await.is(200).body();
        let state = risk.get(&path).await.is(200).body()["state"].clone();
        let list = risk.get("/api/v1/agents?finding=long-lived-credential&limit=200").await.is(200).body();
        let apart = risk.get("/api/v1/agents?excepted=long-lived-credential").await.is(200).body();
        let actor = domain::can::Actor::cli();
        let by = register::By { actor: &actor, now: site.app.clock.now() };
        let export = register::exceptions::export::after(&mut &site.app.db, by, 0).await.unwrap();
        let exported = export.iter().find(|l| l.kept.id().to_string() == id).unwrap().state.key();
        assert_eq!(figures["findings"]["long-lived-credential"], list["total"]);
        assert_eq!(figures["excepted"]["long-lived-credential"], apart["total"]);
        let then = format!("/api/v1/agents/{agent}/accountability");
        let then = risk.get(&then).await.is(200).body()["exceptions"].as_array().unwrap().len();
        (
            found["excepted"].clone(),
            page.contains("Excepted until"),
            list["total"].as_i64().unwrap(),
            apart["total"].as_i64().unwrap(),
            state,
            exported,
            then,
        )
    };
    let before = stands().await;
    let in_force = |n, apart| (json!(id), true, n, apart, json!("active"), "active", 1);
    assert_eq!(before, in_force(before.2, before.3));
    site.app.clock.advance(TimeDelta::days(10));
    let lead_says = site.signed_in_as(PersonId(2)).await.get(&format!("/agents/{agent}")).await.is(200);
    lead_says.says("was not checked in time").says(&format!("/exceptions/{id}"));
    let check = format!("{path}/controls/1/check");
    let owner = Program(site.signed_in_as(PersonId(5)).await);
    owner.post(&check, json!({"note": "It is so."})).await.is(200);
    owner.post(&check, json!({"note": "It is so."})).await.is_problem(409, "conflict");
    let end: DateTime<Utc> = now["expires_at"].as_str().unwrap().parse().unwrap();
    site.app.clock.advance(end - site.app.clock.now() - TimeDelta::microseconds(1));
    // Others of the demonstration have ended meanwhile; from here on only this one does.
    let last = stands().await;
    let (n, apart) = (last.2, last.3);
    assert_eq!(last, in_force(n, apart));
    site.app.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(stands().await, (Value::Null, false, n + 1, apart - 1, json!("expired"), "expired", 0));

    // Again, with a new reason; the old one is over.
    let risk = Program(site.signed_in(Role::RiskAnalyst).await);
    let lead = site.signed_in_as(PersonId(2)).await;
    let again = json!({"justification": "The vault is late.", "expires_at": at(40)});
    let next = risk.post(&format!("{path}/renew"), again).await.is(201).body();
    assert_eq!((&next["renews"], &next["renewals"], &next["state"]), (&json!(id), &json!(1), &json!("requested")));
    let why = json!({"reason": "Not needed."});
    risk.post(&format!("{path}/close"), why.clone()).await.is_problem(409, "conflict");
    risk.post(&format!("{path}/revoke"), why.clone()).await.is_problem(403, "forbidden");
    Program(lead).post(&format!("{path}/revoke"), why).await.is_problem(409, "conflict");
}

/// The same numbers every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_attempts_are_refused_and_a_good_one_is_asked() {
    let site = Site::demo().await;
    let agent = agent(&site).await;
    let person = site.signed_in(Role::RiskAnalyst).await;
    let lead = site.signed_in_as(PersonId(2)).await;
    let owned = register::tokens::NewToken {
        name: "risk".into(),
        scopes: vec![Scope::Write],
        owner: Some(PersonId(2)),
        ..register::tokens::NewToken::default()
    };
    let owned = site.token(owned).await;
    let (unowned, admin) = (site.program(&[Scope::Write]).await, site.program(&[Scope::Admin]).await);
    let before = (
        person.get("/api/v1/exceptions").await.is(200).body()["total"].clone(),
        site.events("exception.requested").await,
    );
    let auditor = site.signed_in(Role::Auditor).await;
    let mut chance = Chance(7);
    for n in 0..1000 {
        let mut body = wish(&agent);
        let days = i64::try_from(chance.below(3000)).unwrap();
        let word = ["active", "approved", "closed", "x", ""][chance.below(5)];
        // What is wrong with it, sometimes twice.
        for _ in 0..=chance.below(2) {
            match chance.below(16) {
                0 => body["state"] = json!(word),
                1 => body["approved_at"] = json!(at(-1)),
                2 => {
                    body[["approver", "approvers", "decided_by", "deciders", "requester"][chance.below(5)]] =
                        json!("PE-2");
                }
                3 => drop(body.as_object_mut().unwrap().remove("expires_at")),
                4 => body["expires_at"] = Value::Null,
                5 => body["expires_at"] = json!(at(-days)),
                6 => body["expires_at"] = json!(at(181 + days)),
                7 => body["expires_at"] = json!(["never", "", "2027", "9999-12-31T23:59:59Z"][chance.below(4)]),
                8 => {
                    body["control"] = json!(
                        [
                            "no-runtime-owner",
                            "runtime-owner-inactive",
                            "RUNTIME-OWNER-PENDING",
                            " no-runtime-owner ",
                            ""
                        ][chance.below(5)]
                    );
                }
                9 => {
                    body["agents"] = [json!([]), json!(["AG-99999"]), json!("AG-1"), json!(["PE-1"]), Value::Null]
                        [chance.below(5)]
                    .clone();
                }
                10 => {
                    body[["likelihood", "impact"][chance.below(2)]] =
                        [json!(0), json!(6), json!(-1), json!("3"), json!(2.5)][chance.below(5)].clone();
                }
                11 => {
                    body["justification"] =
                        [json!(""), json!("  "), Value::Null, json!("x".repeat(4001))][chance.below(4)].clone();
                }
                12 => body["starts_at"] = json!(at(-2 - days)),
                13 => body["compensating_controls"][0]["owner"] = json!(["PE-99999", "TE-1", ""][chance.below(3)]),
                14 => {
                    body["compensating_controls"][0]["check_at"] =
                        json!([at(20), at(21 + days), at(-days)][chance.below(3)]);
                }
                _ => body["duty"] = json!(["purpose", "x", ""][chance.below(3)]),
            }
        }
        let (who, status, kind) = match chance.below(8) {
            0 => (&unowned, 403, "forbidden"),
            1 => (&admin, 403, "forbidden"),
            2 => (&auditor, 403, "forbidden"),
            3 => (&owned, 422, "invalid"),
            4 => (&lead, 422, "invalid"),
            _ => (&person, 422, "invalid"),
        };
        let answer = who.json(Method::POST, "/api/v1/exceptions", &body).await;
        assert_eq!(answer.status.as_u16(), status, "{n}: {body}\n{}", answer.text());
        answer.is_problem(status, kind);
    }
    // A token without an owner asks for nothing, however well it is written.
    unowned.json(Method::POST, "/api/v1/exceptions", &wish(&agent)).await.is_problem(403, "forbidden");
    assert_eq!(site.events("exception.requested").await, before.1);
    let list = person.get("/api/v1/exceptions").await.is(200).body();
    assert_eq!(list["total"], before.0, "{list}");
    let good = person.json(Method::POST, "/api/v1/exceptions", &wish(&agent)).await.is(201).body();
    assert_eq!(good["state"], "requested");
    // What it asks instead may be left open until it is decided.
    let mut bare = wish(&agent);
    bare["control"] = json!("Four eyes on releases");
    bare.as_object_mut().unwrap().remove("compensating_controls");
    bare.as_object_mut().unwrap().remove("node");
    let bare = owned.json(Method::POST, "/api/v1/exceptions", &bare).await.is(201).body();
    let person = next(&lead, &bare).await.unwrap();
    let decider = site.signed_in_as(person).await;
    let to = format!("/api/v1/exceptions/{}/decision", bare["id"].as_str().unwrap());
    let yes = json!({"decision": "approve", "subject_sha256": bare["subject_sha256"]});
    decider.json(Method::POST, &to, &yes).await.is_problem(409, "conflict").says("compensating");
}
