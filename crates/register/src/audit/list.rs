//! Reading the record, newest first. Every page is found through an index.

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::id::AgentId;
use domain::record::Event;
use serde_json::Value;

use super::{columns, event, stored_head};
use crate::agents;
use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, Reads};
use crate::error::Error;
use crate::paging::{Cursor, Page};

/// With more than one filter, how far events are counted.
const COUNT_TO: i64 = 10_000;
/// How far the events of a filter are counted to choose the index that is walked.
const RARE: i64 = 20_000;
const SORT: &str = "-seq";

/// Which events. Empty text means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Who: `PE-1`, `TK-1`, `cli`, `muster`.
    pub actor: String,
    /// What, or how it begins: `agent.` is everything done to agents.
    pub action: String,
    /// On what: a reference.
    pub subject: String,
    /// Or on one of these.
    pub with: Vec<String>,
    /// Not before.
    pub from: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
}

/// A condition that an index answers, and the same with the index hidden.
struct Condition {
    open: String,
    hidden: String,
    args: Vec<Arg>,
}

impl Condition {
    fn is_time(&self) -> bool {
        self.open.starts_with("at ")
    }
}

impl Filter {
    fn conditions(&self) -> Vec<Condition> {
        let mut out = Vec::new();
        if !self.subject.is_empty() {
            let more = ", ?".repeat(self.with.len());
            let mut args = args![&self.subject];
            args.extend(self.with.iter().map(|s| Arg::from(s.as_str())));
            out.push(Condition {
                open: format!("subject IN (?{more})"),
                hidden: format!("subject || '' IN (?{more})"),
                args,
            });
        }
        if !self.actor.is_empty() {
            out.push(Condition {
                open: "actor = ?".into(),
                hidden: "actor || '' = ?".into(),
                args: args![&self.actor],
            });
        }
        if !self.action.is_empty() {
            out.push(Condition {
                open: "action >= ? AND action < ?".into(),
                hidden: "action || '' >= ? AND action || '' < ?".into(),
                args: args![&self.action, after_all(&self.action)],
            });
        }
        if let Some(from) = self.from {
            out.push(Condition { open: "at >= ?".into(), hidden: "at + 0 >= ?".into(), args: args![from] });
        }
        if let Some(until) = self.until {
            out.push(Condition { open: "at < ?".into(), hidden: "at + 0 < ?".into(), args: args![until] });
        }
        out
    }
}

/// What sorts after everything that begins so.
fn after_all(beginning: &str) -> String {
    format!("{beginning}\u{10ffff}")
}

/// Conditions with their `?` numbered on from the arguments so far.
fn joined<'c>(conditions: impl Iterator<Item = (&'c str, &'c [Arg])>, into: &mut Vec<Arg>) -> String {
    let mut out = String::from("1 = 1");
    for (text, args) in conditions {
        out.push_str(" AND ");
        let mut n = into.len();
        for c in text.chars() {
            if c == '?' {
                n += 1;
                out.push('$');
                out.push_str(&n.to_string());
            } else {
                out.push(c);
            }
        }
        into.extend(args.iter().cloned());
    }
    out
}

/// The events that pass a filter, newest first.
pub async fn list(
    db: &Db,
    by: By<'_>,
    filter: &Filter,
    cursor: Option<&str>,
    limit: i64,
) -> Result<Page<Event>, Error> {
    can(by.actor, Action::AuditRead, Relation::None)?;
    page(db, filter, cursor, limit).await
}

/// How many exceptions of an agent its history tells of: the newest.
const EXCEPTIONS: i64 = 200;

/// What was done to one thing, newest first: for the page of that thing. An agent's exceptions are
/// told with it.
pub async fn history(
    db: &Db,
    by: By<'_>,
    subject: &str,
    cursor: Option<&str>,
    limit: i64,
) -> Result<Page<Event>, Error> {
    let mut controls = true;
    let mut with = Vec::new();
    if let Ok(id) = subject.parse::<AgentId>() {
        let mut reads = db;
        let agent = agents::stored::load(&mut reads, &[id], by.now)
            .await?
            .pop()
            .ok_or_else(|| Error::NotFound(format!("agent {id}")))?;
        let relation = agents::relation::relation(&mut reads, by.actor, &agent).await?;
        agents::read::visible(by.actor, &agent, relation)?;
        can(by.actor, Action::AgentHistory, relation)?;
        controls = can(by.actor, Action::AgentReadControls, relation).is_ok();
        if controls {
            let of_it = crate::exceptions::stored::of_agent(&mut reads, id, EXCEPTIONS).await?;
            with = of_it.iter().map(|e| e.id().to_string()).collect();
        }
    } else {
        can(by.actor, Action::AuditRead, Relation::None)?;
    }
    let filter = Filter { subject: subject.to_owned(), with, ..Filter::default() };
    let page = page(db, &filter, cursor, limit).await?;
    Ok(if controls { page } else { page.map(without_controls) })
}

