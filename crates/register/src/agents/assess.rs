//! Assessment: after every change, what is wrong with the agents it touched, and what
//! they count under, in the same transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::agent::{AgentFacts, Lifecycle};
use domain::assignment::{Held, Offer, PassedDrill, RuntimeOwner, StopFacts, accountable};
use domain::duty::Duty;
use domain::finding::{Assessed, Assessment, Finding, FindingKey, Governance, Severity, assess};
use domain::id::{AgentId, ExceptionId, PersonId, SystemId, TeamId};
use domain::party::{Party, Standing};
use domain::reach::{Span, joined};
use domain::text;
use domain::tier;

use super::needs;
use super::stored::{self, Agent};
use crate::args;
use crate::change::Change;
use crate::clock::turns::{self, Turned};
use crate::db::{Arg, DbError, FOREVER, Reads, marks, micros};
use crate::error::Error;
use crate::systems::stays;

/// How many agents are assessed at a time.
const BATCH: usize = 500;

/// Current assignments and open offers of some agents, with the standing of each party.
#[derive(Debug, Default)]
pub struct Ownership {
    /// Current, accepted rows.
    pub held: HashMap<AgentId, Vec<Held>>,
    /// Open offers.
    pub offers: HashMap<AgentId, Vec<Offer>>,
}

/// Reads who holds what of these agents now, inherited duties included.
pub async fn ownership(reads: &mut impl Reads, ids: &[AgentId]) -> Result<Ownership, Error> {
    let mut out = Ownership::default();
    for batch in ids.chunks(BATCH) {
        for (of, seat) in seats(reads, "agent_id", batch.iter().map(|id| id.0)).await? {
            match seat {
                Sat::Held(held) => out.held.entry(AgentId(of)).or_default().push(held),
                Sat::Offered(offer) => out.offers.entry(AgentId(of)).or_default().push(offer),
            }
        }
    }
    stays::inherit(reads, ids, &mut out.held).await?;
    Ok(out)
}

/// Who holds what of these systems now.
pub(crate) async fn held_of_systems(
    reads: &mut impl Reads,
    ids: &[SystemId],
) -> Result<HashMap<SystemId, Vec<Held>>, Error> {
    let mut out: HashMap<SystemId, Vec<Held>> = HashMap::new();
    for batch in ids.chunks(BATCH) {
        for (of, seat) in seats(reads, "system_id", batch.iter().map(|id| id.0)).await? {
            if let Sat::Held(held) = seat {
                out.entry(SystemId(of)).or_default().push(held);
            }
        }
    }
    Ok(out)
}

/// A current row of the matrix.
enum Sat {
    Held(Held),
    Offered(Offer),
}

/// The current rows of some matrices, and whose each is. `column` says whether of agents or
/// of systems.
async fn seats(
    reads: &mut impl Reads,
    column: &str,
    ids: impl ExactSizeIterator<Item = i64>,
) -> Result<Vec<(i64, Sat)>, Error> {
    let sql = format!(
        "SELECT s.{column}, s.duty, s.role, s.party_kind, s.party_id, s.offered_at, s.valid_from, \
                p.status, p.left_at, t.lead_id, l.status, l.left_at, s.confirmed_at, \
                CASE WHEN l.moved_at >= t.lead_since THEN l.moved_at ELSE p.moved_at END \
         FROM assignment s \
         LEFT JOIN person p ON s.party_kind = 'person' AND p.id = s.party_id \
         LEFT JOIN team t ON s.party_kind = 'team' AND t.id = s.party_id \
         LEFT JOIN person l ON l.id = t.lead_id \
         WHERE s.valid_to IS NULL AND s.{column} IN {} ORDER BY s.id",
        marks(1, ids.len())
    );
    let rows = reads.rows(sql, ids.map(Arg::from).collect()).await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        let of: i64 = r.get(0)?;
        let duty: Duty = r.get(1)?;
        let Some(party) = Party::from_stored(&r.get::<String>(3)?, r.get(4)?) else { continue };
        let Some(since) = r.get::<Option<DateTime<Utc>>>(6)? else {
            out.push((of, Sat::Offered(Offer { duty, party, offered_at: r.get(5)? })));
            continue;
        };
        let (standing, standing_since) = match party {
            Party::Person(_) => standing(r.get::<Option<String>>(7)?.as_deref(), r.get(8)?, Standing::Left),
            Party::Team(_) => standing(r.get::<Option<String>>(10)?.as_deref(), r.get(11)?, Standing::Leaderless),
        };
        out.push((
            of,
            Sat::Held(Held {
                duty,
                role: r.get(2)?,
                party,
                standing,
                standing_since,
                since,
                inherited: None,
                confirmed_at: r.get::<Option<DateTime<Utc>>>(12)?.unwrap_or(since),
                moved_at: r.get(13)?,
            }),
        ));
    }
    Ok(out)
}

