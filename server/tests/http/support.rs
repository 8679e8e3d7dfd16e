//! A Muster of a test's own, and what asks it: a browser with its cookies, or a program
//! with its token.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use chrono::{DateTime, Utc};
use domain::can::{Actor, Scope};
use domain::id::PersonId;
use domain::party::{Role, Roles};
use http_body_util::BodyExt as _;
use register::passwords;
use register::people;
use register::tokens::{self, NewToken};
use register::{By, Db};
use server::App;
use server::clock::Clock;
use server::config::Config;
use tokio::sync::OnceCell;
use tower::ServiceExt as _;

/// The password of everybody who was given one by [`Site::person`].
pub(crate) const PASSWORD: &str = "correct horse battery staple 9";

/// When every test begins.
pub(crate) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

/// A folder that goes with the test.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("http-{}", register::random::secret()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn url(&self, name: &str) -> String {
        format!("sqlite://{}", self.0.join(name).display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A Muster with a database of its own and a clock that stands still.
pub(crate) struct Site {
    pub(crate) app: App,
    router: Router,
    _folder: Folder,
}

impl Site {
    /// Nobody and nothing is recorded.
    pub(crate) async fn empty() -> Self {
        Self::at("http://muster.test").await
    }

    /// As [`Site::empty`], with another base URL.
    pub(crate) async fn at(base_url: &str) -> Self {
        let folder = Folder::new();
        let db = Db::connect(&folder.url("muster.db")).await.unwrap();
        Self::on(db, folder, base_url)
    }

    /// The demonstration organisation, and somebody who is nothing but administrator. It is
    /// loaded once for each process, and copied.
    pub(crate) async fn demo() -> Self {
        static LOADED: OnceCell<Folder> = OnceCell::const_new();
        let loaded = LOADED
            .get_or_init(|| async {
                let folder = Folder::new();
                let db = Db::connect(&folder.url("demo.db")).await.unwrap();
                let actor = Actor::cli();
                let by = By { actor: &actor, now: start() };
                register::seed::demo(&db, by).await.unwrap();
                let fields = people::Fields {
                    name: "Only Administrator".into(),
                    email: "only.administrator@halden.example".into(),
                    ..people::Fields::default()
                };
                let roles = Roles::NONE.with(Role::Administrator);
                passwords::create_with_login(&db, by, &fields, roles, PASSWORD).await.unwrap();
                db.close().await;
                folder
            })
            .await;
        let folder = Folder::new();
        std::fs::copy(loaded.0.join("demo.db"), folder.0.join("muster.db")).unwrap();
        let db = Db::connect(&folder.url("muster.db")).await.unwrap();
        Self::on(db, folder, "http://muster.test")
    }

    fn on(db: Db, folder: Folder, base_url: &str) -> Self {
        let config = Config {
            base_url: base_url.parse().unwrap(),
            trusted_proxies: 0,
            intake_per_s: 5000,
            // A test's receiver listens on this machine.
            allow_private_targets: true,
            mail: None,
        };
        let app = App::new(db, Clock::set(start()), config);
        let router = server::router::router(&app);
        Self { app, router, _folder: folder }
    }

    /// The same Muster, with e-mail that leaves by the server at this address.
    pub(crate) fn mailing(mut self, smtp: &str) -> Self {
        let smtp = smtp.parse().unwrap();
        let mail = Some(server::config::Mail { smtp, from: "Muster <muster@muster.test>".into() });
        let config = Config { mail, ..self.app.config.clone() };
        self.app = App::new(self.app.db.clone(), self.app.clock.clone(), config);
        self.router = server::router::router(&self.app);
        self
    }

    /// Records somebody with these roles; the password is [`PASSWORD`].
    pub(crate) async fn person(&self, email: &str, roles: &[Role]) -> PersonId {
        let actor = Actor::cli();
        let by = By { actor: &actor, now: self.app.clock.now() };
        let fields =
            people::Fields { name: format!("Name of {email}"), email: email.into(), ..people::Fields::default() };
        let roles = roles.iter().copied().collect();
        passwords::create_with_login(&self.app.db, by, &fields, roles, PASSWORD).await.unwrap()
    }

    /// A browser in which nobody is signed in.
    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser { site: self, cookies: Mutex::default(), bearer: None, headers: HeaderMap::new(), peer: None }
    }

    /// A browser in which somebody is signed in who has this role and, if there is somebody,
    /// no other; made if there is nobody.
    pub(crate) async fn signed_in(&self, role: Role) -> Browser<'_> {
        let row = self
            .app
            .db
            .one(
                "SELECT id FROM person WHERE status = 'active' AND roles = $1 ORDER BY id LIMIT 1",
                register::args![role.key()],
            )
            .await
            .unwrap();
        let id = match row {
            Some(row) => row.get(0).unwrap(),
            None => self.person(&format!("{role}@muster.test"), &[role]).await,
        };
        self.signed_in_as(id).await
    }

    /// A browser in which this person is signed in; no password is asked, which takes long.
    pub(crate) async fn signed_in_as(&self, person: PersonId) -> Browser<'_> {
        let mut reads = &self.app.db;
        let known = people::load(&mut reads, person).await.unwrap().unwrap();
        let login = passwords::Login { person, name: known.name, roles: known.roles, hash: String::new() };
        let from = register::sessions::From::default();
        let cookie = server::session::open(&self.app, &login, &HeaderMap::new(), from).await.unwrap();
        let browser = self.browser();
        browser.keep(&cookie);
        browser
    }

    /// A program with a token that has these scopes and no owner.
    pub(crate) async fn program(&self, scopes: &[Scope]) -> Browser<'_> {
        self.token(NewToken { name: "test".into(), scopes: scopes.to_vec(), ..NewToken::default() }).await
    }

    /// A program with this token.
    pub(crate) async fn token(&self, new: NewToken) -> Browser<'_> {
        let actor = Actor::cli();
        let by = By { actor: &actor, now: self.app.clock.now() };
        let secret = tokens::create(&self.app.db, by, new).await.unwrap().secret;
        self.browser().bearing(&secret)
    }

    /// How many events of this kind the record has.
    pub(crate) async fn events(&self, action: &str) -> i64 {
        let sql = "SELECT COUNT(*) FROM audit_event WHERE action = $1";
        self.app.db.one(sql, register::args![action]).await.unwrap().unwrap().get(0).unwrap()
    }
}

