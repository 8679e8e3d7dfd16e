//! The limit that the inventory page is measured against by `cargo xtask bench`: the same
//! queries (session, counts, the 50 rows) through the same store, rendered by maud in a
//! bare axum handler. No layout, no islands, no headers, no right but the session's.
//!
//!     cargo run --release --example limit -- sqlite://muster.db 127.0.0.1:3001

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a yardstick, not a program to rely on")]

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use domain::can::Actor;
use maud::{DOCTYPE, html};
use register::agents::list::{Line, Query, list};
use register::{By, Db, sessions};
use server::clock::Clock;
use server::session::{COOKIE, cookie};
use sha2::{Digest as _, Sha256};
use tower_sessions::session::Id;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, listen] = arguments.as_slice() else { panic!("limit DATABASE-URL ADDRESS") };
    let db = Db::connect(database).await.unwrap();
    let listener = tokio::net::TcpListener::bind(listen).await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let router = Router::new().route("/healthz", get(|| async { "ok\n" })).route("/agents", get(agents)).with_state(db);
    axum::serve(listener, router).await.unwrap();
}

async fn agents(State(db): State<Db>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let now = Clock::System.now();
    let Some(id) = cookie::get(&headers, COOKIE).and_then(|value| value.parse::<Id>().ok()) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let stored = hex::encode(Sha256::digest(id.0.to_le_bytes()));
    let Some(who) = sessions::find(&db, &stored, now).await.unwrap() else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let actor = Actor::person(who.person, who.roles);
    let runtime_owner = query
        .as_deref()
        .and_then(|q| q.strip_prefix("runtime_owner="))
        .map(|v| v.parse().unwrap())
        .into_iter()
        .collect();
    let query = Query { runtime_owner, limit: 50, count_to: 10_000, ..Query::default() };
    let page = list(&db, By { actor: &actor, now }, &query).await.unwrap();
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { "Agents" } }
            body {
                p { (who.name) }
                h1 { "Agents" }
                p { (page.total.unwrap_or_default()) " agents" }
                table {
                    thead { tr {
                        th { "Agent" } th { "Who can stop it" } th { "Runs" } th { "State" } th { "Tier" }
                        th { "Business unit" }
                    } }
                    tbody { @for line in &page.items { (row(line)) } }
                }
                @if let Some(next) = &page.next { a href={ "/agents?cursor=" (next) } { "Next" } }
            }
        }
    };
    Html(document.into_string()).into_response()
}

fn row(line: &Line) -> maud::Markup {
    html! {
        tr {
            th scope="row" { a href={ "/agents/" (line.id) } { (line.name) } span { (line.id) } }
            td {
                @if let Some(state) = line.runtime_owner { span class={ "badge " (state) } { (state.label()) } }
                @match &line.runtime_party {
                    Some((party, name)) => a href=(party.path()) { (name) },
                    None => a href={ "/agents/" (line.id) "/assign" } { "Assign" },
                }
            }
            td { (line.running.label()) }
            td { (line.state.label()) }
            td { (line.tier.label()) }
            td { (line.business_unit) }
        }
    }
}
