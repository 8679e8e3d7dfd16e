//! Lists of rows: one toolbar, one table, one way through the pages. The state of a list, its
//! search, filters, order and columns, is in its [`Address`], and each control changes that alone.

use leptos::prelude::*;

use super::address::Address;
use super::form::{Choice, grouped};
use super::icon::{Glyph, Icon};
use super::piece::{IntoPiece, Slot};

/// A column of a list.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// Names it in the address.
    pub key: &'static str,
    /// Read as.
    pub label: &'static str,
    /// Its heading sorts.
    pub sorts: bool,
    /// Holds numbers, set to the end.
    pub numeric: bool,
    /// Shown now; the page leaves its cells out otherwise.
    pub shown: bool,
    /// Cannot be hidden.
    pub fixed: bool,
}

impl Column {
    /// A column that is shown.
    pub const fn new(key: &'static str, label: &'static str) -> Self {
        Self { key, label, sorts: false, numeric: false, shown: true, fixed: false }
    }

    /// Its heading sorts.
    #[must_use]
    pub const fn sorts(mut self) -> Self {
        self.sorts = true;
        self
    }

    /// Holds numbers.
    #[must_use]
    pub const fn numeric(mut self) -> Self {
        self.numeric = true;
        self
    }

    /// Cannot be hidden.
    #[must_use]
    pub const fn fixed(mut self) -> Self {
        self.fixed = true;
        self
    }

    /// Shown only when asked for.
    #[must_use]
    pub const fn extra(mut self) -> Self {
        self.shown = false;
        self
    }

    /// Shows the columns that the address asks for (`columns=name&columns=tier`), if it asks.
    #[must_use]
    pub fn choose(columns: Vec<Self>, here: &Address) -> Vec<Self> {
        if here.get("columns").is_none() {
            return columns;
        }
        columns
            .into_iter()
            .map(|column| {
                let asked = here.all("columns").any(|key| key == column.key);
                Self { shown: column.fixed || asked, ..column }
            })
            .collect()
    }

    /// Whether the column `key` is shown: `Column::shows(&columns, "tier")`.
    pub fn shows(columns: &[Self], key: &str) -> bool {
        columns.iter().any(|column| column.key == key && column.shown)
    }
}

/// A filter of a list: one key of the address and the values it may have.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Names it in the address.
    pub key: &'static str,
    /// Read as.
    pub label: &'static str,
    /// What to choose from.
    pub options: Vec<Choice>,
    /// What no choice means.
    pub blank: &'static str,
}

impl Filter {
    /// A filter over fixed values; without a choice it leaves everything.
    pub fn new(key: &'static str, label: &'static str, options: Vec<Choice>) -> Self {
        Self { key, label, options, blank: "Any" }
    }

    /// What no choice means, where that is not everything.
    #[must_use]
    pub const fn otherwise(mut self, blank: &'static str) -> Self {
        self.blank = blank;
        self
    }

    fn words(&self, value: &str) -> String {
        self.options
            .iter()
            .find(|choice| choice.value == value)
            .map_or_else(|| value.to_owned(), |choice| choice.label.clone())
    }
}

/// What can be done with the rows that are picked.
pub struct Bulk {
    /// Where the picked rows are posted, as `id` once for each.
    pub action: String,
    /// The buttons, and selects if need be.
    pub controls: Slot,
}

/// Every pair of the address but the named ones, as hidden fields of a form.
fn carried(here: &Address, but: &[&str]) -> Vec<impl IntoView + use<>> {
    here.pairs()
        .iter()
        .filter(|(key, _)| !but.contains(&key.as_str()) && key != "cursor" && key != "before")
        .map(|(key, value)| view! { <input type="hidden" name=key.clone() value=value.clone()/> })
        .collect()
}

/// A search over a list: a plain form that keeps filters and order.
#[component]
pub fn SearchBox(
    /// Where the list is.
    here: Address,
    /// What is searched, such as "Search agents".
    #[prop(into)]
    label: String,
    /// Sent as.
    #[prop(default = "q")]
    name: &'static str,
) -> impl IntoView {
    let value = here.get(name).unwrap_or_default().to_owned();
    view! {
        <form class="find" method="get" action=here.path().to_owned()>
            {carried(&here, &[name])}
            <Icon glyph=Glyph::Search/>
            <input class="input" type="search" name=name value=value aria-label=label.clone() placeholder=label/>
        </form>
    }
    .piece()
}

