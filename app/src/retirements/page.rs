//! The page at `/retirements/{id}`: the checklist, the signatures, and at last the tombstone.

use chrono::{DateTime, Utc};
use domain::agent::Running;
use domain::duty::Duty;
use domain::id::{AgentId, RequestId};
use domain::party::Party as Who;
use domain::request::RequestState;
use leptos::prelude::*;

use super::rows::{Row, rows};
use super::{RetireForm, Sign, party, signs, tone, words};
use crate::components::{
    Badge, Button, Confirm, Crumb, Crumbs, ErrorSummary, Fact, Facts, IntoPiece, Kind, LinkButton, Meter, Notice,
    PageHead, Piece, PostForm, Refused, Section, TableFrame, TextArea, Tier, Tone, When,
};

/// One of the two signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Its number.
    pub place: i64,
    /// In which capacity.
    pub duty: Duty,
    /// Who signs now.
    pub signer: Option<(Who, String)>,
    /// By virtue of what, when it is not their own.
    pub via: Option<&'static str>,
    /// How it was decided: signed or not, by whom, when, by virtue of what, in what words.
    pub signed: Option<(bool, String, DateTime<Utc>, Option<&'static str>, String)>,
    /// The reader may sign it now.
    pub mine: bool,
    /// Why the reader, whose it would be, may not.
    pub not_mine: Option<String>,
    /// The reader may waive it.
    pub may_waive: bool,
}

/// Everything the page shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The retirement.
    pub id: RequestId,
    /// The agent and its name.
    pub agent: (AgentId, String),
    /// Where the retirement stands.
    pub state: RequestState,
    /// It can still be worked on.
    pub open: bool,
    /// The tier it began with.
    pub tier: domain::tier::Tier,
    /// Whether the agent runs.
    pub running: Running,
    /// Who asked, when, why.
    pub asked: (Who, String, DateTime<Utc>, String),
    /// How it ended: when, and why.
    pub closed: Option<(DateTime<Utc>, String)>,
    /// When it lapses.
    pub lapses_at: DateTime<Utc>,
    /// Until when the agent is watched.
    pub watched_until: Option<DateTime<Utc>>,
    /// Signs of life.
    pub signs: Vec<Sign>,
    /// The rows.
    pub rows: Vec<Row>,
    /// The signatures.
    pub signatures: Vec<Signature>,
    /// What is signed: its SHA-256.
    pub subject_sha256: String,
    /// Who owned it at the end.
    pub owners: Vec<(Duty, Who, String)>,
    /// The reader may open the files.
    pub reads_evidence: bool,
    /// The reader may take it back.
    pub may_withdraw: bool,
    /// What was pressed and refused.
    pub refused: Refused<RetireForm>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

impl Shown {
    fn closed_rows(&self) -> usize {
        self.rows.iter().filter(|r| r.done.is_some() || r.waived.is_some()).count()
    }
}

/// A retirement; goes inside `Layout`.
#[component]
pub fn RetirementPage(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let (now, id, state) = (shown.now, shown.id, shown.state);
    let (agent, name) = shown.agent.clone();
    let (who, asked_by, at, why) = shown.asked.clone();
    let (closed, of) = (shown.closed_rows(), shown.rows.len());
    let progress = format!("{closed} of {of} rows closed");
    let tier = shown.tier.key();
    let ended = shown.closed.clone().map(|(at, why)| {
        let why = if state == RequestState::Approved { String::new() } else { format!(" {why}") };
        view! { <Fact term="Ended"><When at=at now=now/>{why}</Fact> }
    });
    let lapses = shown.lapses_at;
    let waits =
        shown.open.then(|| view! { <Fact term="Lapses">"if it is still open " <When at=lapses now=now/></Fact> });
    let watched = shown
        .watched_until
        .filter(|_| shown.open)
        .map(|at| view! { <Fact term="Watched until"><When at=at now=now/></Fact> });
    let stone = (state == RequestState::Approved).then(|| tombstone(&shown));
    let again = (!shown.open && state != RequestState::Approved).then(|| {
        view! {
            <Notice tone=Tone::Warn title=words(state)>
                <p>"The agent is retiring still and does not come back. What was done is carried over into the next retirement."</p>
                <p><LinkButton href=format!("/agents/{agent}/retire")>"Start it again"</LinkButton></p>
            </Notice>
        }
    });
    view! {
        <Crumbs trail=vec![Crumb::new("Retirements", "/retirements"), Crumb::here(id.to_string())]/>
        <PageHead title=format!("Retirement: {name}") reference=id.to_string()
            badges=move || view! { <Badge tone=tone(state)>{words(state)}</Badge> <Tier tier=tier/> <a class="ref" href=format!("/agents/{agent}")>{agent.to_string()}</a> }/>
        <ErrorSummary errors=shown.refused.errors.clone()/>
        <div class="stack loose">
            {signs(&shown.signs, now)}
            {again}
            <Facts>
                <Fact term="Progress"><Meter label="Rows closed" value=closed as u64 of=of as u64/> " " {progress}</Fact>
                <Fact term="Asked by"><a href=who.path() dir="auto">{asked_by}</a> ", " <When at=at now=now/></Fact>
                <Fact term="Why"><span dir="auto">{why}</span></Fact>
                {watched}
                {waits}
                {ended}
            </Facts>
            {stone}
            {rows(&shown)}
            {signatures(&shown)}
            {withdraw(&shown)}
        </div>
    }
    .piece()
}

