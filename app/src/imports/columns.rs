//! What the columns of a file mean.

use std::collections::BTreeMap;

use domain::import::Field;
use leptos::prelude::*;

use super::{Step, rows, steps, targets};
use crate::components::{
    Badge, Button, Choice, Crumb, Crumbs, ErrorSummary, Field, FieldErrors, IntoPiece, Kind, LinkButton, Notice,
    PageHead, Piece, PostForm, RadioGroup, Refused, Section, Select, TableFrame, TextArea, Tone, thousands,
};
use crate::people::{Named, WHO, suggestions};

/// The file, as it was found.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// Its encoding, for people.
    pub encoding: String,
    /// Its delimiter, for people.
    pub delimiter: String,
    /// Rows with something in them.
    pub rows: u64,
    /// Columns.
    pub columns: u64,
    /// Characters that were unreadable.
    pub damaged: u64,
    /// Rows passed over since they hold nothing.
    pub empty: u64,
    /// A file of refused rows, sent again.
    pub mended: bool,
}

/// One column.
#[derive(Debug, Clone, Default)]
pub struct ColumnRow {
    /// Its place in the file, from 0.
    pub at: usize,
    /// Its name.
    pub name: String,
    /// How many rows have something in it.
    pub filled: u64,
    /// The first values.
    pub examples: Vec<String>,
    /// What it becomes: the key of a target.
    pub becomes: String,
    /// Whether it is part of the key.
    pub key: bool,
}

/// The words of one closed vocabulary.
#[derive(Debug, Clone)]
pub struct ValueMap {
    /// Which fact.
    pub field: Field,
    /// From which column.
    pub column: String,
    /// The words, the most frequent first.
    pub values: Vec<ValueRow>,
    /// Words that are not shown.
    pub more: u64,
}

/// One word and its meaning.
#[derive(Debug, Clone)]
pub struct ValueRow {
    /// The word.
    pub value: String,
    /// In how many rows.
    pub count: u64,
    /// The key of its meaning; empty when it says nothing.
    pub means: String,
    /// Nobody and nothing understood it yet.
    pub open: bool,
}

/// A fact that may be the same for every row.
#[derive(Debug, Clone)]
pub struct FixedRow {
    /// Which.
    pub field: Field,
    /// The key of its value; empty for none.
    pub value: String,
}

/// What is asked beside the columns, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaveForm {
    /// What the inventory is called.
    pub source: String,
    /// Who answers for the wave, as typed.
    pub owner: String,
    /// The target date.
    pub target: String,
    /// `offer` or `record`.
    pub owners: String,
    /// Why they may be recorded.
    pub reason: String,
}

/// The page.
#[derive(Debug, Clone)]
pub struct Columns {
    /// The staged file's id.
    pub id: String,
    /// The file.
    pub seen: Seen,
    /// Its columns, in the file's order.
    pub columns: Vec<ColumnRow>,
    /// Columns that are not shown.
    pub hidden: u64,
    /// Closed vocabularies in use.
    pub maps: Vec<ValueMap>,
    /// Facts that no column gives.
    pub fixed: Vec<FixedRow>,
    /// The rest of the form.
    pub form: Refused<WaveForm>,
    /// The mapping was kept from an earlier import of this source.
    pub kept: bool,
    /// People to suggest.
    pub people: Vec<Named>,
    /// Whether who imports may record present owners.
    pub may_record: bool,
}

