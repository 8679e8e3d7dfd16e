//! Around everything: an id for each request, a limit on its time, a net under a panic,
//! the refusal of foreign forms, the headers, the numbers, and a line in the log for what
//! broke. One function, since each layer would cost every request.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;

use super::{csrf, door, headers};
use crate::page::{self, Fault};
use crate::problem::{Cause, Kind, Problem};
use crate::signed::Visitor;
use crate::state::App;

/// The longest that a request may take, its body included.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest for an upload: a large file over a slow line.
const LONGEST_UPLOAD: Duration = Duration::from_mins(10);

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Finds a request in the log.
#[derive(Debug, Clone)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The one in the request, if it could be ours or a proxy's, else a new one.
    fn new(headers: &HeaderMap) -> Self {
        static START: OnceLock<String> = OnceLock::new();
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let given = headers.get(HEADER).and_then(|value| value.to_str().ok()).filter(|id| {
            (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        });
        if let Some(id) = given {
            return Self(id.into());
        }
        let start = START.get_or_init(|| hex::encode(register::random::bytes::<6>()));
        Self(format!("{start}-{:x}", COUNT.fetch_add(1, Ordering::Relaxed)).into())
    }

    /// The one that [`guard`] gave.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_else(|| Self("".into()))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Around everything.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::new(request.headers());
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(id.clone());
    let method = parts.method.clone();
    let uri = parts.uri.clone();
    let path = told(uri.path());
    let theme = Visitor::theme(&parts.headers);
    let route = parts.extensions.get::<MatchedPath>().cloned();
    let refusal = csrf::refusal(&app.config, &method, &parts.uri, &parts.headers);
    let visitor = || Visitor::at(&uri, theme);
    let broken = |fault: Fault, kind: Kind, sentence: &str| {
        if door::is_api(path) { Problem::new(kind, sentence).into_response() } else { fault.into_response() }
    };
    let response = if let Some(sentence) = refusal {
        tracing::warn!(%id, %method, path, "refused a request from another site");
        broken(Fault::forbidden(sentence), Kind::Forbidden, sentence)
    } else {
        let run = AssertUnwindSafe(next.run(Request::from_parts(parts, body))).catch_unwind();
        match tokio::time::timeout(longest(path), run).await {
            Ok(Ok(response)) => response,
            // The panic itself is on stderr, by the hook.
            Ok(Err(_)) => {
                tracing::error!(%id, %method, path, "a handler panicked");
                broken(Fault::broken(""), Kind::Internal, "Nothing was changed. The log has the cause.")
            }
            Err(_) => {
                tracing::error!(%id, %method, path, "a request took too long");
                let sentence = "It took too long and was given up. Try again; ask for less at once if it stays so.";
                let fault = Fault::new(StatusCode::SERVICE_UNAVAILABLE, sentence);
                broken(fault, Kind::Unavailable, sentence)
            }
        }
    };
    let mut response = page::dress(&app, None, visitor, &id, response);
    headers::secure(&app.config, response.headers_mut());
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(HEADER, value);
    }
    note(&id, &method, path, &mut response);
    let route = route.as_ref().map_or("unknown", MatchedPath::as_str);
    crate::metrics::request(&method, route, response.status(), started.elapsed());
    response
}

/// A path as the log has it: without what opens a calendar.
fn told(path: &str) -> &str {
    if path.starts_with("/calendar/") { "/calendar/…" } else { path }
}

fn longest(path: &str) -> Duration {
    let upload = ["/agents/import", "/api/v1/import", "/api/v1/activity"].iter().any(|at| path.starts_with(at));
    if upload { LONGEST_UPLOAD } else { LONGEST }
}

/// The log never has bodies, cookies, tokens or queries.
fn note(id: &RequestId, method: &Method, path: &str, response: &mut Response) {
    let status = response.status().as_u16();
    match response.extensions_mut().remove::<Cause>() {
        Some(Cause(cause)) if status >= 500 => tracing::error!(%id, %method, path, status, cause, "a request failed"),
        Some(Cause(cause)) => tracing::info!(%id, %method, path, status, cause, "a request was not understood"),
        None => tracing::debug!(%id, %method, path, status, "answered"),
    }
}
