//! The command palette: Ctrl-K, a few letters, Enter.
#![cfg_attr(
    feature = "ssr",
    expect(missing_docs, reason = "the macro makes a struct of an island’s props and gives it no words")
)]
#![cfg_attr(feature = "hydrate", expect(missing_docs, reason = "the macro makes a struct of the island’s props"))]

#[cfg(feature = "ssr")]
use std::collections::HashMap;
#[cfg(feature = "ssr")]
use std::sync::{LazyLock, Mutex, PoisonError};

use leptos::html;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use crate::components::Piece;
use crate::components::{Glyph, Icon};
#[cfg(feature = "ssr")]
use crate::shell::{Nav, NavGroup};

/// Somewhere one can go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// What it is called.
    pub name: String,
    /// `AG-42`, or what sort of place it is.
    pub note: String,
    /// Where it is.
    pub href: String,
}

#[cfg(feature = "ssr")]
impl Place {
    /// Every page that a person's navigation shows, and those that only links lead to.
    pub fn pages(nav: &Nav) -> Vec<Self> {
        let page = |name: &str, href: &str| Self { name: name.into(), note: "page".into(), href: href.into() };
        let lines = NavGroup::ALL.into_iter().flat_map(|group| nav.of(group)).map(|item| page(item.label, item.href));
        let more = [
            ("Your account", "/account"),
            ("Findings: what each check means", "/help/findings"),
            ("Risk tiers: the formula", "/help/tiers"),
        ];
        lines.chain(more.map(|(name, href)| page(name, href))).collect()
    }
}

/// The palette over what a person's navigation shows. There are as many as there are sets of
/// rights, so each is written once: it is on every page.
#[cfg(feature = "ssr")]
pub fn palette(nav: &Nav) -> Piece {
    static WRITTEN: LazyLock<Mutex<HashMap<Vec<&'static str>, String>>> = LazyLock::new(Mutex::default);
    let shown: Vec<&'static str> = NavGroup::ALL.into_iter().flat_map(|group| nav.of(group)).map(|l| l.href).collect();
    let mut written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
    let html = written.entry(shown).or_insert_with(|| view! { <Palette pages=Place::pages(nav)/> }.to_html());
    Piece::new(html.clone())
}

/// Finds pages, agents, people and teams from anywhere. Its button appears when it is alive; without
/// it there is the navigation and the search in the top bar.
#[island]
pub fn Palette(
    /// The pages one may go to.
    pages: Vec<Place>,
) -> impl IntoView {
    let alive = RwSignal::new(false);
    let typed = RwSignal::new(String::new());
    let found = RwSignal::new(pages.clone());
    let chosen = RwSignal::new(0_usize);
    let status = RwSignal::new(String::new());
    let dialog = NodeRef::<html::Dialog>::new();
    let input = NodeRef::<html::Input>::new();
    #[cfg(feature = "hydrate")]
    let live = live::Live { pages: StoredValue::new(pages), typed, found, chosen, status, dialog, input };
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        if dialog.get().is_some() && !alive.get_untracked() {
            live.wake();
            alive.set(true);
        }
    });
    #[cfg(not(feature = "hydrate"))]
    let live = Asleep;
    let options = move || {
        found
            .get()
            .into_iter()
            .enumerate()
            .map(|(at, place)| {
                view! {
                    <a role="option" id=format!("palette-{at}") href=place.href tabindex="-1"
                        aria-selected=move || if chosen.get() == at { "true" } else { "false" }>
                        <span class="name" dir="auto">{place.name}</span>
                        <span class="ref muted">{place.note}</span>
                    </a>
                }
            })
            .collect_view()
    };
    let active = move || found.with(|found| (!found.is_empty()).then(|| format!("palette-{}", chosen.get())));
    view! {
        <button type="button" class="button quiet palette-open" hidden=move || !alive.get() aria-keyshortcuts="Control+K Meta+K"
            aria-haspopup="dialog" on:click=move |_| live.open()>
            <Icon glyph=Glyph::Search/>
            <span class="word">"Go to"</span>
            <kbd>"Ctrl K"</kbd>
        </button>
        <dialog class="palette" node_ref=dialog aria-label="Go to a page, an agent, a person or a team">
            <input
                class="input"
                type="text"
                role="combobox"
                node_ref=input
                aria-label="Go to a page, an agent, a person or a team"
                placeholder="A page, an agent, a person, a team"
                aria-autocomplete="list"
                aria-expanded=move || if found.with(Vec::is_empty) { "false" } else { "true" }
                aria-controls="palette-list"
                aria-activedescendant=active
                autocomplete="off"
                spellcheck="false"
                prop:value=move || typed.get()
                on:input=move |event| live.typed(event_target_value(&event))
                on:keydown=move |event| live.key(&event)
            />
            <div id="palette-list" role="listbox" aria-label="Where to">{options}</div>
            <p class="small muted" role="status">{move || status.get()}</p>
        </dialog>
    }
}

