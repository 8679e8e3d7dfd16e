//! The blast radius: how many agents use a shared credential, tool, vendor or system, and which.
//! What it costs grows with what uses the thing, never with the estate.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::can::{Action, Actor, Denied, Relation, can};
use domain::id::{AgentId, PersonId, SystemId};
use domain::party::Party;
use domain::stop::{Alike, LastStop, MethodKind, Part, Radius, Reached, Uses};
use domain::text;

use super::shown::told;
use crate::agents::relation::acts_for;
use crate::agents::stored::owner_at;
use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, DbError, Reads, Row, marks};
use crate::error::Error;
use crate::paging::{Cursor, Page};

/// A shared record that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// What was asked for.
    pub uses: Uses,
    /// Its row.
    pub(super) id: i64,
    /// It is a shared platform: agents run on it, and are no members of it.
    platform: bool,
    /// Its name as it is written.
    pub name: String,
}

impl Shared {
    /// "the credential payments API key", for sentences and the record.
    pub fn called(&self) -> String {
        match &self.uses {
            Uses::System(id) => format!("system {id} {}", self.name),
            uses => format!("{} {}", uses.key(), self.name),
        }
    }

    /// Where its agents are found: tables, condition, and the column that has their number in
    /// the order of an index. `$1` is the shared record; the agent is `a`. The one place that
    /// knows how agents are tied to what they use.
    const fn agents(&self) -> (&'static str, &'static str, &'static str) {
        match self.uses {
            Uses::Credential(_) => {
                ("agent_credential x JOIN agent a ON a.id = x.agent_id", "x.credential_id = $1", "x.agent_id")
            }
            Uses::Tool(_) => ("agent_tool x JOIN agent a ON a.id = x.agent_id", "x.tool_id = $1", "x.agent_id"),
            Uses::Vendor(_) => ("agent a", "a.vendor_id = $1", "a.id"),
            Uses::System(_) if self.platform => (
                "platform_stay x JOIN agent a ON a.id = x.agent_id",
                "x.system_id = $1 AND x.valid_to IS NULL",
                "x.agent_id",
            ),
            Uses::System(_) => ("agent a", "a.parent_id = $1", "a.id"),
        }
    }
}

/// What the actor sees of a radius, and stops in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope {
    /// Every agent, and not only those that the actor may stop.
    pub(super) sees_all: bool,
    /// Every agent, by role.
    pub(super) stops_all: bool,
    /// Those of which the actor holds a duty, or deputises for who does.
    stops_own: bool,
}

impl Scope {
    /// Refuses whoever may read the stop state of no agent at all.
    pub(super) fn of(actor: &Actor) -> Result<Self, Error> {
        let general = |action| can(actor, action, Relation::None).is_ok();
        let sees_all = general(Action::AgentReadControls) && general(Action::AgentReadConfidential);
        if !sees_all {
            can(actor, Action::AgentReadControls, Relation::Owner)?;
        }
        Ok(Self {
            sees_all,
            stops_all: general(Action::StopPress),
            stops_own: can(actor, Action::StopPress, Relation::Owner).is_ok(),
        })
    }

    /// Whether the actor may stop anything; the refusal says who may.
    pub(super) fn may_stop(self, actor: &Actor) -> Result<(), Error> {
        if !self.stops_all {
            can(actor, Action::StopPress, Relation::Owner)?;
        }
        Ok(())
    }
}

/// A stop of the agent is recorded since its state last changed.
const STOPPED: &str = "EXISTS (SELECT 1 FROM stopping z WHERE z.agent_id = a.id AND z.at >= a.state_at)";

