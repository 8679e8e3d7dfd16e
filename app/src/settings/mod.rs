//! Settings: what the organisation decides about Muster, who may act for programs, who is
//! signed in, and what runs here.

mod about;
mod sessions;
mod tokens;

use domain::id::TeamId;
use leptos::prelude::*;

pub use about::About;
pub use sessions::SessionLine;
pub use tokens::{Fresh, TokenForm, TokenLine, Tokens};

use crate::components::{
    Button, Choice, ErrorSummary, Fact, Facts, Field, IntoPiece, Kind, Notice, PageHead, Party, Piece, PostForm,
    Refused, Section, Select, Tone,
};
use about::about;
use chrono::{DateTime, Utc};
use sessions::sessions;
use tokens::tokens;

/// The organisation's settings, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganisationForm {
    /// What it is called.
    pub organisation: String,
    /// The security team on call.
    pub oncall_team: String,
    /// How many days an import wave has.
    pub wave_days: String,
    /// The version that was read.
    pub version: String,
}

/// The organisation's settings as they are shown to who may not change them, and the form.
#[derive(Debug, Clone)]
pub struct Organisation {
    /// The form, fresh or refused; also what is shown to readers.
    pub form: Refused<OrganisationForm>,
    /// The team on call now.
    pub oncall: Option<(TeamId, String)>,
    /// Whether nobody who is here leads it.
    pub oncall_gone: bool,
    /// Teams to choose from.
    pub teams: Vec<Choice>,
    /// Whether the reader changes settings.
    pub may_write: bool,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The organisation's settings.
    pub organisation: Organisation,
    /// Service tokens, for those who keep them.
    pub tokens: Option<Tokens>,
    /// Everybody's sessions, for administrators.
    pub sessions: Option<Vec<SessionLine>>,
    /// What runs here.
    pub about: About,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page at `/settings`; goes inside `Layout`.
#[component]
pub fn Settings(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let Shown { organisation: of, tokens: kept, sessions: open, about: here, now } = shown;
    let mut parts = vec![("organisation", "Organisation"), ("notices", "Notices")];
    parts.extend(kept.as_ref().map(|_| ("tokens", "Service tokens")));
    parts.extend(open.as_ref().map(|_| ("sessions", "Sessions")));
    parts.push(("about", "This Muster"));
    let contents =
        parts.into_iter().map(|(id, words)| view! { <li><a href=format!("#{id}")>{words}</a></li> }).collect_view();
    view! {
        <PageHead title="Settings"/>
        <div class="help">
            <nav aria-label="On this page"><ul>{contents}</ul></nav>
            <div class="stack loose">
                {organisation(of)}
                <Section title="Notices" id="notices">
                    <p>"E-mail, webhooks and chats, what waits and what was given up: "<a href="/settings/notices">"how notices leave Muster"</a>"."</p>
                </Section>
                {kept.map(|t| tokens(t, now))}
                {open.map(|s| sessions(s, now))}
                {about(here)}
            </div>
        </div>
    }
    .piece()
}

fn organisation(of: Organisation) -> Piece {
    let Organisation { form, oncall, oncall_gone, teams, may_write } = of;
    let Refused { values, errors } = form;
    let gap = match (&oncall, oncall_gone) {
        (None, _) => Some("No team is on call. An alert that reaches nobody else has nowhere to fall."),
        (Some(_), true) => Some("Nobody who is here leads the team on call, so nobody would be paged."),
        (Some(_), false) => None,
    }
    .map(|words| view! { <Notice tone=Tone::Warn><p>{words}</p></Notice> });
    if !may_write {
        let oncall = match oncall {
            Some((id, name)) => view! { <Party name=name reference=id.to_string()/> }.piece(),
            None => view! { <span class="unset">"nobody"</span> }.piece(),
        };
        return view! {
            <Section title="Organisation" id="organisation">
                {gap}
                <Facts>
                    <Fact term="Name" value=values.organisation/>
                    <Fact term="On call for security">{oncall}</Fact>
                    <Fact term="Days of an import wave" value=values.wave_days/>
                </Facts>
                <p class="small muted">"An administrator changes these."</p>
            </Section>
        }
        .piece();
    }
    view! {
        <Section title="Organisation" id="organisation">
            {gap}
            <PostForm action="/settings">
                <ErrorSummary errors=errors.clone()/>
                <input type="hidden" name="version" value=values.version/>
                <Field name="organisation" label="Name of the organisation" value=values.organisation
                    error=errors.of("organisation") maxlength=200 autocomplete="organization"/>
                <Select name="oncall_team" label="On call for security" options=teams selected=values.oncall_team
                    blank="No team" error=errors.of("oncall_team")
                    hint="The team that is paged when an alert reaches nobody else."/>
                <Field name="wave_days" label="Days of an import wave" value=values.wave_days error=errors.of("wave_days")
                    required=true short=true inputmode="numeric"
                    hint="How long a new import has to close its gaps before they count, unless it says otherwise."/>
                <div class="actions"><Button kind=Kind::Primary>"Save"</Button></div>
            </PostForm>
        </Section>
    }
    .piece()
}
