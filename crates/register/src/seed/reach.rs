//! How the people of an estate are reached, and who of them takes turns on call.

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{PersonId, TeamId};
use domain::oncall::Rotation;
use domain::reach::{ChannelKind, Span};
use serde_json::{Value, json};

use crate::args;
use crate::change::{self, Change};
use crate::error::Error;
use crate::oncall;

/// A channel, and when a test of it was passed.
pub(super) struct SeedChannel {
    pub(super) person: PersonId,
    pub(super) kind: ChannelKind,
    pub(super) address: String,
    pub(super) tested: Option<DateTime<Utc>>,
}

/// Writes channels, one event a channel; `with` is who passed the codes on.
pub(super) async fn channels(change: &mut Change<'_>, list: &[SeedChannel], with: PersonId) -> Result<(), Error> {
    let first = change.next("channel", i64::try_from(list.len()).unwrap_or(0)).await?;
    let now = change.by.now;
    let mut rows = Vec::with_capacity(list.len());
    for (id, c) in (first..).zip(list) {
        let event = change.event("administrator", "channel.added", c.person);
        change.describe(event, Value::Null, json!({"channel": id, "kind": c.kind}));
        change.wrote(event, &change::CHANNEL, id);
        let by = c.tested.map_or_else(String::new, |_| with.to_string());
        let added = c.tested.map_or(now, |t| t.min(now));
        rows.push(args![id, change.id(event), c.person, c.kind.key(), &c.address, added, c.tested, by]);
    }
    let columns = ["id", "event_id", "person_id", "kind", "address", "added_at", "tested_at", "tested_with"];
    change.tx.insert("channel", &columns, rows, "").await?;
    Ok(())
}

/// Writes a rotation that began a while ago.
pub(super) async fn rotation(
    change: &mut Change<'_>,
    team: TeamId,
    people: Vec<PersonId>,
    turn: TimeDelta,
) -> Result<(), Error> {
    let now = change.by.now;
    let rotation = Rotation { people, starts: now, turn, span: Span::since(now) };
    oncall::seed(change, team, &rotation).await
}

/// Says of most owners, by agent, that they said again since then what is theirs: each within
/// eighty days before `now`.
pub(super) async fn confirmed(change: &mut Change<'_>, first: i64, next: i64, now: DateTime<Utc>) -> Result<(), Error> {
    change
        .tx
        .run(
            "UPDATE assignment SET confirmed_at = $3 - (agent_id * 29 % 80) * 86400000000 WHERE id >= $1 AND id < $2 \
             AND role = 'A' AND accepted_at IS NOT NULL AND agent_id % 16 <> 3",
            args![first, next, now],
        )
        .await?;
    Ok(())
}
