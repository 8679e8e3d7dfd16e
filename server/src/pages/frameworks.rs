//! `/frameworks`: the catalogues, one of them, a node.

use app::frameworks::coverage::Stands;
use app::frameworks::{CataloguePage, Library, LibraryPage, NodePage, Opened, Shown};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::can::{Action, Relation, can};
use domain::framework::{self, Catalogue, Node};
use domain::import::neutral::write_row;
use domain::mapping::Only;
use domain::party::Party;
use leptos::prelude::*;
use register::agents::assess::party_names;
use register::{Error, coverage};

use super::people::may;
use crate::App;
use crate::page::{Answer, Fault, Here, Page, see_other};
use crate::routes::Routes;
use crate::signed::Signed;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/frameworks", library)
        .get("/frameworks/{id}", opened)
        .get("/frameworks/{id}/nodes.csv", export)
        .get("/frameworks/{id}/{node}", node)
}

/// Refuses whoever may not read catalogues.
fn read(signed: &Signed) -> Result<(), Fault> {
    Ok(can(&signed.actor, Action::FrameworkRead, Relation::None).map_err(Error::from)?)
}

pub(super) fn catalogue(id: &str) -> Result<&'static Catalogue, Fault> {
    framework::catalogue(id).ok_or_else(|| Error::NotFound(id.to_owned()).into())
}

async fn library(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    read(&signed)?;
    let found = here.get("q").map(framework::search);
    let may_cover = may(&signed.actor, Action::PostureRead);
    let library = Library { here, catalogues: framework::catalogues(), found, may_cover };
    Ok(Page::new(&app, &signed, "Frameworks").show(move || view! { <LibraryPage library=library/> }))
}

/// The nodes of a catalogue that a search leaves.
fn left(catalogue: &'static Catalogue, words: Option<&str>) -> Vec<&'static Node> {
    match words {
        Some(words) => framework::search(words).into_iter().filter(|n| n.catalogue == catalogue.id).collect(),
        None => catalogue.nodes.iter().collect(),
    }
}

async fn opened(State(app): State<App>, signed: Signed, Path(id): Path<String>, Here(here): Here) -> Answer {
    read(&signed)?;
    let catalogue = catalogue(&id)?;
    let nodes = left(catalogue, here.get("q"));
    let may_cover = may(&signed.actor, Action::PostureRead);
    let opened = Opened { here, catalogue, nodes, may_cover };
    Ok(Page::new(&app, &signed, catalogue.name.clone()).show(move || view! { <CataloguePage opened=opened/> }))
}

async fn node(
    State(app): State<App>,
    signed: Signed,
    Path((id, reference)): Path<(String, String)>,
    Here(here): Here,
) -> Answer {
    read(&signed)?;
    let catalogue = catalogue(&id)?;
    let Some(node) = framework::within(&catalogue.id, &reference) else {
        // Another spelling, or a loose citation: its node says what it was cited as.
        let cited = framework::node(&reference)
            .filter(|n| n.catalogue == catalogue.id)
            .ok_or_else(|| Error::NotFound(reference.clone()))?;
        let to = app::components::Address::new(cited.path()).with("as", reference.trim());
        return Ok(see_other(to.href()));
    };
    let means = |words: &&str| framework::cite(words).is_some_and(|c| c.nodes.contains(&node) && c.cited_as.is_some());
    let cited_as = here.get("as").filter(means).map(str::to_owned);
    let stands = if may(&signed.actor, Action::PostureRead) {
        Some(Stands { counts: coverage::estate(&app.db, signed.by()).await?.of_node(node) })
    } else {
        None
    };
    let kept = coverage::mapping::mapping(&app.db, signed.by()).await?;
    let links = kept.amendments.links_of(node).into_iter().map(|(c, (s, why))| (c, s, why)).collect();
    let only = kept.amendments.only_of(node, signed.now).cloned();
    let names = party_names(&mut &app.db, only.iter().map(|o| Party::Person(o.owner))).await.map_err(Error::from)?;
    let named = |o: Only| {
        let name = names.get(&Party::Person(o.owner)).cloned().unwrap_or_else(|| o.owner.to_string());
        (o, name)
    };
    let shown = Shown {
        node,
        cited_as,
        links,
        only: only.map(named),
        attested: super::mapping::attested(&app, &signed, node, &kept).await?,
        may_write: may(&signed.actor, Action::FrameworkWrite),
        now: signed.now,
        stands,
    };
    Ok(Page::new(&app, &signed, node.reference.clone()).show(move || view! { <NodePage shown=shown/> }))
}

/// A table as a file.
pub(super) fn csv(name: &str, text: String) -> Response {
    let name = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, name.as_str()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, text).into_response()
}

async fn export(signed: Signed, Path(id): Path<String>, Here(here): Here) -> Answer {
    read(&signed)?;
    let catalogue = catalogue(&id)?;
    let mut text = String::from("\u{feff}");
    write_row(
        &mut text,
        ["framework", "version", "node", "parent", "kind", "title", "text", "whose_words", "attribution", "licence"],
    );
    for n in left(catalogue, here.get("q")) {
        let row = [
            catalogue.id.as_str(),
            &catalogue.version,
            &n.reference,
            n.above().map_or("", |a| a.reference.as_str()),
            n.kind.key(),
            &n.title,
            n.text.as_deref().unwrap_or_default(),
            n.text_kind.key(),
            catalogue.licence.attribution.as_deref().unwrap_or_default(),
            &catalogue.licence.name,
        ];
        write_row(&mut text, row);
    }
    Ok(csv(&format!("{}.csv", catalogue.id), text))
}
