//! Who decides a step, and whether somebody may.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Request, RequestState, Step, Verdict, compatible};
use crate::can::Denied;
use crate::duty::Duty;
use crate::id::PersonId;

crate::words! {
    /// How somebody comes to decide a step.
    pub enum Via {
        /// Accountable for the duty, or leads the team that is.
        Owner = "owner", "Owner";
        /// The owner asked for it, or has another part in it: their manager decides.
        Manager = "manager", "Manager";
        /// Appointed while the capacity is vacant.
        Acting = "acting", "Acting decider";
        /// The decider's delegate, for as long as they said.
        Delegate = "delegate", "Delegate";
        /// A security lead, for the vacant signer of a retirement: on the tombstone for ever.
        Waiver = "waiver", "Security, for a vacant signer";
    }
}

/// Who could decide a step, as things stand at the moment of decision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seat {
    /// The active person who is Accountable for the duty: themself, or as lead of the team.
    pub holder: Option<PersonId>,
    /// The holder's active managers, upward.
    pub managers: Vec<PersonId>,
    /// Whoever the security lead appointed, while that holds.
    pub acting: Option<PersonId>,
    /// Who delegated to whom, as far as it is in force.
    pub delegates: Vec<(PersonId, PersonId)>,
}

/// Who decides, and by virtue of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decider {
    /// Who.
    pub person: PersonId,
    /// By virtue of what.
    pub via: Via,
    /// Whose decision it is, when it is not their own.
    pub on_behalf_of: Option<PersonId>,
}

/// Why somebody may not fill a step of this request, if so: they asked for it, or they have
/// filled another part that this one is to check.
pub fn barred(request: &Request, duty: Duty, person: PersonId) -> Option<Refused> {
    if person == request.requester {
        return Some(Refused::Own);
    }
    request
        .steps
        .iter()
        .filter(|s| s.duty != duty && !compatible(s.duty, duty, request.small_organisation))
        .find(|s| s.decided.as_ref().is_some_and(|d| d.by == person || d.on_behalf_of == Some(person)))
        .map(|s| Refused::OtherPart(s.duty))
}

/// Who decides a step now; `None` while the capacity is vacant, so that security must appoint
/// somebody.
pub fn decider(request: &Request, duty: Duty, seat: &Seat) -> Option<Decider> {
    let free = |p: &PersonId| barred(request, duty, *p).is_none();
    let of = |person, via| Decider { person, via, on_behalf_of: None };
    let owner = seat.holder.filter(free).map(|p| of(p, Via::Owner));
    let manager =
        || seat.holder.and_then(|_| seat.managers.iter().copied().find(|m| free(m))).map(|p| of(p, Via::Manager));
    let acting = || seat.acting.filter(free).map(|p| of(p, Via::Acting));
    owner.or_else(manager).or_else(acting)
}

/// What is asked when somebody decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The step's number.
    pub place: i64,
    /// Who decides.
    pub by: PersonId,
    /// How.
    pub verdict: Verdict,
    /// The hash of what they were shown.
    pub subject_sha256: &'a str,
    /// The hash of what there is now.
    pub present_sha256: &'a str,
}

/// Why a decision is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such step.
    #[error("The request has no step {0}.")]
    NoStep(i64),
    /// It ended.
    #[error("The request is not open any more: {}.", .0.label().to_lowercase())]
    Ended(RequestState),
    /// Somebody was first.
    #[error("This step was decided already: {}.", .0.label().to_lowercase())]
    Decided(Verdict),
    /// A second approval before the first.
    #[error("This is the formal second approval: it is decided once every other step is.")]
    TooEarly,
    /// A retirement is signed when its checklist is closed.
    #[error("It is signed once every row is closed. Open: {}.", .0.join("; "))]
    RowsOpen(Vec<String>),
    /// A word that this kind of request does not know.
    #[error("This kind of request ({kind}) is not decided by “{}”; it takes: {}.", .verdict.key(), .kind.verdicts().iter().map(|v| v.key()).collect::<Vec<_>>().join(", "))]
    NotThisWord {
        /// What was asked.
        kind: super::RequestKind,
        /// The word.
        verdict: Verdict,
    },
    /// What was shown is not what the request is about.
    #[error("What you decided on is not what is asked: open the request again and look at it.")]
    OtherSubject,
    /// What it is about changed.
    #[error("What the request is about has changed since it was asked, so it is void; it has to be asked again.")]
    Changed,
    /// One's own request.
    #[error("You asked for this yourself, so somebody else decides it.")]
    Own,
    /// One has another part in it.
    #[error("You have decided this as {} already, and one person never has both parts; somebody else decides this step.", .0.owner_title().to_lowercase())]
    OtherPart(Duty),
    /// Somebody else decides.
    #[error("{} decides this step.", .0.as_deref().unwrap_or("Nobody yet: the capacity is vacant, so a security lead appoints somebody who"))]
    NotYours(Option<String>),
}

