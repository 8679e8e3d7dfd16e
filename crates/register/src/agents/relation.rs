//! How an actor stands to an agent: what they own adds to their roles.

use domain::assignment::RaciRole;
use domain::can::{Actor, Relation};
use domain::id::PersonId;
use domain::party::{Party, Role};

use super::Agent;
use crate::args;
use crate::db::{DbError, Reads};

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

/// The strongest relation of an actor to an agent.
pub async fn relation(reads: &mut impl Reads, actor: &Actor, agent: &Agent) -> Result<Relation, DbError> {
    let Some(me) = actor.person_id() else { return Ok(Relation::None) };
    let mine = parties_of(reads, me).await?;
    let rows = reads
        .rows(
            "SELECT s.role, s.party_kind, s.party_id, s.accepted_at IS NULL, s.valid_to IS NOT NULL, p.deputy_id \
             FROM assignment s LEFT JOIN person p ON s.party_kind = 'person' AND p.id = s.party_id \
             WHERE s.agent_id = $1",
            args![agent.id],
        )
        .await?;
    let mut best = if agent.created_by == me.to_string() { Relation::Requester } else { Relation::None };
    for r in rows {
        let Some(party) = Party::from_stored(&r.get::<String>(1)?, r.get(2)?) else { continue };
        let role: RaciRole = r.get(0)?;
        let holds = matches!(role, RaciRole::Accountable | RaciRole::Responsible);
        let (offered, ended): (bool, bool) = (r.get(3)?, r.get(4)?);
        let found = if mine.contains(&party) {
            match (offered, ended) {
                (false, false) if holds => Relation::Owner,
                // Whoever is asked to own it may look at what they are asked to own.
                (true, false) => Relation::Requester,
                (false, true) if holds => Relation::FormerOwner,
                _ => Relation::None,
            }
        } else if !offered && !ended && holds && r.get::<Option<i64>>(5)? == Some(me.0) {
            Relation::Delegate
        } else {
            Relation::None
        };
        best = best.min(found);
    }
    Ok(best)
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
