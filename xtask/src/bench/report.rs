//! What was found, held against the budgets, for the terminal and for the documentation.
#![expect(clippy::cast_precision_loss, reason = "counts of requests and bytes, far below 2^52")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::measure::{First, Page, Samples, Site};

/// A share of the limit's requests in a second.
const SHARE: f64 = 0.5;
/// Milliseconds of the processor for an inventory page.
const INVENTORY_CPU: f64 = 0.8;
/// Milliseconds that home stays below for 95 of 100.
const HOME_P95: f64 = 30.0;
/// Milliseconds that who was accountable at a moment stays below for 95 of 100.
const PAST_P95: f64 = 20.0;
/// Megabytes resident.
const RESIDENT: f64 = 150.0;
/// Seconds to the first answer.
const START: f64 = 1.0;
/// Kilobytes of the first page.
const FIRST: f64 = 300.0;

struct Line {
    says: String,
    found: f64,
    unit: &'static str,
    bound: f64,
    at_least: bool,
}

impl Line {
    fn holds(&self) -> bool {
        if self.at_least { self.found >= self.bound } else { self.found <= self.bound }
    }
}

pub(super) struct Report {
    budgets: Vec<Line>,
    table: String,
    parts: String,
}

impl Report {
    pub(super) fn of(sites: &[Site], pages: &[Page], first: &First) -> Result<Self> {
        let mut budgets = Vec::new();
        let mut most = |says: String, found: f64, unit: &'static str, bound: f64| {
            budgets.push(Line { says, found, unit, bound, at_least: false });
        };
        let (small, large) = (sites.first().context("no size")?, sites.last().context("no size")?);
        for site in sites {
            let n = thousands(site.agents);
            most(format!("inventory, {n} agents: processor"), samples(site, "inventory")?.cpu(), "ms", INVENTORY_CPU);
        }
        if small.agents < large.agents {
            for page in pages {
                let ratio = samples(large, page.key)?.cpu() / samples(small, page.key)?.cpu().max(1e-9);
                let says =
                    format!("{}: processor at {} over {}", page.says, thousands(large.agents), thousands(small.agents));
                most(says, ratio, "×", page.growth);
            }
        }
        if small.agents < large.agents {
            let says =
                format!("saving a matrix: processor at {} over {}", thousands(large.agents), thousands(small.agents));
            most(says, large.saving.cpu() / small.saving.cpu().max(1e-9), "×", super::SAVE_GROWTH);
        }
        let n = thousands(large.agents);
        most(
            format!("who was accountable, {n} agents: 95 of 100 below"),
            samples(large, "past")?.p95(),
            "ms",
            PAST_P95,
        );
        most(
            format!("what waits for one's decision, {n} agents: 95 of 100 below"),
            samples(large, "work")?.p95(),
            "ms",
            HOME_P95,
        );
        most(format!("home, {n} agents: 95 of 100 below"), samples(large, "home")?.p95(), "ms", HOME_P95);
        for site in sites {
            most(format!("resident, {} agents: most", thousands(site.agents)), megabytes(site.peak()?), "MB", RESIDENT);
        }
        most(format!("start over {n} agents"), large.server.started_in.as_secs_f64(), "s", START);
        most("first page with all it loads".into(), first.bytes() as f64 / 1e3, "kB", FIRST);
        for site in sites {
            for (key, best) in &site.at_best {
                let found = samples(site, key)?.rate() / best.rate().max(1e-9);
                let says = format!("{key}, {} agents: share of the limit's requests/s", thousands(site.agents));
                if *key == "inventory" {
                    budgets.push(Line { says, found, unit: "", bound: SHARE, at_least: true });
                }
            }
        }
        Ok(Self { budgets, table: table(sites, pages)?, parts: parts(first) })
    }

    pub(super) fn missed(&self) -> usize {
        self.budgets.iter().filter(|line| !line.holds()).count()
    }

    pub(super) fn text(&self) -> String {
        format!("\n{}\n{}\n{}", self.table, self.parts, self.budget_table())
    }

    fn budget_table(&self) -> String {
        let mut out = String::from("| budget | bound | found | |\n|---|---:|---:|---|\n");
        for line in &self.budgets {
            let sign = if line.at_least { "≥" } else { "≤" };
            let verdict = if line.holds() { "holds" } else { "**missed**" };
            let _ = writeln!(
                out,
                "| {} | {sign} {} {} | {} {} | {verdict} |",
                line.says,
                line.bound,
                line.unit,
                figure(line.found),
                line.unit
            );
        }
        out
    }

    /// The page of the documentation.
    pub(super) fn document(&self, root: &Path, profile: &str, rounds: usize) -> Result<String> {
        let said = |program: &str, arguments: &[&str]| -> Result<String> {
            let output = Command::new(program).current_dir(root).args(arguments).output().context("a version")?;
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let memory: f64 = memory
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:"))
            .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok())
            .unwrap_or_default();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(format!(
            "# Benchmarks\n\n\
             Written by `cargo xtask bench`, which seeds synthetic estates, serves them on loopback, and fails when a\n\
             budget is missed. `cargo xtask bench --quick` looks without writing.\n\n\
             Measured on {date}, commit {commit}: a virtual machine with {cores} cores ({arch}) and {memory:.0} GB, {system},\n\
             which the load generator shares; {rustc}, profile `{profile}`, SQLite. Medians of {rounds} rounds.\n\n\
             ## Budgets\n\n{budgets}\n\
             ## Pages\n\n{table}\n\
             How to read it:\n\n\
             - **CPU** is what a request costs in the server's process, by the kernel's count, less what `/healthz` costs.\n  \
               It is the figure to compare: the others shift with whatever else the machine does.\n\
             - **req/s**, **median** and **p95** are with 16 connections that ask again as soon as they are answered, and\n  \
               with the load generator on the same cores.\n\
             - **the limit** is `server/examples/limit.rs`: the session, the counts and the 50 rows by the same functions,\n  \
               written by maud in a bare axum handler, in the same rounds.\n\
             - Every page is asked for uncompressed; what a browser loads is counted compressed, below.\n\
             - Rounds visit every server in turn, so that a slow minute falls on all alike.\n\n\
             ## First page\n\n{parts}",
            date = said("date", &["-u", "+%F"])?,
            commit = said("git", &["rev-parse", "--short", "HEAD"])?,
            arch = std::env::consts::ARCH,
            memory = memory / 1024.0 / 1024.0,
            system = system(),
            rustc = said("rustc", &["--version"])?.split(" (").next().unwrap_or_default(),
            budgets = self.budget_table(),
            table = self.table,
            parts = self.parts,
        ))
    }
}

