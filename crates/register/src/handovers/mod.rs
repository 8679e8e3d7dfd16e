//! Handovers of agents between the team that built one and the team that operates it: from
//! whom, to whom, what, and the answer. Both see it meanwhile; nothing moves by silence.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::can::{Action, Relation, can};
use domain::handover::{HandoverState, Pair, needed, state};
use domain::id::{AgentId, HandoverId, PersonId, TeamId};
use domain::party::Party;
use domain::text;
use domain::tiding;
use serde_json::{Value, json};

use crate::agents::assess::{party_names, party_standing, reassess};
use crate::agents::read::visible;
use crate::agents::relation::{capacity, relation};
use crate::agents::{Agent, stored};
use crate::args;
use crate::assignments::REASON_MAX;
use crate::change::{self, By, Change};
use crate::db::{Arg, Db, DbError, Reads, Row, marks};
use crate::error::Error;
use crate::tidings::To;

/// Handovers listed of one agent, and of one person's teams.
const MOST: i64 = 50;

/// A handover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// Its reference.
    pub id: HandoverId,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub agent_name: String,
    /// The team that built it.
    pub from: TeamId,
    /// Its name.
    pub from_name: String,
    /// The team that operates it.
    pub to: TeamId,
    /// Its name.
    pub to_name: String,
    /// When it was offered.
    pub offered_at: DateTime<Utc>,
    /// By whom: a reference, `cli`, …
    pub offered_by: String,
    /// Why, and what goes with it.
    pub reason: String,
    /// Where it stands now.
    pub state: HandoverState,
    /// When it was answered.
    pub answered_at: Option<DateTime<Utc>>,
    /// By whom; empty while it is open.
    pub answered_by: String,
    /// What they said.
    pub answer: String,
    /// Whether the reader may answer it.
    pub mine: bool,
    /// Whether the reader may take it back.
    pub withdraw: bool,
}

const SELECT: &str = "SELECT h.id, h.agent_id, a.name, h.from_team, f.name, h.to_team, t.name, h.offered_at, \
     h.offered_by, h.reason, h.outcome, h.answered_at, h.answered_by, h.answer, a.built_by, a.operated_by \
     FROM handover h JOIN agent a ON a.id = h.agent_id JOIN team f ON f.id = h.from_team JOIN team t ON t.id = h.to_team";

fn read(r: &Row, by: By<'_>, leads: &[TeamId]) -> Result<Handover, Error> {
    let pair = Pair { from: r.get(3)?, to: r.get(5)? };
    let answered_at: Option<DateTime<Utc>> = r.get(11)?;
    let outcome = r.get::<String>(10)?.parse().ok();
    let now = match (r.get::<Option<i64>>(14)?, r.get::<Option<i64>>(15)?) {
        (Some(from), Some(to)) if from != to => Some(Pair { from: TeamId(from), to: TeamId(to) }),
        _ => None,
    };
    let state = state(outcome.zip(answered_at), pair, now);
    let open = state == HandoverState::Open;
    let may = |action, team| {
        let leads = if leads.contains(&team) { Relation::Owner } else { Relation::None };
        open && can(by.actor, action, leads).is_ok()
    };
    Ok(Handover {
        id: r.get(0)?,
        agent: r.get(1)?,
        agent_name: r.get(2)?,
        from: pair.from,
        from_name: r.get(4)?,
        to: pair.to,
        to_name: r.get(6)?,
        offered_at: r.get(7)?,
        offered_by: r.get(8)?,
        reason: r.get(9)?,
        state,
        answered_at,
        answered_by: r.get(12)?,
        answer: r.get(13)?,
        mine: may(Action::HandoverAnswer, pair.to),
        withdraw: may(Action::HandoverOffer, pair.from),
    })
}

