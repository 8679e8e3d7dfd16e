//! The list of people.

use domain::can::{Action, Relation, can};
use domain::id::{PersonId, TeamId};
use domain::party::{PersonStatus, Role, Roles};
use domain::text;

use super::stored::Named;
use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, Row};
use crate::error::Error;
use crate::paging::{Cursor, DEFAULT_LIMIT, Page};

/// Whom to list.
#[derive(Debug, Clone)]
pub struct Query {
    /// The beginning of any word of the name, of the e-mail address, or a whole reference.
    pub q: String,
    /// Whether they are there.
    pub status: Option<PersonStatus>,
    /// With this role.
    pub role: Option<Role>,
    /// Member, lead or deputy of this team.
    pub team: Option<TeamId>,
    /// By name, downwards.
    pub down: bool,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// How many rows at most.
    pub limit: i64,
}

impl Default for Query {
    fn default() -> Self {
        Self { q: String::new(), status: None, role: None, team: None, down: false, cursor: None, limit: DEFAULT_LIMIT }
    }
}

/// A person as the list shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Their reference.
    pub id: PersonId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// What they do.
    pub title: String,
    /// Their business unit.
    pub business_unit: String,
    /// Whether they are there.
    pub status: PersonStatus,
    /// Their roles.
    pub roles: Roles,
    /// Whether they are Accountable for anything themselves.
    pub accountable: bool,
    /// Whether they lead a team.
    pub leads: bool,
    folded: String,
}

const LINE: &str = "p.id, p.name, p.email, p.title, p.business_unit, p.status, p.roles, \
     EXISTS (SELECT 1 FROM assignment s WHERE s.party_kind = 'person' AND s.party_id = p.id AND s.role = 'A' \
             AND s.valid_to IS NULL AND s.accepted_at IS NOT NULL), \
     EXISTS (SELECT 1 FROM team t WHERE t.lead_id = p.id), p.name_folded";

fn line(r: &Row) -> Result<Line, Error> {
    Ok(Line {
        id: r.get(0)?,
        name: r.get(1)?,
        email: r.get(2)?,
        title: r.get(3)?,
        business_unit: r.get(4)?,
        status: r.get(5)?,
        roles: r.get(6)?,
        accountable: r.get(7)?,
        leads: r.get(8)?,
        folded: r.get(9)?,
    })
}

/// The conditions of a query, with their arguments.
fn conditions(query: &Query) -> (Vec<String>, Vec<Arg>) {
    let mut out = Vec::new();
    let mut list: Vec<Arg> = Vec::new();
    let mut next = |arg: Arg| {
        list.push(arg);
        format!("${}", list.len())
    };
    if let Some(v) = query.status {
        out.push(format!("p.status = {}", next(v.key().into())));
    }
    if let Some(v) = query.role {
        out.push(format!("' ' || p.roles || ' ' LIKE {}", next(format!("% {} %", v.key()).into())));
    }
    if let Some(v) = query.team {
        let team = next(v.into());
        out.push(format!(
            "p.id IN (SELECT person_id FROM team_member WHERE team_id = {team} AND until IS NULL \
             UNION SELECT lead_id FROM team WHERE id = {team} UNION SELECT deputy_id FROM team WHERE id = {team})"
        ));
    }
    if let Some(words) = searched(&query.q) {
        if let Ok(id) = words.to_uppercase().parse::<PersonId>() {
            out.push(format!("p.id = {}", next(id.into())));
        } else {
            // Every word begins a word of the name, or the whole begins the address. People
            // are some thousands, and their names lie in an index.
            let mut all = Vec::new();
            for word in words.split(' ') {
                all.push(format!(
                    "' ' || p.name_folded LIKE {} ESCAPE '\\'",
                    next(format!("% {}%", plain(word)).into())
                ));
            }
            let email = next(format!("{}%", plain(&words)).into());
            out.push(format!("(({}) OR p.email LIKE {email} ESCAPE '\\')", all.join(" AND ")));
        }
    }
    (out, list)
}

/// What is searched for, folded; `None` when it is nothing.
pub(crate) fn searched(typed: &str) -> Option<String> {
    let typed: String = typed.chars().filter(|c| !c.is_control()).take(100).collect();
    Some(text::fold(&typed)).filter(|t| !t.is_empty())
}

/// Text in a pattern that means itself.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn whole(conditions: &[String]) -> String {
    if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
}

/// A page of people, by name.
pub async fn list(db: &Db, by: By<'_>, query: &Query) -> Result<Page<Line>, Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    let sort = if query.down { "-name" } else { "name" };
    let cursor = query.cursor.as_deref().map(|c| Cursor::decode(c, sort)).transpose()?;
    let (mut asked, mut list) = conditions(query);
    let count = format!("SELECT COUNT(*) FROM person p{}", whole(&asked));
    let total = db.one(count, list.clone()).await?.map(|r| r.get(0)).transpose()?;
    let back = cursor.as_ref().is_some_and(|c| c.b);
    let (sign, direction) = if query.down == back { (">", "ASC") } else { ("<", "DESC") };
    if let Some(c) = &cursor {
        let n = list.len();
        asked.push(format!("(p.name_folded, p.id) {sign} (${}, ${})", n + 1, n + 2));
        list.extend(args![&c.k, c.i]);
    }
    list.push(Arg::from(query.limit + 1));
    let sql = format!(
        "SELECT {LINE} FROM person p{} ORDER BY p.name_folded {direction}, p.id {direction} LIMIT ${}",
        whole(&asked),
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

/// A page from `limit + 1` rows that were read from a cursor on, forwards or backwards.
pub(crate) fn paged<T>(
    mut items: Vec<T>,
    limit: i64,
    cursor: Option<&Cursor>,
    total: Option<i64>,
    edge: impl Fn(&T, bool) -> Cursor,
) -> Page<T> {
    let most = usize::try_from(limit).unwrap_or(0);
    let more = items.len() > most;
    items.truncate(most);
    let back = cursor.is_some_and(|c| c.b);
    if back {
        items.reverse();
    }
    let (has_next, has_previous) = if back { (true, more) } else { (more, cursor.is_some()) };
    let next = has_next.then(|| items.last().map(|l| edge(l, false).encode())).flatten();
    let previous = has_previous.then(|| items.first().map(|l| edge(l, true).encode())).flatten();
    Page { items, next, previous, total }
}

/// People by name for a field that suggests them while one types: those who are there, at
/// most `most` of them. Whoever is not among them is found by what is typed all the same.
pub async fn directory(db: &Db, by: By<'_>, most: i64) -> Result<Vec<Named>, Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    let rows = db
        .all(
            "SELECT id, name, status FROM person WHERE status = 'active' ORDER BY name_folded, id LIMIT $1",
            args![most],
        )
        .await?;
    Ok(rows.iter().map(|r| super::stored::name_of(r, 0)).collect::<Result<_, _>>()?)
}
