//! Systems: several agents that work together, or a platform that agents share. A system's
//! owner never stands in for a member's.

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, SystemId};
use domain::party::Role;
use domain::system::SystemKind;
use domain::text;
use domain::tier::Tier;
use serde_json::{Value, json};

use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Arg, Db, DbError, Reads, Row};
use crate::error::{Checked, Error};
use crate::paging::{Cursor, DEFAULT_LIMIT, Page};
use crate::people::{keeper, paged, plain, searched, visible_to};

mod owners;
pub(crate) mod stays;

pub use owners::{Holding, gaps, holdings};

/// A system as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// Its reference.
    pub id: SystemId,
    /// Counts changes; guards against lost updates.
    pub version: i64,
    /// When the record began.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Its name, unique.
    pub name: String,
    /// What it is.
    pub kind: SystemKind,
    /// What it is for; may be empty.
    pub purpose: String,
}

/// What is written about a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SystemKind,
    /// What it is for.
    pub purpose: String,
}

impl From<&System> for Fields {
    fn from(s: &System) -> Self {
        Self { name: s.name.clone(), kind: s.kind, purpose: s.purpose.clone() }
    }
}

const COLUMNS: &str = "s.id, s.version, s.created_at, s.updated_at, s.name, s.kind, s.purpose";

fn system(r: &Row) -> Result<System, DbError> {
    Ok(System {
        id: r.get(0)?,
        version: r.get(1)?,
        created_at: r.get(2)?,
        updated_at: r.get(3)?,
        name: r.get(4)?,
        kind: r.get(5)?,
        purpose: r.get(6)?,
    })
}

/// One system, or that there is none.
pub(crate) async fn load(reads: &mut impl Reads, id: SystemId) -> Result<System, Error> {
    let rows = reads.rows(format!("SELECT {COLUMNS} FROM system s WHERE s.id = $1"), args![id]).await?;
    rows.first().map(system).transpose()?.ok_or_else(|| Error::NotFound(format!("system {id}")))
}

async fn check(change: &mut Change<'_>, itself: Option<SystemId>, given: &Fields) -> Result<Fields, Error> {
    let mut wrong = Checked::default();
    let name = wrong.take("/name", text::required_line(&given.name, "a name", 200));
    let purpose = wrong.take("/purpose", text::prose(&given.purpose, "The purpose", 4000));
    if !name.is_empty() {
        let rows =
            change.tx.all("SELECT id, name FROM system WHERE name_folded = $1", args![text::fold(&name)]).await?;
        if let Some(r) = rows.first() {
            let other: SystemId = r.get(0)?;
            if itself != Some(other) {
                wrong.refuse("/name", format!("There is a system {} ({other}) already.", r.get::<String>(1)?));
            }
        }
    }
    wrong.done()?;
    Ok(Fields { name, kind: given.kind, purpose })
}

fn raced(e: DbError) -> Error {
    Error::unique(e, "Somebody else recorded a system of this name at the same moment; look again.")
}

/// Records a system.
pub async fn create(db: &Db, by: By<'_>, given: &Fields) -> Result<System, Error> {
    can(by.actor, Action::SystemWrite, Relation::None)?;
    let mut change = Change::begin(db, by).await?;
    let fields = check(&mut change, None, given).await?;
    let id = SystemId(change.next("system", 1).await?);
    let event = change.event(keeper(by.actor, &[Role::SecurityLead]), "system.created", id);
    let row = args![
        id,
        1,
        change.id(event),
        by.now,
        by.now,
        &fields.name,
        text::fold(&fields.name),
        fields.kind.key(),
        &fields.purpose,
    ];
    let columns = ["id", "version", "event_id", "created_at", "updated_at", "name", "name_folded", "kind", "purpose"];
    change.tx.insert("system", &columns, vec![row], "").await.map_err(raced)?;
    change.describe(event, Value::Null, described(&fields));
    change.wrote(event, &change::SYSTEM, id.0);
    change.commit().await.map_err(raced)?;
    let mut reads = db;
    load(&mut reads, id).await
}

fn described(f: &Fields) -> Value {
    json!({"name": f.name, "kind": f.kind, "purpose": f.purpose})
}

