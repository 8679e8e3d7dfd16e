//! The matrix of one agent: reading it, saving it as one change, and who was accountable
//! at a past moment.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::assignment::{Ended, RaciRole};
use domain::can::{Action, can};
use domain::duty::Duty;
use domain::finding::{Finding, FindingKey};
use domain::id::{AgentId, PersonId, TeamId};
use domain::party::{Party, Standing};
use domain::text;
use serde_json::json;

use super::{REASON_MAX, close, insert, raced};
use crate::agents::assess::{judge, party_names, party_standing, reassess};
use crate::agents::read::visible;
use crate::agents::relation::{capacity, relation};
use crate::agents::stored;
use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Db, Reads};
use crate::error::{Checked, Error};

/// One cell of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The duty.
    pub duty: Duty,
    /// The party.
    pub party: Party,
    /// The party's name.
    pub name: String,
    /// The letter.
    pub role: RaciRole,
    /// When it was accepted; `None` for an open offer of A.
    pub accepted_at: Option<DateTime<Utc>>,
    /// When it was offered.
    pub offered_at: DateTime<Utc>,
}

/// A matrix with what is wrong with it.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// Counts every change of the matrix; guards against lost updates.
    pub version: i64,
    /// Current cells, by duty.
    pub cells: Vec<Cell>,
    /// What is wrong now.
    pub violations: Vec<Finding>,
}

/// The matrix of an agent.
pub async fn matrix(db: &Db, by: By<'_>, agent: AgentId) -> Result<Matrix, Error> {
    let mut reads = db;
    let judged =
        judge(&mut reads, &[agent], by.now).await?.pop().ok_or_else(|| Error::NotFound(format!("agent {agent}")))?;
    let stands = relation(&mut reads, by.actor, &judged.agent).await?;
    visible(by.actor, &judged.agent, stands)?;
    let cells = cells(&mut reads, agent).await?;
    let version = version(&mut reads, agent).await?;
    let mut violations: Vec<Finding> = judged
        .assessment
        .findings
        .into_iter()
        .filter(|f| f.duty.is_some() && f.key != FindingKey::LongLivedCredential && f.holds_at(by.now))
        .collect();
    if can(by.actor, Action::AgentReadControls, stands).is_err() {
        violations.clear();
    }
    Ok(Matrix { version, cells, violations })
}

async fn cells(reads: &mut impl Reads, agent: AgentId) -> Result<Vec<Cell>, Error> {
    let rows = reads
        .rows(
            "SELECT duty, party_kind, party_id, role, accepted_at, offered_at FROM assignment \
             WHERE agent_id = $1 AND valid_to IS NULL ORDER BY id",
            args![agent],
        )
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        let Some(party) = Party::from_stored(&r.get::<String>(1)?, r.get(2)?) else { continue };
        out.push(Cell {
            duty: r.get(0)?,
            party,
            name: String::new(),
            role: r.get(3)?,
            accepted_at: r.get(4)?,
            offered_at: r.get(5)?,
        });
    }
    let names = party_names(reads, out.iter().map(|c| c.party).collect::<Vec<_>>()).await?;
    for c in &mut out {
        c.name = names.get(&c.party).cloned().unwrap_or_default();
    }
    out.sort_by_key(|c| (c.duty, c.role != RaciRole::Accountable, c.role, c.accepted_at.is_none(), c.party));
    Ok(out)
}

/// Rows are only ever added, accepted and ended, so this only ever grows.
async fn version(reads: &mut impl Reads, agent: AgentId) -> Result<i64, Error> {
    let rows = reads
        .rows(
            "SELECT COUNT(*) + COUNT(accepted_at) + COUNT(valid_to) + 1 FROM assignment WHERE agent_id = $1",
            args![agent],
        )
        .await?;
    Ok(rows.first().map(|r| r.get(0)).transpose()?.unwrap_or(1))
}

/// A cell that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// The duty.
    pub duty: Duty,
    /// The party.
    pub party: Party,
    /// The letter.
    pub role: RaciRole,
}

impl Matrix {
    /// What is meant by whoever sends back what they read. While a duty is on offer it has two A,
    /// and neither is to change: the present one is left out, which keeps it.
    pub fn meant(&self, mut wanted: Vec<Wanted>) -> Vec<Wanted> {
        let accountable = |w: &Wanted, accepted: bool| {
            w.role == RaciRole::Accountable
                && self.cells.iter().any(|p| {
                    (p.duty, p.party, p.role) == (w.duty, w.party, w.role) && p.accepted_at.is_some() == accepted
                })
        };
        let offered: Vec<Duty> = wanted.iter().filter(|w| accountable(w, false)).map(|w| w.duty).collect();
        wanted.retain(|w| !(accountable(w, true) && offered.contains(&w.duty)));
        wanted
    }
}