/// The teams that an actor leads or deputises.
async fn leads(reads: &mut impl Reads, person: Option<PersonId>) -> Result<Vec<TeamId>, DbError> {
    let Some(person) = person else { return Ok(Vec::new()) };
    let sql = "SELECT id FROM team WHERE lead_id = $1 UNION SELECT id FROM team WHERE deputy_id = $1";
    reads.rows(sql, args![person]).await?.iter().map(|r| r.get(0)).collect()
}

/// The agent, for an actor who may see it: whoever leads one of its two teams may.
async fn known(
    reads: &mut impl Reads,
    by: By<'_>,
    agent: AgentId,
    leads: &[TeamId],
) -> Result<(Agent, Relation), Error> {
    let record =
        stored::load(reads, &[agent], by.now).await?.pop().ok_or_else(|| Error::NotFound(format!("agent {agent}")))?;
    let mut stands = relation(reads, by.actor, &record).await?;
    let teams = [record.facts.built_by, record.facts.operated_by];
    if teams.into_iter().flatten().any(|t| leads.contains(&t)) {
        stands = stands.min(Relation::Requester);
    }
    visible(by.actor, &record, stands)?;
    Ok((record, stands))
}

/// What is known of handing one agent over.
#[derive(Debug, Clone)]
pub struct View {
    /// The agent's name.
    pub name: String,
    /// The handover that it needs, if two teams build and operate it.
    pub needed: Option<Pair>,
    /// The names of the two.
    pub names: Option<(String, String)>,
    /// Whether that was completed.
    pub done: bool,
    /// Every handover of it, newest first.
    pub past: Vec<Handover>,
    /// Whether the reader may offer it now.
    pub may_offer: bool,
}

/// Handovers of an agent, and whether one is needed.
pub async fn of_agent(db: &Db, by: By<'_>, agent: AgentId) -> Result<View, Error> {
    let mut reads = db;
    let leads = leads(&mut reads, by.actor.person_id()).await?;
    let (record, _) = known(&mut reads, by, agent, &leads).await?;
    let sql = format!("{SELECT} WHERE h.agent_id = $1 ORDER BY h.id DESC LIMIT {MOST}");
    let rows = reads.rows(sql, args![agent]).await?;
    let past = rows.iter().map(|r| read(r, by, &leads)).collect::<Result<Vec<_>, _>>()?;
    let needed = needed(&record.facts);
    let of_pair = |h: &&Handover, pair: Pair| (Pair { from: h.from, to: h.to }) == pair;
    let is = |state| needed.is_some_and(|p| past.iter().any(|h| of_pair(&h, p) && h.state == state));
    let (done, open) = (is(HandoverState::Accepted), is(HandoverState::Open));
    let names = match needed {
        None => None,
        Some(p) => {
            let mut names = party_names(&mut reads, [Party::Team(p.from), Party::Team(p.to)]).await?;
            let mut name = |t: TeamId| names.remove(&Party::Team(t)).unwrap_or_else(|| t.to_string());
            Some((name(p.from), name(p.to)))
        }
    };
    let may_offer = needed.is_some_and(|p| {
        let from = if leads.contains(&p.from) { Relation::Owner } else { Relation::None };
        can(by.actor, Action::HandoverOffer, from).is_ok()
    }) && !done
        && !open
        && record.state != Lifecycle::Retired;
    Ok(View { name: record.facts.name, needed, names, done, past, may_offer })
}

/// The handovers that are open between teams that a person leads or deputises and others,
/// oldest first: those that wait for them, and those that they wait for.
pub async fn waiting(db: &Db, by: By<'_>) -> Result<Vec<Handover>, Error> {
    let mut reads = db;
    let leads = leads(&mut reads, by.actor.person_id()).await?;
    if leads.is_empty() {
        return Ok(Vec::new());
    }
    let list: Vec<Arg> = leads.iter().map(|t| Arg::from(*t)).collect();
    let teams = marks(1, list.len());
    let sql = format!(
        "{SELECT} WHERE h.outcome = '' AND h.id IN \
         (SELECT x.id FROM handover x WHERE x.outcome = '' AND x.to_team IN {teams} \
          UNION SELECT y.id FROM handover y WHERE y.outcome = '' AND y.from_team IN {teams}) \
         ORDER BY h.id LIMIT {MOST}"
    );
    let rows = reads.rows(sql, list).await?;
    let all = rows.iter().map(|r| read(r, by, &leads)).collect::<Result<Vec<_>, _>>()?;
    Ok(all.into_iter().filter(|h| h.state == HandoverState::Open).collect())
}

