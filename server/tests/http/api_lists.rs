//! Lists: filters, orders, pages, totals.

use domain::can::Scope;
use serde_json::{Value, json};

use crate::contract::Program;
use crate::support::Site;

async fn admin(site: &Site) -> Program<'_> {
    Program(site.program(&[Scope::Admin]).await)
}

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap().to_owned()).collect()
}

/// Every page of a list, by cursor.
async fn all(program: &Program<'_>, path: &str, limit: usize) -> Vec<Value> {
    let mut out = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let sign = if path.contains('?') { '&' } else { '?' };
        let mut at = format!("{path}{sign}limit={limit}");
        if let Some(cursor) = &cursor {
            at.push_str(&format!("&cursor={cursor}"));
        }
        let page = program.get(&at).await.is(200).body();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        out.extend(items.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return out,
        }
    }
}

#[tokio::test]
async fn every_filter_narrows_and_every_order_holds_over_its_pages() {
    let site = Site::demo().await;
    let program = admin(&site).await;
    let everything = all(&program, "/api/v1/agents", 200).await;
    let total = program.get("/api/v1/agents?limit=1").await.body()["total"].clone();
    assert_eq!(total, everything.len());
    assert!(everything.len() >= 50, "{}", everything.len());
    let first = program.get("/api/v1/agents").await.body();
    assert_eq!(ids(&first).len(), 50, "fifty unless said");

    for (filter, holds) in [
        ("state=retired", (|a| a["state"] == "retired") as fn(&Value) -> bool),
        ("environment=production", |a| a["environment"] == "production"),
        ("tier=high", |a| a["tier"] == "high"),
        ("runtime_owner=none", |a| a["runtime_owner"]["state"] == "none"),
        ("runtime_owner=verified", |a| a["runtime_owner"]["state"] == "verified"),
        ("runtime_owner=untested", |a| a["runtime_owner"]["state"] == "untested"),
        ("running=yes", |a| a["running"] == "yes"),
        ("runs=true", |a| a["running"] != "no" && a["state"] != "retired"),
        ("business_unit=claims", |a| a["business_unit"].as_str().unwrap().to_lowercase() == "claims"),
        ("environment=production&tier=high", |a| a["environment"] == "production" && a["tier"] == "high"),
    ] {
        let found = all(&program, &format!("/api/v1/agents?{filter}"), 7).await;
        let expected: Vec<&Value> = everything.iter().filter(|a| holds(a)).map(|a| &a["id"]).collect();
        let found_ids: Vec<&Value> = found.iter().map(|a| &a["id"]).collect();
        assert_eq!(found_ids, expected, "{filter}");
        let page = program.get(&format!("/api/v1/agents?{filter}&limit=1")).await.body();
        assert_eq!(page["total"], expected.len(), "{filter}");
    }

    for sort in ["id", "name", "business_unit", "tier", "runtime_owner", "updated_at"] {
        let up: Vec<Value> = all(&program, &format!("/api/v1/agents?sort={sort}"), 11).await;
        let mut down: Vec<Value> = all(&program, &format!("/api/v1/agents?sort=-{sort}"), 13).await;
        down.reverse();
        assert_eq!(up, down, "{sort}");
        assert_eq!(up.len(), everything.len(), "{sort}");
    }
    let named = all(&program, "/api/v1/agents?sort=name", 200).await;
    let names: Vec<String> = named.iter().map(|a| domain::text::fold(a["name"].as_str().unwrap())).collect();
    assert!(names.is_sorted());

    let owner = everything.iter().find_map(|a| a["runtime_owner"]["party"].as_str()).unwrap();
    let owned = all(&program, &format!("/api/v1/agents?owner={owner}"), 50).await;
    assert!(!owned.is_empty());
    let word = everything[0]["name"].as_str().unwrap().split(' ').next().unwrap().to_lowercase();
    let found = all(&program, &format!("/api/v1/agents?q={}", &word[..3]), 50).await;
    assert!(found.iter().any(|a| a["id"] == everything[0]["id"]));
    let finding = program.get("/api/v1/agents?finding=no-runtime-owner").await.is(200).body();
    assert_eq!(finding["total"], program.get("/api/v1/posture").await.is(200).body()["findings"]["no-runtime-owner"]);
}

