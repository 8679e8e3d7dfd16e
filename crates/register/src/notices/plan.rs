//! From what was told to what goes out: each notice once, by what its reader chose and what
//! channels of the organisation take. In batches, by whichever server comes first.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use domain::id::PersonId;
use domain::notice::{NoticeKind, Plan};

use super::{outlets, preferences};
use crate::db::{Arg, Db, DbError, Tx, marks};
use crate::{args, random};

/// So many notices at a time: a batch holds the writer a few milliseconds.
const BATCH: i64 = 200;

const COLUMNS: &[&str] = &[
    "id",
    "person_id",
    "outlet_id",
    "critical",
    "state",
    "made_at",
    "next_at",
    "attempts",
    "last_error",
    "lease_owner",
];

/// Deliveries being made.
#[derive(Default)]
struct Making {
    rows: Vec<Vec<Arg>>,
    /// The messages to outlets: delivery and notice.
    carried: Vec<Vec<Arg>>,
    /// By delivery, none for what goes nowhere, the notices in it.
    joins: BTreeMap<Option<String>, Vec<String>>,
}

impl Making {
    fn delivery(
        &mut self,
        person: Option<PersonId>,
        outlet: Option<i64>,
        critical: bool,
        at: [DateTime<Utc>; 2],
    ) -> String {
        let [now, next] = at;
        let id = random::uuid_v7(now, self.rows.len() as u64);
        self.rows.push(args![&id, person, outlet, critical, "waits", now, next, 0_i64, "", ""]);
        id
    }
}

/// Decides what goes out of the notices that were written since. `mail`: this server sends
/// e-mail; where none is sent, notices are read in Muster alone. Answers how many were decided.
pub async fn plan(db: &Db, now: DateTime<Utc>, mail: bool) -> Result<usize, DbError> {
    // Looked at first, so that an idle server takes no lock.
    if db.one("SELECT 1 FROM notice WHERE planned_at IS NULL LIMIT 1", args![]).await?.is_none() {
        return Ok(0);
    }
    let mut tx = db.begin().await?;
    let sql = format!(
        "SELECT id, person_id, kind, critical FROM notice WHERE planned_at IS NULL ORDER BY id LIMIT $1{}",
        tx.taking()
    );
    let mut told: Vec<(String, Option<PersonId>, String, bool)> = Vec::new();
    for r in tx.all(sql, args![BATCH]).await? {
        told.push((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?));
    }
    if told.is_empty() {
        return Ok(0);
    }
    let mut people: Vec<PersonId> = told.iter().filter_map(|t| t.1).collect();
    people.sort_unstable();
    people.dedup();
    let chosen = preferences::of_many(&mut tx, &people).await?;
    let outlets = outlets::all(&mut tx).await?;
    let mut making = Making::default();
    // What of one person goes at one moment goes together.
    let mut together: HashMap<(PersonId, DateTime<Utc>), String> = HashMap::new();
    let count = told.len();
    for (id, person, kind, critical) in told {
        let kind: Option<NoticeKind> = kind.parse().ok();
        let mut into = None;
        match (person, kind) {
            (Some(person), Some(kind)) if mail => {
                let of = chosen.get(&person).cloned().unwrap_or_default();
                match of.plan(kind, critical, now) {
                    Plan::InApp => {}
                    Plan::Mail { at, alone: true } => {
                        into = Some(making.delivery(Some(person), None, true, [now, at]));
                    }
                    Plan::Mail { at, alone: false } => {
                        let there = match together.entry((person, at)) {
                            Entry::Occupied(there) => there.into_mut(),
                            Entry::Vacant(none) => {
                                let there = if at > now { open(&mut tx, person, at).await? } else { None };
                                none.insert(
                                    there.unwrap_or_else(|| making.delivery(Some(person), None, false, [now, at])),
                                )
                            }
                        };
                        into = Some(there.clone());
                    }
                }
            }
            (None, Some(kind)) => {
                for outlet in outlets.iter().filter(|o| o.kinds.contains(&kind)) {
                    let delivery = making.delivery(None, Some(outlet.id), critical, [now, now]);
                    making.carried.push(args![delivery, &id]);
                }
            }
            _ => {}
        }
        making.joins.entry(into).or_default().push(id);
    }
    tx.insert("delivery", COLUMNS, making.rows, "").await?;
    tx.insert("delivery_notice", &["delivery_id", "notice_id"], making.carried, "").await?;
    for (delivery, ids) in making.joins {
        let sql = format!("UPDATE notice SET planned_at = $1, delivery_id = $2 WHERE id IN {}", marks(3, ids.len()));
        let mut list = args![now, delivery];
        list.extend(ids.into_iter().map(Arg::from));
        tx.run(sql, list).await?;
    }
    tx.commit().await?;
    Ok(count)
}

/// The message to this person that waits for this moment and that nobody took yet. Taken for
/// this transaction, so that it is not sent before the notice is in it.
async fn open(tx: &mut Tx, person: PersonId, at: DateTime<Utc>) -> Result<Option<String>, DbError> {
    let sql = format!(
        "SELECT id FROM delivery WHERE person_id = $1 AND next_at = $2 AND state = 'waits' AND first_at IS NULL \
         AND NOT critical LIMIT 1{}",
        tx.taking()
    );
    tx.one(sql, args![person, at]).await?.map(|r| r.get(0)).transpose()
}
