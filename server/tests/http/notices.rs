//! Notices by page, by program, by e-mail and by webhook; and that none is lost however often
//! the server dies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::post;
use chrono::{DateTime, TimeDelta, Utc};
use domain::can::Actor;
use domain::id::PersonId;
use domain::notice::{NoticeKind, OutletKind};
use domain::party::{Role, Roles};
use domain::stop::sign;
use register::change::Change;
use register::notices::outlets::{self, NewOutlet};
use register::notices::{New, tell};
use register::people::{Fields, create};
use register::{By, Db};
use serde_json::json;
use server::delivery;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::support::Site;

/// A mail server of the test: takes everything, keeps what it took, and may refuse for a while.
#[derive(Clone)]
struct Smtp {
    address: String,
    got: Arc<Mutex<Vec<String>>>,
    refuses: Arc<Mutex<bool>>,
}

impl Smtp {
    /// `slow`: how long it waits between taking a message and saying so.
    async fn new(slow: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("smtp://{}", listener.local_addr().unwrap());
        let this = Self { address, got: Arc::default(), refuses: Arc::default() };
        let kept = this.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                tokio::spawn(async move { kept.converse(stream, slow).await });
            }
        });
        this
    }

    async fn converse(&self, stream: tokio::net::TcpStream, slow: Duration) -> Option<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 test ready\r\n").await.ok()?;
        while let Some(line) = lines.next_line().await.ok()? {
            let word = line.split(' ').next().unwrap_or_default().to_uppercase();
            let answer = match word.as_str() {
                "EHLO" | "HELO" => "250-test\r\n250 8BITMIME\r\n".to_owned(),
                "RCPT" if *self.refuses.lock().unwrap() => "450 not now\r\n".to_owned(),
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await.ok()?;
                    let mut message = String::new();
                    loop {
                        let line = lines.next_line().await.ok()??;
                        if line == "." {
                            break;
                        }
                        message.push_str(&line);
                        message.push('\n');
                    }
                    self.got.lock().unwrap().push(message);
                    tokio::time::sleep(slow).await;
                    "250 taken\r\n".to_owned()
                }
                "QUIT" => {
                    write.write_all(b"221 bye\r\n").await.ok()?;
                    return Some(());
                }
                _ => "250 ok\r\n".to_owned(),
            };
            write.write_all(answer.as_bytes()).await.ok()?;
        }
        Some(())
    }

    fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }

    fn all(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }
}

fn header<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
}

/// What a webhook was sent.
type Got = Arc<Mutex<Vec<(HeaderMap, Vec<u8>)>>>;

