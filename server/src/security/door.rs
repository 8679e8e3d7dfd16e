//! The doors: who asks is found out before a handler, its path or its body is looked at.
//! What has no door of its own is closed.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::can::Actor;
use register::sessions::WAITING_MOST;
use register::tokens;

use super::csrf::bearer;
use super::guard::RequestId;
use crate::page::{self, Fault};
use crate::problem::{Kind, Problem};
use crate::session;
use crate::signed::{ApiActor, Signed, Visitor};
use crate::state::App;

/// Whether programs ask there, and are answered by problems rather than pages.
pub(super) fn is_api(path: &str) -> bool {
    ["/api", "/scim"]
        .iter()
        .any(|root| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// The door of pages: a session, else `303 /login?next=…`.
pub async fn page(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let visitor = Visitor::of(&parts);
    let id = RequestId::of(&parts.extensions);
    let signed = match who(&app, &parts.headers, visitor.clone()).await {
        Ok(Some(signed)) => signed,
        Ok(None) => return invite(&app, &parts.method, &visitor).await,
        Err(error) => return Fault::from(error).into_response(),
    };
    parts.extensions.insert(signed.clone());
    let presses = parts.method != Method::GET && parts.method != Method::HEAD;
    let response = next.run(Request::from_parts(parts, body)).await;
    if presses {
        app.due.forget(signed.id);
    }
    page::dress(&app, Some(&signed), Visitor::default, &id, response)
}

async fn who(app: &App, headers: &HeaderMap, visitor: Visitor) -> Result<Option<Signed>, register::Error> {
    let now = app.clock.now();
    let Some(mut found) = session::of(app, headers).await? else { return Ok(None) };
    let due = app.due.of(&app.db, &Actor::person(found.person, found.roles), now).await?;
    found.waiting = (found.waiting + due).min(WAITING_MOST);
    Ok(Some(Signed::of(found, now, visitor)))
}

/// To sign-in; or to set-up, while nobody can sign in.
async fn invite(app: &App, method: &Method, visitor: &Visitor) -> Response {
    match app.has_people().await {
        Ok(true) => {}
        Ok(false) => return page::see_other("/setup"),
        Err(error) => return Fault::from(error).into_response(),
    }
    // What was posted is gone; its page is where one goes on. Two buttons have no page.
    let next = if *method == Method::GET || *method == Method::HEAD {
        visitor.here.as_str()
    } else {
        visitor.here.split('?').next().filter(|path| !matches!(*path, "/logout" | "/theme")).unwrap_or("/")
    };
    page::see_other(app::components::Address::new("/login").with("next", next).href())
}

/// The door of the API: a token or a session that holds, else 401.
pub async fn api(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match caller(&app, &parts.headers).await {
        Ok(Some(actor)) => parts.extensions.insert(actor),
        Ok(None) => return Problem::unauthorized().into_response(),
        Err(error) => return Problem::from(error).into_response(),
    };
    plain_to_problem(next.run(Request::from_parts(parts, body)).await)
}

/// Who calls. A token that does not hold is refused, even beside a session that does.
pub(crate) async fn caller(app: &App, headers: &HeaderMap) -> Result<Option<ApiActor>, register::Error> {
    let now = app.clock.now();
    let Some(secret) = bearer(headers) else {
        let found = session::of(app, headers).await?;
        return Ok(found.map(|f| ApiActor { actor: Actor::person(f.person, f.roles), token: None, now }));
    };
    let Some(shown) = tokens::authenticate(&app.db, secret, now).await? else { return Ok(None) };
    if shown.is_stale(now) {
        let (db, id) = (app.db.clone(), shown.id);
        tokio::spawn(async move {
            if let Err(error) = tokens::touch(&db, id, now).await {
                tracing::warn!(%error, "the use of a token could not be noted");
            }
        });
    }
    Ok(Some(ApiActor { actor: shown.actor, token: Some(shown.id), now }))
}

/// An extractor of axum's refused in plain text: an address that does not parse is not
/// there.
fn plain_to_problem(response: Response) -> Response {
    let plain = response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"text/plain"));
    if !plain || !response.status().is_client_error() {
        return response;
    }
    let problem = match response.status() {
        StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Kind::TooLarge, "The body is larger than this address takes."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Problem::new(Kind::UnsupportedMediaType, "This address takes another type of body.")
        }
        StatusCode::UNPROCESSABLE_ENTITY => Problem::new(Kind::Invalid, "The request says what it may not."),
        _ => return response,
    };
    problem.into_response()
}

/// What no route answers: 401 or a sign-in first, and then 404.
pub async fn unknown(State(app): State<App>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if is_api(parts.uri.path()) {
        return match caller(&app, &parts.headers).await {
            Ok(Some(_)) => Problem::not_found().into_response(),
            Ok(None) => Problem::unauthorized().into_response(),
            Err(error) => Problem::from(error).into_response(),
        };
    }
    let visitor = Visitor::of(&parts);
    let id = RequestId::of(&parts.extensions);
    match who(&app, &parts.headers, visitor.clone()).await {
        Ok(Some(signed)) => page::dress(&app, Some(&signed), Visitor::default, &id, Fault::not_found().into_response()),
        Ok(None) => invite(&app, &parts.method, &visitor).await,
        Err(error) => Fault::from(error).into_response(),
    }
}
