//! A person's own notices.

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::id::PersonId;
use domain::notice::{Item, NoticeKind};

use crate::args;
use crate::change::By;
use crate::db::{Db, DbError, Reads, Row};
use crate::error::Error;
use crate::paging::{self, Cursor, Page};

/// So far are unread ones counted: beyond it one does not read the number.
pub const COUNTED: i64 = 100;

/// A notice in its reader's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noticed {
    /// What it says.
    pub item: Item,
    /// When it was read.
    pub read_at: Option<DateTime<Utc>>,
}

/// The columns of an [`Item`], of a table called `n`.
pub(super) const ITEM: &str = "n.id, n.kind, n.critical, n.subject, n.what, n.why, n.todo, n.link, n.at";

/// The item whose columns begin at a place.
pub(super) fn item(r: &Row, from: usize) -> Result<Item, DbError> {
    Ok(Item {
        id: r.get(from)?,
        // One of a kind that is not known any more is still read.
        kind: r.get::<String>(from + 1)?.parse().unwrap_or(NoticeKind::Report),
        critical: r.get(from + 2)?,
        subject: r.get(from + 3)?,
        what: r.get(from + 4)?,
        why: r.get(from + 5)?,
        todo: r.get(from + 6)?,
        link: r.get(from + 7)?,
        at: r.get(from + 8)?,
    })
}

fn read(r: &Row) -> Result<Noticed, DbError> {
    Ok(Noticed { item: item(r, 0)?, read_at: r.get(9)? })
}

/// What is asked of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Those that were read too.
    pub all: bool,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// At most so many.
    pub limit: Option<i64>,
}

/// A page of one's own notices, newest first. The total is told up to ten thousand.
pub async fn page(mut db: &Db, by: By<'_>, query: &Query) -> Result<Page<Noticed>, Error> {
    can(by.actor, Action::NoticeRead, Relation::Owner)?;
    let me = super::oneself(by)?;
    let sort = if query.all { "all" } else { "unread" };
    let cursor = query.cursor.as_deref().map(|c| Cursor::decode(c, sort)).transpose()?;
    let limit = paging::limit(query.limit)?;
    let which = if query.all { "" } else { "AND n.read_at IS NULL" };
    let (edge, order) = match &cursor {
        None => ("", "DESC"),
        Some(c) if c.b => ("AND n.id > $3", "ASC"),
        Some(_) => ("AND n.id < $3", "DESC"),
    };
    let sql = format!(
        "SELECT {ITEM}, n.read_at FROM notice n WHERE n.person_id = $1 {which} {edge} ORDER BY n.id {order} LIMIT $2"
    );
    let mut list = args![me, limit + 1];
    list.extend(cursor.iter().map(|c| crate::db::Arg::from(&c.k)));
    let rows = Reads::rows(&mut db, sql, list).await?;
    let items = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM notice n WHERE n.person_id = $1 {which} LIMIT 10001) few");
    let rows = Reads::rows(&mut db, sql, args![me]).await?;
    let count: i64 = rows.first().map_or(Ok(0), |r| r.get(0))?;
    let page = Page::cut(items, limit, cursor.as_ref(), |one, back| Cursor {
        s: sort.to_owned(),
        k: one.item.id.clone(),
        i: 0,
        b: back,
    });
    Ok(Page { total: Some(count).filter(|n| *n <= 10_000), ..page })
}

/// How many notices a person has not read, up to [`COUNTED`].
pub async fn unread(mut db: &Db, person: PersonId) -> Result<i64, DbError> {
    let sql =
        "SELECT COUNT(*) FROM (SELECT 1 FROM notice n WHERE n.person_id = $1 AND n.read_at IS NULL LIMIT 100) few";
    Reads::rows(&mut db, sql, args![person]).await?.first().map_or(Ok(0), |r| r.get(0))
}

/// Marks one of one's own as read, or as unread again. Answers it.
pub async fn mark(db: &Db, by: By<'_>, id: &str, as_read: bool) -> Result<Noticed, Error> {
    can(by.actor, Action::NoticeSet, Relation::Owner)?;
    let me = super::oneself(by)?;
    let sql = format!("SELECT {ITEM}, n.read_at FROM notice n WHERE n.id = $1 AND n.person_id = $2");
    let row = db.one(sql, args![id, me]).await?.ok_or_else(|| Error::NotFound("such a notice".into()))?;
    let mut found = read(&row)?;
    if found.read_at.is_some() != as_read {
        found.read_at = as_read.then_some(by.now);
        let sql = "UPDATE notice SET read_at = $3 WHERE id = $1 AND person_id = $2";
        db.run(sql, args![id, me, found.read_at]).await?;
        super::written::say_read(me);
    }
    Ok(found)
}

/// Marks every one of one's own as read that is no newer than this one, so that what came since
/// the page was shown stays unread. Answers how many.
pub async fn mark_all(db: &Db, by: By<'_>, up_to: &str) -> Result<u64, Error> {
    can(by.actor, Action::NoticeSet, Relation::Owner)?;
    let me = super::oneself(by)?;
    let sql = "UPDATE notice SET read_at = $3 WHERE person_id = $1 AND read_at IS NULL AND id <= $2";
    let count = db.run(sql, args![me, up_to, by.now]).await?;
    if count > 0 {
        super::written::say_read(me);
    }
    Ok(count)
}
