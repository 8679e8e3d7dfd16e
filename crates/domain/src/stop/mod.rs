//! Stopping an agent: which kind of harm a stop method ends, how a call to a webhook went,
//! what a drill has shown, and what the agent may still do at worst.

mod address;
mod card;
mod radius;
mod residual;
mod shown;
mod signature;

use chrono::{DateTime, TimeDelta, Utc};

use crate::duty::Duty;

pub use address::{Forbidden, allowed, target};
pub use card::{Planned, REVIEW_WITHIN, Step, plan};
pub use radius::{Alike, Left, Part, Radius, Reached, Uses};
pub use residual::{Residual, Token, residual};
pub use shown::{Call, LastStop, Method, PastStop, Reviewed, StepSeen, Stop};
pub use signature::{CALLBACK_FRESH, Unproven, sign, verify};

crate::words! {
    /// Where harm is stopped. Authority is recorded and drilled for each apart: whoever
    /// can pause an agent cannot therefore revoke its keys.
    pub enum Surface {
        /// Its execution.
        Pause = "pause", "Pause";
        /// Its credentials.
        Revoke = "revoke", "Revoke and rotate";
        /// What it asks of tools and interfaces.
        Block = "block", "Block requests";
        /// Where it runs.
        Isolate = "isolate", "Isolate";
    }
}

impl Surface {
    /// The duty whose owner stops this.
    pub const fn duty(self) -> Duty {
        match self {
            Self::Pause => Duty::Containment,
            Self::Revoke => Duty::Identity,
            Self::Block => Duty::Requests,
            Self::Isolate => Duty::Platform,
        }
    }

    /// What is done, in a sentence.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Pause => "Stops it from doing anything more.",
            Self::Revoke => "Takes away what it signs in with, and issues the keys anew.",
            Self::Block => "Refuses what it asks of tools and interfaces.",
            Self::Isolate => "Cuts the place where it runs off from everything else.",
        }
    }
}

crate::words! {
    /// How a surface is stopped.
    pub enum MethodKind {
        /// People do it, step by step.
        Manual = "manual", "Written procedure";
        /// Muster calls an address.
        Webhook = "webhook", "Webhook";
    }
}

/// Shortest and longest time within which a webhook's callback is awaited.
pub const TIMEOUT: (TimeDelta, TimeDelta) = (TimeDelta::seconds(1), TimeDelta::minutes(30));

/// How long it is awaited unless said otherwise.
pub const DEFAULT_TIMEOUT: TimeDelta = TimeDelta::seconds(60);

crate::words! {
    /// How a call to a webhook ended. Only `accepted` lets one hope: that it stopped is
    /// shown by the signed callback alone.
    pub enum Outcome {
        /// 2xx.
        Accepted = "accepted", "Accepted";
        /// Another status.
        Refused = "refused", "Refused";
        /// It sent Muster elsewhere, and Muster does not follow.
        Redirected = "redirected", "Redirected";
        /// No answer in time.
        Silent = "silent", "No answer";
        /// Nobody listens there, or the name is unknown.
        Unreachable = "unreachable", "Not reached";
        /// The name leads to an address that Muster may not call.
        Forbidden = "forbidden", "Forbidden address";
        /// Its certificate is not one that Muster trusts.
        Untrusted = "untrusted", "Certificate not trusted";
    }
}

impl Outcome {
    /// What happened, as a plain sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Accepted => {
                "The webhook accepted the call. That it stopped is not shown until its signed callback comes."
            }
            Self::Refused => "The webhook refused the call. Nothing was stopped by it.",
            Self::Redirected => {
                "The webhook answered with a redirect, which Muster does not follow. Nothing was stopped by it."
            }
            Self::Silent => "The webhook did not answer in time. Whether anything was stopped is unknown.",
            Self::Unreachable => "The webhook could not be reached. Nothing was stopped by it.",
            Self::Forbidden => {
                "The webhook's name leads to a private address, which Muster may not call unless MUSTER_ALLOW_PRIVATE_TARGETS is set. Nothing was stopped by it."
            }
            Self::Untrusted => "The webhook's certificate is not trusted. Nothing was stopped by it.",
        }
    }
}

/// How the calls of one stop went, in a sentence for each outcome: "Pause, isolate: …".
pub fn went(calls: &[(Surface, Outcome)]) -> String {
    let mut parts = Vec::new();
    for &outcome in Outcome::ALL {
        let on: Vec<String> =
            calls.iter().filter(|(_, o)| *o == outcome).map(|(s, _)| s.label().to_lowercase()).collect();
        if !on.is_empty() {
            let mut on = on.join(", ");
            on[..1].make_ascii_uppercase();
            parts.push(format!("{on}: {}", outcome.sentence()));
        }
    }
    parts.join(" ")
}

/// How many webhooks are called at once when many agents are stopped.
pub const AT_ONCE: usize = 32;

/// The longest that the answer to one call is waited for, whatever the method's own time: the
/// callback has the rest.
pub const ANSWER_WITHIN: TimeDelta = TimeDelta::seconds(10);

