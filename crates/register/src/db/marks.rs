//! The marks of a statement's arguments.

use sqlx::{Postgres, Sqlite};

/// Statements with at most so many arguments are kept prepared. Longer ones are lists of
/// whatever length was at hand: keeping each would fill memory and never help again.
pub(super) const KEPT: usize = 640;

/// `($3, $4, $5)`: the marks of `count` arguments, the first numbered `from`.
pub fn marks(from: usize, count: usize) -> String {
    let mut out = String::from("(");
    for n in from..from + count {
        if n > from {
            out.push_str(", ");
        }
        out.push('$');
        out.push_str(&n.to_string());
    }
    out.push(')');
    out
}

/// How an engine likes its marks.
pub(super) trait Marks {
    /// The text as this engine reads it soonest.
    fn marked(text: String, count: usize) -> String;
}

impl Marks for Postgres {
    fn marked(text: String, _count: usize) -> String {
        text
    }
}

impl Marks for Sqlite {
    /// To SQLite `$7` is a name, which it looks up in a list, mark by mark: the time of a
    /// statement grows with the square of its arguments (16,000 took seconds). Where every
    /// mark stands in its order, a bare `?` says the same.
    fn marked(text: String, count: usize) -> String {
        if count < 16 { text } else { bare(&text).unwrap_or(text) }
    }
}

fn bare(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut pieces = text.split('$');
    out.push_str(pieces.next()?);
    for (next, piece) in (1_usize..).zip(pieces) {
        let end = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
        if piece[..end].parse() != Ok(next) {
            return None;
        }
        out.push('?');
        out.push_str(&piece[end..]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_in_their_order_need_no_names() {
        assert_eq!(bare("a IN ($1, $2) AND b = $3").as_deref(), Some("a IN (?, ?) AND b = ?"));
        assert_eq!(bare("a = $1 OR b = $1"), None);
        assert_eq!(bare("a = $2 AND b = $1"), None);
        assert_eq!(bare("a = '$' AND b = $1"), None);
        assert_eq!(marks(3, 2), "($3, $4)");
    }
}
