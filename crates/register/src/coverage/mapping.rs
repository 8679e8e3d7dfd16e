//! What the organisation says of the crosswalk, version by version: links, for whom a node counts,
//! attestations. Each change is a version with its event.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::can::{Action, Relation, can};
use domain::canonical;
use domain::coverage::{Condition, ControlKey};
use domain::framework::{Node, Strength};
use domain::id::PersonId;
use domain::mapping::{Amendments, Attestation, LONGEST, Only, WORDS_MAX};
use domain::party::Role;
use domain::text;
use serde_json::{Value, json};

use crate::change::{self, By, Change};
use crate::db::{Db, DbError, Reads, Row};
use crate::error::{Checked, Error};
use crate::{args, people};

/// The subject of events about it.
pub const SUBJECT: &str = "mapping";

const COLUMNS: &str = "version, at, made_by, reason, content";

/// A version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Versioned {
    /// Its number; 0 is what is shipped.
    pub version: i64,
    /// When it was written; `None` for what is shipped.
    pub at: Option<DateTime<Utc>>,
    /// Who wrote it, as in the record; empty for what is shipped.
    pub made_by: String,
    /// Why.
    pub reason: String,
    /// What it says.
    pub amendments: Amendments,
}

fn read(r: &Row) -> Result<Versioned, DbError> {
    let content: String = r.get(4)?;
    Ok(Versioned {
        version: r.get(0)?,
        at: Some(r.get(1)?),
        made_by: r.get(2)?,
        reason: r.get(3)?,
        amendments: serde_json::from_str(&content).map_err(|e| DbError::Url(format!("a stored mapping: {e}")))?,
    })
}

/// The version in force.
pub(crate) async fn present(reads: &mut impl Reads) -> Result<Versioned, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM mapping ORDER BY version DESC LIMIT 1");
    Ok(reads.rows(sql, args![]).await?.first().map(read).transpose()?.unwrap_or_default())
}

/// The version in force, for whoever reads frameworks.
pub async fn mapping(db: &Db, by: By<'_>) -> Result<Versioned, Error> {
    can(by.actor, Action::FrameworkRead, Relation::None)?;
    let mut reads = db;
    Ok(present(&mut reads).await?)
}

/// What is to be changed about a node. Everything is as it was typed.
#[derive(Debug, Clone)]
pub enum Wish {
    /// How far each record bears on it; what is not among them does not.
    Links(BTreeMap<ControlKey, Strength>),
    /// For which agents it counts, until the end of a day; all of them without a condition.
    Only(Option<(Condition, Option<NaiveDate>)>),
    /// Attests it for a business unit, or for all of them, until the end of a day.
    Attest {
        /// For which business unit.
        business_unit: Option<String>,
        /// What is attested.
        says: String,
        /// Where the evidence is.
        evidence: String,
        /// Until when.
        until: Option<NaiveDate>,
    },
    /// Ends the attestation for a business unit, or that for all of them.
    End(Option<String>),
}

/// The end of a day, if that lies ahead and near enough.
fn until(day: Option<NaiveDate>, now: DateTime<Utc>, wrong: &mut Checked) -> DateTime<Utc> {
    let at = day.and_then(|d| d.succ_opt()).map(|d| d.and_time(chrono::NaiveTime::MIN).and_utc());
    match at {
        Some(at) if at > now && at <= now + LONGEST => at,
        _ => {
            wrong.refuse("/until", "Enter a day from today on, within twelve months: it ends with that day.");
            now
        }
    }
}

/// Who answers for a decision: the person who acts.
fn owner(by: By<'_>) -> Result<PersonId, Error> {
    by.actor
        .person_id()
        .ok_or_else(|| Error::Conflict("A person answers for this: sign in, or use a token that has an owner.".into()))
}

