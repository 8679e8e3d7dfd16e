//! From bytes to text: which encoding, and whether it is a table of text at all.

use std::borrow::Cow;

use super::MAX_BYTES;

crate::words! {
    /// In which encoding a file was written.
    pub enum Encoding {
        Utf8 = "utf-8", "UTF-8";
        Utf8Bom = "utf-8-bom", "UTF-8 with byte order mark";
        Utf16Le = "utf-16le", "UTF-16, little-endian";
        Utf16Be = "utf-16be", "UTF-16, big-endian";
        Windows1252 = "windows-1252", "Windows-1252";
    }
}

/// Why a file cannot be read as a table. Each is a sentence for whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No bytes, or nothing but blanks.
    #[error("The file is empty.")]
    Empty,
    /// More bytes than Muster takes.
    #[error("The file has {0} MiB; at most 64 MiB are taken. Send it in parts with the same source.")]
    TooLarge(usize),
    /// Another kind of file.
    #[error("This is {kind}, not a table of text. {instead}")]
    OtherKind {
        /// What it is.
        kind: &'static str,
        /// What to send instead.
        instead: &'static str,
    },
    /// Bytes that are no text in any encoding.
    #[error("This is not a table of text: it is full of control characters. Save the sheet as CSV and send that.")]
    Binary,
    /// A header and nothing below it.
    #[error("The file has a header and no rows.")]
    NoRows,
    /// A RACI table without a party.
    #[error("The table has one column. The first names the activities, and each party needs a column of its own.")]
    NoParties,
    /// Too many columns.
    #[error("The file has {0} columns; at most 2,000 are taken. Leave out those that no fact comes from.")]
    TooManyColumns(usize),
    /// Too many rows.
    #[error("The file has more than 200,000 rows. Send it in parts with the same source.")]
    TooManyRows,
    /// Quotes open all over the place and never close.
    #[error("Row {0} and others after it open a quote that never closes. Save the sheet as CSV again and send that.")]
    OpenQuotes(usize),
}

/// Text, and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text, without byte order mark.
    pub text: Cow<'a, str>,
    /// In which encoding it was.
    pub encoding: Encoding,
    /// How many characters were unreadable and became U+FFFD.
    pub damaged: usize,
}

const AS_CSV: &str = "Save the sheet as CSV and send that.";

/// What other kinds of file begin with.
const KINDS: &[(&[u8], &str, &str)] = &[
    (b"\x89PNG", "a PNG picture", "Send a CSV file."),
    (b"\xff\xd8\xff", "a JPEG picture", "Send a CSV file."),
    (b"GIF8", "a GIF picture", "Send a CSV file."),
    (b"%PDF", "a PDF document", AS_CSV),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook (.xlsx)", AS_CSV),
    (b"PK\x05\x06", "an empty ZIP archive", AS_CSV),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", AS_CSV),
    (b"\x1f\x8b", "a gzip archive", "Unpack it and send the CSV file inside."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it and send the CSV file inside."),
    (b"SQLite format 3", "a SQLite database", "Export the table as CSV and send that."),
    (b"\x7fELF", "a program", "Send a CSV file."),
    (b"PAR1", "a Parquet file", "Export the table as CSV and send that."),
    (b"{\\rtf", "a rich-text document", AS_CSV),
];

/// Reads bytes as text. A byte order mark decides; without one, zero bytes in every other
/// place mean UTF-16; what is valid UTF-8, or nearly all of it, is UTF-8; the rest is
/// Windows-1252, in which spreadsheets on Windows save.
pub fn decode(bytes: &[u8]) -> Result<Decoded<'_>, Unreadable> {
    if bytes.len() > MAX_BYTES {
        return Err(Unreadable::TooLarge(bytes.len().div_ceil(1024 * 1024)));
    }
    if let Some((_, kind, instead)) = KINDS.iter().find(|(magic, ..)| bytes.starts_with(magic)) {
        return Err(Unreadable::OtherKind { kind, instead });
    }
    let decoded = text(bytes);
    other_text(&decoded.text)?;
    Ok(decoded)
}

