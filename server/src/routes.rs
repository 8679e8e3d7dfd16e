//! Routes, and the list of them. axum's router cannot be listed, so nothing is added to it
//! except through [`Routes`]: a test then fails when a route has no case in the matrix of
//! who may do what.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, on};
use utoipa_axum::router::OpenApiRouter;

use crate::state::App;

/// Who stands at the door of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Door {
    /// Nobody.
    Public,
    /// A session, else `303 /login`.
    Page,
    /// A bearer token or a session, else 401.
    Api,
}

/// One route of the inventory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// `/agents/{id}`.
    pub path: String,
    /// `GET`.
    pub method: &'static str,
    /// Who stands there.
    pub door: Door,
}

/// Routes behind the three doors.
#[derive(Debug, Default)]
pub struct Routes {
    public: Router<App>,
    page: Router<App>,
    api: Router<App>,
    table: Vec<Route>,
    door: Option<Door>,
}

/// The three routers and the inventory.
#[derive(Debug)]
pub struct Parts {
    /// Open to everybody.
    pub public: Router<App>,
    /// For sessions.
    pub page: Router<App>,
    /// For tokens and sessions.
    pub api: Router<App>,
    /// Every route, in order.
    pub table: Vec<Route>,
}

impl Routes {
    /// Routes that are added next are open to everybody.
    pub fn public() -> Self {
        Self { door: Some(Door::Public), ..Self::default() }
    }

    /// Routes that are added next are pages: they ask for a session.
    pub fn page() -> Self {
        Self { door: Some(Door::Page), ..Self::default() }
    }

    /// Routes that are added next lie under `/api` or `/scim`: they ask for a token or a
    /// session.
    pub fn api() -> Self {
        Self { door: Some(Door::Api), ..Self::default() }
    }

    /// A route that is read.
    #[must_use]
    pub fn get<H: Handler<T, App>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.on(MethodFilter::GET, "GET", path, handler)
    }

    /// A route that changes something.
    #[must_use]
    pub fn post<H: Handler<T, App>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.on(MethodFilter::POST, "POST", path, handler)
    }

    /// A route that replaces something.
    #[must_use]
    pub fn put<H: Handler<T, App>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.on(MethodFilter::PUT, "PUT", path, handler)
    }

    /// A route that changes part of something.
    #[must_use]
    pub fn patch<H: Handler<T, App>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.on(MethodFilter::PATCH, "PATCH", path, handler)
    }

    /// A route that removes something.
    #[must_use]
    pub fn delete<H: Handler<T, App>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.on(MethodFilter::DELETE, "DELETE", path, handler)
    }

    fn on<H: Handler<T, App>, T: 'static>(
        mut self,
        filter: MethodFilter,
        method: &'static str,
        path: &str,
        handler: H,
    ) -> Self {
        let door = self.door.unwrap_or(Door::Page);
        let router = match door {
            Door::Public => &mut self.public,
            Door::Page => &mut self.page,
            Door::Api => &mut self.api,
        };
        *router = std::mem::take(router).route(path, on(filter, handler));
        self.table.push(Route { path: path.to_owned(), method, door });
        self
    }

    /// The documented REST routes: the inventory is read from their OpenAPI document, so
    /// that what is not documented is not served.
    #[must_use]
    pub fn openapi(router: OpenApiRouter<App>) -> Self {
        let (api, document) = router.split_for_parts();
        let mut table = Vec::new();
        for (path, item) in &document.paths.paths {
            let methods = [
                (Method::GET, item.get.is_some()),
                (Method::POST, item.post.is_some()),
                (Method::PUT, item.put.is_some()),
                (Method::PATCH, item.patch.is_some()),
                (Method::DELETE, item.delete.is_some()),
            ];
            for (method, _) in methods.into_iter().filter(|(_, there)| *there) {
                table.push(Route { path: path.clone(), method: name(&method), door: Door::Api });
            }
        }
        Self { api, table, door: Some(Door::Api), ..Self::default() }
    }

    /// These routes and those.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.public = self.public.merge(other.public);
        self.page = self.page.merge(other.page);
        self.api = self.api.merge(other.api);
        self.table.extend(other.table);
        self
    }

    /// The routers and the inventory.
    pub fn into_parts(self) -> Parts {
        let Self { public, page, api, mut table, .. } = self;
        table.sort();
        Parts { public, page, api, table }
    }
}

fn name(method: &Method) -> &'static str {
    match *method {
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "GET",
    }
}
