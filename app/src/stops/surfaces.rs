//! The surfaces: who stops each, how, and the forms that record and show it.

use chrono::{DateTime, Utc};
use domain::id::AgentId;
use domain::stop::{Method, MethodKind, Surface};
use leptos::prelude::*;

use super::StopForm;
use super::page::{Stops, SurfaceShown};
use crate::components::{
    Button, Choice, Confirm, Field, FieldErrors, IntoPiece, Kind, Piece, PostForm, RadioGroup, Refused, Section,
    TextArea, When,
};

pub(super) fn surface(stops: &Stops, shown: &SurfaceShown, retired: bool) -> impl IntoView + use<> {
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

fn method(method: &Method, now: DateTime<Utc>) -> Piece {
    let since = method.since;
    let head = format!("{}, version {}", method.kind.label(), method.version);
    let text = (!method.procedure.is_empty())
        .then(|| view! { <div class="written" dir="auto">{method.procedure.clone()}</div> });
    let call = (method.kind == MethodKind::Webhook).then(|| {
        let seconds = method.timeout.map_or(0, |t| t.num_seconds());
        view! { <p><span class="ref">{method.url.clone().unwrap_or_default()}</span></p><p class="small muted">{format!("Its signed callback is awaited for {seconds} seconds.")}</p> }
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
                url: m.url.clone().unwrap_or_default(),
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
