//! `/agents`: the inventory, one agent, its form, its past.

use domain::agent::{AgentFacts, CredentialKind, CredentialUse, Environment, Lifecycle, Running};
use domain::can::Actor;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Role};
use register::assignments::Mode;
use register::{By, agents, args, assignments, stops};

use crate::support::{Answer, Browser, Site};

/// An agent that runs, registered from the command line.
pub(crate) async fn agent(site: &Site, name: &str) -> AgentId {
    let mut facts = AgentFacts::named(name);
    facts.running = Running::Yes;
    facts.environment = Environment::Production;
    made(site, facts).await
}

pub(crate) async fn made(site: &Site, facts: AgentFacts) -> AgentId {
    let actor = Actor::cli();
    let by = By { actor: &actor, now: site.app.clock.now() };
    agents::create(&site.app.db, by, facts, Lifecycle::Draft).await.unwrap().id
}

/// Makes somebody own a duty, from the command line.
pub(crate) async fn owned(site: &Site, agent: AgentId, duty: Duty, by_whom: PersonId) {
    let actor = Actor::cli();
    let by = By { actor: &actor, now: site.app.clock.now() };
    let party = Party::Person(by_whom);
    assignments::assign(&site.app.db, by, agent, duty, party, Mode::Record, "known").await.unwrap();
}

pub(crate) async fn offered(site: &Site, agent: AgentId, duty: Duty, to: PersonId) {
    let actor = Actor::cli();
    let by = By { actor: &actor, now: site.app.clock.now() };
    let party = Party::Person(to);
    assignments::assign(&site.app.db, by, agent, duty, party, Mode::Offer, "you run it").await.unwrap();
}

/// How many rows the inventory shows, and which.
fn rows(answer: &Answer) -> Vec<String> {
    let text = answer.text();
    let body = text.split("<tbody>").nth(1).unwrap_or_default();
    body.split(r#"<a href="/agents/AG-"#).skip(1).map(|t| format!("AG-{}", t.split('"').next().unwrap())).collect()
}

async fn listed(browser: &Browser<'_>, query: &str) -> Vec<String> {
    let mut rows: Vec<String> = rows(&browser.get(&format!("/agents{query}")).await.is(200));
    rows.retain(|row| !row.contains("/assign"));
    rows
}

#[tokio::test]
async fn the_inventory_is_found_filtered_and_sorted() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    lead.get("/agents").await.is(200).says("No agents yet");
    let ledger = agent(&site, "Ledger reconciler").await;
    let quiet = made(&site, AgentFacts { running: Running::No, ..AgentFacts::named("Quiet one") }).await;
    let arabic = agent(&site, "وكيل الدعم 🤖").await;
    assert_eq!(listed(&lead, "").await, [ledger, quiet, arabic].map(|id| id.to_string()));
    assert_eq!(listed(&lead, "?sort=-name").await[0], arabic.to_string());
    assert_eq!(listed(&lead, "?runs=no").await, [quiet.to_string()]);
    assert_eq!(listed(&lead, "?q=recon").await, [ledger.to_string()]);
    assert_eq!(listed(&lead, "?q=%D9%88%D9%83%D9%8A%D9%84").await, [arabic.to_string()]);
    assert_eq!(listed(&lead, "?finding=no-runtime-owner&runs=yes").await.len(), 2);
    owned(&site, ledger, Duty::Containment, site.person("o@muster.test", &[Role::Member]).await).await;
    assert_eq!(listed(&lead, "?runtime_owner=unable").await, [ledger.to_string()]);
    let found = lead.get("/agents?runtime_owner=none&environment=production").await.is(200);
    assert_eq!(rows(&found).len(), 2, "the agent, and the link that assigns it");
    let text = found.text();
    assert!(text.contains("Who can stop it: Nobody") && text.contains("Environment: Production"), "chips");
    assert!(text.contains(&format!("/agents/{arabic}/assign?duty=containment")));
    lead.get("/agents?q=nothing+like+it").await.is(200).says("No agent matches").says("Show all agents");
    lead.get("/agents?tier=huge").await.is(422).says("low, moderate, high, critical");
    lead.get("/agents?sort=mood").await.is(422);
    lead.get("/agents?cursor=nonsense").await.is(422);
}

