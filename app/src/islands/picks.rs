//! Picking rows of a list: all of a page at once, a range with Shift, and how many are picked.

use leptos::html;
use leptos::prelude::*;

/// In the bulk bar of a list: says how many rows are picked, and puts a box into the table's
/// head that picks them all.
#[island]
pub fn Picks() -> impl IntoView {
    let picked = RwSignal::new(0_usize);
    let place = NodeRef::<html::Span>::new();
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        if let Some(span) = place.get() {
            live::wake(&span, picked);
        }
    });
    let words = move || match picked.get() {
        0 => String::new(),
        1 => "1 picked".to_owned(),
        count => format!("{count} picked"),
    };
    view! { <span class="picked" role="status" node_ref=place>{words}</span> }
}

#[cfg(feature = "hydrate")]
mod live {
    use std::cell::Cell;
    use std::rc::Rc;

    use leptos::prelude::*;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::closure::Closure;
    use web_sys::{Element, Event, HtmlFormElement, HtmlInputElement, MouseEvent};

    const BOXES: &str = "tbody .pick input[type=checkbox]";

    pub(super) fn wake(place: &Element, picked: RwSignal<usize>) {
        let Some(form) = place.closest("form").ok().flatten().and_then(|f| f.dyn_into::<HtmlFormElement>().ok()) else {
            return;
        };
        let all = head_box(&form);
        let count = {
            let (form, all) = (form.clone(), all.clone());
            Rc::new(move || {
                let boxes = boxes(&form);
                let on = boxes.iter().filter(|b| b.checked()).count();
                if let Some(all) = &all {
                    all.set_checked(on > 0 && on == boxes.len());
                    all.set_indeterminate(on > 0 && on < boxes.len());
                }
                picked.set(on);
            })
        };
        // a page that one comes back to keeps its ticks
        count();
        let last = Rc::new(Cell::new(None::<usize>));
        let clicked = {
            let (form, all, count) = (form.clone(), all, Rc::clone(&count));
            Closure::<dyn Fn(Event)>::new(move |event: Event| {
                let Some(target) = event.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()) else { return };
                let boxes = boxes(&form);
                if all.as_ref().is_some_and(|all| all.is_same_node(Some(&target))) {
                    for one in &boxes {
                        one.set_checked(target.checked());
                    }
                } else if let Some(at) = boxes.iter().position(|b| b.is_same_node(Some(&target))) {
                    let shift = event.dyn_ref::<MouseEvent>().is_some_and(MouseEvent::shift_key);
                    if let (true, Some(from)) = (shift, last.get()) {
                        let range = from.min(at)..=from.max(at);
                        boxes
                            .iter()
                            .take(range.end() + 1)
                            .skip(*range.start())
                            .for_each(|b| b.set_checked(target.checked()));
                    }
                    last.set(Some(at));
                } else {
                    return;
                }
                count();
            })
        };
        drop(form.add_event_listener_with_callback("click", clicked.as_ref().unchecked_ref()));
        // lives as long as the page
        clicked.forget();
    }

    fn boxes(form: &HtmlFormElement) -> Vec<HtmlInputElement> {
        let Ok(list) = form.query_selector_all(BOXES) else { return Vec::new() };
        (0..list.length()).filter_map(|i| list.get(i)?.dyn_into().ok()).collect()
    }

    /// The box in the table's head.
    fn head_box(form: &HtmlFormElement) -> Option<HtmlInputElement> {
        let cell = form.query_selector("thead .pick").ok()??;
        let input: HtmlInputElement = cell.owner_document()?.create_element("input").ok()?.dyn_into().ok()?;
        input.set_type("checkbox");
        input.set_attribute("aria-label", "Pick all on this page").ok()?;
        cell.set_text_content(None);
        cell.append_child(&input).ok()?;
        Some(input)
    }
}
