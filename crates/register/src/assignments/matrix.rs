//! A matrix: reading it, and saving it as one change.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::assignment::{Ended, Offer, RaciRole};
use domain::can::{Action, can};
use domain::duty::Duty;
use domain::finding::{Finding, FindingKey, Severity};
use domain::id::SystemId;
use domain::party::{Party, Standing};
use domain::raci::{Breach, Breached, Seat, Ward, breaches};
use domain::system::{SHARED, Subject};
use domain::text;
use serde_json::json;

use super::ground::{Ground, column, settle};
use super::{Mode, REASON_MAX, close, insert, lapse, raced};
use crate::agents::assess::{held_of_systems, judge, party_names, party_standing};
use crate::args;
use crate::change::{By, Change};
use crate::db::{Arg, Db, Reads, marks};
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

/// What an agent's platform gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// Which platform.
    pub system: SystemId,
    /// Its name.
    pub name: String,
    /// Who holds what of it, of the duties that its agents share. An A of the agent's own
    /// overrides the row of its duty.
    pub cells: Vec<Cell>,
}

/// A matrix with what is wrong with it.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// Whose it is.
    pub of: Subject,
    /// Its name.
    pub name: String,
    /// What the rules must know of it.
    pub ward: Ward,
    /// The platform the agent runs on, and what it would inherit.
    pub platform: Option<Platform>,
    /// Whether the reader may see what is wrong.
    pub controls: bool,
    /// Whether the reader may change it.
    pub edit: bool,
    /// Whether it is closed for good: a retired agent's is.
    pub closed: bool,
    /// Counts every change of the matrix; guards against lost updates.
    pub version: i64,
    /// Current cells, by duty.
    pub cells: Vec<Cell>,
    /// What is wrong now; nothing for whoever may not see that.
    pub violations: Vec<Violation>,
}

/// A rule that a matrix breaks now, as the API tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// At which duty.
    pub duty: Option<Duty>,
    /// Which check.
    pub rule: FindingKey,
    /// How bad.
    pub severity: Severity,
    /// What is wrong, in a sentence.
    pub message: String,
}

impl From<Finding> for Violation {
    fn from(f: Finding) -> Self {
        Self { duty: f.duty, rule: f.key, severity: f.severity, message: f.sentence() }
    }
}

/// The matrix of an agent or a system.
pub async fn matrix(db: &Db, by: By<'_>, of: impl Into<Subject>) -> Result<Matrix, Error> {
    let of = of.into();
    let mut reads = db;
    let ground = Ground::find(&mut reads, by, of).await?;
    let mut cells = cells(&mut reads, column(of), &[of.number()]).await?.remove(&of.number()).unwrap_or_default();
    cells.retain(|c| c.accepted_at.is_some() || c.offered_at > lapse::since(by.now));
    cells.sort_by_key(order);
    let platform = match ground.agent().and_then(|a| a.facts.platform) {
        Some(system) => Some(platform(&mut reads, system).await?),
        None => None,
    };
    let controls = match of {
        Subject::Agent(_) => can(by.actor, Action::AgentReadControls, ground.relation).is_ok(),
        // Who owns a system is no attack map: its agents say who can stop what.
        Subject::System(_) => true,
    };
    let violations = match of {
        _ if !controls => Vec::new(),
        Subject::Agent(id) => judge(&mut reads, &[id], by.now)
            .await?
            .into_iter()
            .flat_map(|j| j.assessment.findings)
            .filter(|f| f.duty.is_some() && f.key != FindingKey::LongLivedCredential && f.holds_at(by.now))
            .map(Violation::from)
            .collect(),
        Subject::System(id) => of_system(&mut reads, id, &ground.ward(), &cells).await?,
    };
    Ok(Matrix {
        of,
        name: ground.name().to_owned(),
        ward: ground.ward(),
        platform,
        controls,
        edit: can(by.actor, Action::AssignmentOffer, ground.relation).is_ok(),
        closed: ground.open().is_err(),
        version: version(&mut reads, of).await?,
        cells,
        violations,
    })
}

