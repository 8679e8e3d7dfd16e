//! The register of exceptions as its page reads it: rows by state, filters and keyset pages.
//!
//! Where an exception stands is a question of the clock, so each state is a condition on its dates;
//! every condition is a range of an index in the order of the ends.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::exception::{Control, Ending, ExceptionState};
use domain::id::{AgentId, ExceptionId};
use domain::party::Party;
use domain::tier::Tier;

use crate::agents::assess::{ownership, party_names};
use crate::agents::relation::{parties_of, relations};
use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, DbError, Reads, Row, marks};
use crate::error::Error;
use crate::paging::{Cursor, Page, limit as checked};

/// Which exceptions are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Which {
    /// All of them.
    #[default]
    All,
    /// Those in one state.
    State(ExceptionState),
    /// Those that have expired while what they excepted is still so.
    Breached,
}

impl std::str::FromStr for Which {
    type Err = domain::words::UnknownWord;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "all" => Ok(Self::All),
            "breached" => Ok(Self::Breached),
            state => state.parse().map(Self::State),
        }
    }
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// By when they end.
    #[default]
    Expires,
    /// By reference: as they were asked.
    Id,
}

impl Sort {
    /// The sort that a key names, and whether it is downwards: `expires_at`, `-id`.
    pub fn parse(key: &str) -> Option<(Self, bool)> {
        let (name, down) = key.strip_prefix('-').map_or((key, false), |k| (k, true));
        match name {
            "expires_at" => Some((Self::Expires, down)),
            "id" => Some((Self::Id, down)),
            _ => None,
        }
    }
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Which of them.
    pub which: Which,
    /// Only those that end within so many days from now.
    pub within: Option<i64>,
    /// Only those that end later than so many days from now.
    pub beyond: Option<i64>,
    /// Only those whose control this party owns now.
    pub owner: Option<Party>,
    /// Only those about this node of a framework.
    pub node: Option<String>,
    /// Only those whose riskiest agent has this tier.
    pub tier: Option<Tier>,
    /// Only renewals, or only what is none.
    pub renewed: Option<bool>,
    /// Only those that cover this agent.
    pub agent: Option<AgentId>,
    /// Only those for this rule or control.
    pub control: Option<String>,
    /// The order.
    pub sort: Sort,
    /// Downwards.
    pub down: bool,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// How many rows.
    pub limit: Option<i64>,
}

/// The date by which a compensating control is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// When.
    pub at: DateTime<Utc>,
    /// It was checked.
    pub checked: bool,
}

/// A row of the register.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its reference.
    pub id: ExceptionId,
    /// What it is called.
    pub title: String,
    /// What is excepted.
    pub control: Control,
    /// The node of a framework; may be empty.
    pub node: String,
    /// Whose control it is.
    pub duty: Duty,
    /// One of its agents that the reader may see.
    pub first: Option<(AgentId, String)>,
    /// How many agents it covers.
    pub agents: i64,
    /// Who owns the control of the first of its agents now.
    pub owner: Option<(Party, String)>,
    /// The tier of the riskiest of its agents.
    pub tier: Tier,
    /// Likelihood times impact.
    pub risk: i64,
    /// Where it stands.
    pub state: ExceptionState,
    /// It has expired, and what it excepted is still so.
    pub breached: bool,
    /// From when: its start, or its approval if that came later.
    pub starts_at: DateTime<Utc>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// When it was ended before its time.
    pub ended_at: Option<DateTime<Utc>>,
    /// How often it was renewed.
    pub renewals: i64,
    /// When its controls are checked, in order.
    pub checks: Vec<Check>,
}

/// Whether somebody sees every exception, and not only those they have a part in.
pub fn sees_all(by: By<'_>) -> bool {
    can(by.actor, Action::ExceptionRead, Relation::None).is_ok()
}

/// The conditions of a query, with their arguments.
struct Conditions {
    tests: Vec<String>,
    list: Vec<Arg>,
}

