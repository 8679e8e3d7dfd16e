//! Standing rules: kept here, asked when they are run and at the end of every import.
//! What a rule may do is [`domain::rule`]'s to say.

mod ask;
pub(crate) mod rows;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::canonical;
use domain::duty::Duty;
use domain::id::{AgentId, RuleId};
use domain::party::{Party, Standing};
use domain::rule::{AtImport, Condition, MANY_MAX, NAME_MAX, RuleState};
use domain::text;
use serde_json::{Value, json};

use crate::agents::assess::{party_names, party_standing};
use crate::agents::relation::capacity;
use crate::args;
use crate::assignments::REASON_MAX;
use crate::change::{self, By, Change};
use crate::db::{Db, Reads, Row};
use crate::error::{Checked, Error, FieldError};

pub(crate) use ask::at_import;
pub use ask::{Foreseen, MOST, Ran, Ruled, foresee, foresee_rule, run};

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its reference.
    pub id: RuleId,
    /// Counts changes; guards against lost updates.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Who made it: a reference, `cli`, …
    pub made_by: String,
    /// What it is called.
    pub name: String,
    /// Which agents it is about.
    pub condition: Condition,
    /// Which duty it fills.
    pub duty: Duty,
    /// Whom it asks.
    pub party: Party,
    /// Their name.
    pub party_name: String,
    /// Whether they can be Accountable; a rule to somebody who cannot acts on nothing.
    pub standing: Standing,
    /// What it does to the agents of an import.
    pub at_import: AtImport,
    /// Its place among the rules: the lowest is asked first.
    pub place: i64,
    /// Whether it acts.
    pub state: RuleState,
}

impl Rule {
    /// Whether it cannot act though it is active: whoever it asks is gone.
    pub fn broken(&self) -> bool {
        self.state == RuleState::Active && self.standing != Standing::Active
    }
}

/// What is written about a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// What it is called.
    pub name: String,
    /// Which agents it is about.
    pub condition: Condition,
    /// Which duty it fills.
    pub duty: Duty,
    /// Whom it asks.
    pub party: Party,
    /// What it does to the agents of an import.
    pub at_import: AtImport,
}

const SELECT: &str = "SELECT id, version, created_at, updated_at, made_by, name, meant, duty, party_kind, party_id, \
     at_import, place, state FROM rule";

fn rule(r: &Row) -> Result<Option<Rule>, Error> {
    let Some(party) = Party::from_stored(&r.get::<String>(8)?, r.get(9)?) else { return Ok(None) };
    Ok(Some(Rule {
        id: r.get(0)?,
        version: r.get(1)?,
        created_at: r.get(2)?,
        updated_at: r.get(3)?,
        made_by: r.get(4)?,
        name: r.get(5)?,
        condition: serde_json::from_str(&r.get::<String>(6)?)
            .map_err(|e| Error::Conflict(format!("A stored rule cannot be read: {e}.")))?,
        duty: r.get(7)?,
        party,
        party_name: String::new(),
        standing: Standing::Active,
        at_import: r.get(10)?,
        place: r.get(11)?,
        state: r.get(12)?,
    }))
}

/// Names and standings of the parties.
async fn dressed(reads: &mut impl Reads, mut rules: Vec<Rule>) -> Result<Vec<Rule>, Error> {
    let names = party_names(reads, rules.iter().map(|r| r.party).collect::<Vec<_>>()).await?;
    let mut standings: BTreeMap<Party, Standing> = BTreeMap::new();
    for rule in &mut rules {
        rule.party_name = names.get(&rule.party).cloned().unwrap_or_else(|| rule.party.to_string());
        rule.standing = match standings.get(&rule.party) {
            Some(known) => *known,
            None => party_standing(reads, rule.party).await?.unwrap_or(Standing::Left),
        };
        standings.insert(rule.party, rule.standing);
    }
    Ok(rules)
}

/// Every rule that is not removed, in the order in which they are asked.
async fn standing(reads: &mut impl Reads) -> Result<Vec<Rule>, Error> {
    let sql = format!("{SELECT} WHERE state <> 'removed' ORDER BY place, id LIMIT {MANY_MAX}");
    let mut out = Vec::new();
    for r in reads.rows(sql, args![]).await? {
        out.extend(rule(&r)?);
    }
    dressed(reads, out).await
}

/// Every rule that is not removed, in the order in which they are asked.
pub async fn list(db: &Db, by: By<'_>) -> Result<Vec<Rule>, Error> {
    can(by.actor, Action::RuleRead, Relation::None)?;
    let mut reads = db;
    standing(&mut reads).await
}

async fn load(reads: &mut impl Reads, id: RuleId) -> Result<Rule, Error> {
    let rows = reads.rows(format!("{SELECT} WHERE id = $1"), args![id.0]).await?;
    let found = rows.first().map(rule).transpose()?.flatten();
    let found = found.ok_or_else(|| Error::NotFound(format!("rule {id}")))?;
    dressed(reads, vec![found]).await?.pop().ok_or_else(|| Error::NotFound(format!("rule {id}")))
}

