//! The navigation. A new page adds its line to [`STANDARD`].

use crate::components::Glyph;

/// A heading of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NavGroup {
    /// At the head, without a heading.
    Start,
    /// Who answers.
    People,
    /// Proof.
    Record,
    /// At the foot.
    End,
}

impl NavGroup {
    /// In the order shown.
    pub const ALL: [Self; 4] = [Self::Start, Self::People, Self::Record, Self::End];

    /// Its words; none for the first and last.
    pub const fn title(self) -> Option<&'static str> {
        match self {
            Self::Start | Self::End => None,
            Self::People => Some("Organisation"),
            Self::Record => Some("Record"),
        }
    }
}

/// A line of the navigation.
#[derive(Debug, Clone, Copy)]
pub struct NavItem {
    /// Where it leads; also its key.
    pub href: &'static str,
    /// Read as.
    pub label: &'static str,
    /// Its icon.
    pub glyph: Glyph,
    /// Under which heading.
    pub group: NavGroup,
    /// How many things wait there.
    pub waits: u64,
    /// Whether this person sees it.
    pub shown: bool,
}

const fn item(href: &'static str, label: &'static str, glyph: Glyph, group: NavGroup) -> NavItem {
    NavItem { href, label, glyph, group, waits: 0, shown: true }
}

/// Every page that has a line.
const STANDARD: &[NavItem] = &[
    item("/", "Home", Glyph::Home, NavGroup::Start),
    item("/agents", "Agents", Glyph::Agent, NavGroup::Start),
    item("/approvals", "Approvals", Glyph::Review, NavGroup::Start),
    item("/exceptions", "Exceptions", Glyph::Clock, NavGroup::Start),
    item("/reviews", "Reviews", Glyph::Check, NavGroup::Start),
    item("/retirements", "Retirements", Glyph::Flag, NavGroup::Start),
    item("/agents/import", "Import", Glyph::Import, NavGroup::Start),
    item("/people", "People", Glyph::Person, NavGroup::People),
    item("/teams", "Teams", Glyph::Team, NavGroup::People),
    item("/systems", "Systems", Glyph::Framework, NavGroup::People),
    item("/rules", "Standing rules", Glyph::Review, NavGroup::People),
    item("/audit", "Audit", Glyph::Record, NavGroup::Record),
    item("/policy", "Policy", Glyph::Shield, NavGroup::End),
    item("/settings", "Settings", Glyph::Settings, NavGroup::End),
    item("/help", "Help", Glyph::Help, NavGroup::End),
];

/// The navigation of one person at one moment.
#[derive(Debug, Clone)]
pub struct Nav(Vec<NavItem>);

impl Default for Nav {
    fn default() -> Self {
        Self(STANDARD.to_vec())
    }
}

impl Nav {
    /// Hides a line.
    pub fn hide(&mut self, href: &str) {
        self.set(href, |item| item.shown = false);
    }

    /// Shows how many things wait there.
    pub fn waits(&mut self, href: &str, count: u64) {
        self.set(href, |item| item.waits = count);
    }

    fn set(&mut self, href: &str, change: impl Fn(&mut NavItem)) {
        self.0.iter_mut().filter(|item| item.href == href).for_each(change);
    }

    /// The lines of a group that are shown.
    pub fn of(&self, group: NavGroup) -> impl Iterator<Item = &NavItem> {
        self.0.iter().filter(move |item| item.shown && item.group == group)
    }

    /// The line that a path belongs to: the longest that it begins with.
    pub fn current(&self, path: &str) -> Option<&'static str> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        // A request is opened from the list of them.
        let path = if path.starts_with("/requests/") { "/approvals" } else { path };
        let within = |href: &str| {
            path == href || (href != "/" && path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/')))
        };
        self.0.iter().map(|item| item.href).filter(|href| within(href)).max_by_key(|href| href.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Nav;

    #[test]
    fn a_page_belongs_to_the_longest_line_it_begins_with() {
        let nav = Nav::default();
        assert_eq!(nav.current("/agents/AG-1?tab=raci"), Some("/agents"));
        assert_eq!(nav.current("/agents/import"), Some("/agents/import"));
        assert_eq!(nav.current("/agentsandmore"), None);
        assert_eq!(nav.current("/"), Some("/"));
        assert_eq!(nav.current("/requests/RQ-1"), Some("/approvals"));
    }
}
