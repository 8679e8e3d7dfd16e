//! Who is next in line where an owner is gone: what one press offers.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use domain::duty::Duty;
use domain::id::AgentId;
use domain::party::Party;

use super::read::succession;
use super::stored::Named;
use crate::args;
use crate::assignments::lapse;
use crate::db::{Arg, DbError, Reads, marks};

/// The duties of these agents whose owner is gone and that are on offer to nobody, each with
/// who is asked next: deputy, then manager. Whoever is gone too is shown as gone.
pub async fn next_in_line(
    reads: &mut impl Reads,
    agents: &[AgentId],
    now: DateTime<Utc>,
) -> Result<HashMap<AgentId, BTreeMap<Duty, Vec<Named>>>, DbError> {
    let mut out: HashMap<AgentId, BTreeMap<Duty, Vec<Named>>> = HashMap::new();
    let mut known: HashMap<Party, Vec<Named>> = HashMap::new();
    for batch in agents.chunks(500) {
        let sql = format!(
            "SELECT s.agent_id, s.duty, s.party_kind, s.party_id FROM assignment s \
             LEFT JOIN person p ON s.party_kind = 'person' AND p.id = s.party_id \
             LEFT JOIN team t ON s.party_kind = 'team' AND t.id = s.party_id \
             LEFT JOIN person l ON l.id = t.lead_id \
             WHERE s.agent_id IN {} AND s.valid_to IS NULL AND s.role = 'A' AND s.accepted_at IS NOT NULL \
             AND ((s.party_kind = 'person' AND p.status <> 'active') \
               OR (s.party_kind = 'team' AND (l.id IS NULL OR l.status <> 'active'))) \
             AND NOT EXISTS (SELECT 1 FROM assignment o WHERE o.agent_id = s.agent_id AND o.duty = s.duty \
               AND o.role = 'A' AND o.valid_to IS NULL AND o.accepted_at IS NULL AND o.offered_at > $1)",
            marks(2, batch.len())
        );
        let mut list = args![lapse::since(now)];
        list.extend(batch.iter().map(|a| Arg::from(*a)));
        for r in reads.rows(sql, list).await? {
            let Some(party) = Party::from_stored(&r.get::<String>(2)?, r.get(3)?) else { continue };
            let next = match known.entry(party) {
                Entry::Occupied(found) => found.get().clone(),
                Entry::Vacant(place) => place.insert(succession(reads, party).await?).clone(),
            };
            out.entry(r.get(0)?).or_default().insert(r.get(1)?, next);
        }
    }
    Ok(out)
}
