//! How the API answers when it does as asked.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use register::paging::Page;
use serde::Serialize;
use utoipa::ToSchema;

use crate::json::Json;
use crate::problem::{Problem, etag};

/// What a handler answers.
pub(super) type Answer = Result<Response, Problem>;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct List<T> {
    /// The items of this page.
    items: Vec<T>,
    /// The `cursor` of the page after this one; null at the end.
    #[schema(required)]
    next_cursor: Option<String>,
    /// How many there are in all. Exact with no filter or one; with more, null where there
    /// are too many to count.
    #[schema(required)]
    total: Option<i64>,
}

impl<T> List<T> {
    /// All of it.
    pub(super) fn whole(items: Vec<T>) -> Self {
        let total = Some(items.len() as i64);
        Self { items, next_cursor: None, total }
    }

    /// A page with a cursor of its own.
    pub(super) const fn new(items: Vec<T>, next_cursor: Option<String>, total: Option<i64>) -> Self {
        Self { items, next_cursor, total }
    }
}

impl<T> From<Page<T>> for List<T> {
    fn from(page: Page<T>) -> Self {
        Self { items: page.items, next_cursor: page.next, total: page.total }
    }
}

/// 200.
pub(super) fn ok<T: Serialize>(value: T) -> Answer {
    Ok(Json(value).into_response())
}

/// 200, and the version that a change must name.
pub(super) fn versioned<T: Serialize>(version: i64, value: T) -> Answer {
    let mut response = Json(value).into_response();
    tag(&mut response, version);
    Ok(response)
}

/// 201, where it is, and its version.
pub(super) fn created<T: Serialize>(at: &str, version: i64, value: T) -> Answer {
    let mut response = Json(value).into_response();
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(at) = HeaderValue::from_str(at) {
        response.headers_mut().insert(header::LOCATION, at);
    }
    tag(&mut response, version);
    Ok(response)
}

fn tag(response: &mut Response, version: i64) {
    if let Ok(tag) = HeaderValue::from_str(&etag(version)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
}
