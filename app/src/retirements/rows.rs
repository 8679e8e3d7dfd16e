//! The rows of a checklist, with what shows each and what can be pressed.

use chrono::{DateTime, Utc};
use domain::duty::Duty;
use domain::id::RequestId;
use domain::party::Party as Who;
use domain::retirement::{Proof, RowKind};
use leptos::prelude::*;

use super::page::Shown;
use super::party;
use crate::components::{
    Badge, Button, Choice, Confirm, Field, IntoPiece, Kind, Piece, PostForm, Refused, Section, Select, TableFrame,
    TextArea, Tone, When,
};

/// A system's own answer that can be cited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The call's delivery.
    pub delivery: String,
    /// As read: which webhook, when.
    pub label: String,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub place: i64,
    /// What it is about.
    pub kind: RowKind,
    /// Which.
    pub subject: String,
    /// Whose turn it is, in which capacity.
    pub doer: Option<(Duty, Who, String)>,
    /// How good the evidence is.
    pub proof: Option<Proof>,
    /// Where it is said to be.
    pub link: String,
    /// The call whose callback shows it.
    pub delivery: Option<String>,
    /// The file that shows it: its SHA-256 and name.
    pub file: Option<(String, String)>,
    /// What was said with it.
    pub note: String,
    /// When it was done, and by whom.
    pub done: Option<(DateTime<Utc>, String)>,
    /// When it was waived, by whom, why.
    pub waived: Option<(DateTime<Utc>, String, String)>,
    /// The retirement in which it was done.
    pub carried_from: Option<RequestId>,
    /// The reader may show that it is done.
    pub may_close: bool,
    /// The reader may waive it.
    pub may_waive: bool,
    /// The systems' answers that may be cited.
    pub answers: Vec<Answer>,
}

