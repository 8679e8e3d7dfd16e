//! A view to a document: the one place where Leptos is given an owner on the server.

use std::sync::Arc;

use hydration_context::SsrSharedContext;
use leptos::nonce::{provide_nonce, use_nonce};
use leptos::prelude::*;

/// A document, and the nonce its scripts carry.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The whole document.
    pub html: String,
    /// For the content security policy; new for every document.
    pub nonce: String,
}

impl Rendered {
    /// The content security policy that this document asks for.
    pub fn content_security_policy(&self) -> String {
        format!(
            "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; style-src 'self'; \
             connect-src 'self'; img-src 'self'; font-src 'self'; \
             script-src 'nonce-{}' 'strict-dynamic' 'wasm-unsafe-eval'",
            self.nonce
        )
    }
}

/// Renders a page: `render(|| view! { <Layout frame=frame>…</Layout> })`. Synchronous: a page is
/// given all that it shows.
pub fn render<V: IntoView>(page: impl FnOnce() -> V) -> Rendered {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
    let rendered = owner.with(|| {
        provide_nonce();
        let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
        Rendered { html: page().into_view().to_html(), nonce }
    });
    owner.unset_with_forced_cleanup();
    rendered
}
