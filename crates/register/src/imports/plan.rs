//! The plan: what an import would do to the register as it is now, row by row.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::agent::{AgentFacts, Lifecycle};
use domain::can::{Action, Relation, can};
use domain::facts;
use domain::finding::ImportNotes;
use domain::id::AgentId;
use domain::import::row::Refused;
use domain::import::{FieldChange, Imported, Note, Outcome};
use domain::text::fold;
use sha2::{Digest as _, Sha256};

use super::parties::{self, Appointment, Directory, Held};
use super::shared::Shared;
use super::stage::Staged;
use crate::agents::{Agent, stored};
use crate::args;
use crate::assignments::Mode;
use crate::change::By;
use crate::db::{Arg, Db, Reads, marks};
use crate::error::Error;

/// How many rows there are of each sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All rows with something in them.
    pub rows: usize,
    /// Rows that become agents.
    pub new: usize,
    /// Rows that change an agent.
    pub changed: usize,
    /// Rows that change nothing.
    pub unchanged: usize,
    /// Rows that cannot be taken.
    pub refused: usize,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rows, new, changed, unchanged, refused } = self;
        write!(f, "rows {rows} new {new} changed {changed} unchanged {unchanged} refused {refused}")
    }
}

/// What becomes of a row.
#[derive(Debug, Clone)]
pub enum Fate {
    /// A new agent.
    New {
        /// Its facts, checked.
        facts: Box<AgentFacts>,
        /// Where its record begins.
        state: Lifecycle,
        /// What the import keeps on record about the row.
        record: ImportNotes,
    },
    /// An agent on record changes.
    Changed {
        /// Which.
        agent: AgentId,
        /// Its facts afterwards, checked; absent when only owners come.
        facts: Option<Box<AgentFacts>>,
        /// What differs.
        changes: Vec<FieldChange>,
    },
    /// An agent on record stays as it is.
    Unchanged {
        /// Which.
        agent: AgentId,
    },
    /// The row cannot be taken.
    Refused {
        /// Why.
        reason: String,
    },
}

/// One row of the plan.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its number in the file.
    pub row: usize,
    /// Its key, number included.
    pub key: String,
    /// What it calls the agent.
    pub name: String,
    /// What becomes of it.
    pub fate: Fate,
    /// What the approved boundary keeps out.
    pub drift: Vec<FieldChange>,
    /// What the row tells of an agent whose boundary was approved, and the approved hash.
    pub seen: Option<(AgentId, Box<AgentFacts>, String)>,
    /// Owners to be asked or recorded.
    pub appointments: Vec<Appointment>,
    /// What was taken otherwise than it was written, and what else is worth saying.
    pub notes: Vec<Note>,
}

/// The whole of it.
#[derive(Debug, Clone)]
pub struct Plan {
    /// One line a row, in order.
    pub lines: Vec<Line>,
    /// How many of each sort.
    pub counts: Counts,
    /// Rows whose approved boundary the file contradicts.
    pub drifting: usize,
    /// Rows without a name.
    pub unnamed: usize,
    /// Rows whose key was seen before.
    pub duplicates: usize,
    /// Owners and teams that are nobody on record: capacity, name, rows; the most frequent first.
    pub unmatched: Vec<(String, String, usize)>,
    /// Owners to be asked or recorded, in all.
    pub appointed: usize,
    /// SHA-256 over all of it: whether what is done is what was shown.
    pub digest: String,
}

/// The plan as the register is now, for whoever may import.
pub async fn preview(db: &Db, by: By<'_>, staged: &Staged, mode: Mode) -> Result<Plan, Error> {
    can(by.actor, Action::ImportRun, Relation::None)?;
    let mut reads = db;
    compare(&mut reads, by, staged, mode).await
}

