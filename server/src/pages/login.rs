//! `/login` and `POST /logout`.

use app::components::Refused;
use app::login::{Login, LoginForm};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use leptos::prelude::*;
use register::passwords;
use register::sessions::From;
use register::throttle::{self, Key};
use serde::Deserialize;

use crate::page::{Answer, Form, Here, local, plain, see_other};
use crate::routes::Routes;
use crate::session::{self, cookie};
use crate::signed::{Address, Signed, Visitor};
use crate::{App, metrics};

pub(super) fn routes() -> Routes {
    Routes::public().get("/login", show).post("/login", sign_in).and(Routes::page().post("/logout", sign_out))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    email: String,
    password: String,
    next: String,
}

async fn show(State(app): State<App>, visitor: Visitor, here: Here, headers: HeaderMap) -> Answer {
    if !app.has_people().await? {
        return Ok(see_other("/setup"));
    }
    let next = local(here.get("next").unwrap_or("/")).to_owned();
    if session::of(&app, &headers).await?.is_some() {
        return Ok(see_other(next));
    }
    let ended = cookie::get(&headers, session::COOKIE).is_some_and(|id| !id.is_empty());
    let form = Refused::fresh(LoginForm { email: String::new(), next });
    Ok(plain(&app, &visitor, "Sign in", StatusCode::OK, move || view! { <Login form=form ended=ended/> }))
}

async fn sign_in(
    State(app): State<App>,
    visitor: Visitor,
    address: Address,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Answer {
    let keys = [Key::account(&typed.email), Key::address(&address.counted())];
    let now = app.clock.now();
    if let Err(seconds) = throttle::attempt(&app.db, &keys, now).await? {
        metrics::sign_in("throttled");
        tracing::warn!(%address, seconds, "a sign-in was told to wait");
        let wait =
            if seconds > 90 { format!("{} minutes", seconds.div_euclid(60) + 1) } else { format!("{seconds} seconds") };
        let sentence = format!("Too many sign-ins failed. Wait {wait}, then try again.");
        let mut response = refused(&app, &visitor, typed, StatusCode::TOO_MANY_REQUESTS, "", sentence);
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        return Ok(response);
    }
    let Some(login) = passwords::sign_in(&app.db, &typed.email, &typed.password).await? else {
        metrics::sign_in("wrong");
        tracing::warn!(%address, "a sign-in failed");
        let sentence = "The e-mail address or the password is wrong.".to_owned();
        return Ok(refused(&app, &visitor, typed, StatusCode::UNPROCESSABLE_ENTITY, "password", sentence));
    };
    throttle::succeeded(&app.db, &keys[0], &keys[1]).await?;
    metrics::sign_in("good");
    let cookie = session::open(&app, &login, &headers, from(&headers, address)).await?;
    let mut response = see_other(local(&typed.next));
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

fn refused(
    app: &App,
    visitor: &Visitor,
    typed: Typed,
    status: StatusCode,
    field: &'static str,
    sentence: String,
) -> Response {
    let email = typed.email.chars().take(254).collect();
    let mut form = Refused::fresh(LoginForm { email, next: local(&typed.next).to_owned() });
    form.errors.add(field, sentence);
    plain(app, visitor, "Sign in", status, move || view! { <Login form=form/> })
}

/// Where a session is opened from.
pub(super) fn from(headers: &HeaderMap, address: Address) -> From {
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    From { user_agent: user_agent.to_owned(), address: address.to_string() }
}

async fn sign_out(State(app): State<App>, _: Signed, headers: HeaderMap) -> Answer {
    let cookie = session::close(&app, &headers).await?;
    let mut response = see_other("/login");
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}
