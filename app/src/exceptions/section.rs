//! The exceptions of one agent: a part of its page.

use chrono::{DateTime, Utc};
use domain::exception::ExceptionState as State;
use domain::id::{AgentId, ExceptionId};
use leptos::prelude::*;

use super::{Rule, standing};
use crate::components::{IntoPiece, Piece, Section, TableFrame, When};

/// An exception that covers the agent.
#[derive(Debug, Clone)]
pub struct OfAgent {
    /// Its reference.
    pub id: ExceptionId,
    /// What it is called.
    pub title: String,
    /// What is excepted.
    pub rule: Rule,
    /// Where it stands.
    pub state: State,
    /// It has expired, and what it excepted is still so with this agent.
    pub breached: bool,
    /// From when.
    pub starts_at: DateTime<Utc>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// When it was ended before its time.
    pub ended_at: Option<DateTime<Utc>>,
}

/// The part of the page; nothing where the agent never had one. `more` when there are others.
pub fn of_agent(agent: AgentId, list: &[OfAgent], more: bool, now: DateTime<Utc>) -> Option<Piece> {
    if list.is_empty() {
        return None;
    }
    let rows = list
        .iter()
        .map(|e| {
            let href = format!("/exceptions/{}", e.id);
            let end = e.ended_at.unwrap_or(e.expires_at);
            view! {
                <tr>
                    <th scope="row"><a href=href dir="auto">{e.title.clone()}</a> " " <span class="ref muted">{e.id.to_string()}</span></th>
                    <td data-label="What is excepted" class="text" dir="auto">{e.rule.label.clone()}</td>
                    <td data-label="Stands">{standing(e.state, e.breached, e.expires_at, now)}</td>
                    <td data-label="Until"><When at=end now=now/></td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    let count = list.len() as u64;
    let all = more.then(|| {
        view! { <p class="small"><a href=format!("/exceptions?state=all&agent={agent}")>"All exceptions that cover it"</a></p> }
    });
    Some(
        view! {
            <Section title="Exceptions" id="exceptions" count=count>
                <TableFrame label="Exceptions" stacks=true columns=4>
                    <thead><tr><th scope="col">"Exception"</th><th scope="col">"What is excepted"</th><th scope="col">"Stands"</th><th scope="col">"Until"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </TableFrame>
                {all}
            </Section>
        }
        .piece(),
    )
}