/// The page at `/agents/import/{id}`; goes inside `Layout`.
#[component]
pub fn MapColumns(
    /// What it shows.
    page: Columns,
) -> impl IntoView {
    let Columns { id, seen, columns, hidden, maps, fixed, form, kept, people, may_record } = page;
    let Refused { values, errors } = form;
    let base = format!("/agents/import/{id}");
    let lead = format!(
        "{}, {} columns, {}, separated by {}.",
        rows(seen.rows),
        thousands(seen.columns),
        seen.encoding,
        seen.delimiter
    );
    let whence = if kept {
        format!("The mapping is the one of the last import of {}.", values.source)
    } else {
        "The mapping is guessed from the header and the values: look it over.".to_owned()
    };
    let owners = columns.iter().any(|c| c.becomes.starts_with("owner:"));
    let (used, left): (Vec<ColumnRow>, Vec<ColumnRow>) =
        columns.into_iter().partition(|c| !c.becomes.is_empty() || c.key);
    let mapping_error = errors.of("mapping");
    let left_count = left.len() as u64;
    let options = targets();
    let left_out = (left_count + hidden > 0).then(|| {
        let more = (hidden > 0).then(|| {
            view! { <p class="muted small">{format!("{} more columns are not shown; map them by a TOML file.", thousands(hidden))}</p> }
        });
        view! {
            <details class="import-left">
                <summary>{format!("{} columns are left out", thousands(left_count + hidden))}</summary>
                {column_table("Columns left out", &left, &options, seen.rows)}
                {more}
            </details>
        }
    });
    let maps = (!maps.is_empty()).then(|| value_maps(maps));
    let other = format!("{base}/mapping");
    let discard = format!("{base}/discard");
    view! {
        <Crumbs trail=vec![Crumb::new("Agents", "/agents"), Crumb::new("Import", "/agents/import"), Crumb::here(seen.name.clone())]/>
        <PageHead title=seen.name.clone() lead=lead
            actions={let base = base.clone(); move || view! { <LinkButton href=format!("{base}/mapping.toml")>"Mapping as TOML"</LinkButton> }}/>
        {steps(&id, Step::Columns)}
        {warnings(&seen)}
        <form method="post" class="form wide" id="columns-form">
            <ErrorSummary errors=errors.clone()/>
            <Section title="Columns" id="columns">
                <p class="muted">{whence}" Together, the columns of the key tell agents apart, now and at the next import."</p>
                {column_table("Columns in use", &used, &options, seen.rows)}
                {left_out}
            </Section>
            {maps}
            {fixed_facts(fixed)}
            <Section title="The import" id="wave">
                <div class="fields">
                    <Field name="source" label="Source" value=values.source error=errors.of("source") required=true maxlength=100 autocomplete="off"
                        hint="What this inventory is called. Use the same name for its next edition."/>
                    <Field name="owner" label="Who answers for it" value=values.owner error=errors.of("owner") list="people" autocomplete="off"
                        hint=format!("Answers for closing its gaps. {WHO}")/>
                    <Field name="target" label="Target date" kind="date" value=values.target error=errors.of("target") required=true
                        hint="Until then its gaps count as onboarding. What runs and nobody can stop never waits."/>
                </div>
                {suggestions("people", &people)}
                {owners.then(|| owner_choice(&values.owners, values.reason, &errors, may_record))}
            </Section>
            <div class="actions">
                <Button kind=Kind::Primary name="then" value="diff">"See what would change"</Button>
                <Button name="then" value="stay">"Save, stay here"</Button>
                <Button kind=Kind::Quiet name="then" value="guess">"Guess again"</Button>
            </div>
        </form>
        <Section title="Another way" id="another-way">
            <div class="row import-other">
                <PostForm action=other files=true>
                    <Field name="mapping" label="Mapping from a file" kind="file" error=mapping_error accept=".toml,text/plain,application/toml" required=true/>
                    <div class="actions"><Button>"Use this mapping"</Button></div>
                </PostForm>
                <form method="post" action=discard><Button kind=Kind::Quiet>"Forget this file"</Button></form>
            </div>
        </Section>
    }
    .piece()
}

fn warnings(seen: &Seen) -> impl IntoView + use<> {
    let empty_rows = rows(seen.empty);
    let damaged = (seen.damaged > 0).then(|| {
        let text = format!(
            "{} could not be read and show as �.",
            if seen.damaged == 1 {
                "1 character".to_owned()
            } else {
                format!("{} characters", thousands(seen.damaged))
            }
        );
        view! { <Notice tone=Tone::Warn title="Some of it is damaged"><p>{text}</p></Notice> }
    });
    let empty = (seen.empty > 0).then(|| {
        view! { <Notice><p>{format!("{empty_rows} with nothing in them are passed over.")}</p></Notice> }
    });
    let mended = seen.mended.then(|| {
        view! { <Notice tone=Tone::Note title="Refused rows, mended"><p>"Each row keeps the key that it had in its first file. Use the same source as then."</p></Notice> }
    });
    view! { {damaged}{empty}{mended} }
}

fn column_table(label: &'static str, columns: &[ColumnRow], options: &[Choice], of: u64) -> Piece {
    if columns.is_empty() {
        return view! { <p class="muted">"No column is used yet: say below which one has the names."</p> }.piece();
    }
    let lines = columns.iter().map(|c| column_row(c, options, of)).collect_view();
    view! {
        <TableFrame label=label stacks=true>
            <thead>
                <tr>
                    <th scope="col">"Column"</th>
                    <th scope="col">"First values"</th>
                    <th scope="col" class="num">"Filled"</th>
                    <th scope="col">"Becomes"</th>
                    <th scope="col">"Key"</th>
                </tr>
            </thead>
            <tbody class="import-columns">{lines}</tbody>
        </TableFrame>
    }
    .piece()
}

fn column_row(c: &ColumnRow, options: &[Choice], of: u64) -> impl IntoView + use<> {
    let name = format!("becomes:{}", c.at);
    let key = format!("key-{}", c.at);
    let filled = (c.filled * 100).checked_div(of).unwrap_or(0);
    let filled = if c.filled > 0 && filled == 0 { "under 1%".to_owned() } else { format!("{filled}%") };
    let examples = c
        .examples
        .iter()
        .map(|e| view! { <li dir="auto">{e.chars().take(90).collect::<String>()}</li> })
        .collect_view();
    view! {
        <tr>
            <th scope="row" dir="auto">{c.name.clone()}</th>
            <td class="text" data-label="First values"><ul class="import-examples small muted">{examples}</ul></td>
            <td class="num" data-label="Filled">{filled}</td>
            <td class="text" data-label="Becomes">
                <select class="input" name=name aria-label=format!("{} becomes", c.name)>{chosen(options, &c.becomes)}</select>
            </td>
            <td data-label="Key">
                <input type="checkbox" name="key" id=key value=c.at.to_string() checked=c.key aria-label=format!("{} is part of the key", c.name)/>
            </td>
        </tr>
    }
    .piece()
}