async fn load(reads: &mut impl Reads, by: By<'_>, id: HandoverId, leads: &[TeamId]) -> Result<Handover, Error> {
    let rows = reads.rows(format!("{SELECT} WHERE h.id = $1"), args![id.0]).await?;
    let Some(row) = rows.first() else { return Err(Error::NotFound(format!("handover {id}"))) };
    let found = read(row, by, leads)?;
    // Whoever may not see the agent does not see its handover.
    let parties = [found.from, found.to].iter().any(|t| leads.contains(t));
    if !parties {
        known(reads, by, found.agent, leads).await.map_err(|e| match e {
            Error::Denied(domain::can::Denied::Hidden) => Error::NotFound(format!("handover {id}")),
            e => e,
        })?;
    }
    Ok(found)
}

fn words(reason: &str) -> Result<String, Error> {
    text::prose(reason, "The reason", REASON_MAX).map_err(|e| Error::field("/reason", e.to_string()))
}

/// Offers an agent to the team that operates it, in the name of the team that built it.
pub async fn offer(db: &Db, by: By<'_>, agent: AgentId, reason: &str) -> Result<Handover, Error> {
    let reason = words(reason)?;
    let mut change = Change::begin(db, by).await?;
    let leads = leads(&mut change.tx, by.actor.person_id()).await?;
    let (record, stands) = known(&mut change.tx, by, agent, &leads).await?;
    let built = record.facts.built_by.is_some_and(|t| leads.contains(&t));
    can(by.actor, Action::HandoverOffer, if built { Relation::Owner } else { Relation::None })?;
    if record.state == Lifecycle::Retired {
        return Err(Error::Conflict(format!("{agent} is retired: there is nothing to hand over.")));
    }
    let Some(pair) = needed(&record.facts) else {
        return Err(Error::Conflict(format!(
            "{agent} is not built by one team and operated by another; edit it to say who builds and who operates it."
        )));
    };
    if completed(&mut change.tx, &[agent]).await?.contains(&(agent, pair)) {
        return Err(Error::Conflict(format!("{agent} was handed over between these two teams already.")));
    }
    if party_standing(&mut change.tx, Party::Team(pair.to)).await? != Some(domain::party::Standing::Active) {
        return Err(Error::Conflict(format!(
            "{} has no active lead, so nobody could accept; give the team a lead first.",
            pair.to
        )));
    }
    let id = HandoverId(change.next("handover", 1).await?);
    let event =
        change.event(capacity(by.actor, if built { Relation::Owner } else { stands }), "handover.offered", agent);
    change.describe(event, Value::Null, json!({"handover": id, "from": pair.from, "to": pair.to}));
    change.because(event, &reason);
    let row = args![
        id.0,
        change.id(event),
        agent,
        pair.from,
        pair.to,
        by.now,
        by.actor.who.to_string(),
        &reason,
        "",
        Option::<i64>::None,
        "",
        "",
    ];
    let columns = [
        "id",
        "event_id",
        "agent_id",
        "from_team",
        "to_team",
        "offered_at",
        "offered_by",
        "reason",
        "outcome",
        "answered_at",
        "answered_by",
        "answer",
    ];
    change.tx.insert("handover", &columns, vec![row], "").await.map_err(|e| {
        Error::unique(e, format!("{agent} is offered between these two teams already, and waits for an answer."))
    })?;
    change.wrote(event, &change::HANDOVER, id.0);
    let from = Party::Team(pair.from);
    let name = party_names(&mut change.tx, [from]).await?.remove(&from).unwrap_or_else(|| from.to_string());
    change.tell(To::Answerers(Party::Team(pair.to)), tiding::handover_offered(id, agent, &name));
    change.commit().await?;
    let mut reads = db;
    load(&mut reads, by, id, &leads).await
}

