//! How good or bad something is. A state always has a word, a shape and a colour: the shape and
//! the colour come from its [`Tone`], the word is the text.

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
    view! { <span class=format!("badge {}", tone.class())>{children.run()}</span> }
}

/// The shape of a tone alone, beside a word (legends, notices).
#[component]
pub fn Swatch(
    /// How good or bad.
    tone: Tone,
) -> impl IntoView {
    view! { <span class=format!("swatch {}", tone.class()) aria-hidden="true"></span> }
}

/// The life of an agent: `draft`, `active`, ….
#[component]
pub fn Lifecycle(
    /// The key of the state, as in the API.
    #[prop(into)]
    state: String,
) -> impl IntoView {
    let tone = match state.as_str() {
        "active" => Tone::Good,
        "discovered" | "suspended" | "retiring" => Tone::Warn,
        "proposed" | "approved" => Tone::Note,
        "retired" => Tone::Off,
        _ => Tone::Plain,
    };
    view! { <Badge tone=tone>{sentence_case(&state)}</Badge> }
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
    #[prop(into)]
    state: String,
) -> impl IntoView {
    let (word, tone) = stop_state_words(&state);
    view! { <Badge tone=tone>{word}</Badge> }
}

/// Whether an agent runs: `yes`, `no`, `unknown`. Unknown counts as yes, and says so.
#[component]
pub fn RunningState(
    /// The key, as in the API.
    #[prop(into)]
    state: String,
) -> impl IntoView {
    let (word, tone) = match state.as_str() {
        "yes" => ("Runs", Tone::Good),
        "no" => ("Does not run", Tone::Plain),
        _ => ("May run", Tone::Warn),
    };
    view! { <Badge tone=tone>{word}</Badge> }
}

/// The risk tier: four bars and a word.
#[component]
pub fn Tier(
    /// `low`, `moderate`, `high`, `critical`.
    #[prop(into)]
    tier: String,
) -> impl IntoView {
    let level = match tier.as_str() {
        "low" => "level l1",
        "moderate" => "level l2",
        "high" => "level l3",
        "critical" => "level l4",
        _ => "level l0",
    };
    view! { <span class=level>{sentence_case(&tier)}</span> }
}

/// The severity of an alert or a finding: four bars and a word.
#[component]
pub fn Severity(
    /// `info`, `low`, `medium`, `high`, `critical`.
    #[prop(into)]
    severity: String,
) -> impl IntoView {
    let level = match severity.as_str() {
        "low" => "level l1",
        "medium" => "level l2",
        "high" => "level l3",
        "critical" => "level l4",
        _ => "level l0",
    };
    view! { <span class=level>{sentence_case(&severity)}</span> }
}

/// A key as a word: `vendor-managed` becomes `Vendor managed`.
fn sentence_case(key: &str) -> String {
    let mut letters = key.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters.map(|c| if c == '-' || c == '_' { ' ' } else { c })).collect()
    })
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
