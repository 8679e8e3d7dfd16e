//! What can happen to an agent next, and what was asked about it: a part of its page.

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::id::{AgentId, RequestId};
use domain::request::{RequestKind, RequestState};
use leptos::prelude::*;

use super::tone;
use crate::components::{Badge, Button, IntoPiece, Kind, LinkButton, Piece, PostForm, Section, TableFrame, When};

/// A request about the agent.
#[derive(Debug, Clone)]
pub struct Past {
    /// Its reference.
    pub id: RequestId,
    /// What was asked.
    pub kind: RequestKind,
    /// By whom.
    pub requester: String,
    /// When.
    pub opened_at: DateTime<Utc>,
    /// Where it stands.
    pub state: RequestState,
}

/// Where the agent is in its life, and what the reader may do about it.
#[derive(Debug, Clone)]
pub struct Life {
    /// The agent.
    pub agent: AgentId,
    /// Where it is.
    pub state: Lifecycle,
    /// When it was approved, and by which request.
    pub approved: Option<(DateTime<Utc>, Option<RequestId>)>,
    /// Its present boundary is the approved one.
    pub holds: bool,
    /// What it lacks before it may become active, for an approved one.
    pub lacks: Vec<String>,
    /// The reader may ask for things.
    pub may_ask: bool,
    /// The reader may adopt it.
    pub may_adopt: bool,
    /// The reader may make it active.
    pub may_activate: bool,
    /// Something else was seen of it than was approved.
    pub drift: bool,
    /// What was asked, newest first; empty for who may not read it.
    pub past: Vec<Past>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The section of an agent's page.
#[component]
pub fn LifeSection(
    /// What it shows.
    life: Life,
) -> impl IntoView {
    let agent = life.agent;
    let now = life.now;
    let open = |kind: RequestKind| life.past.iter().find(|p| p.kind == kind && p.state == RequestState::Open);
    let asked = |p: &Past| {
        let href = p.kind.path(p.id);
        view! { <p>"It is asked: " <a href=href>{p.kind.label().to_lowercase()} " " {p.id.to_string()}</a> ", by " <bdi>{p.requester.clone()}</bdi> ", " <When at=p.opened_at now=now/> "."</p> }.piece()
    };
    let link = |path: &str, words: &'static str| {
        let href = format!("/agents/{agent}/{path}");
        view! { <p class="actions"><LinkButton href=href kind=Kind::Primary>{words}</LinkButton></p> }.piece()
    };
    let press = |what: &'static str, words: &'static str| {
        let action = format!("/agents/{agent}/life");
        view! {
            <PostForm action=action><div class="actions"><Button kind=Kind::Primary name="do" value=what>{words}</Button></div></PostForm>
        }
        .piece()
    };
    let approval = open(RequestKind::Approval);
    let body: Piece = match life.state {
        Lifecycle::Discovered if life.may_adopt => view! {
            <p>"It was seen and never approved. Adopt it, which makes it a draft whose approval can be asked, or retire it. Whether it runs does not change."</p>
            {press("adopt", "Adopt it")}
        }
        .piece(),
        Lifecycle::Discovered => view! { <p>"It was seen and never approved."</p> }.piece(),
        Lifecycle::Draft if life.may_ask => view! { <p>"It is a draft: nobody approved it."</p> {link("submit", "Ask for approval")} }.piece(),
        Lifecycle::Draft => view! { <p>"It is a draft: nobody approved it."</p> }.piece(),
        Lifecycle::Proposed => match approval {
            Some(p) => asked(p),
            None => view! { <p>"Its approval was asked, and that has ended. Ask again, or edit it."</p> {life.may_ask.then(|| link("submit", "Ask for approval"))} }.piece(),
        },
        Lifecycle::Approved => {
            let lacks = (!life.lacks.is_empty()).then(|| {
                let list = life.lacks.iter().map(|l| view! { <li>{l.clone()}</li> }).collect_view();
                view! { <p>"Before it may become active:"</p><ul>{list}</ul> }
            });
            let go = (life.may_activate && life.lacks.is_empty()).then(|| press("activate", "Make it active"));
            view! { {lacks} {go} {approval.map(asked)} }.piece()
        }
        Lifecycle::Suspended => match open(RequestKind::Resumption) {
            Some(p) => asked(p),
            None => view! { <p>"It is suspended. It runs again once the business owner and whoever holds the capacity that suspended it have approved that."</p> {life.may_ask.then(|| link("resume", "Ask to resume it"))} }.piece(),
        },
        Lifecycle::Active => view! { {approval.map(asked)} }.piece(),
        Lifecycle::Retiring => view! { <p>"It is being retired."</p> }.piece(),
        Lifecycle::Retired => view! { <p>"It is retired."</p> }.piece(),
    };
    let approved = life.approved.map(|(at, by)| {
        let by = by.map(|id| view! { ", by " <a href=format!("/requests/{id}")>{id.to_string()}</a> });
        let now_is = if life.holds { "Its boundary is as approved." } else { "Its boundary is not the approved one." };
        view! { <p>"Approved " <When at=at now=now/> {by} ". " {now_is}</p> }
    });
    let scope = (life.state.boundary_is_approved() && life.may_ask).then(|| {
        if let Some(p) = open(RequestKind::ScopeChange) {
            return asked(p);
        }
        let (href, words) = if life.drift {
            (format!("/agents/{agent}/scope?from=observed"), "Ask for what was seen")
        } else {
            (format!("/agents/{agent}/scope"), "Ask for a change of scope")
        };
        let again = format!("/agents/{agent}/submit");
        view! { <p class="actions"><LinkButton href=href>{words}</LinkButton> <LinkButton href=again>"Ask for a fresh approval"</LinkButton></p> }.piece()
    });
    let past = (!life.past.is_empty()).then(|| {
        let rows = life
            .past
            .iter()
            .map(|p| {
                let state = p.state;
                view! {
                    <tr>
                        <th scope="row"><a href=p.kind.path(p.id)>{p.kind.label()}</a> <span class="ref muted">{p.id.to_string()}</span></th>
                        <td data-label="State"><Badge tone=tone(state)>{state.label()}</Badge></td>
                        <td data-label="Asked by"><bdi>{p.requester.clone()}</bdi></td>
                        <td data-label="When"><When at=p.opened_at now=now/></td>
                    </tr>
                }
                .piece()
            })
            .collect_view();
        view! {
            <TableFrame label="Requests about it" stacks=true columns=4>
                <thead><tr><th scope="col">"Request"</th><th scope="col">"State"</th><th scope="col">"Asked by"</th><th scope="col">"When"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
    });
    view! { <Section title="Approval" id="requests">{approved}{body}{scope}{past}</Section> }.piece()
}
