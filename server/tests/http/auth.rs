//! Set-up, sign-in, sessions, passwords, tokens.

use axum::http::Method;
use chrono::TimeDelta;
use domain::can::Scope;
use domain::party::Role;
use register::By;
use register::tokens::NewToken;
use serde_json::json;

use crate::support::{Browser, PASSWORD, Site};

fn setup_form<'a>(code: &'a str, email: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![
        ("code", code),
        ("name", "Ana Sousa"),
        ("email", email),
        ("password", PASSWORD),
        ("again", PASSWORD),
        ("organisation", "Halden"),
        ("team", "Security operations"),
    ]
}

#[tokio::test]
async fn set_up_makes_the_first_person_once() {
    let site = Site::empty().await;
    let browser = site.browser();
    for path in ["/", "/agents/AG-1", "/login", "/nothing"] {
        browser.get(path).await.leads_to("/setup");
    }
    let page = browser.get("/setup").await.is(200).says("One-time code");
    assert!(!page.text().contains(site.app.setup_code.show()), "the code is not on the page it opens");

    let refused = browser.post("/setup", &setup_form("AAAA-AAAA-AAAA-AAAA", "ana@muster.test")).await.is(422);
    let refused = refused.says("not the code").says("Ana Sousa").says("ana@muster.test");
    assert!(!refused.text().contains(PASSWORD), "a password is never sent back");

    let code = site.app.setup_code.show().to_owned();
    browser.post("/setup", &setup_form(&code, "nobody")).await.is(422).says("such as name@example.org");
    browser.post("/setup", &setup_form(&code, "ana@muster.test")).await.leads_to("/");
    browser.get("/account").await.is(200).says("Ana Sousa").says("Administrator, Security lead");
    browser.get("/setup").await.is(404);
    browser.post("/setup", &setup_form(&code, "eve@muster.test")).await.is(404);
    site.browser().get("/setup").await.is(404);
    assert_eq!(site.events("person.created").await, 1);
    assert_eq!(site.events("team.created").await, 1);
    assert_eq!(site.events("session.opened").await, 1);
}

#[tokio::test]
async fn the_first_person_may_also_come_from_the_command_line() {
    let site = Site::empty().await;
    let browser = site.browser();
    browser.get("/help").await.leads_to("/setup");
    site.person("ana@muster.test", &[Role::Administrator]).await;
    browser.get("/help").await.leads_to("/login?next=%2Fhelp");
    browser.get("/setup").await.is(404);
}

async fn sign_in(browser: &Browser<'_>, email: &str, password: &str) -> crate::support::Answer {
    browser.post("/login", &[("email", email), ("password", password), ("next", "/help?a=1")]).await
}

