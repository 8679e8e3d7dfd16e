//! What an import did.

use domain::assignment::RuntimeOwner;
use domain::id::WaveId;
use leptos::prelude::*;

use super::{Counts, Step, rows, steps};
use crate::components::{Crumb, Crumbs, IntoPiece, Kind, LinkButton, Notice, PageHead, Stat, Stats, Tone, thousands};

/// The page.
#[derive(Debug, Clone)]
pub struct Done {
    /// The staged file's id.
    pub id: String,
    /// The file's name.
    pub file: String,
    /// The source.
    pub source: String,
    /// The wave; none when nothing changed.
    pub wave: Option<WaveId>,
    /// How many rows of each sort.
    pub counts: Counts,
    /// Owners that were asked or recorded.
    pub appointed: u64,
    /// Duties that standing rules offered or recorded.
    pub by_rules: u64,
    /// Agents of the wave that count as running and that nobody can stop, by why nobody can.
    pub unstoppable: Vec<(RuntimeOwner, u64)>,
}

/// The page at `/agents/import/{id}/done`; goes inside `Layout`.
#[component]
pub fn DonePage(
    /// What it shows.
    page: Done,
) -> impl IntoView {
    let Done { id, file, source, wave, counts, appointed, by_rules, unstoppable } = page;
    let title = wave.map_or_else(|| "Nothing changed".to_owned(), |w| format!("Imported as {w}"));
    let lead = match wave {
        Some(_) => format!("{file} of {source}."),
        None => format!("{file} of {source} says what the register has already. No agent was touched."),
    };
    let agents = wave.map(|w| format!("/agents?wave={w}"));
    let base = format!("/agents/import/{id}");
    let number = |label: &'static str, n: u64, href: Option<String>, tone: Tone| {
        href.map(|href| view! { <Stat label=label value=thousands(n) href=href tone=tone/> })
    };
    let unchanged_href = Some(format!("{base}/diff?show=unchanged"));
    let refused_href = Some(format!("{base}/diff?show=refused"));
    let all: u64 = unstoppable.iter().map(|(_, n)| n).sum();
    let loud = (all > 0).then(|| {
        let links = unstoppable
            .into_iter()
            .filter(|(_, n)| *n > 0)
            .map(|(state, n)| {
                let href = agents.clone().map(|a| format!("{a}&runs=yes&runtime_owner={}", state.key())).unwrap_or_default();
                view! { <li><a href=href>{format!("{}: {}", state.label(), thousands(n))}</a></li> }
            })
            .collect_view();
        let text = if all == 1 {
            "1 agent of this import runs or may run, and nobody can stop it. That never waits for the target date.".to_owned()
        } else {
            format!(
                "{} agents of this import run or may run, and nobody can stop them. That never waits for the target date.",
                thousands(all)
            )
        };
        view! {
            <Notice tone=Tone::Severe title="Who can stop them?">
                <p>{text}</p>
                <p>"See them and assign a runtime owner:"</p>
                <ul class="inline">{links}</ul>
            </Notice>
        }
    });
    let refused = (counts.refused > 0).then(|| {
        let text = format!("{} stayed out. The file has each row with its reason; mend it and send it again with the same source.", rows(counts.refused));
        view! {
            <Notice tone=Tone::Warn title="Refused rows">
                <p>{text}</p>
                <div class="actions"><LinkButton href=format!("{base}/refused.csv") kind=Kind::Small>"Refused rows as CSV"</LinkButton></div>
            </Notice>
        }
    });
    let owners = (appointed > 0).then(|| view! { <p class="muted">{format!("{} owners named in the file were asked or recorded.", thousands(appointed))}</p> });
    let rules = (by_rules > 0).then(|| view! { <p class="muted"><a href="/rules">"Standing rules"</a> {format!(" asked for, or recorded, {} that nobody held.", if by_rules == 1 { "1 duty".to_owned() } else { format!("{} duties", thousands(by_rules)) })}</p> });
    let to_agents = agents
        .clone()
        .map(|href| view! { <LinkButton href=href kind=Kind::Primary>"Agents of this import"</LinkButton> });
    view! {
        <Crumbs trail=vec![Crumb::new("Agents", "/agents"), Crumb::new("Import", "/agents/import"), Crumb::here(file.clone())]/>
        <PageHead title=title lead=lead/>
        {steps(&id, Step::Done)}
        <Stats>
            {number("new", counts.new, agents.clone().or_else(|| Some("/agents".to_owned())), Tone::Plain)}
            {number("changed", counts.changed, Some("/agents?sort=-updated_at".to_owned()), Tone::Plain)}
            {number("unchanged", counts.unchanged, unchanged_href, Tone::Plain)}
            {number("refused", counts.refused, refused_href, if counts.refused > 0 { Tone::Warn } else { Tone::Plain })}
        </Stats>
        {loud}
        {refused}
        {owners}
        {rules}
        <div class="actions">
            {to_agents}
            <LinkButton href="/agents/import">"Import another"</LinkButton>
        </div>
    }
    .piece()
}
