//! Who is signed in. The cookie carries a random id; the store keeps its SHA-256.
//!
//! The store speaks tower-sessions' trait. Its layer is not used: it reads the system's
//! clock, and writes where a look-up must not.

pub mod cookie;
mod store;

use axum::http::{HeaderMap, HeaderValue};
use register::passwords::Login;
use register::sessions::{Found, From};
use register::{By, Error};
use tower_sessions::SessionStore as _;

use crate::state::App;
use store::Opening;
pub use store::Store;

/// The name of the cookie.
pub const COOKIE: &str = "muster_session";

/// The session that the request carries, if it holds.
pub async fn of(app: &App, headers: &HeaderMap) -> Result<Option<Found>, Error> {
    let Some(id) = cookie::get(headers, COOKIE).and_then(store::parse) else { return Ok(None) };
    let store = Store::new(app);
    let found = store.find(&id).await?;
    if let Some(found) = &found {
        store.note_use(&id, found);
    }
    Ok(found)
}

/// Opens a session for who just signed in, under an id that nobody had before, and ends
/// the one that the browser carried. Answers the cookie.
pub async fn open(app: &App, login: &Login, headers: &HeaderMap, from: From) -> Result<HeaderValue, Error> {
    close(app, headers).await?;
    let store = Store::new(app);
    let mut record = store.record(&Opening { person: login.person, roles: login.roles, from });
    store.create(&mut record).await.map_err(store::failed)?;
    Ok(cookie::set(COOKIE, &record.id.to_string(), register::sessions::LONGEST, app.config.secure()))
}

/// Ends the session that the request carries. Answers the cookie that forgets it.
pub async fn close(app: &App, headers: &HeaderMap) -> Result<HeaderValue, Error> {
    if let Some(id) = cookie::get(headers, COOKIE).and_then(store::parse) {
        Store::new(app).delete(&id).await.map_err(store::failed)?;
    }
    Ok(forget(app))
}

/// The cookie that forgets a session.
pub fn forget(app: &App) -> HeaderValue {
    cookie::set(COOKIE, "", chrono::TimeDelta::zero(), app.config.secure())
}

/// As which actor a session acts.
pub fn by<'a>(app: &App, actor: &'a domain::can::Actor) -> By<'a> {
    By { actor, now: app.clock.now() }
}
