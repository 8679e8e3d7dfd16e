//! How an agent is stopped: each surface's method, the drills that show it, the form that
//! records it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::Lifecycle as State;
use domain::id::{AgentId, PersonId};
use domain::party::Party as Who;
use domain::stop::{CallState, MethodKind, Outcome, Residual, Step, Surface};
use leptos::prelude::*;

use crate::components::{
    Badge, Button, Choice, Confirm, Crumb, Crumbs, Empty, ErrorSummary, Field, FieldErrors, IntoPiece, Kind, Notice,
    PageHead, Piece, PostForm, RadioGroup, Refused, Section, Suggestions, TableFrame, TextArea, Tone, When,
};

/// As typed or pressed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StopForm {
    /// `method`, `drill` or `rehearse`.
    pub what: String,
    /// Which surface.
    pub surface: String,
    /// `manual` or `webhook`.
    pub kind: String,
    /// What people do.
    pub procedure: String,
    /// What Muster calls.
    pub url: String,
    /// How long the callback is awaited, in seconds.
    pub timeout: String,
    /// How long it took, in seconds.
    pub seconds: String,
    /// Who watched.
    pub witness: String,
    /// What is to be known of it.
    pub note: String,
    /// Why it is stopped, in one's own words.
    pub reason: String,
    /// What a review found.
    pub review: String,
}

/// A method in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodShown {
    /// Counts its versions.
    pub version: i64,
    /// How.
    pub kind: MethodKind,
    /// What people do, or what the webhook does.
    pub procedure: String,
    /// What Muster calls.
    pub url: String,
    /// How long the callback is awaited.
    pub timeout: Option<TimeDelta>,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// One surface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurfaceShown {
    /// Which.
    pub surface: Surface,
    /// Who stops it: the A of its duty.
    pub owner: Option<(Who, String)>,
    /// How, if it is recorded.
    pub method: Option<MethodShown>,
    /// The reader may record how.
    pub write: bool,
    /// The reader may show that it works.
    pub drill: bool,
}

/// A drill, or a call in earnest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallShown {
    /// Its id.
    pub delivery: String,
    /// What is stopped.
    pub surface: Surface,
    /// The version of the method.
    pub version: i64,
    /// A rehearsal.
    pub drill: bool,
    /// Who began it, by name.
    pub begun_by: String,
    /// When.
    pub begun_at: DateTime<Utc>,
    /// Where it stands.
    pub state: CallState,
    /// How the call went.
    pub outcome: Option<Outcome>,
    /// What was answered.
    pub detail: String,
    /// When it lapses.
    pub due_at: DateTime<Utc>,
    /// How long it took.
    pub seconds: Option<i64>,
    /// Who watched.
    pub witness: Option<(PersonId, String)>,
    /// SHA-256 of the file that shows it.
    pub evidence: Option<String>,
    /// What was written with it.
    pub note: String,
    /// The reader is the witness who is awaited.
    pub mine: bool,
}

/// A step of a stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepShown {
    /// Its number.
    pub id: i64,
    /// Which.
    pub step: Step,
    /// The credential it is about; empty otherwise.
    pub subject: String,
    /// Who must do it: the A of its duty.
    pub owner: Option<(Who, String)>,
    /// When it was done, and by whom.
    pub done: Option<(DateTime<Utc>, String)>,
    /// The reader may note that it is done.
    pub mine: bool,
}

/// The newest stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardShown {
    /// Its number.
    pub id: i64,
    /// When it was pressed.
    pub at: DateTime<Utc>,
    /// By whom, by name.
    pub by: String,
    /// Why.
    pub reason: String,
    /// By when it is to be reviewed.
    pub review_due: DateTime<Utc>,
    /// When it was, by whom, and what was found.
    pub review: Option<(DateTime<Utc>, String, String)>,
    /// The reader may review it.
    pub may_review: bool,
    /// What is to be done.
    pub steps: Vec<StepShown>,
    /// What remains at worst.
    pub residual: Residual,
}

