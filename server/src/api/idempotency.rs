//! `Idempotency-Key`: a POST that may be sent again. The first answer is given again for a
//! day, to the same actor for the same request.
//!
//! The request is carried out in a task of its own: a client that hangs up, or a limit on
//! time, ends the waiting and not the work, and the answer is kept for whoever asks again.
//! What remains is a server that stops between the change and the keeping of its answer;
//! see [`register::idempotency`].

use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use register::idempotency::{self, Claim, Made, Named};
use sha2::{Digest as _, Sha256};

use crate::App;
use crate::problem::{Kind, Problem};
use crate::signed::ApiActor;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The headers that belong to the answer itself; the rest are of each request.
const KEPT: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];
/// Longest key, in characters.
const KEY_MAX: usize = 255;

/// Around every POST of the API; a request without a key passes by.
pub(crate) async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    match keyed(request).await {
        Err(problem) => problem.into_response(),
        Ok((claim, request)) => {
            let job = tokio::spawn(async move { perform(&app, &claim, request, next).await });
            match job.await {
                Ok(response) => response,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(error) => Problem::internal(error).into_response(),
            }
        }
    }
}

/// The key of a request, and the request with its body read.
async fn keyed(request: Request) -> Result<(idempotency::Request, Request), Problem> {
    let key = key(request.headers())?;
    let caller = request.extensions().get::<ApiActor>().cloned().ok_or_else(Problem::unauthorized)?;
    let (parts, body) = request.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let bytes = if kind.starts_with(b"multipart/form-data") {
        // A form with a file is larger than what others send.
        let sentence = "The form is larger than this address takes.";
        let whole = axum::body::to_bytes(body, super::agents::DRILL_MAX).await;
        whole.map_err(|_| Problem::new(Kind::TooLarge, sentence))?
    } else {
        // Read with the limit that the address has.
        Bytes::from_request(Request::from_parts(parts.clone(), body), &()).await?
    };
    let mut digest = Sha256::new();
    digest.update(parts.uri.path_and_query().map_or("/", |p| p.as_str()));
    digest.update(b"\n");
    digest.update(&bytes);
    let claim = idempotency::Request {
        actor: caller.actor.who.to_string(),
        key,
        sha256: hex::encode(digest.finalize()),
        at: caller.now,
        server: server().to_owned(),
    };
    Ok((claim, Request::from_parts(parts, Body::from(bytes))))
}

/// A key, with or without the quotes of a structured header.
fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut values = headers.get_all(KEY).iter();
    let text = values.next().and_then(|v| v.to_str().ok()).unwrap_or_default().trim();
    let text = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    let good = !text.is_empty() && text.len() <= KEY_MAX && text.bytes().all(|b| b.is_ascii_graphic());
    if good && values.next().is_none() {
        return Ok(text.to_owned());
    }
    Err(Problem::new(
        Kind::Malformed,
        format!("An `Idempotency-Key` is one text of 1 to {KEY_MAX} visible ASCII characters, for instance a UUID."),
    ))
}

/// This running server: after it stopped, whoever is asked again knows that it is not at
/// work any more.
fn server() -> &'static str {
    static SERVER: OnceLock<String> = OnceLock::new();
    SERVER.get_or_init(register::random::secret)
}

async fn perform(app: &App, claim: &idempotency::Request, request: Request, next: Next) -> Response {
    match idempotency::claim(&app.db, claim).await {
        Ok(Claim::Mine) => {}
        Ok(Claim::Answered(answer)) => return again(answer),
        Ok(Claim::Running) => {
            let sentence = "A request with this `Idempotency-Key` is being carried out; ask again in a moment.";
            return Problem::new(Kind::Conflict, sentence).with(header::RETRY_AFTER, "1").into_response();
        }
        Ok(Claim::Other) => {
            let sentence = "This `Idempotency-Key` was used for another request; take a new key for a new request.";
            return Problem::new(Kind::Invalid, sentence).into_response();
        }
        Ok(Claim::Done(made)) => return lost(&made),
        Err(error) => return Problem::from(error).into_response(),
    }
    let response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            settle_failed(app, claim).await;
            std::panic::resume_unwind(panic)
        }
    };
    if response.status().is_server_error() {
        settle_failed(app, claim).await;
        return response;
    }
    if !response.status().is_success() {
        noted(idempotency::release(&app.db, claim).await);
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = body.collect().await else {
        settle_failed(app, claim).await;
        return Problem::internal("an answer broke off").into_response();
    };
    let bytes = body.to_bytes();
    let answer = idempotency::Answer {
        status: parts.status.as_u16(),
        headers: KEPT
            .iter()
            .filter_map(|name| {
                let value = parts.headers.get(name)?.to_str().ok()?.to_owned();
                Some(Named { name: name.to_string(), value })
            })
            .collect(),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    };
    noted(idempotency::keep(&app.db, claim, &answer).await);
    Response::from_parts(parts, Body::from(bytes))
}

/// After a failure the record says whether anything was changed. If nothing was, the key is
/// free again; if something was, the same request must not be carried out twice.
async fn settle_failed(app: &App, claim: &idempotency::Request) {
    let made = match idempotency::made(&app.db, &claim.actor, claim.at).await {
        Ok(made) => made,
        Err(error) => return noted(Err(error)),
    };
    noted(match made {
        None => idempotency::release(&app.db, claim).await,
        Some(made) => {
            let (status, body) = told(&made);
            let headers =
                vec![Named { name: header::CONTENT_TYPE.to_string(), value: "application/problem+json".to_owned() }];
            idempotency::keep(&app.db, claim, &idempotency::Answer { status, headers, body }).await
        }
    });
}

fn noted(kept: Result<(), register::db::DbError>) {
    if let Err(error) = kept {
        tracing::error!(%error, "the answer to a request with a key could not be kept");
    }
}

/// The answer that was given before.
fn again(answer: idempotency::Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    for Named { name, value } in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

fn sentence(made: &Made) -> String {
    format!(
        "The first request with this `Idempotency-Key` was carried out ({} {}), but its answer was lost. Read what it \
         made; do not send it again.",
        made.action, made.subject
    )
}

fn lost(made: &Made) -> Response {
    Problem::new(Kind::Conflict, sentence(made)).into_response()
}

fn told(made: &Made) -> (u16, String) {
    let body = serde_json::json!({
        "type": format!("/problems/{}", Kind::Conflict.key()),
        "title": Kind::Conflict.title(),
        "status": Kind::Conflict.status().as_u16(),
        "detail": sentence(made),
        "errors": [],
    });
    (Kind::Conflict.status().as_u16(), body.to_string())
}
