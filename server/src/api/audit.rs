//! `/audit`: the record.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use domain::record;
use futures_util::stream;
use register::audit;
use register::paging::Cursor;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, ok};
use super::asked::{Asked, Listed, Paging, moment, whole};
use super::words;
use crate::App;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_events)).routes(routes!(export_events))
}

/// An event of the record. `hash` is the SHA-256 of the RFC 8785 canonical JSON of the other
/// members; `prev` is the hash of the event before it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Event {
    /// Its position, from 1, without gaps.
    seq: i64,
    /// Its id.
    id: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Who.
    #[schema(value_type = words::ActorRef)]
    actor: String,
    /// In which capacity: a role, a duty, `owner`.
    capacity: String,
    /// What: a noun and a past participle, for instance `agent.created`.
    action: String,
    /// On what: a reference.
    subject: String,
    /// What changed, as it was; null when it is new.
    before: Value,
    /// What changed, as it is, and under `rows` the digest of each row written.
    after: Value,
    /// Why; may be empty.
    reason: String,
    /// The hash of the event before it.
    #[schema(value_type = words::Sha256)]
    prev: String,
    /// The hash of this one.
    #[schema(value_type = words::Sha256)]
    hash: String,
}

impl From<record::Event> for Event {
    fn from(e: record::Event) -> Self {
        Self {
            seq: e.seq,
            id: e.id,
            at: e.at,
            actor: e.actor,
            capacity: e.capacity,
            action: e.action,
            subject: e.subject,
            before: e.before,
            after: e.after,
            reason: e.reason,
            prev: e.prev,
            hash: e.hash,
        }
    }
}

/// Which events; every filter narrows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// By whom: `PE-7`, `TK-1`, `cli`, `muster`.
    #[serde(default)]
    actor: String,
    /// What, or how it begins: `agent.` is everything that is done to agents.
    #[serde(default)]
    action: String,
    /// On what: a reference.
    #[serde(default)]
    subject: String,
    /// Not before this moment.
    #[serde(default, deserialize_with = "moment")]
    #[param(value_type = Option<DateTime<Utc>>)]
    from: Option<DateTime<Utc>>,
    /// Before this moment.
    #[serde(default, deserialize_with = "moment")]
    #[param(value_type = Option<DateTime<Utc>>)]
    until: Option<DateTime<Utc>>,
}

/// List events of the record
///
/// Sorts: `-seq` (the default, newest first), `seq`.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    tag = "audit",
    params(Filter, Paging),
    responses((status = 200, description = "A page of events.", body = List<Event>))
)]
async fn list_events(State(app): State<App>, caller: ApiActor, asked: Listed<Filter>) -> Answer {
    let Filter { actor, action, subject, from, until } = asked.filter;
    let filter = audit::Filter { actor, action, subject, from, until, ..audit::Filter::default() };
    let upwards = match asked.page.sort.as_deref() {
        None | Some("-seq") => false,
        Some("seq") => true,
        Some(_) => return Err(Problem::field("/sort", "The record is sorted by seq or -seq.")),
    };
    // The record's pages run from the newest; upwards, each is the one before the last.
    let first = upwards.then(|| Cursor { s: "-seq".into(), k: String::new(), i: 0, b: true }.encode());
    let cursor = asked.page.cursor.clone().or(first);
    if let Some(cursor) = &cursor
        && Cursor::decode(cursor, "-seq")?.b != upwards
    {
        return Err(Problem::field("/cursor", "The cursor belongs to the other order; begin again without it."));
    }
    let mut page = audit::list(&app.db, caller.by(), &filter, cursor.as_deref(), asked.page.limit()?).await?;
    if upwards {
        page.items.reverse();
        page.next = page.previous.take();
    }
    ok(List::from(page.map(Event::from)))
}

/// From where.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct After {
    /// Only events after this position.
    #[serde(default, deserialize_with = "whole")]
    #[param(value_type = Option<i64>, minimum = 0, default = 0)]
    after: Option<i64>,
}

/// Export the record
///
/// JSON Lines, an event a line, in order, as far as the record reaches now; `muster audit
/// verify --file` checks it without Muster's database. `Muster-Audit-Head` is `SEQ:HASH` of
/// the record when the export began: keep it elsewhere, and a record cut off later is found.
#[utoipa::path(
    get,
    path = "/api/v1/audit/export",
    tag = "audit",
    params(After),
    responses((
        status = 200, description = "The events.", body = String, content_type = "application/jsonl",
        headers(("Muster-Audit-Head" = String, description = "`SEQ:HASH` of the last event."))
    ))
)]
async fn export_events(State(app): State<App>, caller: ApiActor, Asked(asked): Asked<After>) -> Answer {
    let head = audit::head(&app.db, caller.by()).await?;
    let export = audit::export(&app.db, caller.by(), asked.after.unwrap_or(0)).await?;
    let pieces = stream::try_unfold(export, |mut export| async move {
        match export.lines().await {
            Ok(lines) => Ok(lines.map(|lines| (Bytes::from(lines), export))),
            Err(error) => {
                // The answer ends short, which the reader's own check of the chain shows.
                tracing::error!(%error, "an export of the record broke off");
                Err(std::io::Error::other("the export broke off"))
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl".to_owned()),
        (header::HeaderName::from_static("muster-audit-head"), head.to_string()),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}
