//! Who could decide, as things stand now: the holders of duties, their managers, whoever was
//! appointed, and delegates.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::assignment::{Held, accountable};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Standing};
use domain::request::{RequestState, Seat, decider};
use domain::tiding::OpenStep;

use super::stored::{Kept, KeptStep, unclosed};
use crate::agents::assess::ownership;
use crate::args;
use crate::change::Change;
use crate::db::{Arg, DbError, Reads, marks};
use crate::error::Error;
use crate::tidings::To;

/// How far up a chain of managers somebody is looked for.
const LEVELS: usize = 8;

/// The named owner of each duty: the person, or the active lead of the team.
pub(crate) async fn named(
    reads: &mut impl Reads,
    held: &HashMap<AgentId, Vec<Held>>,
    wanted: &[(AgentId, Duty)],
) -> Result<HashMap<(AgentId, Duty), PersonId>, DbError> {
    let mut out = HashMap::new();
    let mut teams: HashMap<i64, Vec<(AgentId, Duty)>> = HashMap::new();
    for (agent, duty) in wanted {
        let Some(h) = held.get(agent).and_then(|h| accountable(h, *duty)) else { continue };
        if h.standing != Standing::Active {
            continue;
        }
        match h.party {
            Party::Person(p) => {
                out.insert((*agent, *duty), p);
            }
            Party::Team(t) => teams.entry(t.0).or_default().push((*agent, *duty)),
        }
    }
    let ids: Vec<i64> = teams.keys().copied().collect();
    for batch in ids.chunks(500) {
        let sql = format!("SELECT id, lead_id FROM team WHERE lead_id IS NOT NULL AND id IN {}", marks(1, batch.len()));
        for r in reads.rows(sql, batch.iter().map(|t| Arg::from(*t)).collect()).await? {
            let lead: PersonId = r.get(1)?;
            out.extend(teams.remove(&r.get(0)?).unwrap_or_default().into_iter().map(|k| (k, lead)));
        }
    }
    Ok(out)
}

/// The active managers above each person, upward.
async fn managers(
    reads: &mut impl Reads,
    people: &BTreeSet<PersonId>,
) -> Result<HashMap<PersonId, Vec<PersonId>>, DbError> {
    let mut up: HashMap<PersonId, (Option<PersonId>, bool)> = HashMap::new();
    let mut level: Vec<PersonId> = people.iter().copied().collect();
    for _ in 0..=LEVELS {
        level.retain(|p| !up.contains_key(p));
        level.sort_unstable();
        level.dedup();
        if level.is_empty() {
            break;
        }
        let mut next = Vec::new();
        for batch in level.chunks(500) {
            let sql = format!("SELECT id, manager_id, status FROM person WHERE id IN {}", marks(1, batch.len()));
            for r in reads.rows(sql, batch.iter().map(|p| Arg::from(*p)).collect()).await? {
                let manager: Option<PersonId> = r.get(1)?;
                up.insert(r.get(0)?, (manager, r.get::<String>(2)? == "active"));
                next.extend(manager);
            }
        }
        level = next;
    }
    Ok(people
        .iter()
        .map(|p| {
            let mut chain = Vec::new();
            let mut at = up.get(p).and_then(|(m, _)| *m);
            while let Some(manager) = at {
                if chain.len() >= LEVELS || manager == *p || chain.contains(&manager) {
                    break;
                }
                let Some((next, active)) = up.get(&manager) else { break };
                if *active {
                    chain.push(manager);
                }
                at = *next;
            }
            (*p, chain)
        })
        .collect())
}

/// Whoever is appointed to decide for a duty of these agents, and until when.
pub(crate) async fn acting(
    reads: &mut impl Reads,
    agents: &[AgentId],
    now: DateTime<Utc>,
) -> Result<HashMap<(AgentId, Duty), (PersonId, DateTime<Utc>)>, DbError> {
    let mut out = HashMap::new();
    for batch in agents.chunks(500) {
        let sql = format!(
            "SELECT a.agent_id, a.duty, a.person_id, a.until_at FROM acting a JOIN person p ON p.id = a.person_id \
             WHERE a.ended_at IS NULL AND p.status = 'active' AND a.until_at > $1 AND a.agent_id IN {}",
            marks(2, batch.len())
        );
        let mut list = args![now];
        list.extend(batch.iter().map(|id| Arg::from(*id)));
        for r in reads.rows(sql, list).await? {
            out.insert((r.get(0)?, r.get(1)?), (r.get(2)?, r.get(3)?));
        }
    }
    Ok(out)
}

