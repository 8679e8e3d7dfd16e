//! Reading one person: who they are among others.

use domain::can::{Action, Relation, can};
use domain::id::{PersonId, TeamId};
use domain::party::{Party, TeamKind};

use super::stored::{Named, Person, load, name_of, named};
use crate::args;
use crate::change::By;
use crate::db::{Db, DbError, Reads};
use crate::error::Error;

/// Most people who report to somebody that their page lists.
const REPORTS: i64 = 100;

/// What a person is in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Its named owner.
    Lead,
    /// Stands in for the lead.
    Deputy,
    /// One of its members.
    Member,
}

/// A team that a person belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Belonging {
    /// The team.
    pub team: TeamId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: TeamKind,
    /// The strongest of what they are in it.
    pub part: Part,
}

/// A person, with the people and teams around them.
#[derive(Debug, Clone)]
pub struct View {
    /// The person.
    pub person: Person,
    /// To whom they report.
    pub manager: Option<Named>,
    /// Who stands in for them.
    pub deputy: Option<Named>,
    /// The managers above them, from the nearest up.
    pub above: Vec<Named>,
    /// Who reports to them, by name, at most a hundred.
    pub reports: Vec<Named>,
    /// How many report to them.
    pub report_count: i64,
    /// For whom they stand in, by name, at most a hundred.
    pub stands_in_for: Vec<Named>,
    /// Their teams, those they lead first.
    pub teams: Vec<Belonging>,
    /// Whether they have a password here; `None` when the reader has no business knowing.
    pub has_password: Option<bool>,
}

/// One person.
pub async fn read(db: &Db, by: By<'_>, id: PersonId) -> Result<View, Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    let mut reads = db;
    let person = load(&mut reads, id).await?.ok_or_else(|| Error::NotFound(format!("person {id}")))?;
    let manager = one(&mut reads, person.manager).await?;
    let deputy = one(&mut reads, person.deputy).await?;
    let above = chain_of_managers(&mut reads, id).await?;
    let reports = pointing_at(&mut reads, "manager_id", id).await?;
    let report_count = if (reports.len() as i64) < REPORTS {
        reports.len() as i64
    } else {
        db.one("SELECT COUNT(*) FROM person WHERE manager_id = $1", args![id])
            .await?
            .map(|r| r.get(0))
            .transpose()?
            .unwrap_or(0)
    };
    let stands_in_for = pointing_at(&mut reads, "deputy_id", id).await?;
    let teams = teams_of(&mut reads, id).await?;
    let mut has_password = None;
    if can(by.actor, Action::PersonCredential, Relation::None).is_ok() {
        has_password = Some(db.one("SELECT 1 FROM login WHERE person_id = $1", args![id]).await?.is_some());
    }
    Ok(View { person, manager, deputy, above, reports, report_count, stands_in_for, teams, has_password })
}

async fn one(reads: &mut impl Reads, id: Option<PersonId>) -> Result<Option<Named>, DbError> {
    match id {
        Some(id) => Ok(named(reads, &[id]).await?.pop()),
        None => Ok(None),
    }
}

async fn pointing_at(reads: &mut impl Reads, column: &str, id: PersonId) -> Result<Vec<Named>, DbError> {
    let sql =
        format!("SELECT id, name, status FROM person WHERE {column} = $1 ORDER BY name_folded, id LIMIT {REPORTS}");
    reads.rows(sql, args![id]).await?.iter().map(|r| name_of(r, 0)).collect()
}

/// The managers above a person, from the nearest up; at most ten.
pub async fn chain_of_managers(reads: &mut impl Reads, id: PersonId) -> Result<Vec<Named>, DbError> {
    let mut ids = vec![id];
    let mut out = Vec::new();
    while let Some(last) = ids.last().copied()
        && out.len() < 10
    {
        let rows = reads
            .rows(
                "SELECT m.id, m.name, m.status FROM person p JOIN person m ON m.id = p.manager_id WHERE p.id = $1",
                args![last],
            )
            .await?;
        let Some(next) = rows.first().map(|r| name_of(r, 0)).transpose()? else { break };
        if ids.contains(&next.id) {
            break;
        }
        ids.push(next.id);
        out.push(next);
    }
    Ok(out)
}

/// Who is asked when a party is gone: its named deputy, then the manager, then nobody. A
/// team's are its deputy and its lead's manager. Whoever is gone too is shown as gone.
pub async fn succession(reads: &mut impl Reads, party: Party) -> Result<Vec<Named>, DbError> {
    let sql = match party {
        Party::Person(_) => "SELECT deputy_id, manager_id FROM person WHERE id = $1",
        Party::Team(_) => {
            "SELECT t.deputy_id, l.manager_id FROM team t LEFT JOIN person l ON l.id = t.lead_id WHERE t.id = $1"
        }
    };
    let rows = reads.rows(sql, args![party.number()]).await?;
    let Some(row) = rows.first() else { return Ok(Vec::new()) };
    let mut ids: Vec<PersonId> = Vec::new();
    for at in 0..2 {
        if let Some(id) = row.get::<Option<PersonId>>(at)?
            && !ids.contains(&id)
        {
            ids.push(id);
        }
    }
    named(reads, &ids).await
}

/// The teams a person leads, deputises for or is a member of, by strength and name.
pub async fn teams_of(reads: &mut impl Reads, person: PersonId) -> Result<Vec<Belonging>, DbError> {
    let rows = reads
        .rows(
            "SELECT t.id, t.name, t.kind, t.name_folded, x.part FROM (\
               SELECT id AS team, CAST(0 AS BIGINT) AS part FROM team WHERE lead_id = $1 \
               UNION ALL SELECT id, CAST(1 AS BIGINT) FROM team WHERE deputy_id = $1 \
               UNION ALL SELECT team_id, CAST(2 AS BIGINT) FROM team_member WHERE person_id = $1 AND until IS NULL) x \
             JOIN team t ON t.id = x.team ORDER BY x.part, t.name_folded, t.id",
            args![person],
        )
        .await?;
    let mut out: Vec<Belonging> = Vec::with_capacity(rows.len());
    for r in rows {
        let team: TeamId = r.get(0)?;
        if out.iter().any(|b| b.team == team) {
            continue;
        }
        let part = match r.get::<i64>(4)? {
            0 => Part::Lead,
            1 => Part::Deputy,
            _ => Part::Member,
        };
        out.push(Belonging { team, name: r.get(1)?, kind: r.get(2)?, part });
    }
    Ok(out)
}
