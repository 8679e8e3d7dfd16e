//! The stop card: what is to be done when an agent is stopped, by whose duty, and when the
//! stop is to be reviewed.

use chrono::TimeDelta;

use crate::agent::{AgentFacts, CredentialKind};
use crate::duty::Duty;

use super::Surface;

crate::words! {
    /// One thing that a stop consists of.
    pub enum Step {
        /// It does nothing more.
        Pause = "pause", "Pause execution";
        /// A credential no longer opens anything.
        Revoke = "revoke", "Revoke";
        /// A key that stays is issued anew.
        Rotate = "rotate", "Rotate";
        /// What it asks of tools and interfaces is refused.
        Block = "block", "Block requests";
        /// The place where it runs is cut off.
        Isolate = "isolate", "Isolate";
        /// What it has open is closed.
        Sessions = "sessions", "Terminate sessions";
    }
}

impl Step {
    /// The duty whose owner must do it.
    pub const fn duty(self) -> Duty {
        match self {
            Self::Pause => Duty::Containment,
            Self::Revoke | Self::Rotate => Duty::Identity,
            Self::Block => Duty::Requests,
            Self::Isolate | Self::Sessions => Duty::Platform,
        }
    }

    /// The surface whose method does it; `None` where no method of ours does.
    pub const fn surface(self) -> Option<Surface> {
        match self {
            Self::Pause => Some(Surface::Pause),
            Self::Revoke | Self::Rotate => Some(Surface::Revoke),
            Self::Block => Some(Surface::Block),
            Self::Isolate => Some(Surface::Isolate),
            Self::Sessions => None,
        }
    }
}

/// A step that is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Which.
    pub step: Step,
    /// The credential it is about; empty otherwise.
    pub subject: String,
    /// Of what kind that is.
    pub kind: Option<CredentialKind>,
    /// How long what it issues lives.
    pub ttl_seconds: Option<i64>,
}

/// The steps of stopping an agent with these facts: pause, revoke each credential, rotate each
/// that stands, terminate sessions; and block requests or isolate, where a way to do so is among
/// the `methods` that are recorded.
pub fn plan(facts: &AgentFacts, methods: &[Surface]) -> Vec<Planned> {
    let bare = |step| Planned { step, subject: String::new(), kind: None, ttl_seconds: None };
    let mut credentials: Vec<_> = facts.credentials.iter().collect();
    credentials.sort();
    credentials.dedup_by(|a, b| a.name == b.name);
    let about = |step, standing_only: bool| {
        credentials
            .iter()
            .filter(move |c| !standing_only || c.kind.is_standing())
            .map(move |c| Planned { step, subject: c.name.clone(), kind: Some(c.kind), ttl_seconds: c.ttl_seconds })
            .collect::<Vec<_>>()
    };
    let mut out = vec![bare(Step::Pause)];
    out.extend(about(Step::Revoke, false));
    if credentials.is_empty() && methods.contains(&Surface::Revoke) {
        // What it holds is unknown, and yet there is somebody who takes it away.
        out.push(bare(Step::Revoke));
    }
    out.extend(about(Step::Rotate, true));
    out.extend(
        [Step::Block, Step::Isolate]
            .into_iter()
            .filter(|s| s.surface().is_some_and(|on| methods.contains(&on)))
            .map(bare),
    );
    out.push(bare(Step::Sessions));
    out
}

/// Within how long a stop is reviewed by somebody else.
pub const REVIEW_WITHIN: TimeDelta = TimeDelta::hours(24);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::CredentialUse;

    #[test]
    fn each_credential_is_a_step_and_each_standing_one_two() {
        let mut facts = AgentFacts::named("x");
        for (name, kind) in [
            ("token", CredentialKind::ShortLived),
            ("key", CredentialKind::LongLived),
            ("key", CredentialKind::LongLived),
        ] {
            facts.credentials.push(CredentialUse {
                name: name.into(),
                kind,
                ttl_seconds: None,
                kept_in: String::new(),
                last_rotated: String::new(),
            });
        }
        let steps: Vec<_> = plan(&facts, &[]).into_iter().map(|p| (p.step, p.subject)).collect();
        let step = |step, subject: &str| (step, subject.to_owned());
        assert_eq!(
            steps,
            [
                step(Step::Pause, ""),
                step(Step::Revoke, "key"),
                step(Step::Revoke, "token"),
                step(Step::Rotate, "key"),
                step(Step::Sessions, ""),
            ]
        );
    }
    #[test]
    fn what_a_method_can_do_is_a_step() {
        let facts = AgentFacts::named("x");
        let steps = |methods: &[Surface]| plan(&facts, methods).into_iter().map(|p| p.step).collect::<Vec<_>>();
        assert_eq!(steps(&[Surface::Pause]), [Step::Pause, Step::Sessions]);
        assert_eq!(
            steps(Surface::ALL),
            [Step::Pause, Step::Revoke, Step::Block, Step::Isolate, Step::Sessions],
            "a revoking without credentials is a step all the same"
        );
    }
}
