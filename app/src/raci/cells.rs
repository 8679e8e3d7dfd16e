//! The cells of a matrix as a form carries them; the browser's grid reads them the same way.

use domain::assignment::RaciRole;
use domain::duty::Duty;
use domain::party::{Party, Standing};
use domain::raci::{Letters, Seat, letters};
use serde::{Deserialize, Serialize};

/// A party of the matrix: one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Who.
    pub party: Party,
    /// By what name.
    pub name: String,
    /// Whether they can be Accountable.
    pub standing: Standing,
}

/// What one press after the other makes of a cell.
pub const CYCLE: [&str; 6] = ["", "R", "A", "R/A", "C", "I"];

/// The field of a cell.
pub fn cell_name(duty: Duty, party: Party) -> String {
    format!("cell-{duty}-{party}")
}

/// The cell of a field, if it is one.
pub fn cell_of(name: &str) -> Option<(Duty, Party)> {
    let name = name.strip_prefix("cell-")?;
    Duty::ALL.iter().find_map(|duty| {
        let party = name.strip_prefix(duty.key())?.strip_prefix('-')?;
        Some((*duty, party.parse().ok()?))
    })
}

/// Letters as a cell is written, always in the same order: `R/A`.
pub fn written(has: impl Fn(RaciRole) -> bool) -> String {
    RaciRole::ALL.iter().filter(|r| has(**r)).map(|r| r.key()).collect::<Vec<_>>().join("/")
}

/// A cell with one letter more, or less if it has it.
pub fn toggled(cell: &str, role: RaciRole) -> String {
    let had = letters(cell);
    written(|r| if r == role { !had.has(r) } else { had.has(r) })
}

/// What a press makes of a cell.
pub fn next(cell: &str) -> &'static str {
    let at = CYCLE.iter().position(|c| *c == cell).unwrap_or(CYCLE.len() - 1);
    CYCLE[(at + 1) % CYCLE.len()]
}

/// The letters in words: “Responsible and Accountable”.
pub fn words(cell: &str) -> String {
    let found = letters(cell);
    let words: Vec<&str> = RaciRole::ALL.iter().filter(|r| found.has(**r)).map(|r| r.label()).collect();
    if words.is_empty() { "empty".to_owned() } else { words.join(" and ") }
}

/// The matrix as it would be. An A that is on offer already does not hold yet while somebody
/// else is Accountable for the duty.
pub fn planned(cells: &[(Duty, Party, Letters)], columns: &[Column], offered: &[(Duty, Party)]) -> Vec<Seat> {
    let accountable =
        |duty: Duty| cells.iter().filter(move |(d, _, has)| *d == duty && has.has(RaciRole::Accountable)).count();
    let mut out = Vec::new();
    for (duty, party, has) in cells {
        let standing = columns.iter().find(|c| c.party == *party).map_or(Standing::Active, |c| c.standing);
        for &role in &has.roles {
            let waits = role == RaciRole::Accountable && offered.contains(&(*duty, *party)) && accountable(*duty) > 1;
            out.push(Seat { duty: *duty, role, party: *party, standing, accepted: !waits });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use domain::id::{PersonId, TeamId};

    use super::*;

    #[test]
    fn a_cell_is_found_by_its_field() {
        for duty in Duty::ALL {
            for party in [Party::Person(PersonId(7)), Party::Team(TeamId(12))] {
                assert_eq!(cell_of(&cell_name(*duty, party)), Some((*duty, party)));
            }
        }
        assert_eq!(cell_of("cell-purpose-AG-1"), None);
        assert_eq!(cell_of("cell-"), None);
    }

    #[test]
    fn presses_go_round_and_keys_add() {
        let mut cell = "";
        for expected in ["R", "A", "R/A", "C", "I", ""] {
            cell = next(cell);
            assert_eq!(cell, expected);
        }
        assert_eq!(next("C/I"), "");
        assert_eq!(toggled("A", RaciRole::Responsible), "R/A");
        assert_eq!(toggled("R/A", RaciRole::Accountable), "R");
        assert_eq!(words("R/A"), "Responsible and Accountable");
    }

    #[test]
    fn an_offer_waits_only_beside_an_owner() {
        let (ana, ben) = (Party::Person(PersonId(1)), Party::Person(PersonId(2)));
        let cell = |party| (Duty::Purpose, party, letters("A"));
        let offered = [(Duty::Purpose, ben)];
        let accepted = |cells: &[(Duty, Party, Letters)]| {
            planned(cells, &[], &offered).into_iter().map(|s| s.accepted).collect::<Vec<_>>()
        };
        assert_eq!(accepted(&[cell(ana), cell(ben)]), [true, false]);
        assert_eq!(accepted(&[cell(ben)]), [true]);
    }
}
