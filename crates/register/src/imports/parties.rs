//! Owners and teams of a file, matched to people and teams on record: by e-mail address,
//! by reference, or by exact folded name. Nothing else is a match.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, TeamId};
use domain::import::{Imported, Note};
use domain::party::{Party, PersonStatus};
use domain::text::fold;

use crate::agents::Agent;
use crate::args;
use crate::assignments::{Mode, lapse};
use crate::change::By;
use crate::db::{Arg, DbError, Reads, marks};

/// A duty for which a party of the file is asked, or recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appointment {
    /// The duty.
    pub duty: Duty,
    /// Who.
    pub party: Party,
    /// By what name.
    pub name: String,
}

/// The people and teams whom a file may mean.
#[derive(Debug, Default)]
pub(super) struct Directory {
    emails: HashMap<String, Known>,
    names: HashMap<String, Vec<Known>>,
    references: HashMap<Party, Known>,
}

#[derive(Debug, Clone)]
struct Known {
    party: Party,
    name: String,
    there: bool,
}

enum Found<'a> {
    One(&'a Known),
    Several,
    Nobody,
}

impl Directory {
    /// Looks up everybody whom the rows mention.
    pub(super) async fn of(reads: &mut impl Reads, rows: &[&Imported]) -> Result<Self, DbError> {
        let mut mentioned: BTreeSet<&str> = BTreeSet::new();
        for row in rows {
            mentioned.extend(row.owners.iter().flat_map(|(_, c)| c.iter().map(String::as_str)));
            mentioned.extend([row.built_by.as_str(), row.operated_by.as_str()].into_iter().filter(|t| !t.is_empty()));
        }
        let mut out = Self::default();
        if mentioned.is_empty() {
            return Ok(out);
        }
        let emails: Vec<String> = mentioned.iter().filter_map(|m| domain::text::email(m).ok()).collect();
        let names: Vec<String> = mentioned.iter().map(|m| fold(m)).collect();
        let people: Vec<i64> = mentioned.iter().filter_map(|m| m.parse::<PersonId>().ok()).map(|p| p.0).collect();
        let teams: Vec<i64> = mentioned.iter().filter_map(|m| m.parse::<TeamId>().ok()).map(|p| p.0).collect();
        let text = |list: &[String]| list.iter().map(|s| Arg::from(s.as_str())).collect::<Vec<_>>();
        let ints = |list: &[i64]| list.iter().map(|n| Arg::from(*n)).collect::<Vec<_>>();
        for (column, list) in [("email", text(&emails)), ("name_folded", text(&names)), ("id", ints(&people))] {
            for batch in list.chunks(500) {
                let sql = format!(
                    "SELECT id, name, email, name_folded, status FROM person WHERE {column} IN {}",
                    marks(1, batch.len())
                );
                for r in reads.rows(sql, batch.to_vec()).await? {
                    let id: PersonId = r.get(0)?;
                    let there = r.get::<PersonStatus>(4)? == PersonStatus::Active;
                    let known = Known { party: Party::Person(id), name: r.get(1)?, there };
                    out.emails.insert(r.get(2)?, known.clone());
                    out.add(r.get(3)?, known);
                }
            }
        }
        for (column, list) in [("t.name_folded", text(&names)), ("t.id", ints(&teams))] {
            for batch in list.chunks(500) {
                let sql = format!(
                    "SELECT t.id, t.name, t.name_folded, COALESCE(p.status, '') FROM team t \
                     LEFT JOIN person p ON p.id = t.lead_id WHERE {column} IN {}",
                    marks(1, batch.len())
                );
                for r in reads.rows(sql, batch.to_vec()).await? {
                    let id: TeamId = r.get(0)?;
                    let there = r.get::<String>(3)? == PersonStatus::Active.key();
                    out.add(r.get(2)?, Known { party: Party::Team(id), name: r.get(1)?, there });
                }
            }
        }
        Ok(out)
    }

    fn add(&mut self, folded: String, known: Known) {
        self.references.insert(known.party, known.clone());
        let list = self.names.entry(folded).or_default();
        if !list.iter().any(|k| k.party == known.party) {
            list.push(known);
        }
    }

    /// The first candidate that is somebody decides.
    fn find(&self, candidates: &[String]) -> Found<'_> {
        for candidate in candidates {
            if let Ok(email) = domain::text::email(candidate) {
                if let Some(k) = self.emails.get(&email) {
                    return Found::One(k);
                }
                continue;
            }
            if let Ok(party) = candidate.parse::<Party>() {
                if let Some(k) = self.references.get(&party) {
                    return Found::One(k);
                }
                continue;
            }
            let Some(list) = self.names.get(&fold(candidate)) else {
                // Several names in one cell: a duty has one Accountable party.
                if candidate.contains([';', '\n']) {
                    return Found::Several;
                }
                continue;
            };
            let here: Vec<&Known> = list.iter().filter(|k| k.there).collect();
            return match (here.as_slice(), list.as_slice()) {
                ([one], _) => Found::One(one),
                ([], [one]) => Found::One(one),
                _ => Found::Several,
            };
        }
        Found::Nobody
    }

    /// The team of a name.
    pub(super) fn team(&self, what: &'static str, name: &str, notes: &mut Vec<Note>) -> Option<TeamId> {
        if name.is_empty() {
            return None;
        }
        let folded = self.names.get(&fold(name)).into_iter().flatten();
        let by_reference = name.parse::<Party>().ok().and_then(|p| self.references.get(&p));
        let found = folded.chain(by_reference).find_map(|k| match k.party {
            Party::Team(t) => Some(t),
            Party::Person(_) => None,
        });
        if found.is_none() {
            notes.push(Note::TeamUnknown { what, name: name.to_owned() });
        }
        found
    }
}

