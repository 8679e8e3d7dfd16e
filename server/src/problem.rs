//! What the API answers when it does not do as asked: RFC 9457, one stable `type` for
//! each kind of refusal.

use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::can::Denied;
use register::FieldError;
use serde::Serialize;

/// Why a request failed, for the log; carried beside the answer, never in it.
#[derive(Debug, Clone)]
pub struct Cause(pub String);

/// The kinds of refusal. Each is the last part of a problem's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No token and no session, or none that holds.
    Unauthorized,
    /// Known, and not allowed.
    Forbidden,
    /// Not there, or not to be seen.
    NotFound,
    /// There, but not with this method.
    MethodNotAllowed,
    /// The state of things does not allow it now.
    Conflict,
    /// `If-Match` names another version.
    Stale,
    /// `If-Match` is missing.
    PreconditionRequired,
    /// The input is understood and refused.
    Invalid,
    /// The input is not understood.
    Malformed,
    /// The body is of another type.
    UnsupportedMediaType,
    /// The body is too large.
    TooLarge,
    /// Too often.
    TooMany,
    /// It took too long, or the server is starting.
    Unavailable,
    /// Our fault.
    Internal,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::Stale,
        Self::PreconditionRequired,
        Self::Invalid,
        Self::Malformed,
        Self::UnsupportedMediaType,
        Self::TooLarge,
        Self::TooMany,
        Self::Unavailable,
        Self::Internal,
    ];

    const fn facts(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::Unauthorized => ("unauthorized", StatusCode::UNAUTHORIZED, "Sign in, or send a token"),
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "Not allowed"),
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "Not with this method"),
            Self::Conflict => ("conflict", StatusCode::CONFLICT, "Not in this state"),
            Self::Stale => ("stale", StatusCode::PRECONDITION_FAILED, "Changed since it was read"),
            Self::PreconditionRequired => {
                ("precondition-required", StatusCode::PRECONDITION_REQUIRED, "Say which version you read")
            }
            Self::Invalid => ("invalid", StatusCode::UNPROCESSABLE_ENTITY, "The input is refused"),
            Self::Malformed => ("malformed", StatusCode::BAD_REQUEST, "The request is not understood"),
            Self::UnsupportedMediaType => {
                ("unsupported-media-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "Another type of body is needed")
            }
            Self::TooLarge => ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "Too large"),
            Self::TooMany => ("too-many", StatusCode::TOO_MANY_REQUESTS, "Too often"),
            Self::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "Not now"),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "Something broke on our side"),
        }
    }

    /// The last part of the type: `not-found`.
    pub const fn key(self) -> &'static str {
        self.facts().0
    }

    /// The HTTP status.
    pub const fn status(self) -> StatusCode {
        self.facts().1
    }

    /// A few words, the same for every problem of the kind.
    pub const fn title(self) -> &'static str {
        self.facts().2
    }
}

/// `application/problem+json`, as it is sent.
#[derive(Debug, Serialize)]
struct Sent<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    errors: &'a [FieldError],
}

/// A refusal or failure of the API.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: Kind,
    detail: String,
    errors: Vec<FieldError>,
    cause: Option<String>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem with a sentence that says what to do.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), cause: None, headers: Vec::new() }
    }

    /// 401, with the challenge.
    pub fn unauthorized() -> Self {
        Self::new(Kind::Unauthorized, "Send a service token that holds as `Authorization: Bearer mst_…`, or sign in.")
            .with(header::WWW_AUTHENTICATE, "Bearer")
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::new(Kind::NotFound, "There is nothing here that you can see.")
    }

    /// 422 at one place of the input.
    pub fn field(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        register::Error::field(pointer, message).into()
    }

    /// 429, and when to come again.
    pub fn too_many(seconds: i64) -> Self {
        Self::new(Kind::TooMany, format!("Too many requests; try again in {seconds} seconds."))
            .with(header::RETRY_AFTER, &seconds.to_string())
    }

    /// 500; the cause goes to the log.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let mut problem =
            Self::new(Kind::Internal, "Nothing was changed. The log has the cause under this answer's X-Request-Id.");
        problem.cause = Some(cause.to_string());
        problem
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Which kind it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }
}

impl From<register::Error> for Problem {
    fn from(error: register::Error) -> Self {
        use register::Error;
        match error {
            Error::Denied(Denied::Hidden) => Self::not_found(),
            Error::Denied(Denied::Forbidden(sentence)) => Self::new(Kind::Forbidden, sentence),
            Error::NotFound(_) => Self::new(Kind::NotFound, error.to_string()),
            Error::Invalid(errors) => {
                let mut problem =
                    Self::new(Kind::Invalid, "Nothing was changed: correct what `errors` names, then send it again.");
                problem.errors = errors;
                problem
            }
            Error::Conflict(sentence) => Self::new(Kind::Conflict, sentence),
            Error::Stale(version) => Self::new(Kind::Stale, error.to_string()).with(header::ETAG, &etag(version)),
            Error::Store(cause) => Self::internal(cause),
        }
    }
}

impl From<register::db::DbError> for Problem {
    fn from(cause: register::db::DbError) -> Self {
        Self::internal(cause)
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Self::new(Kind::TooLarge, "The body is larger than this address takes; send it in parts.")
        } else {
            Self::new(Kind::Malformed, "The body could not be read to its end.")
        }
    }
}

/// The strong validator of a version: `"7"`.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let sent = Sent {
            kind: format!("/problems/{}", self.kind.key()),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: &self.detail,
            errors: &self.errors,
        };
        let body = serde_json::to_vec(&sent).unwrap_or_default();
        let mut response =
            (self.kind.status(), [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        response.headers_mut().extend(self.headers);
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(Cause(cause));
        }
        response
    }
}
