//! What a browser loads beside a page: style sheet, fonts, icon, islands. All of
//! it is in the binary (see `build.rs`), compressed once, and served under a
//! version that changes with the content, so a browser may keep it for ever.

use std::future::{Ready, ready};

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

struct Asset {
    path: &'static str,
    mime: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The route that [`serve`] answers.
pub const ROUTE: &str = "/pkg/{version}/{*path}";

/// The hash of everything embedded.
pub fn version() -> &'static str {
    VERSION
}

/// Where the browser finds `path`, such as `app.css`, `app.js` or `favicon.svg`.
pub fn url(path: &str) -> String {
    format!("/pkg/{VERSION}/{path}")
}

/// Whether the islands were there when this binary was built. Without them a
/// page leaves its hydration script out.
pub fn islands_available() -> bool {
    ISLANDS
}

/// `GET /pkg/{version}/{*path}`. Another version is not found: islands of one
/// build on a page of another would be dead.
pub fn serve(Path((version, path)): Path<(String, String)>, headers: HeaderMap) -> Ready<Response> {
    let asset = ASSETS.iter().find(|asset| version == VERSION && asset.path == path);
    ready(asset.map_or_else(not_found, |asset| asset.response(&headers)))
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")], "Not found.\n").into_response()
}

impl Asset {
    fn response(&self, headers: &HeaderMap) -> Response {
        let (encoding, bytes) = self.best(headers);
        let headers = [
            (header::CONTENT_TYPE, self.mime),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::VARY, "accept-encoding"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        match encoding {
            Some(encoding) => (headers, [(header::CONTENT_ENCODING, encoding)], bytes).into_response(),
            None => (headers, bytes).into_response(),
        }
    }

    /// The smallest form that the browser takes. Chromium takes brotli only over
    /// https and from this machine itself; hence gzip.
    fn best(&self, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
        match (self.brotli, self.gzip) {
            (Some(bytes), _) if accepts(headers, "br") => (Some("br"), bytes),
            (_, Some(bytes)) if accepts(headers, "gzip") => (Some("gzip"), bytes),
            _ => (None, self.plain),
        }
    }
}

/// Whether `Accept-Encoding` names `encoding` without forbidding it by `q=0`.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| {
            let mut parts = item.split(';').map(str::trim);
            let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
            let forbidden = parts
                .filter_map(|part| part.strip_prefix("q="))
                .any(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0));
            named && !forbidden
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(version: &str, path: &str, accept: &str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, accept.parse().unwrap());
        serve(Path((version.into(), path.into())), headers).await
    }

    #[tokio::test]
    async fn the_style_sheet_is_served_small_and_for_ever() {
        let response = get(version(), "app.css", "gzip, deflate, br").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_ENCODING], "br");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
        assert!(response.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    }

    #[tokio::test]
    async fn a_browser_gets_only_what_it_takes() {
        for (accept, expected) in [("gzip", Some("gzip")), ("br;q=0, gzip;q=0.5", Some("gzip")), ("identity", None)] {
            let response = get(version(), "app.css", accept).await;
            let encoding = response.headers().get(header::CONTENT_ENCODING);
            assert_eq!(encoding.map(|value| value.to_str().unwrap()), expected, "{accept}");
        }
    }

    #[tokio::test]
    async fn another_build_and_an_unknown_file_are_not_found() {
        assert_eq!(get("0", "app.css", "br").await.status(), StatusCode::NOT_FOUND);
        for path in ["nothing.css", "../Cargo.toml", ""] {
            assert_eq!(get(version(), path, "br").await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
