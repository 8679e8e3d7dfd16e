//! `/frameworks`: the catalogues and their nodes.

use std::collections::BTreeMap;

use domain::can::{Action, Relation, can};
use domain::coverage::ControlKey;
use domain::framework::{self, LinkSource, Node, NodeKind, Strength, TextKind};
use register::Error;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, ok};
use super::asked::{Asked, Listed, Paging};
use super::sent::At;
use super::words;
use crate::App;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_frameworks)).routes(routes!(list_nodes))
}

/// Nothing is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// A catalogue: one version of one publication.
#[derive(Debug, Serialize, ToSchema)]
struct Framework {
    /// Names it.
    #[schema(example = "owasp-agentic-top10-2026")]
    id: &'static str,
    /// What it is called.
    name: &'static str,
    /// Which version of the publication.
    version: &'static str,
    /// Who published it.
    publisher: &'static str,
    /// When, as far as it is known: a year, a month or a day.
    #[schema(required)]
    published: Option<&'static str>,
    /// Its standing.
    status: &'static str,
    licence: FrameworkLicence,
    /// What to know when reading it.
    notes: Vec<&'static str>,
    /// How many nodes it has of each kind.
    nodes: BTreeMap<&'static str, usize>,
}

/// The terms under which its texts are shown.
#[derive(Debug, Serialize, ToSchema)]
struct FrameworkLicence {
    /// The licence, or what stands in its place.
    name: &'static str,
    /// Where its text is.
    #[schema(required)]
    url: Option<&'static str>,
    /// The line to show wherever a text is shown.
    #[schema(required)]
    attribution: Option<&'static str>,
    /// What was changed against the publication.
    #[schema(required)]
    changes: Option<&'static str>,
}

/// List the frameworks
///
/// The catalogues that are shipped, each with its licence.
#[utoipa::path(
    get,
    path = "/api/v1/frameworks",
    tag = "frameworks",
    responses((status = 200, description = "All of them.", body = List<Framework>))
)]
async fn list_frameworks(caller: ApiActor, _: Asked<Nothing>) -> Answer {
    can(&caller.actor, Action::FrameworkRead, Relation::None).map_err(Error::from)?;
    let items = framework::catalogues()
        .iter()
        .map(|c| Framework {
            id: &c.id,
            name: &c.name,
            version: &c.version,
            publisher: &c.publisher,
            published: c.published.as_deref(),
            status: &c.status,
            licence: FrameworkLicence {
                name: &c.licence.name,
                url: c.licence.url.as_deref(),
                attribution: c.licence.attribution.as_deref(),
                changes: c.licence.changes.as_deref(),
            },
            notes: c.notes.iter().map(String::as_str).collect(),
            nodes: c.counts.iter().map(|(kind, n)| (kind.as_str(), *n)).collect(),
        })
        .collect();
    ok(List::whole(items))
}

/// An entry of a catalogue.
#[derive(Debug, Serialize, ToSchema)]
struct FrameworkNode {
    /// Its canonical reference.
    #[schema(example = "ASI03")]
    r#ref: &'static str,
    /// The node above it.
    #[schema(required)]
    parent: Option<&'static str>,
    /// What it is called.
    title: &'static str,
    /// What it says; null where only titles may be shown.
    #[schema(required)]
    text: Option<&'static str>,
    #[schema(value_type = words::TextKind)]
    text_kind: TextKind,
    #[schema(value_type = words::NodeKind)]
    kind: NodeKind,
    /// Other spellings of the reference.
    aliases: Vec<&'static str>,
    /// The nodes that the crosswalk joins it with.
    related: Vec<RelatedNode>,
    /// Muster's own records that bear on it.
    controls: Vec<NodeControl>,
}

/// A node that the crosswalk joins another with.
#[derive(Debug, Serialize, ToSchema)]
struct RelatedNode {
    /// The catalogue.
    framework: &'static str,
    /// The node.
    r#ref: &'static str,
    #[schema(value_type = words::LinkSource)]
    source: LinkSource,
    /// Which publication says so, or why it is our judgement.
    reason: String,
}

/// A kind of record that bears on a node.
#[derive(Debug, Serialize, ToSchema)]
struct NodeControl {
    #[schema(value_type = words::ControlKey)]
    control: ControlKey,
    #[schema(value_type = words::Strength)]
    strength: Strength,
    /// Why so far and no further.
    reason: &'static str,
    /// Whether anything in the register shows it of an agent.
    measured: bool,
}

impl From<&'static Node> for FrameworkNode {
    fn from(n: &'static Node) -> Self {
        let control = |(control, support): (&'static framework::ProductControl, &'static framework::Support)| {
            let key: ControlKey = control.id.parse().ok()?;
            Some(NodeControl {
                control: key,
                strength: support.strength,
                reason: &support.reason,
                measured: key.measured(),
            })
        };
        Self {
            r#ref: &n.reference,
            parent: n.above().map(|a| a.reference.as_str()),
            title: &n.title,
            text: n.text.as_deref(),
            text_kind: n.text_kind,
            kind: n.kind,
            aliases: n.aliases.iter().map(String::as_str).collect(),
            related: n
                .related()
                .into_iter()
                .map(|(other, link)| RelatedNode {
                    framework: &other.catalogue,
                    r#ref: &other.reference,
                    source: link.source,
                    reason: link.told(),
                })
                .collect(),
            controls: n.supported_by().into_iter().filter_map(control).collect(),
        }
    }
}

/// Which nodes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NodeFilter {
    /// A reference, another spelling of one, or words that a node holds.
    #[serde(default)]
    q: String,
}

/// List the nodes of a framework
///
/// In the order of the catalogue.
#[utoipa::path(
    get,
    path = "/api/v1/frameworks/{id}/nodes",
    tag = "frameworks",
    params(("id" = String, Path, description = "The catalogue."), NodeFilter, Paging),
    responses((status = 200, description = "A page of nodes.", body = List<FrameworkNode>))
)]
async fn list_nodes(caller: ApiActor, At(id): At<String>, asked: Listed<NodeFilter>) -> Answer {
    can(&caller.actor, Action::FrameworkRead, Relation::None).map_err(Error::from)?;
    let catalogue = framework::catalogue(&id).ok_or_else(Problem::not_found)?;
    asked.page.unsorted()?;
    let limit = usize::try_from(asked.page.limit()?).unwrap_or(usize::MAX);
    let nodes: Vec<&'static Node> = if asked.filter.q.trim().is_empty() {
        catalogue.nodes.iter().collect()
    } else {
        framework::search(&asked.filter.q).into_iter().filter(|n| n.catalogue == catalogue.id).collect()
    };
    // The cursor is the reference of the last node that was given.
    let from = match &asked.page.cursor {
        None => 0,
        Some(last) => {
            let place = nodes.iter().position(|n| n.reference == *last);
            place.map(|p| p + 1).ok_or_else(|| Problem::field("/cursor", "It is of another list; begin without it."))?
        }
    };
    let total = i64::try_from(nodes.len()).ok();
    let page: Vec<&'static Node> = nodes.iter().skip(from).take(limit).copied().collect();
    let next = (from + page.len() < nodes.len()).then(|| page.last().map(|n| n.reference.clone())).flatten();
    ok(List::new(page.into_iter().map(FrameworkNode::from).collect(), next, total))
}
