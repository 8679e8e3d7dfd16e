//! `muster serve --demo`: loads the demonstration, prints who signs in with what.

use std::io::Write as _;

use domain::can::Actor;
use register::passwords::{self, Tried};
use register::{By, Db, seed};

use crate::cli::{Failure, clock};

/// The same for everybody and at every start: an invented company has nothing to hide, and
/// whoever shows it types it often.
const PASSWORD: &str = "halden-demo-2026";

/// Loads it into an empty database, or finds it there from an earlier start. Real records
/// are never mixed with it.
pub(super) async fn load(db: &Db) -> Result<(), Failure> {
    let actor = Actor::cli();
    let by = By { actor: &actor, now: clock().now() };
    let sign_ins = if seed::is_empty(db).await? {
        seed::demo(db, by).await?
    } else {
        let Some(sign_ins) = seed::demo_sign_ins(db).await? else {
            return Err(Failure::refused(
                "the database holds records other than the demonstration: name a new one with --database, or leave --demo out",
            ));
        };
        tracing::info!("the demonstration is there already, as it was left");
        sign_ins
    };
    let mut lines = Vec::new();
    for sign_in in sign_ins {
        let stored = passwords::login(db, &sign_in.email).await?;
        if stored.is_none() {
            passwords::set(db, by, sign_in.person, PASSWORD).await?;
        } else if passwords::verify(PASSWORD, stored.as_ref().map(|login| login.hash.as_str())).await? == Tried::Wrong {
            // Somebody chose another since, and knows it.
            continue;
        }
        let roles: Vec<&str> = sign_in.roles.iter().map(domain::party::Role::key).collect();
        lines.push(format!("demo {} {PASSWORD} {}", sign_in.email, roles.join(",")));
    }
    let mut out = std::io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}
