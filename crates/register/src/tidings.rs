//! Who is told what a change brings about. Use cases leave it with the change; when that is
//! committed, what goes to one person about one kind of thing becomes one notice, so that whoever
//! changes a thousand things at once writes to each person once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::id::{AgentId, PersonId, SystemId};
use domain::notice::{New, NoticeKind};
use domain::party::{Party, Role};
use domain::system::Subject;
use domain::tiding::{CALLED, Letter, ME, Tiding, called};

use crate::args;
use crate::change::Change;
use crate::db::{Arg, DbError, Reads, marks};
use crate::notices;

/// Most of those who lead security, or govern, that are told of one thing.
const LEADS: i64 = 20;

/// To whom something is told, resolved when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum To {
    /// This person.
    Person(PersonId),
    /// Whoever answers in the name of a party: the person, or the team's lead; while they are
    /// gone their deputy; then security.
    Owner(Party),
    /// Whoever may answer what a party is asked: the person, or a team's lead and deputy.
    Answerers(Party),
    /// The manager of a person, the first upward who is here.
    Manager(PersonId),
    /// Security leads.
    Security,
    /// Administrators and security leads.
    Governing,
}

/// What a change has to tell, by whom it goes to and what is told as one.
#[derive(Debug, Default)]
pub(crate) struct Mail(BTreeMap<(To, NoticeKind, String), Letter>);

impl Mail {
    pub(crate) fn put(&mut self, to: To, tiding: Tiding) {
        let (kind, group) = tiding.group();
        let key = (to, kind, group.to_owned());
        if let Some(letter) = self.0.get_mut(&key) {
            letter.add(&tiding);
        } else {
            self.0.insert(key, Letter::new(tiding));
        }
    }
}

/// A person as succession reads them.
#[derive(Debug, Clone, Copy)]
struct Here {
    active: bool,
    deputy: Option<PersonId>,
    manager: Option<PersonId>,
}

/// Everybody that mail is resolved by.
#[derive(Debug, Default)]
struct Whom {
    people: HashMap<PersonId, Here>,
    teams: HashMap<i64, (Option<PersonId>, Option<PersonId>)>,
    security: Vec<PersonId>,
    governing: Vec<PersonId>,
}

/// How far up a chain of managers somebody is looked for.
const LEVELS: usize = 8;

impl Whom {
    async fn read(reads: &mut impl Reads, to: &BTreeSet<To>) -> Result<Self, DbError> {
        let mut out = Self::default();
        let teams: Vec<i64> = to
            .iter()
            .filter_map(|t| match t {
                To::Owner(Party::Team(t)) | To::Answerers(Party::Team(t)) => Some(t.0),
                _ => None,
            })
            .collect();
        for batch in teams.chunks(500) {
            let sql = format!("SELECT id, lead_id, deputy_id FROM team WHERE id IN {}", marks(1, batch.len()));
            for r in reads.rows(sql, batch.iter().map(|t| Arg::from(*t)).collect()).await? {
                out.teams.insert(r.get(0)?, (r.get(1)?, r.get(2)?));
            }
        }
        let mut level: Vec<PersonId> = out.teams.values().flat_map(|(l, d)| [*l, *d]).flatten().collect();
        level.extend(to.iter().filter_map(|t| match t {
            To::Owner(Party::Person(p)) | To::Manager(p) => Some(*p),
            _ => None,
        }));
        for _ in 0..LEVELS {
            level.retain(|p| !out.people.contains_key(p));
            level.sort_unstable();
            level.dedup();
            if level.is_empty() {
                break;
            }
            let mut next = Vec::new();
            for batch in level.chunks(500) {
                let sql = format!(
                    "SELECT id, status, deputy_id, manager_id FROM person WHERE id IN {}",
                    marks(1, batch.len())
                );
                for r in reads.rows(sql, batch.iter().map(|p| Arg::from(*p)).collect()).await? {
                    let here = Here { active: r.get::<String>(1)? == "active", deputy: r.get(2)?, manager: r.get(3)? };
                    next.extend([here.deputy, here.manager].into_iter().flatten());
                    out.people.insert(r.get(0)?, here);
                }
            }
            level = next;
        }
        // Nobody knows before it is resolved whether somebody is left.
        if to.iter().any(|t| !matches!(t, To::Person(_) | To::Answerers(_) | To::Governing)) {
            out.security = with_roles(reads, &[Role::SecurityLead]).await?;
        }
        if to.contains(&To::Governing) {
            out.governing = with_roles(reads, &[Role::SecurityLead, Role::Administrator]).await?;
        }
        Ok(out)
    }

    fn active(&self, person: Option<PersonId>) -> Option<PersonId> {
        person.filter(|p| self.people.get(p).is_some_and(|h| h.active))
    }

    fn manager(&self, person: PersonId) -> Option<PersonId> {
        let (mut at, mut seen) = (self.people.get(&person)?.manager, BTreeSet::from([person]));
        while let Some(manager) = at {
            if !seen.insert(manager) {
                return None;
            }
            let here = self.people.get(&manager)?;
            if here.active {
                return Some(manager);
            }
            at = here.manager;
        }
        None
    }

