//! Handing over: everything that a person answers for is offered to somebody else, one
//! offer a duty. Nothing changes hands before it is accepted.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::assignment::RaciRole;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, SystemId};
use domain::party::Party;
use domain::system::Subject;

use super::holdings::visible_to;
use super::stored::load;
use crate::agents::assess::party_names;
use crate::args;
use crate::assignments::{self, Mode, Wanted, lapse};
use crate::change::{By, Change};
use crate::db::{Arg, Db};
use crate::error::Error;
use crate::systems;

/// Most duties that are offered at once.
const MOST: i64 = 10_000;

/// Of how many of somebody's duties their page tells whether they are on offer.
const TOLD: i64 = 1_000;

/// Duties of somebody that are on offer to somebody else, who has not answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// To whom.
    pub party: Party,
    /// Their name.
    pub name: String,
    /// How many duties, of as many as were looked at.
    pub count: i64,
    /// Since when the oldest of them.
    pub since: DateTime<Utc>,
}

impl Away {
    /// `11 duties are offered to Priya Raman since 3 July 2026, not yet accepted`.
    pub fn told(&self) -> String {
        let what = if self.count == 1 { "1 duty is".to_owned() } else { format!("{} duties are", self.count) };
        format!("{what} offered to {} since {}, not yet accepted", self.name, self.since.format("%Y-%m-%d"))
    }
}

/// What of a person's own is on offer already, and to whom: most duties first. Agents that
/// the reader may not know of are left out.
pub async fn away(db: &Db, by: By<'_>, from: PersonId) -> Result<Vec<Away>, Error> {
    let (visible, seen) = visible_to(db, by, 3).await?;
    let mut list = args![from, lapse::since(by.now)];
    list.extend(seen);
    on_offer(db, from, TOLD, &visible, list).await
}

async fn on_offer(db: &Db, from: PersonId, most: i64, visible: &str, list: Vec<Arg>) -> Result<Vec<Away>, Error> {
    let sql = format!(
        "SELECT o.party_kind, o.party_id, COUNT(*), MIN(o.offered_at) FROM (\
           SELECT agent_id, duty FROM assignment WHERE party_kind = 'person' AND party_id = $1 AND role = 'A' \
           AND valid_to IS NULL AND accepted_at IS NOT NULL AND agent_id IS NOT NULL ORDER BY agent_id LIMIT {most}) s \
         JOIN assignment o ON o.agent_id = s.agent_id AND o.duty = s.duty AND o.role = 'A' \
           AND o.accepted_at IS NULL AND o.valid_to IS NULL AND o.offered_at > $2 \
         JOIN agent a ON a.id = s.agent_id WHERE {visible} \
         GROUP BY o.party_kind, o.party_id"
    );
    let mut out = Vec::new();
    for r in db.all(sql, list).await? {
        let Some(party) = Party::from_stored(&r.get::<String>(0)?, r.get(1)?) else { continue };
        if party != Party::Person(from) {
            out.push(Away { party, name: String::new(), count: r.get(2)?, since: r.get(3)? });
        }
    }
    out.sort_by_key(|a| (-a.count, a.party));
    let mut reads = db;
    let names = party_names(&mut reads, out.iter().map(|a| a.party).collect::<Vec<_>>()).await?;
    for a in &mut out {
        a.name = names.get(&a.party).cloned().unwrap_or_else(|| a.party.to_string());
    }
    Ok(out)
}

/// What was offered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandedOver {
    /// How many duties were offered.
    pub offered: usize,
    /// Offers to others that ended because of it.
    pub taken_back: Vec<Away>,
    /// Agents that were left as they were, and why.
    pub skipped: Vec<(AgentId, String)>,
    /// Whether there were more than are offered at once.
    pub more: bool,
}