/// The filters of a list, in a drawer: a plain form.
#[component]
pub fn FilterMenu(
    /// Where the list is.
    here: Address,
    /// The filters.
    filters: Vec<Filter>,
) -> impl IntoView {
    let keys: Vec<_> = filters.iter().map(|filter| filter.key).collect();
    let hidden = carried(&here, &keys);
    let fields = filters
        .into_iter()
        .map(|filter| {
            let value = here.get(filter.key).unwrap_or_default().to_owned();
            let id = format!("filter-{}", filter.key);
            view! {
                <div class="field">
                    <label for=id.clone()>{filter.label}</label>
                    <select class="input" id=id name=filter.key>
                        <option value="">{filter.blank}</option>
                        {grouped(filter.options, &value)}
                    </select>
                </div>
            }
        })
        .collect_view();
    // many fields stand in two columns where there is room
    let drawer = if keys.len() > 4 { "drawer double" } else { "drawer" };
    view! {
        <details class="drop">
            <summary class="button"><Icon glyph=Glyph::Filter/>"Filter"</summary>
            <div class=drawer>
                <form method="get" action=here.path().to_owned()>
                    {hidden}
                    {fields}
                    <div class="foot-row"><button class="button primary">"Show"</button></div>
                </form>
            </div>
        </details>
    }
    .piece()
}

/// The search and the filters in force, each a link that removes it. Nothing when there are none.
#[component]
pub fn Chips(
    /// Where the list is.
    here: Address,
    /// The filters it knows.
    filters: Vec<Filter>,
) -> impl IntoView {
    let here = here.first_page();
    let mut chips = Vec::new();
    if let Some(text) = here.get("q") {
        chips.push((format!("“{text}”"), here.without("q").href()));
    }
    for filter in &filters {
        for value in here.all(filter.key) {
            let words = format!("{}: {}", filter.label, filter.words(value));
            chips.push((words, here.without_value(filter.key, value).href()));
        }
    }
    let clear = (chips.len() > 1).then(|| {
        let all = filters.iter().fold(here.without("q"), |at, filter| at.without(filter.key));
        view! { <li><a class="small" href=all.href()>"Clear all"</a></li> }
    });
    (!chips.is_empty())
        .then(|| {
            let chips = chips
                .into_iter()
                .map(|(words, href)| {
                    view! {
                        <li>
                            <a class="chip" href=href>
                                <span class="visually-hidden">"Remove "</span>
                                {words}
                                <Icon glyph=Glyph::Cross/>
                            </a>
                        </li>
                    }
                })
                .collect_view();
            view! { <ul class="chips" aria-label="Filters in force">{chips}{clear}</ul> }
        })
        .piece()
}

/// Which columns to show, in a drawer: a plain form.
#[component]
pub fn ColumnPicker(
    /// Where the list is.
    here: Address,
    /// All its columns.
    columns: Vec<Column>,
) -> impl IntoView {
    let hidden = carried(&here, &["columns"]);
    let boxes = columns
        .into_iter()
        .map(|column| {
            let id = format!("column-{}", column.key);
            let kept = column.fixed.then(|| view! { <input type="hidden" name="columns" value=column.key/> });
            view! {
                <div class="choice">
                    <input type="checkbox" id=id.clone() name="columns" value=column.key checked=column.shown disabled=column.fixed/>
                    <label for=id>{column.label}</label>
                    {kept}
                </div>
            }
        })
        .collect_view();
    view! {
        <details class="drop end">
            <summary class="button quiet"><Icon glyph=Glyph::Columns/>"Columns"</summary>
            <div class="drawer">
                <form method="get" action=here.path().to_owned()>
                    {hidden}
                    <div>{boxes}</div>
                    <div class="foot-row"><button class="button primary">"Show"</button></div>
                </form>
            </div>
        </details>
    }
    .piece()
}

/// The headings of a table; those that sort are links.
#[component]
pub fn TableHead(
    /// Where the list is; `sort` in it is `name` or `-name`.
    here: Address,
    /// Its columns.
    columns: Vec<Column>,
    /// The order when the address names none.
    #[prop(optional)]
    default_sort: &'static str,
    /// Begins with a column of checkboxes.
    #[prop(optional)]
    picks: bool,
) -> impl IntoView {
    let here = here.first_page();
    let sort = here.get("sort").unwrap_or(default_sort).to_owned();
    let (by, descending) = sort.strip_prefix('-').map_or((sort.as_str(), false), |by| (by, true));
    let headings = columns
        .into_iter()
        .filter(|column| column.shown)
        .map(|column| {
            let class = column.numeric.then_some("num");
            if !column.sorts {
                return view! { <th scope="col" class=class>{column.label}</th> }.piece();
            }
            let sorted = column.key == by;
            let order = sorted.then_some(if descending { "descending" } else { "ascending" });
            let next = if sorted && !descending { format!("-{}", column.key) } else { column.key.to_owned() };
            let href = here.with("sort", &next).href();
            view! { <th scope="col" class=class aria-sort=order><a href=href>{column.label}</a></th> }.piece()
        })
        .collect_view();
    view! {
        <thead>
            <tr>
                {picks.then(|| view! { <th scope="col" class="pick"><span class="visually-hidden">"Pick"</span></th> })}
                {headings}
            </tr>
        </thead>
    }
    .piece()
}