/// Compares a staged file with the register, within a transaction or beside one.
pub async fn compare(reads: &mut impl Reads, by: By<'_>, staged: &Staged, mode: Mode) -> Result<Plan, Error> {
    let rows: Vec<&Imported> = staged
        .outcomes
        .iter()
        .filter_map(|o| match o {
            Outcome::Row(row) => Some(&**row),
            Outcome::Refused(_) => None,
        })
        .collect();
    let known = known(reads, &staged.mapping.source).await?;
    let mut ids: Vec<AgentId> = rows.iter().filter_map(|r| known.find(&r.key)).collect();
    ids.sort_unstable();
    ids.dedup();
    let agents: HashMap<AgentId, Agent> =
        stored::load(reads, &ids, by.now).await?.into_iter().map(|a| (a.id, a)).collect();
    let asked: Vec<AgentId> = if rows.iter().any(|r| !r.owners.is_empty()) { ids } else { Vec::new() };
    let held = parties::held(reads, &asked, by.now).await?;
    let directory = Directory::of(reads, &rows).await?;
    let shared = Shared::of(reads, &rows, &staged.mapping).await?;
    let taken = other_ids(reads, &rows).await?;
    let mut comparing = Comparing {
        by,
        mode,
        known,
        agents,
        held,
        directory,
        shared,
        taken,
        claimed: HashMap::new(),
        spoken: HashMap::new(),
    };
    let mut lines = Vec::with_capacity(staged.outcomes.len());
    for outcome in &staged.outcomes {
        lines.push(match outcome {
            Outcome::Refused(r) => refused(r),
            Outcome::Row(row) => comparing.line(row),
        });
    }
    name_teams(reads, &mut lines).await?;
    Ok(finished(lines))
}

fn refused(r: &Refused) -> Line {
    Line {
        row: r.row,
        key: r.key.clone(),
        name: r.name.clone(),
        fate: Fate::Refused { reason: r.reason.clone() },
        drift: Vec::new(),
        seen: None,
        appointments: Vec::new(),
        notes: Vec::new(),
    }
}

/// The agents that a source names, by the ids it gave them.
struct Known {
    exact: HashMap<String, AgentId>,
    folded: HashMap<String, AgentId>,
}

impl Known {
    fn find(&self, key: &str) -> Option<AgentId> {
        self.exact.get(key).or_else(|| self.folded.get(&fold(key))).copied()
    }
}

async fn known(reads: &mut impl Reads, source: &str) -> Result<Known, Error> {
    let rows = reads
        .rows("SELECT external_id, agent_id FROM agent_external WHERE source = $1 ORDER BY external_id", args![source])
        .await?;
    let mut out = Known { exact: HashMap::with_capacity(rows.len()), folded: HashMap::with_capacity(rows.len()) };
    for r in rows {
        let (key, agent): (String, AgentId) = (r.get(0)?, r.get(1)?);
        out.folded.entry(fold(&key)).or_insert(agent);
        out.exact.insert(key, agent);
    }
    Ok(out)
}

/// Ids of other sources that the rows mention and agents on record have.
async fn other_ids(reads: &mut impl Reads, rows: &[&Imported]) -> Result<HashMap<(String, String), AgentId>, Error> {
    let mut by_source: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for id in rows.iter().flat_map(|r| r.said.external_ids.iter().skip(1)) {
        by_source.entry(&id.source).or_default().insert(&id.id);
    }
    let mut out = HashMap::new();
    for (source, ids) in by_source {
        let ids: Vec<&str> = ids.into_iter().collect();
        for batch in ids.chunks(500) {
            let sql = format!(
                "SELECT external_id, agent_id FROM agent_external WHERE source = $1 AND external_id IN {}",
                marks(2, batch.len())
            );
            let mut list = args![source];
            list.extend(batch.iter().map(|i| Arg::from(*i)));
            for r in reads.rows(sql, list).await? {
                out.insert((source.to_owned(), r.get(0)?), r.get(1)?);
            }
        }
    }
    Ok(out)
}

struct Comparing<'a> {
    by: By<'a>,
    mode: Mode,
    known: Known,
    agents: HashMap<AgentId, Agent>,
    held: HashMap<AgentId, Vec<Held>>,
    directory: Directory,
    shared: Shared,
    /// Ids of other sources that agents on record have.
    taken: HashMap<(String, String), AgentId>,
    /// Ids of other sources that an earlier row has.
    claimed: HashMap<(String, String), usize>,
    /// Which row spoke for which agent.
    spoken: HashMap<AgentId, usize>,
}

