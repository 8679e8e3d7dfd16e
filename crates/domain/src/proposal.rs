//! What one person alone may not do: grant a privileged role, set the password of somebody
//! who owns or governs, or weaken the policy. While one person alone governs it goes through at once;
//! from two on, one asks and another confirms.

use chrono::{DateTime, TimeDelta, Utc};

use crate::can::{Actor, Denied, Who};
use crate::id::PersonId;
use crate::party::{Role, Roles};

/// How long what was asked waits for a second person.
pub const LAPSES_AFTER: TimeDelta = TimeDelta::days(7);

/// How long somebody who governs no more still counts as a second person: whoever could
/// first take the other's role away could otherwise grant it alone a second later.
pub const COUNTS_FOR: TimeDelta = TimeDelta::days(7);

crate::words! {
    /// What needs a second person.
    pub enum Matter {
        Roles = "roles", "Grant a privileged role";
        Password = "password", "Set a password";
        Policy = "policy", "Weaken the policy";
    }
}

crate::words! {
    /// Where it stands, as stored; whether an open one has lapsed is asked of the clock.
    pub enum ProposalState {
        Open = "open", "Waits";
        Confirmed = "confirmed", "Confirmed";
        Refused = "refused", "Refused";
        Lapsed = "lapsed", "Lapsed";
    }
}

/// The roles that govern: who has one of them grants, resets, and decides about any agent.
pub const PRIVILEGED: [Role; 2] = [Role::Administrator, Role::SecurityLead];

/// The privileged roles among these.
pub fn privileged(roles: Roles) -> Roles {
    roles.iter().filter(|r| PRIVILEGED.contains(r)).collect()
}

/// The privileged roles that somebody gets who had `before` and is to have `after`.
pub fn granted(before: Roles, after: Roles) -> Roles {
    privileged(after).iter().filter(|r| !before.has(*r)).collect()
}

/// How something is done that may need a second person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// At once.
    AtOnce,
    /// This person asks, another confirms.
    Ask(PersonId),
}

/// How `actor` may do it for `subject`, if it is about somebody. `governing` is how many people are administrator or
/// security lead, those who ceased to be one lately included. Whether they may do it at all
/// is asked of [`crate::can::can`] first.
pub fn way(actor: &Actor, matter: Matter, subject: Option<PersonId>, governing: usize) -> Result<Way, Denied> {
    match actor.who {
        // Whoever runs the command line has the machine; set-up makes the first of all.
        Who::Cli | Who::Nobody => Ok(Way::AtOnce),
        Who::Person(me) if Some(me) == subject && matter == Matter::Roles => Err(Denied::Forbidden(
            "Nobody grants a privileged role to themselves: ask another administrator to do it.".into(),
        )),
        Who::Person(me) if Some(me) == subject => Err(Denied::Forbidden(
            "One’s own password is changed under Your account, where the present one is asked for.".into(),
        )),
        _ if governing < 2 => Ok(Way::AtOnce),
        Who::Person(me) => Ok(Way::Ask(me)),
        Who::Token(_) => Err(Denied::Forbidden(
            "This needs two people: sign in, or use a token that has an owner, so that somebody asks for it.".into(),
        )),
    }
}

/// What was asked, as far as the rule reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Who asked.
    pub by: PersonId,
    /// For whom; nobody where it is about the policy.
    pub subject: Option<PersonId>,
    /// When.
    pub at: DateTime<Utc>,
}

impl Asked {
    /// When it lapses.
    pub fn until(&self) -> DateTime<Utc> {
        self.at + LAPSES_AFTER
    }

    /// Whether it waits no more because nobody answered.
    pub fn lapsed(&self, now: DateTime<Utc>) -> bool {
        now >= self.until()
    }
}

/// Why somebody does not decide about what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotYours {
    /// Another rule than the clock.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Seven days passed.
    #[error("Nobody confirmed it within 7 days, so it has lapsed: ask for it again.")]
    Lapsed,
}

