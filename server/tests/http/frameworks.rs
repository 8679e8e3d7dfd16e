//! The catalogues of frameworks: browsed, searched, cited, and as a program reads them.

use domain::can::Scope;
use domain::party::Role;

use crate::contract::Program;
use crate::support::{Site, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_catalogue_is_browsed_with_its_licence() {
    let site = Site::demo().await;
    let member = site.signed_in(Role::Member).await;
    member
        .get("/frameworks")
        .await
        .is(200)
        .says("OWASP Top 10 for Agentic Applications 2026")
        .says("https://creativecommons.org/licenses/by-sa/4.0/legalcode")
        .says("Copyright 2021-2026 MITRE");
    member.get("/frameworks/nist-ai-rmf-1.0").await.is(200).says("GOVERN 1.6").says("NIST AI 100-1, https://doi.org");
    member.get("/frameworks/nist-ai-rmf-1.0?q=zzzz").await.is(200).says("No node matches");
    member.get("/frameworks/none").await.is(404);
    // A node: its words, who wrote them, its neighbours, and what bears on it.
    member
        .get("/frameworks/nist-ai-rmf-1.0/GOVERN%201.6")
        .await
        .is(200)
        .says("publisher’s words")
        .says("Agent registered, with purpose, scope and identities")
        .says("Is what the node asks for")
        .says("/frameworks/nist-ai-600-1/GV-1.6-001")
        .says("Published");
    member.get("/frameworks/owasp-agentic-top10-2026/ASI03").await.is(200).says("Our judgement");
    member.get("/frameworks/mitre-atlas-tactics/AML.TA0002").await.is(200).says("not assessed");
    member.get("/frameworks/csa-aicm-1.1/A%26A-06").await.is(200).says("A&amp;A-06");
    let file = member.get("/frameworks/csa-maestro/nodes.csv").await.is(200);
    assert!(file.header("content-type").starts_with("text/csv"));
    assert_eq!(file.text().lines().count(), 64, "63 nodes and the headings");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loose_citation_leads_to_its_node_and_stays_visible() {
    let site = Site::demo().await;
    let member = site.signed_in(Role::Member).await;
    member.get("/frameworks?q=A1").await.is(200).says("is not a reference").says("ASI02").says("ASI10");
    let to = "/frameworks/owasp-agentic-top10-2026/ASI02?as=A1";
    assert_eq!(member.get("/frameworks/owasp-agentic-top10-2026/A1").await.is(303).header("location"), to);
    member.get(to).await.is(200).says("cited as A1").says("Cited as");
    let other = member.get("/frameworks/owasp-agentic-top10-2026/ASI02?as=GOV-1").await.is(200).text();
    assert!(!other.contains("cited as GOV-1"), "it is not cited so");
    member.get("/frameworks/owasp-agentic-top10-2026/T1").await.is(404);
    member.get("/frameworks/nist-ai-rmf-1.0/none").await.is(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_read_frameworks_page_by_page() {
    let site = Site::demo().await;
    let program = Program(site.program(&[Scope::Read]).await);
    let all = program.get("/api/v1/frameworks").await.is(200).body();
    assert_eq!(all["total"], 11);
    assert_eq!(all["items"][0]["nodes"]["risk"], 10);
    let mut from = String::new();
    let mut seen = 0;
    loop {
        let page = program.get(&format!("/api/v1/frameworks/nist-ai-600-1/nodes?limit=100{from}")).await.is(200).body();
        assert_eq!(page["total"], 224);
        seen += page["items"].as_array().unwrap().len();
        let Some(next) = page["next_cursor"].as_str() else { break };
        from = format!("&cursor={next}");
    }
    assert_eq!(seen, 224);
    let one = program.get("/api/v1/frameworks/nist-ai-rmf-1.0/nodes?q=GV-1.6").await.is(200).body();
    assert_eq!(one["items"][0]["ref"], "GOVERN 1.6");
    assert_eq!(one["items"][0]["controls"][0]["strength"], "full");
    program.get("/api/v1/frameworks/none/nodes").await.is(404);
    program.get("/api/v1/frameworks/nist-ai-rmf-1.0/nodes?cursor=T1").await.is(422);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coverage_is_a_map_whose_numbers_lead_to_rows() {
    let site = Site::demo().await;
    let risk = site.signed_in(Role::RiskAnalyst).await;
    risk.get("/frameworks/coverage")
        .await
        .is(200)
        .says("Coverage by framework and business unit")
        .says("Contributions never add up to met")
        .says("Not measured: nothing in the register shows to whom an alert of it went.")
        .says("/frameworks/nist-ai-rmf-1.0/coverage?unit=");
    let file = risk.get("/frameworks/coverage.csv").await.is(200).text();
    assert!(file.trim_start_matches('\u{feff}').starts_with("as_of,scope,business_unit,agents,framework,version,met,"));
    assert!(file.lines().count() > 23, "eleven frameworks for all agents and for each business unit");
    risk.get("/frameworks/nist-ai-rmf-1.0/coverage").await.is(200).says("/MANAGE%202.4/agents?standing=");
    risk.get("/frameworks/nist-ai-rmf-1.0/coverage?unit=Marketing").await.is(200).says("Agents of Marketing");
    risk.get("/frameworks/nist-ai-rmf-1.0/coverage?unit=Nowhere").await.is(404);
    risk.get("/frameworks/nist-ai-rmf-1.0/coverage.csv?unit=Marketing").await.is(200).says("MANAGE 2.4");
    // The number of the node is the number of its rows.
    let program = Program(site.program(&[Scope::Read]).await);
    let all = program.get("/api/v1/coverage?framework=nist-ai-rmf-1.0").await.is(200).body();
    let nodes = all["frameworks"][0]["nodes"].as_array().unwrap();
    let of = nodes.iter().find(|n| n["ref"] == "MANAGE 2.4").unwrap();
    for standing in ["met", "partly", "excepted", "missing"] {
        let n = of["counts"]["by_standing"][standing].as_i64().unwrap();
        let at = format!("/frameworks/nist-ai-rmf-1.0/MANAGE%202.4/agents.csv?standing={standing}");
        assert_eq!(risk.get(&at).await.is(200).text().lines().count() as i64, n + 1, "{standing}");
        let at = format!("/frameworks/nist-ai-rmf-1.0/MANAGE%202.4/agents?standing={standing}");
        risk.get(&at).await.is(200).says(if n == 0 { "No agent stands so" } else { "Kill switch" });
    }
    assert_eq!(all["frameworks"].as_array().unwrap().len(), 1);
    risk.get("/frameworks/nist-ai-rmf-1.0/MANAGE%202.4/agents?standing=odd").await.is(422);
    program.get("/api/v1/coverage?framework=none").await.is(422);
    program.get("/api/v1/coverage?business_unit=Nowhere").await.is(422);
    let whole = program.get("/api/v1/coverage").await.is(200).body();
    assert_eq!(whole["frameworks"].as_array().unwrap().len(), 11);
    // A retired agent is not counted; the others are.
    let agents = program.get("/api/v1/agents?state=retired").await.is(200).body()["total"].as_i64().unwrap();
    let total = program.get("/api/v1/agents").await.is(200).body()["total"].as_i64().unwrap();
    assert_eq!(whole["agents"], total - agents);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_mapped_and_attested_by_whoever_answers_for_it() {
    let site = Site::demo().await;
    let risk = site.signed_in(Role::RiskAnalyst).await;
    let at = "/frameworks/nist-ai-rmf-1.0/MANAGE%202.4";
    let form = format!("{at}/mapping?part=attest");
    risk.get(&form).await.is(200).says("What is so").says("name=\"version\" value=\"0\"");
    // What was typed comes back with what is wrong with it.
    let until = (start() + chrono::TimeDelta::days(30)).format("%Y-%m-%d").to_string();
    let typed = |evidence: &'static str| {
        vec![
            ("version", "0"),
            ("says", "The supplier stops it."),
            ("evidence", evidence),
            ("until", until.as_str()),
            ("reason", "No record shows it."),
        ]
    };
    risk.post(&form, &typed("")).await.is(422).says("The supplier stops it.").says("a tick alone is no evidence");
    risk.post(&form, &typed("Contract 7")).await.is(303).leads_to(at);
    risk.get(at).await.is(200).says("Attested for all agents").says("Contract 7").says("answers for that");
    let met = risk.get(&format!("{at}/agents.csv?standing=met")).await.is(200).text().lines().count();
    let all = risk.get(&format!("{at}/agents.csv")).await.is(200).text().lines().count();
    assert_eq!(met, all, "attested for all");
    // Another version came in between.
    risk.post(&form, &typed("Contract 8")).await.is(409).says("Contract 8");
    let only =
        [("version", "1"), ("condition", "has-tools"), ("until", until.as_str()), ("reason", "It is about tools.")];
    risk.post(&format!("{at}/mapping?part=only"), &only).await.is(303);
    risk.get(at).await.is(200).says("The agent has tools");
    let links = [("version", "2"), ("kill-switch-tested", "partial"), ("reason", "A drill is not all of it.")];
    risk.post(&format!("{at}/mapping?part=links"), &links).await.is(303);
    risk.get(at).await.is(200).says("A drill is not all of it.");
    let end = [("version", "3"), ("business_unit", "*"), ("reason", "The contract ended.")];
    risk.post(&format!("{at}/mapping?part=end"), &end).await.is(303);
    let page = risk.get(at).await.is(200).text();
    assert!(!page.contains("Attested for"));
    assert_eq!(site.events("mapping.changed").await, 4);
    let member = site.signed_in(Role::Member).await;
    let page = member.get(at).await.is(200).text();
    assert!(!page.contains("Change or attest"));
}
