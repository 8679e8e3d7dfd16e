//! Service tokens: scoped, expiring, shown once. Only the SHA-256 is stored.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Actor, Relation, Scope, Who, can};
use domain::id::{PersonId, TokenId};
use domain::party::Roles;
use domain::text;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::change::{By, Change, TOKEN};
use crate::db::{Db, DbError};
use crate::error::{Checked, Error};
use crate::{args, random};

/// What every token begins with, so that a scanner finds one in a place it should not be.
pub const PREFIX: &str = "mst_";
/// How long a token lives unless said otherwise.
pub const DEFAULT_LIFE: TimeDelta = TimeDelta::days(90);
/// How long a token may live at most.
pub const LONGEST_LIFE: TimeDelta = TimeDelta::days(366);
/// How old the noted last use may be before it is written again.
const USED_EVERY: TimeDelta = TimeDelta::minutes(5);

/// A token to be made.
#[derive(Debug, Clone, Default)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The person who acts by it, if one does.
    pub owner: Option<PersonId>,
    /// How long it lives; [`DEFAULT_LIFE`] unless said.
    pub life: Option<TimeDelta>,
}

/// A token just made: the only moment at which the secret is known.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its reference.
    pub id: TokenId,
    /// The secret itself, `mst_…`.
    pub secret: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// A token as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its reference.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The person who acts by it, with their name.
    pub owner: Option<(PersonId, String)>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The last noted use.
    pub last_used_at: Option<DateTime<Utc>>,
}

fn stored(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

fn joined(scopes: &[Scope]) -> String {
    scopes.iter().map(|s| s.key()).collect::<Vec<_>>().join(" ")
}

fn parsed(scopes: &str) -> Vec<Scope> {
    scopes.split_whitespace().filter_map(|s| s.parse().ok()).collect()
}

/// Makes a token.
pub async fn create(db: &Db, by: By<'_>, new: NewToken) -> Result<Made, Error> {
    can(by.actor, Action::TokenManage, Relation::None)?;
    let mut checked = Checked::default();
    let name = checked.take("/name", text::required_line(&new.name, "a name", 100));
    let mut scopes = new.scopes;
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        checked.refuse("/scopes", format!("Choose at least one scope: {}.", Scope::keys()));
    }
    let life = new.life.unwrap_or(DEFAULT_LIFE);
    if life <= TimeDelta::zero() || life > LONGEST_LIFE {
        checked.refuse("/expires", format!("A token lives from a second to {} days.", LONGEST_LIFE.num_days()));
    }
    if let Some(owner) = new.owner {
        let row = db.one("SELECT status FROM person WHERE id = $1", crate::args![owner]).await?;
        if row.map(|r| r.get::<String>(0)).transpose()?.as_deref() != Some("active") {
            checked.refuse("/owner", format!("{owner} is nobody who is here."));
        } else if by.actor.who != Who::Cli && by.actor.person_id() != Some(owner) {
            // Whoever makes a token knows its secret, and acts by it as its owner does.
            checked.refuse(
                "/owner",
                "You would hold a secret that acts as them. A token that acts as somebody else is made on the server, \
                 where its secret is handed to them: `muster token create --owner EMAIL`.",
            );
        }
    }
    checked.done()?;
    let secret = format!("{PREFIX}{}", random::secret());
    let expires_at = by.now + life;
    let mut c = Change::begin(db, by).await?;
    let id = TokenId(c.next("token", 1).await?);
    let e = c.event("administrator", "token.created", id);
    c.tx.insert(
        "token",
        &["id", "event_id", "name", "sha256", "scopes", "owner_id", "created_at", "expires_at"],
        vec![args![id, c.id(e), &name, stored(&secret), joined(&scopes), new.owner, by.now, expires_at]],
        "",
    )
    .await?;
    c.describe(
        e,
        serde_json::Value::Null,
        json!({"name": name, "scopes": scopes, "owner": new.owner, "expires_at": domain::record::timestamp(expires_at)}),
    );
    c.wrote(e, &TOKEN, id.0);
    c.commit().await?;
    Ok(Made { id, secret, expires_at })
}

