//! Reports: what is read in a meeting and printed. A report is a [`document::Document`], and this
//! shows it as a page made for paper too.

pub mod document;
pub mod list;

use leptos::prelude::*;

use crate::components::{
    Crumb, Crumbs, IntoPiece, LinkButton, PageHead, Piece, Section, Segment, Slot, Sparkline, StackedBar, Swatch,
    TableFrame, thousands,
};
use document::{Block, Cell, Chapter, Document};

/// Where a report is had in another form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forms {
    /// As PDF.
    pub pdf: String,
    /// As a table; empty where there is none.
    pub csv: String,
    /// As an evidence pack; empty where there is none or the reader may not.
    pub pack: String,
}

/// A report as a page.
#[component]
pub fn ReportPage(
    /// The report.
    document: Document,
    /// The pages above it.
    crumbs: Vec<Crumb>,
    /// Its other forms.
    forms: Forms,
    /// Beneath the head: a form that chooses what is reported.
    #[prop(optional, into)]
    choice: Option<Slot>,
) -> impl IntoView {
    let Document { title, lead, notes, chapters } = document;
    let actions = move || {
        let Forms { pdf, csv, pack } = forms.clone();
        view! {
            <LinkButton href=pdf>"PDF"</LinkButton>
            {(!csv.is_empty()).then(|| view! { <LinkButton href=csv>"CSV"</LinkButton> })}
            {(!pack.is_empty()).then(|| view! { <LinkButton href=pack>"Evidence pack"</LinkButton> })}
        }
    };
    let notes = notes.into_iter().map(|n| view! { <li dir="auto">{n}</li> }).collect_view();
    let chapters = chapters.into_iter().map(chapter).collect_view();
    view! {
        <Crumbs trail=crumbs/>
        <PageHead title=title lead=lead actions=actions/>
        <ul class="plain-list small muted report-notes">{notes}</ul>
        {choice.map(Slot::run)}
        <div class="stack loose report">{chapters}</div>
    }
    .piece()
}

fn chapter(chapter: Chapter) -> Piece {
    let Chapter { id, title, blocks } = chapter;
    let blocks: Vec<Piece> = blocks.into_iter().enumerate().map(|(at, b)| block(&format!("{id}-{at}"), b)).collect();
    view! { <Section title=title id=id>{blocks}</Section> }.piece()
}

fn cell(cell: Cell) -> Piece {
    let Cell { text, href, tone } = cell;
    let mark = tone.map(|tone| view! { <Swatch tone=tone/> });
    if href.is_empty() {
        view! { {mark} <span dir="auto">{text}</span> }.piece()
    } else {
        view! { {mark} <a href=href dir="auto">{text}</a> }.piece()
    }
}

fn block(id: &str, block: Block) -> Piece {
    match block {
        Block::Words(words) => view! { <p dir="auto">{words}</p> }.piece(),
        Block::Facts(facts) => {
            let rows = facts
                .into_iter()
                .map(|(name, value)| view! { <tr><th scope="row">{name}</th><td>{cell(value)}</td></tr> })
                .collect_view();
            view! { <TableFrame label="Facts" compact=true><tbody>{rows}</tbody></TableFrame> }.piece()
        }
        Block::Table { rows, empty, .. } if rows.is_empty() => view! { <p class="muted">{empty}</p> }.piece(),
        Block::Table { title, columns, rows, .. } => {
            let head = columns
                .iter()
                .map(|c| view! { <th scope="col" class=if c.number { "num" } else { "" }>{c.title.clone()}</th> })
                .collect_view();
            let rows = rows
                .into_iter()
                .map(|row| {
                    let cells = row
                        .into_iter()
                        .zip(&columns)
                        .map(|(value, column)| {
                            let class = if column.number { "num" } else { "" };
                            view! { <td class=class data-label=column.title.clone()>{cell(value)}</td> }
                        })
                        .collect_view();
                    view! { <tr>{cells}</tr> }
                })
                .collect_view();
            view! {
                <TableFrame label=title stacks=true compact=true><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></TableFrame>
            }
            .piece()
        }
        Block::Bar { title, parts } => {
            let segments =
                parts.into_iter().map(|p| Segment::new(p.label, p.count, p.href, p.tone)).collect::<Vec<_>>();
            view! { <StackedBar title=title id=id.to_owned() segments=segments/> }.piece()
        }
        Block::Trend { title, words, days, tone } => {
            #[expect(clippy::cast_precision_loss, reason = "counts of agents, drawn on thirty units")]
            let values: Vec<f64> = days.iter().map(|(_, n)| *n as f64).collect();
            let rows = days
                .iter()
                .rev()
                .map(|(day, n)| {
                    let n = thousands(u64::try_from(*n).unwrap_or(0));
                    view! { <tr><td>{day.to_string()}</td><td class="num">{n}</td></tr> }
                })
                .collect_view();
            let said = title.clone();
            view! {
                <div class="trend">
                    <Sparkline title=title.clone() description=words.clone() values=values tone=tone/>
                    <details class="unfold">
                        <summary>{said} ": " {words}</summary>
                        <table class="table">
                            <caption class="visually-hidden">{title} ", at the end of each UTC day that was recorded"</caption>
                            <thead><tr><th scope="col">"Day"</th><th scope="col" class="num">"Number"</th></tr></thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </details>
                </div>
            }
            .piece()
        }
    }
}