fn text(bytes: &[u8]) -> Decoded<'_> {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return utf8(rest, Encoding::Utf8Bom);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return utf16(rest, Encoding::Utf16Le);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        return utf16(rest, Encoding::Utf16Be);
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        return utf16(bytes, encoding);
    }
    if std::str::from_utf8(bytes).is_ok() || nearly_utf8(bytes) {
        return utf8(bytes, Encoding::Utf8);
    }
    let (text, ..) = encoding_rs::WINDOWS_1252.decode(bytes);
    Decoded { text, encoding: Encoding::Windows1252, damaged: 0 }
}

fn utf8(bytes: &[u8], encoding: Encoding) -> Decoded<'_> {
    let text = String::from_utf8_lossy(bytes);
    let damaged = match &text {
        Cow::Borrowed(_) => 0,
        Cow::Owned(t) => count_damage(t),
    };
    Decoded { text, encoding, damaged }
}

fn utf16(bytes: &[u8], encoding: Encoding) -> Decoded<'_> {
    let codec = if encoding == Encoding::Utf16Be { encoding_rs::UTF_16BE } else { encoding_rs::UTF_16LE };
    let (text, broken) = codec.decode_without_bom_handling(bytes);
    let damaged = if broken { count_damage(&text) } else { 0 };
    Decoded { text, encoding, damaged }
}

fn count_damage(text: &str) -> usize {
    text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count()
}

/// Text that is mostly of the Latin script has a zero byte in every other place.
fn utf16_without_mark(bytes: &[u8]) -> Option<Encoding> {
    let sample = &bytes[..bytes.len().min(4_000) & !1];
    if sample.len() < 4 {
        return None;
    }
    let (mut first, mut second) = (0, 0);
    for pair in sample.chunks_exact(2) {
        first += usize::from(pair[0] == 0);
        second += usize::from(pair[1] == 0);
    }
    let pairs = sample.len() / 2;
    if second * 10 >= pairs * 4 && first * 20 <= pairs {
        Some(Encoding::Utf16Le)
    } else if first * 10 >= pairs * 4 && second * 20 <= pairs {
        Some(Encoding::Utf16Be)
    } else {
        None
    }
}

/// A file of UTF-8 in which a few bytes broke: good sequences outnumber bad bytes. In
/// Windows-1252, a letter above ASCII is hardly ever followed by what UTF-8 demands.
fn nearly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().bytes().filter(|b| *b >= 0xc0).count();
        bad += chunk.invalid().len();
    }
    good > bad * 4
}

/// Other kinds of text, and bytes that only look like text.
fn other_text(text: &str) -> Result<(), Unreadable> {
    let start = text.trim_start();
    if start.is_empty() {
        return Err(Unreadable::Empty);
    }
    let head: String = start.chars().take(200).collect::<String>().to_ascii_lowercase();
    let squeezed: String = head.split_whitespace().collect();
    let kind = if head.starts_with("<!doctype html") || head.starts_with("<html") || head.starts_with("<head") {
        Some("a web page")
    } else if head.starts_with("<?xml") {
        Some("an XML document")
    } else if squeezed.starts_with("{\"") || squeezed.starts_with("[{") || squeezed.starts_with("[[") {
        Some("a JSON document")
    } else {
        None
    };
    if let Some(kind) = kind {
        return Err(Unreadable::OtherKind { kind, instead: "Export the table as CSV and send that." });
    }
    let (mut seen, mut control) = (0_usize, 0_usize);
    for c in text.chars().take(65_536) {
        seen += 1;
        control += usize::from(c.is_control() && !matches!(c, '\t' | '\n' | '\r'));
    }
    if control * 20 > seen { Err(Unreadable::Binary) } else { Ok(()) }
}
