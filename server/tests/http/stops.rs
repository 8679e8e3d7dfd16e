//! Stopping through a receiver that really listens: what it gets, what it answers, and what
//! its callback shows.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::post;
use domain::agent::{AgentFacts, CredentialKind, CredentialUse, Environment, Lifecycle, Running};
use domain::can::{Actor, Scope};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Role, Roles};
use domain::stop::{Outcome, Surface, Uses};
use register::assignments::{self, Mode};
use register::stops::calls;
use register::stops::sweep::Sweep;
use register::{By, agents};
use serde_json::{Value, json};
use server::config::Config;
use server::{App, hooks};
use sha2::{Digest as _, Sha256};

use crate::support::{Browser, Site};

/// HMAC-SHA-256 from its definition (RFC 2104): what a receiver computes, by no code of ours.
fn hmac(secret: &str, text: &[u8]) -> String {
    let mut key = [0_u8; 64];
    key[..secret.len()].copy_from_slice(secret.as_bytes());
    let inner = Sha256::new().chain_update(key.map(|b| b ^ 0x36)).chain_update(text).finalize();
    hex::encode(Sha256::new().chain_update(key.map(|b| b ^ 0x5c)).chain_update(inner).finalize())
}

/// A receiver on this machine, and what it was sent.
struct Receiver {
    address: String,
    got: Arc<Mutex<Vec<(HeaderMap, Vec<u8>)>>>,
}

impl Receiver {
    async fn new() -> Self {
        let got: Arc<Mutex<Vec<(HeaderMap, Vec<u8>)>>> = Arc::default();
        let kept = got.clone();
        let router = Router::new()
            .route(
                "/stop",
                post(async move |headers: HeaderMap, body: Bytes| {
                    kept.lock().unwrap().push((headers, body.to_vec()));
                    StatusCode::ACCEPTED
                }),
            )
            .route("/broken", post(async || (StatusCode::INTERNAL_SERVER_ERROR, "on fire")))
            .route("/elsewhere", post(async || (StatusCode::FOUND, [(header::LOCATION, "/stop")]).into_response()))
            .route("/hangs", post(async || tokio::time::sleep(Duration::from_mins(1)).await));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, got }
    }
}

/// An agent that PE-5 pauses, and PE-5's browser.
async fn owned(site: &Site) -> (AgentId, Browser<'_>) {
    let cli = Actor::cli();
    let by = By { actor: &cli, now: site.app.clock.now() };
    let mut facts = AgentFacts::named("Stoppable");
    facts.running = Running::Yes;
    facts.environment = Environment::Production;
    let id = agents::create(&site.app.db, by, facts, Lifecycle::Draft).await.unwrap().id;
    let party = Party::Person(PersonId(5));
    assignments::assign(&site.app.db, by, id, Duty::Containment, party, Mode::Record, "known").await.unwrap();
    (id, site.signed_in_as(PersonId(5)).await)
}

async fn record(me: &Browser<'_>, id: AgentId, url: &str, seconds: i64) -> String {
    let method = json!({"kind": "webhook", "url": url, "timeout_seconds": seconds});
    let made = me.json(Method::POST, &format!("/api/v1/agents/{id}/stop-methods"), &method).await.is(201).body();
    made["secret"].as_str().unwrap().to_owned()
}