impl Conditions {
    fn bind(&mut self, value: impl Into<Arg>) -> String {
        self.list.push(value.into());
        format!("${}", self.list.len())
    }

    fn state(&mut self, which: Which, now: DateTime<Utc>) {
        const APPROVED: &str = "e.approved_at IS NOT NULL AND e.ended_at IS NULL";
        let at = match which {
            Which::All | Which::State(ExceptionState::Closed | ExceptionState::Revoked) => String::new(),
            _ => self.bind(now),
        };
        let test = match which {
            Which::All => return,
            Which::State(ExceptionState::Requested) => {
                format!("e.approved_at IS NULL AND e.rejected_at IS NULL AND e.lapses_at > {at}")
            }
            Which::State(ExceptionState::Rejected) => {
                format!("e.approved_at IS NULL AND (e.rejected_at IS NOT NULL OR e.lapses_at <= {at})")
            }
            Which::State(ExceptionState::Scheduled) => {
                format!("{APPROVED} AND e.expires_at > {at} AND e.starts_at > {at}")
            }
            Which::State(ExceptionState::Active) => {
                format!("{APPROVED} AND e.expires_at > {at} AND e.starts_at <= {at}")
            }
            Which::State(ExceptionState::Expired) => format!("{APPROVED} AND e.expires_at <= {at}"),
            Which::State(ExceptionState::Closed) => "e.ended_at IS NOT NULL AND e.ended = 'closed'".to_owned(),
            Which::State(ExceptionState::Revoked) => "e.ended_at IS NOT NULL AND e.ended = 'revoked'".to_owned(),
            Which::Breached => format!(
                "e.ended_at IS NULL AND e.id IN (SELECT b.exception_id FROM exception_breach b WHERE b.from_at <= {at} \
                 AND b.until_at > {at})"
            ),
        };
        self.tests.push(test);
    }

    fn owner(&mut self, party: Party) {
        let (kind, number) = (self.bind(party.kind()), self.bind(party.number()));
        let held = format!(
            "s.party_kind = {kind} AND s.party_id = {number} AND s.role = 'A' AND s.valid_to IS NULL \
             AND s.accepted_at IS NOT NULL"
        );
        // Through a platform too, where the agent has no owner of its own for the duty.
        self.tests.push(format!(
            "e.id IN (SELECT x.exception_id FROM assignment s CROSS JOIN exception_agent x CROSS JOIN exception q \
             WHERE {held} AND x.agent_id = s.agent_id AND q.id = x.exception_id AND q.duty = s.duty \
             UNION SELECT x.exception_id FROM assignment s CROSS JOIN platform_stay y CROSS JOIN exception_agent x \
             CROSS JOIN exception q WHERE {held} AND y.system_id = s.system_id AND y.valid_to IS NULL \
             AND x.agent_id = y.agent_id AND q.id = x.exception_id AND q.duty = s.duty AND NOT EXISTS \
             (SELECT 1 FROM assignment o WHERE o.agent_id = y.agent_id AND o.duty = s.duty AND o.role = 'A' \
             AND o.accepted_at IS NOT NULL AND o.valid_to IS NULL))"
        ));
    }

