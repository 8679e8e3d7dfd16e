//! On call: a team's rotation, its overrides, and who was or will be on call at a moment. What
//! was in force is never rewritten: a change closes one row and opens the next.

mod write;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::id::{PersonId, TeamId};
use domain::oncall::{Absence, OnCall, Override, Rotation, Schedule};
use domain::party::Party;
use domain::reach::Span;

use crate::agents::assess::members;
use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, DbError, Reads, marks};
use crate::error::Error;
use crate::people::{Named, named};
use crate::teams::{self, Team};

pub use write::{NewCover, NewRotation, cancel, cover, end_rotation, rotate};
pub(crate) use write::{seed, without};

/// How far ahead the page of a schedule looks.
pub const AHEAD: TimeDelta = TimeDelta::days(14);
/// Most rows of a plan.
pub const ROWS: usize = 200;
/// How far from the moment asked about rows are read.
const SIGHT: TimeDelta = TimeDelta::days(366);

/// A rotation as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    id: i64,
    rotation: Rotation,
}

/// An override that is in force or to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// Its number.
    pub id: i64,
    /// Who takes over.
    pub person: PersonId,
    /// From when until when.
    pub span: Span,
    /// Why.
    pub reason: String,
    /// Who made it: `PE-7`, `cli`, …
    pub made_by: String,
}

/// A team's schedule, for its page.
#[derive(Debug, Clone)]
pub struct View {
    /// The team.
    pub team: Team,
    /// Which rotation it is: changes with each; 0 when there is none.
    pub version: i64,
    /// The rotation in force, or the one to come.
    pub rotation: Option<Rotation>,
    /// Who is on call now.
    pub now: OnCall,
    /// Who will be, over the next fortnight.
    pub plan: Vec<(Span, OnCall)>,
    /// Overrides in force or to come, by when they begin.
    pub covers: Vec<Cover>,
    /// Absences of the team's people that are or will be.
    pub absences: Vec<Absence>,
    /// Who may be in the rotation: the team's lead, deputy and members who are here.
    pub people: Vec<Named>,
    /// Everybody whom the schedule names.
    pub names: Vec<Named>,
    /// The reader may say who takes turns.
    pub may_write: bool,
    /// The reader may take over, or give it to somebody.
    pub may_cover: bool,
}

/// How an actor stands to a team: its lead and deputy own it, its members act for it.
pub(crate) async fn stands(reads: &mut impl Reads, by: By<'_>, team: &Team) -> Result<Relation, DbError> {
    let Some(me) = by.actor.person_id() else { return Ok(Relation::None) };
    if team.lead == Some(me) || team.deputy == Some(me) {
        return Ok(Relation::Owner);
    }
    let sql = "SELECT 1 FROM team_member WHERE team_id = $1 AND person_id = $2 AND until IS NULL";
    let inside = !reads.rows(sql, args![team.id, me]).await?.is_empty();
    Ok(if inside { Relation::Delegate } else { Relation::None })
}

/// The teams for which somebody is on call now though it is another's turn.
pub async fn covered_by(reads: &mut impl Reads, person: PersonId, now: DateTime<Utc>) -> Result<Vec<Party>, DbError> {
    let sql =
        "SELECT team_id FROM cover WHERE person_id = $1 AND until_at > $2 AND from_at <= $2 AND cancelled_at IS NULL";
    let rows = reads.rows(sql, args![person, now]).await?;
    let teams: BTreeSet<TeamId> = rows.iter().map(|r| r.get(0)).collect::<Result<_, _>>()?;
    let mut out = Vec::with_capacity(teams.len());
    for team in teams {
        // Another override may have come after it, or they are away.
        if schedule(reads, team, now).await?.0.on_call(now).person == Some(person) {
            out.push(Party::Team(team));
        }
    }
    Ok(out)
}

fn numbers(text: &str) -> Vec<PersonId> {
    text.split(' ').filter_map(|n| n.parse().ok()).map(PersonId).collect()
}

