//! The passwords that anybody would try first, of the length we ask for.

/// Folded, and without what people append to a word that was refused.
const COMMON: &[&str] = &[
    "password",
    "passwort",
    "motdepasse",
    "contrasena",
    "passwordpassword",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "letmein",
    "letmeinplease",
    "welcome",
    "administrator",
    "administrador",
    "administrateur",
    "adminadmin",
    "changeme",
    "changemeplease",
    "changeme!",
    "iloveyou",
    "iloveyouforever",
    "qwertyuiop",
    "qwertyuiopasdfgh",
    "qwertyuiopasdfghjkl",
    "qwertyqwerty",
    "asdfghjkl",
    "asdfasdfasdf",
    "zxcvbnm",
    "zaq12wsxcde",
    "1qaz2wsx3edc",
    "1qaz2wsx3edc4rfv",
    "1q2w3e4r5t6y",
    "q1w2e3r4t5y6",
    "qazwsxedcrfv",
    "abcdefghijkl",
    "abcdefghijklm",
    "abcd1234abcd",
    "abc123abc123",
    "a1b2c3d4e5f6",
    "trustno1trustno1",
    "superman",
    "spiderman",
    "starwars",
    "football",
    "baseball",
    "basketball",
    "princess",
    "sunshine",
    "dragondragon",
    "monkeymonkey",
    "michael",
    "mustermuster",
    "correcthorsebatterystaple",
    "secretsecret",
    "testtesttest",
    "defaultpassword",
];

/// Whether the password, folded, is one of them: itself, without the digits and marks at
/// its end, or one short piece repeated, or a run of the keyboard's digits.
pub(super) fn is_common(folded: &str) -> bool {
    let bare = folded.trim_end_matches(|c: char| !c.is_alphabetic());
    COMMON.contains(&folded) || COMMON.contains(&bare) || repeats(folded) || counts(folded)
}

/// One piece of at most three characters, again and again.
fn repeats(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=3).any(|piece| chars.iter().zip(chars.iter().skip(piece)).all(|(a, b)| a == b))
}

/// Digits that go up or down by one.
fn counts(text: &str) -> bool {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
    digits
        .is_some_and(|digits| [1, 9].iter().any(|step| digits.windows(2).all(|pair| (pair[0] + step) % 10 == pair[1])))
}

#[cfg(test)]
mod tests {
    use super::is_common;

    #[test]
    fn what_anybody_would_try() {
        for bad in
            ["password1234", "passwordpassword", "123456789012", "098765432109", "abababababab", "welcome2026!!!"]
        {
            assert!(is_common(bad), "{bad}");
        }
        for good in ["correct horse battery", "wintermute-7-teapot", "2718281828459"] {
            assert!(!is_common(good), "{good}");
        }
    }
}
