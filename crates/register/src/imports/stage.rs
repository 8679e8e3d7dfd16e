//! Reading a file by a mapping, without the register: everything that is decided by the
//! file alone. It costs processor time and no store, so callers run it off the reactor.

use domain::import::{self, Encoding, Mapping, Outcome, Reader, Table, Unreadable, mapping, profile::Profile};
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// What a file is, before anybody says what its columns mean.
#[derive(Debug, Clone)]
pub struct Looked {
    /// How it was encoded.
    pub encoding: Encoding,
    /// What stands between its cells.
    pub delimiter: char,
    /// Characters that were unreadable.
    pub damaged: usize,
    /// Its columns and rows.
    pub profile: Profile,
    /// The mapping that the header suggests.
    pub guess: Mapping,
    /// A file of refused rows, sent again.
    pub mended: bool,
    /// Columns of ours, which no fact comes from, by name.
    pub ours: Vec<String>,
}

/// A file, read row by row.
#[derive(Debug, Clone)]
pub struct Staged {
    /// Its name.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// How it was encoded.
    pub encoding: Encoding,
    /// Characters that were unreadable.
    pub damaged: usize,
    /// Rows passed over since they hold nothing at all.
    pub empty: usize,
    /// By which mapping it was read.
    pub mapping: Mapping,
    /// What became of each row, in order.
    pub outcomes: Vec<Outcome>,
}

fn unreadable(e: &Unreadable) -> Error {
    Error::field("/file", e.to_string())
}

/// Looks at a file: encoding, delimiter, columns, and what they probably mean.
pub fn look(file: &str, bytes: &[u8]) -> Result<Looked, Error> {
    let decoded = import::decode(bytes).map_err(|e| unreadable(&e))?;
    let table = Table::read(&decoded.text).map_err(|e| unreadable(&e))?;
    let profile = import::profile(&table).map_err(|e| unreadable(&e))?;
    let guess = import::guess(&profile, &mapping::source_of(file), |c| table.is_ours(c));
    let ours = table.header().iter().enumerate().filter(|(i, _)| table.is_ours(*i)).map(|(_, h)| h.clone()).collect();
    Ok(Looked {
        encoding: decoded.encoding,
        delimiter: table.delimiter(),
        damaged: decoded.damaged,
        mended: table.is_mended(),
        profile,
        guess,
        ours,
    })
}

/// Reads a file by a mapping, whose source must be named.
pub fn stage(file: &str, bytes: &[u8], mapping: Mapping) -> Result<Staged, Error> {
    if mapping.source.trim().is_empty() {
        return Err(Error::field("/source", "Name the source: what this inventory is called."));
    }
    let decoded = import::decode(bytes).map_err(|e| unreadable(&e))?;
    let table = Table::read(&decoded.text).map_err(|e| unreadable(&e))?;
    let mut outcomes = Vec::new();
    let mut rows = table.rows();
    {
        let mut reader = Reader::new(&mapping, &table).map_err(|e| Error::field("/mapping", e))?;
        for record in rows.by_ref() {
            if outcomes.len() == import::MAX_ROWS {
                return Err(unreadable(&Unreadable::TooManyRows));
            }
            outcomes.push(reader.take(&record));
        }
    }
    if let Some(trouble) = rows.trouble() {
        return Err(unreadable(&trouble));
    }
    if outcomes.is_empty() {
        return Err(unreadable(&Unreadable::NoRows));
    }
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    Ok(Staged {
        file: name.chars().filter(|c| !c.is_control()).take(200).collect(),
        sha256: hex::encode(Sha256::digest(bytes)),
        encoding: decoded.encoding,
        damaged: decoded.damaged,
        empty: rows.empty(),
        mapping,
        outcomes,
    })
}
