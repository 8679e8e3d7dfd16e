//! Build tasks: what a shell script would be too clumsy for.

mod bench;
mod check;
mod fingerprint;
mod licence;
mod wasm;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask COMMAND

  wasm [--force]             build the islands into server/pkg, unless they are current
  check                      migrations, room arrows, licences, locks, file sizes
  bench [--sizes N,…] [--quick] [--profile P]
                             what requests cost over seeded estates; fails on its budgets
  soak notices               the server is killed 20 times while 2,000 notices go out: none is lost
  postgres start|stop|url    the throw-away cluster that the store tests share
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    match arguments {
        ["wasm"] => wasm::build(&root(), false),
        ["wasm", "--force"] => wasm::build(&root(), true),
        ["bench", wish @ ..] => bench::run(&root(), wish),
        ["check"] => check::all(&root()),
        ["soak", "notices"] => soak("none_is_lost_though_the_server_is_killed"),
        ["postgres", "start"] => {
            println!("{}", cluster::Server::shared()?.url());
            Ok(())
        }
        ["postgres", "url"] => match cluster::Server::found()? {
            Some(server) => {
                println!("{}", server.url());
                Ok(())
            }
            None => bail!("no test cluster runs: cargo xtask postgres start"),
        },
        ["postgres", "stop"] => Ok(cluster::Server::stop()?),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        other => bail!("there is no `{}`\n\n{HELP}", other.join(" ")),
    }
}

/// Runs the long version of a test of the server.
fn soak(test: &str) -> Result<()> {
    let done = Command::new(env!("CARGO"))
        .args(["test", "--release", "--test", "http", test])
        .env("MUSTER_SOAK", "yes")
        .current_dir(root())
        .status()?;
    if done.success() { Ok(()) } else { bail!("`{test}` did not hold") }
}

/// The workspace, wherever `cargo xtask` was called.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or(here.clone(), PathBuf::from)
}
