//! Cookies: the few we set, all `HttpOnly`, `SameSite=Lax`, for the whole site, and
//! `Secure` exactly when the base URL is https.

use axum::http::{HeaderMap, HeaderValue, header};
use chrono::TimeDelta;

/// The value of a cookie of the request; the first, if a browser sends two.
pub fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// A `Set-Cookie` header. `value` is one of ours: letters, digits, `-` and `_`. Nothing
/// left of its life forgets the cookie.
pub fn set(name: &str, value: &str, life: TimeDelta, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}", life.num_seconds().max(0));
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; muster_session=x; xmuster_session=y".parse().unwrap());
        headers.append(header::COOKIE, "b=2".parse().unwrap());
        assert_eq!(get(&headers, "muster_session"), Some("x"));
        assert_eq!(get(&headers, "b"), Some("2"));
        assert_eq!(get(&headers, "c"), None);
    }

    #[test]
    fn secure_exactly_when_asked() {
        let plain = set("a", "b", TimeDelta::minutes(1), false);
        assert_eq!(plain, "a=b; Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
        assert!(set("a", "b", TimeDelta::zero(), true).to_str().unwrap().ends_with("Max-Age=0; Secure"));
    }
}
