//! Who was accountable: for random histories, at every instant the register says what a
//! naive replay of the record says.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::agent::{AgentFacts, Lifecycle};
use domain::assignment::RaciRole;
use domain::can::Actor;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, SystemId};
use domain::party::{Party, Role};
use domain::record::Event;
use domain::system::{SHARED, Subject, SystemKind};
use register::assignments::{self, Mode, Wanted};
use register::{Db, agents, audit, systems};
use serde_json::Value;

use crate::support::{actor, by, day, story};

/// A small generator: what it gives depends on its seed alone.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

const DUTIES: [Duty; 4] = [Duty::Purpose, Duty::Containment, Duty::Identity, Duty::Platform];

/// One thing that somebody tries on a day; many are refused, as they should be.
async fn step(db: &Db, chance: &mut Chance, agent: AgentId, platforms: &[SystemId], n: i64) {
    let lead = actor(1, &[Role::SecurityLead]);
    let person = chance.of(&[2, 3, 4, 5, 6]);
    let party = Party::Person(PersonId(person));
    let them = actor(person, &[Role::Member]);
    let of: Subject = match chance.below(3) {
        0 => chance.of(platforms).into(),
        _ => agent.into(),
    };
    let duty = if of.system().is_some() { chance.of(&DUTIES[2..]) } else { chance.of(&DUTIES) };
    match chance.below(10) {
        0 => {
            let mode = if chance.below(3) == 0 { Mode::Record } else { Mode::Offer };
            drop(assignments::assign(db, by(&lead, n), agent, duty, party, mode, "so").await);
        }
        1..=3 => {
            // Whoever has something to answer answers it.
            let mut asked = None;
            for id in 2..=6 {
                let (waiting, _) = assignments::waiting(db, PersonId(id), day(n), 200).await.unwrap();
                let ours =
                    |w: &&assignments::Waiting| w.of == agent.into() || platforms.iter().any(|p| w.of == (*p).into());
                asked = asked.or(waiting.iter().find(ours).map(|w| (actor(id, &[Role::Member]), w.of, w.duty)));
            }
            let (them, of, duty) = asked.unwrap_or((them, of, duty));
            drop(assignments::answer(db, by(&them, n), &[(of, duty)], chance.below(4) > 0, "so").await);
        }
        4 => drop(assignments::withdraw(db, by(&lead, n), of, duty, "so").await),
        5..=7 => {
            let present = assignments::matrix(db, by(&lead, n), of).await.unwrap();
            let mut wanted: BTreeSet<Wanted> =
                present.cells.iter().map(|c| Wanted { duty: c.duty, party: c.party, role: c.role }).collect();
            let role = chance.of(&[RaciRole::Accountable, RaciRole::Responsible]);
            if chance.below(2) == 0 {
                wanted.retain(|w| !(w.duty == duty && w.role == role));
            }
            if chance.below(3) > 0 {
                wanted.retain(|w| !(w.duty == duty && w.role == RaciRole::Accountable && role == w.role));
                wanted.insert(Wanted { duty, party, role });
            }
            let wanted: Vec<Wanted> = wanted.into_iter().collect();
            drop(assignments::put(db, by(&lead, n), of, Some(present.version), &wanted, "so").await);
        }
        _ => {
            let now = agents::read(db, by(&lead, n), agent).await.unwrap().judged.agent;
            let mut facts = now.facts;
            facts.platform = match chance.below(3) {
                0 => None,
                _ => Some(chance.of(platforms)),
            };
            facts.purpose = format!("purpose {}", chance.below(4));
            drop(agents::edit(db, by(&lead, n), agent, now.version, facts, "so").await);
        }
    }
}

/// What the record says so far.
#[derive(Default)]
struct Replay {
    owners: BTreeMap<(String, Duty), Party>,
    platform: Option<String>,
    boundary: Option<String>,
}

