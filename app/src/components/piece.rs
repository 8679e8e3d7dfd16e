//! A part of a page that is already written.
//!
//! A view's type holds its whole markup, and Leptos erases it by keeping every way there is to
//! render it: streamed, resolved, built. A page here is rendered one way, at once. So a part is
//! written as soon as it is whole, and what goes up is text: the compiler makes one function of
//! a part instead of nine (a release build of this crate took 7 minutes of processor time).

use leptos::children::{ChildrenOptContainer, ToChildren};
use leptos::prelude::*;

/// A part of a page: on the server its text, in the browser a view.
#[cfg(feature = "ssr")]
pub type Piece = leptos::tachys::html::InertElement;
/// A part of a page: on the server its text, in the browser a view.
#[cfg(not(feature = "ssr"))]
pub type Piece = AnyView;

/// Makes a part of a page of a view: `view! { … }.piece()`.
pub trait IntoPiece {
    /// The part.
    fn piece(self) -> Piece;
}

#[cfg(feature = "ssr")]
impl<V: RenderHtml> IntoPiece for V {
    fn piece(self) -> Piece {
        Piece::new(self.to_html())
    }
}

#[cfg(not(feature = "ssr"))]
impl<V: RenderHtml + Send + 'static> IntoPiece for V {
    fn piece(self) -> Piece {
        self.into_any()
    }
}

/// What is put into a component: its children, or a named part of it.
pub struct Slot(Box<dyn FnOnce() -> Piece + Send>);

impl Slot {
    /// Makes it.
    pub fn run(self) -> Piece {
        (self.0)()
    }
}

impl<F, V> From<F> for Slot
where
    F: FnOnce() -> V + Send + 'static,
    V: RenderHtml + Send + 'static,
{
    fn from(make: F) -> Self {
        Self(Box::new(move || make().piece()))
    }
}

impl<F, V> ToChildren<F> for Slot
where
    F: FnOnce() -> V + Send + 'static,
    V: RenderHtml + Send + 'static,
{
    fn to_children(make: F) -> Self {
        Self::from(make)
    }
}

impl<V: RenderHtml + Send + 'static> ToChildren<ChildrenOptContainer<V>> for Slot {
    fn to_children(ready: ChildrenOptContainer<V>) -> Self {
        Self::from(move || ready.0)
    }
}
