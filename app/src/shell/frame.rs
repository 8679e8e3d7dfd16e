//! What the document needs to know about the request.

use super::nav::Nav;
use crate::components::Flash;

/// Who is signed in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signed {
    /// Their name.
    pub name: String,
    /// `PE-7`.
    pub reference: String,
    /// Their roles, as words.
    pub roles: Vec<String>,
}

/// Light, dark, or as the system says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// Reads the cookie or the form; anything unknown is as the system says.
    pub fn parse(key: &str) -> Self {
        match key {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// `system`, `light` or `dark`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The document around a page.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// The page's title, without "Muster".
    pub title: String,
    /// The page's own path and query.
    pub path: String,
    /// Who is signed in.
    pub person: Option<Signed>,
    /// The navigation, with what is hidden and what waits.
    pub nav: Nav,
    /// Light or dark.
    pub theme: Theme,
    /// The version of the files under `/pkg`.
    pub version: String,
    /// What the last press did.
    pub flash: Option<Flash>,
    /// How many notices the person has not read; the bell is shown to who has notices.
    pub unread: Option<u64>,
    /// The page holds islands, and they are built.
    pub islands: bool,
}

impl Frame {
    /// A frame with the standard navigation.
    pub fn new(title: impl Into<String>, path: impl Into<String>) -> Self {
        Self { title: title.into(), path: path.into(), ..Self::default() }
    }
}
