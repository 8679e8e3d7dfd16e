//! `/notices`: one's own notices, what reaches one, and the channels of the organisation.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse as _;
use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::notice::choice::{clock, minutes, offset, offset_text};
use domain::notice::{How, NoticeKind, OutletKind, Preferences};
use register::Error;
use register::notices::list::{self, Query};
use register::notices::outlets::{self, NewOutlet};
use register::notices::{preferences, queue};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, ok};
use super::asked::{Asked, Listed, Paging, truth};
use super::sent::{At, Maybe, read};
use crate::App;
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(list_notices))
        .routes(routes!(read_all_notices))
        .routes(routes!(read_notice))
        .routes(routes!(show_notice_preferences, set_notice_preferences))
        .routes(routes!(list_notice_channels, add_notice_channel))
        .routes(routes!(remove_notice_channel))
        .routes(routes!(show_notice_queue))
        .routes(routes!(resend_notices))
}

/// Nothing is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// What somebody is told.
#[derive(Debug, Serialize, ToSchema)]
struct Notice {
    /// Its id.
    id: String,
    /// What it is about, a word such as `decision-waits`.
    #[schema(value_type = String)]
    kind: NoticeKind,
    /// It cannot wait.
    critical: bool,
    /// The reference that it is about; may be empty.
    subject: String,
    /// What happened.
    what: String,
    /// Why the reader is told.
    why: String,
    /// What to do; may be empty.
    todo: String,
    /// The page where it is done, from the root.
    link: String,
    /// When it happened.
    at: DateTime<Utc>,
    /// When it was read.
    #[schema(required)]
    read_at: Option<DateTime<Utc>>,
}

impl From<list::Noticed> for Notice {
    fn from(n: list::Noticed) -> Self {
        let i = n.item;
        Self {
            id: i.id,
            kind: i.kind,
            critical: i.critical,
            subject: i.subject,
            what: i.what,
            why: i.why,
            todo: i.todo,
            link: i.link,
            at: i.at,
            read_at: n.read_at,
        }
    }
}

/// Which notices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NoticeFilter {
    /// `true`: only those that were not read.
    #[serde(default, deserialize_with = "truth")]
    unread: Option<bool>,
}

/// List one's notices
///
/// The caller's own, newest first. A token needs an owner.
#[utoipa::path(
    get,
    path = "/api/v1/notices",
    tag = "notices",
    params(NoticeFilter, Paging),
    responses((status = 200, description = "A page of notices.", body = List<Notice>))
)]
async fn list_notices(State(app): State<App>, caller: ApiActor, asked: Listed<NoticeFilter>) -> Answer {
    asked.page.unsorted()?;
    let query = Query {
        all: !asked.filter.unread.unwrap_or(false),
        limit: Some(asked.page.limit()?),
        cursor: asked.page.cursor,
    };
    let page = list::page(&app.db, caller.by(), &query).await?;
    ok(List::from(page.map(Notice::from)))
}

/// Whether it is read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoticeRead {
    /// `false` makes it unread again.
    #[serde(default = "yes")]
    read: bool,
}

const fn yes() -> bool {
    true
}

/// Mark a notice as read
///
/// Or as unread again. The caller's own.
#[utoipa::path(
    post,
    path = "/api/v1/notices/{id}/read",
    tag = "notices",
    params(("id" = String, Path, description = "Its id.")),
    request_body = NoticeRead,
    responses((status = 200, description = "Marked.", body = Notice))
)]
async fn read_notice(State(app): State<App>, caller: ApiActor, At(id): At<String>, Maybe(body): Maybe) -> Answer {
    can(&caller.actor, Action::NoticeSet, Relation::Owner).map_err(Error::from)?;
    let NoticeRead { read: as_read } = read(body)?;
    ok(Notice::from(list::mark(&app.db, caller.by(), &id, as_read).await?))
}

/// Up to where.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoticesRead {
    /// The newest notice that was seen: what came after it stays unread.
    up_to: String,
}

/// How many.
#[derive(Debug, Serialize, ToSchema)]
struct NoticesMarked {
    /// How many were marked.
    marked: u64,
}

/// Mark notices as read
///
/// Every one of the caller's own up to the newest that they saw.
#[utoipa::path(
    post,
    path = "/api/v1/notices/read",
    tag = "notices",
    request_body = NoticesRead,
    responses((status = 200, description = "Marked.", body = NoticesMarked))
)]
async fn read_all_notices(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    can(&caller.actor, Action::NoticeSet, Relation::Owner).map_err(Error::from)?;
    let NoticesRead { up_to } = read(body)?;
    ok(NoticesMarked { marked: list::mark_all(&app.db, caller.by(), &up_to).await? })
}

/// From when until when nothing but what is critical is sent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QuietHours {
    /// A time of the person's day such as `22:00`.
    from: String,
    /// A time of the person's day such as `07:00`; before `from` it is of the next day.
    until: String,
}

