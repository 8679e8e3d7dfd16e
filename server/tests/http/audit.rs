//! `/audit`: read by those who may, exported so that it can be checked elsewhere.

use std::io::Cursor;

use domain::can::Actor;
use domain::party::Role;
use register::audit::verify_file;
use register::{By, args};

use crate::support::{Browser, Site};

/// The positions of the events on a page, in order.
async fn seqs(browser: &Browser<'_>, path: &str) -> Vec<i64> {
    let text = browser.get(path).await.is(200).text();
    text.split(r#"<span class="seq">"#).skip(1).map(|t| t.split('<').next().unwrap().parse().unwrap()).collect()
}

fn link<'t>(text: &'t str, rel: &str) -> Option<&'t str> {
    let tag = text.split("<a ").find(|tag| tag.contains(&format!(r#"rel="{rel}""#)))?;
    tag.split(r#"href=""#).nth(1)?.split('"').next()
}

#[tokio::test]
async fn an_auditor_reads_the_record_newest_first() {
    let site = Site::demo().await;
    let auditor = site.signed_in(Role::Auditor).await;
    let by = Actor::cli();
    let head = register::audit::head(&site.app.db, By { actor: &by, now: site.app.clock.now() }).await.unwrap();
    let page = auditor.get("/audit").await.is(200);
    let text = page.text();
    for part in [&head.to_string(), "Verify now", "/audit/export.jsonl", "the command line"] {
        assert!(text.contains(part), "{part}");
    }
    let first = seqs(&auditor, "/audit").await;
    assert_eq!(first.len(), 50);
    assert_eq!(first[0], head.seq);
    assert!(first.is_sorted_by(|a, b| a == &(b + 1)));

    let next = link(&text, "next").unwrap().replace("&amp;", "&");
    assert!(link(&text, "prev").is_none());
    let second = auditor.get(&next).await.is(200).text();
    assert_eq!(seqs(&auditor, &next).await[0], head.seq - 50);
    let back = link(&second, "prev").unwrap().replace("&amp;", "&");
    assert_eq!(seqs(&auditor, &back).await, first);
}

#[tokio::test]
async fn filters_narrow_the_record() {
    let site = Site::demo().await;
    let risk = site.signed_in(Role::RiskAnalyst).await;
    let all = seqs(&risk, "/audit?subject=AG-1").await;
    assert!(!all.is_empty());
    let created = seqs(&risk, "/audit?subject=AG-1&action=agent.created").await;
    assert_eq!(created.len(), 1);
    assert!(all.contains(&created[0]));
    let text = risk.get("/audit?subject=AG-1&action=agent.").await.is(200).text();
    assert!(text.contains("On: AG-1") && text.contains("What: agent."), "the filters in force are chips");
    assert_eq!(seqs(&risk, "/audit?actor=PE-999999").await, [] as [i64; 0]);
    risk.get("/audit?actor=PE-999999").await.is(200).says("No event matches");
    assert_eq!(seqs(&risk, "/audit?from=2100-01-01").await, [] as [i64; 0]);
    assert_eq!(seqs(&risk, "/audit?until=2100-01-01T00:00").await.len(), 50);
    let page = risk.get("/audit?from=yesterday&subject=%3Cb%3E").await.is(422);
    let text = page.says("Write a day or a time in UTC").text();
    assert!(text.contains(r#"value="yesterday""#) && !text.contains("<b>"), "what was typed stays, escaped");
    risk.get("/audit?cursor=nonsense").await.is(422);
}

#[tokio::test]
async fn an_export_is_checked_without_muster() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::Auditor).await;
    let answer = lead.get("/audit/export.jsonl").await.is(200);
    assert!(answer.header("content-disposition").starts_with("attachment; filename=\"muster-audit-"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let by = Actor::cli();
    let head = register::audit::head(&site.app.db, By { actor: &by, now: site.app.clock.now() }).await.unwrap();
    let verified = verify_file(Cursor::new(&answer.bytes), None, Some(head.clone())).unwrap();
    assert_eq!(verified.head, head);

    let text = answer.text();
    let tenth: domain::record::Event = serde_json::from_str(text.lines().nth(9).unwrap()).unwrap();
    let rest = lead.get("/audit/export.jsonl?after=10").await.is(200);
    let start = domain::record::Head { seq: 10, hash: tenth.hash };
    assert_eq!(verify_file(Cursor::new(&rest.bytes), Some(start), None).unwrap().events, head.seq - 10);
    assert!(verify_file(Cursor::new(&rest.bytes), None, None).is_err());
    lead.get("/audit/export.jsonl?after=x").await.is(422);
}

#[tokio::test]
async fn the_record_is_verified_from_its_page() {
    let site = Site::demo().await;
    let auditor = site.signed_in(Role::Auditor).await;
    let by = Actor::cli();
    let head = register::audit::head(&site.app.db, By { actor: &by, now: site.app.clock.now() }).await.unwrap();
    auditor.post("/audit?action=agent.", &[]).await.is(200).says("The record holds").says(&head.to_string());
    site.app.db.run("UPDATE agent SET name = 'Renamed behind its back' WHERE id = 3", args![]).await.unwrap();
    auditor.post("/audit", &[]).await.is(200).says("The record is broken").says("agent/3 was changed without an event");
}

#[tokio::test]
async fn a_member_is_told_that_the_record_is_not_theirs_to_read() {
    let site = Site::demo().await;
    for role in [Role::Member, Role::Administrator] {
        let browser = site.signed_in(role).await;
        browser.get("/audit").await.is(403).says("auditors");
        browser.post("/audit", &[]).await.is(403);
        browser.get("/audit/export.jsonl").await.is(403);
        let home = browser.get("/help").await.is(200).text();
        assert!(!home.contains(r#"href="/audit""#), "the navigation leaves it out");
    }
    site.browser().get("/audit").await.leads_to("/login?next=%2Faudit");
}
