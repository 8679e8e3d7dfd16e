//! `/coverage`: how far the register covers frameworks.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::coverage::{Counts, Standing};
use domain::framework;
use register::Error;
use register::coverage;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, ok};
use super::asked::Asked;
use crate::App;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(read_coverage))
}

/// Of which framework and business unit.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// The catalogue; then its nodes are counted too.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    framework: Option<String>,
    /// The business unit, however it is written; empty for agents without one.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    business_unit: Option<String>,
}

/// Coverage at a moment.
#[derive(Debug, Serialize, ToSchema)]
struct FrameworkCoverage {
    /// The moment.
    as_of: DateTime<Utc>,
    /// The agents that are counted, retired ones apart.
    agents: i64,
    /// Whether agents are there that are not counted yet, after an update.
    incomplete: bool,
    /// Each catalogue.
    frameworks: Vec<CoveredFramework>,
}

/// How a catalogue is covered: pairs of node and agent.
#[derive(Debug, Serialize, ToSchema)]
struct CoveredFramework {
    /// The catalogue.
    framework: &'static str,
    counts: StandingCounts,
    /// Its nodes, only where one catalogue is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    nodes: Option<Vec<CoveredNode>>,
}

/// How a node is covered: agents.
#[derive(Debug, Serialize, ToSchema)]
struct CoveredNode {
    /// The node.
    r#ref: &'static str,
    counts: StandingCounts,
}

/// How many stand how.
#[derive(Debug, Serialize, ToSchema)]
struct StandingCounts {
    /// By how they stand: `met`, `partly`, `excepted`, `missing`, `not-assessed`, `not-applicable`.
    by_standing: BTreeMap<&'static str, i64>,
    /// What the percentage is of: everything but what is not applicable.
    denominator: i64,
    /// How much of it is met, in whole percent, downwards; null of nothing.
    #[schema(required)]
    met_percent: Option<i64>,
}

impl From<&Counts> for StandingCounts {
    fn from(counts: &Counts) -> Self {
        Self {
            by_standing: Standing::ALL.iter().map(|s| (s.key(), counts.of(*s))).collect(),
            denominator: counts.denominator(),
            met_percent: counts.percent(),
        }
    }
}

/// Read coverage
///
/// How far what is on record about agents bears on the nodes of frameworks at this moment.
#[utoipa::path(
    get,
    path = "/api/v1/coverage",
    tag = "frameworks",
    params(Filter),
    responses((status = 200, description = "The numbers now.", body = FrameworkCoverage))
)]
async fn read_coverage(State(app): State<App>, caller: ApiActor, Asked(filter): Asked<Filter>) -> Answer {
    let estate = coverage::estate(&app.db, caller.by()).await?;
    if let Some(id) = &filter.framework
        && framework::catalogue(id).is_none()
    {
        return Err(Problem::field("/framework", "There is no such framework."));
    }
    let unit = match &filter.business_unit {
        None => None,
        Some(name) => Some(
            estate
                .unit(name)
                .ok_or_else(|| Error::field("/business_unit", "No agent belongs to this business unit."))?,
        ),
    };
    let counted = estate.by_node();
    let frameworks = framework::catalogues()
        .iter()
        .filter(|c| filter.framework.as_ref().is_none_or(|id| *id == c.id))
        .map(|c| {
            let mut sum = Counts::default();
            let mut nodes = Vec::new();
            for ((node, _), units) in
                estate.mapping.nodes().iter().zip(&counted).filter(|((n, _), _)| n.catalogue == c.id)
            {
                let mut of = Counts::default();
                for (_, counts) in units.iter().enumerate().filter(|(place, _)| unit.is_none_or(|u| u == *place)) {
                    of.join(counts, 1);
                }
                sum.join(&of, 1);
                nodes.push(CoveredNode { r#ref: &node.reference, counts: (&of).into() });
            }
            CoveredFramework {
                framework: &c.id,
                counts: (&sum).into(),
                nodes: filter.framework.is_some().then_some(nodes),
            }
        })
        .collect();
    ok(FrameworkCoverage {
        as_of: estate.as_of,
        agents: unit.map_or_else(|| estate.agents(), |u| estate.units[u].agents),
        incomplete: estate.behind,
        frameworks,
    })
}