/// Whether `actor` may confirm or refuse it; `governs` says that they are active and
/// administrator or security lead now. Whoever asked may refuse, which takes it back.
pub fn decides(
    actor: &Actor,
    governs: bool,
    asked: &Asked,
    confirms: bool,
    now: DateTime<Utc>,
) -> Result<PersonId, NotYours> {
    let forbidden = |sentence: &str| NotYours::Denied(Denied::Forbidden(sentence.into()));
    let Some(me) = actor.person_id().filter(|_| actor.scopes.is_none()) else {
        return Err(forbidden("This is a person’s own decision: sign in."));
    };
    if asked.lapsed(now) {
        return Err(NotYours::Lapsed);
    }
    if !governs {
        return Err(forbidden("Only another administrator or security lead confirms this."));
    }
    if confirms && me == asked.by {
        return Err(forbidden("You asked for it: another administrator or security lead confirms it."));
    }
    if Some(me) == asked.subject {
        return Err(forbidden("It is about you: another administrator or security lead confirms it."));
    }
    Ok(me)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    fn admin(id: i64) -> Actor {
        Actor::person(PersonId(id), Roles::NONE.with(Role::Administrator))
    }

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    #[test]
    fn one_alone_grants_at_once_and_two_ask_each_other() {
        let to = Some(PersonId(3));
        assert_eq!(way(&admin(1), Matter::Roles, to, 1), Ok(Way::AtOnce));
        assert_eq!(way(&admin(1), Matter::Roles, to, 2), Ok(Way::Ask(PersonId(1))));
        assert!(way(&admin(1), Matter::Roles, Some(PersonId(1)), 1).is_err(), "never to oneself");
        assert_eq!(way(&Actor::cli(), Matter::Roles, to, 9), Ok(Way::AtOnce));
        let token = Actor::token(crate::id::TokenId(1), vec![crate::can::Scope::Admin]);
        assert!(way(&token, Matter::Roles, to, 2).is_err(), "nobody asks");
        let asked = Asked { by: PersonId(1), subject: to, at: at(0) };
        assert!(decides(&admin(1), true, &asked, true, at(1)).is_err(), "who asked");
        assert!(decides(&admin(1), true, &asked, false, at(1)).is_ok(), "who asked takes it back");
        assert!(decides(&admin(3), true, &asked, true, at(1)).is_err(), "who profits");
        assert!(decides(&admin(2), false, &asked, true, at(1)).is_err(), "who governs no more");
        assert_eq!(decides(&admin(2), true, &asked, true, at(1)), Ok(PersonId(2)));
        assert_eq!(decides(&admin(2), true, &asked, true, at(7 * 24)), Err(NotYours::Lapsed));
        let by_token = Actor { scopes: Some(vec![crate::can::Scope::Admin]), ..admin(2) };
        assert!(decides(&by_token, true, &asked, true, at(1)).is_err(), "a person's own decision");
    }

    /// A policy is about nobody: whoever did not ask for it confirms it.
    #[test]
    fn a_weaker_policy_needs_two() {
        assert_eq!(way(&admin(1), Matter::Policy, None, 1), Ok(Way::AtOnce));
        assert_eq!(way(&admin(1), Matter::Policy, None, 2), Ok(Way::Ask(PersonId(1))));
        let asked = Asked { by: PersonId(1), subject: None, at: at(0) };
        assert!(decides(&admin(1), true, &asked, true, at(1)).is_err());
        assert_eq!(decides(&admin(2), true, &asked, true, at(1)), Ok(PersonId(2)));
    }

    #[test]
    fn only_what_is_new_and_privileged_is_granted() {
        let of = |roles: &[Role]| roles.iter().copied().collect::<Roles>();
        assert!(granted(of(&[Role::Member]), of(&[Role::Member, Role::Auditor])).is_empty());
        assert!(granted(of(&[Role::Administrator]), of(&[Role::Administrator])).is_empty());
        assert_eq!(
            granted(of(&[Role::Administrator]), of(&[Role::Administrator, Role::SecurityLead, Role::Member])),
            of(&[Role::SecurityLead])
        );
    }

    #[derive(Debug, Clone)]
    enum Step {
        Grant(i64, i64),
        Take(i64, i64),
        Confirm(i64, usize),
        Wait(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..5_i64, 0..5_i64).prop_map(|(a, b)| Step::Grant(a, b)),
            (0..5_i64, 0..5_i64).prop_map(|(a, b)| Step::Take(a, b)),
            (0..5_i64, 0..4_usize).prop_map(|(a, n)| Step::Confirm(a, n)),
            (1..60_i64).prop_map(Step::Wait),
        ]
    }

    proptest! {
        /// Whatever a few people do in whatever order: once two govern, and until a week
        /// after that, whoever comes to govern was asked for by one and confirmed by another,
        /// neither of them themself.
        #[test]
        fn nobody_grants_it_alone(steps in proptest::collection::vec(step(), 1..60)) {
            let mut governing: BTreeSet<i64> = [0, 1].into();
            let mut ceased: BTreeMap<i64, i64> = BTreeMap::new();
            let mut open: Vec<Asked> = Vec::new();
            let mut hour = 0;
            for step in steps {
                let lately = ceased
                    .iter()
                    .filter(|(id, since)| !governing.contains(id) && hour - **since < COUNTS_FOR.num_hours())
                    .count();
                match step {
                    Step::Grant(by, to) if governing.contains(&by) && !governing.contains(&to) => {
                        match way(&admin(by), Matter::Roles, Some(PersonId(to)), governing.len() + lately) {
                            Ok(Way::AtOnce) => {
                                prop_assert!(governing.len() == 1 && lately == 0, "alone, while there was another");
                                governing.insert(to);
                            }
                            Ok(Way::Ask(me)) => open.push(Asked { by: me, subject: Some(PersonId(to)), at: at(hour) }),
                            Err(_) => {}
                        }
                    }
                    Step::Grant(by, to) if by == to => {
                        prop_assert!(way(&admin(by), Matter::Roles, Some(PersonId(to)), governing.len()).is_err());
                    }
                    Step::Take(by, from) if governing.contains(&by) && by != from && governing.remove(&from) => {
                        ceased.insert(from, hour);
                    }
                    Step::Confirm(by, n) if n < open.len() => {
                        let asked = open[n];
                        if let Ok(me) = decides(&admin(by), governing.contains(&by), &asked, true, at(hour)) {
                            prop_assert!(me != asked.by && Some(me) != asked.subject);
                            prop_assert!(governing.contains(&me.0));
                            prop_assert!(at(hour) - asked.at < LAPSES_AFTER);
                            governing.extend(asked.subject.map(|p| p.0));
                            open.remove(n);
                        }
                    }
                    Step::Wait(hours) => hour += hours,
                    _ => {}
                }
            }
        }
    }
}
