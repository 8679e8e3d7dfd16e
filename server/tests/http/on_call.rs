//! On call, reach, "still yours?" and succession, as they are used without JavaScript.

use axum::http::Method;
use chrono::TimeDelta;
use domain::can::Scope;
use domain::id::PersonId;
use domain::party::Role;
use register::args;
use register::tokens::NewToken;
use serde_json::json;

use crate::contract::Program;
use crate::handovers::waits;
use crate::support::Site;

/// Ravi leads Agent platform (TE-3) with Mateo (PE-29) and Keiko (PE-28); Bea is PE-4.
const RAVI: PersonId = PersonId(5);

#[tokio::test]
async fn a_schedule_is_written_and_read() {
    let site = Site::demo().await;
    let ravi = site.signed_in_as(RAVI).await;
    let page = ravi.get("/teams/TE-3/on-call").await.is(200);
    let page = page.says("is on call now").says("Change the rotation").says("Can they be reached?").text();
    let version = page.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();

    // What was typed stays, with the message beside it.
    let form = |people: &'static str, turn: &'static str| {
        vec![("do", "rotation"), ("people", people), ("turn", turn), ("unit", "days")]
    };
    let mut wrong = form("Bea Lindqvist", "x");
    wrong.push(("version", version.as_str()));
    let answer = ravi.post("/teams/TE-3/on-call", &wrong).await.is(422);
    answer.says("Bea Lindqvist</textarea>").says("Enter a whole number");
    let mut outside = form("PE-4", "2");
    outside.push(("version", version.as_str()));
    ravi.post("/teams/TE-3/on-call", &outside).await.is(422).says("is not in Agent platform");
    let mut good = form("PE-29\nPE-5", "2");
    good.push(("version", version.as_str()));
    ravi.post("/teams/TE-3/on-call", &good).await.leads_to("/teams/TE-3/on-call");
    ravi.post("/teams/TE-3/on-call", &good).await.is(409).says("meantime");
    ravi.get("/teams/TE-3/on-call").await.is(200).says("Mateo Rojas</a><!></strong> is on call now");

    // Somebody else takes over, and gives it back.
    let cover = [("do", "cover"), ("person", "PE-4"), ("until", "2030-01-01T00:00")];
    ravi.post("/teams/TE-3/on-call", &cover).await.is(422).says("92 days at most").says("2030-01-01T00:00");
    let until = (site.app.clock.now() + TimeDelta::days(2)).format("%Y-%m-%dT%H:%M").to_string();
    let cover = [("do", "cover"), ("person", "PE-4"), ("until", until.as_str())];
    ravi.post("/teams/TE-3/on-call", &cover).await.leads_to("/teams/TE-3/on-call");
    let page =
        ravi.get("/teams/TE-3/on-call").await.is(200).says("Bea Lindqvist</a><!></strong> is on call now").text();
    let number = page.split("name=\"cover\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    ravi.post("/teams/TE-3/on-call", &[("do", "cancel"), ("cover", &number)]).await.leads_to("/teams/TE-3/on-call");
    ravi.get("/teams/TE-3/on-call").await.is(200).says("Mateo Rojas</a><!></strong> is on call now");
    // Who has no business with the team reads it and changes nothing.
    let bea = site.signed_in(Role::Member).await;
    let page = bea.get("/teams/TE-3/on-call").await.is(200).text();
    assert!(!page.contains("Change the rotation") && !page.contains("Can they be reached?"), "{page}");
}

#[tokio::test]
async fn the_schedule_through_the_api() {
    let site = Site::demo().await;
    let program = Program(site.program(&[domain::can::Scope::Write]).await);
    let path = "/api/v1/teams/TE-3/on-call";
    let read = program.get(path).await.is(200);
    let etag = read.header("etag").to_owned();
    assert_eq!(read.body()["rotation"]["people"], json!(["PE-5", "PE-29", "PE-28"]));
    let body = json!({"people": ["PE-28"], "turn_hours": 24, "reason": "Short of people"});
    program.ask(Method::PUT, path, &[], Some(&body)).await.is_problem(428, "precondition-required");
    let saved = program.put(path, &etag, body.clone()).await.is(200).body();
    assert_eq!((&saved["person"], &saved["why"], &saved["until"]), (&json!("PE-28"), &json!("turn"), &json!(null)));
    program.put(path, &etag, body).await.is(412);
    // The past answers as it was, and a moment that is none is refused.
    let then = program.get(&format!("{path}?at=2026-06-01T00:00:00Z")).await.is(200).body();
    assert!(then["person"].is_string() && then["at"] == "2026-06-01T00:00:00Z", "{then}");
    program.get(&format!("{path}?at=soon")).await.is(422);
    let none = program.get("/api/v1/teams/TE-1/on-call").await.is(200).body();
    assert_eq!((&none["person"], &none["why"]), (&json!(null), &json!("no-rotation")));

    let body = json!({"person": "PE-999", "until": "2026-01-01T00:00:00Z"});
    let wrong = program.post(&format!("{path}/overrides"), body).await.is(422).body();
    let pointers: Vec<_> = wrong["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
    assert_eq!(pointers, ["/person", "/until"]);
    let until = site.app.clock.now() + TimeDelta::hours(5);
    let made =
        program.post(&format!("{path}/overrides"), json!({"person": "PE-4", "until": until})).await.is(200).body();
    assert_eq!(program.get(path).await.is(200).body()["why"], "override");
    let end = format!("{path}/overrides/{}/cancellation", made["id"]);
    program.post(&end, json!({"reason": "Not needed"})).await.is(200);
    program.post(&end, json!({})).await.is(409);

    // Who is away takes no turn.
    let away = program.post("/api/v1/people/PE-28/absences", json!({"until": until})).await.is(200).body();
    assert_eq!(program.get(path).await.is(200).body()["why"], "all-away");
    assert_eq!(program.get("/api/v1/people/PE-28/absences").await.is(200).body()["total"], 1);
    program.post(&format!("/api/v1/people/PE-28/absences/{}/end", away["id"]), json!({})).await.is(200);
    assert_eq!(program.get(path).await.is(200).body()["why"], "turn");
}

#[tokio::test]
async fn a_channel_is_tested_by_two_programs() {
    let site = Site::demo().await;
    let of = async |person: Option<PersonId>, scope| {
        let new = NewToken { name: "r".into(), scopes: vec![scope], owner: person, ..NewToken::default() };
        Program(site.token(new).await)
    };
    let ravi = of(Some(RAVI), Scope::Write).await;
    let mateo = of(Some(PersonId(29)), Scope::Write).await;
    let stranger = of(Some(PersonId(4)), Scope::Write).await;
    let nobody = of(None, Scope::Admin).await;
    let path = "/api/v1/people/PE-5/channels";
    let before = ravi.get(path).await.is(200).body()["total"].as_i64().unwrap();
    stranger.get(path).await.is_problem(403, "forbidden");
    mateo.post(path, json!({"kind": "pager", "address": "pager 1"})).await.is_problem(403, "forbidden");
    let wrong = ravi.post(path, json!({"kind": "phone", "address": "call me"})).await.is_problem(422, "invalid");
    assert_eq!(wrong.body()["errors"][0]["pointer"], "/address");
    ravi.post(path, json!({"kind": "pigeon", "address": "x"})).await.is_problem(422, "invalid");
    let made = ravi.post(path, json!({"kind": "pager", "address": " pager 4711 "})).await.is(200).body();
    assert_eq!((&made["address"], &made["tested_at"]), (&json!("pager 4711"), &json!(null)));
    ravi.post(path, json!({"kind": "pager", "address": "pager 4711"})).await.is_problem(422, "invalid");
    let one = format!("{path}/{}", made["id"]);

    // A colleague begins it; the person says what came, and nobody else can.
    ravi.post(&format!("{one}/test"), json!({})).await.is_problem(409, "conflict");
    stranger.post(&format!("{one}/test"), json!({})).await.is_problem(403, "forbidden");
    nobody.post(&format!("{one}/test"), json!({})).await.is_problem(403, "forbidden");
    mateo.post(&format!("{path}/99999/test"), json!({})).await.is_problem(404, "not-found");
    let begun = mateo.post(&format!("{one}/test"), json!({})).await.is(200).body();
    let code = begun["code"].as_str().unwrap();
    assert_eq!((code.len(), &begun["channel"]["address"]), (6, &json!("pager 4711")));
    mateo.post(&format!("{one}/prove"), json!({"code": code})).await.is_problem(403, "forbidden");
    let other = if code == "000000" { "000001" } else { "000000" };
    let refused = ravi.post(&format!("{one}/prove"), json!({"code": other})).await.is_problem(422, "invalid");
    assert_eq!(refused.body()["errors"][0]["pointer"], "/code");
    let proved = ravi.post(&format!("{one}/prove"), json!({"code": code})).await.is(200).body();
    assert!(proved["tested_at"].is_string() && proved["counts_until"].is_string(), "{proved}");
    ravi.post(&format!("{one}/prove"), json!({"code": code})).await.is_problem(409, "conflict");
    assert_eq!(mateo.get(path).await.is(200).body()["total"].as_i64().unwrap(), before + 1);
    mateo.post(&format!("{one}/removal"), json!({})).await.is_problem(403, "forbidden");
    ravi.post(&format!("{one}/removal"), json!({})).await.is(200);
    ravi.post(&format!("{one}/removal"), json!({})).await.is_problem(404, "not-found");
    assert_eq!(ravi.get(path).await.is(200).body()["total"].as_i64().unwrap(), before);
}

#[tokio::test]
async fn a_channel_is_tested_by_two() {
    let site = Site::demo().await;
    let ravi = site.signed_in_as(RAVI).await;
    let add = [("do", "channel"), ("kind", "phone"), ("address", "nowhere")];
    ravi.post("/people/PE-5/reach", &add).await.is(422).says("telephone number").says("value=\"nowhere\"");
    let add = [("do", "channel"), ("kind", "pager"), ("address", "pager 4711")];
    ravi.post("/people/PE-5/reach", &add).await.leads_to("/people/PE-5/reach");
    let row = site.app.db.one("SELECT id FROM channel WHERE address = $1", args!["pager 4711"]).await.unwrap();
    let channel = row.unwrap().get::<i64>(0).unwrap().to_string();
    let test = [("do", "test"), ("channel", channel.as_str())];
    ravi.post("/people/PE-5/reach", &test).await.is(409).says("A colleague begins the test");

    // A colleague of the team sees the code once.
    let mateo = site.signed_in_as(PersonId(29)).await;
    mateo.get("/people/PE-5/reach").await.is(200).says("pager 4711").says("Never tested");
    mateo.post("/people/PE-5/reach", &test).await.leads_to("/people/PE-5/reach");
    let page = mateo.get("/people/PE-5/reach").await.is(200).says("Pass this code on").text();
    let code = page.split("<code class=\"secret\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(!mateo.get("/people/PE-5/reach").await.is(200).text().contains("Pass this code on"), "once");

    // The person types it under their account; a wrong one is counted.
    ravi.get("/account").await.is(200).says("Did the code come?").says("Mateo Rojas");
    let wrong = if code.starts_with("000") { "111 111" } else { "000 000" };
    let typed = |code: &str| {
        [
            ("do".to_owned(), "code".to_owned()),
            ("channel".into(), channel.clone()),
            (format!("code-{channel}"), code.to_owned()),
        ]
    };
    let send = async |code: &str| {
        let fields = typed(code);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        ravi.post("/people/PE-5/reach", &fields).await
    };
    send(wrong).await.is(422).says("4 tries are left");
    send(&code).await.leads_to("/people/PE-5/reach");
    let page = ravi.get("/people/PE-5/reach").await.is(200);
    assert!(!page.text().contains("Never tested"), "{}", page.text());
    assert_eq!(site.events("channel.tested").await, 1);

    // Who is not a colleague reads no address; when they are away everybody may know.
    let bea = site.signed_in(Role::Member).await;
    let page = bea.get("/people/PE-5/reach").await.is(200).says("They are not away").text();
    assert!(!page.contains("4711") && !page.contains("Add a channel"), "{page}");
    let until = (site.app.clock.now() + TimeDelta::days(2)).format("%Y-%m-%dT%H:%M").to_string();
    ravi.post("/people/PE-5/reach", &[("do", "away"), ("until", "never")]).await.is(422).says("value=\"never\"");
    ravi.post("/people/PE-5/reach", &[("do", "away"), ("until", &until)]).await.leads_to("/people/PE-5/reach");
    ravi.get("/people/PE-5/reach").await.is(200).says("Not reached");
    ravi.get("/teams/TE-3/on-call").await.is(200).says("Ravi Menon");
}

#[tokio::test]
async fn owners_are_asked_and_answer_at_once() {
    let site = Site::demo().await;
    // Priya, head of dispatch, changed department.
    let priya = site.signed_in_as(PersonId(12)).await;
    priya.get("/").await.is(200).says("Still yours?").says("to be confirmed");
    let page = priya.get("/still-yours").await.is(200).says("You changed department").says("Not mine any more").text();
    let keys: Vec<String> =
        page.split("name=\"seen\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
    assert!(keys.len() > 1, "{page}");
    // Decisions wait for her too.
    let others = waits(&page).and_then(|n| n.parse::<usize>().ok()).and_then(|n| n.checked_sub(keys.len())).unwrap();
    priya.post("/still-yours", &[("do", "picked")]).await.is(422).says("Tick the duties");
    priya.post("/still-yours", &[("do", "picked"), ("duty", "AG-1/purpose")]).await.is(403);
    priya.post("/still-yours", &[("do", "picked"), ("duty", &keys[0])]).await.leads_to("/still-yours");
    let page = priya.get("/teams").await.is(200).text();
    let left = (others + keys.len() - 1).to_string();
    assert_eq!(waits(&page), Some(left.as_str()), "counted again after a press");
    let rest: Vec<(&str, &str)> =
        [("do", "all")].into_iter().chain(keys[1..].iter().map(|k| ("seen", k.as_str()))).collect();
    priya.post("/still-yours", &rest).await.leads_to("/still-yours");
    priya.get("/still-yours").await.is(200).says("Nothing is asked of you");
    assert_eq!(site.events("assignment.confirmed").await, keys.len() as i64);
}

#[tokio::test]
async fn what_a_leaver_owned_is_offered_by_one_press() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    // Lucas (PE-11) left; Anneke (PE-10) is his manager.
    lead.get("/people/PE-11").await.is(200).says("Offer 1 duty to ").says("Anneke de Boer");
    let agent = site
        .app
        .db
        .one(
            "SELECT agent_id FROM assignment WHERE party_kind = 'person' AND party_id = 11 AND role = 'A' LIMIT 1",
            args![],
        )
        .await
        .unwrap()
        .unwrap()
        .get::<domain::id::AgentId>(0)
        .unwrap();
    lead.get("/agents?finding=owner-inactive").await.is(200).says("Offer business owner to <bdi>Anneke de Boer");
    lead.get(&format!("/agents/{agent}")).await.is(200).says("Next in line: ").says("value=\"purpose:PE-10\"");
    let press = format!("/agents/{agent}/succession");
    lead.post(&press, &[("offer", "purpose:PE-1")]).await.is(409).says("is not next in line");
    let next = [("offer", "purpose:PE-10"), ("next", "/agents?finding=owner-inactive")];
    lead.post(&press, &next).await.leads_to("/agents?finding=owner-inactive");
    lead.post(&press, &[("offer", "purpose:PE-10")]).await.is(409);
    let anneke = site.signed_in_as(PersonId(10)).await;
    anneke.get("/").await.is(200).says("Next in line");
}

#[tokio::test]
async fn what_waits_for_a_second_person_stands_on_home() {
    let site = Site::demo().await;
    let ingrid = site.signed_in_as(PersonId(1)).await;
    let page = ingrid.get("/people/PE-4/edit").await.is(200).text();
    let version = page.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let fields = [
        ("name", "Bea Lindqvist"),
        ("email", "bea.lindqvist@halden.example"),
        ("business_unit", "Customer Care"),
        ("roles", "member"),
        ("roles", "security-lead"),
        ("version", version.as_str()),
    ];
    let tomas = site.signed_in_as(PersonId(2)).await;
    let before: usize = waits(&tomas.get("/").await.is(200).text()).unwrap().parse().unwrap();
    ingrid.post("/people/PE-4/edit", &fields).await.leads_to("/people/PE-4");
    // Tomás may confirm it; Ingrid, who asked, sees nothing that waits for her.
    let page = tomas.get("/").await.is(200).says("Waits for a second person").says("Bea Lindqvist").text();
    assert_eq!(waits(&page), Some((before + 1).to_string().as_str()));
    assert!(!ingrid.get("/").await.is(200).text().contains("Waits for a second person"));
}
