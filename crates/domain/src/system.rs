//! Systems, and whose matrix a matrix is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::duty::Duty;
use crate::id::{AgentId, BadReference, SystemId};

crate::words! {
    /// What a system is.
    pub enum SystemKind {
        /// Several agents that do one job together.
        MultiAgent = "multi-agent", "Multi-agent system";
        /// What several agents run on, with duties that they share.
        Platform = "platform", "Shared platform";
    }
}

/// The duties that agents inherit from the platform they run on.
pub const SHARED: [Duty; 3] = [Duty::Identity, Duty::Requests, Duty::Platform];

impl SystemKind {
    /// The duties that a system of this kind may have owners for: a platform has those it
    /// shares, a multi-agent system all.
    pub const fn duties(self) -> &'static [Duty] {
        match self {
            Self::MultiAgent => Duty::ALL,
            Self::Platform => &SHARED,
        }
    }

    /// The duties that a system of this kind must have an owner for. Of a multi-agent system
    /// those that concern the whole: what it is for, how it works together, stopping it,
    /// policy. Its members have their own duties whatever it has.
    pub const fn required(self) -> &'static [Duty] {
        match self {
            Self::MultiAgent => &[Duty::Purpose, Duty::Implementation, Duty::Containment, Duty::Policy],
            Self::Platform => &SHARED,
        }
    }
}

/// What a duty is held towards, and a matrix is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// An agent.
    Agent(AgentId),
    /// A multi-agent system, or a platform.
    System(SystemId),
}

impl Subject {
    /// What sort of thing it is, in a word.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Agent(_) => "agent",
            Self::System(_) => "system",
        }
    }

    /// Its number within its sort.
    pub const fn number(self) -> i64 {
        match self {
            Self::Agent(AgentId(n)) | Self::System(SystemId(n)) => n,
        }
    }

    /// The agent, if it is one.
    pub const fn agent(self) -> Option<AgentId> {
        match self {
            Self::Agent(id) => Some(id),
            Self::System(_) => None,
        }
    }

    /// The system, if it is one.
    pub const fn system(self) -> Option<SystemId> {
        match self {
            Self::System(id) => Some(id),
            Self::Agent(_) => None,
        }
    }

    /// The page about it.
    pub fn href(self) -> String {
        format!("/{}s/{self}", self.noun())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(id) => id.fmt(f),
            Self::System(id) => id.fmt(f),
        }
    }
}

impl FromStr for Subject {
    type Err = BadReference;

    fn from_str(text: &str) -> Result<Self, BadReference> {
        if text.starts_with(SystemId::PREFIX) { text.parse().map(Self::System) } else { text.parse().map(Self::Agent) }
    }
}

impl From<AgentId> for Subject {
    fn from(id: AgentId) -> Self {
        Self::Agent(id)
    }
}

impl From<SystemId> for Subject {
    fn from(id: SystemId) -> Self {
        Self::System(id)
    }
}

impl Serialize for Subject {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_written_as_its_reference() {
        for text in ["AG-7", "SY-12"] {
            let subject: Subject = text.parse().unwrap();
            assert_eq!(subject.to_string(), text);
            assert_eq!(serde_json::to_value(subject).unwrap(), text);
        }
        assert!("PE-1".parse::<Subject>().is_err() && "SY-0".parse::<Subject>().is_err());
    }

    #[test]
    fn what_is_required_of_a_system_may_be_held() {
        for kind in SystemKind::ALL {
            assert!(kind.required().iter().all(|d| kind.duties().contains(d)), "{kind}");
        }
    }
}