/// The first cell of a row that can be picked for a bulk action.
#[component]
pub fn RowPick(
    /// Sent as `id`.
    #[prop(into)]
    id: String,
    /// The row's name, for a screen reader.
    #[prop(into)]
    name: String,
) -> impl IntoView {
    view! { <td class="pick"><input type="checkbox" name="id" value=id aria-label=format!("Pick {name}")/></td> }
}

/// As many columns as fit beside the navigation on the narrowest screen that shows it.
const FEW_COLUMNS: usize = 4;
/// As many as fit from 1,200 pixels on.
const MANY_COLUMNS: usize = 6;

/// A table of one's own (`<thead>` and `<tbody>` as children) in a frame that scrolls sideways on a
/// narrow screen and can be reached by keyboard.
#[component]
pub fn TableFrame(
    /// What the rows are.
    #[prop(into)]
    label: String,
    /// Scrolls in both directions within its own box, with its head in place: for wide grids.
    #[prop(optional)]
    boxed: bool,
    /// On a phone each row becomes a card; cells then carry `data-label`.
    #[prop(optional)]
    stacks: bool,
    /// Rows close together.
    #[prop(optional)]
    compact: bool,
    /// How many columns it has, if they may be many: the more there are, the wider the screen
    /// on which its header sticks to the page and not to its frame.
    #[prop(optional)]
    columns: usize,
    /// Head and body.
    children: Slot,
) -> impl IntoView {
    let frame = match (boxed, columns) {
        (true, _) => "scroll boxed",
        (false, 0..=FEW_COLUMNS) => "scroll",
        (false, ..=MANY_COLUMNS) => "scroll broad",
        (false, _) => "scroll vast",
    };
    let table = match (stacks, compact) {
        (true, true) => "table stacks compact",
        (true, false) => "table stacks",
        (false, true) => "table compact",
        (false, false) => "table",
    };
    view! {
        <div class=frame role="group" aria-label=label tabindex="0">
            <table class=table>{children.run()}</table>
        </div>
    }
    .piece()
}

/// Links to the page before and the page after, with the count.
#[component]
pub fn Pager(
    /// "1–50 of 312".
    #[prop(into)]
    count: String,
    /// Where the page before is.
    #[prop(optional_no_strip, into)]
    previous: Option<String>,
    /// Where the page after is.
    #[prop(optional_no_strip, into)]
    next: Option<String>,
) -> impl IntoView {
    let links = (previous.is_some() || next.is_some()).then(|| {
        view! {
            <div class="links">
                {previous.map(|href| view! { <a class="button small" rel="prev" href=href><Icon glyph=Glyph::Left/>"Previous"</a> })}
                {next.map(|href| view! { <a class="button small" rel="next" href=href>"Next"<Icon glyph=Glyph::Right/></a> })}
            </div>
        }
    });
    view! { <nav class="pager" aria-label="Pages"><span class="total">{count}</span>{links}</nav> }.piece()
}