    fn of(&self, to: To) -> Vec<PersonId> {
        match to {
            To::Person(p) | To::Answerers(Party::Person(p)) => vec![p],
            To::Answerers(Party::Team(t)) => {
                let (lead, deputy) = self.teams.get(&t.0).copied().unwrap_or_default();
                [lead, deputy].into_iter().flatten().collect()
            }
            To::Owner(party) => {
                let (first, second) = match party {
                    Party::Person(p) => (Some(p), self.people.get(&p).and_then(|h| h.deputy)),
                    Party::Team(t) => self.teams.get(&t.0).copied().unwrap_or_default(),
                };
                let next = || self.active(second).or_else(|| first.and_then(|p| self.manager(p)));
                match self.active(first).or_else(next) {
                    Some(person) => vec![person],
                    None => self.security.clone(),
                }
            }
            To::Manager(p) => self.manager(p).map_or_else(|| self.security.clone(), |m| vec![m]),
            To::Security => self.security.clone(),
            To::Governing => self.governing.clone(),
        }
    }
}

async fn with_roles(reads: &mut impl Reads, roles: &[Role]) -> Result<Vec<PersonId>, DbError> {
    let tests: Vec<String> = (1..=roles.len()).map(|n| format!("' ' || roles || ' ' LIKE ${n}")).collect();
    let sql =
        format!("SELECT id FROM person WHERE status = 'active' AND ({}) ORDER BY id LIMIT {LEADS}", tests.join(" OR "));
    let list = roles.iter().map(|r| Arg::from(format!("% {} %", r.key()))).collect();
    reads.rows(sql, list).await?.iter().map(|r| r.get(0)).collect()
}

/// How agents and systems are called where their readers need not be entitled to their names, and
/// which of them are confidential.
async fn names(reads: &mut impl Reads, of: &BTreeSet<Subject>) -> Result<HashMap<Subject, (String, bool)>, DbError> {
    let mut out = HashMap::new();
    let agents: Vec<AgentId> = of.iter().filter_map(|s| s.agent()).collect();
    for batch in agents.chunks(500) {
        let sql = format!("SELECT id, name, confidential FROM agent WHERE id IN {}", marks(1, batch.len()));
        for r in reads.rows(sql, batch.iter().map(|a| Arg::from(*a)).collect()).await? {
            let (of, secret) = (Subject::Agent(r.get(0)?), r.get::<bool>(2)?);
            out.insert(of, (called(of, &r.get::<String>(1)?, secret), secret));
        }
    }
    let systems: Vec<SystemId> = of.iter().filter_map(|s| s.system()).collect();
    for batch in systems.chunks(500) {
        let sql = format!("SELECT id, name FROM system WHERE id IN {}", marks(1, batch.len()));
        for r in reads.rows(sql, batch.iter().map(|s| Arg::from(*s)).collect()).await? {
            let of = Subject::System(r.get(0)?);
            out.insert(of, (called(of, &r.get::<String>(1)?, false), false));
        }
    }
    Ok(out)
}

fn notice(tiding: Tiding, person: PersonId, names: &HashMap<Subject, (String, bool)>) -> New {
    let (name, confidential) = tiding
        .of
        .map_or_else(|| (String::new(), false), |of| names.get(&of).cloned().unwrap_or_else(|| (of.to_string(), true)));
    New {
        critical: tiding.critical,
        to_actor: tiding.to_actor,
        confidential,
        subject: tiding.subject,
        what: tiding.what.replace(CALLED, &name),
        why: tiding.why.replace(CALLED, &name),
        todo: tiding.todo.replace(CALLED, &name),
        link: tiding.link.replace(ME, &person.to_string()),
        ..New::of(tiding.kind, tiding.key)
    }
}

/// Who acts, by name: what a sentence begins with.
pub(crate) async fn actor(change: &mut Change<'_>) -> Result<String, DbError> {
    let Some(me) = change.by.actor.person_id() else {
        return Ok(match change.by.actor.who {
            domain::can::Who::Nobody => "Muster".to_owned(),
            other => format!("A program ({other})"),
        });
    };
    let row = change.tx.one("SELECT name FROM person WHERE id = $1", args![me]).await?;
    Ok(row.map(|r| r.get(0)).transpose()?.unwrap_or_else(|| me.to_string()))
}

/// Writes what a change has to tell, each person once for what belongs together.
pub(crate) async fn deliver(change: &mut Change<'_>, mail: Mail) -> Result<(), DbError> {
    if mail.0.is_empty() {
        return Ok(());
    }
    let whom = Whom::read(&mut change.tx, &mail.0.keys().map(|(to, ..)| *to).collect()).await?;
    let actor = change.by.actor.person_id();
    let mut boxes: BTreeMap<(PersonId, NoticeKind, String), Letter> = BTreeMap::new();
    for ((to, kind, group), letter) in mail.0 {
        let mut people = whom.of(to);
        people.sort_unstable();
        people.dedup();
        for person in people.into_iter().filter(|p| letter.to_actor() || Some(*p) != actor) {
            boxes
                .entry((person, kind, group.clone()))
                .and_modify(|known| known.join(&letter))
                .or_insert_with(|| letter.clone());
        }
    }
    let told: Vec<(PersonId, Tiding)> = boxes.into_iter().map(|((p, ..), letter)| (p, letter.tiding())).collect();
    let names = names(&mut change.tx, &told.iter().filter_map(|(_, t)| t.of).collect()).await?;
    // The same words to several are written at once.
    let mut letters: Vec<(New, Vec<PersonId>)> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (person, tiding) in told {
        let new = notice(tiding, person, &names);
        if let Some(at) = known.get(&new.key).copied().filter(|at| letters[*at].0 == new) {
            letters[at].1.push(person);
        } else {
            known.insert(new.key.clone(), letters.len());
            letters.push((new, vec![person]));
        }
    }
    for (new, people) in letters {
        notices::tell(change, &people, &new).await?;
    }
    Ok(())
}
