//! Import: sending an inventory, saying what its columns mean, seeing what would change,
//! and what was done.

pub mod columns;
pub mod difference;
pub mod done;
pub mod start;

use chrono::{DateTime, Utc};
use domain::id::{PersonId, WaveId};
use domain::import::Field;
use leptos::prelude::*;

pub use columns::{ColumnRow, Columns, FixedRow, MapColumns, Seen, ValueMap, ValueRow, WaveForm};
pub use difference::{Coming, Difference, DifferencePage, Row, Tab};
pub use done::{Done, DonePage};
pub use start::{ImportPage, Start, Waiting, WaveLine};

use crate::components::{Choice, IntoPiece, thousands};

/// How many rows of each sort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All rows with something in them.
    pub rows: u64,
    /// Rows that become agents.
    pub new: u64,
    /// Rows that change an agent.
    pub changed: u64,
    /// Rows that change nothing.
    pub unchanged: u64,
    /// Rows that cannot be taken.
    pub refused: u64,
}

/// Who answers for a wave, and until when its gaps may wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaveTerms {
    /// Who.
    pub owner: Option<(PersonId, String)>,
    /// Until when.
    pub target: DateTime<Utc>,
}

/// The steps of an import, where one is in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Columns,
    Difference,
    Done,
}

/// The way through an import: what was done leads back, what comes does not lead on.
pub(crate) fn steps(id: &str, now: Step) -> impl IntoView + use<> {
    let words =
        [(Step::Columns, "Columns", ""), (Step::Difference, "Difference", "/diff"), (Step::Done, "Imported", "/done")];
    let items = words
        .into_iter()
        .map(|(step, words, path)| {
            let current = (step == now).then_some("step");
            let back = step < now && now != Step::Done;
            let inner = if back {
                view! { <a href=format!("/agents/import/{id}{path}")>{words}</a> }.piece()
            } else {
                words.piece()
            };
            view! { <li aria-current=current class=if step < now { "passed" } else { "" }>{inner}</li> }
        })
        .collect_view();
    view! { <ol class="steps" aria-label="Steps of this import">{items}</ol> }
}

/// The wave's reference as a link to the agents that came with it.
pub(crate) fn wave_link(wave: WaveId) -> impl IntoView + use<> {
    view! { <a class="ref" href=format!("/agents?wave={wave}")>{wave.to_string()}</a> }
}

/// `1 row`, `2,133 rows`.
pub(crate) fn rows(n: u64) -> String {
    if n == 1 { "1 row".to_owned() } else { format!("{} rows", thousands(n)) }
}

/// What a column can become, by the key that the form sends.
pub fn targets() -> Vec<Choice> {
    let mut out = vec![Choice::new("", "Left out")];
    out.extend(Field::ALL.iter().map(|f| Choice::new(f.key(), f.label()).group("Facts")));
    out.extend(
        domain::duty::Duty::ALL
            .iter()
            .map(|d| Choice::new(format!("owner:{d}"), d.owner_title()).group("Owners, matched to people")),
    );
    for (key, label) in [("team:built_by", "Built by"), ("team:operated_by", "Operated by")] {
        out.push(Choice::new(key, label).group("Teams"));
    }
    out.push(Choice::new("tools", "Tools").group("Lists"));
    out.extend(domain::agent::CredentialKind::ALL.iter().map(|k| {
        Choice::new(format!("credentials:{k}"), format!("Credentials: {}", k.label().to_lowercase())).group("Lists")
    }));
    out.push(Choice::new("label", "Label").group("Other"));
    out.push(Choice::new("id", "Reference in another system").group("Other"));
    out
}
