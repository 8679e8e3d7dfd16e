//! How a person is reached and when they are away: their channels, each with its test, and the
//! code of a test that a colleague passes on.

use chrono::{DateTime, Utc};
use domain::id::PersonId;
use domain::reach::{ChannelKind, Span, TEST_HOLDS};
use leptos::prelude::*;

use crate::components::{
    Badge, Button, Choice, Confirm, Crumb, Crumbs, Day, ErrorSummary, Field, FieldErrors, IntoPiece, Kind, Notice,
    PageHead, Piece, PostForm, Refused, Section, Select, TableFrame, Tone, When,
};
use crate::oncall::{press, state};

/// A way to reach them.
#[derive(Debug, Clone)]
pub struct Channel {
    /// Its number.
    pub id: i64,
    /// Of what kind.
    pub kind: ChannelKind,
    /// The number, name or address.
    pub address: String,
    /// When its last test was passed.
    pub tested_at: Option<DateTime<Utc>>,
}

/// A test whose code may be typed.
#[derive(Debug, Clone)]
pub struct Test {
    /// The channel.
    pub channel: i64,
    /// Of what kind.
    pub kind: ChannelKind,
    /// Who began it, by name.
    pub begun_by: String,
    /// When.
    pub begun_at: DateTime<Utc>,
}

/// The code of a test just begun: the only moment at which it is shown.
#[derive(Debug, Clone)]
pub struct Code {
    /// Six digits.
    pub code: String,
    /// Of what kind the channel is.
    pub kind: ChannelKind,
    /// The channel's number, name or address.
    pub address: String,
}

/// The forms of the page, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReachForm {
    /// Which was sent: `channel`, `away`, `code`.
    pub what: String,
    /// The kind of a new channel.
    pub kind: String,
    /// Its number, name or address.
    pub address: String,
    /// From when they are away, in UTC; empty is now.
    pub from: String,
    /// Until when, in UTC.
    pub until: String,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Who.
    pub id: PersonId,
    /// Their name.
    pub name: String,
    /// Their channels; `None` for a reader who may not know them.
    pub channels: Option<Vec<Channel>>,
    /// Tests whose code the reader, who is this person, may type.
    pub tests: Vec<Test>,
    /// When they are or will be away: number and span.
    pub absences: Vec<(i64, Span)>,
    /// When they cannot be reached; `None` for a reader who may not know.
    pub not: Option<Vec<Span>>,
    /// The code of a test just begun.
    pub fresh: Option<Code>,
    /// The reader is this person.
    pub is_me: bool,
    /// The reader may change channels.
    pub may_write: bool,
    /// The reader may begin tests.
    pub may_test: bool,
    /// The reader may say when they are away.
    pub may_away: bool,
    /// The form that was refused, or a fresh one.
    pub form: Refused<ReachForm>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

impl Shown {
    fn path(&self) -> String {
        format!("/people/{}/reach", self.id)
    }
}

/// The page; goes inside `Layout`.
#[component]
pub fn ReachPage(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let (id, name, now) = (shown.id, shown.name.clone(), shown.now);
    let title = if shown.is_me { "How you are reached".to_owned() } else { format!("How {name} is reached") };
    let reached = shown.not.as_ref().map(|not| view! { <p class="row">{state(not, now)}</p> });
    view! {
        <Crumbs trail=vec![Crumb::new("People", "/people"), Crumb::new(id.to_string(), format!("/people/{id}")), Crumb::here("Reach")]/>
        <PageHead title=title lead="A channel counts for 180 days after a colleague has tested it."/>
        {fresh(&shown)}
        <ErrorSummary errors=shown.form.errors.clone()/>
        {codes(&shown.path(), &shown.tests, &shown.form.errors, shown.now)}
        {reached}
        <div class="stack loose">{channels(&shown)}{absences(&shown)}</div>
    }
    .piece()
}

fn fresh(shown: &Shown) -> Option<impl IntoView + use<>> {
    let Code { code, kind, address } = shown.fresh.clone()?;
    let name = shown.name.clone();
    let spaced = format!("{} {}", &code[..code.len().min(3)], &code[code.len().min(3)..]);
    Some(view! {
        <Notice tone=Tone::Good title="Pass this code on">
            <p>"Shown this once. Give it to " <bdi>{name}</bdi> " by " {kind.label().to_lowercase()} ", " <strong dir="auto">{address}</strong> ", and by nothing else. They type it within 15 minutes under Your account."</p>
            <p><code class="secret">{spaced}</code></p>
        </Notice>
    })
}

/// The forms in which codes are typed, for the person whose channels are tested.
pub fn codes(path: &str, tests: &[Test], errors: &FieldErrors, now: DateTime<Utc>) -> Option<impl IntoView + use<>> {
    if tests.is_empty() {
        return None;
    }
    let forms = tests
        .iter()
        .map(|test| {
            let words = format!("Code that came by {}", test.kind.label().to_lowercase());
            let (by, at, channel) = (test.begun_by.clone(), test.begun_at, test.channel.to_string());
            let name = format!("code-{channel}");
            let error = errors.of(&name);
            view! {
                <PostForm action=path.to_owned()>
                    <input type="hidden" name="channel" value=channel/>
                    <p class="small muted"><bdi>{by}</bdi>" began this test "<When at=at now=now/>"."</p>
                    <Field name=name label=words value="" error=error required=true short=true inputmode="numeric" autocomplete="one-time-code"
                        hint="Six digits, within 15 minutes."/>
                    <div class="actions"><Button kind=Kind::Primary name="do" value="code">"It came"</Button></div>
                </PostForm>
            }
        })
        .collect_view();
    let count = tests.len() as u64;
    Some(
        view! { <Section title="Did the code come?" id="codes" count=count><div class="panel">{forms}</div></Section> },
    )
}