/// Options in their groups, one of them chosen.
fn chosen(options: &[Choice], selected: &str) -> impl IntoView + use<> {
    let mut groups: Vec<(String, Vec<&Choice>)> = Vec::new();
    for o in options {
        match groups.last_mut() {
            Some((g, list)) if *g == o.group => list.push(o),
            _ => groups.push((o.group.clone(), vec![o])),
        }
    }
    groups
        .into_iter()
        .map(|(group, list)| {
            let list = list
                .into_iter()
                .map(
                    |o| view! { <option value=o.value.clone() selected=o.value == selected>{o.label.clone()}</option> },
                )
                .collect_view();
            if group.is_empty() { list.piece() } else { view! { <optgroup label=group>{list}</optgroup> }.piece() }
        })
        .collect_view()
}

fn value_maps(maps: Vec<ValueMap>) -> impl IntoView {
    let tables = maps.into_iter().map(value_map).collect_view();
    view! {
        <Section title="Words" id="values">
            <p class="muted">"What the words of these columns mean. A word that says nothing leaves the fact as it is."</p>
            <div class="columns">{tables}</div>
        </Section>
    }
    .piece()
}

fn value_map(map: ValueMap) -> impl IntoView {
    let choices: BTreeMap<usize, (&'static str, &'static str)> = map.field.choices().into_iter().enumerate().collect();
    let field = map.field;
    let lines = map
        .values
        .into_iter()
        .map(|v| {
            let options = choices
                .values()
                .map(|(key, label)| view! { <option value=*key selected=*key == v.means>{*label}</option> })
                .collect_view();
            let open = v.open.then(|| view! { " "<Badge tone=Tone::Warn>"Not understood"</Badge> });
            view! {
                <tr>
                    <th scope="row" dir="auto">{v.value.clone()}{open}</th>
                    <td class="num" data-label="Rows">{thousands(v.count)}</td>
                    <td class="text" data-label="Means">
                        <input type="hidden" name=format!("value:{field}") value=v.value.clone()/>
                        <select class="input" name=format!("means:{field}") aria-label=format!("“{}” means", v.value)>
                            <option value="" selected=v.means.is_empty()>"Says nothing"</option>
                            {options}
                        </select>
                    </td>
                </tr>
            }
        })
        .collect_view();
    let more = (map.more > 0).then(|| {
        let text = format!("{} more words are understood as they are, or reported.", thousands(map.more));
        view! { <p class="muted small">{text}</p> }
    });
    let heading = format!("words-{}", field.key().replace('_', "-"));
    view! {
        <section class="stack tight" aria-labelledby=heading.clone()>
            <h3 id=heading.clone()>{field.label()}</h3>
            <p class="muted small" dir="auto">{format!("From “{}”", map.column)}</p>
            <TableFrame label=format!("Words of {}", field.label()) stacks=true compact=true>
                <thead><tr><th scope="col">"Word"</th><th scope="col" class="num">"Rows"</th><th scope="col">"Means"</th></tr></thead>
                <tbody class="import-words">{lines}</tbody>
            </TableFrame>
            {more}
        </section>
    }
    .piece()
}

fn fixed_facts(fixed: Vec<FixedRow>) -> impl IntoView {
    if fixed.is_empty() {
        return ().piece();
    }
    let set = fixed.iter().any(|f| !f.value.is_empty());
    let fields = fixed
        .into_iter()
        .map(|f| {
            let options = f.field.choices().into_iter().map(|(k, l)| Choice::new(k, l)).collect::<Vec<_>>();
            view! { <Select name=format!("all:{}", f.field) label=f.field.label() options=options selected=f.value blank="Not stated"/> }
        })
        .collect_view();
    view! {
        <details class="import-left" open=set>
            <summary>"The same for every row"</summary>
            <p class="muted small">"Facts that no column gives, where the whole file says the same."</p>
            <div class="fields">{fields}</div>
        </details>
    }
    .piece()
}

fn owner_choice(chosen: &str, reason: String, errors: &FieldErrors, may_record: bool) -> Piece {
    if !may_record {
        return view! {
            <Notice><p>"Owners named in the file are asked: they own an agent once they accept."</p></Notice>
        }
        .piece();
    }
    let options = vec![
        Choice::new("offer", "Ask them").hint("They own an agent once they accept."),
        Choice::new("record", "Record them as accepted")
            .hint("You state that they own it already. The record keeps your reason."),
    ];
    let chosen = if chosen == "record" { "record" } else { "offer" };
    view! {
        <div class="fields">
            <RadioGroup name="owners" legend="Owners named in the file" options=options selected=chosen error=errors.of("owners")/>
            <TextArea name="reason" label="Reason" value=reason error=errors.of("reason") rows=2
                hint="Only for recording: how you know that they own it already."/>
        </div>
    }
    .piece()
}
