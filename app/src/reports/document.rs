//! A report before it is shown: the same words and numbers become a page, a PDF and a table.

use chrono::NaiveDate;

use crate::components::Tone;

/// A report.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// What it is called.
    pub title: String,
    /// In a sentence, what it says.
    pub lead: String,
    /// Of which moment, from which Muster, and the like: beneath the title.
    pub notes: Vec<String>,
    /// Its parts.
    pub chapters: Vec<Chapter>,
}

/// A part of a report.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chapter {
    /// Letters and dashes, once in a report.
    pub id: &'static str,
    /// What it is called.
    pub title: String,
    /// What it holds.
    pub blocks: Vec<Block>,
}

impl Chapter {
    /// An empty part.
    pub fn new(id: &'static str, title: impl Into<String>) -> Self {
        Self { id, title: title.into(), blocks: Vec::new() }
    }

    /// With one more block.
    #[must_use]
    pub fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }
}

/// What a chapter holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A paragraph.
    Words(String),
    /// What is known, line by line.
    Facts(Vec<(String, Cell)>),
    /// A table, or what is said where it has no row.
    Table {
        /// What it is called, for a screen reader.
        title: String,
        /// Its columns.
        columns: Vec<Column>,
        /// Its rows; each has a cell for each column.
        rows: Vec<Vec<Cell>>,
        /// Said instead when there is no row.
        empty: String,
    },
    /// Parts of a whole, the worst first.
    Bar {
        /// What is shown.
        title: String,
        /// The parts.
        parts: Vec<Part>,
    },
    /// How a number went, day by day; days that were not recorded are not there.
    Trend {
        /// What is shown.
        title: String,
        /// In words: "from 31 to 12 in 30 days".
        words: String,
        /// The days, the oldest first.
        days: Vec<(NaiveDate, i64)>,
        /// How good or bad the last is.
        tone: Tone,
    },
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its head.
    pub title: String,
    /// Holds numbers.
    pub number: bool,
}

/// Columns of words.
pub fn columns<const N: usize>(titles: [&str; N]) -> Vec<Column> {
    titles.into_iter().map(|title| Column { title: title.to_owned(), number: false }).collect()
}

/// Columns whose first is words, and the others numbers.
pub fn figures<const N: usize>(titles: [&str; N]) -> Vec<Column> {
    titles.into_iter().enumerate().map(|(at, title)| Column { title: title.to_owned(), number: at > 0 }).collect()
}

/// A cell, or the value of a fact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// Where the rows behind it are; empty for none.
    pub href: String,
    /// How good or bad.
    pub tone: Option<Tone>,
}

impl Cell {
    /// Leads to the rows behind it.
    #[must_use]
    pub fn to(mut self, href: impl Into<String>) -> Self {
        self.href = href.into();
        self
    }

    /// Good or bad.
    #[must_use]
    pub const fn toned(mut self, tone: Tone) -> Self {
        self.tone = Some(tone);
        self
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// A part of a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Read as.
    pub label: String,
    /// How many.
    pub count: u64,
    /// The rows behind it.
    pub href: String,
    /// How good or bad.
    pub tone: Tone,
}
