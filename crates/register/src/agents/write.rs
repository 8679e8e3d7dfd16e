//! Registering and editing agents.

use std::collections::{BTreeMap, HashMap};

use domain::agent::{AgentFacts, CredentialUse, Lifecycle, ToolGrant};
use domain::can::{Action, Relation, can};
use domain::facts;
use domain::finding::ImportNotes;
use domain::id::{AgentId, WaveId};
use domain::{text, tier};
use serde_json::Value;

use super::assess::reassess;
use super::relation::relation;
use super::stored::{self, Agent, ToolRef};
use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Arg, Db, DbError, FOREVER, marks};
use crate::error::{Error, FieldError};
use crate::systems::stays;

/// An agent to be registered.
#[derive(Debug, Clone)]
pub struct New {
    /// What is written about it, checked by [`facts::check`].
    pub facts: AgentFacts,
    /// Where its life begins on record.
    pub state: Lifecycle,
    /// The wave it comes with.
    pub wave: Option<WaveId>,
    /// What the import noticed.
    pub notes: ImportNotes,
}

/// Checks facts and says what is wrong by JSON pointer.
pub fn checked(given: AgentFacts) -> Result<AgentFacts, Error> {
    facts::check(given).map_err(|wrong| {
        Error::Invalid(wrong.into_iter().map(|(pointer, message)| FieldError { pointer, message }).collect())
    })
}

/// Registers an agent as a draft, or as discovered when a program saw it.
pub async fn create(db: &Db, by: By<'_>, given: AgentFacts, state: Lifecycle) -> Result<Agent, Error> {
    can(by.actor, Action::AgentCreate, Relation::None)?;
    if !state.may_be_born(false) {
        return Err(Error::field(
            "/state",
            "An agent is born draft or discovered; other states are reached by decisions.",
        ));
    }
    let new = New { facts: checked(given)?, state, wave: None, notes: ImportNotes::default() };
    let mut change = Change::begin(db, by).await?;
    refuse_missing(&mut change, &new.facts).await?;
    let capacity = super::relation::capacity(by.actor, Relation::None);
    let ids = create_many(&mut change, &capacity, vec![new]).await?;
    change.commit().await?;
    read_back(db, by, ids[0]).await
}

async fn read_back(db: &Db, by: By<'_>, id: AgentId) -> Result<Agent, Error> {
    let mut reads = db;
    stored::load(&mut reads, &[id], by.now).await?.pop().ok_or_else(|| Error::NotFound(format!("agent {id}")))
}

/// Registers checked agents within a change, one event each, and assesses them.
pub async fn create_many(change: &mut Change<'_>, capacity: &str, news: Vec<New>) -> Result<Vec<AgentId>, Error> {
    let ids = insert_many(change, capacity, news).await?;
    reassess(change, &ids, true).await?;
    Ok(ids)
}

