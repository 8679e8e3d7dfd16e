//! The signature of a call and of its callback: HMAC-SHA-256 over the timestamp, a full
//! stop and the body, by the method's secret.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::Sha256;

/// How far a callback's timestamp may be from now, either way.
pub const CALLBACK_FRESH: TimeDelta = TimeDelta::minutes(5);

/// `v1=` and the HMAC-SHA-256, in lower-case hexadecimal, of `timestamp + "." + body`. The
/// timestamp is in whole seconds since 1970, as it is sent.
pub fn sign(secret: &str, timestamp: &str, body: &[u8]) -> String {
    format!("v1={}", hex::encode(mac(secret, timestamp, body).finalize().into_bytes()))
}

fn mac(secret: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    // An HMAC takes a key of any length.
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(secret.as_bytes()).expect("any length is a key");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

/// Why a callback shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// The timestamp is missing, is none, or is too far from now.
    #[error("`Muster-Timestamp` must be the present time in whole seconds since 1970, within five minutes.")]
    Stale,
    /// The signature is missing or another.
    #[error("`Muster-Signature` must be `v1=` and the HMAC-SHA-256 of the timestamp, a full stop and the body.")]
    Signature,
    /// The body does not say that this call stopped it.
    #[error("The body must be {{\"delivery\": \"…\", \"stopped\": true}} with this delivery.")]
    Body,
}

/// Whether a callback shows that the call `delivery` stopped it. The body must say so in
/// words of its own: Muster's call is signed by the same secret, and sent back it must
/// show nothing.
pub fn verify(
    secret: &str,
    delivery: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(), Unproven> {
    let at = timestamp
        .parse::<i64>()
        .ok()
        .filter(|_| timestamp.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or(Unproven::Stale)?;
    if (now - at).abs() > CALLBACK_FRESH {
        return Err(Unproven::Stale);
    }
    let given = signature.strip_prefix("v1=").and_then(|hex| hex::decode(hex).ok()).ok_or(Unproven::Signature)?;
    // Compared in constant time.
    mac(secret, timestamp, body).verify_slice(&given).map_err(|_| Unproven::Signature)?;
    let said: Value = serde_json::from_slice(body).map_err(|_| Unproven::Body)?;
    let told = said.get("stopped") == Some(&Value::Bool(true))
        && said.get("delivery").and_then(Value::as_str) == Some(delivery);
    if told { Ok(()) } else { Err(Unproven::Body) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &[u8] = br#"{"delivery": "d1", "stopped": true}"#;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn the_recipe_is_the_published_one() {
        // printf '1790000000.{}' | openssl dgst -sha256 -hmac secret
        let by_hand = {
            let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(b"secret").unwrap();
            mac.update(b"1790000000.{}");
            hex::encode(mac.finalize().into_bytes())
        };
        assert_eq!(sign("secret", "1790000000", b"{}"), format!("v1={by_hand}"));
        // RFC 4231, test case 2, split at its own place: the key and "what do ya want for nothing?".
        let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(b"Jefe").unwrap();
        mac.update(b"what do ya want for nothing?");
        assert_eq!(
            hex::encode(mac.finalize().into_bytes()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_callback_is_fresh_signed_and_about_this_call() {
        let signature = sign("s", "1000", BODY);
        let check = |secret, delivery, timestamp, signature: &str, body, now| {
            verify(secret, delivery, timestamp, signature, body, at(now))
        };
        assert_eq!(check("s", "d1", "1000", &signature, BODY, 1010), Ok(()));
        assert_eq!(check("s", "d1", "1000", &signature, BODY, 1301), Err(Unproven::Stale));
        assert_eq!(check("s", "d1", "1000", &signature, BODY, 699), Err(Unproven::Stale));
        assert_eq!(check("s", "d1", "+1000", &signature, BODY, 1010), Err(Unproven::Stale));
        assert_eq!(check("s", "d1", "1001", &signature, BODY, 1010), Err(Unproven::Signature));
        assert_eq!(check("t", "d1", "1000", &signature, BODY, 1010), Err(Unproven::Signature));
        assert_eq!(check("s", "d2", "1000", &signature, BODY, 1010), Err(Unproven::Body));
        // The call itself, sent back.
        let call = br#"{"delivery": "d1", "drill": true}"#;
        assert_eq!(check("s", "d1", "1000", &sign("s", "1000", call), call, 1010), Err(Unproven::Body));
        assert_eq!(check("s", "d1", "1000", "", BODY, 1010), Err(Unproven::Signature));
    }

    proptest! {
        #[test]
        fn no_other_body_passes(secret in ".{1,40}", body: Vec<u8>, place: usize, bit in 0..8_u32) {
            let signature = sign(&secret, "1000", &body);
            let mut other = body.clone();
            if !other.is_empty() {
                let place = place % other.len();
                other[place] ^= 1 << bit;
                prop_assert_eq!(verify(&secret, "d", "1000", &signature, &other, at(1000)), Err(Unproven::Signature));
            }
            prop_assert_ne!(verify(&secret, "d", "1000", &signature, &body, at(1000)), Err(Unproven::Signature));
        }
    }
}
