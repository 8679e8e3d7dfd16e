//! What every answer and every request passes.

use axum::http::Method;
use domain::can::Scope;
use domain::party::Role;

use crate::support::Site;

#[tokio::test]
async fn every_page_carries_its_policy_with_the_nonce_of_its_scripts() {
    let site = Site::empty().await;
    let browser = site.signed_in(Role::Member).await;
    for (who, path) in
        [(&browser, "/help"), (&browser, "/account"), (&browser, "/nothing"), (&site.browser(), "/login")]
    {
        let answer = who.get(path).await;
        let policy = answer.header("content-security-policy").to_owned();
        let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap().to_owned();
        assert!(nonce.len() >= 16, "{policy}");
        assert_eq!(
            policy,
            format!(
                "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; style-src 'self'; \
                 connect-src 'self'; img-src 'self'; font-src 'self'; \
                 script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'"
            )
        );
        for script in answer.text().split("<script").skip(1) {
            assert!(script.contains(&format!("nonce=\"{nonce}\"")), "{path}: {script}");
        }
        assert!(!answer.text().contains("style=\""), "{path} has inline style");
        assert_ne!(who.get(path).await.header("content-security-policy"), policy, "{path}: a nonce is used once");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), value, "{path} {name}");
        }
        assert!(answer.header("permissions-policy").contains("camera=()"));
        assert!(!answer.header("x-request-id").is_empty());
    }
    for path in ["/healthz", "/", "/api/v1/agents", "/metrics"] {
        let answer = site.browser().get(path).await;
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
    }
}

#[tokio::test]
async fn a_form_from_elsewhere_changes_nothing() {
    let site = Site::empty().await;
    let ana = site.person("ana@muster.test", &[Role::Member]).await;
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://muster.test.evil.example"),
    ] {
        let browser = site.signed_in_as(ana).await.with(name, value);
        browser.post("/logout", &[]).await.is(403).says("Not yours to do");
        browser.get("/help").await.is(200);
        site.browser().with(name, value).post("/login", &[("email", "a")]).await.is(403);
        browser.post("/api/v1/agents", &[]).await.is_problem(403, "forbidden");
        let program = site.program(&[Scope::Read]).await.with(name, value);
        program.post("/api/v1/no-such-thing", &[]).await.is(404);
    }
    for (name, value) in
        [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none"), ("origin", "http://muster.test")]
    {
        site.signed_in_as(ana).await.with(name, value).post("/logout", &[]).await.leads_to("/login");
    }
    site.signed_in_as(ana).await.post("/logout", &[]).await.leads_to("/login");
}

#[tokio::test]
async fn what_is_not_there_says_so_in_its_own_way() {
    let site = Site::empty().await;
    let browser = site.signed_in(Role::Member).await;
    browser.get("/nothing").await.is(404).says("Nothing here that you can see").says("Name of member@muster.test");
    browser.post("/nothing", &[]).await.is(404);
    let wrong = browser.send(Method::DELETE, "/help", None, Vec::new()).await.is(405);
    assert_eq!(wrong.header("allow"), "GET,HEAD");
    assert!(wrong.header("content-type").starts_with("text/html"));
    browser.get("/api/nothing").await.is_problem(404, "not-found");
    browser.get("/logout").await.is(405);
    site.browser().get("/logout").await.is(303);
    site.browser().send(Method::DELETE, "/login", None, Vec::new()).await.is(405);
}

#[tokio::test]
async fn a_form_is_not_what_is_not_one() {
    let site = Site::empty().await;
    let browser = site.signed_in(Role::Member).await;
    browser.send(Method::POST, "/account", Some("application/json"), b"{}".to_vec()).await.is(415);
    let form = Some("application/x-www-form-urlencoded");
    browser.send(Method::POST, "/account", form, vec![b'a'; 3 << 20]).await.is(413);
    browser.send(Method::POST, "/account", form, b"present=%00&new=%FF&new=2&&=".to_vec()).await.is(422);
    browser.send(Method::POST, "/account", form, Vec::new()).await.is(422);
}

#[tokio::test]
async fn the_colours_are_kept() {
    let site = Site::empty().await;
    let browser = site.signed_in(Role::Member).await;
    browser.post("/theme", &[("theme", "dark"), ("next", "/help#words")]).await.leads_to("/help#words");
    browser.get("/help").await.is(200).says(r#"data-theme="dark""#);
    browser.post("/theme", &[("theme", "dark\"><script>"), ("next", "//evil.example")]).await.leads_to("/");
    assert!(!browser.get("/help").await.text().contains("data-theme"));
}

#[tokio::test]
async fn it_is_alive_and_ready_and_counts() {
    let site = Site::empty().await;
    server::metrics::install();
    site.browser().get("/healthz").await.is(200);
    site.browser().get("/readyz").await.is(200);
    site.browser().get("/metrics").await.is_problem(401, "unauthorized");
    site.browser().from("203.0.113.7").get("/metrics").await.is(401);
    site.browser().from("127.0.0.1").with("x-forwarded-for", "203.0.113.7").get("/metrics").await.is(401);
    site.browser().from("127.0.0.1").get("/metrics").await.is(200).says("muster_requests_total");
    site.program(&[Scope::Read]).await.get("/metrics").await.is(200);
    site.program(&[Scope::Intake]).await.get("/metrics").await.is_problem(403, "forbidden");
    site.signed_in(Role::Administrator).await.get("/metrics").await.is(401);
    site.app.db.close().await;
    site.browser().get("/readyz").await.is(503);
    site.browser().get("/healthz").await.is(200);
}

#[tokio::test]
async fn a_broken_store_is_a_page_that_names_the_request() {
    let site = Site::empty().await;
    let browser = site.signed_in(Role::Member).await;
    site.app.db.close().await;
    let answer = browser.get("/account").await.is(500).says("Something broke on our side");
    let id = answer.header("x-request-id").to_owned();
    answer.says(&id);
    let problem = site.browser().bearing("mst_x");
    let problem = problem.get("/api/v1/agents").await.is_problem(500, "internal");
    assert!(!problem.text().contains("pool"), "the cause stays in the log: {}", problem.text());
}

#[tokio::test]
async fn a_request_keeps_the_id_a_proxy_gave_it() {
    let site = Site::empty().await;
    let given = site.browser().with("x-request-id", "proxy-12345678").get("/healthz").await;
    assert_eq!(given.header("x-request-id"), "proxy-12345678");
    let bad = site.browser().with("x-request-id", "a b\"<script>xxxx").get("/healthz").await;
    assert_ne!(bad.header("x-request-id"), "a b\"<script>xxxx");
}

#[tokio::test]
async fn text_is_compressed_for_who_takes_it() {
    let site = Site::empty().await;
    let browser = site.signed_in(Role::Member).await;
    let plain = browser.get("/help").await;
    assert_eq!(plain.header("content-encoding"), "");
    for encoding in ["br", "gzip"] {
        let browser = site.signed_in(Role::Member).await.with("accept-encoding", encoding);
        let answer = browser.get("/help").await.is(200);
        assert_eq!(answer.header("content-encoding"), encoding);
        assert!(answer.bytes.len() * 2 < plain.bytes.len(), "{encoding}: {}", answer.bytes.len());
    }
}

#[tokio::test]
async fn what_a_browser_loads_needs_no_session() {
    let site = Site::empty().await;
    let answer = site.browser().get(&server::assets::url("app.css")).await.is(200);
    assert!(answer.header("cache-control").contains("immutable"));
    site.browser().get("/pkg/0/app.css").await.is(404);
}
