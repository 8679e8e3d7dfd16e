//! `/frameworks/coverage`, and what lies behind each of its numbers.

use app::components::Address;
use app::frameworks::coverage::{
    AgentRow, AgentsPage, Behind, FrameworkCoverage, Map, MapPage, NodeRow, OfFramework, UNITS, UnitRow,
};
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use domain::coverage::{ControlKey, Counts, Mapping, Outcome, Standing};
use domain::framework::{self, Node};
use domain::import::neutral::write_row;
use domain::record::timestamp;
use futures_util::stream;
use leptos::prelude::*;
use register::coverage::{self, Estate, Query};
use register::{Error, paging};

use super::frameworks::{catalogue, csv};
use crate::App;
use crate::page::{Answer, Fault, Here, Page};
use crate::routes::Routes;
use crate::signed::Signed;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/frameworks/coverage", map)
        .get("/frameworks/coverage.csv", export)
        .get("/frameworks/{id}/coverage", of_framework)
        .get("/frameworks/{id}/coverage.csv", export_framework)
        .get("/frameworks/{id}/{node}/agents", agents)
        .get("/frameworks/{id}/{node}/agents.csv", export_agents)
}

/// Sums of nodes by catalogue: `[catalogue]`.
fn by_catalogue(mapping: &Mapping, of: impl Fn(usize) -> Counts) -> Vec<Counts> {
    let catalogues = framework::catalogues();
    let mut out = vec![Counts::default(); catalogues.len()];
    for (place, (node, _)) in mapping.nodes().iter().enumerate() {
        if let Some(at) = catalogues.iter().position(|c| c.id == node.catalogue) {
            out[at].join(&of(place), 1);
        }
    }
    out
}

/// The rows of the map: all agents first, then each business unit.
fn unit_rows(estate: &Estate) -> Vec<UnitRow> {
    let mapping = &estate.mapping;
    let counted = estate.by_node();
    let total = |place: usize| {
        let mut out = Counts::default();
        for counts in &counted[place] {
            out.join(counts, 1);
        }
        out
    };
    let all = UnitRow { name: None, agents: estate.agents(), cells: by_catalogue(mapping, total) };
    let unit = |(at, unit): (usize, &coverage::Unit)| UnitRow {
        name: Some(unit.name.clone()),
        agents: unit.agents,
        cells: by_catalogue(mapping, |place| counted[place][at]),
    };
    std::iter::once(all).chain(estate.units.iter().enumerate().map(unit)).collect()
}

async fn map(State(app): State<App>, signed: Signed) -> Answer {
    let estate = coverage::estate(&app.db, signed.by()).await?;
    let mut rows = unit_rows(&estate);
    let more = rows.len() > UNITS + 1;
    rows.truncate(UNITS + 1);
    let controls = ControlKey::ALL
        .iter()
        .map(|control| {
            let mut n = [0; Outcome::ALL.len()];
            for share in &estate.shares {
                n[share.signature.outcome(*control) as usize] += share.agents;
            }
            (*control, n)
        })
        .collect();
    let map = Map { catalogues: framework::catalogues(), rows, more, controls, behind: estate.behind };
    Ok(Page::new(&app, &signed, "Coverage").show(move || view! { <MapPage map=map/> }))
}

/// The counts of a row of a file, and the percentage.
fn numbers(counts: &Counts) -> Vec<String> {
    let each = Standing::ALL.iter().map(|s| counts.of(*s).to_string());
    let percent = counts.percent().map_or_else(String::new, |p| p.to_string());
    each.chain([counts.denominator().to_string(), percent]).collect()
}

const COUNTED: [&str; 8] =
    ["met", "partly", "excepted", "missing", "not_assessed", "not_applicable", "denominator", "met_percent"];

fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = String::from("\u{feff}");
    write_row(&mut text, headings.iter().copied());
    for row in rows {
        write_row(&mut text, row.iter().map(String::as_str));
    }
    text
}

