//! REST, `/api/v1`: one file for each noun, each with its documented routes. What is not
//! documented is not served.

mod agents;
mod answer;
mod asked;
mod assignments;
mod audit;
mod campaigns;
mod channels;
mod delegations;
mod docs;
mod document;
mod exceptions;
mod handovers;
mod idempotency;
mod models;
mod notices;
mod on_call;
mod patch;
mod people;
mod policy;
mod posture;
mod raci;
mod radius;
mod requests;
mod retirements;
mod reviews;
mod rules;
mod sent;
mod systems;
mod teams;
mod words;

use utoipa_axum::router::OpenApiRouter;

use crate::App;
use crate::routes::Routes;

pub use document::document;
pub(crate) use idempotency::once;

/// The documented routes. A noun adds its line.
fn router() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .merge(agents::routes())
        .merge(raci::routes())
        .merge(radius::routes())
        .merge(assignments::routes())
        .merge(models::routes())
        .merge(handovers::routes())
        .merge(requests::routes())
        .merge(exceptions::routes())
        .merge(retirements::routes())
        .merge(rules::routes())
        .merge(reviews::routes())
        .merge(campaigns::routes())
        .merge(people::routes())
        .merge(teams::routes())
        .merge(on_call::routes())
        .merge(channels::routes())
        .merge(systems::routes())
        .merge(policy::routes())
        .merge(delegations::routes())
        .merge(notices::routes())
        .merge(posture::routes())
        .merge(audit::routes())
        .merge(document::routes())
}

/// Every route of the API, and the page that explains them.
pub fn routes() -> Routes {
    Routes::openapi(router())
        .and(Routes::api().get("/api/docs", docs::show))
        .and(Routes::public().post("/api/v1/stop-callbacks/{delivery}", agents::callback))
}