impl Comparing<'_> {
    fn line(&mut self, row: &Imported) -> Line {
        let agent = self.known.find(&row.key).and_then(|id| self.agents.get(&id)).cloned();
        let mut notes = row.notes.clone();
        let mut seen = None;
        let (fate, drift) = match &agent {
            Some(agent) => self.on_record(row, agent, &mut notes, &mut seen),
            None => (self.fresh(row, &mut notes), Vec::new()),
        };
        if matches!(fate, Fate::Refused { .. }) {
            return Line {
                row: row.row,
                key: row.key.clone(),
                name: row.name.clone(),
                fate,
                drift,
                seen: None,
                appointments: vec![],
                notes,
            };
        }
        let held = agent.as_ref().map(|a| (a, self.held.get(&a.id).map_or(&[][..], Vec::as_slice)));
        let appointments = parties::appointments(row, &self.directory, held, self.by, self.mode, &mut notes);
        let fate = match fate {
            Fate::Unchanged { agent } if !appointments.is_empty() => {
                Fate::Changed { agent, facts: None, changes: Vec::new() }
            }
            fate => fate,
        };
        let name = agent.map_or_else(|| row.name.clone(), |a| a.facts.name);
        Line { row: row.row, key: row.key.clone(), name, fate, drift, seen, appointments, notes }
    }

    fn fresh(&mut self, row: &Imported, notes: &mut Vec<Note>) -> Fate {
        let mut said = row.said.clone();
        let mut record = row.record.clone();
        self.shared.settle(&mut said, None, notes);
        if let Some(other) = self.own_ids(row, &mut said, None, notes) {
            record.duplicate_of.get_or_insert(other);
        }
        let mut facts = said.upon(&AgentFacts::named(&row.name), notes);
        facts.built_by = self.directory.team("Built by", &row.built_by, notes);
        facts.operated_by = self.directory.team("Operated by", &row.operated_by, notes);
        match facts::check(facts) {
            Ok(facts) => Fate::New { facts: Box::new(facts), state: row.state, record },
            Err(wrong) => Fate::Refused { reason: sentences(&wrong) },
        }
    }

    fn on_record(
        &mut self,
        row: &Imported,
        agent: &Agent,
        notes: &mut Vec<Note>,
        seen: &mut Option<(AgentId, Box<AgentFacts>, String)>,
    ) -> (Fate, Vec<FieldChange>) {
        let id = agent.id;
        if let Some(earlier) = self.spoken.insert(id, row.row) {
            self.spoken.insert(id, earlier);
            let reason = format!("Row {earlier} speaks for {id} already, which has the ids of both rows.");
            return (Fate::Refused { reason }, Vec::new());
        }
        let mut said = row.said.clone();
        self.shared.settle(&mut said, Some(&agent.facts), notes);
        self.own_ids(row, &mut said, Some(id), notes);
        let row = Imported { said, ..row.clone() };
        let compared = domain::import::compare(&row, &agent.facts, agent.state);
        notes.extend(compared.notes);
        *seen = compared.seen.map(|facts| (id, Box::new(facts), agent.facts.boundary_sha256()));
        let (mut facts, mut changes) = (compared.facts, compared.changes);
        if agent.state == Lifecycle::Retired {
            // Teams are read by name here, so that only here can be seen whether they differ.
            let mut unsaid = Vec::new();
            let built = self.directory.team("Built by", &row.built_by, &mut unsaid);
            let operated = self.directory.team("Operated by", &row.operated_by, &mut unsaid);
            let differ = (built.is_some() && built != agent.facts.built_by)
                || (operated.is_some() && operated != agent.facts.operated_by);
            if differ && !notes.iter().any(|n| matches!(n, Note::RecordClosed | Note::SignOfLife)) {
                notes.push(Note::RecordClosed);
            }
        } else {
            let built = self.directory.team("Built by", &row.built_by, notes);
            let operated = self.directory.team("Operated by", &row.operated_by, notes);
            if built.is_some() || operated.is_some() {
                facts.built_by = built.or(facts.built_by);
                facts.operated_by = operated.or(facts.operated_by);
                changes = domain::import::diff::changes(&agent.facts, &facts);
            }
        }
        if changes.is_empty() {
            return (Fate::Unchanged { agent: id }, compared.drift);
        }
        match facts::check(facts) {
            Ok(facts) => (Fate::Changed { agent: id, facts: Some(Box::new(facts)), changes }, compared.drift),
            Err(wrong) => (Fate::Refused { reason: sentences(&wrong) }, compared.drift),
        }
    }

    /// Leaves out ids of other sources that belong to somebody else. Answers whose the
    /// first of them is.
    fn own_ids(
        &mut self,
        row: &Imported,
        said: &mut domain::import::row::Said,
        agent: Option<AgentId>,
        notes: &mut Vec<Note>,
    ) -> Option<String> {
        let mut other = None;
        let own = said.external_ids.first().cloned();
        let rest: Vec<_> = said.external_ids.drain(..).skip(1).collect();
        said.external_ids.extend(own);
        for id in rest {
            let pair = (id.source.clone(), id.id.clone());
            let whose = self.taken.get(&pair).copied().filter(|w| Some(*w) != agent);
            let earlier = self.claimed.get(&pair).copied();
            if whose.is_none() && earlier.is_none() {
                self.claimed.insert(pair, row.row);
                said.external_ids.push(id);
                continue;
            }
            other.get_or_insert_with(|| {
                whose.map_or_else(|| format!("{}: {}", id.source, id.id), |agent| agent.to_string())
            });
            notes.push(Note::IdTaken { source: id.source, id: id.id, agent: whose });
        }
        other
    }
}

