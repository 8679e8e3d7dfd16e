//! Offers that nobody answered in time. That an offer has lapsed is a question of the clock:
//! whoever reads asks for offers made since [`since`]. The row is closed, as of that moment,
//! by whatever is written to the duty next.

use chrono::{DateTime, Utc};
use domain::assignment::{Ended, OFFER_LAPSES_AFTER};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, SystemId};
use domain::party::Party;
use domain::system::Subject;
use domain::tiding::Post;
use serde_json::json;

use super::raced;
use crate::agents::assess::party_names;
use crate::args;
use crate::change::{self, Change};
use crate::db::{Arg, marks};
use crate::error::Error;
use crate::tidings::To;

/// An offer made at this moment or before has lapsed by `now`.
pub(crate) fn since(now: DateTime<Utc>) -> DateTime<Utc> {
    now - OFFER_LAPSES_AFTER
}

/// Closes what has lapsed of these agents.
pub(crate) async fn of_agents(change: &mut Change<'_>, agents: &[AgentId]) -> Result<(), Error> {
    let numbers: Vec<i64> = agents.iter().map(|a| a.0).collect();
    close(change, "agent_id", &numbers, |n| AgentId(n).into()).await
}

/// Closes what has lapsed of this agent or system.
pub(crate) async fn of(change: &mut Change<'_>, of: Subject) -> Result<(), Error> {
    match of {
        Subject::Agent(id) => of_agents(change, &[id]).await,
        Subject::System(id) => close(change, "system_id", &[id.0], |n| SystemId(n).into()).await,
    }
}

async fn close(
    change: &mut Change<'_>,
    column: &str,
    numbers: &[i64],
    subject: impl Fn(i64) -> Subject,
) -> Result<(), Error> {
    for batch in numbers.chunks(500) {
        let sql = format!(
            "SELECT id, {column}, duty, party_kind, party_id, offered_by FROM assignment WHERE {column} IN {} AND role = 'A' \
             AND accepted_at IS NULL AND valid_to IS NULL AND offered_at <= $1 ORDER BY id",
            marks(2, batch.len())
        );
        let mut list = args![since(change.by.now)];
        list.extend(batch.iter().map(|n| Arg::from(*n)));
        for r in change.tx.all(sql, list).await? {
            let (id, duty): (i64, Duty) = (r.get(0)?, r.get(2)?);
            let party = Party::from_stored(&r.get::<String>(3)?, r.get(4)?);
            let event = change.event("clock", "assignment.lapsed", subject(r.get(1)?));
            change.describe(event, json!({"duty": duty, "role": "A", "party": party}), json!({}));
            let over = OFFER_LAPSES_AFTER.num_microseconds().unwrap_or(i64::MAX);
            let args = args![id, over, Ended::Lapsed.key(), change.id(event)];
            let sql = "UPDATE assignment SET valid_to = offered_at + $2, ended = $3, event_id = $4 \
                       WHERE id = $1 AND accepted_at IS NULL AND valid_to IS NULL";
            if change.tx.run(sql, args).await.map_err(raced)? == 1 {
                change.wrote(event, &change::ASSIGNMENT, id);
                if let (Some(party), Ok(maker)) = (party, r.get::<String>(5)?.parse::<PersonId>()) {
                    let name = party_names(&mut change.tx, [party]).await?.remove(&party);
                    let post = Post { of: subject(r.get(1)?), duty, number: id };
                    change.tell(To::Person(maker), post.lapsed(&name.unwrap_or_else(|| party.to_string())));
                }
            }
        }
    }
    Ok(())
}
