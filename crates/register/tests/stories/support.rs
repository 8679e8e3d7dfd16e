//! What the stories share: a fresh database on each engine, people to act, moments.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::Actor;
use domain::id::PersonId;
use domain::party::{Role, Roles};
use register::{By, Db};

/// A fresh database; what it needs to live is kept beside it.
pub(crate) struct Fresh {
    pub(crate) db: Db,
    _files: Option<Files>,
    _cluster: Option<cluster::Database>,
}

struct Files(std::path::PathBuf);

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A new SQLite file in a folder of its own.
pub(crate) async fn sqlite() -> Fresh {
    let folder = std::env::temp_dir().join(format!("muster-story-{}", register::random::secret()));
    std::fs::create_dir_all(&folder).unwrap();
    let db = Db::connect(&format!("sqlite://{}", folder.join("story.db").display())).await.unwrap();
    Fresh { db, _files: Some(Files(folder)), _cluster: None }
}

/// A new PostgreSQL database, copied from the migrated template.
pub(crate) async fn postgres() -> Fresh {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/postgres");
    let database = cluster::Database::copy(&migrations, async |url| {
        let db = Db::connect(&url).await.map_err(|e| e.to_string())?;
        db.close().await;
        Ok::<(), String>(())
    })
    .await;
    let db = Db::connect(&database.url()).await.unwrap();
    Fresh { db, _files: None, _cluster: Some(database) }
}

/// Tells one story on both engines: `story!(name, body)` where `body` is `async fn(Db)`.
macro_rules! story {
    ($name:ident, $body:path) => {
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let fresh = crate::support::sqlite().await;
                $body(fresh.db.clone()).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let fresh = crate::support::postgres().await;
                $body(fresh.db.clone()).await;
                fresh.db.close().await;
            }
        }
    };
}
pub(crate) use story;

/// Noon of a fixed day, and `days` after it.
pub(crate) fn day(days: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap() + TimeDelta::days(days)
}

/// A person as an actor.
pub(crate) fn actor(id: i64, roles: &[Role]) -> Actor {
    Actor::person(PersonId(id), roles.iter().copied().collect::<Roles>())
}

/// Who and when.
pub(crate) fn by(actor: &Actor, days: i64) -> By<'_> {
    By { actor, now: day(days) }
}
