//! A retirement as its page and the API show it, and the tombstone it leaves.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, RequestId};
use domain::party::Party;
use domain::request::{RequestKind, RequestState};
use domain::retirement::{Life, watched_until};
use domain::stop::Surface;
use serde_json::Value;

use super::Doers;
use super::life::{self, Sign};
use super::rows::answers;
use super::stored::{self, KeptRow};
use crate::agents::assess::party_names;
use crate::args;
use crate::change::By;
use crate::db::{Db, Reads, marks};
use crate::error::Error;
use crate::requests;

/// A system's own answer that can be cited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The call's delivery.
    pub delivery: String,
    /// What it stopped.
    pub surface: Surface,
    /// When.
    pub at: DateTime<Utc>,
}

/// A row with whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownRow {
    /// The row.
    pub kept: KeptRow,
    /// Who does it now, in which capacity; `None` while nobody is there, or once it is closed.
    pub doer: Option<(Duty, Party, String)>,
    /// Who did it, or waived it, by name.
    pub closed_by: String,
    /// What the file that shows it is called.
    pub file: String,
    /// The reader may show that it is done.
    pub may_close: bool,
    /// The reader may waive it.
    pub may_waive: bool,
    /// The systems' answers that the reader may cite for it.
    pub answers: Vec<Answer>,
}

/// An owner at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// Of which duty.
    pub duty: Duty,
    /// Who.
    pub party: Party,
    /// By name, then.
    pub name: String,
}

/// A retirement, whole.
#[derive(Debug, Clone)]
pub struct View {
    /// The request: who asked, its state, the two signatures.
    pub request: requests::View,
    /// Its rows by number.
    pub rows: Vec<ShownRow>,
    /// Until when the agent is watched; `None` while it is not stopped.
    pub watched_until: Option<DateTime<Utc>>,
    /// Signs of life, newest first.
    pub signs: Vec<Sign>,
    /// The steps whose vacant signature the reader may waive.
    pub waivable: Vec<i64>,
    /// Who owned it at the end, once it is retired.
    pub owners: Vec<Owned>,
}

impl View {
    /// How many rows are closed, and how many there are.
    pub fn closed(&self) -> (usize, usize) {
        (self.rows.iter().filter(|r| !r.kept.open()).count(), self.rows.len())
    }
}

/// A retirement, for whoever may read what is asked about the agent, and for those who owned it.
pub async fn read(db: &Db, by: By<'_>, id: RequestId) -> Result<View, Error> {
    let mut reads = db;
    let missing = || Error::NotFound(format!("retirement {id}"));
    let request = requests::read(db, by, id).await.map_err(|e| match e {
        Error::NotFound(_) => missing(),
        e => e,
    })?;
    if request.kept.kind != RequestKind::Retirement {
        return Err(missing());
    }
    let agent = request.kept.agent;
    let me = by.actor.person_id();
    let rows = stored::of(&mut reads, &[id]).await?;
    let doers = Doers::read(&mut reads, &[agent], me, by.now).await?;
    let open = !request.state.ended();
    let waives =
        open && me != Some(request.kept.requester) && can(by.actor, Action::RetirementWaive, Relation::None).is_ok();
    let found: Vec<_> = rows.iter().map(|r| doers.of(agent, r.kind).filter(|_| open && r.open())).collect();
    let parties: Vec<Party> = found
        .iter()
        .flatten()
        .map(|(_, p)| *p)
        .chain(rows.iter().filter_map(|r| r.done.as_ref().and_then(|(_, by)| by.parse().ok())))
        .chain(rows.iter().filter_map(|r| r.waived.as_ref().map(|(_, by, _)| Party::Person(*by))))
        .collect();
    let names = party_names(&mut reads, parties).await?;
    let name = |p: Party| names.get(&p).cloned().unwrap_or_else(|| p.to_string());
    let files = files(&mut reads, &rows).await?;
    let cited = if open { calls(&mut reads, agent).await? } else { Vec::new() };
    let rules: Vec<_> = rows.iter().map(KeptRow::rule).collect();
    let signs = life::of(&mut reads, &[agent]).await?.remove(&agent).unwrap_or_default();
    let last_sign = signs.iter().map(|s| s.last_at).max();
    let known = Life { running: request.agent.facts.running, last_sign };
    let shown = rows
        .into_iter()
        .zip(found)
        .map(|(kept, found)| {
            let may = open && kept.open();
            let relation = if doers.mine(agent, kept.kind) { Relation::Owner } else { Relation::None };
            let closed_by = match (&kept.done, &kept.waived) {
                (Some((_, by)), _) => by.parse::<Party>().map_or_else(|_| by.clone(), name),
                (None, Some((_, by, _))) => name(Party::Person(*by)),
                (None, None) => String::new(),
            };
            ShownRow {
                doer: found.map(|(duty, party)| (duty, party, name(party))),
                closed_by,
                file: kept.evidence_sha256.as_ref().and_then(|s| files.get(s).cloned()).unwrap_or_default(),
                may_close: may && can(by.actor, Action::RetirementRow, relation).is_ok(),
                may_waive: may && waives,
                answers: cited.iter().filter(|c| may && answers(kept.kind) == Some(c.surface)).cloned().collect(),
                kept,
            }
        })
        .collect();
    let waivable = request
        .steps
        .iter()
        .filter(|s| waives && s.ready && s.decider.is_none() && s.kept.step.decided.is_none())
        .map(|s| s.kept.step.place)
        .collect();
    let owners = if request.state == RequestState::Approved { owners(&mut reads, id).await? } else { Vec::new() };
    Ok(View {
        watched_until: watched_until(&rules, request.kept.tier, known),
        rows: shown,
        signs,
        waivable,
        owners,
        request,
    })
}