async fn export(State(app): State<App>, signed: Signed) -> Answer {
    let estate = coverage::estate(&app.db, signed.by()).await?;
    let headings: Vec<&str> =
        ["as_of", "scope", "business_unit", "agents", "framework", "version"].into_iter().chain(COUNTED).collect();
    let mut rows = Vec::new();
    for unit in unit_rows(&estate) {
        for (c, counts) in framework::catalogues().iter().zip(&unit.cells) {
            let mut row = vec![
                timestamp(signed.now),
                if unit.name.is_some() { "business-unit" } else { "all" }.to_owned(),
                unit.name.clone().unwrap_or_default(),
                unit.agents.to_string(),
                c.id.clone(),
                c.version.clone(),
            ];
            row.extend(numbers(counts));
            rows.push(row);
        }
    }
    Ok(csv("muster-coverage.csv", table(&headings, rows)))
}

/// The business unit that an address asks for: `-` is that of agents without one.
fn unit_of(here: &Address) -> Option<String> {
    here.get("unit").map(|unit| if unit == "-" { String::new() } else { unit.to_owned() })
}

/// The nodes of a framework, counted for all agents or a business unit.
async fn counted(
    app: &App,
    signed: &Signed,
    id: &str,
    unit: Option<&str>,
) -> Result<(&'static framework::Catalogue, Vec<NodeRow>, i64), Fault> {
    let estate = coverage::estate(&app.db, signed.by()).await?;
    let catalogue = catalogue(id)?;
    let at = match unit {
        Some(name) => Some(estate.unit(name).ok_or_else(|| Error::NotFound(format!("business unit {name}")))?),
        None => None,
    };
    let all = estate.by_node();
    let rows = estate
        .mapping
        .nodes()
        .iter()
        .zip(all)
        .filter(|((node, _), _)| node.catalogue == catalogue.id)
        .map(|((node, _), units)| {
            let mut counts = Counts::default();
            for (place, c) in units.iter().enumerate() {
                if at.is_none_or(|at| at == place) {
                    counts.join(c, 1);
                }
            }
            NodeRow { node, counts }
        })
        .collect();
    let agents = at.map_or_else(|| estate.agents(), |at| estate.units[at].agents);
    Ok((catalogue, rows, agents))
}

async fn of_framework(State(app): State<App>, signed: Signed, Path(id): Path<String>, Here(here): Here) -> Answer {
    let unit = unit_of(&here);
    let (catalogue, rows, agents) = counted(&app, &signed, &id, unit.as_deref()).await?;
    let mut export = Address::new(format!("/frameworks/{}/coverage.csv", catalogue.id));
    if let Some(unit) = here.get("unit") {
        export = export.with("unit", unit);
    }
    let shown = OfFramework { catalogue, unit, rows, agents, export: export.href() };
    Ok(Page::new(&app, &signed, format!("Coverage of {}", catalogue.name))
        .show(move || view! { <FrameworkCoverage shown=shown/> }))
}

async fn export_framework(State(app): State<App>, signed: Signed, Path(id): Path<String>, Here(here): Here) -> Answer {
    let unit = unit_of(&here);
    let (catalogue, rows, _) = counted(&app, &signed, &id, unit.as_deref()).await?;
    let headings: Vec<&str> =
        ["as_of", "framework", "version", "node", "title", "business_unit"].into_iter().chain(COUNTED).collect();
    let rows = rows.iter().map(|r| {
        let mut row = vec![
            timestamp(signed.now),
            catalogue.id.clone(),
            catalogue.version.clone(),
            r.node.reference.clone(),
            r.node.title.clone(),
            unit.clone().unwrap_or_default(),
        ];
        row.extend(numbers(&r.counts));
        row
    });
    Ok(csv(&format!("muster-coverage-{}.csv", catalogue.id), table(&headings, rows)))
}