/// Makes the matrix what is wanted, as one change with a reason. R, C and I are so at
/// once; a new A is offered, and the present one stays until it is accepted. An A that is
/// wanted no more, with no successor wanted, ends.
pub async fn put(
    db: &Db,
    by: By<'_>,
    agent: AgentId,
    expected: Option<i64>,
    wanted: &[Wanted],
    reason: &str,
) -> Result<Matrix, Error> {
    let reason = text::prose(reason, "The reason", REASON_MAX).map_err(|e| Error::field("/reason", e.to_string()))?;
    let mut change = Change::begin(db, by).await?;
    let found = stored::load(&mut change.tx, &[agent], by.now).await?;
    let Some(record) = found.first() else { return Err(Error::NotFound(format!("agent {agent}"))) };
    let stands = relation(&mut change.tx, by.actor, record).await?;
    visible(by.actor, record, stands)?;
    can(by.actor, Action::AssignmentOffer, stands)?;
    if record.state == domain::agent::Lifecycle::Retired {
        return Err(Error::Conflict(format!("{agent} is retired: its matrix is closed.")));
    }
    let now_at = version(&mut change.tx, agent).await?;
    if expected.is_some_and(|e| e != now_at) {
        return Err(Error::Stale(now_at));
    }
    check(&mut change, wanted).await?;
    let present = open(&mut change, agent).await?;
    let wanted: BTreeSet<Wanted> = wanted.iter().copied().collect();
    let mut add: Vec<Wanted> = wanted.iter().copied().filter(|w| !present.iter().any(|(_, p, _)| p == w)).collect();
    // The present owner of a duty whose new owner is only offered stays accountable.
    let drop: Vec<(i64, Wanted)> = present
        .iter()
        .filter(|(_, p, _)| !wanted.contains(p))
        .filter(|(_, p, accepted)| {
            !(p.role == RaciRole::Accountable
                && *accepted
                && wanted.iter().any(|w| w.duty == p.duty && w.role == RaciRole::Accountable))
        })
        .map(|(id, p, _)| (*id, *p))
        .collect();
    if add.is_empty() && drop.is_empty() {
        return matrix(db, by, agent).await;
    }
    add.sort_unstable();
    let event = change.event(capacity(by.actor, stands), "assignment.matrix-changed", agent);
    let told = |w: &Wanted| json!({"duty": w.duty, "party": w.party, "role": w.role});
    change.describe(
        event,
        json!({"removed": drop.iter().map(|(_, w)| told(w)).collect::<Vec<_>>()}),
        json!({"added": add.iter().map(told).collect::<Vec<_>>()}),
    );
    change.because(event, &reason);
    for (id, _) in &drop {
        close(&mut change, event, *id, Ended::Removed).await?;
    }
    let mut next = change.next("assignment", i64::try_from(add.len()).unwrap_or(0)).await?;
    let actor = by.actor.who.to_string();
    let mut rows = Vec::new();
    for w in &add {
        let accepted = w.role != RaciRole::Accountable;
        rows.push(args![
            next,
            change.id(event),
            agent,
            Option::<i64>::None,
            w.duty.key(),
            w.role.key(),
            w.party.kind(),
            w.party.number(),
            by.now,
            &actor,
            accepted.then_some(by.now),
            if accepted { actor.as_str() } else { "" },
            false,
            &reason,
            accepted.then_some(by.now),
            Option::<i64>::None,
            "",
        ]);
        change.wrote(event, &change::ASSIGNMENT, next);
        next += 1;
    }
    insert(&mut change, rows).await?;
    reassess(&mut change, &[agent], false).await?;
    change.commit().await.map_err(raced)?;
    matrix(db, by, agent).await
}

/// One A a duty, and every A can be Accountable.
async fn check(change: &mut Change<'_>, wanted: &[Wanted]) -> Result<(), Error> {
    let mut wrong = Checked::default();
    for (i, w) in wanted.iter().enumerate() {
        let at = format!("/cells/{i}");
        let standing = party_standing(&mut change.tx, w.party).await?;
        let Some(standing) = standing else {
            wrong.refuse(&format!("{at}/party"), format!("There is no {}.", w.party));
            continue;
        };
        if w.role != RaciRole::Accountable {
            continue;
        }
        if wanted[..i].iter().any(|o| o.duty == w.duty && o.role == RaciRole::Accountable && o.party != w.party) {
            wrong.refuse(&at, format!("{} has two A: one party answers for a duty.", w.duty.label()));
        }
        match standing {
            Standing::Active => {}
            Standing::Left => {
                wrong.refuse(&format!("{at}/party"), format!("{} has left and cannot be Accountable.", w.party));
            }
            Standing::Leaderless => wrong
                .refuse(&format!("{at}/party"), format!("{} has no active lead, so nobody would be named.", w.party)),
        }
    }
    wrong.done()
}

