//! `/people/{id}/channels`: by what a person is reached, and the test of it. Two people make a
//! test: a colleague begins it and passes the code on, and the person says what came.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::id::PersonId;
use domain::reach::{CODE_HOLDS, ChannelKind, TEST_HOLDS};
use register::{Error, reach};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, ok};
use super::asked::Asked;
use super::sent::{At, Maybe, read};
use super::words;
use crate::App;
use crate::json::Json as Sent;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(list_channels, add_channel))
        .routes(routes!(remove_channel))
        .routes(routes!(begin_test))
        .routes(routes!(prove_channel))
}

/// A way to reach a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": 4, "kind": "phone", "address": "+49 30 1234567", "tested_at": "2026-07-03T14:05:00Z",
    "counts_until": "2026-12-30T14:05:00Z"
}))]
struct Channel {
    /// Its number.
    id: i64,
    #[schema(value_type = words::ChannelKind)]
    kind: ChannelKind,
    /// The number, name or address.
    address: String,
    /// When its last test was passed; null until one is.
    #[schema(required)]
    tested_at: Option<DateTime<Utc>>,
    /// Until when that counts; null until a test is passed.
    #[schema(required)]
    counts_until: Option<DateTime<Utc>>,
}

impl From<reach::Channel> for Channel {
    fn from(c: reach::Channel) -> Self {
        let counts_until = c.tested_at.map(|at| at + TEST_HOLDS);
        Self { id: c.id, kind: c.kind, address: c.address, tested_at: c.tested_at, counts_until }
    }
}

/// Nothing is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// List how a person is reached
///
/// For the person, colleagues of the same team, their manager and deputy, security leads and
/// administrators. Oldest first; at most ten.
#[utoipa::path(
    get,
    path = "/api/v1/people/{id}/channels",
    tag = "people",
    params(("id" = inline(words::PersonRef), Path, description = "The person.")),
    responses((status = 200, description = "Channels.", body = List<Channel>))
)]
async fn list_channels(State(app): State<App>, caller: ApiActor, At(id): At<PersonId>, _: Asked<Nothing>) -> Answer {
    let view = reach::view(&app.db, caller.by(), id).await?;
    let Some(channels) = view.channels else {
        can(&caller.actor, Action::ChannelRead, Relation::None).map_err(Error::from)?;
        return ok(List::whole(Vec::<Channel>::new()));
    };
    ok(List::whole(channels.into_iter().map(Channel::from).collect()))
}

/// A way to reach a person, to be recorded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChannelNew {
    #[schema(value_type = words::ChannelKind)]
    kind: ChannelKind,
    /// The number, name or address.
    #[schema(max_length = 200)]
    address: String,
}

/// Add a way to reach a person
///
/// For the person and administrators. It counts once a colleague has tested it.
#[utoipa::path(
    post,
    path = "/api/v1/people/{id}/channels",
    tag = "people",
    params(("id" = inline(words::PersonRef), Path, description = "The person.")),
    request_body = ChannelNew,
    responses((status = 200, description = "Recorded.", body = Channel))
)]
async fn add_channel(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<PersonId>,
    Sent(body): Sent<Value>,
) -> Answer {
    let view = reach::view(&app.db, caller.by(), id).await?;
    if !view.may_write {
        can(&caller.actor, Action::ChannelWrite, Relation::None).map_err(Error::from)?;
    }
    let ChannelNew { kind, address } = read(body)?;
    let number = reach::add(&app.db, caller.by(), id, kind, &address).await?;
    // As it was written, not as it was sent. Whoever may add it may know it.
    let kept = reach::view(&app.db, caller.by(), id).await?.channels.unwrap_or_default();
    let added = kept.into_iter().find(|c| c.id == number);
    ok(Channel::from(added.ok_or_else(|| Error::Conflict("It was removed at the same moment.".into()))?))
}

/// Nothing need be said; an empty object, or no body.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NothingMore {}

/// That it is done.
#[derive(Debug, Serialize, ToSchema)]
struct ChannelRemoved {
    /// When it was removed.
    removed_at: DateTime<Utc>,
}

/// Remove a way to reach a person
///
/// For the person and administrators. From now on it reaches nobody.
#[utoipa::path(
    post,
    path = "/api/v1/people/{id}/channels/{channel}/removal",
    tag = "people",
    params(
        ("id" = inline(words::PersonRef), Path, description = "The person."),
        ("channel" = i64, Path, description = "Its number.")
    ),
    request_body = NothingMore,
    responses((status = 200, description = "Removed.", body = ChannelRemoved))
)]
async fn remove_channel(
    State(app): State<App>,
    caller: ApiActor,
    At((id, channel)): At<(PersonId, i64)>,
    Maybe(body): Maybe,
) -> Answer {
    let NothingMore {} = read(body)?;
    reach::remove(&app.db, caller.by(), id, channel).await?;
    ok(ChannelRemoved { removed_at: caller.now })
}

/// A test that was begun.
#[derive(Debug, Serialize, ToSchema)]
struct TestBegun {
    /// Six digits, to be passed on by the channel and by nothing else; told this once.
    code: String,
    channel: Channel,
    /// Until when the code may be typed, in at most five tries.
    expires_at: DateTime<Utc>,
}

/// Begin the test of a channel
///
/// For colleagues of the same team, security leads and administrators, never for the person. A
/// test begun before is void. A person's own act: a token needs an owner.
#[utoipa::path(
    post,
    path = "/api/v1/people/{id}/channels/{channel}/test",
    tag = "people",
    params(
        ("id" = inline(words::PersonRef), Path, description = "The person."),
        ("channel" = i64, Path, description = "Its number.")
    ),
    request_body = NothingMore,
    responses((status = 200, description = "The code to pass on.", body = TestBegun))
)]
async fn begin_test(
    State(app): State<App>,
    caller: ApiActor,
    At((id, channel)): At<(PersonId, i64)>,
    Maybe(body): Maybe,
) -> Answer {
    let NothingMore {} = read(body)?;
    let begun = reach::begin_test(&app.db, caller.by(), id, channel).await?;
    ok(TestBegun { code: begun.code, channel: begun.channel.into(), expires_at: caller.now + CODE_HOLDS })
}

/// The code that came.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Came {
    /// Six digits; spaces do not count.
    code: String,
}

/// Prove a channel
///
/// The person types the code that came by it: it counts from this moment, for 180 days. A
/// person's own act: a token needs an owner.
#[utoipa::path(
    post,
    path = "/api/v1/people/{id}/channels/{channel}/prove",
    tag = "people",
    params(
        ("id" = inline(words::PersonRef), Path, description = "The person."),
        ("channel" = i64, Path, description = "Its number.")
    ),
    request_body = Came,
    responses((status = 200, description = "It works.", body = Channel))
)]
async fn prove_channel(
    State(app): State<App>,
    caller: ApiActor,
    At((id, channel)): At<(PersonId, i64)>,
    Sent(body): Sent<Value>,
) -> Answer {
    let stands = if caller.actor.person_id() == Some(id) { Relation::Owner } else { Relation::None };
    can(&caller.actor, Action::ChannelProve, stands).map_err(Error::from)?;
    let Came { code } = read(body)?;
    let proved = reach::prove(&app.db, caller.by(), channel, &code).await?;
    ok(Channel::from(proved))
}
