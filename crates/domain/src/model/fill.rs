//! What applying a model to one agent would change: pure, so that the preview and the
//! change are the same answer.

use std::collections::BTreeMap;

use super::{Model, Slot};
use crate::assignment::{Held, Offer, RaciRole, accountable};
use crate::duty::Duty;
use crate::party::{Party, Standing};
use crate::raci::Ward;

/// What becomes of the A of a duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is offered to the model's party.
    Offer {
        /// To whom.
        to: Party,
        /// Who stays accountable until they accept, if anybody is; perhaps gone.
        owner: Option<Party>,
        /// To whom it is on offer now: that offer ends.
        instead_of: Option<Party>,
    },
    /// The model's party holds it.
    Held(Party),
    /// The model's party holds it, and an offer to somebody else ends.
    Withdraw {
        /// Who holds it, and stays.
        owner: Party,
        /// To whom it is on offer now.
        asked: Party,
    },
    /// It is on offer to the model's party.
    Offered(Party),
    /// Somebody else holds it, or is asked: the row stays as it is.
    Kept {
        /// Who is accountable, if anybody is.
        owner: Option<Party>,
        /// Who is asked, if anybody is.
        offered: Option<Party>,
    },
    /// No party was chosen for the function that would hold it: the row stays as it is.
    Open(Slot),
}

/// What becomes of one duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The duty.
    pub duty: Duty,
    /// Its A.
    pub fate: Fate,
    /// R, C and I that are added.
    pub add: Vec<(RaciRole, Party)>,
    /// R, C and I that end; only where rows are replaced.
    pub end: Vec<(RaciRole, Party)>,
    /// R, C and I that are there and stay.
    pub stay: Vec<(RaciRole, Party)>,
}

impl Row {
    /// Whether anything changes.
    pub const fn changes(&self) -> bool {
        matches!(self.fate, Fate::Offer { .. } | Fate::Withdraw { .. }) || !self.add.is_empty() || !self.end.is_empty()
    }
}

/// What becomes of an agent's matrix, by required duty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filled {
    /// The rows.
    pub rows: Vec<Row>,
}

impl Filled {
    /// Whether anything changes.
    pub fn changes(&self) -> bool {
        self.rows.iter().any(Row::changes)
    }
}

/// The regulatory approver would be the business owner, who cannot give the second approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the regulatory approver would also be the business owner; choose another for one of the two")]
pub struct Clash(pub Party);

/// What applying a model does to an agent: for each duty that the agent needs, the letters
/// that the model gives to the parties of its functions. What somebody holds, or is asked
/// to hold, stays as it is unless `replace` is said; an owner who is gone is no owner.
/// Even where rows are replaced, a present owner stays accountable until the new one accepts.
///
/// # Errors
/// Of a regulated agent, when business owner and regulatory approver would be one party.
pub fn fill(
    model: Model,
    parties: &BTreeMap<Slot, Party>,
    ward: &Ward,
    held: &[Held],
    offers: &[Offer],
    replace: bool,
) -> Result<Filled, Clash> {
    let rows: Vec<Row> = ward.required.iter().map(|duty| row(model, parties, *duty, held, offers, replace)).collect();
    if ward.regulated {
        let to_be = |duty: Duty| {
            rows.iter().find(|r| r.duty == duty).and_then(|r| match r.fate {
                Fate::Offer { to, .. } | Fate::Held(to) | Fate::Withdraw { owner: to, .. } | Fate::Offered(to) => {
                    Some((to, r.changes()))
                }
                Fate::Kept { owner, offered } => offered.or(owner).map(|p| (p, false)),
                Fate::Open(_) => accountable(held, duty).map(|h| (h.party, false)),
            })
        };
        // What is so already is told by the matrix; what this would make so is refused.
        if let (Some((business, a)), Some((approver, b))) = (to_be(Duty::Purpose), to_be(Duty::Regulatory))
            && business == approver
            && (a || b)
        {
            return Err(Clash(approver));
        }
    }
    Ok(Filled { rows })
}

