//! The policy by page and by program: read by everybody, weighed, kept, confirmed by another.

use axum::http::Method;
use domain::can::Scope;
use domain::duty::Duty;
use domain::party::Role;
use domain::tier::Tier;
use serde_json::{Value, json};

use crate::contract::Program;
use crate::support::Site;

/// The form of the policy that Muster begins with, as a browser sends it.
fn form(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let first = domain::policy::Policy::default();
    let mut out: Vec<(String, String)> = vec![("version".into(), "0".into()), ("reason".into(), String::new())];
    for duty in Duty::ALL {
        out.push((format!("when-{duty}"), first.when(*duty).key().into()));
    }
    out.push(("last-regulatory".into(), "yes".into()));
    for (key, days) in [
        ("step_days", first.step_days),
        ("approval_days", first.approval_days),
        ("review_days", first.review_days),
        ("exception_days", first.exception_days),
    ] {
        out.extend(Tier::ALL.iter().map(|tier| (format!("{key}-{tier}"), days.of(*tier).to_string())));
    }
    out.push(("escalate_days".into(), first.escalate_days.to_string()));
    out.push(("exception_renewals".into(), first.exception_renewals.to_string()));
    out.push(("lapse_days".into(), first.lapse_days.to_string()));
    for (name, value) in changes {
        out.retain(|(n, _)| n != name);
        out.push(((*name).into(), (*value).into()));
    }
    out
}

fn pairs(form: &[(String, String)]) -> Vec<(&str, &str)> {
    form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect()
}

/// The value of a hidden field of a page.
fn hidden(html: &str, name: &str) -> String {
    let at = html.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}: {html}"));
    html[at..].split('"').nth(3).unwrap().to_owned()
}

