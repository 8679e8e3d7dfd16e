//! `/account/notices`: what reaches somebody beside the list in Muster, and when.

use domain::notice::{How, NoticeKind};
use leptos::prelude::*;

use crate::components::{
    Button, Choice, Crumb, Crumbs, ErrorSummary, Field, FieldGroup, IntoPiece, Kind, Notice, PageHead, Piece, PostForm,
    Refused, Section, Select, TableFrame, Tone,
};

/// As typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChoicesForm {
    /// How far their clock is ahead of UTC, as `+01:00`.
    pub offset: String,
    /// When quiet hours begin; empty for none.
    pub quiet_from: String,
    /// When they end.
    pub quiet_until: String,
    /// When the digest comes.
    pub digest_at: String,
    /// How each kind reaches them, by key.
    pub hows: Vec<(NoticeKind, String)>,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The form, fresh or refused.
    pub form: Refused<ChoicesForm>,
    /// Their address.
    pub email: String,
    /// E-mail is sent from here.
    pub mail: bool,
}

/// Offsets from UTC that clocks somewhere show, in minutes.
const OFFSETS: &[i32] = &[
    -720, -660, -600, -570, -540, -480, -420, -360, -300, -240, -210, -180, -120, -60, 0, 60, 120, 180, 210, 240, 270,
    300, 330, 345, 360, 390, 420, 480, 525, 540, 570, 600, 630, 660, 720, 765, 780, 840,
];

/// The page; goes inside `Layout`.
#[component]
pub fn ChoicesPage(
    /// What it shows.
    chosen: Chosen,
) -> impl IntoView {
    let Chosen { form, email, mail } = chosen;
    let Refused { values, errors } = form;
    let about = if mail {
        view! { <p>"E-mail goes to " <strong>{email}</strong> ". An administrator changes the address."</p> }.piece()
    } else {
        view! {
            <Notice tone=Tone::Note title="No e-mail is sent from here">
                <p>"No mail server is set up, so you read notices in Muster alone. What you choose here counts once an administrator sets one up."</p>
            </Notice>
        }
        .piece()
    };
    let mut offsets: Vec<Choice> = OFFSETS
        .iter()
        .map(|o| {
            let text = domain::notice::choice::offset_text(*o);
            Choice::new(text.clone(), format!("UTC{text}"))
        })
        .collect();
    if !values.offset.is_empty() && offsets.iter().all(|o| o.value != values.offset) {
        offsets.push(Choice::new(values.offset.clone(), format!("UTC{}", values.offset)));
    }
    let [offset, from, until, digest] =
        ["offset", "quiet_from", "quiet_until", "digest_at"].map(|field| errors.of(field));
    view! {
        <Crumbs trail=vec![Crumb::new("Your account", "/account"), Crumb::here("Notices")]/>
        <PageHead title="What reaches you" lead="Every notice is in your list. Here you choose which of them come by e-mail, and when. What waits for your decision stays on your home whatever you choose."/>
        {about}
        <PostForm wide=true>
            <ErrorSummary errors=errors.clone()/>
            <Section title="When" id="when">
                <FieldGroup>
                    <Select name="offset" label="Your time zone" options=offsets selected=values.offset error=offset required=true short=true hint="How far your clock is from UTC. It does not change with the season by itself."/>
                    <Field name="digest_at" label="The digest comes at" kind="time" value=values.digest_at error=digest required=true short=true hint="Once a day, when there is something in it."/>
                </FieldGroup>
                <FieldGroup>
                    <Field name="quiet_from" label="Quiet hours from" kind="time" value=values.quiet_from error=from short=true hint="Then nothing but what is urgent is sent."/>
                    <Field name="quiet_until" label="Quiet hours until" kind="time" value=values.quiet_until error=until short=true hint="What came meanwhile comes then, as one message."/>
                </FieldGroup>
            </Section>
            <Section title="What" id="what">
                {kinds(&values.hows)}
            </Section>
            <div class="actions"><Button kind=Kind::Primary>"Save"</Button></div>
        </PostForm>
    }
    .piece()
}

fn kinds(hows: &[(NoticeKind, String)]) -> Piece {
    let rows = hows
        .iter()
        .map(|(kind, chosen)| {
            let name = format!("how-{kind}");
            let choices = How::ALL
                .iter()
                .map(|how| {
                    let id = format!("{name}-{how}");
                    let label = format!("{}: {}", kind.label(), how.label());
                    let checked = how.key() == chosen;
                    view! {
                        <td data-label=how.label()>
                            <input type="radio" id=id name=name.clone() value=how.key() checked=checked aria-label=label/>
                        </td>
                    }
                })
                .collect_view();
            view! { <tr><th scope="row">{kind.label()}</th>{choices}</tr> }.piece()
        })
        .collect_view();
    let heads = How::ALL.iter().map(|how| view! { <th scope="col">{how.label()}</th> }).collect_view();
    view! {
        <TableFrame label="How each kind reaches you" stacks=true columns=4>
            <thead><tr><th scope="col">"Notice"</th>{heads}</tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}
