//! The islands: Rust to WebAssembly, its JavaScript side, made small.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::fingerprint;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm-release";

/// Builds the islands into `server/pkg`, from where the server embeds them.
pub(crate) fn build(root: &Path, force: bool) -> Result<()> {
    let pkg = root.join("server/pkg");
    let stamp = pkg.join("sources.sha256");
    let sources = fingerprint::of_islands(root).context("the islands' sources")?;
    if !force && fs::read_to_string(&stamp).is_ok_and(|known| known.trim() == sources) {
        println!("islands: current");
        return Ok(());
    }
    ensure!(target_installed()?, "Rust cannot build for browsers yet: rustup target add {TARGET}");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo).current_dir(root).args([
        "build",
        "--package=browser",
        "--lib",
        &format!("--profile={PROFILE}"),
        &format!("--target={TARGET}"),
    ]))?;

    let work = root.join("target/islands");
    fs::create_dir_all(&work)?;
    let raw = root.join("target").join(TARGET).join(PROFILE).join("browser.wasm");
    Bindgen::new()
        .input_path(&raw)
        .web(true)?
        .typescript(false)
        .out_name("app")
        .generate(&work)
        .context("wasm-bindgen")?;
    let bound = work.join("app_bg.wasm");
    let before = fs::metadata(&bound)?.len();
    let small = shrink(root, &work)?;

    // The stamp goes first and comes last: whatever stops this in between, no
    // server takes half of it for islands of these sources.
    remove(&stamp)?;
    fs::copy(&small, pkg.join("app_bg.wasm"))?;
    fs::copy(work.join("app.js"), pkg.join("app.js"))?;
    let after = fs::metadata(&small)?.len();
    ensure!(
        sources == fingerprint::of_islands(root)?,
        "the sources changed while the islands were built: run it again"
    );
    fs::write(&stamp, format!("{sources}\n"))?;
    println!("islands: {} KB, {} KB before wasm-opt", after / 1000, before / 1000);
    Ok(())
}

/// Runs npm's `wasm-opt` over the file, if it is installed. Plain `-Oz`: with
/// `--all-features` Chromium refuses the result, and what Debian's own version
/// makes fails at run time, both without a word at build time.
fn shrink(root: &Path, work: &Path) -> Result<std::path::PathBuf> {
    let bound = work.join("app_bg.wasm");
    let tool = root.join("xtask/node_modules/.bin/wasm-opt");
    if !tool.exists() {
        println!("islands: wasm-opt is not installed (npm ci in xtask), so they stay larger");
        return Ok(bound);
    }
    let small = work.join("small.wasm");
    run(Command::new(tool).arg("-Oz").arg(&bound).arg("-o").arg(&small))?;
    Ok(small)
}

fn target_installed() -> Result<bool> {
    let output = Command::new("rustc")
        .args(["--print=target-libdir", "--target", TARGET])
        .output()
        .context("rustc does not run")?;
    let folder = String::from_utf8_lossy(&output.stdout);
    Ok(output.status.success() && Path::new(folder.trim()).exists())
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("{name} does not run"))?;
    if !status.success() {
        bail!("{name} ended with {status}");
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
