//! `muster raci`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use domain::import::MAX_BYTES;
use domain::raci::{Rule, check_bytes};

use crate::cli::{Failure, Output};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check any published RACI table: exit 1 and a line for each violation, naming the row.
    ///
    /// The first column names activities, the others are parties. A cell is R, A, C, I, several of
    /// them (R/A), or empty; case and spaces do not matter. Every row needs exactly one A and an R.
    /// The encoding and the delimiter are found; no database is opened.
    #[command(after_help = "The last line counts: rows N violations N, and each rule\n\n\
        Examples:\n  muster raci check matrix.csv\n  muster raci check - < matrix.csv")]
    Check(Check),
}

#[derive(Debug, clap::Args)]
struct Check {
    /// The table; - for stdin
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
}

#[expect(clippy::unused_async, reason = "every command is run alike")]
pub(in crate::cli) async fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Check(args) => check(&args.file),
    }
}

fn check(file: &Path) -> Result<(), Failure> {
    let bytes = read(file)?;
    let checked = check_bytes(&bytes).map_err(|error| Failure::refused(error.to_string()))?;
    let mut out = Output::default();
    for violation in &checked.violations {
        out.line(format!("{}: {}", violation.subject(), violation.sentence()))?;
    }
    let counts: Vec<String> = Rule::ALL
        .iter()
        .map(|rule| (rule, checked.count(*rule)))
        .filter(|(rule, count)| *count > 0 || **rule != Rule::Unreadable)
        .map(|(rule, count)| format!("{rule} {count}"))
        .collect();
    out.line(format!("rows {} violations {} ({})", checked.rows, checked.violations.len(), counts.join(", ")))?;
    out.done()?;
    if checked.violations.is_empty() { Ok(()) } else { Err(Failure::found()) }
}

/// One byte more than is taken is read at most, so that the refusal is the reader's own.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let unread = |e: std::io::Error| Failure::refused(format!("{} cannot be read: {e}", file.display()));
    let most = MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(unread)?;
    } else {
        if file.is_dir() {
            return Err(Failure::refused(format!("{} is a folder, not a file", file.display())));
        }
        std::fs::File::open(file).map_err(unread)?.take(most).read_to_end(&mut bytes).map_err(unread)?;
    }
    Ok(bytes)
}