/// The node of an address, and which agents are asked for.
fn asked(id: &str, reference: &str, here: &Address) -> Result<(&'static Node, Query), Fault> {
    let node = framework::within(id, reference).ok_or_else(|| Error::NotFound(reference.to_owned()))?;
    let standing = match here.get("standing") {
        None => None,
        Some(word) => Some(word.parse().map_err(|e: domain::words::UnknownWord| {
            Fault::new(StatusCode::UNPROCESSABLE_ENTITY, format!("{e}.")).back(node.path())
        })?),
    };
    let cursor = here.get("cursor").map(str::to_owned);
    Ok((node, Query { standing, unit: unit_of(here), cursor, limit: None }))
}

async fn agents(
    State(app): State<App>,
    signed: Signed,
    Path((id, reference)): Path<(String, String)>,
    Here(here): Here,
) -> Answer {
    let (node, query) = asked(&id, &reference, &here)?;
    let page = coverage::rows(&app.db, signed.by(), node, &query).await?;
    let first = here.first_page();
    let mut export = Address::new(format!("{}/agents.csv", node.path()));
    for key in ["standing", "unit"] {
        if let Some(value) = here.get(key) {
            export = export.with(key, value);
        }
    }
    let behind = Behind {
        node,
        standing: query.standing,
        unit: query.unit,
        total: page.total.and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
        next: page.next.map(|c| first.with("cursor", &c).href()),
        rows: page.items.into_iter().map(row).collect(),
        export: export.href(),
        now: signed.now,
    };
    Ok(Page::new(&app, &signed, format!("Agents and {}", node.reference))
        .show(move || view! { <AgentsPage behind=behind/> }))
}

fn row(r: coverage::Row) -> AgentRow {
    AgentRow {
        id: r.id,
        name: r.name,
        business_unit: r.business_unit,
        tier: r.tier,
        standing: r.standing,
        controls: r.controls,
        excepted_until: r.excepted_until,
    }
}

fn lines(text: &mut String, node: &Node, rows: &[coverage::Row]) {
    for r in rows {
        let of = |outcome| {
            let keys = r.controls.iter().filter(|(_, o)| *o == outcome).map(|(c, _)| c.key());
            keys.collect::<Vec<_>>().join(" ")
        };
        let cells = [
            node.catalogue.clone(),
            node.reference.clone(),
            r.id.to_string(),
            r.name.clone(),
            r.business_unit.clone(),
            r.tier.key().to_owned(),
            r.standing.key().to_owned(),
            of(Outcome::Met),
            of(Outcome::Missing),
            of(Outcome::Excepted),
            r.excepted_until.map(timestamp).unwrap_or_default(),
        ];
        write_row(text, cells.iter().map(String::as_str));
    }
}

/// The agents of a view as a file, made while it is sent.
async fn export_agents(
    State(app): State<App>,
    signed: Signed,
    Path((id, reference)): Path<(String, String)>,
    Here(here): Here,
) -> Answer {
    let (node, mut query) = asked(&id, &reference, &here)?;
    query.limit = Some(paging::MAX_LIMIT);
    query.cursor = None;
    let page = coverage::rows(&app.db, signed.by(), node, &query).await?;
    let mut text = String::from("\u{feff}");
    let headings = [
        "framework",
        "node",
        "agent",
        "name",
        "business_unit",
        "tier",
        "standing",
        "met",
        "missing",
        "excepted",
        "excepted_until",
    ];
    write_row(&mut text, headings);
    lines(&mut text, node, &page.items);
    query.cursor = page.next;
    let rest = stream::try_unfold((app, signed, query), move |(app, signed, mut query)| async move {
        if query.cursor.is_none() {
            return Ok(None);
        }
        match coverage::rows(&app.db, signed.by(), node, &query).await {
            Ok(page) => {
                let mut text = String::new();
                lines(&mut text, node, &page.items);
                query.cursor = page.next;
                Ok(Some((Bytes::from(text), (app, signed, query))))
            }
            Err(error) => {
                tracing::error!(%error, "an export of coverage broke off");
                Err(std::io::Error::other("the export broke off"))
            }
        }
    });
    let pieces = stream::StreamExt::chain(stream::iter([Ok(Bytes::from(text))]), rest);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"muster-coverage-agents.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}
