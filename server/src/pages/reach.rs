//! `/people/PE-5/reach`: by what somebody is reached, the tests of that, and when they are away.

use app::components::{FieldErrors, Flash, Refused};
use app::reach::{Channel, Code, ReachForm, ReachPage, Shown, Test};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::can::{Action, Relation, can};
use domain::id::PersonId;
use domain::reach::ChannelKind;
use leptos::prelude::*;
use register::{Error, reach};

use super::oncall::when;
use super::people::refuse;
use crate::App;
use crate::notes::Secret;
use crate::page::{Answer, Fields, Page, see_other, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

pub(super) fn routes() -> Routes {
    Routes::page().get("/people/{id}/reach", show).post("/people/{id}/reach", change)
}

pub(super) fn test(t: reach::Test) -> Test {
    Test { channel: t.channel, kind: t.kind, begun_by: t.begun_by, begun_at: t.begun_at }
}

async fn show(State(app): State<App>, signed: Signed, Path(id): Path<PersonId>) -> Answer {
    page(&app, &signed, id, Refused::default(), StatusCode::OK).await
}

async fn page(app: &App, signed: &Signed, id: PersonId, form: Refused<ReachForm>, status: StatusCode) -> Answer {
    let view = reach::view(&app.db, signed.by(), id).await?;
    let theirs = |s: &Secret| matches!(s, Secret::Code { person, .. } if *person == id);
    let fresh = match app.notes.take(&signed.session, theirs, signed.now) {
        Some(Secret::Code { code, kind, address, .. }) => Some(Code { code, kind, address }),
        _ => None,
    };
    let title =
        if signed.id == id { "How you are reached".to_owned() } else { format!("How {} is reached", view.person.name) };
    let channel = |c: reach::Channel| Channel { id: c.id, kind: c.kind, address: c.address, tested_at: c.tested_at };
    let shown = Shown {
        id,
        name: view.person.name,
        channels: view.channels.map(|list| list.into_iter().map(channel).collect()),
        tests: view.tests.into_iter().map(test).collect(),
        absences: view.absences.into_iter().map(|a| (a.id, a.span)).collect(),
        not: view.unreached,
        fresh,
        is_me: signed.id == id,
        may_write: view.may_write,
        may_test: view.may_test,
        may_away: view.may_away,
        form,
        now: signed.now,
    };
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <ReachPage shown=shown/> }))
}

async fn change(State(app): State<App>, signed: Signed, Path(id): Path<PersonId>, fields: Fields) -> Answer {
    let by = signed.by();
    let view = reach::view(&app.db, by, id).await?;
    let get = |name: &str| fields.get(name).to_owned();
    let form = ReachForm {
        what: get("do"),
        kind: get("kind"),
        address: get("address"),
        from: get("from"),
        until: get("until"),
    };
    let (may, action) = match form.what.as_str() {
        "away" | "back" => (view.may_away, Action::AbsenceWrite),
        // That it is oneself is told by the use case, with what to do instead.
        "test" => (view.may_test || signed.id == id, Action::ChannelTest),
        "code" => (signed.id == id, Action::ChannelProve),
        _ => (view.may_write, Action::ChannelWrite),
    };
    if !may {
        can(&signed.actor, action, Relation::None).map_err(Error::from)?;
    }
    let code = format!("code-{}", fields.get("channel"));
    let number = |name: &str| fields.get(name).parse::<i64>().unwrap_or(0);
    let path = format!("/people/{id}/reach");
    let mut errors = FieldErrors::new();
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let done = match form.what.as_str() {
        "channel" => {
            let Ok(kind) = form.kind.parse::<ChannelKind>() else {
                errors.add("kind", "Choose phone, chat, e-mail or pager.");
                return page(&app, &signed, id, Refused { values: form, errors }, unprocessable).await;
            };
            let added = reach::add(&app.db, by, id, kind, &form.address).await;
            added.map(|_| "Recorded. It counts once a colleague has tested it.".to_owned())
        }
        "remove" => {
            reach::remove(&app.db, by, id, number("channel")).await.map(|()| "The channel is removed.".to_owned())
        }
        "test" => match reach::begin_test(&app.db, by, id, number("channel")).await {
            Ok(begun) => {
                let (kind, address) = (begun.channel.kind, begun.channel.address);
                app.notes.keep(&signed.session, Secret::Code { person: id, code: begun.code, kind, address }, by.now);
                return Ok(see_other(path));
            }
            Err(error) => Err(error),
        },
        "code" => reach::prove(&app.db, by, number("channel"), fields.get(&code))
            .await
            .map(|channel| format!("It works: {} {} is tested.", channel.kind.label().to_lowercase(), channel.address)),
        "away" => {
            let from = when(&form.from, "from", &mut errors).unwrap_or(by.now);
            let until = when(&form.until, "until", &mut errors);
            if form.until.trim().is_empty() {
                errors.add("until", "Enter until when, in UTC.");
            }
            let (Some(until), true) = (until, errors.is_empty()) else {
                return page(&app, &signed, id, Refused { values: form, errors }, unprocessable).await;
            };
            let added = reach::absences::add(&app.db, by, id, from, until).await;
            added.map(|_| {
                if signed.id == id {
                    "Recorded. You are not asked to be on call then."
                } else {
                    "Recorded. They are not asked to be on call then."
                }
                .to_owned()
            })
        }
        "back" => reach::absences::end(&app.db, by, id, number("absence"), "")
            .await
            .map(|()| "The absence has ended.".to_owned()),
        _ => Err(Error::Conflict("That button is not on this page any more.".into())),
    };
    match done {
        Ok(said) => Ok(see_other_saying(&app, path, &Flash::good(said))),
        Err(mut error) => {
            if let Error::Invalid(wrong) = &mut error {
                for w in wrong.iter_mut().filter(|w| w.pointer == "/code") {
                    w.pointer = format!("/{code}");
                }
            }
            let status = refuse(error, &mut errors)?;
            page(&app, &signed, id, Refused { values: form, errors }, status).await
        }
    }
}