fn standing(
    status: Option<&str>,
    left_at: Option<DateTime<Utc>>,
    otherwise: Standing,
) -> (Standing, Option<DateTime<Utc>>) {
    match status {
        Some("active") => (Standing::Active, None),
        _ => (otherwise, left_at),
    }
}

/// Teams whose lead, deputy or member a person is: membership counts for lifecycle duties.
pub(crate) async fn members(
    reads: &mut impl Reads,
    teams: &BTreeSet<i64>,
) -> Result<HashMap<i64, BTreeSet<PersonId>>, DbError> {
    let mut out: HashMap<i64, BTreeSet<PersonId>> = HashMap::new();
    let teams: Vec<i64> = teams.iter().copied().collect();
    for batch in teams.chunks(BATCH) {
        let list = marks(1, batch.len());
        let sql = format!(
            "SELECT team_id, person_id FROM team_member WHERE until IS NULL AND team_id IN {list} \
             UNION SELECT id, lead_id FROM team WHERE lead_id IS NOT NULL AND id IN {list} \
             UNION SELECT id, deputy_id FROM team WHERE deputy_id IS NOT NULL AND id IN {list}"
        );
        for r in reads.rows(sql, batch.iter().map(|t| Arg::from(*t)).collect()).await? {
            out.entry(r.get(0)?).or_default().insert(r.get(1)?);
        }
    }
    Ok(out)
}

/// Stop methods and the newest passed drill of the present runtime owner.
pub async fn stop_facts(
    reads: &mut impl Reads,
    ids: &[AgentId],
    held: &HashMap<AgentId, Vec<Held>>,
) -> Result<HashMap<AgentId, StopFacts>, Error> {
    let mut out: HashMap<AgentId, StopFacts> = HashMap::new();
    for batch in ids.chunks(BATCH) {
        let list = marks(1, batch.len());
        let args = || batch.iter().map(|id| Arg::from(*id)).collect::<Vec<_>>();
        let sql = format!(
            "SELECT agent_id, version FROM stop_method WHERE valid_to IS NULL AND COALESCE(surface, 'pause') = 'pause' \
             AND agent_id IN {list}"
        );
        for r in reads.rows(sql, args()).await? {
            out.entry(r.get(0)?).or_default().method_version = Some(r.get(1)?);
        }
        let sql = format!(
            "SELECT agent_id, method_version, party_kind, party_id, at FROM stop_drill \
             WHERE passed AND COALESCE(surface, 'pause') = 'pause' AND agent_id IN {list} ORDER BY agent_id, at"
        );
        for r in reads.rows(sql, args()).await? {
            let agent: AgentId = r.get(0)?;
            let Some(party) = Party::from_stored(&r.get::<String>(2)?, r.get(3)?) else { continue };
            let owner = held.get(&agent).and_then(|h| accountable(h, Duty::Containment));
            if owner.is_some_and(|o| o.party == party) {
                out.entry(agent).or_default().drill =
                    Some(PassedDrill { party, method_version: r.get(1)?, at: r.get(4)? });
            }
        }
    }
    Ok(out)
}

/// An assessment with everything it was made from: what the agent's page shows.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The agent.
    pub agent: Agent,
    /// Who holds what.
    pub held: Vec<Held>,
    /// What is offered.
    pub offers: Vec<Offer>,
    /// How it is stopped.
    pub stop: StopFacts,
    /// What was decided about it and is to be decided.
    pub governance: Governance,
    /// The outcome.
    pub assessment: Assessment,
}

