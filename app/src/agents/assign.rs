//! Who is to answer: for one agent, and for many at once.

use chrono::{DateTime, Utc};
use domain::agent::AgentFacts;
use domain::assignment::RaciRole;
use domain::duty::Duty;
use domain::id::AgentId;
use domain::party::Party as Who;
use leptos::prelude::*;

use crate::components::{
    Address, Button, Choice, Crumb, Crumbs, Day, DidYouMean, ErrorSummary, Field, FieldErrors, Fit, IntoPiece, Kind,
    LinkButton, Notice, PageHead, Piece, PostForm, RadioGroup, Refused, Select, Suggestions, TextArea, Tone, thousands,
};

/// As typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssignForm {
    /// Which duty.
    pub duty: String,
    /// Which letter; one agent only.
    pub role: String,
    /// A person or a team: a name, an address, a reference.
    pub party: String,
    /// `offer` or `record`.
    pub mode: String,
    /// Why.
    pub reason: String,
    /// Where one came from.
    pub next: String,
}

/// What is common to both pages.
#[derive(Debug, Clone, Default)]
pub struct Assigning {
    /// As typed, with what is wrong.
    pub form: Refused<AssignForm>,
    /// People and teams to suggest.
    pub suggested: Vec<Fit>,
    /// The reader may record a present owner as accepted.
    pub record: bool,
}

/// The page for one agent.
#[derive(Debug, Clone)]
pub struct Assign {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// Its facts, which say what is required.
    pub facts: AgentFacts,
    /// Who is Accountable now, by duty: the name, and since when they are gone if they are.
    pub owners: Vec<(Duty, Who, String, bool)>,
    /// What is on offer, by duty: to whom, their name, since when.
    pub offers: Vec<(Duty, Who, String, DateTime<Utc>)>,
    /// The form.
    pub assigning: Assigning,
}

fn duties(facts: Option<&AgentFacts>) -> Vec<Choice> {
    Duty::ALL
        .iter()
        .map(|duty| {
            let choice = Choice::new(duty.key(), format!("{}: {}", duty.owner_title(), duty.answers_for()));
            match facts {
                Some(facts) if duty.required(facts) => choice.group("Required of this agent"),
                Some(_) => choice.group("Not required"),
                None => choice,
            }
        })
        .collect()
}

fn who(assigning: &Assigning, errors: &FieldErrors) -> impl IntoView + use<> {
    let suggested = assigning.suggested.iter().map(|f| Choice::new(f.written(), f.note.clone())).collect::<Vec<_>>();
    view! {
        <Field name="party" label="Person or team" value=assigning.form.values.party.clone() error=errors.of("party") required=true
            list="parties" autocomplete="off" hint="A whole name, an e-mail address, or a reference such as PE-7 or TE-2."/>
        <Suggestions id="parties" values=suggested/>
        <DidYouMean field="party" errors=errors.clone()/>
    }
    .piece()
}

fn how(assigning: &Assigning, errors: &FieldErrors) -> Piece {
    if !assigning.record {
        return view! {
            <p class="small muted">"It is an offer: they own it once they accept. Until then whoever owns it now still does, or nobody."</p>
            <input type="hidden" name="mode" value="offer"/>
        }
        .piece();
    }
    let mode =
        if assigning.form.values.mode.is_empty() { "offer".to_owned() } else { assigning.form.values.mode.clone() };
    view! {
        <RadioGroup name="mode" legend="How" required=true selected=mode error=errors.of("mode") options=vec![
            Choice::new("offer", "Offer it").hint("They own it once they accept. Until then whoever owns it now still does, or nobody."),
            Choice::new("record", "Record that they hold it already").hint("For owners who are in place but not on record. Only where the duty never had an owner, and with a reason."),
        ]/>
    }
    .piece()
}

fn why(assigning: &Assigning, errors: &FieldErrors) -> impl IntoView + use<> {
    let hint = if assigning.record {
        "Needed when you record: how you know. Kept in the record."
    } else {
        "They read it with the offer. Kept in the record."
    };
    view! { <TextArea name="reason" label="Reason" value=assigning.form.values.reason.clone() error=errors.of("reason") rows=2 hint=hint/> }
}

/// The open offers that assigning would end: of the duty chosen, or of each while none is.
fn on_offer(offers: &[(Duty, Who, String, DateTime<Utc>)], duty: Option<Duty>) -> Option<impl IntoView + use<>> {
    let shown: Vec<_> = offers.iter().filter(|(d, ..)| duty.is_none_or(|duty| duty == *d)).collect();
    if shown.is_empty() {
        return None;
    }
    let lines = shown
        .iter()
        .map(|(duty, party, name, since)| {
            view! { <li>{duty.owner_title()}" is offered to "<a href=party.path() dir="auto">{name.clone()}</a>" since "<Day at=*since/>", not yet accepted. Offering it to somebody else ends that offer."</li> }
        })
        .collect_view();
    Some(view! { <Notice tone=Tone::Note><ul class="plain-list">{lines}</ul></Notice> })
}

