//! The matrix as a grid: arrow keys move, letters are typed, a press goes round. It only fills
//! the selects of the form it stands in, and says at once what would be wrong, by the same
//! function as the server.
#![cfg_attr(
    feature = "ssr",
    expect(missing_docs, reason = "the macro makes a struct of an island’s props and gives it no words")
)]
#![cfg_attr(feature = "hydrate", expect(missing_docs, reason = "the macro makes a struct of the island’s props"))]

use domain::duty::Duty;
use domain::party::Party;
use domain::raci::Ward;
use leptos::html;
use leptos::prelude::*;

use crate::raci::Column;

/// Stands in the form, before its table.
#[island]
pub fn RaciGrid(
    /// The id of the form.
    form: String,
    /// What the rules know of whose matrix it is.
    ward: Ward,
    /// The parties.
    columns: Vec<Column>,
    /// What is on offer now.
    offered: Vec<(Duty, Party)>,
) -> impl IntoView {
    let alive = RwSignal::new(false);
    let said = RwSignal::new(String::new());
    let place = NodeRef::<html::Div>::new();
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        if place.get().is_some() {
            alive.set(live::wake(&form, live::Rules::new(&ward, &columns, &offered), said));
        }
    });
    #[cfg(not(feature = "hydrate"))]
    drop((form, ward, columns, offered));
    view! {
        <div node_ref=place>
            <p class="small muted" id="raci-keys" hidden=move || !alive.get()>
                "Arrow keys move. " <kbd>"R"</kbd> " " <kbd>"A"</kbd> " " <kbd>"C"</kbd> " " <kbd>"I"</kbd> " set a letter, with "
                <kbd>"Shift"</kbd> " they add it. " <kbd>"Space"</kbd> " or a click goes round, " <kbd>"Delete"</kbd> " empties, "
                <kbd>"Enter"</kbd> " goes down."
            </p>
            <p class="visually-hidden" role="status">{move || said.get()}</p>
        </div>
    }
}

#[cfg(feature = "hydrate")]
mod live {
    use std::rc::Rc;

    use domain::assignment::RaciRole;
    use domain::duty::Duty;
    use domain::party::Party;
    use domain::raci::{Breach, Ward, breaches, letters};
    use leptos::prelude::*;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::closure::Closure;
    use web_sys::{Element, Event, HtmlElement, HtmlFormElement, HtmlSelectElement, KeyboardEvent};

    use crate::raci::Column;
    use crate::raci::cells::{cell_of, next, planned, toggled, words};

    /// What the grid knows besides the form.
    pub(super) struct Rules {
        ward: Ward,
        columns: Vec<Column>,
        offered: Vec<(Duty, Party)>,
    }

    impl Rules {
        pub(super) fn new(ward: &Ward, columns: &[Column], offered: &[(Duty, Party)]) -> Self {
            Self { ward: ward.clone(), columns: columns.to_vec(), offered: offered.to_vec() }
        }

        fn name(&self, party: Party) -> String {
            self.columns.iter().find(|c| c.party == party).map_or_else(|| party.to_string(), |c| c.name.clone())
        }
    }

    /// A cell: its place, its field.
    struct Cell {
        td: HtmlElement,
        select: HtmlSelectElement,
        text: Element,
        duty: Duty,
        party: Party,
    }

    struct Grid {
        rows: Vec<Vec<Cell>>,
        wrong: Vec<(Duty, Element)>,
        rules: Rules,
        said: RwSignal<String>,
    }

    /// Makes a grid of the form's table; whether there is one.
    pub(super) fn wake(form: &str, rules: Rules, said: RwSignal<String>) -> bool {
        let Some(form) = document().get_element_by_id(form).and_then(|f| f.dyn_into::<HtmlFormElement>().ok()) else {
            return false;
        };
        let Some(frame) = form.query_selector(".raci-grid").ok().flatten() else { return false };
        let Some(table) = frame.query_selector("table").ok().flatten() else { return false };
        let Some(grid) = read(&table, rules, said) else { return false };
        let grid = Rc::new(grid);
        for (name, value) in [("role", "grid"), ("aria-label", "RACI matrix"), ("aria-describedby", "raci-keys")] {
            drop(table.set_attribute(name, value));
        }
        drop(frame.class_list().add_1("alive"));
        // The frame that scrolls need not be reached: the cells are.
        if let Some(scroll) = frame.query_selector(".scroll").ok().flatten() {
            drop(scroll.remove_attribute("tabindex"));
        }
        for cell in grid.rows.iter().flatten() {
            drop(cell.td.set_attribute("role", "gridcell"));
            cell.td.set_tab_index(-1);
            cell.select.set_tab_index(-1);
            drop(cell.select.set_attribute("aria-hidden", "true"));
            grid.show(cell);
        }
        if let Some(first) = grid.rows.first().and_then(|row| row.first()) {
            first.td.set_tab_index(0);
        }
        grid.judge();
        listen(&table, "keydown", &grid, |grid, event| {
            if let Some(key) = event.dyn_ref::<KeyboardEvent>() {
                grid.key(key);
            }
        });
        listen(&table, "click", &grid, |grid, event| {
            if let Some((r, c)) = grid.at(event) {
                grid.focus(r, c);
                let cell = &grid.rows[r][c];
                grid.set(cell, next(&cell.select.value()));
            }
        });
        true
    }

    fn listen(table: &Element, name: &str, grid: &Rc<Grid>, act: fn(&Grid, &Event)) {
        let grid = Rc::clone(grid);
        let heard = Closure::<dyn Fn(Event)>::new(move |event: Event| act(&grid, &event));
        drop(table.add_event_listener_with_callback(name, heard.as_ref().unchecked_ref()));
        // lives as long as the page
        heard.forget();
    }