/// The newest retirement of an agent, and whether the reader may open it; who owned it at the
/// end is for everybody who may see the agent.
pub async fn of_agent(
    db: &Db,
    by: By<'_>,
    agent: AgentId,
) -> Result<Option<(RequestId, RequestState, Vec<Owned>)>, Error> {
    let mut reads = db;
    requests::agent(&mut reads, by, agent).await?;
    let sql = "SELECT id FROM request WHERE agent_id = $1 AND kind = 'retirement' ORDER BY id DESC LIMIT 1";
    let Some(row) = db.one(sql, args![agent]).await? else { return Ok(None) };
    let kept = requests::stored::load(&mut reads, row.get(0)?).await?;
    let state = kept.state(by.now);
    let owned = if state == RequestState::Approved { owners(&mut reads, kept.id).await? } else { Vec::new() };
    Ok(Some((kept.id, state, owned)))
}

/// The owners at the end, as the event of the last signature keeps them.
async fn owners(reads: &mut impl Reads, id: RequestId) -> Result<Vec<Owned>, Error> {
    let sql = "SELECT e.after FROM request r JOIN audit_event e ON e.id = r.event_id WHERE r.id = $1";
    let rows = reads.rows(sql, args![id]).await?;
    let Some(row) = rows.first() else { return Ok(Vec::new()) };
    let after: Value = serde_json::from_str(&row.get::<String>(0)?).unwrap_or_default();
    let list = after["tombstone"]["owners"].as_array().cloned().unwrap_or_default();
    Ok(list
        .iter()
        .filter_map(|o| {
            let duty = o["duty"].as_str()?.parse().ok()?;
            let party: Party = o["party"].as_str()?.parse().ok()?;
            let name = o["name"].as_str().map_or_else(|| party.to_string(), str::to_owned);
            Some(Owned { duty, party, name })
        })
        .collect())
}

async fn files(reads: &mut impl Reads, rows: &[KeptRow]) -> Result<BTreeMap<String, String>, Error> {
    let wanted: Vec<String> = rows.iter().filter_map(|r| r.evidence_sha256.clone()).collect();
    let mut out = BTreeMap::new();
    for batch in wanted.chunks(500) {
        let sql = format!("SELECT sha256, name FROM evidence_file WHERE sha256 IN {}", marks(1, batch.len()));
        for r in reads.rows(sql, batch.iter().map(|s| s.as_str().into()).collect()).await? {
            out.insert(r.get(0)?, r.get(1)?);
        }
    }
    Ok(out)
}

/// The signed callbacks to stops in earnest of an agent.
async fn calls(reads: &mut impl Reads, agent: AgentId) -> Result<Vec<Answer>, Error> {
    let sql = "SELECT delivery, surface, stopped_at FROM stop_call WHERE agent_id = $1 AND stopped_at IS NOT NULL \
               AND stopping_id IS NOT NULL AND witness_id IS NULL ORDER BY id DESC LIMIT 20";
    let mut out = Vec::new();
    for r in reads.rows(sql, args![agent]).await? {
        out.push(Answer { delivery: r.get(0)?, surface: r.get(1)?, at: r.get(2)? });
    }
    Ok(out)
}