/// Accepts or declines a handover, in the name of the team that receives the agent.
pub async fn answer(db: &Db, by: By<'_>, id: HandoverId, accept: bool, reason: &str) -> Result<Handover, Error> {
    let reason = words(reason)?;
    if !accept && reason.is_empty() {
        return Err(Error::field("/reason", "Say why you decline, so that what is missing can be mended."));
    }
    let outcome = if accept { HandoverState::Accepted } else { HandoverState::Declined };
    close(db, by, id, outcome, &reason).await
}

/// Takes an open handover back, in the name of the team that offered it.
pub async fn withdraw(db: &Db, by: By<'_>, id: HandoverId, reason: &str) -> Result<Handover, Error> {
    let reason = words(reason)?;
    close(db, by, id, HandoverState::Withdrawn, &reason).await
}

async fn close(db: &Db, by: By<'_>, id: HandoverId, outcome: HandoverState, reason: &str) -> Result<Handover, Error> {
    let mut change = Change::begin(db, by).await?;
    let leads = leads(&mut change.tx, by.actor.person_id()).await?;
    let before = load(&mut change.tx, by, id, &leads).await?;
    let (action, team, told) = match outcome {
        HandoverState::Accepted => (Action::HandoverAnswer, before.to, "handover.accepted"),
        HandoverState::Declined => (Action::HandoverAnswer, before.to, "handover.declined"),
        _ => (Action::HandoverOffer, before.from, "handover.withdrawn"),
    };
    let stands = if leads.contains(&team) { Relation::Owner } else { Relation::None };
    can(by.actor, action, stands)?;
    if before.state != HandoverState::Open {
        return Err(Error::Conflict(format!("{id} is not open any more: {}.", before.state.label().to_lowercase())));
    }
    let event = change.event(capacity(by.actor, stands), told, before.agent);
    change.describe(
        event,
        json!({"state": HandoverState::Open}),
        json!({"handover": id, "from": before.from, "to": before.to, "state": outcome}),
    );
    change.because(event, reason);
    let args = args![id.0, change.id(event), outcome.key(), by.now, by.actor.who.to_string(), reason];
    let sql = "UPDATE handover SET event_id = $2, outcome = $3, answered_at = $4, answered_by = $5, answer = $6 \
               WHERE id = $1 AND outcome = ''";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Conflict("Somebody else answered at the same moment; look at it again.".into()));
    }
    change.wrote(event, &change::HANDOVER, id.0);
    let (how, other) = match outcome {
        HandoverState::Accepted => ("accepted", before.from),
        HandoverState::Declined => ("declined", before.from),
        _ => ("taken back", before.to),
    };
    change.tell(To::Answerers(Party::Team(other)), tiding::handover_ended(id, before.agent, how, reason));
    reassess(&mut change, &[before.agent], false).await?;
    change.commit().await?;
    let mut reads = db;
    load(&mut reads, by, id, &leads).await
}

/// The handovers of these agents that were completed: of which agent, between which teams.
pub(crate) async fn completed(reads: &mut impl Reads, ids: &[AgentId]) -> Result<HashSet<(AgentId, Pair)>, DbError> {
    let mut out = HashSet::new();
    for batch in ids.chunks(500) {
        let sql = format!(
            "SELECT agent_id, from_team, to_team FROM handover WHERE outcome = 'accepted' AND agent_id IN {}",
            marks(1, batch.len())
        );
        for r in reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
            out.insert((r.get(0)?, Pair { from: r.get(1)?, to: r.get(2)? }));
        }
    }
    Ok(out)
}
