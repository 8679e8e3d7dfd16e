//! Any published RACI table, checked: the first column names activities, the others are
//! parties. Nothing is looked up; a party is whatever the heading says.

use std::borrow::Cow;

use super::letters::letters;
use crate::assignment::RaciRole;
use crate::import::encoding::{Unreadable, decode};
use crate::import::table::{Record, Table};

crate::words! {
    /// What a row of a RACI table may break.
    pub enum Rule {
        /// Nobody answers for it.
        NoAccountable = "no A", "nobody is Accountable";
        /// More than one party answers for it, so that none does.
        SeveralAccountable = "several A", "more than one party is Accountable";
        /// Nobody does the work.
        NoResponsible = "no R", "nobody is Responsible";
        /// Something that is none of the letters.
        UnknownLetter = "unknown letter", "a letter other than R, A, C and I";
        /// The row cannot be cut into cells.
        Unreadable = "unreadable", "the row cannot be read";
    }
}

/// One rule that one row breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The row, as a spreadsheet counts: the heading is row 1.
    pub row: usize,
    /// What the row is about, as its first cell says; may be empty.
    pub activity: String,
    /// Which rule.
    pub rule: Rule,
    /// Who or what breaks it; may be empty.
    pub detail: String,
}

impl Violation {
    /// The row by its number and its activity.
    pub fn subject(&self) -> String {
        if self.activity.is_empty() {
            format!("row {}", self.row)
        } else {
            format!("row {} “{}”", self.row, self.activity)
        }
    }

    /// The rule with who or what breaks it.
    pub fn sentence(&self) -> String {
        match self.rule {
            Rule::NoAccountable => "no A: nobody is Accountable".to_owned(),
            Rule::SeveralAccountable => format!("several A: {} are Accountable, and only one may be", self.detail),
            Rule::NoResponsible => "no R: nobody is Responsible".to_owned(),
            Rule::UnknownLetter => format!("unknown letter: {}", self.detail),
            Rule::Unreadable => format!("unreadable: {}", self.detail),
        }
    }
}

/// A table that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// How many activities it has.
    pub rows: usize,
    /// The parties, as its heading names them.
    pub parties: Vec<String>,
    /// Every rule that a row breaks, in the order of the rows.
    pub violations: Vec<Violation>,
    /// What its first column is called.
    pub activity_heading: String,
}

impl Checked {
    /// How often a rule is broken.
    pub fn count(&self, rule: Rule) -> usize {
        self.violations.iter().filter(|v| v.rule == rule).count()
    }

    /// How many rows break a rule.
    pub fn rows_in_breach(&self) -> usize {
        let mut rows: Vec<usize> = self.violations.iter().map(|v| v.row).collect();
        rows.dedup();
        rows.len()
    }
}

/// Most violations of one row that are named: letters beyond make no reader wiser.
const UNKNOWN_NAMED: usize = 10;
/// Longest activity that is repeated, in characters.
const ACTIVITY_MAX: usize = 120;

/// Checks a table from its bytes: encoding and delimiter are found.
pub fn check_bytes(bytes: &[u8]) -> Result<Checked, Unreadable> {
    check(&decode(bytes)?.text)
}

/// Checks a table of text.
pub fn check(text: &str) -> Result<Checked, Unreadable> {
    let table = Table::read(text)?;
    let header = table.header();
    if header.len() < 2 {
        return Err(Unreadable::NoParties);
    }
    let mut out =
        Checked { rows: 0, parties: header[1..].to_vec(), violations: Vec::new(), activity_heading: header[0].clone() };
    let mut rows = table.rows();
    for record in rows.by_ref() {
        out.rows += 1;
        if out.rows > crate::import::MAX_ROWS {
            return Err(Unreadable::TooManyRows);
        }
        row(&table, &record, &mut out);
    }
    if let Some(trouble) = rows.trouble() {
        return Err(trouble);
    }
    if out.rows == 0 {
        return Err(Unreadable::NoRows);
    }
    Ok(out)
}

fn row(table: &Table<'_>, record: &Record<'_>, out: &mut Checked) {
    let cells: Vec<Cow<'_, str>> = if record.surplus.is_some() {
        // Parties without a heading count too.
        table.cells(record.raw).into_iter().map(Cow::Owned).collect()
    } else {
        record.cells.clone()
    };
    let activity = match cells.first() {
        Some(cell) if !record.open_quote => one_line(cell),
        _ => String::new(),
    };
    let mut broken = |rule, detail: String| {
        out.violations.push(Violation { row: record.row, activity: activity.clone(), rule, detail });
    };
    if record.open_quote {
        broken(Rule::Unreadable, "a quote opens in it and never closes".to_owned());
        return;
    }
    let party = |at: usize| table.header().get(at).cloned().unwrap_or_else(|| format!("column {}", at + 1));
    let (mut accountable, mut responsible, mut unknown) = (Vec::new(), false, Vec::new());
    for (at, cell) in cells.iter().enumerate().skip(1) {
        let found = letters(cell);
        if found.has(RaciRole::Accountable) {
            accountable.push(party(at));
        }
        responsible |= found.has(RaciRole::Responsible);
        unknown.extend(found.unknown.into_iter().map(|word| format!("“{word}” ({})", party(at))));
    }
    match accountable.len() {
        0 => broken(Rule::NoAccountable, String::new()),
        1 => {}
        _ => broken(Rule::SeveralAccountable, list(&accountable)),
    }
    if !responsible {
        broken(Rule::NoResponsible, String::new());
    }
    for word in unknown.into_iter().take(UNKNOWN_NAMED) {
        broken(Rule::UnknownLetter, word);
    }
}

