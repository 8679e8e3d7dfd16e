//! Handing an agent over: from the team that built it to the team that operates it.

use chrono::{DateTime, Utc};
use domain::handover::HandoverState;
use domain::id::{AgentId, HandoverId, TeamId};
use leptos::prelude::*;

use crate::components::{
    Badge, Button, Crumb, Crumbs, Empty, ErrorSummary, IntoPiece, Kind, LinkButton, Notice, PageHead, Piece, PostForm,
    Refused, Section, TableFrame, TextArea, Tone, When,
};

/// A handover as pages show it.
#[derive(Debug, Clone)]
pub struct Handover {
    /// Its reference.
    pub id: HandoverId,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub agent_name: String,
    /// The team that built it.
    pub from: (TeamId, String),
    /// The team that operates it.
    pub to: (TeamId, String),
    /// When it was offered.
    pub offered_at: DateTime<Utc>,
    /// By whom, by name.
    pub offered_by: String,
    /// Why, and what goes with it.
    pub reason: String,
    /// Where it stands.
    pub state: HandoverState,
    /// Who answered, by name, when, and what they said.
    pub answer: Option<(String, DateTime<Utc>, String)>,
    /// The reader may answer it.
    pub mine: bool,
    /// The reader may take it back.
    pub withdraw: bool,
}

/// What was typed: which press, and the words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandoverForm {
    /// `offer`, `accept`, `decline`, `withdraw`.
    pub pressed: String,
    /// Why.
    pub reason: String,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// The two teams, when one builds it and another operates it.
    pub pair: Option<((TeamId, String), (TeamId, String))>,
    /// Whether it was handed over between them.
    pub done: bool,
    /// Its handovers, newest first.
    pub past: Vec<Handover>,
    /// The reader may offer it.
    pub may_offer: bool,
    /// The form.
    pub form: Refused<HandoverForm>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

fn team(team: &(TeamId, String)) -> Piece {
    let (id, name) = team.clone();
    view! { <a href=format!("/teams/{id}") dir="auto">{name}</a> }.piece()
}

fn tone(state: HandoverState) -> Tone {
    match state {
        HandoverState::Open => Tone::Note,
        HandoverState::Accepted => Tone::Good,
        HandoverState::Declined => Tone::Warn,
        HandoverState::Withdrawn | HandoverState::Overtaken => Tone::Plain,
    }
}

/// The page at `/agents/AG-1/handover`; goes inside `Layout`.
#[component]
pub fn HandoverPage(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let agent = shown.agent;
    let open = shown.past.iter().find(|h| h.state == HandoverState::Open).cloned();
    let pair = shown.pair.as_ref().map(|(from, to)| (team(from), team(to)));
    let head = match (pair, shown.done, &open) {
        (None, ..) => view! {
            <Notice><p>"It is not built by one team and operated by another, so there is nothing to hand over. An owner says "<a href=format!("/agents/{agent}/edit")>"who builds and who operates it"</a>"."</p></Notice>
        }
        .piece(),
        (Some((from, to)), true, _) => view! {
            <Notice tone=Tone::Good><p>{from} " built it, " {to} " operates it, and accepted it."</p></Notice>
        }
        .piece(),
        (Some((from, to)), false, Some(_)) => view! {
            <Notice tone=Tone::Note><p>{from} " hands it over to " {to} ", who has not answered. Until then both stay named."</p></Notice>
        }
        .piece(),
        (Some((from, to)), false, None) => view! {
            <Notice tone=Tone::Warn title="It was never handed over"><p>{from} " built it and " {to} " operates it, and nobody accepted it from them."</p></Notice>
        }
        .piece(),
    };
    let body = press(&shown, open);
    let past = past(&shown);
    view! {
        <Crumbs trail=vec![Crumb::new("Agents", "/agents"), Crumb::new(agent.to_string(), format!("/agents/{agent}")), Crumb::here("Handover")]/>
        <PageHead title=format!("Handover: {}", shown.name) reference=agent.to_string()
            lead="The team that built an agent offers it to the team that operates it, whose lead accepts or declines."/>
        {head}
        {body}
        {past}
    }
    .piece()
}

