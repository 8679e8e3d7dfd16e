//! The posture report: what it says is what is there, a change shows at once, and the past is as
//! it was recorded.

use domain::can::{Actor, Scope};
use domain::party::Role;
use register::{By, seed};

use crate::support::{Site, start};

async fn with_history() -> Site {
    let site = Site::demo().await;
    let actor = Actor::cli();
    seed::history(&site.app.db, By { actor: &actor, now: start() }).await.unwrap();
    site
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_says_what_nobody_can_stop_where_and_what_got_worse() {
    let site = with_history().await;
    let lead = site.signed_in(Role::Auditor).await;
    let program = site.program(&[Scope::Read]).await;
    let posture = program.get("/api/v1/posture").await.is(200).body();
    let nobody = posture["unstoppable"].as_i64().unwrap();
    assert!(nobody > 0);
    let units = program.get("/api/v1/posture/units").await.is(200).body();
    let units = units["units"].as_array().unwrap();
    let sum = |member: &str| units.iter().map(|u| u[member].as_i64().unwrap()).sum::<i64>();
    assert_eq!(sum("unstoppable"), nobody, "units add up to the whole");
    assert_eq!(units[0]["business_unit"], posture["units"][0]["business_unit"], "the worst comes first");
    for duty in posture["duties"].as_array().unwrap() {
        for member in ["required", "held"] {
            let of = |u: &serde_json::Value| {
                u["duties"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|d| d["duty"] == duty["duty"])
                    .map(|d| d[member].as_i64().unwrap())
                    .sum::<i64>()
            };
            assert_eq!(units.iter().map(of).sum::<i64>(), duty[member].as_i64().unwrap(), "{} {member}", duty["duty"]);
        }
    }
    let worst = units[0]["business_unit"].as_str().unwrap();
    let page = lead.get("/reports/posture").await.is(200);
    let text = page.text();
    assert!(
        text.contains(&format!("{nobody} of the ")) && text.contains(&format!("The worst business unit is {worst}"))
    );
    assert!(text.contains("worse") && text.contains("The past of this demonstration is made up"));
    // Every day adds up, and each is marked as what it is.
    let days = program.get("/api/v1/posture/history").await.is(200).body();
    let days = days["days"].as_array().unwrap();
    assert_eq!(days.len(), 90);
    assert!(days.iter().all(|d| d["made_up"] == true && d["recorded"] == true));
    // Another day, a day that is none, and the other forms.
    lead.get("/reports/posture?against=2026-07-15").await.is(200).says("2026-07-15");
    lead.get("/reports/posture?against=yesterday").await.is(200);
    assert!(lead.get("/reports/posture.pdf").await.is(200).bytes.starts_with(b"%PDF-"));
    let csv = lead.get("/reports/posture.csv").await.is(200).text();
    assert!(csv.contains(&format!(",\"Run, and nobody can stop them\",{nobody},")), "{csv}");
    assert!(csv.contains(worst));
    site.signed_in(Role::Member).await.get("/reports/posture").await.is(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_change_shows_on_the_next_request_and_without_a_past_nothing_is_invented() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let auditor = site.signed_in(Role::Auditor).await;
    auditor.get("/reports/posture").await.is(200).says("so nothing is compared");
    let program = site.program(&[Scope::Admin]).await;
    let vacant = async || -> i64 {
        let units = program.get("/api/v1/posture/units").await.is(200).body();
        let all = units["units"].as_array().unwrap().iter().flat_map(|u| u["duties"].as_array().unwrap().clone());
        all.map(|d| d["required"].as_i64().unwrap() - d["held"].as_i64().unwrap()).sum()
    };
    let before = vacant().await;
    let new = serde_json::json!({"name": "Sorter", "business_unit": "Fleet"});
    program.json(axum::http::Method::POST, "/api/v1/agents", &new).await.is(201);
    assert!(vacant().await > before, "a new agent has nobody yet");
    // The list leads on, and says what is wrong with what was typed.
    lead.get("/reports?agent=ag-7&open=pack").await.leads_to("/agents/AG-7/evidence-pack");
    lead.get("/reports?agent=seven").await.is(422).says("SEVEN").says("AG-42");
    lead.get("/reports").await.is(200).says("/reports/posture.pdf");
}
