//! Operating models: templates that say which function of an organisation holds which duty.
//! A model fills the rows of a matrix; it owns nothing and decides nothing afterwards.

mod fill;
mod rows;

use chrono::{DateTime, Months, Utc};

use crate::assignment::{Held, RaciRole};
use crate::duty::Duty;
use crate::party::{Party, TeamKind};
use crate::text;

pub use fill::{Clash, Fate, Filled, Row, fill};

crate::words! {
    /// How an organisation shares the duties of an agent out.
    pub enum Model {
        CentralPlatform = "central-platform", "Central platform";
        ProductEmbedded = "product-embedded", "Product-embedded";
        VendorHosted = "vendor-hosted", "Vendor-hosted";
        Regulated = "regulated", "Regulated";
        SmallOrganisation = "small-organisation", "Small organisation";
    }
}

crate::words! {
    /// A function of an organisation, to which a party is chosen when a model is applied.
    pub enum Slot {
        /// Answers for the use case.
        Business = "business", "Business or product owner";
        /// Operates it in production.
        Team = "team", "Team that operates it";
        /// Keeps what it runs on.
        Platform = "platform", "Platform team";
        /// Issues, rotates and revokes its identity.
        Identity = "identity", "Identity team";
        /// Enforces what each request may do.
        Api = "api", "API team";
        /// Sets policy.
        Security = "security", "Security";
        /// Leads incidents.
        Incident = "incident", "Incident response";
        /// Answers inside for what a vendor hosts.
        VendorManager = "vendor-manager", "Vendor manager";
        /// Gives the second approval.
        Legal = "legal", "Legal or risk";
    }
}

impl Slot {
    /// The kind of team that usually is this function; the team that operates an agent is
    /// read from the agent.
    pub const fn kind(self) -> Option<TeamKind> {
        match self {
            Self::Team => None,
            Self::Business => Some(TeamKind::Business),
            Self::Platform => Some(TeamKind::Platform),
            Self::Identity => Some(TeamKind::Identity),
            Self::Api => Some(TeamKind::Api),
            Self::Security => Some(TeamKind::Security),
            Self::Incident => Some(TeamKind::IncidentResponse),
            Self::VendorManager => Some(TeamKind::Risk),
            Self::Legal => Some(TeamKind::Legal),
        }
    }
}

impl Model {
    /// When it fits, in a sentence or two.
    pub const fn fits(self) -> &'static str {
        match self {
            Self::CentralPlatform => {
                "One platform serves many agents. The platform team holds identities, requests and the runtime; the \
                 team that operates an agent answers for how it behaves in production and can pause it."
            }
            Self::ProductEmbedded => {
                "The agent is part of a product. The product’s owner answers first, its team builds and operates the \
                 agent and guards its requests; security still sets the policy."
            }
            Self::VendorHosted => {
                "A vendor runs it. Accountability stays inside: one party holds the vendor to the contract, and the \
                 operating team can cut off its access."
            }
            Self::Regulated => {
                "A law or a regulator has a say. Every control point is held by its own function, and legal or risk \
                 gives a second approval that the business owner cannot give."
            }
            Self::SmallOrganisation => {
                "One team covers several control points for the time being. Each duty is still written row by row, \
                 with a justification that ends within twelve months."
            }
        }
    }

    /// Who holds a duty under this model: letters and functions, the Accountable first.
    pub const fn holds(self, duty: Duty) -> &'static [(RaciRole, Slot)] {
        rows::of(self, duty)
    }

    /// The functions that hold something of these duties, in order.
    pub fn slots(self, duties: &[Duty]) -> Vec<Slot> {
        let has = |slot: Slot| duties.iter().any(|d| self.holds(*d).iter().any(|(_, s)| *s == slot));
        Slot::ALL.iter().copied().filter(|s| has(*s)).collect()
    }

    /// The duties of which a function would be Accountable.
    pub fn accountable(self, slot: Slot) -> Vec<Duty> {
        let is = |duty: Duty| self.holds(duty).contains(&(RaciRole::Accountable, slot));
        Duty::ALL.iter().copied().filter(|d| is(*d)).collect()
    }

    /// Whether it puts several control points into one hand, which is justified until a date.
    pub const fn needs_justification(self) -> bool {
        matches!(self, Self::SmallOrganisation)
    }
}

/// The control points that different parties should hold: where the agent's identity, its
/// requests and its runtime are governed.
pub const CONTROL_POINTS: [Duty; 3] = [Duty::Identity, Duty::Requests, Duty::Platform];

/// The party that is Accountable for several control points, and for which.
pub fn one_hand(held: &[Held]) -> Option<(Party, Vec<Duty>)> {
    let of = |duty: Duty| held.iter().find(|h| h.duty == duty && h.role == RaciRole::Accountable).map(|h| h.party);
    CONTROL_POINTS.iter().find_map(|first| {
        let party = of(*first)?;
        let duties: Vec<Duty> = CONTROL_POINTS.into_iter().filter(|d| of(*d) == Some(party)).collect();
        (duties.len() > 1).then_some((party, duties))
    })
}

