//! tower-sessions' store over our own table: it can list and revoke, it is on the same
//! pool, and a look-up is one indexed query that brings the person along.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::can::Actor;
use domain::id::PersonId;
use domain::party::Roles;
use register::sessions::{self, Found, From};
use register::{By, Db, Error};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error as StoreError, Result};

use crate::clock::Clock;
use crate::state::App;

/// Under this key a record carries what [`Store::create`] needs.
const OPENING: &str = "opening";
/// Under this key a record carries what [`Store::load`] found.
const FOUND: &str = "found";

/// Who opens a session, and from where.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) person: PersonId,
    pub(super) roles: Roles,
    pub(super) from: From,
}

/// The sessions of one server.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
    clock: Clock,
}

impl Store {
    /// Over the server's own database.
    pub fn new(app: &App) -> Self {
        Self { db: app.db.clone(), clock: app.clock.clone() }
    }

    /// A record under a new random id.
    pub(super) fn record(&self, opening: &Opening) -> Record {
        let data = [(OPENING.to_owned(), serde_json::to_value(opening).unwrap_or_default())].into();
        let id = Id(i128::from_le_bytes(register::random::bytes()));
        Record { id, data, expiry_date: offset(self.clock.now() + sessions::LONGEST) }
    }

    /// The session with its person: what [`SessionStore::load`] finds, as it is.
    pub(super) async fn find(&self, id: &Id) -> std::result::Result<Option<Found>, Error> {
        Ok(sessions::find(&self.db, &stored(id), self.clock.now()).await?)
    }

    /// Notes the use of a session, off the request's path, when the last note is old.
    pub(super) fn note_use(&self, id: &Id, found: &Found) {
        let now = self.clock.now();
        if now - found.seen_at >= sessions::SEEN_EVERY {
            let (db, stored) = (self.db.clone(), stored(id));
            tokio::spawn(async move {
                if let Err(error) = sessions::touch(&db, &stored, now).await {
                    tracing::warn!(%error, "the use of a session could not be noted");
                }
            });
        }
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let opening: Opening = record
            .data
            .get(OPENING)
            .and_then(|value| serde_json::from_value(value.clone()).ok())
            .ok_or_else(|| StoreError::Decode("a session is opened for a person".into()))?;
        let actor = Actor::person(opening.person, opening.roles);
        let by = By { actor: &actor, now: self.clock.now() };
        sessions::open(&self.db, by, &stored(&record.id), &opening.from).await.map_err(backend)?;
        Ok(())
    }

    /// Nothing of a session is changed by saving it: what is known of the person is read
    /// with every look-up, and its use is noted apart.
    async fn save(&self, record: &Record) -> Result<()> {
        sessions::touch(&self.db, &stored(&record.id), self.clock.now()).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let found = sessions::find(&self.db, &stored(id), self.clock.now()).await.map_err(backend)?;
        found
            .map(|found| {
                let value = serde_json::to_value(&found).map_err(|e| StoreError::Encode(e.to_string()))?;
                Ok(Record { id: *id, data: [(FOUND.to_owned(), value)].into(), expiry_date: offset(found.expires_at) })
            })
            .transpose()
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let now = self.clock.now();
        if let Some(found) = sessions::find(&self.db, &stored(id), now).await.map_err(backend)? {
            let actor = Actor::person(found.person, found.roles);
            sessions::close(&self.db, By { actor: &actor, now }, &stored(id)).await.map_err(backend)?;
        }
        Ok(())
    }
}

/// The id that a cookie carries, if it is one.
pub(super) fn parse(cookie: &str) -> Option<Id> {
    cookie.parse().ok()
}

/// What is stored of an id, so that a copy of the database signs nobody in.
fn stored(id: &Id) -> String {
    hex::encode(Sha256::digest(id.0.to_le_bytes()))
}

fn offset(at: DateTime<Utc>) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.timestamp()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn backend(error: impl std::fmt::Display) -> StoreError {
    StoreError::Backend(error.to_string())
}

/// Back to our own error: the cause goes to the log.
pub(super) fn failed(error: StoreError) -> Error {
    Error::Store(register::db::DbError::Url(format!("sessions: {error}")))
}
