//! Applying a staged file: one wave, one transaction, all of it or none.

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::Running;
use domain::assignment::RaciRole;
use domain::can::{Action, Relation, can};
use domain::id::{AgentId, PersonId, WaveId};
use domain::import::Note;
use domain::text;
use serde_json::{Value, json};

use super::mappings;
use super::parties::{self, Appointment};
use super::plan::{Counts, Fate, Plan, compare};
use super::stage::Staged;
use crate::agents::assess::reassess;
use crate::agents::relation::capacity;
use crate::agents::write::{New, create_many, edit_many};
use crate::args;
use crate::assignments::{self, Mode, REASON_MAX, Wanted};
use crate::change::{self, By, Change, EventRef};
use crate::db::{Db, Reads};
use crate::error::{Checked, Error};
use crate::{rules, settings};

/// Agents that are made at a time: what is in memory stays small.
const BATCH: usize = 2_000;

/// What whoever imports decides beside the mapping.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Who answers for the wave.
    pub owner: Option<PersonId>,
    /// In how many days its gaps are to be closed; by default as the settings say.
    pub target_days: Option<i64>,
    /// Whether owners of the file are asked, or recorded as accepted.
    pub owners: Mode,
    /// Why they may be recorded.
    pub reason: String,
    /// The digest of the plan that was shown, if one was: nothing else is done.
    pub seen: Option<String>,
}

impl Default for Wish {
    fn default() -> Self {
        Self { owner: None, target_days: None, owners: Mode::Offer, reason: String::new(), seen: None }
    }
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The wave; none when nothing changed.
    pub wave: Option<WaveId>,
    /// How many rows of each sort.
    pub counts: Counts,
    /// Owners that were asked or recorded.
    pub appointed: usize,
    /// Duties that standing rules offered or recorded.
    pub by_rules: usize,
    /// Its target date.
    pub target_at: Option<DateTime<Utc>>,
}

/// How far it is: rows written, of how many.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Send + Sync);

/// Applies a staged file to the register as it is now.
pub async fn apply(
    db: &Db,
    by: By<'_>,
    staged: &Staged,
    wish: &Wish,
    progress: Progress<'_>,
) -> Result<Applied, Error> {
    can(by.actor, Action::ImportRun, Relation::None)?;
    let reason = reason(by, wish)?;
    let mut change = Change::begin(db, by).await?;
    // One import at a time: on PostgreSQL two of one file would not see each other.
    change.tx.run("UPDATE sequence SET last = last WHERE noun = 'wave'", args![]).await?;
    let target_at = target(&mut change.tx, by, wish).await?;
    let plan = compare(&mut change.tx, by, staged, wish.owners).await?;
    if wish.seen.as_ref().is_some_and(|seen| *seen != plan.digest) {
        return Err(Error::Conflict(
            "The register has changed since this was shown. Look at what would happen now, then apply it.".into(),
        ));
    }
    let capacity = capacity(by.actor, Relation::None);
    observe(&mut change, &capacity, staged, &plan).await?;
    if plan.counts.new + plan.counts.changed == 0 {
        repeated(&mut change, &capacity, staged, &plan).await?;
        change.commit().await?;
        return Ok(Applied { wave: None, counts: plan.counts, appointed: 0, by_rules: 0, target_at: None });
    }
    let wave = WaveId(change.next("wave", 1).await?);
    let event = announce(&mut change, &capacity, wave, staged, &plan, wish, target_at).await?;
    mappings::keep(&mut change, event, &staged.mapping).await?;
    let (appointed, by_rules) =
        write(&mut change, &capacity, wave, staged, &plan, wish.owners, &reason, progress).await?;
    let counts = plan.counts;
    change.commit().await?;
    Ok(Applied { wave: Some(wave), counts, appointed, by_rules, target_at: Some(target_at) })
}

