//! Who asks: what the doors found out, for handlers to take.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

use app::components::Flash;
use app::shell::Theme;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use chrono::{DateTime, Utc};
use domain::can::{Actor, Scope};
use domain::id::{PersonId, TokenId};
use domain::party::Roles;
use register::By;
use register::sessions::Found;

use crate::config::Config;
use crate::page::{Fault, flash};
use crate::problem::Problem;
use crate::session::cookie;

/// The cookie that keeps light or dark.
pub const THEME_COOKIE: &str = "muster_theme";

/// A person who is signed in, looking at a page. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Signed(Arc<Person>);

/// What a page knows of who looks at it.
#[derive(Debug)]
pub struct Person {
    /// Who acts.
    pub actor: Actor,
    /// Their reference.
    pub id: PersonId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their roles.
    pub roles: Roles,
    /// How much waits for them at home.
    pub waiting: u64,
    /// How many approvals and other decisions about an agent's life wait for them.
    pub approvals: u64,
    /// How many reviews wait for them.
    pub reviews: u64,
    /// How many decisions about exceptions wait for them.
    pub exceptions: u64,
    /// How many notices they have not read, up to 100.
    pub unread: u64,
    /// What this session is called where sessions are listed.
    pub session: String,
    /// When they asked: one moment for the whole request.
    pub now: DateTime<Utc>,
    /// Where they are and how they like it.
    pub visitor: Visitor,
}

impl Deref for Signed {
    type Target = Person;
    fn deref(&self) -> &Person {
        &self.0
    }
}

impl Signed {
    /// Whose session was found, looking at a page now.
    pub(crate) fn of(found: Found, now: DateTime<Utc>, visitor: Visitor) -> Self {
        let Found { public_id, person, name, email, roles, waiting, approvals, reviews, exceptions, unread, .. } =
            found;
        Self(Arc::new(Person {
            actor: Actor::person(person, roles),
            id: person,
            name,
            email,
            roles,
            waiting: u64::try_from(waiting).unwrap_or(0),
            approvals: u64::try_from(approvals).unwrap_or(0),
            reviews: u64::try_from(reviews).unwrap_or(0),
            exceptions: u64::try_from(exceptions).unwrap_or(0),
            unread: u64::try_from(unread).unwrap_or(0),
            session: public_id,
            now,
            visitor,
        }))
    }

    /// Who and when, as every use case is given it.
    pub fn by(&self) -> By<'_> {
        By { actor: &self.actor, now: self.now }
    }
}

/// The door of pages puts it there; a route behind another door has nobody signed in.
impl<S: Send + Sync> FromRequestParts<S> for Signed {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Fault::broken("a page is served outside its door"))
    }
}

/// What any request to a page says, signed in or not.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// The page's own path and query.
    pub here: String,
    /// Light or dark.
    pub theme: Theme,
    /// What the last press did.
    pub flash: Option<Flash>,
}

impl Visitor {
    pub(crate) fn of(parts: &Parts) -> Self {
        let told = cookie::get(&parts.headers, flash::COOKIE).and_then(flash::read);
        Self { flash: told, ..Self::at(&parts.uri, Self::theme(&parts.headers)) }
    }

    /// Without what the last press said.
    pub(crate) fn at(uri: &Uri, theme: Theme) -> Self {
        let here = uri.path_and_query().map_or("/", |here| here.as_str()).to_owned();
        Self { here, theme, flash: None }
    }

    pub(crate) fn theme(headers: &HeaderMap) -> Theme {
        cookie::get(headers, THEME_COOKIE).map_or(Theme::System, Theme::parse)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

/// Who calls the API.
#[derive(Debug, Clone)]
pub struct ApiActor {
    /// Who acts, within a token's scopes if it is one.
    pub actor: Actor,
    /// The token in use; `None` for a browser's session.
    pub token: Option<TokenId>,
    /// When they asked: one moment for the whole request.
    pub now: DateTime<Utc>,
}

impl ApiActor {
    /// Who and when, as every use case is given it.
    pub fn by(&self) -> By<'_> {
        By { actor: &self.actor, now: self.now }
    }

    /// Refuses a token without the scope. A session has no scopes: its roles decide.
    pub fn needs(&self, scope: Scope) -> Result<(), Problem> {
        if register::tokens::allows(&self.actor, scope) {
            return Ok(());
        }
        Err(Problem::new(crate::problem::Kind::Forbidden, format!("This needs a token with the scope {scope}.")))
    }
}

/// The door of the API puts it there.
impl<S: Send + Sync> FromRequestParts<S> for ApiActor {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unauthorized)
    }
}

/// Where a request comes from: the peer, or what the last trusted proxy says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The address; `None` when nobody knows, as in a test without a connection.
    pub ip: Option<IpAddr>,
    /// It is this machine, and no proxy passed the request on.
    pub local: bool,
}

impl Address {
    /// Reads it from the connection and, where proxies are trusted, `X-Forwarded-For`.
    pub fn of(config: &Config, headers: &HeaderMap, peer: Option<SocketAddr>) -> Self {
        let forwarded: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        let passed_on = !forwarded.is_empty() || headers.contains_key("forwarded");
        let peer = peer.map(|peer| peer.ip().to_canonical());
        // Each proxy adds who spoke to it, at the end: the n-th from the end is what the
        // outermost of ours saw. Anything before that is the client's own claim.
        let claimed = config.trusted_proxies.checked_sub(1).and_then(|before| {
            let at = forwarded.len().checked_sub(before + 1)?;
            forwarded.get(at)?.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
        });
        let ip = claimed.or(peer);
        Self { ip, local: !passed_on && ip.is_some_and(|ip| ip.is_loopback()) }
    }

    /// As failures are counted.
    pub fn counted(self) -> String {
        self.ip.map_or_else(|| "unknown".to_owned(), crate::config::network)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.ip.map_or(Ok(()), |ip| ip.fmt(f))
    }
}

impl FromRequestParts<crate::state::App> for Address {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, app: &crate::state::App) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
        Ok(Self::of(&app.config, &parts.headers, peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(proxies: usize, forwarded: Option<&str>, peer: &str) -> Address {
        let config = Config {
            base_url: "http://a.b".parse().unwrap(),
            trusted_proxies: proxies,
            intake_per_s: 1,
            allow_private_targets: false,
            mail: None,
        };
        let mut headers = HeaderMap::new();
        if let Some(forwarded) = forwarded {
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        }
        Address::of(&config, &headers, Some(SocketAddr::new(peer.parse().unwrap(), 1)))
    }

    #[test]
    fn a_client_cannot_choose_its_address() {
        assert_eq!(address(0, Some("1.2.3.4"), "127.0.0.1").to_string(), "127.0.0.1");
        assert!(!address(0, Some("1.2.3.4"), "127.0.0.1").local, "a proxy on this machine passes others on");
        assert!(address(0, None, "127.0.0.1").local);
        assert_eq!(address(1, Some("9.9.9.9, 1.2.3.4"), "127.0.0.1").to_string(), "1.2.3.4");
        assert_eq!(address(2, Some("9.9.9.9, 1.2.3.4, 10.0.0.1"), "127.0.0.1").to_string(), "1.2.3.4");
        assert_eq!(address(1, None, "10.0.0.1").to_string(), "10.0.0.1");
    }
}
