//! Who decides in whose place: one's own page of it, and the section on a person's page.

use chrono::{DateTime, Utc};
use domain::id::PersonId;
use leptos::prelude::*;

use crate::components::{
    Badge, Button, Choice, Crumb, Crumbs, Day, DidYouMean, ErrorSummary, Field, FieldGroup, IntoPiece, Kind, PageHead,
    Piece, PostForm, Refused, Section, Suggestions, TableFrame, TextArea, Tone,
};
use crate::oncall::press;
use crate::people::Named;

/// A delegation that holds or will.
#[derive(Debug, Clone)]
pub struct Delegation {
    /// Its number.
    pub id: i64,
    /// The other person: who decides, or whose decisions they are.
    pub other: (PersonId, String),
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// What a person gave, and what they were given.
#[derive(Debug, Clone, Default)]
pub struct Of {
    /// Others decide in their place.
    pub given: Vec<Delegation>,
    /// They decide in others' places.
    pub received: Vec<Delegation>,
}

impl Of {
    /// Nothing was given either way.
    pub fn is_empty(&self) -> bool {
        self.given.is_empty() && self.received.is_empty()
    }
}

/// As typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DelegationForm {
    /// Who is to decide.
    pub to: String,
    /// From when, in UTC; empty is now.
    pub from: String,
    /// Until when, in UTC.
    pub until: String,
    /// Why.
    pub reason: String,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// One's own.
    pub of: Of,
    /// The reader may delegate: they do not only read.
    pub may_write: bool,
    /// The form, fresh or refused.
    pub form: Refused<DelegationForm>,
    /// People to suggest.
    pub suggested: Vec<Named>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page at `/account/delegation`; goes inside `Layout`.
#[component]
pub fn DelegationPage(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let may = shown.may_write;
    let given = table(
        &shown.of.given,
        "Who decides",
        "Nobody decides in your place.",
        may.then_some("Take it back"),
        shown.now,
    );
    let received = table(
        &shown.of.received,
        "Whose decisions",
        "You decide in nobody’s place.",
        may.then_some("Give it back"),
        shown.now,
    );
    let form = if may {
        form(&shown)
    } else {
        view! { <p class="muted">"You only read here, so nothing is yours to delegate."</p> }.piece()
    };
    let (gave, got) = (shown.of.given.len() as u64, shown.of.received.len() as u64);
    view! {
        <Crumbs trail=vec![Crumb::new("Your account", "/account"), Crumb::here("Delegation")]/>
        <PageHead title="Delegation" lead="Somebody else takes your decisions for a while, at most 90 days. You stay accountable for them."/>
        <Section title="In your place" id="given" count=gave>{given}</Section>
        <Section title="In the place of others" id="received" count=got>{received}</Section>
        <Section title="Let somebody decide in your place" id="new">{form}</Section>
    }
    .piece()
}

fn form(shown: &Shown) -> Piece {
    let Refused { values, errors } = shown.form.clone();
    let suggested =
        shown.suggested.iter().map(|n| Choice::new(format!("{} ({})", n.name, n.id), "")).collect::<Vec<_>>();
    let (fits, summary) = (errors.clone(), errors.clone());
    let [to, from, until, why] = ["to", "from", "until", "reason"].map(|field| errors.of(field));
    view! {
        <PostForm>
            <ErrorSummary errors=summary/>
            <Field name="to" label="Who decides" value=values.to error=to required=true list="people" autocomplete="off" maxlength=200
                hint="They decide what waits for you, and nothing that they asked for themselves. They cannot pass it on."/>
            <DidYouMean field="to" errors=fits/>
            <Suggestions id="people" values=suggested/>
            <FieldGroup>
                <Field name="from" label="From (UTC)" kind="datetime-local" value=values.from error=from short=true hint="Empty: from now."/>
                <Field name="until" label="Until (UTC)" kind="datetime-local" value=values.until error=until required=true short=true hint="At most 90 days later."/>
            </FieldGroup>
            <TextArea name="reason" label="Reason" rows=2 value=values.reason error=why required=true maxlength=1000 hint="Kept in the record, and read by them."/>
            <div class="actions"><Button kind=Kind::Primary name="do" value="give">"Delegate"</Button></div>
        </PostForm>
    }
    .piece()
}

/// Some of them; `end` are the words that end one, for whoever may.
fn table(
    list: &[Delegation],
    whom: &'static str,
    none: &'static str,
    end: Option<&'static str>,
    now: DateTime<Utc>,
) -> Piece {
    if list.is_empty() {
        return view! { <p class="muted">{none}</p> }.piece();
    }
    let rows = list
        .iter()
        .map(|d| {
            let (id, name) = d.other.clone();
            let state = if d.from <= now {
                view! { <Badge tone=Tone::Note>"Now"</Badge> }.piece()
            } else {
                view! { <Badge>"To come"</Badge> }.piece()
            };
            let end = end.map(|words| {
                let press = press("/account/delegation".to_owned(), "end", words, ("delegation", d.id.to_string()));
                view! { <td data-label="">{press}</td> }
            });
            view! {
                <tr>
                    <th scope="row"><a href=format!("/people/{id}") dir="auto">{name}</a></th>
                    <td data-label="When"><div><Day at=d.from/>" to "<Day at=d.until/>" "{state}</div></td>
                    <td data-label="Reason" class="text"><span dir="auto">{d.reason.clone()}</span></td>
                    {end}
                </tr>
            }
            .piece()
        })
        .collect_view();
    let last = end.map(|_| view! { <th scope="col"><span class="visually-hidden">"End it"</span></th> });
    view! {
        <TableFrame label=whom stacks=true>
            <thead><tr><th scope="col">{whom}</th><th scope="col">"When"</th><th scope="col">"Reason"</th>{last}</tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}

/// The section of a person's page; nothing where nothing was given either way.
pub(crate) fn section(of: Option<&Of>, is_me: bool, now: DateTime<Utc>) -> Option<impl IntoView + use<>> {
    let of = of.filter(|of| !of.is_empty())?;
    let part = |list: &[Delegation], title: &'static str, whom: &'static str| {
        (!list.is_empty()).then(|| {
            let rows = table(list, whom, "", None, now);
            view! { <h3>{title}</h3>{rows} }
        })
    };
    let (given, received) = if is_me {
        ("Others decide in your place", "You decide in the place of others")
    } else {
        ("Others decide in their place", "They decide in the place of others")
    };
    let given = part(&of.given, given, "Who decides");
    let received = part(&of.received, received, "Whose decisions");
    let change = is_me.then(|| view! { <p class="small"><a href="/account/delegation">"Change it"</a></p> });
    Some(view! { <Section title="Delegation" id="delegation">{given}{received}{change}</Section> })
}
