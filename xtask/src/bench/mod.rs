//! `cargo xtask bench`: what a request costs, over estates of several sizes, beside the
//! limit of the same queries rendered by maud in a bare handler; and its budgets.
//!
//! Everything is measured in rounds that visit every server in turn, so that a slow minute
//! of the machine falls on all of them alike; of the rounds the median counts. The time of
//! the processor is the kernel's own count for the server's process, less what `/healthz`
//! costs, so that the load generator beside it does not matter.

mod client;
mod estate;
mod measure;
mod process;
mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use measure::{First, Page, Site};
use process::Server;

/// What is asked for, over and over. Growth is how much more time of the processor the
/// largest estate may cost than the smallest.
const PAGES: [Page; 12] = [
    Page { key: "inventory", path: "/agents", says: "inventory, 50 rows", growth: 1.2 },
    Page { key: "filtered", path: "/agents?runtime_owner=none", says: "inventory, `runtime_owner=none`", growth: 1.2 },
    Page { key: "rare", path: "/agents?q=1000", says: "search, a rare word", growth: 2.0 },
    Page { key: "common", path: "/agents?q=claims", says: "search, a common word", growth: 2.0 },
    Page { key: "absent", path: "/agents?q=zebra", says: "search, an absent word", growth: 2.0 },
    Page { key: "two", path: "/agents?q=tr", says: "search, two letters", growth: 2.0 },
    Page { key: "agent", path: "/agents/AG-500", says: "an agent's page", growth: 1.2 },
    Page { key: "home", path: "/", says: "home", growth: 1.2 },
    Page { key: "work", path: "/approvals", says: "what waits for one's decision", growth: 1.2 },
    Page { key: "late", path: "/approvals?view=escalated", says: "escalated decisions", growth: 1.2 },
    Page { key: "api", path: "/api/v1/agents", says: "list of the API", growth: 1.2 },
    Page {
        key: "past",
        path: "/api/v1/agents/AG-500/accountability",
        says: "who was accountable at a moment",
        growth: 1.2,
    },
];

/// How much more time of the processor saving a matrix may cost over the largest estate.
const SAVE_GROWTH: f64 = 1.2;
/// Matrices saved a round, each of another agent.
const SAVES: usize = 40;

/// Connections that ask at once.
const CONNECTIONS: usize = 16;
/// Sign-ins at once, before and after: each takes the memory that argon2 asks for. More of
/// one account at once than this, and the next must wait.
const SIGN_INS: usize = 5;

/// What the command line asks for.
struct Wish {
    sizes: Vec<usize>,
    rounds: usize,
    /// How long each page is asked for in each round.
    slice: Duration,
    profile: String,
    /// A look, not a record: nothing is written down.
    quick: bool,
}

impl Wish {
    fn parse(arguments: &[&str]) -> Result<Self> {
        let mut wish = Self {
            sizes: vec![1_000, 10_000, 100_000],
            rounds: 7,
            slice: Duration::from_millis(700),
            profile: "release".into(),
            quick: false,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match *argument {
                "--quick" => {
                    wish.quick = true;
                    wish.rounds = 2;
                    wish.slice = Duration::from_millis(300);
                }
                "--sizes" => {
                    let list = arguments.next().context("--sizes 1000,10000")?;
                    wish.sizes = list.split(',').map(str::parse).collect::<Result<_, _>>().context("--sizes")?;
                }
                "--profile" => (*arguments.next().context("--profile release or dist")?).clone_into(&mut wish.profile),
                other => bail!("bench does not know {other}: --sizes N,… --quick --profile P"),
            }
        }
        wish.sizes.sort_unstable();
        wish.sizes.dedup();
        if wish.sizes.first().is_none_or(|n| *n < 1_000) || wish.sizes.last().is_some_and(|n| *n > 1_000_000) {
            bail!("sizes are from 1000 to 1000000 agents");
        }
        Ok(wish)
    }
}

pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<()> {
    let wish = Wish::parse(arguments)?;
    let (muster, limit) = build(root, &wish.profile)?;
    let files = wish.sizes.iter().map(|n| estate::seeded(root, &muster, *n)).collect::<Result<Vec<_>>>()?;
    let folder = Folder::new(root)?;
    let mut sites = Vec::new();
    for (agents, file) in wish.sizes.iter().zip(files) {
        sites.push(site(&folder.0, &muster, &limit, *agents, &file)?);
    }
    for site in &sites {
        site.sign_in_at_once(SIGN_INS)?;
    }
    measure::rounds(&mut sites, &PAGES, wish.rounds, wish.slice, CONNECTIONS)?;
    measure::saves(&mut sites, wish.rounds, SAVES)?;
    for site in &sites {
        site.sign_in_at_once(SIGN_INS)?;
    }
    let first = First::load(sites.last().context("no size")?)?;
    let outcome = report::Report::of(&sites, &PAGES, &first)?;
    println!("{}", outcome.text());
    if wish.quick {
        println!("(quick: docs/benchmarks.md is left as it is)");
    } else {
        fs::write(root.join("docs/benchmarks.md"), outcome.document(root, &wish.profile, wish.rounds)?)?;
    }
    match outcome.missed() {
        0 => Ok(()),
        n => bail!("{n} of the budgets missed"),
    }
}

/// The islands, the server and the limit, from one tree.
fn build(root: &Path, profile: &str) -> Result<(PathBuf, PathBuf)> {
    crate::wasm::build(root, false)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--profile", profile, "--bin", "muster", "--example", "limit"])
        .status()
        .context("cargo does not run")?;
    if !status.success() {
        bail!("the server does not build");
    }
    let made = root.join("target").join(profile);
    Ok((made.join("muster"), made.join("examples/limit")))
}

/// Muster and the limit over one copy of an estate, and somebody signed in.
fn site(folder: &Path, muster: &Path, limit: &Path, agents: usize, seeded: &Path) -> Result<Site> {
    let file = folder.join(format!("{agents}.db"));
    fs::copy(seeded, &file)?;
    let url = format!("sqlite://{}", file.display());
    let serve = |address: &str| {
        ["serve", "--database", &url, "--listen", address].into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    // The start that counts is a second one: the first finds the file's pages cold.
    let log = folder.join(format!("{agents}.log"));
    let first = Server::start(muster, "/readyz", &log, serve)?;
    measure::decide(&first)?;
    drop(first);
    let server = Server::start(muster, "/readyz", &log, serve)?;
    let yardstick = Server::start(limit, "/healthz", &folder.join(format!("{agents}.limit.log")), |address| {
        vec![url.clone(), address.to_owned()]
    })?;
    Site::new(agents, server, yardstick)
}

/// A folder that is gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(root: &Path) -> Result<Self> {
        let folder = root.join("target/bench-runs").join(std::process::id().to_string());
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::Wish;

    #[test]
    fn a_wish_is_bounded() {
        assert_eq!(Wish::parse(&["--sizes", "5000,1000"]).unwrap().sizes, [1000, 5000]);
        assert!(Wish::parse(&["--sizes", "10"]).is_err());
        assert!(Wish::parse(&["--faster"]).is_err());
    }
}
