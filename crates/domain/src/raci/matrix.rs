//! The rules of an agent's own matrix. The server's assessment and the grid in the browser
//! ask this one function, so that what one sees while writing is what will be said.

use serde::{Deserialize, Serialize};

use crate::agent::AgentFacts;
use crate::assignment::{Held, Offer, RaciRole};
use crate::duty::{Duty, harmless_sandbox};
use crate::party::{Party, Standing};
use crate::system::SystemKind;

/// What the rules must know of whose matrix it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ward {
    /// The duties that may have an owner: the rows.
    pub duties: Vec<Duty>,
    /// The duties that need an owner.
    pub required: Vec<Duty>,
    /// The owner of a duty may do its work alone: a harmless sandbox agent's.
    pub own_work: bool,
    /// The regulatory approver must be another than the business owner.
    pub regulated: bool,
    /// What the platform gives for a duty that has no A of its own here.
    pub inherited: Vec<Seat>,
}

impl Ward {
    /// Of an agent with these facts.
    pub fn of_agent(facts: &AgentFacts) -> Self {
        Self {
            duties: Duty::ALL.to_vec(),
            required: Duty::all_required(facts).collect(),
            own_work: harmless_sandbox(facts),
            regulated: facts.regulated,
            inherited: Vec::new(),
        }
    }

    /// Of a system of this kind.
    pub fn of_system(kind: SystemKind) -> Self {
        Self {
            duties: kind.duties().to_vec(),
            required: kind.required().to_vec(),
            own_work: false,
            regulated: false,
            inherited: Vec::new(),
        }
    }
}

/// One letter of one party, as it is or as it would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// The duty.
    pub duty: Duty,
    /// The letter.
    pub role: RaciRole,
    /// Whose.
    pub party: Party,
    /// Whether the party can be Accountable.
    pub standing: Standing,
    /// Whether it holds; an A that is offered and not accepted does not.
    pub accepted: bool,
}

impl Seat {
    /// Those who hold something now, and the offers that are open.
    pub fn now(held: &[Held], offers: &[Offer]) -> Vec<Self> {
        let held = held.iter().map(|h| Self {
            duty: h.duty,
            role: h.role,
            party: h.party,
            standing: h.standing,
            accepted: true,
        });
        let offers = offers.iter().map(|o| Self {
            duty: o.duty,
            role: RaciRole::Accountable,
            party: o.party,
            standing: Standing::Active,
            accepted: false,
        });
        held.chain(offers).collect()
    }
}

crate::words! {
    /// A rule of the matrix.
    pub enum Breached {
        /// A required duty has no A, and nobody was asked.
        NoAccountable = "no-accountable", "Nobody is Accountable";
        /// A required duty has no A until an offer is accepted.
        Pending = "pending", "Offered, not accepted";
        /// A duty has more than one A.
        SeveralAccountable = "several-accountable", "More than one is Accountable";
        /// The A of a required duty left, or is a team that nobody leads.
        Gone = "gone", "Whoever is Accountable is gone";
        /// A required duty has an A and no R.
        NoResponsible = "no-responsible", "Nobody is Responsible";
        /// The regulatory approver is also the business owner.
        SameParty = "same-party", "Approver and business owner are the same";
    }
}

/// A rule that a matrix breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// At which duty.
    pub duty: Duty,
    /// Which rule.
    pub rule: Breached,
    /// By whom, where somebody is at fault.
    pub parties: Vec<Party>,
}

