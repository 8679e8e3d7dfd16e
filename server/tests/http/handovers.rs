//! Handovers by page and by program.

use domain::can::Scope;
use domain::id::PersonId;
use domain::party::Role;
use register::tokens::NewToken;
use serde_json::json;

use crate::contract::Program;
use crate::support::Site;

/// What the navigation says waits at home.
pub(crate) fn waits(page: &str) -> Option<&str> {
    page.split_once(r#"<span class="waits">"#)?.1.split('<').next()
}

#[tokio::test]
async fn a_handover_is_answered_where_home_says() {
    let site = Site::demo().await;
    // Ravi leads the agent platform team, to whom the demonstration's agent is handed over.
    let ravi = site.signed_in_as(PersonId(5)).await;
    // One offer, two decisions and this wait for him.
    assert_eq!(waits(&ravi.get("/teams").await.is(200).text()), Some("4"));
    let oskar = site.signed_in_as(PersonId(13)).await;
    let theirs = oskar.get("/").await.is(200).says("waits for their answer").text();
    let home = ravi.get("/").await.is(200).says("Handed over between teams").says("Test writer").text();
    let path = home.split("href=\"/agents/AG-").find_map(|p| p.split('"').next().filter(|p| p.ends_with("/handover")));
    let path = format!("/agents/AG-{}", path.unwrap());
    let page = ravi.get(&path).await.is(200).says("who has not answered").says("It has run beside ours");
    page.says("Accept it").says("HO-2");
    let decline = [("do", "decline"), ("handover", "HO-2"), ("reason", " ")];
    ravi.post(&path, &decline).await.is(422).says("Say why you decline");
    ravi.post(&path, &[("do", "accept"), ("handover", "HO-none")]).await.is(409);
    let lead = site.signed_in(Role::SecurityLead).await;
    lead.post(&path, &[("do", "accept"), ("handover", "HO-2")]).await.is(403);
    lead.get(&path).await.is(200).says("Take it back");
    lead.get(path.trim_end_matches("/handover")).await.is(200).says("Hand it over");
    ravi.post(&path, &[("do", "accept"), ("handover", "HO-2"), ("reason", "Seen.")]).await.leads_to(&path);
    let page = ravi.get(&path).await.is(200).says("and accepted it").says("Seen.").text();
    assert_eq!(waits(&page), Some("3"));
    assert_eq!(waits(&oskar.get("/").await.is(200).text()), waits(&theirs), "their answer is not his to give");
    assert!(!ravi.get("/").await.is(200).text().contains("Handed over between teams"));
    lead.get("/agents/AG-1/handover").await.is(200).says("nothing to hand over");
    lead.post("/agents/AG-1/handover", &[("do", "offer")]).await.is(409).says("not built by one team");
}

#[tokio::test]
async fn programs_hand_over() {
    let site = Site::demo().await;
    let admin = Program(site.program(&[Scope::Admin]).await);
    let new =
        NewToken { name: "r".into(), scopes: vec![Scope::Write], owner: Some(PersonId(5)), ..NewToken::default() };
    let ravi = Program(site.token(new).await);
    let waiting = ravi.get("/api/v1/handovers").await.is(200).body();
    assert_eq!((&waiting["total"], &waiting["items"][0]["state"]), (&json!(1), &json!("open")));
    assert_eq!(admin.get("/api/v1/handovers").await.is(200).body()["total"], 0);
    let made = json!({"name": "New", "built_by": "TE-3", "operated_by": "TE-7"});
    let made = admin.post("/api/v1/agents", made).await.is(201).body();
    let path = format!("/api/v1/agents/{}/actions/handover", made["id"].as_str().unwrap());
    let offered = ravi.post(&path, json!({"reason": "All yours."})).await.is(201);
    assert_eq!(offered.header("location"), "/api/v1/handovers/HO-3");
    ravi.post(&path, json!({})).await.is_problem(409, "conflict");
    ravi.post("/api/v1/handovers/HO-3/acceptance", json!({})).await.is_problem(403, "forbidden");
    let back = ravi.post("/api/v1/handovers/HO-3/withdrawal", json!({"reason": "Not yet."})).await.is(200).body();
    assert_eq!(back["state"], "withdrawn");
    ravi.post("/api/v1/handovers/HO-2/refusal", json!({})).await.is_problem(422, "invalid");
    let done = ravi.post("/api/v1/handovers/HO-2/acceptance", json!({})).await.is(200).body();
    assert_eq!((&done["state"], &done["answered_by"]), (&json!("accepted"), &json!("PE-5")));
    ravi.post("/api/v1/handovers/HO-99/acceptance", json!({})).await.is_problem(404, "not-found");
    ravi.post("/api/v1/agents/AG-1/actions/handover", json!({})).await.is_problem(403, "forbidden");
    admin.post("/api/v1/agents/AG-1/actions/handover", json!({})).await.is_problem(409, "conflict");
}
