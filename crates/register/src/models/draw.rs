//! What a model would do: read, checked, and drawn up, for the preview and for the change.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::can::{Action, Relation, can};
use domain::canonical;
use domain::id::AgentId;
use domain::model::{Fate, Model, Slot, fill, justified_until, justify};
use domain::party::{Party, Standing};
use domain::raci::Ward;
use domain::text;
use serde_json::{Value, json};

use super::{Drawn, Filler, MOST, Plan, Wish};
use crate::agents::assess::{Ownership, ownership, party_names, party_standing};
use crate::agents::read::visible;
use crate::agents::relation::relation;
use crate::agents::{Agent, stored};
use crate::assignments::REASON_MAX;
use crate::change::By;
use crate::db::Reads;
use crate::error::{Checked, Error};

/// Agents drawn at a time.
const BATCH: usize = 500;

/// Checks a wish; answers the justification, trimmed, and until when it holds, where the
/// model needs one. The reason is asked for only where something is to be written.
pub(super) async fn check(
    reads: &mut impl Reads,
    by: By<'_>,
    model: Model,
    wish: &Wish,
    writes: bool,
) -> Result<Option<(String, DateTime<Utc>)>, Error> {
    can(by.actor, Action::AssignmentOffer, Relation::Owner)?;
    if model.needs_justification() {
        can(by.actor, Action::JustificationWrite, Relation::None)?;
    }
    let mut wrong = Checked::default();
    match text::prose(&wish.reason, "The reason", REASON_MAX) {
        Err(e) => wrong.refuse("/reason", e.to_string()),
        Ok(reason) if reason.is_empty() && writes => {
            wrong.refuse("/reason", "Say why, for the record and for those who are asked.");
        }
        Ok(_) => {}
    }
    if wish.slots.is_empty() {
        wrong.refuse("/slots", "Choose who fills at least one function.");
    }
    for (slot, filler) in &wish.slots {
        let Filler::Party(party) = filler else { continue };
        let at = format!("/slots/{slot}");
        match party_standing(reads, *party).await? {
            None => wrong.refuse(&at, format!("There is no {party}.")),
            Some(Standing::Active) => {}
            Some(gone) => {
                let name = party_names(reads, [*party]).await?.remove(party).unwrap_or_else(|| party.to_string());
                wrong.refuse(
                    &at,
                    match gone {
                        Standing::Left => format!("{name} has left and cannot be Accountable; choose somebody active."),
                        _ => {
                            format!("{name} has no active lead, so nobody would be named; give the team a lead first.")
                        }
                    },
                );
            }
        }
    }
    let mut justified = None;
    if model.needs_justification() {
        match wish.until {
            None => {
                // Everything that is missing is said at once.
                if let Err(e @ domain::model::Unjustified::Words(_)) =
                    justify(&wish.justification, justified_until(by.now), by.now)
                {
                    wrong.refuse("/justification", e.to_string());
                }
                wrong.refuse("/until", "Enter the day on which the justification ends, within twelve months.");
            }
            Some(until) => match justify(&wish.justification, until, by.now) {
                Ok(words) => justified = Some((words, until)),
                Err(e @ domain::model::Unjustified::Words(_)) => wrong.refuse("/justification", e.to_string()),
                Err(e) => wrong.refuse("/until", e.to_string()),
            },
        }
    }
    wrong.done()?;
    Ok(justified)
}

