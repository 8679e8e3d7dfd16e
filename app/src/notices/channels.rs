//! `/settings/notices`: how notices leave Muster, what waits, what was given up.

use chrono::{DateTime, Utc};
use domain::id::PersonId;
use domain::notice::{NoticeKind, OutletKind};
use leptos::prelude::*;

use crate::components::{
    Badge, Button, CheckboxGroup, Choice, Confirm, Crumb, Crumbs, ErrorSummary, Fact, Facts, Field, IntoPiece, Kind,
    Notice, PageHead, Piece, PostForm, RadioGroup, Refused, Section, TableFrame, Tone, When, thousands,
};

/// Where e-mail leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailShown {
    /// The server, without what opens it.
    pub server: String,
    /// The sender.
    pub from: String,
}

/// A channel of the organisation.
#[derive(Debug, Clone)]
pub struct ChannelLine {
    /// Its number.
    pub id: i64,
    /// What it speaks.
    pub kind: OutletKind,
    /// What it is called.
    pub name: String,
    /// The host it leads to.
    pub host: String,
    /// What goes there.
    pub kinds: Vec<NoticeKind>,
}

/// Figures of the queue.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// Messages that wait.
    pub waiting: u64,
    /// Messages that failed and are tried again.
    pub failing: u64,
    /// Messages sent within the last day.
    pub sent: u64,
    /// Messages given up.
    pub dead: u64,
    /// Up to how many are counted.
    pub counted: u64,
}

/// A message that was given up.
#[derive(Debug, Clone)]
pub struct DeadLine {
    /// Its id.
    pub delivery: String,
    /// To whom, if to a person.
    pub person: Option<(PersonId, String)>,
    /// To which channel, if to one.
    pub channel: Option<String>,
    /// How many notices it carries.
    pub notices: i64,
    /// What the first says.
    pub what: String,
    /// How often it was tried.
    pub attempts: i64,
    /// What went wrong last.
    pub error: String,
    /// When it was given up.
    pub ended_at: DateTime<Utc>,
}

/// A channel as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelForm {
    /// What it speaks.
    pub kind: String,
    /// What it is called.
    pub name: String,
    /// Its address.
    pub url: String,
    /// The kinds ticked.
    pub kinds: Vec<String>,
}

/// The secret of a webhook just added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh {
    /// What the channel is called.
    pub name: String,
    /// Its secret.
    pub secret: String,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where e-mail leaves; `None` where it does not.
    pub mail: Option<MailShown>,
    /// The channels.
    pub channels: Vec<ChannelLine>,
    /// The figures.
    pub figures: Figures,
    /// What was given up, for those who may see to whom it goes.
    pub dead: Option<Vec<DeadLine>>,
    /// The reader changes settings.
    pub may_write: bool,
    /// The secret just made.
    pub fresh: Option<Fresh>,
    /// The form, fresh or refused.
    pub form: Refused<ChannelForm>,
    /// The address of the reader.
    pub email: String,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page; goes inside `Layout`.
#[component]
pub fn ChannelsPage(
    /// What it shows.
    shown: Settings,
) -> impl IntoView {
    let mail = mail(&shown);
    let queue = queue(shown.figures);
    let dead = shown.dead.as_ref().map(|dead| given_up(dead, shown.may_write, shown.now));
    let channels = channels(&shown);
    let add = shown.may_write.then(|| add(shown.form.clone()));
    view! {
        <Crumbs trail=vec![Crumb::new("Settings", "/settings"), Crumb::here("Notices")]/>
        <PageHead title="How notices leave Muster" lead="Everybody has their notices in Muster. By e-mail they come to each person as they chose; channels of the organisation take the kinds chosen here."/>
        {queue}
        {dead}
        {mail}
        {channels}
        {add}
    }
    .piece()
}

