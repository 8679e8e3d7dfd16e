//! The inventory: filters, sorts, search and keyset pages whose cost does not grow with
//! the estate.
//!
//! Every filter knows from the counters how many agents it leaves. A page is found either
//! by walking the sort's index and testing filters, which is quick when much is left, or
//! by gathering what the rarest filter leaves and sorting that, which is quick when little
//! is. The engines are told which by hiding the other index behind an expression that
//! changes nothing (`x || ''`): one text, understood alike by both.

use chrono::{DateTime, Utc};
use domain::agent::{Environment, Hosting, Lifecycle, Running};
use domain::assignment::RuntimeOwner;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::{AgentId, SystemId, TeamId, WaveId};
use domain::party::Party;
use domain::policy::When;
use domain::text;
use domain::tier::Tier;

use super::assess::COUNTED_PREFIX;
use super::known;
use super::needs;
use super::relation::{parties_of, relations};
use super::stored::{self, Agent};
use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, Row, micros};
use crate::error::Error;
use crate::paging::{Cursor, Page};

/// How the inventory may be sorted. Every sort is by an index of (column, id).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// By reference.
    #[default]
    Id,
    /// By folded name.
    Name,
    /// By business unit.
    Unit,
    /// By tier points.
    Tier,
    /// By runtime-owner state, worst first.
    RuntimeOwner,
    /// By last change.
    Updated,
}

impl Sort {
    /// Every sort with its key.
    pub const ALL: [(&'static str, Self); 6] = [
        ("id", Self::Id),
        ("name", Self::Name),
        ("business_unit", Self::Unit),
        ("tier", Self::Tier),
        ("runtime_owner", Self::RuntimeOwner),
        ("updated_at", Self::Updated),
    ];

    const fn column(self) -> (&'static str, bool) {
        match self {
            Self::Id => ("a.id", true),
            Self::Name => ("a.name_folded", false),
            Self::Unit => ("a.unit_folded", false),
            Self::Tier => ("a.tier_points", true),
            Self::RuntimeOwner => ("a.runtime_owner_rank", true),
            Self::Updated => ("a.updated_at", true),
        }
    }

    /// The sort a key names, and whether it is downwards: `name`, `-name`.
    pub fn parse(key: &str) -> Option<(Self, bool)> {
        let (name, down) = key.strip_prefix('-').map_or((key, false), |k| (k, true));
        Self::ALL.iter().find(|(k, _)| *k == name).map(|(_, s)| (*s, down))
    }

    fn key(self, down: bool) -> String {
        let name = Self::ALL.iter().find(|(_, s)| *s == self).map_or("id", |(k, _)| k);
        if down { format!("-{name}") } else { name.to_owned() }
    }
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Lifecycle state.
    pub state: Option<Lifecycle>,
    /// Environment.
    pub environment: Option<Environment>,
    /// Tier.
    pub tier: Option<Tier>,
    /// Runtime-owner states, any of them; skips retired agents. None for all.
    pub runtime_owner: Vec<RuntimeOwner>,
    /// A duty that is required and that nobody who is there holds.
    pub vacant: Option<Duty>,
    /// Whether it runs, as stated.
    pub running: Option<Running>,
    /// Whether it counts as running: unknown does, retired does not.
    pub runs: Option<bool>,
    /// A finding that holds now.
    pub finding: Option<FindingKey>,
    /// A finding that an exception covers now.
    pub excepted: Option<FindingKey>,
    /// With a finding: whether it is due now (true), or waits for the target date of its
    /// import (false).
    pub due: Option<bool>,
    /// Business unit, compared folded.
    pub business_unit: Option<String>,
    /// Accountable for any duty.
    pub owner: Option<Party>,
    /// Import wave.
    pub wave: Option<WaveId>,
    /// Multi-agent system.
    pub system: Option<SystemId>,
    /// Shared platform it runs on.
    pub platform: Option<SystemId>,
    /// Team that operates it.
    pub operated_by: Option<TeamId>,
    /// Vendor, by folded name.
    pub vendor: Option<String>,
    /// Shared tool, by folded name.
    pub tool: Option<String>,
    /// Shared credential, by folded name.
    pub credential: Option<String>,
    /// A condition of the policy that holds; skips retired agents.
    pub condition: Option<When>,
    /// A condition of the policy that does not hold; skips retired agents.
    pub without_condition: Option<When>,
    /// Search text: every word must begin a word of the agent.
    pub q: String,
    /// The order.
    pub sort: Sort,
    /// Downwards.
    pub down: bool,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// How many rows.
    pub limit: i64,
    /// How far to count when more than one filter is set; beyond it the total is unknown.
    pub count_to: i64,
}

/// A row of the inventory.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its reference.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// Its business unit.
    pub business_unit: String,
    /// Where it is deployed.
    pub environment: Environment,
    /// Who hosts it.
    pub hosting: Hosting,
    /// Where it is in its life.
    pub state: Lifecycle,
    /// Whether it runs.
    pub running: Running,
    /// Its tier.
    pub tier: Tier,
    /// The tier's points.
    pub tier_points: i64,
    /// Whether the reader may read its findings, credentials and stop state.
    pub controls: bool,
    /// Runtime-owner state; `None` once retired or when the reader may not see it.
    pub runtime_owner: Option<RuntimeOwner>,
    /// Accountable for containment, or offered it: who and by what name.
    pub runtime_party: Option<(Party, String)>,
    /// That party was only asked: nobody is Accountable.
    pub offered: bool,
    /// That party is Accountable and not there any more.
    pub gone: bool,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    edge: String,
}