/// The shared record, if it is there.
pub(super) async fn find(reads: &mut impl Reads, uses: &Uses) -> Result<Shared, Error> {
    let (sql, key) = match uses {
        Uses::Credential(name) => {
            ("SELECT id, name, FALSE FROM credential WHERE name_folded = $1", Arg::from(text::fold(name)))
        }
        Uses::Tool(name) => ("SELECT id, name, FALSE FROM tool WHERE name_folded = $1", Arg::from(text::fold(name))),
        Uses::Vendor(name) => {
            ("SELECT id, name, FALSE FROM vendor WHERE name_folded = $1", Arg::from(text::fold(name)))
        }
        Uses::System(id) => ("SELECT id, name, kind = 'platform' FROM system WHERE id = $1", Arg::from(*id)),
    };
    let rows = reads.rows(sql, vec![key]).await?;
    let row = rows.first().ok_or_else(|| Error::NotFound(format!("{} “{}”", uses.key(), uses.value())))?;
    Ok(Shared { uses: uses.clone(), id: row.get(0)?, name: row.get(1)?, platform: row.get(2)? })
}

/// Said alike whether there is no such thing, or nothing of it that the actor may see.
fn not_theirs() -> Error {
    Error::Denied(Denied::Forbidden(
        "What uses something, and who can stop it, is for security, risk and auditors, and for those who hold a duty \
         of an agent that uses it."
            .into(),
    ))
}

/// A statement over the agents of a radius, its arguments numbered as they come.
pub(super) struct Over {
    tables: &'static str,
    conditions: Vec<String>,
    order: &'static str,
    pub(super) args: Vec<Arg>,
    now: DateTime<Utc>,
    /// A condition that holds of agents that the actor may stop.
    may: String,
}

impl Over {
    pub(super) async fn new(reads: &mut impl Reads, by: By<'_>, shared: &Shared, scope: Scope) -> Result<Self, Error> {
        let (tables, condition, order) = shared.agents();
        let mut over = Self {
            tables,
            conditions: vec![condition.to_owned()],
            order,
            args: args![shared.id],
            now: by.now,
            may: String::new(),
        };
        over.may = match by.actor.person_id() {
            _ if scope.stops_all => "1 = 1".to_owned(),
            Some(me) if scope.stops_own || !scope.sees_all => over.own(reads, me).await?,
            _ => "1 = 0".to_owned(),
        };
        if !scope.sees_all {
            let own = over.may.clone();
            over.conditions.push(own);
        }
        if !scope.stops_all && !scope.stops_own {
            "1 = 0".clone_into(&mut over.may);
        }
        Ok(over)
    }

    /// Holds of agents of which this person, a team of theirs or one that they are on call for, or
    /// somebody they deputise for, holds a duty as A or R.
    async fn own(&mut self, reads: &mut impl Reads, me: PersonId) -> Result<String, Error> {
        let (mut people, mut teams) = (Vec::new(), Vec::new());
        for party in acts_for(reads, me, self.now).await? {
            match party {
                Party::Person(p) => people.push(Arg::from(p)),
                Party::Team(t) => teams.push(Arg::from(t)),
            }
        }
        for r in reads.rows("SELECT id FROM person WHERE deputy_id = $1", args![me]).await? {
            people.push(Arg::from(r.get::<PersonId>(0)?));
        }
        let mut any = Vec::new();
        for (kind, ids) in [("person", people), ("team", teams)] {
            if !ids.is_empty() {
                let list = marks(self.args.len() + 1, ids.len());
                self.args.extend(ids);
                any.push(format!("(v.party_kind = '{kind}' AND v.party_id IN {list})"));
            }
        }
        let theirs = format!(
            "v.valid_to IS NULL AND v.accepted_at IS NOT NULL AND v.role IN ('A', 'R') AND ({})",
            any.join(" OR ")
        );
        // Whoever holds a duty of the platform holds it of every agent that inherits it.
        Ok(format!(
            "(EXISTS (SELECT 1 FROM assignment v WHERE v.agent_id = a.id AND {theirs}) \
             OR EXISTS (SELECT 1 FROM platform_stay y JOIN assignment v ON v.system_id = y.system_id \
             WHERE y.agent_id = a.id AND y.valid_to IS NULL AND {theirs} \
             AND NOT EXISTS (SELECT 1 FROM assignment o WHERE o.agent_id = a.id AND o.duty = v.duty AND o.role = 'A' \
             AND o.accepted_at IS NOT NULL AND o.valid_to IS NULL)))"
        ))
    }

