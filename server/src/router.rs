//! The only router.

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::page::Fault;
use crate::problem::{Kind, Problem};
use crate::routes::{Parts, Route, Routes};
use crate::state::App;
use crate::{api, assets, health, metrics, pages, security};

/// A form or a JSON body is at most this; what takes more says so at its route.
const BODY: usize = 2 * 1024 * 1024;

/// Every route, behind its door. A noun adds its line.
fn routes() -> Routes {
    Routes::public()
        .get("/healthz", health::alive)
        .get("/readyz", health::ready)
        .get("/metrics", metrics::serve)
        .get(assets::ROUTE, assets::serve)
        .and(pages::routes())
        .and(api::routes())
}

/// The list of every route.
pub fn table() -> Vec<Route> {
    routes().into_parts().table
}

/// The router of a server.
pub fn router(app: &App) -> Router {
    let Parts { public, page, api: programs, .. } = routes().into_parts();
    let public = public.method_not_allowed_fallback(wrong_method);
    let page = page.method_not_allowed_fallback(wrong_method).layer(from_fn_with_state(app.clone(), security::page));
    let programs = programs
        .method_not_allowed_fallback(wrong_method_of_the_api)
        .layer(from_fn_with_state(app.clone(), api::once))
        .layer(from_fn_with_state(app.clone(), security::api));
    let compression = CompressionLayer::new().quality(CompressionLevel::Fastest);
    public
        .merge(page)
        .merge(programs)
        .fallback(security::unknown)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn_with_state(app.clone(), security::guard))
        .layer(compression)
        .with_state(app.clone())
}

/// While Muster starts: alive, and not ready.
pub fn starting() -> Router {
    let close = |mut response: Response| async move {
        let close = axum::http::HeaderValue::from_static("close");
        response.headers_mut().insert(axum::http::header::CONNECTION, close);
        response
    };
    Router::new()
        .route("/healthz", routing::get(health::alive))
        .fallback(async || health::not_ready("starting\n"))
        .layer(axum::middleware::map_response(close))
}

async fn wrong_method() -> Response {
    Fault::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, "This address is not for that. Go back and use its page.")
        .into_response()
}

async fn wrong_method_of_the_api() -> Response {
    Problem::new(Kind::MethodNotAllowed, "The `Allow` header names the methods of this address.").into_response()
}
