//! What happens by itself, every minute: ended sessions, old throttles, old answers to
//! repeated requests and forgotten uploads go. Nothing that is shown depends on its having run.

use std::time::Duration;

use chrono::TimeDelta;
use register::{args, sessions, throttle};

use crate::state::App;

const EVERY: Duration = Duration::from_mins(1);
const UPKEEP: Duration = Duration::from_secs(5);
/// How long an answer is kept for a repeated `Idempotency-Key`.
const ANSWERS: TimeDelta = TimeDelta::hours(24);
/// How long an uploaded file waits for its owner to go on.
const UPLOADS: TimeDelta = TimeDelta::hours(24);

/// Runs until it is dropped.
pub async fn run(app: App) {
    if let Err(error) = crate::hooks::resume(&app).await {
        tracing::error!(%error, "calls of stops that were under way could not be read");
    }
    let mut minute = tokio::time::interval(EVERY);
    let mut upkeep = tokio::time::interval(UPKEEP);
    for timer in [&mut minute, &mut upkeep] {
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    }
    loop {
        tokio::select! {
            _ = upkeep.tick() => crate::metrics::upkeep(),
            _ = minute.tick() => {
                if let Err(error) = once(&app).await {
                    tracing::error!(%error, "housekeeping failed; it tries again in a minute");
                }
            }
        }
    }
}

/// One round.
pub async fn once(app: &App) -> Result<(), register::Error> {
    let now = app.clock.now();
    sessions::sweep(&app.db, now).await?;
    throttle::sweep(&app.db, now).await?;
    app.db.run("DELETE FROM idempotency WHERE at <= $1", args![now - ANSWERS]).await?;
    app.db.run("DELETE FROM upload WHERE at <= $1", args![now - UPLOADS]).await?;
    while register::notices::queue::forget(&app.db, now).await? > 0 {
        tokio::task::yield_now().await;
    }
    register::exceptions::figures::fold(&app.db, app.clock.now()).await?;
    // After an update: agents that were not assessed since, a batch at a time, so that nobody waits
    // long for the writer.
    while register::agents::needs::catch_up(&app.db, app.clock.now()).await? > 0 {
        tokio::task::yield_now().await;
    }
    Ok(())
}
