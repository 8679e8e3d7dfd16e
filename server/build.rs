//! Gathers what a browser loads (style sheet, fonts, icon, islands) and embeds
//! it, compressed, under one version, so that the binary serves from anywhere.
//!
//! Islands are taken from `server/pkg`, where `cargo xtask wasm` puts them. With
//! none there, or with some that were built from other sources, the server is
//! built without: every page works by plain links and forms.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

#[path = "../xtask/src/fingerprint.rs"]
mod fingerprint;

/// The style sheet's parts, in the order of the cascade.
const SHEETS: [&str; 4] = ["tokens.css", "base.css", "components.css", "pages.css"];

/// The islands' files and the hash of what they were built from.
const ISLANDS: [&str; 2] = ["app.js", "app_bg.wasm"];
const STAMP: &str = "sources.sha256";

struct File {
    /// As the browser asks for it, below `/pkg/{version}/`.
    path: String,
    bytes: Vec<u8>,
}

fn main() -> io::Result<()> {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(variable("OUT_DIR"));
    let root = here.join("..");
    for source in fingerprint::SOURCES {
        println!("cargo::rerun-if-changed=../{source}");
    }
    println!("cargo::rerun-if-changed=../style");
    println!("cargo::rerun-if-changed=../xtask/src/fingerprint.rs");
    println!("cargo::rerun-if-changed=pkg");
    println!("cargo::rerun-if-changed=build.rs");

    let mut files = style(&root.join("style"))?;
    let islands = islands(&root, &here.join("pkg"))?;
    let alive = !islands.is_empty();
    files.extend(islands);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    fs::write(out.join("assets.rs"), table(&files, alive, &out)?)
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is set by cargo for a build script"))
}

/// The one style sheet, and every other file of `style` under its own path.
fn style(folder: &Path) -> io::Result<Vec<File>> {
    let mut sheet = Vec::new();
    for part in SHEETS {
        match fs::read(folder.join(part)) {
            Ok(bytes) => sheet.extend_from_slice(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                println!("cargo::warning=style/{part} is missing: the pages will look plain");
            }
            Err(error) => return Err(error),
        }
    }
    let mut files = vec![File { path: "app.css".into(), bytes: sheet }];
    let mut found = Vec::new();
    fingerprint::gather(folder, &mut found)?;
    for path in found {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
        if mime(&name).is_some() && !SHEETS.contains(&name.as_str()) {
            files.push(File { path: name, bytes: fs::read(&path)? });
        }
    }
    Ok(files)
}

/// The islands, if they are there and were built from this tree.
fn islands(root: &Path, folder: &Path) -> io::Result<Vec<File>> {
    let Ok(stamp) = fs::read_to_string(folder.join(STAMP)) else {
        return Ok(Vec::new());
    };
    if stamp.trim() != fingerprint::of_islands(root)? {
        println!(
            "cargo::warning=the islands in server/pkg were built from other sources and are \
             left out: run `cargo xtask wasm`, or `./run`, to have them"
        );
        return Ok(Vec::new());
    }
    ISLANDS.iter().map(|name| Ok(File { path: (*name).into(), bytes: fs::read(folder.join(name))? })).collect()
}

/// The Rust source of the table that `src/assets.rs` includes.
fn table(files: &[File], islands: bool, out: &Path) -> io::Result<String> {
    let mut version = Sha256::new();
    let mut rows = String::new();
    for (index, file) in files.iter().enumerate() {
        let digest = hex(&Sha256::digest(&file.bytes));
        version.update(&file.path);
        version.update(&digest);
        let Some((mime, compressible)) = mime(&file.path) else {
            println!("cargo::warning={} is of no known type and is left out", file.path);
            continue;
        };
        let stem = format!("asset-{index}-{}", &digest[..16]);
        let plain = kept(out, &stem, "plain", || Ok(file.bytes.clone()))?;
        let (brotli, gzip) = if compressible {
            (
                format!("Some({})", kept(out, &stem, "br", || brotli(&file.bytes))?),
                format!("Some({})", kept(out, &stem, "gz", || gzip(&file.bytes))?),
            )
        } else {
            ("None".into(), "None".into())
        };
        let path = &file.path;
        writeln!(
            rows,
            "    Asset {{ path: {path:?}, mime: {mime:?}, plain: {plain}, brotli: {brotli}, gzip: {gzip} }},"
        )
        .map_err(io::Error::other)?;
    }
    let version = &hex(&version.finalize())[..12];
    Ok(format!(
        "const VERSION: &str = {version:?};\nconst ISLANDS: bool = {islands};\n\
         static ASSETS: &[Asset] = &[\n{rows}];\n"
    ))
}

/// Writes a file that is named by its content, unless it is there already (the
/// best brotli takes a while), and answers with the macro that embeds it.
fn kept(out: &Path, stem: &str, kind: &str, bytes: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<String> {
    let name = format!("{stem}.{kind}");
    let path = out.join(&name);
    if !path.exists() {
        fs::write(&path, bytes()?)?;
    }
    Ok(format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\"))"))
}

fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let settings = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut out, &settings)?;
    Ok(out)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// A file's media type, and whether compressing it gains anything.
fn mime(path: &str) -> Option<(&'static str, bool)> {
    Some(match path.rsplit_once('.')?.1 {
        "css" => ("text/css; charset=utf-8", true),
        "js" => ("text/javascript; charset=utf-8", true),
        "wasm" => ("application/wasm", true),
        "svg" => ("image/svg+xml", true),
        "woff2" => ("font/woff2", false),
        "png" => ("image/png", false),
        "ico" => ("image/x-icon", false),
        _ => return None,
    })
}
