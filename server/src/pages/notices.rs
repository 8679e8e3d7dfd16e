//! `/notices`: one's own; `/account/notices`: what reaches one; `/settings/notices`: how notices
//! leave Muster.

use std::convert::Infallible;
use std::time::Duration;

use app::components::{FieldErrors, Flash, Refused};
use app::notices::{
    ChannelForm, ChannelLine, ChannelsPage, ChoicesForm, ChoicesPage, Chosen, DeadLine, Figures, Fresh, Line, Listed,
    MailShown, NoticesPage, Settings,
};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use domain::can::{Action, Relation, can};
use domain::id::PersonId;
use domain::notice::choice::{clock, minutes, offset, offset_text};
use domain::notice::{Item, NoticeKind, Preferences, letter, message};
use futures_util::stream;
use leptos::prelude::*;
use register::notices::list::{self, Query};
use register::notices::outlets::{self, NewOutlet};
use register::notices::{preferences, queue, written};
use register::{Error, random, sessions};

use super::people::{may, refuse};
use crate::App;
use crate::delivery;
use crate::live::Seat;
use crate::notes::Secret;
use crate::page::{Answer, Fields, Here, Page, local, see_other, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// How often an open page is counted again, whatever was heard: what other processes wrote.
const BEAT: Duration = Duration::from_secs(20);
/// When a page for which there is no place asks again.
const AGAIN: Duration = Duration::from_secs(5);

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/notices", show)
        .post("/notices", mark)
        .get("/notices/stream", stream)
        .get("/account/notices", choices)
        .post("/account/notices", choose)
        .get("/settings/notices", channels)
        .post("/settings/notices", change)
}

async fn show(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let all = here.get("show") == Some("all");
    let query = Query { all, cursor: here.get("cursor").map(str::to_owned), limit: None };
    let page = list::page(&app.db, signed.by(), &query).await?;
    let to = |cursor: Option<String>| cursor.map(|c| here.clone().with("cursor", &c).href());
    let listed = Listed {
        all,
        unread: signed.unread,
        previous: to(page.previous),
        next: to(page.next),
        lines: page.items.into_iter().map(|n| Line { unread: n.read_at.is_none(), item: n.item }).collect(),
        now: signed.now,
    };
    Ok(Page::new(&app, &signed, "Notices").show(move || view! { <NoticesPage listed=listed/> }))
}

async fn mark(State(app): State<App>, signed: Signed, Here(here): Here, fields: Fields) -> Answer {
    let by = signed.by();
    let id = fields.get("notice");
    let back = here.href();
    match fields.get("do") {
        "all" => {
            let count = list::mark_all(&app.db, by, fields.get("up_to")).await?;
            let said = if count == 1 { "1 notice is read.".to_owned() } else { format!("{count} notices are read.") };
            Ok(see_other_saying(&app, back, &Flash::good(said)))
        }
        "open" => {
            let found = list::mark(&app.db, by, id, true).await?;
            Ok(see_other(local(&found.item.link)))
        }
        "unread" => {
            list::mark(&app.db, by, id, false).await?;
            Ok(see_other(back))
        }
        _ => {
            list::mark(&app.db, by, id, true).await?;
            Ok(see_other(back))
        }
    }
}

/// An open page, and what it was told last.
struct Open {
    app: App,
    seat: Option<Seat>,
    person: PersonId,
    session: String,
    heard: tokio::sync::broadcast::Receiver<std::sync::Arc<[Option<PersonId>]>>,
    told: Option<i64>,
}