/// Changes a system. `version` is the one that was read.
pub async fn edit(
    db: &Db,
    by: By<'_>,
    id: SystemId,
    version: Option<i64>,
    given: &Fields,
    reason: &str,
) -> Result<System, Error> {
    can(by.actor, Action::SystemWrite, Relation::None)?;
    let reason = text::prose(reason, "The reason", 1000).map_err(|e| Error::field("/reason", e.to_string()))?;
    let mut change = Change::begin(db, by).await?;
    let before = load(&mut change.tx, id).await?;
    if version.is_some_and(|v| v != before.version) {
        return Err(Error::Stale(before.version));
    }
    let fields = check(&mut change, Some(id), given).await?;
    if fields.kind != before.kind {
        may_become(&mut change, id, fields.kind).await?;
    }
    if fields == Fields::from(&before) {
        return Ok(before);
    }
    let event = change.event(keeper(by.actor, &[Role::SecurityLead]), "system.changed", id);
    change.because(event, reason);
    change.describe(event, described(&Fields::from(&before)), described(&fields));
    let args = args![
        id,
        before.version,
        change.id(event),
        by.now,
        &fields.name,
        text::fold(&fields.name),
        fields.kind.key(),
        &fields.purpose,
    ];
    let n = change
        .tx
        .run(
            "UPDATE system SET version = version + 1, event_id = $3, updated_at = $4, name = $5, name_folded = $6, \
             kind = $7, purpose = $8 WHERE id = $1 AND version = $2",
            args,
        )
        .await
        .map_err(raced)?;
    if n != 1 {
        return Err(Error::Conflict(format!("{id} was changed by somebody else at the same moment; look again.")));
    }
    change.wrote(event, &change::SYSTEM, id.0);
    change.commit().await.map_err(raced)?;
    let mut reads = db;
    load(&mut reads, id).await
}

/// A system that agents belong to or run on, or that has owners of duties that the other kind
/// has not, stays of its kind.
async fn may_become(change: &mut Change<'_>, id: SystemId, kind: SystemKind) -> Result<(), Error> {
    let sql = match kind {
        SystemKind::MultiAgent => "SELECT COUNT(*) FROM platform_stay WHERE system_id = $1 AND valid_to IS NULL",
        SystemKind::Platform => "SELECT COUNT(*) FROM agent WHERE parent_id = $1",
    };
    let agents: i64 = change.tx.one(sql, args![id]).await?.map(|r| r.get(0)).transpose()?.unwrap_or(0);
    if agents > 0 {
        let how = match (kind, agents) {
            (SystemKind::MultiAgent, 1) => "1 agent runs on it: move it first".to_owned(),
            (SystemKind::MultiAgent, n) => format!("{n} agents run on it: move them first"),
            (SystemKind::Platform, 1) => "1 agent is a member of it: move it first".to_owned(),
            (SystemKind::Platform, n) => format!("{n} agents are members of it: move them first"),
        };
        return Err(Error::field("/kind", format!("{how}, then change what it is.")));
    }
    let rows = change
        .tx
        .all("SELECT DISTINCT duty FROM assignment WHERE system_id = $1 AND valid_to IS NULL", args![id])
        .await?;
    for r in rows {
        let duty: Duty = r.get(0)?;
        if !kind.duties().contains(&duty) {
            return Err(Error::field(
                "/kind",
                format!(
                    "It has an owner of {}, which a {} has not: empty that row of its matrix first.",
                    duty.label().to_lowercase(),
                    kind.label().to_lowercase()
                ),
            ));
        }
    }
    Ok(())
}

/// Which systems to list.
#[derive(Debug, Clone)]
pub struct Query {
    /// The beginning of any word of the name, or a whole reference.
    pub q: String,
    /// What they are.
    pub kind: Option<SystemKind>,
    /// By name, downwards.
    pub down: bool,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// How many rows at most.
    pub limit: i64,
}

impl Default for Query {
    fn default() -> Self {
        Self { q: String::new(), kind: None, down: false, cursor: None, limit: DEFAULT_LIMIT }
    }
}

