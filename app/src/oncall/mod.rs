//! On call: whose turn it is in a team, who comes next, and the forms that change it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::id::{PersonId, TeamId};
use domain::oncall::{Absence, OnCall, Rotation, Why};
use domain::reach::Span;
use leptos::prelude::*;

use crate::components::{
    Badge, Button, Choice, Confirm, Crumb, Crumbs, Day, DidYouMean, ErrorSummary, Fact, Facts, Field, IntoPiece, Kind,
    Notice, PageHead, Piece, Refused, Section, Select, TableFrame, TextArea, Tone, relative,
};
use crate::people::{Named, WHO, link, suggestions};

/// Somebody takes over for a while.
#[derive(Debug, Clone)]
pub struct Cover {
    /// Its number.
    pub id: i64,
    /// Who.
    pub person: PersonId,
    /// From when until when.
    pub span: Span,
    /// Why.
    pub reason: String,
}

/// Whether somebody of the team can be reached.
#[derive(Debug, Clone)]
pub struct Reached {
    /// Who.
    pub person: Named,
    /// When they cannot be reached, as far as it has not ended.
    pub not: Vec<Span>,
}

/// The forms of the page, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnCallForm {
    /// Which was sent: `rotation`, `end`, `cover`, `cancel`.
    pub what: String,
    /// People in their order, one a line.
    pub people: String,
    /// How long a turn is: a number.
    pub turn: String,
    /// Of `hours`, `days` or `weeks`.
    pub unit: String,
    /// When the first turn begins, in UTC; empty is now.
    pub starts: String,
    /// The rotation that was read.
    pub version: String,
    /// Who takes over.
    pub person: String,
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
    /// The team.
    pub team: TeamId,
    /// Its name.
    pub name: String,
    /// The rotation in force or to come.
    pub rotation: Option<Rotation>,
    /// Who is on call now.
    pub present: OnCall,
    /// Who will be.
    pub plan: Vec<(Span, OnCall)>,
    /// Overrides in force or to come.
    pub covers: Vec<Cover>,
    /// Absences of its people.
    pub absences: Vec<Absence>,
    /// Whether its people can be reached; `None` for a reader who may not know.
    pub reached: Option<Vec<Reached>>,
    /// Everybody whom the page names.
    pub names: BTreeMap<PersonId, Named>,
    /// The reader may say who takes turns.
    pub may_write: bool,
    /// The reader may take over, or give it to somebody.
    pub may_cover: bool,
    /// The form that was refused, or the fresh ones.
    pub form: Refused<OnCallForm>,
    /// People to suggest.
    pub suggested: Vec<Named>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

impl Shown {
    fn path(&self) -> String {
        format!("/teams/{}/on-call", self.team)
    }

    fn called(&self, person: PersonId) -> Piece {
        match self.names.get(&person) {
            Some(named) => link(named).piece(),
            None => person.to_string().piece(),
        }
    }

    fn name_of(&self, person: PersonId) -> String {
        self.names.get(&person).map_or_else(|| person.to_string(), |n| n.name.clone())
    }
}

/// `2026-11-24 14:05`, in UTC as the whole page says.
fn minute(at: DateTime<Utc>) -> impl IntoView {
    view! { <time datetime=at.to_rfc3339()>{at.format("%a %Y-%m-%d %H:%M").to_string()}</time> }
}

/// A moment as a field of a form takes it.
pub fn typed(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M").to_string()
}

/// Why it is them, or nobody, in a few words.
pub fn why_words(why: &Why, name: impl Fn(PersonId) -> String) -> String {
    match why {
        Why::Turn => "their turn".to_owned(),
        Why::Override(_) => "took over".to_owned(),
        Why::StandsIn(absent) => {
            let names: Vec<String> = absent.iter().map(|p| name(*p)).collect();
            format!("stands in, since {} {} away", names.join(" and "), if names.len() == 1 { "is" } else { "are" })
        }
        Why::NoRotation => "the team has no rotation".to_owned(),
        Why::NotBegun => "the first turn has not begun".to_owned(),
        Why::AllAway => "everybody in the rotation is away".to_owned(),
    }
}

