//! Sessions: who is signed in, from where, since when. Working facts outside the record;
//! that one was opened, closed or revoked is an event.
//!
//! Only the SHA-256 of a session's id is stored, so that a copy of the database signs
//! nobody in.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::id::PersonId;
use domain::party::Roles;
use domain::proposal::LAPSES_AFTER;
use serde_json::json;

use crate::args;
use crate::assignments::lapse;
use crate::change::{By, Change};
use crate::db::{Db, DbError, Row, Tx};
use crate::error::Error;

/// Unused for so long, a session ends.
pub const IDLE: TimeDelta = TimeDelta::hours(12);
/// However much it is used, a session ends after this.
pub const LONGEST: TimeDelta = TimeDelta::days(7);
/// How old the noted last use may be before it is written again.
pub const SEEN_EVERY: TimeDelta = TimeDelta::minutes(5);

/// So far is what waits counted: beyond it one does not read the number.
pub const WAITING_MOST: i64 = 100;

/// A session that holds, with the person it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Found {
    /// What the session is called where it is listed.
    pub public_id: String,
    /// Whose it is.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their roles at this moment.
    pub roles: Roles,
    /// What waits for them: decisions, offers to them or a team that they lead, agents handed over
    /// to such a team, drills that they are to have seen, and what waits for a second person whom
    /// they may be; counted up to [`WAITING_MOST`].
    pub waiting: i64,
    /// Approvals, changes of scope, resumptions and retirements that wait for their decision,
    /// counted up to [`WAITING_MOST`].
    pub approvals: i64,
    /// Reviews that wait for them, counted up to [`WAITING_MOST`].
    pub reviews: i64,
    /// Decisions about exceptions that wait for them, counted up to [`WAITING_MOST`].
    pub exceptions: i64,
    /// Notices that they have not read, counted up to [`WAITING_MOST`].
    pub unread: i64,
    /// The last noted use.
    pub seen_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
}

/// The session with this id, if it holds at `now` and its person is still there. One
/// indexed query, and no write: it is asked with every request. SQLite takes a cross join in
/// the order written: from the few teams that one leads, never from all that is on offer.
pub async fn find(db: &Db, id_sha256: &str, now: DateTime<Utc>) -> Result<Option<Found>, DbError> {
    let row = db
        .one(
            "SELECT s.public_id, p.id, p.name, p.email, p.roles, s.seen_at, s.expires_at, \
               (SELECT COUNT(*) FROM (SELECT 1 FROM assignment o WHERE o.party_kind = 'person' AND o.party_id = p.id \
                 AND o.role = 'A' AND o.accepted_at IS NULL AND o.valid_to IS NULL AND o.offered_at > $5 LIMIT 100) mine) \
               + (SELECT COUNT(*) FROM (SELECT 1 FROM team t CROSS JOIN assignment o \
                 WHERE (t.lead_id = p.id OR t.deputy_id = p.id) AND o.party_kind = 'team' AND o.party_id = t.id \
                 AND o.role = 'A' AND o.accepted_at IS NULL AND o.valid_to IS NULL AND o.offered_at > $5 LIMIT 100) ours) \
               + (SELECT COUNT(*) FROM (SELECT 1 FROM team t CROSS JOIN handover h CROSS JOIN agent a \
                 WHERE (t.lead_id = p.id OR t.deputy_id = p.id) AND h.to_team = t.id AND h.outcome = '' \
                 AND a.id = h.agent_id AND a.built_by = h.from_team AND a.operated_by = h.to_team LIMIT 100) given) \
               + (SELECT COUNT(*) FROM (SELECT 1 FROM stop_call c WHERE c.witness_id = p.id AND c.due_at > $2 \
                 AND c.stopped_at IS NULL AND c.denied_at IS NULL LIMIT 100) seen) \
               + CASE WHEN ' ' || p.roles || ' ' LIKE '% administrator %' OR ' ' || p.roles || ' ' LIKE '% security-lead %' \
                 THEN (SELECT COUNT(*) FROM (SELECT 1 FROM proposal q WHERE q.state = 'open' AND q.asked_at > $4 \
                 AND q.asked_by <> p.id AND (q.person_id IS NULL OR q.person_id <> p.id) LIMIT 100) asked) ELSE 0 END, \
               (SELECT COUNT(*) FROM (SELECT 1 FROM request_step v WHERE v.waits_for = p.id \
                 AND v.kind IN ('approval', 'scope-change', 'resumption', 'retirement') AND v.verdict = '' AND v.ready \
                 AND v.waits_until > $2 LIMIT 100) decided), \
               (SELECT COUNT(*) FROM (SELECT 1 FROM request_step v WHERE v.waits_for = p.id \
                 AND v.kind = 'review' AND v.verdict = '' AND v.ready AND v.waits_until > $2 LIMIT 100) reviewed), \
               (SELECT COUNT(*) FROM (SELECT 1 FROM request_step v WHERE v.waits_for = p.id \
                 AND v.kind = 'exception' AND v.verdict = '' AND v.ready AND v.waits_until > $2 LIMIT 100) excepted), \
               (SELECT COUNT(*) FROM (SELECT 1 FROM notice n WHERE n.person_id = p.id AND n.read_at IS NULL LIMIT 100) told) \
             FROM session s JOIN person p ON p.id = s.person_id \
             WHERE s.id_sha256 = $1 AND s.expires_at > $2 AND s.seen_at > $3 AND p.status = 'active'",
            args![id_sha256, now, now - IDLE, now - LAPSES_AFTER, lapse::since(now)],
        )
        .await?;
    row.map(|r| {
        let (approvals, reviews, exceptions) = (r.get::<i64>(8)?, r.get::<i64>(9)?, r.get::<i64>(10)?);
        let others: i64 = r.get(7)?;
        Ok(Found {
            public_id: r.get(0)?,
            person: r.get(1)?,
            name: r.get(2)?,
            email: r.get(3)?,
            roles: r.get(4)?,
            seen_at: r.get(5)?,
            expires_at: r.get(6)?,
            waiting: (others + approvals + reviews + exceptions).min(WAITING_MOST),
            approvals,
            reviews,
            exceptions,
            unread: r.get(11)?,
        })
    })
    .transpose()
}