fn tombstone(shown: &Shown) -> Piece {
    let rows = shown
        .owners
        .iter()
        .map(|(duty, who, name)| {
            view! { <tr><th scope="row">{duty.owner_title()}</th><td data-label="At the end">{party(Some((*who, name.clone())))}</td></tr> }.piece()
        })
        .collect_view();
    let body = if shown.owners.is_empty() {
        view! { <p>"Nobody owned it at the end."</p> }.piece()
    } else {
        view! {
            <TableFrame label="Owners at the end" stacks=true compact=true>
                <thead><tr><th scope="col">"Capacity"</th><th scope="col">"At the end"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .piece()
    };
    view! { <Section title="Who owned it at the end" id="owners" count=shown.owners.len() as u64>{body}</Section> }
        .piece()
}

fn signatures(shown: &Shown) -> Piece {
    let open_rows = shown.rows.len() - shown.closed_rows();
    let told = match (shown.open, open_rows) {
        (false, _) => None,
        (true, 0) => Some("Every row is closed: both sign that nothing is left.".to_owned()),
        (true, 1) => Some("They sign once the last row is closed.".to_owned()),
        (true, n) => Some(format!("They sign once every row is closed; {n} are open.")),
    };
    let body = shown.signatures.iter().map(|s| signature(shown, s)).collect_view();
    view! {
        <Section title="Signatures" id="signatures">
            {told.map(|t| view! { <p class="small muted">{t}</p> })}
            <TableFrame label="Signatures" stacks=true>
                <thead><tr><th scope="col">"Capacity"</th><th scope="col">"Who"</th><th scope="col">"State"</th></tr></thead>
                <tbody>{body}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}

fn signature(shown: &Shown, s: &Signature) -> Piece {
    let now = shown.now;
    let title = s.duty.owner_title();
    let via = s.via.map(|v| view! { <span class="since small muted">{v}</span> });
    let who = match (&s.signed, shown.open) {
        (Some((_, by, ..)), _) => view! { <span dir="auto">{by.clone()}</span> }.piece(),
        (None, true) => view! { {party(s.signer.clone())} {via} }.piece(),
        (None, false) => view! { <span class="muted">"–"</span> }.piece(),
    };
    let state = match s.signed.clone() {
        Some((signed, _, at, via, said)) => {
            let (tone, word) = match (signed, via) {
                (true, Some(_)) => (Tone::Warn, "Signed"),
                (true, None) => (Tone::Good, "Signed"),
                (false, _) => (Tone::Bad, "Refused"),
            };
            let via = via.map(|v| view! { <span class="since small">{v}</span> });
            let said =
                (!said.is_empty()).then(|| view! { <span class="since small" dir="auto">{format!("“{said}”")}</span> });
            view! { <Badge tone=tone>{word}</Badge><span class="since small muted"><When at=at now=now/></span>{via}{said} }.piece()
        }
        None if shown.open => {
            let not_mine = s.not_mine.clone().map(|why| view! { <span class="since small">{why}</span> });
            view! { <Badge tone=Tone::Plain>"Not signed"</Badge>{not_mine}{press(shown, s)} }.piece()
        }
        None => view! { <Badge tone=Tone::Plain>"Was not signed"</Badge> }.piece(),
    };
    view! {
        <tr id=format!("signature-{}", s.place)>
            <th scope="row">{title}</th>
            <td data-label="Who">{who}</td>
            <td data-label="State" class="text">{state}</td>
        </tr>
    }
    .piece()
}

/// What can be pressed beside a signature.
fn press(shown: &Shown, s: &Signature) -> Option<Piece> {
    let place = s.place;
    let Refused { values, errors } = &shown.refused;
    let mine = values.place == place.to_string();
    let here = format!("/retirements/{}#signature-{place}", shown.id);
    let name = format!("said-{place}");
    if s.mine {
        let subject = shown.subject_sha256.clone();
        let typed = mine && matches!(values.what.as_str(), "sign" | "refuse");
        let (text, error) = if typed { (values.reason.clone(), errors.of(&name)) } else { (String::new(), None) };
        return Some(
            view! {
                <PostForm action=here>
                    <input type="hidden" name="place" value=place.to_string()/>
                    <input type="hidden" name="subject_sha256" value=subject/>
                    <TextArea name=name label="What you say with it" value=text error=error rows=2 hint="Needed to refuse. Refusing ends this retirement; the agent stays retiring."/>
                    <div class="actions">
                        <Button kind=Kind::Primary name="do" value="sign">"Sign it"</Button>
                        <Button name="do" value="refuse">"Refuse"</Button>
                    </div>
                </PostForm>
            }
            .piece(),
        );
    }
    if !s.may_waive {
        return None;
    }
    let open = mine && values.what == "waive-signature";
    let (text, error) = if open { (values.reason.clone(), errors.of(&name)) } else { (String::new(), None) };
    Some(
        view! {
            <Confirm label="Waive the signature…" action=here confirm="Yes, sign in its place" open=open>
                <input type="hidden" name="do" value="waive-signature"/>
                <input type="hidden" name="place" value=place.to_string()/>
                <TextArea name=name label="Why nobody can sign" value=text error=error rows=2 required=true hint="It stays on the tombstone. One person never waives both."/>
            </Confirm>
        }
        .piece(),
    )
}

fn withdraw(shown: &Shown) -> Option<Piece> {
    if !shown.may_withdraw {
        return None;
    }
    let open = shown.refused.values.what == "withdraw";
    let text = if open { shown.refused.values.reason.clone() } else { String::new() };
    let error = if open { shown.refused.errors.of("reason") } else { None };
    Some(
        view! {
            <Confirm label="Take the retirement back…" action=format!("/retirements/{}", shown.id) confirm="Take it back; the agent stays retiring" open=open>
                <input type="hidden" name="do" value="withdraw"/>
                <p>"The agent stays retiring: no move leads back. Another retirement can be started, and what was done is carried over."</p>
                <TextArea name="reason" label="Why" value=text error=error rows=2/>
            </Confirm>
        }
        .piece(),
    )
}
