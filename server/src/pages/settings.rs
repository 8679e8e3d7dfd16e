//! `/settings`: the organisation, service tokens, sessions, what runs here.

use app::components::{Choice, FieldErrors, Flash, Refused};
use app::settings::{
    About, Fresh, Organisation, OrganisationForm, SessionLine, Settings, Shown, TokenForm, TokenLine, Tokens,
};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::TimeDelta;
use domain::can::{Action, Relation, Scope, can};
use domain::id::TokenId;
use leptos::prelude::*;
use register::{Error, audit, sessions, settings, teams, tokens};
use serde::Deserialize;

use super::account::browser;
use super::people::{may, refuse, version};
use crate::notes::Secret;
use crate::page::{Answer, Fault, Fields, Form, Page, see_other, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;
use crate::{App, assets};

/// Most teams to choose from as the one on call.
const TEAMS: i64 = 1000;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/settings", show)
        .post("/settings", save)
        .get("/settings/tokens", to_tokens)
        .post("/settings/tokens", create_token)
        .post("/settings/tokens/{id}/revoke", revoke_token)
        .post("/settings/sessions/{session}/revoke", revoke_session)
}

/// What changes from one showing of the page to another.
#[derive(Default)]
struct Around {
    status: StatusCode,
    organisation: Option<Refused<OrganisationForm>>,
    token: Option<Refused<TokenForm>>,
    fresh: Option<Fresh>,
}

async fn show(State(app): State<App>, signed: Signed) -> Answer {
    let fresh = match app.notes.take(&signed.session, |s| matches!(s, Secret::Token { .. }), signed.now) {
        Some(Secret::Token { id, secret, expires_at }) => Some(Fresh { id, secret, expires_at }),
        _ => None,
    };
    page(&app, &signed, Around { fresh, ..Around::default() }).await
}

/// Where the form of a token posts is no page of its own.
async fn to_tokens(_: Signed) -> Response {
    see_other("/settings#tokens")
}

