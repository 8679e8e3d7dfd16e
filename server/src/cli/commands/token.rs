//! `muster token create`.

use chrono::TimeDelta;
use clap::Subcommand;
use domain::can::{Actor, Scope};
use register::tokens::{self, NewToken};
use register::{By, people};

use crate::cli::{Database, Failure, Output, clock};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Create a service token and print it: it is shown only now.
    #[command(
        after_help = "Scopes: read, write, intake, scim, admin (all of them).\n\nExample:\n  muster token create --name discovery --scope write --expires 30d"
    )]
    Create(Create),
}

#[derive(Debug, clap::Args)]
struct Create {
    #[command(flatten)]
    database: Database,
    /// What it is for
    #[arg(long, value_name = "N")]
    name: String,
    /// What it may do: read, write, intake, scim or admin; repeat it for several
    #[arg(long = "scope", value_name = "S", required = true, value_delimiter = ',')]
    scopes: Vec<Scope>,
    /// The person who acts by it
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
    /// How long it lives: 12h, 90d (as it is unless said), 8w
    #[arg(long, value_name = "D", value_parser = life)]
    expires: Option<TimeDelta>,
}

pub(in crate::cli) async fn run(args: Args) -> Result<(), Failure> {
    let What::Create(args) = args.what;
    let db = args.database.open().await?;
    let owner = match &args.owner {
        None => None,
        Some(email) => {
            let mut reads = &db;
            let person = people::by_email(&mut reads, &email.trim().to_lowercase()).await?;
            Some(person.ok_or_else(|| Failure::refused(format!("nobody has the e-mail address {email}")))?.id)
        }
    };
    let actor = Actor::cli();
    let new = NewToken { name: args.name, scopes: args.scopes, owner, life: args.expires };
    let made = tokens::create(&db, By { actor: &actor, now: clock().now() }, new).await?;
    let mut out = Output::default();
    out.line(made.secret)?;
    out.done()?;
    db.close().await;
    Ok(())
}

/// `30m`, `12h`, `90d`, `8w`; a number alone is days.
fn life(text: &str) -> Result<TimeDelta, String> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "" | "d" => 86_400,
        "w" => 7 * 86_400,
        _ => 0,
    };
    number
        .parse::<i64>()
        .ok()
        .and_then(|n| n.checked_mul(seconds))
        .filter(|n| *n > 0)
        .and_then(TimeDelta::try_seconds)
        .ok_or_else(|| "say a number and a unit, such as 12h, 90d or 8w".to_owned())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::life;

    #[test]
    fn lives() {
        assert_eq!(life("90d"), Ok(TimeDelta::days(90)));
        assert_eq!(life("12h"), Ok(TimeDelta::hours(12)));
        assert_eq!(life("7"), Ok(TimeDelta::days(7)));
        for bad in ["", "d", "0d", "-1d", "5y", "99999999999999999999d"] {
            assert!(life(bad).is_err(), "{bad}");
        }
    }
}
