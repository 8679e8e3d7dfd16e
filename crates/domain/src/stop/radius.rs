//! The blast radius: every agent that uses a credential, a tool, a vendor or a system, and how
//! far one press reaches among them.

use super::LastStop;
use crate::agent::{Environment, Lifecycle};
use crate::assignment::RuntimeOwner;
use crate::id::{AgentId, SystemId};
use crate::stop::MethodKind;
use crate::tier::Tier;

/// What agents have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uses {
    /// They sign in with this credential.
    Credential(String),
    /// They have this tool.
    Tool(String),
    /// This vendor hosts them.
    Vendor(String),
    /// They belong to this system.
    System(SystemId),
}

impl Uses {
    /// The keys by which an address names what is used, as the inventory's filters do.
    pub const KEYS: [&'static str; 4] = ["credential", "tool", "vendor", "system"];

    /// What a key and its value name; `None` when the value is empty or no such thing.
    pub fn parse(key: &str, value: &str) -> Option<Self> {
        let name = || Some(value.trim().to_owned()).filter(|v| !v.is_empty());
        match key {
            "credential" => name().map(Self::Credential),
            "tool" => name().map(Self::Tool),
            "vendor" => name().map(Self::Vendor),
            "system" => value.trim().parse().ok().map(Self::System),
            _ => None,
        }
    }

    /// Its key.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Credential(_) => "credential",
            Self::Tool(_) => "tool",
            Self::Vendor(_) => "vendor",
            Self::System(_) => "system",
        }
    }

    /// Its place among the others where several are listed.
    pub fn order(&self) -> usize {
        Self::KEYS.iter().position(|key| *key == self.key()).unwrap_or(Self::KEYS.len())
    }

    /// Its value in an address: a name, or the reference of a system.
    pub fn value(&self) -> String {
        match self {
            Self::Credential(name) | Self::Tool(name) | Self::Vendor(name) => name.clone(),
            Self::System(id) => id.to_string(),
        }
    }

    /// What an agent does with it: "uses", "is hosted by", "belongs to".
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Credential(_) | Self::Tool(_) => "uses",
            Self::Vendor(_) => "is hosted by",
            Self::System(_) => "belongs to",
        }
    }
}

crate::words! {
    /// A part of the blast radius: each has its number, and each number its rows.
    pub enum Part {
        /// All but the retired.
        All = "all", "All";
        /// They count as running.
        Runs = "runs", "Run";
        /// They are deployed in production.
        Production = "production", "In production";
        /// By tier.
        Critical = "critical", "Critical tier";
        /// By tier.
        High = "high", "High tier";
        /// By tier.
        Moderate = "moderate", "Moderate tier";
        /// By tier.
        Low = "low", "Low tier";
        /// No accepted owner who is there and has a method.
        Unable = "unable", "Nobody is able to stop";
        /// Pausing has a webhook.
        Webhook = "webhook", "Paused by Muster’s webhook";
        /// Pausing needs a person, whether or not a procedure is written.
        Person = "person", "Need a person to pause";
        /// A stop of it is recorded since its state last changed.
        Stopped = "stopped", "Stopped already";
        /// A call of that stop failed, or lapsed.
        Failed = "failed", "Stopped, but a webhook failed";
        /// The reader may stop it, and it is not stopped.
        Yours = "yours", "You may stop now";
        /// A press leaves them: stopped already, or not the reader's to stop.
        Left = "left", "Would be left as they are";
        /// Ended; left alone.
        Retired = "retired", "Retired";
    }
}

impl Part {
    /// The part that a tier is.
    pub const fn of_tier(tier: Tier) -> Self {
        match tier {
            Tier::Critical => Self::Critical,
            Tier::High => Self::High,
            Tier::Moderate => Self::Moderate,
            Tier::Low => Self::Low,
        }
    }
}

crate::words! {
    /// Why an agent is left as it is when all are stopped.
    pub enum Left {
        /// It is ended.
        Retired = "retired", "It is retired.";
        /// It was stopped before.
        Stopped = "stopped", "It is stopped already.";
        /// The actor may not.
        NotYours = "not-yours", "Not yours to stop: you hold no duty of it.";
    }
}

/// An agent as far as a stop of many concerns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Its reference.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub state: Lifecycle,
    /// Its tier.
    pub tier: Tier,
    /// Whether it counts as running.
    pub runs: bool,
    /// Where it is deployed.
    pub environment: Environment,
    /// Whether somebody can stop it; `None` once retired.
    pub owner: Option<RuntimeOwner>,
    /// How it is paused, if that is recorded.
    pub pause: Option<MethodKind>,
    /// The stop that it is under: recorded since its state last changed.
    pub stop: Option<LastStop>,
    /// The actor may stop it.
    pub may: bool,
}

impl Reached {
    /// Why it would be left; `None` if a press stops it.
    pub fn left(&self) -> Option<Left> {
        left(self.state, self.stop.is_some(), self.may)
    }
}

fn left(state: Lifecycle, stopped: bool, may: bool) -> Option<Left> {
    if state == Lifecycle::Retired {
        Some(Left::Retired)
    } else if stopped {
        Some(Left::Stopped)
    } else if may {
        None
    } else {
        Some(Left::NotYours)
    }
}