#[tokio::test]
async fn pages_lead_on_and_back_without_a_gap() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let first = lead.get("/agents?sort=name").await.is(200);
    let text = first.text();
    let next = text.split(r#"rel="next" href=""#).nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    assert!(next.contains("sort=name"), "{next}");
    let second = lead.get(&next).await.is(200);
    let back = second.text();
    let back = back.split(r#"rel="prev" href=""#).nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let again = lead.get(&back).await.is(200);
    assert_eq!(rows(&again), rows(&first));
    assert!(rows(&second).iter().all(|row| !rows(&first).contains(row)));
}

#[tokio::test]
async fn an_export_is_the_view_as_a_file_that_runs_nothing() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    made(&site, AgentFacts { purpose: "a \"quoted\",\nline".into(), ..AgentFacts::named("=cmd|' /C calc'!A0") }).await;
    made(&site, AgentFacts { running: Running::No, ..AgentFacts::named("Other") }).await;
    let answer = lead.get("/agents/export.csv?runs=yes").await.is(200);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert!(answer.header("content-disposition").starts_with("attachment; filename=\"muster-agents-"));
    let text = answer.text();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert!(lines[0].starts_with("\u{feff}reference,name,purpose"), "{}", lines[0]);
    assert!(lines[1].starts_with("AG-1,'=cmd|' /C calc'!A0,") || lines[1].starts_with("AG-1,\"'=cmd|"), "{}", lines[1]);
    assert!(text.contains("\"a \"\"quoted\"\",\nline\"") && !text.contains("Other"));
    site.signed_in(Role::Member).await.get("/agents/export.csv?runtime_owner=none").await.is(403);
}

#[tokio::test]
async fn who_may_not_see_controls_sees_names_and_owners() {
    let site = Site::empty().await;
    let owner = site.person("owner@muster.test", &[Role::Member]).await;
    let mut facts = AgentFacts::named("Ledger reconciler");
    facts.running = Running::Yes;
    facts.credentials.push(CredentialUse {
        name: "ledger-root-key".into(),
        kind: CredentialKind::LongLived,
        ttl_seconds: None,
        kept_in: "vault/ledger".into(),
        last_rotated: String::new(),
    });
    let id = made(&site, facts).await;
    owned(&site, id, Duty::Containment, owner).await;
    let path = format!("/agents/{id}");
    let stranger = site.signed_in(Role::Member).await;
    // The first member by number is the owner; somebody else looks.
    let other = site.person("other@muster.test", &[Role::Member]).await;
    drop(stranger);
    let stranger = site.signed_in_as(other).await;
    let text = stranger.get(&path).await.is(200).says("Name of owner@muster.test").text();
    assert!(text.contains("are for its owners, security, risk and auditors"));
    for hidden in ["ledger-root-key", "What is wrong now", "How it is stopped", "No means", "/edit", "/history"] {
        assert!(!text.contains(hidden), "{hidden}");
    }
    for refused in ["/edit", "/history", "/assign"] {
        stranger.get(&format!("{path}{refused}")).await.is(403);
    }
    stranger.get("/agents?runtime_owner=none").await.is(403);
    stranger.get("/agents?sort=runtime_owner").await.is(403);
    stranger.get("/agents").await.is(200).says("Runtime owner");

    let mine = site.signed_in_as(owner).await.get(&path).await.is(200).text();
    for shown in ["ledger-root-key", "What is wrong now", "How it is stopped", "/edit", "/history"] {
        assert!(mine.contains(shown), "{shown}");
    }
    let auditor = site.signed_in(Role::Auditor).await.get(&path).await.is(200).text();
    assert!(auditor.contains("ledger-root-key") && auditor.contains("What is wrong now"));
    for button in ["/edit\"", "/assign", "Record how to stop it"] {
        assert!(!auditor.contains(button), "an auditor is offered {button}");
    }
}

#[tokio::test]
async fn a_confidential_agent_does_not_exist_for_others() {
    let site = Site::empty().await;
    let id = made(&site, AgentFacts { confidential: true, ..AgentFacts::named("Hidden hand") }).await;
    let member = site.signed_in(Role::Member).await;
    for part in ["", "/edit", "/history", "/assign"] {
        member.get(&format!("/agents/{id}{part}")).await.is(404);
    }
    member.get("/agents/AG-999").await.is(404);
    member.get("/agents/nonsense").await.is(404);
    assert!(!member.get("/agents").await.is(200).text().contains("Hidden hand"));
    site.signed_in(Role::Auditor).await.get(&format!("/agents/{id}")).await.is(200).says("Hidden hand");
}

