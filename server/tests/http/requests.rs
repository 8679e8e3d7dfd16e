//! Requests through the HTTP surface: everybody tries everything, by program and by page, and
//! what is decided is what the rules allow.

use domain::can::Scope;
use domain::id::PersonId;
use register::tokens::NewToken;
use serde_json::{Value, json};

use crate::contract::Program;
use crate::support::Site;

async fn of(site: &Site, person: i64) -> Program<'_> {
    let owner = Some(PersonId(person));
    Program(
        site.token(NewToken { name: format!("p{person}"), scopes: vec![Scope::Write], owner, ..NewToken::default() })
            .await,
    )
}

/// Every person of the demonstration tries every verdict on every step of every open request.
/// Whoever asked decides nothing, nobody fills two parts that check each other, only who the
/// request says decides, and no step is decided twice.
#[tokio::test(flavor = "multi_thread")]
async fn everybody_tries_every_step() {
    let site = Site::demo().await;
    let auditor = of(&site, 6).await;
    let open = auditor.get("/api/v1/requests?state=open").await.is(200).body();
    let ids: Vec<String> =
        open["items"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect();
    assert!(ids.len() >= 4, "{ids:?}");
    let mut people = Vec::new();
    for n in 1..=40 {
        if ![11, 33, 37].contains(&n) {
            people.push((format!("PE-{n}"), of(&site, n).await));
        }
    }
    let mut decided = 0;
    for id in &ids {
        let path = format!("/api/v1/requests/{id}");
        let first = auditor.get(&path).await.is(200).body();
        let steps = first["steps"].as_array().unwrap().len();
        for step in 1..=steps {
            for verdict in ["attest", "approve_with_conditions", "approve"] {
                for (me, program) in &people {
                    let before = auditor.get(&path).await.is(200).body();
                    let s = &before["steps"][step - 1];
                    let mine = s["decider"]["person"] == json!(me);
                    let body = json!({"decision": verdict, "subject_sha256": before["subject_sha256"]});
                    let answer = program.post(&format!("{path}/steps/{step}/decision"), body).await;
                    let after = auditor.get(&path).await.is(200).body();
                    if answer.status.is_success() {
                        decided += 1;
                        let right = if before["kind"] == "review" { "attest" } else { "approve" };
                        assert!(mine && verdict == right, "{me} decided {id}/{step} by {verdict}");
                        assert!(s["decision"].is_null() && before["requester"] != json!(me));
                    } else {
                        assert_eq!(before["steps"], after["steps"], "a refusal changes nothing");
                        assert!([403, 404, 409, 422].contains(&answer.status.as_u16()), "{}", answer.text());
                    }
                }
            }
        }
        let last = auditor.get(&path).await.is(200).body();
        let mut parts: Vec<(Value, String)> = Vec::new();
        for s in last["steps"].as_array().unwrap().iter().filter(|s| !s["decision"].is_null()) {
            let by = s["decision"]["by"]["person"].clone();
            assert_ne!(by, last["requester"]);
            parts.push((by, s["duty"].as_str().unwrap().to_owned()));
        }
        let alone = |d: &str| ["purpose", "policy", "customer-impact", "vendor", "regulatory"].contains(&d);
        for (n, (who, duty)) in parts.iter().enumerate() {
            for (other, part) in &parts[n + 1..] {
                assert!(who != other || !(alone(duty) || alone(part)), "{who} has {duty} and {part} of {id}");
            }
        }
    }
    assert!(decided > 5, "{decided}");
}

#[tokio::test]
async fn an_agent_goes_from_draft_to_active_by_program() {
    let site = Site::demo().await;
    let (lead, maren) = (of(&site, 1).await, of(&site, 3).await);
    let made = json!({
        "name": "Planner", "purpose": "Plans.", "environment": "sandbox", "autonomy": "suggests",
        "exposure": "internal", "data": "internal"
    });
    let made = maren.post("/api/v1/agents", made).await.is(201).body();
    let agent = format!("/api/v1/agents/{}", made["id"].as_str().unwrap());
    lead.post(&format!("{agent}/actions/activate"), json!({})).await.is_problem(409, "conflict");
    for (duty, party) in [("purpose", "PE-4"), ("implementation", "PE-5"), ("containment", "PE-5"), ("policy", "PE-2")]
    {
        let body = json!({"agents": [made["id"]], "duty": duty, "party": party, "mode": "record", "reason": "Known."});
        lead.post("/api/v1/assignments", body).await.is(200);
    }
    let foreseen = maren.get(&format!("{agent}/approval-preview")).await.is(200).body();
    assert_eq!(foreseen["steps"].as_array().unwrap().len(), 4);
    let asked = maren.post(&format!("{agent}/actions/submit"), json!({"reason": "Ready."})).await.is(201);
    let at = asked.header("location").to_owned();
    let request = asked.body();
    assert_eq!((&request["state"], &request["subject_sha256"]), (&json!("open"), &foreseen["subject_sha256"]));
    // Nobody approves without naming what they read.
    let bea = of(&site, 4).await;
    bea.post(&format!("{at}/steps/1/decision"), json!({"decision": "approve"})).await.is_problem(409, "conflict");
    for step in request["steps"].as_array().unwrap() {
        let who: i64 = step["decider"]["person"].as_str().unwrap().trim_start_matches("PE-").parse().unwrap();
        let body = json!({"decision": "approve", "subject_sha256": request["subject_sha256"]});
        of(&site, who).await.post(&format!("{at}/steps/{}/decision", step["step"]), body).await.is(200);
    }
    assert_eq!(maren.get(&agent).await.is(200).body()["state"], "approved");
    let why = lead.post(&format!("{agent}/actions/activate"), json!({})).await.is_problem(409, "conflict");
    assert!(why.text().contains("no recorded way to stop it"));
    let method = json!({"surface": "pause", "kind": "manual", "procedure": "Press the switch."});
    of(&site, 5).await.post(&format!("{agent}/stop-methods"), method).await.is(201);
    assert_eq!(lead.post(&format!("{agent}/actions/activate"), json!({})).await.is(200).body()["state"], "active");
    let then = lead.get(&format!("{agent}/accountability")).await.is(200).body();
    assert_eq!(then["approvals"][0]["request"], request["id"]);
    assert_eq!(then["approvals"][0]["by"].as_array().unwrap().len(), 4);
    // A token without a person asks and decides nothing.
    let admin = Program(site.program(&[Scope::Admin]).await);
    admin.post(&format!("{agent}/actions/submit"), json!({})).await.is_problem(403, "forbidden");
    // Another boundary is asked for, and nothing of it is written before it is approved.
    let body = json!({"reason": "It mails.", "facts": {"tools": [{"name": "Mailer", "kind": "saas", "sensitivity": "low", "access": "write"}]}});
    let change = maren.post(&format!("{agent}/scope-changes"), body).await.is(201).body();
    assert_eq!(change["before"]["tools"], json!([]));
    assert_eq!(maren.get(&agent).await.is(200).body()["tools"], json!([]));
    let back = format!("/api/v1/requests/{}/withdrawal", change["id"].as_str().unwrap());
    assert_eq!(maren.post(&back, json!({})).await.is(200).body()["state"], "withdrawn");
}

#[tokio::test]
async fn the_card_keeps_what_was_typed() {
    let site = Site::demo().await;
    let bea = site.signed_in_as(PersonId(4)).await;
    let card = bea.get("/requests/RQ-4").await.is(200).says("Voucher service").says("At worst:").text();
    let sha =
        card.split("name=\"subject_sha256\" value=\"").nth(1).and_then(|s| s.split('"').next()).unwrap().to_owned();
    let step = card.split("name=\"step\" value=\"").nth(1).and_then(|s| s.split('"').next()).unwrap().to_owned();
    let base = [("subject_sha256", sha.as_str()), ("step", step.as_str())];
    let press = |more: &[(&'static str, &'static str)]| {
        let mut all: Vec<(&str, &str)> = base.to_vec();
        all.extend(more.iter().copied());
        all
    };
    bea.post("/requests/RQ-4", &press(&[("do", "reject")])).await.is(422).says("Say why you reject it");
    let refused =
        press(&[("do", "approve_with_conditions"), ("condition-text-0", "Cap it at 20."), ("condition-owner-0", "Zz")]);
    bea.post("/requests/RQ-4", &refused).await.is(422).says("Cap it at 20.").says("A date, for instance");
    bea.post("/requests/RQ-4", &[("do", "none")]).await.is(409).says("Press one of the buttons");
    bea.post("/requests/RQ-4", &press(&[("do", "approve")])).await.leads_to("/requests/RQ-4");
    bea.post("/requests/RQ-4", &press(&[("do", "approve")])).await.is(409).says("was decided already");
    let lead = site.signed_in_as(PersonId(1)).await;
    lead.post("/requests/RQ-4", &press(&[("do", "approve")])).await.is(403);
}