/// One duty of one agent; goes inside `Layout`.
#[component]
pub fn AssignPage(
    /// What it shows.
    assign: Assign,
) -> impl IntoView {
    let Assign { agent, name, facts, owners, offers, assigning } = assign;
    let errors = assigning.form.errors.clone();
    let values = assigning.form.values.clone();
    let duty: Option<Duty> = values.duty.parse().ok();
    let role = values.role.parse().unwrap_or(RaciRole::Accountable);
    let now = duty.map(|duty| match owners.iter().find(|(d, ..)| *d == duty) {
        Some((_, party, name, gone)) => {
            let gone = gone.then(|| view! { ", who is gone" });
            view! { <p>{format!("{} now: ", duty.owner_title())} <a href=party.path() dir="auto">{name.clone()}</a>{gone}"."</p> }.piece()
        }
        None => view! { <p>{format!("{} now: ", duty.owner_title())} <span class="vacant">"nobody"</span> "."</p> }.piece(),
    });
    let open = on_offer(&offers, duty);
    let roles = [
        (RaciRole::Accountable, "Owner (A): answers for it, one party at a time"),
        (RaciRole::Responsible, "Responsible (R): does the work, beside others"),
        (RaciRole::Consulted, "Consulted (C): is asked before"),
        (RaciRole::Informed, "Informed (I): is told after"),
    ];
    let roles = roles.map(|(role, words)| Choice::new(role.key(), words)).to_vec();
    view! {
        <Crumbs trail=vec![Crumb::new("Agents", "/agents"), Crumb::new(agent.to_string(), format!("/agents/{agent}")), Crumb::here("Assign")]/>
        <PageHead title=format!("Assign: {name}") reference=agent.to_string()/>
        {now}
        {open}
        <PostForm>
            <ErrorSummary errors=errors.clone()/>
            <input type="hidden" name="next" value=values.next.clone()/>
            // Enter in a field assigns; it must not choose one of those who fit
            <button class="visually-hidden" tabindex="-1" aria-hidden="true">"Assign"</button>
            <Select name="duty" label="Duty" options=duties(Some(&facts)) selected=values.duty.clone() blank="Choose a duty" error=errors.of("duty") required=true/>
            {who(&assigning, &errors)}
            <Select name="role" label="As" options=roles selected=role.key() error=errors.of("role") required=true hint="R, C and I hold at once; an owner is asked first."/>
            {how(&assigning, &errors)}
            {why(&assigning, &errors)}
            <div class="actions">
                <Button kind=Kind::Primary>"Assign"</Button>
                <LinkButton href=format!("/agents/{agent}") kind=Kind::Quiet>"Cancel"</LinkButton>
            </div>
        </PostForm>
    }
    .piece()
}

/// Which agents a bulk assignment is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picked {
    /// These.
    These(Vec<AgentId>),
    /// All that match a query of the inventory.
    Matching(Address),
}

/// What a bulk assignment would do, as far as it is known before it is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// Which duty.
    pub duty: Option<Duty>,
    /// To whom.
    pub party: String,
    /// It would be recorded as accepted, not offered.
    pub record: bool,
    /// Agents that get it.
    pub changes: u64,
    /// Of these, those whose present owner stays until the offer is accepted.
    pub held: u64,
    /// Of these, those whose open offer to somebody else is replaced.
    pub reoffered: u64,
    /// Agents left as they are: why, and how many.
    pub skipped: Vec<(String, u64)>,
}

/// The page for many agents.
#[derive(Debug, Clone)]
pub struct BulkAssign {
    /// Which.
    pub picked: Picked,
    /// How many that is.
    pub count: u64,
    /// The first of them, to recognise them by.
    pub first: Vec<(AgentId, String)>,
    /// The form.
    pub assigning: Assigning,
    /// What it would do, once it was asked.
    pub preview: Option<Preview>,
}

/// A number of agents, in words.
pub(crate) fn agents(count: u64) -> String {
    if count == 1 { "1 agent".to_owned() } else { format!("{} agents", thousands(count)) }
}

/// The agents as hidden fields.
pub(crate) fn carried(picked: &Picked) -> Piece {
    match picked {
        Picked::These(ids) => {
            ids.iter().map(|id| view! { <input type="hidden" name="id" value=id.to_string()/> }).collect_view().piece()
        }
        Picked::Matching(query) => {
            let text = query.href();
            let text = text.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
            view! { <input type="hidden" name="all" value="yes"/><input type="hidden" name="query" value=text/> }
                .piece()
        }
    }
}

