//! Reaching people: the channels of a person and their tests, when they are away, and when
//! nobody of a party can be reached.

pub mod absences;
mod channels;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::id::{AgentId, PersonId, TeamId};
use domain::party::Party;
use domain::reach::{Reach, Span, nobody};

use crate::agents::assess::{members, reassess};
use crate::agents::relation::parties_of;
use crate::args;
use crate::change::{By, Change};
use crate::db::{Arg, Db, DbError, Reads, marks};
use crate::error::Error;
use crate::people::{self, Named};
use crate::{oncall, teams};

pub use channels::{Begun, Channel, Test, add, begin_test, open_tests, prove, remove};

/// How a person is reached and when they are away, as much as the reader may know.
#[derive(Debug, Clone)]
pub struct View {
    /// The person.
    pub person: people::Person,
    /// Their channels; `None` for a reader who may not know them.
    pub channels: Option<Vec<Channel>>,
    /// Tests of theirs whose code may still be typed; for themself alone.
    pub tests: Vec<Test>,
    /// Absences that are or will be, by when they begin.
    pub absences: Vec<absences::Absence>,
    /// Since when they cannot be reached, or from when on not, as far as that is known; `None`
    /// for a reader who may not know it.
    pub unreached: Option<Vec<Span>>,
    /// The reader may change their channels.
    pub may_write: bool,
    /// The reader may begin a test.
    pub may_test: bool,
    /// The reader may say when they are away.
    pub may_away: bool,
}

/// How the actor stands to how a person is reached: oneself, or a colleague who may know it.
pub(crate) async fn knows(reads: &mut impl Reads, by: By<'_>, person: &people::Person) -> Result<Relation, DbError> {
    let Some(me) = by.actor.person_id() else { return Ok(Relation::None) };
    if me == person.id {
        return Ok(Relation::Owner);
    }
    if person.manager == Some(me) || person.deputy == Some(me) {
        return Ok(Relation::Delegate);
    }
    let theirs = parties_of(reads, person.id).await?;
    let shared = parties_of(reads, me).await?.iter().any(|p| theirs.contains(p));
    Ok(if shared { Relation::Delegate } else { Relation::None })
}

/// How a person is reached, and when they are away.
pub async fn view(db: &Db, by: By<'_>, id: PersonId) -> Result<View, Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    let mut reads = db;
    let person = people::load(&mut reads, id).await?.ok_or_else(|| Error::NotFound(format!("person {id}")))?;
    let stands = knows(&mut reads, by, &person).await?;
    let may = |action| can(by.actor, action, stands).is_ok();
    let knows = may(Action::ChannelRead);
    let away = absences::stands(&mut reads, by, &person).await?;
    let (mut channels, mut unreached) = (None, None);
    if knows {
        channels = Some(channels::of(&mut reads, id).await?);
        let party = Party::Person(id);
        unreached = unreached_now(&mut reads, party, by.now).await?;
    }
    let tests = if by.actor.person_id() == Some(id) { open_tests(db, id, by.now).await? } else { Vec::new() };
    Ok(View {
        channels,
        tests,
        absences: absences::of(&mut reads, id, by.now).await?,
        unreached,
        may_write: may(Action::ChannelWrite),
        may_test: may(Action::ChannelTest) && stands != Relation::Owner && person.active(),
        may_away: can(by.actor, Action::AbsenceWrite, away).is_ok(),
        person,
    })
}

/// Whether each of a team's people can be reached, lead and deputy first; `None` for a reader
/// who may not know.
pub async fn of_team(db: &Db, by: By<'_>, id: TeamId) -> Result<Option<Vec<(Named, Vec<Span>)>>, Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    let mut reads = db;
    let team = teams::load(&mut reads, id).await?.ok_or_else(|| Error::NotFound(format!("team {id}")))?;
    let stands = oncall::stands(&mut reads, by, &team).await?;
    if can(by.actor, Action::ChannelRead, stands).is_err() {
        return Ok(None);
    }
    let people = oncall::people_of(&mut reads, &team).await?;
    let parties: BTreeSet<Party> = people.iter().map(|p| Party::Person(p.id)).collect();
    let mut not = unreached(&mut reads, &parties, by.now).await?;
    Ok(Some(people.into_iter().map(|p| (p.clone(), not.remove(&Party::Person(p.id)).unwrap_or_default())).collect()))
}

async fn unreached_now(reads: &mut impl Reads, party: Party, now: DateTime<Utc>) -> Result<Option<Vec<Span>>, DbError> {
    Ok(unreached(reads, &BTreeSet::from([party]), now).await?.remove(&party))
}