impl Open {
    /// What to tell next; `None` when there is nothing more to tell.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let beat = match self.told {
                // The first number at once.
                None => true,
                Some(_) if self.seat.is_none() => return None,
                Some(_) => self.wait().await?,
            };
            let now = self.app.clock.now();
            if beat && !sessions::holds(&self.app.db, &self.session, now).await.ok()? {
                return None;
            }
            let unread = list::unread(&self.app.db, self.person).await.ok()?;
            if self.told != Some(unread) {
                self.told = Some(unread);
                let told = Event::default().event("unread").data(unread.to_string());
                return Some(if self.seat.is_none() { told.retry(AGAIN) } else { told });
            }
            if beat {
                return Some(Event::default().comment("still here"));
            }
        }
    }

    /// Waits until something may be new; whether it is only the time. `None` when Muster stops.
    async fn wait(&mut self) -> Option<bool> {
        use tokio::sync::broadcast::error::RecvError;
        let beat = tokio::time::sleep(BEAT);
        tokio::pin!(beat);
        loop {
            tokio::select! {
                () = self.app.live.closed() => return None,
                () = &mut beat => return Some(true),
                heard = self.heard.recv() => match heard {
                    Ok(whom) if whom.contains(&Some(self.person)) => return Some(false),
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return Some(false),
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }
}

/// The number of unread notices, whenever it changes, while the page is open. Where there is no
/// place for one more page, or with `?once=yes`, the present one alone: the page asks again.
async fn stream(State(app): State<App>, signed: Signed, Here(here): Here) -> Response {
    let seat = if here.get("once").is_some() { None } else { app.live.seat(&signed.session) };
    let open =
        Open { seat, person: signed.id, session: signed.session.clone(), heard: written::listen(), told: None, app };
    let events = stream::unfold(open, |mut open| async move {
        let event = open.next().await?;
        Some((Ok::<_, Infallible>(event), open))
    });
    Sse::new(events).into_response()
}

fn form_of(of: &Preferences) -> ChoicesForm {
    ChoicesForm {
        offset: offset_text(of.offset),
        quiet_from: of.quiet.map(|q| clock(q.0)).unwrap_or_default(),
        quiet_until: of.quiet.map(|q| clock(q.1)).unwrap_or_default(),
        digest_at: clock(of.digest_at),
        hows: NoticeKind::ALL.iter().map(|k| (*k, of.how(*k).key().to_owned())).collect(),
    }
}

async fn choices(State(app): State<App>, signed: Signed) -> Answer {
    let mine = preferences::mine(&app.db, signed.by()).await?;
    Ok(choices_page(&app, &signed, Refused::fresh(form_of(&mine)), StatusCode::OK))
}

fn choices_page(app: &App, signed: &Signed, form: Refused<ChoicesForm>, status: StatusCode) -> Response {
    let chosen = Chosen { form, email: signed.email.clone(), mail: app.mailer.is_some() };
    Page::new(app, signed, "What reaches you").status(status).show(move || view! { <ChoicesPage chosen=chosen/> })
}

async fn choose(State(app): State<App>, signed: Signed, fields: Fields) -> Answer {
    let get = |name: &str| fields.get(name).trim().to_owned();
    let form = ChoicesForm {
        offset: get("offset"),
        quiet_from: get("quiet_from"),
        quiet_until: get("quiet_until"),
        digest_at: get("digest_at"),
        hows: NoticeKind::ALL.iter().map(|k| (*k, get(&format!("how-{k}")))).collect(),
    };
    let mut errors = FieldErrors::new();
    let mut given = preferences::mine(&app.db, signed.by()).await?;
    match offset(&form.offset).filter(|_| !form.offset.is_empty()) {
        Some(found) => given.offset = found,
        None => errors.add("offset", "Choose your time zone."),
    }
    match minutes(&form.digest_at) {
        Some(at) => given.digest_at = at,
        None => errors.add("digest_at", "Enter a time of day such as 08:00."),
    }
    let time = |errors: &mut FieldErrors, field: &'static str, text: &str| {
        let found = minutes(text);
        if found.is_none() {
            errors.add(field, "Enter a time of day such as 22:00, or leave both empty.");
        }
        found
    };
    given.quiet = if form.quiet_from.is_empty() && form.quiet_until.is_empty() {
        None
    } else {
        let from = time(&mut errors, "quiet_from", &form.quiet_from);
        from.zip(time(&mut errors, "quiet_until", &form.quiet_until))
    };
    // A kind that the form does not name stays as it is.
    for (kind, how) in &form.hows {
        if let Ok(how) = how.parse() {
            given.choose(*kind, how);
        }
    }
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if errors.is_empty() {
        match preferences::write(&app.db, signed.by(), &given).await {
            Ok(()) => {
                let flash = Flash::good("Saved. It counts for what happens from now on.");
                return Ok(see_other_saying(&app, "/account/notices", &flash));
            }
            Err(error) => status = refuse(error, &mut errors)?,
        }
    }
    Ok(choices_page(&app, &signed, Refused { values: form, errors }, status))
}

async fn channels(State(app): State<App>, signed: Signed) -> Answer {
    let usual = ChannelForm {
        kind: "webhook".into(),
        kinds: [NoticeKind::AgentStopped, NoticeKind::ExceptionExpired].map(|k| k.key().to_owned()).into(),
        ..ChannelForm::default()
    };
    channels_page(&app, &signed, Refused::fresh(usual), StatusCode::OK).await
}

async fn channels_page(app: &App, signed: &Signed, form: Refused<ChannelForm>, status: StatusCode) -> Answer {
    let by = signed.by();
    let fresh = match app.notes.take(&signed.session, |s| matches!(s, Secret::Outlet { .. }), signed.now) {
        Some(Secret::Outlet { name, secret }) => Some(Fresh { name, secret }),
        _ => None,
    };
    let number = |count: i64| u64::try_from(count).unwrap_or(0);
    let figures = queue::figures(&app.db, by).await?;
    let dead = queue::dead(&app.db, by).await?.map(|list| {
        list.into_iter()
            .map(|d| DeadLine {
                delivery: d.delivery,
                person: d.person,
                channel: d.outlet,
                notices: d.notices,
                what: d.what,
                attempts: d.attempts,
                error: d.error,
                ended_at: d.ended_at,
            })
            .collect()
    });
    let channels = outlets::list(&app.db, by).await?;
    let shown = Settings {
        mail: app.mailer.as_ref().map(|m| MailShown { server: m.told().to_owned(), from: m.from() }),
        channels: channels
            .into_iter()
            .map(|o| ChannelLine { host: o.host().to_owned(), id: o.id, kind: o.kind, name: o.name, kinds: o.kinds })
            .collect(),
        figures: Figures {
            waiting: number(figures.waiting),
            failing: number(figures.failing),
            sent: number(figures.sent),
            dead: number(figures.dead),
            counted: number(queue::COUNTED),
        },
        dead,
        may_write: may(&signed.actor, Action::SettingsWrite),
        fresh,
        form,
        email: signed.email.clone(),
        now: signed.now,
    };
    Ok(Page::new(app, signed, "Notices").status(status).show(move || view! { <ChannelsPage shown=shown/> }))
}

/// What a test says.
fn sample(now: chrono::DateTime<chrono::Utc>, who: &str) -> Item {
    Item {
        id: random::uuid_v7(now, 0),
        kind: NoticeKind::Report,
        critical: false,
        subject: String::new(),
        what: format!("{who} tests whether notices of Muster arrive here."),
        why: String::new(),
        todo: "Nothing is to be done.".into(),
        link: "/settings/notices".into(),
        at: now,
    }
}

async fn change(State(app): State<App>, signed: Signed, fields: Fields) -> Answer {
    can(&signed.actor, Action::SettingsWrite, Relation::None).map_err(Error::from)?;
    let by = signed.by();
    let here = "/settings/notices";
    let number = || fields.get("channel").parse::<i64>().unwrap_or(0);
    let (to, flash) = match fields.get("do") {
        "add" => return add(&app, &signed, &fields).await,
        "remove" => {
            let gone = outlets::remove(&app.db, by, number()).await?;
            ("#channels", Flash::good(format!("{} is removed.", gone.name)))
        }
        "test" => {
            let (outlet, secret) = outlets::to_test(&app.db, by, number()).await?;
            let item = sample(signed.now, &signed.name);
            let id = random::uuid_v7(signed.now, 1);
            let base = app.config.base_url.to_string();
            let body = message::body(outlet.kind, &id, &item, &base).to_string().into_bytes();
            let flash = match delivery::call(&app, &outlet.url, &id, secret.as_deref(), body).await {
                Ok(()) => Flash::good(format!("{} took the test.", outlet.name)),
                Err(why) => Flash::bad(format!("{} did not take the test: {why}.", outlet.name)),
            };
            ("#channels", flash)
        }
        "test-mail" => {
            let Some(mailer) = &app.mailer else {
                return Err(Error::Conflict("No mail server is set up.".into()).into());
            };
            let base = app.config.base_url.to_string();
            let letter = letter::letter(&[sample(signed.now, &signed.name)], &signed.name, &base);
            let id = random::uuid_v7(signed.now, 1);
            let flash = match mailer.send(&id, (&signed.name, &signed.email), letter, signed.now).await {
                Ok(()) => {
                    Flash::good(format!("The mail server took a message to {}. Look whether it arrives.", signed.email))
                }
                Err(why) => Flash::bad(format!("The mail server did not take the message: {why}.")),
            };
            ("#mail", flash)
        }
        "resend" => {
            queue::resend(&app.db, by, Some(fields.get("delivery"))).await?;
            ("#given-up", Flash::good("It is sent again."))
        }
        "resend-all" => {
            let count = queue::resend(&app.db, by, None).await?;
            ("#given-up", Flash::good(format!("{count} messages are sent again.")))
        }
        _ => return Err(Error::Conflict("That button is not on this page any more.".into()).into()),
    };
    Ok(see_other_saying(&app, format!("{here}{to}"), &flash))
}

async fn add(app: &App, signed: &Signed, fields: &Fields) -> Answer {
    let form = ChannelForm {
        kind: fields.get("kind").to_owned(),
        name: fields.get("name").to_owned(),
        url: fields.get("url").to_owned(),
        kinds: fields.all("kinds").map(str::to_owned).collect(),
    };
    let mut errors = FieldErrors::new();
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if let Ok(kind) = form.kind.parse() {
        let new = NewOutlet {
            kind,
            name: form.name.clone(),
            url: form.url.clone(),
            kinds: form.kinds.iter().filter_map(|k| k.parse().ok()).collect(),
            plain: app.config.allow_private_targets,
        };
        match outlets::add(&app.db, signed.by(), &new).await {
            Ok((_, secret)) => {
                let name = form.name.trim().to_owned();
                let Some(secret) = secret else {
                    let flash = Flash::good(format!("{name} is added. Send it a test."));
                    return Ok(see_other_saying(app, "/settings/notices#channels", &flash));
                };
                app.notes.keep(&signed.session, Secret::Outlet { name, secret }, signed.now);
                return Ok(see_other("/settings/notices#channels"));
            }
            Err(error) => status = refuse(error, &mut errors)?,
        }
    } else {
        errors.add("kind", "Choose what it speaks.");
    }
    channels_page(app, signed, Refused { values: form, errors }, status).await
}
