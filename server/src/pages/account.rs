//! `/account`: one's own password and sessions.

use app::account::{Account, Me, SessionLine};
use app::components::{FieldErrors, Flash};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use domain::can::{Action, Relation, can};
use leptos::prelude::*;
use register::{calendar, passwords, reach, sessions};
use serde::Deserialize;

use crate::App;
use crate::notes::Secret;
use crate::page::{Answer, Form, Page, field_errors, see_other_saying};
use crate::routes::Routes;
use crate::session;
use crate::signed::{Address, Signed};

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/account", show)
        .post("/account", change_password)
        .post("/account/sessions/{session}/revoke", revoke)
}

async fn show(State(app): State<App>, signed: Signed) -> Answer {
    account(&app, &signed, FieldErrors::new()).await
}

async fn account(app: &App, signed: &Signed, errors: FieldErrors) -> Answer {
    let lines = sessions::list(&app.db, signed.by(), Some(signed.id)).await?;
    let lines = lines
        .into_iter()
        .map(|s| SessionLine {
            current: s.public_id == signed.session,
            browser: browser(&s.user_agent),
            id: s.public_id,
            address: s.address,
            opened: s.created_at,
            seen: s.seen_at,
        })
        .collect::<Vec<_>>();
    let mine = |s: &Secret| matches!(s, Secret::Calendar { person, .. } if *person == signed.id);
    let calendar_url = match app.notes.take(&signed.session, mine, signed.now) {
        Some(Secret::Calendar { url, .. }) => Some(url),
        _ => None,
    };
    let me = Me {
        name: signed.name.clone(),
        reference: signed.id.to_string(),
        email: signed.email.clone(),
        roles: signed.roles.iter().map(|role| role.label().to_owned()).collect(),
        calendar: calendar::link(&app.db, signed.by()).await?,
        calendar_url,
        may_calendar: can(&signed.actor, Action::CalendarWrite, Relation::Owner).is_ok(),
        tests: reach::open_tests(&app.db, signed.id, signed.now).await?.into_iter().map(super::reach::test).collect(),
    };
    let (theme, now) = (signed.visitor.theme, signed.now);
    let mut page = Page::new(app, signed, "Your account");
    if !errors.is_empty() {
        page = page.refused();
    }
    Ok(page.show(move || view! { <Account me=me sessions=lines theme=theme errors=errors now=now/> }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Passwords {
    present: String,
    new: String,
    again: String,
}

async fn change_password(
    State(app): State<App>,
    signed: Signed,
    address: Address,
    headers: HeaderMap,
    Form(typed): Form<Passwords>,
) -> Answer {
    let done = passwords::change(&app.db, signed.by(), &typed.present, &typed.new, &typed.again).await;
    if let Err(error) = done {
        return account(&app, &signed, field_errors(error)?).await;
    }
    // Every session ended with the old password; who changed it goes on in a new one.
    let Some(login) = passwords::login(&app.db, &signed.email).await? else {
        return Err(crate::page::Fault::conflict("Sign in again."));
    };
    let cookie = session::open(&app, &login, &headers, super::login::from(&headers, address)).await?;
    let flash = Flash::good("Your password is changed. Every other session of yours has ended.");
    let mut response = see_other_saying(&app, "/account", &flash);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

async fn revoke(State(app): State<App>, signed: Signed, Path(public_id): Path<String>) -> Answer {
    let owner = sessions::revoke(&app.db, signed.by(), &public_id).await?;
    let back = if owner == signed.id { "/account".to_owned() } else { format!("/people/{owner}") };
    Ok(see_other_saying(&app, back, &Flash::good("The session has ended.")))
}

/// Browser and system, in a few words: what a person recognises of what browsers say.
pub(super) fn browser(user_agent: &str) -> String {
    let first = |known: &[(&str, &'static str)]| {
        known.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "an unknown program".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_are_recognised() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0";
        assert_eq!(browser(edge), "Edge on Windows");
        assert_eq!(browser("curl/8.0"), "curl");
        assert_eq!(browser(""), "an unknown program");
    }
}