/// On the server nothing is pressed.
#[cfg(not(feature = "hydrate"))]
#[derive(Clone, Copy)]
struct Asleep;

#[cfg(not(feature = "hydrate"))]
#[expect(clippy::unused_self, reason = "stands in for what the browser has")]
impl Asleep {
    fn open(self) {}
    fn typed(self, _text: String) {}
    fn key(self, _event: &leptos::ev::KeyboardEvent) {}
}

#[cfg(feature = "hydrate")]
mod live {
    use std::cell::Cell;

    use leptos::html;
    use leptos::leptos_dom::helpers::TimeoutHandle;
    use leptos::prelude::*;
    use serde::Deserialize;
    use wasm_bindgen::closure::Closure;
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{HtmlElement, KeyboardEvent, Response};

    use super::Place;
    use crate::components::href_of;

    /// How long one must pause before anything is asked of the server.
    const PAUSE: std::time::Duration = std::time::Duration::from_millis(120);
    const MOST: usize = 6;

    thread_local! {
        static PENDING: Cell<Option<TimeoutHandle>> = const { Cell::new(None) };
    }

    #[derive(Clone, Copy)]
    pub(super) struct Live {
        pub(super) pages: StoredValue<Vec<Place>>,
        pub(super) typed: RwSignal<String>,
        pub(super) found: RwSignal<Vec<Place>>,
        pub(super) chosen: RwSignal<usize>,
        pub(super) status: RwSignal<String>,
        pub(super) dialog: NodeRef<html::Dialog>,
        pub(super) input: NodeRef<html::Input>,
    }

    impl Live {
        /// Hears the keys of the whole page.
        pub(super) fn wake(self) {
            let keys = Closure::<dyn Fn(KeyboardEvent)>::new(move |event: KeyboardEvent| {
                if (event.ctrl_key() || event.meta_key()) && !event.shift_key() && event.key().eq_ignore_ascii_case("k")
                {
                    event.prevent_default();
                    self.open();
                }
            });
            drop(document().add_event_listener_with_callback("keydown", keys.as_ref().unchecked_ref()));
            // lives as long as the page
            keys.forget();
        }

        pub(super) fn open(self) {
            let Some(dialog) = self.dialog.get_untracked() else { return };
            if dialog.open() {
                dialog.close();
                return;
            }
            self.typed(String::new());
            if dialog.show_modal().is_ok()
                && let Some(input) = self.input.get_untracked()
            {
                drop(input.focus());
            }
        }

        pub(super) fn typed(self, text: String) {
            let places = self.near(&text);
            self.show(places, 0);
            self.status.set(String::new());
            if let Some(pending) = PENDING.take() {
                pending.clear();
            }
            let asked = text.trim().to_owned();
            self.typed.set(text);
            if asked.is_empty() {
                return;
            }
            let ask = move || {
                leptos::task::spawn_local(async move { self.ask(asked).await });
            };
            PENDING.set(set_timeout_with_handle(ask, PAUSE).ok());
        }