fn mail(shown: &Settings) -> Piece {
    let Some(MailShown { server, from }) = shown.mail.clone() else {
        return view! {
            <Section title="E-mail" id="mail">
                <Notice tone=Tone::Warn title="No mail server is set up">
                    <p>"Notices are read in Muster alone. Whoever runs Muster sets " <code>"MUSTER_SMTP_URL"</code> " and " <code>"MUSTER_MAIL_FROM"</code> " and starts it again; the password is not kept in the database."</p>
                </Notice>
            </Section>
        }
        .piece();
    };
    let test = shown.may_write.then(|| {
        let words = format!("Send a test to {}", shown.email);
        view! {
            <form method="post" action="/settings/notices">
                <Button name="do" value="test-mail">{words}</Button>
            </form>
        }
    });
    view! {
        <Section title="E-mail" id="mail">
            <Facts>
                <Fact term="Server" value=server/>
                <Fact term="From" value=from/>
            </Facts>
            <p class="small muted">"Whoever runs Muster sets these; they are not kept in the database."</p>
            {test}
        </Section>
    }
    .piece()
}

/// A count that may have stopped at its bound.
fn figure(count: u64, counted: u64) -> String {
    if count >= counted { format!("{} or more", thousands(counted)) } else { thousands(count) }
}

fn queue(f: Figures) -> Piece {
    let of = move |count| figure(count, f.counted);
    view! {
        <Section title="The queue" id="queue">
            <Facts>
                <Fact term="Waiting" value=of(f.waiting)/>
                <Fact term="Failed, tried again" value=of(f.failing)/>
                <Fact term="Sent in 24 hours" value=of(f.sent)/>
                <Fact term="Given up">
                    {if f.dead > 0 { view! { <a href="#given-up">{of(f.dead)}</a> }.piece() } else { of(f.dead).piece() }}
                </Fact>
            </Facts>
        </Section>
    }
    .piece()
}

fn given_up(dead: &[DeadLine], may_write: bool, now: DateTime<Utc>) -> Piece {
    if dead.is_empty() {
        return view! { <Section title="Given up" id="given-up"><p class="muted">"Every message arrived, or is still tried."</p></Section> }
            .piece();
    }
    let rows = dead
        .iter()
        .map(|d| {
            let to = match (&d.person, &d.channel) {
                (Some((id, name)), _) => view! { <a href=format!("/people/{id}") dir="auto">{name.clone()}</a> }.piece(),
                (None, Some(name)) => view! { <span dir="auto">{name.clone()}</span> }.piece(),
                (None, None) => view! { <span class="muted">"nobody"</span> }.piece(),
            };
            let more = (d.notices > 1).then(|| format!(" and {} more", d.notices - 1));
            let again = may_write.then(|| {
                view! {
                    <td data-label="">
                        <form method="post" action="/settings/notices">
                            <input type="hidden" name="delivery" value=d.delivery.clone()/>
                            <Button kind=Kind::Small name="do" value="resend">"Send again"</Button>
                        </form>
                    </td>
                }
            });
            view! {
                <tr>
                    <th scope="row" class="text"><span dir="auto">{d.what.clone()}</span>{more}</th>
                    <td data-label="To">{to}</td>
                    <td data-label="What went wrong" class="text">{d.error.clone()} <span class="small muted block">{format!("tried {} times", d.attempts)}</span></td>
                    <td data-label="When"><When at=d.ended_at now=now/></td>
                    {again}
                </tr>
            }
            .piece()
        })
        .collect_view();
    let all = (may_write && dead.len() > 1).then(|| {
        view! {
            <form method="post" action="/settings/notices">
                <Button name="do" value="resend-all">"Send all of them again"</Button>
            </form>
        }
    });
    let last = may_write.then(|| view! { <th scope="col"><span class="visually-hidden">"Send it again"</span></th> });
    view! {
        <Section title="Given up" id="given-up" count=dead.len() as u64>
            <p class="prose">"These did not arrive though they were tried for more than a day, or go nowhere any more. Their readers have them in Muster all the same."</p>
            <TableFrame label="Messages that were given up" stacks=true columns=5>
                <thead><tr><th scope="col">"Notice"</th><th scope="col">"To"</th><th scope="col">"What went wrong"</th><th scope="col">"When"</th>{last}</tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            {all}
        </Section>
    }
    .piece()
}

