//! From text to rows: the delimiter found, quotes respected, ragged rows kept apart.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::encoding::Unreadable;
use super::{KEY_COLUMN, MAX_COLUMNS, REASON_COLUMN};
use crate::text::fold;

/// What may stand between cells, likeliest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Quotes that open and never close, beyond which the file is refused.
const MOST_OPEN_QUOTES: usize = 20;

/// A table of text: its header, and where its rows begin.
#[derive(Debug, Clone)]
pub struct Table<'a> {
    text: &'a str,
    body: usize,
    first_row: usize,
    delimiter: u8,
    header: Vec<String>,
    reason: Option<usize>,
    key: Option<usize>,
}

/// One row, as a spreadsheet counts: the header is row 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number.
    pub row: usize,
    /// One cell for each column of the header; missing ones are empty.
    pub cells: Vec<Cow<'a, str>>,
    /// How many cells the row has.
    pub given: usize,
    /// What stood in the first cell beyond the header that was not empty.
    pub surplus: Option<String>,
    /// A quote opened in this row and never closed.
    pub open_quote: bool,
    /// The row as it stands in the file.
    pub raw: &'a str,
}

impl Record<'_> {
    /// Why the row cannot be taken, if it cannot.
    pub fn refusal(&self) -> Option<String> {
        if self.open_quote {
            return Some("A quote opens in this row and never closes, so that its cells cannot be told apart.".into());
        }
        let columns = self.cells.len();
        self.surplus.as_ref().map(|extra| {
            format!(
                "The row has {} cells and the header {columns} columns; the cells beyond hold “{extra}”.",
                self.given
            )
        })
    }
}

impl<'a> Table<'a> {
    /// Finds the delimiter and reads the header.
    pub fn read(text: &'a str) -> Result<Self, Unreadable> {
        let mut start = 0;
        let mut row = 1;
        let mut delimiter = None;
        // Excel's own hint, in a line before the header.
        if let Some(rest) = text.strip_prefix("sep=")
            && let Some(&d) = rest.as_bytes().first()
            && DELIMITERS.contains(&d)
            && (rest.len() == 1 || matches!(rest.as_bytes().get(1), Some(b'\r' | b'\n')))
        {
            delimiter = Some(d);
            start = cut(text, 0, b'\n', &mut Cells::none()).next;
            row += 1;
        }
        let delimiter = delimiter.unwrap_or_else(|| find_delimiter(&text[start..]));
        loop {
            if start >= text.len() {
                return Err(Unreadable::Empty);
            }
            let mut cells = Cells::upto(MAX_COLUMNS);
            let end = cut(text, start, delimiter, &mut cells);
            start = end.next;
            row += 1;
            if end.open_quote {
                return Err(Unreadable::OpenQuotes(row - 1));
            }
            if cells.blank() {
                continue;
            }
            // Empty names at the end are the spreadsheet's margin, not columns.
            let named = cells.last_filled.map_or(0, |at| at + 1);
            if named > MAX_COLUMNS {
                return Err(Unreadable::TooManyColumns(named));
            }
            let header = header(&cells.kept[..named]);
            let find = |name: &str| header.iter().position(|h| h == name);
            return Ok(Self {
                text,
                body: start,
                first_row: row,
                delimiter,
                reason: find(REASON_COLUMN),
                key: find(KEY_COLUMN),
                header,
            });
        }
    }

    /// The columns, each with a name of its own.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// What stands between cells.
    pub fn delimiter(&self) -> char {
        char::from(self.delimiter)
    }

    /// Where the key of a mended row stands, in a file of refused rows.
    pub fn key_column(&self) -> Option<usize> {
        self.key
    }

    /// Whether the column is one of ours, which no fact comes from.
    pub fn is_ours(&self, column: usize) -> bool {
        self.reason == Some(column) || self.key == Some(column)
    }

    /// Whether this is a file of refused rows, sent again.
    pub fn is_mended(&self) -> bool {
        self.reason.is_some()
    }

