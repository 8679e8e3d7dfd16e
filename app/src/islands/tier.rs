//! The risk tier of an agent while its form is being filled: the same formula as on the server.
#![cfg_attr(
    feature = "ssr",
    expect(missing_docs, reason = "the macro makes a struct of an island’s props and gives it no words")
)]
#![cfg_attr(feature = "hydrate", expect(missing_docs, reason = "the macro makes a struct of the island’s props"))]

use domain::tier::TierScore;
use leptos::html;
use leptos::prelude::*;

use crate::agents::Points;
use crate::components::Tier;

/// The tier, its points and where they come from, recomputed as one types. Without JavaScript
/// its button sends the form and the page comes back with the tier of what was typed.
#[island]
pub fn TierPreview(
    /// The id of the form it reads.
    form: String,
    /// The tier of what the form holds now.
    start: TierScore,
) -> impl IntoView {
    let score = RwSignal::new(start);
    let alive = RwSignal::new(false);
    let place = NodeRef::<html::Div>::new();
    #[cfg(feature = "hydrate")]
    {
        let form = form.clone();
        Effect::new(move |_| {
            if place.get().is_some() && live::wake(&form, score) {
                alive.set(true);
            }
        });
    }
    view! {
        <div class="tier-preview" node_ref=place>
            <p class="row" role="status">
                {move || score.with(|score| view! { <Tier tier=score.tier.key()/> })}
                <span class="muted">{move || score.with(|score| points_words(score.points))}</span>
            </p>
            {move || score.with(|score| view! { <Points because=score.because.clone()/> })}
            <button class="button small" form=form name="do" value="preview" hidden=move || alive.get()>"Work out the tier"</button>
        </div>
    }
}

/// "1 point", "12 points".
pub fn points_words(points: u32) -> String {
    if points == 1 { "1 point".to_owned() } else { format!("{points} points") }
}

#[cfg(feature = "hydrate")]
mod live {
    use domain::tier::{self, TierScore};
    use leptos::prelude::*;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::closure::Closure;
    use web_sys::{FormData, HtmlFormElement};

    use crate::agents::AgentForm;

    /// Listens to the form; whether it is there.
    pub(super) fn wake(id: &str, score: RwSignal<TierScore>) -> bool {
        let Some(form) = document().get_element_by_id(id).and_then(|f| f.dyn_into::<HtmlFormElement>().ok()) else {
            return false;
        };
        let read = {
            let form = form.clone();
            move || {
                let now = tier::score(&typed(&form).facts_so_far().0);
                if score.with_untracked(|old| *old != now) {
                    score.set(now);
                }
            }
        };
        // a browser may have put back what was typed before
        read();
        let typing = Closure::<dyn Fn()>::new(read);
        for event in ["input", "change"] {
            drop(form.add_event_listener_with_callback(event, typing.as_ref().unchecked_ref()));
        }
        // lives as long as the page
        typing.forget();
        true
    }

    fn typed(form: &HtmlFormElement) -> AgentForm {
        let Ok(data) = FormData::new_with_form(form) else { return AgentForm::default() };
        let mut pairs: Vec<(String, String)> = Vec::new();
        for entry in data.entries() {
            let Ok(entry) = entry else { continue };
            let entry: js_sys::Array = entry.unchecked_into();
            if let (Some(name), Some(value)) = (entry.get(0).as_string(), entry.get(1).as_string()) {
                pairs.push((name, value));
            }
        }
        AgentForm::read(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}
