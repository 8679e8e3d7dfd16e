//! The access that remains at worst once an agent is being stopped.

use chrono::{DateTime, TimeDelta, Utc};

use crate::agent::CredentialKind;

/// A credential of an agent that is being stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What kind it is.
    pub kind: CredentialKind,
    /// Longest life of what it issues; `None` when unknown or without end.
    pub ttl_seconds: Option<i64>,
    /// When it was revoked, if it is known to be.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// What remains at worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Residual {
    /// Tokens that run out by themselves.
    pub running_out: usize,
    /// When the last of these is over, at worst.
    pub until: Option<DateTime<Utc>>,
    /// Credentials that only revoking ends.
    pub until_revoked: usize,
    /// No credential is recorded: what it holds is unknown.
    pub unknown: bool,
}

/// What remains at `now`. A token was issued, at worst, at the last moment at which the agent
/// ran: when it is shown to be paused, or else now. Never less than is known.
pub fn residual(tokens: &[Token], paused_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Residual {
    let mut out = Residual { unknown: tokens.is_empty(), ..Residual::default() };
    let last_issued = paused_at.map_or(now, |at| at.min(now));
    for token in tokens {
        if token.revoked_at.is_some_and(|at| at <= now) {
            continue;
        }
        let ttl = token.ttl_seconds.filter(|s| *s >= 0 && !token.kind.is_standing()).and_then(TimeDelta::try_seconds);
        match ttl.and_then(|ttl| last_issued.checked_add_signed(ttl)) {
            None => out.until_revoked += 1,
            Some(end) if end > now || paused_at.is_none() => {
                out.running_out += 1;
                out.until = out.until.max(Some(end));
            }
            Some(_) => {}
        }
    }
    out
}

fn tokens(count: usize) -> String {
    if count == 1 { "1 token".to_owned() } else { format!("{count} tokens") }
}

impl Residual {
    /// Whether nothing remains.
    pub const fn is_over(&self) -> bool {
        self.running_out == 0 && self.until_revoked == 0 && !self.unknown
    }

    /// As one reads it: "2 tokens valid for 38 minutes more; 1 until revoked".
    pub fn sentence(&self, now: DateTime<Utc>) -> String {
        if self.unknown {
            return "No credential is recorded, so what it holds is unknown: until revoked.".into();
        }
        let mut parts = Vec::new();
        if let Some(until) = self.until {
            parts.push(format!("{} valid for {} more", tokens(self.running_out), length(until - now)));
        }
        if self.until_revoked > 0 {
            parts.push(match (self.until_revoked, parts.is_empty()) {
                (n, true) => format!("{} valid until revoked", tokens(n)),
                (n, false) => format!("{n} until revoked"),
            });
        }
        if parts.is_empty() { "None: every token is revoked or has run out.".into() } else { parts.join("; ") + "." }
    }
}

/// A length of time rounded up, so that it is never said too short.
fn length(left: TimeDelta) -> String {
    let seconds = left.num_seconds().max(0) + i64::from(left.subsec_nanos() > 0);
    let up = |unit: i64| (seconds + unit - 1) / unit;
    let said = |n: i64, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
    match seconds {
        0..=119 => said(seconds.max(1), "second"),
        120..=7_199 => said(up(60), "minute"),
        7_200..=172_799 => said(up(3_600), "hour"),
        _ => said(up(86_400), "day"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn token(kind: CredentialKind, ttl_seconds: Option<i64>) -> Token {
        Token { kind, ttl_seconds, revoked_at: None }
    }

    #[test]
    fn what_remains_is_said_as_it_is_at_worst() {
        let two = [token(CredentialKind::ShortLived, Some(3600)), token(CredentialKind::JustInTime, Some(900))];
        let left = residual(&two, Some(at(0)), at(1320));
        assert_eq!(left.sentence(at(1320)), "1 token valid for 38 minutes more.");
        let left = residual(&two, Some(at(0)), at(60));
        assert_eq!(left.sentence(at(60)), "2 tokens valid for 59 minutes more.");
        let left = residual(&two, None, at(99_999));
        assert_eq!(left.sentence(at(99_999)), "2 tokens valid for 60 minutes more.", "nobody showed that it is paused");
    }

    #[test]
    fn what_is_unknown_or_long_lived_is_never_nothing() {
        let now = at(1_000_000_000);
        for token in [
            token(CredentialKind::LongLived, Some(1)),
            token(CredentialKind::SharedAccount, None),
            token(CredentialKind::ShortLived, None),
            token(CredentialKind::JustInTime, Some(i64::MAX)),
        ] {
            let left = residual(std::slice::from_ref(&token), Some(at(0)), now);
            assert!(left.sentence(now).contains("until revoked"), "{token:?}");
        }
        let none = residual(&[], Some(at(0)), now);
        assert!(!none.is_over() && none.sentence(now).contains("until revoked"));
    }

    #[test]
    fn what_is_revoked_or_has_run_out_is_over() {
        let gone = Token { revoked_at: Some(at(5)), ..token(CredentialKind::LongLived, None) };
        let ran_out = token(CredentialKind::ShortLived, Some(10));
        let left = residual(&[gone, ran_out], Some(at(0)), at(10));
        assert!(left.is_over());
        assert_eq!(left.sentence(at(10)), "None: every token is revoked or has run out.");
    }

    proptest! {
        /// Time and revoking only ever take access away, and no standing credential runs out.
        #[test]
        fn access_only_shrinks(
            made in proptest::collection::vec((0..CredentialKind::ALL.len(), proptest::option::of(0..100_000_i64)), 1..6),
            paused in 0..1000_i64, first in 1000..50_000_i64, more in 0..200_000_i64,
        ) {
            let mut tokens: Vec<Token> = made.into_iter().map(|(k, ttl)| token(CredentialKind::ALL[k], ttl)).collect();
            let before = residual(&tokens, Some(at(paused)), at(first));
            let after = residual(&tokens, Some(at(paused)), at(first + more));
            prop_assert!(after.running_out <= before.running_out);
            prop_assert_eq!(after.until_revoked, before.until_revoked);
            let standing = tokens.iter().filter(|t| t.kind.is_standing()).count();
            prop_assert!(after.until_revoked >= standing);
            for t in &mut tokens {
                t.revoked_at = Some(at(first));
            }
            prop_assert!(residual(&tokens, Some(at(paused)), at(first)).is_over());
        }
    }
}