/// Months for which duties in one hand are justified at most.
pub const JUSTIFIED_MONTHS: u32 = 12;
/// Longest justification, in characters.
pub const JUSTIFICATION_MAX: usize = 2000;

/// What is wrong with a justification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unjustified {
    /// The words are missing or too long.
    #[error("{0}")]
    Words(String),
    /// The end is past.
    #[error("The justification must end after today: enter a later date.")]
    Past,
    /// The end is too far off.
    #[error("The justification must end within twelve months, by {0}.")]
    TooLong(chrono::NaiveDate),
}

/// The last moment at which a justification that is given now may end.
pub fn justified_until(now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_add_months(Months::new(JUSTIFIED_MONTHS)).unwrap_or(now)
}

/// Checks a justification for duties in one hand: its words, trimmed, and that it ends
/// within twelve months.
pub fn justify(words: &str, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<String, Unjustified> {
    let words =
        text::prose(words, "The justification", JUSTIFICATION_MAX).map_err(|e| Unjustified::Words(e.to_string()))?;
    if words.is_empty() {
        return Err(Unjustified::Words("Say why one team holds several duties, and what will change that.".into()));
    }
    if until <= now {
        return Err(Unjustified::Past);
    }
    let last = justified_until(now);
    if until > last {
        return Err(Unjustified::TooLong(last.date_naive()));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TeamId;
    use crate::party::Standing;

    fn at(day: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + day * 86_400, 0).unwrap()
    }

    fn held(duty: Duty, team: i64) -> Held {
        let party = Party::Team(TeamId(team));
        let standing = Standing::Active;
        let (role, since) = (RaciRole::Accountable, at(0));
        let (confirmed_at, moved_at, inherited) = (since, None, None);
        Held { duty, role, party, standing, standing_since: None, since, inherited, confirmed_at, moved_at }
    }

    #[test]
    fn every_row_of_every_model_has_one_a_and_an_r() {
        for &model in Model::ALL {
            for &duty in Duty::ALL {
                let row = model.holds(duty);
                let count = |role| row.iter().filter(|(r, _)| *r == role).count();
                assert_eq!(count(RaciRole::Accountable), 1, "{model} {duty}");
                assert_eq!(row[0].0, RaciRole::Accountable, "{model} {duty}: the A stands first");
                assert!(count(RaciRole::Responsible) > 0, "{model} {duty}");
                for (i, cell) in row.iter().enumerate() {
                    assert!(!row[..i].contains(cell), "{model} {duty}: {cell:?} twice");
                }
            }
        }
    }

    #[test]
    fn what_a_model_stands_for_is_in_its_rows() {
        let owner = |model: Model, duty| model.holds(duty)[0].1;
        for &model in Model::ALL {
            for duty in [Duty::Containment, Duty::Monitoring, Duty::Review, Duty::Retirement] {
                assert_eq!(owner(model, duty), Slot::Team, "{model} {duty}: whoever operates it holds its life");
            }
            assert_ne!(owner(model, Duty::Purpose), owner(model, Duty::Regulatory), "{model}: two approvers");
        }
        for duty in CONTROL_POINTS {
            assert_eq!(owner(Model::CentralPlatform, duty), Slot::Platform);
            assert_eq!(owner(Model::SmallOrganisation, duty), Slot::Team);
        }
        assert_eq!(owner(Model::ProductEmbedded, Duty::Requests), Slot::Team);
        assert_eq!(owner(Model::Regulated, Duty::Requests), Slot::Api);
        assert_eq!(owner(Model::VendorHosted, Duty::Vendor), Slot::VendorManager);
    }

    #[test]
    fn one_hand_is_the_same_party_at_two_control_points() {
        assert_eq!(one_hand(&[]), None);
        assert_eq!(one_hand(&[held(Duty::Identity, 1), held(Duty::Requests, 2), held(Duty::Purpose, 1)]), None);
        let two = [held(Duty::Identity, 1), held(Duty::Requests, 2), held(Duty::Platform, 2)];
        let party = Party::Team(TeamId(2));
        assert_eq!(one_hand(&two), Some((party, vec![Duty::Requests, Duty::Platform])));
    }

    #[test]
    fn a_justification_ends_within_twelve_months() {
        assert_eq!(justify(" two people ", at(300), at(0)), Ok("two people".to_owned()));
        assert!(matches!(justify("  ", at(300), at(0)), Err(Unjustified::Words(_))));
        assert_eq!(justify("x", at(0), at(0)), Err(Unjustified::Past));
        assert!(justify("x", justified_until(at(0)), at(0)).is_ok());
        assert!(matches!(justify("x", at(367), at(0)), Err(Unjustified::TooLong(_))));
    }
}
