//! Estates to look at and to measure with: the demonstration organisation, and a
//! synthetic one of any size. Both are written through the record like everything else.

mod demo;
mod demo_stops;
mod exceptions;
mod models;
mod notices;
mod random;
mod reach;
mod requests;
mod retirements;
mod reviews;
mod synthetic;

use chrono::{DateTime, Utc};
use domain::assignment::RaciRole;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, TeamId};
use domain::party::{Party, PersonStatus, Roles, TeamKind};
use domain::text;
use serde_json::{Value, json};

use crate::args;
use crate::assignments;
use crate::change::{self, Change};
use crate::db::{Arg, Db};
use crate::error::Error;

pub use demo::{SignIn, demo, demo_sign_ins};
pub use synthetic::synthetic;

/// Whether nobody and nothing is recorded yet.
pub async fn is_empty(db: &Db) -> Result<bool, Error> {
    let n: i64 = db
        .one("SELECT seq FROM chain_head WHERE id = 1", Vec::new())
        .await?
        .map(|r| r.get(0))
        .transpose()?
        .unwrap_or(0);
    Ok(n == 0)
}

struct SeedPerson {
    name: String,
    email: String,
    title: String,
    unit: String,
    roles: Roles,
    status: PersonStatus,
    left_at: Option<DateTime<Utc>>,
    /// Position in the same list.
    manager: Option<usize>,
    deputy: Option<usize>,
}

/// Writes people; the first has the number that is answered, the rest follow it.
async fn people(change: &mut Change<'_>, list: &[SeedPerson]) -> Result<i64, Error> {
    let first = change.next("person", i64::try_from(list.len()).unwrap_or(0)).await?;
    let now = change.by.now;
    let mut rows = Vec::with_capacity(list.len());
    for (at, p) in list.iter().enumerate() {
        let id = first + at as i64;
        let event = change.event("administrator", "person.created", PersonId(id));
        change.describe(
            event,
            Value::Null,
            json!({"name": p.name, "email": p.email, "roles": p.roles, "status": p.status}),
        );
        change.wrote(event, &change::PERSON, id);
        let other = |o: Option<usize>| o.map(|o| first + o as i64);
        rows.push(args![
            id,
            1,
            change.id(event),
            now,
            now,
            &p.name,
            text::fold(&p.name),
            &p.email,
            &p.title,
            &p.unit,
            p.status.key(),
            p.left_at,
            other(p.manager),
            other(p.deputy),
            p.roles.to_string(),
        ]);
    }
    change
        .tx
        .insert(
            "person",
            &[
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
                "left_at",
                "manager_id",
                "deputy_id",
                "roles",
            ],
            rows,
            "",
        )
        .await?;
    Ok(first)
}

struct SeedTeam {
    name: String,
    kind: TeamKind,
    lead: Option<PersonId>,
    deputy: Option<PersonId>,
    members: Vec<PersonId>,
}

/// Writes teams with their members; numbers as in [`people`].
async fn teams(change: &mut Change<'_>, list: &[SeedTeam]) -> Result<i64, Error> {
    let first = change.next("team", i64::try_from(list.len()).unwrap_or(0)).await?;
    let members: usize = list.iter().map(|t| t.members.len()).sum();
    let mut member = change.next("member", i64::try_from(members).unwrap_or(0)).await?;
    let now = change.by.now;
    let (mut rows, mut member_rows) = (Vec::new(), Vec::new());
    for (at, t) in list.iter().enumerate() {
        let id = first + at as i64;
        let event = change.event("administrator", "team.created", TeamId(id));
        change.describe(
            event,
            Value::Null,
            json!({"name": t.name, "kind": t.kind, "lead": t.lead, "members": t.members}),
        );
        change.wrote(event, &change::TEAM, id);
        rows.push(args![
            id,
            1,
            change.id(event),
            now,
            now,
            &t.name,
            text::fold(&t.name),
            t.kind.key(),
            t.lead,
            t.lead.map(|_| now),
            t.deputy,
        ]);
        for p in &t.members {
            member_rows.push(args![member, change.id(event), id, *p, now, Option::<i64>::None]);
            change.wrote(event, &change::TEAM_MEMBER, member);
            member += 1;
        }
    }
    change
        .tx
        .insert(
            "team",
            &[
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
            ],
            rows,
            "",
        )
        .await?;
    change
        .tx
        .insert("team_member", &["id", "event_id", "team_id", "person_id", "since", "until"], member_rows, "")
        .await?;
    Ok(first)
}