    /// Those that the reader has a part in: asked, decides, checks, or owns an agent of.
    async fn mine(&mut self, reads: &mut impl Reads, by: By<'_>) -> Result<(), Error> {
        let Some(me) = by.actor.person_id() else {
            can(by.actor, Action::ExceptionRead, Relation::None)?;
            return Ok(());
        };
        let asked = self.bind(me);
        let mut parts = vec![
            format!("SELECT q.id FROM exception q WHERE q.requester_id = {asked}"),
            format!(
                "SELECT q.id FROM request_step s CROSS JOIN exception q WHERE s.waits_for = {asked} AND s.verdict = '' \
                 AND s.ready AND q.request_id = s.request_id"
            ),
            format!(
                "SELECT q.id FROM request_step s CROSS JOIN exception q WHERE s.decided_by = {asked} \
                 AND q.request_id = s.request_id"
            ),
            format!(
                "SELECT c.exception_id FROM compensating_control c WHERE c.owner_id = {asked} AND c.dropped_at IS NULL"
            ),
        ];
        for party in parties_of(reads, me).await? {
            let (kind, number) = (self.bind(party.kind()), self.bind(party.number()));
            parts.push(format!(
                "SELECT x.exception_id FROM assignment s CROSS JOIN exception_agent x WHERE s.party_kind = {kind} \
                 AND s.party_id = {number} AND s.role IN ('A', 'R') AND s.valid_to IS NULL \
                 AND s.accepted_at IS NOT NULL AND x.agent_id = s.agent_id"
            ));
            parts.push(format!(
                "SELECT x.exception_id FROM assignment s CROSS JOIN platform_stay y CROSS JOIN exception_agent x \
                 WHERE s.party_kind = {kind} AND s.party_id = {number} AND s.role IN ('A', 'R') AND s.valid_to IS NULL \
                 AND s.accepted_at IS NOT NULL AND y.system_id = s.system_id AND y.valid_to IS NULL \
                 AND x.agent_id = y.agent_id"
            ));
        }
        self.tests.push(format!("e.id IN ({})", parts.join(" UNION ")));
        Ok(())
    }
}

/// The columns of a row, as [`read`] takes them; `$1` is now.
const COLUMNS: &str = "e.id, e.title, e.control, e.node, e.duty, e.tier, e.likelihood * e.impact, e.starts_at, \
     e.expires_at, e.lapses_at, e.renewals, e.approved_at, e.rejected_at, e.ended_at, e.ended, \
     (SELECT COUNT(*) FROM exception_agent x WHERE x.exception_id = e.id), \
     (SELECT MIN(x.agent_id) FROM exception_agent x WHERE x.exception_id = e.id), \
     EXISTS (SELECT 1 FROM exception_breach b WHERE b.exception_id = e.id AND b.from_at <= $1 AND b.until_at > $1)";

fn read(r: &Row, now: DateTime<Utc>) -> Result<(Line, Option<AgentId>), DbError> {
    let control: String = r.get(2)?;
    let (starts_at, expires_at): (DateTime<Utc>, DateTime<Utc>) = (r.get(7)?, r.get(8)?);
    let approved: Option<DateTime<Utc>> = r.get(11)?;
    let rejected: Option<DateTime<Utc>> = r.get(12)?;
    let ended: Option<DateTime<Utc>> = r.get(13)?;
    let lapses: DateTime<Utc> = r.get(9)?;
    let from = approved.map_or(starts_at, |at| starts_at.max(at));
    let state = match (approved, ended) {
        (None, _) if rejected.is_some() || now >= lapses => ExceptionState::Rejected,
        (None, _) => ExceptionState::Requested,
        (_, Some(at)) if at <= now => match r.get::<String>(14)?.parse() {
            Ok(Ending::Revoked) => ExceptionState::Revoked,
            _ => ExceptionState::Closed,
        },
        _ if now >= expires_at => ExceptionState::Expired,
        _ if now < from => ExceptionState::Scheduled,
        _ => ExceptionState::Active,
    };
    let line = Line {
        id: r.get(0)?,
        title: r.get(1)?,
        control: Control::parse(&control).unwrap_or(Control::Own(control)),
        node: r.get(3)?,
        duty: r.get(4)?,
        first: None,
        agents: r.get(15)?,
        owner: None,
        tier: r.get(5)?,
        risk: r.get(6)?,
        breached: state == ExceptionState::Expired && r.get::<bool>(17)?,
        state,
        starts_at: from,
        expires_at,
        ended_at: ended,
        renewals: r.get(10)?,
        checks: Vec::new(),
    };
    Ok((line, r.get(16)?))
}

