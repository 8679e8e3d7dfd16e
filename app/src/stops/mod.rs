//! How an agent is stopped: each surface's method, the drills that show it, the stop card; and
//! everything that uses one thing, stopped at once.

mod card;
mod drills;
pub mod page;
pub mod radius;
mod surfaces;

pub use drills::{said, testimony};
pub use page::{CardShown, Past, StepShown, Stops, StopsPage, SurfaceShown};
pub(crate) use radius::shared;
pub use radius::{Everything, PressForm, RadiusPage, Under, count_words, href_of_uses};

use crate::components::Choice;

/// Why an agent is stopped, ready to be pressed: nobody types under stress.
pub const REASONS: [&str; 4] = [
    "It acts outside its task.",
    "Its credentials may be in other hands.",
    "It harms people or data.",
    "An incident asks for it.",
];

fn reasons() -> Vec<Choice> {
    REASONS.map(|reason| Choice::new(reason, reason)).to_vec()
}

/// As typed or pressed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StopForm {
    /// `method`, `drill` or `rehearse`.
    pub what: String,
    /// Which surface.
    pub surface: String,
    /// `manual` or `webhook`.
    pub kind: String,
    /// What people do.
    pub procedure: String,
    /// What Muster calls.
    pub url: String,
    /// How long the callback is awaited, in seconds.
    pub timeout: String,
    /// How long it took, in seconds.
    pub seconds: String,
    /// Who watched.
    pub witness: String,
    /// What is to be known of it.
    pub note: String,
    /// Why it is stopped, in one's own words.
    pub reason: String,
    /// What a review found.
    pub review: String,
}
