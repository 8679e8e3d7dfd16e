//! How an agent ends: on its way out, or as a tombstone that everybody who may see it reads.

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle as State;
use domain::duty::Duty;
use domain::id::{AgentId, RequestId};
use domain::party::Party as Who;
use domain::request::RequestState;
use leptos::prelude::*;

use crate::components::{Fact, Facts, IntoPiece, LinkButton, Notice, Piece, Section, Tone, When};
use crate::retirements::{Sign, signs};

/// What an agent's page says of its retirement.
#[derive(Debug, Clone)]
pub struct Ending {
    /// The newest retirement, where it stands, and whether the reader may open it.
    pub request: Option<(RequestId, RequestState, bool)>,
    /// Who owned it at the end.
    pub owners: Vec<(Duty, Who, String)>,
    /// Signs of life, for those who may know.
    pub signs: Vec<Sign>,
}

/// The part of the page, if there is anything to say.
pub(super) fn ending(
    id: AgentId,
    state: State,
    since: DateTime<Utc>,
    ending: Option<Ending>,
    may: bool,
    now: DateTime<Utc>,
) -> Option<Piece> {
    let ending = ending.unwrap_or(Ending { request: None, owners: Vec::new(), signs: Vec::new() });
    let request = ending.request;
    let (loud, quiet) = (signs(&ending.signs, now), ending.signs.is_empty());
    let open = move |label: &'static str| {
        request.filter(|(.., opens)| *opens).map(|(request, ..)| {
            view! { <p><LinkButton href=format!("/retirements/{request}")>{label}</LinkButton></p> }
        })
    };
    let body = match state {
        State::Retiring => {
            let under_way = request.is_some_and(|(_, state, _)| !state.ended());
            if under_way {
                view! { <Notice tone=Tone::Note title="It is being retired"><p>"It does not come back. It ends once every row of its checklist is closed and both owners have signed."</p>{open("The checklist")}</Notice> }.piece()
            } else {
                let start = may.then(|| view! { <p><LinkButton href=format!("/agents/{id}/retire")>"Start its retirement"</LinkButton></p> });
                view! { <Notice tone=Tone::Warn title="It is on its way out, and nobody is at it"><p>"No retirement of it is open."</p>{start}</Notice> }.piece()
            }
        }
        State::Retired => {
            let nobody = ending.owners.is_empty();
            let owners = ending
                .owners
                .into_iter()
                .map(|(duty, who, name)| {
                    view! { <Fact term=duty.owner_title()><a href=who.path() dir="auto">{name}</a></Fact> }.piece()
                })
                .collect_view();
            let whole = match request {
                Some((_, RequestState::Approved, _)) if nobody => {
                    view! { <p>"Nobody owned it at the end."</p> }.piece()
                }
                Some((_, RequestState::Approved, _)) => {
                    view! { <p>"Who owned it at the end:"</p><Facts>{owners}</Facts> }.piece()
                }
                _ => view! { <p>"It came here retired: nothing of its end was recorded."</p> }.piece(),
            };
            view! {
                <Section title="Tombstone" id="tombstone">
                    <p>"Retired " <When at=since now=now/> ". Its record is closed; this reference is never used again."</p>
                    {whole}
                    {open("Evidence, waivers and signatures")}
                </Section>
            }
            .piece()
        }
        _ if quiet => return None,
        _ => ().piece(),
    };
    Some(view! { <div class="stack">{loud}{body}</div> }.piece())
}
