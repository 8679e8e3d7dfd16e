//! If they left: what would have no owner from that second on, and who would be asked next.

use std::collections::BTreeMap;

use domain::agent::Lifecycle;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, TeamId};
use domain::party::Party;
use domain::tier::Tier;

use super::holdings::{COUNTED, visible_to};
use super::read::succession;
use super::stored::{Named, Person, load};
use super::write::{sole_holder_of, with_led_teams};
use crate::args;
use crate::change::By;
use crate::db::{Arg, Db};
use crate::error::Error;

/// How many duties are listed.
pub const SHOWN: usize = 200;
/// How many duties are counted, for the person and for each team they lead.
pub const COUNT_TO: i64 = COUNTED;

/// One duty of one agent that would have no owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// The duty.
    pub duty: Duty,
    /// The team through which they answer for it, when they do as its lead.
    pub team: Option<TeamId>,
    /// Where the agent is in its life.
    pub state: Lifecycle,
    /// Its tier.
    pub tier: Tier,
    /// Whether it counts as running.
    pub runs: bool,
}

/// A team that would have no lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Led {
    /// The team.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// Who would be asked next: its deputy, then the lead's manager.
    pub next: Vec<Named>,
}

/// What would follow if a person left, or followed when they did.
#[derive(Debug, Clone)]
pub struct Impact {
    /// The person.
    pub person: Person,
    /// The duties that would have no owner: of what runs and by containment first, at most
    /// [`SHOWN`].
    pub orphans: Vec<Orphan>,
    /// How many there would be.
    pub total: i64,
    /// Whether there are more than were counted.
    pub more: bool,
    /// How many of each duty, as far as counted.
    pub duties: BTreeMap<Duty, i64>,
    /// How many different agents, as far as counted.
    pub agents: usize,
    /// The teams that would have no lead.
    pub teams: Vec<Led>,
    /// Who would be asked next: the deputy, then the manager.
    pub next: Vec<Named>,
    /// Roles that nobody else who is here has; while administrator is among them, they
    /// cannot leave.
    pub sole: Vec<domain::party::Role>,
}

/// What would be orphaned if a person left: every duty they are Accountable for, and every
/// one that a team they lead is.
pub async fn impact(db: &Db, by: By<'_>, id: PersonId) -> Result<Impact, Error> {
    let (visible, seen) = visible_to(db, by, 3).await?;
    let mut reads = db;
    let person = load(&mut reads, id).await?.ok_or_else(|| Error::NotFound(format!("person {id}")))?;
    let mut orphans = Vec::new();
    let mut more = false;
    let mut teams = Vec::new();
    for party in with_led_teams(&mut reads, id).await? {
        let mut list = args![party.kind(), party.number()];
        list.extend(seen.clone());
        list.push(Arg::from(COUNT_TO + 1));
        let sql = format!(
            "SELECT a.id, a.name, s.duty, a.state, a.tier, a.runs FROM assignment s JOIN agent a ON a.id = s.agent_id \
             WHERE s.party_kind = $1 AND s.party_id = $2 AND s.role = 'A' AND s.valid_to IS NULL \
             AND s.accepted_at IS NOT NULL AND {visible} ORDER BY s.agent_id, s.id LIMIT ${}",
            list.len()
        );
        let rows = db.all(sql, list).await?;
        more |= rows.len() as i64 > COUNT_TO;
        let team = match party {
            Party::Team(t) => Some(t),
            Party::Person(_) => None,
        };
        for r in rows.iter().take(usize::try_from(COUNT_TO).unwrap_or(0)) {
            orphans.push(Orphan {
                agent: r.get(0)?,
                name: r.get(1)?,
                duty: r.get(2)?,
                team,
                state: r.get(3)?,
                tier: r.get(4)?,
                runs: r.get(5)?,
            });
        }
        if let Some(t) = team {
            let name = db.one("SELECT name FROM team WHERE id = $1", args![t]).await?;
            teams.push(Led {
                id: t,
                name: name.map(|r| r.get(0)).transpose()?.unwrap_or_default(),
                next: succession(&mut reads, party).await?,
            });
        }
    }
    let mut duties = BTreeMap::new();
    for o in &orphans {
        *duties.entry(o.duty).or_insert(0) += 1;
    }
    let mut agents: Vec<AgentId> = orphans.iter().map(|o| o.agent).collect();
    agents.sort_unstable();
    agents.dedup();
    let total = orphans.len() as i64;
    orphans.sort_by_key(|o| (!o.runs, o.duty != Duty::Containment, std::cmp::Reverse(o.tier), o.agent, o.duty));
    orphans.truncate(SHOWN);
    let next = succession(&mut reads, Party::Person(id)).await?;
    let sole = sole_holder_of(&mut reads, &person).await?;
    Ok(Impact { person, orphans, total, more, duties, agents: agents.len(), teams, next, sole })
}