fn row(
    model: Model,
    parties: &BTreeMap<Slot, Party>,
    duty: Duty,
    held: &[Held],
    offers: &[Offer],
    replace: bool,
) -> Row {
    let letters = model.holds(duty);
    let there_now =
        || held.iter().filter(|h| h.duty == duty && h.role != RaciRole::Accountable).map(|h| (h.role, h.party));
    let still = |fate| Row { duty, fate, add: Vec::new(), end: Vec::new(), stay: there_now().collect() };
    let slot = letters.iter().find(|(role, _)| *role == RaciRole::Accountable).map_or(Slot::Business, |(_, s)| *s);
    let Some(&to) = parties.get(&slot) else { return still(Fate::Open(slot)) };
    let present = accountable(held, duty);
    let owner = present.map(|h| h.party);
    let there = present.filter(|h| h.standing == Standing::Active).map(|h| h.party);
    let offered = offers.iter().find(|o| o.duty == duty).map(|o| o.party);
    let fate = match (there, offered) {
        (_, Some(asked)) if asked == to => Fate::Offered(to),
        (Some(party), None) if party == to => Fate::Held(to),
        (Some(owner), Some(asked)) if owner == to && replace => Fate::Withdraw { owner, asked },
        (None, None) => Fate::Offer { to, owner, instead_of: None },
        _ if replace => Fate::Offer { to, owner, instead_of: offered },
        _ => return still(Fate::Kept { owner, offered }),
    };
    // One letter says it: whoever answers for it or does the work need not be told of it.
    let mut wanted: Vec<(RaciRole, Party)> = Vec::new();
    for (role, slot) in letters.iter().filter(|(role, _)| *role != RaciRole::Accountable) {
        let Some(&party) = parties.get(slot) else { continue };
        let told = matches!(role, RaciRole::Consulted | RaciRole::Informed);
        if wanted.iter().any(|(r, p)| *p == party && (r == role || told)) || (told && party == to) {
            continue;
        }
        wanted.push((*role, party));
    }
    // Who does the work cannot be left out: without a party for it, whoever answers does it.
    if !wanted.iter().any(|(role, _)| *role == RaciRole::Responsible) {
        wanted.insert(0, (RaciRole::Responsible, to));
    }
    let has = |cell: &(RaciRole, Party)| held.iter().any(|h| h.duty == duty && h.role == cell.0 && h.party == cell.1);
    let add = wanted.iter().copied().filter(|cell| !has(cell)).collect();
    let (end, stay) = there_now().partition(|cell| replace && !wanted.contains(cell));
    Row { duty, fate, add, end, stay }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::agent::{
        Access, AgentFacts, Autonomy, DataClass, Environment, Exposure, Hosting, Sensitivity, ToolGrant, ToolKind,
    };
    use crate::id::{PersonId, TeamId};
    use crate::raci::{Seat, breaches};

    fn everybody() -> BTreeMap<Slot, Party> {
        Slot::ALL.iter().enumerate().map(|(n, slot)| (*slot, Party::Team(TeamId(n as i64 + 1)))).collect()
    }

    fn ward(required: &[Duty]) -> Ward {
        Ward { duties: Duty::ALL.to_vec(), required: required.to_vec(), ..Ward::default() }
    }

    fn held(duty: Duty, role: RaciRole, party: Party, standing: Standing) -> Held {
        let since = DateTime::UNIX_EPOCH;
        let (confirmed_at, moved_at, inherited) = (since, None, None);
        Held { duty, role, party, standing, standing_since: None, since, inherited, confirmed_at, moved_at }
    }

    fn one(duty: Duty, held: &[Held], offers: &[Offer], replace: bool) -> Row {
        let filled = fill(Model::CentralPlatform, &everybody(), &ward(&[duty]), held, offers, replace).unwrap();
        filled.rows.into_iter().next().unwrap()
    }

    #[test]
    fn a_choice_that_somebody_made_stays_unless_replaced() {
        let chosen = Party::Person(PersonId(9));
        let model = everybody()[&Slot::Team];
        let duty = Duty::Containment;
        let owned = [held(duty, RaciRole::Accountable, chosen, Standing::Active)];
        assert_eq!(one(duty, &owned, &[], false).fate, Fate::Kept { owner: Some(chosen), offered: None });
        assert!(!one(duty, &owned, &[], false).changes());
        let to = model;
        assert_eq!(one(duty, &owned, &[], true).fate, Fate::Offer { to, owner: Some(chosen), instead_of: None });
        let asked = [Offer { duty, party: chosen, offered_at: DateTime::UNIX_EPOCH }];
        assert_eq!(one(duty, &[], &asked, false).fate, Fate::Kept { owner: None, offered: Some(chosen) });
        assert_eq!(one(duty, &[], &asked, true).fate, Fate::Offer { to, owner: None, instead_of: Some(chosen) });
        // Whoever is gone is no choice any more.
        let gone = [held(duty, RaciRole::Accountable, chosen, Standing::Left)];
        assert_eq!(one(duty, &gone, &[], false).fate, Fate::Offer { to, owner: Some(chosen), instead_of: None });
        // What the model says already stands.
        let right = [held(duty, RaciRole::Accountable, model, Standing::Active)];
        assert_eq!(one(duty, &right, &[], true).fate, Fate::Held(model));
    }

    #[test]
    fn other_letters_end_only_where_rows_are_replaced() {
        let duty = Duty::Containment;
        let team = everybody()[&Slot::Team];
        let other = Party::Person(PersonId(9));
        let now = [
            held(duty, RaciRole::Accountable, team, Standing::Active),
            held(duty, RaciRole::Responsible, team, Standing::Active),
            held(duty, RaciRole::Informed, other, Standing::Active),
        ];
        let kept = one(duty, &now, &[], false);
        assert!(kept.end.is_empty() && !kept.add.contains(&(RaciRole::Responsible, team)));
        assert_eq!(kept.stay, [(RaciRole::Responsible, team), (RaciRole::Informed, other)]);
        let replaced = one(duty, &now, &[], true);
        assert_eq!(replaced.end, [(RaciRole::Informed, other)]);
        assert_eq!(replaced.stay, [(RaciRole::Responsible, team)]);
    }

    #[test]
    fn a_function_without_a_party_leaves_its_duties_as_they_are() {
        let mut some = everybody();
        some.remove(&Slot::Security);
        let both = ward(&[Duty::Policy, Duty::Purpose]);
        let filled = fill(Model::Regulated, &some, &both, &[], &[], false).unwrap();
        assert_eq!(filled.rows[0].fate, Fate::Open(Slot::Security));
        assert!(!filled.rows[0].changes());
        assert!(filled.rows[1].add.iter().all(|(_, p)| *p != everybody()[&Slot::Security]));
    }

    #[test]
    fn the_second_approval_is_never_the_business_owners() {
        let mut same = everybody();
        same.insert(Slot::Legal, same[&Slot::Business]);
        let regulated = Ward { regulated: true, ..ward(&[Duty::Purpose, Duty::Regulatory]) };
        for &model in Model::ALL {
            assert!(fill(model, &same, &regulated, &[], &[], false).is_err(), "{model}");
            assert!(fill(model, &everybody(), &regulated, &[], &[], false).is_ok(), "{model}");
        }
        // Also where one of the two is there already.
        let business = everybody()[&Slot::Business];
        let owned = [held(Duty::Regulatory, RaciRole::Accountable, business, Standing::Active)];
        assert_eq!(fill(Model::Regulated, &everybody(), &regulated, &owned, &[], false), Err(Clash(business)));
    }

    fn facts() -> impl Strategy<Value = AgentFacts> {
        (0..3_usize, 0..5_usize, 0..4_usize, 0..5_usize, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(environment, autonomy, exposure, data, regulated, vendor, tools)| {
                let mut f = AgentFacts::named("x");
                f.environment = Environment::ALL[environment];
                f.autonomy = Autonomy::ALL[autonomy];
                f.exposure = Exposure::ALL[exposure];
                f.data = DataClass::ALL[data];
                f.regulated = regulated;
                if vendor {
                    f.hosting = Hosting::VendorManaged;
                    f.vendor = "v".into();
                }
                if tools {
                    f.tools.push(ToolGrant {
                        name: "t".into(),
                        kind: ToolKind::Saas,
                        sensitivity: Sensitivity::High,
                        access: Access::Write,
                        scope: String::new(),
                    });
                }
                f
            },
        )
    }

    proptest! {
        /// A matrix that was empty breaks no rule once everybody has accepted, whoever fills
        /// the functions, as long as two people approve what is regulated.
        #[test]
        fn an_empty_matrix_is_filled_without_a_breach(
            facts in facts(),
            model in 0..Model::ALL.len(),
            who in prop::collection::vec(1..4_i64, Slot::ALL.len()),
        ) {
            let ward = Ward::of_agent(&facts);
            let parties: BTreeMap<Slot, Party> =
                Slot::ALL.iter().copied().zip(who.into_iter().map(|n| Party::Team(TeamId(n)))).collect();
            match fill(Model::ALL[model], &parties, &ward, &[], &[], false) {
                Err(_) => prop_assert!(facts.regulated && parties[&Slot::Legal] == parties[&Slot::Business]),
                Ok(filled) => {
                    let mut seats = Vec::new();
                    for row in &filled.rows {
                        let Fate::Offer { to, .. } = row.fate else {
                            return Err(TestCaseError::fail(format!("{row:?}")));
                        };
                        let cells = row.add.iter().copied().chain([(RaciRole::Accountable, to)]);
                        let seat = |(role, party)| {
                            Seat { duty: row.duty, role, party, standing: Standing::Active, accepted: true }
                        };
                        seats.extend(cells.map(seat));
                    }
                    prop_assert_eq!(breaches(&ward, &seats), vec![]);
                    prop_assert_eq!(filled.rows.len(), ward.required.len());
                }
            }
        }

        /// Whatever is there: nothing that somebody holds or is asked changes unless it is
        /// said, and applying twice does no more than once.
        #[test]
        fn keeping_keeps(owners in prop::collection::vec((0..15_usize, 1..4_i64, any::<bool>()), 0..12)) {
            let parties = everybody();
            let (mut now, mut offers) = (Vec::new(), Vec::new());
            for (d, n, accepted) in owners {
                let (duty, party) = (Duty::ALL[d], Party::Person(PersonId(n)));
                if now.iter().any(|h: &Held| h.duty == duty) || offers.iter().any(|o: &Offer| o.duty == duty) {
                    continue;
                }
                if accepted {
                    now.push(held(duty, RaciRole::Accountable, party, Standing::Active));
                } else {
                    offers.push(Offer { duty, party, offered_at: DateTime::UNIX_EPOCH });
                }
            }
            let ward = ward(Duty::ALL);
            let filled = fill(Model::VendorHosted, &parties, &ward, &now, &offers, false).unwrap();
            for row in &filled.rows {
                let chosen = now.iter().any(|h| h.duty == row.duty) || offers.iter().any(|o| o.duty == row.duty);
                prop_assert_eq!(chosen, !row.changes());
            }
            for row in &filled.rows {
                if let Fate::Offer { to, .. } = row.fate {
                    now.push(held(row.duty, RaciRole::Accountable, to, Standing::Active));
                }
                now.extend(row.add.iter().map(|(role, p)| held(row.duty, *role, *p, Standing::Active)));
            }
            prop_assert!(!fill(Model::VendorHosted, &parties, &ward, &now, &offers, false).unwrap().changes());
        }
    }
}
