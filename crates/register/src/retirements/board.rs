//! The board: what is being retired, how far it is, and whose turn it is.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId};
use domain::party::Party;
use domain::request::{RequestKind, RequestState};
use domain::retirement::{Life, RowKind, watched_until};
use domain::tier::Tier;

use super::Doers;
use super::life::{self, Sign};
use super::stored::{self, KeptRow};
use crate::agents::assess::party_names;
use crate::agents::relation::parties_of;
use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, Reads};
use crate::error::Error;
use crate::paging::{Cursor, Page, limit as checked};

/// Which retirements are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only in this state.
    pub state: Option<RequestState>,
    /// Only of this agent.
    pub agent: Option<AgentId>,
}

/// What a retirement waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// A row: its number, what, and whose turn it is; nobody's while the duty is vacant.
    Row(i64, String, Option<(Duty, Party, String)>),
    /// The days of the watch.
    Watch(DateTime<Utc>),
    /// Signatures of these duties.
    Signatures(Vec<Duty>),
    /// Nothing: it ended.
    Ended,
}

/// A retirement on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The retirement.
    pub id: RequestId,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub agent_name: String,
    /// Its tier when it was started.
    pub tier: Tier,
    /// Who asked.
    pub requester: (PersonId, String),
    /// When.
    pub opened_at: DateTime<Utc>,
    /// Where it stands.
    pub state: RequestState,
    /// When it ended.
    pub closed_at: Option<DateTime<Utc>>,
    /// Rows closed, and rows in all.
    pub closed: (usize, usize),
    /// How many of the closed were waived.
    pub waived: usize,
    /// What it waits for.
    pub next: Next,
    /// It gave a sign of life.
    pub alive: bool,
}

/// Retirements, newest first. Who reads all requests sees all; everybody else those they asked
/// for, sign, or own a duty of.
pub async fn list(
    db: &Db,
    by: By<'_>,
    filter: &Filter,
    cursor: Option<&str>,
    limit: Option<i64>,
) -> Result<Page<Line>, Error> {
    let limit = checked(limit)?;
    let cursor = cursor.map(|c| Cursor::decode(c, "retirements")).transpose()?;
    let mut reads = db;
    let mut list: Vec<Arg> = Vec::new();
    let mut bind = |v: Arg| {
        list.push(v);
        format!("${}", list.len())
    };
    let mut tests = vec!["r.kind = 'retirement'".to_owned()];
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
    if can(by.actor, Action::RequestRead, Relation::None).is_err() {
        let Some(me) = by.actor.person_id() else {
            can(by.actor, Action::RequestRead, Relation::None)?;
            return Ok(Page { items: Vec::new(), next: None, previous: None, total: None });
        };
        let asked = bind(Arg::from(me));
        let mut mine = vec![
            format!("SELECT q.id FROM request q WHERE q.requester_id = {asked}"),
            format!(
                "SELECT s.request_id FROM request_step s WHERE s.waits_for = {asked} AND s.verdict = '' AND s.ready"
            ),
            format!("SELECT s.request_id FROM request_step s WHERE s.decided_by = {asked}"),
        ];
        for party in parties_of(&mut reads, me).await? {
            let (kind, number) = (bind(Arg::from(party.kind())), bind(Arg::from(party.number())));
            for ended in ["IS NULL", "IS NOT NULL"] {
                mine.push(format!(
                    "SELECT q.id FROM assignment s JOIN request q ON q.agent_id = s.agent_id WHERE s.party_kind = {kind} \
                     AND s.party_id = {number} AND s.valid_to {ended} AND s.role IN ('A', 'R') AND q.kind = 'retirement'"
                ));
            }
        }
        tests.push(format!("r.id IN ({})", mine.join(" UNION ")));
    }
    let back = cursor.as_ref().is_some_and(|c| c.b);
    if let Some(c) = &cursor {
        tests.push(format!("r.id {} {}", if back { ">" } else { "<" }, bind(Arg::from(c.i))));
    }
    let sql = format!(
        "SELECT r.id FROM request r WHERE {} ORDER BY r.id {} LIMIT {}",
        tests.join(" AND "),
        if back { "ASC" } else { "DESC" },
        limit + 1
    );
    let ids: Vec<RequestId> = db.all(sql, list).await?.iter().map(|r| r.get(0)).collect::<Result<_, _>>()?;
    let page = Page::cut(ids, limit, cursor.as_ref(), |id, b| Cursor {
        s: "retirements".to_owned(),
        k: String::new(),
        i: id.0,
        b,
    });
    let mut lines: HashMap<RequestId, Line> =
        lines(&mut reads, by, &page.items).await?.into_iter().map(|l| (l.id, l)).collect();
    let (next, previous) = (page.next.clone(), page.previous.clone());
    let items = page.items.into_iter().filter_map(|id| lines.remove(&id)).collect();
    Ok(Page { items, next, previous, total: None })
}

