//! Standing rules by page and by program: previewed, kept, run, turned round, paused.

use axum::http::Method;
use domain::can::Scope;
use domain::party::Role;
use serde_json::json;

use crate::contract::Program;
use crate::support::Site;

#[tokio::test]
async fn a_rule_is_seen_before_it_is_kept_and_before_it_is_run() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    lead.get("/rules")
        .await
        .is(200)
        .says("agents are run by customer care digital")
        .says("Make a rule")
        .says("Earlier");
    let mut typed = vec![
        ("name", "Sales runs on the platform"),
        ("business_unit", "sales"),
        ("duty", "containment"),
        ("party", "agent plat"),
        ("at_import", "offer"),
        ("reason", "Agreed with sales."),
        ("do", "preview"),
    ];
    // Part of a name appoints nobody.
    let text = lead.post("/rules/new", &typed).await.is(422).says("Agent platform (TE-3)").text();
    assert!(text.contains(r#"value="sales""#) && text.contains("Agreed with sales."), "{text}");
    typed[3].1 = "Agent platform";
    let text = lead.post("/rules/new", &typed).await.is(200).says("What it would do now").says("Lead scorer").text();
    assert!(text.contains("/agents?vacant=containment&amp;business_unit=sales"), "{text}");
    assert_eq!(site.events("rule.created").await, 2, "those of the demonstration");
    typed[6].1 = "keep";
    lead.post("/rules/new", &typed).await.leads_to("/rules/SR-3?preview=yes");
    let page = lead.get("/rules/SR-3?preview=yes").await.is(200).says("is kept").says("Run it: ask for");
    page.says("Agents of business unit sales, without a runtime owner: Agent platform is asked.");
    let offered = site.events("assignment.offered").await;
    lead.post("/rules/SR-3", &[("do", "run")]).await.leads_to("/rules/SR-3");
    assert!(site.events("assignment.offered").await > offered);
    lead.get("/rules/SR-3").await.is(200).says("duties are offered").says("Waits for an answer");
    // It has nothing left to do, and says so.
    lead.get("/rules/SR-3?preview=yes").await.is(200).says("Nobody would be asked");
    lead.post("/rules", &[]).await.leads_to("/rules");

    lead.post("/rules/SR-3", &[("do", "earlier")]).await.leads_to("/rules");
    let text = lead.get("/rules").await.is(200).says("The order is changed.").text();
    assert!(text.find("SR-3").unwrap() < text.find("SR-2").unwrap(), "{text}");
    lead.post("/rules/SR-3", &[("do", "pause"), ("reason", "not now")]).await.leads_to("/rules/SR-3");
    lead.get("/rules").await.is(200).says("Paused");
    lead.post("/rules/SR-3", &[("do", "run")]).await.is(409).says("make it active, then run it");
    lead.get("/rules/SR-3/edit").await.is(200).says(r#"value="Agent platform (TE-3)""#);
    let edit = |version: &'static str| {
        vec![
            ("version", version),
            ("name", "Sales"),
            ("duty", "containment"),
            ("party", "TE-3"),
            ("label", "=x"),
            ("do", "keep"),
        ]
    };
    lead.post("/rules/SR-3/edit", &edit("1")).await.is(409);
    let mut now = edit("3");
    lead.post("/rules/SR-3/edit", &now).await.is(422).says("name=value");
    now[4].1 = "team=x";
    lead.post("/rules/SR-3/edit", &now).await.leads_to("/rules/SR-3?preview=yes");
    lead.post("/rules/SR-3", &[("do", "remove")]).await.leads_to("/rules");
    let text = lead.get("/rules").await.is(200).says("is removed").text();
    assert!(!text.contains("/rules/SR-3\""), "{text}");
    lead.get("/rules/SR-3").await.is(200).says("Removed");
    lead.get("/rules/SR-3/edit").await.is(409);
    // Whoever may read them may not change them.
    let analyst = site.signed_in(Role::RiskAnalyst).await;
    let text = analyst.get("/rules").await.is(200).text();
    assert!(!text.contains("Make a rule") && !text.contains("Earlier"), "{text}");
    analyst.get("/rules/SR-1?preview=yes").await.is(200).says("What it would do now");
    // And home says whose offer it is.
    site.signed_in(Role::Member).await.get("/rules").await.is(403);
}

#[tokio::test]
async fn programs_keep_and_run_rules() {
    let site = Site::demo().await;
    let admin = Program(site.program(&[Scope::Admin]).await);
    let new = json!({
        "name": "Sales", "condition": {"business_unit": "Sales", "runs": true}, "duty": "containment", "party": "TE-3",
    });
    let seen = admin.post("/api/v1/rules/preview", new.clone()).await.is(200).body();
    assert!(seen["agents"].as_u64().unwrap() > 0, "{seen}");
    let made = admin.post("/api/v1/rules", new.clone()).await.is(201);
    assert_eq!((made.header("location"), made.header("etag")), ("/api/v1/rules/SR-3", "\"1\""));
    assert_eq!(admin.post("/api/v1/rules/SR-3/preview", json!({})).await.is(200).body(), seen);
    let ran = admin.post("/api/v1/rules/SR-3/run", json!({})).await.is(200).body();
    assert_eq!(ran["asked"], seen["agents"]);
    assert_eq!(ran["rules"][0]["asked"].as_array().unwrap().len() as u64, seen["agents"].as_u64().unwrap());
    assert_eq!(admin.post("/api/v1/rules/SR-3/run", json!({})).await.is(200).body()["asked"], 0);
    admin.post("/api/v1/rules/run", json!({})).await.is(200);
    let offers = admin.get("/api/v1/audit?action=assignment.offered&limit=200").await.is(200).body();
    let ours = offers["items"].as_array().unwrap().iter().filter(|e| e["after"]["rule"] == "SR-3").count() as u64;
    assert_eq!(Some(ours), seen["agents"].as_u64());
    assert_eq!(admin.get("/api/v1/rules").await.is(200).body()["total"], 3);

    let program = site.program(&[Scope::Admin]).await;
    let patch = async |version: &str, body: serde_json::Value| {
        let browser = site.program(&[Scope::Admin]).await;
        let browser = if version.is_empty() { browser } else { browser.with("if-match", version) };
        browser.json(Method::PATCH, "/api/v1/rules/SR-3", &body).await
    };
    patch("", json!({})).await.is_problem(428, "precondition-required");
    patch("\"9\"", json!({})).await.is_problem(412, "stale");
    let changed = patch("\"1\"", json!({"condition": {"runs": null, "label": "a=b"}, "state": "paused"})).await;
    let changed = changed.is(200).body();
    assert_eq!((&changed["state"], &changed["version"]), (&json!("paused"), &json!(3)));
    assert_eq!(changed["condition"], json!({"business_unit": "Sales", "label": "a=b"}));
    admin.post("/api/v1/rules/SR-3/run", json!({})).await.is_problem(409, "conflict");
    patch("\"3\"", json!({"party": "TE-12"})).await.is_problem(422, "invalid");
    patch("\"3\"", json!({"state": "removed"})).await.is(200);
    patch("\"4\"", json!({"state": "active"})).await.is_problem(409, "conflict");
    for (body, at) in [
        (json!({"name": "", "duty": "policy", "party": "PE-1"}), "/name"),
        (json!({"name": "x", "duty": "policy", "party": "PE-11"}), "/party"),
        (json!({"name": "x", "duty": "king", "party": "PE-1"}), "/duty"),
        (json!({"name": "x", "duty": "policy", "party": "PE-1", "condition": {"unit": "x"}}), "/condition"),
        (
            json!({"name": "x", "duty": "policy", "party": "PE-1", "condition": {"system": "SY-99"}}),
            "/condition/system",
        ),
        (json!({"name": "x", "duty": "policy", "party": "PE-1", "condition": {"label": "="}}), "/condition/label"),
        (json!({"name": "x", "duty": "policy", "party": "PE-1", "state": "paused"}), "/state"),
    ] {
        let answer = program.json(Method::POST, "/api/v1/rules", &body).await.is_problem(422, "invalid").body();
        assert!(answer["errors"][0]["pointer"].as_str().unwrap().starts_with(at), "{body}: {answer}");
    }
    program.get("/api/v1/rules/SR-99").await.is_problem(404, "not-found");
}
