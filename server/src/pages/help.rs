//! `/help`.

use app::help::Help;
use axum::extract::State;
use leptos::prelude::*;

use crate::App;
use crate::page::{Answer, Page};
use crate::routes::Routes;
use crate::signed::Signed;

pub(super) fn routes() -> Routes {
    Routes::page().get("/help", show)
}

async fn show(State(app): State<App>, signed: Signed) -> Answer {
    Ok(Page::new(&app, &signed, "Help").show(|| view! { <Help/> }))
}
