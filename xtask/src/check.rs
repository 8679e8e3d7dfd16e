//! What no compiler holds: both engines' migrations, the arrows between rooms,
//! licences and attributions, locks, and the size of files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{fingerprint, licence};

/// Which room may name which; a room that is not here has not been thought of.
const ARROWS: [(&str, &[&str]); 7] = [
    ("domain", &[]),
    ("register", &["domain"]),
    ("app", &["domain"]),
    ("browser", &["app"]),
    ("server", &["app", "domain", "register"]),
    ("cluster", &[]),
    ("xtask", &["cluster"]),
];

/// What every room may use in its tests.
const IN_TESTS: [&str; 1] = ["cluster"];

/// A longer file is a hint, not a failure.
const LONG: usize = 500;

pub(crate) fn all(root: &Path) -> Result<()> {
    let metadata = metadata(root)?;
    let mut wrong = Vec::new();
    migrations(root, &mut wrong)?;
    arrows(&metadata, &mut wrong);
    crates(&metadata, &mut wrong);
    npm_locks(root, &mut wrong)?;
    attributions(root, &mut wrong)?;
    for hint in duplicates(&metadata).into_iter().chain(long_files(root)?) {
        println!("hint: {hint}");
    }
    if wrong.is_empty() {
        println!("checks: migrations, rooms, licences and locks are in order");
        return Ok(());
    }
    bail!("{} wrong:\n  {}", wrong.len(), wrong.join("\n  "));
}

/// What cargo knows of the workspace; fails when `Cargo.lock` is out of date.
fn metadata(root: &Path) -> Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root)
        .args(["metadata", "--locked", "--format-version=1"])
        .output()
        .context("cargo does not run")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Both engines have the same migrations, by number and name.
fn migrations(root: &Path, wrong: &mut Vec<String>) -> Result<()> {
    let names = |engine: &str| -> Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        let folder = root.join("migrations").join(engine);
        for entry in fs::read_dir(&folder).with_context(|| format!("migrations/{engine}"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|kind| kind == "sql") {
                names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
            }
        }
        Ok(names)
    };
    let (sqlite, postgres) = (names("sqlite")?, names("postgres")?);
    for name in sqlite.symmetric_difference(&postgres) {
        let engine = if sqlite.contains(name) { "sqlite" } else { "postgres" };
        wrong.push(format!("migrations: only {engine} has {name}"));
    }
    let mut numbers = BTreeSet::new();
    for name in &sqlite {
        let number = name.split('_').next().unwrap_or_default();
        if !numbers.insert(number) {
            wrong.push(format!("migrations: two have the number {number}"));
        }
    }
    Ok(())
}

/// A room's manifest names only the rooms that it may see.
fn arrows(metadata: &Value, wrong: &mut Vec<String>) {
    let allowed: BTreeMap<_, _> = ARROWS.into_iter().collect();
    for package in packages(metadata).filter(|package| package["source"].is_null()) {
        let room = text(package, "name");
        let Some(allowed) = allowed.get(room) else {
            wrong.push(format!("rooms: {room} is in no plan: add its arrows to xtask/src/check.rs"));
            continue;
        };
        for dependency in list(package, "dependencies") {
            let name = text(dependency, "name");
            let ours = !dependency["path"].is_null();
            let in_tests = dependency["kind"] == "dev" && IN_TESTS.contains(&name);
            if ours && !allowed.contains(&name) && !in_tests {
                wrong.push(format!("rooms: {room} may not name {name}"));
            }
        }
    }
}

