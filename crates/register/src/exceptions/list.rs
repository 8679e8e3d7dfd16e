//! Lists of exceptions.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::assignment::accountable;
use domain::can::{Action, Relation, can};
use domain::exception::ExceptionState;
use domain::id::{AgentId, ExceptionId, PersonId};
use domain::party::Party;
use domain::tier::Tier;

use super::stored::{COLUMNS, Kept, with_parts};
use crate::agents::assess::{ownership, party_names};
use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, Reads, micros};
use crate::error::Error;
use crate::paging::{Cursor, Page, limit as checked};

domain::words! {
    /// In which order.
    pub enum Sort {
        Newest = "-created_at", "Newest first";
        Soonest = "expires_at", "Soonest over first";
        Latest = "-expires_at", "Latest over first";
    }
}

/// Which exceptions are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only in this state.
    pub state: Option<ExceptionState>,
    /// Only those that expire before this moment.
    pub expires_before: Option<DateTime<Utc>>,
    /// Only those that expire at this moment or after.
    pub expires_from: Option<DateTime<Utc>>,
    /// Only those whose control this party owns now, for any of its agents.
    pub control_owner: Option<Party>,
    /// Only those about this node of a framework.
    pub node: Option<String>,
    /// Only those about this rule or control.
    pub control: Option<String>,
    /// Only those whose riskiest agent was of this tier when it was asked.
    pub tier: Option<Tier>,
    /// Only those for this agent.
    pub agent: Option<AgentId>,
    /// Only renewals, or only first ones.
    pub renewal: Option<bool>,
    /// Only those that the reader asked for, decides, or looks after.
    pub mine: bool,
}

/// An exception in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What is kept.
    pub kept: Kept,
    /// Where it stands.
    pub state: ExceptionState,
    /// The moment of that.
    pub as_of: DateTime<Utc>,
    /// Its agents that the reader may know of, with their names.
    pub agents: Vec<(AgentId, String)>,
    /// Who owns the control, of the first of its agents; `None` while nobody does.
    pub owner: Option<(Party, String)>,
    /// Who asked, by name.
    pub requester: String,
}

/// What an SQL test of a state reads, and its argument.
fn test_state(state: ExceptionState, now: &str) -> String {
    match state {
        ExceptionState::Requested => {
            format!("e.approved_at IS NULL AND e.rejected_at IS NULL AND e.lapses_at > {now}")
        }
        ExceptionState::Scheduled => format!(
            "e.approved_at IS NOT NULL AND e.ended_at IS NULL AND e.expires_at > {now} \
             AND (e.starts_at > {now} OR e.approved_at > {now})"
        ),
        ExceptionState::Active => format!(
            "e.approved_at IS NOT NULL AND e.ended_at IS NULL AND e.expires_at > {now} AND e.starts_at <= {now} \
             AND e.approved_at <= {now}"
        ),
        ExceptionState::Expired => {
            format!("e.approved_at IS NOT NULL AND e.ended_at IS NULL AND e.expires_at <= {now}")
        }
        ExceptionState::Closed => "e.ended = 'closed' AND e.ended_at IS NOT NULL".to_owned(),
        ExceptionState::Revoked => "e.ended = 'revoked' AND e.ended_at IS NOT NULL".to_owned(),
        ExceptionState::Rejected => format!(
            "e.approved_at IS NULL AND (e.rejected_at IS NOT NULL OR (e.rejected_at IS NULL AND e.lapses_at <= {now}))"
        ),
    }
}

