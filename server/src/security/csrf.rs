//! Requests that change something come from our own pages, or from programs that carry a
//! token. Browsers say where a request comes from; nothing needs to be put into forms.

use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};

use crate::config::Config;
use crate::session::{COOKIE, cookie};

/// Why a request is refused, if it is: it changes something, and a browser sent it from a
/// page that is not ours.
pub(super) fn refusal(config: &Config, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<&'static str> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return None;
    }
    // No other site can make a browser send a bearer token; and where there is neither
    // token nor session, the door answers 401 before anything else is looked at.
    if super::door::is_api(uri.path()) && (bearer(headers).is_some() || cookie::get(headers, COOKIE).is_none()) {
        return None;
    }
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site != b"same-origin" && site != b"none") {
        return Some("It was sent from another site. Open the page here, then press the button there.");
    }
    let origin = headers.get(header::ORIGIN)?;
    let ours = origin.to_str().is_ok_and(|origin| {
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .or_else(|| uri.authority().map(axum::http::uri::Authority::as_str));
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        origin.eq_ignore_ascii_case(&config.base_url.origin())
            || authority.zip(host).is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host))
    });
    (!ours).then_some(
        "It was sent from another address than this server's. If you are its operator, see that --base-url is the address people use.",
    )
}

/// The bearer token that a request carries.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: &str, path: &str, pairs: &[(&'static str, &str)]) -> bool {
        let config = Config {
            base_url: "https://muster.example.org".parse().unwrap(),
            trusted_proxies: 0,
            intake_per_s: 1,
            allow_private_targets: false,
            mail: None,
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "127.0.0.1:3000".parse().unwrap());
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        refusal(&config, &method.parse().unwrap(), &path.parse().unwrap(), &headers).is_some()
    }

    #[test]
    fn only_our_own_pages_change_anything() {
        for (pairs, no) in [
            (&[][..], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "https://muster.example.org")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "http://127.0.0.1:3000")], false),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("origin", "https://evil.example")], true),
            (&[("origin", "https://muster.example.org.evil.example")], true),
            (&[("origin", "null")], true),
            (&[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")], true),
            (&[("sec-fetch-site", "cross-site"), ("authorization", "Bearer mst_x")], true),
        ] {
            assert_eq!(refused("POST", "/agents/new", pairs), no, "{pairs:?}");
            assert!(!refused("GET", "/agents/new", pairs), "{pairs:?}");
        }
    }

    #[test]
    fn a_program_with_a_token_is_no_browser() {
        let cross = ("sec-fetch-site", "cross-site");
        assert!(!refused("POST", "/api/v1/agents", &[cross, ("authorization", "Bearer mst_x")]));
        assert!(!refused("POST", "/api/v1/agents", &[cross]), "401 comes first");
        assert!(refused("POST", "/api/v1/agents", &[cross, ("cookie", "muster_session=x")]));
    }
}
