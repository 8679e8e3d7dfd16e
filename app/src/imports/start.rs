//! Where an import begins: the file, what waits, and what came in before.

use chrono::{DateTime, Utc};
use domain::id::{PersonId, WaveId};
use leptos::prelude::*;

use super::wave_link;
use crate::components::{
    Button, Crumb, Crumbs, Day, Empty, ErrorSummary, Field, FieldErrors, IntoPiece, Kind, PageHead, Party, PostForm,
    Section, TableFrame, When, thousands,
};

/// A file that was sent and is not imported yet.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its address.
    pub href: String,
    /// Its name.
    pub name: String,
    /// When it was sent.
    pub at: DateTime<Utc>,
}

/// An import that was done.
#[derive(Debug, Clone)]
pub struct WaveLine {
    /// Its reference.
    pub id: WaveId,
    /// The file's name.
    pub title: String,
    /// Its source.
    pub source: String,
    /// Who answers for it.
    pub owner: Option<(PersonId, String)>,
    /// When.
    pub at: DateTime<Utc>,
    /// Until when its gaps count as onboarding.
    pub target: DateTime<Utc>,
    /// Rows that became agents.
    pub new: u64,
    /// Rows that changed an agent.
    pub changed: u64,
    /// Rows that were refused.
    pub refused: u64,
}

/// The page.
#[derive(Debug, Clone)]
pub struct Start {
    /// What is wrong with what was sent.
    pub errors: FieldErrors,
    /// Files that wait.
    pub waiting: Vec<Waiting>,
    /// The newest imports.
    pub waves: Vec<WaveLine>,
    /// How many hours a file waits.
    pub hours: i64,
    /// The present moment.
    pub now: DateTime<Utc>,
}

/// The page at `/agents/import`; goes inside `Layout`.
#[component]
pub fn ImportPage(
    /// What it shows.
    start: Start,
) -> impl IntoView {
    let Start { errors, waiting, waves, hours, now } = start;
    let waiting = (!waiting.is_empty()).then(|| waits(waiting, hours, now));
    view! {
        <Crumbs trail=vec![Crumb::new("Agents", "/agents"), Crumb::here("Import")]/>
        <PageHead title="Import an inventory"
            lead="Send a table of your agents. You see what would change, row by row, and nothing is written until you say so."/>
        <div class="with-aside">
            <PostForm files=true>
                <ErrorSummary errors=errors.clone()/>
                <Field name="file" label="Inventory" kind="file" required=true error=errors.of("file")
                    accept=".csv,.tsv,.tab,.txt,text/csv,text/tab-separated-values,text/plain"
                    hint="CSV with a header row: at most 64 MiB, 200,000 rows, 2,000 columns."/>
                <Field name="mapping" label="Mapping" kind="file" error=errors.of("mapping") accept=".toml,text/plain,application/toml"
                    hint="A TOML file from an earlier import. Without one, the mapping kept for this inventory is used, or Muster guesses."/>
                <div class="actions">
                    <Button kind=Kind::Primary>"Send the file"</Button>
                </div>
            </PostForm>
            <aside class="panel stack tight" aria-label="What is understood">
                <h2>"What is understood"</h2>
                <ul class="import-hints small">
                    <li>"UTF-8, UTF-16 and Windows-1252; comma, semicolon, tab or bar. Both are found."</li>
                    <li>"One row is one agent. Rows of the same key are never merged; the later ones are flagged."</li>
                    <li>"Owners are matched to people and teams by e-mail address or whole name. Who matches nobody is listed."</li>
                    <li>"The same file again changes nothing."</li>
                    <li>"An agent whose boundary was approved keeps it: the difference is shown as drift."</li>
                </ul>
                <p class="small">"Or on the server: "<code>"muster import FILE.csv --dry-run"</code></p>
            </aside>
        </div>
        {waiting}
        {waves_section(waves, now)}
    }
    .piece()
}

fn waits(waiting: Vec<Waiting>, hours: i64, now: DateTime<Utc>) -> impl IntoView {
    let lines = waiting
        .into_iter()
        .map(|w| {
            view! {
                <tr>
                    <th scope="row"><a href=w.href>{w.name}</a></th>
                    <td data-label="Sent"><When at=w.at now/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Section title="Sent, not imported" id="waiting">
            <p class="muted small">{format!("Only you see these. They are forgotten {hours} hours after they were sent.")}</p>
            <TableFrame label="Files that wait" stacks=true>
                <thead><tr><th scope="col">"File"</th><th scope="col">"Sent"</th></tr></thead>
                <tbody>{lines}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}

fn waves_section(waves: Vec<WaveLine>, now: DateTime<Utc>) -> impl IntoView {
    let body = if waves.is_empty() {
        view! {
            <Empty title="Nothing was imported yet">
                <p>"Each import becomes a wave: the gaps of its agents count as onboarding until its target date, except for agents that run and that nobody can stop."</p>
            </Empty>
        }
        .piece()
    } else {
        let lines = waves.into_iter().map(|w| wave_row(w, now)).collect_view();
        view! {
            <TableFrame label="Imports" stacks=true>
                <thead>
                    <tr>
                        <th scope="col">"Import"</th>
                        <th scope="col">"Source"</th>
                        <th scope="col">"When"</th>
                        <th scope="col">"Answers for it"</th>
                        <th scope="col">"Target date"</th>
                        <th scope="col" class="num">"New"</th>
                        <th scope="col" class="num">"Changed"</th>
                        <th scope="col" class="num">"Refused"</th>
                    </tr>
                </thead>
                <tbody>{lines}</tbody>
            </TableFrame>
        }
        .piece()
    };
    view! { <Section title="Imports" id="imports">{body}</Section> }
}

fn wave_row(w: WaveLine, now: DateTime<Utc>) -> impl IntoView {
    let owner = match w.owner {
        Some((id, name)) => view! { <Party name=name reference=id.to_string()/> }.piece(),
        None => view! { <span class="unset">"nobody"</span> }.piece(),
    };
    view! {
        <tr>
            <th scope="row">{wave_link(w.id)}" "<span class="import-file" dir="auto">{w.title}</span></th>
            <td data-label="Source" dir="auto">{w.source}</td>
            <td data-label="When"><When at=w.at now/></td>
            <td data-label="Answers for it">{owner}</td>
            <td data-label="Target date"><Day at=w.target/></td>
            <td class="num" data-label="New">{thousands(w.new)}</td>
            <td class="num" data-label="Changed">{thousands(w.changed)}</td>
            <td class="num" data-label="Refused">{thousands(w.refused)}</td>
        </tr>
    }
    .piece()
}
