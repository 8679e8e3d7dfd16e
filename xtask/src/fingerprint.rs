//! What the islands were built from, as one hash.
//!
//! An island's export name hashes its source, so a WebAssembly file from other
//! sources leaves islands dead, silently. `xtask` writes this hash beside the
//! islands; the server's build script, which shares this file, embeds them only
//! while the hash still holds.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The folders and files that go into the islands.
pub(crate) const SOURCES: [&str; 6] =
    ["app/src", "app/browser/src", "app/Cargo.toml", "crates/domain/src", "crates/domain/Cargo.toml", "Cargo.lock"];

/// The hash of every source file below the workspace `root`.
pub(crate) fn of_islands(root: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    for source in SOURCES {
        gather(&root.join(source), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file);
        hash.update(name.to_string_lossy().as_bytes());
        hash.update([0]);
        hash.update(Sha256::digest(fs::read(&file)?));
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat())
}

/// Every file at or below `path`; a path that is not there holds none.
pub(crate) fn gather(path: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            gather(&entry?.path(), into)?;
        }
    } else if path.is_file() {
        into.push(path.to_path_buf());
    }
    Ok(())
}
