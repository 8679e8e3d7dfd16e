//! `muster restore`.

use std::path::PathBuf;

use domain::can::Actor;
use register::{By, backup};

use crate::cli::{Database, Failure, Output, clock, progress};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    database: Database,
    /// The backup
    file: PathBuf,
    /// Restore although there is a database already: its file is moved aside, not deleted
    #[arg(long)]
    force: bool,
}

pub(in crate::cli) async fn run(args: Args) -> Result<(), Failure> {
    let by = Actor::cli();
    let by = By { actor: &by, now: clock().now() };
    progress(Some("copying the backup and checking its record"));
    let done = backup::restore(args.database.url(), by, &args.file, args.force).await;
    progress(None);
    let done = done?;
    let mut out = Output::default();
    out.line(format!(
        "restored {} events and {} rows, checked; everybody signs in again",
        done.verified.events, done.verified.rows
    ))?;
    if let Some(aside) = done.aside {
        out.line(format!("what was there is now {}", aside.display()))?;
    }
    out.line(format!("head {}", done.verified.head))?;
    out.done()
}