/// One rule, removed ones included: their offers name them.
pub async fn read(db: &Db, by: By<'_>, id: RuleId) -> Result<Rule, Error> {
    can(by.actor, Action::RuleRead, Relation::None)?;
    let mut reads = db;
    load(&mut reads, id).await
}

/// An offer that a rule made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Of which agent.
    pub agent: AgentId,
    /// The agent's name.
    pub name: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether it was accepted.
    pub accepted: bool,
    /// How it ended; empty while it is open.
    pub ended: String,
}

/// The newest offers that a rule made, at most `most`.
pub async fn made(db: &Db, by: By<'_>, id: RuleId, most: i64) -> Result<Vec<Made>, Error> {
    can(by.actor, Action::RuleRead, Relation::None)?;
    let rows = db
        .all(
            "SELECT s.agent_id, (SELECT a.name FROM agent a WHERE a.id = s.agent_id), s.offered_at, \
             s.accepted_at IS NOT NULL, s.ended FROM assignment s WHERE s.rule_id = $1 ORDER BY s.id DESC LIMIT $2",
            args![id.0, most],
        )
        .await?;
    let read = |r: &Row| -> Result<Made, Error> {
        Ok(Made { agent: r.get(0)?, name: r.get(1)?, at: r.get(2)?, accepted: r.get(3)?, ended: r.get(4)? })
    };
    rows.iter().map(read).collect()
}

/// Checks what is written; the party must be there and able.
async fn checked(reads: &mut impl Reads, given: &Fields) -> Result<Fields, Error> {
    let mut wrong = Checked::default();
    let name = wrong.take("/name", text::required_line(&given.name, "a name", NAME_MAX));
    match party_standing(reads, given.party).await? {
        None => wrong.refuse("/party", format!("There is no {}.", given.party)),
        Some(Standing::Left) => wrong.refuse("/party", format!("{} has left; choose somebody active.", given.party)),
        Some(Standing::Leaderless) => wrong.refuse(
            "/party",
            format!("{} has no active lead, so nobody would be named; give the team a lead first.", given.party),
        ),
        Some(Standing::Active) => {}
    }
    let condition = match given.condition.clone().check() {
        Ok(condition) => condition,
        Err(list) => {
            for (at, message) in list {
                wrong.refuse(&format!("/condition{at}"), message);
            }
            Condition::default()
        }
    };
    for (at, table, id) in [
        ("/condition/operated_by", "team", condition.operated_by.map(|t| (t.0, t.to_string()))),
        ("/condition/system", "system", condition.system.map(|s| (s.0, s.to_string()))),
    ] {
        if let Some((id, reference)) = id
            && reads.rows(format!("SELECT id FROM {table} WHERE id = $1"), args![id]).await?.is_empty()
        {
            wrong.refuse(at, format!("There is no {reference}."));
        }
    }
    wrong.done()?;
    Ok(Fields { name, condition, ..given.clone() })
}

fn told(f: &Fields) -> Value {
    json!({
        "name": f.name, "condition": f.condition, "duty": f.duty, "party": f.party, "at_import": f.at_import,
    })
}

fn stored(condition: &Condition) -> String {
    serde_json::to_value(condition).map_or_else(|_| "{}".to_owned(), |v| canonical::to_string(&v))
}

fn reason_of(reason: &str) -> Result<String, Error> {
    text::prose(reason, "The reason", REASON_MAX)
        .map_err(|e| Error::Invalid(vec![FieldError { pointer: "/reason".into(), message: e.to_string() }]))
}

/// Makes a rule, asked after those that are there. It acts when it is run, and at imports.
pub async fn create(db: &Db, by: By<'_>, given: &Fields, reason: &str) -> Result<Rule, Error> {
    can(by.actor, Action::RuleWrite, Relation::None)?;
    let reason = reason_of(reason)?;
    let mut change = Change::begin(db, by).await?;
    let given = checked(&mut change.tx, given).await?;
    let id = RuleId(change.next("rule", 1).await?);
    let rows =
        change.tx.all("SELECT COUNT(*), COALESCE(MAX(place), 0) FROM rule WHERE state <> 'removed'", args![]).await?;
    let (count, last): (i64, i64) = match rows.first() {
        Some(r) => (r.get(0)?, r.get(1)?),
        None => (0, 0),
    };
    if count >= MANY_MAX {
        return Err(Error::Conflict(format!(
            "There are {MANY_MAX} rules already; remove one that does nothing any more."
        )));
    }
    let event = change.event(capacity(by.actor, Relation::None), "rule.created", id);
    change.describe(event, Value::Null, told(&given));
    change.because(event, &reason);
    let row = args![
        id.0,
        change.id(event),
        1,
        by.now,
        by.now,
        by.actor.who.to_string(),
        &given.name,
        stored(&given.condition),
        given.duty.key(),
        given.party.kind(),
        given.party.number(),
        given.at_import.key(),
        last + 1,
        RuleState::Active.key(),
    ];
    let columns = [
        "id",
        "event_id",
        "version",
        "created_at",
        "updated_at",
        "made_by",
        "name",
        "meant",
        "duty",
        "party_kind",
        "party_id",
        "at_import",
        "place",
        "state",
    ];
    change.tx.insert("rule", &columns, vec![row], "").await?;
    change.wrote(event, &change::RULE, id.0);
    change.commit().await?;
    read(db, by, id).await
}