/// A whole list: toolbar, chips, table, pages. Its children are the rows (`<tr>…</tr>`).
#[component]
pub fn Listing(
    /// Where it is.
    here: Address,
    /// What the rows are: "Agents".
    #[prop(into)]
    label: String,
    /// Its columns.
    columns: Vec<Column>,
    /// How many rows this page holds; with none, `empty` is shown in place of the table.
    shown: usize,
    /// How many there are in all, if that is known.
    #[prop(optional_no_strip, into)]
    total: Option<u64>,
    /// The words of the search box; empty for none.
    #[prop(optional, into)]
    search: String,
    /// The filters it knows.
    #[prop(optional)]
    filters: Vec<Filter>,
    /// The order when the address names none.
    #[prop(optional)]
    default_sort: &'static str,
    /// Where the page before is.
    #[prop(optional_no_strip, into)]
    previous: Option<String>,
    /// Where the page after is.
    #[prop(optional_no_strip, into)]
    next: Option<String>,
    /// Where the same rows can be had as a file.
    #[prop(optional, into)]
    export: Option<String>,
    /// What can be done with picked rows; each row then begins with [`RowPick`].
    #[prop(optional_no_strip)]
    bulk: Option<Bulk>,
    /// More buttons at the end of the toolbar.
    #[prop(optional, into)]
    actions: Option<Slot>,
    /// What is shown in place of the table, usually [`super::Empty`].
    #[prop(optional, into)]
    empty: Option<Slot>,
    /// On a phone each row becomes a card; cells then carry `data-label`.
    #[prop(optional)]
    stacks: bool,
    /// The rows.
    children: Slot,
) -> impl IntoView {
    let count = match total {
        Some(1) => "1 row".to_owned(),
        Some(total) if usize::try_from(total).is_ok_and(|total| total > shown) => {
            format!("{shown} of {} rows", thousands(total))
        }
        Some(total) => format!("{} rows", thousands(total)),
        None if next.is_some() => format!("{shown} rows and more"),
        None => format!("{shown} rows"),
    };
    let picks = bulk.is_some();
    let wide = columns.iter().filter(|column| column.shown).count();
    let above = (shown > 0).then(|| view! { <span class="total">{count.clone()}</span> });
    let toolbar = view! {
        <div class="toolbar">
            {(!search.is_empty()).then(|| view! { <SearchBox here=here.clone() label=search/> })}
            {(!filters.is_empty()).then(|| view! { <FilterMenu here=here.clone() filters=filters.clone()/> })}
            <div class="tail">
                {above}
                {(!columns.is_empty() && columns.iter().any(|column| !column.fixed))
                    .then(|| view! { <ColumnPicker here=here.clone() columns=columns.clone()/> })}
                {export.map(|href| view! { <a class="button quiet" href=href download=""><Icon glyph=Glyph::Export/>"Export"</a> })}
                {actions.map(Slot::run)}
            </div>
        </div>
    }
    .piece();
    let head = here.clone();
    let body = if shown == 0 {
        match empty {
            Some(empty) => empty.run(),
            None => view! { <div class="empty"><h2>"No rows"</h2><p>"Nothing matches this view."</p></div> }.piece(),
        }
    } else {
        let table = view! {
            <TableFrame label=label stacks=stacks columns=wide>
                <TableHead here=head columns=columns default_sort=default_sort picks=picks/>
                <tbody>{children.run()}</tbody>
            </TableFrame>
        };
        match bulk {
            None => table.piece(),
            Some(Bulk { action, controls }) => view! {
                <form method="post" action=action>
                    {table}
                    <div class="bulk" role="group" aria-label="With the picked rows">
                        <span class="small muted">"With the picked rows"</span>
                        {controls.run()}
                    </div>
                </form>
            }
            .piece(),
        }
    };
    view! {
        <div class="listing">
            {toolbar}
            <Chips here=here.clone() filters=filters/>
            {body}
            {(shown > 0).then(|| view! { <Pager count=count previous=previous next=next/> })}
        </div>
    }
    .piece()
}

/// A count as it is written: `12,345`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        vec![
            Column::new("name", "Agent").sorts().fixed(),
            Column::new("score", "Score").sorts().numeric(),
            Column::new("x", "X").extra(),
        ]
    }

    fn page(query: &str, shown: usize) -> String {
        let here = Address::parse("/agents", query);
        let filters = vec![Filter::new("tier", "Tier", vec![Choice::new("high", "High")])];
        let bulk =
            Bulk { action: "/agents/bulk".to_owned(), controls: (|| view! { <button>"Assign"</button> }).into() };
        view! {
            <Listing here=here label="Agents" columns=columns() shown=shown total=Some(1234) search="Search agents"
                filters=filters default_sort="name" bulk=Some(bulk)>
                <tr><RowPick id="AG-1" name="One"/><th scope="row">"One"</th><td class="num">"7"</td></tr>
            </Listing>
        }
        .to_html()
    }

    #[test]
    fn the_order_shows_and_turns_round() {
        let html = page("tier=high&cursor=abc", 1);
        assert!(
            html.contains(r#"aria-sort="ascending" class=""><a href="/agents?tier=high&amp;sort=-name""#),
            "{html}"
        );
        assert_eq!(html.matches("aria-sort").count(), 1, "{html}");
        assert!(html.contains("1 of 1,234 rows"), "{html}");
    }

    #[test]
    fn a_chip_removes_its_filter_and_a_search_keeps_it() {
        let html = page("tier=high&q=%3Cb%3E", 1);
        assert!(html.contains(r#"<a href="/agents?q=%3Cb%3E" class="chip">"#), "{html}");
        assert!(html.contains("“&lt;b&gt;”"), "{html}");
        assert!(html.contains(r#"<input type="hidden" name="tier" value="high">"#), "{html}");
    }

    #[test]
    fn a_list_without_rows_says_so_in_place_of_a_table() {
        let html = page("", 0);
        assert!(!html.contains("<table") && html.contains("No rows"), "{html}");
    }

    #[test]
    fn chosen_columns_are_shown_and_fixed_ones_stay() {
        let chosen = Column::choose(columns(), &Address::parse("/agents", "columns=x"));
        assert!(Column::shows(&chosen, "name") && Column::shows(&chosen, "x") && !Column::shows(&chosen, "score"));
    }
}
