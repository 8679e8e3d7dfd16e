//! `/setup`, while nobody can sign in.

use app::components::{FieldErrors, Refused};
use app::setup::{Setup, SetupForm};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use leptos::prelude::*;
use register::passwords::{self, SetUp};
use register::throttle::{self, Key};
use serde::Deserialize;

use crate::App;
use crate::page::{Answer, Fault, Form, field_errors, plain, see_other};
use crate::routes::Routes;
use crate::session;
use crate::signed::{Address, Visitor};

pub(super) fn routes() -> Routes {
    Routes::public().get("/setup", show).post("/setup", set_up)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    code: String,
    name: String,
    email: String,
    password: String,
    again: String,
    organisation: String,
    team: String,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Answer {
    if app.has_people().await? {
        return Err(Fault::not_found());
    }
    let form = Refused::fresh(SetupForm::default());
    Ok(plain(&app, &visitor, "Set up", StatusCode::OK, move || view! { <Setup form=form/> }))
}

async fn set_up(
    State(app): State<App>,
    visitor: Visitor,
    address: Address,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Answer {
    if app.has_people().await? {
        return Err(Fault::not_found());
    }
    let Typed { code, name, email, password, again, organisation, team } = typed;
    let keys = [Key::account("set-up"), Key::address(&address.counted())];
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    let mut errors = FieldErrors::new();
    if let Err(seconds) = throttle::attempt(&app.db, &keys, app.clock.now()).await? {
        status = StatusCode::TOO_MANY_REQUESTS;
        errors.add("code", format!("Too many wrong codes. Wait {seconds} seconds, then try again."));
    } else if app.setup_code.is(&code) {
        throttle::succeeded(&app.db, &keys[0], &keys[1]).await?;
        let given = SetUp {
            name: name.clone(),
            email: email.clone(),
            password,
            again,
            organisation: organisation.clone(),
            team: team.clone(),
        };
        match passwords::set_up(&app.db, app.clock.now(), &given).await {
            Ok(login) => {
                tracing::info!(person = %login.person, "Muster is set up");
                let from = super::login::from(&headers, address);
                let cookie = session::open(&app, &login, &headers, from).await?;
                let mut response = see_other("/");
                response.headers_mut().append(header::SET_COOKIE, cookie);
                return Ok(response);
            }
            Err(error) => errors = field_errors(error)?,
        }
    } else {
        errors.add("code", "This is not the code that was printed at the last start.");
    }
    let form = Refused { values: SetupForm { code, name, email, organisation, team }, errors };
    Ok(plain(&app, &visitor, "Set up", status, move || view! { <Setup form=form/> }))
}
