//! What stands in the columns of a file: what the guesses read and the mapping page shows.

use std::collections::{HashMap, HashSet};

use super::table::Table;
use super::{MAX_ROWS, Unreadable};

/// Different values that are counted for one column.
const DIFFERENT: usize = 200;
/// Characters of a value that are kept.
const VALUE: usize = 200;

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// How many rows have something in it.
    pub filled: usize,
    /// Different values, the most frequent first; `None` beyond 200.
    pub values: Option<Vec<(String, usize)>>,
    /// Whether every value is another one; found out only for columns named like an id.
    pub unique: bool,
    /// The first values.
    pub examples: Vec<String>,
    /// The longest value, in characters.
    pub longest: usize,
}

/// The columns of a file, and how many rows it has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// One for each column of the header, in order.
    pub columns: Vec<Column>,
    /// Rows with something in them.
    pub rows: usize,
    /// Rows passed over since they hold nothing.
    pub empty: usize,
}

struct Counting {
    counts: HashMap<String, usize>,
    order: Vec<String>,
    ids: Option<HashSet<u64>>,
    filled: usize,
    longest: usize,
    examples: Vec<String>,
}

/// Goes through the whole file once.
pub fn profile(table: &Table<'_>) -> Result<Profile, Unreadable> {
    let mut columns: Vec<Counting> = table
        .header()
        .iter()
        .map(|name| Counting {
            counts: HashMap::new(),
            order: Vec::new(),
            ids: super::guess::names_an_id(name).then(HashSet::new),
            filled: 0,
            longest: 0,
            examples: Vec::new(),
        })
        .collect();
    let mut rows = table.rows();
    let mut count = 0;
    for record in rows.by_ref() {
        count += 1;
        if count > MAX_ROWS {
            return Err(Unreadable::TooManyRows);
        }
        if record.open_quote {
            continue;
        }
        for (cell, c) in record.cells.iter().zip(&mut columns) {
            c.take(cell);
        }
    }
    if let Some(trouble) = rows.trouble() {
        return Err(trouble);
    }
    if count == 0 {
        return Err(Unreadable::NoRows);
    }
    let empty = rows.empty();
    let columns = table.header().iter().zip(columns).map(|(name, c)| c.done(name.clone())).collect();
    Ok(Profile { columns, rows: count, empty })
}

impl Counting {
    fn take(&mut self, cell: &str) {
        let value = cell.trim();
        if value.is_empty() {
            return;
        }
        self.filled += 1;
        self.longest = self.longest.max(value.chars().count());
        if let Some(ids) = &mut self.ids {
            ids.insert(hash(value));
        }
        if self.order.len() > DIFFERENT {
            return;
        }
        let plain = plain(value);
        if let Some(n) = self.counts.get_mut(&plain) {
            *n += 1;
        } else {
            if self.examples.len() < 3 {
                self.examples.push(plain.clone());
            }
            self.order.push(plain.clone());
            self.counts.insert(plain, 1);
        }
    }

    fn done(self, name: String) -> Column {
        let unique = self.ids.is_some_and(|ids| ids.len() == self.filled);
        let values = (self.order.len() <= DIFFERENT).then(|| {
            let mut list: Vec<(String, usize)> = self
                .order
                .into_iter()
                .map(|v| {
                    let n = self.counts.get(&v).copied().unwrap_or(0);
                    (v, n)
                })
                .collect();
            list.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
            list
        });
        Column { name, filled: self.filled, values, unique, examples: self.examples, longest: self.longest }
    }
}

/// A value as it is shown and looked up: on one line, at most 200 characters.
pub fn plain(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(VALUE).collect()
}

fn hash(value: &str) -> u64 {
    use std::hash::{Hash as _, Hasher as _};
    let mut h = std::hash::DefaultHasher::new();
    value.hash(&mut h);
    h.finish()
}
