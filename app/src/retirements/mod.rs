//! Retirement: the board, the form that starts one, the checklist and the tombstone it leaves.

pub mod board;
pub mod page;
pub mod rows;
pub mod start;

pub use board::{Board, BoardPage, Line, Next};
pub use page::{RetirementPage, Shown, Signature};
pub use rows::{Answer, Row};
pub use start::{Start, StartForm, StartPage};

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle as State;
use domain::id::AgentId;
use domain::party::Party as Who;
use domain::request::RequestState;
use leptos::prelude::*;

use crate::components::{IntoPiece, Notice, Piece, Tone, When};

/// What was pressed on a retirement's page, as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetireForm {
    /// `done`, `waive`, `sign`, `refuse`, `waive-signature` or `withdraw`.
    pub what: String,
    /// The row or the signature it is about.
    pub place: String,
    /// Where the evidence is said to be.
    pub link: String,
    /// The system's answer that is cited.
    pub delivery: String,
    /// What is to be known of it.
    pub note: String,
    /// Why.
    pub reason: String,
}

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    /// The agent and its name.
    pub agent: (AgentId, String),
    /// Who saw it.
    pub source: String,
    /// Where it was in its life.
    pub state: State,
    /// When it was first seen, and last.
    pub seen: (DateTime<Utc>, DateTime<Utc>),
}

/// The loudest thing on these pages: something acts as an agent that is dead.
pub fn signs(list: &[Sign], now: DateTime<Utc>) -> Option<Piece> {
    if list.is_empty() {
        return None;
    }
    let lines = list
        .iter()
        .map(|s| {
            let (id, name) = s.agent.clone();
            let (first, last) = s.seen;
            let was = if s.state == State::Retired { "is retired" } else { "was stopped for good" };
            let again = (first != last).then(|| view! { ", first " <When at=first now=now/> });
            view! {
                <li>
                    <a href=format!("/agents/{id}") dir="auto">{name}</a> " " <span class="ref">{id.to_string()}</span>
                    " " {was} ", and " <strong dir="auto">{s.source.clone()}</strong> " says that it runs: last " <When at=last now=now/> {again} ". "
                    <a href=format!("/agents/{id}/stop")>"How it is stopped"</a>
                </li>
            }
            .piece()
        })
        .collect_view();
    Some(view! { <Notice tone=Tone::Severe title="A sign of life"><ul>{lines}</ul></Notice> }.piece())
}

/// The tone of a retirement's state.
pub(crate) fn tone(state: RequestState) -> Tone {
    match state {
        RequestState::Open => Tone::Note,
        RequestState::Approved | RequestState::Completed => Tone::Good,
        RequestState::Rejected | RequestState::Lapsed => Tone::Bad,
        RequestState::Voided | RequestState::Withdrawn => Tone::Plain,
    }
}

/// A retirement's state in its own words.
pub(crate) const fn words(state: RequestState) -> &'static str {
    match state {
        RequestState::Open => "Under way",
        RequestState::Approved | RequestState::Completed => "Retired",
        RequestState::Rejected => "A signer refused",
        RequestState::Withdrawn => "Taken back",
        RequestState::Voided => "Void: something was added to the agent",
        RequestState::Lapsed => "Lapsed",
    }
}

/// A party by name, with its link; nobody while there is none.
pub(crate) fn party(of: Option<(Who, String)>) -> Piece {
    match of {
        Some((who, name)) => view! { <a href=who.path() dir="auto">{name}</a> }.piece(),
        None => view! { <span class="vacant">"nobody"</span> }.piece(),
    }
}
