//! Who decides in whose place. The rule is [`domain::delegation`]; here it is remembered.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::delegation;
use domain::id::PersonId;
use domain::party::Role;
use domain::text;
use domain::tiding;
use serde_json::{Value, json};

use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Arg, Db, DbError, Reads, Row, marks};
use crate::error::{Checked, Error};
use crate::oncall::told;
use crate::people::{self, Person};
use crate::tidings::To;

/// Longest reason, in characters.
const REASON_MAX: usize = 1000;
/// Most that one person gives at a time: those that hold or will.
const MOST: i64 = 20;

/// A delegation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// Its number.
    pub id: i64,
    /// Whose decisions they are.
    pub from: PersonId,
    /// Their name.
    pub from_name: String,
    /// Who takes them.
    pub to: PersonId,
    /// Their name.
    pub to_name: String,
    /// From when.
    pub from_at: DateTime<Utc>,
    /// Until when.
    pub until_at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// When it was ended before its time.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Delegation {
    /// Whether it holds at a moment.
    pub fn holds_at(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && self.from_at <= now && now < self.until_at
    }
}

const SELECT: &str = "SELECT d.id, d.from_id, f.name, d.to_id, t.name, d.from_at, d.until_at, d.reason, d.ended_at \
     FROM delegation d JOIN person f ON f.id = d.from_id JOIN person t ON t.id = d.to_id";

fn read(r: &Row) -> Result<Delegation, DbError> {
    Ok(Delegation {
        id: r.get(0)?,
        from: r.get(1)?,
        from_name: r.get(2)?,
        to: r.get(3)?,
        to_name: r.get(4)?,
        from_at: r.get(5)?,
        until_at: r.get(6)?,
        reason: r.get(7)?,
        ended_at: r.get(8)?,
    })
}

/// What somebody gave and what they were given: what holds or will, by its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Of {
    /// Others decide in their place.
    pub given: Vec<Delegation>,
    /// They decide in others' places.
    pub received: Vec<Delegation>,
}

/// The delegations of a person, for themself, for whoever governs and for whoever reads the
/// record; `None` for everybody else.
pub async fn of(db: &Db, by: By<'_>, person: PersonId) -> Result<Option<Of>, Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    let may = |action| can(by.actor, action, Relation::None).is_ok();
    if by.actor.person_id() != Some(person) && !may(Action::PersonConfirm) && !may(Action::AuditRead) {
        return Ok(None);
    }
    let mut out = Of::default();
    for (column, list) in [("from_id", &mut out.given), ("to_id", &mut out.received)] {
        let sql = format!(
            "{SELECT} WHERE d.{column} = $1 AND d.ended_at IS NULL AND d.until_at > $2 \
             ORDER BY d.until_at, d.id LIMIT 100"
        );
        for r in db.all(sql, args![person, by.now]).await? {
            list.push(read(&r)?);
        }
    }
    Ok(Some(out))
}

/// The actor, as a person who is here: nobody delegates for another.
async fn oneself(reads: &mut impl Reads, by: By<'_>) -> Result<Person, Error> {
    can(by.actor, Action::DelegationWrite, Relation::Owner)?;
    let nobody = || Error::Conflict("Only a person delegates what is theirs to decide.".into());
    let me = by.actor.person_id().ok_or_else(nobody)?;
    people::load(reads, me).await?.filter(Person::active).ok_or_else(nobody)
}

/// Lets somebody decide in the actor's place. What has passed counts from now. Answers its
/// number.
pub async fn create(
    db: &Db,
    by: By<'_>,
    to: PersonId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    reason: &str,
) -> Result<i64, Error> {
    let mut change = Change::begin(db, by).await?;
    let me = oneself(&mut change.tx, by).await?;
    let from = from.max(by.now);
    let mut wrong = Checked::default();
    let reason = wrong.take("/reason", text::prose(reason, "The reason", REASON_MAX));
    if reason.is_empty() {
        wrong.refuse("/reason", "Say why, for instance: on leave.");
    }
    if let Some((at, message)) = delegation::wrong(from, until, by.now) {
        wrong.refuse(at, message);
    }
    match people::load(&mut change.tx, to).await? {
        None => wrong.refuse("/to", format!("There is no {to}.")),
        Some(p) if p.id == me.id => wrong.refuse("/to", "Nobody stands in for themself: name somebody else."),
        Some(p) if !p.active() => wrong.refuse("/to", format!("{} has left; name somebody who is here.", p.name)),
        Some(p) if p.roles.iter().all(|r| r == Role::Auditor) => {
            wrong.refuse("/to", format!("{} may only read; name somebody who decides.", p.name));
        }
        Some(_) => {}
    }
    wrong.done()?;
    // One at a time, so that two at once do not overlap.
    change.tx.run("UPDATE sequence SET last = last WHERE noun = 'delegation'", args![]).await?;
    let open = format!("{SELECT} WHERE d.from_id = $1 AND d.ended_at IS NULL AND d.until_at > $2 LIMIT {MOST}");
    let rows = change.tx.all(open, args![me.id, by.now]).await?;
    let given = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    if let Some(same) = given.iter().find(|d| d.to == to && d.from_at < until && from < d.until_at) {
        return Err(Error::Conflict(format!(
            "{} decides in your place until {} already; end that first, or begin this one later.",
            same.to_name,
            same.until_at.format("%Y-%m-%d")
        )));
    }
    if given.len() as i64 >= MOST {
        return Err(Error::Conflict(format!("You gave {MOST} of them already; end one that is not needed.")));
    }
    let id = change.next("delegation", 1).await?;
    let event = change.event("self", "delegation.given", me.id);
    change.describe(event, Value::Null, json!({"delegation": id, "to": to, "from": told(from), "until": told(until)}));
    change.because(event, &reason);
    let row = args![id, change.id(event), me.id, to, from, until, &reason];
    let columns = ["id", "event_id", "from_id", "to_id", "from_at", "until_at", "reason"];
    change.tx.insert("delegation", &columns, vec![row], "").await?;
    change.wrote(event, &change::DELEGATION, id);
    change.tell(To::Person(to), tiding::delegated(id, &me.name, from, until, &reason));
    change.commit().await?;
    Ok(id)
}