/// Whether the session of this public id still holds; asking is no use of it.
pub async fn holds(db: &Db, public_id: &str, now: DateTime<Utc>) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM session s JOIN person p ON p.id = s.person_id WHERE s.public_id = $1 \
               AND s.expires_at > $2 AND s.seen_at > $3 AND p.status = 'active'";
    Ok(db.one(sql, args![public_id, now, now - IDLE]).await?.is_some())
}

/// Notes that the session is in use, unless that was noted lately.
pub async fn touch(db: &Db, id_sha256: &str, now: DateTime<Utc>) -> Result<(), DbError> {
    db.run(
        "UPDATE session SET seen_at = $2 WHERE id_sha256 = $1 AND seen_at <= $3",
        args![id_sha256, now, now - SEEN_EVERY],
    )
    .await?;
    Ok(())
}

/// Where a session is opened from.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct From {
    /// What the browser calls itself.
    pub user_agent: String,
    /// Its address.
    pub address: String,
}

/// Opens a session for the person who acts. Answers its public id.
pub async fn open(db: &Db, by: By<'_>, id_sha256: &str, from: &From) -> Result<String, Error> {
    let mut c = Change::begin(db, by).await?;
    let public_id = open_in(&mut c, id_sha256, from).await?;
    c.commit().await?;
    Ok(public_id)
}

/// As [`open`], inside a change under way.
pub async fn open_in(c: &mut Change<'_>, id_sha256: &str, from: &From) -> Result<String, Error> {
    let Some(person) = c.by.actor.person_id() else {
        return Err(Error::Conflict("Only a person has a session.".into()));
    };
    let now = c.by.now;
    let public_id = crate::random::uuid_v7(now, 0);
    let address = cut(&from.address, 64);
    let user_agent = cut(&from.user_agent, 300);
    c.tx.insert(
        "session",
        &[
            "id_sha256",
            "public_id",
            "person_id",
            "data",
            "created_at",
            "seen_at",
            "expires_at",
            "user_agent",
            "address",
        ],
        vec![args![id_sha256, &public_id, person, "{}", now, now, now + LONGEST, &user_agent, &address]],
        "",
    )
    .await?;
    let e = c.event("self", "session.opened", person);
    c.describe(e, serde_json::Value::Null, json!({"session": public_id, "address": address, "user_agent": user_agent}));
    Ok(public_id)
}