impl Breach {
    /// What is wrong, in a sentence.
    pub fn sentence(&self, name: impl Fn(Party) -> String) -> String {
        let who = || {
            let names: Vec<String> = self.parties.iter().map(|p| name(*p)).collect();
            match names.split_last() {
                None => "Somebody".to_owned(),
                Some((one, [])) => one.clone(),
                Some((last, many)) => format!("{} and {last}", many.join(", ")),
            }
        };
        match self.rule {
            Breached::NoAccountable => format!("No A: nobody answers for {}.", self.duty.answers_for()),
            Breached::Pending => format!("No A yet: it is offered to {}.", who()),
            Breached::SeveralAccountable => format!("Several A: {}. One party answers for a duty.", who()),
            Breached::Gone => format!("{} has left or has no active lead, and cannot be A.", who()),
            Breached::NoResponsible => "No R: an owner is named, and nobody does the work.".to_owned(),
            Breached::SameParty => format!("{} is also business owner; the approver must be another.", who()),
        }
    }

    /// What the link that mends it says.
    pub const fn fix_label(&self) -> &'static str {
        match self.rule {
            Breached::NoAccountable => "Assign an owner",
            Breached::Pending => "See the offer",
            Breached::Gone => "Assign a successor",
            Breached::NoResponsible => "Name who does the work",
            Breached::SeveralAccountable | Breached::SameParty => "Change the owner",
        }
    }
}