/// The tests of a filter, and their arguments.
fn tests(by: By<'_>, filter: &Filter, mine: Option<PersonId>) -> (Vec<String>, Vec<Arg>) {
    let mut list: Vec<Arg> = Vec::new();
    let mut tests: Vec<String> = Vec::new();
    let mut bind = |v: Arg| {
        list.push(v);
        format!("${}", list.len())
    };
    if let Some(state) = filter.state {
        let now = if matches!(state, ExceptionState::Closed | ExceptionState::Revoked) {
            String::new()
        } else {
            bind(Arg::from(by.now))
        };
        tests.push(test_state(state, &now));
    }
    if let Some(at) = filter.expires_before {
        tests.push(format!("e.expires_at < {}", bind(Arg::from(at))));
    }
    if let Some(at) = filter.expires_from {
        tests.push(format!("e.expires_at >= {}", bind(Arg::from(at))));
    }
    if let Some(node) = &filter.node {
        // Another spelling is the same node.
        let node = domain::framework::kept(node).unwrap_or_else(|| node.clone());
        tests.push(format!("e.node = {}", bind(Arg::from(node))));
    }
    if let Some(control) = &filter.control {
        tests.push(format!("e.control = {}", bind(Arg::from(control))));
    }
    if let Some(tier) = filter.tier {
        tests.push(format!("e.tier = {}", bind(Arg::from(tier.key()))));
    }
    if let Some(renewal) = filter.renewal {
        tests.push(format!("e.renewals {} 0", if renewal { ">" } else { "=" }));
    }
    if let Some(agent) = filter.agent {
        let agent = bind(Arg::from(agent));
        tests.push(format!("e.id IN (SELECT x.exception_id FROM exception_agent x WHERE x.agent_id = {agent})"));
    }
    if let Some(party) = filter.control_owner {
        let (kind, number) = (bind(Arg::from(party.kind())), bind(Arg::from(party.number())));
        let own = format!(
            "SELECT q.id FROM assignment s CROSS JOIN exception_agent x CROSS JOIN exception q \
             WHERE s.party_kind = {kind} AND s.party_id = {number} AND s.role = 'A' AND s.valid_to IS NULL \
             AND s.accepted_at IS NOT NULL AND s.agent_id IS NOT NULL AND x.agent_id = s.agent_id \
             AND q.id = x.exception_id AND q.duty = s.duty"
        );
        let shared = format!(
            "SELECT q.id FROM assignment s CROSS JOIN platform_stay y CROSS JOIN exception_agent x CROSS JOIN exception q \
             WHERE s.party_kind = {kind} AND s.party_id = {number} AND s.role = 'A' AND s.valid_to IS NULL \
             AND s.accepted_at IS NOT NULL AND s.system_id IS NOT NULL AND y.system_id = s.system_id \
             AND y.valid_to IS NULL AND x.agent_id = y.agent_id AND q.id = x.exception_id AND q.duty = s.duty \
             AND NOT EXISTS (SELECT 1 FROM assignment o WHERE o.agent_id = y.agent_id AND o.duty = s.duty \
             AND o.role = 'A' AND o.accepted_at IS NOT NULL AND o.valid_to IS NULL)"
        );
        tests.push(format!("e.id IN ({own} UNION {shared})"));
    }
    if let Some(me) = mine {
        let me = bind(Arg::from(me));
        tests.push(format!(
            "e.id IN (SELECT q.id FROM exception q WHERE q.requester_id = {me} \
             UNION SELECT c.exception_id FROM compensating_control c WHERE c.owner_id = {me} AND c.dropped_at IS NULL \
             AND c.checked_at IS NULL \
             UNION SELECT q.id FROM request_step s CROSS JOIN exception q WHERE s.waits_for = {me} AND s.verdict = '' \
             AND s.ready AND q.request_id = s.request_id \
             UNION SELECT q.id FROM request_step s CROSS JOIN exception q WHERE s.decided_by = {me} \
             AND q.request_id = s.request_id)"
        ));
    }
    (tests, list)
}

/// Whose exceptions a reader lists: `None` is everybody's.
fn whose(by: By<'_>, filter: &Filter) -> Result<Option<PersonId>, Error> {
    let all = can(by.actor, Action::ExceptionRead, Relation::None);
    match (all, by.actor.person_id()) {
        (Ok(()), me) => Ok(me.filter(|_| filter.mine)),
        (Err(_), Some(me)) => Ok(Some(me)),
        (Err(e), None) => Err(e.into()),
    }
}

