//! What needs a second person: asked for by one who governs, confirmed or refused by
//! another. The rule is [`domain::proposal`]; here it is remembered and carried out.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::id::PersonId;
use domain::party::Roles;
use domain::policy::Policy;
use domain::proposal::{self, Asked, Matter, NotYours, ProposalState};
use domain::text;
use domain::tiding;
use serde_json::{Value, json};

use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Arg, Db, DbError, Reads, Row};
use crate::error::Error;
use crate::tidings::To;
use crate::{passwords, people, policies};

/// Longest reason, in characters.
const REASON_MAX: usize = 1000;
/// Most that are listed for whoever may confirm them.
const MOST: i64 = 100;

/// Something that waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its number.
    pub id: i64,
    /// For whom; nobody where it is about the policy.
    pub person: Option<PersonId>,
    /// Their name.
    pub name: String,
    /// What.
    pub matter: Matter,
    /// The roles to be granted, where it is about roles.
    pub roles: Roles,
    /// The policy that is proposed and the version that it would follow, where it is about that.
    pub policy: Option<(Policy, i64)>,
    /// What it would change of that version, each a sentence.
    pub changes: Vec<String>,
    /// Who asked.
    pub asked_by: PersonId,
    /// Their name.
    pub asked_by_name: String,
    /// When.
    pub asked_at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// Whether the reader may confirm it.
    pub may_confirm: bool,
    /// Whether the reader may refuse it, or take back what they asked themself.
    pub may_refuse: bool,
}

impl Proposal {
    /// When it lapses.
    pub fn until(&self) -> DateTime<Utc> {
        self.asked().until()
    }

    const fn asked(&self) -> Asked {
        Asked { by: self.asked_by, subject: self.person, at: self.asked_at }
    }
}

/// How many people govern: are administrator or security lead and here, or were so within
/// the days for which that still counts.
pub(crate) async fn governing(reads: &mut impl Reads, now: DateTime<Utc>) -> Result<usize, DbError> {
    let since = now - proposal::COUNTS_FOR;
    let [one, two] = proposal::PRIVILEGED.map(|role| format!("% {} %", role.key()));
    let rows = reads
        .rows(
            "SELECT id FROM person WHERE (status = 'active' OR left_at > $1) \
             AND (' ' || roles || ' ' LIKE $2 OR ' ' || roles || ' ' LIKE $3)",
            args![since, one, two],
        )
        .await?;
    let mut ids: BTreeSet<PersonId> = rows.iter().map(|r| r.get(0)).collect::<Result<_, _>>()?;
    let rows = reads
        .rows(
            "SELECT subject, before FROM audit_event WHERE action = 'person.roles-changed' AND at > $1 ORDER BY seq",
            args![since],
        )
        .await?;
    for r in rows {
        let before: Value = serde_json::from_str(&r.get::<String>(1)?).unwrap_or_default();
        let roles: Roles = serde_json::from_value(before["roles"].clone()).unwrap_or_default();
        if !proposal::privileged(roles).is_empty() {
            ids.extend(r.get::<String>(0)?.parse::<PersonId>());
        }
    }
    Ok(ids.len())
}

