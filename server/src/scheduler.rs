//! What is due by the clock, done when it is due. It sleeps until the next instant, and is woken by
//! whatever is written here that is due sooner; what other servers write it sees within a minute.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::can::Actor;
use register::{Error, clock};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::state::App;
use crate::{hooks, metrics};

/// The longest sleep: another server may have written what is due sooner.
const LONGEST: Duration = Duration::from_mins(1);
/// After a failure of the store.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Runs until it is dropped.
pub async fn run(app: App) {
    // Heard from before the first look, so that nothing written meanwhile is missed.
    let mut rung = clock::bell::listen();
    loop {
        match all(&app).await {
            Ok(next) => wait(&app, &mut rung, next).await,
            Err(error) => {
                tracing::error!(%error, "what was due could not be done; it is tried again soon");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// Does everything that is due, a batch at a time, so that nobody waits long for the writer.
/// Answers when the clock is needed next.
pub async fn all(app: &App) -> Result<DateTime<Utc>, Error> {
    loop {
        let now = app.clock.now();
        let Some(done) = clock::step(&app.db, now).await? else { return Ok(clock::next(&app.db, now).await?) };
        metrics::clock(&done);
        for call in done.calls {
            tokio::spawn(hooks::in_turn(app.clone(), Actor::muster(), call));
        }
        tokio::task::yield_now().await;
    }
}

/// Sleeps until an instant, or until something sooner is due.
async fn wait(app: &App, rung: &mut Receiver<DateTime<Utc>>, next: DateTime<Utc>) {
    let sooner = async {
        loop {
            match rung.recv().await {
                Ok(at) if at >= next => {}
                // Sooner, or too much to have heard it all.
                Ok(_) | Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    };
    tokio::select! {
        () = app.clock.reaches(next) => {}
        () = sooner => {}
        () = tokio::time::sleep(LONGEST) => {}
    }
}