/// Everything the page shows.
#[derive(Debug, Clone)]
pub struct Stops {
    /// The agent.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub state: State,
    /// The newest stop.
    pub card: Option<CardShown>,
    /// The reader may stop it at once.
    pub press: bool,
    /// The surfaces.
    pub surfaces: Vec<SurfaceShown>,
    /// Newest first.
    pub calls: Vec<CallShown>,
    /// A secret just made: the only moment at which it is shown.
    pub secret: Option<(Surface, String)>,
    /// People to suggest as a witness.
    pub people: Vec<Choice>,
    /// When the present runtime owner last showed that pausing works.
    pub passed_at: Option<DateTime<Utc>>,
    /// How many days a drill proves it, at this tier.
    pub cadence: i64,
    /// What was pressed and refused.
    pub refused: Refused<StopForm>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// How an agent is stopped; goes inside `Layout`.
#[component]
pub fn StopsPage(
    /// What it shows.
    stops: Stops,
) -> impl IntoView {
    let id = stops.id;
    let retired = stops.state == State::Retired;
    let secret = stops.secret.clone().map(|(surface, secret)| {
        view! {
            <Notice tone=Tone::Good title="The webhook is recorded">
                <p>{format!("Its secret ({}), shown now and never again. The receiver checks each call with it, and signs its callback:", surface.label().to_lowercase())}</p>
                <p><code class="secret">{secret}</code></p>
                <p class="small"><a href="/help#webhook">"How a call is signed"</a></p>
            </Notice>
        }
    });
    let surfaces = stops.surfaces.iter().map(|s| surface(&stops, s, retired)).collect_view();
    view! {
        <Crumbs trail=vec![Crumb::new("Agents", "/agents"), Crumb::new(id.to_string(), format!("/agents/{id}")), Crumb::here("Stop")]/>
        <PageHead title=format!("How it is stopped: {}", stops.name) reference=id.to_string()/>
        <ErrorSummary errors=stops.refused.errors.clone()/>
        {secret}
        <Suggestions id="people" values=stops.people.clone()/>
        <div class="stack loose">
            {break_glass(&stops)}
            {card(&stops)}
            {surfaces}
            {drills(&stops)}
        </div>
    }
    .piece()
}

/// Why an agent is stopped, ready to be pressed: nobody types under stress.
pub const REASONS: [&str; 4] = [
    "It acts outside its task.",
    "Its credentials may be in other hands.",
    "It harms people or data.",
    "An incident asks for it.",
];

fn break_glass(stops: &Stops) -> Option<impl IntoView + use<>> {
    if !stops.press {
        return None;
    }
    let Refused { values, errors } = &stops.refused;
    let open = values.what == "press";
    let (reason, error) = if open { (values.reason.clone(), errors.of("reason")) } else { (String::new(), None) };
    let id = stops.id;
    let reasons = REASONS.map(|reason| Choice::new(reason, reason)).to_vec();
    Some(view! {
        <Section title="Stop it now" id="now">
            <p>"Anyone who holds a duty of this agent, their deputies and security leads may stop it at once. It only removes access; somebody else reviews it within 24 hours."</p>
            <Confirm label="Stop it now…" action=format!("/agents/{id}/stop#card") confirm=format!("Yes, stop {id}") open=open>
                <input type="hidden" name="do" value="press"/>
                <RadioGroup name="why" legend="Why" options=reasons selected=REASONS[0] required=true/>
                <TextArea name="reason" label="More" value=reason error=error rows=2/>
            </Confirm>
        </Section>
    })
}

fn card(stops: &Stops) -> Option<impl IntoView + use<>> {
    let card = stops.card.clone()?;
    let (id, now) = (stops.id, stops.now);
    let rows = card
        .steps
        .into_iter()
        .map(|step| {
            let what = if step.subject.is_empty() { step.step.label().to_owned() } else { format!("{} {}", step.step.label(), step.subject) };
            let title = step.step.duty().owner_title();
            let owner = match step.owner {
                Some((who, name)) => view! { <a href=who.path() dir="auto">{name}</a> }.piece(),
                None => view! { <span class="vacant">"nobody"</span> }.piece(),
            };
            let state = match step.done {
                Some((at, by)) => view! { <Badge tone=Tone::Good>"Done"</Badge><span class="since small muted"><When at=at now=now/> ", " <span dir="auto">{by}</span></span> }.piece(),
                None => view! { <Badge tone=Tone::Bad>"Open"</Badge> }.piece(),
            };
            let press = step.mine.then(|| view! {
                <form method="post" action=format!("/agents/{id}/stop#card")>
                    <input type="hidden" name="step" value=step.id.to_string()/>
                    <Button kind=Kind::Small name="do" value="done">"It is done"</Button>
                </form>
            });
            view! {
                <tr>
                    <th scope="row" dir="auto">{what}</th>
                    <td data-label="Who">{owner}<span class="since small muted">{title}</span></td>
                    <td data-label="State">{state}{press}</td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    let residual = card.residual.sentence(now);
    let left = if card.residual.is_over() { Tone::Good } else { Tone::Warn };
    let (due, late) = (card.review_due, card.review.is_none() && now >= card.review_due);
    let review = if let Some((at, by, found)) = card.review {
        view! { <p>"Reviewed by " <span dir="auto">{by}</span> ", " <When at=at now=now/> ": " <span dir="auto">{format!("“{found}”")}</span></p> }.piece()
    } else {
        let words = if late {
            "Nobody has reviewed it; that was due "
        } else {
            "To be reviewed by somebody else, at the latest "
        };
        view! { <p>{words} <When at=due now=now/> "."</p> }.piece()
    };
    let Refused { values, errors } = &stops.refused;
    let open = values.what == "review";
    let (text, error) = if open { (values.review.clone(), errors.of("review")) } else { (String::new(), None) };
    let form = card.may_review.then(|| view! {
        <Confirm label="Review it…" action=format!("/agents/{id}/stop#card") confirm="Keep the review" calm=true open=open>
            <input type="hidden" name="do" value="review"/>
            <input type="hidden" name="stopping" value=card.id.to_string()/>
            <TextArea name="review" label="What you found" value=text error=error rows=3 required=true hint="Was it right, and what follows."/>
        </Confirm>
    });
    let (at, by, reason) = (card.at, card.by, card.reason);
    Some(view! {
        <Section title="The last stop" id="card">
            <p><span dir="auto">{by}</span> " stopped it " <When at=at now=now/> ": " <span dir="auto">{format!("“{reason}”")}</span></p>
            <Notice tone=left title="Access that remains at worst"><p>{residual}</p></Notice>
            <TableFrame label="Steps" stacks=true>
                <thead><tr><th scope="col">"Step"</th><th scope="col">"Who"</th><th scope="col">"State"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            {review}
            {form}
        </Section>
    })
}

fn surface(stops: &Stops, shown: &SurfaceShown, retired: bool) -> impl IntoView + use<> {
    let (key, label, about) = (shown.surface.key(), shown.surface.label(), shown.surface.about());
    let owner = match &shown.owner {
        Some((who, name)) => view! { <a href=who.path() dir="auto">{name.clone()}</a> }.piece(),
        None => view! { <span class="vacant">"nobody"</span> }.piece(),
    };
    let title = shown.surface.duty().owner_title();
    let method = match &shown.method {
        None => view! { <p>"No way to do it is recorded."</p> }.piece(),
        Some(m) => view! { <div class="panel procedure">{method(m, stops.now)}</div> }.piece(),
    };
    let act = (!retired && shown.drill).then(|| match shown.method.as_ref().map(|m| m.kind) {
        None => ().piece(),
        Some(MethodKind::Webhook) => press(stops.id, shown.surface),
        Some(MethodKind::Manual) => rehearse(stops, shown.surface),
    });
    let form = (!retired && shown.write).then(|| record(stops, shown));
    view! {
        <Section title=label id=key>
            <p>{about} {format!(" {title}: ")} {owner} "."</p>
            {method}
            <div class="row">{act} {form}</div>
        </Section>
    }
    .piece()
}

fn method(method: &MethodShown, now: DateTime<Utc>) -> Piece {
    let since = method.since;
    let head = format!("{}, version {}", method.kind.label(), method.version);
    let text = (!method.procedure.is_empty())
        .then(|| view! { <div class="written" dir="auto">{method.procedure.clone()}</div> });
    let call = (method.kind == MethodKind::Webhook).then(|| {
        let seconds = method.timeout.map_or(0, |t| t.num_seconds());
        view! { <p><span class="ref">{method.url.clone()}</span></p><p class="small muted">{format!("Its signed callback is awaited for {seconds} seconds.")}</p> }
    });
    view! { <p class="small muted">{head} ", " <When at=since now=now/></p>{call}{text} }.piece()
}

fn press(id: AgentId, surface: Surface) -> Piece {
    view! {
        <form method="post" action=format!("/agents/{id}/stop#drills")>
            <input type="hidden" name="do" value="drill"/>
            <input type="hidden" name="surface" value=surface.key()/>
            <Button kind=Kind::Primary>"Drill it now"</Button>
        </form>
    }
    .piece()
}

fn typed<'a>(stops: &'a Stops, what: &str, surface: Surface) -> Option<(&'a StopForm, &'a FieldErrors)> {
    let Refused { values, errors } = &stops.refused;
    (values.what == what && values.surface == surface.key()).then_some((values, errors))
}

fn rehearse(stops: &Stops, surface: Surface) -> Piece {
    let form = typed(stops, "rehearse", surface);
    let open = form.is_some();
    let key = surface.key();
    let error = |name: &str| form.and_then(|(_, e)| e.of(&format!("{name}-{key}")));
    let value = |of: fn(&StopForm) -> &String| form.map(|(v, _)| of(v).clone()).unwrap_or_default();
    let (seconds, witness, note) = (value(|v| &v.seconds), value(|v| &v.witness), value(|v| &v.note));
    let (seconds_error, witness_error, note_error, file_error) =
        (error("seconds"), error("witness"), error("note"), error("evidence"));
    let action = format!("/agents/{}/stop/drill", stops.id);
    view! {
        <details class="confirm calm" open=open>
            <summary class="button">"Record a drill…"</summary>
            <div class="ask">
                <PostForm action=action files=true>
                    <p class="small">"Carry out the procedure up to the stop itself, before somebody who watches. It counts once they have said that they saw it."</p>
                    <input type="hidden" name="surface" value=key/>
                    <Field name=format!("seconds-{key}") label="Seconds until it had stopped" value=seconds error=seconds_error required=true inputmode="numeric" short=true/>
                    <Field name=format!("witness-{key}") label="Witness" value=witness error=witness_error required=true list="people" autocomplete="off"
                        hint="A second person who watched: a name, an e-mail address, or a reference such as PE-7."/>
                    <Field name=format!("evidence-{key}") label="Evidence" kind="file" error=file_error required=true
                        hint="A recording, a log, a picture: at most 10 MiB. It is kept as it is, under its SHA-256."/>
                    <TextArea name=format!("note-{key}") label="Note" value=note error=note_error rows=2/>
                    <div class="actions"><Button kind=Kind::Primary>"Send it to the witness"</Button></div>
                </PostForm>
            </div>
        </details>
    }
    .piece()
}

fn record(stops: &Stops, shown: &SurfaceShown) -> Piece {
    let surface = shown.surface;
    let key = surface.key();
    let form = typed(stops, "method", surface);
    let open = form.is_some();
    let error = |name: &str| form.and_then(|(_, e)| e.of(&format!("{name}-{key}")));
    let was = form.map_or_else(
        || match &shown.method {
            None => StopForm { kind: "manual".into(), timeout: "60".into(), ..StopForm::default() },
            Some(m) => StopForm {
                kind: m.kind.key().into(),
                procedure: m.procedure.clone(),
                url: m.url.clone(),
                timeout: m.timeout.map_or(60, |t| t.num_seconds()).to_string(),
                ..StopForm::default()
            },
        },
        |(values, _)| values.clone(),
    );
    let (label, save) = if shown.method.is_some() {
        ("Write a new version…", "Record the new version")
    } else {
        ("Record how to do it…", "Record")
    };
    let (url_error, timeout_error, text_error) = (error("url"), error("timeout_seconds"), error("procedure"));
    view! {
        <Confirm label=label action=format!("/agents/{}/stop", stops.id) confirm=save calm=true open=open>
            <input type="hidden" name="do" value="method"/>
            <input type="hidden" name="surface" value=key/>
            <RadioGroup name=format!("kind-{key}") legend="How" required=true selected=was.kind options=vec![
                Choice::new("manual", "Written procedure").hint("People carry it out, step by step."),
                Choice::new("webhook", "Webhook").hint("Muster calls an address, signed; the receiver stops it and says so by a signed callback."),
            ]/>
            <TextArea name=format!("procedure-{key}") label="Procedure" value=was.procedure error=text_error rows=5
                hint="Step by step, for somebody woken at three in the morning. For a webhook: what it does."/>
            <Field name=format!("url-{key}") label="Address of the webhook" value=was.url error=url_error kind="url" autocomplete="off"
                hint="Begins with https://. Its secret is shown once, after this."/>
            <Field name=format!("timeout_seconds-{key}") label="Seconds within which its callback must come" value=was.timeout error=timeout_error inputmode="numeric" short=true/>
        </Confirm>
    }
    .piece()
}

fn tone(state: CallState) -> Tone {
    match state {
        CallState::Stopped => Tone::Good,
        CallState::Failed | CallState::Lapsed => Tone::Bad,
        CallState::Calling | CallState::Accepted | CallState::Witness => Tone::Note,
    }
}

/// Where a call stands, in a sentence.
pub fn said(state: CallState, outcome: Option<Outcome>) -> &'static str {
    match (state, outcome) {
        (CallState::Stopped, _) => "It is shown that it stopped.",
        (CallState::Lapsed, Some(Outcome::Accepted)) => {
            "The webhook accepted the call, and no signed callback came in time. Whether it stopped is not shown."
        }
        (CallState::Lapsed, _) => "Nothing showed in time that it stopped.",
        (CallState::Witness, _) => "It counts once the witness has said that they saw it.",
        (CallState::Calling, _) => "Muster is calling.",
        (CallState::Failed, None) => "The witness did not see it stop.",
        (_, Some(outcome)) => outcome.sentence(),
        (CallState::Accepted, None) => "Its callback is awaited.",
    }
}

fn drills(stops: &Stops) -> impl IntoView + use<> {
    let cadence = stops.cadence;
    let rows = stops.calls.iter().map(|call| row(stops, call)).collect_view();
    let (passed, now) = (stops.passed_at, stops.now);
    let passed = passed.map(
        |at| view! { <p>"The present runtime owner last showed that pausing works " <When at=at now=now/> "."</p> },
    );
    let body = if stops.calls.is_empty() && passed.is_some() {
        ().piece()
    } else if stops.calls.is_empty() {
        view! { <Empty title="Nothing was rehearsed yet">"A drill changes nothing about the agent. It shows that stopping works, and how long it takes."</Empty> }.piece()
    } else {
        view! {
            <TableFrame label="Drills" stacks=true>
                <thead><tr><th scope="col">"What"</th><th scope="col">"State"</th><th scope="col">"Began"</th><th scope="col">"Took"</th><th scope="col">"Shown by"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .piece()
    };
    view! {
        <Section title="Drills" id="drills">
            <p class="small muted">{format!("At this tier a drill of pausing proves it for {cadence} days, for the owner who showed it and for that version of the method.")}</p>
            {passed}
            {body}
        </Section>
    }
    .piece()
}

fn row(stops: &Stops, call: &CallShown) -> impl IntoView + use<> {
    let what =
        format!("{}{}, version {}", call.surface.label(), if call.drill { "" } else { " (in earnest)" }, call.version);
    let (state, begun_at, now) = (call.state, call.begun_at, stops.now);
    let took = call
        .seconds
        .filter(|_| state == CallState::Stopped)
        .map(|s| if s == 1 { "1 second".to_owned() } else { format!("{s} seconds") });
    let by = match (&call.witness, state) {
        (Some((id, name)), _) => {
            view! { "witness " <a href=format!("/people/{id}") dir="auto">{name.clone()}</a> }.piece()
        }
        (None, CallState::Stopped) => view! { "signed callback" }.piece(),
        (None, _) => ().piece(),
    };
    let evidence = call
        .evidence
        .clone()
        .map(|sha256| view! { " " <a href=format!("/agents/{}/evidence/{sha256}", stops.id)>"evidence"</a> });
    let mine = call.mine.then(|| testimony(&format!("/agents/{}/stop", stops.id), &call.delivery));
    let note = (!call.note.is_empty())
        .then(|| view! { <span class="since small" dir="auto">{format!("“{}”", call.note)}</span> });
    let detail = (!call.detail.is_empty())
        .then(|| view! { <span class="since small muted" dir="auto">{call.detail.clone()}</span> });
    view! {
        <tr>
            <th scope="row">{what}</th>
            <td data-label="State"><Badge tone=tone(state)>{state.label()}</Badge><span class="since small muted">{said(state, call.outcome)}</span>{detail}{mine}</td>
            <td data-label="Began"><When at=begun_at now=now/><span class="since small muted">"by " <span dir="auto">{call.begun_by.clone()}</span></span></td>
            <td data-label="Took">{took}</td>
            <td data-label="Shown by">{by}{evidence}{note}</td>
        </tr>
    }
    .piece()
}

/// The two answers of a witness.
pub fn testimony(action: &str, delivery: &str) -> Piece {
    view! {
        <form method="post" action=action.to_owned() class="row">
            <input type="hidden" name="delivery" value=delivery.to_owned()/>
            <Button kind=Kind::Primary name="do" value="saw">"I saw it stop"</Button>
            <Button name="do" value="unseen">"I did not"</Button>
        </form>
    }
    .piece()
}
