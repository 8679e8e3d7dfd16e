//! The command line. A command is a file in `commands` with `Args` and `run`, and one line
//! in [`Command`].

mod commands;
mod log;
mod output;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use register::Db;

use crate::clock::Clock;

pub use output::{Failure, Output, progress};

/// The register of an organisation's AI agents and of the people who answer for them.
#[derive(Debug, Parser)]
#[command(
    name = "muster",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "Every option is also an environment variable, shown beside it; .env is read.\n\nExamples:\n  muster serve\n  muster import agents.csv --dry-run\n  muster audit verify"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    log: log::Args,
}

macro_rules! commands {
    ($($(#[$meta:meta])* $name:ident($module:ident),)+) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $($(#[$meta])* $name(commands::$module::Args),)+
        }

        impl Command {
            async fn run(self) -> Result<(), Failure> {
                match self {
                    $(Self::$name(args) => commands::$module::run(args).await,)+
                }
            }
        }
    };
}

// The order of `muster --help`.
commands! {
    /// Serve the pages and the API.
    #[command(after_help = "Example:\n  muster serve --listen 127.0.0.1:3000 --database sqlite://muster.db")]
    Serve(serve),
    /// Create people who can sign in.
    User(user),
    /// Create service tokens for programs.
    Token(token),
    /// Check the record, or print its head.
    Audit(audit),
    /// Take an inventory in as one wave: the difference first, then all of it or none.
    ///
    /// The file's encoding and delimiter are found. Every row with something in it is one agent; a
    /// second run of the same file changes nothing. Exit 1 when the file, or any row of it, is refused.
    #[command(after_help = "The last line counts: rows N new N changed N unchanged N refused N\n\n\
        Examples:\n  muster import agents.csv --dry-run\n  \
        muster import agents.csv --source cmdb --owner ana@example.org --target-days 60\n  \
        muster import agents.csv --dry-run --write-mapping agents.toml")]
    Import(import),
    /// Write agents, who answers for them, or the record, for other programs.
    #[command(after_help = "Examples:\n  muster export agents --output agents.csv\n  muster export audit > record.jsonl")]
    Export(export),
    /// Check a RACI table of any origin.
    Raci(raci),
    /// Copy the whole database into a new file, while Muster runs.
    #[command(after_help = "Example:\n  muster backup muster-2026-07-03.backup")]
    Backup(backup),
    /// Put a backup in the database's place, once its record is found whole.
    ///
    /// A backup of either engine restores on either: so one also moves to PostgreSQL, or back.
    #[command(after_help = "Examples:\n  muster restore muster-2026-07-03.backup\n  \
        muster restore muster-2026-07-03.backup --database postgres://muster@localhost/empty")]
    Restore(restore),
    /// Fill an empty database with a synthetic estate, to measure and to try things out.
    #[command(after_help = "Example:\n  muster seed --agents 10000 --database sqlite://estate.db")]
    Seed(seed),
    /// Look at the database and the configuration for what is wrong.
    #[command(after_help = "Example:\n  muster doctor --database postgres://muster@localhost/muster")]
    Doctor(doctor),
}

/// Where the register is.
#[derive(Debug, Clone, clap::Args)]
pub struct Database {
    #[arg(
        long = "database",
        help = "The database: sqlite://FILE, made if absent, or postgres://…",
        env = "MUSTER_DATABASE_URL",
        value_name = "URL",
        default_value = "sqlite://muster.db",
        hide_env_values = true
    )]
    /// Its URL.
    pub url: String,
}

impl Database {
    /// Where it is; an empty variable means the default.
    pub fn url(&self) -> &str {
        if self.url.trim().is_empty() { "sqlite://muster.db" } else { self.url.trim() }
    }

    /// Opens the database, made and migrated as needed.
    pub async fn open(&self) -> Result<Db, Failure> {
        Db::connect(self.url())
            .await
            .map_err(|error| Failure::refused(format!("the database cannot be opened: {error}")))
    }
}

/// The time, for commands.
pub const fn clock() -> Clock {
    Clock::System
}

/// Parses the command line, runs the command, says in one line what went wrong.
pub fn main() -> ExitCode {
    if let Err(error) = dotenvy::dotenv()
        && !error.not_found()
    {
        eprintln!("muster: .env cannot be read: {error}");
        return ExitCode::from(2);
    }
    let Cli { command, log } = Cli::parse();
    if let Err(failure) = log.install() {
        return failure.report();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::refused(format!("no threads can be had: {error}")).report(),
    };
    let done = runtime.block_on(command.run());
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_sound_and_every_command_has_an_example() {
        Cli::command().debug_assert();
        fn walk(command: &clap::Command, path: &str) {
            let leaf = command.get_subcommands().next().is_none();
            assert!(command.get_about().is_some(), "{path} says what it does");
            let example = command.get_after_help().is_some_and(|help| help.to_string().contains("muster "));
            assert!(!leaf || example, "{path} has an example");
            for sub in command.get_subcommands() {
                walk(sub, &format!("{path} {}", sub.get_name()));
            }
        }
        walk(&Cli::command(), "muster");
    }
}
