//! Any RACI table, pasted or sent, and what is wrong with it.

use domain::raci::{Checked, Rule};
use leptos::prelude::*;

use crate::components::{
    Button, Crumb, Crumbs, ErrorSummary, Field, IntoPiece, Kind, Notice, PageHead, Piece, PostForm, Refused, Section,
    TableFrame, TextArea, Tone, thousands,
};

/// As sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckForm {
    /// The table: as pasted, or the text of the file.
    pub table: String,
}

/// What was checked.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The file's name; empty for a pasted table.
    pub name: String,
    /// What was found.
    pub checked: Checked,
}

/// Violations that the page lists; the command line lists all.
const LISTED: usize = 500;

/// The page at `/raci/check`; goes inside `Layout`.
#[component]
pub fn CheckPage(
    /// As sent, with why it cannot be read.
    form: Refused<CheckForm>,
    /// What was found, when something was sent.
    outcome: Option<Outcome>,
) -> impl IntoView {
    let Refused { values, errors } = form;
    view! {
        <Crumbs trail=vec![Crumb::new("Help", "/help"), Crumb::here("Check a RACI table")]/>
        <PageHead title="Check a RACI table"
            lead="Any table: the first column names activities, the others are parties. Nothing is stored."/>
        {outcome.map(found)}
        <PostForm files=true>
            <ErrorSummary errors=errors.clone()/>
            <TextArea name="table" label="Table" value=values.table rows=12 error=errors.of("table")
                hint="Paste it from a sheet or as CSV, with its heading. A cell is R, A, C, I, several of them such as R/A, or empty."/>
            <Field name="file" label="Or a file" kind="file" error=errors.of("file")
                accept=".csv,.tsv,.tab,.txt,text/csv,text/tab-separated-values,text/plain"
                hint="CSV of at most 1 MiB; its encoding and delimiter are found."/>
            <div class="actions">
                <Button kind=Kind::Primary>"Check"</Button>
            </div>
        </PostForm>
        <p class="small muted">"Or on the command line: "<code>"muster raci check FILE.csv"</code></p>
    }
    .piece()
}

fn rows(count: usize) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{} rows", thousands(count as u64)) }
}

fn found(outcome: Outcome) -> Piece {
    let Outcome { name, checked } = outcome;
    let what = if name.is_empty() { "The table".to_owned() } else { name };
    let broken = checked.violations.len();
    if broken == 0 {
        let words = format!(
            "{what} has {} and {} parties. Each row has exactly one A and at least one R.",
            rows(checked.rows),
            checked.parties.len()
        );
        return view! { <Notice tone=Tone::Good title="Every row keeps the rules"><p dir="auto">{words}</p></Notice> }
            .piece();
    }
    let counts: Vec<String> = Rule::ALL
        .iter()
        .map(|rule| (rule, checked.count(*rule)))
        .filter(|(_, count)| *count > 0)
        .map(|(rule, count)| format!("{rule}: {count}"))
        .collect();
    let words = format!(
        "{what} has {}; {} {} a rule. {}.",
        rows(checked.rows),
        rows(checked.rows_in_breach()),
        if checked.rows_in_breach() == 1 { "breaks" } else { "break" },
        counts.join(", ")
    );
    let lines = checked
        .violations
        .iter()
        .take(LISTED)
        .map(|v| {
            view! {
                <tr>
                    <td class="num" data-label="Row">{v.row}</td>
                    <th scope="row" dir="auto">{v.activity.clone()}</th>
                    <td class="text" data-label="Rule"><span dir="auto">{v.sentence()}</span></td>
                </tr>
            }
        })
        .collect_view();
    let more = (broken > LISTED).then(
        || view! { <p class="small muted">{format!("The first {LISTED} are listed; the command line lists all.")}</p> },
    );
    view! {
        <Notice tone=Tone::Bad title="Rules are broken"><p dir="auto">{words}</p></Notice>
        <Section title="Violations" id="violations" count=broken as u64>
            <TableFrame label="Violations" stacks=true compact=true>
                <thead><tr><th scope="col" class="num">"Row"</th><th scope="col">"Activity"</th><th scope="col">"Rule"</th></tr></thead>
                <tbody>{lines}</tbody>
            </TableFrame>
            {more}
        </Section>
    }
    .piece()
}
