//! Checking an exported file: needs neither a database nor Muster's own machine.

use std::io::{BufRead, Read};

use domain::record::{Break, Chain, Event, Head};

use super::verify::{Broken, Verified};
use crate::db::DbError;
use crate::error::Error;

/// The longest line that is read: a file without line ends is refused, not swallowed.
const LONGEST: u64 = 64 << 20;

/// Checks an exported file event by event, in constant memory. `start` is the head before
/// its first event, for an extract that does not begin at 1; `expected` a head exported
/// earlier, which the file must contain.
pub fn verify_file(mut reader: impl BufRead, start: Option<Head>, expected: Option<Head>) -> Result<Verified, Broken> {
    let start = start.unwrap_or_default();
    if let Some(e) = &expected
        && e.seq < start.seq
    {
        let why = format!(
            "The head is event {}, before the extract's start at {}; this file cannot show it.",
            e.seq, start.seq
        );
        return Err(Broken::Failed(Error::Conflict(why)));
    }
    let first = start.seq;
    let mut chain = Chain::after(start).through(expected);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = reader.by_ref().take(LONGEST).read_until(b'\n', &mut line).map_err(unreadable)?;
        if read == 0 {
            break;
        }
        let bad = |why: String| Broken::Link(Break::NotAnEvent { line: number, why });
        if !line.ends_with(b"\n") && read as u64 == LONGEST {
            return Err(bad("it is longer than any event".to_owned()));
        }
        let text = std::str::from_utf8(&line).map_err(|_| bad("it is not UTF-8 text".to_owned()))?;
        let text = text.strip_prefix('\u{feff}').filter(|_| number == 1).unwrap_or(text).trim_ascii();
        if text.is_empty() {
            continue;
        }
        let event: Event = serde_json::from_str(text).map_err(|e| bad(e.to_string()))?;
        chain.take(&event)?;
    }
    let head = chain.end()?;
    Ok(Verified { events: head.seq - first, rows: 0, head })
}

fn unreadable(e: std::io::Error) -> Broken {
    Broken::Failed(Error::Store(DbError::Url(format!("the file could not be read: {e}"))))
}
