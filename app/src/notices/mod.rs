//! Notices: one's own list, what reaches one and when, and the channels of the organisation.

pub mod channels;
pub mod choices;

use chrono::{DateTime, Utc};
use domain::notice::Item;
use leptos::prelude::*;

pub use channels::{ChannelForm, ChannelLine, ChannelsPage, DeadLine, Figures, Fresh, MailShown, Settings};
pub use choices::{ChoicesForm, ChoicesPage, Chosen};

use crate::components::{
    Badge, Button, Empty, IntoPiece, Kind, LinkButton, PageHead, Pager, Piece, Tab, TableFrame, Tabs, Tone, When,
};

/// A notice in the list.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it says.
    pub item: Item,
    /// It was not read yet.
    pub unread: bool,
}

/// What the list shows.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The notices, newest first.
    pub lines: Vec<Line>,
    /// Those that were read too.
    pub all: bool,
    /// How many are unread, up to 100.
    pub unread: u64,
    /// Where the page before is.
    pub previous: Option<String>,
    /// Where the page after is.
    pub next: Option<String>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page at `/notices`; goes inside `Layout`.
#[component]
pub fn NoticesPage(
    /// What it shows.
    listed: Listed,
) -> impl IntoView {
    let Listed { lines, all, unread, previous, next, now } = listed;
    let tabs = vec![Tab::new("Unread", "/notices", !all).counting(unread), Tab::new("All", "/notices?show=all", all)];
    let newest = lines.first().filter(|_| previous.is_none()).map(|l| l.item.id.clone());
    let everything = newest.filter(|_| unread > 0).map(|id| {
        view! {
            <form method="post" action="/notices">
                <input type="hidden" name="up_to" value=id/>
                <Button name="do" value="all">"Mark all as read"</Button>
            </form>
        }
    });
    let pager = (previous.is_some() || next.is_some()).then(|| {
        let count = format!("{} shown", lines.len());
        view! { <Pager count=count previous=previous next=next/> }
    });
    let body = if lines.is_empty() { empty(all) } else { table(lines, now) };
    view! {
        <PageHead title="Notices" lead="What happened that concerns you. What waits for your decision stays under Home, read or not." actions=move || view! {
            {everything}
            <LinkButton href="/account/notices">"What reaches you"</LinkButton>
        }/>
        <Tabs label="Lists" tabs=tabs/>
        {body}
        {pager}
    }
    .piece()
}

fn empty(all: bool) -> Piece {
    let (title, words) = if all {
        ("No notices yet", "When something happens that concerns you, it is told here.")
    } else {
        ("Nothing unread", "What you have read is under All.")
    };
    view! { <Empty title=title><p>{words}</p></Empty> }.piece()
}

fn table(lines: Vec<Line>, now: DateTime<Utc>) -> Piece {
    let rows = lines
        .into_iter()
        .map(|Line { item, unread }| {
            let urgent = item.critical.then(|| view! { <Badge tone=Tone::Bad>"Urgent"</Badge> " " });
            let fresh = unread.then(|| view! { <Badge tone=Tone::Note>"Unread"</Badge> " " });
            let why = (!item.why.is_empty()).then(|| view! { <p class="small muted" dir="auto">{item.why.clone()}</p> });
            let todo = (!item.todo.is_empty()).then(|| view! { <p class="small" dir="auto">{item.todo.clone()}</p> });
            let (word, act) = if unread { ("Mark as read", "read") } else { ("Mark as unread", "unread") };
            view! {
                <tr class=unread.then_some("unread")>
                    <th scope="row" class="text">
                        <div class="told">
                        <p>{fresh}{urgent}<a href=item.link.clone() dir="auto">{item.what.clone()}</a></p>
                        {why}
                        {todo}
                        </div>
                    </th>
                    <td data-label="About"><span class="small muted">{item.kind.label()}</span></td>
                    <td data-label="When"><When at=item.at now=now/></td>
                    <td data-label="">
                        <form method="post">
                            <input type="hidden" name="notice" value=item.id.clone()/>
                            <div class="actions">
                                {unread.then(|| view! { <Button kind=Kind::Small name="do" value="open">"Open"</Button> })}
                                <Button kind=Kind::Small name="do" value=act>{word}</Button>
                            </div>
                        </form>
                    </td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    view! {
        <TableFrame label="Notices" stacks=true columns=4>
            <thead><tr><th scope="col">"Notice"</th><th scope="col">"About"</th><th scope="col">"When"</th><th scope="col"><span class="visually-hidden">"Mark it"</span></th></tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}
