//! The list of teams.

use domain::can::{Action, Relation, can};
use domain::id::TeamId;
use domain::party::{PersonStatus, TeamKind};

use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, DbError, Row};
use crate::error::Error;
use crate::paging::{Cursor, DEFAULT_LIMIT, Page};
use crate::people::{Named, paged, plain, searched};

/// Which teams to list.
#[derive(Debug, Clone)]
pub struct Query {
    /// The beginning of any word of the name, or a whole reference.
    pub q: String,
    /// What they are for.
    pub kind: Option<TeamKind>,
    /// Whether somebody who is here leads them.
    pub led: Option<bool>,
    /// By name, downwards.
    pub down: bool,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// How many rows at most.
    pub limit: i64,
}

impl Default for Query {
    fn default() -> Self {
        Self { q: String::new(), kind: None, led: None, down: false, cursor: None, limit: DEFAULT_LIMIT }
    }
}

/// A team as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its reference.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: TeamKind,
    /// Its lead, who may be gone.
    pub lead: Option<Named>,
    /// How many members it has.
    pub members: i64,
    /// Whether it is Accountable for anything.
    pub accountable: bool,
    folded: String,
}

fn line(r: &Row) -> Result<Line, DbError> {
    let lead = match (r.get(3)?, r.get::<Option<String>>(4)?, r.get::<Option<String>>(5)?) {
        (Some(id), Some(name), Some(status)) => {
            Some(Named { id: domain::id::PersonId(id), name, active: status == PersonStatus::Active.key() })
        }
        _ => None,
    };
    Ok(Line {
        id: r.get(0)?,
        name: r.get(1)?,
        kind: r.get(2)?,
        lead,
        members: r.get(6)?,
        accountable: r.get(7)?,
        folded: r.get(8)?,
    })
}

/// A page of teams, by name.
pub async fn list(db: &Db, by: By<'_>, query: &Query) -> Result<Page<Line>, Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    let sort = if query.down { "-name" } else { "name" };
    let cursor = query.cursor.as_deref().map(|c| Cursor::decode(c, sort)).transpose()?;
    let mut asked: Vec<String> = Vec::new();
    let mut list: Vec<Arg> = Vec::new();
    if let Some(v) = query.kind {
        list.push(v.key().into());
        asked.push(format!("t.kind = ${}", list.len()));
    }
    match query.led {
        Some(true) => asked.push("p.status = 'active'".into()),
        Some(false) => asked.push("(p.status IS NULL OR p.status = 'left')".into()),
        None => {}
    }
    if let Some(words) = searched(&query.q) {
        if let Ok(id) = words.to_uppercase().parse::<TeamId>() {
            list.push(id.into());
            asked.push(format!("t.id = ${}", list.len()));
        } else {
            for word in words.split(' ') {
                list.push(format!("% {}%", plain(word)).into());
                asked.push(format!("' ' || t.name_folded LIKE ${} ESCAPE '\\'", list.len()));
            }
        }
    }
    let filter = |asked: &[String]| {
        if asked.is_empty() { String::new() } else { format!(" WHERE {}", asked.join(" AND ")) }
    };
    let from = "FROM team t LEFT JOIN person p ON p.id = t.lead_id";
    let count = format!("SELECT COUNT(*) {from}{}", filter(&asked));
    let total = db.one(count, list.clone()).await?.map(|r| r.get(0)).transpose()?;
    let back = cursor.as_ref().is_some_and(|c| c.b);
    let (sign, direction) = if query.down == back { (">", "ASC") } else { ("<", "DESC") };
    if let Some(c) = &cursor {
        let n = list.len();
        asked.push(format!("(t.name_folded, t.id) {sign} (${}, ${})", n + 1, n + 2));
        list.extend(args![&c.k, c.i]);
    }
    list.push(Arg::from(query.limit + 1));
    let sql = format!(
        "SELECT t.id, t.name, t.kind, p.id, p.name, p.status, \
           (SELECT COUNT(*) FROM team_member m WHERE m.team_id = t.id AND m.until IS NULL), \
           EXISTS (SELECT 1 FROM assignment s WHERE s.party_kind = 'team' AND s.party_id = t.id AND s.role = 'A' \
                   AND s.valid_to IS NULL AND s.accepted_at IS NOT NULL), t.name_folded \
         {from}{} ORDER BY t.name_folded {direction}, t.id {direction} LIMIT ${}",
        filter(&asked),
        list.len()
    );
    let rows = db.all(sql, list).await?.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    Ok(paged(rows, query.limit, cursor.as_ref(), total, |l, b| Cursor {
        s: sort.to_owned(),
        k: l.folded.clone(),
        i: l.id.0,
        b,
    }))
}

/// Teams by name with their kind, for choosing one: at most `most` of them.
pub async fn directory(db: &Db, by: By<'_>, most: i64) -> Result<Vec<(TeamId, String, TeamKind)>, Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    let rows = db.all("SELECT id, name, kind FROM team ORDER BY name_folded, id LIMIT $1", args![most]).await?;
    Ok(rows.iter().map(|r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).collect::<Result<_, DbError>>()?)
}