fn channels(shown: &Settings) -> Piece {
    let fresh = shown.fresh.clone().map(|f| {
        view! {
            <Notice tone=Tone::Good title=format!("{} is added", f.name)>
                <p>"Its secret is shown this once. The receiver checks " <code>"Muster-Signature"</code> " with it: " <code>"v1="</code> " and the HMAC-SHA-256 of " <code>"Muster-Timestamp"</code> ", a full stop and the body. " <code>"Muster-Delivery"</code> " is the same when a message is repeated."</p>
                <p><code class="secret">{f.secret}</code></p>
            </Notice>
        }
    });
    let may = shown.may_write;
    let list = if shown.channels.is_empty() {
        view! { <p class="muted">"Notices go to people alone."</p> }.piece()
    } else {
        let rows = shown
            .channels
            .iter()
            .map(|c| {
                let kinds = c.kinds.iter().map(|k| k.label()).collect::<Vec<_>>().join("; ");
                let count = match c.kinds.len() {
                    1 => "1 kind".to_owned(),
                    n => format!("{n} kinds"),
                };
                let id = c.id.to_string();
                let (name, host, kind) = (c.name.clone(), c.host.clone(), c.kind);
                let acts = may.then(|| {
                    view! {
                        <td data-label="">
                            <div class="actions">
                                <form method="post" action="/settings/notices">
                                    <input type="hidden" name="channel" value=id.clone()/>
                                    <Button kind=Kind::Small name="do" value="test">"Send a test"</Button>
                                </form>
                                <Confirm label="Remove…" action="/settings/notices" confirm="Remove it">
                                    <p>"Nothing goes there any more, and what is on its way is given up."</p>
                                    <input type="hidden" name="channel" value=id/>
                                    <input type="hidden" name="do" value="remove"/>
                                </Confirm>
                            </div>
                        </td>
                    }
                });
                view! {
                    <tr>
                        <th scope="row"><span dir="auto">{name}</span></th>
                        <td data-label="Kind"><Badge>{kind.label()}</Badge></td>
                        <td data-label="Leads to"><code>{host}</code></td>
                        <td data-label="Takes" class="text"><details class="unfold"><summary>{count}</summary>{kinds}</details></td>
                        {acts}
                    </tr>
                }
                .piece()
            })
            .collect_view();
        let last = may.then(|| view! { <th scope="col"><span class="visually-hidden">"Test or remove"</span></th> });
        view! {
            <TableFrame label="Channels of the organisation" stacks=true columns=5>
                <thead><tr><th scope="col">"Channel"</th><th scope="col">"Kind"</th><th scope="col">"Leads to"</th><th scope="col">"Takes"</th>{last}</tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .piece()
    };
    let count = shown.channels.len() as u64;
    view! {
        <Section title="Channels of the organisation" id="channels" count=count>
            {fresh}
            {list}
        </Section>
    }
    .piece()
}

fn add(form: Refused<ChannelForm>) -> Piece {
    let Refused { values, errors } = form;
    let [kind, name, url, kinds] = ["kind", "name", "url", "kinds"].map(|field| errors.of(field));
    let speaks = OutletKind::ALL
        .iter()
        .map(|k| {
            Choice::new(k.key(), k.label()).hint(match k {
                OutletKind::Webhook => "JSON to a program of yours, signed.",
                OutletKind::Slack => "A message to a chat that takes what Slack takes.",
                OutletKind::Teams => "A card to a chat that takes what Teams takes.",
            })
        })
        .collect::<Vec<_>>();
    let takes = NoticeKind::ALL.iter().map(|k| Choice::new(k.key(), k.label())).collect::<Vec<_>>();
    view! {
        <Section title="Add a channel" id="add">
            <PostForm action="/settings/notices#add">
                <ErrorSummary errors=errors/>
                <RadioGroup name="kind" legend="What it speaks" options=speaks selected=values.kind error=kind required=true/>
                <Field name="name" label="Name" value=values.name error=name required=true maxlength=100 hint="Such as the chat room’s."/>
                <Field name="url" label="Address" kind="url" value=values.url error=url required=true maxlength=1000 autocomplete="off" hint="Begins with https://. That of a chat is a secret: it is not shown again."/>
                <CheckboxGroup name="kinds" legend="What goes there" options=takes selected=values.kinds error=kinds
                    hint="Whoever reads the channel reads these. Notices about confidential agents never go there."/>
                <div class="actions"><Button kind=Kind::Primary name="do" value="add">"Add"</Button></div>
            </PostForm>
        </Section>
    }
    .piece()
}
