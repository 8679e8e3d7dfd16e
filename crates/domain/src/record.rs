//! The record: one hash-chained event for every change, checkable without Muster.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical;

/// What comes before the first event.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One event of the record. Serialised, its members are exactly those of the public
/// interface; `hash` is the SHA-256 of the RFC 8785 canonical JSON of the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Position in the chain, from 1, without gaps.
    pub seq: i64,
    /// Unique id; a changed row carries it.
    pub id: String,
    /// When, RFC 3339 UTC with microseconds.
    pub at: String,
    /// Who: `PE-1`, `TK-1`, `cli` or `muster`.
    pub actor: String,
    /// In which capacity: a role, a duty, `self`.
    pub capacity: String,
    /// What: noun and past participle, for instance `agent.created`.
    pub action: String,
    /// On what, a reference.
    pub subject: String,
    /// What changed, as it was; null when it is new.
    pub before: Value,
    /// What changed, as it is, and under `rows` the digest of each row written.
    pub after: Value,
    /// Why, in the actor's words; may be empty.
    pub reason: String,
    /// The hash of the event before it.
    pub prev: String,
    /// The hash of this one.
    pub hash: String,
}

impl Event {
    /// The hash that the event ought to carry.
    pub fn computed_hash(&self) -> String {
        canonical::sha256_hex(&serde_json::json!({
            "seq": self.seq, "id": self.id, "at": self.at, "actor": self.actor, "capacity": self.capacity,
            "action": self.action, "subject": self.subject, "before": self.before, "after": self.after,
            "reason": self.reason, "prev": self.prev,
        }))
    }

    /// Sets `hash`.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.hash = self.computed_hash();
        self
    }

    /// The digests of the rows that the event wrote: row key and SHA-256.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &str)> {
        self.after
            .get("rows")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(k, v)| v.as_str().map(|v| (k.as_str(), v)))
    }
}

/// A time as the record writes it.
pub fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Where and how a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// The event's content does not give its hash: it was edited.
    #[error("event {seq} was edited: its content does not give its hash")]
    Edited {
        /// Position.
        seq: i64,
    },
    /// The event does not follow the one before it: something was reordered or taken out.
    #[error("event {seq} does not follow event {after}: events between or before them were reordered or removed")]
    Unlinked {
        /// Position.
        seq: i64,
        /// The last good position.
        after: i64,
    },
    /// The chain ends before the head it should reach.
    #[error("the record ends at event {at}, but its head is event {head}: the end was cut off")]
    CutOff {
        /// The last position found.
        at: i64,
        /// The position it should reach.
        head: i64,
    },
    /// The event at the head's position has another hash.
    #[error("event {seq} is not the one whose hash was exported as the head")]
    OtherHead {
        /// Position.
        seq: i64,
    },
    /// The head kept beside the events is not their last one.
    #[error("the head kept with the record is event {head}, but the last event is {last} and does not match it")]
    LostHead {
        /// The position that the head names.
        head: i64,
        /// The last position found.
        last: i64,
    },
    /// A line of an exported file is not an event at all.
    #[error("line {line} is not an event of the record: {why}")]
    NotAnEvent {
        /// The line, from 1.
        line: u64,
        /// In what way.
        why: String,
    },
    /// A row has no event that accounts for it, or its content differs from what the event recorded.
    #[error("{row} was changed without an event: {why}")]
    Unrecorded {
        /// Table and key.
        row: String,
        /// In what way.
        why: String,
    },
}

/// A position of the record and the hash it has there: what is exported and kept
/// elsewhere, so that a record cut off or rewritten later is found. Written `SEQ:HASH`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The position; 0 before the first event.
    pub seq: i64,
    /// The hash of the event there.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { seq: 0, hash: GENESIS.to_owned() }
    }
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

/// Text that is not a head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a head is written SEQ:HASH, a number, a colon and 64 hexadecimal digits")]
pub struct BadHead;

impl std::str::FromStr for Head {
    type Err = BadHead;

    fn from_str(s: &str) -> Result<Self, BadHead> {
        let (seq, hash) = s.trim().split_once(':').ok_or(BadHead)?;
        let seq = seq.parse().ok().filter(|n| *n >= 0).ok_or(BadHead)?;
        if hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(BadHead);
        }
        Ok(Self { seq, hash: hash.to_ascii_lowercase() })
    }
}

/// Checks a chain event by event, in constant memory.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    last: Head,
    expected: Option<Head>,
}

