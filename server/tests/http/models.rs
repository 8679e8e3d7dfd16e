//! Operating models by page and by program: chosen, filled, previewed, applied.

use axum::http::Method;
use domain::can::Scope;
use domain::party::Role;
use serde_json::{Value, json};

use crate::agents::agent;
use crate::contract::Program;
use crate::support::Site;

/// The value of a hidden field of a page.
fn hidden(page: &str, name: &str) -> String {
    let at = format!(r#"name="{name}" value=""#);
    let rest = page.split_once(&at).unwrap_or_else(|| panic!("no field {name}")).1;
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_model_is_chosen_filled_previewed_and_applied() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let id = agent(&site, "Ledger reconciler").await.to_string();
    let matrix = format!("/agents/{id}/raci");
    let begin = format!("/agents/model?id={id}&amp;next={matrix}");
    lead.get(&matrix).await.is(200).says("Apply a model").says(&begin);
    let path = format!("/agents/model?id={id}&next={matrix}");
    lead.get(&path).await.is(200).says("Central platform").says("Small organisation").says("Next: who fills it");
    // Where one team alone is of a kind, it is suggested.
    let form = lead.get(&format!("{path}&model=regulated")).await.is(200).says("Identity engineering (TE-1)");
    let form = form.says("Answers for policy.").text();
    assert!(!form.contains("slot-vendor-manager"), "no vendor hosts it");
    lead.get(&format!("{path}&model=other")).await.is(422).says("Choose one of the models.");

    let mut typed = vec![
        ("id", id.as_str()),
        ("next", matrix.as_str()),
        ("model", "regulated"),
        ("slot-business", "PE-4"),
        ("slot-team", "agent platform"),
        ("slot-security", "TE-4"),
        ("slot-identity", "TE-1"),
        ("slot-platform", "TE-99"),
        ("present", "keep"),
        ("do", "preview"),
    ];
    // What was typed is kept when it is refused, and what is wrong is said at its place.
    let text = lead.post("/agents/model", &typed).await.is(422).says("There is no TE-99").text();
    assert!(text.contains("Say why, for the record") && text.contains(r#"value="agent platform""#), "{text}");
    typed[7].1 = "TE-3";
    typed.push(("reason", "Agreed in the steering group."));
    let page = lead.post("/agents/model", &typed).await.is(200).says("What will happen").says("Yes, apply it");
    let page = page.says("The matrix as it would be").says("asked").text();
    assert_eq!(hidden(&page, "slot-team"), "Agent platform (TE-3)", "whoever was meant is named by reference");
    let digest = hidden(&page, "seen");
    assert_eq!(
        site.events("assignment.model-applied").await,
        5,
        "those of the demonstration: a preview writes nothing"
    );
    typed[9].1 = "confirm";
    let mut stale = typed.clone();
    stale.push(("seen", "0000"));
    lead.post("/agents/model", &stale).await.is(409).says("have changed since this was shown");
    typed.push(("seen", &digest));
    lead.post("/agents/model", &typed).await.leads_to(&matrix);
    assert_eq!(site.events("assignment.model-applied").await, 6);
    let text = lead.get(&matrix).await.is(200).says("Filled by the model").says("Regulated").text();
    assert!(text.contains("Regulated is applied to 1 agent:"), "{text}");
}

#[tokio::test]
async fn a_model_is_applied_to_a_selection_with_counts_that_link() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    lead.get("/agents").await.is(200).says("Apply a model…").says("/agents/model?all=yes");
    lead.get("/agents/model").await.leads_to("/agents");
    let chosen = lead.get("/agents/model?all=yes&business_unit=Marketing&model=product-embedded").await.is(200);
    let text = chosen.says("Apply a model to 4 agents").says("Campaign writer").text();
    assert!(text.contains("of each agent, the team that operates it"), "{text}");
    let typed = [
        ("all", "yes"),
        ("query", "business_unit=Marketing"),
        ("next", "/agents?business_unit=Marketing"),
        ("model", "product-embedded"),
        ("slot-incident", "TE-5"),
        ("present", "keep"),
        ("reason", "Marketing runs its own."),
        ("do", "preview"),
    ];
    let page = lead.post("/agents/model", &typed).await.is(200).says("By duty").says("Left as chosen");
    let text = page.says("href=\"#containment\"").text();
    assert!(text.contains(r#"<div id="containment""#) && text.contains("Nobody fills the function"), "{text}");
    let digest = hidden(&text, "seen");
    let mut confirm = typed.to_vec();
    confirm[7].1 = "confirm";
    confirm.push(("seen", &digest));
    lead.post("/agents/model", &confirm).await.leads_to("/agents?business_unit=Marketing");
    lead.get("/agents?business_unit=Marketing").await.is(200).says("Product-embedded is applied to");
}

#[tokio::test]
async fn one_hand_needs_words_and_an_end_and_shows_them() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let found = lead.get("/agents?q=maintenance").await.is(200).text();
    let id = found.split("/agents/AG-").nth(1).unwrap().split('"').next().unwrap();
    let matrix = format!("/agents/AG-{id}/raci");
    let page = lead.get(&matrix).await.is(200).says("Several control points in one hand").says("It holds until");
    page.says("Fleet has one systems team");
    let agent = format!("AG-{id}");
    let typed = |until: &'static str| {
        vec![
            ("id", agent.as_str()),
            ("model", "small-organisation"),
            ("slot-security", "TE-4"),
            ("present", "keep"),
            ("reason", "Still two people."),
            ("justification", "Still two people in Fleet."),
            ("until", until),
            ("do", "preview"),
        ]
    };
    for (until, said) in [
        ("", "Enter the day on which"),
        ("soon", "Enter a date such as"),
        ("2001-01-01", "must end after today"),
        ("2099-01-01", "within twelve months"),
    ] {
        lead.post("/agents/model", &typed(until)).await.is(422).says(said).says("Still two people in Fleet.");
    }
    let analyst = site.signed_in(Role::RiskAnalyst).await;
    analyst.get(&format!("/agents/model?id={agent}")).await.is(403);
    analyst.get(&matrix).await.is(200).says("It holds until");
    let member = site.signed_in(Role::Member).await;
    let text = member.get(&matrix).await.is(200).text();
    assert!(!text.contains("Fleet has one systems team"), "it is part of an agent's controls");
}

#[tokio::test]
async fn programs_preview_and_apply() {
    let site = Site::demo().await;
    let admin = Program(site.program(&[Scope::Admin]).await);
    let list = admin.get("/api/v1/operating-models").await.is(200).body();
    assert_eq!(list["total"], 5);
    let small = &list["items"][4];
    assert_eq!((&small["key"], &small["needs_justification"]), (&json!("small-organisation"), &json!(true)));
    let made = admin.post("/api/v1/agents", json!({"name": "New", "environment": "production"})).await.is(201).body();
    let body = |more: Value| {
        let mut body = json!({
            "agents": [made["id"]], "reason": "agreed",
            "slots": {"business": "PE-4", "team": "TE-3", "security": "TE-4", "platform": "TE-3", "identity": "TE-1",
                      "incident": "TE-5"},
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let preview = "/api/v1/operating-models/regulated/preview";
    let apply = "/api/v1/operating-models/regulated/apply";
    let seen = admin.post(preview, body(json!({}))).await.is(200).body();
    assert_eq!((&seen["changes"], &seen["agents"][0]["rows"][0]["outcome"]), (&json!(1), &json!("offer")));
    let wrong = admin.post(apply, body(json!({"seen": "0".repeat(64)}))).await;
    wrong.is_problem(409, "conflict");
    let done = admin.post(apply, body(json!({"seen": seen["digest"]}))).await.is(200).body();
    assert_eq!((done["done"].as_array().unwrap().len(), done["offered"].as_u64()), (1, Some(11)), "{done}");
    let raci = admin.get(&format!("/api/v1/agents/{}/raci", made["id"].as_str().unwrap())).await.is(200).body();
    assert!(raci["cells"].as_array().unwrap().iter().any(|c| c["duty"] == "containment" && c["party"] == "TE-3"));
    for (more, at) in [
        (json!({"slots": {"king": "PE-4"}}), "/slots"),
        (json!({"slots": {"legal": "AG-1"}}), "/slots/legal"),
        (json!({"slots": {"legal": "TE-99"}}), "/slots/legal"),
        (json!({"slots": {}}), "/slots"),
        (json!({"reason": ""}), "/reason"),
        (json!({"agents": ["AG-99999"]}), "/agents/0"),
        (json!({"agents": []}), "/agents"),
        (json!({"query": {"business_unit": "Sales"}}), "/query"),
    ] {
        let answer = admin.post(apply, body(more.clone())).await.is_problem(422, "invalid").body();
        assert!(answer["errors"][0]["pointer"].as_str().unwrap().starts_with(at), "{more}: {answer}");
    }
    let small = "/api/v1/operating-models/small-organisation/apply";
    let answer = admin.post(small, body(json!({}))).await.is_problem(422, "invalid").body();
    let at: Vec<&str> = answer["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    assert_eq!(at, ["/justification", "/until"]);
    site.program(&[Scope::Write])
        .await
        .json(Method::POST, "/api/v1/operating-models/none/apply", &body(json!({})))
        .await
        .is_problem(404, "not-found");
}