/// Exceptions, a page at a time. Who reads all of them sees all; everybody else those that they
/// asked for, decide or look after.
pub async fn list(
    db: &Db,
    by: By<'_>,
    filter: &Filter,
    sort: Sort,
    cursor: Option<&str>,
    limit: Option<i64>,
) -> Result<Page<Line>, Error> {
    let limit = checked(limit)?;
    let cursor = cursor.map(|c| Cursor::decode(c, sort.key())).transpose()?;
    let mine = whose(by, filter)?;
    let (mut tests, mut list) = tests(by, filter, mine);
    let total = count(db, &tests, &list).await?;
    let back = cursor.as_ref().is_some_and(|c| c.b);
    let down = (sort != Sort::Soonest) != back;
    if let Some(c) = &cursor {
        let (sign, n) = (if down { "<" } else { ">" }, list.len());
        if sort == Sort::Newest {
            list.push(Arg::from(c.i));
            tests.push(format!("e.id {sign} ${}", n + 1));
        } else {
            let key: i64 = c.k.parse().map_err(|_| Error::field("/cursor", "The cursor cannot be read."))?;
            list.extend(args![key, c.i]);
            tests.push(format!("(e.expires_at, e.id) {sign} (${}, ${})", n + 1, n + 2));
        }
    }
    let whole = if tests.is_empty() { String::new() } else { format!(" WHERE {}", tests.join(" AND ")) };
    let way = if down { "DESC" } else { "ASC" };
    let order = if sort == Sort::Newest { format!("e.id {way}") } else { format!("e.expires_at {way}, e.id {way}") };
    let sql = format!("SELECT {COLUMNS} FROM exception e{whole} ORDER BY {order} LIMIT {}", limit + 1);
    let mut reads = db;
    let rows = reads.rows(sql, list).await?;
    let kept = with_parts(&mut reads, &rows).await?;
    let page = Page::cut(kept, limit, cursor.as_ref(), |k, b| Cursor {
        s: sort.key().to_owned(),
        k: if sort == Sort::Newest { String::new() } else { micros(k.exception.expires_at).to_string() },
        i: k.id().0,
        b,
    });
    let mut shown: HashMap<ExceptionId, Line> =
        lines(&mut reads, by, page.items.clone()).await?.into_iter().map(|l| (l.kept.id(), l)).collect();
    let items = page.items.iter().filter_map(|k| shown.remove(&k.id())).collect();
    Ok(Page { items, next: page.next, previous: page.previous, total: Some(total) })
}

/// How many there are, by the tests of a list.
async fn count(db: &Db, tests: &[String], list: &[Arg]) -> Result<i64, Error> {
    if tests.is_empty() {
        // Exceptions are never deleted.
        let row = db.one("SELECT last FROM sequence WHERE noun = 'exception'", args![]).await?;
        return Ok(row.map_or(Ok(0), |r| r.get(0))?);
    }
    let sql =
        format!("SELECT COUNT(*) FROM (SELECT e.id FROM exception e WHERE {} LIMIT 1000000) AS n", tests.join(" AND "));
    let row = db.one(sql, list.to_vec()).await?;
    Ok(row.map_or(Ok(0), |r| r.get(0))?)
}

/// How many a filter leaves, for who reads all of them, else of the reader's own.
pub async fn counted(db: &Db, by: By<'_>, filter: &Filter) -> Result<i64, Error> {
    let mine = whose(by, filter)?;
    let (tests, list) = tests(by, filter, mine);
    count(db, &tests, &list).await
}

/// Exceptions as lines: with the names of their agents, their control's owner and who asked.
pub(super) async fn lines(reads: &mut impl Reads, by: By<'_>, kept: Vec<Kept>) -> Result<Vec<Line>, Error> {
    let mut ids: Vec<AgentId> = kept.iter().flat_map(|k| k.exception.agents.iter().copied()).collect();
    ids.sort_unstable();
    ids.dedup();
    let names = super::names(reads, by, &ids).await?;
    let mut first: Vec<AgentId> = kept.iter().filter_map(|k| k.exception.agents.first().copied()).collect();
    first.sort_unstable();
    first.dedup();
    let held = ownership(reads, &first).await?.held;
    let owner = |k: &Kept| {
        let agent = k.exception.agents.first()?;
        accountable(held.get(agent)?, k.exception.duty).map(|h| h.party)
    };
    let parties: Vec<Party> =
        kept.iter().flat_map(|k| [Some(Party::Person(k.exception.requester)), owner(k)]).flatten().collect();
    let people = party_names(reads, parties).await?;
    let name = |p: Party| people.get(&p).cloned().unwrap_or_else(|| p.to_string());
    Ok(kept
        .into_iter()
        .map(|k| Line {
            state: k.exception.state(by.now),
            as_of: by.now,
            agents: k.exception.agents.iter().filter_map(|a| Some((*a, names.get(a)?.clone()))).collect(),
            owner: owner(&k).map(|p| (p, name(p))),
            requester: name(Party::Person(k.exception.requester)),
            kept: k,
        })
        .collect())
}
