//! Lists of requests, and what waits for somebody.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId};
use domain::request::{RequestKind, RequestState};
use domain::tier::Tier;

use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, DbError, Reads, Row};
use crate::error::Error;
use crate::paging::{Cursor, Page, limit as checked};

/// Which requests are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of this kind.
    pub kind: Option<RequestKind>,
    /// Only in this state.
    pub state: Option<RequestState>,
    /// Only about this agent.
    pub agent: Option<AgentId>,
    /// Only those with a step that waits for the reader, or that they asked for.
    pub mine: bool,
    /// Only those with a step that is late beyond the days of the policy: for a security lead
    /// all, for anybody else those that wait for the people they manage.
    pub escalated: bool,
}

/// A request in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its reference.
    pub id: RequestId,
    /// What is asked.
    pub kind: RequestKind,
    /// Of which agent.
    pub agent: AgentId,
    /// Its name.
    pub agent_name: String,
    /// Its tier when it was asked.
    pub tier: Tier,
    /// Who asked.
    pub requester: (PersonId, String),
    /// When.
    pub opened_at: DateTime<Utc>,
    /// Where it stands.
    pub state: RequestState,
    /// When it was closed, or lapsed.
    pub closed_at: Option<DateTime<Utc>>,
    /// Steps decided, and steps in all.
    pub decided: (i64, i64),
    /// When the next step is due, while it is open.
    pub due_at: Option<DateTime<Utc>>,
}

const SELECT: &str = "SELECT r.id, r.kind, r.agent_id, a.name, r.tier, r.requester_id, p.name, r.opened_at, r.outcome, \
     r.closed_at, r.lapses_at, \
     (SELECT COUNT(*) FROM request_step s WHERE s.request_id = r.id AND s.decided_at IS NOT NULL), \
     (SELECT COUNT(*) FROM request_step s WHERE s.request_id = r.id), \
     (SELECT MIN(s.due_at) FROM request_step s WHERE s.request_id = r.id AND s.decided_at IS NULL) \
     FROM request r JOIN agent a ON a.id = r.agent_id JOIN person p ON p.id = r.requester_id";

fn read(r: &Row, now: DateTime<Utc>) -> Result<Line, DbError> {
    let lapses: DateTime<Utc> = r.get(10)?;
    let state = match r.get::<String>(8)?.parse() {
        Ok(state) => state,
        Err(_) if now >= lapses => RequestState::Lapsed,
        Err(_) => RequestState::Open,
    };
    Ok(Line {
        id: r.get(0)?,
        kind: r.get(1)?,
        agent: r.get(2)?,
        agent_name: r.get(3)?,
        tier: r.get(4)?,
        requester: (r.get(5)?, r.get(6)?),
        opened_at: r.get(7)?,
        state,
        closed_at: r.get::<Option<DateTime<Utc>>>(9)?.or_else(|| (state == RequestState::Lapsed).then_some(lapses)),
        decided: (r.get(11)?, r.get(12)?),
        due_at: r.get::<Option<DateTime<Utc>>>(13)?.filter(|_| state == RequestState::Open),
    })
}