#[tokio::test]
async fn the_sentence_says_who_and_warns_where_nobody() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let id = agent(&site, "Ledger reconciler").await;
    let path = format!("/agents/{id}");
    let page = lead.get(&path).await.is(200);
    let text = page.says("Nobody answers for it").says("nobody can stop it").says("nobody revokes its keys").text();
    for duty in ["purpose", "containment", "identity"] {
        assert!(text.contains(&format!("{path}/assign?duty={duty}")), "{duty}");
    }
    let owner = site.person("owner@muster.test", &[Role::Member]).await;
    offered(&site, id, Duty::Containment, owner).await;
    lead.get(&path).await.is(200).says("nobody can stop it").says("offered");
    let mine = site.signed_in_as(owner).await;
    mine.get(&path).await.is(200).says("You are asked to be its");
    mine.post(&path, &[("do", "accept"), ("duty", "containment")]).await.leads_to(&path);
    mine.get(&path).await.is(200).says("Accepted: runtime owner of").says("but no way to do so is recorded");
    mine.post(&path, &[("do", "stop"), ("procedure", "Pull the plug.\nLook at the lamp.")]).await.leads_to(&path);
    let text = mine.get(&path).await.is(200).says("but has not shown it").text();
    assert!(text.contains("Pull the plug.\nLook at the lamp."));
    // An emptied procedure comes back, with what is wrong.
    mine.post(&path, &[("do", "stop"), ("procedure", " ")]).await.is(422).says("Write down, step by step");
    mine.post(&path, &[("do", "dance")]).await.is(409);
}

#[tokio::test]
async fn an_offer_is_declined_with_a_reason_and_withdrawn_by_whoever_made_it() {
    let site = Site::empty().await;
    let id = agent(&site, "Ledger reconciler").await;
    let path = format!("/agents/{id}");
    let person = site.person("asked@muster.test", &[Role::Member]).await;
    offered(&site, id, Duty::Purpose, person).await;
    let asked = site.signed_in_as(person).await;
    let answer = asked.post(&path, &[("do", "decline"), ("duty", "purpose")]).await.is(422);
    answer.says("Say why you decline").says("field-reason-decline-purpose");
    let done = asked
        .post(&path, &[("do", "decline"), ("duty", "purpose"), ("reason-decline-purpose", "I do not know it.")])
        .await;
    done.leads_to(&path);
    assert_eq!(site.events("assignment.declined").await, 1);

    offered(&site, id, Duty::Purpose, person).await;
    asked.post(&path, &[("do", "withdraw"), ("duty", "purpose")]).await.is(403);
    let lead = site.signed_in(Role::SecurityLead).await;
    lead.get(&path).await.is(200).says("Withdraw the offer");
    lead.post(&path, &[("do", "withdraw"), ("duty", "purpose")]).await.leads_to(&path);
    asked.post(&path, &[("do", "accept"), ("duty", "purpose")]).await.is(409).says("not on offer any more");
}

/// What a browser sends of the form of a new agent.
const WHOLE: &[(&str, &str)] = &[
    ("name", "Ledger reconciler"),
    ("purpose", "Reconciles."),
    ("kind", "workflow"),
    ("environment", "production"),
    ("hosting", "internal"),
    ("running", "yes"),
    ("autonomy", "acts-alone"),
    ("exposure", "internal"),
    ("data", "confidential"),
    ("labels", "cost=7"),
    ("external_ids", "cmdb=CI-1"),
    ("tool-0-name", "Ledger API"),
    ("tool-0-kind", "internal-api"),
    ("tool-0-access", "write"),
    ("tool-0-sensitivity", "high"),
    ("tool-1-name", ""),
    ("tool-1-kind", "other"),
    ("credential-0-name", "ledger key"),
    ("credential-0-kind", "short-lived"),
    ("credential-0-lifetime", "8h"),
    ("do", "save"),
];

fn with<'a>(fields: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut out: Vec<(&str, &str)> =
        fields.iter().copied().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name)).collect();
    out.extend(changes);
    out
}

#[tokio::test]
async fn an_agent_is_registered_by_a_form() {
    let site = Site::empty().await;
    let member = site.signed_in(Role::Member).await;
    member.get("/agents/new").await.is(200).says("Only the name is needed now");
    member.post("/agents/new", WHOLE).await.leads_to("/agents/AG-1");
    let text = member.get("/agents/AG-1").await.is(200).says("AG-1 is registered.").text();
    for part in ["Ledger API", "ledger key", "8h", "CI-1", "cost"] {
        assert!(text.contains(part), "{part}");
    }
    assert_eq!(site.events("agent.created").await, 1);
    site.signed_in(Role::Auditor).await.post("/agents/new", WHOLE).await.is(403);
    site.signed_in(Role::Administrator).await.get("/agents/new").await.is(403);
}

