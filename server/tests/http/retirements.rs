//! How agents end, as pages and as the API serve it.

use axum::http::Method;
use base64::Engine as _;
use domain::can::Scope;
use domain::id::PersonId;
use serde_json::json;

use crate::support::Site;

/// The retirements of the demonstration: a tombstone, and one half way, by the board.
async fn found(site: &Site) -> (String, String) {
    let program = site.program(&[Scope::Read]).await;
    let list = program.get("/api/v1/retirements").await.is(200).body();
    let by = |state: &str| {
        let items = list["items"].as_array().unwrap();
        items.iter().find(|r| r["state"] == state).unwrap()["id"].as_str().unwrap().to_owned()
    };
    (by("approved"), by("open"))
}

fn form(parts: &[(&str, &str)], file: Option<(&str, &str)>) -> Vec<u8> {
    let mut out = String::new();
    for (name, value) in parts {
        out.push_str(&format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    if let Some((name, text)) = file {
        out.push_str(&format!(
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"proof.txt\"\r\n\r\n{text}\r\n"
        ));
    }
    out.push_str("--b--\r\n");
    out.into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_is_shown_waived_and_kept_when_refused() {
    let site = Site::demo().await;
    let (_, half) = found(&site).await;
    let lead = site.signed_in_as(PersonId(2)).await;
    lead.get("/retirements").await.is(200).says("Damage inspector").says("A sign of life").says("Image studio");
    let page = format!("/retirements/{half}");
    lead.get(&page).await.is(200).says("It is done…").says("Waive…");
    let open = open_row(&site, &half, "handle-data").await;
    let kind = Some("multipart/form-data; boundary=b");
    let to = format!("{page}/evidence");
    let (link, note) = (format!("link-{open}"), format!("note-{open}"));
    let bad = form(&[("place", &open), (&link, "see the ticket"), (&note, "typed before")], None);
    lead.send(Method::POST, &to, kind, bad)
        .await
        .is(422)
        .says("whole link")
        .says("typed before")
        .says("see the ticket");
    let none = form(&[("place", &open), (&note, "typed before")], None);
    lead.send(Method::POST, &to, kind, none).await.is(422).says("Choose the file");
    let evidence = format!("evidence-{open}");
    let good = || form(&[("place", &open), (&note, "Deleted")], Some((&evidence, "rows: 0")));
    lead.send(Method::POST, &to, kind, good()).await.leads_to(&format!("{page}#row-{open}"));
    lead.get(&page).await.is(200).says("proof.txt").says("“Deleted”").says("Verified");
    lead.send(Method::POST, &to, kind, good()).await.is(409).says("closed already");

    let logs = open_row(&site, &half, "archive-logs").await;
    let reason = format!("reason-{logs}");
    lead.post(&page, &[("do", "waive"), ("place", &logs), (&reason, "")]).await.is(422).says("tombstone");
    lead.post(&page, &[("do", "waive"), ("place", &logs), (&reason, "Lost in the move.")])
        .await
        .leads_to(&format!("{page}#row-{logs}"));
    lead.get(&page).await.is(200).says("“Lost in the move.”");
    lead.post(&page, &[("do", "sign"), ("place", "1")]).await.is(403);
    lead.post(&page, &[("do", "nothing")]).await.is(409);
}

async fn open_row(site: &Site, id: &str, kind: &str) -> String {
    let program = site.program(&[Scope::Read]).await;
    let body = program.get(&format!("/api/v1/retirements/{id}")).await.is(200).body();
    let rows = body["rows"].as_array().unwrap();
    let row = rows.iter().find(|r| r["kind"] == kind && r["done_at"].is_null() && r["waived_at"].is_null()).unwrap();
    row["place"].to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tombstone_is_read_by_everybody_and_nothing_follows() {
    let site = Site::demo().await;
    let (stone, _) = found(&site).await;
    let program = site.program(&[Scope::Read, Scope::Write]).await;
    let body = program.get(&format!("/api/v1/retirements/{stone}")).await.is(200).body();
    let agent = body["agent"].as_str().unwrap().to_owned();
    assert!(!body["owners"].as_array().unwrap().is_empty());
    assert!(body["rows"].as_array().unwrap().iter().any(|r| r["waiver"].as_str().unwrap().contains("console")));
    assert!(body["signatures"].as_array().unwrap().iter().all(|s| s["signed"] == true));
    assert_eq!(body["signs_of_life"][0]["source"], "cmdb");
    let anybody = site.signed_in_as(PersonId(40)).await;
    let page =
        anybody.get(&format!("/agents/{agent}")).await.is(200).says("Tombstone").says("Who owned it at the end").text();
    assert!(!page.contains("A sign of life"), "whoever may not see its controls");
    let lead = site.signed_in_as(PersonId(2)).await;
    lead.get(&format!("/agents/{agent}")).await.is(200).says("Tombstone").says("A sign of life");
    lead.get(&format!("/retirements/{stone}"))
        .await
        .is(200)
        .says("Who owned it at the end")
        .says("console")
        .says("Retired");
    lead.post(&format!("/agents/{agent}/retire"), &[("reason", "Again")]).await.is(409).says("retired already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retirement_is_started_and_its_rows_are_closed_by_program() {
    let site = Site::demo().await;
    let lead = site.signed_in_as(PersonId(2)).await;
    let agents = site.program(&[Scope::Read]).await;
    let draft = agents.get("/api/v1/agents?state=draft&limit=1").await.is(200).body()["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    lead.get(&format!("/agents/{draft}/retire")).await.is(200).says("What it takes");
    lead.post(&format!("/agents/{draft}/retire"), &[("reason", "")]).await.is(422).says("Say why");
    let retire = format!("/api/v1/agents/{draft}/actions/retire");
    lead.json(Method::POST, &retire, &json!({"reason": 1})).await.is(422);
    let made = lead.json(Method::POST, &retire, &json!({"reason": "Never used."})).await.is(201).body();
    lead.json(Method::POST, &retire, &json!({"reason": "Again."})).await.is(409);
    assert_eq!(agents.get(&format!("/api/v1/agents/{draft}")).await.body()["state"], "retiring");
    let id = made["id"].as_str().unwrap();
    let row = format!("/api/v1/retirements/{id}/rows/1");
    lead.json(Method::POST, &format!("{row}/waive"), &json!({"reason": "Mine."})).await.is(403);
    lead.json(Method::POST, &format!("{row}/done"), &json!({})).await.is(422);
    let base64 = base64::engine::general_purpose::STANDARD.encode("told everybody");
    let file = json!({"file": {"name": "mail.txt", "base64": base64}, "note": "By mail."});
    let done = lead.json(Method::POST, &format!("{row}/done"), &file).await.is(200).body();
    assert_eq!((&done["rows"][0]["evidence"], &done["closed"]), (&json!("verified"), &json!(1)));
    lead.json(Method::POST, &format!("{row}/done"), &file).await.is(409);
    lead.json(Method::POST, &format!("/api/v1/retirements/{id}/rows/99/done"), &file).await.is(404);
    lead.json(Method::POST, &format!("/api/v1/retirements/{id}/signatures/1/waive"), &json!({"reason": "x"}))
        .await
        .is(403);
    agents.get("/api/v1/retirements?state=maybe").await.is(422);
}