    fn all(of: &Element, selector: &str) -> Vec<Element> {
        let Ok(list) = of.query_selector_all(selector) else { return Vec::new() };
        (0..list.length()).filter_map(|i| list.get(i)?.dyn_into().ok()).collect()
    }

    fn read(table: &Element, rules: Rules, said: RwSignal<String>) -> Option<Grid> {
        let mut rows = Vec::new();
        let mut wrong = Vec::new();
        for row in all(table, "tbody tr") {
            let mut cells = Vec::new();
            for td in all(&row, "td.cell") {
                let select: HtmlSelectElement = td.query_selector("select").ok()??.dyn_into().ok()?;
                let (duty, party) = cell_of(&select.name())?;
                let text = document().create_element("span").ok()?;
                text.set_class_name("letter");
                td.insert_before(&text, td.first_child().as_ref()).ok()?;
                cells.push(Cell { td: td.dyn_into().ok()?, select, text, duty, party });
            }
            if let Some(place) = row.query_selector("td.wrong").ok().flatten()
                && let Some(duty) = place.get_attribute("data-duty").and_then(|d| d.parse().ok())
            {
                wrong.push((duty, place));
            }
            rows.push(cells);
        }
        (rows.first().is_some_and(|row| !row.is_empty())).then_some(Grid { rows, wrong, rules, said })
    }

    impl Grid {
        /// Where an event happened.
        fn at(&self, event: &Event) -> Option<(usize, usize)> {
            let target: Element = event.target()?.dyn_into().ok()?;
            let td = target.closest("td.cell").ok()??;
            self.rows
                .iter()
                .enumerate()
                .find_map(|(r, row)| row.iter().position(|cell| cell.td.is_same_node(Some(&td))).map(|c| (r, c)))
        }

        fn focus(&self, r: usize, c: usize) {
            for cell in self.rows.iter().flatten() {
                cell.td.set_tab_index(-1);
            }
            let cell = &self.rows[r][c];
            cell.td.set_tab_index(0);
            drop(cell.td.focus());
        }

        fn key(&self, event: &KeyboardEvent) {
            let Some((r, c)) = self.at(event) else { return };
            if event.alt_key() || event.meta_key() {
                return;
            }
            let (down, right) = (self.rows.len() - 1, self.rows[r].len() - 1);
            let cell = &self.rows[r][c];
            let key = event.key();
            let whole = event.ctrl_key();
            let to = match key.as_str() {
                "ArrowUp" => (r.saturating_sub(1), c),
                "ArrowDown" | "Enter" => ((r + 1).min(down), c),
                "ArrowLeft" => (r, c.saturating_sub(1)),
                "ArrowRight" => (r, (c + 1).min(right)),
                "PageUp" => (0, c),
                "PageDown" => (down, c),
                "Home" => (if whole { 0 } else { r }, 0),
                "End" => (if whole { down } else { r }, right),
                _ if whole => return,
                " " => {
                    event.prevent_default();
                    self.set(cell, next(&cell.select.value()));
                    return;
                }
                "Delete" | "Backspace" => {
                    event.prevent_default();
                    self.set(cell, "");
                    return;
                }
                key => {
                    let Some(role) = RaciRole::ALL.iter().copied().find(|r| r.key().eq_ignore_ascii_case(key)) else {
                        return;
                    };
                    event.prevent_default();
                    let now = cell.select.value();
                    let value = if event.shift_key() { toggled(&now, role) } else { role.key().to_owned() };
                    self.set(cell, &value);
                    return;
                }
            };
            event.prevent_default();
            self.focus(to.0, to.1);
        }

        /// Writes letters into the field, and says what follows.
        fn set(&self, cell: &Cell, value: &str) {
            cell.select.set_value(value);
            if cell.select.value() != value
                && let Ok(option) = document().create_element("option")
            {
                drop(option.set_attribute("value", value));
                option.set_text_content(Some(value));
                drop(cell.select.append_child(&option));
                cell.select.set_value(value);
            }
            self.show(cell);
            let broken = self.judge();
            let mut words = format!("{}, {}: {}.", cell.duty.label(), self.rules.name(cell.party), words(value));
            for breach in broken.iter().filter(|b| b.duty == cell.duty) {
                words.push(' ');
                words.push_str(&breach.sentence(|p| self.rules.name(p)));
            }
            self.said.set(words);
        }

        fn show(&self, cell: &Cell) {
            let value = cell.select.value();
            cell.text.set_text_content(Some(&value));
            let label = format!("{}, {}: {}", cell.duty.label(), self.rules.name(cell.party), words(&value));
            drop(cell.td.set_attribute("aria-label", &label));
        }

        /// Applies the rules to what the form holds now.
        fn judge(&self) -> Vec<Breach> {
            let cells: Vec<_> =
                self.rows.iter().flatten().map(|c| (c.duty, c.party, letters(&c.select.value()))).collect();
            let broken = breaches(&self.rules.ward, &planned(&cells, &self.rules.columns, &self.rules.offered));
            for (duty, place) in &self.wrong {
                place.set_text_content(None);
                for breach in broken.iter().filter(|b| b.duty == *duty) {
                    if let Ok(line) = document().create_element("p") {
                        line.set_text_content(Some(&breach.sentence(|p| self.rules.name(p))));
                        drop(line.set_attribute("dir", "auto"));
                        drop(place.append_child(&line));
                    }
                }
            }
            broken
        }
    }
}