/// Every rule that the matrix breaks, by duty.
pub fn breaches(ward: &Ward, seats: &[Seat]) -> Vec<Breach> {
    let mut out = Vec::new();
    for &duty in Duty::ALL {
        let own = seats.iter().any(|s| s.duty == duty && s.role == RaciRole::Accountable && s.accepted);
        let given: &[Seat] = if own { &[] } else { &ward.inherited };
        let of = |role: RaciRole, accepted: bool| {
            let all = seats.iter().chain(given);
            all.filter(move |s| s.duty == duty && s.role == role && s.accepted == accepted)
        };
        let accountable: Vec<&Seat> = of(RaciRole::Accountable, true).collect();
        let mut broken = |rule, parties: Vec<Party>| out.push(Breach { duty, rule, parties });
        if accountable.len() > 1 {
            broken(Breached::SeveralAccountable, accountable.iter().map(|s| s.party).collect());
        }
        if !ward.required.contains(&duty) {
            continue;
        }
        if accountable.is_empty() {
            let offered: Vec<Party> = of(RaciRole::Accountable, false).map(|s| s.party).collect();
            let rule = if offered.is_empty() { Breached::NoAccountable } else { Breached::Pending };
            broken(rule, offered);
            continue;
        }
        let gone: Vec<Party> = accountable.iter().filter(|s| s.standing != Standing::Active).map(|s| s.party).collect();
        if !gone.is_empty() {
            broken(Breached::Gone, gone);
        }
        if !ward.own_work && of(RaciRole::Responsible, true).next().is_none() {
            broken(Breached::NoResponsible, Vec::new());
        }
    }
    if ward.regulated {
        let owner = |duty| seats.iter().find(|s| s.duty == duty && s.role == RaciRole::Accountable && s.accepted);
        if let (Some(business), Some(approver)) = (owner(Duty::Purpose), owner(Duty::Regulatory))
            && business.party == approver.party
        {
            let parties = vec![approver.party];
            out.push(Breach { duty: Duty::Regulatory, rule: Breached::SameParty, parties });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::{PersonId, TeamId};

    fn ward(required: &[Duty]) -> Ward {
        Ward {
            duties: Duty::ALL.to_vec(),
            required: required.to_vec(),
            own_work: false,
            regulated: false,
            inherited: Vec::new(),
        }
    }

    fn seat(duty: Duty, role: RaciRole, n: i64) -> Seat {
        Seat { duty, role, party: Party::Person(PersonId(n)), standing: Standing::Active, accepted: true }
    }

    fn told(ward: &Ward, seats: &[Seat]) -> Vec<(Duty, Breached)> {
        breaches(ward, seats).into_iter().map(|b| (b.duty, b.rule)).collect()
    }

    #[test]
    fn each_rule_is_told_at_its_duty() {
        use RaciRole::{Accountable, Responsible};
        let both = ward(&[Duty::Purpose, Duty::Containment]);
        assert_eq!(
            told(&both, &[]),
            [(Duty::Purpose, Breached::NoAccountable), (Duty::Containment, Breached::NoAccountable)]
        );
        let one = ward(&[Duty::Purpose]);
        let offered = Seat { accepted: false, ..seat(Duty::Purpose, Accountable, 1) };
        assert_eq!(told(&one, &[offered]), [(Duty::Purpose, Breached::Pending)]);
        assert_eq!(told(&one, &[seat(Duty::Purpose, Accountable, 1)]), [(Duty::Purpose, Breached::NoResponsible)]);
        let whole = [seat(Duty::Purpose, Accountable, 1), seat(Duty::Purpose, Responsible, 1)];
        assert_eq!(told(&one, &whole), []);
        let gone = [Seat { standing: Standing::Left, ..whole[0] }, whole[1]];
        assert_eq!(told(&one, &gone), [(Duty::Purpose, Breached::Gone)]);
        let two = [whole[0], whole[1], seat(Duty::Purpose, Accountable, 2)];
        assert_eq!(told(&one, &two), [(Duty::Purpose, Breached::SeveralAccountable)]);
        // A duty that is not required may be empty, and still has one A at most.
        assert_eq!(told(&ward(&[]), &two), [(Duty::Purpose, Breached::SeveralAccountable)]);
        let given = Ward { inherited: whole.to_vec(), ..one.clone() };
        assert_eq!(told(&given, &[]), [], "the platform's A and R");
        assert_eq!(told(&given, &[seat(Duty::Purpose, Accountable, 2)]), [(Duty::Purpose, Breached::NoResponsible)]);
        let sandbox = Ward { own_work: true, ..one };
        assert_eq!(told(&sandbox, &whole[..1]), []);
        let regulated = Ward { regulated: true, ..ward(&[]) };
        let same = [seat(Duty::Purpose, Accountable, 1), seat(Duty::Regulatory, Accountable, 1)];
        assert_eq!(told(&regulated, &same), [(Duty::Regulatory, Breached::SameParty)]);
    }

    #[test]
    fn a_sentence_names_who() {
        let breach = Breach {
            duty: Duty::Purpose,
            rule: Breached::SeveralAccountable,
            parties: vec![Party::Person(PersonId(1)), Party::Team(TeamId(2))],
        };
        assert_eq!(breach.sentence(|p| p.to_string()), "Several A: PE-1 and TE-2. One party answers for a duty.");
    }

    fn seats() -> impl Strategy<Value = Vec<Seat>> {
        let one = (0..Duty::ALL.len(), 0..4_usize, 1..4_i64, any::<bool>(), any::<bool>()).prop_map(
            |(d, r, p, here, yes)| {
                let role = RaciRole::ALL[r];
                Seat {
                    duty: Duty::ALL[d],
                    role,
                    party: Party::Person(PersonId(p)),
                    standing: if here { Standing::Active } else { Standing::Left },
                    accepted: yes || role != RaciRole::Accountable,
                }
            },
        );
        prop::collection::vec(one, 0..40)
    }

    proptest! {
        #[test]
        fn a_required_duty_without_breach_is_held(seats in seats()) {
            let ward = ward(Duty::ALL);
            let broken = breaches(&ward, &seats);
            for duty in Duty::ALL.iter().filter(|d| !broken.iter().any(|b| b.duty == **d)) {
                let of = |role| seats.iter().filter(move |s| s.duty == *duty && s.role == role && s.accepted);
                prop_assert_eq!(of(RaciRole::Accountable).filter(|s| s.standing == Standing::Active).count(), 1);
                prop_assert!(of(RaciRole::Responsible).count() > 0);
            }
        }

        /// The order in which letters are written says nothing.
        #[test]
        fn order_does_not_matter(seats in seats()) {
            let ward = ward(Duty::ALL);
            let mut turned = seats.clone();
            turned.reverse();
            prop_assert_eq!(told(&ward, &seats), told(&ward, &turned));
        }
    }
}