    fn arg(&mut self, value: impl Into<Arg>) -> String {
        self.args.push(value.into());
        format!("${}", self.args.len())
    }

    /// Holds of agents a call of whose stop failed or lapsed.
    fn failed(&mut self) -> String {
        let now = self.arg(self.now);
        format!(
            "EXISTS (SELECT 1 FROM stop_call c WHERE c.stopping_id = (SELECT MAX(z.id) FROM stopping z \
             WHERE z.agent_id = a.id AND z.at >= a.state_at) AND c.stopped_at IS NULL \
             AND (c.due_at <= {now} OR COALESCE(c.outcome, 'accepted') <> 'accepted'))"
        )
    }

    /// The runtime-owner state now.
    fn owner(&mut self) -> String {
        let now = self.arg(self.now);
        format!(
            "CASE WHEN a.runtime_owner_until > {now} THEN a.runtime_owner \
             WHEN a.runtime_owner = 'verified' THEN 'untested' WHEN a.runtime_owner = 'pending' THEN 'none' \
             ELSE a.runtime_owner END"
        )
    }

    /// Narrows to a part.
    pub(super) fn narrow(&mut self, part: Part) {
        let condition = match part {
            Part::Retired => "a.state = 'retired'".to_owned(),
            Part::All => String::new(),
            Part::Runs => "a.runs".to_owned(),
            Part::Production => "a.environment = 'production'".to_owned(),
            Part::Critical | Part::High | Part::Moderate | Part::Low => format!("a.tier = '{}'", part.key()),
            Part::Unable => format!("{} IN ('none', 'inactive', 'pending', 'unable', '')", self.owner()),
            Part::Webhook => "m.kind = 'webhook'".to_owned(),
            Part::Person => "COALESCE(m.kind, '') <> 'webhook'".to_owned(),
            Part::Stopped => STOPPED.to_owned(),
            Part::Failed => self.failed(),
            Part::Yours => format!("NOT {STOPPED} AND {}", self.may),
            Part::Left => format!("({STOPPED} OR NOT {})", self.may),
        };
        if part != Part::Retired {
            self.conditions.push("a.state <> 'retired'".to_owned());
        }
        if !condition.is_empty() {
            self.conditions.push(condition);
        }
    }

    pub(super) fn from(&self) -> String {
        format!(
            "FROM {} LEFT JOIN stop_method m ON m.agent_id = a.id AND m.valid_to IS NULL \
             AND COALESCE(m.surface, 'pause') = 'pause' WHERE {}",
            self.tables,
            self.conditions.join(" AND ")
        )
    }

    /// The numbers of the next agents after one, in the order of their numbers.
    pub(super) fn ids(mut self, after: i64, limit: i64) -> (String, Vec<Arg>) {
        let (order, after) = (self.order, self.arg(after));
        self.conditions.push(format!("{order} > {after}"));
        let limit = self.arg(limit);
        (format!("SELECT a.id {} ORDER BY {order} LIMIT {limit}", self.from()), self.args)
    }
}

fn flag(condition: &str) -> String {
    format!("CAST(CASE WHEN {condition} THEN 1 ELSE 0 END AS BIGINT)")
}

/// Whether the actor sees every agent of a radius, and not only those that they may stop.
pub fn sees_all(actor: &Actor) -> bool {
    Scope::of(actor).is_ok_and(|scope| scope.sees_all)
}