/// Ends one before its time: whoever gave it takes it back, whoever has it gives it back.
pub async fn end(db: &Db, by: By<'_>, id: i64, reason: &str) -> Result<Delegation, Error> {
    let mut change = Change::begin(db, by).await?;
    let me = oneself(&mut change.tx, by).await?;
    let reason = text::prose(reason, "The reason", REASON_MAX).map_err(|e| Error::field("/reason", e.to_string()))?;
    let rows = change.tx.all(format!("{SELECT} WHERE d.id = $1"), args![id]).await?;
    let found = rows.first().map(read).transpose()?.filter(|d| d.from == me.id || d.to == me.id);
    let mut found = found.ok_or_else(|| Error::NotFound("such a delegation".into()))?;
    if found.ended_at.is_some() || found.until_at <= by.now {
        return Err(Error::Conflict("It has ended already.".into()));
    }
    let action = if found.from == me.id { "delegation.ended" } else { "delegation.given-back" };
    let event = change.event("self", action, found.from);
    change.describe(
        event,
        json!({"delegation": id, "to": found.to, "until": told(found.until_at)}),
        json!({"delegation": id, "to": found.to, "until": told(by.now)}),
    );
    change.because(event, reason);
    let args = args![id, by.now, change.id(event)];
    let n = change
        .tx
        .run("UPDATE delegation SET ended_at = $2, event_id = $3 WHERE id = $1 AND ended_at IS NULL", args)
        .await?;
    if n != 1 {
        return Err(Error::Conflict("Somebody else ended it at the same moment.".into()));
    }
    change.wrote(event, &change::DELEGATION, id);
    change.commit().await?;
    found.ended_at = Some(by.now);
    Ok(found)
}

/// In whose place a person may decide now: the delegation, and whose decisions they are. Those
/// who left have nothing to delegate. Not chained.
pub async fn in_force(
    reads: &mut impl Reads,
    person: PersonId,
    now: DateTime<Utc>,
) -> Result<Vec<(i64, PersonId)>, DbError> {
    let sql = "SELECT d.id, d.from_id FROM delegation d JOIN person f ON f.id = d.from_id \
               WHERE d.to_id = $1 AND d.ended_at IS NULL AND d.until_at > $2 AND d.from_at <= $2 \
               AND f.status = 'active' ORDER BY d.until_at, d.id LIMIT 500";
    reads.rows(sql, args![person, now]).await?.iter().map(|r| Ok((r.get(0)?, r.get(1)?))).collect()
}

/// Who may decide now in the places of these: by person, the delegation and who decides. Those
/// who left decide nothing.
pub async fn delegates_of(
    reads: &mut impl Reads,
    from: &[PersonId],
    now: DateTime<Utc>,
) -> Result<HashMap<PersonId, Vec<(i64, PersonId)>>, DbError> {
    let mut out: HashMap<PersonId, Vec<(i64, PersonId)>> = HashMap::new();
    for batch in from.chunks(500) {
        let sql = format!(
            "SELECT d.from_id, d.id, d.to_id FROM delegation d JOIN person t ON t.id = d.to_id \
             WHERE d.ended_at IS NULL AND d.until_at > $1 AND d.from_at <= $1 AND t.status = 'active' \
             AND d.from_id IN {} ORDER BY d.until_at, d.id",
            marks(2, batch.len())
        );
        let mut list = args![now];
        list.extend(batch.iter().map(|p| Arg::from(*p)));
        for r in reads.rows(sql, list).await? {
            out.entry(r.get(0)?).or_default().push((r.get(1)?, r.get(2)?));
        }
    }
    Ok(out)
}
