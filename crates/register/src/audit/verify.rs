//! Checking the record of a database: that the chain is whole, and that every row is what
//! the last event about it says.
//!
//! It reads one moment of the database, so it may run while the server writes. Events pass
//! by in pieces; what stays in memory is some sixty bytes for each row of the register.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use domain::can::{Action, Relation, can};
use domain::record::{Break, Chain, Event, Head};

use super::{following, stored_head};
use crate::args;
use crate::change::{AUDITED, Audited, By, Kind};
use crate::db::{Arg, Db, DbError, Reads, Snapshot};
use crate::error::Error;

/// How many events or rows are read at a time. Few, as each piece is hashed without
/// letting others use the thread.
const PIECE: i64 = 250;

/// A record that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many events were checked.
    pub events: i64,
    /// How many rows were found to be what their event says; 0 for a file.
    pub rows: i64,
    /// The last position and its hash.
    pub head: Head,
}

/// A record that does not hold, or could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The first broken link.
    #[error(transparent)]
    Link(#[from] Break),
    /// It could not be checked.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<DbError> for Broken {
    fn from(e: DbError) -> Self {
        Self::Failed(e.into())
    }
}

/// Checks the chain, then every row of every audited table, then that the chain goes
/// through `expected`, a head exported earlier. `progress` is told how many events and rows
/// have been checked so far.
pub async fn verify(
    db: &Db,
    by: By<'_>,
    expected: Option<Head>,
    mut progress: impl FnMut(i64) + Send,
) -> Result<Verified, Broken> {
    can(by.actor, Action::AuditRead, Relation::None).map_err(Error::from)?;
    let mut snapshot = db.snapshot().await?;
    let mut accounted = Accounted::new();
    let head = chain(&mut snapshot, expected, &mut accounted, &mut progress).await?;
    let mut rows = 0;
    for table in AUDITED {
        let so_far = head.seq + rows;
        rows += accounted.check(&mut snapshot, table, |n| progress(so_far + n)).await?;
    }
    accounted.end()?;
    Ok(Verified { events: head.seq, rows, head })
}

/// Checks events one by one, and notes what each says about rows.
async fn chain(
    snapshot: &mut Snapshot,
    expected: Option<Head>,
    accounted: &mut Accounted,
    progress: &mut (impl FnMut(i64) + Send),
) -> Result<Head, Broken> {
    let mut chain = Chain::default().through(expected);
    loop {
        let events = following_any(snapshot, chain.last().seq).await?;
        if events.is_empty() {
            break;
        }
        for event in &events {
            chain.take(event)?;
            accounted.note(event);
        }
        progress(chain.last().seq);
        tokio::task::yield_now().await;
    }
    let kept = stored_head(snapshot).await?.unwrap_or_default();
    let last = chain.last();
    if kept.seq > last.seq {
        return Err(Break::CutOff { at: last.seq, head: kept.seq }.into());
    }
    if kept != *last {
        return Err(Break::LostHead { head: kept.seq, last: last.seq }.into());
    }
    Ok(chain.end()?)
}

/// The next events. The first piece begins at the very first row, whatever its number, so
/// that an event moved before the beginning is not passed over.
async fn following_any(snapshot: &mut Snapshot, after: i64) -> Result<Vec<Event>, DbError> {
    let after = if after == 0 { i64::MIN } else { after };
    following(snapshot, after, i64::MAX, PIECE).await
}

/// What the last event about a row says: a part of the row's digest, and which event.
#[derive(Debug, Clone, Copy)]
struct Note {
    digest: u128,
    event: u64,
    seq: i64,
}

/// The rows of one table that events account for, by key.
#[derive(Debug)]
struct Table {
    of: &'static Audited,
    whole: HashMap<i64, Note>,
    text: HashMap<String, Note>,
}

impl Table {
    fn whole(&self) -> bool {
        self.of.columns[0].1 == Kind::Int
    }

    fn put(&mut self, key: &str, note: Note) -> bool {
        if !self.whole() {
            self.text.insert(key.to_owned(), note);
            return true;
        }
        key.parse().is_ok_and(|key| {
            self.whole.insert(key, note);
            true
        })
    }

    fn take(&mut self, key: &str) -> Option<Note> {
        if self.whole() { self.whole.remove(&key.parse().ok()?) } else { self.text.remove(key) }
    }