fn sentences(wrong: &[facts::Wrong]) -> String {
    wrong.iter().map(|(_, m)| m.as_str()).collect::<Vec<_>>().join(" ")
}

/// Teams in a comparison are read by name, not by reference.
async fn name_teams(reads: &mut impl Reads, lines: &mut [Line]) -> Result<(), Error> {
    let is_team = |c: &FieldChange| matches!(c.field.as_str(), "built_by" | "operated_by");
    let number = |s: &str| s.strip_prefix("TE-").and_then(|n| n.parse::<i64>().ok());
    let mut teams = BTreeSet::new();
    for line in lines.iter() {
        if let Fate::Changed { changes, .. } = &line.fate {
            teams.extend(
                changes.iter().filter(|c| is_team(c)).flat_map(|c| [number(&c.before), number(&c.after)]).flatten(),
            );
        }
    }
    let names = parties::team_names(reads, &teams).await?;
    for line in lines {
        if let Fate::Changed { changes, .. } = &mut line.fate {
            for c in changes.iter_mut().filter(|c| is_team(c)) {
                for side in [&mut c.before, &mut c.after] {
                    if let Some(name) = number(side).and_then(|n| names.get(&n)) {
                        *side = format!("{name} ({side})");
                    }
                }
            }
        }
    }
    Ok(())
}

fn finished(lines: Vec<Line>) -> Plan {
    let mut counts = Counts { rows: lines.len(), ..Counts::default() };
    let mut hash = Sha256::new();
    let mut unmatched: BTreeMap<(String, String), usize> = BTreeMap::new();
    let (mut drifting, mut unnamed, mut duplicates, mut appointed) = (0, 0, 0, 0);
    for line in &lines {
        match &line.fate {
            Fate::New { .. } => counts.new += 1,
            Fate::Changed { .. } => counts.changed += 1,
            Fate::Unchanged { .. } => counts.unchanged += 1,
            Fate::Refused { .. } => counts.refused += 1,
        }
        hash.update(format!("{line:?}").as_bytes());
        drifting += usize::from(!line.drift.is_empty());
        unnamed += usize::from(line.notes.contains(&Note::NameMissing));
        duplicates += usize::from(line.notes.iter().any(|n| matches!(n, Note::Duplicate(_))));
        appointed += line.appointments.len();
        for (what, name) in line.notes.iter().filter_map(Note::unmatched) {
            *unmatched.entry((what.to_owned(), name.to_owned())).or_default() += 1;
        }
    }
    let mut unmatched: Vec<(String, String, usize)> = unmatched.into_iter().map(|((w, n), c)| (w, n, c)).collect();
    unmatched.sort_by_key(|(_, _, n)| std::cmp::Reverse(*n));
    let digest = hex::encode(hash.finalize());
    Plan { lines, counts, drifting, unnamed, duplicates, unmatched, appointed, digest }
}