/// What is wrong with a system's own matrix.
async fn of_system(
    reads: &mut impl Reads,
    system: SystemId,
    ward: &Ward,
    cells: &[Cell],
) -> Result<Vec<Violation>, Error> {
    let held = held_of_systems(reads, &[system]).await?.remove(&system).unwrap_or_default();
    let offers: Vec<Offer> = cells
        .iter()
        .filter(|c| c.accepted_at.is_none())
        .map(|c| Offer { duty: c.duty, party: c.party, offered_at: c.offered_at })
        .collect();
    let name =
        |party: Party| cells.iter().find(|c| c.party == party).map_or_else(|| party.to_string(), |c| c.name.clone());
    let told = |b: &Breach| Violation {
        duty: Some(b.duty),
        rule: match b.rule {
            Breached::Gone => FindingKey::OwnerInactive,
            Breached::NoResponsible => FindingKey::NoResponsible,
            Breached::SameParty => FindingKey::RegulatoryConflict,
            Breached::NoAccountable | Breached::Pending | Breached::SeveralAccountable => FindingKey::NoOwner,
        },
        severity: if b.rule == Breached::NoResponsible { Severity::Low } else { Severity::Medium },
        message: b.sentence(name),
    };
    Ok(breaches(ward, &Seat::now(&held, &offers)).iter().map(told).collect())
}

/// What a platform gives its agents.
async fn platform(reads: &mut impl Reads, system: SystemId) -> Result<Platform, Error> {
    let rows = reads.rows("SELECT name FROM system WHERE id = $1", args![system]).await?;
    let mut cells = cells(reads, "system_id", &[system.0]).await?.remove(&system.0).unwrap_or_default();
    cells.retain(|c| c.accepted_at.is_some() && SHARED.contains(&c.duty));
    cells.sort_by_key(order);
    let name = rows.first().map(|r| r.get(0)).transpose()?.unwrap_or_default();
    Ok(Platform { system, name, cells })
}

fn order(c: &Cell) -> (Duty, bool, RaciRole, bool, Party) {
    (c.duty, c.role != RaciRole::Accountable, c.role, c.accepted_at.is_none(), c.party)
}

/// The current cells of some matrices, by whose they are; `column` says whether of agents or
/// of systems.
async fn cells(reads: &mut impl Reads, column: &str, of: &[i64]) -> Result<BTreeMap<i64, Vec<Cell>>, Error> {
    let sql = format!(
        "SELECT duty, party_kind, party_id, role, accepted_at, offered_at, {column} FROM assignment \
         WHERE {column} IN {} AND valid_to IS NULL ORDER BY id",
        marks(1, of.len())
    );
    let rows = reads.rows(sql, of.iter().map(|n| Arg::from(*n)).collect()).await?;
    let mut out: BTreeMap<i64, Vec<Cell>> = BTreeMap::new();
    for r in rows {
        let Some(party) = Party::from_stored(&r.get::<String>(1)?, r.get(2)?) else { continue };
        out.entry(r.get(6)?).or_default().push(Cell {
            duty: r.get(0)?,
            party,
            name: String::new(),
            role: r.get(3)?,
            accepted_at: r.get(4)?,
            offered_at: r.get(5)?,
        });
    }
    let names = party_names(reads, out.values().flatten().map(|c| c.party).collect::<Vec<_>>()).await?;
    for c in out.values_mut().flatten() {
        c.name = names.get(&c.party).cloned().unwrap_or_default();
    }
    Ok(out)
}