/// A page of the register: what the reader may see of it.
pub async fn board(db: &Db, by: By<'_>, query: &Query) -> Result<Page<Line>, Error> {
    let limit = checked(query.limit)?;
    let sort = format!("exceptions:{:?}:{}", query.sort, query.down);
    let cursor = query.cursor.as_deref().map(|c| Cursor::decode(c, &sort)).transpose()?;
    let mut reads = db;
    let mut c = Conditions { tests: Vec::new(), list: args![by.now] };
    c.state(query.which, by.now);
    if let Some(days) = query.within {
        let (now, then) = (c.bind(by.now), c.bind(by.now + TimeDelta::days(days.clamp(0, 3660))));
        c.tests.push(format!("e.expires_at > {now} AND e.expires_at <= {then}"));
    }
    if let Some(days) = query.beyond {
        let then = c.bind(by.now + TimeDelta::days(days.clamp(0, 3660)));
        c.tests.push(format!("e.expires_at > {then}"));
    }
    if let Some(node) = &query.node {
        let node = c.bind(domain::framework::kept(node).unwrap_or_else(|| node.clone()));
        c.tests.push(format!("e.node = {node}"));
    }
    if let Some(tier) = query.tier {
        let tier = c.bind(tier.key());
        c.tests.push(format!("e.tier = {tier}"));
    }
    match query.renewed {
        Some(true) => c.tests.push("e.renewals > 0".to_owned()),
        Some(false) => c.tests.push("e.renewals = 0".to_owned()),
        None => {}
    }
    if let Some(agent) = query.agent {
        let agent = c.bind(agent);
        c.tests.push(format!("e.id IN (SELECT x.exception_id FROM exception_agent x WHERE x.agent_id = {agent})"));
    }
    if let Some(control) = &query.control {
        let control = c.bind(Control::parse(control).map_or_else(|_| control.clone(), |c| c.key().to_owned()));
        c.tests.push(format!("e.control = {control}"));
    }
    if let Some(party) = query.owner {
        c.owner(party);
    }
    let all = sees_all(by);
    if !all {
        c.mine(&mut reads, by).await?;
    }
    let back = cursor.as_ref().is_some_and(|c| c.b);
    let down = query.down != back;
    let (column, sign) = (if query.sort == Sort::Id { "" } else { "e.expires_at, " }, if down { "<" } else { ">" });
    if let Some(edge) = &cursor {
        let id = c.bind(edge.i);
        if query.sort == Sort::Id {
            c.tests.push(format!("e.id {sign} {id}"));
        } else {
            let key: i64 =
                edge.k.parse().map_err(|_| Error::field("/cursor", "The cursor does not belong to this list."))?;
            let key = c.bind(key);
            c.tests.push(format!("(e.expires_at, e.id) {sign} ({key}, {id})"));
        }
    }
    let order = if down { " DESC" } else { "" };
    let order = if column.is_empty() { format!("e.id{order}") } else { format!("e.expires_at{order}, e.id{order}") };
    let tests = if c.tests.is_empty() { String::new() } else { format!("WHERE {}", c.tests.join(" AND ")) };
    let sql = format!("SELECT {COLUMNS} FROM exception e {tests} ORDER BY {order} LIMIT {}", limit + 1);
    let mut found = Vec::new();
    let mut first: HashMap<ExceptionId, AgentId> = HashMap::new();
    for r in reads.rows(sql, c.list).await? {
        let (line, agent) = read(&r, by.now)?;
        first.extend(agent.map(|a| (line.id, a)));
        found.push(line);
    }
    let mut page = Page::cut(found, limit, cursor.as_ref(), |line, b| Cursor {
        s: sort.clone(),
        k: crate::db::micros(line.expires_at).to_string(),
        i: line.id.0,
        b,
    });
    fill(&mut reads, by, all, &first, &mut page.items).await?;
    Ok(page)
}

