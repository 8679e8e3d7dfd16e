//! Which platform an agent runs on: dated rows, so that the past has an answer too.

use std::collections::HashMap;

use domain::assignment::{Held, with_platform};
use domain::can::Relation;
use domain::id::{AgentId, PersonId, SystemId};
use domain::party::Party;

use crate::agents::assess;
use crate::agents::relation::parties_of;
use crate::args;
use crate::change::{self, By, Change, EventRef};
use crate::db::{Arg, DbError, Reads, marks};
use crate::error::Error;

/// How many agents are asked for at a time.
const BATCH: usize = 500;

/// The platforms on which these agents run now.
async fn of(reads: &mut impl Reads, agents: &[AgentId]) -> Result<Vec<(AgentId, SystemId)>, DbError> {
    let sql = format!(
        "SELECT agent_id, system_id FROM platform_stay WHERE valid_to IS NULL AND agent_id IN {}",
        marks(1, agents.len())
    );
    let rows = reads.rows(sql, agents.iter().map(|id| Arg::from(*id)).collect()).await?;
    rows.iter().map(|r| Ok((r.get(0)?, r.get(1)?))).collect()
}

/// Adds to what agents hold what they inherit.
pub(crate) async fn inherit(
    reads: &mut impl Reads,
    agents: &[AgentId],
    held: &mut HashMap<AgentId, Vec<Held>>,
) -> Result<(), Error> {
    for batch in agents.chunks(BATCH) {
        let stays = of(reads, batch).await?;
        if stays.is_empty() {
            continue;
        }
        let mut systems: Vec<SystemId> = stays.iter().map(|(_, s)| *s).collect();
        systems.sort_unstable();
        systems.dedup();
        let theirs = assess::held_of_systems(reads, &systems).await?;
        for (agent, system) in stays {
            if let Some(theirs) = theirs.get(&system) {
                with_platform(held.entry(agent).or_default(), system, theirs);
            }
        }
    }
    Ok(())
}

/// The agents that run on a platform.
pub(crate) async fn agents_on(reads: &mut impl Reads, system: SystemId) -> Result<Vec<AgentId>, DbError> {
    let rows = reads
        .rows(
            "SELECT agent_id FROM platform_stay WHERE system_id = $1 AND valid_to IS NULL ORDER BY agent_id",
            args![system],
        )
        .await?;
    rows.iter().map(|r| r.get(0)).collect()
}

/// Moves an agent from one platform to another, or to none, within a change.
pub(crate) async fn move_to(
    change: &mut Change<'_>,
    event: EventRef,
    agent: AgentId,
    to: Option<SystemId>,
) -> Result<(), Error> {
    let now = change.by.now;
    let args = args![agent, now, change.id(event)];
    let sql =
        "UPDATE platform_stay SET valid_to = $2, event_id = $3 WHERE agent_id = $1 AND valid_to IS NULL RETURNING id";
    for r in change.tx.all(sql, args).await? {
        change.wrote(event, &change::PLATFORM_STAY, r.get::<i64>(0)?);
    }
    if let Some(system) = to {
        let id = change.next("stay", 1).await?;
        let row = args![id, change.id(event), agent, system, now, Option::<i64>::None];
        let columns = ["id", "event_id", "agent_id", "system_id", "valid_from", "valid_to"];
        change.tx.insert("platform_stay", &columns, vec![row], "").await?;
        change.wrote(event, &change::PLATFORM_STAY, id);
    }
    Ok(())
}

/// How an actor stands to a system: by what they hold of it.
pub(crate) async fn relation(reads: &mut impl Reads, by: By<'_>, system: SystemId) -> Result<Relation, DbError> {
    let Some(me) = by.actor.person_id() else { return Ok(Relation::None) };
    let mine = parties_of(reads, me).await?;
    let covered = crate::oncall::covered_by(reads, me, by.now).await?;
    let rows = reads
        .rows(
            "SELECT s.role, s.party_kind, s.party_id, s.accepted_at IS NULL, s.valid_to IS NOT NULL, p.deputy_id \
             FROM assignment s LEFT JOIN person p ON s.party_kind = 'person' AND p.id = s.party_id \
             WHERE s.system_id = $1",
            args![system],
        )
        .await?;
    let mut best = Relation::None;
    for r in rows {
        let Some(party) = Party::from_stored(&r.get::<String>(1)?, r.get(2)?) else { continue };
        let found = crate::agents::relation::of_row(
            (&mine, &covered),
            me,
            party,
            r.get(0)?,
            (r.get(3)?, r.get(4)?),
            r.get::<Option<PersonId>>(5)?,
        );
        best = best.min(found);
    }
    Ok(best)
}
