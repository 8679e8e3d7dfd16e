//! What commands say: results on stdout, one clear line on stderr when it went wrong, and
//! progress where somebody watches.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

/// Why a command did not do as asked.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    line: String,
}

impl Failure {
    /// Exit 1: violations were found, or it was refused.
    pub fn refused(line: impl Into<String>) -> Self {
        Self { code: 1, line: line.into() }
    }

    /// Exit 1 without a further word: what was found is on stdout already.
    pub fn found() -> Self {
        Self::refused("")
    }

    /// Exit 2: it was asked wrongly.
    pub fn usage(line: impl Into<String>) -> Self {
        Self { code: 2, line: line.into() }
    }

    /// Says it, and answers the exit code.
    pub fn report(&self) -> ExitCode {
        if !self.line.is_empty() {
            let line = self.line.replace(['\r', '\n'], " ");
            // stderr may be gone; there is nobody else to tell.
            let _ = writeln!(std::io::stderr(), "muster: {line}");
        }
        ExitCode::from(self.code)
    }
}

impl From<register::Error> for Failure {
    fn from(error: register::Error) -> Self {
        Self::refused(error.to_string())
    }
}

impl From<register::db::DbError> for Failure {
    fn from(error: register::db::DbError) -> Self {
        Self::refused(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::refused(error.to_string())
    }
}

/// stdout, buffered; a reader that has seen enough (`| head`) is no failure.
#[derive(Debug)]
pub struct Output(std::io::BufWriter<std::io::Stdout>);

impl Default for Output {
    fn default() -> Self {
        Self(std::io::BufWriter::new(std::io::stdout()))
    }
}

impl Output {
    /// Writes a line.
    pub fn line(&mut self, line: impl std::fmt::Display) -> Result<(), Failure> {
        quiet(writeln!(self.0, "{line}"))
    }

    /// Flushes it.
    pub fn done(mut self) -> Result<(), Failure> {
        quiet(self.0.flush())
    }
}

fn quiet(written: std::io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Failure { code: 0, line: String::new() }),
        written => Ok(written?),
    }
}

/// A line that is written over and over while something long runs; shown only where
/// somebody watches. `None` ends it.
pub fn progress(line: Option<&str>) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = match line {
            Some(line) => write!(stderr, "\r\x1b[K{line}"),
            None => write!(stderr, "\r\x1b[K"),
        };
        let _ = stderr.flush();
    }
}
