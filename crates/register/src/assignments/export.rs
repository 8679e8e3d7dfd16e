//! Every matrix as one table, a cell a row, read page by page.

use chrono::{DateTime, Utc};
use domain::assignment::RaciRole;
use domain::duty::Duty;
use domain::id::AgentId;
use domain::party::Party;

use crate::agents::assess::party_names;
use crate::agents::export::Export as Agents;
use crate::agents::list::Query;
use crate::change::By;
use crate::db::{Arg, Db, Reads as _, marks};
use crate::error::Error;

/// The headings of [`cells`].
pub const HEADINGS: [&str; 8] =
    ["agent", "agent_name", "duty", "role", "party", "party_name", "accepted_at", "offered_at"];

/// One cell of one agent's matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whose matrix.
    pub agent: AgentId,
    /// The agent's name.
    pub agent_name: String,
    /// The duty.
    pub duty: Duty,
    /// The letter.
    pub role: RaciRole,
    /// The party.
    pub party: Party,
    /// The party's name.
    pub party_name: String,
    /// When it was accepted; `None` for an open offer.
    pub accepted_at: Option<DateTime<Utc>>,
    /// When it was offered.
    pub offered_at: DateTime<Utc>,
}

/// A line, a cell for each of [`HEADINGS`].
pub fn cells(line: &Line) -> Vec<String> {
    vec![
        line.agent.to_string(),
        line.agent_name.clone(),
        line.duty.key().to_owned(),
        line.role.key().to_owned(),
        line.party.to_string(),
        line.party_name.clone(),
        line.accepted_at.map(domain::record::timestamp).unwrap_or_default(),
        domain::record::timestamp(line.offered_at),
    ]
}

/// An export under way.
#[derive(Debug)]
pub struct Export(Agents);

impl Export {
    /// Every current cell and open offer of every agent that the asker may see.
    pub fn new(by: By<'_>) -> Result<Self, Error> {
        Ok(Self(Agents::new(by, Query::default())?))
    }

    /// The next cells, in order of agent and duty; `None` when there are no more.
    pub async fn next(&mut self, db: &Db, by: By<'_>) -> Result<Option<Vec<Line>>, Error> {
        let Some(agents) = self.0.next(db, by).await? else { return Ok(None) };
        let mut names: std::collections::HashMap<AgentId, String> =
            agents.into_iter().map(|whole| (whole.agent.id, whole.agent.facts.name)).collect();
        if names.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let mut reads = db;
        let sql = format!(
            "SELECT agent_id, duty, role, party_kind, party_id, accepted_at, offered_at FROM assignment \
             WHERE valid_to IS NULL AND agent_id IN {}",
            marks(1, names.len())
        );
        let rows = reads.rows(sql, names.keys().map(|id| Arg::from(*id)).collect()).await?;
        let mut lines = Vec::with_capacity(rows.len());
        for r in rows {
            let Some(party) = Party::from_stored(&r.get::<String>(3)?, r.get(4)?) else { continue };
            lines.push(Line {
                agent: r.get(0)?,
                agent_name: String::new(),
                duty: r.get(1)?,
                role: r.get(2)?,
                party,
                party_name: String::new(),
                accepted_at: r.get(5)?,
                offered_at: r.get(6)?,
            });
        }
        let order = |d: Duty| Duty::ALL.iter().position(|x| *x == d);
        let letter = |r: RaciRole| RaciRole::ALL.iter().position(|x| *x == r);
        lines.sort_by_key(|l| (l.agent, order(l.duty), letter(l.role), l.party, l.offered_at));
        let parties = party_names(&mut reads, lines.iter().map(|l| l.party).collect::<Vec<_>>()).await?;
        let mut last = None;
        for line in &mut lines {
            line.party_name = parties.get(&line.party).cloned().unwrap_or_default();
            // Sorted by agent, so each name is looked up once.
            if last.as_ref().is_none_or(|(id, _)| *id != line.agent) {
                last = names.remove(&line.agent).map(|name| (line.agent, name));
            }
            if let Some((_, name)) = &last {
                line.agent_name.clone_from(name);
            }
        }
        Ok(Some(lines))
    }
}