/// How much later than the method's own time the call in this place of the queue (from 0) may
/// be shown: as long as those before it may take.
pub fn queued(place: usize) -> TimeDelta {
    ANSWER_WITHIN * i32::try_from(place / AT_ONCE).unwrap_or(i32::MAX)
}

/// What is stored of one call or rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// How the call went; `None` while it is under way, and for a manual procedure.
    pub outcome: Option<Outcome>,
    /// When it lapses if nothing shows that it stopped.
    pub due_at: DateTime<Utc>,
    /// When a signed callback, or a witness, showed that it stopped.
    pub stopped_at: Option<DateTime<Utc>>,
    /// When a witness said that it did not.
    pub denied_at: Option<DateTime<Utc>>,
    /// People do it: a witness is awaited, not a callback.
    pub manual: bool,
}

crate::words! {
    /// Where a call or a rehearsal stands.
    pub enum CallState {
        /// Muster is calling.
        Calling = "calling", "Calling";
        /// It was accepted; the callback is awaited.
        Accepted = "accepted", "Accepted, not shown yet";
        /// A witness is awaited.
        Witness = "witness", "Waits for the witness";
        /// It is shown that it stopped.
        Stopped = "stopped", "Stopped";
        /// The call failed, or the witness did not see it.
        Failed = "failed", "Failed";
        /// Nothing showed it in time.
        Lapsed = "lapsed", "Lapsed";
    }
}

impl Told {
    /// Where it stands at a moment: the clock alone makes it lapse.
    pub fn state(&self, now: DateTime<Utc>) -> CallState {
        if self.stopped_at.is_some() {
            return CallState::Stopped;
        }
        if self.denied_at.is_some() {
            return CallState::Failed;
        }
        match self.outcome {
            Some(outcome) if outcome != Outcome::Accepted => CallState::Failed,
            _ if now >= self.due_at => CallState::Lapsed,
            Some(_) => CallState::Accepted,
            None if self.manual => CallState::Witness,
            None => CallState::Calling,
        }
    }

    /// Whether a signed callback, or a witness, may still show that it stopped. Also while
    /// the call is under way: a receiver may stop first and answer then.
    pub fn awaits(&self, now: DateTime<Utc>) -> bool {
        matches!(self.state(now), CallState::Calling | CallState::Accepted | CallState::Witness)
    }
}

/// How long a witness has to say what they saw.
pub const WITNESS_WITHIN: TimeDelta = TimeDelta::days(7);

/// The largest file that may be brought as evidence of a manual drill.
pub const EVIDENCE_MAX: usize = 10 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn told() -> Told {
        Told { due_at: at(60), ..Told::default() }
    }

    #[test]
    fn accepted_is_not_stopped() {
        let mut call = told();
        assert_eq!(call.state(at(1)), CallState::Calling);
        call.outcome = Some(Outcome::Accepted);
        assert_eq!(call.state(at(59)), CallState::Accepted);
        assert_eq!(call.state(at(60)), CallState::Lapsed, "by the clock alone");
        call.stopped_at = Some(at(30));
        assert_eq!(call.state(at(1000)), CallState::Stopped, "what was shown stays shown");
    }

    #[test]
    fn each_outcome_is_said_once() {
        assert_eq!(went(&[]), "");
        let said = went(&[
            (Surface::Pause, Outcome::Refused),
            (Surface::Block, Outcome::Accepted),
            (Surface::Isolate, Outcome::Refused),
        ]);
        assert!(said.starts_with("Block requests: The webhook accepted"), "{said}");
        assert!(said.contains("Pause, isolate: The webhook refused the call."), "{said}");
    }

    #[test]
    fn whoever_waits_longer_has_longer() {
        assert_eq!(queued(0), TimeDelta::zero());
        assert_eq!(queued(AT_ONCE - 1), TimeDelta::zero());
        assert_eq!(queued(3 * AT_ONCE), ANSWER_WITHIN * 3);
    }

    #[test]
    fn a_call_whose_answer_was_never_written_lapses_too() {
        assert_eq!(told().state(at(61)), CallState::Lapsed);
        assert!(!told().awaits(at(61)) && told().awaits(at(59)));
    }

    #[test]
    fn a_manual_rehearsal_waits_for_its_witness() {
        let mut call = Told { manual: true, ..told() };
        assert_eq!(call.state(at(1)), CallState::Witness);
        call.denied_at = Some(at(2));
        assert_eq!(call.state(at(3)), CallState::Failed);
    }

    proptest! {
        /// Whatever the outcome, nothing is stopped that nobody showed, and nothing waits for ever.
        #[test]
        fn nothing_is_stopped_unshown(outcome in proptest::option::of(0..Outcome::ALL.len()), manual: bool, second in 0..200_i64) {
            let call = Told { outcome: outcome.map(|n| Outcome::ALL[n]), manual, ..told() };
            prop_assert_ne!(call.state(at(second)), CallState::Stopped);
            prop_assert!(!call.awaits(at(60 + second)));
            if call.outcome.is_some_and(|o| o != Outcome::Accepted) {
                prop_assert_eq!(call.state(at(second)), CallState::Failed);
            }
        }
    }
}