/// Whether a person is Accountable for anything, themself or through a team they lead, or
/// governs: whoever sets their password could act as them.
pub(crate) async fn weighty(reads: &mut impl Reads, person: PersonId, roles: Roles) -> Result<bool, DbError> {
    if !proposal::privileged(roles).is_empty() {
        return Ok(true);
    }
    let rows = reads
        .rows(
            "SELECT 1 FROM assignment WHERE party_kind = 'person' AND party_id = $1 AND role = 'A' \
             AND valid_to IS NULL AND accepted_at IS NOT NULL \
             UNION ALL SELECT 1 FROM team t JOIN assignment s ON s.party_kind = 'team' AND s.party_id = t.id \
             AND s.role = 'A' AND s.valid_to IS NULL AND s.accepted_at IS NOT NULL WHERE t.lead_id = $1 LIMIT 1",
            args![person],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// What is asked for.
#[derive(Debug)]
pub(crate) enum What<'a> {
    /// These roles for somebody.
    Roles(PersonId, Roles),
    /// A new password for somebody.
    Password(PersonId),
    /// This policy, after the version of that number.
    Policy(&'a Policy, i64),
}

impl What<'_> {
    const fn matter(&self) -> Matter {
        match self {
            Self::Roles(..) => Matter::Roles,
            Self::Password(_) => Matter::Password,
            Self::Policy(..) => Matter::Policy,
        }
    }

    const fn person(&self) -> Option<PersonId> {
        match self {
            Self::Roles(person, _) | Self::Password(person) => Some(*person),
            Self::Policy(..) => None,
        }
    }
}

/// The subject of an event about it.
fn subject(person: Option<PersonId>) -> String {
    person.map_or_else(|| policies::SUBJECT.to_owned(), |p| p.to_string())
}

/// Notes what is asked for, within a change under way; answers a sentence that says what
/// happens next. What was asked before and lapsed gives way; what is open is a conflict.
pub(crate) async fn ask(
    change: &mut Change<'_>,
    capacity: &str,
    what: &What<'_>,
    me: PersonId,
    reason: &str,
) -> Result<String, Error> {
    let now = change.by.now;
    let (person, matter) = (what.person(), what.matter());
    let roles = if let What::Roles(_, roles) = what { *roles } else { Roles::NONE };
    let (which, list) = about_whom(person, args![matter.key()]);
    let rows = change.tx.rows(format!("{SELECT} WHERE p.matter = $1 AND p.state = 'open' AND {which}"), list).await?;
    if let Some(open) = rows.first().map(read).transpose()? {
        if !open.asked().lapsed(now) {
            return Err(Error::Conflict(format!(
                "{} asked for this already, and another administrator or security lead has until {} to confirm it.",
                open.asked_by_name,
                open.until().format("%Y-%m-%d")
            )));
        }
        let event = change.event(capacity, "proposal.lapsed", subject(person));
        change.describe(
            event,
            json!({"proposal": open.id, "state": ProposalState::Open}),
            json!({"state": ProposalState::Lapsed}),
        );
        close(change, event, open.id, ProposalState::Lapsed, None).await?;
    }
    let id = change.next("proposal", 1).await?;
    let event = change.event(capacity, "proposal.asked", subject(person));
    let (content, against) = match what {
        What::Policy(policy, against) => (Some(policies::content(policy)), Some(*against)),
        What::Roles(..) | What::Password(_) => (None, None),
    };
    let row = args![
        id,
        change.id(event),
        person,
        matter.key(),
        roles.to_string(),
        me,
        now,
        reason,
        ProposalState::Open.key(),
        content,
        against,
    ];
    let columns = [
        "id",
        "event_id",
        "person_id",
        "matter",
        "roles",
        "asked_by",
        "asked_at",
        "reason",
        "state",
        "content",
        "against",
    ];
    change
        .tx
        .insert("proposal", &columns, vec![row], "")
        .await
        .map_err(|e| Error::unique(e, "Somebody else asked for this at the same moment; look again."))?;
    let told = match what {
        What::Policy(policy, against) => json!({"proposal": id, "matter": matter, "policy": policy, "after": against}),
        What::Roles(..) | What::Password(_) => json!({"proposal": id, "matter": matter, "roles": roles}),
    };
    change.describe(event, Value::Null, told);
    change.because(event, reason);
    change.wrote(event, &change::PROPOSAL, id);
    let what = match matter {
        Matter::Roles => format!("The role {} is proposed", words(roles)),
        Matter::Password => "A new password is proposed".to_owned(),
        Matter::Policy => "The policy would be weaker, so it is proposed".to_owned(),
    };
    let page = person.map_or_else(|| "/policy".to_owned(), |p| format!("their page, /people/{p}"));
    let link = person.map_or_else(|| "/policy".to_owned(), |p| format!("/people/{p}"));
    let who = crate::tidings::actor(change).await?;
    let until = now + proposal::LAPSES_AFTER;
    change.tell(To::Governing, tiding::second_person(id, &what, &who, until, &link));
    Ok(format!(
        "{what} (proposal {id}) and needs a second person: another administrator or security lead confirms it on \
         {page}, by {}.",
        until.format("%Y-%m-%d")
    ))
}

/// `Administrator, Security lead`.
fn words(roles: Roles) -> String {
    roles.iter().map(domain::party::Role::label).collect::<Vec<_>>().join(", ")
}

const SELECT: &str = "SELECT p.id, p.person_id, s.name, p.matter, p.roles, p.asked_by, a.name, p.asked_at, p.reason, \
     p.content, p.against \
     FROM proposal p LEFT JOIN person s ON s.id = p.person_id JOIN person a ON a.id = p.asked_by";

/// The condition that it is about somebody, or about nobody, with its arguments after those.
fn about_whom(person: Option<PersonId>, mut list: Vec<Arg>) -> (String, Vec<Arg>) {
    let Some(person) = person else { return ("p.person_id IS NULL".to_owned(), list) };
    list.push(Arg::from(person));
    (format!("p.person_id = ${}", list.len()), list)
}

fn read(r: &Row) -> Result<Proposal, DbError> {
    let policy = match (r.get::<Option<String>>(9)?, r.get::<Option<i64>>(10)?) {
        (Some(content), Some(against)) => Some((policies::parsed(&content)?, against)),
        _ => None,
    };
    Ok(Proposal {
        policy,
        changes: Vec::new(),
        id: r.get(0)?,
        person: r.get(1)?,
        name: r.get::<Option<String>>(2)?.unwrap_or_default(),
        matter: r.get(3)?,
        roles: r.get(4)?,
        asked_by: r.get(5)?,
        asked_by_name: r.get(6)?,
        asked_at: r.get(7)?,
        reason: r.get(8)?,
        may_confirm: false,
        may_refuse: false,
    })
}

/// What waits for a second person about somebody, for those who govern; nobody else has
/// business knowing.
pub async fn about(db: &Db, by: By<'_>, person: PersonId) -> Result<Vec<Proposal>, Error> {
    listed(db, by, " AND p.person_id = $2", args![person]).await
}

/// What waits for a second person about the policy, for those who govern: one at most.
pub async fn about_policy(db: &Db, by: By<'_>) -> Result<Option<Proposal>, Error> {
    Ok(listed(db, by, " AND p.person_id IS NULL", args![]).await?.pop())
}

/// Everything that waits for a second person, oldest first, for those who govern.
pub async fn waiting(db: &Db, by: By<'_>) -> Result<Vec<Proposal>, Error> {
    listed(db, by, "", args![]).await
}

async fn listed(db: &Db, by: By<'_>, which: &str, more: Vec<Arg>) -> Result<Vec<Proposal>, Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    if can(by.actor, Action::PersonConfirm, Relation::None).is_err() {
        return Ok(Vec::new());
    }
    let mut list = args![by.now - proposal::LAPSES_AFTER];
    list.extend(more);
    let sql =
        format!("{SELECT} WHERE p.state = 'open' AND p.asked_at > $1{which} ORDER BY p.asked_at, p.id LIMIT {MOST}");
    let mut out = Vec::new();
    for r in db.all(sql, list).await? {
        let mut one = read(&r)?;
        let may = |confirms| proposal::decides(by.actor, true, &one.asked(), confirms, by.now).is_ok();
        (one.may_confirm, one.may_refuse) = (may(true), may(false));
        if let Some((policy, against)) = &one.policy {
            let mut reads = db;
            let before = policies::version(&mut reads, *against).await?;
            one.changes = before.map(|b| policy.changes(&b.policy)).unwrap_or_default();
        }
        out.push(one);
    }
    Ok(out)
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// The roles are theirs.
    Granted(Roles),
    /// The password is theirs.
    PasswordSet,
    /// The policy is in force, as this version.
    PolicyInForce(i64),
    /// Nothing changed.
    Refused,
}