/// A rule, for somebody who may change it and who read this version.
async fn changing(change: &mut Change<'_>, by: By<'_>, id: RuleId, expected: Option<i64>) -> Result<Rule, Error> {
    can(by.actor, Action::RuleWrite, Relation::None)?;
    let before = load(&mut change.tx, id).await?;
    if before.state == RuleState::Removed {
        return Err(Error::Conflict(format!("{id} was removed; make a new rule.")));
    }
    if expected.is_some_and(|e| e != before.version) {
        return Err(Error::Stale(before.version));
    }
    Ok(before)
}

/// Changes what a rule is about. Offers that it made stay.
pub async fn edit(
    db: &Db,
    by: By<'_>,
    id: RuleId,
    expected: Option<i64>,
    given: &Fields,
    reason: &str,
) -> Result<Rule, Error> {
    can(by.actor, Action::RuleWrite, Relation::None)?;
    let reason = reason_of(reason)?;
    let mut change = Change::begin(db, by).await?;
    let before = changing(&mut change, by, id, expected).await?;
    let given = checked(&mut change.tx, given).await?;
    let was = Fields {
        name: before.name,
        condition: before.condition,
        duty: before.duty,
        party: before.party,
        at_import: before.at_import,
    };
    if was == given {
        return read(db, by, id).await;
    }
    let event = change.event(capacity(by.actor, Relation::None), "rule.changed", id);
    change.describe(event, told(&was), told(&given));
    change.because(event, &reason);
    let args = args![
        id.0,
        before.version,
        change.id(event),
        by.now,
        &given.name,
        stored(&given.condition),
        given.duty.key(),
        given.party.kind(),
        given.party.number(),
        given.at_import.key(),
    ];
    let sql = "UPDATE rule SET version = version + 1, event_id = $3, updated_at = $4, name = $5, meant = $6, duty = $7, \
               party_kind = $8, party_id = $9, at_import = $10 WHERE id = $1 AND version = $2";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Stale(before.version + 1));
    }
    change.wrote(event, &change::RULE, id.0);
    change.commit().await?;
    read(db, by, id).await
}

/// Pauses, resumes or removes a rule. Offers that it made stay.
pub async fn set_state(
    db: &Db,
    by: By<'_>,
    id: RuleId,
    expected: Option<i64>,
    state: RuleState,
    reason: &str,
) -> Result<Rule, Error> {
    can(by.actor, Action::RuleWrite, Relation::None)?;
    let reason = reason_of(reason)?;
    let mut change = Change::begin(db, by).await?;
    let before = changing(&mut change, by, id, expected).await?;
    if before.state == state {
        return Ok(before);
    }
    let action = match state {
        RuleState::Active => "rule.resumed",
        RuleState::Paused => "rule.paused",
        RuleState::Removed => "rule.removed",
    };
    let event = change.event(capacity(by.actor, Relation::None), action, id);
    change.describe(event, json!({"state": before.state}), json!({"state": state}));
    change.because(event, &reason);
    let args = args![id.0, before.version, change.id(event), by.now, state.key()];
    let sql = "UPDATE rule SET version = version + 1, event_id = $3, updated_at = $4, state = $5 \
               WHERE id = $1 AND version = $2";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Stale(before.version + 1));
    }
    change.wrote(event, &change::RULE, id.0);
    change.commit().await?;
    read(db, by, id).await
}

/// Moves a rule one place earlier, or later: it changes places with its neighbour.
pub async fn shift(db: &Db, by: By<'_>, id: RuleId, earlier: bool) -> Result<(), Error> {
    can(by.actor, Action::RuleWrite, Relation::None)?;
    let mut change = Change::begin(db, by).await?;
    // One order at a time: two that changed places at once would share one.
    change.tx.run("UPDATE sequence SET last = last WHERE noun = 'rule'", args![]).await?;
    changing(&mut change, by, id, None).await?;
    let rules = standing(&mut change.tx).await?;
    let at = rules.iter().position(|r| r.id == id).unwrap_or(0);
    let other = if earlier { at.checked_sub(1) } else { Some(at + 1) };
    let Some(other) = other.filter(|o| *o < rules.len()) else { return Ok(()) };
    let event = change.event(capacity(by.actor, Relation::None), "rule.moved", id);
    let (mine, theirs) = (rules[at].place, rules[other].place);
    change.describe(event, json!({"place": mine}), json!({"place": theirs, "changed_with": rules[other].id}));
    for (rule, place) in [(&rules[at], theirs), (&rules[other], mine)] {
        let args = args![rule.id.0, rule.version, change.id(event), change.by.now, place];
        let sql = "UPDATE rule SET version = version + 1, event_id = $3, updated_at = $4, place = $5 \
                   WHERE id = $1 AND version = $2";
        if change.tx.run(sql, args).await? != 1 {
            return Err(Error::Stale(rule.version + 1));
        }
        change.wrote(event, &change::RULE, rule.id.0);
    }
    change.commit().await?;
    Ok(())
}
