//! What follows when both have signed: the agent is retired, nobody owns it any more, and the
//! record keeps who did, what was shown, what was waived and who signed.

use domain::agent::Lifecycle;
use domain::assignment::Ended;
use domain::record::timestamp;
use serde_json::{Value, json};

use super::Doers;
use super::stored;
use crate::agents::assess::party_names;
use crate::agents::{Agent, moves};
use crate::args;
use crate::change::{Change, EventRef};
use crate::error::Error;
use crate::requests::stored::Kept;

/// Retires the agent under the event of the last signature.
pub(crate) async fn retire(
    change: &mut Change<'_>,
    event: EventRef,
    kept: &Kept,
    agent: &Agent,
    after: &mut Value,
) -> Result<(), Error> {
    let doers = Doers::read(&mut change.tx, &[agent.id], None, change.by.now).await?;
    let owners = doers.owners(agent.id);
    let names = party_names(&mut change.tx, owners.iter().map(|h| h.party).collect::<Vec<_>>()).await?;
    let owners: Vec<Value> = owners
        .iter()
        .map(|h| {
            json!({"duty": h.duty, "party": h.party, "name": names.get(&h.party),
                "since": timestamp(h.since), "inherited": h.inherited})
        })
        .collect();
    let rows: Vec<Value> = stored::of(&mut change.tx, &[kept.id])
        .await?
        .iter()
        .map(|r| match (&r.done, &r.waived) {
            (Some((at, by)), _) => json!({"row": r.place, "kind": r.kind, "of": r.subject, "evidence": r.proof,
                "link": r.link, "delivery": r.delivery, "evidence_sha256": r.evidence_sha256,
                "done_at": timestamp(*at), "done_by": by}),
            (None, Some((at, by, why))) => json!({"row": r.place, "kind": r.kind, "of": r.subject,
                "waived_at": timestamp(*at), "waived_by": by, "why": why}),
            (None, None) => json!({"row": r.place, "kind": r.kind, "of": r.subject}),
        })
        .collect();
    let signatures: Vec<Value> = kept
        .steps
        .iter()
        .filter_map(|s| {
            let d = s.step.decided.as_ref()?;
            Some(json!({"duty": s.step.duty, "by": d.by, "via": s.via, "on_behalf_of": d.on_behalf_of,
                "at": timestamp(d.at), "reason": s.reason}))
        })
        .collect();
    moves::to(change, event, agent, Lifecycle::Retired).await?;
    let open = "SELECT id FROM assignment WHERE agent_id = $1 AND valid_to IS NULL ORDER BY id";
    for r in change.tx.all(open, args![agent.id]).await? {
        crate::assignments::close(change, event, r.get(0)?, Ended::Retired).await?;
    }
    after["state"] = Lifecycle::Retired.key().into();
    after["tombstone"] = json!({"owners": owners, "rows_closed": rows, "signatures": signatures});
    Ok(())
}
