//! Assigning a duty: of one agent, and of many at once.

use domain::agent::{AgentFacts, Running};
use domain::can::Actor;
use domain::duty::Duty;
use domain::id::TeamId;
use domain::party::{Role, TeamKind};
use register::{By, args, teams};

use crate::agents::{agent, made, offered, owned};
use crate::support::Site;

async fn team(site: &Site, name: &str, lead: domain::id::PersonId) -> TeamId {
    let actor = Actor::cli();
    let by = By { actor: &actor, now: site.app.clock.now() };
    let fields =
        teams::Fields { name: name.into(), kind: TeamKind::Platform, lead: Some(lead), deputy: None, members: None };
    teams::create(&site.app.db, by, &fields).await.unwrap().id
}

async fn count(site: &Site, condition: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM assignment WHERE valid_to IS NULL AND {condition}");
    site.app.db.one(sql, args![]).await.unwrap().unwrap().get(0).unwrap()
}

#[tokio::test]
async fn a_duty_is_offered_by_name_address_or_reference() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let ada = site.person("ada@muster.test", &[Role::Member]).await;
    let id = agent(&site, "Ledger reconciler").await;
    let path = format!("/agents/{id}/assign");
    let page = lead.get(&format!("{path}?duty=containment")).await.is(200).text();
    assert!(
        page.contains(r#"value="containment" selected"#) && page.contains("Name of ada@muster.test (PE-"),
        "{page}"
    );
    for (duty, typed) in [
        ("containment", "ada@muster.test".to_owned()),
        ("purpose", "name of ADA@muster.TEST".to_owned()),
        ("policy", ada.to_string()),
        ("identity", format!("Name of ada@muster.test ({ada})")),
    ] {
        let done = lead.post(&path, &[("duty", duty), ("party", &typed), ("role", "A"), ("mode", "offer")]).await;
        done.leads_to(&format!("/agents/{id}"));
    }
    assert_eq!(count(&site, "role = 'A' AND accepted_at IS NULL").await, 4);
}

