//! What stands in one cell of a RACI table.

use crate::assignment::RaciRole;

/// The letters of one cell, each once, and what is no letter of the matrix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letters {
    /// In the order in which they were written.
    pub roles: Vec<RaciRole>,
    /// As it was written.
    pub unknown: Vec<String>,
}

impl Letters {
    /// Whether the letter stands in the cell.
    pub fn has(&self, role: RaciRole) -> bool {
        self.roles.contains(&role)
    }

    /// As a cell is written: `A/R`.
    pub fn written(&self) -> String {
        self.roles.iter().map(|r| r.key()).collect::<Vec<_>>().join("/")
    }
}

/// Reads a cell: `R`, `A`, `R/A`, `C, I`, `ar`, `Accountable`, in either case and with any
/// spaces. A dash, an asterisk, `n/a` and nothing at all mean nothing.
pub fn letters(cell: &str) -> Letters {
    let mut out = Letters::default();
    let cell = cell.trim();
    if ["n/a", "na", "none"].iter().any(|nothing| cell.eq_ignore_ascii_case(nothing)) {
        return out;
    }
    for word in cell.split(separates).filter(|w| !w.is_empty()) {
        match read(word) {
            Some(roles) => {
                for role in roles {
                    if !out.roles.contains(&role) {
                        out.roles.push(role);
                    }
                }
            }
            None if word.eq_ignore_ascii_case("and") || word.eq_ignore_ascii_case("or") => {}
            None => out.unknown.push(word.chars().filter(|c| !c.is_control()).take(40).collect()),
        }
    }
    out
}

/// What stands between letters, or around them, and is none.
fn separates(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '/' | '\\' | ',' | ';' | '+' | '&' | '|' | '.' | ':' | '(' | ')' | '[' | ']' | '*' | '-' | '_')
        || matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{b7}' | '\u{2022}' | '\u{feff}' | '\u{200b}')
}

/// A letter, several run together, or the whole word.
fn read(word: &str) -> Option<Vec<RaciRole>> {
    let whole = |role: &RaciRole| word.eq_ignore_ascii_case(role.label());
    if let Some(role) = RaciRole::ALL.iter().find(|role| whole(role)) {
        return Some(vec![*role]);
    }
    if word.chars().count() > RaciRole::ALL.len() {
        return None;
    }
    word.chars().map(|c| RaciRole::ALL.iter().copied().find(|r| r.key().eq_ignore_ascii_case(&c.to_string()))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cells_as_people_write_them() {
        for (cell, written) in [
            ("R", "R"),
            (" a ", "A"),
            ("R/A", "R/A"),
            ("C, I", "C/I"),
            ("c;i", "C/I"),
            ("ra", "R/A"),
            ("R / R", "R"),
            ("**A**", "A"),
            ("(C)", "C"),
            ("accountable", "A"),
            ("Responsible and Informed", "R/I"),
            ("", ""),
            (" \u{a0}", ""),
            ("-", ""),
            ("—", ""),
            ("N/A", ""),
        ] {
            let found = letters(cell);
            assert_eq!((found.written().as_str(), found.unknown.len()), (written, 0), "{cell:?}");
        }
        for (cell, unknown) in [("X", "X"), ("R/S", "S"), ("A1", "A1"), ("?", "?"), ("maybe", "maybe"), ("Ä", "Ä")] {
            assert_eq!(letters(cell).unknown, [unknown], "{cell:?}");
        }
    }

    proptest! {
        #[test]
        fn any_cell_is_read(cell in ".{0,40}") {
            let found = letters(&cell);
            prop_assert!(found.roles.len() <= 4);
            let again = letters(&found.written());
            prop_assert_eq!(again.roles, found.roles);
            prop_assert!(again.unknown.is_empty());
        }
    }
}
