//! `/agents/{id}/evidence-pack`: what an auditor takes away.

use axum::extract::State;
use axum::response::IntoResponse as _;
use domain::id::AgentId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Answer;
use super::sent::At;
use super::words;
use crate::App;
use crate::pack::{self, Failed};
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(make_evidence_pack))
}

/// Make the evidence pack of an agent
///
/// A ZIP that is checked without Muster: the dossier, decisions, assignments over time, exceptions,
/// drills, the files of evidence, the extract of the record with its chain, a manifest for
/// `sha256sum -c`, and a script of 30 lines that checks all of it. That it was made is written
/// into the record, with the SHA-256 of the manifest.
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/evidence-pack",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    responses((
        status = 200, description = "The archive.", body = [u8], content_type = "application/zip",
        headers(("Muster-Manifest-Sha256" = String, description = "The SHA-256 of the manifest."))
    ))
)]
async fn make_evidence_pack(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>) -> Answer {
    match pack::make(&app.db, caller.by(), id).await {
        Ok(pack) => Ok(pack.into_response()),
        Err(Failed::Register(error)) => Err(error.into()),
        Err(Failed::Pdf(error)) => Err(Problem::internal(error)),
    }
}