/// The page; goes inside `Layout`.
#[component]
pub fn OnCallPage(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let (team, name) = (shown.team, shown.name.clone());
    view! {
        <Crumbs trail=vec![Crumb::new("Teams", "/teams"), Crumb::new(team.to_string(), format!("/teams/{team}")), Crumb::here("On call")]/>
        <PageHead title=format!("On call: {name}") lead="All times are UTC."/>
        {present(&shown)}
        <ErrorSummary errors=shown.form.errors.clone()/>
        <div class="with-aside">
            <div class="stack loose">
                {plan(&shown)}
                {covers(&shown)}
                {reached(&shown)}
            </div>
            <aside class="stack loose" aria-label="Rotation">{rotation(&shown)}{away(&shown)}</aside>
        </div>
    }
    .piece()
}

fn present(shown: &Shown) -> impl IntoView + use<> {
    let answer = &shown.present;
    let why = why_words(&answer.why, |p| shown.name_of(p));
    let until = answer.until.map(|at| {
        let now = shown.now;
        view! { ", until " {minute(at)} " (" {relative(at, now)} ")" }
    });
    match answer.person {
        Some(person) => {
            let who = shown.called(person);
            view! { <Notice tone=Tone::Good><p><strong>{who}</strong>" is on call now: "{why}{until}"."</p></Notice> }
                .piece()
        }
        None => view! { <Notice tone=Tone::Warn title="Nobody is on call"><p>{capital(&why)}{until}"."</p></Notice> }
            .piece(),
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

/// How many turns are shown before the rest is folded away.
const TURNS: usize = 7;

fn plan(shown: &Shown) -> impl IntoView + use<> {
    let (first, rest) = shown.plan.split_at(shown.plan.len().min(TURNS));
    let more = (!rest.is_empty()).then(|| {
        let words = if rest.len() == 1 { "1 more turn".to_owned() } else { format!("{} more turns", rest.len()) };
        let table = turns(shown, rest);
        view! { <details class="small"><summary>{words}</summary>{table}</details> }
    });
    let table = turns(shown, first);
    view! { <Section title="The next 14 days" id="plan">{table}{more}</Section> }.piece()
}

fn turns(shown: &Shown, list: &[(Span, OnCall)]) -> Piece {
    let rows = list
        .iter()
        .map(|(span, answer)| {
            let who = match answer.person {
                Some(person) => shown.called(person),
                None => view! { <span class="gone">"Nobody"</span> }.piece(),
            };
            let why = why_words(&answer.why, |p| shown.name_of(p));
            let here = span.holds_at(shown.now).then(|| view! { " " <Badge tone=Tone::Good>"Now"</Badge> });
            let until = span.until.map(|at| minute(at).into_any());
            view! {
                <tr>
                    <th scope="row">{who}{here}</th>
                    <td data-label="From">{minute(span.from)}</td>
                    <td data-label="Until">{until}</td>
                    <td data-label="Why">{why}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame label="Who is on call" stacks=true compact=true>
            <thead><tr><th scope="col">"Who"</th><th scope="col">"From"</th><th scope="col">"Until"</th><th scope="col">"Why"</th></tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}

fn covers(shown: &Shown) -> impl IntoView + use<> {
    let path = shown.path();
    let rows = shown
        .covers
        .iter()
        .map(|cover| {
            let label = format!("Cancel that {} takes over", shown.name_of(cover.person));
            let cancel = shown.may_cover.then(|| {
                view! {
                    <form method="post" action=path.clone()>
                        <input type="hidden" name="cover" value=cover.id.to_string()/>
                        <button class="button small" name="do" value="cancel" aria-label=label>"Cancel"</button>
                    </form>
                }
            });
            let until = cover.span.until.map(|at| minute(at).into_any());
            let reason = (!cover.reason.is_empty()).then(|| format!("“{}”", cover.reason));
            view! {
                <tr>
                    <th scope="row">{shown.called(cover.person)}</th>
                    <td data-label="From">{minute(cover.span.from)}</td>
                    <td data-label="Until">{until}</td>
                    <td data-label="Why" class="text" dir="auto">{reason}</td>
                    <td data-label="">{cancel}</td>
                </tr>
            }
        })
        .collect_view();
    let body = if shown.covers.is_empty() {
        view! { <p class="muted">"Nobody takes over from anybody."</p> }.piece()
    } else {
        view! {
            <TableFrame label="Who takes over" stacks=true compact=true>
                <thead><tr><th scope="col">"Who takes over"</th><th scope="col">"From"</th><th scope="col">"Until"</th><th scope="col">"Why"</th><th scope="col"><span class="visually-hidden">"Cancel"</span></th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .piece()
    };
    let add = shown.may_cover.then(|| {
        let Refused { values, errors } = shown.form.clone();
        let open = values.what == "cover";
        let values = if open { values } else { OnCallForm::default() };
        let people = suggestions("people", &shown.suggested);
        view! {
            <Confirm label="Somebody takes over…" action=shown.path() confirm="Take over" calm=true open=open>
                <input type="hidden" name="do" value="cover"/>
                <p>"Whoever takes over may stop the agents of this team for that time, member or not."</p>
                <Field name="person" label="Who" value=values.person error=errors.of("person") required=true list="people" autocomplete="off" hint=WHO/>
                {people}
                <DidYouMean field="person" errors=errors.clone()/>
                <Field name="from" label="From (UTC)" kind="datetime-local" value=values.from error=errors.of("from") short=true hint="Empty: from now."/>
                <Field name="until" label="Until (UTC)" kind="datetime-local" value=values.until error=errors.of("until") required=true short=true/>
                <TextArea name="why" label="Reason" value=values.reason error=errors.of("why") rows=2/>
            </Confirm>
        }
    });
    view! { <Section title="Overrides" id="overrides" count=shown.covers.len() as u64>{body}{add}</Section> }.piece()
}

fn reached(shown: &Shown) -> Option<impl IntoView + use<>> {
    let list = shown.reached.as_ref()?;
    let now = shown.now;
    let anybody = list.iter().any(|r| !r.not.first().is_some_and(|s| s.holds_at(now)));
    let gap = (!anybody).then(|| {
        view! { <Notice tone=Tone::Bad><p>"Nobody of this team can be reached. Agents that it would stop count as a gap."</p></Notice> }
    });
    let rows = list
        .iter()
        .map(|r| {
            let href = format!("/people/{}/reach", r.person.id);
            view! {
                <tr>
                    <th scope="row">{link(&r.person)}</th>
                    <td data-label="Reached">{state(&r.not, now)}</td>
                    <td data-label=""><a class="small" href=href>"Channels and absences"</a></td>
                </tr>
            }
        })
        .collect_view();
    Some(view! {
        <Section title="Can they be reached?" id="reached">
            {gap}
            <TableFrame label="Can they be reached" stacks=true compact=true>
                <thead><tr><th scope="col">"Person"</th><th scope="col">"Reached"</th><th scope="col"><span class="visually-hidden">"More"</span></th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </Section>
    })
}

/// Whether somebody can be reached, and until when that holds.
pub(crate) fn state(not: &[Span], now: DateTime<Utc>) -> Piece {
    match not.first() {
        Some(span) if span.holds_at(now) => {
            let back = span.until.map(|at| view! { " until " <Day at=at/> });
            view! { <Badge tone=Tone::Bad>"Not reached"</Badge>{back} }.piece()
        }
        Some(span) => {
            let at = span.from;
            view! { <Badge tone=Tone::Good>"Reached"</Badge> " until " <Day at=at/> }.piece()
        }
        None => view! { <Badge tone=Tone::Good>"Reached"</Badge> }.piece(),
    }
}

/// `1 week`, `12 hours`.
fn long(rotation: &Rotation) -> String {
    let (n, unit) = length(rotation);
    let words = unit.trim_end_matches('s');
    if n == 1 { format!("1 {words}") } else { format!("{n} {words}s") }
}

/// How long a turn is, in the largest unit that is whole.
pub fn length(rotation: &Rotation) -> (i64, &'static str) {
    let hours = rotation.turn.num_hours();
    match hours {
        h if h % 168 == 0 => (h / 168, "weeks"),
        h if h % 24 == 0 => (h / 24, "days"),
        h => (h, "hours"),
    }
}

fn rotation(shown: &Shown) -> impl IntoView + use<> {
    let facts = shown.rotation.as_ref().map(|rotation| {
        let order = rotation.people.iter().map(|p| view! { <li>{shown.called(*p)}</li> }).collect_view();
        let (starts, turn) = (rotation.starts, long(rotation));
        view! {
            <Facts>
                <Fact term="In turn"><ol class="stack tight">{order}</ol></Fact>
                <Fact term="A turn lasts" value=turn/>
                <Fact term="First turn">{minute(starts)}</Fact>
            </Facts>
        }
    });
    let none = shown.rotation.is_none().then(|| view! { <p class="muted">"Nobody takes turns yet."</p> });
    let change = shown.may_write.then(|| {
        let Refused { values, errors } = shown.form.clone();
        let open = values.what == "rotation";
        let units = ["hours", "days", "weeks"].map(|u| Choice::new(u, u)).to_vec();
        let label = if shown.rotation.is_some() { "Change the rotation…" } else { "Begin a rotation…" };
        let version = values.version.clone();
        view! {
            <Confirm label=label action=shown.path() confirm="Save the rotation" calm=true open=open>
                <input type="hidden" name="do" value="rotation"/>
                <input type="hidden" name="version" value=version/>
                <TextArea name="people" label="People, in their order" value=values.people error=errors.of("people") rows=4 required=true
                    hint="One a line: a whole name or a reference such as PE-7. Only people of the team."/>
                <Field name="turn" label="A turn lasts" kind="number" value=values.turn error=errors.of("turn") required=true min="1" short=true/>
                <Select name="unit" label="Counted in" options=units selected=values.unit error=errors.of("unit") required=true short=true/>
                <Field name="starts" label="First turn (UTC)" kind="datetime-local" value=values.starts error=errors.of("starts") short=true
                    hint="Empty: now. When it lies ahead, the present rotation stays until then."/>
                <TextArea name="reason" label="Reason" value=if open { values.reason } else { String::new() } error=errors.of("reason") rows=2/>
            </Confirm>
        }
    });
    let end = (shown.may_write && shown.rotation.is_some()).then(|| {
        let version = shown.form.values.version.clone();
        view! {
            <Confirm label="End it…" action=shown.path() confirm="Yes, nobody takes turns any more">
                <input type="hidden" name="do" value="end"/>
                <input type="hidden" name="version" value=version/>
                <p>"From now on only who takes over is on call. Who was on call stays in the record."</p>
            </Confirm>
        }
    });
    view! { <Section title="Rotation" id="rotation">{none}{facts}{change}{end}</Section> }.piece()
}

fn away(shown: &Shown) -> impl IntoView + use<> {
    let lines = shown
        .absences
        .iter()
        .map(|a| {
            let until = a.span.until.map(|at| view! { " to " <Day at=at/> });
            view! { <li>{shown.called(a.person)}": "<Day at=a.span.from/>{until}</li> }
        })
        .collect_view();
    let none = shown.absences.is_empty().then(|| view! { <p class="muted">"Nobody is or will be away."</p> });
    view! { <Section title="Away" id="away" count=shown.absences.len() as u64>{none}<ul class="stack tight">{lines}</ul></Section> }
        .piece()
}

/// A button of a form with one press.
pub(crate) fn press(action: String, what: &'static str, words: &'static str, hidden: (&'static str, String)) -> Piece {
    view! {
        <form method="post" action=action>
            <input type="hidden" name=hidden.0 value=hidden.1/>
            <Button kind=Kind::Small name="do" value=what>{words}</Button>
        </form>
    }
    .piece()
}