#[tokio::test]
async fn what_is_not_understood_is_refused_with_its_name() {
    let site = Site::empty().await;
    let program = admin(&site).await;
    program.post("/api/v1/agents", json!({"name": "a"})).await.is(201);
    program.post("/api/v1/agents", json!({"name": "b"})).await.is(201);
    let cursor = program.get("/api/v1/agents?limit=1").await.body()["next_cursor"].as_str().unwrap().to_owned();
    let other = format!("/api/v1/agents?sort=name&cursor={cursor}");
    for (path, pointer) in [
        ("/api/v1/agents?stat=draft", "/stat"),
        ("/api/v1/agents?state=soup", "/state"),
        ("/api/v1/agents?state=", "/state"),
        ("/api/v1/agents?state=draft&state=active", "/state"),
        ("/api/v1/agents?limit=0", "/limit"),
        ("/api/v1/agents?limit=201", "/limit"),
        ("/api/v1/agents?limit=-1", "/limit"),
        ("/api/v1/agents?limit=ten", "/limit"),
        ("/api/v1/agents?limit=99999999999999999999", "/limit"),
        ("/api/v1/agents?cursor=soup", "/cursor"),
        ("/api/v1/agents?sort=soup", "/sort"),
        ("/api/v1/agents?owner=AG-1", "/owner"),
        ("/api/v1/agents?runtime_owner=maybe", "/runtime_owner"),
        ("/api/v1/agents?finding=x", "/finding"),
        ("/api/v1/agents?q=%00", "/q"),
        ("/api/v1/agents?runs=perhaps", "/runs"),
        (&other, "/cursor"),
        ("/api/v1/people?role=king", "/role"),
        ("/api/v1/people?sort=email", "/sort"),
        ("/api/v1/teams?led=1", "/led"),
        ("/api/v1/systems?kind=x", "/kind"),
        ("/api/v1/posture?business_unit=Claims", "/business_unit"),
        ("/api/v1/audit?from=yesterday", "/from"),
        ("/api/v1/audit?sort=at", "/sort"),
        ("/api/v1/audit/export?after=x", "/after"),
        ("/api/v1/audit/export?after=-1", "/after"),
        ("/api/v1/assignments?mine=false", "/mine"),
        ("/api/v1/agents/AG-1/accountability?at=3%20July", "/at"),
        ("/api/v1/agents/AG-1/history?sort=seq", "/sort"),
    ] {
        let body = program.get(path).await.is_problem(422, "invalid").body();
        assert_eq!(body["errors"][0]["pointer"], pointer, "{path}");
    }
    for good in [
        "/api/v1/agents?q=",
        "/api/v1/agents?q=%F0%9F%A4%96",
        "/api/v1/agents?business_unit=",
        "/api/v1/agents?owner=PE-999",
        "/api/v1/agents?vendor=nobody&tool=nothing&credential=none",
        "/api/v1/agents?wave=IM-3&system=SY-9&operated_by=TE-9",
        "/api/v1/agents?limit=200&sort=-updated_at",
    ] {
        program.get(good).await.is(200);
    }
}

#[tokio::test]
async fn the_record_is_read_in_both_orders() {
    let site = Site::demo().await;
    let program = admin(&site).await;
    let down = all(&program, "/api/v1/audit", 200).await;
    let up = all(&program, "/api/v1/audit?sort=seq", 173).await;
    let seq = |events: &[Value]| events.iter().map(|e| e["seq"].as_i64().unwrap()).collect::<Vec<_>>();
    let count = down.len() as i64;
    assert!(count > 50);
    assert_eq!(seq(&up), (1..=count).collect::<Vec<_>>());
    assert_eq!(seq(&down), (1..=count).rev().collect::<Vec<_>>());
    for event in &up {
        let event: domain::record::Event = serde_json::from_value(event.clone()).unwrap();
        assert_eq!(event.computed_hash(), event.hash, "{}", event.seq);
    }
    let cursor = program.get("/api/v1/audit?limit=2").await.body()["next_cursor"].as_str().unwrap().to_owned();
    program.get(&format!("/api/v1/audit?sort=seq&cursor={cursor}")).await.is_problem(422, "invalid");
    let some = program.get("/api/v1/audit?action=team.&actor=cli").await.is(200).body();
    assert!(some["items"].as_array().unwrap().iter().all(|e| e["action"].as_str().unwrap().starts_with("team.")));
    let none = program.get("/api/v1/audit?until=2020-01-01T00:00:00Z").await.is(200).body();
    assert_eq!(none["total"], 0);

    let exported = program.get("/api/v1/audit/export").await.is(200);
    let head = exported.header("muster-audit-head").to_owned();
    let lines: Vec<Value> = exported.text().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines, up);
    assert_eq!(head, format!("{count}:{}", up.last().unwrap()["hash"].as_str().unwrap()));
    let rest = program.get(&format!("/api/v1/audit/export?after={}", count - 2)).await.is(200);
    assert_eq!(rest.text().lines().count(), 2);
}

#[tokio::test]
async fn posture_has_every_key_and_adds_up() {
    let site = Site::demo().await;
    let program = admin(&site).await;
    let posture = program.get("/api/v1/posture").await.is(200).body();
    let sum = |of: &Value| of.as_object().unwrap().values().map(|v| v.as_i64().unwrap()).sum::<i64>();
    assert_eq!(sum(&posture["by_state"]), posture["total"].as_i64().unwrap());
    let retired = posture["by_state"]["retired"].as_i64().unwrap();
    assert_eq!(sum(&posture["runtime_owner"]) + retired, posture["total"].as_i64().unwrap());
    assert_eq!(sum(&posture["running"]) + sum(&posture["idle"]), sum(&posture["runtime_owner"]));
    assert_eq!(posture["duties"].as_array().unwrap().len(), domain::duty::Duty::ALL.len());
    assert_eq!(posture["findings"].as_object().unwrap().len(), domain::finding::FindingKey::ALL.len());
    let none = program.get("/api/v1/agents?runtime_owner=none&limit=1").await.body();
    assert_eq!(none["total"], posture["runtime_owner"]["none"]);
}