/// Adds to the rows of a page what other tables know: agents, owners, checks.
async fn fill(
    reads: &mut impl Reads,
    by: By<'_>,
    all: bool,
    first: &HashMap<ExceptionId, AgentId>,
    lines: &mut [Line],
) -> Result<(), Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let agents: Vec<AgentId> =
        lines.iter().filter_map(|l| first.get(&l.id).copied()).collect::<BTreeSet<_>>().into_iter().collect();
    let mut names: HashMap<AgentId, (String, bool)> = HashMap::new();
    for batch in agents.chunks(500) {
        let sql = format!("SELECT id, name, confidential FROM agent WHERE id IN {}", marks(1, batch.len()));
        for r in reads.rows(sql, batch.iter().map(|a| Arg::from(*a)).collect()).await? {
            names.insert(r.get(0)?, (r.get(1)?, r.get(2)?));
        }
    }
    let hidden: Vec<AgentId> = names.iter().filter(|(_, (_, hidden))| *hidden && !all).map(|(id, _)| *id).collect();
    let stands = relations(reads, by.actor, &hidden, by.now).await?;
    let may = |id: AgentId, hidden: bool| {
        let stands = stands.get(&id).copied().unwrap_or(Relation::None);
        !hidden || all || can(by.actor, Action::AgentReadConfidential, stands).is_ok()
    };
    let held = owners(reads, &agents).await?;
    let parties = party_names(reads, held.values().copied()).await?;
    let mut checks: HashMap<ExceptionId, Vec<Check>> = HashMap::new();
    let ids: Vec<ExceptionId> = lines.iter().map(|l| l.id).collect();
    for batch in ids.chunks(500) {
        let sql = format!(
            "SELECT exception_id, check_at, checked_at IS NOT NULL FROM compensating_control WHERE dropped_at IS NULL \
             AND exception_id IN {} ORDER BY exception_id, check_at",
            marks(1, batch.len())
        );
        for r in reads.rows(sql, batch.iter().map(|e| Arg::from(*e)).collect()).await? {
            checks.entry(r.get(0)?).or_default().push(Check { at: r.get(1)?, checked: r.get(2)? });
        }
    }
    for line in lines {
        line.checks = checks.remove(&line.id).unwrap_or_default();
        let Some(agent) = first.get(&line.id) else { continue };
        line.first =
            names.get(agent).filter(|(_, hidden)| may(*agent, *hidden)).map(|(name, _)| (*agent, name.clone()));
        line.owner =
            held.get(&(*agent, line.duty)).map(|p| (*p, parties.get(p).cloned().unwrap_or_else(|| p.to_string())));
    }
    Ok(())
}

/// Who is Accountable for each duty of these agents now, through their platforms too.
pub(crate) async fn owners(
    reads: &mut impl Reads,
    agents: &[AgentId],
) -> Result<HashMap<(AgentId, Duty), Party>, Error> {
    let held = ownership(reads, agents).await?.held;
    let mut out = HashMap::new();
    for (agent, held) in held {
        for duty in Duty::ALL {
            if let Some(h) = domain::assignment::accountable(&held, *duty) {
                out.insert((agent, *duty), h.party);
            }
        }
    }
    Ok(out)
}

/// The nodes that exceptions are about, in order, the first `most`. Each is found by a step of the
/// index from the one before, so that many exceptions for few nodes cost no more than few.
pub async fn nodes(db: &Db, by: By<'_>, most: i64) -> Result<Vec<String>, Error> {
    can(by.actor, Action::ExceptionRead, Relation::None)?;
    let sql = format!(
        "WITH RECURSIVE n (node) AS (SELECT MIN(e.node) FROM exception e WHERE e.node > '' \
         UNION ALL SELECT (SELECT MIN(e.node) FROM exception e WHERE e.node > n.node) FROM n WHERE n.node IS NOT NULL) \
         SELECT node FROM n WHERE node IS NOT NULL LIMIT {most}"
    );
    Ok(db.all(sql, Vec::new()).await?.iter().map(|r| r.get(0)).collect::<Result<_, _>>()?)
}