async fn lines(reads: &mut impl Reads, by: By<'_>, ids: &[RequestId]) -> Result<Vec<Line>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut requests = Vec::new();
    for id in ids {
        requests.push(crate::requests::stored::load(reads, *id).await?);
    }
    let agents: Vec<AgentId> = requests.iter().map(|r| r.agent).collect();
    let records: HashMap<AgentId, crate::agents::Agent> =
        crate::agents::stored::load(reads, &agents, by.now).await?.into_iter().map(|a| (a.id, a)).collect();
    let mut rows: HashMap<RequestId, Vec<KeptRow>> = HashMap::new();
    for row in stored::of(reads, ids).await? {
        rows.entry(row.request).or_default().push(row);
    }
    let doers = Doers::read(reads, &agents, by.actor.person_id(), by.now).await?;
    let signs = life::of(reads, &agents).await?;
    let turn = |r: &KeptRow| doers.of(r.agent, r.kind);
    let parties: Vec<Party> = requests
        .iter()
        .map(|r| Party::Person(r.requester))
        .chain(rows.values().flatten().filter(|r| r.open()).filter_map(|r| turn(r).map(|(_, p)| p)))
        .collect();
    let names = party_names(reads, parties).await?;
    let name = |p: Party| names.get(&p).cloned().unwrap_or_else(|| p.to_string());
    Ok(requests
        .iter()
        .map(|r| {
            let rows = rows.remove(&r.id).unwrap_or_default();
            let record = records.get(&r.agent);
            let state = r.state(by.now);
            let last_sign = signs.get(&r.agent).and_then(|s| s.iter().map(|s| s.last_at).max());
            let known =
                Life { running: record.map_or(domain::agent::Running::Unknown, |a| a.facts.running), last_sign };
            let rules: Vec<_> = rows.iter().map(KeptRow::rule).collect();
            let until = watched_until(&rules, r.tier, known).filter(|at| *at > by.now);
            let open: Vec<&KeptRow> = rows.iter().filter(|r| r.open()).collect();
            let next = match (state.ended(), open.first(), until) {
                (true, ..) => Next::Ended,
                (false, None, _) => {
                    Next::Signatures(r.steps.iter().filter(|s| s.step.decided.is_none()).map(|s| s.step.duty).collect())
                }
                (false, Some(row), Some(until)) if row.kind == RowKind::Watch => Next::Watch(until),
                (false, Some(row), _) => {
                    Next::Row(row.place, row.label(), turn(row).map(|(duty, party)| (duty, party, name(party))))
                }
            };
            Line {
                id: r.id,
                agent: r.agent,
                agent_name: record.map(|a| a.facts.name.clone()).unwrap_or_default(),
                tier: r.tier,
                requester: (r.requester, name(Party::Person(r.requester))),
                opened_at: r.opened_at,
                state,
                closed_at: r.closed.map(|(_, at)| at).or_else(|| state.ended().then_some(r.lapses_at)),
                closed: (rows.len() - open.len(), rows.len()),
                waived: rows.iter().filter(|r| r.waived.is_some()).count(),
                next,
                alive: last_sign.is_some(),
            }
        })
        .collect())
}

/// Agents that are being retired and have no retirement that is open: somebody took it back, a
/// signer refused, or it lapsed. For those who read all requests.
pub async fn stranded(db: &Db, by: By<'_>, most: i64) -> Result<Vec<(AgentId, String)>, Error> {
    if can(by.actor, Action::RequestRead, Relation::None).is_err() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT a.id, a.name FROM agent a WHERE a.state = 'retiring' AND NOT EXISTS (SELECT 1 FROM request r \
         WHERE r.agent_id = a.id AND r.kind = '{}' AND r.outcome = '' AND r.lapses_at > $1) ORDER BY a.id LIMIT {most}",
        RequestKind::Retirement
    );
    let rows = db.all(sql, args![by.now]).await?;
    Ok(rows.iter().map(|r| Ok((r.get(0)?, r.get(1)?))).collect::<Result<_, crate::db::DbError>>()?)
}

/// The newest signs of life, for those who read all requests.
pub async fn signs(db: &Db, by: By<'_>, most: i64) -> Result<Vec<Sign>, Error> {
    if can(by.actor, Action::RequestRead, Relation::None).is_err() {
        return Ok(Vec::new());
    }
    life::newest(&mut &*db, most).await
}
