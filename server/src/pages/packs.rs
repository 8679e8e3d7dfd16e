//! The dossier of an agent, as a page and as PDF, and its evidence pack.

use app::components::Crumb;
use app::reports::{Forms, ReportPage};
use axum::extract::{Path, State};
use axum::response::IntoResponse as _;
use domain::can::{Action, can};
use domain::id::AgentId;
use leptos::prelude::*;
use register::packs;

use crate::App;
use crate::pack::{self, Failed};
use crate::page::{Answer, Fault, Page};
use crate::reports::{self, dossier};
use crate::routes::Routes;
use crate::signed::Signed;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/agents/{id}/dossier", show)
        .get("/agents/{id}/dossier.pdf", paper)
        .get("/agents/{id}/evidence-pack", make)
}

async fn show(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>) -> Answer {
    let found = packs::dossier(&app.db, signed.by(), id).await?;
    let document = dossier::document(&found);
    // Whoever may see the dossier may take the pack away.
    let pack = can(&signed.actor, Action::EvidencePack, domain::can::Relation::Owner).is_ok();
    let forms = Forms {
        pdf: format!("/agents/{id}/dossier.pdf"),
        csv: String::new(),
        pack: if pack { format!("/agents/{id}/evidence-pack") } else { String::new() },
    };
    let crumbs = vec![
        Crumb::new("Agents", "/agents"),
        Crumb::new(id.to_string(), format!("/agents/{id}")),
        Crumb::here("Dossier"),
    ];
    Ok(Page::new(&app, &signed, format!("Dossier of {id}"))
        .show(move || view! { <ReportPage document=document crumbs=crumbs forms=forms/> }))
}

async fn paper(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>) -> Answer {
    let found = packs::dossier(&app.db, signed.by(), id).await?;
    let report = dossier::document(&found);
    reports::pdf(report, signed.now, &format!("muster-dossier-{id}")).await.map_err(Fault::broken)
}

async fn make(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>) -> Answer {
    match pack::make(&app.db, signed.by(), id).await {
        Ok(pack) => Ok(pack.into_response()),
        Err(Failed::Register(error)) => Err(error.into()),
        Err(Failed::Pdf(error)) => Err(Fault::broken(error)),
    }
}