/// Requests, newest first. Who reads all of them sees all; everybody else those that they
/// asked for or decide.
pub async fn list(
    db: &Db,
    by: By<'_>,
    filter: &Filter,
    cursor: Option<&str>,
    limit: Option<i64>,
) -> Result<Page<Line>, Error> {
    let limit = checked(limit)?;
    let cursor = cursor.map(|c| Cursor::decode(c, "requests")).transpose()?;
    let all = can(by.actor, Action::RequestRead, Relation::None).is_ok();
    let mut list: Vec<Arg> = Vec::new();
    let mut tests: Vec<String> = Vec::new();
    let mut bind = |v: Arg| {
        list.push(v);
        format!("${}", list.len())
    };
    if let Some(kind) = filter.kind {
        tests.push(format!("r.kind = {}", bind(Arg::from(kind.key()))));
    }
    if let Some(agent) = filter.agent {
        tests.push(format!("r.agent_id = {}", bind(Arg::from(agent))));
    }
    match filter.state {
        None => {}
        Some(RequestState::Open) => {
            tests.push(format!("r.outcome = '' AND r.lapses_at > {}", bind(Arg::from(by.now))));
        }
        Some(RequestState::Lapsed) => {
            let now = bind(Arg::from(by.now));
            tests.push(format!("(r.outcome = 'lapsed' OR (r.outcome = '' AND r.lapses_at <= {now}))"));
        }
        Some(state) => tests.push(format!("r.outcome = {}", bind(Arg::from(state.key())))),
    }
    if filter.escalated {
        let mut reads = db;
        let (whose, before) = escalates(&mut reads, by).await?;
        let (before, now) = (bind(Arg::from(before)), bind(Arg::from(by.now)));
        let late = format!(
            "SELECT s.request_id FROM request_step s WHERE s.verdict = '' AND s.ready AND s.due_at <= {before}"
        );
        let parts: Vec<String> = whose
            .into_iter()
            .map(|person| match person {
                None => late.clone(),
                Some(person) => format!("{late} AND s.waits_for = {}", bind(Arg::from(person))),
            })
            .collect();
        if parts.is_empty() {
            return Ok(Page { items: Vec::new(), next: None, previous: None, total: Some(0) });
        }
        tests.push(format!("r.outcome = '' AND r.lapses_at > {now} AND r.id IN ({})", parts.join(" UNION ")));
    }
    if filter.mine || !(all || filter.escalated) {
        let Some(me) = by.actor.person_id() else {
            can(by.actor, Action::RequestRead, Relation::None)?;
            return Ok(Page { items: Vec::new(), next: None, previous: None, total: Some(0) });
        };
        let mut mine: Vec<String> = Vec::new();
        let asked = bind(Arg::from(me));
        mine.push(format!("SELECT q.id FROM request q WHERE q.requester_id = {asked}"));
        mine.push(format!(
            "SELECT s.request_id FROM request_step s WHERE s.waits_for = {asked} AND s.verdict = '' AND s.ready"
        ));
        if !filter.mine {
            mine.push(format!("SELECT s.request_id FROM request_step s WHERE s.decided_by = {asked}"));
        }
        tests.push(format!("r.id IN ({})", mine.join(" UNION ")));
    }
    let back = cursor.as_ref().is_some_and(|c| c.b);
    if let Some(c) = &cursor {
        tests.push(format!("r.id {} {}", if back { ">" } else { "<" }, bind(Arg::from(c.i))));
    }
    let whole = if tests.is_empty() { String::new() } else { format!(" WHERE {}", tests.join(" AND ")) };
    let order = if back { "ASC" } else { "DESC" };
    let sql = format!("{SELECT}{whole} ORDER BY r.id {order} LIMIT {}", limit + 1);
    let rows = db.all(sql, list).await?;
    let items = rows.iter().map(|r| read(r, by.now)).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(items, limit, cursor.as_ref(), |line, b| Cursor {
        s: "requests".to_owned(),
        k: String::new(),
        i: line.id.0,
        b,
    }))
}

/// A step that waits for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The request.
    pub request: RequestId,
    /// What is asked.
    pub kind: RequestKind,
    /// The step.
    pub place: i64,
    /// In which capacity.
    pub duty: Duty,
    /// Until when.
    pub due_at: DateTime<Utc>,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub agent_name: String,
    /// Its tier.
    pub tier: Tier,
    /// Who asked.
    pub requester: String,
    /// For whom it waits, when it is somebody who delegated to the reader.
    pub on_behalf_of: Option<PersonId>,
    row: i64,
}

/// How far steps are counted where they are shown: more of them are read page by page.
pub const COUNTED: i64 = 100;

/// In this order: the index of open steps is walked, never that of open requests.
const WAITING: &str = "SELECT s.request_id, r.kind, s.place, s.duty, s.due_at, s.agent_id, a.name, r.tier, p.name, \
     s.waits_for, s.id FROM request_step s CROSS JOIN request r CROSS JOIN agent a CROSS JOIN person p \
     WHERE r.id = s.request_id AND a.id = s.agent_id AND p.id = r.requester_id AND";

