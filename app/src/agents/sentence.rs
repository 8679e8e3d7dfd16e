//! The sentence with which an agent's page opens: who answers for it, who can stop it, who
//! revokes its keys. What is vacant is a warning in the same sentence, and leads to what mends it.

use domain::agent::{Lifecycle, Running};
use domain::assignment::{Held, RuntimeOwner, accountable};
use domain::duty::Duty;
use domain::party::{Party, Standing};
use leptos::prelude::*;

use super::page::Shown;
use crate::components::{IntoPiece, Piece, exact, relative};

/// The sentence of one agent.
pub(super) fn sentence(shown: &Shown) -> impl IntoView + use<> {
    if shown.state == Lifecycle::Retired {
        return retired(shown).piece();
    }
    let mut clauses = vec![answers(shown), stops(shown)];
    clauses.extend(revokes(shown));
    let last = clauses.len() - 1;
    let clauses = clauses
        .into_iter()
        .enumerate()
        .map(|(at, clause)| {
            let joint = if at == 0 {
                ""
            } else if at == last {
                ", and "
            } else {
                ", "
            };
            view! { {joint}{clause} }
        })
        .collect_view();
    let runs = match shown.facts.running {
        Running::Yes => None,
        Running::No => Some("It does not run."),
        Running::Unknown => Some("Whether it runs is not observed, so it counts as running."),
    };
    view! { <p class="sentence">{clauses}"."{runs.map(|runs| view! { " " <span class="muted">{runs}</span> })}</p> }
        .piece()
}

fn retired(shown: &Shown) -> impl IntoView + use<> {
    let on = exact(shown.state_at);
    let day = shown.state_at.format("%-d %B %Y").to_string();
    let last = accountable(&shown.held, Duty::Purpose)
        .map(|held| view! { ". " {named(shown, held.party)} " was the last to answer for it" });
    view! {
        <p class="sentence">
            "It was retired on " <time title=on>{day}</time> " and is not counted any more" {last} "."
        </p>
    }
    .piece()
}

fn answers(shown: &Shown) -> Piece {
    match accountable(&shown.held, Duty::Purpose) {
        Some(held) if held.standing == Standing::Active => {
            view! { {named(shown, held.party)} " answers for it" }.piece()
        }
        Some(held) => {
            view! { {vacant(shown, Duty::Purpose, "Nobody answers for it")} " (" {gone(shown, held)} ")" }.piece()
        }
        None => {
            view! { {vacant(shown, Duty::Purpose, "Nobody answers for it")}{offered(shown, Duty::Purpose)} }.piece()
        }
    }
}

fn stops(shown: &Shown) -> Piece {
    let duty = Duty::Containment;
    let held = accountable(&shown.held, duty);
    let Some(held) = held else {
        return view! { {vacant(shown, duty, "nobody can stop it")}{offered(shown, duty)} }.piece();
    };
    if held.standing != Standing::Active {
        return view! { {vacant(shown, duty, "nobody can stop it")} " (" {gone(shown, held)} ")" }.piece();
    }
    let who = named(shown, held.party);
    match shown.runtime_owner {
        // the reader may know who, not how well
        None => view! { {who} " is the one to stop it" }.piece(),
        Some(RuntimeOwner::Unable) => {
            view! { {who} " is to stop it, " <a class="vacant mild" href="#stop">"but no way to do so is recorded"</a> }.piece()
        }
        Some(RuntimeOwner::Verified) => {
            let drill = shown.drill.map(|(at, seconds)| {
                let took = seconds.map(|s| format!(", {}", duration(s))).unwrap_or_default();
                view! { " (" <a href="#stop" title=exact(at)>{format!("drill {}{took}", relative(at, shown.now))}</a> ")" }
            });
            view! { {who} " can stop it" {drill} }.piece()
        }
        Some(_) => {
            view! { {who} " should be able to stop it, " <a class="vacant mild" href="#stop">"but has not shown it"</a> }.piece()
        }
    }
}

/// Nothing is said of keys where nobody need answer for them.
fn revokes(shown: &Shown) -> Option<Piece> {
    let duty = Duty::Identity;
    match accountable(&shown.held, duty) {
        Some(held) if held.standing == Standing::Active => {
            Some(view! { {named(shown, held.party)} " revokes its keys" }.piece())
        }
        Some(held) => {
            Some(view! { {vacant(shown, duty, "nobody revokes its keys")} " (" {gone(shown, held)} ")" }.piece())
        }
        None if duty.required(&shown.facts) => {
            Some(view! { {vacant(shown, duty, "nobody revokes its keys")}{offered(shown, duty)} }.piece())
        }
        None => None,
    }
}

fn named(shown: &Shown, party: Party) -> impl IntoView + use<> {
    view! { <a href=party.path() dir="auto">{shown.name_of(party)}</a> }
}

fn gone(shown: &Shown, held: &Held) -> impl IntoView + use<> {
    let why = match held.standing {
        Standing::Leaderless => " has no lead",
        _ => " left",
    };
    view! { {named(shown, held.party)}{why} }
}

fn offered(shown: &Shown, duty: Duty) -> Option<impl IntoView + use<>> {
    let offer = shown.offers.iter().find(|offer| offer.duty == duty)?;
    Some(view! { " (" <a href="#offers">"offered"</a> " to " {named(shown, offer.party)} ")" })
}

/// A vacancy: a warning in words, and a link to the form that ends it for whoever may use it.
fn vacant(shown: &Shown, duty: Duty, words: &'static str) -> Piece {
    // What does not run is not loud.
    let class = if shown.facts.running.counts() { "vacant" } else { "vacant mild" };
    if shown.may.assign {
        let href = format!("/agents/{}/assign?duty={duty}", shown.id);
        view! { <a class=class href=href>{words}</a> }.piece()
    } else {
        view! { <strong class=class>{words}</strong> }.piece()
    }
}

/// `41 s`, `3 min`, `1 h 5 min`.
pub(super) fn duration(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}
