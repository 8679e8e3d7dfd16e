//! Licence expressions, and which of them this project may build on.

/// Licences whose terms a copyleft or a closed program can both keep. A new one
/// is added here knowingly.
const ALLOWED: [&str; 15] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Whether an SPDX expression leaves a choice of allowed licences only. The old
/// slash (`MIT/Apache-2.0`) means OR.
pub(crate) fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let holds = any_of(&mut rest);
    holds && rest.is_empty()
}

fn any_of(words: &mut &[&str]) -> bool {
    let mut holds = all_of(words);
    while take(words, "OR") {
        // Both sides are always read; only then are they judged.
        let other = all_of(words);
        holds = holds || other;
    }
    holds
}

fn all_of(words: &mut &[&str]) -> bool {
    let mut holds = one(words);
    while take(words, "AND") {
        let other = one(words);
        holds = holds && other;
    }
    holds
}

fn one(words: &mut &[&str]) -> bool {
    if take(words, "(") {
        let holds = any_of(words);
        return take(words, ")") && holds;
    }
    let Some((first, rest)) = words.split_first() else { return false };
    *words = rest;
    if take(words, "WITH") {
        let Some((exception, rest)) = words.split_first() else { return false };
        *words = rest;
        return ALLOWED.contains(&format!("{first} WITH {exception}").as_str());
    }
    ALLOWED.contains(first)
}

fn take(words: &mut &[&str], word: &str) -> bool {
    match words.split_first() {
        Some((first, rest)) if *first == word => {
            *words = rest;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn a_choice_needs_one_good_side_and_a_sum_needs_all() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "MIT OR GPL-3.0-only",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
        ] {
            assert!(allowed(good), "{good}");
        }
        for bad in ["", "GPL-3.0-only", "MIT AND GPL-2.0-only", "(MIT", "MIT WITH", "MIT MIT", "OR MIT"] {
            assert!(!allowed(bad), "{bad}");
        }
    }
}
