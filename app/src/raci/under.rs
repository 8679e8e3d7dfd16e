//! What stands above an agent's matrix: the model that filled it, and why control points
//! lie in one hand.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use crate::components::{Day, IntoPiece, Notice, Piece, Tone};

/// Why control points lie in one hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Justified {
    /// Why.
    pub words: String,
    /// Who said so, by name.
    pub by: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// Until when it holds.
    pub until: DateTime<Utc>,
    /// It does not hold any more.
    pub ended: bool,
}

/// What is known of the model of a matrix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Under {
    /// The model that was applied last: its name, who applied it, when.
    pub model: Option<(&'static str, String, DateTime<Utc>)>,
    /// Why control points lie in one hand.
    pub justification: Option<Justified>,
}

pub(super) fn shown(under: &Under) -> Piece {
    let model = under.model.clone().map(|(model, by, at)| {
        view! { <p class="small muted">"Filled by the model " <strong>{model}</strong> " on " <Day at=at/> ", applied by " <span dir="auto">{by}</span> ". What somebody changed since stands."</p> }
    });
    let justification = under.justification.clone().map(|j| {
        let tone = if j.ended { Tone::Warn } else { Tone::Note };
        let title =
            if j.ended { "The justification for one hand has ended" } else { "Several control points in one hand" };
        let until = j.until;
        let end = if j.ended {
            view! { "It ended on " <Day at=until/> ". " }.piece()
        } else {
            view! { "It holds until " <Day at=until/> ". " }.piece()
        };
        view! {
            <Notice tone=tone title=title>
                <p dir="auto">{format!("“{}”", j.words)}</p>
                <p class="small muted">{end}<span dir="auto">{j.by}</span> " wrote it on " <Day at=j.made_at/> "."</p>
            </Notice>
        }
    });
    view! { {justification}{model} }.piece()
}
