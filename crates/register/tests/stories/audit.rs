//! The record: whatever is done to it behind Muster's back is found and named.

use std::io::Cursor;

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Actor, Denied};
use domain::id::PersonId;
use domain::party::{Role, Roles};
use domain::record::{Break, Head};
use register::audit::{self, Broken, Filter, Verified};
use register::change::{self, Change};
use register::{By, Db, Error, args};

use crate::support::story;

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_783_000_000_000_000).unwrap() + TimeDelta::minutes(minute)
}

/// Writes the vendor `n`, new or under another name.
async fn vendor(db: &Db, n: i64, name: &str, minute: i64) {
    let cli = Actor::cli();
    let mut c = Change::begin(db, By { actor: &cli, now: at(minute) }).await.unwrap();
    let known = c.tx.one("SELECT name FROM vendor WHERE id = $1", args![n]).await.unwrap();
    let action = if known.is_some() { "vendor.renamed" } else { "vendor.recorded" };
    let e = c.event("administrator", action, format!("vendor/{n}"));
    let before = match known {
        Some(r) => serde_json::json!({"name": r.get::<String>(0).unwrap()}),
        None => serde_json::Value::Null,
    };
    c.describe(e, before, serde_json::json!({"name": name}));
    let list = args![n, c.id(e), name];
    c.tx.run(
        "INSERT INTO vendor (id, event_id, name, name_folded) VALUES ($1, $2, $3, $3) \
         ON CONFLICT (id) DO UPDATE SET event_id = excluded.event_id, name = excluded.name",
        list,
    )
    .await
    .unwrap();
    c.wrote(e, &change::VENDOR, n);
    c.commit().await.unwrap();
}

/// Six events: five vendors, one of them renamed, and a setting whose key is text.
async fn a_record(db: &Db) -> Head {
    for n in 1..=4 {
        vendor(db, n, &format!("Vendor {n}"), n).await;
    }
    vendor(db, 2, "Vendor two", 5).await;
    let cli = Actor::cli();
    let by = By { actor: &cli, now: at(6) };
    let mut c = Change::begin(db, by).await.unwrap();
    let e = c.event("administrator", "setting.changed", "setting/theme");
    c.describe(e, serde_json::Value::Null, serde_json::json!({"value": "dark"}));
    c.because(e, "الأحسن للعيون 😀");
    let list = args!["theme", c.id(e), "dark"];
    c.tx.run("INSERT INTO setting (key, event_id, value) VALUES ($1, $2, $3)", list).await.unwrap();
    c.wrote(e, &change::SETTING, "theme");
    c.commit().await.unwrap();
    audit::head(db, by).await.unwrap()
}

async fn verify(db: &Db, head: Option<Head>) -> Result<Verified, Broken> {
    let cli = Actor::cli();
    audit::verify(db, By { actor: &cli, now: at(60) }, head, |_| {}).await
}

async fn broken(db: &Db, head: Option<Head>) -> Break {
    match verify(db, head).await {
        Err(Broken::Link(link)) => link,
        other => panic!("{other:?}"),
    }
}