/// Recording present owners is a security lead's statement, with a reason.
fn reason(by: By<'_>, wish: &Wish) -> Result<String, Error> {
    let reason =
        text::prose(&wish.reason, "The reason", REASON_MAX).map_err(|e| Error::field("/reason", e.to_string()))?;
    if wish.owners == Mode::Record {
        can(by.actor, Action::AssignmentRecord, Relation::None)?;
        if reason.is_empty() {
            return Err(Error::field("/reason", "Say how you know that they own it already."));
        }
    }
    Ok(reason)
}

async fn target(reads: &mut impl Reads, by: By<'_>, wish: &Wish) -> Result<DateTime<Utc>, Error> {
    let mut wrong = Checked::default();
    let days = match wish.target_days {
        Some(days) => days,
        None => settings::load(reads).await?.0.wave_days,
    };
    if !(1..=730).contains(&days) {
        wrong.refuse("/target_days", "The target date lies 1 to 730 days ahead.");
    }
    if let Some(owner) = wish.owner
        && !parties::active(reads, owner).await?
    {
        wrong.refuse("/owner", format!("{owner} is no active person: name who answers for this import."));
    }
    wrong.done()?;
    Ok(by.now + TimeDelta::days(days))
}

/// The wave and its event. The row comes before the agents that name it.
async fn announce(
    change: &mut Change<'_>,
    capacity: &str,
    wave: WaveId,
    staged: &Staged,
    plan: &Plan,
    wish: &Wish,
    target_at: DateTime<Utc>,
) -> Result<EventRef, Error> {
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let Counts { rows, new, changed, unchanged, refused } = plan.counts;
    let event = change.event(capacity, "import.applied", wave);
    change.describe(
        event,
        Value::Null,
        json!({
            "title": staged.file, "source": staged.mapping.source, "file_sha256": staged.sha256,
            "owner": wish.owner, "target_at": domain::record::timestamp(target_at), "plan_sha256": plan.digest,
            "rows_read": rows, "new": new, "changed": changed, "unchanged": unchanged, "refused": refused,
        }),
    );
    let row = args![
        wave,
        change.id(event),
        &staged.file,
        &staged.mapping.source,
        &staged.sha256,
        wish.owner,
        target_at,
        change.by.now,
        count(rows),
        count(new),
        count(changed),
        count(unchanged),
        count(refused),
    ];
    let columns = [
        "id",
        "event_id",
        "title",
        "source",
        "file_sha256",
        "owner_id",
        "target_at",
        "at",
        "row_count",
        "created",
        "changed",
        "unchanged",
        "refused",
    ];
    change.tx.insert("wave", &columns, vec![row], "").await?;
    change.wrote(event, &change::WAVE, wave.0);
    Ok(event)
}

#[expect(clippy::too_many_arguments, reason = "one step of `apply`, told apart for reading")]
async fn write(
    change: &mut Change<'_>,
    capacity: &str,
    wave: WaveId,
    staged: &Staged,
    plan: &Plan,
    mode: Mode,
    reason: &str,
    progress: Progress<'_>,
) -> Result<(usize, usize), Error> {
    let total = plan.counts.new + plan.counts.changed;
    let mut done = 0;
    let mut owned: Vec<(AgentId, &[Appointment])> = Vec::new();
    let edits: Vec<_> = plan
        .lines
        .iter()
        .filter_map(|l| match &l.fate {
            Fate::Changed { agent, facts, .. } => {
                owned.push((*agent, &l.appointments));
                facts.as_ref().map(|f| (*agent, (**f).clone()))
            }
            _ => None,
        })
        .collect();
    let why = format!("Imported from {} ({wave})", staged.mapping.source);
    for batch in edits.chunks(BATCH) {
        edit_many(change, capacity, batch.to_vec(), &why).await?;
        done += batch.len();
        progress(done, total);
    }
    let fresh: Vec<_> = plan.lines.iter().filter(|l| matches!(l.fate, Fate::New { .. })).collect();
    for batch in fresh.chunks(BATCH) {
        let news = batch
            .iter()
            .filter_map(|l| match &l.fate {
                Fate::New { facts, state, record } => {
                    Some(New { facts: (**facts).clone(), state: *state, wave: Some(wave), notes: record.clone() })
                }
                _ => None,
            })
            .collect();
        let ids = create_many(change, capacity, news).await?;
        owned.extend(ids.into_iter().zip(batch.iter().map(|l| l.appointments.as_slice())));
        done += batch.len();
        progress(done, total);
    }
    let came: Vec<AgentId> = owned.iter().map(|(id, _)| *id).collect();
    owned.retain(|(_, a)| !a.is_empty());
    let appointed = appoint(change, capacity, &owned, mode, if reason.is_empty() { &why } else { reason }).await?;
    // Whoever the file names comes first: a rule asks only where nobody is asked.
    let by_rules = rules::at_import(change, &came, mode == Mode::Record).await?;
    Ok((appointed, by_rules))
}

