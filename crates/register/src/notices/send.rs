//! Messages on their way. A server takes some for itself for a while, sends them, and writes
//! down how it went. One that dies loses them after that while to whoever looks next, who sends
//! them again under the same delivery: every message arrives, and a receiver can drop repeats.

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::PersonId;
use domain::notice::{Item, OutletKind, retry};

use super::list::{ITEM, item};
use crate::args;
use crate::db::{Arg, Db, DbError, Reads, Tx, marks};

/// For so long a message belongs to who took it, unless that is renewed.
pub const LEASE: TimeDelta = TimeDelta::seconds(20);
/// Longest account of a failure that is kept, in characters.
const ERROR_MAX: usize = 300;

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// By e-mail to a person.
    Person {
        /// Their name.
        name: String,
        /// Their address.
        email: String,
    },
    /// To a channel of the organisation.
    Outlet {
        /// What it speaks.
        kind: OutletKind,
        /// Its address.
        url: String,
        /// The secret of a signed webhook.
        secret: Option<String>,
    },
    /// Nowhere any more, and why.
    Gone(String),
}

/// A message that a server took to send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its id: the same however often it is sent.
    pub delivery: String,
    /// Where it goes.
    pub to: To,
    /// What it carries, oldest first.
    pub items: Vec<Item>,
}

struct Picked {
    id: String,
    person: Option<PersonId>,
    outlet: Option<i64>,
    critical: bool,
    fresh: bool,
}

/// Takes at most `most` messages that are due, the critical ones first, for `owner`. What waits
/// for one person and was never tried goes as one. `mail`: this server sends e-mail.
pub async fn take(db: &Db, owner: &str, now: DateTime<Utc>, most: i64, mail: bool) -> Result<Vec<Taken>, DbError> {
    let which = if mail { "" } else { "AND person_id IS NULL" };
    let due = "state = 'waits' AND next_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)";
    let look = format!("SELECT 1 FROM delivery WHERE {due} {which} ORDER BY next_at, id LIMIT 1");
    if db.one(look, args![now]).await?.is_none() {
        return Ok(Vec::new());
    }
    let mut tx = db.begin().await?;
    let mut picked: Vec<Picked> = Vec::new();
    for urgent in ["AND critical", "AND NOT critical"] {
        let left = most - picked.len() as i64;
        if left <= 0 {
            break;
        }
        let sql = format!(
            "SELECT id, person_id, outlet_id, critical, first_at FROM delivery WHERE {due} {which} {urgent} \
             ORDER BY next_at, id LIMIT $2{}",
            tx.taking()
        );
        for r in tx.all(sql, args![now, left]).await? {
            picked.push(Picked {
                id: r.get(0)?,
                person: r.get(1)?,
                outlet: r.get(2)?,
                critical: r.get(3)?,
                fresh: r.get::<Option<i64>>(4)?.is_none(),
            });
        }
    }
    fold(&mut tx, &mut picked, now).await?;
    if picked.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "UPDATE delivery SET lease_owner = $1, lease_until = $2, first_at = COALESCE(first_at, $3) WHERE id IN {}",
        marks(4, picked.len())
    );
    let mut list = args![owner, now + LEASE, now];
    list.extend(picked.iter().map(|p| Arg::from(&p.id)));
    tx.run(sql, list).await?;
    tx.commit().await?;
    let mut out = Vec::with_capacity(picked.len());
    for one in picked {
        out.push(filled(db, one).await?);
    }
    Ok(out)
}

/// Puts what waits for one person into the first message to them that was picked. What was tried
/// stays as it is: the receiver may have it under its delivery.
async fn fold(tx: &mut Tx, picked: &mut Vec<Picked>, now: DateTime<Utc>) -> Result<(), DbError> {
    let mut at = 0;
    while at < picked.len() {
        let into = picked[at].id.clone();
        if let (Some(person), true, false) = (picked[at].person, picked[at].fresh, picked[at].critical) {
            let sql = format!(
                "SELECT id FROM delivery WHERE person_id = $1 AND state = 'waits' AND first_at IS NULL \
                 AND next_at <= $2 AND NOT critical AND id <> $3 ORDER BY next_at LIMIT 500{}",
                tx.taking()
            );
            let rows = tx.all(sql, args![person, now, &into]).await?;
            let others = rows.iter().map(|r| r.get(0)).collect::<Result<Vec<String>, _>>()?;
            if !others.is_empty() {
                picked.retain(|p| !others.contains(&p.id));
                let ids: Vec<Arg> = others.into_iter().map(Arg::from).collect();
                let mut list = args![&into];
                list.extend(ids.iter().cloned());
                let sql = format!("UPDATE notice SET delivery_id = $1 WHERE delivery_id IN {}", marks(2, ids.len()));
                tx.run(sql, list).await?;
                tx.run(format!("DELETE FROM delivery WHERE id IN {}", marks(1, ids.len())), ids).await?;
            }
        }
        at += 1;
    }
    Ok(())
}