/// As [`create_many`], but leaves the assessment to the caller, who has more to write first.
pub(crate) async fn insert_many(
    change: &mut Change<'_>,
    capacity: &str,
    mut news: Vec<New>,
) -> Result<Vec<AgentId>, Error> {
    if news.is_empty() {
        return Ok(Vec::new());
    }
    spell(change, news.iter_mut().map(|n| &mut n.facts).collect()).await?;
    let shared = Shared::resolve(change, capacity, news.iter().map(|n| &n.facts)).await?;
    let first = change.next("agent", i64::try_from(news.len()).unwrap_or(0)).await?;
    let now = change.by.now;
    let actor = change.by.actor.who.to_string();
    let mut ids = Vec::with_capacity(news.len());
    let mut rows = Vec::with_capacity(news.len());
    let mut links = Links::default();
    let mut moves = Vec::new();
    for (at, new) in news.iter().enumerate() {
        let id = AgentId(first + at as i64);
        ids.push(id);
        let event = change.event(capacity, "agent.created", id);
        let mut after = describe(&new.facts);
        after["state"] = new.state.key().into();
        if let Some(w) = new.wave {
            after["wave"] = w.to_string().into();
        }
        change.describe(event, Value::Null, after);
        change.wrote(event, &change::AGENT, id.0);
        if new.facts.platform.is_some() {
            moves.push((event, id, new.facts.platform));
        }
        let mut row = args![id, 1, change.id(event), now, now, &actor, new.state.key(), now];
        row.extend(fact_args(&new.facts, &shared));
        let score = tier::score(&new.facts);
        row.extend(args![
            new.wave,
            new.notes.name_missing,
            new.notes.duplicate_of.clone().unwrap_or_default(),
            text::fold(&new.facts.name),
            text::fold(&new.facts.business_unit),
            score.tier.key(),
            i64::from(score.points),
            false,
            "",
            99,
            FOREVER,
            "",
            0,
        ]);
        rows.push(row);
        links.add(id, &new.facts, &shared);
    }
    let columns: Vec<&str> =
        ["id", "version", "event_id", "created_at", "updated_at", "created_by", "state", "state_at"]
            .into_iter()
            .chain(FACT_COLUMNS)
            .chain([
                "wave_id",
                "name_missing",
                "duplicate_of",
                "name_folded",
                "unit_folded",
                "tier",
                "tier_points",
                "runs",
                "runtime_owner",
                "runtime_owner_rank",
                "runtime_owner_until",
                "runtime_party_kind",
                "runtime_party_id",
            ])
            .collect();
    change.tx.insert("agent", &columns, rows, "").await?;
    links.write(change).await?;
    for (event, id, to) in moves {
        stays::move_to(change, event, id, to).await?;
    }
    Ok(ids)
}

/// Edits an agent. `version` is the one that was read. The boundary of an approved agent
/// is not edited in place.
pub async fn edit(
    db: &Db,
    by: By<'_>,
    id: AgentId,
    version: i64,
    given: AgentFacts,
    reason: &str,
) -> Result<Agent, Error> {
    let mut change = Change::begin(db, by).await?;
    let before = stored::load(&mut change.tx, &[id], by.now)
        .await?
        .pop()
        .ok_or_else(|| Error::NotFound(format!("agent {id}")))?;
    let relation = relation(&mut change.tx, by.actor, &before).await?;
    super::read::visible(by.actor, &before, relation)?;
    can(by.actor, Action::AgentEdit, relation)?;
    if before.version != version {
        return Err(Error::Stale(before.version));
    }
    let mut given = checked(given)?;
    refuse_missing(&mut change, &given).await?;
    spell(&mut change, vec![&mut given]).await?;
    refuse_boundary_change(&before, &given)?;
    if before.facts == given {
        return Ok(before);
    }
    let capacity = super::relation::capacity(by.actor, relation);
    edit_many(&mut change, &capacity, vec![(id, given)], reason).await?;
    change.commit().await?;
    read_back(db, by, id).await
}

/// Writes what a program saw of an agent. Of one whose boundary was approved, the boundary that
/// was seen is kept beside and flagged, and only the other facts are written.
pub async fn report(
    db: &Db,
    by: By<'_>,
    id: AgentId,
    version: i64,
    given: AgentFacts,
    source: &str,
    reason: &str,
) -> Result<Agent, Error> {
    let mut change = Change::begin(db, by).await?;
    super::moves::hold(&mut change, id).await?;
    let (before, stands) = crate::requests::agent(&mut change.tx, by, id).await?;
    if !before.state.boundary_is_approved() {
        drop(change);
        return edit(db, by, id, version, given, reason).await;
    }
    can(by.actor, Action::AgentEdit, stands)?;
    if before.version != version {
        return Err(Error::Stale(before.version));
    }
    let mut given = checked(given)?;
    prepared(&mut change, &mut given).await?;
    let capacity = super::relation::capacity(by.actor, stands);
    let mut facts = given.clone();
    domain::import::hold_boundary(&before.facts, &mut facts);
    let approved = before.facts.boundary_sha256();
    crate::requests::observed::record(&mut change, &capacity, id, source, &approved, &given).await?;
    if facts == before.facts {
        reassess(&mut change, &[id], false).await?;
    } else {
        edit_many(&mut change, &capacity, vec![(id, facts)], reason).await?;
    }
    change.commit().await?;
    read_back(db, by, id).await
}

