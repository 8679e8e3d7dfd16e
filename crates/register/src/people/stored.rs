//! A person as the row has it, and how a person is found by what one types.

use chrono::{DateTime, Utc};
use domain::id::PersonId;
use domain::party::{PersonStatus, Roles};
use domain::text;
use serde_json::{Value, json};

use crate::args;
use crate::db::{Arg, DbError, Reads, Row, marks};

/// A person, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their reference.
    pub id: PersonId,
    /// Counts changes; guards against lost updates.
    pub version: i64,
    /// When the record began.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// What people call them.
    pub name: String,
    /// Where notices go and by what they sign in; lower case, unique.
    pub email: String,
    /// What they do, in the organisation's words; may be empty.
    pub title: String,
    /// Their business unit; may be empty.
    pub business_unit: String,
    /// Whether they are still there.
    pub status: PersonStatus,
    /// Since when not.
    pub left_at: Option<DateTime<Utc>>,
    /// To whom they report.
    pub manager: Option<PersonId>,
    /// Who stands in for them.
    pub deputy: Option<PersonId>,
    /// What they may do by role.
    pub roles: Roles,
}

impl Person {
    /// Whether they are still there.
    pub fn active(&self) -> bool {
        self.status == PersonStatus::Active
    }

    /// The person as the record tells it.
    pub(crate) fn described(&self) -> Value {
        json!({
            "name": self.name,
            "email": self.email,
            "title": self.title,
            "business_unit": self.business_unit,
            "status": self.status,
            "manager": self.manager,
            "deputy": self.deputy,
            "roles": self.roles,
        })
    }
}

pub(super) const COLUMNS: &str = "p.id, p.version, p.created_at, p.updated_at, p.name, p.email, p.title, \
     p.business_unit, p.status, p.left_at, p.manager_id, p.deputy_id, p.roles";

pub(super) fn person(r: &Row) -> Result<Person, DbError> {
    Ok(Person {
        id: r.get(0)?,
        version: r.get(1)?,
        created_at: r.get(2)?,
        updated_at: r.get(3)?,
        name: r.get(4)?,
        email: r.get(5)?,
        title: r.get(6)?,
        business_unit: r.get(7)?,
        status: r.get(8)?,
        left_at: r.get(9)?,
        manager: r.get(10)?,
        deputy: r.get(11)?,
        roles: r.get(12)?,
    })
}

/// The person with this reference, if there is one.
pub async fn load(reads: &mut impl Reads, id: PersonId) -> Result<Option<Person>, DbError> {
    let rows = reads.rows(format!("SELECT {COLUMNS} FROM person p WHERE p.id = $1"), args![id]).await?;
    rows.first().map(person).transpose()
}

/// These people, in the order asked for; those that do not exist are absent.
pub async fn load_many(reads: &mut impl Reads, ids: &[PersonId]) -> Result<Vec<Person>, DbError> {
    let mut found = Vec::with_capacity(ids.len());
    for batch in ids.chunks(500) {
        let sql = format!("SELECT {COLUMNS} FROM person p WHERE p.id IN {}", marks(1, batch.len()));
        for r in reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
            found.push(person(&r)?);
        }
    }
    found.sort_by_key(|p| ids.iter().position(|id| *id == p.id));
    Ok(found)
}

/// The person with this e-mail address, in whatever case it was typed.
pub async fn by_email(reads: &mut impl Reads, email: &str) -> Result<Option<Person>, DbError> {
    let Ok(email) = text::email(email) else { return Ok(None) };
    let rows = reads.rows(format!("SELECT {COLUMNS} FROM person p WHERE p.email = $1"), args![email]).await?;
    rows.first().map(person).transpose()
}

/// A person as others mention them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Their reference.
    pub id: PersonId,
    /// Their name.
    pub name: String,
    /// Whether they are still there.
    pub active: bool,
}

pub(super) fn name_of(r: &Row, at: usize) -> Result<Named, DbError> {
    Ok(Named { id: r.get(at)?, name: r.get(at + 1)?, active: r.get::<PersonStatus>(at + 2)? == PersonStatus::Active })
}

/// These people, in the order asked for; those that do not exist are absent.
pub async fn named(reads: &mut impl Reads, ids: &[PersonId]) -> Result<Vec<Named>, DbError> {
    let mut found = Vec::with_capacity(ids.len());
    for batch in ids.chunks(500) {
        let sql = format!("SELECT id, name, status FROM person WHERE id IN {}", marks(1, batch.len()));
        for r in reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
            found.push(name_of(&r, 0)?);
        }
    }
    Ok(ids.iter().filter_map(|id| found.iter().find(|n| n.id == *id).cloned()).collect())
}