/// What is written of an agent beside its facts.
#[derive(Default)]
struct Owners {
    /// Accepted rows.
    held: Vec<(Duty, RaciRole, Party)>,
    /// Open offers of A, and when they were made.
    offers: Vec<(Duty, Party, DateTime<Utc>)>,
    /// The written stop procedure.
    procedure: Option<String>,
    /// Passed drill: by whom, when, how many seconds it took.
    drill: Option<(Party, DateTime<Utc>, i64)>,
}

/// Writes owners, stop methods and drills of agents, one event an agent, as recorded `since`;
/// most owners said since then, and before `present`, that it is still theirs.
async fn owners(
    change: &mut Change<'_>,
    list: &[(AgentId, Owners)],
    since: DateTime<Utc>,
    present: DateTime<Utc>,
) -> Result<(), Error> {
    let count = |f: fn(&Owners) -> usize| i64::try_from(list.iter().map(|(_, o)| f(o)).sum::<usize>()).unwrap_or(0);
    let mut assignment = change.next("assignment", count(|o| o.held.len() + o.offers.len())).await?;
    let mut stop = change.next("stop", count(|o| usize::from(o.procedure.is_some()))).await?;
    let mut drill = change.next("drill", count(|o| usize::from(o.drill.is_some()))).await?;
    let first = assignment;
    let (mut rows, mut stops, mut drills): (Vec<Vec<Arg>>, Vec<_>, Vec<_>) = (Vec::new(), Vec::new(), Vec::new());
    let actor = change.by.actor.who.to_string();
    let none = Option::<i64>::None;
    let reason = "Held when the register was set up";
    for (agent, o) in list {
        if o.held.is_empty() && o.offers.is_empty() && o.procedure.is_none() {
            continue;
        }
        let event = change.event("security-lead", "assignment.recorded", agent);
        change.because(event, reason);
        change.describe(
            event,
            Value::Null,
            json!({
                "held": o.held.iter().map(|(d, r, p)| json!([d, r, p])).collect::<Vec<_>>(),
                "offered": o.offers.iter().map(|(d, p, _)| json!([d, p])).collect::<Vec<_>>(),
            }),
        );
        for (duty, role, party) in &o.held {
            rows.push(args![
                assignment,
                change.id(event),
                *agent,
                none,
                duty.key(),
                role.key(),
                party.kind(),
                party.number(),
                since,
                &actor,
                since,
                &actor,
                true,
                reason,
                since,
                none,
                "",
                none
            ]);
            change.wrote(event, &change::ASSIGNMENT, assignment);
            assignment += 1;
        }
        for (duty, party, at) in &o.offers {
            rows.push(args![
                assignment,
                change.id(event),
                *agent,
                none,
                duty.key(),
                "A",
                party.kind(),
                party.number(),
                *at,
                &actor,
                none,
                "",
                false,
                "",
                none,
                none,
                "",
                none
            ]);
            change.wrote(event, &change::ASSIGNMENT, assignment);
            assignment += 1;
        }
        if let Some(text) = &o.procedure {
            stops.push(args![stop, change.id(event), *agent, 1, "manual", text, since, none]);
            change.wrote(event, &change::STOP_METHOD, stop);
            stop += 1;
        }
        if let Some((party, at, seconds)) = &o.drill {
            drills.push(args![
                drill,
                change.id(event),
                *agent,
                1,
                party.kind(),
                party.number(),
                *at,
                *seconds,
                true,
                ""
            ]);
            change.wrote(event, &change::STOP_DRILL, drill);
            drill += 1;
        }
    }
    assignments::insert(change, rows).await?;
    reach::confirmed(change, first, assignment, present).await?;
    change
        .tx
        .insert(
            "stop_method",
            &["id", "event_id", "agent_id", "version", "kind", "procedure_text", "valid_from", "valid_to"],
            stops,
            "",
        )
        .await?;
    change
        .tx
        .insert(
            "stop_drill",
            &[
                "id",
                "event_id",
                "agent_id",
                "method_version",
                "party_kind",
                "party_id",
                "at",
                "seconds",
                "passed",
                "note",
            ],
            drills,
            "",
        )
        .await?;
    Ok(())
}
