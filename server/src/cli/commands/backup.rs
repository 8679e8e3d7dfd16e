//! `muster backup`.

use std::path::PathBuf;

use domain::can::Actor;
use register::{By, backup};

use crate::cli::{Database, Failure, Output, clock, progress};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    database: Database,
    /// The file to make; one that exists is not overwritten
    file: PathBuf,
}

pub(in crate::cli) async fn run(args: Args) -> Result<(), Failure> {
    let db = args.database.open().await?;
    progress(Some("copying the database"));
    let head = backup::write(&db, By { actor: &Actor::cli(), now: clock().now() }, &args.file).await;
    progress(None);
    let head = head?;
    db.close().await;
    let mut out = Output::default();
    out.line(format!("{} holds {} events", args.file.display(), head.seq))?;
    out.line(format!("head {head}"))?;
    out.done()
}
