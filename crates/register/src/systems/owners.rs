//! What parties hold of systems, and what of systems nobody holds.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::assignment::RaciRole;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::SystemId;
use domain::party::Party;
use domain::raci::{Seat, Ward, breaches};
use domain::system::SystemKind;

use super::System;
use crate::agents::assess::held_of_systems;
use crate::args;
use crate::change::By;
use crate::db::{Db, DbError, Reads};
use crate::error::Error;

/// Most duties of systems that a party's page lists: more than anybody holds.
const MOST: i64 = 200;

/// A duty of a system, held by the party asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The system.
    pub system: SystemId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SystemKind,
    /// The duty.
    pub duty: Duty,
    /// As which letter.
    pub role: RaciRole,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// What a party holds of systems as A or R, by system; at most two hundred duties.
pub async fn holdings(db: &Db, by: By<'_>, party: Party) -> Result<Vec<Holding>, Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    let mut reads = db;
    Ok(held_by(&mut reads, party).await?)
}

async fn held_by(reads: &mut impl Reads, party: Party) -> Result<Vec<Holding>, DbError> {
    let sql = format!(
        "SELECT y.id, y.name, y.kind, s.duty, s.role, s.valid_from FROM assignment s JOIN system y ON y.id = s.system_id \
         WHERE s.party_kind = $1 AND s.party_id = $2 AND s.system_id IS NOT NULL AND s.valid_to IS NULL \
         AND s.accepted_at IS NOT NULL AND s.role IN ('A', 'R') ORDER BY s.system_id, s.id LIMIT {MOST}"
    );
    let rows = reads.rows(sql, args![party.kind(), party.number()]).await?;
    rows.iter()
        .map(|r| {
            Ok(Holding {
                system: r.get(0)?,
                name: r.get(1)?,
                kind: r.get(2)?,
                duty: r.get(3)?,
                role: r.get(4)?,
                since: r.get(5)?,
            })
        })
        .collect()
}

/// How many rules the matrix of each of these systems breaks now.
pub async fn gaps(db: &Db, systems: &[System]) -> Result<HashMap<SystemId, usize>, Error> {
    let ids: Vec<SystemId> = systems.iter().map(|s| s.id).collect();
    let mut reads = db;
    let held = held_of_systems(&mut reads, &ids).await?;
    let broken = |s: &System| {
        let held = held.get(&s.id).map_or(&[][..], Vec::as_slice);
        breaches(&Ward::of_system(s.kind), &Seat::now(held, &[])).len()
    };
    Ok(systems.iter().map(|s| (s.id, broken(s))).collect())
}