/// When nobody of these parties can be reached, as far as it has not ended.
pub(crate) async fn unreached(
    reads: &mut impl Reads,
    parties: &BTreeSet<Party>,
    now: DateTime<Utc>,
) -> Result<HashMap<Party, Vec<Span>>, DbError> {
    if parties.is_empty() {
        return Ok(HashMap::new());
    }
    let teams: BTreeSet<i64> = parties.iter().filter(|p| matches!(p, Party::Team(_))).map(|p| p.number()).collect();
    let inside = members(reads, &teams).await?;
    let of = |party: &Party| -> Vec<PersonId> {
        match party {
            Party::Person(p) => vec![*p],
            Party::Team(t) => inside.get(&t.0).map(|m| m.iter().copied().collect()).unwrap_or_default(),
        }
    };
    let people: BTreeSet<PersonId> = parties.iter().flat_map(of).collect();
    let known = known(reads, &people, now).await?;
    Ok(parties
        .iter()
        .map(|party| {
            let reach: Vec<Reach> = of(party).iter().filter_map(|p| known.get(p).cloned()).collect();
            (*party, nobody(&reach, now))
        })
        .collect())
}

/// What is known of reaching these people: who has no tested channel is left out.
async fn known(
    reads: &mut impl Reads,
    people: &BTreeSet<PersonId>,
    now: DateTime<Utc>,
) -> Result<HashMap<PersonId, Reach>, DbError> {
    let mut out: HashMap<PersonId, Reach> = HashMap::new();
    let list: Vec<PersonId> = people.iter().copied().collect();
    for batch in list.chunks(500) {
        let sql = format!(
            "SELECT person_id, tested_at FROM channel WHERE removed_at IS NULL AND tested_at IS NOT NULL \
             AND person_id IN {}",
            marks(1, batch.len())
        );
        for r in reads.rows(sql, batch.iter().map(|p| Arg::from(*p)).collect()).await? {
            out.entry(r.get(0)?).or_default().tests.push(r.get(1)?);
        }
    }
    let tested: BTreeSet<PersonId> = out.keys().copied().collect();
    for absence in crate::oncall::absences(reads, &tested, now).await? {
        if let Some(reach) = out.get_mut(&absence.person) {
            reach.away.push(absence.span);
        }
    }
    Ok(out)
}

/// The parties whose reach hangs on a person: they themself and their teams.
pub(crate) async fn parties(reads: &mut impl Reads, person: PersonId) -> Result<BTreeSet<Party>, DbError> {
    Ok(parties_of(reads, person).await?.into_iter().collect())
}

/// The agents that one of these parties would stop: what is Accountable for containment.
async fn stopped_by(reads: &mut impl Reads, parties: &BTreeSet<Party>) -> Result<BTreeSet<AgentId>, DbError> {
    let mut out = BTreeSet::new();
    for party in parties {
        let rows = reads
            .rows(
                "SELECT agent_id FROM assignment WHERE party_kind = $1 AND party_id = $2 AND role = 'A' \
                 AND duty = 'containment' AND valid_to IS NULL AND accepted_at IS NOT NULL AND agent_id IS NOT NULL",
                args![party.kind(), party.number()],
            )
            .await?;
        for r in rows {
            out.insert(r.get(0)?);
        }
    }
    Ok(out)
}

/// What was known of parties before a change, to tell afterwards which of them it touched.
pub(crate) struct Before(HashMap<Party, Vec<Span>>);

/// Looks before a change at the parties whose reach it may touch.
pub(crate) async fn before(change: &mut Change<'_>, parties: &BTreeSet<Party>) -> Result<Before, DbError> {
    let now = change.by.now;
    Ok(Before(unreached(&mut change.tx, parties, now).await?))
}

/// The agents that are to be assessed again, since those who would stop them are reached
/// otherwise than before.
pub(crate) async fn touched(change: &mut Change<'_>, before: Before) -> Result<BTreeSet<AgentId>, DbError> {
    let now = change.by.now;
    let parties: BTreeSet<Party> = before.0.keys().copied().collect();
    let after = unreached(&mut change.tx, &parties, now).await?;
    let other: BTreeSet<Party> = parties.into_iter().filter(|p| after.get(p) != before.0.get(p)).collect();
    stopped_by(&mut change.tx, &other).await
}

/// Assesses the agents again whose owners are reached otherwise than before, and commits.
async fn settle(mut change: Change<'_>, before: Before) -> Result<usize, Error> {
    let agents: Vec<AgentId> = touched(&mut change, before).await?.into_iter().collect();
    reassess(&mut change, &agents, false).await?;
    change.commit().await?;
    Ok(agents.len())
}

/// Longest absence.
pub const AWAY_MAX: TimeDelta = TimeDelta::days(750);
