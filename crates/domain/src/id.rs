//! Typed references. A reference is a prefix, a dash and a positive integer
//! (`AG-42`); the type keeps an agent's number from being used as a person's.

use std::fmt;
use std::str::FromStr;

/// A string that is not a reference of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{given}” is not a reference such as {prefix}-1")]
pub struct BadReference {
    /// What was given.
    pub given: String,
    /// The prefix that was expected.
    pub prefix: &'static str,
}

macro_rules! reference {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl $name {
            /// The letters before the dash.
            pub const PREFIX: &'static str = $prefix;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "-{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadReference;
            fn from_str(s: &str) -> Result<Self, BadReference> {
                s.strip_prefix(concat!($prefix, "-"))
                    .filter(|n| n.len() <= 18 && n.bytes().all(|b| b.is_ascii_digit()) && !n.starts_with('0'))
                    .and_then(|n| n.parse().ok())
                    .map(Self)
                    .ok_or_else(|| BadReference { given: s.chars().take(80).collect(), prefix: $prefix })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let s = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                s.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

reference!(
    /// An agent, `AG-1`.
    AgentId, "AG"
);
reference!(
    /// A person, `PE-1`.
    PersonId, "PE"
);
reference!(
    /// A team, `TE-1`.
    TeamId, "TE"
);
reference!(
    /// A multi-agent system or shared platform, `SY-1`.
    SystemId, "SY"
);
reference!(
    /// An import wave, `IM-1`.
    WaveId, "IM"
);
reference!(
    /// A service token, `TK-1`.
    TokenId, "TK"
);
reference!(
    /// A standing rule, `SR-1`.
    RuleId, "SR"
);
reference!(
    /// A request: approval, change of scope, resumption, review, retirement, `RQ-1`.
    RequestId, "RQ"
);
reference!(
    /// A review campaign, `CA-1`.
    CampaignId, "CA"
);
reference!(
    /// A handover of an agent between teams, `HO-1`.
    HandoverId, "HO"
);
reference!(
    /// An exception, `EX-1`.
    ExceptionId, "EX"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_round_trips_and_nothing_else_parses() {
        assert_eq!("AG-42".parse::<AgentId>(), Ok(AgentId(42)));
        assert_eq!(AgentId(42).to_string(), "AG-42");
        for bad in ["", "AG-", "AG-0", "AG-01", "AG-x", "ag-1", "PE-1", "AG--1", "AG-9999999999999999999", "AG-1 "] {
            assert!(bad.parse::<AgentId>().is_err(), "{bad}");
        }
    }
}
