//! Refused rows as a file: each with its reason, to be mended and sent again.

use std::collections::HashMap;

use domain::import::neutral::write_row;
use domain::import::{self, KEY_COLUMN, REASON_COLUMN, Table};

use super::plan::{Fate, Plan};
use crate::error::Error;

/// The refused rows of a file with the reason and the key of each before the file's own
/// columns, so that cells beyond the header still have a place. UTF-8 with byte order
/// mark, which spreadsheets ask for; cells that would run as formulas are made neutral.
pub fn refused_csv(bytes: &[u8], plan: &Plan) -> Result<String, Error> {
    let why: HashMap<usize, (&str, &str)> = plan
        .lines
        .iter()
        .filter_map(|l| match &l.fate {
            Fate::Refused { reason } => Some((l.row, (reason.as_str(), l.key.as_str()))),
            _ => None,
        })
        .collect();
    let unreadable = |e: import::Unreadable| Error::field("/file", e.to_string());
    let decoded = import::decode(bytes).map_err(unreadable)?;
    let table = Table::read(&decoded.text).map_err(unreadable)?;
    let mut out = String::from("\u{feff}");
    let own = |i: &usize| !table.is_ours(*i);
    let header = table.header().iter().enumerate().filter(|(i, _)| own(i)).map(|(_, h)| h.as_str());
    write_row(&mut out, [REASON_COLUMN, KEY_COLUMN].into_iter().chain(header));
    for record in table.rows() {
        let Some((reason, key)) = why.get(&record.row) else { continue };
        let cells = if record.open_quote { vec![record.raw.to_owned()] } else { table.cells(record.raw) };
        let cells = cells.iter().enumerate().filter(|(i, _)| own(i)).map(|(_, c)| c.as_str());
        write_row(&mut out, [*reason, *key].into_iter().chain(cells));
    }
    Ok(out)
}
