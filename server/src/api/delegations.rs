//! Who decides in whose place.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::id::PersonId;
use register::{Error, delegations};
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
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_delegations, add_delegation)).routes(routes!(end_delegation))
}

/// Nothing is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Somebody decides in somebody's place.
#[derive(Debug, Serialize, ToSchema)]
struct Delegation {
    /// Its number.
    id: i64,
    /// Whose decisions they are; they stay accountable.
    #[schema(value_type = words::PersonRef)]
    from: PersonId,
    /// Who takes them.
    #[schema(value_type = words::PersonRef)]
    to: PersonId,
    /// From when.
    from_at: DateTime<Utc>,
    /// Until when.
    until_at: DateTime<Utc>,
    /// Why.
    reason: String,
    /// When it was ended before its time.
    #[schema(required)]
    ended_at: Option<DateTime<Utc>>,
}

impl From<delegations::Delegation> for Delegation {
    fn from(d: delegations::Delegation) -> Self {
        Self {
            id: d.id,
            from: d.from,
            to: d.to,
            from_at: d.from_at,
            until_at: d.until_at,
            reason: d.reason,
            ended_at: d.ended_at,
        }
    }
}

/// The caller, who is a person and does not only read.
fn oneself(caller: &ApiActor) -> Result<PersonId, Problem> {
    can(&caller.actor, Action::DelegationWrite, Relation::Owner).map_err(Error::from)?;
    caller.actor.person_id().ok_or_else(|| Error::Conflict("Only a person delegates.".into()).into())
}

/// List one's delegations
///
/// What the caller gave and what they were given, as far as it holds or will. A person's own: a
/// token needs an owner.
#[utoipa::path(
    get,
    path = "/api/v1/delegations",
    tag = "policy",
    responses((status = 200, description = "Delegations.", body = List<Delegation>))
)]
async fn list_delegations(State(app): State<App>, caller: ApiActor, _: Asked<Nothing>) -> Answer {
    let me = oneself(&caller)?;
    let found = delegations::of(&app.db, caller.by(), me).await?.unwrap_or_default();
    ok(List::whole(found.given.into_iter().chain(found.received).map(Delegation::from).collect()))
}

/// Who is to decide, from when until when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DelegationNew {
    /// Who takes the caller's decisions.
    #[schema(value_type = words::PersonRef)]
    to: PersonId,
    /// From when; what has passed counts from now. Now if left out.
    #[serde(default)]
    from_at: Option<DateTime<Utc>>,
    /// Until when, at most 90 days later.
    until_at: DateTime<Utc>,
    /// Why.
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

/// Delegate
///
/// Somebody takes the caller's decisions for a while. It is not passed on, and never covers what
/// they asked for themselves. A person's own decision: a token needs an owner.
#[utoipa::path(
    post,
    path = "/api/v1/delegations",
    tag = "policy",
    request_body = DelegationNew,
    responses((status = 200, description = "Recorded.", body = Delegation))
)]
async fn add_delegation(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    let me = oneself(&caller)?;
    let new: DelegationNew = read(body)?;
    let from_at = new.from_at.unwrap_or(caller.now).max(caller.now);
    let done = delegations::create(&app.db, caller.by(), new.to, from_at, new.until_at, &new.reason).await;
    let id = done.map_err(|error| match error {
        // The register knows the fields of the form.
        Error::Invalid(mut wrong) => {
            for w in &mut wrong {
                if matches!(w.pointer.as_str(), "/from" | "/until") {
                    w.pointer.push_str("_at");
                }
            }
            Error::Invalid(wrong)
        }
        other => other,
    })?;
    let reason = new.reason.trim().to_owned();
    ok(Delegation { id, from: me, to: new.to, from_at, until_at: new.until_at, reason, ended_at: None })
}

/// Why it ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DelegationEnd {
    /// Why, for the record.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: String,
}

/// End a delegation
///
/// Whoever gave it takes it back, whoever has it gives it back.
#[utoipa::path(
    post,
    path = "/api/v1/delegations/{id}/end",
    tag = "policy",
    params(("id" = i64, Path, description = "Its number.")),
    request_body = DelegationEnd,
    responses((status = 200, description = "Ended.", body = Delegation))
)]
async fn end_delegation(State(app): State<App>, caller: ApiActor, At(id): At<i64>, Maybe(body): Maybe) -> Answer {
    oneself(&caller)?;
    let DelegationEnd { reason } = read(body)?;
    ok(Delegation::from(delegations::end(&app.db, caller.by(), id, &reason).await?))
}