/// Changes what is said of a node: a version more. `expected` is the version that was read.
pub async fn amend(
    db: &Db,
    by: By<'_>,
    expected: Option<i64>,
    node: &Node,
    wish: &Wish,
    reason: &str,
) -> Result<i64, Error> {
    can(by.actor, Action::FrameworkWrite, Relation::None)?;
    let mut wrong = Checked::default();
    let reason = wrong.take("/reason", text::prose(reason, "The reason", WORDS_MAX));
    if reason.is_empty() {
        wrong.refuse("/reason", "Say why: it stays beside the version for as long as there is a record.");
    }
    let (framework, reference) = (node.catalogue.clone(), node.reference.clone());
    let mut change = Change::begin(db, by).await?;
    change.tx.run("UPDATE sequence SET last = last WHERE noun = 'mapping'", args![]).await?;
    let before = present(&mut change.tx).await?;
    if expected.is_some_and(|e| e != before.version) {
        return Err(Error::Stale(before.version));
    }
    let mut after = before.amendments.clone();
    match wish {
        Wish::Links(wanted) => after.map(node, wanted, &reason),
        Wish::Only(None) => after.count_only(node, None),
        Wish::Only(Some((condition, day))) => {
            let only = Only {
                framework,
                reference,
                condition: *condition,
                reason: reason.clone(),
                owner: owner(by)?,
                until: until(*day, by.now, &mut wrong),
            };
            after.count_only(node, Some(only));
        }
        Wish::Attest { business_unit, says, evidence, until: day } => {
            let says = wrong.take("/says", text::prose(says, "What is attested", WORDS_MAX));
            let evidence = wrong.take("/evidence", text::line(evidence, "The evidence", 500));
            for (at, given) in [("/says", &says), ("/evidence", &evidence)] {
                if given.is_empty() {
                    wrong.refuse(at, "Say what is so and where that is shown: a tick alone is no evidence.");
                }
            }
            let unit = business_unit.as_ref().map(|u| text::line(u, "The business unit", 200)).transpose();
            let unit = wrong.take("/business_unit", unit);
            if let Some(unit) = &unit
                && !known(&mut change.tx, unit).await?
            {
                wrong.refuse("/business_unit", "No agent belongs to this business unit.");
            }
            after.attest(Attestation {
                framework,
                reference,
                business_unit: unit,
                says,
                evidence,
                owner: owner(by)?,
                from: by.now,
                until: until(*day, by.now, &mut wrong),
            });
        }
        Wish::End(unit) => {
            if !after.end(&framework, &reference, unit.as_deref()) {
                return Err(Error::Conflict("There is no such attestation any more.".into()));
            }
        }
    }
    wrong.done()?;
    if after == before.amendments {
        return Err(Error::Conflict("It says what is said already; change something.".into()));
    }
    if !after.sound() {
        return Err(Error::Conflict("There are too many changes of the crosswalk; end some first.".into()));
    }
    let version = change.next("mapping", 1).await?;
    let capacity = people::keeper(by.actor, &[Role::SecurityLead, Role::RiskAnalyst]);
    let event = change.event(capacity, "mapping.changed", SUBJECT);
    change.describe(event, told(node, &before.amendments), told(node, &after));
    change.because(event, &reason);
    let content = serde_json::to_value(&after).map_or_else(|_| "{}".to_owned(), |v| canonical::to_string(&v));
    let row = args![version, change.id(event), by.now, by.actor.who.to_string(), reason, content];
    change.tx.insert("mapping", &["version", "event_id", "at", "made_by", "reason", "content"], vec![row], "").await?;
    change.wrote(event, &change::MAPPING, version);
    change.commit().await?;
    Ok(version)
}

async fn known(reads: &mut impl Reads, unit: &str) -> Result<bool, DbError> {
    let sql = "SELECT id FROM agent WHERE unit_folded = $1 ORDER BY id LIMIT 1";
    Ok(!reads.rows(sql, args![text::fold(unit)]).await?.is_empty())
}

/// What is said of a node, for the record.
fn told(node: &Node, amendments: &Amendments) -> Value {
    let mut out = serde_json::to_value(amendments.of(node)).unwrap_or_default();
    out["framework"] = json!(node.catalogue);
    out["node"] = json!(node.reference);
    out
}
