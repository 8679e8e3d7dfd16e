//! Recording people, changing them, and what follows at once when somebody leaves.

use std::collections::BTreeSet;

use domain::can::{Action, Actor, Relation, Who, can};
use domain::id::{AgentId, PersonId};
use domain::party::{Party, PersonStatus, Role, Roles};
use domain::proposal::{self, Matter, Way};
use domain::text;
use domain::tiding;
use serde_json::{Value, json};

use super::stored::{self, Person, load};
use crate::agents::assess::{agents_of, reassess};
use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Db, Reads};
use crate::error::{Checked, Error};
use crate::proposals::What;
use crate::tidings::To;
use crate::{proposals, reach, sessions};

/// Longest name, title or business unit, in characters.
const LINE_MAX: usize = 200;
/// Longest reason, in characters.
const REASON_MAX: usize = 1000;

/// What is written about a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// What people call them.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// What they do; may be empty.
    pub title: String,
    /// Their business unit; may be empty.
    pub business_unit: String,
    /// To whom they report.
    pub manager: Option<PersonId>,
    /// Who stands in for them.
    pub deputy: Option<PersonId>,
}

impl From<&Person> for Fields {
    fn from(p: &Person) -> Self {
        Self {
            name: p.name.clone(),
            email: p.email.clone(),
            title: p.title.clone(),
            business_unit: p.business_unit.clone(),
            manager: p.manager,
            deputy: p.deputy,
        }
    }
}

/// In which capacity an actor keeps people and teams, for the record.
pub(crate) fn keeper(actor: &Actor, allowed: &[Role]) -> &'static str {
    match actor.who {
        Who::Nobody => "set-up",
        _ => allowed.iter().find(|r| actor.roles.has(**r)).map_or("token", |r| r.key()),
    }
}

fn administrator(actor: &Actor) -> &'static str {
    keeper(actor, &[Role::Administrator])
}

/// One change of people at a time where a rule spans several of them (the last
/// administrator, circles of managers): on PostgreSQL two changes would not see each other.
pub(crate) async fn one_at_a_time(change: &mut Change<'_>) -> Result<(), Error> {
    change.tx.run("UPDATE sequence SET last = last WHERE noun = 'person'", args![]).await?;
    Ok(())
}

/// Checks what was given; `before` is the person as they are, if they are recorded.
async fn check(change: &mut Change<'_>, before: Option<&Person>, given: &Fields) -> Result<Fields, Error> {
    let mut wrong = Checked::default();
    let fields = Fields {
        name: wrong.take("/name", text::required_line(&given.name, "a name", LINE_MAX)),
        email: wrong.take("/email", text::email(&given.email)),
        title: wrong.take("/title", text::line(&given.title, "The title", LINE_MAX)),
        business_unit: wrong.take("/business_unit", text::line(&given.business_unit, "The business unit", LINE_MAX)),
        manager: given.manager,
        deputy: given.deputy,
    };
    if !fields.email.is_empty()
        && let Some(other) = stored::by_email(&mut change.tx, &fields.email).await?
        && before.is_none_or(|b| b.id != other.id)
    {
        wrong.refuse("/email", format!("{} ({}) has this e-mail address already.", other.name, other.id));
    }
    for (pointer, what, now, then) in [
        ("/manager", "manager", fields.manager, before.and_then(|b| b.manager)),
        ("/deputy", "deputy", fields.deputy, before.and_then(|b| b.deputy)),
    ] {
        let Some(id) = now else { continue };
        if before.is_some_and(|b| b.id == id) {
            wrong.refuse(pointer, format!("Nobody is their own {what}; choose somebody else."));
            continue;
        }
        match load(&mut change.tx, id).await? {
            None => wrong.refuse(pointer, format!("There is no {id}.")),
            // Whoever left later does not keep other facts from being changed.
            Some(p) if !p.active() && now != then => {
                wrong.refuse(pointer, format!("{} has left; choose somebody who is here.", p.name));
            }
            Some(_) => {}
        }
    }
    if let (Some(b), Some(manager)) = (before, fields.manager)
        && manager != b.id
        && b.manager != Some(manager)
    {
        one_at_a_time(change).await?;
        if above(&mut change.tx, manager).await?.contains(&b.id) {
            wrong.refuse("/manager", format!("{} reports to {}, directly or through others.", manager, b.name));
        }
    }
    wrong.done()?;
    Ok(fields)
}