/// A page of systems, by name.
pub async fn list(db: &Db, by: By<'_>, query: &Query) -> Result<Page<System>, Error> {
    can(by.actor, Action::AgentRead, Relation::None)?;
    let sort = if query.down { "-name" } else { "name" };
    let cursor = query.cursor.as_deref().map(|c| Cursor::decode(c, sort)).transpose()?;
    let mut asked: Vec<String> = Vec::new();
    let mut list: Vec<Arg> = Vec::new();
    if let Some(v) = query.kind {
        list.push(v.key().into());
        asked.push(format!("s.kind = ${}", list.len()));
    }
    if let Some(words) = searched(&query.q) {
        if let Ok(id) = words.to_uppercase().parse::<SystemId>() {
            list.push(id.into());
            asked.push(format!("s.id = ${}", list.len()));
        } else {
            for word in words.split(' ') {
                list.push(format!("% {}%", plain(word)).into());
                asked.push(format!("' ' || s.name_folded LIKE ${} ESCAPE '\\'", list.len()));
            }
        }
    }
    let filter = |asked: &[String]| {
        if asked.is_empty() { String::new() } else { format!(" WHERE {}", asked.join(" AND ")) }
    };
    let count = format!("SELECT COUNT(*) FROM system s{}", filter(&asked));
    let total = db.one(count, list.clone()).await?.map(|r| r.get(0)).transpose()?;
    let back = cursor.as_ref().is_some_and(|c| c.b);
    let (sign, direction) = if query.down == back { (">", "ASC") } else { ("<", "DESC") };
    if let Some(c) = &cursor {
        // Folded names are unique, so they alone order the list.
        list.push(c.k.as_str().into());
        asked.push(format!("s.name_folded {sign} ${}", list.len()));
    }
    list.push(Arg::from(query.limit + 1));
    let sql = format!(
        "SELECT {COLUMNS} FROM system s{} ORDER BY s.name_folded {direction} LIMIT ${}",
        filter(&asked),
        list.len()
    );
    let rows = db.all(sql, list).await?.iter().map(system).collect::<Result<Vec<_>, _>>()?;
    Ok(paged(rows, query.limit, cursor.as_ref(), total, |l, b| Cursor {
        s: sort.to_owned(),
        k: text::fold(&l.name),
        i: l.id.0,
        b,
    }))
}

/// An agent of a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The agent.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub state: Lifecycle,
    /// Its tier.
    pub tier: Tier,
    /// Whether it counts as running.
    pub runs: bool,
}

/// A system with its agents.
#[derive(Debug, Clone)]
pub struct View {
    /// The system.
    pub system: System,
    /// Its agents by reference, at most two hundred: those that belong to it or, of a platform,
    /// run on it. Those that the reader may not know of are left out.
    pub members: Vec<Member>,
    /// Whether there are more.
    pub more: bool,
}

/// Most agents that a system's page lists.
const MEMBERS: i64 = 200;

/// One system.
pub async fn read(db: &Db, by: By<'_>, id: SystemId) -> Result<View, Error> {
    can(by.actor, Action::AgentRead, Relation::None)?;
    let mut reads = db;
    let system = load(&mut reads, id).await?;
    let (visible, seen) = visible_to(db, by, 2).await?;
    let mut list = args![id];
    list.extend(seen);
    list.push(Arg::from(MEMBERS + 1));
    let from = match system.kind {
        SystemKind::MultiAgent => "agent a WHERE a.parent_id = $1",
        SystemKind::Platform => {
            "platform_stay y JOIN agent a ON a.id = y.agent_id WHERE y.system_id = $1 AND y.valid_to IS NULL"
        }
    };
    let sql = format!(
        "SELECT a.id, a.name, a.state, a.tier, a.runs FROM {from} AND {visible} ORDER BY a.id LIMIT ${}",
        list.len()
    );
    let rows = db.all(sql, list).await?;
    let mut members = rows
        .iter()
        .map(|r| Ok(Member { id: r.get(0)?, name: r.get(1)?, state: r.get(2)?, tier: r.get(3)?, runs: r.get(4)? }))
        .collect::<Result<Vec<_>, DbError>>()?;
    let more = members.len() as i64 > MEMBERS;
    members.truncate(usize::try_from(MEMBERS).unwrap_or(0));
    Ok(View { system, members, more })
}
