//! The caller of webhooks. It signs what it sends, follows nobody, reads little, gives up in
//! time, and connects only to an address that it has looked at: a name may lead elsewhere a
//! moment later.

use std::net::SocketAddr;
use std::time::Duration;

use domain::can::Actor;
use domain::stop::{self, Outcome, Surface};
use futures_util::future::join_all;
use register::stops::calls::{self, Begun};
use register::stops::sweep::{Sweep, Swept};
use register::{By, Error};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use serde_json::json;
use tokio::sync::{Semaphore, watch};

use crate::state::App;

/// How much of an answer is read.
const READ: usize = 64 * 1024;
/// How much of it is kept, in characters.
const KEPT: usize = 200;

/// How a call went, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Went {
    /// How.
    pub outcome: Outcome,
    /// The status and the beginning of the answer, or why there is none.
    pub detail: String,
}

impl Went {
    fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { outcome, detail: detail.into() }
    }
}

/// Calls, and writes down how it went; both are done though nobody waits any longer.
pub async fn carry_out(app: &App, actor: &Actor, begun: Begun) -> Result<Went, Error> {
    let (app, actor) = (app.clone(), actor.clone());
    let work = tokio::spawn(async move { perform(&app, &actor, &begun).await });
    match work.await {
        Ok(done) => done,
        Err(error) => {
            tracing::error!(%error, "a call of a webhook broke off");
            Err(Error::Conflict("The call broke off. Look at the stop's page for what is known of it.".into()))
        }
    }
}

async fn perform(app: &App, actor: &Actor, begun: &Begun) -> Result<Went, Error> {
    let went = call(app, begun).await;
    let by = By { actor, now: app.clock.now() };
    calls::answered(&app.db, by, &begun.delivery, went.outcome, &went.detail).await?;
    Ok(went)
}

/// Makes the calls of one stop, all at once, and answers how each went.
pub async fn carry_out_all(app: &App, actor: &Actor, calls: Vec<Begun>) -> Result<Vec<(Surface, Outcome)>, Error> {
    let surfaces: Vec<Surface> = calls.iter().map(|c| c.surface).collect();
    let went = join_all(calls.into_iter().map(|begun| carry_out(app, actor, begun))).await;
    surfaces.into_iter().zip(went).map(|(surface, went)| Ok((surface, went?.outcome))).collect()
}

/// How long a request waits for everything to be stopped; the stopping goes on without it.
const PATIENCE: Duration = Duration::from_secs(8);

/// So many webhooks are called at once for stops of many, however many such stops there are. A
/// stop of one agent never waits behind them.
static SWEEPING: Semaphore = Semaphore::const_new(stop::AT_ONCE);

/// How far a stop of many has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It goes on.
    Going(Swept),
    /// Every agent is stopped; webhooks may still be called.
    Done(Swept),
    /// The store failed; what is stopped stays so.
    BrokeOff(Swept),
}

/// Stops everything in a task of its own, which goes on though nobody waits any longer, and
/// calls the webhooks as the stops are written. Answers how far it has come.
pub async fn stop_everything(app: &App, actor: &Actor, mut sweep: Sweep) -> Progress {
    let (tell, mut hear) = watch::channel(Progress::Going(Swept::default()));
    let (app, actor) = (app.clone(), actor.clone());
    let under_way = app.sweeps.begin(sweep.shared().called());
    tokio::spawn(async move {
        let _under_way = under_way;
        loop {
            let by = By { actor: &actor, now: app.clock.now() };
            match sweep.next(&app.db, by).await {
                Ok(Some(calls)) => {
                    for begun in calls {
                        tokio::spawn(in_turn(app.clone(), actor.clone(), begun));
                    }
                    tell.send_replace(Progress::Going(sweep.done().clone()));
                }
                Ok(None) => {
                    tell.send_replace(Progress::Done(sweep.done().clone()));
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, "a stop of many broke off");
                    tell.send_replace(Progress::BrokeOff(sweep.done().clone()));
                    return;
                }
            }
        }
    });
    // When time is up, or the task is gone, what was told last is the answer.
    let over = hear.wait_for(|progress| !matches!(progress, Progress::Going(_)));
    let _ = tokio::time::timeout(PATIENCE, over).await;
    hear.borrow().clone()
}

/// Makes the calls of stops that were pressed before this server started and never made: a stop
/// does not end with the server that it was pressed on. A receiver may so be called twice, with
/// the same delivery. Answers how many there are; they are made without anybody waiting.
pub async fn resume(app: &App) -> Result<usize, Error> {
    let calls = calls::unfinished(&app.db, app.clock.now()).await?;
    let count = calls.len();
    for begun in calls {
        tokio::spawn(in_turn(app.clone(), Actor::muster(), begun));
    }
    if count > 0 {
        tracing::warn!(count, "webhooks of stops that were under way are called again");
    }
    Ok(count)
}

