//! Whether Muster is alive, and whether it is ready.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::state::App;

const TEXT: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];

/// `GET /healthz`: the process answers.
pub async fn alive() -> Response {
    (TEXT, "ok\n").into_response()
}

/// `GET /readyz`: the database answers. That it is migrated was seen to at start, before
/// this was served.
pub async fn ready(State(app): State<App>) -> Response {
    match app.db.one("SELECT seq FROM chain_head WHERE id = 1", Vec::new()).await {
        Ok(Some(_)) => (TEXT, "ready\n").into_response(),
        Ok(None) => not_ready("the database has no chain head\n"),
        Err(error) => {
            tracing::error!(%error, "the database does not answer");
            not_ready("the database does not answer\n")
        }
    }
}

/// 503, in one line for whoever asks.
pub fn not_ready(why: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, TEXT, [(header::RETRY_AFTER, "1")], why).into_response()
}