fn waits(r: &Row, me: Option<PersonId>) -> Result<Waiting, DbError> {
    Ok(Waiting {
        request: r.get(0)?,
        kind: r.get(1)?,
        place: r.get(2)?,
        duty: r.get(3)?,
        due_at: r.get(4)?,
        agent: r.get(5)?,
        agent_name: r.get(6)?,
        tier: r.get(7)?,
        requester: r.get(8)?,
        on_behalf_of: r.get::<Option<PersonId>>(9)?.filter(|p| Some(*p) != me),
        row: r.get(10)?,
    })
}

/// The steps that wait for a person, and for those who delegated to them, soonest due first,
/// after an edge.
pub async fn waiting(
    db: &Db,
    by: By<'_>,
    person: PersonId,
    after: Option<&str>,
    limit: i64,
) -> Result<Page<Waiting>, Error> {
    let cursor = after.map(|c| Cursor::decode(c, "waiting")).transpose()?;
    let edge: Option<(i64, i64)> = cursor.as_ref().and_then(|c| Some((c.k.parse().ok()?, c.i)));
    let mut reads = db;
    let mut found: Vec<Waiting> = Vec::new();
    // One walk of the index for each person: a list that asks for several at once would sort all.
    for whose in decides_for(&mut reads, by, person).await? {
        let mut list = args![whose, by.now];
        let beyond = match edge {
            None => String::new(),
            Some((due, row)) => {
                list.extend(args![due, row]);
                " AND (s.due_at > $3 OR (s.due_at = $3 AND s.id > $4))".to_owned()
            }
        };
        let sql = format!(
            "{WAITING} s.waits_for = $1 AND s.verdict = '' AND s.ready AND s.waits_until > $2 AND r.outcome = '' \
             AND r.lapses_at > $2{beyond} ORDER BY s.due_at, s.id LIMIT {}",
            limit + 1
        );
        for r in reads.rows(sql, list).await? {
            found.push(waits(&r, Some(person))?);
        }
    }
    found.sort_by_key(|w| (w.due_at, w.row));
    Ok(Page::cut(found, limit, cursor.as_ref(), |w, b| Cursor {
        s: "waiting".to_owned(),
        k: crate::db::micros(w.due_at).to_string(),
        i: w.row,
        b,
    }))
}

/// How many steps wait for a person, counted up to a bound.
pub async fn count_waiting(db: &Db, by: By<'_>, person: PersonId, most: i64) -> Result<i64, Error> {
    let mut reads = db;
    let mut n = 0;
    for whose in decides_for(&mut reads, by, person).await? {
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM request_step s WHERE s.waits_for = $1 AND s.verdict = '' AND s.ready \
             AND s.waits_until > $2 LIMIT {most}) AS w"
        );
        n += reads.rows(sql, args![whose, by.now]).await?.first().map_or(Ok(0), |r| r.get::<i64>(0))?;
    }
    Ok(n.min(most))
}