/// What the message carries, and where it goes now.
async fn filled(mut db: &Db, one: Picked) -> Result<Taken, DbError> {
    let to = match (one.person, one.outlet) {
        (Some(person), _) => {
            let row = db.one("SELECT name, email, status FROM person WHERE id = $1", args![person]).await?;
            match row {
                Some(r) if r.get::<String>(2)? == "active" => To::Person { name: r.get(0)?, email: r.get(1)? },
                _ => To::Gone("whom it was for has left".into()),
            }
        }
        (None, Some(outlet)) => {
            let sql = "SELECT kind, url FROM outlet WHERE id = $1 AND removed_at IS NULL";
            match db.one(sql, args![outlet]).await? {
                Some(r) => {
                    let secret = super::outlets::secret(&mut db, outlet).await?;
                    To::Outlet { kind: r.get(0)?, url: r.get(1)?, secret }
                }
                None => To::Gone("its channel was removed".into()),
            }
        }
        (None, None) => To::Gone("it goes nowhere".into()),
    };
    let sql = if one.person.is_some() {
        format!("SELECT {ITEM} FROM notice n WHERE n.delivery_id = $1 ORDER BY n.id")
    } else {
        format!(
            "SELECT {ITEM} FROM delivery_notice d JOIN notice n ON n.id = d.notice_id WHERE d.delivery_id = $1 \
             ORDER BY n.id"
        )
    };
    let rows = Reads::rows(&mut db, sql, args![&one.id]).await?;
    let items = rows.iter().map(|r| item(r, 0)).collect::<Result<Vec<_>, _>>()?;
    Ok(Taken { delivery: one.id, to, items })
}

/// It arrived. Answers whether it still belonged to `owner`.
pub async fn sent(db: &Db, owner: &str, delivery: &str, now: DateTime<Utc>) -> Result<bool, DbError> {
    let sql = "UPDATE delivery SET state = 'sent', ended_at = $3, lease_owner = '', lease_until = NULL \
               WHERE id = $1 AND lease_owner = $2 AND state = 'waits'";
    Ok(db.run(sql, args![delivery, owner, now]).await? == 1)
}

/// How a failure was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// It is tried again then.
    Again(DateTime<Utc>),
    /// It is given up, and waits for a person on the page of settings.
    Dead,
    /// Another server has it by now.
    Lost,
}

/// It did not arrive. `chance` is any number, see [`retry::wait`]. What goes nowhere any more
/// is given up at once: `for_good`.
pub async fn failed(
    db: &Db,
    owner: &str,
    delivery: &str,
    why: &str,
    now: DateTime<Utc>,
    chance: u32,
    for_good: bool,
) -> Result<Failed, DbError> {
    let row = db.one("SELECT attempts FROM delivery WHERE id = $1", args![delivery]).await?;
    let Some(row) = row else { return Ok(Failed::Lost) };
    let failures = row.get::<i64>(0)? + 1;
    let why: String = why.chars().filter(|c| !c.is_control()).take(ERROR_MAX).collect();
    let next = retry::wait(failures, chance).filter(|_| !for_good).map(|wait| now + wait);
    let sql = "UPDATE delivery SET attempts = $3, last_error = $4, lease_owner = '', lease_until = NULL, \
               state = $5, next_at = COALESCE($6, next_at), ended_at = $7 \
               WHERE id = $1 AND lease_owner = $2 AND state = 'waits'";
    let (state, ended) = if next.is_some() { ("waits", None) } else { ("dead", Some(now)) };
    let n = db.run(sql, args![delivery, owner, failures, why, state, next, ended]).await?;
    Ok(match (n, next) {
        (1, Some(at)) => Failed::Again(at),
        (1, None) => Failed::Dead,
        _ => Failed::Lost,
    })
}

/// Keeps what `owner` has for another while.
pub async fn renew(db: &Db, owner: &str, now: DateTime<Utc>) -> Result<(), DbError> {
    let sql = "UPDATE delivery SET lease_until = $2 WHERE lease_until IS NOT NULL AND lease_owner = $1";
    db.run(sql, args![owner, now + LEASE]).await?;
    Ok(())
}

/// Gives back what `owner` has, for whoever looks next.
pub async fn give_back(db: &Db, owner: &str) -> Result<(), DbError> {
    let sql =
        "UPDATE delivery SET lease_owner = '', lease_until = NULL WHERE lease_until IS NOT NULL AND lease_owner = $1";
    db.run(sql, args![owner]).await?;
    Ok(())
}

/// When there is something to do next, as far as is known; a moment that has passed means now.
pub async fn next_due(db: &Db, mail: bool) -> Result<Option<DateTime<Utc>>, DbError> {
    let which = if mail { "" } else { "AND person_id IS NULL" };
    let mut soonest = None;
    for sql in [
        "SELECT at FROM notice WHERE planned_at IS NULL ORDER BY id LIMIT 1".to_owned(),
        format!(
            "SELECT next_at FROM delivery WHERE state = 'waits' AND lease_until IS NULL {which} ORDER BY next_at, id LIMIT 1"
        ),
        format!("SELECT lease_until FROM delivery WHERE lease_until IS NOT NULL {which} ORDER BY lease_until LIMIT 1"),
    ] {
        if let Some(row) = db.one(sql, args![]).await? {
            let at: DateTime<Utc> = row.get(0)?;
            soonest = Some(soonest.map_or(at, |s: DateTime<Utc>| s.min(at)));
        }
    }
    Ok(soonest)
}