#[tokio::test]
async fn a_refused_form_comes_back_with_what_was_typed() {
    let site = Site::empty().await;
    let member = site.signed_in(Role::Member).await;
    let nasty = "\"><script>alert(1)</script>";
    let typed = with(
        WHOLE,
        &[
            ("name", " "),
            ("purpose", nasty),
            ("hosting", "vendor-managed"),
            ("credential-0-lifetime", "soon"),
            ("tool-3-name", "Ledger api"),
            ("external_ids", "nonsense"),
        ],
    );
    let text = member.post("/agents/new", &typed).await.is(422).text();
    for part in [
        "Enter a name.",
        "Name the vendor that hosts it.",
        "Enter a lifetime such as 15m",
        "It is named twice.",
        "write the source",
        r#"value="soon""#,
        r#"value="Ledger api""#,
        "nonsense",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert!(!text.contains("<script>alert"), "escaped");
    assert_eq!(site.events("agent.created").await, 0);
}

#[tokio::test]
async fn more_rows_and_a_preview_keep_what_was_typed() {
    let site = Site::empty().await;
    let member = site.signed_in(Role::Member).await;
    let more = member.post("/agents/new", &with(WHOLE, &[("do", "more-tools")])).await.is(200);
    let text = more.says("Ledger API").text();
    assert!(text.contains(r#"name="tool-5-name""#) && !text.contains("need correcting"));
    let preview = member.post("/agents/new", &with(WHOLE, &[("do", "preview")])).await.is(200);
    // acts alone 4, confidential 3, production 2, write 2, high sensitivity 2
    preview.says("13 points").says("level l3").says("Autonomy: Acts alone");
    assert_eq!(site.events("agent.created").await, 0);
}

#[tokio::test]
async fn an_edit_says_why_and_meets_another_kindly() {
    let site = Site::empty().await;
    let risk = site.signed_in(Role::RiskAnalyst).await;
    let id = agent(&site, "Ledger reconciler").await;
    let path = format!("/agents/{id}/edit");
    let page = risk.get(&path).await.is(200).text();
    assert!(page.contains(r#"name="version" value="1""#) && page.contains(r#"value="Ledger reconciler""#));
    let first = with(WHOLE, &[("version", "1"), ("business_unit", "Treasury"), ("reason", "It moved.")]);
    risk.post(&path, &first).await.leads_to(&format!("/agents/{id}"));
    let second = with(WHOLE, &[("version", "1"), ("business_unit", "Accounting"), ("purpose", "Mine.")]);
    let text = risk.post(&path, &second).await.is(409).text();
    for part in ["Somebody else changed it first", "Treasury", "Accounting", "Mine.", r#"name="version" value="2""#] {
        assert!(text.contains(part), "{part}");
    }
    let third = with(&second, &[("version", "2")]);
    risk.post(&path, &third).await.leads_to(&format!("/agents/{id}"));
    risk.get(&format!("/agents/{id}")).await.is(200).says("Accounting").says("Mine.");
    risk.get(&format!("/agents/{id}/history")).await.is(200).says("It moved.").says("Treasury");
}

#[tokio::test]
async fn an_approved_boundary_is_shown_and_not_asked_for() {
    let site = Site::empty().await;
    site.signed_in(Role::Member).await.post("/agents/new", WHOLE).await.leads_to("/agents/AG-1");
    site.app.db.run("UPDATE agent SET state = 'active' WHERE id = 1", args![]).await.unwrap();
    let risk = site.signed_in(Role::RiskAnalyst).await;
    let page = risk.get("/agents/AG-1/edit").await.is(200).says("Part of the approved boundary.").text();
    assert!(!page.contains("more-tools") && !page.contains("tool-1-name") && !page.contains("tier-preview"));
    // What a browser sends of it: nothing that is disabled.
    let sent = [
        ("version", "1"),
        ("name", "Renamed"),
        ("kind", "workflow"),
        ("running", "yes"),
        ("labels", "cost=8"),
        ("credential-0-name", "ledger key"),
        ("credential-0-kind", "short-lived"),
        ("credential-0-lifetime", "12h"),
        ("do", "save"),
    ];
    risk.post("/agents/AG-1/edit", &with(&sent, &[("labels", "bare")])).await.is(422).says("write the key");
    risk.post("/agents/AG-1/edit", &sent).await.leads_to("/agents/AG-1");
    let by = By { actor: &Actor::cli(), now: site.app.clock.now() };
    let facts = agents::read(&site.app.db, by, AgentId(1)).await.unwrap().judged.agent.facts;
    assert_eq!((facts.name.as_str(), facts.labels["cost"].as_str()), ("Renamed", "8"));
    assert_eq!((facts.environment, facts.purpose.as_str()), (Environment::Production, "Reconciles."));
    assert_eq!((facts.tools.len(), facts.credentials[0].ttl_seconds), (1, Some(43_200)));
    // What is sent all the same is refused, not dropped.
    let other = with(&sent, &[("version", "2"), ("purpose", "Pays.")]);
    risk.post("/agents/AG-1/edit", &other).await.is(409).says("not edited in place");
}

#[tokio::test]
async fn the_past_answers_who_was_accountable() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let id = agent(&site, "Ledger reconciler").await;
    let before = site.app.clock.now();
    site.app.clock.advance(chrono::TimeDelta::days(2));
    owned(&site, id, Duty::Containment, site.person("later@muster.test", &[Role::Member]).await).await;
    site.app.clock.advance(chrono::TimeDelta::days(2));
    let lead_again = site.signed_in(Role::SecurityLead).await;
    drop(lead);
    let path = format!("/agents/{id}/history");
    let at = |t: chrono::DateTime<chrono::Utc>| format!("{path}?at={}", t.format("%Y-%m-%dT%H:%M:%S"));
    let then = lead_again.get(&at(before + chrono::TimeDelta::days(1))).await.is(200);
    then.says("was accountable for anything at");
    let moment = (before + chrono::TimeDelta::days(1)).format("%Y-%m-%dT%H:%M");
    let zulu = lead_again.get(&format!("{path}?at={moment}Z")).await.is(200);
    zulu.says(&format!(r#"value="{moment}:00""#));
    lead_again.get(&at(before + chrono::TimeDelta::days(3))).await.is(200).says("Name of later@muster.test");
    lead_again.get(&at(before - chrono::TimeDelta::days(3))).await.is(200).says("not on record yet");
    lead_again.get(&at(before + chrono::TimeDelta::days(300))).await.is(422).says("has not come yet");
    let wrong = lead_again.get(&format!("{path}?at=soonish")).await.is(422);
    wrong.says("2026-07-03T14:05").says(r#"value="soonish""#);
}

#[tokio::test]
async fn help_explains_every_check_and_the_tiers() {
    let site = Site::empty().await;
    let member = site.signed_in(Role::Member).await;
    let text = member.get("/help/findings").await.is(200).text();
    for key in domain::finding::FindingKey::ALL {
        assert!(text.contains(key.key()), "{key}");
    }
    member.get("/help/tiers").await.is(200).says("Acts alone").says("14 and more");
}

#[tokio::test]
async fn a_drill_is_told_in_the_sentence() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let id = agent(&site, "Ledger reconciler").await;
    let owner = site.person("owner@muster.test", &[Role::Member]).await;
    owned(&site, id, Duty::Containment, owner).await;
    let actor = Actor::cli();
    let by = By { actor: &actor, now: site.app.clock.now() };
    stops::record_procedure(&site.app.db, by, id, "Stop it.").await.unwrap();
    let text = lead.get(&format!("/agents/{id}")).await.is(200).text();
    assert!(text.contains("Written procedure, version 1") && text.contains("has not shown yet that it works"));
    let rows = site.app.db.all("SELECT id FROM stop_method WHERE agent_id = $1", args![id]).await.unwrap();
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn a_member_is_told_of_no_owner_who_was_only_asked_and_of_their_own_agents_all() {
    let site = Site::empty().await;
    let (bea, ravi) =
        (site.person("bea@muster.test", &[Role::Member]).await, site.person("ravi@muster.test", &[Role::Member]).await);
    let asked = agent(&site, "Asked for").await;
    offered(&site, asked, Duty::Containment, ravi).await;
    let hers = agent(&site, "Hers").await;
    owned(&site, hers, Duty::Purpose, bea).await;
    let bea = site.signed_in_as(bea).await;
    let list = bea.get("/agents").await.is(200).says("nobody, offered to").says("ravi@muster.test").text();
    assert_eq!(list.matches(r#"<span class="badge severe">Nobody</span>"#).count(), 1, "{list}");
    // Home says it of what is hers, loudly.
    bea.get("/").await.is(200).says(r#"<span class="badge severe">Nobody</span>"#);
    let items = bea.get("/api/v1/agents").await.is(200).body();
    assert_eq!(items["items"][0]["runtime_owner"], serde_json::json!({"state": null, "party": null}), "{items}");
    assert_eq!(items["items"][1]["runtime_owner"], serde_json::json!({"state": "none", "party": null}), "{items}");
    let csv = bea.get("/agents/export.csv").await.is(200).text();
    assert!(!csv.contains("ravi@muster.test"), "{csv}");
}
