//! `POST /theme`: light, dark, or as the system says.

use app::shell::Theme;
use axum::extract::State;
use axum::http::header;
use axum::response::Response;
use chrono::TimeDelta;
use serde::Deserialize;

use crate::App;
use crate::page::{Form, local, see_other};
use crate::routes::Routes;
use crate::session::cookie;
use crate::signed::{Signed, THEME_COOKIE};

pub(super) fn routes() -> Routes {
    Routes::page().post("/theme", choose)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    theme: String,
    next: String,
}

async fn choose(State(app): State<App>, _: Signed, Form(choice): Form<Choice>) -> Response {
    let theme = Theme::parse(&choice.theme);
    let cookie = cookie::set(THEME_COOKIE, theme.key(), TimeDelta::days(400), app.config.secure());
    let mut response = see_other(local(&choice.next));
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}
