//! Delegation and the calendar by page and by program.

use axum::http::Method;
use domain::party::Role;
use serde_json::json;

use crate::support::Site;

#[tokio::test]
async fn somebody_else_decides_for_a_while() {
    let site = Site::demo().await;
    let ana = site.person("ana@late.test", &[Role::Member]).await;
    let ben = site.person("ben@late.test", &[Role::Member]).await;
    let a = site.signed_in_as(ana).await;
    a.get("/account").await.is(200).says("/account/delegation");
    a.get("/account/delegation").await.is(200).says("Nobody decides in your place");
    let name = ben.to_string();
    let mut typed = vec![
        ("to", "nobody of that name"),
        ("from", "soon"),
        ("until", ""),
        ("reason", "Leave & rest"),
        ("do", "give"),
    ];
    let text = a.post("/account/delegation", &typed).await.is(422).says("Enter until when").text();
    assert!(text.contains(r#"value="nobody of that name""#) && text.contains("Leave &amp; rest"), "{text}");
    typed[0].1 = &name;
    typed[1].1 = "";
    typed[2].1 = "2000-01-01T00:00";
    a.post("/account/delegation", &typed).await.is(422).says("choose a later end");
    let until = (crate::support::start() + chrono::TimeDelta::days(9)).format("%Y-%m-%dT%H:%M").to_string();
    typed[2].1 = &until;
    a.post("/account/delegation", &typed).await.leads_to("/account/delegation");
    let page = a.get("/account/delegation").await.is(200).says("Take it back").says("You stay accountable").text();
    a.post("/account/delegation", &typed).await.is(409).says("decides in your place until");
    // Both see it on their pages, and a stranger does not.
    let b = site.signed_in_as(ben).await;
    b.get(&format!("/people/{ben}")).await.is(200).says("You decide in the place of others");
    a.get(&format!("/people/{ana}")).await.is(200).says("Others decide in your place");
    let seen = site.signed_in(Role::Member).await.get(&format!("/people/{ana}")).await.is(200).text();
    assert!(!seen.contains("decide in their place"), "{seen}");
    site.signed_in(Role::Auditor).await.get("/account/delegation").await.is(200).says("You only read here");

    // By program, with the session of a person.
    let list = b.get("/api/v1/delegations").await.is(200).body();
    assert_eq!(
        (&list["items"][0]["from"], &list["items"][0]["to"]),
        (&json!(ana.to_string()), &json!(ben.to_string()))
    );
    let id = list["items"][0]["id"].as_i64().unwrap();
    assert!(page.contains(&format!("value=\"{id}\"")), "{page}");
    let wrong = json!({"to": "PE-999", "until_at": "2000-01-01T00:00:00Z", "reason": ""});
    let wrong = b.json(Method::POST, "/api/v1/delegations", &wrong).await.is_problem(422, "invalid").body();
    let pointers: Vec<&str> =
        wrong["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/reason", "/until_at", "/to"]);
    let ended =
        b.json(Method::POST, &format!("/api/v1/delegations/{id}/end"), &json!({"reason": "Too much."})).await.is(200);
    assert!(ended.body()["ended_at"].is_string());
    a.post("/account/delegation", &[("do", "end"), ("delegation", &id.to_string())])
        .await
        .is(409)
        .says("ended already");
}

#[tokio::test]
async fn a_secret_link_opens_a_calendar() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    lead.get("/account").await.is(200).says("There is no link yet");
    lead.post("/account/calendar", &[("do", "make")]).await.leads_to("/account#calendar");
    let text = lead.get("/account").await.is(200).says("Shown this once").text();
    let at = text.find("/calendar/").unwrap();
    let path = text[at..].split('<').next().unwrap().to_owned();
    let secret = path.strip_prefix("/calendar/").and_then(|p| p.strip_suffix(".ics")).unwrap();
    assert_eq!(secret.len(), 43, "256 bits: {path}");
    let again = lead.get("/account").await.is(200).text();
    assert!(!again.contains("/calendar/") && again.contains("Replace it"), "{again}");

    let nobody = site.browser();
    let feed = nobody.get(&path).await.is(200);
    assert_eq!(feed.header("content-type"), "text/calendar; charset=utf-8");
    assert!(feed.header("cache-control").contains("no-store"));
    let text = feed.text();
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"), "{text}");
    assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')), "{text}");
    // Changed by a letter, without its ending, or of nobody: not there.
    let wrong = path.replace(".ics", "x.ics");
    for path in [wrong.as_str(), path.strip_suffix(".ics").unwrap(), "/calendar/none.ics", "/calendar/.ics"] {
        nobody.get(path).await.is(404);
    }
    lead.post("/account/calendar", &[("do", "revoke")]).await.leads_to("/account#calendar");
    nobody.get(&path).await.is(404);
    lead.post("/account/calendar", &[("do", "revoke")]).await.is(409).says("no link to end");
    site.signed_in(Role::Auditor).await.post("/account/calendar", &[("do", "make")]).await.is(403);
}
