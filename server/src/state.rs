//! What every handler is given.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use register::Db;
use register::db::DbError;

use crate::clock::Clock;
use crate::config::Config;
use crate::due::Due;
use crate::live::Live;
use crate::mail::Mailer;
use crate::notes::Notes;
use crate::setup::SetupCode;
use crate::sweeps::Sweeps;

/// The running server: the store, the clock, the configuration. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Shared>);

/// What [`App`] shares.
#[derive(Debug)]
pub struct Shared {
    /// The store.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// What the operator decided.
    pub config: Config,
    /// Opens set-up while nobody can sign in.
    pub setup_code: SetupCode,
    /// Secrets that wait for the page that shows them.
    pub notes: Notes,
    /// What people are asked again, as counted lately.
    pub due: Due,
    /// Stops of many that are under way here.
    pub sweeps: Sweeps,
    /// Pages that are told what is new while they are open.
    pub live: Live,
    /// Sends e-mail, where it is set up.
    pub mailer: Option<Mailer>,
    has_people: AtomicBool,
}

impl Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// A server on an open database.
    pub fn new(db: Db, clock: Clock, config: Config) -> Self {
        let mailer = config.mail.as_ref().and_then(Mailer::new);
        Self(Arc::new(Shared {
            db,
            clock,
            mailer,
            live: Live::default(),
            config,
            setup_code: SetupCode::default(),
            notes: Notes::default(),
            due: Due::default(),
            sweeps: Sweeps::default(),
            has_people: AtomicBool::new(false),
        }))
    }

    /// Whether somebody can sign in. Asked of the store until the answer is yes, since the
    /// command line may make the first person beside the running server.
    pub async fn has_people(&self) -> Result<bool, DbError> {
        if self.has_people.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let anybody = register::passwords::anybody(&self.db).await?;
        if anybody {
            self.has_people.store(true, Ordering::Relaxed);
        }
        Ok(anybody)
    }
}
