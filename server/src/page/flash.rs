//! What the last press did, carried over one redirect in a cookie that lives a minute.

use app::components::{Flash, Tone};
use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::session::cookie;

/// The name of the cookie.
pub(crate) const COOKIE: &str = "muster_flash";

#[derive(Serialize, Deserialize)]
struct Carried {
    bad: bool,
    text: String,
    link: Option<(String, String)>,
}

pub(crate) fn write(flash: &Flash, secure: bool) -> HeaderValue {
    let text: String = flash.text.chars().take(500).collect();
    let carried = Carried { bad: flash.tone != Tone::Good, text, link: flash.link.clone() };
    let value = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&carried).unwrap_or_default());
    cookie::set(COOKIE, &value, TimeDelta::minutes(1), secure)
}

pub(crate) fn read(value: &str) -> Option<Flash> {
    let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
    let carried: Carried = serde_json::from_slice(&bytes).ok()?;
    let flash = if carried.bad { Flash::bad(carried.text) } else { Flash::good(carried.text) };
    Some(match carried.link {
        // A cookie may come from elsewhere; its link leads nowhere but here.
        Some((words, href)) if super::local(&href) == href => flash.and_link(words, href),
        _ => flash,
    })
}

pub(crate) fn forget(secure: bool) -> HeaderValue {
    cookie::set(COOKIE, "", TimeDelta::zero(), secure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_and_a_foreign_link_does_not() {
        let value = |flash: &Flash| {
            let cookie = write(flash, false);
            let cookie = cookie.to_str().unwrap();
            cookie.split(['=', ';']).nth(1).unwrap().to_owned()
        };
        let good = Flash::good("Stored “é”.").and_link("Undo", "/agents?x=1");
        assert_eq!(read(&value(&good)), Some(good));
        let foreign = Flash::bad("No.").and_link("Go", "https://evil.example");
        assert_eq!(read(&value(&foreign)), Some(Flash::bad("No.")));
        assert_eq!(read("garbage"), None);
    }
}
