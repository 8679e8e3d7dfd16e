//! `/calendar/SECRET.ics`: what is due for somebody, for whoever has the secret; and the form
//! that makes and ends it.

use app::components::Flash;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use domain::calendar::{Entry, written};
use register::{Error, calendar};

use crate::App;
use crate::notes::Secret;
use crate::page::{Answer, Fault, Fields, see_other, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// Where the form is.
const FORM: &str = "/account#calendar";

pub(super) fn routes() -> Routes {
    Routes::public()
        .get("/calendar/{file}", feed)
        .and(Routes::page().get("/account/calendar", to_account).post("/account/calendar", change))
}

/// The address of a calendar.
pub(super) fn address(app: &App, secret: &str) -> String {
    format!("{}/calendar/{secret}.ics", app.config.base_url.origin())
}

async fn feed(State(app): State<App>, Path(file): Path<String>) -> Answer {
    let now = app.clock.now();
    let Some(secret) = file.strip_suffix(".ics") else { return Err(Fault::not_found()) };
    let Some(feed) = calendar::feed(&app.db, secret, now).await? else { return Err(Fault::not_found()) };
    let origin = app.config.base_url.origin();
    let entries: Vec<Entry> = feed
        .due
        .into_iter()
        .map(|d| Entry {
            uid: d.uid,
            at: d.at,
            title: d.title,
            about: String::new(),
            link: format!("{origin}{}", d.link),
        })
        .collect();
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "inline; filename=\"muster.ics\""),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    Ok((headers, written(&format!("Muster: due for {}", feed.name), &entries, now)).into_response())
}

/// Where the form posts is no page of its own.
async fn to_account(_: Signed) -> Answer {
    Ok(see_other(FORM))
}

async fn change(State(app): State<App>, signed: Signed, fields: Fields) -> Answer {
    let done = match fields.get("do") {
        "make" => {
            let secret = calendar::make(&app.db, signed.by()).await.map_err(|e| Fault::from(e).back(FORM))?;
            let url = address(&app, &secret);
            app.notes.keep(&signed.session, Secret::Calendar { person: signed.id, url }, signed.now);
            return Ok(see_other(FORM));
        }
        "revoke" => calendar::revoke(&app.db, signed.by()).await,
        _ => Err(Error::Conflict("That button is not on this page any more.".into())),
    };
    done.map_err(|e| Fault::from(e).back(FORM))?;
    Ok(see_other_saying(&app, FORM, &Flash::good("The link has ended: it opens nothing any more.")))
}
