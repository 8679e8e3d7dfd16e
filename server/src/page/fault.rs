//! What a page answers when it cannot do as asked. A handler answers `Err(fault)`; the
//! door, which knows who is signed in, makes a page of it.

use app::components::{IntoPiece, Piece};
use app::errors::{Broken, Declined, Fault as FaultView, NotFound, NotReady, TooLarge};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::can::Denied;
use leptos::prelude::*;
use register::db::DbError;

use super::{Page, plain};
use crate::problem::Cause;
use crate::security::RequestId;
use crate::signed::{Signed, Visitor};
use crate::state::App;

/// A refusal or failure of a page: a status, and a sentence that says what to do.
#[derive(Debug, Clone)]
pub struct Fault {
    status: StatusCode,
    sentence: String,
    back: String,
    cause: Option<String>,
    retry_after: Option<i64>,
}

impl Fault {
    /// A refusal with a sentence.
    pub fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into(), back: "/".into(), cause: None, retry_after: None }
    }

    /// 404: not there, or not for this person.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "")
    }

    /// 403, with who could.
    pub fn forbidden(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, sentence)
    }

    /// 409, with what stands in the way.
    pub fn conflict(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, sentence)
    }

    /// 400: no browser sends this.
    pub fn malformed(cause: impl Into<String>) -> Self {
        let mut fault = Self::new(StatusCode::BAD_REQUEST, "The request was not understood. Go back and try again.");
        fault.cause = Some(cause.into());
        fault
    }

    /// 500; the cause goes to the log.
    pub fn broken(cause: impl std::fmt::Display) -> Self {
        let mut fault = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "");
        fault.cause = Some(cause.to_string());
        fault
    }

    /// Where "Go back" leads.
    #[must_use]
    pub fn back(mut self, href: impl Into<String>) -> Self {
        self.back = href.into();
        self
    }

    /// 429 and 503: when to come again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    const fn title(&self) -> &'static str {
        match self.status {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::INTERNAL_SERVER_ERROR => "Something broke",
            StatusCode::SERVICE_UNAVAILABLE => "Not ready",
            StatusCode::PAYLOAD_TOO_LARGE => "Too large",
            StatusCode::FORBIDDEN => "Not allowed",
            _ => "Not done",
        }
    }

    fn view(self, incident: String) -> Piece {
        let Self { status, sentence, back, .. } = self;
        match status {
            StatusCode::NOT_FOUND => view! { <NotFound/> }.piece(),
            StatusCode::INTERNAL_SERVER_ERROR => view! { <Broken incident=incident/> }.piece(),
            StatusCode::SERVICE_UNAVAILABLE if sentence.is_empty() => view! { <NotReady/> }.piece(),
            StatusCode::PAYLOAD_TOO_LARGE if sentence.is_empty() => view! { <TooLarge most="64 MiB"/> }.piece(),
            StatusCode::FORBIDDEN => {
                view! { <FaultView status=403 title="Not yours to do"><p>{sentence}</p></FaultView> }.piece()
            }
            _ => view! { <Declined status=status.as_u16() reason=sentence back=back/> }.piece(),
        }
    }
}

impl From<register::Error> for Fault {
    fn from(error: register::Error) -> Self {
        use register::Error;
        match error {
            Error::Denied(Denied::Hidden) | Error::NotFound(_) => Self::not_found(),
            Error::Denied(Denied::Forbidden(sentence)) => Self::forbidden(sentence),
            Error::Invalid(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
            Error::Conflict(sentence) => Self::conflict(sentence),
            Error::Stale(_) => {
                Self::conflict("Somebody changed this in the meantime. Open it again, then make your change.")
            }
            Error::Store(cause) => Self::broken(cause),
        }
    }
}

impl From<DbError> for Fault {
    fn from(cause: DbError) -> Self {
        Self::broken(cause)
    }
}

/// The fault itself travels beside an empty answer, to be dressed at the door.
impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(cause) = &self.cause {
            response.extensions_mut().insert(Cause(cause.clone()));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Makes a page of a fault, and of what axum itself refused in plain text.
pub(crate) fn dress(
    app: &App,
    signed: Option<&Signed>,
    visitor: impl FnOnce() -> Visitor,
    id: &RequestId,
    mut response: Response,
) -> Response {
    let Some(fault) = response.extensions_mut().remove::<Fault>().or_else(|| bare(&response)) else {
        return response;
    };
    let (status, title, incident) = (fault.status, fault.title(), id.to_string());
    let page = match signed {
        Some(signed) => Page::new(app, signed, title).status(status).show(move || fault.view(incident)),
        None => plain(app, &visitor(), title, status, move || fault.view(incident)),
    };
    let (mut parts, body) = page.into_parts();
    for (name, value) in response.headers() {
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) {
            parts.headers.append(name, value.clone());
        }
    }
    parts.extensions.extend(std::mem::take(response.extensions_mut()));
    Response::from_parts(parts, body)
}

/// An extractor of axum's refused, in plain text: the address does not parse, the body is
/// too large or of another type.
fn bare(response: &Response) -> Option<Fault> {
    let status = response.status();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    if !status.is_client_error() || response.headers().get(header::CONTENT_TYPE) != Some(&plain) {
        return None;
    }
    Some(match status {
        StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => Fault::not_found(),
        StatusCode::PAYLOAD_TOO_LARGE => Fault::new(status, ""),
        _ => Fault::new(status, "The request was not understood. Go back and try again."),
    })
}