/// What reaches a person by e-mail, and when.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoticePreferences {
    /// How far their clock is from UTC, such as `+01:00`.
    time_zone: String,
    /// When they are left alone.
    #[serde(default)]
    #[schema(required)]
    quiet_hours: Option<QuietHours>,
    /// When the daily digest comes, such as `08:00`.
    digest_at: String,
    /// By kind: `at-once`, `digest` or `in-app`. What is left out is as usual.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    kinds: BTreeMap<String, String>,
}

impl From<Preferences> for NoticePreferences {
    fn from(p: Preferences) -> Self {
        Self {
            time_zone: offset_text(p.offset),
            quiet_hours: p.quiet.map(|(from, until)| QuietHours { from: clock(from), until: clock(until) }),
            digest_at: clock(p.digest_at),
            kinds: NoticeKind::ALL.iter().map(|k| (k.key().to_owned(), p.how(*k).key().to_owned())).collect(),
        }
    }
}

/// Read what reaches one
///
/// The caller's own choice. A token needs an owner.
#[utoipa::path(
    get,
    path = "/api/v1/notice-preferences",
    tag = "notices",
    responses((status = 200, description = "The choice.", body = NoticePreferences))
)]
async fn show_notice_preferences(State(app): State<App>, caller: ApiActor, _: Asked<Nothing>) -> Answer {
    ok(NoticePreferences::from(preferences::mine(&app.db, caller.by()).await?))
}

/// Choose what reaches one
///
/// Replaces the caller's own choice. A notice can be muted; what waits for a decision stays in
/// its queue.
#[utoipa::path(
    post,
    path = "/api/v1/notice-preferences",
    tag = "notices",
    request_body = NoticePreferences,
    responses((status = 200, description = "Kept.", body = NoticePreferences))
)]
async fn set_notice_preferences(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    can(&caller.actor, Action::NoticeSet, Relation::Owner).map_err(Error::from)?;
    let given: NoticePreferences = read(body)?;
    let mut wrong = register::Checked::default();
    let mut of = Preferences::default();
    let mut time = |pointer: &str, text: &str| {
        minutes(text).unwrap_or_else(|| {
            wrong.refuse(pointer, "Enter a time of day such as 08:00.");
            0
        })
    };
    of.digest_at = time("/digest_at", &given.digest_at);
    of.quiet =
        given.quiet_hours.as_ref().map(|q| (time("/quiet_hours/from", &q.from), time("/quiet_hours/until", &q.until)));
    match offset(&given.time_zone) {
        Some(found) => of.offset = found,
        None => wrong.refuse("/time_zone", "Enter how far the clock is from UTC, such as +01:00."),
    }
    for (kind, how) in &given.kinds {
        match (kind.parse::<NoticeKind>(), how.parse::<How>()) {
            (Ok(kind), Ok(how)) => of.choose(kind, how),
            (Err(_), _) => {
                wrong.refuse(&format!("/kinds/{kind}"), format!("The kinds are {}.", NoticeKind::keys()));
            }
            (_, Err(_)) => wrong.refuse(&format!("/kinds/{kind}"), format!("Choose one of {}.", How::keys())),
        }
    }
    wrong.done()?;
    preferences::write(&app.db, caller.by(), &of).await.map_err(|error| match error {
        Error::Invalid(mut wrong) => {
            for w in &mut wrong {
                w.pointer = w.pointer.replace("/quiet_", "/quiet_hours/");
            }
            Error::Invalid(wrong)
        }
        other => other,
    })?;
    ok(NoticePreferences::from(of))
}

/// A channel of the organisation.
#[derive(Debug, Serialize, ToSchema)]
struct NoticeChannel {
    /// Its number.
    id: i64,
    /// `webhook`, `slack` or `teams`.
    #[schema(value_type = String)]
    kind: OutletKind,
    /// What it is called.
    name: String,
    /// The host it leads to; the whole address is a secret.
    host: String,
    /// The kinds of notices that go there.
    #[schema(value_type = Vec<String>)]
    kinds: Vec<NoticeKind>,
    /// The secret of a signed webhook: only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl From<outlets::Outlet> for NoticeChannel {
    fn from(o: outlets::Outlet) -> Self {
        Self { host: o.host().to_owned(), id: o.id, kind: o.kind, name: o.name, kinds: o.kinds, secret: None }
    }
}

/// List channels
///
/// Where the organisation is told, beside each person.
#[utoipa::path(
    get,
    path = "/api/v1/notice-channels",
    tag = "notices",
    responses((status = 200, description = "Channels.", body = List<NoticeChannel>))
)]
async fn list_notice_channels(State(app): State<App>, caller: ApiActor, _: Asked<Nothing>) -> Answer {
    let found = outlets::list(&app.db, caller.by()).await?;
    ok(List::whole(found.into_iter().map(NoticeChannel::from).collect()))
}