impl Chain {
    /// Continues a chain after an event known to be good, for instance the one before an
    /// extract's first.
    pub const fn after(last: Head) -> Self {
        Self { last, expected: None }
    }

    /// The chain must go through this head, exported earlier.
    #[must_use]
    pub fn through(mut self, expected: Option<Head>) -> Self {
        self.expected = expected;
        self
    }

    /// The last good position and its hash.
    pub const fn last(&self) -> &Head {
        &self.last
    }

    /// Takes the next event, or says how it breaks the chain.
    pub fn take(&mut self, event: &Event) -> Result<(), Break> {
        if event.seq != self.last.seq + 1 || event.prev != self.last.hash {
            return Err(Break::Unlinked { seq: event.seq, after: self.last.seq });
        }
        if event.computed_hash() != event.hash {
            return Err(Break::Edited { seq: event.seq });
        }
        if self.expected.as_ref().is_some_and(|h| h.seq == event.seq && h.hash != event.hash) {
            return Err(Break::OtherHead { seq: event.seq });
        }
        self.last.seq = event.seq;
        self.last.hash.clone_from(&event.hash);
        Ok(())
    }

    /// Nothing follows: the chain must have reached the head it should go through.
    pub fn end(self) -> Result<Head, Break> {
        match self.expected {
            Some(head) if head.seq > self.last.seq => Err(Break::CutOff { at: self.last.seq, head: head.seq }),
            // Only where the chain begins at the head, as an extract may.
            Some(head) if head.seq == self.last.seq && head.hash != self.last.hash => {
                Err(Break::OtherHead { seq: head.seq })
            }
            _ => Ok(self.last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(n: i64) -> Vec<Event> {
        let mut prev = GENESIS.to_owned();
        (1..=n)
            .map(|seq| {
                let e = Event {
                    seq,
                    id: format!("e{seq}"),
                    at: "2026-01-01T00:00:00.000000Z".into(),
                    actor: "cli".into(),
                    capacity: "administrator".into(),
                    action: "agent.created".into(),
                    subject: format!("AG-{seq}"),
                    before: Value::Null,
                    after: serde_json::json!({"name": "ع", "rows": {"agent/1": "00"}}),
                    reason: String::new(),
                    prev: prev.clone(),
                    hash: String::new(),
                }
                .sealed();
                prev.clone_from(&e.hash);
                e
            })
            .collect()
    }

    fn check(events: &[Event]) -> Result<i64, Break> {
        check_through(events, None)
    }

    fn check_through(events: &[Event], head: Option<Head>) -> Result<i64, Break> {
        let mut c = Chain::default().through(head);
        events.iter().try_for_each(|e| c.take(e))?;
        c.end().map(|h| h.seq)
    }

    #[test]
    fn a_whole_chain_holds_and_every_tampering_is_named() {
        let good = chain(5);
        assert_eq!(check(&good), Ok(5));
        let mut edited = good.clone();
        edited[2].reason = "other".into();
        assert_eq!(check(&edited), Err(Break::Edited { seq: 3 }));
        let mut resealed = edited.clone();
        resealed[2] = resealed[2].clone().sealed();
        assert_eq!(check(&resealed), Err(Break::Unlinked { seq: 4, after: 3 }));
        let mut swapped = good.clone();
        swapped.swap(1, 2);
        assert_eq!(check(&swapped), Err(Break::Unlinked { seq: 3, after: 1 }));
        let mut missing = good.clone();
        missing.remove(1);
        assert_eq!(check(&missing), Err(Break::Unlinked { seq: 3, after: 1 }));
    }
    #[test]
    fn a_cut_or_rewritten_end_is_found_by_an_exported_head() {
        let good = chain(5);
        let head = Head { seq: 5, hash: good[4].hash.clone() };
        assert_eq!(check_through(&good, Some(head.clone())), Ok(5));
        assert_eq!(check_through(&good[..3], Some(head.clone())), Err(Break::CutOff { at: 3, head: 5 }));
        let mut rewritten = good[..4].to_vec();
        let mut last = good[4].clone();
        last.reason = "another".into();
        rewritten.push(last.sealed());
        assert_eq!(check(&rewritten), Ok(5));
        assert_eq!(check_through(&rewritten, Some(head.clone())), Err(Break::OtherHead { seq: 5 }));
        assert_eq!(head.to_string().parse(), Ok(head));
        for bad in ["", "5", "5:", ":", "-1:00", "5:zz"] {
            assert_eq!(bad.parse::<Head>(), Err(BadHead), "{bad}");
        }
    }
}
