//! Text that people type: parsed once, valid ever after.

use unicode_normalization::UnicodeNormalization;

/// Why a text was refused. The sentence is shown beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but blanks.
    #[error("Enter {0}.")]
    Empty(&'static str),
    /// Longer than allowed, in characters.
    #[error("{what} may have at most {max} characters; this has {given}.")]
    TooLong {
        /// What the text is.
        what: &'static str,
        /// The limit, in characters.
        max: usize,
        /// How many there were.
        given: usize,
    },
    /// A control character (U+0000 among them) that no engine or screen can keep faithfully.
    #[error("Remove the control character U+{0:04X}.")]
    Control(u32),
    /// Not an e-mail address.
    #[error("Enter an e-mail address such as name@example.org.")]
    NotEmail,
}

/// One line: trimmed, inner runs of blanks kept, no control characters, at most `max` characters.
pub fn line(text: &str, what: &'static str, max: usize) -> Result<String, TextError> {
    let text = text.trim();
    if let Some(c) = text.chars().find(|c| c.is_control()) {
        return Err(TextError::Control(c as u32));
    }
    bounded(text, what, max)
}

/// As [`line`], and not empty.
pub fn required_line(text: &str, what: &'static str, max: usize) -> Result<String, TextError> {
    let text = line(text, what, max)?;
    if text.is_empty() { Err(TextError::Empty(what)) } else { Ok(text) }
}

/// Several lines: trimmed, line ends made `\n`, tabs kept, no other control characters.
pub fn prose(text: &str, what: &'static str, max: usize) -> Result<String, TextError> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim();
    if let Some(c) = text.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t') {
        return Err(TextError::Control(c as u32));
    }
    bounded(text, what, max)
}

fn bounded(text: &str, what: &'static str, max: usize) -> Result<String, TextError> {
    let given = text.chars().count();
    if given > max { Err(TextError::TooLong { what, max, given }) } else { Ok(text.to_owned()) }
}

/// An e-mail address, lower-cased: something, one `@`, a domain with a dot or `localhost`, no blanks.
pub fn email(text: &str) -> Result<String, TextError> {
    let text = required_line(text, "an e-mail address", 254)?.to_lowercase();
    let good = text.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty()
            && !host.is_empty()
            && !host.contains('@')
            && !text.chars().any(|c| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '"'))
            && !host.starts_with('.')
            && !host.ends_with('.')
            && (host.contains('.') || host == "localhost")
    });
    if good { Ok(text) } else { Err(TextError::NotEmail) }
}

/// The form in which names are compared and sorted: NFKC, lower case, blanks collapsed.
pub fn fold(text: &str) -> String {
    let lower: String = text.nfkc().flat_map(char::to_lowercase).collect();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words by which a record is found: folded, without accents, split at anything
/// that is no letter or digit, each at most 24 characters, no repeats, at most `max` of them.
pub fn words<'a>(texts: impl IntoIterator<Item = &'a str>, max: usize) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        let plain: String = text
            .nfkd()
            .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
            .flat_map(char::to_lowercase)
            .collect();
        for word in plain.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
            let word: String = word.chars().take(24).collect();
            if !found.contains(&word) {
                found.push(word);
                if found.len() == max {
                    return found;
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_letters_and_lose_their_margins() {
        assert_eq!(required_line("  وكيل الدعم 🤖 ", "a name", 200).unwrap(), "وكيل الدعم 🤖");
        assert_eq!(required_line(" \t ", "a name", 200), Err(TextError::Empty("a name")));
        assert_eq!(line("a\u{0}b", "x", 9), Err(TextError::Control(0)));
        assert!(matches!(line("abc", "x", 2), Err(TextError::TooLong { given: 3, .. })));
    }

    #[test]
    fn emails() {
        assert_eq!(email(" Ana@Example.ORG ").unwrap(), "ana@example.org");
        for bad in ["", "a", "a@", "@b.c", "a@b@c.d", "a b@c.d", "a@.c", "a@b."] {
            assert!(email(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_are_plain_and_without_repeats() {
        assert_eq!(words(["Crème brûlée, crème!", "AG-42"], 10), ["creme", "brulee", "ag", "42"]);
        assert_eq!(words(["وكيل الدعم"], 10).len(), 2);
    }
}
