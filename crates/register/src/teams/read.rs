//! Reading one team.

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::id::{PersonId, TeamId};
use domain::party::{PersonStatus, TeamKind};
use serde_json::{Value, json};

use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, DbError, Reads, Row, marks};
use crate::error::Error;
use crate::people::{Named, named};

/// Most members that are listed.
const MEMBERS: i64 = 1000;

/// A team as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Its reference.
    pub id: TeamId,
    /// Counts changes; guards against lost updates.
    pub version: i64,
    /// When the record began.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Its name, unique.
    pub name: String,
    /// What it is for.
    pub kind: TeamKind,
    /// Its named owner.
    pub lead: Option<PersonId>,
    /// Since when.
    pub lead_since: Option<DateTime<Utc>>,
    /// Who stands in for the lead.
    pub deputy: Option<PersonId>,
}

impl Team {
    /// The team as the record tells it.
    pub(crate) fn described(&self) -> Value {
        json!({"name": self.name, "kind": self.kind, "lead": self.lead, "deputy": self.deputy})
    }
}

const COLUMNS: &str = "id, version, created_at, updated_at, name, kind, lead_id, lead_since, deputy_id";

fn team(r: &Row) -> Result<Team, DbError> {
    Ok(Team {
        id: r.get(0)?,
        version: r.get(1)?,
        created_at: r.get(2)?,
        updated_at: r.get(3)?,
        name: r.get(4)?,
        kind: r.get(5)?,
        lead: r.get(6)?,
        lead_since: r.get(7)?,
        deputy: r.get(8)?,
    })
}

/// The team with this reference, if there is one.
pub async fn load(reads: &mut impl Reads, id: TeamId) -> Result<Option<Team>, DbError> {
    let rows = reads.rows(format!("SELECT {COLUMNS} FROM team WHERE id = $1"), args![id]).await?;
    rows.first().map(team).transpose()
}

/// These teams, in the order asked for; those that do not exist are absent.
pub async fn load_many(reads: &mut impl Reads, ids: &[TeamId]) -> Result<Vec<Team>, DbError> {
    let mut found = Vec::with_capacity(ids.len());
    for batch in ids.chunks(500) {
        let sql = format!("SELECT {COLUMNS} FROM team WHERE id IN {}", marks(1, batch.len()));
        for r in reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
            found.push(team(&r)?);
        }
    }
    found.sort_by_key(|t| ids.iter().position(|id| *id == t.id));
    Ok(found)
}

/// A member of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub person: Named,
    /// What they do; may be empty.
    pub title: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// A team with its people.
#[derive(Debug, Clone)]
pub struct View {
    /// The team.
    pub team: Team,
    /// Its lead.
    pub lead: Option<Named>,
    /// Its deputy.
    pub deputy: Option<Named>,
    /// Its members, by name, at most a thousand.
    pub members: Vec<Member>,
    /// Whether nobody who is here leads it: it owns nothing then.
    pub leaderless: bool,
}

/// One team.
pub async fn read(db: &Db, by: By<'_>, id: TeamId) -> Result<View, Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    let mut reads = db;
    let team = load(&mut reads, id).await?.ok_or_else(|| Error::NotFound(format!("team {id}")))?;
    let asked: Vec<PersonId> = [team.lead, team.deputy].into_iter().flatten().collect();
    let people = named(&mut reads, &asked).await?;
    let find = |id: Option<PersonId>| id.and_then(|id| people.iter().find(|p| p.id == id).cloned());
    let (lead, deputy) = (find(team.lead), find(team.deputy));
    let leaderless = !lead.as_ref().is_some_and(|l| l.active);
    let members = members(&mut reads, id).await?;
    Ok(View { team, lead, deputy, members, leaderless })
}

pub(super) async fn members(reads: &mut impl Reads, id: TeamId) -> Result<Vec<Member>, DbError> {
    let rows = reads
        .rows(
            format!(
                "SELECT p.id, p.name, p.status, p.title, m.since FROM team_member m JOIN person p ON p.id = m.person_id \
                 WHERE m.team_id = $1 AND m.until IS NULL ORDER BY p.name_folded, p.id LIMIT {MEMBERS}"
            ),
            args![id],
        )
        .await?;
    rows.iter()
        .map(|r| {
            let active = r.get::<PersonStatus>(2)? == PersonStatus::Active;
            Ok(Member { person: Named { id: r.get(0)?, name: r.get(1)?, active }, title: r.get(3)?, since: r.get(4)? })
        })
        .collect()
}
