//! `/reports`: what can be read, printed and taken away.

use leptos::prelude::*;

use crate::components::{Button, IntoPiece, Kind, LinkButton, PageHead, Section};

/// What the reader may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reports {
    /// The posture report.
    pub posture: bool,
    /// The whole record.
    pub record: bool,
    /// The agent that was asked for.
    pub agent: String,
    /// What is wrong with it.
    pub error: Option<String>,
}

/// The page; goes inside `Layout`.
#[component]
pub fn ReportsPage(
    /// What it shows.
    reports: Reports,
) -> impl IntoView {
    let Reports { posture, record, agent, error } = reports;
    let invalid = if error.is_some() { "true" } else { "false" };
    let posture = posture.then(|| {
        view! {
            <Section title="Posture" id="posture">
                <p>"How many agents nobody can stop, which business unit is worst, and what got worse since a day that you choose."</p>
                <div class="row"><LinkButton href="/reports/posture" kind=Kind::Primary>"Open"</LinkButton><LinkButton href="/reports/posture.pdf">"PDF"</LinkButton><LinkButton href="/reports/posture.csv">"CSV"</LinkButton></div>
            </Section>
        }
    });
    let record = record.then(|| {
        view! { <li><a href="/audit/export.jsonl">"The record, with its chain (JSON Lines)"</a></li> }
    });
    view! {
        <PageHead title="Reports" lead="What is read in a meeting, printed, or handed to an auditor."/>
        <div class="stack loose">
            {posture}
            <Section title="One agent" id="agent">
                <p>"The dossier says who answers for it, who could stop it, what was decided and since when. The evidence pack is a ZIP with all of it, the files, and the record that proves it; it is checked with sha256sum and a short script, without Muster."</p>
                <form method="get" action="/reports" class="row" novalidate>
                    <label for="agent-ref">"Agent"</label>
                    <input class="input" id="agent-ref" name="agent" value=agent placeholder="AG-42" autocomplete="off" aria-invalid=invalid aria-describedby="agent-error"/>
                    <Button kind=Kind::Primary name="open" value="dossier">"Dossier"</Button>
                    <Button name="open" value="pdf">"PDF"</Button>
                    <Button name="open" value="pack">"Evidence pack"</Button>
                </form>
                <p id="agent-error" class="error" role="status">{error.unwrap_or_default()}</p>
            </Section>
            <Section title="Tables" id="tables">
                <ul class="plain-list">
                    <li><a href="/agents/export.csv">"Agents (CSV)"</a></li>
                    <li><a href="/exceptions.csv?state=all">"Exceptions (CSV)"</a></li>
                    {record}
                </ul>
            </Section>
        </div>
    }
    .piece()
}