/// The rotations of a team that are in force at a moment or later.
pub(crate) async fn rotations(reads: &mut impl Reads, team: TeamId, from: DateTime<Utc>) -> Result<Vec<Row>, DbError> {
    let sql = "SELECT id, people, starts_at, turn_seconds, valid_from, valid_to FROM rotation WHERE team_id = $1 \
               AND valid_from <= $3 AND (valid_to IS NULL OR valid_to > $2) ORDER BY valid_from, id LIMIT 500";
    let mut out = Vec::new();
    for r in reads.rows(sql, args![team, from, from + SIGHT]).await? {
        out.push(Row {
            id: r.get(0)?,
            rotation: Rotation {
                people: numbers(&r.get::<String>(1)?),
                starts: r.get(2)?,
                turn: TimeDelta::seconds(r.get(3)?),
                span: Span { from: r.get(4)?, until: r.get(5)? },
            },
        });
    }
    Ok(out)
}

/// The overrides of a team that are in force at a moment or later, as far as they were not
/// cancelled.
async fn covers(reads: &mut impl Reads, team: TeamId, from: DateTime<Utc>) -> Result<Vec<Cover>, DbError> {
    let sql = "SELECT id, person_id, from_at, until_at, cancelled_at, reason, made_by FROM cover WHERE team_id = $1 \
               AND until_at > $2 AND from_at <= $3 ORDER BY until_at, id LIMIT 500";
    let mut out = Vec::new();
    for r in reads.rows(sql, args![team, from, from + SIGHT]).await? {
        let until: DateTime<Utc> = r.get(3)?;
        let until = r.get::<Option<DateTime<Utc>>>(4)?.map_or(until, |c| c.min(until));
        let span = Span { from: r.get(2)?, until: Some(until) };
        if until > span.from && until > from {
            out.push(Cover { id: r.get(0)?, person: r.get(1)?, span, reason: r.get(5)?, made_by: r.get(6)? });
        }
    }
    out.sort_by_key(|c| (c.span.from, c.id));
    Ok(out)
}

/// When these people are away, from a moment on; whoever left is away without end.
pub(crate) async fn absences(
    reads: &mut impl Reads,
    people: &BTreeSet<PersonId>,
    from: DateTime<Utc>,
) -> Result<Vec<Absence>, DbError> {
    let people: Vec<PersonId> = people.iter().copied().collect();
    let mut out = Vec::new();
    for batch in people.chunks(500) {
        let list = |first: Vec<Arg>| first.into_iter().chain(batch.iter().map(|p| Arg::from(*p))).collect::<Vec<_>>();
        let sql = format!(
            "SELECT person_id, from_at, until_at, ended_at FROM absence WHERE until_at > $1 AND person_id IN {}",
            marks(2, batch.len())
        );
        for r in reads.rows(sql, list(args![from])).await? {
            let until: DateTime<Utc> = r.get(2)?;
            let until = r.get::<Option<DateTime<Utc>>>(3)?.map_or(until, |e| e.min(until));
            let span = Span { from: r.get(1)?, until: Some(until) };
            if until > span.from && until > from {
                out.push(Absence { person: r.get(0)?, span });
            }
        }
        let sql =
            format!("SELECT id, left_at FROM person WHERE left_at IS NOT NULL AND id IN {}", marks(1, batch.len()));
        for r in reads.rows(sql, list(Vec::new())).await? {
            out.push(Absence { person: r.get(0)?, span: Span::since(r.get(1)?) });
        }
    }
    out.sort_by_key(|a| (a.span.from, a.person));
    Ok(out)
}