/// The managers above a person, the person included. A circle ends where it closes.
async fn above(reads: &mut impl Reads, person: PersonId) -> Result<Vec<PersonId>, Error> {
    let rows = reads
        .rows(
            "WITH RECURSIVE up (id) AS (SELECT CAST($1 AS BIGINT) UNION SELECT p.manager_id FROM up \
             JOIN person p ON p.id = up.id WHERE p.manager_id IS NOT NULL) SELECT id FROM up",
            args![person],
        )
        .await?;
    Ok(rows.iter().map(|r| r.get(0)).collect::<Result<_, _>>()?)
}

/// A person as they were recorded or changed, and what of it waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The person, as they are now.
    pub person: Person,
    /// A privileged role that was asked for and not granted yet: what happens next, in a
    /// sentence.
    pub asked: Option<String>,
}

impl std::ops::Deref for Recorded {
    type Target = Person;
    fn deref(&self) -> &Person {
        &self.person
    }
}

/// Of the roles wanted, those that one person alone may not grant now, and who asks for
/// them; the rest is granted at once.
async fn to_be_asked(
    change: &mut Change<'_>,
    person: PersonId,
    before: Roles,
    wanted: Roles,
) -> Result<Option<(PersonId, Roles)>, Error> {
    let granted = proposal::granted(before, wanted);
    if granted.is_empty() {
        return Ok(None);
    }
    one_at_a_time(change).await?;
    let governing = proposals::governing(&mut change.tx, change.by.now).await?;
    Ok(match proposal::way(change.by.actor, Matter::Roles, Some(person), governing)? {
        Way::AtOnce => None,
        Way::Ask(me) => Some((me, granted)),
    })
}

/// Grants roles that a second person confirmed, within that change.
pub(crate) async fn grant(
    change: &mut Change<'_>,
    capacity: &str,
    before: &Person,
    roles: Roles,
    reason: &str,
) -> Result<(), Error> {
    let after = before.roles.union(roles);
    let event = change.event(capacity, "person.roles-changed", before.id);
    change.describe(event, json!({"roles": before.roles}), json!({"roles": after}));
    change.because(event, reason);
    let args = args![before.id, before.version, change.id(event), change.by.now, after.to_string()];
    let n = change
        .tx
        .run(
            "UPDATE person SET version = version + 1, event_id = $3, updated_at = $4, roles = $5 \
             WHERE id = $1 AND version = $2",
            args,
        )
        .await?;
    written(n, before.id)?;
    change.wrote(event, &change::PERSON, before.id.0);
    Ok(())
}

/// Records a person. A privileged role that needs a second person is proposed.
pub async fn create(db: &Db, by: By<'_>, given: &Fields, roles: Roles) -> Result<Recorded, Error> {
    can(by.actor, Action::PersonWrite, Relation::None)?;
    if !roles.is_empty() {
        can(by.actor, Action::PersonGrant, Relation::None)?;
    }
    let mut change = Change::begin(db, by).await?;
    let capacity = administrator(by.actor);
    // Nobody has this number yet, so the rule about oneself does not speak.
    let second = to_be_asked(&mut change, PersonId(0), Roles::NONE, roles).await?;
    let at_once = second.map_or(roles, |(_, asked)| roles.without(asked));
    let id = insert(&mut change, capacity, given, at_once).await?;
    let mut asked = None;
    if let Some((me, roles)) = second {
        asked = Some(proposals::ask(&mut change, capacity, &What::Roles(id, roles), me, "").await?);
    }
    change.commit().await.map_err(raced)?;
    Ok(Recorded { person: again(db, id).await?, asked })
}