/// Who asks: a browser that keeps its cookies and says where its requests come from, or a
/// program.
pub(crate) struct Browser<'a> {
    site: &'a Site,
    cookies: Mutex<Vec<(String, String)>>,
    bearer: Option<String>,
    headers: HeaderMap,
    peer: Option<SocketAddr>,
}

impl Browser<'_> {
    /// With one more header on every request.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    /// With this token.
    pub(crate) fn bearing(mut self, secret: &str) -> Self {
        self.bearer = Some(secret.to_owned());
        self
    }

    /// From this address.
    pub(crate) fn from(mut self, ip: &str) -> Self {
        self.peer = Some(SocketAddr::new(ip.parse().unwrap(), 40_000));
        self
    }

    fn keep(&self, cookie: &HeaderValue) {
        let text = cookie.to_str().unwrap();
        let (name, rest) = text.split_once('=').unwrap();
        let value = rest.split(';').next().unwrap();
        let mut cookies = self.cookies.lock().unwrap();
        cookies.retain(|(known, _)| known != name);
        if !text.contains("Max-Age=0") {
            cookies.push((name.to_owned(), value.to_owned()));
        }
    }

    /// The value of a cookie that it keeps.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// Opens a page.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, Vec::new()).await
    }

    /// Sends a form.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = String::new();
        for (name, value) in fields {
            if !form.is_empty() {
                form.push('&');
            }
            form.push_str(&format!("{}={}", encoded(name), encoded(value)));
        }
        self.send(Method::POST, path, Some("application/x-www-form-urlencoded"), form.into_bytes()).await
    }

    /// Sends JSON.
    pub(crate) async fn json(&self, method: Method, path: &str, body: &serde_json::Value) -> Answer {
        self.send(method, path, Some("application/json"), serde_json::to_vec(body).unwrap()).await
    }

    /// Sends anything.
    pub(crate) async fn send(&self, method: Method, path: &str, kind: Option<&str>, body: Vec<u8>) -> Answer {
        self.send_with(method, path, kind, body, &[]).await
    }

    /// Sends anything, with more headers.
    pub(crate) async fn send_with(
        &self,
        method: Method,
        path: &str,
        kind: Option<&str>,
        body: Vec<u8>,
        more: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "muster.test");
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        if let Some(secret) = &self.bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {secret}"));
        }
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let mut request = request.body(Body::from(body)).unwrap();
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        let response = self.site.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            self.keep(cookie);
        }
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn body(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("no JSON ({e}): {}", self.text()))
    }

    /// A header, empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Fails unless the status is this one.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:?}\n{}", self.headers, self.text());
        self
    }

    /// Fails unless it leads there.
    #[track_caller]
    pub(crate) fn leads_to(self, path: &str) -> Self {
        assert_eq!((self.status.as_u16(), self.header("location")), (303, path), "{}", self.text());
        self
    }

    /// Fails unless it is a problem of this kind.
    #[expect(clippy::wrong_self_convention, reason = "it reads as a sentence: the answer is a problem")]
    #[track_caller]
    pub(crate) fn is_problem(self, status: u16, kind: &str) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let body = self.body();
        assert_eq!(body["type"], format!("/problems/{kind}"), "{body}");
        assert_eq!(body["status"], status, "{body}");
        self
    }

    /// Fails unless the text is there.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.text().contains(text), "“{text}” is not in:\n{}", self.text());
        self
    }
}