/// Confirms what waits for a second person, which carries it out at once. `password` is
/// what a new password would be.
pub async fn confirm(
    db: &Db,
    by: By<'_>,
    person: PersonId,
    id: i64,
    password: &str,
    reason: &str,
) -> Result<Decided, Error> {
    decide(db, by, Some(person), id, Press::Confirm { password: Some(password) }, reason).await
}

/// Confirms a weaker policy, which is in force at once.
pub async fn confirm_policy(db: &Db, by: By<'_>, id: i64, reason: &str) -> Result<Decided, Error> {
    decide(db, by, None, id, Press::Confirm { password: None }, reason).await
}

/// Refuses it; whoever asked takes it back so.
pub async fn refuse(db: &Db, by: By<'_>, person: PersonId, id: i64, reason: &str) -> Result<Decided, Error> {
    decide(db, by, Some(person), id, Press::Refuse, reason).await
}

/// Refuses a weaker policy; whoever asked takes it back so.
pub async fn refuse_policy(db: &Db, by: By<'_>, id: i64, reason: &str) -> Result<Decided, Error> {
    decide(db, by, None, id, Press::Refuse, reason).await
}

/// What is pressed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Press<'a> {
    Confirm { password: Option<&'a str> },
    Refuse,
}

async fn decide(
    db: &Db,
    by: By<'_>,
    person: Option<PersonId>,
    id: i64,
    press: Press<'_>,
    reason: &str,
) -> Result<Decided, Error> {
    can(by.actor, Action::PersonConfirm, Relation::None)?;
    let reason = text::prose(reason, "The reason", REASON_MAX).map_err(|e| Error::field("/reason", e.to_string()))?;
    // Hashing takes long, so it is done before anything is locked.
    let hash = match press {
        Press::Confirm { password: Some(password) } => Some(passwords::hash(password).await?),
        _ => None,
    };
    let confirms = press != Press::Refuse;
    let mut change = Change::begin(db, by).await?;
    people::one_at_a_time(&mut change).await?;
    let (which, list) = about_whom(person, args![id]);
    let rows =
        change.tx.rows(format!("{SELECT} WHERE p.id = $1 AND {which} AND p.state = 'open'"), list.clone()).await?;
    let Some(open) = rows.first().map(read).transpose()? else {
        let known = change.tx.one(format!("SELECT 1 FROM proposal p WHERE p.id = $1 AND {which}"), list).await?;
        return Err(match known {
            Some(_) => Error::Conflict("It is decided already.".into()),
            None => Error::NotFound(format!("proposal {id}")),
        });
    };
    // Asked of the store: a session may be older than the roles.
    let governs = match by.actor.person_id() {
        Some(me) => people::load(&mut change.tx, me)
            .await?
            .is_some_and(|p| p.active() && !proposal::privileged(p.roles).is_empty()),
        None => false,
    };
    let me = match proposal::decides(by.actor, governs, &open.asked(), confirms, by.now) {
        Ok(me) => me,
        Err(NotYours::Denied(denied)) => return Err(denied.into()),
        Err(lapsed @ NotYours::Lapsed) => return Err(Error::Conflict(lapsed.to_string())),
    };
    let capacity = people::keeper(by.actor, &proposal::PRIVILEGED);
    let (action, state) = if confirms {
        ("proposal.confirmed", ProposalState::Confirmed)
    } else {
        ("proposal.refused", ProposalState::Refused)
    };
    let event = change.event(capacity, action, subject(person));
    change.describe(
        event,
        json!({"proposal": id, "state": ProposalState::Open}),
        json!({"state": state, "matter": open.matter, "roles": open.roles, "asked_by": open.asked_by}),
    );
    change.because(event, &reason);
    close(&mut change, event, id, state, Some(me)).await?;
    let done = match (person, hash) {
        _ if !confirms => Decided::Refused,
        (None, _) => {
            let (policy, against) = open
                .policy
                .as_ref()
                .ok_or_else(|| Error::Conflict("It holds no policy; refuse it, and propose it again.".into()))?;
            let version =
                policies::confirmed(&mut change, capacity, policy, *against, (&open.reason, open.asked_by)).await?;
            Decided::PolicyInForce(version)
        }
        (Some(_), None) => return Err(Error::Conflict("A password is missing; press it again.".into())),
        (Some(person), Some(hash)) => {
            let subject = people::load(&mut change.tx, person)
                .await?
                .filter(people::Person::active)
                .ok_or_else(|| Error::Conflict(format!("{} has left meanwhile; refuse it.", open.name)))?;
            match open.matter {
                Matter::Roles => {
                    people::grant(&mut change, capacity, &subject, open.roles, &reason).await?;
                    Decided::Granted(open.roles)
                }
                Matter::Password => {
                    let ended = passwords::store_in(&mut change, person, &hash).await?;
                    let e = change.event(capacity, "password.changed", person);
                    change.describe(e, Value::Null, json!({"sessions_ended": ended, "asked_by": open.asked_by}));
                    Decided::PasswordSet
                }
                Matter::Policy => {
                    return Err(Error::Conflict("It is about the policy: confirm it there, at /policy.".into()));
                }
            }
        }
    };
    change.commit().await?;
    Ok(done)
}

async fn close(
    change: &mut Change<'_>,
    event: change::EventRef,
    id: i64,
    state: ProposalState,
    by: Option<PersonId>,
) -> Result<(), Error> {
    let args = args![id, change.id(event), state.key(), by, change.by.now];
    let n = change
        .tx
        .run(
            "UPDATE proposal SET event_id = $2, state = $3, decided_by = $4, decided_at = $5 \
             WHERE id = $1 AND state = 'open'",
            args,
        )
        .await?;
    if n != 1 {
        return Err(Error::Conflict("Somebody else decided it at the same moment.".into()));
    }
    change.wrote(event, &change::PROPOSAL, id);
    Ok(())
}