/// Everything that decides who is on call from a moment on.
async fn schedule(
    reads: &mut impl Reads,
    team: TeamId,
    from: DateTime<Utc>,
) -> Result<(Schedule, Vec<Row>, Vec<Cover>), DbError> {
    let rows = rotations(reads, team, from).await?;
    let covers = covers(reads, team, from).await?;
    let mut asked: BTreeSet<PersonId> = rows.iter().flat_map(|r| r.rotation.people.iter().copied()).collect();
    asked.extend(covers.iter().map(|c| c.person));
    let schedule = Schedule {
        rotations: rows.iter().map(|r| r.rotation.clone()).collect(),
        overrides: covers.iter().map(|c| Override { id: c.id, person: c.person, span: c.span }).collect(),
        absences: absences(reads, &asked, from).await?,
    };
    Ok((schedule, rows, covers))
}

/// Who is on call at a moment, past, present or to come, and the names of whom that mentions.
pub async fn on_call(db: &Db, by: By<'_>, team: TeamId, at: DateTime<Utc>) -> Result<(OnCall, Vec<Named>), Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    let mut reads = db;
    teams::load(&mut reads, team).await?.ok_or_else(|| Error::NotFound(format!("team {team}")))?;
    let (schedule, ..) = schedule(&mut reads, team, at).await?;
    let answer = schedule.on_call(at);
    let names = named(&mut reads, &mentioned(&answer)).await?;
    Ok((answer, names))
}

fn mentioned(answer: &OnCall) -> Vec<PersonId> {
    let mut out: Vec<PersonId> = answer.person.into_iter().collect();
    if let domain::oncall::Why::StandsIn(absent) = &answer.why {
        out.extend(absent.iter().copied());
    }
    out
}

/// The people of a team who are here: lead and deputy first, then members by name.
pub(crate) async fn people_of(reads: &mut impl Reads, team: &Team) -> Result<Vec<Named>, DbError> {
    let teams = BTreeSet::from([team.id.0]);
    let inside = members(reads, &teams).await?.remove(&team.id.0).unwrap_or_default();
    let mut people = named(reads, &inside.into_iter().collect::<Vec<_>>()).await?;
    people.retain(|p| p.active);
    people.sort_by_key(|p| {
        let part = if team.lead == Some(p.id) {
            0
        } else if team.deputy == Some(p.id) {
            1
        } else {
            2
        };
        (part, domain::text::fold(&p.name), p.id)
    });
    Ok(people)
}

/// A team's schedule from now on.
pub async fn view(db: &Db, by: By<'_>, id: TeamId) -> Result<View, Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    let mut reads = db;
    let team = teams::load(&mut reads, id).await?.ok_or_else(|| Error::NotFound(format!("team {id}")))?;
    let (schedule, rows, covers) = schedule(&mut reads, id, by.now).await?;
    let people = people_of(&mut reads, &team).await?;
    let inside: BTreeSet<PersonId> = people.iter().map(|p| p.id).collect();
    let absences = absences(&mut reads, &inside, by.now).await?;
    let plan = schedule.plan(by.now, by.now + AHEAD, ROWS);
    let mut mention: BTreeSet<PersonId> = schedule.absences.iter().map(|a| a.person).collect();
    mention.extend(rows.iter().flat_map(|r| r.rotation.people.iter().copied()));
    mention.extend(covers.iter().map(|c| c.person));
    mention.extend(covers.iter().filter_map(|c| c.made_by.parse::<PersonId>().ok()));
    mention.extend(absences.iter().map(|a| a.person));
    let names = named(&mut reads, &mention.into_iter().collect::<Vec<_>>()).await?;
    let stands = stands(&mut reads, by, &team).await?;
    let last = rows.iter().rev().find(|r| r.rotation.span.until.is_none());
    Ok(View {
        version: last.map_or(0, |r| r.id),
        rotation: last.map(|r| r.rotation.clone()),
        now: schedule.on_call(by.now),
        plan,
        covers,
        absences,
        people,
        names,
        may_write: can(by.actor, Action::OnCallWrite, stands).is_ok(),
        may_cover: can(by.actor, Action::OnCallCover, stands).is_ok(),
        team,
    })
}

/// `2026-11-24 14:05 UTC`, for sentences.
pub(crate) fn told(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}