async fn open(change: &mut Change<'_>, agent: AgentId) -> Result<Vec<(i64, Wanted, bool)>, Error> {
    let rows = change
        .tx
        .all(
            "SELECT id, duty, party_kind, party_id, role, accepted_at IS NOT NULL FROM assignment \
             WHERE agent_id = $1 AND valid_to IS NULL",
            args![agent],
        )
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        let Some(party) = Party::from_stored(&r.get::<String>(2)?, r.get(3)?) else { continue };
        out.push((r.get(0)?, Wanted { duty: r.get(1)?, party, role: r.get(4)? }, r.get(5)?));
    }
    Ok(out)
}

/// Who was accountable for a duty at a moment.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The duty.
    pub duty: Duty,
    /// Who.
    pub party: Party,
    /// By what name, today.
    pub name: String,
    /// The person who was named by it, with their name today: a person themself, a team's
    /// lead at that moment. `None` when nobody led the team.
    pub named: Option<(PersonId, String)>,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// Who led a team at a moment: before the first change of its lead since then, or now if
/// there was none. The record keeps every such change, so the answer is exact.
async fn led_by(reads: &mut impl Reads, team: TeamId, at: DateTime<Utc>) -> Result<Option<PersonId>, Error> {
    let rows = reads
        .rows(
            "SELECT before FROM audit_event WHERE subject = $1 AND action = 'team.changed' AND at > $2 \
             AND before LIKE '%\"lead\":%' ORDER BY seq LIMIT 1",
            args![team.to_string(), at],
        )
        .await?;
    if let Some(row) = rows.first() {
        let before: serde_json::Value = serde_json::from_str(&row.get::<String>(0)?).unwrap_or_default();
        return Ok(before["lead"].as_str().and_then(|id| id.parse().ok()));
    }
    let rows = reads.rows("SELECT lead_id FROM team WHERE id = $1", args![team]).await?;
    Ok(rows.first().map(|r| r.get(0)).transpose()?.flatten())
}

/// Who answered for what at a moment.
#[derive(Debug, Clone)]
pub struct Accountability {
    /// The moment.
    pub at: DateTime<Utc>,
    /// Every duty that had an owner then.
    pub duties: Vec<Moment>,
    /// The boundary's hash as it is now, when the agent has not changed since the moment;
    /// `None` when it has.
    pub boundary_sha256: Option<String>,
}

/// Who was accountable for each duty of an agent at a moment: assignments are dated and
/// never overwritten, so the answer is exact.
pub async fn accountability(db: &Db, by: By<'_>, agent: AgentId, at: DateTime<Utc>) -> Result<Accountability, Error> {
    let mut reads = db;
    let found = stored::load(&mut reads, &[agent], by.now).await?;
    let Some(record) = found.first() else { return Err(Error::NotFound(format!("agent {agent}"))) };
    let stands = relation(&mut reads, by.actor, record).await?;
    visible(by.actor, record, stands)?;
    can(by.actor, Action::AgentHistory, stands)?;
    let rows = db
        .all(
            "SELECT duty, party_kind, party_id, valid_from FROM assignment WHERE agent_id = $1 AND role = 'A' \
             AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2) ORDER BY duty",
            args![agent, at],
        )
        .await?;
    let mut duties = Vec::with_capacity(rows.len());
    for r in rows {
        let Some(party) = Party::from_stored(&r.get::<String>(1)?, r.get(2)?) else { continue };
        duties.push(Moment { duty: r.get(0)?, party, name: String::new(), named: None, since: r.get(3)? });
    }
    let names = party_names(&mut reads, duties.iter().map(|d| d.party).collect::<Vec<_>>()).await?;
    let mut leads: BTreeMap<TeamId, Option<PersonId>> = BTreeMap::new();
    for team in duties.iter().filter_map(|d| match d.party {
        Party::Team(id) => Some(id),
        Party::Person(_) => None,
    }) {
        if let Entry::Vacant(unknown) = leads.entry(team) {
            unknown.insert(led_by(&mut reads, team, at).await?);
        }
    }
    let led: Vec<Party> = leads.values().flatten().map(|id| Party::Person(*id)).collect();
    let people = party_names(&mut reads, led).await?;
    for d in &mut duties {
        d.name = names.get(&d.party).cloned().unwrap_or_default();
        d.named = match d.party {
            Party::Person(id) => Some((id, d.name.clone())),
            Party::Team(team) => leads
                .get(&team)
                .copied()
                .flatten()
                .map(|id| (id, people.get(&Party::Person(id)).cloned().unwrap_or_else(|| id.to_string()))),
        };
    }
    duties.sort_by_key(|d| d.duty);
    let unchanged = record.created_at <= at && record.updated_at <= at;
    Ok(Accountability { at, duties, boundary_sha256: unchanged.then(|| record.boundary_sha256.clone()) })
}
