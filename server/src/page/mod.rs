//! Pages: a view to an answer, in one place, and what a page answers when it cannot.

mod fault;
pub mod flash;
mod form;

use app::components::{Flash, Slot};
use app::islands;
use app::shell::{self, Frame, Layout, Plain, Rendered};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use domain::can::{Action, Relation, can};
use leptos::prelude::*;

use crate::assets;
use crate::signed::{Signed, Visitor};
use crate::state::App;

pub use fault::Fault;
pub(crate) use fault::dress;
pub use form::{Fields, Form, Here, chosen, field_errors};

/// What a page's handler answers.
pub type Answer = Result<Response, Fault>;

/// A page for somebody who is signed in, about to be shown.
#[derive(Debug)]
pub struct Page {
    frame: Frame,
    status: StatusCode,
    secure: bool,
}

impl Page {
    /// A page with its title, its navigation cut to what this person may open.
    pub fn new(app: &App, signed: &Signed, title: impl Into<String>) -> Self {
        let mut frame = framed(&signed.visitor, title);
        for (href, action) in [
            ("/agents/import", Action::ImportRun),
            ("/people", Action::PersonRead),
            ("/teams", Action::PersonRead),
            ("/rules", Action::RuleRead),
            ("/audit", Action::AuditRead),
            ("/policy", Action::PolicyRead),
            ("/settings", Action::SettingsRead),
        ] {
            if can(&signed.actor, action, Relation::None).is_err() {
                frame.nav.hide(href);
            }
        }
        frame.person = Some(shell::Signed {
            name: signed.name.clone(),
            reference: signed.id.to_string(),
            roles: signed.roles.iter().map(|role| role.label().to_owned()).collect(),
        });
        frame.unread = Some(signed.unread);
        frame.nav.waits("/", signed.waiting);
        frame.nav.waits("/approvals", signed.approvals);
        frame.nav.waits("/reviews", signed.reviews);
        frame.nav.waits("/exceptions", signed.exceptions);
        frame.islands = assets::islands_available();
        Self { frame, status: StatusCode::OK, secure: app.config.secure() }
    }

    /// Another status than 200.
    #[must_use]
    pub const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// 422: the same page, with what was typed and what is wrong with it.
    #[must_use]
    pub const fn refused(self) -> Self {
        self.status(StatusCode::UNPROCESSABLE_ENTITY)
    }

    /// A message at its head, instead of what the last press said.
    #[must_use]
    pub fn flash(mut self, flash: Flash) -> Self {
        self.frame.flash = Some(flash);
        self
    }

    /// Renders it.
    pub fn show<V: IntoView + 'static>(self, view: impl FnOnce() -> V + Send + 'static) -> Response {
        self.laid_out(Slot::from(move || view().into_view()))
    }

    fn laid_out(self, page: Slot) -> Response {
        let Self { frame, status, secure } = self;
        let told = frame.flash.is_some();
        // Its own island is on every page, so that every page can be left by a few letters.
        let alive = frame.islands.then(|| frame.nav.clone());
        let palette = move || alive.map(|nav| islands::palette(&nav));
        let rendered = shell::render(move || view! { <Layout frame=frame palette=palette>{page.run()}</Layout> });
        sent(rendered, status, told, secure)
    }
}

/// A page without navigation, for who is not signed in: sign-in, set-up, what went wrong
/// before anybody was known.
pub fn plain<V: IntoView + 'static>(
    app: &App,
    visitor: &Visitor,
    title: &str,
    status: StatusCode,
    view: impl FnOnce() -> V + Send + 'static,
) -> Response {
    let frame = framed(visitor, title);
    bare(frame, Slot::from(move || view().into_view()), status, app.config.secure())
}

fn bare(frame: Frame, page: Slot, status: StatusCode, secure: bool) -> Response {
    let told = frame.flash.is_some();
    let rendered = shell::render(move || view! { <Plain frame=frame>{page.run()}</Plain> });
    sent(rendered, status, told, secure)
}

fn framed(visitor: &Visitor, title: impl Into<String>) -> Frame {
    let mut frame = Frame::new(title, visitor.here.clone());
    frame.theme = visitor.theme;
    frame.flash.clone_from(&visitor.flash);
    assets::version().clone_into(&mut frame.version);
    frame
}

fn sent(rendered: Rendered, status: StatusCode, told: bool, secure: bool) -> Response {
    let policy = HeaderValue::from_str(&rendered.content_security_policy());
    let mut response = (status, Html(rendered.html)).into_response();
    if let Ok(policy) = policy {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if told {
        response.headers_mut().append(header::SET_COOKIE, flash::forget(secure));
    }
    response
}

/// 303: what was asked is done, and this is where to go on.
pub fn see_other(to: impl AsRef<str>) -> Response {
    let to = HeaderValue::from_str(to.as_ref()).unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// 303, with a message at the head of the next page.
pub fn see_other_saying(app: &App, to: impl AsRef<str>, flash: &Flash) -> Response {
    let mut response = see_other(to);
    response.headers_mut().append(header::SET_COOKIE, flash::write(flash, app.config.secure()));
    response
}

/// An address of this site, for what a form or a link says to go to next: anything else
/// is home, so that a link cannot send people away after they signed in.
pub fn local(next: &str) -> &str {
    let within = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.chars().any(char::is_control)
        && next.is_ascii()
        && next.len() <= 2000;
    if within { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn next_stays_on_this_site() {
        for good in ["/", "/agents?q=a%20b&x=//y", "/agents/AG-1#raci"] {
            assert_eq!(local(good), good);
        }
        for bad in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "evil", "/é"]
        {
            assert_eq!(local(bad), "/", "{bad}");
        }
    }
}