/// Offers every duty that a person is Accountable for, themself, to another party. What
/// teams hold is handed over by giving the team another lead. What is on offer to somebody
/// else already stops it, unless `take_back` says that those offers end; what is on offer to
/// the same party stays as it is.
pub async fn hand_over(
    db: &Db,
    by: By<'_>,
    from: PersonId,
    to: Party,
    take_back: bool,
    reason: &str,
) -> Result<HandedOver, Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    if by.actor.person_id() != Some(from) {
        can(by.actor, Action::AssignmentOffer, Relation::None)?;
    }
    let mut reads = db;
    let person = load(&mut reads, from).await?.ok_or_else(|| Error::NotFound(format!("person {from}")))?;
    if to == Party::Person(from) {
        return Err(Error::field("/to", format!("{} answers for it already; choose somebody else.", person.name)));
    }
    let rows = db
        .all(
            "SELECT s.agent_id, s.duty, EXISTS (SELECT 1 FROM assignment o WHERE o.agent_id = s.agent_id \
               AND o.duty = s.duty AND o.role = 'A' AND o.accepted_at IS NULL AND o.valid_to IS NULL \
               AND o.offered_at > $5 AND o.party_kind = $3 AND o.party_id = $4) \
             FROM assignment s WHERE s.party_kind = 'person' AND s.party_id = $1 AND s.role = 'A' \
             AND s.valid_to IS NULL AND s.accepted_at IS NOT NULL AND s.agent_id IS NOT NULL \
             ORDER BY s.agent_id LIMIT $2",
            args![from, MOST + 1, to.kind(), to.number(), lapse::since(by.now)],
        )
        .await?;
    // Whoever reads this may offer what is theirs: what they may not see is skipped below.
    let offered = on_offer(db, from, MOST, "1 = 1", args![from, lapse::since(by.now)]).await?;
    let elsewhere: Vec<Away> = offered.iter().filter(|a| a.party != to).cloned().collect();
    if !elsewhere.is_empty() && !take_back {
        let all: Vec<String> = elsewhere.iter().map(Away::told).collect();
        return Err(Error::Conflict(format!(
            "{}. Nothing was changed: wait for the answer, or tick “Take back those offers” to offer it anew.",
            all.join("; ")
        )));
    }
    let mut out = HandedOver { more: rows.len() as i64 > MOST, ..HandedOver::default() };
    let mut duties: BTreeMap<Duty, Vec<AgentId>> = BTreeMap::new();
    for r in rows.iter().take(usize::try_from(MOST).unwrap_or(0)) {
        if r.get(2)? {
            continue;
        }
        duties.entry(r.get(1)?).or_default().push(r.get(0)?);
    }
    let systems = of_systems(db, by, from, to).await?;
    if duties.is_empty() && systems.is_empty() && !rows.is_empty() {
        let told = offered.iter().find(|a| a.party == to).map(Away::told).unwrap_or_default();
        return Err(Error::Conflict(format!("All of it is on offer to them already: {told}.")));
    }
    if duties.is_empty() && systems.is_empty() {
        return Err(Error::Conflict(format!("{} is Accountable for nothing themself.", person.name)));
    }
    let mut denied = None;
    let mut change = Change::begin(db, by).await?;
    let mut touched: Vec<Subject> = Vec::new();
    for (system, wanted) in systems {
        match assignments::put_within(&mut change, system.into(), None, &wanted, reason).await {
            Ok(_) => {
                touched.push(system.into());
                out.offered += wanted.iter().filter(|w| is_offer(w, to)).count();
            }
            Err(Error::Denied(d)) => denied = Some(d),
            Err(e) => return Err(at_to(e)),
        }
    }
    for (duty, agents) in duties {
        match assignments::assign_within(&mut change, &agents, duty, to, Mode::Offer, reason).await {
            Ok(done) => {
                out.offered += done.done.len();
                touched.extend(done.done.iter().map(|a| Subject::from(*a)));
                out.skipped.extend(done.skipped);
            }
            // Of one agent alone it is refused as a whole; among others it would be skipped.
            Err(Error::Denied(d)) => {
                out.skipped.extend(agents.iter().map(|a| (*a, d.to_string())));
                denied = Some(d);
            }
            Err(e) => return Err(at_to(e)),
        }
    }
    match denied {
        Some(d) if out.offered == 0 => Err(d.into()),
        _ => {
            assignments::settle(&mut change, &touched).await?;
            change.commit().await.map_err(assignments::raced)?;
            out.taken_back =
                ended(&elsewhere, &on_offer(db, from, MOST, "1 = 1", args![from, lapse::since(by.now)]).await?);
            Ok(out)
        }
    }
}

fn is_offer(wanted: &Wanted, to: Party) -> bool {
    wanted.role == RaciRole::Accountable && wanted.party == to
}

/// The matrices of the systems of which a person is Accountable for anything, as they are to
/// be: the same, and each of these duties offered.
async fn of_systems(db: &Db, by: By<'_>, from: PersonId, to: Party) -> Result<BTreeMap<SystemId, Vec<Wanted>>, Error> {
    let mut out = BTreeMap::new();
    for held in systems::holdings(db, by, Party::Person(from)).await? {
        if out.contains_key(&held.system) {
            continue;
        }
        let present = assignments::matrix(db, by, held.system).await?;
        let theirs = |duty| {
            present.cells.iter().any(|c| {
                c.duty == duty
                    && c.role == RaciRole::Accountable
                    && c.accepted_at.is_some()
                    && c.party == Party::Person(from)
            })
        };
        let mut wanted: Vec<Wanted> = Vec::new();
        for c in &present.cells {
            let party = if c.role == RaciRole::Accountable && theirs(c.duty) { to } else { c.party };
            wanted.push(Wanted { duty: c.duty, party, role: c.role });
        }
        wanted.sort_unstable();
        wanted.dedup();
        let news = wanted.iter().any(|w| {
            is_offer(w, to) && !present.cells.iter().any(|c| (c.duty, c.party, c.role) == (w.duty, w.party, w.role))
        });
        if news {
            out.insert(held.system, wanted);
        }
    }
    Ok(out)
}

/// Of the offers that there were, those that there are no more.
fn ended(before: &[Away], after: &[Away]) -> Vec<Away> {
    let still = |party| after.iter().find(|a| a.party == party).map_or(0, |a| a.count);
    before.iter().map(|a| Away { count: a.count - still(a.party), ..a.clone() }).filter(|a| a.count > 0).collect()
}

/// What is wrong with the party is wrong with what was chosen.
fn at_to(e: Error) -> Error {
    match e {
        Error::Invalid(mut wrong) => {
            for w in &mut wrong {
                if w.pointer == "/party" {
                    w.pointer = "/to".into();
                }
            }
            Error::Invalid(wrong)
        }
        e => e,
    }
}