fn samples<'a>(site: &'a Site, key: &str) -> Result<&'a Samples> {
    site.found.get(key).with_context(|| format!("{key} was not measured"))
}

fn table(sites: &[Site], pages: &[Page]) -> Result<String> {
    let mut out =
        String::from("| page | agents | CPU ms | req/s | median ms | p95 ms |\n|---|---:|---:|---:|---:|---:|\n");
    let mut line = |says: &str, agents: usize, s: &Samples| {
        let _ = writeln!(
            out,
            "| {says} | {} | {:.3} | {:.0} | {:.1} | {:.1} |",
            thousands(agents),
            s.cpu(),
            s.rate(),
            s.middle(),
            s.p95()
        );
    };
    for page in pages {
        for site in sites {
            line(page.says, site.agents, samples(site, page.key)?);
        }
        for site in sites {
            if let Some(best) = site.at_best.get(page.key) {
                line(&format!("{}: the limit", page.says), site.agents, best);
            }
        }
    }
    for site in sites {
        line("saving a matrix, one at a time", site.agents, &site.saving);
    }
    Ok(out)
}

fn parts(first: &First) -> String {
    let mut out = String::from("| part of the first page | bytes over the wire |\n|---|---:|\n");
    for (path, bytes) in &first.parts {
        // Without the version, which every build changes.
        let name =
            path.strip_prefix("/pkg/").and_then(|path| path.split_once('/')).map_or(path.as_str(), |(_, name)| name);
        let _ = writeln!(out, "| {name} | {} |", thousands(*bytes));
    }
    let _ = writeln!(out, "| together | {} |", thousands(first.bytes()));
    out
}

fn system() -> String {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.map_or_else(|| std::env::consts::OS.to_owned(), |name| name.trim_matches('"').to_owned())
}

fn megabytes(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "megabytes, to one place")]
    let bytes = bytes as f64;
    bytes / 1e6
}

fn figure(value: f64) -> String {
    if value < 10.0 { format!("{value:.3}") } else { format!("{value:.1}") }
}

/// `100,000`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn numbers_are_read_in_groups() {
        assert_eq!([0, 999, 1000, 100_000].map(thousands), ["0", "999", "1,000", "100,000"]);
    }
}