/// One duty of many agents; goes inside `Layout`.
#[component]
pub fn BulkAssignPage(
    /// What it shows.
    bulk: BulkAssign,
) -> impl IntoView {
    let BulkAssign { picked, count, first, assigning, preview } = bulk;
    let errors = assigning.form.errors.clone();
    let values = assigning.form.values.clone();
    let back = if values.next.is_empty() { "/agents".to_owned() } else { values.next.clone() };
    let named = first
        .iter()
        .map(|(id, name)| view! { <li><a href=format!("/agents/{id}") dir="auto">{name.clone()}</a> " " <span class="ref muted">{id.to_string()}</span></li> })
        .collect_view();
    let more = count.saturating_sub(first.len() as u64);
    let more = (more > 0).then(|| view! { <li class="muted">{format!("and {} more", thousands(more))}</li> });
    let body = match preview {
        None => view! {
            <PostForm>
                <ErrorSummary errors=errors.clone()/>
                {carried(&picked)}
                <input type="hidden" name="next" value=values.next.clone()/>
                <button class="visually-hidden" tabindex="-1" aria-hidden="true" name="do" value="preview">"Preview"</button>
                <Select name="duty" label="Duty" options=duties(None) selected=values.duty.clone() blank="Choose a duty" error=errors.of("duty") required=true/>
                {who(&assigning, &errors)}
                {how(&assigning, &errors)}
                {why(&assigning, &errors)}
                <div class="actions">
                    <Button kind=Kind::Primary name="do" value="preview">"Preview"</Button>
                    <LinkButton href=back kind=Kind::Quiet>"Cancel"</LinkButton>
                </div>
            </PostForm>
        }
        .piece(),
        Some(preview) => view! {
            <PostForm>
                <ErrorSummary errors=errors.clone()/>
                {carried(&picked)}
                <input type="hidden" name="next" value=values.next.clone()/>
                <input type="hidden" name="duty" value=values.duty.clone()/>
                <input type="hidden" name="party" value=values.party.clone()/>
                <input type="hidden" name="mode" value=values.mode.clone()/>
                <input type="hidden" name="reason" value=values.reason.clone()/>
                {foreseen(&preview)}
                {(!values.reason.is_empty()).then(|| view! { <p class="small muted" dir="auto">{format!("“{}”", values.reason)}</p> })}
                <div class="actions">
                    {(preview.changes > 0).then(|| {
                        let words = if preview.record { format!("Yes, record it for {}", agents(preview.changes)) } else { format!("Yes, offer it for {}", agents(preview.changes)) };
                        view! { <Button kind=Kind::Primary name="do" value="confirm">{words}</Button> }
                    })}
                    <Button name="do" value="change">"Change"</Button>
                    <LinkButton href=back kind=Kind::Quiet>"Cancel"</LinkButton>
                </div>
            </PostForm>
        }
        .piece(),
    };
    view! {
        <Crumbs trail=vec![Crumb::new("Agents", "/agents"), Crumb::here("Assign")]/>
        <PageHead title=format!("Assign a duty of {}", agents(count))/>
        <div class="with-aside">
            <div>{body}</div>
            <aside class="panel" aria-labelledby="picked-title">
                <h2 id="picked-title">{agents(count)}</h2>
                <ul class="plain-list picked-list">{named}{more}</ul>
            </aside>
        </div>
    }
    .piece()
}

fn foreseen(preview: &Preview) -> impl IntoView + use<> {
    let duty = preview.duty.unwrap_or(Duty::Purpose);
    let title = duty.owner_title();
    let party = preview.party.clone();
    let head = match (preview.changes, preview.record) {
        (0, _) => view! { "Nothing would change." }.piece(),
        (n, true) => view! { <strong dir="auto">{party}</strong> {format!(" becomes {} of {} at once.", title.to_lowercase(), agents(n))} }.piece(),
        (n, false) => view! { <strong dir="auto">{party}</strong> {format!(" is asked to be {} of {}.", title.to_lowercase(), agents(n))} }.piece(),
    };
    let mut notes: Vec<Piece> = Vec::new();
    if preview.held > 0 {
        notes.push(
            view! { <li>{format!("{} keep their present owner until then.", agents(preview.held))}</li> }.piece(),
        );
    }
    if preview.reoffered > 0 {
        notes.push(view! { <li>{format!("{} are on offer to somebody else now; that offer ends.", agents(preview.reoffered))}</li> }.piece());
    }
    for (why, count) in &preview.skipped {
        notes.push(view! { <li>{format!("{} stay as they are: {why}", agents(*count))}</li> }.piece());
    }
    view! {
        <Notice tone=Tone::Note title="What will happen">
            <p>{head}</p>
            {(!notes.is_empty()).then(|| view! { <ul class="notes">{notes}</ul> })}
        </Notice>
    }
    .piece()
}
