//! `/reports`: the posture report, and what leads to dossiers and evidence packs.

use app::components::{Button, Crumb, IntoPiece as _};
use app::reports::list::{Reports, ReportsPage};
use app::reports::{Forms, ReportPage};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse as _;
use chrono::{Days, NaiveDate};
use domain::can::{Action, Relation, can};
use domain::id::AgentId;
use domain::posture::HISTORY_DAYS;
use leptos::prelude::*;
use register::reports::{self, Report};
use register::{Error, settings};

use crate::App;
use crate::page::{Answer, Fault, Here, Page, see_other};
use crate::reports as written;
use crate::routes::Routes;
use crate::signed::Signed;

/// Days that are shown of the past, unless an older day is compared with.
const SHOWN: u64 = 90;
/// Days ago with which it is compared, unless said.
const COMPARED: u64 = 30;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/reports", list)
        .get("/reports/posture", posture)
        .get("/reports/posture.pdf", paper)
        .get("/reports/posture.csv", table)
}

async fn list(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let asked = here.get("agent").unwrap_or_default().trim().to_uppercase();
    let mut error = None;
    if !asked.is_empty() {
        match asked.parse::<AgentId>() {
            Ok(id) => {
                let to = match here.get("open") {
                    Some("pdf") => "dossier.pdf",
                    Some("pack") => "evidence-pack",
                    _ => "dossier",
                };
                return Ok(see_other(format!("/agents/{id}/{to}")));
            }
            Err(_) => error = Some("Write the agent's reference, for instance AG-42.".to_owned()),
        }
    }
    let may = |action| can(&signed.actor, action, Relation::None).is_ok();
    let reports = Reports { posture: may(Action::PostureRead), record: may(Action::AuditRead), agent: asked, error };
    let page = Page::new(&app, &signed, "Reports");
    let page = if reports.error.is_some() { page.refused() } else { page };
    Ok(page.show(move || view! { <ReportsPage reports=reports/> }))
}

/// The report of this moment, and the day with which it is compared.
async fn report(
    app: &App,
    signed: &Signed,
    here: &app::components::Address,
) -> Result<(Report, NaiveDate, String), Fault> {
    let today = signed.now.date_naive();
    let ago = |days| today.checked_sub_days(Days::new(days)).unwrap_or(today);
    // Any day that is no day, or too long ago, is the usual one: a report is never refused for it.
    let since = here
        .get("against")
        .and_then(|d| d.parse::<NaiveDate>().ok())
        .filter(|d| *d < today && (today - *d).num_days() < HISTORY_DAYS)
        .unwrap_or_else(|| ago(COMPARED));
    let found = reports::posture(&app.db, signed.by(), since.min(ago(SHOWN))).await?;
    let mut reads = &app.db;
    let (settings, _) = settings::load(&mut reads).await.map_err(Error::from)?;
    Ok((found, since, settings.organisation))
}

async fn posture(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let (found, since, organisation) = report(&app, &signed, &here).await?;
    let document = written::posture::document(&found, since, &organisation);
    let query = format!("?against={since}");
    let forms = Forms {
        pdf: format!("/reports/posture.pdf{query}"),
        csv: format!("/reports/posture.csv{query}"),
        pack: String::new(),
    };
    let first = found.days.first().map(|(day, _)| day.to_string());
    let last = found.days.last().map(|(day, _)| day.to_string());
    let choice = move || {
        view! {
            <form method="get" action="/reports/posture" class="row choice-day">
                <label for="against">"Compare with"</label>
                <input class="input" type="date" id="against" name="against" value=since.to_string() min=first max=last/>
                <Button>"Compare"</Button>
            </form>
        }
        .piece()
    };
    let crumbs = vec![Crumb::new("Reports", "/reports"), Crumb::here("Posture")];
    Ok(Page::new(&app, &signed, "Posture report")
        .show(move || view! { <ReportPage document=document crumbs=crumbs forms=forms choice=choice/> }))
}

async fn paper(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let (found, since, organisation) = report(&app, &signed, &here).await?;
    let document = written::posture::document(&found, since, &organisation);
    written::pdf(document, signed.now, "muster-posture").await.map_err(Fault::broken)
}

async fn table(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let (found, since, _) = report(&app, &signed, &here).await?;
    let name = format!("attachment; filename=\"muster-posture-{}.csv\"", signed.now.format("%Y%m%dT%H%M%SZ"));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, written::posture::csv(&found, since)).into_response())
}
