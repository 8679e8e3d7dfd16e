//! Reviews over HTTP: beginning one, answering, putting it off, campaigns; pages and API.

use axum::http::Method;
use domain::can::Scope;
use domain::id::PersonId;
use domain::party::Role;
use register::tokens::NewToken;
use serde_json::json;

use crate::support::{Answer, Browser, Site};

async fn form(browser: &Browser<'_>, path: &str, body: &str) -> Answer {
    browser.send(Method::POST, path, Some("application/x-www-form-urlencoded"), body.into()).await
}

async fn send(browser: &Browser<'_>, path: &str, body: serde_json::Value) -> Answer {
    browser.json(Method::POST, path, &body).await
}

#[tokio::test]
async fn a_review_is_asked_answered_and_says_not_observed() {
    let site = Site::demo().await;
    let maren = site.signed_in(Role::RiskAnalyst).await;
    let decided = site.events("request.decided").await;
    let begun = form(&maren, "/reviews", "agent=AG-42&do=begin&reason=Look").await.is(303);
    let at = begun.header("location").to_owned();
    assert!(at.starts_with("/reviews/RQ-"), "{at}");
    // Who asked does not answer; who reviews does, on the page.
    maren.get(&at).await.is(200).says("Not observed: no source reports what this agent does.");
    let oskar = site.signed_in_as(PersonId(13)).await;
    let page = oskar.get(&at).await.is(200).says("Your answer").says("Put it off, once");
    let html = page.text();
    let sha = html.split("name=\"sha256\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    // What is refused comes back as it was typed.
    let answer = format!("do=answer&sha256={sha}&answer=retire&reason=");
    form(&oskar, &at, &answer).await.is(422).says("Say why it is to be retired.");
    form(&oskar, &at, "do=answer&answer=defer&until=&reason=Later").await.is(422).says("Choose the day");
    form(&oskar, &at, "do=answer&answer=none").await.is(422).says("Choose an answer.");
    let stale = "do=answer&sha256=0&answer=attest&reason=Kept+words";
    form(&oskar, &at, stale).await.is(409).says("Kept words");
    form(&maren, &at, &format!("do=answer&sha256={sha}&answer=attest")).await.is(403);
    form(&oskar, &at, &format!("do=answer&sha256={sha}&answer=attest&reason=Fine")).await.is(303);
    oskar.get(&at).await.is(200).says("Attested").says("What the agent did was not observed");
    assert_eq!(site.events("request.decided").await, decided + 1);
    // Whoever has no part in it learns nothing.
    let stranger = site.person("stranger@muster.test", &[Role::Member]).await;
    let stranger = site.signed_in_as(stranger).await;
    stranger.get("/reviews/CA-1").await.is(404);
    stranger.get("/reviews").await.is(200).says("No review waits for you");
    stranger.get("/reviews?show=overdue").await.is(403);
    stranger.get("/reviews/AG-1").await.is(404);
    maren.get("/reviews?show=nothing").await.is(404);
}

#[tokio::test]
async fn a_campaign_keeps_what_was_typed_and_names_what_it_leaves_out() {
    let site = Site::demo().await;
    let maren = site.signed_in(Role::RiskAnalyst).await;
    maren.get("/agents?business_unit=Fleet").await.is(200).says("formaction=\"/agents/review\"");
    maren.get("/agents/review?all=yes&business_unit=Fleet").await.is(200).says("Maintenance planner");
    let typed = "all=yes&query=business_unit%3DFleet&name=&due=2026-11-20&reason=Why+not";
    form(&maren, "/agents/review", typed).await.is(422).says("Why not");
    let past = "all=yes&query=business_unit%3DFleet&name=Fleet&due=2020-01-01";
    form(&maren, "/agents/review", past).await.is(422).says("Choose a day that is still to come.");
    let good = "all=yes&query=business_unit%3DFleet&name=Fleet&due=2026-11-20&reason=Why+not";
    let at = form(&maren, "/agents/review", good).await.is(303).header("location").to_owned();
    let page = maren.get(&at).await.is(200).says("Fleet").says("it is retired");
    let page = page.says("/agents?business_unit=Fleet");
    assert!(page.text().contains("?stands=skipped"), "each number leads to its rows");
    maren.get(&format!("{at}?stands=skipped")).await.is(200).says("Toll reconciler");
    maren.get(&format!("{at}?stands=nothing")).await.is(404);
    form(&maren, &at, "do=close&closing=").await.is(422).says("Say why it is closed early.");
    form(&maren, &at, "do=attest&reason=x").await.is(422).says("Tick the reviews");
    form(&maren, &at, "do=close&closing=Enough").await.is(303);
    maren.get(&at).await.is(200).says("Closed early");
}

#[tokio::test]
async fn a_program_of_a_person_does_the_same() {
    let site = Site::demo().await;
    let token = |owner: i64| NewToken {
        name: "reviews".into(),
        scopes: vec![Scope::Read, Scope::Write],
        owner: Some(PersonId(owner)),
        ..NewToken::default()
    };
    let maren = site.token(token(3)).await;
    let new = json!({"name": "Fleet", "due_at": "2026-12-01T00:00:00Z", "agents": ["AG-42", "AG-45"]});
    let made = send(&maren, "/api/v1/campaigns", new).await.is(201);
    let id = made.body()["id"].as_str().unwrap().to_owned();
    assert_eq!(made.body()["counts"]["open"], 1);
    assert_eq!(made.body()["counts"]["skipped"], 1);
    let rows = maren.get(&format!("/api/v1/campaigns/{id}/agents?stands=open")).await.is(200).body();
    let review = rows["items"][0]["review"].clone();
    assert_eq!(review["activity"], "not observed");
    assert_ne!(review["requester"], review["reviewer"]);
    let request = review["id"].as_str().unwrap().to_owned();
    // Its own reviewer puts it off, once.
    let oskar = site.token(token(13)).await;
    let defer = format!("/api/v1/requests/{request}/defer");
    let until = json!({"until": "2026-12-05T00:00:00Z", "reason": "The planner is on leave."});
    send(&maren, &defer, until.clone()).await.is_problem(403, "forbidden");
    let far = json!({"until": "2028-12-05T00:00:00Z", "reason": "Later."});
    send(&oskar, &defer, far).await.is_problem(422, "invalid");
    let put_off = send(&oskar, &defer, until.clone()).await.is(200).body();
    assert_eq!((put_off["deferred"].clone(), put_off["stands"].clone()), (json!(true), json!("deferred")));
    send(&oskar, &defer, until).await.is_problem(409, "conflict");
    let listed = oskar.get("/api/v1/reviews?mine=true&limit=200").await.is(200).body();
    assert!(listed["items"].as_array().unwrap().iter().any(|r| r["id"] == json!(request)));
    send(&maren, &format!("/api/v1/campaigns/{id}/close"), json!({})).await.is_problem(422, "invalid");
    let closed = send(&maren, &format!("/api/v1/campaigns/{id}/close"), json!({"reason": "Enough."})).await;
    assert_eq!(closed.is(200).body()["counts"]["ended"], 1);
    // A program without an owner asks nobody.
    let nobody = site.program(&[Scope::Admin]).await;
    send(&nobody, "/api/v1/agents/AG-42/actions/review", json!({})).await.is_problem(403, "forbidden");
}