/// Control characters out, and no longer than the column is worth.
fn cut(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

/// Ends one's own session: signing out.
pub async fn close(db: &Db, by: By<'_>, id_sha256: &str) -> Result<(), Error> {
    let mut c = Change::begin(db, by).await?;
    let gone =
        c.tx.one("DELETE FROM session WHERE id_sha256 = $1 RETURNING public_id, person_id", args![id_sha256]).await?;
    if let Some(row) = gone {
        let e = c.event("self", "session.closed", row.get::<PersonId>(1)?);
        c.describe(e, json!({"session": row.get::<String>(0)?}), serde_json::Value::Null);
        c.commit().await?;
    }
    Ok(())
}

/// A session as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What it is called.
    pub public_id: String,
    /// Whose it is.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// The last noted use.
    pub seen_at: DateTime<Utc>,
    /// What the browser called itself.
    pub user_agent: String,
    /// Its address.
    pub address: String,
}

/// The sessions of a person that hold, or everybody's; last used first, at most 200.
pub async fn list(db: &Db, by: By<'_>, of: Option<PersonId>) -> Result<Vec<Listed>, Error> {
    can(by.actor, Action::SessionManage, relation(by, of))?;
    let mut sql = String::from(
        "SELECT s.public_id, s.person_id, p.name, s.created_at, s.seen_at, s.user_agent, s.address FROM session s \
         JOIN person p ON p.id = s.person_id WHERE s.expires_at > $1 AND s.seen_at > $2 AND p.status = 'active'",
    );
    let mut given = args![by.now, by.now - IDLE];
    if let Some(person) = of {
        sql.push_str(" AND s.person_id = $3");
        given.push(person.into());
    }
    sql.push_str(" ORDER BY s.seen_at DESC, s.public_id LIMIT 200");
    let rows = db.all(sql, given).await?;
    Ok(rows.iter().map(listed).collect::<Result<_, _>>()?)
}

fn listed(r: &Row) -> Result<Listed, DbError> {
    Ok(Listed {
        public_id: r.get(0)?,
        person: r.get(1)?,
        name: r.get(2)?,
        created_at: r.get(3)?,
        seen_at: r.get(4)?,
        user_agent: r.get(5)?,
        address: r.get(6)?,
    })
}

/// Ends a session by its public id: one's own, or anybody's by an administrator.
pub async fn revoke(db: &Db, by: By<'_>, public_id: &str) -> Result<PersonId, Error> {
    let mut c = Change::begin(db, by).await?;
    let row = c.tx.one("SELECT person_id FROM session WHERE public_id = $1", args![public_id]).await?;
    let owner = row.map(|r| r.get::<PersonId>(0)).transpose()?;
    let relation = relation(by, owner);
    // Whether a session exists is told only to those who could end it.
    can(by.actor, Action::SessionManage, relation)?;
    let Some(owner) = owner else { return Err(Error::NotFound("such session; it may have ended already".into())) };
    c.tx.run("DELETE FROM session WHERE public_id = $1", args![public_id]).await?;
    let capacity = if relation == Relation::Owner { "self" } else { "administrator" };
    let e = c.event(capacity, "session.revoked", owner);
    c.describe(e, json!({"session": public_id}), serde_json::Value::Null);
    c.commit().await?;
    Ok(owner)
}

/// Ends all sessions of a person, inside a change under way: the password changed, or they
/// left. Answers how many there were.
pub async fn end_all(tx: &mut Tx, person: PersonId) -> Result<u64, DbError> {
    tx.run("DELETE FROM session WHERE person_id = $1", args![person]).await
}

/// Removes what has ended, a few hundred rows at a time.
pub async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<u64, DbError> {
    db.run(
        "DELETE FROM session WHERE id_sha256 IN \
         (SELECT id_sha256 FROM session WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)",
        args![now],
    )
    .await
}

fn relation(by: By<'_>, owner: Option<PersonId>) -> Relation {
    if owner.is_some() && by.actor.person_id() == owner { Relation::Owner } else { Relation::None }
}