/// Rows are only ever added, accepted and ended, so this only ever grows.
async fn version(reads: &mut impl Reads, of: Subject) -> Result<i64, Error> {
    let sql =
        format!("SELECT COUNT(*) + COUNT(accepted_at) + COUNT(valid_to) + 1 FROM assignment WHERE {} = $1", column(of));
    let rows = reads.rows(sql, args![of.number()]).await?;
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
    of: impl Into<Subject>,
    expected: Option<i64>,
    wanted: &[Wanted],
    reason: &str,
) -> Result<Matrix, Error> {
    let of = of.into();
    let mut change = Change::begin(db, by).await?;
    if put_within(&mut change, of, expected, wanted, reason).await? {
        settle(&mut change, &[of]).await?;
        change.commit().await.map_err(raced)?;
    }
    matrix(db, by, of).await
}

/// As [`put`], within a change under way; the assessment is left to the caller. Answers
/// whether anything changed.
pub(crate) async fn put_within(
    change: &mut Change<'_>,
    of: Subject,
    expected: Option<i64>,
    wanted: &[Wanted],
    reason: &str,
) -> Result<bool, Error> {
    let by = change.by;
    let reason = text::prose(reason, "The reason", REASON_MAX).map_err(|e| Error::field("/reason", e.to_string()))?;
    let ground = Ground::find(&mut change.tx, by, of).await?;
    can(by.actor, Action::AssignmentOffer, ground.relation)?;
    ground.open()?;
    // One at a time from here: of two that read the same matrix, the later would otherwise take
    // back the offer of the former, which it has not seen.
    change.tx.run("UPDATE sequence SET last = last WHERE noun = 'assignment'", args![]).await?;
    let now_at = version(&mut change.tx, of).await?;
    if expected.is_some_and(|e| e != now_at) {
        return Err(Error::Stale(now_at));
    }
    lapse::of(change, of).await?;
    let present = open(change, of).await?;
    check(change, &ground, wanted, &present).await?;
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
        return Ok(false);
    }
    add.sort_unstable();
    let event = change.event(ground.capacity(by.actor), "assignment.matrix-changed", of);
    let told = |w: &Wanted| json!({"duty": w.duty, "party": w.party, "role": w.role});
    change.describe(
        event,
        json!({"removed": drop.iter().map(|(_, w)| told(w)).collect::<Vec<_>>()}),
        json!({"added": add.iter().map(told).collect::<Vec<_>>()}),
    );
    change.because(event, &reason);
    for (id, _) in &drop {
        close(change, event, *id, Ended::Removed).await?;
    }
    let mut next = change.next("assignment", i64::try_from(add.len()).unwrap_or(0)).await?;
    let mut rows = Vec::new();
    for w in &add {
        rows.push(super::row(change, event, next, of, *w, Mode::Offer, &reason));
        next += 1;
    }
    insert(change, rows).await?;
    Ok(true)
}

/// One A a duty, and every new A can be Accountable. What is on record already may stay: that
/// somebody who is gone still stands there is a finding, and no reason to refuse another change.
async fn check(
    change: &mut Change<'_>,
    ground: &Ground,
    wanted: &[Wanted],
    present: &[(i64, Wanted, bool)],
) -> Result<(), Error> {
    let mut wrong = Checked::default();
    for (i, w) in wanted.iter().enumerate() {
        let at = format!("/cells/{i}");
        if let Err(why) = ground.takes(w.duty) {
            wrong.refuse(&format!("{at}/duty"), why);
            continue;
        }
        let known = present.iter().any(|(_, p, _)| p == w);
        let standing = if known { Some(Standing::Active) } else { party_standing(&mut change.tx, w.party).await? };
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

async fn open(change: &mut Change<'_>, of: Subject) -> Result<Vec<(i64, Wanted, bool)>, Error> {
    let sql = format!(
        "SELECT id, duty, party_kind, party_id, role, accepted_at IS NOT NULL FROM assignment \
         WHERE {} = $1 AND valid_to IS NULL",
        column(of)
    );
    let rows = change.tx.all(sql, args![of.number()]).await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        let Some(party) = Party::from_stored(&r.get::<String>(2)?, r.get(3)?) else { continue };
        out.push((r.get(0)?, Wanted { duty: r.get(1)?, party, role: r.get(4)? }, r.get(5)?));
    }
    Ok(out)
}