        /// What needs no server: a reference, and the pages whose name holds the text.
        fn near(self, text: &str) -> Vec<Place> {
            let text = text.trim();
            let folded = text.to_lowercase();
            let mut out = Vec::new();
            let reference = text.to_ascii_uppercase();
            if reference.split_once('-').is_some_and(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
                && let Some(href) = href_of(&reference)
            {
                out.push(Place { name: format!("Open {reference}"), note: reference, href });
            }
            self.pages.with_value(|pages| {
                out.extend(pages.iter().filter(|page| page.name.to_lowercase().contains(&folded)).cloned());
            });
            out
        }

        async fn ask(self, text: String) {
            let query = String::from(js_sys::encode_uri_component(&text));
            // all are on their way before any is waited for
            let agents = window().fetch_with_str(&format!("/api/v1/agents?limit={MOST}&q={query}"));
            let people = window().fetch_with_str(&format!("/api/v1/people?limit={MOST}&q={query}"));
            let teams = window().fetch_with_str(&format!("/api/v1/teams?limit={MOST}&q={query}"));
            let (agents, people, teams) = (read(agents).await, read(people).await, read(teams).await);
            // somebody typed on, or left
            if self.typed.with_untracked(|now| now.trim() != text) {
                return;
            }
            let failed = agents.is_none() && people.is_none() && teams.is_none();
            let mut places = self.near(&text);
            for item in agents.into_iter().chain(people).chain(teams).flatten() {
                if let Some(href) = href_of(&item.id)
                    && !places.iter().any(|place| place.href == href && place.note != item.id)
                {
                    places.retain(|place| place.href != href);
                    places.push(Place { name: item.name, note: item.id, href });
                }
            }
            self.status.set(match places.len() {
                _ if failed => "The search did not answer. Reload the page and try again.".to_owned(),
                0 => "Nothing found.".to_owned(),
                1 => "1 found.".to_owned(),
                n => format!("{n} found."),
            });
            // an arrow pressed before the answer came chose a place, and it stays chosen
            let at = self.chosen.get_untracked();
            let chosen = self.found.with_untracked(|shown| shown.get(at).map(|place| place.href.clone()));
            let at = places.iter().position(|place| Some(&place.href) == chosen.as_ref()).unwrap_or(0);
            self.show(places, at);
        }

        fn show(self, places: Vec<Place>, at: usize) {
            self.chosen.set(at);
            self.found.set(places);
        }

        pub(super) fn key(self, event: &KeyboardEvent) {
            let count = self.found.with_untracked(Vec::len);
            let at = self.chosen.get_untracked();
            let to = match event.key().as_str() {
                "ArrowDown" if count > 0 => (at + 1) % count,
                "ArrowUp" if count > 0 => (at + count - 1) % count,
                "Home" if count > 0 && event.ctrl_key() => 0,
                "End" if count > 0 && event.ctrl_key() => count - 1,
                "Enter" => {
                    event.prevent_default();
                    if let Some(option) = option(at) {
                        option.click();
                    }
                    return;
                }
                _ => return,
            };
            event.prevent_default();
            self.chosen.set(to);
            if let Some(option) = option(to) {
                option.scroll_into_view_with_bool(false);
            }
        }
    }

    fn option(at: usize) -> Option<HtmlElement> {
        document().get_element_by_id(&format!("palette-{at}"))?.dyn_into().ok()
    }

    #[derive(Deserialize)]
    struct Items {
        items: Vec<Item>,
    }

    #[derive(Deserialize)]
    struct Item {
        id: String,
        name: String,
    }

    /// What the API answers; nothing when it refuses or cannot be reached.
    async fn read(answer: js_sys::Promise) -> Option<Vec<Item>> {
        let response: Response = JsFuture::from(answer).await.ok()?.dyn_into().ok()?;
        if !response.ok() {
            return None;
        }
        let text: JsValue = JsFuture::from(response.text().ok()?).await.ok()?;
        serde_json::from_str::<Items>(&text.as_string()?).ok().map(|list| list.items)
    }
}