pub(super) fn rows(shown: &Shown) -> Piece {
    let body = shown.rows.iter().map(|r| row(shown, r)).collect_view();
    let count = shown.rows.len() as u64;
    let told = if domain::retirement::enough(shown.tier, Proof::Claimed) {
        "A bare link is claimed; a file or a system's answer is verified."
    } else {
        "This tier needs verified evidence: a file, or a system's answer. A bare link only claims."
    };
    view! {
        <Section title="Checklist" id="rows" count=count>
            <p class="small muted">{told}</p>
            <TableFrame label="The checklist" stacks=true>
                <thead><tr><th scope="col">"Row"</th><th scope="col">"What"</th><th scope="col">"Who"</th><th scope="col">"State and evidence"</th></tr></thead>
                <tbody>{body}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}

fn row(shown: &Shown, r: &Row) -> Piece {
    let (now, place) = (shown.now, r.place);
    let open = r.done.is_none() && r.waived.is_none();
    let subject =
        (!r.subject.is_empty()).then(|| view! { <span class="since small told" dir="auto">{r.subject.clone()}</span> });
    let told = open.then(|| view! { <span class="since small muted told">{r.kind.told()}</span> });
    let title = r.doer.as_ref().map_or(r.kind.duty(), |(duty, ..)| *duty).owner_title();
    let who = if open {
        view! { {party(r.doer.clone().map(|(_, who, name)| (who, name)))}<span class="since small muted">{title}</span> }.piece()
    } else {
        view! { <span class="small muted">{title}</span> }.piece()
    };
    let runs = (open && r.kind == RowKind::StopExecution && shown.running.counts()).then(|| {
        view! { <span class="since small cited">"It counts as running: " <a href=format!("/agents/{}/stop#now", shown.agent.0)>"stop it"</a> ", then bring what shows it."</span> }
    });
    let watched = (open && r.kind == RowKind::Watch).then(|| match shown.watched_until {
        Some(at) if at > now => view! { <span class="since small">"Until " <When at=at now=now/> "."</span> }.piece(),
        Some(_) => view! { <span class="since small">"The days have passed."</span> }.piece(),
        None => view! { <span class="since small muted">"Begins once it is stopped."</span> }.piece(),
    });
    let state = state(shown, r);
    let forms =
        (r.may_close || r.may_waive).then(|| view! { <div class="row">{close(shown, r)} {waive(shown, r)}</div> });
    view! {
        <tr id=format!("row-{place}")>
            <td data-label="Row" class="num">{place}</td>
            <th scope="row" class="text"><div>{r.kind.label()}{subject}{told}</div></th>
            <td data-label="Who">{who}</td>
            <td data-label="State" class="text">{state}{runs}{watched}{forms}</td>
        </tr>
    }
    .piece()
}

fn state(shown: &Shown, r: &Row) -> Piece {
    let now = shown.now;
    let note =
        (!r.note.is_empty()).then(|| view! { <span class="since small" dir="auto">{format!("“{}”", r.note)}</span> });
    if let Some((at, by)) = r.done.clone() {
        let agent = shown.agent.0;
        let proof = r.proof.map(|p| {
            let tone = if p == Proof::Verified { Tone::Good } else { Tone::Warn };
            view! { " " <Badge tone=tone>{p.label()}</Badge> }
        });
        let evidence = if let Some((sha256, name)) = r.file.clone() {
            let short: String = sha256.chars().take(12).collect();
            let name = if name.is_empty() { "the file".to_owned() } else { name };
            let label = if shown.reads_evidence {
                view! { <a href=format!("/agents/{agent}/evidence/{sha256}") dir="auto">{name}</a> }.piece()
            } else {
                view! { <span dir="auto">{name}</span> }.piece()
            };
            view! { <span class="since small cited">"File: " {label} " " <span class="muted">"SHA-256 " <code title=sha256.clone()>{format!("{short}…")}</code></span></span> }.piece()
        } else if let Some(delivery) = r.delivery.clone() {
            view! { <span class="since small">"The webhook's signed callback " <code>{delivery}</code></span> }.piece()
        } else {
            view! { <span class="since small cited">"Link: " <a href=r.link.clone() rel="noreferrer noopener nofollow" dir="auto" class="break">{r.link.clone()}</a></span> }.piece()
        };
        let carried = r.carried_from.map(|from| view! { <span class="since small muted cited">"Carried over from " <a href=format!("/retirements/{from}")>{from.to_string()}</a></span> });
        return view! {
            <Badge tone=Tone::Good>"Done"</Badge>{proof}
            <span class="since small muted"><When at=at now=now/> ", " <span dir="auto">{by}</span></span>
            {evidence}{note}{carried}
        }
        .piece();
    }
    if let Some((at, by, why)) = r.waived.clone() {
        return view! {
            <Badge tone=Tone::Warn>"Waived"</Badge>
            <span class="since small muted"><When at=at now=now/> ", " <span dir="auto">{by}</span>", security"</span>
            <span class="since small" dir="auto">{format!("“{why}”")}</span>
        }
        .piece();
    }
    if shown.open {
        view! { <Badge tone=Tone::Bad>"Open"</Badge> }.piece()
    } else {
        view! { <Badge tone=Tone::Plain>"Was open"</Badge> }.piece()
    }
}

/// The form that shows that a row is done.
fn close(shown: &Shown, r: &Row) -> Option<Piece> {
    let early = r.kind == RowKind::Watch && shown.watched_until.is_none_or(|at| at > shown.now);
    if !r.may_close || early {
        return None;
    }
    let place = r.place;
    let Refused { values, errors } = &shown.refused;
    let open = values.what == "done" && values.place == place.to_string();
    let value = |text: &str| if open { text.to_owned() } else { String::new() };
    let error = |name: &str| if open { errors.of(&format!("{name}-{place}")) } else { None };
    let (link, note, delivery) = (value(&values.link), value(&values.note), value(&values.delivery));
    let (link_error, file_error) = (error("link"), error("evidence"));
    let (note_error, call_error) = (error("note"), error("delivery"));
    let answers: Vec<Choice> = r.answers.iter().map(|a| Choice::new(a.delivery.clone(), a.label.clone())).collect();
    let cite = (!answers.is_empty()).then(|| {
        view! { <Select name=format!("delivery-{place}") label="Or a system's answer" options=answers selected=delivery blank="None" error=call_error/> }
    });
    let here = format!("/retirements/{}/evidence#row-{place}", shown.id);
    let about = format!(": row {place}");
    Some(
        view! {
            <details class="confirm calm" open=open>
                <summary class="button">"It is done…"<span class="visually-hidden">{about}</span></summary>
                <div class="ask">
                    <PostForm action=here files=true>
                        <input type="hidden" name="place" value=place.to_string()/>
                        <Field name=format!("evidence-{place}") label="A file that shows it" kind="file" error=file_error hint="Kept as it is, at most 10 MiB."/>
                        {cite}
                        <Field name=format!("link-{place}") label="Or a link" value=link error=link_error inputmode="url" hint="Only claims it."/>
                        <TextArea name=format!("note-{place}") label="Note" value=note error=note_error rows=2/>
                        <div><Button kind=Kind::Primary>"Keep it: it is done"</Button></div>
                    </PostForm>
                </div>
            </details>
        }
        .piece(),
    )
}

/// Security's waiver.
fn waive(shown: &Shown, r: &Row) -> Option<Piece> {
    if !r.may_waive {
        return None;
    }
    let place = r.place;
    let Refused { values, errors } = &shown.refused;
    let open = values.what == "waive" && values.place == place.to_string();
    let (text, error) =
        if open { (values.reason.clone(), errors.of(&format!("reason-{place}"))) } else { (String::new(), None) };
    Some(
        view! {
            <Confirm label="Waive…" action=format!("/retirements/{}#row-{place}", shown.id) confirm=format!("Yes, waive row {place}") open=open>
                <input type="hidden" name="do" value="waive"/>
                <input type="hidden" name="place" value=place.to_string()/>
                <TextArea name=format!("reason-{place}") label="Why it cannot be shown" value=text error=error rows=2 required=true hint="It stays on the tombstone."/>
            </Confirm>
        }
        .piece(),
    )
}
