//! How an actor stands to an agent: what they own adds to their roles.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::assignment::RaciRole;
use domain::can::{Actor, Relation};
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Role};

use super::Agent;
use crate::args;
use crate::db::{Arg, DbError, Reads, marks};

/// A person and the teams they act for (member, lead or deputy).
pub async fn parties_of(reads: &mut impl Reads, person: PersonId) -> Result<Vec<Party>, DbError> {
    let rows = reads
        .rows(
            "SELECT team_id FROM team_member WHERE person_id = $1 AND until IS NULL \
             UNION SELECT id FROM team WHERE lead_id = $1 UNION SELECT id FROM team WHERE deputy_id = $1",
            args![person],
        )
        .await?;
    let mut out = vec![Party::Person(person)];
    for r in rows {
        out.push(Party::Team(r.get(0)?));
    }
    Ok(out)
}

/// In whose name a person acts at a moment: their own, their teams', and those of teams for which
/// they are on call though they do not belong to them.
pub async fn acts_for(reads: &mut impl Reads, person: PersonId, now: DateTime<Utc>) -> Result<Vec<Party>, DbError> {
    let mut out = parties_of(reads, person).await?;
    for party in crate::oncall::covered_by(reads, person, now).await? {
        if !out.contains(&party) {
            out.push(party);
        }
    }
    Ok(out)
}

/// The strongest relation of an actor to an agent.
pub async fn relation(reads: &mut impl Reads, actor: &Actor, agent: &Agent) -> Result<Relation, DbError> {
    let Some(me) = actor.person_id() else { return Ok(Relation::None) };
    let made = if agent.created_by == me.to_string() { Relation::Requester } else { Relation::None };
    let found = by_assignment(reads, me, &[agent.id], agent.as_of).await?;
    Ok(found.get(&agent.id).copied().unwrap_or(Relation::None).min(made))
}

/// The strongest relation of an actor to each of some agents of a page; those to which there
/// is none may be left out.
pub async fn relations(
    reads: &mut impl Reads,
    actor: &Actor,
    agents: &[AgentId],
    now: DateTime<Utc>,
) -> Result<HashMap<AgentId, Relation>, DbError> {
    let Some(me) = actor.person_id().filter(|_| !agents.is_empty()) else { return Ok(HashMap::new()) };
    let mut out = by_assignment(reads, me, agents, now).await?;
    let sql = format!("SELECT id FROM agent WHERE created_by = $1 AND id IN {}", marks(2, agents.len()));
    let mut list = args![me.to_string()];
    list.extend(agents.iter().map(|id| Arg::from(*id)));
    for r in reads.rows(sql, list).await? {
        let best = out.entry(r.get(0)?).or_insert(Relation::None);
        *best = (*best).min(Relation::Requester);
    }
    Ok(out)
}

async fn by_assignment(
    reads: &mut impl Reads,
    me: PersonId,
    agents: &[AgentId],
    now: DateTime<Utc>,
) -> Result<HashMap<AgentId, Relation>, DbError> {
    let mine = parties_of(reads, me).await?;
    let covered = crate::oncall::covered_by(reads, me, now).await?;
    let sql = format!(
        "SELECT s.role, s.party_kind, s.party_id, s.accepted_at IS NULL, s.valid_to IS NOT NULL, p.deputy_id, s.agent_id \
         FROM assignment s LEFT JOIN person p ON s.party_kind = 'person' AND p.id = s.party_id WHERE s.agent_id IN {}",
        marks(1, agents.len())
    );
    let mut out = HashMap::new();
    for r in reads.rows(sql, agents.iter().map(|id| Arg::from(*id)).collect()).await? {
        let Some(party) = Party::from_stored(&r.get::<String>(1)?, r.get(2)?) else { continue };
        let found = of_row((&mine, &covered), me, party, r.get(0)?, (r.get(3)?, r.get(4)?), r.get(5)?);
        let best = out.entry(r.get(6)?).or_insert(Relation::None);
        *best = (*best).min(found);
    }
    // Whoever owns a duty of the platform owns it of every agent that inherits it.
    let sql = format!(
        "SELECT s.role, s.party_kind, s.party_id, p.deputy_id, y.agent_id \
         FROM platform_stay y JOIN assignment s ON s.system_id = y.system_id \
         LEFT JOIN person p ON s.party_kind = 'person' AND p.id = s.party_id \
         WHERE y.valid_to IS NULL AND y.agent_id IN {} AND s.valid_to IS NULL AND s.accepted_at IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM assignment o WHERE o.agent_id = y.agent_id AND o.duty = s.duty \
           AND o.role = 'A' AND o.accepted_at IS NOT NULL AND o.valid_to IS NULL)",
        marks(1, agents.len())
    );
    for r in reads.rows(sql, agents.iter().map(|id| Arg::from(*id)).collect()).await? {
        let Some(party) = Party::from_stored(&r.get::<String>(1)?, r.get(2)?) else { continue };
        let found = of_row((&mine, &covered), me, party, r.get(0)?, (false, false), r.get(3)?);
        let best = out.entry(r.get(4)?).or_insert(Relation::None);
        *best = (*best).min(found);
    }
    Ok(out)
}

/// What one row of a matrix makes of a person: of the parties, the first are those they act
/// for, the others the teams they are on call for; `state`
/// says whether the row is only offered and whether it ended, `deputy` who stands in for the
/// row's person.
pub(crate) fn of_row(
    (mine, covered): (&[Party], &[Party]),
    me: PersonId,
    party: Party,
    role: RaciRole,
    state: (bool, bool),
    deputy: Option<PersonId>,
) -> Relation {
    let holds = matches!(role, RaciRole::Accountable | RaciRole::Responsible);
    if mine.contains(&party) {
        return match state {
            (false, false) if holds => Relation::Owner,
            // Whoever is asked to own it may look at what they are asked to own.
            (true, false) => Relation::Requester,
            (false, true) if holds => Relation::FormerOwner,
            _ => Relation::None,
        };
    }
    // Who is on call for a team stands in for it as a deputy does for a person.
    let stands_in = deputy == Some(me) || covered.contains(&party);
    if state == (false, false) && holds && stands_in { Relation::Delegate } else { Relation::None }
}

/// The capacity in which an actor acts on an agent, for the record.
pub fn capacity(actor: &Actor, relation: Relation) -> String {
    match relation {
        Relation::Owner => "owner".to_owned(),
        Relation::Delegate => "delegate".to_owned(),
        _ => [Role::SecurityLead, Role::RiskAnalyst, Role::Administrator, Role::Member]
            .into_iter()
            .find(|r| actor.roles.has(*r))
            .map_or_else(|| relation.key().to_owned(), |r| r.key().to_owned()),
    }
}