/// The seats of these duties now. Delegates are those of the holders, their managers and
/// whoever is appointed.
pub(crate) async fn seats(
    reads: &mut impl Reads,
    wanted: &[(AgentId, Duty)],
    now: DateTime<Utc>,
) -> Result<HashMap<(AgentId, Duty), Seat>, Error> {
    let mut agents: Vec<AgentId> = wanted.iter().map(|(a, _)| *a).collect();
    agents.sort_unstable();
    agents.dedup();
    let held = ownership(reads, &agents).await?.held;
    let holders = named(reads, &held, wanted).await?;
    let managers = managers(reads, &holders.values().copied().collect()).await?;
    let acting = acting(reads, &agents, now).await?;
    let mut deciders: Vec<PersonId> = holders
        .values()
        .copied()
        .chain(managers.values().flatten().copied())
        .chain(acting.values().map(|(p, _)| *p))
        .collect();
    deciders.sort_unstable();
    deciders.dedup();
    let delegated = crate::delegations::delegates_of(reads, &deciders, now).await?;
    let given = |from: PersonId| delegated.get(&from).into_iter().flatten().map(move |(_, to)| (from, *to));
    let mut out: HashMap<(AgentId, Duty), Seat> = HashMap::new();
    for key in wanted {
        let holder = holders.get(key).copied();
        let managers = holder.and_then(|h| managers.get(&h).cloned()).unwrap_or_default();
        let acting = acting.get(key).map(|(p, _)| *p);
        let delegates = holder.into_iter().chain(managers.iter().copied()).chain(acting).flat_map(given).collect();
        out.insert(*key, Seat { holder, managers, acting, delegates });
    }
    Ok(out)
}

/// Tells whoever a step waits for since now, and whoever decides in their place; security, when it
/// is nobody.
fn tell(change: &mut Change<'_>, request: &Kept, step: &KeptStep, person: Option<PersonId>, seat: &Seat) {
    let told = OpenStep {
        request: request.id,
        kind: request.kind,
        place: step.step.place,
        duty: step.step.duty,
        agent: step.agent,
        due_at: step.step.due_at,
    };
    match person {
        Some(person) if step.waits_for != Some(person) || !step.ready => {
            change.tell(To::Person(person), told.waits(person));
            for (_, to) in seat.delegates.iter().filter(|(from, _)| *from == person) {
                change.tell(To::Person(*to), told.waits(*to));
            }
        }
        // Asked just now, it waits for nobody from the beginning.
        None if step.waits_for.is_some() || !step.ready || request.opened_at == change.by.now => {
            change.tell(To::Security, told.vacant());
        }
        _ => {}
    }
}

/// Writes for whom the open steps of these agents wait, and whose turn it is: derived, and
/// resolved again at the moment of decision.
pub(crate) async fn derive(change: &mut Change<'_>, agents: &[AgentId]) -> Result<(), Error> {
    let now = change.by.now;
    let open: Vec<Kept> = unclosed(&mut change.tx, agents).await?;
    if open.is_empty() {
        return Ok(());
    }
    let wanted: Vec<(AgentId, Duty)> = open
        .iter()
        .flat_map(|r| r.steps.iter().filter(|s| s.step.decided.is_none()).map(|s| (s.agent, s.step.duty)))
        .filter(|(agent, _)| agents.contains(agent))
        .collect();
    let seats = seats(&mut change.tx, &wanted, now).await?;
    let mut ids: Vec<AgentId> = open.iter().flat_map(Kept::agents).collect();
    ids.sort_unstable();
    ids.dedup();
    let justified = crate::models::justified(&mut change.tx, &ids).await?;
    let appointed = acting(&mut change.tx, &ids, now).await?;
    for request in &open {
        let small = request.agents().iter().all(|a| justified.get(a).is_some_and(|until| *until > now));
        let rules = request.rules(small);
        for step in request.steps.iter().filter(|s| s.step.decided.is_none()) {
            let key = (step.agent, step.step.duty);
            let Some(seat) = seats.get(&key) else { continue };
            let found = decider(&rules, step.step.duty, seat);
            // No longer than the request is open: what counts waiting steps need not read it.
            let until = match found {
                Some(d) if d.via == domain::request::Via::Acting => {
                    appointed.get(&key).map_or(request.lapses_at, |(_, until)| (*until).min(request.lapses_at))
                }
                _ => request.lapses_at,
            };
            let sql = "UPDATE request_step SET waits_for = $2, waits_until = $3, ready = $4 WHERE id = $1 \
                       AND decided_at IS NULL";
            let (person, ready) = (found.map(|d| d.person), rules.ready(&step.step));
            change.tx.run(sql, args![step.id, person, until, ready]).await?;
            if ready && request.state(now) == RequestState::Open {
                tell(change, request, step, person, seat);
            }
        }
    }
    Ok(())
}