/// A channel to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "slack", "name": "#agents", "url": "https://chat.example.org/hooks/T0/B0/x", "kinds": ["agent-stopped"]
}))]
struct NoticeChannelNew {
    /// `webhook`, `slack` or `teams`.
    #[schema(value_type = String)]
    kind: OutletKind,
    /// What it is called.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Its address.
    #[schema(max_length = 1000)]
    url: String,
    /// The kinds of notices that go there.
    #[schema(value_type = Vec<String>)]
    kinds: Vec<NoticeKind>,
}

/// Add a channel
///
/// The secret of a signed webhook is in the answer, and nowhere later. Private addresses are
/// refused unless the operator allows them.
#[utoipa::path(
    post,
    path = "/api/v1/notice-channels",
    tag = "notices",
    request_body = NoticeChannelNew,
    responses((status = 201, description = "Added.", body = NoticeChannel))
)]
async fn add_notice_channel(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    can(&caller.actor, Action::SettingsWrite, Relation::None).map_err(Error::from)?;
    let new: NoticeChannelNew = read(body)?;
    let new = NewOutlet {
        kind: new.kind,
        name: new.name,
        url: new.url,
        kinds: new.kinds,
        plain: app.config.allow_private_targets,
    };
    let (id, secret) = outlets::add(&app.db, caller.by(), &new).await?;
    let found = outlets::list(&app.db, caller.by()).await?.into_iter().find(|o| o.id == id);
    let made = found.map(NoticeChannel::from).ok_or_else(Problem::not_found)?;
    let mut response = Sent(NoticeChannel { secret, ..made }).into_response();
    *response.status_mut() = StatusCode::CREATED;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/api/v1/notice-channels"));
    Ok(response)
}

/// Nothing more is said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoticeChannelGone {}

/// Remove a channel
///
/// Nothing goes there any more, and what is on its way is given up.
#[utoipa::path(
    post,
    path = "/api/v1/notice-channels/{id}/remove",
    tag = "notices",
    params(("id" = i64, Path, description = "Its number.")),
    request_body = NoticeChannelGone,
    responses((status = 200, description = "Removed.", body = NoticeChannel))
)]
async fn remove_notice_channel(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<i64>,
    Maybe(body): Maybe,
) -> Answer {
    can(&caller.actor, Action::SettingsWrite, Relation::None).map_err(Error::from)?;
    let NoticeChannelGone {} = read(body)?;
    ok(NoticeChannel::from(outlets::remove(&app.db, caller.by(), id).await?))
}

/// A message that was given up.
#[derive(Debug, Serialize, ToSchema)]
struct DeadMessage {
    /// Its id: the same however often it is sent.
    delivery: String,
    /// To whom, a person's reference or the name of a channel.
    to: String,
    /// How many notices it carries.
    notices: i64,
    /// What the first says.
    what: String,
    /// How often it was tried.
    attempts: i64,
    /// What went wrong last.
    error: String,
    /// When it was given up.
    at: DateTime<Utc>,
}

/// What waits, what went, what was given up; each number stops at 10000.
#[derive(Debug, Serialize, ToSchema)]
struct NoticeQueue {
    /// Messages that wait, digests among them.
    waiting: i64,
    /// Those that failed and are tried again.
    failing: i64,
    /// Those sent within 24 hours.
    sent: i64,
    /// Those given up.
    dead: i64,
    /// The newest of these, for administrators and who reads the record; empty for others.
    dead_messages: Vec<DeadMessage>,
}

/// Read the queue
#[utoipa::path(
    get,
    path = "/api/v1/notice-queue",
    tag = "notices",
    responses((status = 200, description = "The queue.", body = NoticeQueue))
)]
async fn show_notice_queue(State(app): State<App>, caller: ApiActor, _: Asked<Nothing>) -> Answer {
    let f = queue::figures(&app.db, caller.by()).await?;
    let dead = queue::dead(&app.db, caller.by()).await?.unwrap_or_default();
    let dead_messages = dead
        .into_iter()
        .map(|d| DeadMessage {
            to: d.person.map(|p| p.0.to_string()).or(d.outlet).unwrap_or_default(),
            delivery: d.delivery,
            notices: d.notices,
            what: d.what,
            attempts: d.attempts,
            error: d.error,
            at: d.ended_at,
        })
        .collect();
    ok(NoticeQueue { waiting: f.waiting, failing: f.failing, sent: f.sent, dead: f.dead, dead_messages })
}

/// Which messages.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoticeResend {
    /// One that was given up; every one if left out.
    #[serde(default)]
    delivery: Option<String>,
}

/// Send again
///
/// What was given up is tried again, under the same delivery.
#[utoipa::path(
    post,
    path = "/api/v1/notice-queue/resend",
    tag = "notices",
    request_body = NoticeResend,
    responses((status = 200, description = "They wait again.", body = NoticesMarked))
)]
async fn resend_notices(State(app): State<App>, caller: ApiActor, Maybe(body): Maybe) -> Answer {
    can(&caller.actor, Action::SettingsWrite, Relation::None).map_err(Error::from)?;
    let NoticeResend { delivery } = read(body)?;
    ok(NoticesMarked { marked: queue::resend(&app.db, caller.by(), delivery.as_deref()).await? })
}