async fn owner(me: &Browser<'_>, id: AgentId) -> Value {
    me.get(&format!("/api/v1/agents/{id}")).await.is(200).body()["runtime_owner"]["state"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_through_a_receiver_is_signed_and_shown_by_its_callback() {
    let site = Site::demo().await;
    let receiver = Receiver::new().await;
    let (id, me) = owned(&site).await;
    let secret = record(&me, id, &format!("{}/stop", receiver.address), 60).await;
    let listed = me.get(&format!("/api/v1/agents/{id}/stop-methods")).await.is(200);
    assert!(!listed.text().contains(&secret), "a secret is shown once");
    let drill = format!("/api/v1/agents/{id}/actions/drill");
    let called = me.json(Method::POST, &drill, &json!({})).await.is(200).body();
    assert_eq!((&called["state"], &called["outcome"]), (&json!("accepted"), &json!("accepted")), "{called}");
    me.json(Method::POST, &drill, &json!({})).await.is_problem(409, "conflict");
    assert_eq!(owner(&me, id).await, "untested");

    let (headers, body) = receiver.got.lock().unwrap()[0].clone();
    let get = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
    let signed = [get("muster-timestamp").as_bytes(), b".", &body].concat();
    assert_eq!(get("muster-signature"), format!("v1={}", hmac(&secret, &signed)));
    let said: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&said["drill"], &said["agent"]), (&json!(true), &json!(id.to_string())));
    assert_eq!(
        (said["delivery"].as_str().unwrap(), called["delivery"].as_str().unwrap()),
        (&*get("muster-delivery"), &*get("muster-delivery"))
    );

    site.app.clock.advance(chrono::TimeDelta::seconds(38));
    let callback = said["callback"].as_str().unwrap().strip_prefix("http://muster.test").unwrap().to_owned();
    let receiver = site.browser();
    let send = async |body: &[u8], secret: &str| {
        let at = site.app.clock.now().timestamp().to_string();
        let signature = format!("v1={}", hmac(secret, &[at.as_bytes(), b".", body].concat()));
        let more = [("muster-timestamp", &*at), ("muster-signature", &*signature)];
        receiver.send_with(Method::POST, &callback, Some("application/json"), body.to_vec(), &more).await
    };
    let stopped = json!({"delivery": get("muster-delivery"), "stopped": true}).to_string();
    send(stopped.as_bytes(), "msk_guess").await.is_problem(403, "forbidden");
    send(&body, &secret).await.is_problem(403, "forbidden");
    assert_eq!(send(stopped.as_bytes(), &secret).await.is(200).body()["seconds"], 38);
    send(stopped.as_bytes(), &secret).await.is_problem(409, "conflict");
    assert_eq!(owner(&me, id).await, "verified");
    me.get(&format!("/agents/{id}/stop")).await.is(200).says("signed callback").says("38 seconds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_receiver_does_wrong_is_said_plainly() {
    let site = Site::demo().await;
    let receiver = Receiver::new().await;
    let (id, me) = owned(&site).await;
    for (path, seconds, outcome) in [("broken", 60, "refused"), ("elsewhere", 60, "redirected"), ("hangs", 1, "silent")]
    {
        record(&me, id, &format!("{}/{path}", receiver.address), seconds).await;
        let called =
            me.json(Method::POST, &format!("/api/v1/agents/{id}/actions/drill"), &json!({})).await.is(200).body();
        assert_eq!((&called["outcome"], &called["state"]), (&json!(outcome), &json!("failed")), "{called}");
    }
    assert!(receiver.got.lock().unwrap().is_empty(), "a redirect was followed");
    record(&me, id, "https://nowhere.invalid/stop", 60).await;
    let page = format!("/agents/{id}/stop");
    me.post(&page, &[("do", "drill"), ("surface", "pause")]).await.leads_to(&format!("{page}#drills"));
    me.get(&page).await.is(200).says("could not be reached").says("on fire");
    assert_eq!(owner(&me, id).await, "untested");
}

/// Where private targets are not allowed, the name's address decides, not its spelling.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_within_is_not_called() {
    let site = Site::demo().await;
    let receiver = Receiver::new().await;
    let (id, me) = owned(&site).await;
    let config = Config { allow_private_targets: false, ..site.app.config.clone() };
    let strict = App::new(site.app.db.clone(), site.app.clock.clone(), config);
    let actor = Actor::person(PersonId(5), Roles::NONE.with(Role::Member));
    let port = receiver.address.rsplit_once(':').unwrap().1;
    for host in ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:10.0.0.1]", "169.254.169.254"] {
        record(&me, id, &format!("http://{host}:{port}/stop"), 60).await;
        let by = By { actor: &actor, now: site.app.clock.now() };
        let begun = calls::begin_drill(&site.app.db, by, id, Surface::Pause).await.unwrap();
        let went = hooks::carry_out(&strict, &actor, begun).await.unwrap();
        assert_eq!(went.outcome, Outcome::Forbidden, "{host}: {}", went.detail);
    }
    assert!(receiver.got.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_procedure_is_drilled_by_plain_forms() {
    let site = Site::demo().await;
    let (id, me) = owned(&site).await;
    let page = format!("/agents/{id}/stop");
    me.post(&page, &[("do", "method"), ("surface", "pause"), ("kind-pause", "manual"), ("procedure-pause", " ")])
        .await
        .is(422)
        .says("Write down, step by step");
    me.post(&page, &[("do", "method"), ("surface", "pause"), ("kind-pause", "webhook"), ("url-pause", "ftp://kept")])
        .await
        .is(422)
        .says("must begin with https://")
        .says("ftp://kept");
    me.post(&page, &[("do", "method"), ("surface", "revoke"), ("kind-revoke", "manual"), ("procedure-revoke", "x")])
        .await
        .is(403)
        .says("identity owner");
    me.post(
        &page,
        &[("do", "method"), ("surface", "pause"), ("kind-pause", "manual"), ("procedure-pause", "Pull it.")],
    )
    .await
    .leads_to(&format!("{page}#pause"));
    let form = |witness: &str| {
        let mut out = String::new();
        for (name, value) in
            [("surface", "pause"), ("seconds-pause", "90"), ("witness-pause", witness), ("note-pause", "kept")]
        {
            out.push_str(&format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
        }
        out.push_str("--b\r\nContent-Disposition: form-data; name=\"evidence-pause\"; filename=\"lamp.txt\"\r\n\r\nout\r\n--b--\r\n");
        out.into_bytes()
    };
    let drill = format!("{page}/drill");
    let kind = Some("multipart/form-data; boundary=b");
    me.send(Method::POST, &drill, kind, form("PE-5")).await.is(422).says("a second person").says("kept");
    me.send(Method::POST, &drill, kind, form("nobody at all")).await.is(422).says("nobody at all");
    me.send(Method::POST, &drill, kind, form("PE-4")).await.leads_to(&format!("{page}#drills"));

    let witness = site.signed_in_as(PersonId(4)).await;
    let home = witness.get("/").await.is(200).says("Did you see it stop?").text();
    let delivery = home.split("name=\"delivery\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let evidence = home.split("/evidence/").nth(1).unwrap().split('"').next().unwrap();
    let file = witness.get(&format!("/agents/{id}/evidence/{evidence}")).await.is(200);
    assert_eq!(
        (file.header("content-disposition"), file.text().as_str()),
        ("attachment; filename=\"lamp.txt\"", "out")
    );
    me.post("/", &[("do", "saw"), ("delivery", delivery)]).await.is(403);
    witness.post("/", &[("do", "saw"), ("delivery", delivery)]).await.leads_to("/");
    witness.post("/", &[("do", "saw"), ("delivery", delivery)]).await.is(409);
    assert_eq!(owner(&me, id).await, "verified");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_glass_is_broken_in_two_presses() {
    let site = Site::demo().await;
    let receiver = Receiver::new().await;
    let (id, me) = owned(&site).await;
    record(&me, id, &format!("{}/broken", receiver.address), 60).await;
    let page = format!("/agents/{id}/stop");
    me.get(&page).await.is(200).says("Yes, stop");
    let stranger = site.signed_in_as(PersonId(8)).await;
    stranger.post(&page, &[("do", "press"), ("why", "x")]).await.is(403);
    me.post(&page, &[("do", "press"), ("why", ""), ("reason", " ")]).await.is(422).says("Say why");
    let before = site.events("stop.pressed").await;
    me.post(&page, &[("do", "press"), ("why", "It harms people or data.")]).await.leads_to(&format!("{page}#card"));
    let shown = me.get(&page).await.is(200);
    let shown = shown.says("The webhook refused the call").says("It harms people or data.").says("until revoked");
    assert!(!shown.text().contains("Review it…"), "nobody reviews what they did");
    assert_eq!(site.events("stop.pressed").await - before, 1);

    let lead = site.signed_in_as(PersonId(1)).await;
    let text = lead.get(&page).await.is(200).says("Review it…").text();
    let value =
        |name: &str| text.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap().split('"').next().unwrap();
    lead.post(&page, &[("do", "done"), ("step", value("step"))]).await.leads_to(&format!("{page}#card"));
    let review = [("do", "review"), ("stopping", value("stopping")), ("review", "")];
    lead.post(&page, &review).await.is(422).says("Say what you found");
    let review = [("do", "review"), ("stopping", value("stopping")), ("review", "It was right.")];
    lead.post(&page, &review).await.leads_to(&format!("{page}#card"));
    lead.get(&page).await.is(200).says("It was right.");

    let stop = json!({"reason": "again"});
    let told = lead.json(Method::POST, &format!("/api/v1/agents/{id}/actions/suspend"), &stop).await.is(200).body();
    assert_eq!((&told["outcome"], &told["state"]), (&json!("refused"), &json!("draft")), "{told}");
    assert!(told["residual"].as_str().unwrap().contains("until revoked"));
    me.json(Method::POST, &format!("/api/v1/agents/{id}/actions/suspend"), &json!({})).await.is_problem(422, "invalid");
}

/// A stop does not end with the server it was pressed on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_left_undone_the_next_one_does() {
    let site = Site::demo().await;
    let receiver = Receiver::new().await;
    let (id, me) = owned(&site).await;
    record(&me, id, &format!("{}/stop", receiver.address), 60).await;
    let actor = Actor::person(PersonId(5), Roles::NONE.with(Role::Member));
    let by = By { actor: &actor, now: site.app.clock.now() };
    // Pressed, and a rehearsal begun; then the server is gone.
    register::stops::press::press(&site.app.db, by, id, "It runs away.").await.unwrap();
    calls::begin_drill(&site.app.db, by, id, Surface::Pause).await.unwrap();
    assert_eq!(hooks::resume(&site.app).await.unwrap(), 1);
    let stops = format!("/api/v1/agents/{id}/stops");
    let stop = me.get(&stops).await.is(200).body()["items"][0]["stop"].clone();
    let mut outcome = Value::Null;
    for _ in 0..100 {
        outcome = me.get(&format!("{stops}/{stop}")).await.is(200).body()["steps"][0]["call"]["outcome"].clone();
        if !outcome.is_null() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(outcome, "accepted");
    assert_eq!(receiver.got.lock().unwrap().len(), 1);
    assert_eq!(hooks::resume(&site.app).await.unwrap(), 0, "it is done once");
    site.app.clock.advance(chrono::TimeDelta::minutes(2));
    register::stops::press::press(&site.app.db, By { now: site.app.clock.now(), ..by }, id, "again").await.unwrap();
    site.app.clock.advance(chrono::TimeDelta::minutes(2));
    assert_eq!(hooks::resume(&site.app).await.unwrap(), 0, "what has lapsed is not called any more");
}

/// One press stops everything that uses a key; each webhook is called, and each failure is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_uses_a_key_is_stopped_from_its_page() {
    let site = Site::demo().await;
    let receiver = Receiver::new().await;
    let lead = site.signed_in_as(PersonId(1)).await;
    // One has a webhook that takes the call, one that refuses it.
    for (agent, path) in [("AG-2", "stop"), ("AG-16", "broken")] {
        record(&lead, agent.parse().unwrap(), &format!("{}/{path}", receiver.address), 60).await;
    }
    let page = "/stop?credential=payments%20API%20key";
    let shown = lead.get(page).await.is(200).says("payments API key").says("What it touches");
    let shown = shown.says("Paused by Muster’s webhook").says("show=unable#agents").says("Stop all of them now").text();
    assert!(shown.contains("Yes, stop"), "{shown}");
    lead.get("/agents/AG-2").await.is(200).says("/stop?credential=payments%20API%20key");
    lead.get("/agents/AG-2/stop").await.is(200).says("What it shares");

    lead.post(page, &[("why", ""), ("reason", " ")]).await.is(422).says("Say why");
    let before = site.events("stop.pressed").await;
    lead.post(page, &[("why", "Its credentials may be in other hands."), ("reason", "kept")]).await.leads_to(page);
    let told = lead.get(page).await.is(200).says("agents are stopped").says("a person must, now");
    told.says("Muster is calling 2 webhooks");
    assert!(site.events("stop.pressed").await - before > 3);
    // The calls go on after the answer.
    for _ in 0..100 {
        if site.events("stop.called").await >= 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(receiver.got.lock().unwrap().len(), 1);
    lead.get(page).await.is(200).says("Pause: refused").says("Pause: accepted, not shown yet");
    lead.get(&format!("{page}&show=failed")).await.is(200).says("AG-16");
    lead.post(page, &[("why", "again")]).await.is(409).says("stopped already");
    lead.get(&format!("{page}&show=soup")).await.is(422);
    for nothing in ["/stop", "/stop?credential=a&tool=b", "/stop?system=soup"] {
        lead.get(nothing).await.is(422);
    }
    lead.get("/stop?tool=No+such+tool").await.is(404);
}

/// A stop of many that is under way says so and is looked at again; one that a restart cut off says
/// what it did not reach, and is pressed again.
#[tokio::test]
async fn a_stop_of_many_says_how_far_it_came() {
    let site = Site::demo().await;
    let lead = site.signed_in_as(PersonId(1)).await;
    let page = "/stop?credential=shared%20robot%20key";
    let actor = Actor::person(PersonId(1), [Role::SecurityLead].into_iter().collect::<Roles>());
    let by = By { actor: &actor, now: site.app.clock.now() };
    for n in 0..52 {
        let mut facts = AgentFacts::named(format!("Robot {n}"));
        facts.credentials.push(CredentialUse {
            name: "shared robot key".into(),
            kind: CredentialKind::LongLived,
            ttl_seconds: None,
            kept_in: String::new(),
            last_rotated: String::new(),
        });
        agents::create(&site.app.db, by, facts, Lifecycle::Draft).await.unwrap();
    }
    let uses = Uses::Credential("shared robot key".into());
    let text = lead.get(page).await.is(200).says("Stop 52 agents").text();
    assert!(!text.contains("Look again") && !text.contains("Not all of them"), "{text}");

    // The first fifty are stopped, and the server ends.
    let mut sweep = Sweep::begin(&site.app.db, by, &uses, "It leaked.").await.unwrap();
    let under_way = site.app.sweeps.begin(sweep.shared().called());
    sweep.next(&site.app.db, by).await.unwrap();
    lead.get(page).await.is(200).says("They are being stopped").says("50 of 52 agents so far").says("Look again");
    drop(under_way);
    let shown = lead.get(page).await.is(200).says("Not all of them are stopped").says("2 agents are not stopped");
    shown.says("It leaked.").says("Stop 2 agents");
    lead.post(page, &[("why", "An incident asks for it.")]).await.leads_to(page);
    let text = lead.get(page).await.is(200).says("A stop of every one of them is recorded").text();
    assert!(!text.contains("Not all of them are stopped"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_reads_the_radius_and_stops_it() {
    let site = Site::demo().await;
    let program = crate::contract::Program(site.program(&[Scope::Write]).await);
    let path = "/api/v1/blast-radius";
    let one = program.get(&format!("{path}?system=SY-1&limit=1")).await.is(200).body();
    let counts = &one["counts"];
    assert_eq!((&one["total"], &counts["agents"], &one["name"]), (&json!(4), &json!(4), &json!("Dispatch crew")));
    assert_eq!(counts["webhook"].as_i64().unwrap() + counts["person"].as_i64().unwrap(), 4);
    let cursor = one["next_cursor"].as_str().unwrap();
    let rest = program.get(&format!("{path}?system=SY-1&cursor={cursor}")).await.is(200).body();
    assert_eq!(rest["items"].as_array().unwrap().len(), 3);
    for wrong in ["", "?tool=a&vendor=b", "?system=AG-1", "?tool=No+such+tool", "?system=SY-1&show=soup"] {
        program.get(&format!("{path}{wrong}")).await.is_problem(422, "invalid");
    }
    let stop = format!("{path}/stop");
    program.post(&stop, json!({"system": "SY-1"})).await.is_problem(422, "invalid");
    program.post(&stop, json!({"vendor": "Nobody we know", "reason": "x"})).await.is_problem(422, "invalid");
    program.post("/api/v1/agents/AG-10/actions/suspend", json!({"reason": "alone"})).await.is(200);
    let done = program.post(&stop, json!({"system": "SY-1", "reason": "They quarrel."})).await.is(200).body();
    assert_eq!((&done["finished"], &done["stopped"], &done["left_count"]), (&json!(true), &json!(3), &json!(1)));
    assert_eq!((&done["left"][0]["agent"], &done["left"][0]["why"]), (&json!("AG-10"), &json!("stopped")));
    // The orchestrator of the crew has webhooks on two surfaces.
    assert_eq!((&done["webhooks"], &done["by_people"]), (&json!(2), &json!(2)));
    program.post(&stop, json!({"system": "SY-1", "reason": "again"})).await.is_problem(409, "conflict");
    let stopped = program.get(&format!("{path}?system=SY-1&show=stopped")).await.is(200).body();
    assert_eq!(stopped["total"], 4);
}

/// A drill by hand, a step and a review, by programs of the people whose decisions they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_do_of_a_stop_they_do_by_program_too() {
    let site = Site::demo().await;
    let (id, me) = owned(&site).await;
    let method = json!({"procedure": "Pull it."});
    me.json(Method::POST, &format!("/api/v1/agents/{id}/stop-methods"), &method).await.is(201);
    let form = |fields: &[(&str, &str)], file: &str| {
        let mut out = String::new();
        for (name, value) in fields {
            out.push_str(&format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
        }
        out.push_str(&format!(
            "--b\r\nContent-Disposition: form-data; name=\"evidence\"; filename=\"lamp.txt\"\r\n\r\n{file}\r\n--b--\r\n"
        ));
        out.into_bytes()
    };
    let drills = format!("/api/v1/agents/{id}/drills");
    let kind = Some("multipart/form-data; boundary=b");
    let good = [("seconds", "90"), ("witness", "PE-4"), ("note", "By day")];
    me.json(Method::POST, &drills, &json!({"seconds": 90})).await.is_problem(415, "unsupported-media-type");
    me.send(Method::POST, &drills, Some("multipart/form-data"), Vec::new()).await.is_problem(400, "malformed");
    for (fields, pointer) in [
        (vec![("seconds", "soup"), ("witness", "PE-4")], "/seconds"),
        (vec![("seconds", "9"), ("witness", "PE-5")], "/witness"),
        (vec![("seconds", "9"), ("witness", "Bea")], "/witness"),
        (vec![("seconds", "9"), ("witness", "PE-4"), ("surface", "moon")], "/surface"),
        (vec![("sekonds", "9")], ""),
    ] {
        let refused = me.send(Method::POST, &drills, kind, form(&fields, "out")).await.is_problem(422, "invalid");
        assert_eq!(refused.body()["errors"][0]["pointer"], pointer, "{}", refused.text());
    }
    me.send(Method::POST, &drills, kind, form(&good, "")).await.is_problem(422, "invalid").says("Choose the file");
    let stranger = site.signed_in_as(PersonId(8)).await;
    stranger.send(Method::POST, &drills, kind, form(&good, "out")).await.is_problem(403, "forbidden");
    // The same request twice is one drill, its file larger than a form of text may be.
    let large = "x".repeat(3 << 20);
    let keyed = [("idempotency-key", "drill-1")];
    let first = me.send_with(Method::POST, &drills, kind, form(&good, &large), &keyed).await.is(201).body();
    let again = me.send_with(Method::POST, &drills, kind, form(&good, &large), &keyed).await.is(201).body();
    assert_eq!((&first["state"], &first), (&json!("witness"), &again));
    let one = format!("{drills}/{}", first["delivery"].as_str().unwrap());
    me.json(Method::POST, &format!("{one}/testimony"), &json!({"saw": true})).await.is_problem(403, "forbidden");
    let witness = site.signed_in_as(PersonId(4)).await;
    witness.json(Method::POST, &format!("{one}/testimony"), &json!({"saw": 1})).await.is_problem(422, "invalid");
    let shown = witness.json(Method::POST, &format!("{one}/testimony"), &json!({"saw": true})).await.is(200).body();
    assert_eq!((&shown["state"], &shown["seconds"]), (&json!("stopped"), &json!(90)));
    witness.json(Method::POST, &format!("{one}/testimony"), &json!({"saw": true})).await.is_problem(409, "conflict");
    assert_eq!(owner(&me, id).await, "verified");
    assert_eq!(me.get(&one).await.is(200).body()["state"], "stopped");

    let suspend = format!("/api/v1/agents/{id}/actions/suspend");
    let told = me.json(Method::POST, &suspend, &json!({"reason": "now"})).await.is(200).body();
    assert_eq!((&told["outcome"], &told["calls"]), (&Value::Null, &json!([])));
    let stop = format!("/api/v1/agents/{id}/stops/{}", told["stop"]);
    let step = format!("{stop}/steps/{}/done", told["steps"][0]["id"]);
    stranger.json(Method::POST, &step, &json!({})).await.is_problem(403, "forbidden");
    me.json(Method::POST, &step, &json!({"when": "now"})).await.is_problem(422, "invalid");
    let done = me.json(Method::POST, &step, &json!({})).await.is(200).body();
    assert!(done["steps"][0]["done_by"].is_string() && done["steps"][1]["done_at"].is_null(), "{done}");
    me.json(Method::POST, &step, &json!({})).await.is_problem(409, "conflict");
    let elsewhere = format!("/api/v1/agents/{id}/stops/999/steps/{}/done", told["steps"][1]["id"]);
    site.signed_in_as(PersonId(1)).await.json(Method::POST, &elsewhere, &json!({})).await.is_problem(404, "not-found");

    let review = format!("{stop}/review");
    me.json(Method::POST, &review, &json!({"review": "mine"})).await.is_problem(403, "forbidden");
    let lead = site.signed_in_as(PersonId(2)).await;
    lead.json(Method::POST, &review, &json!({"review": " "})).await.is_problem(422, "invalid");
    let reviewed = lead.json(Method::POST, &review, &json!({"review": "It was right."})).await.is(200).body();
    assert_eq!(reviewed["review"]["review"], "It was right.");
    let listed = lead.get(&format!("/api/v1/agents/{id}/stops")).await.is(200).body();
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["items"][0]["stop"]), (1, &told["stop"]));
    assert!(listed["items"][0]["reviewed_at"].is_string());
}
