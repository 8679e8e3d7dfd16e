//! People, teams and the party that holds a duty: one or the other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{PersonId, TeamId};

crate::words! {
    /// What one may do by virtue of a role. Roles are a set; what one owns adds to it.
    pub enum Role {
        Administrator = "administrator", "Administrator";
        SecurityLead = "security-lead", "Security lead";
        RiskAnalyst = "risk-analyst", "Risk analyst";
        Member = "member", "Member";
        Auditor = "auditor", "Auditor";
    }
}

/// A set of roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Roles(u8);

impl Roles {
    /// No role at all.
    pub const NONE: Self = Self(0);

    /// The set with one more role.
    #[must_use]
    pub const fn with(self, role: Role) -> Self {
        Self(self.0 | 1 << role as u8)
    }

    /// The roles of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The roles of this set that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the role is in the set.
    pub const fn has(self, role: Role) -> bool {
        self.0 & (1 << role as u8) != 0
    }

    /// Whether any of the roles is in the set.
    pub fn any(self, roles: &[Role]) -> bool {
        roles.iter().any(|r| self.has(*r))
    }

    /// The roles, in their order.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.iter().copied().filter(move |r| self.has(*r))
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<T: IntoIterator<Item = Role>>(iter: T) -> Self {
        iter.into_iter().fold(Self::NONE, Self::with)
    }
}

/// Keys separated by blanks, in order: the stored form.
impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, role) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(role.key())?;
        }
        Ok(())
    }
}

impl FromStr for Roles {
    type Err = crate::words::UnknownWord;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.split_whitespace().map(str::parse).collect()
    }
}

impl Serialize for Roles {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Roles {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Vec::<Role>::deserialize(d)?.into_iter().collect())
    }
}

crate::words! {
    /// Whether a person is still there.
    pub enum PersonStatus {
        Active = "active", "Active";
        Left = "left", "Left";
    }
}

crate::words! {
    /// What a team is for.
    pub enum TeamKind {
        Identity = "identity", "Identity";
        Api = "api", "API";
        Platform = "platform", "Platform";
        Security = "security", "Security";
        IncidentResponse = "incident-response", "Incident response";
        Business = "business", "Business";
        Risk = "risk", "Risk";
        Legal = "legal", "Legal";
    }
}

/// Who holds a duty: a person or a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Party {
    /// A person.
    Person(PersonId),
    /// A team; its lead is the named owner.
    Team(TeamId),
}

impl Party {
    /// `person` or `team`: the stored kind.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Team(_) => "team",
        }
    }

    /// The stored number.
    pub const fn number(self) -> i64 {
        match self {
            Self::Person(PersonId(n)) | Self::Team(TeamId(n)) => n,
        }
    }

    /// From the stored kind and number.
    pub fn from_stored(kind: &str, number: i64) -> Option<Self> {
        match kind {
            "person" => Some(Self::Person(PersonId(number))),
            "team" => Some(Self::Team(TeamId(number))),
            _ => None,
        }
    }

    /// The page that shows the party.
    pub fn path(self) -> String {
        match self {
            Self::Person(id) => format!("/people/{id}"),
            Self::Team(id) => format!("/teams/{id}"),
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => id.fmt(f),
            Self::Team(id) => id.fmt(f),
        }
    }
}

/// A string that is neither a person's nor a team's reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is neither a person such as PE-1 nor a team such as TE-1")]
pub struct BadParty(pub String);

impl FromStr for Party {
    type Err = BadParty;
    fn from_str(s: &str) -> Result<Self, BadParty> {
        s.parse()
            .map(Self::Person)
            .or_else(|_| s.parse().map(Self::Team))
            .map_err(|_| BadParty(s.chars().take(80).collect()))
    }
}

impl Serialize for Party {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Party {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        s.parse().map_err(serde::de::Error::custom)
    }
}

crate::words! {
    /// Whether a party can be Accountable now.
    pub enum Standing {
        Active = "active", "Active";
        /// The person left.
        Left = "left", "Left";
        /// The team has no lead, or its lead left.
        Leaderless = "leaderless", "No active lead";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_a_set() {
        let roles: Roles = "security-lead administrator".parse().unwrap();
        assert_eq!(roles.to_string(), "administrator security-lead");
        assert!(roles.has(Role::SecurityLead) && !roles.has(Role::Auditor));
        assert!("king".parse::<Roles>().is_err());
    }

    #[test]
    fn a_party_is_one_or_the_other() {
        assert_eq!("TE-3".parse(), Ok(Party::Team(TeamId(3))));
        assert!("AG-3".parse::<Party>().is_err());
    }
}