/// Assesses agents from what is stored now.
pub async fn judge(reads: &mut impl Reads, ids: &[AgentId], now: DateTime<Utc>) -> Result<Vec<Judged>, Error> {
    let agents = stored::load(reads, ids, now).await?;
    let Ownership { mut held, mut offers } = ownership(reads, ids).await?;
    let mut stops = stop_facts(reads, ids, &held).await?;
    let reviews = crate::stops::steps::reviews_due(reads, ids).await?;
    let justified = crate::models::justified(reads, ids).await?;
    let handed_over = crate::handovers::completed(reads, ids).await?;
    let mut governed = crate::requests::governance::read(reads, &agents, now).await?;
    let mut vacated: HashMap<AgentId, Vec<(Duty, DateTime<Utc>)>> = HashMap::new();
    let mut onboarding: HashMap<i64, DateTime<Utc>> = HashMap::new();
    for batch in ids.chunks(BATCH) {
        let args: Vec<Arg> = batch.iter().map(|id| Arg::from(*id)).collect();
        let sql = format!(
            "SELECT agent_id, duty, MAX(valid_to) FROM assignment WHERE valid_to IS NOT NULL AND role = 'A' \
             AND accepted_at IS NOT NULL AND agent_id IN {} GROUP BY agent_id, duty",
            marks(1, batch.len())
        );
        for r in reads.rows(sql, args).await? {
            vacated.entry(r.get(0)?).or_default().push((r.get(1)?, r.get(2)?));
        }
    }
    let mut waves: Vec<i64> = agents.iter().filter_map(|a| a.wave.map(|w| w.0)).collect();
    waves.sort_unstable();
    waves.dedup();
    for batch in waves.chunks(BATCH) {
        let sql = format!("SELECT id, target_at FROM wave WHERE id IN {}", marks(1, batch.len()));
        for r in reads.rows(sql, batch.iter().map(|w| Arg::from(*w)).collect()).await? {
            onboarding.insert(r.get(0)?, r.get(1)?);
        }
    }
    let teams: BTreeSet<i64> = agents.iter().filter_map(|a| a.facts.operated_by.map(|t| t.0)).collect();
    let members = members(reads, &teams).await?;
    let stoppers: BTreeSet<Party> =
        held.values().filter_map(|h| accountable(h, Duty::Containment)).map(|h| h.party).collect();
    let unreached = crate::reach::unreached(reads, &stoppers, now).await?;
    Ok(agents
        .into_iter()
        .map(|agent| {
            let held = held.remove(&agent.id).unwrap_or_default();
            let mut offers = offers.remove(&agent.id).unwrap_or_default();
            offers.retain(|o| o.open_at(now) || o.duty == Duty::Containment);
            let stop = stops.remove(&agent.id).unwrap_or_default();
            let split = split(&agent.facts, &held, &members);
            let governance = governed.remove(&agent.id).unwrap_or_default();
            let assessment = assess(
                &Assessed {
                    facts: &agent.facts,
                    state: agent.state,
                    tier: agent.tier,
                    recorded_at: agent.created_at,
                    held: &held,
                    offers: &offers,
                    vacated: vacated.get(&agent.id).map_or(&[], Vec::as_slice),
                    stop: &stop,
                    review_due: reviews.get(&agent.id).copied(),
                    handed_over: domain::handover::needed(&agent.facts)
                        .is_some_and(|pair| handed_over.contains(&(agent.id, pair))),
                    justified_until: justified.get(&agent.id).copied(),
                    onboarding_until: agent.wave.and_then(|w| onboarding.get(&w.0).copied()),
                    notes: &agent.notes,
                    split: &split,
                    unreachable: accountable(&held, Duty::Containment)
                        .and_then(|h| unreached.get(&h.party))
                        .map_or(&[], Vec::as_slice),
                    governance: &governance,
                },
                now,
            );
            Judged { agent, held, offers, stop, governance, assessment }
        })
        .collect())
}

/// Lifecycle duties held outside the team that operates the agent.
fn split(facts: &AgentFacts, held: &[Held], members: &HashMap<i64, BTreeSet<PersonId>>) -> Vec<Duty> {
    let Some(TeamId(team)) = facts.operated_by else { return Vec::new() };
    [Duty::Containment, Duty::Monitoring, Duty::Review, Duty::Retirement]
        .into_iter()
        .filter(|d| {
            accountable(held, *d).is_some_and(|h| match h.party {
                Party::Team(t) => t.0 != team,
                Party::Person(p) => !members.get(&team).is_some_and(|m| m.contains(&p)),
            })
        })
        .collect()
}