/// Records the person who sets Muster up: administrator and security lead. Refused once
/// anybody can sign in. Asked within the change that also keeps the password, so that two
/// who set up at the same moment do not both succeed.
pub async fn insert_first(change: &mut Change<'_>, name: &str, email: &str) -> Result<PersonId, Error> {
    one_at_a_time(change).await?;
    if change.tx.one("SELECT 1 FROM login LIMIT 1", args![]).await?.is_some() {
        return Err(Error::Conflict("Muster is set up already; sign in.".into()));
    }
    let given = Fields { name: name.to_owned(), email: email.to_owned(), ..Fields::default() };
    let roles = [Role::Administrator, Role::SecurityLead].into_iter().collect();
    insert(change, "set-up", &given, roles).await
}

/// Checks and records a person within a change. Rights are the caller's question.
pub async fn insert(change: &mut Change<'_>, capacity: &str, given: &Fields, roles: Roles) -> Result<PersonId, Error> {
    let fields = check(change, None, given).await?;
    let id = PersonId(change.next("person", 1).await?);
    let now = change.by.now;
    let event = change.event(capacity, "person.created", id);
    let row = args![
        id,
        1,
        change.id(event),
        now,
        now,
        &fields.name,
        text::fold(&fields.name),
        &fields.email,
        &fields.title,
        &fields.business_unit,
        PersonStatus::Active.key(),
        fields.manager,
        fields.deputy,
        roles.to_string(),
    ];
    let columns = [
        "id",
        "version",
        "event_id",
        "created_at",
        "updated_at",
        "name",
        "name_folded",
        "email",
        "title",
        "business_unit",
        "status",
        "manager_id",
        "deputy_id",
        "roles",
    ];
    change.tx.insert("person", &columns, vec![row], "").await.map_err(raced)?;
    let after = json!({
        "name": fields.name,
        "email": fields.email,
        "title": fields.title,
        "business_unit": fields.business_unit,
        "manager": fields.manager,
        "deputy": fields.deputy,
        "roles": roles,
    });
    change.describe(event, Value::Null, after);
    change.wrote(event, &change::PERSON, id.0);
    Ok(id)
}

fn raced(e: crate::db::DbError) -> Error {
    Error::unique(e, "Somebody with this e-mail address was recorded at the same moment; look again.")
}

async fn again(mut db: &Db, id: PersonId) -> Result<Person, Error> {
    load(&mut db, id).await?.ok_or_else(|| Error::NotFound(format!("person {id}")))
}

async fn begin<'a>(db: &Db, by: By<'a>, id: PersonId) -> Result<(Change<'a>, Person), Error> {
    let mut change = Change::begin(db, by).await?;
    let before = load(&mut change.tx, id).await?.ok_or_else(|| Error::NotFound(format!("person {id}")))?;
    Ok((change, before))
}

