//! If they left: what would have no owner from that second on, and who would be asked next.

use std::collections::{BTreeMap, BTreeSet};

use domain::agent::Lifecycle;
use domain::assignment::RaciRole;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, TeamId};
use domain::party::Party;
use domain::tier::Tier;

use super::holdings::visible_to;
use super::read::succession;
use super::stored::{Named, Person, load};
use super::write::{sole_holder_of, with_led_teams};
use crate::args;
use crate::change::By;
use crate::db::{Arg, Db};
use crate::error::Error;
use crate::systems;

/// How many duties are listed.
pub const SHOWN: usize = 200;

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
    /// Whether there are more than are listed.
    pub more: bool,
    /// How many of them are theirs alone, not a team's that they lead.
    pub own: i64,
    /// How many of each duty.
    pub duties: BTreeMap<Duty, i64>,
    /// How many different agents.
    pub agents: usize,
    /// How many agents that count as running nobody could stop.
    pub unstoppable: i64,
    /// The duties of systems that would have no owner, and the team through which they answer
    /// for each.
    pub systems: Vec<(Option<TeamId>, systems::Holding)>,
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
    // Who may know of every agent is answered from the index alone.
    let join = if seen.is_empty() && !visible.contains("a.") { "" } else { "JOIN agent a ON a.id = s.agent_id" };
    let held = "s.party_kind = $1 AND s.party_id = $2 AND s.role = 'A' AND s.valid_to IS NULL \
                AND s.accepted_at IS NOT NULL AND s.agent_id IS NOT NULL";
    let mut out = Impact {
        sole: sole_holder_of(&mut reads, &person).await?,
        next: succession(&mut reads, Party::Person(id)).await?,
        person,
        orphans: Vec::new(),
        total: 0,
        more: false,
        own: 0,
        duties: BTreeMap::new(),
        agents: 0,
        unstoppable: 0,
        systems: Vec::new(),
        teams: Vec::new(),
    };
    let mut agents: BTreeSet<AgentId> = BTreeSet::new();
    for party in with_led_teams(&mut reads, id).await? {
        let mut list = args![party.kind(), party.number()];
        list.extend(seen.clone());
        let sql = format!("SELECT s.agent_id, s.duty FROM assignment s {join} WHERE {held} AND {visible}");
        for r in db.all(sql, list.clone()).await? {
            agents.insert(r.get(0)?);
            *out.duties.entry(r.get(1)?).or_insert(0) += 1;
            out.total += 1;
            out.own += i64::from(party == Party::Person(id));
        }
        let sql = format!(
            "SELECT COUNT(*) FROM assignment s JOIN agent a ON a.id = s.agent_id \
             WHERE {held} AND s.duty = 'containment' AND a.runs AND {visible}"
        );
        let running: i64 = db.one(sql, list.clone()).await?.map(|r| r.get(0)).transpose()?.unwrap_or(0);
        out.unstoppable += running;
        let team = match party {
            Party::Team(t) => Some(t),
            Party::Person(_) => None,
        };
        let of_systems = systems::holdings(db, by, party).await?.into_iter();
        out.systems.extend(of_systems.filter(|h| h.role == RaciRole::Accountable).map(|h| (team, h)));
        list.push(Arg::from(SHOWN as i64));
        for which in ["=", "<>"] {
            let sql = format!(
                "SELECT a.id, a.name, s.duty, a.state, a.tier, a.runs FROM assignment s \
                 JOIN agent a ON a.id = s.agent_id WHERE {held} AND s.duty {which} 'containment' AND {visible} \
                 ORDER BY s.agent_id, s.id LIMIT ${}",
                list.len()
            );
            for r in db.all(sql, list.clone()).await? {
                out.orphans.push(Orphan {
                    agent: r.get(0)?,
                    name: r.get(1)?,
                    duty: r.get(2)?,
                    team,
                    state: r.get(3)?,
                    tier: r.get(4)?,
                    runs: r.get(5)?,
                });
            }
        }
        if let Some(t) = team {
            let name = db.one("SELECT name FROM team WHERE id = $1", args![t]).await?;
            out.teams.push(Led {
                id: t,
                name: name.map(|r| r.get(0)).transpose()?.unwrap_or_default(),
                next: succession(&mut reads, party).await?,
            });
        }
    }
    out.agents = agents.len();
    out.orphans.sort_by_key(|o| (!o.runs, o.duty != Duty::Containment, std::cmp::Reverse(o.tier), o.agent, o.duty));
    out.orphans.truncate(SHOWN);
    out.more = out.total > out.orphans.len() as i64;
    Ok(out)
}