/// Assesses agents again after a change and writes what follows: derived columns,
/// findings, search words and counters. `fresh` agents were made in this very change.
pub async fn reassess(change: &mut Change<'_>, ids: &[AgentId], fresh: bool) -> Result<(), Error> {
    let now = change.by.now;
    for batch in ids.chunks(BATCH) {
        if !fresh {
            // One at a time: of two at once, the later must subtract what the former has counted.
            let sql = format!("UPDATE agent SET version = version WHERE id IN {}", marks(1, batch.len()));
            change.tx.run(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await?;
        }
        let judged = judge(&mut change.tx, batch, now).await?;
        write_derived(change, &judged).await?;
        write_findings(change, &judged, fresh).await?;
        write_breaches(change, &judged).await?;
        let turned = write_index(change, &judged, fresh).await?;
        turns::tell(change, &turned, &judged).await?;
        if !fresh {
            crate::requests::seats::derive(change, batch).await?;
        }
    }
    Ok(())
}

async fn write_derived(change: &mut Change<'_>, judged: &[Judged]) -> Result<(), DbError> {
    const COLUMNS: [&str; 12] = [
        "id",
        "name_folded",
        "unit_folded",
        "tier",
        "tier_points",
        "runs",
        "runtime_owner",
        "runtime_owner_rank",
        "runtime_owner_until",
        "runtime_party_kind",
        "runtime_party_id",
        "needs",
    ];
    if judged.is_empty() {
        return Ok(());
    }
    let mut args = Vec::with_capacity(judged.len() * COLUMNS.len());
    let mut values = Vec::with_capacity(judged.len());
    for j in judged {
        let score = tier::score(&j.agent.facts);
        let owner = j.assessment.runtime_owner;
        let party = accountable(&j.held, Duty::Containment)
            .map(|h| h.party)
            .or_else(|| j.offers.iter().find(|o| o.duty == Duty::Containment).map(|o| o.party))
            .filter(|_| owner.is_none_or(|o| o.state != RuntimeOwner::None));
        values.push(marks(args.len() + 1, COLUMNS.len()));
        args.extend(args![
            j.agent.id,
            text::fold(&j.agent.facts.name),
            text::fold(&j.agent.facts.business_unit),
            score.tier.key(),
            i64::from(score.points),
            runs(&j.agent),
            owner.map_or("", |o| o.state.key()),
            owner.map_or(99, |o| o.state as i64),
            owner.and_then(|o| o.until).map_or(FOREVER, micros),
            party.map_or("", Party::kind),
            party.map_or(0, Party::number),
            needs::stored(&j.agent),
        ]);
    }
    // What is the same already is left alone: each write of a row touches a dozen indexes.
    let sets: Vec<String> = COLUMNS[1..].iter().map(|c| format!("{c} = v.{c}")).collect();
    // Of an agent that was never assessed since `needs` came, that is NULL: nothing differs from NULL.
    let old: Vec<String> = COLUMNS[1..]
        .iter()
        .map(|c| if *c == "needs" { "COALESCE(agent.needs, -9)".to_owned() } else { format!("agent.{c}") })
        .collect();
    let new: Vec<String> = COLUMNS[1..].iter().map(|c| format!("v.{c}")).collect();
    let sql = format!(
        "WITH v ({}) AS (VALUES {}) UPDATE agent SET {} FROM v WHERE agent.id = v.id AND ({}) <> ({})",
        COLUMNS.join(", "),
        values.join(", "),
        sets.join(", "),
        old.join(", "),
        new.join(", ")
    );
    change.tx.run(sql, args).await?;
    Ok(())
}

/// Whether the agent counts as running: a retired one does not.
pub(crate) fn runs(agent: &Agent) -> bool {
    agent.state != Lifecycle::Retired && agent.facts.running.counts()
}

/// A stored finding: key, duty, from when; and severity, until when, detail, exception.
type Stored = BTreeMap<(String, String, i64), (String, i64, String, Option<ExceptionId>)>;

/// The findings of an assessment as they are stored: of two that begin together, the worse.
fn stored_findings(j: &Judged) -> Stored {
    let mut out = Stored::new();
    for f in &j.assessment.findings {
        let key = (f.key.key().to_owned(), f.duty.map_or("", Duty::key).to_owned(), micros(f.from));
        let rest = (f.severity.key().to_owned(), f.until.map_or(FOREVER, micros), f.detail.clone(), f.excepted);
        out.entry(key).or_insert(rest);
    }
    out
}

/// Writes the findings of those agents whose findings are not what is stored.
async fn write_findings(change: &mut Change<'_>, judged: &[Judged], fresh: bool) -> Result<(), DbError> {
    let mut before: HashMap<AgentId, Stored> = HashMap::new();
    if !fresh {
        let sql = format!(
            "SELECT agent_id, key, duty, from_at, severity, until_at, detail, excepted FROM finding WHERE agent_id IN {}",
            marks(1, judged.len())
        );
        for r in change.tx.all(sql, judged.iter().map(|j| Arg::from(j.agent.id)).collect()).await? {
            let key = (r.get(1)?, r.get(2)?, r.get(3)?);
            before.entry(r.get(0)?).or_default().insert(key, (r.get(4)?, r.get(5)?, r.get(6)?, r.get(7)?));
        }
    }
    let (mut rows, mut gone) = (Vec::new(), Vec::new());
    for j in judged {
        let found = stored_findings(j);
        let old = before.remove(&j.agent.id).unwrap_or_default();
        if old == found {
            continue;
        }
        if !old.is_empty() {
            gone.push(j.agent.id);
        }
        for ((key, duty, from), (severity, until, detail, excepted)) in found {
            rows.push(args![j.agent.id, key, duty, severity, from, until, detail, excepted]);
        }
    }
    delete_of(change, "finding", &gone).await?;
    let columns = ["agent_id", "key", "duty", "severity", "from_at", "until_at", "detail", "excepted"];
    change.tx.insert("finding", &columns, rows, "").await?;
    Ok(())
}

/// What is broken from the very end of an exception on: known while it is still in force, so that
/// which ones have expired and are still breached is a question of the clock. Who was ever excepted
/// stays so; nobody else is looked at.
async fn write_breaches(change: &mut Change<'_>, judged: &[Judged]) -> Result<(), DbError> {
    let covered: Vec<&Judged> = judged.iter().filter(|j| !j.governance.covers.is_empty()).collect();
    delete_of(change, "exception_breach", &covered.iter().map(|j| j.agent.id).collect::<Vec<_>>()).await?;
    let mut rows = Vec::new();
    for j in covered {
        for cover in &j.governance.covers {
            let goes_on = (j.assessment.findings.iter())
                .filter(|f| f.key == cover.key && f.excepted.is_none() && f.from == cover.until);
            // Several parts of one check may be broken: until the last of them is mended.
            if let Some(until) = goes_on.map(|f| f.until.map_or(FOREVER, micros)).max() {
                rows.push(args![cover.exception, j.agent.id, cover.until, until]);
            }
        }
    }
    let columns = ["exception_id", "agent_id", "from_at", "until_at"];
    if rows.is_empty() {
        return Ok(());
    }
    change.tx.insert("exception_breach", &columns, rows, "ON CONFLICT DO NOTHING").await?;
    // One that was ended before its time did not expire.
    for j in judged.iter().filter(|j| !j.governance.covers.is_empty()) {
        let sql = "DELETE FROM exception_breach WHERE agent_id = $1 AND exception_id IN (SELECT x.exception_id \
                   FROM exception_agent x CROSS JOIN exception e WHERE x.agent_id = $1 AND e.id = x.exception_id \
                   AND e.ended_at IS NOT NULL)";
        change.tx.run(sql, args![j.agent.id]).await?;
    }
    Ok(())
}

async fn delete_of(change: &mut Change<'_>, table: &str, agents: &[AgentId]) -> Result<(), DbError> {
    let args: Vec<Arg> = agents.iter().map(|id| Arg::from(*id)).collect();
    if !args.is_empty() {
        change.tx.run(format!("DELETE FROM {table} WHERE agent_id IN {}", marks(1, args.len())), args).await?;
    }
    Ok(())
}

/// Writes counters, search words and what the clock will change. Answers what it had changed since
/// the agents were assessed before.
async fn write_index(change: &mut Change<'_>, judged: &[Judged], fresh: bool) -> Result<Vec<Turned>, DbError> {
    let mut before: HashMap<AgentId, (String, String)> = HashMap::new();
    let mut turning: HashMap<AgentId, Vec<(i64, String, i64)>> = HashMap::new();
    if !fresh {
        let args: Vec<Arg> = judged.iter().map(|j| Arg::from(j.agent.id)).collect();
        let sql = format!("SELECT agent_id, facets, words FROM agent_index WHERE agent_id IN {}", marks(1, args.len()));
        for r in change.tx.all(sql, args).await? {
            before.insert(r.get(0)?, (r.get(1)?, r.get(2)?));
        }
        let args: Vec<Arg> = judged.iter().map(|j| Arg::from(j.agent.id)).collect();
        let sql = format!("SELECT agent_id, at, facet, delta FROM turn WHERE agent_id IN {}", marks(1, args.len()));
        for r in change.tx.all(sql, args).await? {
            turning.entry(r.get(0)?).or_default().push((r.get(1)?, r.get(2)?, r.get(3)?));
        }
    }
    let (mut index, mut words, mut turns) = (Vec::new(), Vec::new(), Vec::new());
    let mut stale: Vec<AgentId> = Vec::new();
    let mut forget: Vec<Arg> = Vec::new();
    for j in judged {
        let facets = facets(j, change.by.now);
        let found = search_words(&j.agent);
        let found_text = found.join(" ");
        let (old_facets, old_words) = before.remove(&j.agent.id).unwrap_or_default();
        for f in old_facets.lines() {
            change.tally.add(f, -1);
        }
        for f in &facets {
            change.tally.add(f, 1);
        }
        if old_words != found_text {
            for p in prefixes(old_words.split_whitespace()) {
                change.tally.add(&p, -1);
            }
            for p in prefixes(found.iter().map(String::as_str)) {
                change.tally.add(&p, 1);
            }
            if !old_words.is_empty() {
                forget.push(Arg::from(j.agent.id));
            }
            words.extend(found.iter().map(|w| args![w, j.agent.id]));
        }
        let mut ahead: Vec<(i64, String, i64)> =
            turns_of(j, change.by.now).into_iter().map(|(at, facet, delta)| (micros(at), facet, delta)).collect();
        ahead.sort_unstable();
        let mut old = turning.remove(&j.agent.id).unwrap_or_default();
        old.sort_unstable();
        if old != ahead {
            if !old.is_empty() {
                stale.push(j.agent.id);
            }
            if let Some((first, ..)) = ahead.first() {
                change.wakes(crate::db::time(*first));
            }
            turns.extend(ahead.into_iter().map(|(at, facet, delta)| args![at, j.agent.id, facet, delta]));
        }
        let facets = facets.join("\n");
        if facets != old_facets || found_text != old_words {
            index.push(args![j.agent.id, facets, found_text]);
        }
    }
    if !forget.is_empty() {
        let sql = format!("DELETE FROM search_word WHERE agent_id IN {}", marks(1, forget.len()));
        change.tx.run(sql, forget).await?;
    }
    change.tx.insert("search_word", &["word", "agent_id"], words, "").await?;
    let turned = take_turns(change, &stale).await?;
    change.tx.insert("turn", &["at", "agent_id", "facet", "delta"], turns, "").await?;
    change
        .tx
        .insert(
            "agent_index",
            &["agent_id", "facets", "words"],
            index,
            "ON CONFLICT (agent_id) DO UPDATE SET facets = excluded.facets, words = excluded.words",
        )
        .await?;
    Ok(turned)
}

/// Takes out what the clock changes of these agents, and answers what it has changed already.
async fn take_turns(change: &mut Change<'_>, agents: &[AgentId]) -> Result<Vec<Turned>, DbError> {
    let mut out = Vec::new();
    for batch in agents.chunks(BATCH) {
        let list = marks(1, batch.len());
        let sql = format!("DELETE FROM turn WHERE agent_id IN {list} RETURNING at, agent_id, facet, delta");
        for r in change.tx.all(sql, batch.iter().map(|a| Arg::from(*a)).collect()).await? {
            let at: DateTime<Utc> = r.get(0)?;
            if at <= change.by.now {
                out.push(Turned { at, agent: r.get(1)?, facet: r.get(2)?, delta: r.get(3)? });
            }
        }
    }
    out.sort_by(|a, b| (a.at, a.agent, &a.facet).cmp(&(b.at, b.agent, &b.facet)));
    Ok(out)
}

/// What the agent counts under. Each facet is a counter's name; no name holds a line break.
fn facets(j: &Judged, now: DateTime<Utc>) -> Vec<String> {
    let a = &j.agent;
    let unit = text::fold(&a.facts.business_unit);
    let mut out = vec![
        "agents".to_owned(),
        format!("state:{}", a.state),
        format!("environment:{}", a.facts.environment),
        format!("tier:{}", tier::score(&a.facts).tier),
        format!("unit:{unit}"),
        format!("running:{}", a.facts.running),
        format!("runs:{}", if runs(a) { "yes" } else { "no" }),
    ];
    if let Some(w) = a.wave {
        out.push(format!("wave:{w}"));
    }
    if a.facts.confidential {
        out.push("confidential".to_owned());
    }
    let Some(owner) = j.assessment.runtime_owner else { return out };
    out.push(format!("owner:{}", owner.state));
    out.push(stop_facet(a, owner.state));
    if runs(a) {
        out.push(format!("unit-running:{unit}"));
        if owner.state.nobody_can_stop() {
            out.push(format!("unit-open:{unit}"));
        }
    }
    out.push(needs::facet(a));
    for duty in Duty::all_required(&a.facts) {
        out.push(format!("required:{duty}"));
        if accountable(&j.held, duty).is_some_and(|h| h.standing == Standing::Active) {
            out.push(format!("held:{duty}"));
        }
    }
    let mut keys: Vec<FindingKey> = j.assessment.findings.iter().map(|f| f.key).collect();
    keys.sort_unstable();
    keys.dedup();
    let holds = |key, which: &dyn Fn(&Finding) -> bool| spans(j, key, which).iter().any(|s| s.holds_at(now));
    // What an exception covers does not count, and is counted apart.
    out.extend(keys.iter().filter(|k| holds(**k, &|f| f.excepted.is_some())).map(|k| format!("excepted:{k}")));
    // A finding that only begins later is added by its turn.
    keys.retain(|k| !ahead(j, *k) || holds(*k, &counts));
    out.extend(keys.into_iter().map(|k| format!("finding:{k}")));
    // Counted by wave, so that a read asks only for the waves whose date lies ahead.
    if let Some(wave) = a.wave {
        let mut gaps: Vec<FindingKey> =
            j.assessment.findings.iter().filter(|f| waits_now(j, f, now)).map(|f| f.key).collect();
        gaps.sort_unstable();
        gaps.dedup();
        out.extend(gaps.into_iter().map(|k| format!("wave-gap:{wave}:{k}")));
    }
    out
}

fn stop_facet(a: &Agent, state: RuntimeOwner) -> String {
    format!("stop:{}:{state}", if runs(a) { "running" } else { "idle" })
}

/// Checks whose spans come and go by the clock: whether one counts now, and when that turns,
/// follows from its spans.
const AHEAD: [FindingKey; 13] = [
    FindingKey::ControlUnchecked,
    FindingKey::ApprovalDue,
    FindingKey::Drift,
    FindingKey::ReviewOverdue,
    FindingKey::ConditionOverdue,
    FindingKey::DecisionOverdue,
    FindingKey::NoRuntimeOwner,
    FindingKey::RuntimeOwnerPending,
    FindingKey::RuntimeOwnerUntested,
    FindingKey::StopReviewOverdue,
    FindingKey::JustificationEnded,
    FindingKey::OwnerUnreachable,
    FindingKey::OwnershipUnconfirmed,
];

/// Whether it counts: no exception covers it.
fn counts(f: &Finding) -> bool {
    f.excepted.is_none()
}

/// Whether a check comes and goes by the clock for this agent: by its nature, or by an exception.
fn ahead(j: &Judged, key: FindingKey) -> bool {
    AHEAD.contains(&key)
        || j.assessment.findings.iter().any(|f| f.key == key && f.excepted.is_some())
        || j.governance.covers.iter().any(|c| c.key == key)
}

/// When a check holds, as spans apart from each other.
fn spans(j: &Judged, key: FindingKey, which: impl Fn(&Finding) -> bool) -> Vec<Span> {
    let found = j.assessment.findings.iter().filter(|f| f.key == key && which(f));
    joined(found.map(|f| Span { from: f.from, until: f.until }).collect())
}

/// Whether it is a gap that waits for the target date of its import, and holds already.
fn waits_now(j: &Judged, f: &Finding, now: DateTime<Utc>) -> bool {
    f.severity == Severity::Onboarding && counts(f) && (!ahead(j, f.key) || f.holds_at(now))
}

/// What the clock alone will change: a verified owner's drill lapses, an offer lapses, a review
/// falls due, nobody can be reached any more, an owner is to be asked again.
fn turns_of(j: &Judged, now: DateTime<Utc>) -> Vec<(DateTime<Utc>, String, i64)> {
    let mut out = Vec::new();
    for key in FindingKey::ALL.iter().copied().filter(|k| ahead(j, *k)) {
        let mut add = |facet: String, spans: Vec<Span>| {
            for span in spans {
                out.extend((span.from > now).then(|| (span.from, facet.clone(), 1)));
                out.extend(span.until.filter(|u| *u > now).map(|u| (u, facet.clone(), -1)));
            }
        };
        add(format!("finding:{key}"), spans(j, key, counts));
        add(format!("excepted:{key}"), spans(j, key, |f| f.excepted.is_some()));
        if let Some(wave) = j.agent.wave {
            let waits = spans(j, key, |f| counts(f) && f.severity == Severity::Onboarding);
            // What ends with the import's date is no turn: reads leave such imports out.
            let goes_on = |at| j.assessment.findings.iter().any(|f| f.key == key && f.from == at && counts(f));
            let waits = waits.into_iter().map(|s| Span { until: s.until.filter(|u| !goes_on(*u)), ..s });
            add(format!("wave-gap:{wave}:{key}"), waits.collect());
        }
    }
    // Nothing counts otherwise then, but a request is closed and its deciders change.
    for at in [j.governance.request_lapses, j.governance.acting_until].into_iter().flatten().filter(|at| *at > now) {
        out.push((at, "request".to_owned(), 0));
    }
    let Some((owner, until)) = j.assessment.runtime_owner.and_then(|o| Some((o.state, o.until?))) else {
        return out;
    };
    let then = owner.lapsed();
    out.extend([
        (until, format!("owner:{owner}"), -1),
        (until, format!("owner:{then}"), 1),
        (until, stop_facet(&j.agent, owner), -1),
        (until, stop_facet(&j.agent, then), 1),
    ]);
    out
}

/// The words an agent is found by.
fn search_words(a: &Agent) -> Vec<String> {
    let f = &a.facts;
    let id = a.id.to_string();
    let texts =
        [f.name.as_str(), id.as_str(), f.business_unit.as_str(), f.vendor.as_str(), f.workload_identity.as_str()]
            .into_iter()
            .chain(f.external_ids.iter().map(|e| e.id.as_str()))
            .chain(f.labels.values().map(String::as_str));
    text::words(texts, 48)
}

/// Longest prefix that has a counter, in characters.
pub(crate) const COUNTED_PREFIX: usize = 12;

/// The counters of the words' prefixes, each once.
fn prefixes<'a>(words: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for word in words {
        let mut prefix = String::from("word:");
        for c in word.chars().take(COUNTED_PREFIX) {
            prefix.push(c);
            out.insert(prefix.clone());
        }
    }
    out
}

