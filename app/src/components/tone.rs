//! How good or bad something is. A state always has a word, a shape and a colour: the shape and
//! the colour come from its [`Tone`], the word is the text.

use std::str::FromStr;

use leptos::prelude::*;

use super::piece::Slot;

/// From loudest to quietest. `Severe` is kept for what cannot wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Octagon, solid red.
    Severe,
    /// Diamond, red.
    Bad,
    /// Triangle, amber.
    Warn,
    /// Half circle, teal: under way, or worth knowing.
    Note,
    /// Full circle, green.
    Good,
    /// Hollow circle, grey.
    #[default]
    Plain,
    /// A dash: out of the game.
    Off,
}

impl Tone {
    /// Its class name.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Severe => "severe",
            Self::Bad => "bad",
            Self::Warn => "warn",
            Self::Note => "note",
            Self::Good => "good",
            Self::Plain => "plain",
            Self::Off => "off",
        }
    }

    /// The classes of a badge of this tone.
    pub(crate) const fn badge(self) -> &'static str {
        match self {
            Self::Severe => "badge severe",
            Self::Bad => "badge bad",
            Self::Warn => "badge warn",
            Self::Note => "badge note",
            Self::Good => "badge good",
            Self::Plain => "badge plain",
            Self::Off => "badge off",
        }
    }
}

/// A state as it is shown in every row of every list: no allocation but the page's own.
fn state_badge(tone: Tone, word: &'static str) -> impl IntoView {
    view! { <span class=tone.badge()>{word}</span> }
}

/// What a key of a vocabulary is called; a key of none is its own name.
fn word<T: FromStr>(key: &'static str, label: impl Fn(T) -> &'static str) -> &'static str {
    key.parse().map_or(key, label)
}

/// A state: shape, colour and a word.
#[component]
pub fn Badge(
    /// How good or bad.
    #[prop(optional)]
    tone: Tone,
    /// The word.
    children: Slot,
) -> impl IntoView {
    view! { <span class=tone.badge()>{children.run()}</span> }
}

/// The shape of a tone alone, beside a word (legends, notices).
#[component]
pub fn Swatch(
    /// How good or bad.
    tone: Tone,
) -> impl IntoView {
    view! { <span class=format!("swatch {}", tone.class()) aria-hidden="true"></span> }
}

/// The word and the tone of a state of life.
pub(crate) fn life_words(state: &'static str) -> (&'static str, Tone) {
    let tone = match state {
        "active" => Tone::Good,
        "discovered" | "suspended" | "retiring" => Tone::Warn,
        "proposed" | "approved" => Tone::Note,
        "retired" => Tone::Off,
        _ => Tone::Plain,
    };
    (word(state, domain::agent::Lifecycle::label), tone)
}

/// The life of an agent: `draft`, `active`, ….
#[component]
pub fn Lifecycle(
    /// The key of the state, as in the API.
    state: &'static str,
) -> impl IntoView {
    let (word, tone) = life_words(state);
    state_badge(tone, word)
}

/// The words and the tone of a runtime-owner state key: `none`, `inactive`, `pending`, `unable`,
/// `untested`, `verified`; anything else is shown as not counted.
pub fn stop_state_words(state: &str) -> (&'static str, Tone) {
    match state {
        "none" => ("Nobody", Tone::Severe),
        "inactive" => ("Owner gone", Tone::Bad),
        "unable" => ("No means", Tone::Warn),
        "pending" => ("Offered", Tone::Plain),
        "untested" => ("Untested", Tone::Note),
        "verified" => ("Verified", Tone::Good),
        _ => ("Not counted", Tone::Off),
    }
}

/// Whether somebody can stop the agent: the state of its runtime owner.
#[component]
pub fn StopState(
    /// The key of the state, as in the API.
    state: &'static str,
) -> impl IntoView {
    let (word, tone) = stop_state_words(state);
    state_badge(tone, word)
}

/// The word and the tone of whether an agent runs.
pub(crate) fn running_words(state: &str) -> (&'static str, Tone) {
    match state {
        "yes" => ("Runs", Tone::Good),
        "no" => ("Does not run", Tone::Plain),
        _ => ("May run", Tone::Warn),
    }
}

/// Whether an agent runs: `yes`, `no`, `unknown`. Unknown counts as yes, and says so.
#[component]
pub fn RunningState(
    /// The key, as in the API.
    state: &'static str,
) -> impl IntoView {
    let (word, tone) = running_words(state);
    state_badge(tone, word)
}

/// The word and the class of a tier.
pub(crate) fn tier_words(tier: &'static str) -> (&'static str, &'static str) {
    let level = match tier {
        "low" => "level l1",
        "moderate" => "level l2",
        "high" => "level l3",
        "critical" => "level l4",
        _ => "level l0",
    };
    (word(tier, domain::tier::Tier::label), level)
}

/// The risk tier: four bars and a word.
#[component]
pub fn Tier(
    /// `low`, `moderate`, `high`, `critical`.
    tier: &'static str,
) -> impl IntoView {
    let (word, level) = tier_words(tier);
    view! { <span class=level>{word}</span> }
}

/// The severity of an alert or a finding: four bars and a word.
#[component]
pub fn Severity(
    /// `info`, `low`, `medium`, `high`, `critical`.
    severity: &'static str,
) -> impl IntoView {
    let level = match severity {
        "low" => "level l1",
        "medium" => "level l2",
        "high" => "level l3",
        "critical" => "level l4",
        _ => "level l0",
    };
    view! { <span class=level>{word(severity, domain::finding::Severity::label)}</span> }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_a_word_and_a_shape() {
        assert_eq!(view! { <StopState state="none"/> }.to_html(), r#"<span class="badge severe">Nobody</span>"#);
        assert_eq!(view! { <Tier tier="critical"/> }.to_html(), r#"<span class="level l4">Critical</span>"#);
        assert!(view! { <Lifecycle state="<script>"/> }.to_html().contains("&lt;script&gt;"));
    }
}
