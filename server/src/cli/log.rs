//! What is logged, and how: to stderr, plain for people, JSON for programs.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::Failure;

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Plain,
    /// For programs: one JSON object a line.
    Json,
}

/// What is logged.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// What to log: error, warn, info, debug, or a filter such as server=debug
    #[arg(
        long,
        env = "MUSTER_LOG",
        global = true,
        default_value = "info",
        value_name = "FILTER",
        hide_default_value = true
    )]
    log: String,
    /// How to write the log
    #[arg(
        long,
        env = "MUSTER_LOG_FORMAT",
        global = true,
        default_value = "plain",
        value_name = "FORMAT",
        hide_default_value = true
    )]
    log_format: Format,
}

impl Args {
    /// Begins to log.
    pub(super) fn install(&self) -> Result<(), Failure> {
        let filter = EnvFilter::try_new(&self.log)
            .map_err(|error| Failure::usage(format!("--log “{}” is no filter: {error}", self.log)))?;
        let to_stderr = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        let installed = match self.log_format {
            Format::Json => to_stderr.json().flatten_event(true).with_current_span(false).try_init(),
            Format::Plain => {
                to_stderr.with_ansi(std::io::stderr().is_terminal()).with_target(false).compact().try_init()
            }
        };
        installed.map_err(|error| Failure::refused(format!("the log cannot be written: {error}")))
    }
}
