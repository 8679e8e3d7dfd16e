//! Service tokens: made, shown once, listed, revoked.

use chrono::{DateTime, Utc};
use domain::can::Scope;
use domain::id::{PersonId, TokenId};
use leptos::prelude::*;

use crate::components::{
    Badge, Checkbox, CheckboxGroup, Choice, Confirm, ErrorSummary, Field, IntoPiece, Notice, Party, Piece, Refused,
    Section, TableFrame, Tone, When, thousands,
};

/// A token as it is listed.
#[derive(Debug, Clone)]
pub struct TokenLine {
    /// Its reference.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The person who acts by it.
    pub owner: Option<(PersonId, String)>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The last noted use.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A token just made: the only moment at which its secret is shown.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// Its reference.
    pub id: TokenId,
    /// The secret.
    pub secret: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// As typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenForm {
    /// What it is for.
    pub name: String,
    /// The scopes ticked.
    pub scopes: Vec<String>,
    /// Whether it acts as whoever makes it; else as itself.
    pub mine: bool,
    /// How many days it lives.
    pub days: String,
}

/// The tokens' part of the page.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Every token, the newest first.
    pub lines: Vec<TokenLine>,
    /// The one just made.
    pub fresh: Option<Fresh>,
    /// The form, fresh or refused.
    pub form: Refused<TokenForm>,
}

const fn scope_words(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "Reads what an auditor reads.",
        Scope::Write => "Writes agents, owners, teams and imports, and reads.",
        Scope::Intake => "Sends alerts and activity.",
        Scope::Scim => "Keeps people in step with a directory.",
        Scope::Admin => "Everything, people and settings included.",
    }
}

pub(super) fn tokens(tokens: Tokens, now: DateTime<Utc>) -> Piece {
    let Tokens { lines, fresh, form } = tokens;
    let (live, over): (Vec<_>, Vec<_>) = lines.into_iter().partition(|t| t.revoked_at.is_none() && t.expires_at > now);
    let count = live.len() as u64;
    let shown = fresh.map(|f| {
        view! {
            <Notice tone=Tone::Good title=format!("{} is made", f.id)>
                <p>"Shown this once; only its digest is kept. It ends " <When at=f.expires_at now=now/> ". Send it as " <code>"Authorization: Bearer …"</code> "."</p>
                <p><code class="secret">{f.secret}</code></p>
            </Notice>
        }
    });
    let list = if live.is_empty() {
        view! { <p class="muted">"No program acts here."</p> }.piece()
    } else {
        table("Tokens in force", live, now).piece()
    };
    let ended = (!over.is_empty()).then(|| {
        let words = format!("{} revoked or expired", thousands(over.len() as u64));
        view! { <details class="unfold"><summary>{words}</summary>{table("Tokens that ended", over, now)}</details> }
    });
    view! {
        <Section title="Service tokens" id="tokens" count=count>
            <p class="prose">"A program signs in with a token. What is reserved to a person’s decision, a token may do only for the person who owns it."</p>
            {shown}
            {list}
            {ended}
            {making(form)}
        </Section>
    }
    .piece()
}

fn table(label: &'static str, lines: Vec<TokenLine>, now: DateTime<Utc>) -> impl IntoView {
    let rows = lines
        .into_iter()
        .map(|t| {
            let scopes = t.scopes.iter().map(|s| s.label()).collect::<Vec<_>>().join(", ");
            let owner = match &t.owner {
                Some((id, name)) => view! { <Party name=name.clone() reference=id.to_string()/> }.piece(),
                None => view! { <span class="muted">"itself"</span> }.piece(),
            };
            let used = match t.last_used_at {
                Some(at) => view! { <When at=at now=now/> }.piece(),
                None => view! { <span class="muted">"never"</span> }.piece(),
            };
            let (ends, act) = match t.revoked_at {
                Some(at) => (view! { <Badge tone=Tone::Off>"Revoked"</Badge> " " <When at=at now=now/> }.piece(), None),
                None if t.expires_at <= now => {
                    (view! { <Badge tone=Tone::Off>"Expired"</Badge> " " <When at=t.expires_at now=now/> }.piece(), None)
                }
                None => {
                    let action = format!("/settings/tokens/{}/revoke", t.id);
                    let revoke = view! {
                        <Confirm label="Revoke…" action=action confirm=format!("Revoke {}", t.id)>
                            <p>"Whatever signs in with it is refused from the next request on."</p>
                        </Confirm>
                    };
                    (view! { <When at=t.expires_at now=now/> }.piece(), Some(revoke))
                }
            };
            view! {
                <tr>
                    <th scope="row"><span dir="auto">{t.name}</span> " " <span class="ref muted">{t.id.to_string()}</span></th>
                    <td data-label="Scopes">{scopes}</td>
                    <td data-label="Acts as">{owner}</td>
                    <td data-label="Last used">{used}</td>
                    <td data-label="Ends">{ends}</td>
                    <td data-label="">{act}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame label=label stacks=true>
            <thead>
                <tr>
                    <th scope="col">"Token"</th>
                    <th scope="col">"Scopes"</th>
                    <th scope="col">"Acts as"</th>
                    <th scope="col">"Last used"</th>
                    <th scope="col">"Ends"</th>
                    <th scope="col"><span class="visually-hidden">"Revoke"</span></th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}

fn making(form: Refused<TokenForm>) -> impl IntoView + use<> {
    let Refused { values, errors } = form;
    let open = !errors.is_empty();
    let scopes = Scope::ALL.iter().map(|s| Choice::new(s.key(), s.label()).hint(scope_words(*s))).collect::<Vec<_>>();
    view! {
        <Confirm label="Make a token…" action="/settings/tokens" confirm="Make it and show it once" calm=true open=open>
            <ErrorSummary errors=errors.clone()/>
            <Field name="name" label="What it is for" value=values.name error=errors.of("name") required=true maxlength=100
                autocomplete="off"/>
            <CheckboxGroup name="scopes" legend="Scopes" options=scopes selected=values.scopes error=errors.of("scopes")/>
            <Checkbox name="mine" label="It acts as me" checked=values.mine error=errors.of("owner")
                hint="Else it acts as itself, and takes no decision that is reserved to a person. One that acts as somebody else is made on the server: muster token create --owner."/>
            <Field name="days" label="Days it lives" value=values.days error=errors.of("days") required=true short=true
                inputmode="numeric" hint="At most 366."/>
        </Confirm>
    }
    .piece()
}