/// Facts that a request is to be about: every reference exists, and shared records are named
/// as they are recorded.
pub(crate) async fn prepared(change: &mut Change<'_>, facts: &mut AgentFacts) -> Result<(), Error> {
    refuse_missing(change, facts).await?;
    spell(change, vec![facts]).await?;
    Ok(())
}

async fn refuse_missing(change: &mut Change<'_>, facts: &AgentFacts) -> Result<(), Error> {
    let wrong = super::read::missing_references(&mut change.tx, facts).await?;
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

fn refuse_boundary_change(before: &Agent, given: &AgentFacts) -> Result<(), Error> {
    if before.state == Lifecycle::Retired {
        return Err(Error::Conflict(format!("{} is retired: its record is closed.", before.id)));
    }
    if before.state.boundary_is_approved() && before.facts.boundary_sha256() != given.boundary_sha256() {
        return Err(Error::Conflict(format!(
            "{} is {}: what was approved is its boundary (purpose, tools, data, autonomy, exposure, environment, hosting, \
             models, identity and credential kinds), and that is not edited in place. Ask for a change of scope, or \
             change only its other facts.",
            before.id,
            before.state.label().to_lowercase()
        )));
    }
    Ok(())
}

/// Writes new, checked facts within a change, one event an agent, and assesses them again.
/// Agents whose facts are the same already are left alone. Answers the agents written.
pub async fn edit_many(
    change: &mut Change<'_>,
    capacity: &str,
    mut edits: Vec<(AgentId, AgentFacts)>,
    reason: &str,
) -> Result<Vec<AgentId>, Error> {
    spell(change, edits.iter_mut().map(|(_, f)| f).collect()).await?;
    let now = change.by.now;
    let ids: Vec<AgentId> = edits.iter().map(|(id, _)| *id).collect();
    let before: HashMap<AgentId, Agent> =
        stored::load(&mut change.tx, &ids, now).await?.into_iter().map(|a| (a.id, a)).collect();
    let shared = Shared::resolve(change, capacity, edits.iter().map(|(_, f)| f)).await?;
    let mut written = Vec::new();
    let mut links = Links::default();
    for (id, facts) in edits {
        let Some(old) = before.get(&id) else { return Err(Error::NotFound(format!("agent {id}"))) };
        if old.facts == facts {
            continue;
        }
        let event = change.event(capacity, "agent.changed", id);
        change.describe(event, describe(&old.facts), describe(&facts));
        change.because(event, reason);
        let mut args = args![id, old.version, change.id(event), now];
        args.extend(fact_args(&facts, &shared));
        args.push(Arg::from(old.notes.name_missing && old.facts.name == facts.name));
        let sets: Vec<String> = FACT_COLUMNS
            .iter()
            .chain(&["name_missing"])
            .enumerate()
            .map(|(i, c)| format!("{c} = ${}", i + 5))
            .collect();
        let sql = format!(
            "UPDATE agent SET version = version + 1, event_id = $3, updated_at = $4, {} WHERE id = $1 AND version = $2",
            sets.join(", ")
        );
        if change.tx.run(sql, args).await? != 1 {
            return Err(Error::Conflict(format!("{id} was changed by somebody else at the same moment; try again.")));
        }
        change.wrote(event, &change::AGENT, id.0);
        if old.facts.platform != facts.platform {
            stays::move_to(change, event, id, facts.platform).await?;
        }
        links.add(id, &facts, &shared);
        written.push(id);
    }
    links.forget(change, &written).await?;
    links.write(change).await?;
    crate::requests::void(change, &written).await?;
    reassess(change, &written, false).await?;
    Ok(written)
}

/// The columns that hold facts, in the order of [`fact_args`].
const FACT_COLUMNS: [&str; 24] = [
    "name",
    "purpose",
    "kind",
    "business_unit",
    "environment",
    "hosting",
    "vendor_id",
    "contract",
    "built_by",
    "operated_by",
    "parent_id",
    "external_ids",
    "labels",
    "workload_identity",
    "models",
    "autonomy",
    "exposure",
    "data_class",
    "regulated",
    "tools",
    "credentials",
    "running",
    "confidential",
    "boundary_sha256",
];

fn fact_args(f: &AgentFacts, shared: &Shared) -> Vec<Arg> {
    let json = |v: Value| domain::canonical::to_string(&v);
    let tools: Vec<ToolRef> = f
        .tools
        .iter()
        .filter_map(|t| {
            Some(ToolRef { tool: *shared.tools.get(&text::fold(&t.name))?, access: t.access, scope: t.scope.clone() })
        })
        .collect();
    let credentials: Vec<i64> =
        f.credentials.iter().filter_map(|c| shared.credentials.get(&text::fold(&c.name)).copied()).collect();
    args![
        &f.name,
        &f.purpose,
        f.kind.key(),
        &f.business_unit,
        f.environment.key(),
        f.hosting.key(),
        shared.vendors.get(&text::fold(&f.vendor)).copied(),
        &f.contract,
        f.built_by,
        f.operated_by,
        f.parent,
        json(serde_json::json!(f.external_ids)),
        json(serde_json::json!(f.labels)),
        &f.workload_identity,
        json(serde_json::json!(f.models)),
        f.autonomy.key(),
        f.exposure.key(),
        f.data.key(),
        f.regulated,
        json(serde_json::json!(tools)),
        json(serde_json::json!(credentials)),
        f.running.key(),
        f.confidential,
        f.boundary_sha256(),
    ]
}

/// The facts as the record tells them: members that say nothing are left out. The boundary's
/// hash is told with them, so that what it was at any moment can be read there.
fn describe(f: &AgentFacts) -> Value {
    let Value::Object(mut all) = serde_json::json!(f) else { return Value::Null };
    all.insert("boundary_sha256".to_owned(), f.boundary_sha256().into());
    Value::Object(
        all.into_iter()
            .filter(|(_, v)| match v {
                Value::Null => false,
                Value::String(s) => !s.is_empty(),
                Value::Array(a) => !a.is_empty(),
                Value::Object(o) => !o.is_empty(),
                _ => true,
            })
            .collect(),
    )
}

/// Names shared records as they are recorded, or as they are named first: a boundary that
/// says “jira” where the record says “Jira” is the same boundary, and hashes alike.
async fn spell(change: &mut Change<'_>, mut facts: Vec<&mut AgentFacts>) -> Result<(), DbError> {
    for (table, names) in [
        ("tool", tool_names as fn(&mut AgentFacts) -> Vec<&mut String>),
        ("credential", credential_names),
        ("vendor", vendor_name),
    ] {
        let mut spelled: BTreeMap<String, String> = BTreeMap::new();
        for name in facts.iter_mut().flat_map(|f| names(f)) {
            spelled.entry(text::fold(name)).or_insert_with(|| name.clone());
        }
        for r in known(change, table, "name_folded, name", spelled.keys()).await? {
            spelled.insert(r.get(0)?, r.get(1)?);
        }
        for name in facts.iter_mut().flat_map(|f| names(f)) {
            if let Some(recorded) = spelled.get(&text::fold(name)) {
                name.clone_from(recorded);
            }
        }
    }
    Ok(())
}

fn tool_names(f: &mut AgentFacts) -> Vec<&mut String> {
    f.tools.iter_mut().map(|t| &mut t.name).collect()
}

fn credential_names(f: &mut AgentFacts) -> Vec<&mut String> {
    f.credentials.iter_mut().map(|c| &mut c.name).collect()
}

fn vendor_name(f: &mut AgentFacts) -> Vec<&mut String> {
    if f.vendor.is_empty() { Vec::new() } else { vec![&mut f.vendor] }
}

/// The shared records that facts name: found by folded name, made when new.
#[derive(Debug, Default)]
struct Shared {
    tools: HashMap<String, i64>,
    credentials: HashMap<String, i64>,
    vendors: HashMap<String, i64>,
}

impl Shared {
    async fn resolve(
        change: &mut Change<'_>,
        capacity: &str,
        facts: impl Iterator<Item = &AgentFacts> + Clone,
    ) -> Result<Self, Error> {
        let mut out = Self::default();
        let mut tools: BTreeMap<String, &ToolGrant> = BTreeMap::new();
        let mut credentials: BTreeMap<String, &CredentialUse> = BTreeMap::new();
        let mut vendors: BTreeMap<String, &str> = BTreeMap::new();
        for f in facts {
            for t in &f.tools {
                if let Some(o) = tools.insert(text::fold(&t.name), t)
                    && (o.kind, o.sensitivity) != (t.kind, t.sensitivity)
                {
                    return Err(Error::field("/tools", format!("“{}” is described in two ways.", t.name)));
                }
            }
            for c in &f.credentials {
                if let Some(o) = credentials.insert(text::fold(&c.name), c)
                    && o.kind != c.kind
                {
                    return Err(Error::field("/credentials", format!("“{}” is described in two ways.", c.name)));
                }
            }
            if !f.vendor.is_empty() {
                vendors.insert(text::fold(&f.vendor), &f.vendor);
            }
        }
        for r in known(change, "tool", "name_folded, id, kind, sensitivity, name", tools.keys()).await? {
            let folded: String = r.get(0)?;
            let (kind, sensitivity): (String, String) = (r.get(2)?, r.get(3)?);
            if let Some(t) = tools.get(&folded)
                && (kind.as_str(), sensitivity.as_str()) != (t.kind.key(), t.sensitivity.key())
            {
                return Err(Error::field(
                    "/tools",
                    format!(
                        "“{}” is already recorded as {kind} of {sensitivity} sensitivity, shared by every agent that \
                         uses it: use these, or another name.",
                        r.get::<String>(4)?
                    ),
                ));
            }
            out.tools.insert(folded, r.get(1)?);
        }
        for r in known(
            change,
            "credential",
            "name_folded, id, kind, name, ttl_seconds, kept_in, last_rotated",
            credentials.keys(),
        )
        .await?
        {
            let folded: String = r.get(0)?;
            let id: i64 = r.get(1)?;
            if let Some(c) = credentials.get(&folded) {
                if r.get::<String>(2)? != c.kind.key() {
                    return Err(Error::field(
                        "/credentials",
                        format!(
                            "“{}” is already recorded as {}, shared by every agent that uses it: use that kind, or \
                             another name.",
                            r.get::<String>(3)?,
                            r.get::<String>(2)?
                        ),
                    ));
                }
                let stored: (Option<i64>, String, String) = (r.get(4)?, r.get(5)?, r.get(6)?);
                if stored != (c.ttl_seconds, c.kept_in.clone(), c.last_rotated.clone()) {
                    let event = change.event(capacity, "credential.changed", format!("credential/{id}"));
                    change.describe(
                        event,
                        serde_json::json!({"ttl_seconds": stored.0, "kept_in": stored.1, "last_rotated": stored.2}),
                        serde_json::json!({"ttl_seconds": c.ttl_seconds, "kept_in": c.kept_in, "last_rotated": c.last_rotated}),
                    );
                    let args = args![id, change.id(event), c.ttl_seconds, &c.kept_in, &c.last_rotated];
                    change
                        .tx
                        .run(
                            "UPDATE credential SET event_id = $2, ttl_seconds = $3, kept_in = $4, last_rotated = $5 \
                             WHERE id = $1",
                            args,
                        )
                        .await?;
                    change.wrote(event, &change::CREDENTIAL, id);
                }
            }
            out.credentials.insert(folded, id);
        }
        for r in known(change, "vendor", "name_folded, id", vendors.keys()).await? {
            out.vendors.insert(r.get(0)?, r.get(1)?);
        }
        out.make(change, capacity, tools, credentials, vendors).await?;
        Ok(out)
    }

    async fn make(
        &mut self,
        change: &mut Change<'_>,
        capacity: &str,
        tools: BTreeMap<String, &ToolGrant>,
        credentials: BTreeMap<String, &CredentialUse>,
        vendors: BTreeMap<String, &str>,
    ) -> Result<(), Error> {
        for (folded, t) in tools.into_iter().filter(|(f, _)| !self.tools.contains_key(f)).collect::<Vec<_>>() {
            let id = change.next("tool", 1).await?;
            let event = change.event(capacity, "tool.recorded", format!("tool/{id}"));
            change.describe(
                event,
                Value::Null,
                serde_json::json!({"name": t.name, "kind": t.kind, "sensitivity": t.sensitivity}),
            );
            let row = args![id, change.id(event), &t.name, &folded, t.kind.key(), t.sensitivity.key()];
            change
                .tx
                .insert("tool", &["id", "event_id", "name", "name_folded", "kind", "sensitivity"], vec![row], "")
                .await?;
            change.wrote(event, &change::TOOL, id);
            self.tools.insert(folded, id);
        }
        for (folded, c) in
            credentials.into_iter().filter(|(f, _)| !self.credentials.contains_key(f)).collect::<Vec<_>>()
        {
            let id = change.next("credential", 1).await?;
            let event = change.event(capacity, "credential.recorded", format!("credential/{id}"));
            change.describe(event, Value::Null, serde_json::json!(c));
            let row =
                args![id, change.id(event), &c.name, &folded, c.kind.key(), c.ttl_seconds, &c.kept_in, &c.last_rotated];
            change
                .tx
                .insert(
                    "credential",
                    &["id", "event_id", "name", "name_folded", "kind", "ttl_seconds", "kept_in", "last_rotated"],
                    vec![row],
                    "",
                )
                .await?;
            change.wrote(event, &change::CREDENTIAL, id);
            self.credentials.insert(folded, id);
        }
        for (folded, name) in vendors.into_iter().filter(|(f, _)| !self.vendors.contains_key(f)).collect::<Vec<_>>() {
            let id = change.next("vendor", 1).await?;
            let event = change.event(capacity, "vendor.recorded", format!("vendor/{id}"));
            change.describe(event, Value::Null, serde_json::json!({"name": name}));
            let row = args![id, change.id(event), name, &folded];
            change.tx.insert("vendor", &["id", "event_id", "name", "name_folded"], vec![row], "").await?;
            change.wrote(event, &change::VENDOR, id);
            self.vendors.insert(folded, id);
        }
        Ok(())
    }
}

async fn known(
    change: &mut Change<'_>,
    table: &str,
    columns: &str,
    folded: impl Iterator<Item = &String>,
) -> Result<Vec<crate::db::Row>, DbError> {
    let names: Vec<&String> = folded.collect();
    let mut rows = Vec::new();
    for batch in names.chunks(500) {
        let sql = format!("SELECT {columns} FROM {table} WHERE name_folded IN {}", marks(1, batch.len()));
        rows.extend(change.tx.all(sql, batch.iter().map(|n| Arg::from(n.as_str())).collect()).await?);
    }
    Ok(rows)
}

/// The derived tables that say which agents use a shared record or have an external id.
#[derive(Debug, Default)]
struct Links {
    external: Vec<Vec<Arg>>,
    tools: Vec<Vec<Arg>>,
    credentials: Vec<Vec<Arg>>,
}

impl Links {
    fn add(&mut self, id: AgentId, facts: &AgentFacts, shared: &Shared) {
        for e in &facts.external_ids {
            self.external.push(args![&e.source, &e.id, id]);
        }
        for t in &facts.tools {
            if let Some(tool) = shared.tools.get(&text::fold(&t.name)) {
                self.tools.push(args![*tool, id]);
            }
        }
        for c in &facts.credentials {
            if let Some(credential) = shared.credentials.get(&text::fold(&c.name)) {
                self.credentials.push(args![*credential, id]);
            }
        }
    }

    async fn forget(&self, change: &mut Change<'_>, ids: &[AgentId]) -> Result<(), DbError> {
        for batch in ids.chunks(500) {
            for table in ["agent_external", "agent_tool", "agent_credential"] {
                let sql = format!("DELETE FROM {table} WHERE agent_id IN {}", marks(1, batch.len()));
                change.tx.run(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await?;
            }
        }
        Ok(())
    }

    async fn write(self, change: &mut Change<'_>) -> Result<(), Error> {
        change.tx.insert("agent_external", &["source", "external_id", "agent_id"], self.external, "").await.map_err(
            |e| Error::unique(e, "Another agent already has this external id; an id of a source names one agent."),
        )?;
        change.tx.insert("agent_tool", &["tool_id", "agent_id"], self.tools, "").await?;
        change.tx.insert("agent_credential", &["credential_id", "agent_id"], self.credentials, "").await?;
        Ok(())
    }
}
