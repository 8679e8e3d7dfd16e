//! Keyset pages: a cursor is the last row's sort key and id, so that page 1,000 costs
//! what page 1 costs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Most rows a page may ask for.
pub const MAX_LIMIT: i64 = 200;
/// Rows of a page that does not say.
pub const DEFAULT_LIMIT: i64 = 50;

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Cursor of the page after this one.
    pub next: Option<String>,
    /// Cursor of the page before this one.
    pub previous: Option<String>,
    /// How many there are in all; `None` when only a bound is known.
    pub total: Option<i64>,
}

impl<T> Page<T> {
    /// The page that rows make of which one more than `limit` was read, in the order of their
    /// reading: away from the cursor. Counts nothing.
    pub fn cut(mut items: Vec<T>, limit: i64, cursor: Option<&Cursor>, edge: impl Fn(&T, bool) -> Cursor) -> Self {
        let back = cursor.is_some_and(|c| c.b);
        let more = items.len() as i64 > limit;
        items.truncate(usize::try_from(limit).unwrap_or(0));
        if back {
            items.reverse();
        }
        let (after, before) = if back { (true, more) } else { (more, cursor.is_some()) };
        let next = items.last().filter(|_| after).map(|i| edge(i, false).encode());
        let previous = items.first().filter(|_| before).map(|i| edge(i, true).encode());
        Self { items, next, previous, total: None }
    }

    /// The same page with other items.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next: self.next,
            previous: self.previous,
            total: self.total,
        }
    }
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The sort it belongs to; a cursor of another sort is refused.
    pub s: String,
    /// The sort key of the row at the edge: text, or a number as text.
    pub k: String,
    /// The id of the row at the edge.
    pub i: i64,
    /// Whether the page lies before the edge.
    pub b: bool,
}

impl Cursor {
    /// The opaque form.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads the opaque form, for the list sorted by `sort`.
    pub fn decode(text: &str, sort: &str) -> Result<Self, Error> {
        URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok())
            .filter(|c| c.s == sort)
            .ok_or_else(|| Error::field("/cursor", "The cursor does not belong to this list; begin again without it."))
    }
}

/// The limit, checked.
pub fn limit(given: Option<i64>) -> Result<i64, Error> {
    match given {
        None => Ok(DEFAULT_LIMIT),
        Some(n) if (1..=MAX_LIMIT).contains(&n) => Ok(n),
        Some(_) => Err(Error::field("/limit", format!("The limit is a number from 1 to {MAX_LIMIT}."))),
    }
}