    /// The row that the earliest event mentions and that has not been taken.
    fn left(&self) -> Option<(String, i64)> {
        let whole = self.whole.iter().map(|(k, n)| (n.seq, *k)).min().map(|(s, k)| (k.to_string(), s));
        whole.or_else(|| self.text.iter().map(|(k, n)| (n.seq, k)).min().map(|(s, k)| (k.clone(), s)))
    }
}

/// Every row that events account for.
#[derive(Debug)]
struct Accounted {
    tables: HashMap<&'static str, Table>,
    /// The first mention of a row that no audited table can hold.
    strange: Option<(String, i64)>,
}

impl Accounted {
    fn new() -> Self {
        let tables =
            AUDITED.iter().map(|of| (of.name, Table { of, whole: HashMap::new(), text: HashMap::new() })).collect();
        Self { tables, strange: None }
    }

    fn note(&mut self, event: &Event) {
        for (row, digest) in event.rows() {
            let note = Note { digest: part(digest), event: mark(&event.id), seq: event.seq };
            let known = row
                .split_once('/')
                .and_then(|(table, key)| Some(self.tables.get_mut(table)?.put(key, note)))
                .unwrap_or(false);
            if !known && self.strange.is_none() {
                self.strange = Some((row.to_owned(), event.seq));
            }
        }
    }

    /// Checks every row of a table. What stays of the table is mentioned, and gone.
    async fn check(
        &mut self,
        snapshot: &mut Snapshot,
        of: &'static Audited,
        mut progress: impl FnMut(i64),
    ) -> Result<i64, Broken> {
        let Some(table) = self.tables.get_mut(of.name) else { return Ok(0) };
        let mut last: Option<String> = None;
        let mut count = 0;
        loop {
            let (after, list) = match &last {
                None => (String::new(), args![PIECE]),
                Some(key) if table.whole() => {
                    (format!("WHERE {} > $2", of.key), vec![Arg::from(PIECE), Arg::Int(key.parse().ok())])
                }
                Some(key) => (format!("WHERE {} > $2", of.key), args![PIECE, key]),
            };
            let sql = format!("SELECT {} FROM {} {after} ORDER BY {} LIMIT $1", of.select(), of.name, of.key);
            let rows = snapshot.rows(sql, list).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let (name, digest, event) = of.digest(row)?;
                let key = &name[of.name.len() + 1..];
                let noted = table.take(key);
                let good = noted.is_some_and(|n| n.digest == part(&digest) && n.event == mark(&event));
                if !good {
                    let why = why(snapshot, noted, &digest, &event).await?;
                    return Err(Break::Unrecorded { row: name, why }.into());
                }
                last = Some(key.to_owned());
            }
            count += rows.len() as i64;
            progress(count);
            tokio::task::yield_now().await;
        }
        if let Some((key, seq)) = table.left() {
            let why = format!("event {seq} wrote it, and it is gone");
            return Err(Break::Unrecorded { row: format!("{}/{key}", of.name), why }.into());
        }
        Ok(count)
    }

    fn end(self) -> Result<(), Break> {
        match self.strange {
            None => Ok(()),
            Some((row, seq)) => {
                Err(Break::Unrecorded { row, why: format!("event {seq} wrote it, and there is no such row") })
            }
        }
    }
}

/// In what way a row and the events differ.
async fn why(snapshot: &mut Snapshot, noted: Option<Note>, digest: &str, event: &str) -> Result<String, DbError> {
    let rows = snapshot.rows("SELECT seq FROM audit_event WHERE id = $1", args![event]).await?;
    let carried: Option<i64> = rows.first().map(|r| r.get(0)).transpose()?;
    Ok(match (noted, carried) {
        (None, None) => "no event wrote it, and the event that it names does not exist".to_owned(),
        (None, Some(seq)) => format!("no event wrote it; it names event {seq}, which does not mention it"),
        (Some(n), None) => format!("event {} wrote it last, but it names an event that does not exist", n.seq),
        (Some(n), Some(seq)) if seq < n.seq => {
            format!("it was put back to how event {seq} left it; event {} wrote it after that", n.seq)
        }
        (Some(n), Some(seq)) if n.digest == part(digest) => {
            format!("event {} wrote it last, but it names event {seq}", n.seq)
        }
        (Some(n), _) => format!("it is not what event {} wrote", n.seq),
    })
}

/// Half of a SHA-256: nobody finds another row with the same half either.
fn part(digest: &str) -> u128 {
    digest.get(..32).and_then(|half| u128::from_str_radix(half, 16).ok()).unwrap_or(0)
}

fn mark(event: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    event.hash(&mut hasher);
    hasher.finish()
}