impl Refused {
    /// Whether another person could do what this one may not.
    pub const fn is_forbidden(&self) -> bool {
        matches!(self, Self::Own | Self::OtherPart(_) | Self::NotYours(_))
    }

    /// As a refusal of `can`, when it is one.
    pub fn denied(&self) -> Option<Denied> {
        self.is_forbidden().then(|| Denied::Forbidden(self.to_string()))
    }
}

/// Whether somebody may decide a step as they ask, and by virtue of what.
pub fn may_decide(request: &Request, seat: &Seat, asked: &Asked<'_>, now: DateTime<Utc>) -> Result<Decider, Refused> {
    let step: &Step = request.step(asked.place).ok_or(Refused::NoStep(asked.place))?;
    let principal = decider(request, step.duty, seat);
    let delegated = |p: &Decider| seat.delegates.contains(&(p.person, asked.by));
    let found = match principal {
        Some(p) if p.person == asked.by => p,
        Some(p) if delegated(&p) && barred(request, step.duty, asked.by).is_none() => {
            Decider { person: asked.by, via: Via::Delegate, on_behalf_of: Some(p.person) }
        }
        _ => {
            let mine = seat.holder == Some(asked.by) || principal.is_some_and(|p| delegated(&p));
            let why = barred(request, step.duty, asked.by).filter(|why| mine || *why == Refused::Own);
            return Err(why.unwrap_or(Refused::NotYours(None)));
        }
    };
    match request.state(now) {
        RequestState::Open => {}
        ended => return Err(Refused::Ended(ended)),
    }
    if let Some(d) = &step.decided {
        return Err(Refused::Decided(d.verdict));
    }
    if !request.kind.verdicts().contains(&asked.verdict) {
        return Err(Refused::NotThisWord { kind: request.kind, verdict: asked.verdict });
    }
    if asked.subject_sha256 != request.subject_sha256 {
        return Err(Refused::OtherSubject);
    }
    if asked.present_sha256 != request.subject_sha256 {
        return Err(Refused::Changed);
    }
    if !request.rows_open.is_empty() {
        return Err(Refused::RowsOpen(request.rows_open.clone()));
    }
    if !request.ready(step) {
        return Err(Refused::TooEarly);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::request::{Decided, RequestKind};

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(n)
    }

    const DUTIES: [Duty; 6] =
        [Duty::Purpose, Duty::Containment, Duty::Policy, Duty::Identity, Duty::Platform, Duty::Regulatory];

    fn request(requester: i64, small: bool) -> Request {
        Request {
            kind: RequestKind::Approval,
            requester: PersonId(requester),
            subject_sha256: "a".into(),
            lapses_at: day(90),
            closed: None,
            small_organisation: small,
            rows_open: Vec::new(),
            steps: (1..)
                .zip(DUTIES)
                .map(|(place, duty)| Step {
                    place,
                    duty,
                    last: duty == Duty::Regulatory,
                    due_at: day(5),
                    decided: None,
                })
                .collect(),
        }
    }

    fn ask(place: i64, by: i64, verdict: Verdict) -> Asked<'static> {
        Asked { place, by: PersonId(by), verdict, subject_sha256: "a", present_sha256: "a" }
    }

    #[test]
    fn the_requesters_step_goes_to_their_manager_and_never_to_them() {
        let r = request(1, true);
        let seat = Seat { holder: Some(PersonId(1)), managers: vec![PersonId(1), PersonId(2)], ..Seat::default() };
        assert_eq!(may_decide(&r, &seat, &ask(1, 1, Verdict::Approve), day(1)), Err(Refused::Own));
        let d = may_decide(&r, &seat, &ask(1, 2, Verdict::Approve), day(1)).unwrap();
        assert_eq!(d.via, Via::Manager);
        // Nor to them as their manager's delegate.
        let seat = Seat { delegates: vec![(PersonId(2), PersonId(1)), (PersonId(2), PersonId(3))], ..seat };
        assert_eq!(may_decide(&r, &seat, &ask(1, 1, Verdict::Approve), day(1)), Err(Refused::Own));
        let d = may_decide(&r, &seat, &ask(1, 3, Verdict::Approve), day(1)).unwrap();
        assert_eq!((d.via, d.on_behalf_of), (Via::Delegate, Some(PersonId(2))));
        // Delegation is not chained.
        let seat = Seat { delegates: vec![(PersonId(2), PersonId(3)), (PersonId(3), PersonId(4))], ..seat };
        assert!(may_decide(&r, &seat, &ask(1, 4, Verdict::Approve), day(1)).is_err());
    }

    #[test]
    fn the_refusals_are_told_apart() {
        let mut r = request(9, false);
        let seat = Seat { holder: Some(PersonId(2)), ..Seat::default() };
        let go = |r: &Request, a: Asked<'_>, at| may_decide(r, &seat, &a, at);
        assert_eq!(go(&r, ask(8, 2, Verdict::Approve), day(1)), Err(Refused::NoStep(8)));
        assert_eq!(go(&r, ask(6, 2, Verdict::Approve), day(1)), Err(Refused::TooEarly));
        assert_eq!(
            go(&r, ask(1, 2, Verdict::Attest), day(1)).map_err(|e| e.to_string()),
            Err("This kind of request (approval) is not decided by “attest”; it takes: approve, approve_with_conditions, reject.".into())
        );
        assert_eq!(
            go(&r, Asked { subject_sha256: "b", ..ask(1, 2, Verdict::Approve) }, day(1)),
            Err(Refused::OtherSubject)
        );
        assert_eq!(go(&r, Asked { present_sha256: "b", ..ask(1, 2, Verdict::Approve) }, day(1)), Err(Refused::Changed));
        let open = Request { rows_open: vec!["Revoke a credential: x".into()], ..r.clone() };
        assert!(open.steps.iter().all(|s| !open.ready(s)));
        assert!(
            go(&open, ask(1, 2, Verdict::Approve), day(1))
                .is_err_and(|e| e.to_string().ends_with("Open: Revoke a credential: x."))
        );
        assert_eq!(go(&r, ask(1, 2, Verdict::Approve), day(90)), Err(Refused::Ended(RequestState::Lapsed)));
        assert!(go(&r, ask(1, 2, Verdict::Approve), day(90) - TimeDelta::microseconds(1)).is_ok());
        r.steps[0].decided =
            Some(Decided { by: PersonId(2), on_behalf_of: None, verdict: Verdict::Approve, at: day(1) });
        assert_eq!(go(&r, ask(1, 2, Verdict::Approve), day(1)), Err(Refused::Decided(Verdict::Approve)));
        assert_eq!(go(&r, ask(3, 2, Verdict::Approve), day(1)), Err(Refused::OtherPart(Duty::Purpose)));
    }

    #[derive(Debug, Clone)]
    enum Event {
        Decide { place: i64, by: i64, verdict: usize },
        Leave(i64),
        Appoint(usize, i64),
        Delegate(i64, i64),
        Wait(i64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            6 => (1..7i64, 0..7i64, 0..8usize).prop_map(|(place, by, verdict)| Event::Decide { place, by, verdict: usize::from(verdict == 7) * 2 }),
            1 => (0..7i64).prop_map(Event::Leave),
            1 => (0..6usize, 0..7i64).prop_map(|(d, p)| Event::Appoint(d, p)),
            1 => (0..7i64, 0..7i64).prop_map(|(a, b)| Event::Delegate(a, b)),
            1 => (1..30i64).prop_map(Event::Wait),
        ]
    }

    proptest! {
        /// Seven people, six duties held at random, anybody trying anything in any order, some
        /// leaving: no requester decides, no two parts in one hand, no step decided twice, the
        /// second approval last; and whatever they do or leave undone, the request ends.
        #[test]
        fn no_sequence_breaks_the_rules_and_each_ends(
            holders in proptest::collection::vec(0..7i64, 6),
            manager in proptest::collection::vec(0..7i64, 7),
            requester in 0..7i64,
            small in any::<bool>(),
            events in proptest::collection::vec(event(), 0..60),
        ) {
            let mut r = request(requester, small);
            let mut gone: Vec<i64> = Vec::new();
            let mut acting: BTreeMap<usize, i64> = BTreeMap::new();
            let mut delegates: Vec<(PersonId, PersonId)> = Vec::new();
            let mut today = 0;
            for e in events {
                match e {
                    Event::Leave(p) => gone.push(p),
                    Event::Appoint(d, p) => { acting.insert(d, p); }
                    Event::Delegate(a, b) if a != b => delegates.push((PersonId(a), PersonId(b))),
                    Event::Delegate(..) => {}
                    Event::Wait(days) => today += days,
                    Event::Decide { place, by, verdict } => {
                        let at = usize::try_from(place - 1).unwrap();
                        let here = |p: &i64| !gone.contains(p);
                        let mut chain = Vec::new();
                        let mut up = manager[usize::try_from(holders[at]).unwrap()];
                        for _ in 0..7 {
                            if here(&up) && !chain.contains(&PersonId(up)) {
                                chain.push(PersonId(up));
                            }
                            up = manager[usize::try_from(up).unwrap()];
                        }
                        let seat = Seat {
                            holder: Some(holders[at]).filter(here).map(PersonId),
                            managers: chain,
                            acting: acting.get(&at).copied().filter(here).map(PersonId),
                            delegates: delegates.iter().copied().filter(|(a, b)| here(&a.0) && here(&b.0)).collect(),
                        };
                        let before = r.clone();
                        let verdict = Verdict::ALL[verdict];
                        if !here(&by) { continue; }
                        if let Ok(d) = may_decide(&r, &seat, &ask(place, by, verdict), day(today)) {
                            prop_assert!(before.state(day(today)) == RequestState::Open);
                            prop_assert!(before.steps[at].decided.is_none());
                            r.steps[at].decided = Some(Decided {
                                by: d.person, on_behalf_of: d.on_behalf_of, verdict, at: day(today),
                            });
                            if let Some(end) = r.end() { r.closed = Some((end, day(today))); }
                        }
                    }
                }
            }
            let filled: Vec<(Duty, &Decided)> =
                r.steps.iter().filter_map(|s| Some((s.duty, s.decided.as_ref()?))).collect();
            for (i, (duty, d)) in filled.iter().enumerate() {
                prop_assert!(d.by != r.requester && d.on_behalf_of != Some(r.requester));
                for (other, o) in &filled[i + 1..] {
                    let same = [Some(d.by), d.on_behalf_of].iter().flatten().any(|p| o.by == *p || o.on_behalf_of == Some(*p));
                    prop_assert!(!same || compatible(*duty, *other, small), "{duty} {other}");
                }
                if *duty == Duty::Regulatory {
                    prop_assert_eq!(filled.len(), 6);
                    prop_assert!(filled.iter().all(|(_, o)| o.at <= d.at));
                }
            }
            prop_assert!(r.state(day(90)).ended(), "everybody silent: it ends by the clock");
            if r.state(day(90)) == RequestState::Approved {
                prop_assert!(filled.len() == 6 && filled.iter().all(|(_, d)| d.verdict == Verdict::Approve));
            }
        }
    }
}