/// What a group of agents in the radius has in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alike {
    /// Where they are in their life.
    pub state: Lifecycle,
    /// Their tier.
    pub tier: Tier,
    /// Whether they count as running.
    pub runs: bool,
    /// Where they are deployed.
    pub environment: Environment,
    /// Whether somebody can stop them.
    pub owner: Option<RuntimeOwner>,
    /// How they are paused.
    pub pause: Option<MethodKind>,
    /// A stop is recorded since their state last changed.
    pub stopped: bool,
    /// A call of that stop failed or lapsed.
    pub failed: bool,
    /// The actor may stop them.
    pub may: bool,
}

/// How many agents each part has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Radius([i64; Part::ALL.len()]);

impl Radius {
    /// Counts so many agents that are alike.
    pub fn add(&mut self, alike: Alike, count: i64) {
        for &part in Part::ALL {
            if alike.is(part) {
                self.0[part as usize] += count;
            }
        }
    }

    /// How many agents a part has.
    pub const fn of(&self, part: Part) -> i64 {
        self.0[part as usize]
    }
}

impl Alike {
    /// Whether they belong to the part. Of retired agents nothing else is asked.
    pub fn is(self, part: Part) -> bool {
        let Self { state, tier, runs, environment, owner, pause, stopped, failed, may } = self;
        if state == Lifecycle::Retired || part == Part::Retired {
            return state == Lifecycle::Retired && part == Part::Retired;
        }
        match part {
            Part::All => true,
            Part::Runs => runs,
            Part::Production => environment == Environment::Production,
            Part::Critical | Part::High | Part::Moderate | Part::Low => Part::of_tier(tier) == part,
            Part::Unable => owner.is_none_or(|o| o.nobody_can_stop() || o == RuntimeOwner::Unable),
            Part::Webhook => pause == Some(MethodKind::Webhook),
            Part::Person => pause != Some(MethodKind::Webhook),
            Part::Stopped => stopped,
            Part::Failed => stopped && failed,
            Part::Yours => left(state, stopped, may).is_none(),
            Part::Left => left(state, stopped, may).is_some(),
            Part::Retired => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alike() -> impl Strategy<Value = Alike> {
        let one = |all: usize| 0..all;
        (
            (one(Lifecycle::ALL.len()), one(Tier::ALL.len()), any::<bool>(), one(Environment::ALL.len())),
            (proptest::option::of(one(RuntimeOwner::ALL.len())), proptest::option::of(one(MethodKind::ALL.len()))),
            (any::<bool>(), any::<bool>(), any::<bool>()),
        )
            .prop_map(|((state, tier, runs, environment), (owner, pause), (stopped, failed, may))| Alike {
                state: Lifecycle::ALL[state],
                tier: Tier::ALL[tier],
                runs,
                environment: Environment::ALL[environment],
                owner: owner.map(|o| RuntimeOwner::ALL[o]),
                pause: pause.map(|p| MethodKind::ALL[p]),
                stopped,
                failed,
                may,
            })
    }

    #[test]
    fn what_is_used_is_read_as_the_inventory_reads_it() {
        for (key, value) in
            [("credential", "payments API key"), ("tool", "Jira"), ("vendor", "Acme"), ("system", "SY-3")]
        {
            let uses = Uses::parse(key, value).unwrap();
            assert_eq!((uses.key(), uses.value().as_str()), (key, value));
        }
        for (key, value) in [("credential", " "), ("system", "SY-0"), ("system", "x"), ("agent", "AG-1")] {
            assert_eq!(Uses::parse(key, value), None, "{key} {value}");
        }
    }

    #[test]
    fn what_is_ended_or_stopped_is_left() {
        assert_eq!(left(Lifecycle::Active, false, true), None);
        assert_eq!(left(Lifecycle::Suspended, false, true), None, "who suspended it revoked nothing");
        assert_eq!(left(Lifecycle::Active, false, false), Some(Left::NotYours));
        assert_eq!(left(Lifecycle::Draft, true, true), Some(Left::Stopped));
        assert_eq!(left(Lifecycle::Retired, false, true), Some(Left::Retired));
    }

    proptest! {
        /// The parts add up: each agent is of one tier, is paused one way or the other, and is
        /// either stopped, the actor's to stop, or neither.
        #[test]
        fn the_parts_add_up(groups in proptest::collection::vec((alike(), 1..50_i64), 0..20)) {
            let mut radius = Radius::default();
            for (alike, count) in &groups {
                radius.add(*alike, *count);
            }
            let all = radius.of(Part::All);
            let total: i64 = groups.iter().map(|(_, n)| n).sum();
            prop_assert_eq!(all + radius.of(Part::Retired), total);
            let tiers = [Part::Critical, Part::High, Part::Moderate, Part::Low].map(|p| radius.of(p));
            prop_assert_eq!(tiers.iter().sum::<i64>(), all);
            prop_assert_eq!(radius.of(Part::Webhook) + radius.of(Part::Person), all);
            prop_assert_eq!(radius.of(Part::Left) + radius.of(Part::Yours), all);
            prop_assert!(radius.of(Part::Stopped) <= radius.of(Part::Left));
            prop_assert!(radius.of(Part::Failed) <= radius.of(Part::Stopped));
            for &part in Part::ALL {
                prop_assert!(radius.of(part) <= total);
            }
        }
    }
}