#[tokio::test]
async fn an_unclear_name_is_asked_again_and_keeps_the_rest() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let first = site.person("sam@a.test", &[Role::Member]).await;
    site.person("sam@b.test", &[Role::Member]).await;
    let id = agent(&site, "Ledger reconciler").await;
    let path = format!("/agents/{id}/assign");
    let typed = [("duty", "policy"), ("party", "name of sam"), ("reason", "They know <it>"), ("mode", "record")];
    let text = lead.post(&path, &typed).await.is(422).text();
    for part in ["Did you mean", "sam@a.test", "sam@b.test", r#"value="name of sam""#, "They know &lt;it&gt;"] {
        assert!(text.contains(part), "{part}");
    }
    let chosen = format!("Name of sam@a.test ({first})");
    let mut choose = typed.to_vec();
    let pressed = format!("party:{chosen}");
    assert!(text.contains(&format!(r#"value="{pressed}""#)), "each is a press away");
    choose.push(("choose", &pressed));
    let text = lead.post(&path, &choose).await.is(200).text();
    assert!(text.contains(&format!(r#"value="{chosen}""#)) && text.contains("They know &lt;it&gt;"));
    // Part of a name appoints nobody, even if it fits one alone.
    for part in ["name of sam@a", "Name of sam@a.tes", "sam"] {
        let one = [("duty", "policy"), ("party", part), ("role", "A"), ("mode", "offer")];
        lead.post(&path, &one).await.is(422);
    }
    assert_eq!(site.events("assignment.offered").await, 0, "nobody was appointed by a guess");
    lead.post(&path, &[("duty", ""), ("party", "")])
        .await
        .is(422)
        .says("Choose a duty.")
        .says("Enter a person or a team.");
    lead.post(&path, &[("duty", "policy"), ("party", "Nobody Atall")])
        .await
        .is(422)
        .says("Nobody and no team is called");
    lead.post(&path, &[("duty", "policy"), ("party", "PE-999")]).await.is(422).says("There is no PE-999");
    // recording says how one knows
    let record = [("duty", "policy"), ("party", chosen.as_str()), ("role", "A"), ("mode", "record"), ("reason", "")];
    lead.post(&path, &record).await.is(422).says("how you know");
}

#[tokio::test]
async fn who_does_the_work_is_named_at_once() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let ada = site.person("ada@muster.test", &[Role::Member]).await;
    let id = agent(&site, "Ledger reconciler").await;
    let path = format!("/agents/{id}/assign");
    let ada = ada.to_string();
    let typed = [("duty", "policy"), ("party", ada.as_str()), ("role", "R")];
    lead.post(&path, &typed).await.leads_to(&format!("/agents/{id}"));
    assert_eq!(count(&site, "role = 'R' AND accepted_at IS NOT NULL").await, 1);
    lead.post(&path, &typed).await.is(422).says("already");
    assert_eq!(site.events("assignment.added").await, 1);
}

#[tokio::test]
async fn only_a_security_lead_records_and_only_owners_offer() {
    let site = Site::empty().await;
    let owner = site.person("owner@muster.test", &[Role::Member]).await;
    let other = site.person("other@muster.test", &[Role::Member]).await;
    let id = agent(&site, "Ledger reconciler").await;
    owned(&site, id, Duty::Purpose, owner).await;
    let path = format!("/agents/{id}/assign");
    let mine = site.signed_in_as(owner).await;
    let page = mine.get(&path).await.is(200).text();
    assert!(!page.contains("Record that they hold it already"));
    let other_id = other.to_string();
    let typed = [("duty", "policy"), ("party", other_id.as_str()), ("role", "A"), ("mode", "record"), ("reason", "so")];
    mine.post(&path, &typed).await.is(403);
    let typed = [("duty", "policy"), ("party", other_id.as_str()), ("role", "A"), ("mode", "offer")];
    mine.post(&path, &typed).await.leads_to(&format!("/agents/{id}"));
    let stranger = site.signed_in_as(other).await;
    // Whoever is asked may look, and having registered nothing may not yet hand on.
    site.signed_in(Role::Auditor).await.post(&path, &typed).await.is(403);
    site.signed_in(Role::Administrator).await.get(&path).await.is(403);
    drop(stranger);
}

#[tokio::test]
async fn many_agents_get_an_owner_at_once() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let ada = site.person("ada@muster.test", &[Role::Member]).await;
    let bob = site.person("bob@muster.test", &[Role::Member]).await;
    let crew = team(&site, "Runtime crew", ada).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(agent(&site, &format!("Agent {n}")).await);
    }
    made(&site, AgentFacts { running: Running::No, ..AgentFacts::named("Idle") }).await;
    owned(&site, ids[0], Duty::Containment, bob).await;
    offered(&site, ids[1], Duty::Containment, bob).await;

    let inventory = lead.get("/agents?runs=yes").await.is(200).text();
    assert!(inventory.contains(r#"formmethod="get""#) && inventory.contains("Assign…"));
    lead.get("/agents/assign").await.leads_to("/agents");
    let form = lead.get("/agents/assign?all=yes&runs=yes").await.is(200);
    let text = form.says("Assign a duty of 5 agents").says("Agent 0").text();
    assert!(text.contains(r#"name="query" value="runs=yes""#) && !text.contains("Idle"), "{text}");

    let crew = crew.to_string();
    let ask = |pressed: &'static str, mode: &'static str| {
        vec![
            ("all", "yes"),
            ("query", "runs=yes"),
            ("next", "/agents?runs=yes"),
            ("duty", "containment"),
            ("party", "runtime crew"),
            ("mode", mode),
            ("reason", "They run the platform."),
            ("do", pressed),
        ]
    };
    let preview = lead.post("/agents/assign", &ask("preview", "record")).await.is(200);
    let text = preview.says("What will happen").says("Yes, record it for 4 agents").text();
    assert!(text.contains("1 agent stay as they are") && text.contains(&format!("Runtime crew ({crew})")), "{text}");
    let offer = lead.post("/agents/assign", &ask("preview", "offer")).await.is(200);
    offer.says("Yes, offer it for 5 agents").says("1 agent keep").says("on offer to somebody else now");
    assert_eq!(count(&site, "party_kind = 'team'").await, 0, "a preview writes nothing");

    let done = lead.post("/agents/assign", &ask("confirm", "record")).await;
    done.leads_to("/agents?runs=yes");
    lead.get("/agents?runs=yes").await.is(200).says("Runtime crew is runtime owner of 4 agents. 1 was left as before");
    assert_eq!(count(&site, "party_kind = 'team' AND accepted_at IS NOT NULL").await, 4);
    assert_eq!(site.events("assignment.recorded").await, 5, "four now, one before");
    lead.get("/").await.is(200).says("Everything that runs has somebody to stop it");
}

#[tokio::test]
async fn a_refused_bulk_assignment_keeps_what_was_picked_and_typed() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let ids = [agent(&site, "One").await.to_string(), agent(&site, "Two").await.to_string()];
    let typed = [
        ("id", ids[0].as_str()),
        ("id", ids[1].as_str()),
        ("id", ids[1].as_str()),
        ("duty", "policy"),
        ("party", "who"),
        ("mode", "record"),
        ("reason", " "),
        ("do", "preview"),
    ];
    let text = lead.post("/agents/assign", &typed).await.is(422).text();
    for part in ["Assign a duty of 2 agents", r#"value="who""#, "how you know", "Nobody and no team is called"] {
        assert!(text.contains(part), "{part}");
    }
    assert_eq!(text.matches(r#"name="id""#).count(), 2);
    lead.post("/agents/assign", &[("id", "AG-99x"), ("do", "preview")]).await.is(404);
    lead.get("/agents/assign?id=AG-999&id=AG-1").await.is(200);
    let gone = [("id", "AG-999"), ("duty", "policy"), ("party", "PE-1"), ("mode", "offer"), ("do", "confirm")];
    lead.post("/agents/assign", &gone).await.is(404);
}

#[tokio::test]
async fn an_open_offer_is_named_before_it_ends() {
    let site = Site::empty().await;
    let lead = site.person("lead@muster.test", &[Role::SecurityLead]).await;
    let lead = site.signed_in_as(lead).await;
    site.person("sam@muster.test", &[Role::Member]).await;
    site.person("ida@muster.test", &[Role::Member]).await;
    let id = agent(&site, "Ledger reconciler").await;
    let path = format!("/agents/{id}/assign");
    let offer = |to: &'static str| [("duty", "policy"), ("party", to), ("role", "A"), ("mode", "offer")];
    lead.post(&path, &offer("sam@muster.test")).await.is(303);
    for address in [path.clone(), format!("{path}?duty=policy")] {
        let page = lead.get(&address).await.is(200).says("is offered to");
        page.says("Name of sam@muster.test").says("ends that offer");
    }
    let other = lead.get(&format!("{path}?duty=purpose")).await.is(200).text();
    assert!(!other.contains("ends that offer"), "of another duty nothing ends");
    lead.post(&path, &offer("ida@muster.test")).await.is(303);
    lead.get(&format!("/agents/{id}")).await.is(200).says("The offer to Name of sam@muster.test is taken back.");
}