/// What the reader may press.
fn press(shown: &Shown, open: Option<Handover>) -> Piece {
    let errors = shown.form.errors.clone();
    let reason = shown.form.values.reason.clone();
    let error = errors.of("reason");
    let summary = errors.clone();
    if shown.may_offer {
        return view! {
            <PostForm>
                <ErrorSummary errors=summary/>
                <TextArea name="reason" label="What goes with it" value=reason error=error rows=3 hint="What the receiving team must know: where it runs, what is open, who helps. Kept in the record."/>
                <div class="actions"><Button kind=Kind::Primary name="do" value="offer">"Offer it"</Button></div>
            </PostForm>
        }
        .piece();
    }
    let Some(open) = open.filter(|h| h.mine || h.withdraw) else {
        return view! { <ErrorSummary errors=summary/> }.piece();
    };
    let (mine, withdraw) = (open.mine, open.withdraw);
    let id = open.id.to_string();
    let said = (!open.reason.is_empty()).then(|| view! { <p dir="auto">{format!("“{}”", open.reason)}</p> });
    let hint = if mine { "Needed to decline: what is missing. Kept in the record." } else { "Kept in the record." };
    view! {
        {said}
        <PostForm>
            <ErrorSummary errors=summary/>
            <input type="hidden" name="handover" value=id/>
            <TextArea name="reason" label="Reason" value=reason error=error rows=2 hint=hint/>
            <div class="actions">
                {mine.then(|| view! {
                    <Button kind=Kind::Primary name="do" value="accept">"Accept it"</Button>
                    <Button name="do" value="decline">"Decline it"</Button>
                })}
                {withdraw.then(|| view! { <Button name="do" value="withdraw">"Take it back"</Button> })}
            </div>
        </PostForm>
    }
    .piece()
}

fn past(shown: &Shown) -> Piece {
    if shown.past.is_empty() {
        return view! { <Section title="Handovers" id="past"><Empty title="None yet"><p>"No handover of this agent was ever offered."</p></Empty></Section> }.piece();
    }
    let now = shown.now;
    let rows = shown
        .past
        .iter()
        .map(|h| {
            let answer = match h.answer.clone() {
                None => view! { <span class="muted">"nobody yet"</span> }.piece(),
                Some((who, at, words)) => {
                    let words = (!words.is_empty()).then(|| view! { <span class="small muted block" dir="auto">{format!("“{words}”")}</span> });
                    view! { <span dir="auto">{who}</span> ", " <When at=at now=now/> {words} }.piece()
                }
            };
            let said = (!h.reason.is_empty()).then(|| view! { <span class="small muted block" dir="auto">{format!("“{}”", h.reason)}</span> });
            let state = h.state;
            view! {
                <tr id=h.id.to_string()>
                    <th scope="row"><span class="ref">{h.id.to_string()}</span></th>
                    <td data-label="From">{team(&h.from)}</td>
                    <td data-label="To">{team(&h.to)}</td>
                    <td class="text" data-label="Offered"><span dir="auto">{h.offered_by.clone()}</span> ", " <When at=h.offered_at now=now/> {said}</td>
                    <td data-label="State"><Badge tone=tone(state)>{state.label()}</Badge></td>
                    <td class="text" data-label="Answered">{answer}</td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    view! {
        <Section title="Handovers" id="past">
            <TableFrame label="Handovers" stacks=true columns=6>
                <thead><tr><th scope="col">"Handover"</th><th scope="col">"From"</th><th scope="col">"To"</th><th scope="col">"Offered"</th><th scope="col">"State"</th><th scope="col">"Answered"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}

/// The handovers between the reader's teams and others, on home.
pub(crate) fn waiting(list: &[Handover], now: DateTime<Utc>) -> Option<Piece> {
    if list.is_empty() {
        return None;
    }
    let lines = list
        .iter()
        .map(|h| {
            let here = format!("/agents/{}/handover", h.agent);
            let (words, button) = if h.mine {
                ("is handed over to your team", view! { <LinkButton href=here kind=Kind::Primary>"Answer"</LinkButton> }.piece())
            } else {
                ("waits for their answer", view! { <LinkButton href=here>"Look at it"</LinkButton> }.piece())
            };
            let (from, to) = (team(&h.from), team(&h.to));
            view! {
                <li class="offer">
                    <div class="text">
                        <p><strong dir="auto">{h.agent_name.clone()}</strong> " " <a href=format!("/agents/{}", h.agent)>{h.agent.to_string()}</a> " " {words} "."</p>
                        <p class="small muted">"From " {from} " to " {to} ", offered by " <span dir="auto">{h.offered_by.clone()}</span> ", " <When at=h.offered_at now=now/> "."</p>
                    </div>
                    {button}
                </li>
            }
            .piece()
        })
        .collect_view();
    Some(
        view! {
            <Section title="Handed over between teams" id="handovers" count=list.len() as u64>
                <ul class="offers panel flush">{lines}</ul>
            </Section>
        }
        .piece(),
    )
}