/// What was done to one thing since a moment, newest first, for a page whose reader may see it.
pub(crate) async fn since(db: &Db, subject: &str, from: DateTime<Utc>, limit: i64) -> Result<Page<Event>, Error> {
    let sql = format!(
        "SELECT {} FROM audit_event WHERE subject = $1 AND at > $2 ORDER BY seq DESC LIMIT {}",
        columns(),
        limit + 1
    );
    let found = db.all(sql, args![subject, from]).await?.iter().map(event).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(found, limit, None, |e, b| Cursor { s: SORT.to_owned(), k: String::new(), i: e.seq, b }))
}

/// What a former owner is not shown: how it is stopped now, and with which keys it acts.
fn without_controls(mut event: Event) -> Event {
    let stops = event.action.starts_with("stop");
    for side in [&mut event.before, &mut event.after] {
        if stops {
            *side = Value::Null;
        } else if let Some(members) = side.as_object_mut() {
            members.remove("credentials");
        }
    }
    event
}

/// Every action that the record holds, in order.
pub async fn actions(db: &Db, by: By<'_>) -> Result<Vec<String>, Error> {
    can(by.actor, Action::AuditRead, Relation::None)?;
    let mut reads = db;
    known_actions(&mut reads, "").await
}

/// The actions that begin so: one look into the index for each.
async fn known_actions(reads: &mut impl Reads, beginning: &str) -> Result<Vec<String>, Error> {
    let sql = "WITH RECURSIVE found (action) AS ( \
               SELECT MIN(action) FROM audit_event WHERE action >= $1 AND action < $2 \
               UNION ALL SELECT (SELECT MIN(e.action) FROM audit_event e WHERE e.action > f.action AND e.action < $2) \
               FROM found f WHERE f.action IS NOT NULL) \
               SELECT action FROM found WHERE action IS NOT NULL";
    let rows = reads.rows(sql, args![beginning, after_all(beginning)]).await?;
    Ok(rows.iter().map(|r| r.get(0)).collect::<Result<_, _>>()?)
}

/// The least and greatest number that events of the time have. The clock may have been put
/// back, so the numbers are found from every event of the time, in the index alone.
async fn span(db: &Db, filter: &Filter) -> Result<Option<(i64, i64)>, Error> {
    let mut span = (1, i64::MAX);
    if let Some(from) = filter.from {
        let row = db.one("SELECT MIN(seq + 0) FROM audit_event WHERE at >= $1", args![from]).await?;
        match row.map(|r| r.get::<Option<i64>>(0)).transpose()?.flatten() {
            Some(seq) => span.0 = seq,
            None => return Ok(None),
        }
    }
    if let Some(until) = filter.until {
        let row = db.one("SELECT MAX(seq + 0) FROM audit_event WHERE at < $1", args![until]).await?;
        match row.map(|r| r.get::<Option<i64>>(0)).transpose()?.flatten() {
            Some(seq) => span.1 = seq,
            None => return Ok(None),
        }
    }
    Ok(Some(span))
}

async fn page(db: &Db, filter: &Filter, cursor: Option<&str>, limit: i64) -> Result<Page<Event>, Error> {
    let cursor = cursor.filter(|c| !c.is_empty()).map(|c| Cursor::decode(c, SORT)).transpose()?;
    let none = Page { items: Vec::new(), next: None, previous: None, total: Some(0) };
    let Some((mut least, mut most)) = span(db, filter).await? else { return Ok(none) };
    let back = cursor.as_ref().is_some_and(|c| c.b);
    match &cursor {
        Some(c) if c.b => least = least.max(c.i.saturating_add(1)),
        Some(c) => most = most.min(c.i.saturating_sub(1)),
        None => {}
    }
    let conditions = driven(db, filter.conditions()).await?;
    let total = total(db, &conditions).await?;
    let Some((sql, args)) = prepare(db, filter, &conditions, (least, most), back, limit + 1).await? else {
        return Ok(none);
    };
    let rows = db.all(sql, args).await?;
    let mut items = rows.iter().map(event).collect::<Result<Vec<_>, _>>()?;
    let more = items.len() as i64 > limit;
    items.truncate(usize::try_from(limit).unwrap_or(0));
    if back {
        items.reverse();
    }
    let edge =
        |e: Option<&Event>, b: bool| e.map(|e| Cursor { s: SORT.to_owned(), k: String::new(), i: e.seq, b }.encode());
    let (has_next, has_previous) = if back { (true, more) } else { (more, cursor.is_some()) };
    Ok(Page {
        next: has_next.then(|| edge(items.last(), false)).flatten(),
        previous: has_previous.then(|| edge(items.first(), true)).flatten(),
        total,
        items,
    })
}