/// Changes a person, and their roles where they are given. `version` is the one that was
/// read. The last active administrator stays one. A privileged role that needs a second
/// person is proposed; everything else is so at once.
pub async fn edit(
    db: &Db,
    by: By<'_>,
    id: PersonId,
    version: i64,
    given: &Fields,
    roles: Option<Roles>,
    reason: &str,
) -> Result<Recorded, Error> {
    can(by.actor, Action::PersonWrite, Relation::None)?;
    let (mut change, before) = begin(db, by, id).await?;
    let roles = roles.filter(|r| *r != before.roles);
    if roles.is_some() {
        can(by.actor, Action::PersonGrant, Relation::None)?;
    }
    if before.version != version {
        return Err(Error::Stale(before.version));
    }
    let fields = check(&mut change, Some(&before), given).await?;
    let reason = checked_reason(reason, false)?;
    let facts_change = fields != Fields::from(&before);
    let capacity = administrator(by.actor);
    let mut roles = roles;
    let mut asked = None;
    if let Some(wanted) = roles
        && let Some((me, granted)) = to_be_asked(&mut change, id, before.roles, wanted).await?
    {
        if !before.active() {
            return Err(Error::Conflict(format!(
                "{} has left; nobody grants a privileged role to who left.",
                before.name
            )));
        }
        asked = Some(proposals::ask(&mut change, capacity, &What::Roles(id, granted), me, &reason).await?);
        roles = Some(wanted.without(granted)).filter(|r| *r != before.roles);
    }
    if !facts_change && roles.is_none() {
        if asked.is_some() {
            change.commit().await.map_err(raced)?;
        }
        return Ok(Recorded { person: before, asked });
    }
    if let Some(r) = roles
        && before.active()
        && before.roles.has(Role::Administrator)
        && !r.has(Role::Administrator)
    {
        keep_an_administrator(&mut change, &before).await?;
    }
    let mut after = before.clone();
    after.name.clone_from(&fields.name);
    after.email.clone_from(&fields.email);
    after.title.clone_from(&fields.title);
    after.business_unit.clone_from(&fields.business_unit);
    after.manager = fields.manager;
    after.deputy = fields.deputy;
    let mut event = None;
    if facts_change {
        let e = change.event(capacity, "person.changed", id);
        change.describe(e, before.described(), after.described());
        change.because(e, &reason);
        event = Some(e);
    }
    if let Some(r) = roles {
        let e = change.event(capacity, "person.roles-changed", id);
        change.describe(e, json!({"roles": before.roles}), json!({"roles": r}));
        change.because(e, &reason);
        let who = crate::tidings::actor(&mut change).await?;
        let names = r.iter().map(Role::label).collect::<Vec<_>>().join(", ");
        change.tell(To::Person(id), tiding::roles_changed(id, &names, &who, by.now));
        event = Some(e);
    }
    let Some(event) = event else { return Ok(Recorded { person: before, asked }) };
    // Another department, not the first that was written or none: each duty of theirs is asked about.
    let unit = [&before.business_unit, &fields.business_unit].map(|u| text::fold(u));
    let moves = unit[0] != unit[1] && unit.iter().all(|u| !u.is_empty());
    let args = args![
        id,
        version,
        change.id(event),
        by.now,
        &fields.name,
        text::fold(&fields.name),
        &fields.email,
        &fields.title,
        &fields.business_unit,
        fields.manager,
        fields.deputy,
        roles.unwrap_or(before.roles).to_string(),
        moves.then_some(by.now),
    ];
    let n = change
        .tx
        .run(
            "UPDATE person SET version = version + 1, event_id = $3, updated_at = $4, name = $5, name_folded = $6, \
             email = $7, title = $8, business_unit = $9, manager_id = $10, deputy_id = $11, roles = $12, \
             moved_at = COALESCE($13, moved_at) \
             WHERE id = $1 AND version = $2",
            args,
        )
        .await
        .map_err(raced)?;
    written(n, id)?;
    change.wrote(event, &change::PERSON, id.0);
    if moves {
        let parties = with_led_teams(&mut change.tx, id).await?;
        let agents = agents_of(&mut change.tx, &parties).await?;
        reassess(&mut change, &agents, false).await?;
        if !agents.is_empty() {
            change.tell(To::Person(id), tiding::moved(id, agents.len(), by.now));
        }
    }
    change.commit().await.map_err(raced)?;
    Ok(Recorded { person: again(db, id).await?, asked })
}

fn written(n: u64, id: PersonId) -> Result<(), Error> {
    if n == 1 {
        return Ok(());
    }
    Err(Error::Conflict(format!("{id} was changed by somebody else at the same moment; look again.")))
}

fn checked_reason(reason: &str, required: bool) -> Result<String, Error> {
    let reason = text::prose(reason, "The reason", REASON_MAX).map_err(|e| Error::field("/reason", e.to_string()))?;
    if required && reason.is_empty() {
        return Err(Error::field("/reason", "Say why in a few words; the record keeps it."));
    }
    Ok(reason)
}

async fn keep_an_administrator(change: &mut Change<'_>, person: &Person) -> Result<(), Error> {
    one_at_a_time(change).await?;
    if others_with(&mut change.tx, person.id, Role::Administrator).await? {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "{} is the last active administrator: nobody could keep people and settings. Make somebody else an \
         administrator first.",
        person.name
    )))
}