#[tokio::test]
async fn a_policy_is_seen_before_it_is_kept() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let page = lead.get("/policy").await.is(200);
    page.says("Change the policy")
        .says("Regulatory approver")
        .says("After every other")
        .says("href=\"/agents?condition=regulated\"");
    let member = site.signed_in(Role::Member).await;
    let text = member.get("/policy").await.is(200).says("Regulatory approver").says("180 days").text();
    assert!(!text.contains("Change the policy") && !text.contains("condition=regulated"), "{text}");
    member.get("/policy/edit").await.is(403).says("security leads");
    lead.get("/policy?version=x").await.is(422);
    lead.get("/policy?version=7").await.is(404);

    // Bad input comes back as typed, and says what is wrong with each part.
    let typed = form(&[("review_days-low", "soon"), ("when-identity", "sometimes"), ("do", "preview")]);
    let text = lead
        .post("/policy/edit", &pairs(&typed))
        .await
        .is(422)
        .says("“soon” is no number")
        .says("Choose when the identity owner")
        .text();
    assert!(text.contains(r#"value="soon""#), "{text}");
    let typed = form(&[("review_days-critical", "400"), ("do", "preview")]);
    lead.post("/policy/edit", &pairs(&typed))
        .await
        .is(422)
        .says("A riskier tier never has more days")
        .says(r#"value="400""#);
    let nothing = form(&[("do", "preview")]);
    lead.post("/policy/edit", &pairs(&nothing)).await.is(200).says("It changes nothing");

    // What was not seen is not kept.
    let change = [("when-monitoring", "regulated"), ("reason", "Watched."), ("do", "save")];
    let typed = form(&change);
    let text = lead.post("/policy/edit", &pairs(&typed)).await.is(200).says("Look again, then save it").text();
    assert_eq!(site.events("policy.changed").await, 0);
    assert!(text.contains("would need a monitoring owner") && text.contains("/agents?condition=regulated"), "{text}");
    assert!(text.contains("Save: in force at once"), "{text}");
    let seen = hidden(&text, "seen");
    let mut kept = form(&change);
    kept.push(("seen".into(), seen.clone()));
    let other = form(&[("when-monitoring", "always"), ("reason", "Watched."), ("do", "save"), ("seen", &seen)]);
    lead.post("/policy/edit", &pairs(&other)).await.is(200).says("Look again, then save it");
    let without = form(&[("when-monitoring", "regulated"), ("do", "save"), ("seen", &seen)]);
    lead.post("/policy/edit", &pairs(&without)).await.is(422).says("Say why");
    lead.post("/policy/edit", &pairs(&kept)).await.leads_to("/policy");
    lead.get("/policy").await.is(200).says("Version 1 of the policy is in force").says("Watched.");
    lead.get("/policy?version=0").await.is(200).says("Version 1 is in force");

    // Somebody who read the version before is told, and loses nothing.
    let stale = form(&[("when-incident", "regulated"), ("reason", "Led."), ("do", "preview")]);
    let text =
        lead.post("/policy/edit", &pairs(&stale)).await.is(200).says("Version 1 of the policy came into force").text();
    assert_eq!(hidden(&text, "version"), "1");
    let seen = hidden(&text, "seen");
    let stale = form(&[("when-incident", "regulated"), ("reason", "Led."), ("do", "save"), ("seen", &seen)]);
    lead.post("/policy/edit", &pairs(&stale))
        .await
        .is(409)
        .says("Somebody changed the policy while you did")
        .says("Led.");
    assert_eq!(site.events("policy.changed").await, 1);
}

#[tokio::test]
async fn a_weaker_policy_waits_for_another() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let change = [("when-identity", "never"), ("reason", "Too slow."), ("do", "save")];
    let text = lead
        .post("/policy/edit", &pairs(&form(&change)))
        .await
        .is(200)
        .says("It is weaker")
        .says("Propose it to a second person")
        .text();
    let seen = hidden(&text, "seen");
    let mut typed = form(&change);
    typed.push(("seen".into(), seen));
    lead.post("/policy/edit", &pairs(&typed)).await.leads_to("/policy");
    lead.get("/policy").await.is(200).says("needs a second person").says("Take it back");
    let admin = site.signed_in(Role::Administrator).await;
    let text = admin.get("/").await.is(200).says("would be weaker").says("Identity owner").text();
    let at = text.find("/policy/proposals/").unwrap();
    let path = text[at..].split('"').next().unwrap().to_owned();
    admin
        .get("/policy")
        .await
        .is(200)
        .says("would not need an identity owner any more")
        .says("condition=beyond-read-only");
    lead.post(&path, &[]).await.is(403).says("You asked for it");
    site.signed_in(Role::Member).await.post(&path, &[]).await.is(403);
    admin.post(&path, &[("reason", "Agreed.")]).await.leads_to("/policy");
    admin.get("/policy").await.is(200).says("Confirmed: version 1").says("Confirmed by").says("Weaker");
}

#[tokio::test]
async fn programs_read_and_write_it() {
    let site = Site::demo().await;
    let program = Program(site.program(&[Scope::Write]).await);
    let read = program.get("/api/v1/policy").await.is(200);
    assert_eq!(read.header("etag"), "\"0\"");
    let mut policy: Value = read.body()["policy"].clone();
    policy["approvers"].as_array_mut().unwrap().push(json!({"duty": "monitoring", "when": "production"}));
    let seen = program.post("/api/v1/policy/preview", policy.clone()).await.is(200).body();
    assert_eq!(seen["weaker"], json!([]));
    assert_eq!((&seen["duties"][0]["duty"], &seen["duties"][0]["fewer"]), (&json!("monitoring"), &json!(0)));
    let more = seen["duties"][0]["more"].clone();
    let found = program.get("/api/v1/agents?condition=production&limit=1").await.is(200).body();
    assert_eq!(found["total"], more);
    program.get("/api/v1/agents?condition=never-ever").await.is_problem(422, "invalid");

    let mut body = policy.clone();
    body["reason"] = json!("Watched.");
    program.ask(Method::PUT, "/api/v1/policy", &[], Some(&body)).await.is_problem(428, "precondition-required");
    program.put("/api/v1/policy", "\"7\"", body.clone()).await.is_problem(412, "stale");
    let nameless = program.put("/api/v1/policy", "\"0\"", policy.clone()).await.is_problem(422, "invalid");
    assert_eq!(nameless.body()["errors"][0]["pointer"], "/reason");
    let mut wrong = body.clone();
    wrong["review_days"]["low"] = json!(-1);
    let wrong = program.put("/api/v1/policy", "\"0\"", wrong).await.is_problem(422, "invalid");
    assert_eq!(wrong.body()["errors"][0]["pointer"], "/review_days/low");
    let written = program.put("/api/v1/policy", "\"0\"", body).await.is(200);
    assert_eq!((written.header("etag"), &written.body()["version"]), ("\"1\"", &json!(1)));

    // Weaker, and nobody who could ask a second person.
    let mut weaker = policy;
    weaker["approvers"].as_array_mut().unwrap().retain(|a| a["duty"] != "monitoring");
    weaker["reason"] = json!("Not watched.");
    program.put("/api/v1/policy", "\"1\"", weaker).await.is_problem(403, "forbidden");
    let page = program.get("/api/v1/policy/versions?limit=1").await.is(200).body();
    assert_eq!((&page["items"][0]["version"], &page["total"]), (&json!(1), &json!(2)));
    assert_eq!(page["items"][0]["changes"][0], "Monitoring owner: asked “in production” instead of “never”.");
    let next = format!("/api/v1/policy/versions?limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
    let page = program.get(&next).await.is(200).body();
    assert_eq!((&page["items"][0]["version"], &page["next_cursor"]), (&json!(0), &Value::Null));
}