/// Ends a token now.
pub async fn revoke(db: &Db, by: By<'_>, id: TokenId) -> Result<(), Error> {
    can(by.actor, Action::TokenManage, Relation::None)?;
    let mut c = Change::begin(db, by).await?;
    let e = c.event("administrator", "token.revoked", id);
    let done =
        c.tx.run(
            "UPDATE token SET revoked_at = $1, event_id = $2 WHERE id = $3 AND revoked_at IS NULL",
            args![by.now, c.id(e), id],
        )
        .await?;
    if done != 1 {
        let known = c.tx.one("SELECT 1 FROM token WHERE id = $1", args![id]).await?.is_some();
        return Err(if known {
            Error::Conflict(format!("{id} was revoked before."))
        } else {
            Error::NotFound(format!("token {id}"))
        });
    }
    c.describe(e, serde_json::Value::Null, json!({"revoked_at": domain::record::timestamp(by.now)}));
    c.wrote(e, &TOKEN, id.0);
    c.commit().await?;
    Ok(())
}

/// Every token, the newest first.
pub async fn list(db: &Db, by: By<'_>) -> Result<Vec<Listed>, Error> {
    can(by.actor, Action::TokenManage, Relation::None)?;
    let rows = db
        .all(
            "SELECT t.id, t.name, t.scopes, t.owner_id, p.name, t.created_at, t.expires_at, t.revoked_at, \
             t.last_used_at FROM token t LEFT JOIN person p ON p.id = t.owner_id ORDER BY t.id DESC LIMIT 500",
            args![],
        )
        .await?;
    rows.iter()
        .map(|r| {
            let owner = r.get::<Option<PersonId>>(3)?.zip(r.get::<Option<String>>(4)?);
            Ok(Listed {
                id: r.get(0)?,
                name: r.get(1)?,
                scopes: parsed(&r.get::<String>(2)?),
                owner,
                created_at: r.get(5)?,
                expires_at: r.get(6)?,
                revoked_at: r.get(7)?,
                last_used_at: r.get(8)?,
            })
        })
        .collect()
}

/// A token that was shown and holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Which token.
    pub id: TokenId,
    /// Who acts by it, within its scopes.
    pub actor: Actor,
    /// The last noted use.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Who acts by a secret. `None`: unknown, revoked, expired, or its owner left. One indexed
/// query, and no write.
pub async fn authenticate(db: &Db, secret: &str, now: DateTime<Utc>) -> Result<Option<Shown>, DbError> {
    if !secret.starts_with(PREFIX) || secret.len() > 100 {
        return Ok(None);
    }
    let row = db
        .one(
            "SELECT t.id, t.scopes, t.owner_id, p.roles, p.status, t.last_used_at FROM token t \
             LEFT JOIN person p ON p.id = t.owner_id \
             WHERE t.sha256 = $1 AND t.expires_at > $2 AND t.revoked_at IS NULL",
            args![stored(secret), now],
        )
        .await?;
    let Some(r) = row else { return Ok(None) };
    let id: TokenId = r.get(0)?;
    let scopes = parsed(&r.get::<String>(1)?);
    let actor = match r.get::<Option<PersonId>>(2)? {
        None => Actor::token(id, scopes),
        Some(_) if r.get::<Option<String>>(4)?.as_deref() != Some("active") => return Ok(None),
        Some(owner) => {
            let roles: Roles = r.get::<Option<String>>(3)?.unwrap_or_default().parse().unwrap_or_default();
            Actor { scopes: Some(scopes), ..Actor::person(owner, roles) }
        }
    };
    Ok(Some(Shown { id, actor, last_used_at: r.get(5)? }))
}

impl Shown {
    /// Whether this use is to be noted by [`touch`].
    pub fn is_stale(&self, now: DateTime<Utc>) -> bool {
        self.last_used_at.is_none_or(|at| at <= now - USED_EVERY)
    }
}

/// Notes that the token is in use, unless that was noted lately.
pub async fn touch(db: &Db, id: TokenId, now: DateTime<Utc>) -> Result<(), DbError> {
    db.run(
        "UPDATE token SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)",
        args![id, now, now - USED_EVERY],
    )
    .await?;
    Ok(())
}

/// The scope that `/metrics` and the like ask for.
pub fn allows(actor: &Actor, scope: Scope) -> bool {
    actor.scopes.as_ref().is_none_or(|scopes| scopes.contains(&scope) || scopes.contains(&Scope::Admin))
}