    /// Every row that has a cell with something in it, in order.
    pub fn rows(&self) -> Rows<'a> {
        Rows {
            text: self.text,
            at: self.body,
            row: self.first_row,
            delimiter: self.delimiter,
            columns: self.header.len(),
            mended: self.is_mended(),
            open_quotes: 0,
            empty: 0,
        }
    }

    /// The cells of a row as it stands in the file, those beyond the header included.
    pub fn cells(&self, raw: &str) -> Vec<String> {
        let mut cells = Cells::upto(MAX_COLUMNS * 5);
        cut(raw, 0, self.delimiter, &mut cells);
        cells.kept.into_iter().map(|c| restore(c, self.is_mended()).into_owned()).collect()
    }
}

/// Goes through the rows of a table. It ends early only when quotes open and never close
/// again and again: then [`Rows::trouble`] says so.
#[derive(Debug, Clone)]
pub struct Rows<'a> {
    text: &'a str,
    at: usize,
    row: usize,
    delimiter: u8,
    columns: usize,
    mended: bool,
    open_quotes: usize,
    empty: usize,
}

impl Rows<'_> {
    /// Rows passed over since they hold nothing at all.
    pub fn empty(&self) -> usize {
        self.empty
    }

    /// Why the rows ended before the file did.
    pub fn trouble(&self) -> Option<Unreadable> {
        (self.open_quotes > MOST_OPEN_QUOTES).then_some(Unreadable::OpenQuotes(self.row))
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        while self.at < self.text.len() && self.open_quotes <= MOST_OPEN_QUOTES {
            let start = self.at;
            let mut cells = Cells::upto(self.columns);
            let end = cut(self.text, start, self.delimiter, &mut cells);
            let row = self.row;
            self.row += 1;
            if end.open_quote {
                // Everything to the end would be one cell. So this line alone is in
                // trouble, and reading goes on with the next.
                self.open_quotes += 1;
                let line = line_end(self.text, start);
                self.at = line.1;
                let mut kept: Vec<Cow<'a, str>> = vec![Cow::Borrowed(""); self.columns];
                if let Some(first) = kept.first_mut() {
                    *first = Cow::Borrowed(&self.text[start..line.0]);
                }
                return Some(Record {
                    row,
                    cells: kept,
                    given: 1,
                    surplus: None,
                    open_quote: true,
                    raw: &self.text[start..line.0],
                });
            }
            self.at = end.next;
            if cells.blank() {
                self.empty += 1;
                continue;
            }
            let mut kept = cells.kept;
            if self.mended {
                kept = kept.into_iter().map(|c| restore(c, true)).collect();
            }
            kept.resize(self.columns, Cow::Borrowed(""));
            return Some(Record {
                row,
                cells: kept,
                given: cells.count,
                surplus: cells.surplus,
                open_quote: false,
                raw: &self.text[start..end.stop],
            });
        }
        None
    }
}

/// Takes back what [`super::neutral`] put before a formula, in a file that we wrote.
fn restore(cell: Cow<'_, str>, mended: bool) -> Cow<'_, str> {
    match cell {
        Cow::Borrowed(s) if mended => Cow::Borrowed(super::neutral::restored(s)),
        Cow::Owned(s) if mended => Cow::Owned(super::neutral::restored(&s).to_owned()),
        cell => cell,
    }
}

/// The cells of one row; those beyond the limit are counted, not kept.
struct Cells<'a> {
    kept: Vec<Cow<'a, str>>,
    limit: usize,
    count: usize,
    last_filled: Option<usize>,
    surplus: Option<String>,
}

impl<'a> Cells<'a> {
    fn upto(limit: usize) -> Self {
        Self { kept: Vec::with_capacity(limit.min(64)), limit, count: 0, last_filled: None, surplus: None }
    }

    fn none() -> Self {
        Self::upto(0)
    }

    fn push(&mut self, cell: Cow<'a, str>) {
        let filled = !cell.trim().is_empty();
        if filled {
            self.last_filled = Some(self.count);
        }
        if self.count < self.limit {
            self.kept.push(cell);
        } else if filled && self.surplus.is_none() {
            self.surplus = Some(cell.trim().chars().filter(|c| !c.is_control()).take(60).collect());
        }
        self.count += 1;
    }

    fn blank(&self) -> bool {
        self.last_filled.is_none()
    }
}

/// Where a row ends.
struct End {
    /// Where its text ends.
    stop: usize,
    /// Where the next row begins.
    next: usize,
    /// A quote was still open at the end of the file.
    open_quote: bool,
}