/// An A, or an offer of it, of an agent on record.
#[derive(Debug, Clone)]
pub(super) struct Held {
    duty: Duty,
    party: Party,
    accepted: bool,
    ended: String,
}

/// Every A and offer of these agents, ended ones included.
pub(super) async fn held(
    reads: &mut impl Reads,
    ids: &[AgentId],
    now: DateTime<Utc>,
) -> Result<HashMap<AgentId, Vec<Held>>, DbError> {
    let mut out: HashMap<AgentId, Vec<Held>> = HashMap::new();
    for batch in ids.chunks(500) {
        let sql = format!(
            "SELECT agent_id, duty, party_kind, party_id, accepted_at IS NOT NULL, \
                    CASE WHEN accepted_at IS NULL AND valid_to IS NULL AND offered_at <= $1 THEN 'lapsed' ELSE ended END \
             FROM assignment WHERE role = 'A' AND agent_id IN {}",
            marks(2, batch.len())
        );
        let mut list = args![lapse::since(now)];
        list.extend(batch.iter().map(|id| Arg::from(*id)));
        for r in reads.rows(sql, list).await? {
            let Some(party) = Party::from_stored(&r.get::<String>(2)?, r.get(3)?) else { continue };
            out.entry(r.get(0)?).or_default().push(Held {
                duty: r.get(1)?,
                party,
                accepted: r.get(4)?,
                ended: r.get(5)?,
            });
        }
    }
    Ok(out)
}

/// Whom the row's owners are, and which of them are to be asked or recorded. Whoever is
/// accountable or asked already stays; who declined is not asked again.
pub(super) fn appointments(
    row: &Imported,
    directory: &Directory,
    agent: Option<(&Agent, &[Held])>,
    by: By<'_>,
    mode: Mode,
    notes: &mut Vec<Note>,
) -> Vec<Appointment> {
    let retired = agent.map_or(row.state == Lifecycle::Retired, |(a, _)| a.state == Lifecycle::Retired);
    let mut out: Vec<Appointment> = Vec::new();
    for (duty, candidates) in &row.owners {
        let duty = *duty;
        let shown = || candidates.first().cloned().unwrap_or_default();
        let known = match directory.find(candidates) {
            Found::One(k) => k,
            Found::Several => {
                notes.push(Note::OwnerAmbiguous { duty, name: shown() });
                continue;
            }
            Found::Nobody => {
                notes.push(Note::OwnerUnknown { duty, name: shown() });
                continue;
            }
        };
        if retired {
            continue;
        }
        if !known.there {
            notes.push(Note::OwnerGone { duty, name: known.name.clone() });
            continue;
        }
        let past: Vec<&Held> = agent.map(|(_, h)| h.iter().filter(|h| h.duty == duty).collect()).unwrap_or_default();
        let open: Vec<&&Held> = past.iter().filter(|h| h.ended.is_empty()).collect();
        if open.iter().any(|h| h.party == known.party) {
            continue;
        }
        if !open.is_empty() || past.iter().any(|h| h.accepted) {
            notes.push(Note::OwnerKept { duty, name: known.name.clone() });
            continue;
        }
        if past.iter().any(|h| h.party == known.party && h.ended == "declined") {
            notes.push(Note::OwnerDeclined { duty, name: known.name.clone() });
            continue;
        }
        if past.iter().any(|h| h.party == known.party && !h.ended.is_empty()) {
            // Somebody took the offer back, knowing what the file says.
            notes.push(Note::OwnerKept { duty, name: known.name.clone() });
            continue;
        }
        let mine = agent.is_none_or(|(a, _)| a.created_by == by.actor.who.to_string());
        let relation = if mine { Relation::Requester } else { Relation::None };
        let action = match mode {
            Mode::Offer => Action::AssignmentOffer,
            Mode::Record => Action::AssignmentRecord,
        };
        if can(by.actor, action, relation).is_err() {
            notes.push(Note::OwnerNotYours { duty, name: known.name.clone() });
            continue;
        }
        out.push(Appointment { duty, party: known.party, name: known.name.clone() });
    }
    out
}

/// The current A of a duty, for the names in a comparison.
pub(super) async fn team_names(reads: &mut impl Reads, teams: &BTreeSet<i64>) -> Result<HashMap<i64, String>, DbError> {
    let teams: Vec<i64> = teams.iter().copied().collect();
    let mut out = HashMap::new();
    for batch in teams.chunks(500) {
        let sql = format!("SELECT id, name FROM team WHERE id IN {}", marks(1, batch.len()));
        for r in reads.rows(sql, batch.iter().map(|t| Arg::from(*t)).collect()).await? {
            out.insert(r.get(0)?, r.get(1)?);
        }
    }
    Ok(out)
}

/// The active person with an e-mail address: whoever is to own a wave.
pub(super) async fn active(reads: &mut impl Reads, id: PersonId) -> Result<bool, DbError> {
    let rows = reads.rows("SELECT status FROM person WHERE id = $1", args![id]).await?;
    Ok(rows.first().map(|r| r.get::<PersonStatus>(0)).transpose()? == Some(PersonStatus::Active))
}