impl Replay {
    fn hear(&mut self, event: &Event) {
        let read = |v: &Value| Some((v["duty"].as_str()?.parse().ok()?, v["party"].as_str()?.parse().ok()?));
        match event.action.as_str() {
            "assignment.recorded" | "assignment.accepted" => {
                let (duty, party) = read(&event.after).unwrap();
                self.owners.insert((event.subject.clone(), duty), party);
            }
            "assignment.matrix-changed" => {
                let removed = event.before["removed"].as_array().into_iter().flatten();
                for (duty, party) in removed.filter(|c| c["role"] == "A").filter_map(read) {
                    let key = (event.subject.clone(), duty);
                    if self.owners.get(&key) == Some(&party) {
                        self.owners.remove(&key);
                    }
                }
            }
            "agent.created" | "agent.changed" => {
                if event.after.get("platform").is_some() || event.before.get("platform").is_some() {
                    self.platform = event.after["platform"].as_str().map(str::to_owned);
                }
                if let Some(hash) = event.after["boundary_sha256"].as_str() {
                    self.boundary = Some(hash.to_owned());
                }
            }
            _ => {}
        }
    }

    fn accountable(&self, agent: AgentId) -> BTreeMap<Duty, (Party, Option<String>)> {
        let of = |subject: &str, duty| self.owners.get(&(subject.to_owned(), duty)).copied();
        let mut out = BTreeMap::new();
        for &duty in Duty::ALL {
            if let Some(party) = of(&agent.to_string(), duty) {
                out.insert(duty, (party, None));
            } else if let Some(platform) = self.platform.clone().filter(|_| SHARED.contains(&duty))
                && let Some(party) = of(&platform, duty)
            {
                out.insert(duty, (party, Some(platform)));
            }
        }
        out
    }
}

async fn record(db: &Db, subjects: &[String]) -> Vec<Event> {
    let lead = actor(1, &[Role::SecurityLead]);
    let mut events = Vec::new();
    for subject in subjects {
        let mut cursor = None;
        loop {
            let filter = audit::Filter { subject: subject.clone(), ..audit::Filter::default() };
            let page = audit::list(db, by(&lead, 999), &filter, cursor.as_deref(), 200).await.unwrap();
            events.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    events.sort_by_key(|e| e.seq);
    events
}

async fn the_past_is_what_the_record_says(db: Db) {
    register::seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let lead = actor(1, &[Role::SecurityLead]);
    let random = u64::from_le_bytes(register::random::bytes()) | 1;
    for seed in [0x9E37_79B9_7F4A_7C15, random] {
        let mut platforms = Vec::new();
        for name in ["Base", "Cliff"] {
            let fields =
                systems::Fields { name: format!("{name} {seed}"), kind: SystemKind::Platform, purpose: String::new() };
            platforms.push(systems::create(&db, by(&lead, 1), &fields).await.unwrap().id);
        }
        let mut chance = Chance(seed);
        let agent =
            agents::create(&db, by(&lead, 2), AgentFacts::named("Historied"), Lifecycle::Draft).await.unwrap().id;
        for n in 3..123 {
            step(&db, &mut chance, agent, &platforms, n).await;
        }
        let subjects: Vec<String> =
            std::iter::once(agent.to_string()).chain(platforms.iter().map(ToString::to_string)).collect();
        let events = record(&db, &subjects).await;
        assert!(
            events.iter().filter(|e| e.action == "assignment.accepted").count() > 3,
            "seed {seed}: too little came of it"
        );
        let mut replay = Replay::default();
        let mut heard = events.iter().peekable();
        for n in 2..124 {
            // at noon, and between
            for at in [day(n), day(n) + chrono::TimeDelta::hours(7)] {
                while heard.peek().is_some_and(|e| e.at.parse::<DateTime<Utc>>().unwrap() <= at) {
                    replay.hear(heard.next().unwrap());
                }
                let said = assignments::accountability(&db, by(&lead, 999), agent, at).await.unwrap();
                let count = said.duties.len();
                let said_duties: BTreeMap<Duty, (Party, Option<String>)> =
                    said.duties.into_iter().map(|m| (m.duty, (m.party, m.inherited.map(|s| s.to_string())))).collect();
                assert_eq!(said_duties.len(), count, "seed {seed}, {at}: two A of one duty");
                assert_eq!(said_duties, replay.accountable(agent), "seed {seed}, {at}");
                assert_eq!(said.boundary_sha256, replay.boundary, "seed {seed}, {at}");
            }
        }
    }
}

story!(replayed, super::the_past_is_what_the_record_says);
