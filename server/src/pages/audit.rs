//! `/audit`: the record, its export, its check.

use std::time::Duration;

use app::audit::{Audit, Checked, EventView, references};
use app::components::{Address, FieldErrors};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, Utc};
use domain::can::{Action, Relation, can};
use futures_util::stream;
use leptos::prelude::*;
use register::audit::{self, Broken, Filter};
use register::{By, paging};
use tokio::sync::Semaphore;

use crate::App;
use crate::page::{Answer, Fault, Here, Page};
use crate::routes::Routes;
use crate::signed::Signed;

/// How long a page waits for the check of the record; less than a request may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One check at a time: it reads everything, and several would only wait for each other.
static CHECKS: Semaphore = Semaphore::const_new(1);

pub(super) fn routes() -> Routes {
    Routes::page().get("/audit", show).post("/audit", verify).get("/audit/export.jsonl", export)
}

async fn show(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    page(&app, &signed, here, None).await
}

/// Verify now. It changes nothing, so the answer is the page itself.
async fn verify(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    // Asked here too, so that who may not read the record does not wait for a turn.
    can(&signed.actor, Action::AuditRead, Relation::None).map_err(register::Error::from)?;
    let (db, actor, now) = (app.db.clone(), signed.actor.clone(), signed.now);
    let check = tokio::spawn(async move {
        let Ok(_turn) = CHECKS.acquire().await else { return None };
        Some(audit::verify(&db, By { actor: &actor, now }, None, |_| {}).await)
    });
    let stop = check.abort_handle();
    let checked = match tokio::time::timeout(PATIENCE, check).await {
        Err(_) => {
            stop.abort();
            Checked::Unfinished
        }
        Ok(Err(_) | Ok(None)) => return Err(Fault::broken("the check of the record was given up")),
        Ok(Ok(Some(Ok(v)))) => Checked::Holds { events: v.events, rows: v.rows, head: v.head },
        Ok(Ok(Some(Err(Broken::Link(link))))) => {
            tracing::error!(%link, "the record is broken");
            Checked::Broken(link.to_string())
        }
        Ok(Ok(Some(Err(Broken::Failed(error))))) => return Err(error.into()),
    };
    page(&app, &signed, here, Some(checked)).await
}

async fn page(app: &App, signed: &Signed, here: Address, checked: Option<Checked>) -> Answer {
    let (filter, errors) = filter(&here);
    let cursor = here.get("cursor").or_else(|| here.get("before"));
    let head = audit::head(&app.db, signed.by()).await?;
    let found = if errors.is_empty() {
        audit::list(&app.db, signed.by(), &filter, cursor, paging::DEFAULT_LIMIT).await?
    } else {
        paging::Page { items: Vec::new(), next: None, previous: None, total: None }
    };
    let references = references(&found.items);
    let names = audit::names(&app.db, signed.by(), references.iter().map(String::as_str)).await?;
    let actions = audit::actions(&app.db, signed.by()).await?;
    let events: Vec<EventView> = found.items.iter().map(|event| EventView::new(event, &names)).collect();
    let first = here.first_page();
    let next = found.next.map(|cursor| first.with("cursor", &cursor).href());
    let previous = found.previous.map(|cursor| first.with("before", &cursor).href());
    let (total, now) = (found.total, signed.now);
    let shown = Page::new(app, signed, "Audit");
    let shown = if errors.is_empty() { shown } else { shown.refused() };
    Ok(shown.show(move || {
        view! {
            <Audit here=here events=events total=total previous=previous next=next actions=actions head=head
                checked=checked errors=errors now=now/>
        }
    }))
}

/// The filter that an address names, and what is wrong with it.
fn filter(here: &Address) -> (Filter, FieldErrors) {
    let mut errors = FieldErrors::new();
    let text = |key: &str| here.get(key).unwrap_or_default().trim().to_owned();
    let mut time = |key: &'static str, ends: bool| {
        let text = here.get(key).unwrap_or_default().trim();
        let at = moment(text, ends);
        if at.is_none() && !text.is_empty() {
            errors.add(key, "Write a day or a time in UTC, such as 2026-07-03 or 2026-07-03T14:05.");
        }
        at
    };
    let (from, until) = (time("from", false), time("until", true));
    let filter = Filter {
        actor: text("actor"),
        action: text("action"),
        subject: text("subject"),
        from,
        until,
        ..Filter::default()
    };
    (filter, errors)
}

/// A day, a time in UTC, or a time with its zone. A day that ends a span is in it.
fn moment(text: &str, ends: bool) -> Option<DateTime<Utc>> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        let day = if ends { day.checked_add_days(Days::new(1))? } else { day };
        return Some(day.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    let text = text.replacen(' ', "T", 1);
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok())
        .map(|at| at.and_utc())
        .or_else(|| DateTime::parse_from_rfc3339(&text).ok().map(|at| at.to_utc()))
}

/// The record as JSON Lines, from the beginning or after an event: `?after=100`.
async fn export(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let after = match here.get("after") {
        None => 0,
        Some(text) => text.parse().map_err(|_| {
            Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "An export begins after the number of an event: after=100.")
                .back("/audit")
        })?,
    };
    let export = audit::export(&app.db, signed.by(), after).await?;
    let name = format!("attachment; filename=\"muster-audit-{}.jsonl\"", signed.now.format("%Y%m%dT%H%M%SZ"));
    Ok(lines(export, &name))
}

/// An export as an answer that is made while it is sent.
fn lines(export: audit::Export, disposition: &str) -> Response {
    let pieces = stream::try_unfold(export, |mut export| async move {
        match export.lines().await {
            Ok(Some(lines)) => Ok(Some((Bytes::from(lines), export))),
            Ok(None) => Ok(None),
            Err(error) => {
                // The answer ends short, which the reader's own check of the chain shows.
                tracing::error!(%error, "an export of the record broke off");
                Err(std::io::Error::other("the export broke off"))
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_utc_and_a_day_is_whole() {
        let told = |text, ends| moment(text, ends).map(|at| at.to_rfc3339());
        for (text, ends, expected) in [
            ("2026-07-03", false, "2026-07-03T00:00:00+00:00"),
            ("2026-07-03", true, "2026-07-04T00:00:00+00:00"),
            ("2026-07-03T14:05", true, "2026-07-03T14:05:00+00:00"),
            ("2026-07-03 14:05:09.5", false, "2026-07-03T14:05:09.500+00:00"),
            ("2026-07-03T14:05:09+02:00", false, "2026-07-03T12:05:09+00:00"),
        ] {
            assert_eq!(told(text, ends).as_deref(), Some(expected), "{text}");
        }
        for bad in ["", "yesterday", "2026-13-01", "03.07.2026"] {
            assert_eq!(told(bad, false), None, "{bad}");
        }
    }
}
