//! `/`: what waits for the reader and, for leadership, who can stop what runs.

use domain::agent::{AgentFacts, Running};
use domain::duty::Duty;
use domain::party::Role;

use crate::agents::{agent, made, offered, owned};
use crate::support::Site;

#[tokio::test]
async fn an_empty_register_says_what_to_do_first() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    lead.get("/").await.is(200).says("Welcome").says("/agents/import").says("/agents/new");
    let text = site.signed_in(Role::Administrator).await.get("/").await.is(200).text();
    assert!(text.contains("/people/new") && !text.contains(r#"href="/agents/new""#));
    let auditor = site.signed_in(Role::Auditor).await;
    auditor.get("/").await.is(200).says("imports or registers the first agents");
}

#[tokio::test]
async fn leadership_reads_who_can_stop_what_runs() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let mut facts = AgentFacts::named("Ledger reconciler");
    facts.running = Running::Yes;
    facts.business_unit = "Treasury".into();
    made(&site, facts).await;
    let two = agent(&site, "Two").await;
    let three = agent(&site, "Three").await;
    made(&site, AgentFacts { running: Running::No, ..AgentFacts::named("Idle") }).await;
    let owner = site.person("owner@muster.test", &[Role::Member]).await;
    owned(&site, two, Duty::Containment, owner).await;
    offered(&site, three, Duty::Containment, owner).await;
    let page = lead.get("/").await.is(200);
    let text = page.says("Who can stop it?").says("agents run and nobody can stop them").text();
    for link in [
        "/agents?runs=yes&amp;runtime_owner=none",
        "/agents?runs=yes&amp;runtime_owner=pending",
        "/agents?runs=yes&amp;runtime_owner=unable",
        "/agents?runs=no&amp;runtime_owner=none",
        "/agents?finding=no-runtime-owner",
        "/agents?finding=no-owner",
        "/agents?business_unit=Treasury",
    ] {
        assert!(text.contains(link), "{link}");
    }
    // The loud number opens exactly its rows.
    let loud = "/agents?runs=yes&runtime_owner=none&runtime_owner=inactive&runtime_owner=pending";
    assert!(text.contains(&format!(r#"<a href="{}" class="figure">2</a>"#, loud.replace('&', "&amp;"))), "{text}");
    lead.get(loud).await.is(200).says("2 rows");
    lead.get("/agents?vacant=purpose").await.is(200).says("4 rows").says("no business owner");
    // every number on it leads somewhere
    for part in text.split(r#"href="/agents?"#).skip(1) {
        let query = part.split('"').next().unwrap().replace("&amp;", "&");
        lead.get(&format!("/agents?{query}")).await.is(200);
    }
    for role in [Role::RiskAnalyst, Role::Auditor] {
        site.signed_in(role).await.get("/").await.is(200).says("Who can stop it?");
    }
    for role in [Role::Member, Role::Administrator] {
        let text = site.signed_in(role).await.get("/").await.is(200).text();
        assert!(!text.contains("Who can stop it?"), "{role} reads posture");
    }
}

#[tokio::test]
async fn offers_are_answered_right_there_and_several_at_once() {
    let site = Site::empty().await;
    let person = site.person("asked@muster.test", &[Role::Member]).await;
    let (one, two) = (agent(&site, "One <b>").await, agent(&site, "Two").await);
    for (id, duty) in [(one, Duty::Containment), (two, Duty::Containment), (two, Duty::Policy)] {
        offered(&site, id, duty, person).await;
    }
    let asked = site.signed_in_as(person).await;
    let text = asked.get("/").await.is(200).says("Waits for you").says("you run it").text();
    assert!(text.contains("One &lt;b&gt;") && text.contains(&format!(r#"value="{one}/containment""#)));
    asked.post("/", &[("answer", "accept")]).await.is(422).says("Tick the offers that you answer.");
    let policy = format!("{two}/policy");
    let declined = asked.post("/", &[("offer", policy.as_str()), ("answer", "decline")]).await.is(422);
    let text = declined.says("Say why you decline").text();
    assert!(text.contains(&format!(r#"value="{policy}" checked"#)), "{text}");
    asked.post("/", &[("offer", "AG-1/dance"), ("answer", "accept")]).await.is(422);
    let (a, b) = (format!("{one}/containment"), format!("{two}/containment"));
    asked.post("/", &[("offer", a.as_str()), ("offer", b.as_str()), ("answer", "accept")]).await.leads_to("/");
    asked.get("/").await.is(200).says("Accepted: 2 offers.").says("Yours");
    assert_eq!(site.events("assignment.accepted").await, 2);
    let why = [("offer", policy.as_str()), ("answer", "decline"), ("reason", "Not mine.")];
    asked.post("/", &why).await.leads_to("/");
    asked.post("/", &why).await.is(409).says("not on offer any more");
    // somebody else's offer
    offered(&site, one, Duty::Policy, person).await;
    let stranger = site.signed_in(Role::SecurityLead).await;
    let policy = format!("{one}/policy");
    stranger.post("/", &[("offer", policy.as_str()), ("answer", "accept")]).await.is(403);
}
