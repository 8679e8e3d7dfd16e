//! Writing cells that a spreadsheet would otherwise run as formulas.

use std::borrow::Cow;

/// Whether a spreadsheet would run the cell.
pub fn would_run(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// The cell, with an apostrophe before it where a spreadsheet would run it. A cell that
/// only lacks our apostrophe to look so gets one too, so that taking it away again is exact.
pub fn neutral(cell: &str) -> Cow<'_, str> {
    if would_run(cell.trim_start_matches('\'')) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// The cell that [`neutral`] was given.
pub fn restored(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| would_run(rest.trim_start_matches('\''))).unwrap_or(cell)
}

/// Appends one row to a CSV text, each cell neutral and quoted where it must be.
pub fn write_row<'a>(out: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let cell = neutral(cell);
        if cell.contains([',', '"', '\n', '\r', '\t', ';', '|']) || cell.starts_with(' ') || cell.ends_with(' ') {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&cell);
        }
    }
    out.push_str("\r\n");
}
