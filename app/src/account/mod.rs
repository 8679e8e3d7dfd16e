//! One's own account: who one is here, the password, the sessions, the colours.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use crate::components::{
    Badge, Button, Confirm, ErrorSummary, Fact, Facts, Field, FieldErrors, IntoPiece, Kind, Notice, PageHead, Piece,
    PostForm, Ref, Section, TableFrame, Tone, When,
};
use crate::reach::{Test, codes};
use crate::shell::Theme;

/// Who looks at their own account.
#[derive(Debug, Clone, Default)]
pub struct Me {
    /// Their name.
    pub name: String,
    /// `PE-7`.
    pub reference: String,
    /// Their e-mail address.
    pub email: String,
    /// Their roles, as words.
    pub roles: Vec<String>,
    /// Since when they have a link to their calendar.
    pub calendar: Option<DateTime<Utc>>,
    /// The address of a link just made: the only moment at which it is shown.
    pub calendar_url: Option<String>,
    /// They may make one: they do not only read.
    pub may_calendar: bool,
    /// Tests of their channels whose code they may type now.
    pub tests: Vec<Test>,
}

/// One session of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLine {
    /// What the session is called.
    pub id: String,
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

/// The page at `/account`.
#[component]
pub fn Account(
    /// Who looks.
    me: Me,
    /// Their sessions, last used first.
    sessions: Vec<SessionLine>,
    /// Light or dark.
    theme: Theme,
    /// What is wrong with the password form.
    errors: FieldErrors,
    /// The present moment.
    now: DateTime<Utc>,
) -> impl IntoView {
    let roles = if me.roles.is_empty() { "none".to_owned() } else { me.roles.join(", ") };
    let reach = format!("/people/{}/reach", me.reference);
    let calendar = calendar(&me, now);
    view! {
        <PageHead title="Your account" lead="Who you are here, and where you are signed in."/>
        <Section title="You" id="you">
            <Facts>
                <Fact term="Name" value=me.name/>
                <Fact term="Reference"><Ref id=me.reference/></Fact>
                <Fact term="E-mail address" value=me.email/>
                <Fact term="Roles" value=roles/>
            </Facts>
            <p class="muted small">"An administrator changes your name, address and roles."</p>
        </Section>
        {codes(&reach, &me.tests, &FieldErrors::new(), now)}
        <Section title="How you are reached" id="reach">
            <p>"Whoever would stop an agent has to be reached. "<a href=reach.clone()>"Your channels and absences"</a>"."</p>
        </Section>
        <Section title="Delegation" id="delegation">
            <p>"Somebody else takes your decisions while you are away. "<a href="/account/delegation">"Who decides in your place"</a>"."</p>
        </Section>
        <Section title="Notices" id="notices">
            <p>"What happens that concerns you is in "<a href="/notices">"your notices"</a>". "<a href="/account/notices">"What reaches you by e-mail, and when"</a>"."</p>
        </Section>
        {calendar}
        <Section title="Password" id="password">
            <PostForm action="/account">
                <ErrorSummary errors=errors.clone()/>
                <Field name="present" label="Present password" kind="password" value="" error=errors.of("present")
                    required=true autocomplete="current-password"/>
                <Field name="new" label="New password" kind="password" value="" error=errors.of("new") required=true
                    hint="At least 12 characters; a sentence is easy to remember." autocomplete="new-password"/>
                <Field name="again" label="New password, again" kind="password" value="" error=errors.of("again")
                    required=true autocomplete="new-password"/>
                <p class="muted small">"Every other session of yours ends when the password changes."</p>
                <div class="actions"><Button kind=Kind::Primary>"Change password"</Button></div>
            </PostForm>
        </Section>
        <Section title="Sessions" id="sessions" count=sessions.len() as u64>
            <Sessions sessions=sessions now=now/>
        </Section>
        <Section title="Colours" id="colours">
            <form method="post" action="/theme">
                <input type="hidden" name="next" value="/account"/>
                <div class="segmented" role="group" aria-label="Colours of this site">{themes(theme)}</div>
            </form>
        </Section>
    }
    .piece()
}

/// The link to what is due for them.
fn calendar(me: &Me, now: DateTime<Utc>) -> Piece {
    let fresh = me.calendar_url.clone().map(|url| {
        view! {
            <Notice tone=Tone::Good title="The address of your calendar">
                <p>"Shown this once. Give it to your calendar as a subscription, and to nobody: whoever has it reads what is due for you, without signing in."</p>
                <p><code class="secret">{url}</code></p>
            </Notice>
        }
    });
    let state = match me.calendar {
        Some(at) => view! { <p>"A link was made "<When at=at now=now/>". Its address is not kept; make a new one if you lost it."</p> }.piece(),
        None => view! { <p>"There is no link yet."</p> }.piece(),
    };
    let has = me.calendar.is_some();
    let forms = me.may_calendar.then(|| {
        let make = if has { "Replace it" } else { "Make a link" };
        let make = view! { <form method="post" action="/account/calendar"><Button name="do" value="make">{make}</Button></form> };
        let end = has.then(|| {
            view! {
                <Confirm label="End it…" action="/account/calendar" confirm="Yes, end the link" calm=true>
                    <input type="hidden" name="do" value="revoke"/>
                    <p>"From that moment it opens nothing, and calendars that have it show nothing new."</p>
                </Confirm>
            }
        });
        view! { <div class="row">{make}{end}</div> }
    });
    view! {
        <Section title="Calendar" id="calendar">
            <p class="muted small">"What is due for you within 120 days, and what is overdue, as a calendar to subscribe to: duties to confirm, stop drills, offers, imports."</p>
            {fresh}
            {state}
            {forms}
        </Section>
    }
    .piece()
}

#[component]
fn Sessions(sessions: Vec<SessionLine>, now: DateTime<Utc>) -> impl IntoView {
    let rows = sessions
        .into_iter()
        .map(|session| {
            let SessionLine { id, browser, address, opened, seen, current } = session;
            let label = format!("End the session of {browser}");
            let last = if current {
                view! { <Badge tone=Tone::Good>"This one"</Badge> }.piece()
            } else {
                view! {
                    <form method="post" action=format!("/account/sessions/{id}/revoke")>
                        <button class="button small" aria-label=label>"End"</button>
                    </form>
                }
                .piece()
            };
            view! {
                <tr>
                    <th scope="row">{browser}</th>
                    <td data-label="Address">{address}</td>
                    <td data-label="Signed in"><When at=opened now=now/></td>
                    <td data-label="Last seen"><When at=seen now=now/></td>
                    <td data-label="">{last}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame label="Your sessions" boxed=true stacks=true>
            <thead>
                <tr>
                    <th scope="col">"Browser"</th>
                    <th scope="col">"Address"</th>
                    <th scope="col">"Signed in"</th>
                    <th scope="col">"Last seen"</th>
                    <th scope="col"><span class="visually-hidden">"End it"</span></th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}

fn themes(theme: Theme) -> impl IntoView {
    [(Theme::System, "System"), (Theme::Light, "Light"), (Theme::Dark, "Dark")]
        .into_iter()
        .map(|(choice, words)| {
            let pressed = if choice == theme { "true" } else { "false" };
            view! { <button name="theme" value=choice.key() aria-pressed=pressed>{words}</button> }
        })
        .collect_view()
}