/// How many agents use something, by part; of those that the actor sees. Refused to whoever sees
/// none of them.
pub async fn radius(db: &Db, by: By<'_>, uses: &Uses) -> Result<(Shared, Radius), Error> {
    let scope = Scope::of(by.actor)?;
    let mut reads = db;
    let shared = match find(&mut reads, uses).await {
        Err(Error::NotFound(_)) if !scope.sees_all => return Err(not_theirs()),
        found => found?,
    };
    let mut over = Over::new(&mut reads, by, &shared, scope).await?;
    let (owner, failed, may) = (over.owner(), over.failed(), over.may.clone());
    let sql = format!(
        "SELECT a.state, a.tier, {}, a.environment, {owner}, m.kind, {}, {}, {}, COUNT(*) {} \
         GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9",
        flag("a.runs"),
        flag(STOPPED),
        flag(&failed),
        flag(&may),
        over.from()
    );
    let mut radius = Radius::default();
    for r in db.all(sql, over.args).await? {
        let alike = Alike {
            state: r.get(0)?,
            tier: r.get(1)?,
            runs: r.get::<i64>(2)? == 1,
            environment: r.get(3)?,
            owner: r.get::<String>(4)?.parse().ok(),
            pause: method(&r, 5)?,
            stopped: r.get::<i64>(6)? == 1,
            failed: r.get::<i64>(7)? == 1,
            may: r.get::<i64>(8)? == 1,
        };
        radius.add(alike, r.get(9)?);
    }
    if !scope.sees_all && radius.of(Part::All) + radius.of(Part::Retired) == 0 {
        return Err(not_theirs());
    }
    Ok((shared, radius))
}

/// The order of a radius, for cursors.
const BY_ID: &str = "radius";

/// A page of a part of the radius, by reference; of those that the actor sees.
pub async fn list(
    db: &Db,
    by: By<'_>,
    shared: &Shared,
    part: Part,
    cursor: Option<&str>,
    limit: i64,
) -> Result<Page<Reached>, Error> {
    let scope = Scope::of(by.actor)?;
    let cursor = cursor.map(|c| Cursor::decode(c, BY_ID)).transpose()?;
    let back = cursor.as_ref().is_some_and(|c| c.b);
    let mut reads = db;
    let mut over = Over::new(&mut reads, by, shared, scope).await?;
    over.narrow(part);
    if let Some(c) = &cursor {
        let (order, from) = (over.order, over.arg(c.i));
        over.conditions.push(format!("{order} {} {from}", if back { "<" } else { ">" }));
    }
    let (order, direction) = (over.order, if back { "DESC" } else { "ASC" });
    let (may, count) = (over.may.clone(), over.arg(limit + 1));
    let sql = format!(
        "SELECT a.id, a.name, a.state, a.tier, {}, a.environment, a.runtime_owner, a.runtime_owner_until, m.kind, {} {} \
         ORDER BY {order} {direction} LIMIT {count}",
        flag("a.runs"),
        flag(&may),
        over.from()
    );
    let rows = db.all(sql, over.args).await?;
    let items = rows.iter().map(|r| reached(r, by.now)).collect::<Result<Vec<_>, _>>()?;
    let mut page =
        Page::cut(items, limit, cursor.as_ref(), |a, b| Cursor { s: BY_ID.into(), k: String::new(), i: a.id.0, b });
    let ids: Vec<AgentId> = page.items.iter().map(|a| a.id).collect();
    let mut stops = last_stops(db, &ids, by.now).await?;
    for agent in &mut page.items {
        agent.stop = stops.remove(&agent.id);
    }
    Ok(page)
}

fn method(r: &Row, at: usize) -> Result<Option<MethodKind>, DbError> {
    Ok(r.get::<Option<String>>(at)?.and_then(|kind| kind.parse().ok()))
}

fn reached(r: &Row, now: DateTime<Utc>) -> Result<Reached, DbError> {
    let state: Lifecycle = r.get(2)?;
    Ok(Reached {
        id: r.get(0)?,
        name: r.get(1)?,
        state,
        tier: r.get(3)?,
        runs: r.get::<i64>(4)? == 1,
        environment: r.get(5)?,
        owner: owner_at(&r.get::<String>(6)?, r.get(7)?, now),
        pause: method(r, 8)?,
        stop: None,
        may: state != Lifecycle::Retired && r.get::<i64>(9)? == 1,
    })
}

