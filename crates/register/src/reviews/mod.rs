//! Periodic review: asked by the clock, by somebody, or by a campaign; what the reviewer is
//! shown, putting it off once, and what follows from the answer. The review itself is a request
//! of the engine in `requests`; its answer goes through `requests::decide`.

mod after;
mod begin;
mod campaigns;
mod defer;
mod due;
mod many;
mod rows;
mod sheet;

pub(crate) use after::{closing, follow};
pub use begin::{open, open_of};
pub use campaigns::{Campaign, Counts, NewCampaign, campaign, campaigns, close, made_for, make};
pub use defer::{Deferral, defer, deferral};
pub use due::{Due, due, due_count, due_mine};
pub use many::{Attested, attest_many};
pub use rows::{Filter, Line, count_waiting, list, list_of_campaign, read, waiting};
pub use sheet::{Fact, Found, Sheet, Stopped, sheet};

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::id::AgentId;

use crate::args;
use crate::db::{Arg, DbError, Reads, marks};

/// Until when the open reviews of some agents were put off.
pub(crate) async fn deferred(
    reads: &mut impl Reads,
    agents: &[AgentId],
    now: DateTime<Utc>,
) -> Result<HashMap<AgentId, DateTime<Utc>>, DbError> {
    let mut out = HashMap::new();
    for batch in agents.chunks(500) {
        let sql = format!(
            "SELECT s.agent_id, s.due_at FROM request_step s JOIN request r ON r.id = s.request_id \
             WHERE s.verdict = '' AND s.deferred_at IS NOT NULL AND r.outcome = '' AND r.lapses_at > $1 \
             AND s.agent_id IN {}",
            marks(2, batch.len())
        );
        let mut list = args![now];
        list.extend(batch.iter().map(|id| Arg::from(*id)));
        for r in reads.rows(sql, list).await? {
            out.insert(r.get(0)?, r.get(1)?);
        }
    }
    Ok(out)
}