fn list(parties: &[String]) -> String {
    match parties {
        [] => String::new(),
        [one] => one.clone(),
        [many @ .., last] => format!("{} and {last}", many.join(", ")),
    }
}

fn one_line(cell: &str) -> String {
    let plain: String = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(ACTIVITY_MAX).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> Vec<String> {
        check(text).unwrap().violations.iter().map(|v| format!("{}: {}", v.subject(), v.rule)).collect()
    }

    #[test]
    fn only_what_breaks_a_rule_is_named() {
        let text = "Activity,Business,Platform,Security\n\
            Define purpose,A/R,c,I\n\
            Deploy, a , R,\n\
            Stop it,,R,C\n\
            Review,A,,A\n\
            Rotate keys,I,\"C, I\",\"A, R\"\n\
            Approve,A,X,r\n\
            ,,,\n\
            Nobody,-,,n/a\n";
        assert_eq!(
            told(text),
            [
                "row 4 “Stop it”: no A",
                "row 5 “Review”: several A",
                "row 5 “Review”: no R",
                "row 7 “Approve”: unknown letter",
                "row 9 “Nobody”: no A",
                "row 9 “Nobody”: no R",
            ]
        );
        let checked = check(text).unwrap();
        assert_eq!((checked.rows, checked.parties.len(), checked.rows_in_breach()), (7, 3, 4));
        assert_eq!(
            checked.violations[1].sentence(),
            "several A: Business and Security are Accountable, and only one may be"
        );
        assert_eq!(checked.count(Rule::NoResponsible), 2);
    }

    #[test]
    fn encodings_and_delimiters_are_found() {
        let utf16: Vec<u8> = std::iter::once(0xfeff_u16)
            .chain("Tâche;A;B\nArrêter;A;R\n".encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let checked = check_bytes(&utf16).unwrap();
        assert_eq!((checked.rows, checked.violations.len()), (1, 0));
        assert_eq!(told("Task\tOne\tTwo\r\nRun\tA, R\tC, I\r\n"), Vec::<String>::new());
        assert_eq!(told("Task|One\nRun|R\n"), ["row 2 “Run”: no A"]);
        assert_eq!(check_bytes(b""), Err(Unreadable::Empty));
        assert!(matches!(check_bytes(b"%PDF-1.7"), Err(Unreadable::OtherKind { .. })));
        assert_eq!(check("Activity,One\n"), Err(Unreadable::NoRows));
        assert_eq!(check("Activity\nRun\n"), Err(Unreadable::NoParties));
    }

    #[test]
    fn ragged_rows_are_read_and_open_quotes_told() {
        assert_eq!(
            told("Task,One,Two\nRun,A\nWalk,A,,R\nRest,A,C,R,A\n"),
            ["row 2 “Run”: no R", "row 4 “Rest”: several A"]
        );
        assert_eq!(told("Task,One\nRun,A/R\n\"Walk,A\nRest,R/A\n"), ["row 3: unreadable"]);
    }

    proptest! {
        /// A table that is written from letters says exactly what a naive count says.
        #[test]
        fn a_naive_count_agrees(rows in prop::collection::vec(prop::collection::vec("[RACI]?", 3), 1..20)) {
            let mut text = "Activity,P,Q,S\n".to_owned();
            for (i, cells) in rows.iter().enumerate() {
                text.push_str(&format!("Task {i},{}\n", cells.join(",")));
            }
            let checked = check(&text).unwrap();
            prop_assert_eq!(checked.rows, rows.len());
            let count = |letter: &str, test: &dyn Fn(usize) -> bool| {
                rows.iter().filter(|r| test(r.iter().filter(|c| *c == letter).count())).count()
            };
            prop_assert_eq!(checked.count(Rule::NoAccountable), count("A", &|n| n == 0));
            prop_assert_eq!(checked.count(Rule::SeveralAccountable), count("A", &|n| n > 1));
            prop_assert_eq!(checked.count(Rule::NoResponsible), count("R", &|n| n == 0));
        }

        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = check_bytes(&bytes);
        }
    }
}
