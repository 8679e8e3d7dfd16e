//! `muster serve --demo`: loads the demonstration, prints who signs in with what.

use std::io::Write as _;

use domain::can::Actor;
use register::{By, Db, passwords, seed};

use crate::cli::{Failure, clock};

/// Loads it into an empty database. One that is not empty is left as it is, so that
/// `./run --demo` starts a second time.
pub(super) async fn load(db: &Db) -> Result<(), Failure> {
    if !seed::is_empty(db).await? {
        tracing::warn!("the database is not empty, so the demonstration was not loaded into it");
        return Ok(());
    }
    let actor = Actor::cli();
    let by = By { actor: &actor, now: clock().now() };
    let sign_ins = seed::demo(db, by).await?;
    let mut out = std::io::stdout().lock();
    for sign_in in sign_ins {
        let password = register::random::secret();
        passwords::set(db, by, sign_in.person, &password).await?;
        let roles: Vec<&str> = sign_in.roles.iter().map(|role| role.key()).collect();
        writeln!(out, "demo {} {password} {}", sign_in.email, roles.join(","))?;
    }
    Ok(out.flush()?)
}
