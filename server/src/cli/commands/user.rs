//! `muster user create`.

use std::io::Read as _;

use clap::Subcommand;
use domain::can::Actor;
use domain::party::{Role, Roles};
use register::{By, passwords, people};

use crate::cli::{Database, Failure, Output, clock};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Create a person who can sign in.
    #[command(
        after_help = "Without --password-stdin a password is made and printed on stdout.\n\nExample:\n  echo 'a long sentence nobody guesses' | muster user create --email ana@example.org --name 'Ana Sousa' --role security-lead --password-stdin"
    )]
    Create(Create),
}

#[derive(Debug, clap::Args)]
struct Create {
    #[command(flatten)]
    database: Database,
    /// Their e-mail address: they sign in with it
    #[arg(long, value_name = "E")]
    email: String,
    /// Their name
    #[arg(long, value_name = "N")]
    name: String,
    /// A role: administrator, security-lead, risk-analyst, member or auditor; repeat it for several
    #[arg(long = "role", value_name = "R", required = true, value_delimiter = ',')]
    roles: Vec<Role>,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
}

pub(in crate::cli) async fn run(args: Args) -> Result<(), Failure> {
    let What::Create(args) = args.what;
    let given = args.password_stdin.then(password_from_stdin).transpose()?;
    let password = given.clone().unwrap_or_else(register::random::secret);
    if let Err(sentence) = passwords::check(&password, &args.email, &args.name) {
        return Err(Failure::refused(format!("the password is refused: {sentence}")));
    }
    let db = args.database.open().await?;
    let actor = Actor::cli();
    let by = By { actor: &actor, now: clock().now() };
    let fields = people::Fields { name: args.name, email: args.email, ..people::Fields::default() };
    let roles: Roles = args.roles.into_iter().collect();
    let person = passwords::create_with_login(&db, by, &fields, roles, &password).await?;
    let mut out = Output::default();
    out.line(format!("{person} {}", fields.email))?;
    if given.is_none() {
        out.line(format!("password {password}"))?;
    }
    out.done()?;
    db.close().await;
    Ok(())
}

/// All of it, without the line's end.
fn password_from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .take(4096)
        .read_to_string(&mut text)
        .map_err(|error| Failure::refused(format!("the password cannot be read from standard input: {error}")))?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    Ok(password.strip_suffix('\r').unwrap_or(password).to_owned())
}
