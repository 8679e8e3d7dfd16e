//! One test's database.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::server::{Failure, Place, Server, random};

/// A database that one test has to itself; it goes when this is dropped.
#[derive(Debug)]
pub struct Database {
    server: Server,
    name: String,
}

impl Database {
    /// A database without tables, for what migrations themselves are to do.
    ///
    /// # Panics
    /// When there is no PostgreSQL.
    pub fn empty() -> Self {
        made(Server::shared().and_then(|server| Self::create(server, None)))
    }

    /// A copy of the template that `migrate` made for these `migrations`. It is
    /// called once for each state of that folder, with the address of an empty
    /// database, and closes its connections before it returns.
    ///
    /// # Panics
    /// When there is no PostgreSQL, or the migration fails.
    pub async fn copy<E: Display>(migrations: &Path, migrate: impl AsyncFnOnce(String) -> Result<(), E>) -> Self {
        made(Self::copied(migrations, migrate).await)
    }

    async fn copied<E: Display>(
        migrations: &Path,
        migrate: impl AsyncFnOnce(String) -> Result<(), E>,
    ) -> Result<Self, Failure> {
        let server = Server::shared()?;
        let template = format!("template_{:016x}", state(migrations)?);
        if let Ok(database) = Self::create(server.clone(), Some(&template)) {
            return Ok(database);
        }
        // Not there yet, most likely; the first one here makes it, under another
        // name, so that nobody copies half of it.
        {
            let _lock = Place::of_this_tree()?.lock()?;
            if let Ok(database) = Self::create(server.clone(), Some(&template)) {
                return Ok(database);
            }
            let building = format!("building_{}", random(6)?);
            server.execute(&format!("CREATE DATABASE {building}"))?;
            migrate(format!("{}/{building}", server.url()))
                .await
                .map_err(|error| Failure(format!("the migration failed: {error}")))?;
            server.execute(&format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{building}'"
            ))?;
            server.execute(&format!("ALTER DATABASE {building} RENAME TO {template}"))?;
        }
        Self::create(server, Some(&template))
    }

    fn create(server: Server, template: Option<&str>) -> Result<Self, Failure> {
        let name = format!("test_{}_{}", std::process::id(), random(6)?);
        let template = template.unwrap_or("template0");
        server.execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"))?;
        Ok(Self { server, name })
    }

    /// `postgres://user:password@host:port/database`.
    pub fn url(&self) -> String {
        format!("{}/{}", self.server.url(), self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Connections may still be open; a database that stays does no harm
        // either, as the whole cluster goes at the end.
        let _ = self.server.execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn made(database: Result<Database, Failure>) -> Database {
    database.unwrap_or_else(|failure| panic!("no database to test on: {failure}"))
}

/// A number that changes with the names and contents of the migrations.
fn state(migrations: &Path) -> Result<u64, Failure> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(migrations)? {
        let entry = entry?;
        files.insert(entry.file_name(), fs::read(entry.path())?);
    }
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    Ok(hasher.finish())
}
