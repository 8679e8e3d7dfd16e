//! Handing over: everything that a person answers for is offered to somebody else, one
//! offer a duty. Nothing changes hands before it is accepted.

use std::collections::BTreeMap;

use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId};
use domain::party::Party;

use super::stored::load;
use crate::args;
use crate::assignments::{self, Mode};
use crate::change::By;
use crate::db::Db;
use crate::error::Error;

/// Most duties that are offered at once.
const MOST: i64 = 10_000;

/// What was offered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandedOver {
    /// How many duties were offered.
    pub offered: usize,
    /// Agents that were left as they were, and why.
    pub skipped: Vec<(AgentId, String)>,
    /// Whether there were more than are offered at once.
    pub more: bool,
}

/// Offers every duty that a person is Accountable for, themself, to another party. What
/// teams hold is handed over by giving the team another lead.
pub async fn hand_over(db: &Db, by: By<'_>, from: PersonId, to: Party, reason: &str) -> Result<HandedOver, Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    let mut reads = db;
    let person = load(&mut reads, from).await?.ok_or_else(|| Error::NotFound(format!("person {from}")))?;
    if to == Party::Person(from) {
        return Err(Error::field("/to", format!("{} answers for it already; choose somebody else.", person.name)));
    }
    let rows = db
        .all(
            "SELECT agent_id, duty FROM assignment WHERE party_kind = 'person' AND party_id = $1 AND role = 'A' \
             AND valid_to IS NULL AND accepted_at IS NOT NULL AND agent_id IS NOT NULL ORDER BY agent_id LIMIT $2",
            args![from, MOST + 1],
        )
        .await?;
    let mut out = HandedOver { more: rows.len() as i64 > MOST, ..HandedOver::default() };
    let mut duties: BTreeMap<Duty, Vec<AgentId>> = BTreeMap::new();
    for r in rows.iter().take(usize::try_from(MOST).unwrap_or(0)) {
        duties.entry(r.get(1)?).or_default().push(r.get(0)?);
    }
    if duties.is_empty() {
        return Err(Error::Conflict(format!("{} is Accountable for nothing themself.", person.name)));
    }
    let mut denied = None;
    for (duty, agents) in duties {
        match assignments::assign_many(db, by, &agents, duty, to, Mode::Offer, reason).await {
            Ok(done) => {
                out.offered += done.done.len();
                out.skipped.extend(done.skipped);
            }
            // Of one agent alone it is refused as a whole; among others it would be skipped.
            Err(Error::Denied(d)) => {
                out.skipped.extend(agents.iter().map(|a| (*a, d.to_string())));
                denied = Some(d);
            }
            Err(e) => return Err(at_to(e)),
        }
    }
    match denied {
        Some(d) if out.offered == 0 => Err(d.into()),
        _ => Ok(out),
    }
}

/// What is wrong with the party is wrong with what was chosen.
fn at_to(e: Error) -> Error {
    match e {
        Error::Invalid(mut wrong) => {
            for w in &mut wrong {
                if w.pointer == "/party" {
                    w.pointer = "/to".into();
                }
            }
            Error::Invalid(wrong)
        }
        e => e,
    }
}