/// The stop that each of these agents is under, with what became of its calls.
async fn last_stops(db: &Db, ids: &[AgentId], now: DateTime<Utc>) -> Result<HashMap<AgentId, LastStop>, Error> {
    let mut out: HashMap<AgentId, LastStop> = HashMap::new();
    if ids.is_empty() {
        return Ok(out);
    }
    let sql = format!(
        "SELECT a.id, s.id, s.at, (SELECT COUNT(*) FROM stop_step t WHERE t.stopping_id = s.id AND t.step = 'pause' \
         AND t.done_at IS NOT NULL) FROM agent a JOIN stopping s ON s.id = (SELECT MAX(z.id) FROM stopping z \
         WHERE z.agent_id = a.id) WHERE s.at >= a.state_at AND a.id IN {}",
        marks(1, ids.len())
    );
    let mut of: HashMap<i64, AgentId> = HashMap::new();
    for r in db.all(sql, ids.iter().map(|id| Arg::from(*id)).collect()).await? {
        let (agent, id): (AgentId, i64) = (r.get(0)?, r.get(1)?);
        of.insert(id, agent);
        out.insert(agent, LastStop { id, at: r.get(2)?, paused: r.get::<i64>(3)? > 0, calls: Vec::new() });
    }
    if of.is_empty() {
        return Ok(out);
    }
    let sql = format!(
        "SELECT stopping_id, surface, outcome, due_at, stopped_at, denied_at, evidence_sha256 IS NOT NULL \
         FROM stop_call WHERE stopping_id IN {} ORDER BY id",
        marks(1, of.len())
    );
    for r in db.all(sql, of.keys().map(|id| Arg::from(*id)).collect()).await? {
        let call = told(&r, 2)?;
        let stop = of.get(&r.get::<i64>(0)?).and_then(|agent| out.get_mut(agent));
        if let Some(stop) = stop {
            stop.calls.push((r.get(1)?, call.state(now), call.outcome));
        }
    }
    Ok(out)
}

/// How far the agents that use something are counted on another page than its own.
pub const SHARED_MOST: i64 = 1000;

/// What an agent shares with others, and how many agents use each, counted up to one more than
/// [`SHARED_MOST`]; for whoever may see how it is stopped.
pub async fn shared_by(db: &Db, agent: AgentId) -> Result<Vec<(Uses, i64)>, Error> {
    let counted = |from: &str| format!("(SELECT COUNT(*) FROM (SELECT 1 FROM {from} LIMIT {}) n)", SHARED_MOST + 1);
    let sql = format!(
        "SELECT 'credential', c.name, {} FROM agent_credential x JOIN credential c ON c.id = x.credential_id \
         WHERE x.agent_id = $1 \
         UNION ALL SELECT 'tool', t.name, {} FROM agent_tool x JOIN tool t ON t.id = x.tool_id WHERE x.agent_id = $1 \
         UNION ALL SELECT 'vendor', v.name, {} FROM agent a JOIN vendor v ON v.id = a.vendor_id WHERE a.id = $1 \
         UNION ALL SELECT 'system', CAST(a.parent_id AS TEXT), {} FROM agent a \
         WHERE a.id = $1 AND a.parent_id IS NOT NULL \
         UNION ALL SELECT 'system', CAST(x.system_id AS TEXT), {} FROM platform_stay x \
         WHERE x.agent_id = $1 AND x.valid_to IS NULL",
        counted("agent_credential y WHERE y.credential_id = c.id"),
        counted("agent_tool y WHERE y.tool_id = t.id"),
        counted("agent y WHERE y.vendor_id = v.id"),
        counted("agent y WHERE y.parent_id = a.parent_id"),
        counted("platform_stay y WHERE y.system_id = x.system_id AND y.valid_to IS NULL"),
    );
    let mut out = Vec::new();
    for r in db.all(sql, args![agent]).await? {
        let (kind, name): (String, String) = (r.get(0)?, r.get(1)?);
        let uses = match kind.as_str() {
            "system" => name.parse().ok().map(|id| Uses::System(SystemId(id))),
            kind => Uses::parse(kind, &name),
        };
        out.extend(uses.zip(Some(r.get(2)?)));
    }
    out.sort_by_key(|(uses, _)| (uses.order(), uses.value()));
    Ok(out)
}
