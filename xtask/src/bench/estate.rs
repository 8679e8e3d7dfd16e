//! Seeded databases: made once for the code that makes them, kept in `target/bench`, and
//! copied for each run.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::fingerprint::gather;

/// Whoever measures signs in with this.
pub(super) const EMAIL: &str = "bench@example.org";
/// And this: it opens a copy of invented records, on loopback.
pub(super) const PASSWORD: &str = "a-yardstick-of-2026";

/// What decides the content of a seeded database.
const SOURCES: [&str; 9] = [
    "migrations",
    "crates/domain/src",
    "crates/register/src/seed",
    "crates/register/src/change.rs",
    "crates/register/src/tally.rs",
    "crates/register/src/agents/assess.rs",
    "crates/register/src/agents/write.rs",
    "crates/register/src/agents/stored.rs",
    "crates/register/src/db",
];

/// The folder of the databases that today's code would make.
fn folder(root: &Path) -> Result<PathBuf> {
    let mut files = Vec::new();
    for source in SOURCES {
        gather(&root.join(source), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(Sha256::digest(fs::read(file)?));
    }
    let key: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok(root.join("target/bench").join(key))
}

/// A seeded database of so many agents, made now unless it is there.
pub(super) fn seeded(root: &Path, muster: &Path, agents: usize) -> Result<PathBuf> {
    let folder = folder(root)?;
    let file = folder.join(format!("{agents}.db"));
    if file.exists() {
        return Ok(file);
    }
    // What other code made is of no use any more.
    if let Ok(others) = fs::read_dir(root.join("target/bench")) {
        for other in others.flatten().filter(|other| other.path() != folder && other.path().is_dir()) {
            fs::remove_dir_all(other.path())?;
        }
    }
    fs::create_dir_all(&folder)?;
    let making = folder.join(format!("{agents}.making"));
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{end}", making.display()));
    }
    println!("seeding {agents} agents");
    let url = format!("sqlite://{}", making.display());
    let began = std::time::Instant::now();
    run(muster, &["seed", "--agents", &agents.to_string(), "--database", &url], "")?;
    let roles = "administrator,security-lead";
    let who = ["user", "create", "--email", EMAIL, "--name", "Bench", "--role", roles, "--password-stdin"];
    run(muster, &[&who[..], &["--database", &url]].concat(), PASSWORD)?;
    println!("  in {:.1} s, {} MB", began.elapsed().as_secs_f64(), fs::metadata(&making)?.len() / 1_000_000);
    fs::rename(&making, &file)?;
    Ok(file)
}

fn run(muster: &Path, arguments: &[&str], input: &str) -> Result<()> {
    let mut child = Command::new(muster)
        .args(arguments)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("{} does not start", muster.display()))?;
    child.stdin.take().context("no standard input")?.write_all(input.as_bytes())?;
    let status = child.wait()?;
    if !status.success() {
        bail!("muster {} ended with {status}", arguments.join(" "));
    }
    Ok(())
}
