//! Where a page is: its path and query. State lives in the address, so that any view is a link.

use std::fmt::Write as _;

/// A path with its query, kept in order. Cheap to copy and change: `here.with("sort", "-tier").href()`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    path: String,
    pairs: Vec<(String, String)>,
}

impl Address {
    /// An address without a query.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), pairs: Vec::new() }
    }

    /// Reads a path and a raw query (`a=1&b=two+words`); pairs with an empty value are left out.
    pub fn parse(path: impl Into<String>, query: &str) -> Self {
        let pairs = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(key, value)| (decode(key), decode(value)))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        Self { path: path.into(), pairs }
    }

    /// The path alone.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Every pair of the query, in order.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The first value under `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// Every value under `key`.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// Sets `key` to one value; an empty value removes it.
    #[must_use]
    pub fn with(&self, key: &str, value: &str) -> Self {
        let mut next = self.without(key);
        if !value.is_empty() {
            next.pairs.push((key.to_owned(), value.to_owned()));
        }
        next
    }

    /// Adds one more value under `key`.
    #[must_use]
    pub fn and(&self, key: &str, value: &str) -> Self {
        let mut next = self.clone();
        next.pairs.push((key.to_owned(), value.to_owned()));
        next
    }

    /// Removes `key`.
    #[must_use]
    pub fn without(&self, key: &str) -> Self {
        let pairs = self.pairs.iter().filter(|(k, _)| k != key).cloned().collect();
        Self { path: self.path.clone(), pairs }
    }

    /// Removes one value under `key` and keeps its others.
    #[must_use]
    pub fn without_value(&self, key: &str, value: &str) -> Self {
        let pairs = self.pairs.iter().filter(|(k, v)| k != key || v != value).cloned().collect();
        Self { path: self.path.clone(), pairs }
    }

    /// The first page of the same view: cursors belong to one order and one set of filters.
    #[must_use]
    pub fn first_page(&self) -> Self {
        self.without("cursor").without("before")
    }

    /// The address as a link.
    pub fn href(&self) -> String {
        let mut out = self.path.clone();
        for (index, (key, value)) in self.pairs.iter().enumerate() {
            out.push(if index == 0 { '?' } else { '&' });
            encode(key, &mut out);
            out.push('=');
            encode(value, &mut out);
        }
        out
    }
}

fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            // writing to a String cannot fail
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let pair = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match (byte, pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                at += 3;
            }
            (b'+', _) => {
                out.push(b' ');
                at += 1;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn a_query_survives_the_round_trip() {
        let here = Address::parse("/agents", "q=a%26b+c&tier=high&tier=low&empty=");
        assert_eq!(here.get("q"), Some("a&b c"));
        assert_eq!(here.all("tier").collect::<Vec<_>>(), ["high", "low"]);
        assert_eq!(here.href(), "/agents?q=a%26b%20c&tier=high&tier=low");
        assert_eq!(Address::parse("/agents", "q=%C3%A9%zz%").get("q"), Some("é%zz%"));
    }

    #[test]
    fn a_changed_filter_replaces_and_removes() {
        let here = Address::parse("/agents", "tier=high&cursor=x&sort=name");
        assert_eq!(here.with("tier", "low").first_page().href(), "/agents?sort=name&tier=low");
        assert_eq!(here.without_value("tier", "high").with("sort", "").href(), "/agents?cursor=x");
    }
}
