//! Making teams and changing them.

use std::collections::BTreeSet;

use domain::can::{Action, Actor, Relation, can};
use domain::id::{AgentId, PersonId, TeamId};
use domain::party::{Party, Role, TeamKind};
use domain::text;
use serde_json::{Value, json};

use super::read::{Team, load};
use crate::agents::assess::{agents_of, reassess};
use crate::args;
use crate::change::{self, By, Change, EventRef};
use crate::db::{Arg, Db, DbError, marks};
use crate::error::{Checked, Error};
use crate::{oncall, people, reach};

/// Longest name, in characters.
const NAME_MAX: usize = 200;
/// Most members that a team may have.
const MEMBERS_MAX: usize = 1000;

/// What is written about a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: TeamKind,
    /// Who leads it; must be here.
    pub lead: Option<PersonId>,
    /// Who stands in for the lead.
    pub deputy: Option<PersonId>,
    /// Who belongs to it; `None` leaves members as they are.
    pub members: Option<Vec<PersonId>>,
}

fn capacity(actor: &Actor) -> &'static str {
    people::keeper(actor, &[Role::Administrator, Role::SecurityLead])
}

async fn check(
    change: &mut Change<'_>,
    before: Option<(&Team, &BTreeSet<PersonId>)>,
    given: &Fields,
) -> Result<Fields, Error> {
    let mut wrong = Checked::default();
    let name = wrong.take("/name", text::required_line(&given.name, "a name", NAME_MAX));
    if !name.is_empty() {
        let rows = change.tx.all("SELECT id, name FROM team WHERE name_folded = $1", args![text::fold(&name)]).await?;
        if let Some(r) = rows.first() {
            let other: TeamId = r.get(0)?;
            if before.is_none_or(|(b, _)| b.id != other) {
                wrong.refuse("/name", format!("There is a team {} ({other}) already.", r.get::<String>(1)?));
            }
        }
    }
    for (pointer, now, then) in [
        ("/lead", given.lead, before.and_then(|(b, _)| b.lead)),
        ("/deputy", given.deputy, before.and_then(|(b, _)| b.deputy)),
    ] {
        let Some(id) = now else { continue };
        match people::load(&mut change.tx, id).await? {
            None => wrong.refuse(pointer, format!("There is no {id}.")),
            // A lead who left stays named until somebody else is: the gap is visible.
            Some(p) if !p.active() && now != then => {
                wrong.refuse(pointer, format!("{} has left; choose somebody who is here.", p.name));
            }
            Some(_) => {}
        }
    }
    if given.lead.is_some() && given.lead == given.deputy {
        wrong.refuse("/deputy", "The deputy stands in for the lead: choose another person.");
    }
    let mut members = given.members.clone();
    if let Some(list) = &mut members {
        list.sort_unstable();
        list.dedup();
        if list.len() > MEMBERS_MAX {
            wrong.refuse("/members", format!("A team has at most {MEMBERS_MAX} members; these are {}.", list.len()));
        } else {
            let known = people::named(&mut change.tx, list).await?;
            for (at, id) in list.iter().enumerate() {
                match known.iter().find(|k| k.id == *id) {
                    None => wrong.refuse(&format!("/members/{at}"), format!("There is no {id}.")),
                    Some(k) if !k.active && before.is_none_or(|(_, m)| !m.contains(id)) => {
                        wrong.refuse(&format!("/members/{at}"), format!("{} has left and cannot join a team.", k.name));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    wrong.done()?;
    Ok(Fields { name, kind: given.kind, lead: given.lead, deputy: given.deputy, members })
}

fn raced(e: DbError) -> Error {
    Error::unique(e, "Somebody else changed teams at the same moment; look again.")
}

/// Makes a team.
pub async fn create(db: &Db, by: By<'_>, given: &Fields) -> Result<Team, Error> {
    can(by.actor, Action::TeamWrite, Relation::None)?;
    let mut change = Change::begin(db, by).await?;
    let id = insert(&mut change, capacity(by.actor), given).await?;
    change.commit().await.map_err(raced)?;
    again(db, id).await
}

async fn again(mut db: &Db, id: TeamId) -> Result<Team, Error> {
    load(&mut db, id).await?.ok_or_else(|| Error::NotFound(format!("team {id}")))
}

/// Checks and makes a team within a change. Rights are the caller's question.
pub async fn insert(change: &mut Change<'_>, capacity: &str, given: &Fields) -> Result<TeamId, Error> {
    let fields = check(change, None, given).await?;
    let id = TeamId(change.next("team", 1).await?);
    let now = change.by.now;
    let event = change.event(capacity, "team.created", id);
    let row = args![
        id,
        1,
        change.id(event),
        now,
        now,
        &fields.name,
        text::fold(&fields.name),
        fields.kind.key(),
        fields.lead,
        fields.lead.map(|_| now),
        fields.deputy,
    ];
    let columns = [
        "id",
        "version",
        "event_id",
        "created_at",
        "updated_at",
        "name",
        "name_folded",
        "kind",
        "lead_id",
        "lead_since",
        "deputy_id",
    ];
    change.tx.insert("team", &columns, vec![row], "").await.map_err(raced)?;
    change.wrote(event, &change::TEAM, id.0);
    let members = fields.members.unwrap_or_default();
    let after = json!({
        "name": fields.name,
        "kind": fields.kind,
        "lead": fields.lead,
        "deputy": fields.deputy,
        "members": members,
    });
    change.describe(event, Value::Null, after);
    let members: BTreeSet<PersonId> = members.into_iter().collect();
    enter(change, event, id, &members).await?;
    Ok(id)
}

/// Changes a team. `version` is the one that was read. A new lead or other members change
/// who answers and who is inside, so the agents concerned are assessed again at once.
pub async fn edit(
    db: &Db,
    by: By<'_>,
    id: TeamId,
    version: Option<i64>,
    given: &Fields,
    reason: &str,
) -> Result<Team, Error> {
    can(by.actor, Action::TeamWrite, Relation::None)?;
    let reason = text::prose(reason, "The reason", 1000).map_err(|e| Error::field("/reason", e.to_string()))?;
    let mut change = Change::begin(db, by).await?;
    let before = load(&mut change.tx, id).await?.ok_or_else(|| Error::NotFound(format!("team {id}")))?;
    if version.is_some_and(|v| v != before.version) {
        return Err(Error::Stale(before.version));
    }
    let present = members_of(&mut change, id).await?;
    let fields = check(&mut change, Some((&before, &present)), given).await?;
    let wanted: BTreeSet<PersonId> =
        fields.members.as_ref().map_or_else(|| present.clone(), |m| m.iter().copied().collect());
    let after = Team {
        name: fields.name.clone(),
        kind: fields.kind,
        lead: fields.lead,
        lead_since: if fields.lead == before.lead { before.lead_since } else { fields.lead.map(|_| by.now) },
        deputy: fields.deputy,
        ..before.clone()
    };
    if after == before && wanted == present {
        return Ok(before);
    }
    let reach = reach::before(&mut change, &BTreeSet::from([Party::Team(id)])).await?;
    let event = change.event(capacity(by.actor), "team.changed", id);
    change.because(event, reason);
    write_row(&mut change, event, &before, &after).await?;
    let joins: BTreeSet<PersonId> = wanted.difference(&present).copied().collect();
    let parts: BTreeSet<PersonId> = present.difference(&wanted).copied().collect();
    enter(&mut change, event, id, &joins).await?;
    leave(&mut change, event, id, &parts).await?;
    let mut told = (before.described(), after.described());
    if !(joins.is_empty() && parts.is_empty()) {
        told.0["members_gone"] = json!(parts);
        told.1["members_new"] = json!(joins);
    }
    change.describe(event, told.0, told.1);
    let mut inside: BTreeSet<PersonId> = joins.union(&parts).copied().collect();
    for (now, then) in [(after.lead, before.lead), (after.deputy, before.deputy)] {
        if now != then {
            inside.extend([now, then].into_iter().flatten());
        }
    }
    let mut agents: BTreeSet<AgentId> = touched_by(&mut change, id, &inside).await?;
    if after.lead != before.lead {
        agents.extend(agents_of(&mut change.tx, &[Party::Team(id)]).await?);
    }
    // Who belongs to it no more takes no turn of it.
    let gone: Vec<PersonId> = (inside.iter().copied())
        .filter(|p| !wanted.contains(p) && after.lead != Some(*p) && after.deputy != Some(*p))
        .collect();
    oncall::without(&mut change, event, id, &gone).await?;
    agents.extend(reach::touched(&mut change, reach).await?);
    let agents: Vec<AgentId> = agents.into_iter().collect();
    reassess(&mut change, &agents, false).await?;
    change.commit().await.map_err(raced)?;
    again(db, id).await
}

async fn write_row(change: &mut Change<'_>, event: EventRef, before: &Team, after: &Team) -> Result<(), Error> {
    let args = args![
        before.id,
        before.version,
        change.id(event),
        change.by.now,
        &after.name,
        text::fold(&after.name),
        after.kind.key(),
        after.lead,
        after.lead_since,
        after.deputy,
    ];
    let n = change
        .tx
        .run(
            "UPDATE team SET version = version + 1, event_id = $3, updated_at = $4, name = $5, name_folded = $6, \
             kind = $7, lead_id = $8, lead_since = $9, deputy_id = $10 WHERE id = $1 AND version = $2",
            args,
        )
        .await
        .map_err(raced)?;
    if n != 1 {
        return Err(Error::Conflict(format!(
            "{} was changed by somebody else at the same moment; look again.",
            before.id
        )));
    }
    change.wrote(event, &change::TEAM, before.id.0);
    Ok(())
}

/// One person joins a team.
pub async fn join(db: &Db, by: By<'_>, id: TeamId, person: PersonId) -> Result<(), Error> {
    let (before, mut members) = present(db, by, id).await?;
    if members.contains(&person) {
        return Err(Error::field("/person", "They are a member already."));
    }
    members.push(person);
    let fields = Fields { members: Some(members), ..same(&before) };
    edit(db, by, id, Some(before.version), &fields, "").await.map_err(at_person)?;
    Ok(())
}

/// One person leaves a team. What they own themselves stays theirs.
pub async fn part(db: &Db, by: By<'_>, id: TeamId, person: PersonId) -> Result<(), Error> {
    let (before, mut members) = present(db, by, id).await?;
    let many = members.len();
    members.retain(|m| *m != person);
    if members.len() == many {
        return Err(Error::Conflict(format!("{person} is not a member of {}.", before.name)));
    }
    let fields = Fields { members: Some(members), ..same(&before) };
    edit(db, by, id, Some(before.version), &fields, "").await?;
    Ok(())
}

fn same(team: &Team) -> Fields {
    Fields { name: team.name.clone(), kind: team.kind, lead: team.lead, deputy: team.deputy, members: None }
}

async fn present(mut db: &Db, by: By<'_>, id: TeamId) -> Result<(Team, Vec<PersonId>), Error> {
    can(by.actor, Action::TeamWrite, Relation::None)?;
    let team = load(&mut db, id).await?.ok_or_else(|| Error::NotFound(format!("team {id}")))?;
    let rows = db.all("SELECT person_id FROM team_member WHERE team_id = $1 AND until IS NULL", args![id]).await?;
    Ok((team, rows.iter().map(|r| r.get(0)).collect::<Result<_, _>>()?))
}

/// What is wrong with the one member is wrong with what was typed.
fn at_person(e: Error) -> Error {
    match e {
        Error::Invalid(mut wrong) => {
            for w in &mut wrong {
                if w.pointer.starts_with("/members/") {
                    w.pointer = "/person".into();
                }
            }
            Error::Invalid(wrong)
        }
        e => e,
    }
}

async fn members_of(change: &mut Change<'_>, id: TeamId) -> Result<BTreeSet<PersonId>, DbError> {
    let rows =
        change.tx.all("SELECT person_id FROM team_member WHERE team_id = $1 AND until IS NULL", args![id]).await?;
    rows.iter().map(|r| r.get(0)).collect()
}

async fn enter(
    change: &mut Change<'_>,
    event: EventRef,
    team: TeamId,
    people: &BTreeSet<PersonId>,
) -> Result<(), Error> {
    if people.is_empty() {
        return Ok(());
    }
    let first = change.next("member", i64::try_from(people.len()).unwrap_or(0)).await?;
    let now = change.by.now;
    let mut rows = Vec::with_capacity(people.len());
    for (id, person) in (first..).zip(people) {
        rows.push(args![id, change.id(event), team, *person, now]);
        change.wrote(event, &change::TEAM_MEMBER, id);
    }
    change
        .tx
        .insert("team_member", &["id", "event_id", "team_id", "person_id", "since"], rows, "")
        .await
        .map_err(raced)?;
    Ok(())
}

/// Closes the rows of those who leave; the past stays as it was.
async fn leave(
    change: &mut Change<'_>,
    event: EventRef,
    team: TeamId,
    people: &BTreeSet<PersonId>,
) -> Result<(), Error> {
    let people: Vec<PersonId> = people.iter().copied().collect();
    for batch in people.chunks(500) {
        let mut list = args![team, change.by.now, change.id(event)];
        list.extend(batch.iter().map(|p| Arg::from(*p)));
        let sql = format!(
            "UPDATE team_member SET until = $2, event_id = $3 WHERE team_id = $1 AND until IS NULL AND person_id IN {} \
             RETURNING id",
            marks(4, batch.len())
        );
        for r in change.tx.all(sql, list).await? {
            change.wrote(event, &change::TEAM_MEMBER, r.get::<i64>(0)?);
        }
    }
    Ok(())
}

/// The agents that the team operates and for which one of these people holds anything:
/// whether they are inside the team decides whether a lifecycle duty is split.
async fn touched_by(
    change: &mut Change<'_>,
    team: TeamId,
    people: &BTreeSet<PersonId>,
) -> Result<BTreeSet<AgentId>, DbError> {
    let mut out = BTreeSet::new();
    for person in people {
        let rows = change
            .tx
            .all(
                "SELECT s.agent_id FROM assignment s JOIN agent a ON a.id = s.agent_id \
                 WHERE s.party_kind = 'person' AND s.party_id = $1 AND s.valid_to IS NULL AND a.operated_by = $2",
                args![*person, team],
            )
            .await?;
        for r in rows {
            out.insert(r.get(0)?);
        }
    }
    Ok(out)
}
