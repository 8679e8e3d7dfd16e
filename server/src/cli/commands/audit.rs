//! `muster audit`.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use domain::can::Actor;
use domain::record::{Event, Head};
use register::By;
use register::audit::{self, Broken, Verified};

use crate::cli::{Database, Failure, Output, clock, progress};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check that the record is whole: exit 1 at the first broken link, naming it.
    ///
    /// Every event must follow the one before it and give its hash, every row must be what its
    /// last event says, and a head that was exported earlier must still be there.
    #[command(after_help = "Examples:\n  muster audit verify\n  muster audit verify --head head.txt\n  \
        muster audit verify --file export.jsonl")]
    Verify(Verify),
    /// Print the head of the record, SEQ:HASH: kept elsewhere, it shows later that nothing was cut off.
    #[command(after_help = "Example:\n  muster audit head > head.txt")]
    Head(Database),
}

#[derive(Debug, clap::Args)]
struct Verify {
    #[command(flatten)]
    database: Database,
    /// An exported file to check instead of the database, which is then not opened; - for stdin
    #[arg(long, value_name = "EXPORT.jsonl")]
    file: Option<PathBuf>,
    /// The head that the record must go through: SEQ:HASH, or a file that holds it, or an export that ends with it
    #[arg(long, value_name = "FILE|SEQ:HASH")]
    head: Option<String>,
    /// The head before the first event of a file that does not begin with event 1
    #[arg(long, value_name = "FILE|SEQ:HASH", requires = "file")]
    after: Option<String>,
}

pub(in crate::cli) async fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Verify(args) => verify(args).await,
        Command::Head(database) => {
            let db = database.open().await?;
            let head = audit::head(&db, By { actor: &Actor::cli(), now: clock().now() }).await?;
            db.close().await;
            let mut out = Output::default();
            out.line(head)?;
            out.done()
        }
    }
}

async fn verify(args: Verify) -> Result<(), Failure> {
    let expected = args.head.as_deref().map(head).transpose()?;
    let after = args.after.as_deref().map(head).transpose()?;
    let found = match &args.file {
        Some(file) if file.as_os_str() == "-" => audit::verify_file(std::io::stdin().lock(), after, expected),
        Some(file) => audit::verify_file(BufReader::new(open(file)?), after, expected),
        None => {
            let db = args.database.open().await?;
            let mut told = 0;
            let found = audit::verify(&db, By { actor: &Actor::cli(), now: clock().now() }, expected, |done| {
                if done >= told + 1_000 {
                    told = done;
                    progress(Some(&format!("checking the record: {done} events and rows")));
                }
            })
            .await;
            progress(None);
            db.close().await;
            found
        }
    };
    let Verified { events, rows, head } = found.map_err(|broken| match broken {
        Broken::Link(link) => Failure::refused(format!("the record is broken: {link}")),
        Broken::Failed(error) => error.into(),
    })?;
    let mut out = Output::default();
    match args.file {
        Some(_) => out.line(format!("the record holds: {events} events"))?,
        None => out.line(format!("the record holds: {events} events, {rows} rows"))?,
    }
    out.line(format!("head {head}"))?;
    out.done()
}

fn open(file: &Path) -> Result<File, Failure> {
    File::open(file).map_err(|error| Failure::refused(format!("{} cannot be read: {error}", file.display())))
}

/// A head as it is written, or in a file, or as the last event of an export.
fn head(given: &str) -> Result<Head, Failure> {
    if let Ok(head) = given.parse() {
        return Ok(head);
    }
    let path = Path::new(given);
    if !path.is_file() {
        return Err(Failure::usage(format!("“{given}” is neither a head (SEQ:HASH) nor a file that holds one")));
    }
    let last = last_line(path)?;
    if let Ok(head) = last.parse() {
        return Ok(head);
    }
    match serde_json::from_str::<Event>(&last) {
        Ok(event) => Ok(Head { seq: event.seq, hash: event.hash }),
        Err(_) => Err(Failure::refused(format!("{given} ends neither with a head (SEQ:HASH) nor with an event"))),
    }
}

/// The last line of a file, without reading a long export whole.
fn last_line(path: &Path) -> Result<String, Failure> {
    const TAIL: u64 = 1 << 20;
    let mut file = open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim().lines().next_back().unwrap_or_default().trim().to_owned())
}
