//! Who is signed in.

use chrono::{DateTime, Utc};
use domain::id::PersonId;
use leptos::prelude::*;

use crate::components::{Badge, IntoPiece, Party, Piece, Section, TableFrame, Tone, When};

/// One session.
#[derive(Debug, Clone)]
pub struct SessionLine {
    /// What it is called.
    pub id: String,
    /// Whose it is.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// Browser and system, in a few words.
    pub browser: String,
    /// The address it was opened from.
    pub address: String,
    /// When it was opened.
    pub opened: DateTime<Utc>,
    /// Its last noted use.
    pub seen: DateTime<Utc>,
    /// It is the one in use.
    pub current: bool,
}

pub(super) fn sessions(lines: Vec<SessionLine>, now: DateTime<Utc>) -> Piece {
    let count = lines.len() as u64;
    let rows = lines
        .into_iter()
        .map(|s| {
            let label = format!("End the session of {} in {}", s.name, s.browser);
            let last = if s.current {
                view! { <Badge tone=Tone::Good>"This one"</Badge> }.piece()
            } else {
                view! {
                    <form method="post" action=format!("/settings/sessions/{}/revoke", s.id)>
                        <button class="button small" aria-label=label>"End"</button>
                    </form>
                }
                .piece()
            };
            view! {
                <tr>
                    <th scope="row"><Party name=s.name reference=s.person.to_string()/></th>
                    <td data-label="Browser">{s.browser}</td>
                    <td data-label="Address">{s.address}</td>
                    <td data-label="Signed in"><When at=s.opened now=now/></td>
                    <td data-label="Last seen"><When at=s.seen now=now/></td>
                    <td data-label="">{last}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Section title="Sessions" id="sessions" count=count>
            <p class="prose">"Everybody who is signed in, last seen first, at most 200. A session ends after 12 hours without use, after 7 days at the latest, and when its person leaves or gets another password."</p>
            <TableFrame label="Sessions" stacks=true>
                <thead>
                    <tr>
                        <th scope="col">"Person"</th>
                        <th scope="col">"Browser"</th>
                        <th scope="col">"Address"</th>
                        <th scope="col">"Signed in"</th>
                        <th scope="col">"Last seen"</th>
                        <th scope="col"><span class="visually-hidden">"End it"</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}
