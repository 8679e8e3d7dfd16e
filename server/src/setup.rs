//! The one-time code that opens set-up: whoever reads the server's own output is its
//! operator.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Letters and digits that nobody mistakes for another.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A code such as `K7QM-2XPD-9RTW-HHC4`: 80 random bits, new at every start.
pub struct SetupCode(String);

impl Default for SetupCode {
    fn default() -> Self {
        let letters = register::random::bytes::<16>().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
        Self(groups.join("-"))
    }
}

impl SetupCode {
    /// Whether this is the code, however it was typed.
    pub fn is(&self, typed: &str) -> bool {
        let bare = |text: &str| -> String {
            text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
        };
        // Digests are compared, so that time says nothing about how much was right.
        Sha256::digest(bare(typed)) == Sha256::digest(bare(&self.0))
    }

    /// The code, to be printed.
    pub fn show(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SetupCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetupCode")
    }
}

#[cfg(test)]
mod tests {
    use super::SetupCode;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let code = SetupCode::default();
        assert!(code.is(code.show()) && code.is(&code.show().to_lowercase().replace('-', " ")));
        assert!(!code.is("") && !code.is("AAAA-AAAA-AAAA-AAAA"));
        assert_eq!(code.show().len(), 19);
    }
}