async fn page(app: &App, signed: &Signed, around: Around) -> Answer {
    let by = signed.by();
    let (now_set, at) = settings::read(&app.db, by).await?;
    let may_write = may(&signed.actor, Action::SettingsWrite);
    let mut oncall = None;
    let mut oncall_gone = false;
    if let Some(id) = now_set.oncall_team {
        let view = teams::read(&app.db, by, id).await?;
        oncall_gone = view.leaderless;
        oncall = Some((id, view.team.name));
    }
    let mut choices: Vec<Choice> = Vec::new();
    if may_write {
        for (id, name, kind) in teams::directory(&app.db, by, TEAMS).await? {
            choices.push(Choice::new(id.to_string(), name).group(kind.label()));
        }
    }
    let form = around.organisation.unwrap_or_else(|| {
        Refused::fresh(OrganisationForm {
            organisation: now_set.organisation,
            oncall_team: now_set.oncall_team.map(|t| t.to_string()).unwrap_or_default(),
            wave_days: now_set.wave_days.to_string(),
            version: at.to_string(),
        })
    });
    let mut kept = None;
    if may(&signed.actor, Action::TokenManage) {
        let lines = tokens::list(&app.db, by).await?;
        let days = tokens::DEFAULT_LIFE.num_days().to_string();
        kept = Some(Tokens {
            lines: lines
                .into_iter()
                .map(|t| TokenLine {
                    id: t.id,
                    name: t.name,
                    scopes: t.scopes,
                    owner: t.owner,
                    expires_at: t.expires_at,
                    revoked_at: t.revoked_at,
                    last_used_at: t.last_used_at,
                })
                .collect(),
            fresh: around.fresh,
            form: around.token.unwrap_or_else(|| Refused::fresh(TokenForm { days, ..TokenForm::default() })),
        });
    }
    let mut open = None;
    if may(&signed.actor, Action::SessionManage) {
        let lines = sessions::list(&app.db, by, None).await?;
        let line = |s: sessions::Listed| SessionLine {
            current: s.public_id == signed.session,
            id: s.public_id,
            person: s.person,
            name: s.name,
            browser: browser(&s.user_agent),
            address: s.address,
            opened: s.created_at,
            seen: s.seen_at,
        };
        open = Some(lines.into_iter().map(line).collect());
    }
    let mut events = None;
    if may(&signed.actor, Action::AuditRead) {
        events = u64::try_from(audit::head(&app.db, by).await?.seq).ok();
    }
    let about = About {
        version: format!("{} (files {})", env!("CARGO_PKG_VERSION"), assets::version()),
        base_url: app.config.base_url.to_string(),
        engine: match app.db.engine() {
            "sqlite" => "SQLite, in a file beside the program",
            _ => "PostgreSQL",
        },
        islands: assets::islands_available(),
        events,
    };
    let organisation = Organisation { form, oncall, oncall_gone, teams: choices, may_write };
    let shown = Shown { organisation, tokens: kept, sessions: open, about, now: signed.now };
    Ok(Page::new(app, signed, "Settings").status(around.status).show(move || view! { <Settings shown=shown/> }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    organisation: String,
    oncall_team: String,
    wave_days: String,
    version: String,
}

async fn save(State(app): State<App>, signed: Signed, Form(typed): Form<Typed>) -> Answer {
    can(&signed.actor, Action::SettingsWrite, Relation::None).map_err(Error::from)?;
    let form = OrganisationForm {
        organisation: typed.organisation,
        oncall_team: typed.oncall_team,
        wave_days: typed.wave_days,
        version: typed.version,
    };
    let mut errors = FieldErrors::new();
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    let oncall_team = match form.oncall_team.trim() {
        "" => None,
        text => text.parse().map_or_else(
            |_| {
                errors.add("oncall_team", "Choose one of the teams.");
                None
            },
            Some,
        ),
    };
    // What is no number is outside the bounds too, and the register says what they are.
    let wave_days = form.wave_days.trim().parse().unwrap_or(-1);
    if errors.is_empty() {
        let given = settings::Settings { organisation: form.organisation.clone(), oncall_team, wave_days };
        match settings::write(&app.db, signed.by(), Some(version(&form.version)), &given).await {
            Ok(_) => return Ok(see_other_saying(&app, "/settings", &Flash::good("Saved."))),
            Err(error) => status = refuse(error, &mut errors)?,
        }
    }
    let organisation = Some(Refused { values: form, errors });
    page(&app, &signed, Around { status, organisation, ..Around::default() }).await
}

async fn create_token(State(app): State<App>, signed: Signed, fields: Fields) -> Answer {
    can(&signed.actor, Action::TokenManage, Relation::None).map_err(Error::from)?;
    let form = TokenForm {
        name: fields.get("name").to_owned(),
        scopes: fields.all("scopes").map(str::to_owned).collect(),
        mine: !fields.get("mine").is_empty(),
        days: fields.get("days").to_owned(),
    };
    let mut errors = FieldErrors::new();
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    let owner = form.mine.then_some(signed.id);
    let scopes: Vec<Scope> = form.scopes.iter().filter_map(|key| key.parse().ok()).collect();
    let days: Option<i64> = form.days.trim().parse().ok().filter(|d| (1..=366).contains(d));
    if days.is_none() {
        errors.add("days", "Enter a number of days from 1 to 366.");
    }
    if errors.is_empty() {
        let new = tokens::NewToken { name: form.name.clone(), scopes, owner, life: days.and_then(TimeDelta::try_days) };
        match tokens::create(&app.db, signed.by(), new).await {
            Ok(made) => {
                // The next page of this session shows it, once; the redirect carries no secret.
                let secret = Secret::Token { id: made.id, secret: made.secret, expires_at: made.expires_at };
                app.notes.keep(&signed.session, secret, signed.now);
                return Ok(see_other("/settings#tokens"));
            }
            Err(error) => status = refuse(error, &mut errors)?,
        }
    }
    let token = Some(Refused { values: form, errors });
    page(&app, &signed, Around { status, token, ..Around::default() }).await
}

async fn revoke_token(State(app): State<App>, signed: Signed, Path(id): Path<TokenId>) -> Answer {
    match tokens::revoke(&app.db, signed.by(), id).await {
        Ok(()) => Ok(see_other_saying(&app, "/settings#tokens", &Flash::good(format!("{id} is revoked.")))),
        Err(error) => Err(Fault::from(error).back("/settings#tokens")),
    }
}

async fn revoke_session(State(app): State<App>, signed: Signed, Path(public_id): Path<String>) -> Answer {
    can(&signed.actor, Action::SessionManage, Relation::None).map_err(Error::from)?;
    match sessions::revoke(&app.db, signed.by(), &public_id).await {
        Ok(_) => Ok(see_other_saying(&app, "/settings#sessions", &Flash::good("The session has ended."))),
        Err(error) => Err(Fault::from(error).back("/settings#sessions")),
    }
}
