//! Set-up: the first person, with their password, and the team that is on call.

use chrono::{DateTime, Utc};
use domain::can::Actor;
use domain::party::TeamKind;
use domain::text;
use serde_json::json;

use super::{Login, check, hash, store_in};
use crate::change::{By, Change};
use crate::db::{Db, DbError};
use crate::error::{Checked, Error};
use crate::{people, settings, teams};

/// What set-up asks for.
#[derive(Debug, Clone, Default)]
pub struct SetUp {
    /// The first person's name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their password.
    pub password: String,
    /// The same again.
    pub again: String,
    /// What the organisation is called; may be empty.
    pub organisation: String,
    /// The security team on call; may be empty. The first person leads it.
    pub team: String,
}

/// Makes the first person: administrator and security lead. Refused once anybody can sign in.
pub async fn set_up(db: &Db, now: DateTime<Utc>, given: &SetUp) -> Result<Login, Error> {
    let mut checked = Checked::default();
    let name = checked.take("/name", text::required_line(&given.name, "your name", 200));
    let email = checked.take("/email", text::email(&given.email));
    let organisation = checked.take("/organisation", text::line(&given.organisation, "The name", 200));
    let team = checked.take("/team", text::line(&given.team, "The name", 200));
    if let Err(sentence) = check(&given.password, &email, &name) {
        checked.refuse("/password", sentence);
    } else if given.password != given.again {
        checked.refuse("/again", "The two are not the same.");
    }
    checked.done()?;
    let hash = hash(&given.password).await?;
    let muster = Actor::muster();
    let mut c = Change::begin(db, By { actor: &muster, now }).await?;
    let person = people::insert_first(&mut c, &name, &email).await?;
    store_in(&mut c, person, &hash).await?;
    let e = c.event("set-up", "password.changed", person);
    c.describe(e, serde_json::Value::Null, json!({"sessions_ended": 0}));
    let team = if team.is_empty() {
        None
    } else {
        let kind = TeamKind::Security;
        let fields = teams::Fields { name: team, kind, lead: Some(person), deputy: None, members: Some(vec![person]) };
        Some(teams::insert(&mut c, "set-up", &fields).await?)
    };
    c.commit().await?;
    let login = super::login(db, &email).await?.ok_or(DbError::Unique)?;
    if team.is_some() || !organisation.is_empty() {
        let actor = super::actor(&login);
        let settings = settings::Settings { organisation, oncall_team: team, ..settings::Settings::default() };
        settings::write(db, By { actor: &actor, now }, None, &settings).await?;
    }
    Ok(login)
}