/// Every crate comes from the registry under a licence we may build on, and the
/// WebAssembly's two halves are of one version.
fn crates(metadata: &Value, wrong: &mut Vec<String>) {
    let mut halves = BTreeMap::new();
    for package in packages(metadata).filter(|package| !package["source"].is_null()) {
        let name = text(package, "name");
        if !text(package, "source").starts_with("registry+") {
            wrong.push(format!("crates: {name} comes from outside the registry"));
        }
        let licence = text(package, "license");
        if !licence::allowed(licence) {
            wrong.push(format!("licences: {name} is under `{licence}`"));
        }
        if matches!(name, "wasm-bindgen" | "wasm-bindgen-cli-support") {
            halves.insert(name, text(package, "version"));
        }
    }
    let versions: BTreeSet<_> = halves.values().collect();
    if versions.len() > 1 {
        wrong.push(format!("crates: {halves:?} must be one version, pinned by `=` in both"));
    }
}

/// npm's locks name versions and licences, and no address to load from.
fn npm_locks(root: &Path, wrong: &mut Vec<String>) -> Result<()> {
    for folder in ["end2end", "xtask"] {
        let path = root.join(folder).join("package-lock.json");
        let bytes = fs::read(&path).with_context(|| format!("{folder}/package-lock.json"))?;
        let lock: Value = serde_json::from_slice(&bytes)?;
        let Some(packages) = lock["packages"].as_object() else {
            bail!("{folder}/package-lock.json names no packages");
        };
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            if !package["resolved"].is_null() {
                wrong.push(format!("locks: {folder}: {name} names where it came from"));
            }
            let licence = text(package, "license");
            if !licence::allowed(licence) {
                wrong.push(format!("licences: {folder}: {name} is under `{licence}`"));
            }
        }
    }
    Ok(())
}

/// Each catalogue that is built in is named in `NOTICE` by the line that its licence asks for, with
/// its licence and what was changed, and its files stay apart from ours.
fn attributions(root: &Path, wrong: &mut Vec<String>) -> Result<()> {
    let folder = root.join("crates/domain/data/frameworks");
    let notice = fs::read_to_string(root.join("NOTICE")).context("NOTICE")?;
    for entry in fs::read_dir(&folder).context("crates/domain/data/frameworks")? {
        let path = entry?.path();
        if path.extension().is_none_or(|kind| kind != "json") {
            continue;
        }
        let catalogue: Value = serde_json::from_slice(&fs::read(&path)?).with_context(|| path.display().to_string())?;
        let licence = &catalogue["licence"];
        for part in ["attribution", "url"] {
            let asked = text(licence, part);
            if !notice.contains(asked) {
                wrong.push(format!(
                    "licences: NOTICE does not say {asked:?}, which {} asks for",
                    text(&catalogue, "id")
                ));
            }
        }
    }
    Ok(())
}

/// Crates built more than once: each costs build time and size.
fn duplicates(metadata: &Value) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages(metadata) {
        versions.entry(text(package, "name")).or_default().insert(text(package, "version"));
    }
    let several: Vec<String> = versions
        .into_iter()
        .filter(|(_, versions)| versions.len() > 1)
        .map(|(name, versions)| format!("{name} {}", versions.into_iter().collect::<Vec<_>>().join("+")))
        .collect();
    if several.is_empty() {
        return Vec::new();
    }
    vec![format!("crates in several versions: {}", several.join(", "))]
}

/// Source files that have outgrown a few screens.
fn long_files(root: &Path) -> Result<Vec<String>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for room in ["app", "crates", "server", "style", "xtask/src", "end2end/tests"] {
        fingerprint::gather(&root.join(room), &mut files)?;
    }
    files.sort();
    let mut long = Vec::new();
    for file in files {
        let source = file.extension().is_some_and(|kind| kind == "rs" || kind == "css" || kind == "ts");
        let ours = !file.components().any(|part| part.as_os_str() == "node_modules");
        if !source || !ours {
            continue;
        }
        let lines = fs::read_to_string(&file)?.lines().count();
        if lines > LONG {
            let name = file.strip_prefix(root).unwrap_or(&file).display().to_string();
            long.push(format!("{name} has {lines} lines"));
        }
    }
    Ok(long)
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    list(metadata, "packages")
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value[key].as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