/// Runs statements as somebody would who has the database's own password: no trigger and
/// no foreign key stands in the way.
async fn tamper(db: &Db, statements: &[&str]) {
    if db.engine() == "sqlite" {
        for trigger in ["audit_event_no_update", "audit_event_no_delete"] {
            db.run(format!("DROP TRIGGER IF EXISTS {trigger}"), args![]).await.unwrap();
        }
        db.run("PRAGMA foreign_keys = OFF", args![]).await.unwrap();
        for s in statements {
            db.run((*s).to_owned(), args![]).await.unwrap();
        }
    } else {
        let mut tx = db.begin().await.unwrap();
        tx.run("SET LOCAL session_replication_role = replica", args![]).await.unwrap();
        for s in statements {
            tx.run((*s).to_owned(), args![]).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

async fn a_whole_record_holds(db: Db) {
    assert_eq!(verify(&db, None).await.unwrap().head, Head::default());
    let head = a_record(&db).await;
    assert_eq!(verify(&db, Some(head.clone())).await.unwrap(), Verified { events: 6, rows: 5, head: head.clone() });
    vendor(&db, 9, "Later", 9).await;
    assert_eq!(verify(&db, Some(head)).await.unwrap().events, 7);
}
story!(a_whole_record_holds, super::a_whole_record_holds);

async fn the_database_refuses_to_change_an_event(db: Db) {
    a_record(&db).await;
    for statement in [
        "UPDATE audit_event SET reason = 'because' WHERE seq = 2",
        "UPDATE audit_event SET reason = reason",
        "DELETE FROM audit_event WHERE seq = 6",
        "DELETE FROM audit_event",
    ] {
        let refused = db.run(statement, args![]).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{statement}: {refused}");
    }
    assert_eq!(verify(&db, None).await.unwrap().events, 6);
}
story!(the_database_refuses_to_change_an_event, super::the_database_refuses_to_change_an_event);

async fn an_edited_event_is_found(db: Db) {
    a_record(&db).await;
    tamper(&db, &["UPDATE audit_event SET after = REPLACE(after, 'Vendor 3', 'Vendor X') WHERE seq = 3"]).await;
    assert_eq!(broken(&db, None).await, Break::Edited { seq: 3 });
    tamper(&db, &["UPDATE audit_event SET after = 'no JSON' WHERE seq = 2"]).await;
    assert_eq!(broken(&db, None).await, Break::Edited { seq: 2 });
    tamper(&db, &["UPDATE audit_event SET at = at + 1 WHERE seq = 1"]).await;
    assert_eq!(broken(&db, None).await, Break::Edited { seq: 1 });
}
story!(an_edited_event_is_found, super::an_edited_event_is_found);

async fn a_reordered_pair_is_found(db: Db) {
    a_record(&db).await;
    tamper(
        &db,
        &[
            "UPDATE audit_event SET seq = 100 WHERE seq = 3",
            "UPDATE audit_event SET seq = 3 WHERE seq = 4",
            "UPDATE audit_event SET seq = 4 WHERE seq = 100",
        ],
    )
    .await;
    assert_eq!(broken(&db, None).await, Break::Unlinked { seq: 3, after: 2 });
}
story!(a_reordered_pair_is_found, super::a_reordered_pair_is_found);

async fn a_missing_event_is_found(db: Db) {
    a_record(&db).await;
    tamper(&db, &["DELETE FROM audit_event WHERE seq = 4"]).await;
    assert_eq!(broken(&db, None).await, Break::Unlinked { seq: 5, after: 3 });
    tamper(&db, &["DELETE FROM audit_event WHERE seq = 1"]).await;
    assert_eq!(broken(&db, None).await, Break::Unlinked { seq: 2, after: 0 });
}
story!(a_missing_event_is_found, super::a_missing_event_is_found);

/// Whoever cuts the end off may mend the kept head and the rows too: then only a head kept
/// elsewhere shows it.
async fn a_cut_off_end_is_found(db: Db) {
    let head = a_record(&db).await;
    tamper(&db, &["DELETE FROM audit_event WHERE seq > 4"]).await;
    assert_eq!(broken(&db, None).await, Break::CutOff { at: 4, head: 6 });
    tamper(
        &db,
        &["UPDATE chain_head SET seq = 4, hash = (SELECT hash FROM audit_event WHERE seq = 4)", "DELETE FROM setting"],
    )
    .await;
    assert!(matches!(broken(&db, None).await, Break::Unrecorded { row, .. } if row == "vendor/2"));
    tamper(
        &db,
        &["UPDATE vendor SET name = 'Vendor 2', event_id = (SELECT id FROM audit_event WHERE seq = 2) WHERE id = 2"],
    )
    .await;
    assert_eq!(verify(&db, None).await.unwrap().events, 4);
    assert_eq!(broken(&db, Some(head.clone())).await, Break::CutOff { at: 4, head: 6 });
    vendor(&db, 5, "Another", 7).await;
    vendor(&db, 6, "And another", 8).await;
    assert_eq!(verify(&db, None).await.unwrap().events, 6);
    assert_eq!(broken(&db, Some(head)).await, Break::OtherHead { seq: 6 });
}
story!(a_cut_off_end_is_found, super::a_cut_off_end_is_found);

async fn a_kept_head_that_is_not_the_last_event_is_found(db: Db) {
    a_record(&db).await;
    tamper(&db, &["UPDATE chain_head SET seq = 5"]).await;
    assert_eq!(broken(&db, None).await, Break::LostHead { head: 5, last: 6 });
}
story!(a_kept_head_that_is_not_the_last_event_is_found, super::a_kept_head_that_is_not_the_last_event_is_found);

async fn a_row_changed_without_an_event_is_found(db: Db) {
    a_record(&db).await;
    let named = |b: Break| match b {
        Break::Unrecorded { row, why } => (row, why),
        other => panic!("{other:?}"),
    };
    tamper(&db, &["UPDATE setting SET value = 'light'"]).await;
    assert_eq!(named(broken(&db, None).await), ("setting/theme".into(), "it is not what event 6 wrote".into()));
    tamper(&db, &["UPDATE vendor SET name = 'Somebody else' WHERE id = 3"]).await;
    assert_eq!(named(broken(&db, None).await), ("vendor/3".into(), "it is not what event 3 wrote".into()));
    let second = "(SELECT id FROM audit_event WHERE seq = 2)";
    tamper(&db, &[&format!("UPDATE vendor SET name = 'Vendor 2', event_id = {second} WHERE id = 2")]).await;
    assert_eq!(
        named(broken(&db, None).await),
        ("vendor/2".into(), "it was put back to how event 2 left it; event 5 wrote it after that".into())
    );
    tamper(&db, &[&format!("INSERT INTO vendor (id, event_id, name, name_folded) VALUES (0, {second}, 'x', 'x')")])
        .await;
    assert_eq!(
        named(broken(&db, None).await),
        ("vendor/0".into(), "no event wrote it; it names event 2, which does not mention it".into())
    );
    tamper(&db, &["UPDATE vendor SET event_id = 'none' WHERE id = 0"]).await;
    assert_eq!(
        named(broken(&db, None).await),
        ("vendor/0".into(), "no event wrote it, and the event that it names does not exist".into())
    );
}
story!(a_row_changed_without_an_event_is_found, super::a_row_changed_without_an_event_is_found);

async fn a_deleted_row_is_found(db: Db) {
    a_record(&db).await;
    tamper(&db, &["DELETE FROM setting"]).await;
    assert_eq!(
        broken(&db, None).await,
        Break::Unrecorded { row: "setting/theme".into(), why: "event 6 wrote it, and it is gone".into() }
    );
    tamper(&db, &["DELETE FROM vendor WHERE id IN (2, 4)"]).await;
    assert_eq!(
        broken(&db, None).await,
        Break::Unrecorded { row: "vendor/4".into(), why: "event 4 wrote it, and it is gone".into() }
    );
}
story!(a_deleted_row_is_found, super::a_deleted_row_is_found);

/// A snapshot is one moment: what is written while it is read is not half seen.
async fn a_record_is_checked_while_it_grows(db: Db) {
    a_record(&db).await;
    let writer = db.clone();
    let writing = tokio::spawn(async move {
        for n in 0..60 {
            vendor(&writer, n % 7, &format!("Name {n}"), n).await;
        }
    });
    let mut seen = 0;
    while !writing.is_finished() {
        seen = verify(&db, None).await.unwrap().events;
    }
    writing.await.unwrap();
    assert!(seen >= 6);
    assert_eq!(verify(&db, None).await.unwrap().events, 66);
}
story!(a_record_is_checked_while_it_grows, super::a_record_is_checked_while_it_grows);

async fn exported(db: &Db, after: i64) -> String {
    let cli = Actor::cli();
    let mut export = audit::export(db, By { actor: &cli, now: at(60) }, after).await.unwrap();
    let mut out = String::new();
    while let Some(lines) = export.lines().await.unwrap() {
        out.push_str(&lines);
    }
    out
}

fn file(text: &str, start: Option<Head>, head: Option<Head>) -> Result<i64, Break> {
    match audit::verify_file(Cursor::new(text), start, head) {
        Ok(v) => Ok(v.events),
        Err(Broken::Link(link)) => Err(link),
        Err(e) => panic!("{e}"),
    }
}

async fn an_export_is_checked_without_the_database(db: Db) {
    let head = a_record(&db).await;
    for n in 10..700 {
        vendor(&db, n, &format!("Vendor {n}"), n).await;
    }
    let text = exported(&db, 0).await;
    assert_eq!(file(&text, None, Some(head.clone())), Ok(696));
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let members: Vec<&str> = first.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members.join(" "), "seq id at actor capacity action subject before after reason prev hash");

    let lines: Vec<&str> = text.lines().collect();
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().join("\n");
    assert_eq!(file(&without(2), None, None), Err(Break::Unlinked { seq: 4, after: 2 }));
    assert_eq!(file(&text.replace("Vendor 3\"", "Vendor 30\""), None, None), Err(Break::Edited { seq: 3 }));
    let mut swapped = lines.clone();
    swapped.swap(3, 4);
    assert_eq!(file(&swapped.join("\n"), None, None), Err(Break::Unlinked { seq: 5, after: 3 }));
    let cut = lines[..4].join("\r\n");
    assert_eq!(file(&cut, None, None), Ok(4));
    assert_eq!(file(&cut, None, Some(head.clone())), Err(Break::CutOff { at: 4, head: 6 }));
    assert!(matches!(file("{}\n", None, None), Err(Break::NotAnEvent { line: 1, .. })));
    assert!(matches!(file("name,owner\n", None, None), Err(Break::NotAnEvent { line: 1, .. })));

    let extract = exported(&db, 6).await;
    assert_eq!(file(&extract, None, None), Err(Break::Unlinked { seq: 7, after: 0 }));
    assert_eq!(file(&extract, Some(head.clone()), None), Ok(690));
    let other = Head { hash: "0".repeat(64), ..head.clone() };
    assert_eq!(file(&extract, Some(other.clone()), None), Err(Break::Unlinked { seq: 7, after: 6 }));
    let earlier = Some(Head { seq: 2, ..other });
    assert!(matches!(audit::verify_file(Cursor::new(&extract), Some(head), earlier), Err(Broken::Failed(_))));
}
story!(an_export_is_checked_without_the_database, super::an_export_is_checked_without_the_database);

async fn the_record_is_read_newest_first(db: Db) {
    a_record(&db).await;
    let auditor = Actor::person(PersonId(1), Roles::NONE.with(Role::Auditor));
    let by = By { actor: &auditor, now: at(60) };
    let seqs = async |filter: Filter| -> Vec<i64> {
        let page = audit::list(&db, by, &filter, None, 50).await.unwrap();
        let seqs: Vec<i64> = page.items.iter().map(|e| e.seq).collect();
        assert_eq!(page.total, Some(seqs.len() as i64), "{filter:?}");
        seqs
    };
    let any = Filter::default();
    assert_eq!(seqs(any.clone()).await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(seqs(Filter { action: "vendor.".into(), ..any.clone() }).await, [5, 4, 3, 2, 1]);
    assert_eq!(seqs(Filter { action: "vendor.renamed".into(), ..any.clone() }).await, [5]);
    assert_eq!(seqs(Filter { action: "agent".into(), ..any.clone() }).await, [] as [i64; 0]);
    assert_eq!(seqs(Filter { subject: "vendor/2".into(), ..any.clone() }).await, [5, 2]);
    assert_eq!(seqs(Filter { actor: "PE-1".into(), ..any.clone() }).await, [] as [i64; 0]);
    assert_eq!(seqs(Filter { actor: "cli".into(), action: "setting".into(), ..any.clone() }).await, [6]);
    assert_eq!(seqs(Filter { from: Some(at(2)), until: Some(at(4)), ..any.clone() }).await, [3, 2]);
    assert_eq!(seqs(Filter { from: Some(at(7)), ..any.clone() }).await, [] as [i64; 0]);
    assert_eq!(seqs(Filter { until: Some(at(0)), ..any.clone() }).await, [] as [i64; 0]);
    let all = Filter {
        actor: "cli".into(),
        action: "vendor.re".into(),
        subject: "vendor/2".into(),
        from: Some(at(3)),
        until: Some(at(9)),
        with: Vec::new(),
    };
    assert_eq!(seqs(all).await, [5]);
    assert_eq!(audit::actions(&db, by).await.unwrap(), ["setting.changed", "vendor.recorded", "vendor.renamed"]);

    // Page by page, there and back.
    let page =
        async |cursor: Option<String>| audit::list(&db, by, &Filter::default(), cursor.as_deref(), 2).await.unwrap();
    let (first, mut there) = (page(None).await, Vec::new());
    assert_eq!((first.previous.as_ref(), first.total), (None, Some(6)));
    let mut at = first;
    loop {
        there.push(at.items.iter().map(|e| e.seq).collect::<Vec<_>>());
        match at.next.clone() {
            Some(next) => at = page(Some(next)).await,
            None => break,
        }
    }
    assert_eq!(there, [[6, 5], [4, 3], [2, 1]]);
    let back = page(at.previous).await;
    assert_eq!(back.items.iter().map(|e| e.seq).collect::<Vec<_>>(), [4, 3]);
    let first = page(back.previous).await;
    assert_eq!((first.items[0].seq, first.previous), (6, None));
    assert!(matches!(audit::list(&db, by, &Filter::default(), Some("x"), 2).await, Err(Error::Invalid(_))));

    let names = audit::names(&db, by, ["vendor/2", "vendor/99", "cli", "PE-5"]).await.unwrap();
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        [("cli".to_owned(), "the command line".to_owned()), ("vendor/2".to_owned(), "Vendor two".to_owned())]
    );
}
story!(the_record_is_read_newest_first, super::the_record_is_read_newest_first);

async fn who_may_not_read_the_record_is_told_so(db: Db) {
    a_record(&db).await;
    let member = Actor::person(PersonId(1), Roles::NONE.with(Role::Member));
    let by = By { actor: &member, now: at(60) };
    let forbidden = |e: Error| assert!(matches!(e, Error::Denied(Denied::Forbidden(_))), "{e}");
    forbidden(audit::list(&db, by, &Filter::default(), None, 50).await.unwrap_err());
    forbidden(audit::history(&db, by, "vendor/2", None, 50).await.unwrap_err());
    forbidden(audit::export(&db, by, 0).await.unwrap_err());
    forbidden(audit::head(&db, by).await.unwrap_err());
    forbidden(audit::actions(&db, by).await.unwrap_err());
    assert!(matches!(
        audit::verify(&db, by, None, |_| {}).await,
        Err(Broken::Failed(Error::Denied(Denied::Forbidden(_))))
    ));
    assert!(matches!(audit::history(&db, by, "AG-1", None, 50).await, Err(Error::NotFound(_))));
}
story!(who_may_not_read_the_record_is_told_so, super::who_may_not_read_the_record_is_told_so);

/// No page walks through the whole record.
async fn no_page_scans_the_record(db: Db) {
    a_record(&db).await;
    if db.engine() != "sqlite" {
        // A planner that knows the table to be small rightly reads all of it.
        return;
    }
    let any = Filter::default();
    let filters = [
        any.clone(),
        Filter { actor: "cli".into(), ..any.clone() },
        Filter { action: "vendor.".into(), ..any.clone() },
        Filter { subject: "vendor/2".into(), ..any.clone() },
        Filter { from: Some(at(2)), until: Some(at(5)), ..any.clone() },
        Filter { actor: "cli".into(), subject: "vendor/2".into(), action: "vendor".into(), from: Some(at(1)), ..any },
    ];
    for filter in filters {
        for step in audit::plan(&db, &filter, 50).await.unwrap() {
            assert!(!step.contains("SCAN audit_event"), "{filter:?}: {step}");
            assert!(!step.contains("TEMP B-TREE") || !filter.action.is_empty(), "{filter:?}: {step}");
        }
    }
}
story!(no_page_scans_the_record, super::no_page_scans_the_record);