/// A webhook of the test, and its address.
async fn hook(status: StatusCode, slow: Duration) -> (String, Got) {
    let got = Got::default();
    let kept = got.clone();
    let router = Router::new().route(
        "/in",
        post(async move |headers: HeaderMap, body: Bytes| {
            kept.lock().unwrap().push((headers, body.to_vec()));
            tokio::time::sleep(slow).await;
            status
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/in", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, got)
}

fn new(kind: NoticeKind, key: &str) -> New {
    New {
        what: format!("{key} happened to <Ana> & Co."),
        why: "You answer for it.".into(),
        todo: "Look at it.".into(),
        link: "/agents/AG-1".into(),
        subject: "AG-1".into(),
        ..New::of(kind, key)
    }
}

async fn told(db: &Db, now: DateTime<Utc>, to: &[PersonId], notice: &New) {
    let actor = Actor::muster();
    let mut change = Change::begin(db, By { actor: &actor, now }).await.unwrap();
    tell(&mut change, to, notice).await.unwrap();
    change.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_comes_by_bell_page_and_mail() {
    let smtp = Smtp::new(Duration::ZERO).await;
    let site = Site::empty().await.mailing(&smtp.address);
    let ana = site.person("ana@muster.test", &[Role::Member]).await;
    let me = site.signed_in_as(ana).await;
    me.get("/notices").await.is(200).says("Nothing unread");
    me.get("/account").await.is(200).says("Notices, none unread");
    told(&site.app.db, site.app.clock.now(), &[ana], &new(NoticeKind::DecisionWaits, "one")).await;
    let later = site.app.clock.now() + TimeDelta::seconds(1);
    told(&site.app.db, later, &[ana], &new(NoticeKind::Report, "two")).await;
    let page = me.get("/notices").await.is(200).says("Notices, 2 unread").says("one happened to &lt;Ana&gt; &amp; Co.");
    let page = page.says("You answer for it.").text();

    // By e-mail: the decision at once, the report in the morning.
    assert_eq!(delivery::once(&site.app).await.unwrap(), 1);
    let mail = smtp.all().remove(0);
    let id = header(&mail, "Muster-Delivery").to_owned();
    assert_eq!(header(&mail, "Message-ID"), format!("<{id}@muster.test>"));
    assert!(header(&mail, "To").contains("ana@muster.test"), "{mail}");
    for said in ["one happened to <Ana> & Co.", "Why you: You answer for it.", "http://muster.test/agents/AG-1"] {
        assert!(mail.contains(said), "{said}\n{mail}");
    }
    assert!(mail.contains("&lt;Ana&gt; &amp; Co."), "{mail}");
    site.app.clock.advance(TimeDelta::hours(24));
    assert_eq!(delivery::once(&site.app).await.unwrap(), 1);
    assert!(smtp.all()[1].contains("two happened"), "{}", smtp.all()[1]);
    // The session did not outlive the day.
    let me = site.signed_in_as(ana).await;

    // Marked one by one, opened, and all at once.
    let ids: Vec<&str> = page.split("name=\"notice\" value=\"").skip(1).map(|r| r.split('"').next().unwrap()).collect();
    assert_eq!(ids.len(), 2, "{page}");
    me.post("/notices", &[("notice", ids[0]), ("do", "open")]).await.leads_to("/agents/AG-1");
    me.get("/notices").await.is(200).says("Notices, 1 unread");
    me.post("/notices?show=all", &[("notice", ids[0]), ("do", "unread")]).await.leads_to("/notices?show=all");
    me.post("/notices", &[("up_to", ids[0]), ("do", "all")]).await.leads_to("/notices");
    me.get("/notices").await.is(200).says("2 notices are read.").says("Nothing unread");
    me.get("/notices?show=all").await.is(200).says("one happened").says("two happened");
    let other = site.signed_in(Role::Administrator).await;
    other.post("/notices", &[("notice", ids[0]), ("do", "read")]).await.is(404);
    other.post("/notices", &[("notice", "none"), ("do", "open")]).await.is(404);

    // By program.
    let list = me.get("/api/v1/notices?unread=true").await.is(200).body();
    assert_eq!((&list["total"], list["items"].as_array().unwrap().len()), (&json!(0), 0));
    let list = me.get("/api/v1/notices?limit=1").await.is(200).body();
    assert_eq!((&list["total"], &list["items"][0]["kind"]), (&json!(2), &json!("report")));
    let next = list["next_cursor"].as_str().unwrap();
    let rest = me.get(&format!("/api/v1/notices?limit=1&cursor={next}")).await.is(200).body();
    assert_eq!(rest["items"][0]["kind"], "decision-waits");
    let id = rest["items"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/notices/{id}/read");
    let marked = me.json(Method::POST, &path, &json!({"read": false})).await.is(200).body();
    assert!(marked["read_at"].is_null(), "{marked}");
    other.json(Method::POST, &path, &json!({})).await.is_problem(404, "not-found");
    let count = me.json(Method::POST, "/api/v1/notices/read", &json!({"up_to": id})).await.is(200).body();
    assert_eq!(count["marked"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_choose_what_reaches_them() {
    let smtp = Smtp::new(Duration::ZERO).await;
    let site = Site::empty().await.mailing(&smtp.address);
    let ana = site.person("ana@muster.test", &[Role::Auditor]).await;
    let me = site.signed_in_as(ana).await;
    let here = "/account/notices";
    me.get(here).await.is(200).says("ana@muster.test").says("UTC+00:00");
    let typed = |until: &'static str| {
        [
            ("offset", "+02:00"),
            ("quiet_from", "22:00"),
            ("quiet_until", until),
            ("digest_at", "soon"),
            ("how-decision-waits", "in-app"),
        ]
    };
    let refused = me.post(here, &typed("")).await.is(422).says("Enter a time of day such as 08:00").text();
    assert!(refused.contains("value=\"22:00\"") && refused.contains("leave both empty"), "{refused}");
    let mut good = typed("07:00");
    good[3].1 = "09:30";
    me.post(here, &good).await.leads_to(here);
    let page = me.get(here).await.is(200).says("Saved.").says("value=\"09:30\"").text();
    assert!(
        page.contains("id=\"how-decision-waits-in-app\" name=\"how-decision-waits\" value=\"in-app\" checked"),
        "{page}"
    );
    assert_eq!(site.events("notices.chosen").await, 1);
    // Muted: in the list, and nowhere else.
    told(&site.app.db, site.app.clock.now(), &[ana], &new(NoticeKind::DecisionWaits, "one")).await;
    assert_eq!(delivery::once(&site.app).await.unwrap(), 0);
    me.get("/notices").await.is(200).says("one happened");

    let at = "/api/v1/notice-preferences";
    let mine = me.get(at).await.is(200).body();
    assert_eq!((&mine["time_zone"], &mine["quiet_hours"]["until"]), (&json!("+02:00"), &json!("07:00")));
    assert_eq!(mine["kinds"]["decision-waits"], "in-app");
    me.json(Method::POST, at, &mine).await.is(200);
    assert_eq!(site.events("notices.chosen").await, 1, "what is the same is not written");
    let bad = json!({"time_zone": "x", "digest_at": "y", "quiet_hours": {"from": "1", "until": "2"},
        "kinds": {"gossip": "at-once", "report": "never"}});
    let wrong = me.json(Method::POST, at, &bad).await.is_problem(422, "invalid").body();
    let pointers: BTreeSet<&str> =
        wrong["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    let expected =
        ["/digest_at", "/kinds/gossip", "/kinds/report", "/quiet_hours/from", "/quiet_hours/until", "/time_zone"];
    assert_eq!(pointers.into_iter().collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_keeps_the_channels() {
    let smtp = Smtp::new(Duration::ZERO).await;
    let site = Site::empty().await.mailing(&smtp.address);
    let admin = site.person("adam@muster.test", &[Role::Administrator]).await;
    let me = site.signed_in_as(admin).await;
    let here = "/settings/notices";
    let (url, got) = hook(StatusCode::OK, Duration::ZERO).await;
    me.get(here).await.is(200).says("(unprotected, on this machine)").says("Notices go to people alone");
    let mut typed = vec![("do", "add"), ("kind", "webhook"), ("name", "SIEM <1>"), ("url", "ftp://x")];
    let text = me.post(here, &typed).await.is(422).says("must begin with https://").says("at least one kind").text();
    assert!(text.contains("SIEM &lt;1&gt;") || text.contains("value=\"SIEM <1>\""), "{text}");
    typed[3].1 = &url;
    typed.push(("kinds", "agent-stopped"));
    typed.push(("kinds", "report"));
    me.post(here, &typed).await.leads_to("/settings/notices#channels");
    let page = me.get(here).await.is(200).says("shown this once").text();
    let secret = page.split("<code class=\"secret\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(!me.get(here).await.is(200).text().contains(&secret));
    me.post(here, &[("do", "test"), ("channel", "1")]).await.leads_to("/settings/notices#channels");
    me.get(here).await.is(200).says("SIEM &lt;1&gt; took the test.");
    me.post(here, &[("do", "test-mail")]).await.leads_to("/settings/notices#mail");
    assert!(smtp.all()[0].contains("tests whether notices"), "{}", smtp.all()[0]);
    *smtp.refuses.lock().unwrap() = true;
    me.post(here, &[("do", "test-mail")]).await.leads_to("/settings/notices#mail");
    me.get(here).await.is(200).says("did not take the message").says("not now");
    *smtp.refuses.lock().unwrap() = false;

    // What is told goes there, signed.
    told(&site.app.db, site.app.clock.now(), &[], &new(NoticeKind::AgentStopped, "stop")).await;
    assert_eq!(delivery::once(&site.app).await.unwrap(), 1);
    let (headers, body) = got.lock().unwrap().pop().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let of = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(said["delivery"], of("muster-delivery"));
    assert_eq!(said["kind"], "agent-stopped");
    assert_eq!(of("muster-signature"), sign(&secret, &of("muster-timestamp"), &body));

    // One that fails for good is seen, and sent again under the same delivery.
    let (broken, seen) = hook(StatusCode::BAD_GATEWAY, Duration::ZERO).await;
    let chat = json!({"kind": "slack", "name": "#agents", "url": broken, "kinds": ["report"]});
    let made = me.json(Method::POST, "/api/v1/notice-channels", &chat).await.is(201).body();
    assert!(made.get("secret").is_none() && made["host"].as_str().unwrap().starts_with("127.0.0.1"), "{made}");
    told(&site.app.db, site.app.clock.now(), &[], &new(NoticeKind::Report, "report")).await;
    for _ in 0..domain::notice::retry::TRIES {
        delivery::once(&site.app).await.unwrap();
        site.app.clock.advance(TimeDelta::hours(5));
    }
    let me = site.signed_in_as(admin).await;
    let tried = seen.lock().unwrap().len();
    assert_eq!(i64::try_from(tried).unwrap(), domain::notice::retry::TRIES);
    me.get(here).await.is(200).says("HTTP 502").says("report happened").says("Send again");
    let queue = me.get("/api/v1/notice-queue").await.is(200).body();
    assert_eq!((&queue["dead"], &queue["dead_messages"][0]["to"]), (&json!(1), &json!("#agents")));
    let delivery_id = queue["dead_messages"][0]["delivery"].as_str().unwrap();
    me.post(here, &[("do", "resend"), ("delivery", delivery_id)]).await.leads_to("/settings/notices#given-up");
    delivery::once(&site.app).await.unwrap();
    let ids: BTreeSet<String> = seen
        .lock()
        .unwrap()
        .iter()
        .map(|(headers, _)| headers.get("muster-delivery").unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), [delivery_id], "every try is the same delivery");
    me.json(Method::POST, "/api/v1/notice-queue/resend", &json!({})).await.is(200);
    me.json(Method::POST, "/api/v1/notice-channels/2/remove", &json!({})).await.is(200);
    me.json(Method::POST, "/api/v1/notice-channels/2/remove", &json!({})).await.is_problem(404, "not-found");
    me.post(here, &[("do", "remove"), ("channel", "1")]).await.leads_to("/settings/notices#channels");

    // Who only reads sees figures, and no one’s messages.
    let reader = site.signed_in(Role::Member).await;
    let page = reader.get(here).await.is(200).says("The queue").text();
    assert!(!page.contains("Add a channel") && !page.contains("Given up</h2>"), "{page}");
    reader.post(here, &[("do", "resend-all")]).await.is(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_page_is_told_at_once() {
    let site = Site::empty().await;
    let ana = site.person("ana@muster.test", &[Role::Member]).await;
    let me = site.signed_in_as(ana).await;
    let cookie = format!("muster_session={}", me.cookie("muster_session").unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = server::router::router(&site.app);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let open = async |cookie: &str| {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let head = format!("GET /notices/stream HTTP/1.1\r\nHost: muster.test\r\nCookie: {cookie}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        BufReader::new(stream).lines()
    };
    async fn until(lines: &mut tokio::io::Lines<BufReader<tokio::net::TcpStream>>, said: &str) {
        let wait = async {
            loop {
                match lines.next_line().await.unwrap() {
                    Some(line) if line.contains(said) => return,
                    Some(_) => {}
                    None => panic!("it ended before it said {said}"),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap_or_else(|_| panic!("{said} was not said"));
    }
    let mut lines = open(&cookie).await;
    until(&mut lines, "text/event-stream").await;
    until(&mut lines, "data: 0").await;
    told(&site.app.db, site.app.clock.now(), &[ana], &new(NoticeKind::Report, "one")).await;
    until(&mut lines, "data: 1").await;
    let list = me.get("/api/v1/notices").await.is(200).body();
    let id = list["items"][0]["id"].as_str().unwrap();
    me.json(Method::POST, "/api/v1/notices/read", &json!({"up_to": id})).await.is(200);
    until(&mut lines, "data: 0").await;
    // Few pages of one session, and none without one.
    let mut second = open(&cookie).await;
    until(&mut second, "data: 0").await;
    // Without a place it is told once, and when to ask again.
    let mut third = open(&cookie).await;
    until(&mut third, "retry: 5000").await;
    until(&mut open("muster_session=none").await, "303 See Other").await;
    // It ends when Muster stops: an empty last piece.
    site.app.live.close();
    let end = async { while lines.next_line().await.unwrap().is_some_and(|line| line != "0") {} };
    tokio::time::timeout(Duration::from_secs(5), end).await.unwrap();
}

/// The binary, with e-mail and webhooks of this machine.
struct Muster(Child);

impl Muster {
    fn start(database: &str, smtp: &str) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(["serve", "--listen", "127.0.0.1:0", "--database", database])
            .env_clear()
            .env("MUSTER_SMTP_URL", smtp)
            .env("MUSTER_MAIL_FROM", "muster@muster.test")
            .env("MUSTER_ALLOW_PRIVATE_TARGETS", "true")
            .env("MUSTER_BASE_URL", "http://muster.test")
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// SIGKILL: it gets no moment to put anything in order.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Muster {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How many people there are, how many notices each gets, how often the server is killed. The
/// long version is `cargo xtask soak notices`.
fn size() -> (usize, usize, usize) {
    if std::env::var_os("MUSTER_SOAK").is_some() { (500, 4, 20) } else { (25, 3, 3) }
}

/// Some people, a webhook, and notices for all of them, written before any server runs.
async fn much_to_tell(db: &Db, hook: &str) {
    let cli = Actor::cli();
    let now = server::clock::Clock::System.now();
    let by = By { actor: &cli, now };
    let asked = NewOutlet {
        kind: OutletKind::Webhook,
        name: "hook".into(),
        url: hook.into(),
        kinds: vec![NoticeKind::AgentStopped],
        plain: true,
    };
    outlets::add(db, by, &asked).await.unwrap();
    let (people, each, _) = size();
    for n in 0..people {
        let fields = Fields { name: format!("Person {n}"), email: format!("p{n}@muster.test"), ..Fields::default() };
        let id = create(db, by, &fields, Roles::NONE.with(Role::Member)).await.unwrap().id;
        for m in 0..each {
            let urgent = New { critical: true, ..new(NoticeKind::AgentStopped, &format!("k{n}x{m}")) };
            told(db, now, &[id], &urgent).await;
        }
    }
}

/// Every key that arrived, with the deliveries under which it did.
fn arrived(smtp: &Smtp, got: &Got) -> [BTreeMap<String, BTreeSet<String>>; 2] {
    let mut mail: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for message in smtp.all() {
        let key = message.split(" happened").next().unwrap().rsplit([' ', '\n']).next().unwrap().to_owned();
        mail.entry(key).or_default().insert(header(&message, "Muster-Delivery").to_owned());
    }
    let mut hooks: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (headers, body) in got.lock().unwrap().iter() {
        let said: serde_json::Value = serde_json::from_slice(body).unwrap();
        let key = said["what"].as_str().unwrap().split(' ').next().unwrap().to_owned();
        hooks.entry(key).or_default().insert(headers.get("muster-delivery").unwrap().to_str().unwrap().to_owned());
    }
    [mail, hooks]
}

async fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(90);
    while !there() {
        assert!(Instant::now() < end, "{what} took too long");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Every message arrived, and each under one delivery however often.
fn whole(smtp: &Smtp, got: &Got) {
    let (people, each, _) = size();
    for keys in arrived(smtp, got) {
        assert_eq!(keys.len(), people * each);
        assert!(keys.values().all(|deliveries| deliveries.len() == 1), "{keys:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn none_is_lost_though_the_server_is_killed() {
    let folder = Folder::new();
    let url = format!("sqlite://{}", folder.0.join("muster.db").display());
    let smtp = Smtp::new(Duration::from_millis(15)).await;
    let (address, got) = hook(StatusCode::OK, Duration::from_millis(15)).await;
    let db = Db::connect(&url).await.unwrap();
    much_to_tell(&db, &address).await;
    let (people, each, kills) = size();
    let total = people * each;
    for part in 1..=kills {
        let server = Muster::start(&url, &smtp.address);
        wait_for("a part", || smtp.count() + got.lock().unwrap().len() >= total * 2 * part / (kills + 2)).await;
        server.kill();
    }
    let _server = Muster::start(&url, &smtp.address);
    let done = || {
        let [mail, hooks] = arrived(&smtp, &got);
        mail.len() == total && hooks.len() == total
    };
    wait_for("the rest", done).await;
    whole(&smtp, &got);
    // What was under way three times is known to have arrived once more, or exactly once.
    let sent = db.one("SELECT COUNT(*) FROM delivery WHERE state = 'dead'", register::args![]).await.unwrap().unwrap();
    assert_eq!(sent.get::<i64>(0).unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_database_send_each_once() {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/postgres");
    let database = cluster::Database::copy(&migrations, async |url| {
        let db = Db::connect(&url).await.map_err(|e| e.to_string())?;
        db.close().await;
        Ok::<(), String>(())
    })
    .await;
    let url = database.url();
    let smtp = Smtp::new(Duration::from_millis(5)).await;
    let (address, got) = hook(StatusCode::OK, Duration::from_millis(5)).await;
    let db = Db::connect(&url).await.unwrap();
    much_to_tell(&db, &address).await;
    let servers = [Muster::start(&url, &smtp.address), Muster::start(&url, &smtp.address)];
    let (people, each, _) = size();
    let total = people * each;
    wait_for("all of it", || smtp.count() >= total && got.lock().unwrap().len() >= total).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((smtp.count(), got.lock().unwrap().len()), (total, total));
    whole(&smtp, &got);
    drop(servers);
    db.close().await;
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("notices-{}", register::random::secret()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