/// For whom a person decides: themself, and whoever delegated to them.
pub(crate) async fn decides_for(reads: &mut impl Reads, by: By<'_>, person: PersonId) -> Result<Vec<PersonId>, Error> {
    let mut out = vec![person];
    out.extend(crate::delegations::in_force(reads, person, by.now).await?.into_iter().map(|(_, from)| from));
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

/// Whose escalated steps the reader sees, a walk of the index each: everybody's (`None`) for a
/// security lead, or those that wait for the people whom the reader manages. And before when a
/// step was due that is escalated now.
async fn escalates(reads: &mut impl Reads, by: By<'_>) -> Result<(Vec<Option<PersonId>>, DateTime<Utc>), Error> {
    let days = crate::policies::present(reads).await?.policy.escalate_days;
    let before = by.now - TimeDelta::days(i64::from(days));
    if can(by.actor, Action::ActingAppoint, Relation::None).is_ok() {
        return Ok((vec![None], before));
    }
    let Some(me) = by.actor.person_id() else { return Ok((Vec::new(), before)) };
    let rows = reads.rows("SELECT id FROM person WHERE manager_id = $1 AND status = 'active'", args![me]).await?;
    let people = rows.iter().map(|r| r.get(0).map(Some)).collect::<Result<_, _>>()?;
    Ok((people, before))
}

const ESCALATED: &str = "s.verdict = '' AND s.ready AND s.due_at <= $1 AND r.outcome = '' AND r.lapses_at > $2";

/// The steps that are late beyond the days of the policy, soonest due first, after an edge: a
/// security lead sees all of them, a manager those that wait for the people they manage.
pub async fn escalated(db: &Db, by: By<'_>, after: Option<&str>, limit: i64) -> Result<Page<Waiting>, Error> {
    let cursor = after.map(|c| Cursor::decode(c, "escalated")).transpose()?;
    let edge: Option<(i64, i64)> = cursor.as_ref().and_then(|c| Some((c.k.parse().ok()?, c.i)));
    let mut reads = db;
    let (walks, before) = escalates(&mut reads, by).await?;
    let mut found: Vec<Waiting> = Vec::new();
    for person in walks {
        let mut list = args![before, by.now];
        let mut tests = ESCALATED.to_owned();
        if let Some(person) = person {
            list.push(Arg::from(person));
            tests.push_str(" AND s.waits_for = $3");
        }
        if let Some((due, row)) = edge {
            let n = list.len();
            list.extend(args![due, row]);
            tests.push_str(&format!(" AND (s.due_at, s.id) > (${}, ${})", n + 1, n + 2));
        }
        let sql = format!("{WAITING} {tests} ORDER BY s.due_at, s.id LIMIT {}", limit + 1);
        for r in reads.rows(sql, list).await? {
            found.push(waits(&r, None)?);
        }
    }
    found.sort_by_key(|w| (w.due_at, w.row));
    Ok(Page::cut(found, limit, cursor.as_ref(), |w, b| Cursor {
        s: "escalated".to_owned(),
        k: crate::db::micros(w.due_at).to_string(),
        i: w.row,
        b,
    }))
}

/// How many escalated steps the reader sees, counted up to a bound.
pub async fn count_escalated(db: &Db, by: By<'_>, most: i64) -> Result<i64, Error> {
    let mut reads = db;
    let (walks, before) = escalates(&mut reads, by).await?;
    let mut n = 0;
    for person in walks {
        let mut list = args![before, by.now];
        let of = if person.is_some() { " AND s.waits_for = $3" } else { "" };
        list.extend(person.map(Arg::from));
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM request_step s CROSS JOIN request r \
             WHERE r.id = s.request_id AND {ESCALATED}{of} LIMIT {most}) AS e"
        );
        n += reads.rows(sql, list).await?.first().map_or(Ok(0), |r| r.get::<i64>(0))?;
    }
    Ok(n.min(most))
}

/// The steps of vacant capacities, for a security lead: soonest due first.
pub async fn vacant(db: &Db, by: By<'_>, limit: i64) -> Result<Vec<Waiting>, Error> {
    can(by.actor, Action::ActingAppoint, Relation::None)?;
    let sql = format!(
        "{WAITING} s.waits_for IS NULL AND s.verdict = '' AND s.ready AND r.outcome = '' AND r.lapses_at > $1 \
         ORDER BY s.due_at, s.id LIMIT {limit}"
    );
    let rows = db.all(sql, args![by.now]).await?;
    Ok(rows.iter().map(|r| waits(r, None)).collect::<Result<Vec<_>, _>>()?)
}

/// How many steps of vacant capacities there are, for a security lead, counted up to a bound.
pub async fn count_vacant(db: &Db, by: By<'_>, most: i64) -> Result<i64, Error> {
    can(by.actor, Action::ActingAppoint, Relation::None)?;
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM request_step s WHERE s.waits_for IS NULL AND s.verdict = '' AND s.ready \
         AND s.waits_until > $1 LIMIT {most}) AS v"
    );
    Ok(db.one(sql, args![by.now]).await?.map_or(Ok(0), |r| r.get(0))?)
}