/// One call of a stop of many, when it is its turn.
pub(crate) async fn in_turn(app: App, actor: Actor, begun: Begun) {
    let Ok(_turn) = SWEEPING.acquire().await else { return };
    if let Err(error) = perform(&app, &actor, &begun).await {
        tracing::error!(%error, delivery = begun.delivery, "how a call went could not be written");
    }
}

/// What is sent.
fn body(app: &App, begun: &Begun) -> Vec<u8> {
    let callback = format!("{}/api/v1/stop-callbacks/{}", app.config.base_url, begun.delivery);
    json!({
        "delivery": begun.delivery,
        "agent": begun.agent,
        "surface": begun.surface,
        "method_version": begun.version,
        "drill": begun.drill,
        "callback": callback,
    })
    .to_string()
    .into_bytes()
}

async fn call(app: &App, begun: &Begun) -> Went {
    // A method's own time may be shorter.
    let limit = stop::ANSWER_WITHIN.min(begun.timeout).to_std().unwrap_or_default();
    match tokio::time::timeout(limit, reach(app, begun)).await {
        Ok(went) => went,
        Err(_) => Went::new(Outcome::Silent, format!("no answer within {} s", limit.as_secs())),
    }
}

async fn reach(app: &App, begun: &Begun) -> Went {
    post(app, &begun.url, &begun.delivery, Some(&begun.secret), body(app, begun)).await
}

/// Posts JSON to an address that people typed, signed where there is a secret. The caller limits
/// the time.
pub(crate) async fn post(app: &App, url: &str, delivery: &str, secret: Option<&str>, body: Vec<u8>) -> Went {
    let Ok(url) = Url::parse(url) else { return Went::new(Outcome::Unreachable, "its address is none") };
    let (host, addresses) = match look_up(&url, app.config.allow_private_targets).await {
        Ok(found) => found,
        Err(went) => return went,
    };
    let client = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .resolve_to_addrs(&host, &addresses)
        .user_agent(concat!("muster/", env!("CARGO_PKG_VERSION")))
        .build();
    let client = match client {
        Ok(client) => client,
        Err(error) => return Went::new(Outcome::Unreachable, error.to_string()),
    };
    let timestamp = app.clock.now().timestamp().to_string();
    let mut request = client.post(url).header("content-type", "application/json").header("muster-delivery", delivery);
    if let Some(secret) = secret {
        request = request
            .header("muster-signature", stop::sign(secret, &timestamp, &body))
            .header("muster-timestamp", timestamp);
    }
    match request.body(body).send().await {
        Ok(answer) => answered(answer).await,
        Err(error) if error.is_timeout() => Went::new(Outcome::Silent, "no answer in time"),
        Err(error) if untrusted(&error) => Went::new(Outcome::Untrusted, root(&error)),
        Err(error) => Went::new(Outcome::Unreachable, root(&error)),
    }
}

/// Where the name leads; refused as a whole when any of it is within.
async fn look_up(url: &Url, private: bool) -> Result<(String, Vec<SocketAddr>), Went> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let found: Vec<SocketAddr> = match tokio::net::lookup_host((bare, port)).await {
        Ok(found) => found.collect(),
        Err(error) => return Err(Went::new(Outcome::Unreachable, format!("{host} is not found: {error}"))),
    };
    if found.is_empty() {
        return Err(Went::new(Outcome::Unreachable, format!("{host} leads nowhere")));
    }
    if !private && let Some(why) = found.iter().find_map(|a| stop::allowed(a.ip()).err()) {
        return Err(Went::new(Outcome::Forbidden, format!("{host}: {why}")));
    }
    Ok((host, found))
}

async fn answered(mut answer: Response) -> Went {
    let status = answer.status();
    let mut text = Vec::new();
    while text.len() < READ
        && let Ok(Some(piece)) = answer.chunk().await
    {
        text.extend_from_slice(&piece[..piece.len().min(READ - text.len())]);
    }
    let outcome = match status.as_u16() {
        200..=299 => Outcome::Accepted,
        300..=399 => Outcome::Redirected,
        _ => Outcome::Refused,
    };
    let said: String = String::from_utf8_lossy(&text).chars().filter(|c| !c.is_control()).take(KEPT).collect();
    let said = said.trim();
    let detail =
        if said.is_empty() { format!("HTTP {}", status.as_u16()) } else { format!("HTTP {}: {said}", status.as_u16()) };
    Went::new(outcome, detail)
}

/// The causes of an error, outermost first.
fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |e| e.source())
}

/// What rustls refuses arrives as data that is not valid.
fn untrusted(error: &reqwest::Error) -> bool {
    error.is_connect()
        && causes(error)
            .any(|e| e.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData))
}

fn root(error: &reqwest::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default().chars().take(KEPT).collect()
}
