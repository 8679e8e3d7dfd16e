//! What waits for a second person about somebody: who asked for what, and the answer.

use chrono::{DateTime, Utc};
use domain::id::PersonId;
use domain::party::Roles;
use domain::proposal::Matter;
use leptos::prelude::*;

use super::role_words;
use crate::components::{Confirm, Day, IntoPiece, Notice, Piece, Section, TextArea, Tone, When};

/// Something that waits for a second person.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// Its number.
    pub id: i64,
    /// For whom; nobody where it is about the policy.
    pub person: Option<PersonId>,
    /// Their name.
    pub name: String,
    /// What.
    pub matter: Matter,
    /// The roles to be granted.
    pub roles: Roles,
    /// What would change of the policy, each a sentence.
    pub changes: Vec<String>,
    /// Who asked.
    pub asked_by: (PersonId, String),
    /// When.
    pub asked_at: DateTime<Utc>,
    /// When it lapses.
    pub until: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// The reader may confirm it.
    pub may_confirm: bool,
    /// The reader may refuse it.
    pub may_refuse: bool,
}

/// The section; nothing when nothing waits.
pub(crate) fn waiting(list: &[Proposal], now: DateTime<Utc>) -> Option<impl IntoView + use<>> {
    if list.is_empty() {
        return None;
    }
    let items = list.iter().map(|one| item(one, now)).collect_view();
    Some(view! { <Section title="Waits for a second person" id="proposals" count=list.len() as u64>{items}</Section> })
}

fn item(one: &Proposal, now: DateTime<Utc>) -> Piece {
    let what = match one.matter {
        Matter::Roles => format!(" is to be {}", role_words(one.roles)),
        Matter::Password => " is to get a new password".to_owned(),
        Matter::Policy => " would be weaker".to_owned(),
    };
    let whom = match one.person {
        Some(_) => view! { <bdi>{one.name.clone()}</bdi> }.piece(),
        None => view! { "The "<a href="/policy">"policy"</a> }.piece(),
    };
    let changes = (!one.changes.is_empty()).then(|| {
        let lines = one.changes.iter().map(|c| view! { <li>{c.clone()}</li> }).collect_view();
        view! { <ul class="notes">{lines}</ul> }
    });
    let confirmed = match one.matter {
        Matter::Roles => "They may do what the role allows at once.",
        Matter::Password => "Muster makes a password and shows it to you this once; their sessions end.",
        Matter::Policy => "It is in force at once. Approvals that it asks more of fall due again.",
    };
    let (asker, by) = one.asked_by.clone();
    let reason =
        (!one.reason.is_empty()).then(|| view! { <p class="small muted" dir="auto">{format!("“{}”", one.reason)}</p> });
    let path = match one.person {
        Some(person) => format!("/people/{person}/proposals/{}", one.id),
        None => format!("/policy/proposals/{}", one.id),
    };
    let confirm = one.may_confirm.then(|| {
        view! {
            <Confirm label="Confirm…" action=format!("{path}/confirm") confirm="Yes, confirm it" calm=true>
                <p>{confirmed}</p>
                <TextArea name="reason" label="Reason" rows=2 hint="Kept in the record."/>
            </Confirm>
        }
    });
    let words = if one.may_confirm { "Refuse…" } else { "Take it back…" };
    let refuse = one.may_refuse.then(|| {
        view! {
            <Confirm label=words action=format!("{path}/refuse") confirm="Yes, it is not to be" calm=true>
                <TextArea name="reason" label="Reason" rows=2 hint="Kept in the record."/>
            </Confirm>
        }
    });
    let waits = (!one.may_confirm)
        .then(|| view! { <p class="small muted">"Another administrator or security lead confirms it, never who asked nor whom it is about."</p> });
    let (at, until) = (one.asked_at, one.until);
    view! {
        <Notice tone=Tone::Note>
            <p>{whom}{what}". Asked by "<a href=format!("/people/{asker}") dir="auto">{by}</a>" "<When at=at now=now/>"; it lapses on "<Day at=until/>"."</p>
            {changes}
            {reason}
            {waits}
            {confirm}
            {refuse}
        </Notice>
    }
    .piece()
}