/// A filter: what it leaves, and its condition in the two forms.
struct Filter {
    left: f64,
    /// Whether an index finds what it leaves, so that a page may be gathered by it.
    drives: bool,
    /// Whether that index holds it in the order of ids, so that a page by id needs no sorting.
    in_order: bool,
    /// With its index usable.
    open: String,
    /// With its index hidden.
    hidden: String,
    args: Vec<Arg>,
}

/// Conditions written with `?` for arguments, numbered when assembled.
fn number(sql: &str, from: &mut usize) -> String {
    let mut out = String::with_capacity(sql.len() + 8);
    for c in sql.chars() {
        if c == '?' {
            out.push('$');
            out.push_str(&from.to_string());
            *from += 1;
        } else {
            out.push(c);
        }
    }
    out
}

struct Plan {
    filters: Vec<Filter>,
    total: f64,
    gather: Option<usize>,
}

impl Plan {
    /// Decides by estimated cost in rows touched: the sort's index is walked past what the
    /// other filters drop; what one filter leaves is gathered whole, unless its own index
    /// already has the order.
    fn new(filters: Vec<Filter>, total: f64, limit: f64, by_id: bool) -> Self {
        let share = |f: &Filter| (f.left / total.max(1.0)).min(1.0);
        let all: f64 = filters.iter().map(share).product();
        let walk = (limit / all.max(1e-9)).min(total);
        let cost = |f: &Filter| {
            let walked = limit * share(f) / all.max(1e-9);
            if by_id && f.in_order { walked.min(f.left) } else { f.left }
        };
        let gather = filters
            .iter()
            .enumerate()
            .filter(|(_, f)| f.drives)
            .map(|(i, f)| (i, cost(f)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .filter(|(_, cost)| *cost < walk)
            .map(|(i, _)| i);
        Self { filters, total, gather }
    }

    /// The WHERE clause, its arguments appended, the driver's condition first.
    fn conditions(&self, args: &mut Vec<Arg>) -> Vec<String> {
        let mut order: Vec<usize> = (0..self.filters.len()).collect();
        if let Some(g) = self.gather {
            order.retain(|i| *i != g);
            order.insert(0, g);
        }
        order
            .into_iter()
            .map(|i| {
                let f = &self.filters[i];
                let mut n = args.len() + 1;
                let text = if self.gather == Some(i) { &f.open } else { &f.hidden };
                args.extend(f.args.iter().cloned());
                number(text, &mut n)
            })
            .collect()
    }
}

async fn tally(db: &Db, facets: &[String], now: DateTime<Utc>) -> Result<Vec<i64>, Error> {
    Ok(tally_and_units(db, facets, 0, now).await?.0)
}

/// What facets count and, by the way, the business units that have agents, at most so many:
/// what one page asks costs less in one question.
async fn tally_and_units(
    db: &Db,
    facets: &[String],
    units: i64,
    now: DateTime<Utc>,
) -> Result<(Vec<i64>, Vec<String>), Error> {
    let mut args: Vec<Arg> = facets.iter().map(|f| Arg::from(f.as_str())).collect();
    let mut counts = vec![0; facets.len()];
    let mut names = Vec::new();
    let list = crate::db::marks(1, facets.len());
    let n = facets.len() + 1;
    args.push(Arg::from(now));
    // What the clock alone changed since the counters were folded is added.
    let mut sql = format!(
        "SELECT facet, n FROM tally WHERE facet IN {list} \
         UNION ALL SELECT facet, CAST(SUM(delta) AS BIGINT) FROM turn WHERE at <= ${n} GROUP BY facet"
    );
    if units > 0 {
        let units_sql = known::units_in_one(db).replace("$1", &format!("${}", n + 1));
        sql = format!("{sql} UNION ALL SELECT ({units_sql}), NULL");
        args.push(Arg::from(units));
    }
    for r in db.all(sql, args).await? {
        let Some(n) = r.get::<Option<i64>>(1)? else {
            names = known::units_of(r.get(0)?);
            continue;
        };
        let facet: String = r.get(0)?;
        for (f, sum) in facets.iter().zip(&mut counts) {
            if *f == facet {
                *sum += n;
            }
        }
    }
    Ok((counts, names))
}

/// A filter on a column of the agent with an index of its own.
fn column(column: &str, value: impl Into<Arg>) -> Filter {
    let value = value.into();
    let hide = if matches!(value, Arg::Int(_)) { "+ 0" } else { "|| ''" };
    Filter {
        left: 0.0,
        drives: true,
        in_order: true,
        open: format!("a.{column} = ?"),
        hidden: format!("a.{column} {hide} = ?"),
        args: vec![value],
    }
}

/// A filter through another table: `inner` selects agent ids; in the hidden form it is
/// asked agent by agent.
fn through(table: &str, condition: &str, args: Vec<Arg>) -> Filter {
    Filter {
        left: 0.0,
        drives: true,
        in_order: false,
        open: format!("a.id IN (SELECT x.agent_id FROM {table} x WHERE {condition})"),
        hidden: format!("EXISTS (SELECT 1 FROM {table} x WHERE x.agent_id = a.id AND {condition})"),
        args,
    }
}

/// The findings that say that nobody holds a duty.
const VACANT: [FindingKey; 5] = [
    FindingKey::NoRuntimeOwner,
    FindingKey::RuntimeOwnerInactive,
    FindingKey::RuntimeOwnerPending,
    FindingKey::NoOwner,
    FindingKey::OwnerInactive,
];

/// Agents in any of these runtime-owner states now: a state whose time was over before the
/// counters were folded reads as what it lapsed to, though the column says what it was.
fn by_owner(states: &[RuntimeOwner], now: DateTime<Utc>) -> Filter {
    let mut columns: Vec<&str> = states.iter().map(|s| s.key()).collect();
    let mut over: Vec<Arg> = Vec::new();
    let mut lapsed = String::new();
    for from in RuntimeOwner::ALL.iter().filter(|s| s.lapsed() != **s) {
        let (before, after) = (states.contains(from), states.contains(&from.lapsed()));
        if before != after {
            columns.push(from.key());
            let sign = if before { ">" } else { "<=" };
            lapsed.push_str(&format!(" AND (a.runtime_owner <> ? OR a.runtime_owner_until {sign} ?)"));
            over.extend(args![from.key(), micros(now)]);
        }
    }
    columns.sort_unstable();
    columns.dedup();
    let marks = vec!["?"; columns.len()].join(", ");
    let mut args: Vec<Arg> = columns.iter().map(|c| Arg::from(*c)).collect();
    args.extend(over);
    Filter {
        left: 0.0,
        drives: true,
        in_order: columns.len() == 1,
        open: format!("a.runtime_owner IN ({marks}){lapsed}"),
        hidden: format!("a.runtime_owner || '' IN ({marks}){lapsed}"),
        args,
    }
}

/// The filters of a query, with what they leave.
struct Filtered {
    filters: Vec<Filter>,
    /// All agents.
    total: f64,
    /// Business units that have agents, when they were asked for.
    units: Vec<String>,
}

/// What each filter of the query is, and the counter that knows what it leaves.
async fn filters(db: &Db, query: &Query, now: DateTime<Utc>, units: i64) -> Result<Filtered, Error> {
    let mut filters: Vec<Filter> = Vec::new();
    let mut facets: Vec<String> = vec!["agents".to_owned()];
    // Each counter: the filter it counts for, and whether it adds or takes away.
    let mut counted: Vec<(usize, f64)> = Vec::new();
    let mut add = |filter: Filter, counts: Vec<(String, f64)>, filters: &mut Vec<Filter>| {
        for (facet, sign) in counts {
            facets.push(facet);
            counted.push((filters.len(), sign));
        }
        filters.push(filter);
    };
    let one = |facet: String| vec![(facet, 1.0)];
    // Filters on what is due now or waits: which, and how many wait.
    let mut shifts: Vec<(usize, bool, f64)> = Vec::new();
    if let Some(v) = query.state {
        add(column("state", v.key()), one(format!("state:{v}")), &mut filters);
    }
    if let Some(v) = query.environment {
        add(column("environment", v.key()), one(format!("environment:{v}")), &mut filters);
    }
    if let Some(v) = query.tier {
        add(column("tier", v.key()), one(format!("tier:{v}")), &mut filters);
    }
    if let Some(v) = query.running {
        add(column("running", v.key()), one(format!("running:{v}")), &mut filters);
    }
    if let Some(v) = query.runs {
        let text = if v { "a.runs" } else { "NOT a.runs" };
        let filter = Filter {
            left: 0.0,
            drives: false,
            in_order: false,
            open: text.to_owned(),
            hidden: text.to_owned(),
            args: Vec::new(),
        };
        add(filter, one(format!("runs:{}", if v { "yes" } else { "no" })), &mut filters);
    }
    if !query.runtime_owner.is_empty() {
        let facets = query.runtime_owner.iter().map(|v| (format!("owner:{v}"), 1.0)).collect();
        add(by_owner(&query.runtime_owner, now), facets, &mut filters);
    }
    if let Some(duty) = query.vacant {
        let keys = VACANT.map(|key| format!("'{key}'")).join(", ");
        let condition = format!("x.duty = ? AND x.key IN ({keys}) AND x.from_at <= ? AND x.until_at > ?");
        let filter = through("finding", &condition, args![duty.key(), now, now]);
        add(filter, vec![(format!("required:{duty}"), 1.0), (format!("held:{duty}"), -1.0)], &mut filters);
    }
    if let Some(v) = &query.business_unit {
        let folded = text::fold(v);
        add(column("unit_folded", folded.as_str()), one(format!("unit:{folded}")), &mut filters);
    }
    if let Some(v) = query.wave {
        add(column("wave_id", v.0), one(format!("wave:{v}")), &mut filters);
    }
    if let Some(v) = query.finding {
        let severity = match query.due {
            None => "",
            Some(true) => " AND x.severity <> 'onboarding'",
            Some(false) => " AND x.severity = 'onboarding'",
        };
        let condition = format!("x.key = ? AND x.from_at <= ? AND x.until_at > ? AND x.excepted IS NULL{severity}");
        let filter = through("finding", &condition, args![v.key(), now, now]);
        add(filter, one(format!("finding:{v}")), &mut filters);
        if let Some(due) = query.due {
            let waiting = crate::posture::onboarding(db, now).await?.get(v.key()).copied().unwrap_or(0);
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let waiting = waiting as f64;
            shifts.push((filters.len() - 1, due, waiting));
        }
    }
    if let Some(v) = query.excepted {
        let condition = "x.key = ? AND x.from_at <= ? AND x.until_at > ? AND x.excepted IS NOT NULL";
        let filter = through("finding", condition, args![v.key(), now, now]);
        add(filter, one(format!("excepted:{v}")), &mut filters);
    }
    for word in text::words([query.q.as_str()], 8) {
        let end = format!("{word}\u{10ffff}");
        let filter = through("search_word", "x.word >= ? AND x.word < ?", args![&word, end]);
        let facet =
            (word.chars().count() <= COUNTED_PREFIX).then(|| (format!("word:{word}"), 1.0)).into_iter().collect();
        add(filter, facet, &mut filters);
    }
    if filters.is_empty() && !query.q.trim().is_empty() && text::words([query.q.as_str()], 1).is_empty() {
        // Signs alone are no word of anything; to list everything would pretend that they were.
        let text = "a.id = 0".to_owned();
        filters.push(Filter {
            left: 0.0,
            drives: true,
            in_order: true,
            open: text.clone(),
            hidden: text,
            args: Vec::new(),
        });
    }
    let (counts, units) = tally_and_units(db, &facets, units, now).await?;
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let mut counts = counts.into_iter().map(|n| n.max(0) as f64);
    let total = counts.next().unwrap_or_default();
    for ((at, sign), n) in counted.into_iter().zip(counts) {
        filters[at].left = (filters[at].left + sign * n).max(0.0);
    }
    for (at, due, waiting) in shifts {
        filters[at].left = if due { (filters[at].left - waiting).max(0.0) } else { waiting };
    }
    // Filters that an index counts: what a party, system, vendor, tool or credential has.
    let mut more: Vec<(Filter, String)> = Vec::new();
    if let Some(v) = query.owner {
        let args = args![v.kind(), v.number()];
        more.push((
            through(
                "assignment",
                "x.party_kind = ? AND x.party_id = ? AND x.role = 'A' AND x.valid_to IS NULL AND x.accepted_at IS NOT NULL",
                args,
            ),
            format!("SELECT COUNT(DISTINCT x.agent_id) FROM {OWNED}"),
        ));
    }
    if let Some(v) = query.system {
        more.push((column("parent_id", v.0), "SELECT COUNT(*) FROM agent WHERE parent_id = $1".into()));
    }
    if let Some(v) = query.platform {
        more.push((
            through("platform_stay", "x.system_id = ? AND x.valid_to IS NULL", args![v]),
            "SELECT COUNT(*) FROM platform_stay WHERE system_id = $1 AND valid_to IS NULL".into(),
        ));
    }
    if let Some(v) = query.operated_by {
        more.push((column("operated_by", v.0), "SELECT COUNT(*) FROM agent WHERE operated_by = $1".into()));
    }
    for (name, table, counts) in [
        (&query.vendor, "vendor", "SELECT COUNT(*) FROM agent WHERE vendor_id = $1"),
        (&query.tool, "tool", "SELECT COUNT(*) FROM agent_tool WHERE tool_id = $1"),
        (&query.credential, "credential", "SELECT COUNT(*) FROM agent_credential WHERE credential_id = $1"),
    ] {
        let Some(name) = name else { continue };
        let id: i64 = db
            .one(format!("SELECT id FROM {table} WHERE name_folded = $1"), args![text::fold(name)])
            .await?
            .map(|r| r.get(0))
            .transpose()?
            .unwrap_or(0);
        let filter = match table {
            "vendor" => column("vendor_id", id),
            "tool" => through("agent_tool", "x.tool_id = ?", args![id]),
            _ => through("agent_credential", "x.credential_id = ?", args![id]),
        };
        more.push((filter, counts.to_owned()));
    }
    for (mut filter, counts) in more {
        let n: i64 = db.one(counts, filter.args.clone()).await?.map(|r| r.get(0)).transpose()?.unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        {
            filter.left = n as f64;
        }
        filters.push(filter);
    }
    filters.extend(by_condition(db, query).await?);
    Ok(Filtered { filters, total, units })
}

/// Agents for which a condition of the policy holds, or another does not, or both.
async fn by_condition(db: &Db, query: &Query) -> Result<Option<Filter>, Error> {
    if query.condition.is_none() && query.without_condition.is_none() {
        return Ok(None);
    }
    let sets = needs::sets(query.condition, query.without_condition);
    let mut reads = db;
    #[expect(clippy::cast_precision_loss, reason = "an estimate, and exact below 2^53")]
    let left =
        needs::alike(&mut reads).await?.iter().filter(|a| sets.contains(&a.conditions)).map(|a| a.count as f64).sum();
    let list: Vec<String> = sets.iter().map(|set| set.0.to_string()).collect();
    let list = if list.is_empty() { "-2".to_owned() } else { list.join(", ") };
    Ok(Some(Filter {
        left,
        drives: true,
        in_order: false,
        open: format!("a.needs IN ({list})"),
        hidden: format!("a.needs + 0 IN ({list})"),
        args: Vec::new(),
    }))
}

/// Conditions of what the actor may see: confidential agents are for those entitled.
async fn visibility(db: &Db, by: By<'_>) -> Result<Option<Filter>, Error> {
    can(by.actor, Action::AgentRead, Relation::None)?;
    if can(by.actor, Action::AgentReadConfidential, Relation::None).is_ok() {
        return Ok(None);
    }
    let Some(me) = by.actor.person_id() else {
        let text = "(NOT a.confidential)".to_owned();
        return Ok(Some(Filter {
            left: f64::INFINITY,
            drives: false,
            in_order: false,
            open: text.clone(),
            hidden: text,
            args: Vec::new(),
        }));
    };
    let mut reads = db;
    let mut args: Vec<Arg> = args![me.to_string()];
    let mut mine = String::from("a.created_by = ?");
    for party in parties_of(&mut reads, me).await? {
        mine.push_str(
            " OR EXISTS (SELECT 1 FROM assignment v WHERE v.agent_id = a.id AND v.party_kind = ? AND v.party_id = ? \
             AND v.role IN ('A', 'R')) \
             OR EXISTS (SELECT 1 FROM platform_stay y JOIN assignment v ON v.system_id = y.system_id \
             WHERE y.agent_id = a.id AND y.valid_to IS NULL AND v.party_kind = ? AND v.party_id = ? \
             AND v.role IN ('A', 'R') AND v.valid_to IS NULL AND v.accepted_at IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM assignment o WHERE o.agent_id = a.id AND o.duty = v.duty AND o.role = 'A' \
             AND o.accepted_at IS NOT NULL AND o.valid_to IS NULL))",
        );
        args.extend(args![party.kind(), party.number(), party.kind(), party.number()]);
    }
    let text = format!("(NOT a.confidential OR {mine})");
    Ok(Some(Filter { left: f64::INFINITY, drives: false, in_order: false, open: text.clone(), hidden: text, args }))
}

/// The rights a query needs beyond reading names; whoever asks for what is theirs owns what
/// is found. Answers whether findings and stop state of all that is found may be read.
fn allowed(by: By<'_>, query: &Query) -> Result<bool, Error> {
    let mine = query.owner.is_some() && query.owner == by.actor.person_id().map(Party::Person);
    let relation = if mine { Relation::Owner } else { Relation::None };
    let controls = can(by.actor, Action::AgentReadControls, relation);
    if !query.runtime_owner.is_empty()
        || query.vacant.is_some()
        || query.finding.is_some()
        || query.excepted.is_some()
        || query.credential.is_some()
        || query.sort == Sort::RuntimeOwner
    {
        controls.clone()?;
    }
    Ok(controls.is_ok())
}

struct Prepared {
    sql: String,
    args: Vec<Arg>,
    back: bool,
}

const LINE: &str = "a.id, a.name, a.business_unit, a.environment, a.hosting, a.state, a.running, a.tier, a.tier_points, \
     a.runtime_owner, a.runtime_owner_until, a.runtime_party_kind, a.runtime_party_id, a.updated_at, CASE WHEN a.runtime_party_kind = 'person' \
     THEN (SELECT p.name FROM person p WHERE p.id = a.runtime_party_id) WHEN a.runtime_party_kind = 'team' \
     THEN (SELECT t.name FROM team t WHERE t.id = a.runtime_party_id) END";

fn prepare(plan: &Plan, query: &Query) -> Result<Prepared, Error> {
    let mut args: Vec<Arg> = Vec::new();
    let mut conditions = plan.conditions(&mut args);
    let (name, numeric) = query.sort.column();
    let cursor = query.cursor.as_deref().map(|c| Cursor::decode(c, &query.sort.key(query.down))).transpose()?;
    let back = cursor.as_ref().is_some_and(|c| c.b);
    let down = query.down != back;
    // A gathered set is sorted; the sort's own index is hidden from it.
    let key = match (plan.gather, query.sort, numeric) {
        (None, ..) | (_, Sort::Id, _) => name.to_owned(),
        (Some(_), _, true) => format!("{name} + 0"),
        (Some(_), _, false) => format!("{name} || ''"),
    };
    if let Some(c) = cursor {
        let sign = if down { "<" } else { ">" };
        let n = args.len() + 1;
        if query.sort == Sort::Id {
            conditions.push(format!("a.id {sign} ${n}"));
            args.push(Arg::from(c.i));
        } else {
            conditions.push(format!("({key}, a.id) {sign} (${n}, ${})", n + 1));
            args.push(if numeric { Arg::Int(c.k.parse().ok()) } else { Arg::from(c.k) });
            args.push(Arg::from(c.i));
        }
    }
    let direction = if down { "DESC" } else { "ASC" };
    let order = if query.sort == Sort::Id {
        format!("a.id {direction}")
    } else {
        format!("{key} {direction}, a.id {direction}")
    };
    let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    let n = args.len() + 1;
    args.push(Arg::from(query.limit + 1));
    Ok(Prepared { sql: format!("SELECT {LINE}, {name} FROM agent a{filter} ORDER BY {order} LIMIT ${n}"), args, back })
}

/// A page of the inventory.
pub async fn list(db: &Db, by: By<'_>, query: &Query) -> Result<Page<Line>, Error> {
    Ok(list_with_units(db, by, query, 0).await?.0)
}

/// A page of the inventory, and the business units one may filter by, at most so many.
pub async fn list_with_units(
    db: &Db,
    by: By<'_>,
    query: &Query,
    units: i64,
) -> Result<(Page<Line>, Vec<String>), Error> {
    let controls = allowed(by, query)?;
    let Filtered { filters: mut list, total: estate, units } = filters(db, query, by.now, units).await?;
    let asked = list.len();
    if let Some(v) = visibility(db, by).await? {
        list.push(v);
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let plan = Plan::new(list, estate, query.limit as f64 + 1.0, query.sort == Sort::Id);
    let prepared = prepare(&plan, query)?;
    let rows = db.all(prepared.sql, prepared.args).await?;
    let mut items = rows.iter().map(|r| line(r, by.now, query.sort)).collect::<Result<Vec<_>, _>>()?;
    if !controls {
        hide_controls(db, by, &mut items).await?;
    }
    let more = items.len() as i64 > query.limit;
    items.truncate(usize::try_from(query.limit).unwrap_or(0));
    if prepared.back {
        items.reverse();
    }
    let edge = |l: Option<&Line>, b: bool| {
        l.map(|l| Cursor { s: query.sort.key(query.down), k: l.edge.clone(), i: l.id.0, b }.encode())
    };
    let (has_next, has_previous) = if prepared.back { (true, more) } else { (more, query.cursor.is_some()) };
    let next = has_next.then(|| edge(items.last(), false)).flatten();
    let previous = has_previous.then(|| edge(items.first(), true)).flatten();
    let total = total(db, by, query, &plan, asked).await?;
    Ok((Page { items, next, previous, total }, units))
}

/// Leaves the stop state only of agents that the reader owns, deputises for or registered.
async fn hide_controls(db: &Db, by: By<'_>, items: &mut [Line]) -> Result<(), Error> {
    let ids: Vec<AgentId> = items.iter().map(|l| l.id).collect();
    let mut reads = db;
    let stands = relations(&mut reads, by.actor, &ids, by.now).await?;
    for line in items {
        let relation = stands.get(&line.id).copied().unwrap_or(Relation::None);
        line.controls = can(by.actor, Action::AgentReadControls, relation).is_ok();
        if !line.controls {
            line.runtime_owner = None;
        }
    }
    Ok(())
}

/// A whole agent of a list.
#[derive(Debug)]
pub struct Whole {
    /// The agent, without what the reader may not see.
    pub agent: Agent,
    /// Who is to stop it; whoever may not read stop states is told of nobody who was only
    /// asked.
    pub party: Option<(Party, String)>,
    /// Whether the reader may read its credentials and stop state.
    pub controls: bool,
}

/// A page of whole agents: the list of the API.
pub async fn list_whole(db: &Db, by: By<'_>, query: &Query) -> Result<Page<Whole>, Error> {
    let page = list(db, by, query).await?;
    let ids: Vec<AgentId> = page.items.iter().map(|l| l.id).collect();
    let mut reads = db;
    let mut agents: std::collections::HashMap<AgentId, Agent> =
        stored::load(&mut reads, &ids, by.now).await?.into_iter().map(|a| (a.id, a)).collect();
    let Page { items, next, previous, total } = page;
    let items = items
        .into_iter()
        .filter_map(|l| {
            let mut agent = agents.remove(&l.id)?;
            if !l.controls {
                agent.hide_controls();
            }
            let party = l.runtime_party.filter(|_| agent.runtime_party.is_some());
            Some(Whole { agent, party, controls: l.controls })
        })
        .collect();
    Ok(Page { items, next, previous, total })
}

/// Every agent of a query by id, at most `most` of them: what a bulk action works on.
pub async fn ids(db: &Db, by: By<'_>, query: &Query, most: i64) -> Result<Vec<AgentId>, Error> {
    allowed(by, query)?;
    let Filtered { filters: mut list, total: estate, .. } = filters(db, query, by.now, 0).await?;
    list.extend(visibility(db, by).await?);
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let plan = Plan::new(list, estate, most as f64, true);
    let mut args = Vec::new();
    let conditions = plan.conditions(&mut args);
    let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    let n = args.len() + 1;
    args.push(Arg::from(most));
    let rows = db.all(format!("SELECT a.id FROM agent a{filter} ORDER BY a.id LIMIT ${n}"), args).await?;
    Ok(rows.iter().map(|r| r.get(0)).collect::<Result<_, _>>()?)
}

/// What a party is the owner for.
const OWNED: &str = "assignment x WHERE x.party_kind = $1 AND x.party_id = $2 AND x.role = 'A' \
     AND x.valid_to IS NULL AND x.accepted_at IS NOT NULL";

/// For how many agents a party answers, counted up to a bound.
pub async fn owned(db: &Db, party: Party, most: i64) -> Result<i64, Error> {
    let sql = format!("SELECT COUNT(*) FROM (SELECT DISTINCT x.agent_id FROM {OWNED} LIMIT {most}) AS theirs");
    Ok(db.one(sql, args![party.kind(), party.number()]).await?.map_or(Ok(0), |r| r.get(0))?)
}

/// Exact with no filter or one; with more, exact up to `count_to`.
async fn total(db: &Db, by: By<'_>, query: &Query, plan: &Plan, asked: usize) -> Result<Option<i64>, Error> {
    #[expect(clippy::cast_possible_truncation, reason = "a count that fits was made a float")]
    let counted = if query.q.chars().filter(|c| c.is_alphanumeric()).count() > COUNTED_PREFIX {
        None
    } else {
        match &plan.filters[..asked] {
            [] => Some(plan.total as i64),
            [only] => Some(only.left as i64),
            [_, _] => match query.runs {
                Some(runs) if !query.runtime_owner.is_empty() => {
                    let share = if runs { "running" } else { "idle" };
                    let facets: Vec<String> =
                        query.runtime_owner.iter().map(|owner| format!("stop:{share}:{owner}")).collect();
                    Some(tally(db, &facets, by.now).await?.iter().sum())
                }
                _ => None,
            },
            _ => None,
        }
    };
    if let Some(n) = counted {
        return Ok(Some(n - unseen(db, plan, asked).await?));
    }
    let mut args = Vec::new();
    let conditions = plan.conditions(&mut args);
    let n = args.len() + 1;
    let single = asked <= 1;
    args.push(Arg::from(if single { i64::from(i32::MAX) } else { query.count_to + 1 }));
    let sql =
        format!("SELECT COUNT(*) FROM (SELECT 1 FROM agent a WHERE {} LIMIT ${n}) counted", conditions.join(" AND "));
    let n: i64 = db.one(sql, args).await?.map(|r| r.get(0)).transpose()?.unwrap_or(0);
    Ok((single || n <= query.count_to).then_some(n))
}

/// Agents that the counters count and this reader may not see: confidential ones, found by
/// an index of theirs.
async fn unseen(db: &Db, plan: &Plan, asked: usize) -> Result<i64, Error> {
    let Some(visible) = plan.filters.get(asked) else { return Ok(0) };
    let mut args = Vec::new();
    let mut conditions = vec!["a.confidential".to_owned()];
    for (f, negate) in plan.filters[..asked].iter().map(|f| (f, false)).chain([(visible, true)]) {
        let mut n = args.len() + 1;
        args.extend(f.args.iter().cloned());
        let text = number(&f.hidden, &mut n);
        conditions.push(if negate { format!("NOT {text}") } else { text });
    }
    let sql = format!("SELECT COUNT(*) FROM agent a WHERE {}", conditions.join(" AND "));
    Ok(db.one(sql, args).await?.map(|r| r.get(0)).transpose()?.unwrap_or(0))
}

/// The plan of a query's page and of its count, for the test that refuses full scans.
pub async fn plans(db: &Db, by: By<'_>, query: &Query) -> Result<Vec<String>, Error> {
    let Filtered { filters: list, total: estate, .. } = filters(db, query, by.now, 0).await?;
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let plan = Plan::new(list, estate, query.limit as f64 + 1.0, query.sort == Sort::Id);
    let prepared = prepare(&plan, query)?;
    Ok(db.plan(&prepared.sql, prepared.args).await?)
}

fn line(r: &Row, now: DateTime<Utc>, sort: Sort) -> Result<Line, Error> {
    let party = Party::from_stored(&r.get::<String>(11)?, r.get(12)?);
    let name: Option<String> = r.get(14)?;
    let owner = stored::owner_at(&r.get::<String>(9)?, r.get(10)?, now);
    Ok(Line {
        id: r.get(0)?,
        name: r.get(1)?,
        business_unit: r.get(2)?,
        environment: r.get(3)?,
        hosting: r.get(4)?,
        state: r.get(5)?,
        running: r.get(6)?,
        tier: r.get(7)?,
        tier_points: r.get(8)?,
        controls: true,
        runtime_owner: owner,
        runtime_party: party.zip(name).filter(|_| owner != Some(RuntimeOwner::None)),
        offered: owner == Some(RuntimeOwner::Pending),
        gone: owner == Some(RuntimeOwner::Inactive),
        updated_at: r.get(13)?,
        edge: match sort {
            Sort::Id => String::new(),
            Sort::Name | Sort::Unit => r.get(15)?,
            Sort::Tier | Sort::RuntimeOwner | Sort::Updated => r.get::<i64>(15)?.to_string(),
        },
    })
}