/// Whether anybody else who is still there has the role.
async fn others_with(reads: &mut impl Reads, person: PersonId, role: Role) -> Result<bool, Error> {
    let rows = reads
        .rows(
            "SELECT 1 FROM person WHERE status = 'active' AND id <> $1 AND ' ' || roles || ' ' LIKE $2 LIMIT 1",
            args![person, format!("% {} %", role.key())],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// The roles that Muster cannot do without and of which this person is the only active
/// holder: losing the administrator is refused, losing the security lead is warned of.
pub async fn sole_holder_of(reads: &mut impl Reads, person: &Person) -> Result<Vec<Role>, Error> {
    let mut out = Vec::new();
    for role in [Role::Administrator, Role::SecurityLead] {
        if person.active() && person.roles.has(role) && !others_with(reads, person.id, role).await? {
            out.push(role);
        }
    }
    Ok(out)
}

/// What leaving or coming back brought about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The person, as they are now.
    pub person: Person,
    /// How many agents were assessed again because of it.
    pub agents: usize,
}

/// A person leaves: what they are Accountable for, and what the teams they lead are, is a
/// gap from this second. Nothing is reassigned silently. Their sessions end.
pub async fn leave(db: &Db, by: By<'_>, id: PersonId, version: Option<i64>, reason: &str) -> Result<Departure, Error> {
    turn(db, by, id, version, PersonStatus::Left, reason).await
}

/// A person who left is there again, with the duties that nobody took over meanwhile.
pub async fn come_back(
    db: &Db,
    by: By<'_>,
    id: PersonId,
    version: Option<i64>,
    reason: &str,
) -> Result<Departure, Error> {
    turn(db, by, id, version, PersonStatus::Active, reason).await
}

async fn turn(
    db: &Db,
    by: By<'_>,
    id: PersonId,
    version: Option<i64>,
    status: PersonStatus,
    reason: &str,
) -> Result<Departure, Error> {
    can(by.actor, Action::PersonWrite, Relation::None)?;
    let reason = checked_reason(reason, true)?;
    let (mut change, before) = begin(db, by, id).await?;
    if version.is_some_and(|v| v != before.version) {
        return Err(Error::Stale(before.version));
    }
    if before.status == status {
        return Err(Error::Conflict(match status {
            PersonStatus::Left => format!("{} has left already.", before.name),
            PersonStatus::Active => format!("{} is active already.", before.name),
        }));
    }
    let leaves = status == PersonStatus::Left;
    if leaves && before.roles.has(Role::Administrator) {
        keep_an_administrator(&mut change, &before).await?;
    }
    let around = reach::parties(&mut change.tx, id).await?;
    let reached = reach::before(&mut change, &around).await?;
    let action = if leaves { "person.left" } else { "person.returned" };
    let event = change.event(administrator(by.actor), action, id);
    change.because(event, reason);
    let args = args![id, before.version, change.id(event), by.now, status.key(), leaves.then_some(by.now)];
    let n = change
        .tx
        .run(
            "UPDATE person SET version = version + 1, event_id = $3, updated_at = $4, status = $5, left_at = $6 \
             WHERE id = $1 AND version = $2",
            args,
        )
        .await?;
    written(n, id)?;
    change.wrote(event, &change::PERSON, id.0);
    // While they were gone they were away: who was on call then stays so.
    if let Some(left) = before.left_at.filter(|left| *left < by.now) {
        reach::absences::were_away(&mut change, event, id, left).await?;
    }
    if leaves {
        sessions::end_all(&mut change.tx, id).await?;
    }
    let parties = with_led_teams(&mut change.tx, id).await?;
    let mut agents: BTreeSet<AgentId> = agents_of(&mut change.tx, &parties).await?.into_iter().collect();
    agents.extend(reach::touched(&mut change, reached).await?);
    let agents: Vec<AgentId> = agents.into_iter().collect();
    if leaves && !agents.is_empty() {
        change.tell(To::Security, tiding::left(id, &before.name, agents.len(), by.now));
    }
    change.describe(
        event,
        json!({"status": before.status, "agents": Value::Null}),
        json!({"status": status, "agents": agents.len()}),
    );
    reassess(&mut change, &agents, false).await?;
    change.commit().await?;
    Ok(Departure { person: again(db, id).await?, agents: agents.len() })
}

/// A person and the teams they lead: whoever is gone when they are.
pub(super) async fn with_led_teams(reads: &mut impl Reads, id: PersonId) -> Result<Vec<Party>, Error> {
    let mut out = vec![Party::Person(id)];
    for r in reads.rows("SELECT id FROM team WHERE lead_id = $1 ORDER BY id", args![id]).await? {
        out.push(Party::Team(r.get(0)?));
    }
    Ok(out)
}