fn channels(shown: &Shown) -> Piece {
    let Some(list) = &shown.channels else {
        return view! {
            <Section title="Channels" id="channels">
                <p class="muted">"How they are reached is for colleagues of the same team, their manager and deputy, security leads and administrators."</p>
            </Section>
        }
        .piece();
    };
    let path = shown.path();
    let now = shown.now;
    let rows = list
        .iter()
        .map(|channel| {
            let test = match channel.tested_at {
                None => view! { <Badge tone=Tone::Warn>"Never tested"</Badge> }.piece(),
                Some(at) if at + TEST_HOLDS <= now => {
                    view! { <Badge tone=Tone::Warn>"Test lapsed"</Badge> " " <When at=at now=now/> }.piece()
                }
                Some(at) => {
                    let until = at + TEST_HOLDS;
                    view! { <Badge tone=Tone::Good>"Tested"</Badge> " " <When at=at now=now/> ", counts until " <Day at=until/> }.piece()
                }
            };
            let id = channel.id.to_string();
            let begin = shown.may_test.then(|| press(path.clone(), "test", "Test it", ("channel", id.clone())));
            let remove = shown.may_write.then(|| press(path.clone(), "remove", "Remove", ("channel", id)));
            view! {
                <tr>
                    <th scope="row">{channel.kind.label()}</th>
                    <td data-label="Address" dir="auto">{channel.address.clone()}</td>
                    <td data-label="Test" class="text">{test}</td>
                    <td data-label=""><div class="row">{begin}{remove}</div></td>
                </tr>
            }
        })
        .collect_view();
    let body = if list.is_empty() {
        let words = if shown.is_me {
            "No channel is recorded, so you cannot be reached."
        } else {
            "No channel is recorded, so they cannot be reached."
        };
        view! { <p class="muted">{words}</p> }.piece()
    } else {
        view! {
            <TableFrame label="Channels" stacks=true>
                <thead><tr><th scope="col">"By"</th><th scope="col">"Address"</th><th scope="col">"Test"</th><th scope="col"><span class="visually-hidden">"What can be done"</span></th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .piece()
    };
    let how = if shown.is_me {
        "A colleague who opens this page begins the test, gets a code, and passes it on to you by that channel. You type it here or under Your account."
    } else {
        "Test a channel: you get a code, and pass it on by that channel. They type it under their account."
    };
    let add = shown.may_write.then(|| {
        let Refused { values, errors } = shown.form.clone();
        let open = values.what == "channel";
        let kinds = ChannelKind::ALL.iter().map(|k| Choice::new(k.key(), k.label())).collect::<Vec<_>>();
        view! {
            <Confirm label="Add a channel…" action=shown.path() confirm="Add" calm=true open=open>
                <input type="hidden" name="do" value="channel"/>
                <Select name="kind" label="By" options=kinds selected=values.kind blank="Choose" error=errors.of("kind") required=true short=true/>
                <Field name="address" label="Number, name or address" value=values.address error=errors.of("address") required=true autocomplete="off" maxlength=200/>
            </Confirm>
        }
    });
    view! { <Section title="Channels" id="channels" count=list.len() as u64><p class="small muted">{how}</p>{body}{add}</Section> }
        .piece()
}

fn absences(shown: &Shown) -> Piece {
    let (path, now) = (shown.path(), shown.now);
    let lines = shown
        .absences
        .iter()
        .map(|(id, span)| {
            let here = span.holds_at(now);
            let words = if here { "Back" } else { "Cancel" };
            let end = shown.may_away.then(|| press(path.clone(), "back", words, ("absence", id.to_string())));
            let until = span.until.map(|at| view! { <Day at=at/> });
            view! {
                <tr>
                    <th scope="row"><Day at=span.from/></th>
                    <td data-label="Until">{until}{here.then(|| view! { " " <Badge tone=Tone::Warn>"Now"</Badge> })}</td>
                    <td data-label="">{end}</td>
                </tr>
            }
        })
        .collect_view();
    let body = if shown.absences.is_empty() {
        let words = if shown.is_me {
            "You are not away, and nothing is planned."
        } else {
            "They are not away, and nothing is planned."
        };
        view! { <p class="muted">{words}</p> }.piece()
    } else {
        view! {
            <TableFrame label="Absences" stacks=true compact=true>
                <thead><tr><th scope="col">"From"</th><th scope="col">"Until"</th><th scope="col"><span class="visually-hidden">"End it"</span></th></tr></thead>
                <tbody>{lines}</tbody>
            </TableFrame>
        }
        .piece()
    };
    let add = shown.may_away.then(|| {
        let Refused { values, errors } = shown.form.clone();
        let open = values.what == "away";
        view! {
            <Confirm label="Away…" action=shown.path() confirm="Save" calm=true open=open>
                <input type="hidden" name="do" value="away"/>
                <p>"Whoever is away is not asked to be on call, and is not counted as reached."</p>
                <Field name="from" label="From (UTC)" kind="datetime-local" value=values.from error=errors.of("from") short=true hint="Empty: from now."/>
                <Field name="until" label="Until (UTC)" kind="datetime-local" value=values.until error=errors.of("until") required=true short=true/>
            </Confirm>
        }
    });
    view! { <Section title="Away" id="away" count=shown.absences.len() as u64>{body}{add}</Section> }.piece()
}
