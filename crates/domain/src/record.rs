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
    /// A row has no event that accounts for it, or its content differs from what the event recorded.
    #[error("{row} was changed without an event: {why}")]
    Unrecorded {
        /// Table and key.
        row: String,
        /// In what way.
        why: &'static str,
    },
}

/// Checks a chain event by event, in constant memory.
#[derive(Debug, Clone)]
pub struct Chain {
    seq: i64,
    hash: String,
}

impl Default for Chain {
    fn default() -> Self {
        Self { seq: 0, hash: GENESIS.to_owned() }
    }
}

impl Chain {
    /// Continues a chain after an event known to be good, for instance an extract's first.
    pub fn after(seq: i64, hash: impl Into<String>) -> Self {
        Self { seq, hash: hash.into() }
    }

    /// The last good position.
    pub const fn seq(&self) -> i64 {
        self.seq
    }

    /// The hash of the last good event.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Takes the next event, or says how it breaks the chain.
    pub fn take(&mut self, event: &Event) -> Result<(), Break> {
        if event.seq != self.seq + 1 || event.prev != self.hash {
            return Err(Break::Unlinked { seq: event.seq, after: self.seq });
        }
        if event.computed_hash() != event.hash {
            return Err(Break::Edited { seq: event.seq });
        }
        self.seq = event.seq;
        self.hash.clone_from(&event.hash);
        Ok(())
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
        let mut c = Chain::default();
        events.iter().try_for_each(|e| c.take(e))?;
        Ok(c.seq())
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
}