/// Draws up what becomes of each agent.
pub(super) async fn draw(
    reads: &mut impl Reads,
    by: By<'_>,
    agents: &[AgentId],
    model: Model,
    wish: &Wish,
    justified: bool,
) -> Result<Plan, Error> {
    if agents.is_empty() {
        return Err(Error::field("/agents", "Name at least one agent."));
    }
    if agents.len() > MOST {
        return Err(Error::field(
            "/agents",
            format!("A model is applied to at most {MOST} agents at once; narrow the selection."),
        ));
    }
    let everywhere = can(by.actor, Action::AssignmentOffer, Relation::None).is_ok();
    let mut standings: HashMap<Party, Standing> = HashMap::new();
    let mut drawn = Vec::with_capacity(agents.len());
    let mut parties: BTreeSet<Party> = BTreeSet::new();
    for batch in agents.chunks(BATCH) {
        let loaded = stored::load(reads, batch, by.now).await?;
        if let Some(missing) = batch.iter().find(|id| !loaded.iter().any(|a| a.id == **id)) {
            return Err(Error::NotFound(format!("agent {missing}")));
        }
        let Ownership { held, mut offers } = ownership(reads, batch).await?;
        for open in offers.values_mut() {
            open.retain(|o| o.open_at(by.now));
        }
        for agent in loaded {
            if !everywhere {
                let stands = relation(reads, by.actor, &agent).await?;
                let seen = visible(by.actor, &agent, stands).is_ok();
                if !seen && agents.len() == 1 {
                    return Err(Error::NotFound(format!("agent {}", agent.id)));
                }
                if !seen || can(by.actor, Action::AssignmentOffer, stands).is_err() {
                    if agents.len() == 1 {
                        can(by.actor, Action::AssignmentOffer, stands)?;
                    }
                    let name = if seen { agent.facts.name } else { String::new() };
                    drawn.push(Drawn { agent: agent.id, name, fate: Err("it is not yours to assign".into()) });
                    continue;
                }
            }
            let fillers = fillers(reads, &agent, wish, &mut standings).await?;
            let (held, offers) = (held.get(&agent.id), offers.get(&agent.id));
            let (held, offers) = (held.map_or(&[][..], Vec::as_slice), offers.map_or(&[][..], Vec::as_slice));
            parties.extend(fillers.values().copied());
            parties.extend(held.iter().map(|h| h.party));
            parties.extend(offers.iter().map(|o| o.party));
            let fate = if agent.state == Lifecycle::Retired {
                Err("it is retired".to_owned())
            } else {
                fill(model, &fillers, &Ward::of_agent(&agent.facts), held, offers, wish.replace)
                    .map_err(|clash| clash.to_string())
            };
            drawn.push(Drawn { agent: agent.id, name: agent.facts.name, fate });
        }
    }
    let names = party_names(reads, parties).await?;
    let digest = digest(model, wish, justified, &drawn);
    Ok(Plan { agents: drawn, names, digest })
}

/// Who fills the functions of one agent. An operating team that nobody leads fills none.
async fn fillers(
    reads: &mut impl Reads,
    agent: &Agent,
    wish: &Wish,
    standings: &mut HashMap<Party, Standing>,
) -> Result<BTreeMap<Slot, Party>, Error> {
    let mut out = BTreeMap::new();
    for (slot, filler) in &wish.slots {
        let party = match filler {
            Filler::Party(party) => *party,
            Filler::OperatedBy => {
                let Some(team) = agent.facts.operated_by.map(Party::Team) else { continue };
                let standing = match standings.get(&team) {
                    Some(standing) => *standing,
                    None => party_standing(reads, team).await?.unwrap_or(Standing::Leaderless),
                };
                standings.insert(team, standing);
                if standing != Standing::Active {
                    continue;
                }
                team
            }
        };
        out.insert(*slot, party);
    }
    Ok(out)
}

/// The digest of what would be done.
fn digest(model: Model, wish: &Wish, justified: bool, drawn: &[Drawn]) -> String {
    let agents: Vec<Value> = drawn
        .iter()
        .map(|d| match &d.fate {
            Err(why) => json!([d.agent, why]),
            Ok(filled) => {
                let rows: Vec<Value> = filled
                    .rows
                    .iter()
                    .filter(|r| r.changes())
                    .map(|r| {
                        let offer = match r.fate {
                            Fate::Offer { to, owner, instead_of } => json!([to, owner, instead_of]),
                            Fate::Withdraw { owner, asked } => json!([owner, asked]),
                            _ => Value::Null,
                        };
                        json!([r.duty, offer, r.add, r.end])
                    })
                    .collect();
                json!([d.agent, rows])
            }
        })
        .collect();
    canonical::sha256_hex(&json!({
        "model": model, "replace": wish.replace, "justified": justified, "agents": agents,
    }))
}