/// Records what the file tells of agents whose boundary was approved: drift, or that there is
/// none any more.
async fn observe(change: &mut Change<'_>, capacity: &str, staged: &Staged, plan: &Plan) -> Result<(), Error> {
    let mut touched = Vec::new();
    for (id, facts, approved) in plan.lines.iter().filter_map(|l| l.seen.as_ref()) {
        if crate::requests::observed::record(change, capacity, *id, &staged.mapping.source, approved, facts).await? {
            touched.push(*id);
        }
    }
    let runs = plan.lines.iter().filter_map(|l| match &l.fate {
        Fate::Unchanged { agent } if l.notes.contains(&Note::SignOfLife) => Some(*agent),
        Fate::Changed { agent, facts: Some(facts), .. } if facts.running == Running::Yes => Some(*agent),
        _ => None,
    });
    let runs: Vec<AgentId> = runs.collect();
    crate::retirements::life::seen(change, capacity, &staged.mapping.source, &runs).await?;
    crate::agents::assess::reassess(change, &touched, false).await
}

/// Asks or records the owners that the file names, one event a duty, as anywhere else.
async fn appoint(
    change: &mut Change<'_>,
    capacity: &str,
    owned: &[(AgentId, &[Appointment])],
    mode: Mode,
    reason: &str,
) -> Result<usize, Error> {
    let count: usize = owned.iter().map(|(_, a)| a.len()).sum();
    if count == 0 {
        return Ok(0);
    }
    let mut next = change.next("assignment", i64::try_from(count).unwrap_or(0)).await?;
    let action = match mode {
        Mode::Offer => "assignment.offered",
        Mode::Record => "assignment.recorded",
    };
    let mut rows = Vec::with_capacity(count);
    for (agent, appointments) in owned {
        for a in *appointments {
            let event = change.event(capacity, action, agent);
            change.describe(event, Value::Null, json!({"duty": a.duty, "role": "A", "party": a.party, "name": a.name}));
            change.because(event, reason);
            let wanted = Wanted { duty: a.duty, party: a.party, role: RaciRole::Accountable };
            rows.push(assignments::row(change, event, next, (*agent).into(), wanted, mode, reason));
            next += 1;
        }
    }
    let ids: Vec<AgentId> = owned.iter().map(|(id, _)| *id).collect();
    assignments::lapse::of_agents(change, &ids).await?;
    assignments::insert(change, rows).await?;
    reassess(change, &ids, false).await?;
    Ok(count)
}

/// Nothing to do: that it was tried is on record, and no agent is touched.
async fn repeated(change: &mut Change<'_>, capacity: &str, staged: &Staged, plan: &Plan) -> Result<(), Error> {
    let last = change
        .tx
        .one("SELECT MAX(id) FROM wave WHERE source = $1", args![&staged.mapping.source])
        .await?
        .map(|r| r.get::<Option<i64>>(0))
        .transpose()?
        .flatten();
    let subject = last.map_or_else(|| "import".to_owned(), |w| WaveId(w).to_string());
    let event = change.event(capacity, "import.repeated", subject);
    change.describe(
        event,
        Value::Null,
        json!({
            "title": staged.file, "source": staged.mapping.source, "file_sha256": staged.sha256,
            "rows_read": plan.counts.rows, "unchanged": plan.counts.unchanged, "refused": plan.counts.refused,
        }),
    );
    mappings::keep(change, event, &staged.mapping).await
}
