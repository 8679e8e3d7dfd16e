//! The sender of notices: plans what was told, takes what is due, sends it, writes down how it
//! went. It sleeps until something is written here or falls due; what other processes write it
//! finds within [`LOOK`].

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::notice::{letter, message};
use domain::stop::Outcome;
use register::db::DbError;
use register::notices::send::{self, Failed, Taken, To};
use register::notices::{plan, queue, written};
use tokio::task::JoinSet;

use crate::hooks;
use crate::state::App;

/// So many messages are sent at once.
const AT_ONCE: usize = 8;
/// How long a webhook may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How often what other processes wrote is looked for.
const LOOK: Duration = Duration::from_secs(30);
/// The shortest sleep, and the pause after the store failed.
const SHORT: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_secs(5);
/// How often what is under way is kept; well within [`send::LEASE`].
const RENEW: Duration = Duration::from_secs(6);
/// How long what is under way may take once Muster stops.
const LAST: Duration = Duration::from_secs(8);

/// Runs until Muster stops, then gives back what it could not send.
pub async fn run(app: App) {
    let owner = uuid::Uuid::from_bytes(register::random::bytes()).to_string();
    let mut heard = written::listen();
    let mut tasks: JoinSet<()> = JoinSet::new();
    let mut renew = tokio::time::interval(RENEW);
    renew.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let closed = app.live.closed();
    tokio::pin!(closed);
    loop {
        let sleep = match advance(&app, &owner, &mut tasks).await {
            Ok(sleep) => sleep,
            Err(error) => {
                tracing::error!(%error, "notices wait: the store failed");
                PAUSE
            }
        };
        tokio::select! {
            biased;
            () = &mut closed => break,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            // One that heard too much looks anyway; the channel lives as long as the process.
            _ = heard.recv() => {}
            _ = renew.tick(), if !tasks.is_empty() => {
                if let Err(error) = send::renew(&app.db, &owner, app.clock.now()).await {
                    tracing::warn!(%error, "what is being sent could not be kept");
                }
            }
            () = tokio::time::sleep(sleep) => {}
        }
        // Many changes at once are one reason to look.
        while heard.try_recv().is_ok() {}
    }
    let rest = async { while tasks.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(LAST, rest).await;
    tasks.shutdown().await;
    if let Err(error) = send::give_back(&app.db, &owner).await {
        tracing::warn!(%error, "what was not sent could not be given back; it is taken up within half a minute");
    }
}

/// Plans, and begins to send what is due as far as there is room. Answers how long to sleep.
async fn advance(app: &App, owner: &str, tasks: &mut JoinSet<()>) -> Result<Duration, DbError> {
    let mail = app.mailer.is_some();
    while plan::plan(&app.db, app.clock.now(), mail).await? > 0 {
        tokio::task::yield_now().await;
    }
    while tasks.try_join_next().is_some() {}
    let room = AT_ONCE.saturating_sub(tasks.len());
    if room == 0 {
        return Ok(LOOK);
    }
    let now = app.clock.now();
    let taken = send::take(&app.db, owner, now, i64::try_from(room).unwrap_or(1), mail).await?;
    let full = taken.len() == room;
    for one in taken {
        let (app, owner) = (app.clone(), owner.to_owned());
        tasks.spawn(async move { deliver(&app, &owner, one).await });
    }
    if full {
        return Ok(LOOK);
    }
    let figures = queue::count(&app.db, now).await?;
    #[expect(clippy::cast_precision_loss, reason = "counted up to ten thousand")]
    metrics::gauge!("muster_notices_waiting").set(figures.waiting as f64);
    let next = send::next_due(&app.db, mail).await?;
    Ok(next.map_or(LOOK, |at| until(at, app.clock.now())))
}

fn until(at: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (at - now).to_std().unwrap_or_default().clamp(SHORT, LOOK)
}

/// Plans and sends all that is due now, and waits for it. Answers how many messages were tried.
/// What [`run`] does, for a test whose clock stands still.
pub async fn once(app: &App) -> Result<usize, DbError> {
    let mail = app.mailer.is_some();
    while plan::plan(&app.db, app.clock.now(), mail).await? > 0 {}
    let mut tried = 0;
    loop {
        let taken = send::take(&app.db, "once", app.clock.now(), 8, mail).await?;
        if taken.is_empty() {
            return Ok(tried);
        }
        tried += taken.len();
        for one in taken {
            deliver(app, "once", one).await;
        }
    }
}

/// Sends one message, and writes down how it went.
async fn deliver(app: &App, owner: &str, taken: Taken) {
    let Taken { delivery, to, items } = taken;
    let base = app.config.base_url.to_string();
    let (channel, went) = match &to {
        To::Gone(why) => ("none", Err(why.clone())),
        _ if items.is_empty() => ("none", Err("it carries nothing any more".to_owned())),
        To::Person { name, email } => {
            let went = match &app.mailer {
                Some(mailer) => {
                    let letter = letter::letter(&items, name, &base);
                    mailer.send(&delivery, (name, email), letter, app.clock.now()).await
                }
                None => Err("no mail server is set up".to_owned()),
            };
            ("mail", went)
        }
        To::Outlet { kind, url, secret } => {
            let body = message::body(*kind, &delivery, &items[0], &base).to_string().into_bytes();
            (kind.key(), call(app, url, &delivery, secret.as_deref(), body).await)
        }
    };
    let now = app.clock.now();
    let written = match went {
        Ok(()) => {
            metrics::counter!("muster_notices_sent_total", "channel" => channel).increment(1);
            send::sent(&app.db, owner, &delivery, now).await.map(|_| ())
        }
        Err(why) => {
            metrics::counter!("muster_notices_failed_total", "channel" => channel).increment(1);
            let for_good = channel == "none";
            let chance = u32::from_le_bytes(register::random::bytes());
            match send::failed(&app.db, owner, &delivery, &why, now, chance, for_good).await {
                Ok(Failed::Dead) => {
                    metrics::counter!("muster_notices_dead_total").increment(1);
                    tracing::warn!(
                        delivery,
                        why,
                        "a message is given up; it can be sent again under Settings, Notices"
                    );
                    Ok(())
                }
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            }
        }
    };
    if let Err(error) = written {
        // It is sent again once its lease is over, under the same delivery.
        tracing::error!(%error, delivery, "how a message went could not be written");
    }
}

/// Calls a webhook; otherwise why it did not arrive.
pub(crate) async fn call(
    app: &App,
    url: &str,
    delivery: &str,
    secret: Option<&str>,
    body: Vec<u8>,
) -> Result<(), String> {
    match tokio::time::timeout(ANSWER_WITHIN, hooks::post(app, url, delivery, secret, body)).await {
        Ok(went) if went.outcome == Outcome::Accepted => Ok(()),
        Ok(went) => Err(went.detail),
        Err(_) => Err(format!("no answer within {} s", ANSWER_WITHIN.as_secs())),
    }
}