#[tokio::test]
async fn signing_in_gives_a_session_and_leads_where_one_was_going() {
    let site = Site::empty().await;
    site.person("ana@muster.test", &[Role::Member]).await;
    let browser = site.browser();
    browser.get("/help?a=1").await.leads_to("/login?next=%2Fhelp%3Fa%3D1");
    browser.get("/login?next=%2Fhelp%3Fa%3D1").await.is(200).says(r#"value="/help?a=1""#);

    let wrong = sign_in(&browser, "ana@muster.test", "wrong wrong wrong").await.is(422);
    let wrong = wrong.says("The e-mail address or the password is wrong.").says(r#"value="ana@muster.test""#);
    assert!(wrong.header("set-cookie").is_empty());

    let answer = sign_in(&browser, " Ana@Muster.TEST ", PASSWORD).await.leads_to("/help?a=1");
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("muster_session="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800"), "{cookie}");
    browser.get("/help").await.is(200);
    browser.get("/login").await.leads_to("/");

    let first = browser.cookie("muster_session").unwrap();
    sign_in(&browser, "ana@muster.test", PASSWORD).await.is(303);
    assert_ne!(browser.cookie("muster_session").unwrap(), first, "the id changes at sign-in");
    site.browser().with("cookie", &format!("muster_session={first}")).get("/help").await.is(303);

    browser.post("/logout", &[]).await.leads_to("/login");
    assert_eq!(browser.cookie("muster_session"), None);
    browser.get("/help").await.is(303);
    assert_eq!(site.events("session.opened").await, 2);
    assert_eq!(site.events("session.closed").await, 2);
}

#[tokio::test]
async fn next_stays_on_this_site() {
    let site = Site::empty().await;
    site.person("ana@muster.test", &[Role::Member]).await;
    for next in ["https://evil.example", "//evil.example", "/\\evil.example", ""] {
        let fields = [("email", "ana@muster.test"), ("password", PASSWORD), ("next", next)];
        site.browser().post("/login", &fields).await.leads_to("/");
    }
}

#[tokio::test]
async fn behind_https_the_cookie_is_secure_and_browsers_are_told() {
    let site = Site::at("https://muster.test").await;
    site.person("ana@muster.test", &[Role::Member]).await;
    let answer = sign_in(&site.browser(), "ana@muster.test", PASSWORD).await.is(303);
    assert!(answer.header("set-cookie").ends_with("; Secure"), "{}", answer.header("set-cookie"));
    assert!(answer.header("strict-transport-security").starts_with("max-age=31536000"));
    let plain = Site::empty().await.browser().get("/setup").await;
    assert_eq!(plain.header("strict-transport-security"), "");
}

#[tokio::test]
async fn failures_cost_more_and_more_time_for_an_account_known_or_not() {
    let site = Site::empty().await;
    site.person("ana@muster.test", &[Role::Member]).await;
    for email in ["ana@muster.test", "nobody@muster.test"] {
        let mut answers = Vec::new();
        for _ in 0..5 {
            answers.push(sign_in(&site.browser(), email, "wrong wrong wrong").await.is(422).text().len());
        }
        let waiting = sign_in(&site.browser(), email, PASSWORD).await.is(429);
        assert_eq!(waiting.header("retry-after"), "30");
        waiting.says("Wait 30 seconds");
    }
    // Waiting is not counted as failing, and time heals.
    site.app.clock.advance(TimeDelta::seconds(31));
    sign_in(&site.browser(), "ana@muster.test", "wrong wrong wrong").await.is(422);
    assert_eq!(sign_in(&site.browser(), "ana@muster.test", PASSWORD).await.is(429).header("retry-after"), "60");
    site.app.clock.advance(TimeDelta::seconds(61));
    sign_in(&site.browser(), "ana@muster.test", PASSWORD).await.is(303);
    // It began anew.
    for _ in 0..5 {
        sign_in(&site.browser(), "ana@muster.test", "wrong wrong wrong").await.is(422);
    }
    sign_in(&site.browser(), "ana@muster.test", "wrong wrong wrong").await.is(429);
}

#[tokio::test]
async fn failures_are_counted_by_address_too() {
    let site = Site::empty().await;
    site.person("ana@muster.test", &[Role::Member]).await;
    for n in 0..20 {
        let browser = site.browser().from("203.0.113.7");
        sign_in(&browser, &format!("guess{n}@muster.test"), "wrong wrong wrong").await.is(422);
    }
    sign_in(&site.browser().from("203.0.113.7"), "ana@muster.test", PASSWORD).await.is(429);
    sign_in(&site.browser().from("203.0.113.8"), "ana@muster.test", PASSWORD).await.is(303);
}

#[tokio::test]
async fn guesses_at_once_are_all_counted() {
    let site = Site::empty().await;
    site.person("ana@muster.test", &[Role::Member]).await;
    let browsers: Vec<_> = (0..12).map(|_| site.browser()).collect();
    let guesses = browsers.iter().map(|browser| sign_in(browser, "ana@muster.test", "wrong wrong wrong"));
    let answers = futures_util::future::join_all(guesses).await;
    let looked_at = answers.iter().filter(|answer| answer.status == 422).count();
    assert_eq!(looked_at, 5);
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_after_a_week() {
    let site = Site::empty().await;
    let browser = site.signed_in(Role::Member).await;
    for _ in 0..20 {
        site.app.clock.advance(TimeDelta::hours(8));
        browser.get("/help").await.is(200);
        // The use is noted beside the request.
        settle(&site).await;
    }
    site.app.clock.advance(TimeDelta::hours(8));
    browser.get("/help").await.leads_to("/login?next=%2Fhelp");
    browser.get("/login").await.says("Your session has ended");

    let browser = site.signed_in(Role::Member).await;
    site.app.clock.advance(TimeDelta::hours(12));
    browser.get("/help").await.is(303);
    site.app.clock.advance(TimeDelta::days(8));
    server::housekeeping::once(&site.app).await.unwrap();
    let left = site.app.db.one("SELECT COUNT(*) FROM session", Vec::new()).await.unwrap().unwrap();
    assert_eq!(left.get::<i64>(0).unwrap(), 0);
}

/// Waits until the last use of the only session is noted.
async fn settle(site: &Site) {
    for _ in 0..200 {
        let row = site.app.db.one("SELECT MAX(seen_at) FROM session", Vec::new()).await.unwrap().unwrap();
        if row.get::<i64>(0).unwrap() == site.app.clock.now().timestamp_micros() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the use of the session was not noted");
}

#[tokio::test]
async fn looking_at_a_page_writes_nothing() {
    let site = Site::empty().await;
    let browser = site.signed_in(Role::Member).await;
    site.app.clock.advance(TimeDelta::minutes(4));
    browser.get("/help").await.is(200);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let row = site.app.db.one("SELECT MAX(seen_at) FROM session", Vec::new()).await.unwrap().unwrap();
    assert_eq!(row.get::<i64>(0).unwrap(), crate::support::start().timestamp_micros());
}

#[tokio::test]
async fn a_session_is_ended_from_another_one() {
    let site = Site::empty().await;
    let ana = site.person("ana@muster.test", &[Role::Member]).await;
    let here = site.signed_in_as(ana).await;
    site.app.clock.advance(TimeDelta::seconds(1));
    let there = site.signed_in_as(ana).await;
    let page = here.get("/account").await.is(200).text();
    let action = page.split("action=\"").find(|part| part.starts_with("/account/sessions/")).unwrap();
    let action = action.split('"').next().unwrap().to_owned();

    let eve = site.signed_in(Role::SecurityLead).await;
    eve.post(&action, &[]).await.is(403);
    eve.post("/account/sessions/nothing/revoke", &[]).await.is(403);
    here.post(&action, &[]).await.leads_to("/account");
    here.get("/account").await.is(200).says("The session has ended.");
    there.get("/account").await.is(303);
    here.get("/account").await.is(200);
    here.post(&action, &[]).await.is(403);

    // An administrator ends anybody's.
    let admin = site.signed_in(Role::Administrator).await;
    let by = domain::can::Actor::cli();
    let by = By { actor: &by, now: site.app.clock.now() };
    let session = register::sessions::list(&site.app.db, by, Some(ana)).await.unwrap().remove(0);
    let path = format!("/account/sessions/{}/revoke", session.public_id);
    admin.post(&path, &[]).await.leads_to(&format!("/people/{ana}"));
    here.get("/account").await.is(303);
    admin.post(&path, &[]).await.is(404);
    assert_eq!(site.events("session.revoked").await, 2);
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let site = Site::empty().await;
    let ana = site.person("ana@muster.test", &[Role::Member]).await;
    let here = site.signed_in_as(ana).await;
    let there = site.signed_in_as(ana).await;
    let new = "an entirely new sentence";
    let change = async |present: &str, new: &str, again: &str| {
        here.post("/account", &[("present", present), ("new", new), ("again", again)]).await
    };
    change("wrong", new, new).await.is(422).says("not your present password");
    change(PASSWORD, "short", "short").await.is(422).says("at least 12 characters");
    change(PASSWORD, new, "another new sentence").await.is(422).says("not the same");
    change(PASSWORD, PASSWORD, PASSWORD).await.is(422).says("another password");
    change(PASSWORD, "Name of ana@muster.test", "Name of ana@muster.test").await.is(422).says("other than your name");
    there.get("/account").await.is(200);

    let before = here.cookie("muster_session");
    change(PASSWORD, new, new).await.leads_to("/account");
    assert_ne!(here.cookie("muster_session"), before);
    here.get("/account").await.is(200).says("Your password is changed.");
    there.get("/account").await.is(303);
    sign_in(&site.browser(), "ana@muster.test", PASSWORD).await.is(422);
    sign_in(&site.browser(), "ana@muster.test", new).await.is(303);
    assert_eq!(site.events("password.changed").await, 2);
}

#[tokio::test]
async fn who_left_is_signed_out() {
    let site = Site::empty().await;
    let browser = site.signed_in(Role::Member).await;
    site.app.db.run("UPDATE person SET status = 'left', left_at = 1", Vec::new()).await.unwrap();
    browser.get("/help").await.is(303);
    sign_in(&site.browser(), "member@muster.test", PASSWORD).await.is(422);
}

#[tokio::test]
async fn a_token_holds_until_it_is_revoked_or_expires() {
    let site = Site::empty().await;
    let asks = async |program: &Browser<'_>| program.get("/api/v1/no-such-thing").await;
    let program = site.program(&[Scope::Read]).await;
    asks(&program).await.is_problem(404, "not-found");

    let nobody = asks(&site.browser()).await.is_problem(401, "unauthorized");
    assert_eq!(nobody.header("www-authenticate"), "Bearer");
    for secret in ["", "mst_", "mst_nothing", "x"] {
        let guess = site.browser().bearing(secret);
        asks(&guess).await.is_problem(401, "unauthorized");
    }

    let brief =
        NewToken { name: "brief".into(), scopes: vec![Scope::Read], owner: None, life: Some(TimeDelta::hours(1)) };
    let brief = site.token(brief).await;
    asks(&brief).await.is(404);
    site.app.clock.advance(TimeDelta::hours(1));
    asks(&brief).await.is_problem(401, "unauthorized");
    asks(&program).await.is(404);

    let cli = domain::can::Actor::cli();
    let by = By { actor: &cli, now: site.app.clock.now() };
    let listed = register::tokens::list(&site.app.db, by).await.unwrap();
    assert_eq!(listed.len(), 2);
    register::tokens::revoke(&site.app.db, by, listed[1].id).await.unwrap();
    assert!(register::tokens::revoke(&site.app.db, by, listed[1].id).await.is_err());
    asks(&program).await.is_problem(401, "unauthorized");
}

#[tokio::test]
async fn an_owner_who_leaves_takes_their_tokens_along() {
    let site = Site::empty().await;
    let ana = site.person("ana@muster.test", &[Role::SecurityLead]).await;
    let owned = NewToken { name: "hers".into(), scopes: vec![Scope::Write], owner: Some(ana), life: None };
    let program = site.token(owned).await;
    program.get("/api/v1/no-such-thing").await.is(404);
    site.app.db.run("UPDATE person SET status = 'left', left_at = 1", Vec::new()).await.unwrap();
    program.get("/api/v1/no-such-thing").await.is(401);
}

#[tokio::test]
async fn who_is_not_known_learns_nothing_of_the_api() {
    let site = Site::empty().await;
    for path in ["/api", "/api/", "/api/v1/agents", "/api/v1/agents/%FF", "/api/v2", "/scim/v2/Users", "/api/docs"] {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::PATCH] {
            let answer = site.browser().json(method.clone(), path, &json!({"x": "y"})).await;
            answer.is_problem(401, "unauthorized");
        }
        let broken = site.browser().send(Method::POST, path, Some("text/plain"), vec![b'{'; 3_000_000]).await;
        broken.is_problem(401, "unauthorized");
    }
    site.browser().get("/apis").await.is(303);
}

#[tokio::test]
async fn a_token_opens_no_page_and_a_wrong_one_is_not_helped_by_a_session() {
    let site = Site::empty().await;
    let program = site.program(&[Scope::Admin]).await;
    site.person("ana@muster.test", &[Role::Member]).await;
    program.get("/help").await.leads_to("/login?next=%2Fhelp");
    let session = site.signed_in(Role::Member).await;
    session.get("/api/v1/no-such-thing").await.is(404);
    let both = session.bearing("mst_wrong");
    both.get("/api/v1/no-such-thing").await.is(401);
}