/// Puts the condition first whose index is walked, that of the rarest filter. A time is none
/// of them: its events' numbers are known already.
async fn driven(db: &Db, mut conditions: Vec<Condition>) -> Result<Vec<Condition>, Error> {
    let mut best: Option<(i64, usize)> = None;
    for (at, condition) in conditions.iter().enumerate() {
        if condition.is_time() {
            continue;
        }
        let count = match conditions.len() {
            1 => 0,
            _ => count(db, std::slice::from_ref(condition), Some(RARE)).await?,
        };
        if best.is_none_or(|(least, _)| count < least) {
            best = Some((count, at));
        }
    }
    if let Some((_, at)) = best {
        conditions.swap(0, at);
    }
    Ok(conditions)
}

/// The query of a page. The first condition's index is walked; the others are hidden behind
/// an expression that changes nothing, so that neither engine thinks otherwise.
async fn prepare(
    db: &Db,
    filter: &Filter,
    conditions: &[Condition],
    (least, most): (i64, i64),
    back: bool,
    rows: i64,
) -> Result<Option<(String, Vec<Arg>)>, Error> {
    let direction = if back { "ASC" } else { "DESC" };
    let mut args = args![least, most, rows];
    let between = "seq >= $1 AND seq <= $2";
    let order = format!("ORDER BY seq {direction} LIMIT $3");
    let columns = columns();
    let hidden = |conditions: &[Condition], args: &mut Vec<Arg>| {
        joined(conditions.iter().map(|c| (c.hidden.as_str(), c.args.as_slice())), args)
    };
    let (driver, rest) = match conditions.split_first() {
        Some((first, rest)) if !first.is_time() => (first, rest),
        _ => {
            let rest = hidden(conditions, &mut args);
            return Ok(Some((format!("SELECT {columns} FROM audit_event WHERE {between} AND {rest} {order}"), args)));
        }
    };
    if !driver.open.starts_with("action") {
        let first = joined(std::iter::once((driver.open.as_str(), driver.args.as_slice())), &mut args);
        let rest = hidden(rest, &mut args);
        let sql = format!("SELECT {columns} FROM audit_event WHERE {first} AND {between} AND {rest} {order}");
        return Ok(Some((sql, args)));
    }
    // A range of actions is not in order of number, but each action is.
    let mut reads = db;
    let actions = known_actions(&mut reads, &filter.action).await?;
    if actions.is_empty() {
        return Ok(None);
    }
    let rest = hidden(rest, &mut args);
    let parts: Vec<String> = actions
        .into_iter()
        .map(|action| {
            args.push(action.into());
            let n = args.len();
            format!(
                "SELECT seq FROM (SELECT seq FROM audit_event WHERE action = ${n} AND {between} AND {rest} {order}) AS a{n}"
            )
        })
        .collect();
    let sql = format!(
        "SELECT {columns} FROM audit_event WHERE seq IN (SELECT seq FROM ({}) AS every {order}) ORDER BY seq {direction}",
        parts.join(" UNION ALL ")
    );
    Ok(Some((sql, args)))
}

/// How many events pass; the first condition's index is walked, at most so far.
async fn count(db: &Db, conditions: &[Condition], most: Option<i64>) -> Result<i64, Error> {
    let mut args = Vec::new();
    let texts = conditions.iter().enumerate().map(|(at, c)| {
        let text = if at == 0 { &c.open } else { &c.hidden };
        (text.as_str(), c.args.as_slice())
    });
    let condition = joined(texts, &mut args);
    let limit = most.map(|n| {
        args.push(n.into());
        format!(" LIMIT ${}", args.len())
    });
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM audit_event WHERE {condition}{}) AS counted",
        limit.unwrap_or_default()
    );
    Ok(db.one(sql, args).await?.map(|r| r.get(0)).transpose()?.unwrap_or(0))
}

/// Exact without a filter and with one; with more, unknown when there are many.
async fn total(db: &Db, conditions: &[Condition]) -> Result<Option<i64>, Error> {
    match conditions.len() {
        0 => {
            let mut reads = db;
            Ok(Some(stored_head(&mut reads).await?.unwrap_or_default().seq))
        }
        1 => count(db, conditions, None).await.map(Some),
        _ => {
            let n = count(db, conditions, Some(COUNT_TO + 1)).await?;
            Ok((n <= COUNT_TO).then_some(n))
        }
    }
}

/// The plan of a page, for the test that refuses full scans.
#[doc(hidden)]
pub async fn plan(db: &Db, filter: &Filter, limit: i64) -> Result<Vec<String>, Error> {
    let Some(span) = span(db, filter).await? else { return Ok(Vec::new()) };
    let conditions = driven(db, filter.conditions()).await?;
    let Some((sql, args)) = prepare(db, filter, &conditions, span, false, limit).await? else {
        return Ok(Vec::new());
    };
    Ok(db.plan(&sql, args).await?)
}