/// Cuts one row into cells. A quote counts at the beginning of a cell only; inside, two
/// mean one; what follows a closing quote belongs to the cell as it stands.
fn cut<'a>(text: &'a str, start: usize, delimiter: u8, cells: &mut Cells<'a>) -> End {
    let bytes = text.as_bytes();
    let mut at = start;
    loop {
        let cell;
        if bytes.get(at) == Some(&b'"') {
            let from = at + 1;
            let mut owned: Option<String> = None;
            let mut since = from;
            at = from;
            let close = loop {
                let Some(found) = bytes[at..].iter().position(|b| *b == b'"') else {
                    return End { stop: text.len(), next: text.len(), open_quote: true };
                };
                at += found;
                if bytes.get(at + 1) == Some(&b'"') {
                    owned.get_or_insert_default().push_str(&text[since..=at]);
                    at += 2;
                    since = at;
                } else {
                    break at;
                }
            };
            at = close + 1;
            let tail = stop(bytes, at, delimiter);
            // A cell over several lines whose closing quote closes nothing: the quote
            // before it was never meant to reach this far.
            if tail != at && text[from..close].contains(['\n', '\r']) && !text[at..tail].trim().is_empty() {
                return End { stop: text.len(), next: text.len(), open_quote: true };
            }
            cell = match owned {
                None if tail == at => Cow::Borrowed(&text[from..close]),
                owned => {
                    let mut s = owned.unwrap_or_default();
                    s.push_str(&text[since..close]);
                    s.push_str(&text[at..tail]);
                    Cow::Owned(s)
                }
            };
            at = tail;
        } else {
            let end = stop(bytes, at, delimiter);
            cell = Cow::Borrowed(&text[at..end]);
            at = end;
        }
        cells.push(cell);
        match bytes.get(at) {
            Some(b) if *b == delimiter => at += 1,
            Some(b'\r') if bytes.get(at + 1) == Some(&b'\n') => {
                return End { stop: at, next: at + 2, open_quote: false };
            }
            Some(_) => return End { stop: at, next: at + 1, open_quote: false },
            None => return End { stop: at, next: at, open_quote: false },
        }
    }
}

fn stop(bytes: &[u8], from: usize, delimiter: u8) -> usize {
    bytes[from..]
        .iter()
        .position(|b| *b == delimiter || *b == b'\n' || *b == b'\r')
        .map_or(bytes.len(), |found| from + found)
}

fn line_end(text: &str, from: usize) -> (usize, usize) {
    let bytes = text.as_bytes();
    match bytes[from..].iter().position(|b| *b == b'\n' || *b == b'\r') {
        None => (text.len(), text.len()),
        Some(found) => {
            let end = from + found;
            let two = bytes[end] == b'\r' && bytes.get(end + 1) == Some(&b'\n');
            (end, end + 1 + usize::from(two))
        }
    }
}

/// The delimiter under which the first rows have as many cells as the header, and more
/// than one.
fn find_delimiter(text: &str) -> u8 {
    let mut best = (0, DELIMITERS[0]);
    for d in DELIMITERS {
        let (mut at, mut header, mut same, mut rows) = (0, 0, 0, 0);
        while at < text.len() && rows < 50 {
            let mut cells = Cells::none();
            let end = cut(text, at, d, &mut cells);
            at = end.next;
            if cells.blank() {
                continue;
            }
            if header == 0 {
                header = cells.count;
            }
            rows += 1;
            same += usize::from(cells.count == header && !end.open_quote);
        }
        if header > 1 && rows > 0 {
            let score = same * 10_000 / rows + header.min(999);
            if score > best.0 {
                best = (score, d);
            }
        }
    }
    best.1
}

/// Names of columns: cleaned, the nameless named, the repeated numbered.
fn header(cells: &[Cow<'_, str>]) -> Vec<String> {
    let mut seen: HashSet<String> = HashSet::new();
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut out = Vec::with_capacity(cells.len());
    for (at, cell) in cells.iter().enumerate() {
        let plain: String = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut name: String = plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
        if name.is_empty() {
            name = format!("Column {}", at + 1);
        }
        let mut unique = name.clone();
        if !seen.insert(fold(&unique)) {
            let n = numbers.entry(fold(&name)).or_insert(1);
            while !seen.insert(fold(&unique)) {
                *n += 1;
                unique = format!("{name} ({n})");
            }
        }
        out.push(unique);
    }
    out
}