/// The agents for which a party holds anything or was offered anything now, through a
/// platform too.
pub async fn agents_of(reads: &mut impl Reads, parties: &[Party]) -> Result<Vec<AgentId>, DbError> {
    let mut out = BTreeSet::new();
    for party in parties {
        let rows = reads
            .rows(
                "SELECT agent_id FROM assignment WHERE party_kind = $1 AND party_id = $2 AND valid_to IS NULL \
                 AND agent_id IS NOT NULL \
                 UNION ALL SELECT y.agent_id FROM assignment s CROSS JOIN platform_stay y \
                 WHERE s.party_kind = $1 AND s.party_id = $2 AND s.valid_to IS NULL AND s.system_id IS NOT NULL \
                 AND y.system_id = s.system_id AND y.valid_to IS NULL",
                args![party.kind(), party.number()],
            )
            .await?;
        for r in rows {
            out.insert(r.get::<AgentId>(0)?);
        }
    }
    Ok(out.into_iter().collect())
}

/// Whether a party can be Accountable now.
pub async fn party_standing(reads: &mut impl Reads, party: Party) -> Result<Option<Standing>, DbError> {
    let sql = match party {
        Party::Person(_) => "SELECT status FROM person WHERE id = $1",
        Party::Team(_) => "SELECT p.status FROM team t LEFT JOIN person p ON p.id = t.lead_id WHERE t.id = $1",
    };
    let rows = reads.rows(sql, args![party.number()]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let status: Option<String> = row.get(0)?;
    Ok(Some(match (party, status.as_deref()) {
        (_, Some("active")) => Standing::Active,
        (Party::Person(_), _) => Standing::Left,
        (Party::Team(_), _) => Standing::Leaderless,
    }))
}

/// Names of parties, for showing them.
pub async fn party_names(
    reads: &mut impl Reads,
    parties: impl IntoIterator<Item = Party>,
) -> Result<BTreeMap<Party, String>, DbError> {
    let parties: BTreeSet<Party> = parties.into_iter().collect();
    let mut out = BTreeMap::new();
    for (kind, sql) in [("person", "SELECT id, name FROM person"), ("team", "SELECT id, name FROM team")] {
        let ids: Vec<i64> = parties.iter().filter(|p| p.kind() == kind).map(|p| p.number()).collect();
        for batch in ids.chunks(BATCH) {
            let sql = format!("{sql} WHERE id IN {}", marks(1, batch.len()));
            for r in reads.rows(sql, batch.iter().map(|n| Arg::from(*n)).collect()).await? {
                if let Some(p) = Party::from_stored(kind, r.get(0)?) {
                    out.insert(p, r.get(1)?);
                }
            }
        }
    }
    Ok(out)
}
