//! Randomness from the operating system.

use chrono::{DateTime, Utc};

/// Random bytes. Falls back on nothing: without randomness Muster does not go on.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    getrandom::fill(&mut out).expect("the operating system gives random bytes");
    out
}

/// A secret for people to copy or programs to carry: 32 random bytes, URL-safe.
pub fn secret() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes::<32>())
}

/// A version 7 UUID: the clock's milliseconds first, so that ids sort by time. `nth`
/// orders the ids of one instant.
pub fn uuid_v7(now: DateTime<Utc>, nth: u64) -> String {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    let mut random: [u8; 10] = bytes();
    random[1] = (nth & 0xff) as u8;
    random[0] = ((nth >> 8) & 0x0f) as u8;
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
}
