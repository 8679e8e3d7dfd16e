//! The risk tier: a published score over the agent's facts, explainable point by point.

use serde::{Deserialize, Serialize};

use crate::agent::{Access, AgentFacts, Autonomy, DataClass, Environment, Exposure, Sensitivity, ToolKind};

crate::words! {
    /// Risk tier. It sets approvers, cadences and limits.
    pub enum Tier {
        Low = "low", "Low";
        Moderate = "moderate", "Moderate";
        High = "high", "High";
        Critical = "critical", "Critical";
    }
}

impl Tier {
    /// The lowest score of the tier.
    pub const fn from_points(points: u32) -> Self {
        match points {
            0..=4 => Self::Low,
            5..=8 => Self::Moderate,
            9..=13 => Self::High,
            _ => Self::Critical,
        }
    }

    /// The points of the tier, for the page that explains it.
    pub const fn range(self) -> &'static str {
        match self {
            Self::Low => "0 to 4",
            Self::Moderate => "5 to 8",
            Self::High => "9 to 13",
            Self::Critical => "14 and more",
        }
    }

    /// How long a passed stop drill proves anything, in days.
    pub const fn drill_cadence_days(self) -> i64 {
        match self {
            Self::Low => 365,
            Self::Moderate => 180,
            Self::High => 90,
            Self::Critical => 30,
        }
    }

    /// How long an owner's word that a duty is theirs counts, in days.
    pub const fn ownership_cadence_days(self) -> i64 {
        match self {
            Self::Low | Self::Moderate => 365,
            Self::High => 180,
            Self::Critical => 90,
        }
    }
}

/// One fact that gave points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Which fact, for instance “Autonomy: acts alone”.
    pub fact: String,
    /// How many points it gave.
    pub points: u32,
}

/// The tier and what it was computed from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierScore {
    /// The tier.
    pub tier: Tier,
    /// The sum of the points.
    pub points: u32,
    /// Every fact that counted, zero-point facts included, in the order of the formula.
    pub because: Vec<Point>,
}

/// Computes the tier. Monotone: a riskier fact never gives fewer points. What is not
/// stated counts as more than the least and less than the worst.
pub fn score(facts: &AgentFacts) -> TierScore {
    let mut because = Vec::new();
    let mut add = |name: &str, value: &str, points: u32| {
        because.push(Point { fact: format!("{name}: {value}"), points });
    };
    add(
        "Autonomy",
        facts.autonomy.label(),
        match facts.autonomy {
            Autonomy::Suggests => 0,
            Autonomy::ActsWithApproval => 1,
            Autonomy::ActsUnderSupervision | Autonomy::Unknown => 2,
            Autonomy::ActsAlone => 4,
        },
    );
    add(
        "Exposure",
        facts.exposure.label(),
        match facts.exposure {
            Exposure::Internal => 0,
            Exposure::Unknown => 1,
            Exposure::CustomerFacing => 3,
            Exposure::Public => 4,
        },
    );
    add(
        "Data",
        facts.data.label(),
        match facts.data {
            DataClass::Public => 0,
            DataClass::Internal | DataClass::Unknown => 1,
            DataClass::Confidential => 3,
            DataClass::Restricted => 5,
        },
    );
    add(
        "Environment",
        facts.environment.label(),
        match facts.environment {
            Environment::Sandbox => 0,
            Environment::Staging => 1,
            Environment::Production => 2,
        },
    );
    add("Regulated", if facts.regulated { "yes" } else { "no" }, if facts.regulated { 3 } else { 0 });
    add("Hosting", facts.hosting.label(), u32::from(facts.vendor_managed()));
    let access = facts.tools.iter().map(|t| t.access).max();
    add(
        "Tools",
        access.map_or("none", Access::label),
        match access {
            None => 0,
            Some(Access::Read) => 1,
            Some(Access::Write) => 2,
            Some(Access::Admin) => 4,
        },
    );
    let sensitive = facts.tools.iter().any(|t| t.sensitivity == Sensitivity::High);
    add("High-sensitivity tool", if sensitive { "yes" } else { "no" }, if sensitive { 2 } else { 0 });
    let code = facts.tools.iter().any(|t| t.kind == ToolKind::CodeExecution);
    add("Runs code", if code { "yes" } else { "no" }, if code { 2 } else { 0 });
    let standing = facts.credentials.iter().any(|c| c.kind.is_standing());
    add("Long-lived or shared credential", if standing { "yes" } else { "no" }, if standing { 2 } else { 0 });
    let points = because.iter().map(|p| p.points).sum();
    TierScore { tier: Tier::from_points(points), points, because }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_adds_up() {
        let mut f = AgentFacts::named("x");
        f.autonomy = Autonomy::ActsAlone;
        f.exposure = Exposure::Public;
        f.data = DataClass::Restricted;
        f.environment = Environment::Production;
        let s = score(&f);
        assert_eq!(s.points, 15);
        assert_eq!(s.tier, Tier::Critical);
        assert_eq!(s.points, s.because.iter().map(|p| p.points).sum::<u32>());
        assert_eq!(score(&AgentFacts::named("y")).tier, Tier::Low);
    }
}
