//! Beginning a review: of one agent, and of each agent of a campaign.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use domain::assignment::{Held, RaciRole};
use domain::can::{Action, can};
use domain::canonical;
use domain::duty::Duty;
use domain::finding::{Finding, FindingKey};
use domain::id::{AgentId, CampaignId, PersonId, RequestId};
use domain::party::Party;
use domain::policy::Wanted;
use domain::request::{RequestKind, RequestState, Seat};
use domain::review::{NOT_OBSERVED, NotBegun, Opening, latest, requester, reviewable};
use serde_json::{Value, json};

use crate::agents::assess::{Judged, judge, party_names, reassess};
use crate::agents::moves;
use crate::agents::relation::capacity;
use crate::args;
use crate::change::{By, Change};
use crate::db::{Db, DbError, Reads};
use crate::error::Error;
use crate::policies::{self, Versioned};
use crate::requests::open::{Dates, New, insert, me};
use crate::requests::seats::seats;
use crate::requests::{agent, stored, words};

/// Whose owner reviews the agent: the review duty's where it is required or held, else the
/// business owner.
pub(super) fn duty(judged: &Judged) -> Duty {
    let held = judged.held.iter().any(|h| h.duty == Duty::Review && h.role == RaciRole::Accountable);
    if held || Duty::Review.required(&judged.agent.facts) { Duty::Review } else { Duty::Purpose }
}

/// What a review is not about: that it, or another decision, is late.
pub(super) fn counts(f: &Finding, now: DateTime<Utc>) -> bool {
    f.holds_at(now) && !matches!(f.key, FindingKey::ReviewOverdue | FindingKey::DecisionOverdue)
}

/// What many agents are begun with: who sits where, who is security lead.
pub(super) struct Ground {
    pub(super) policy: Versioned,
    seats: HashMap<(AgentId, Duty), Seat>,
    leads: Vec<PersonId>,
    names: BTreeMap<Party, String>,
}

impl Ground {
    pub(super) async fn read(reads: &mut impl Reads, judged: &[Judged], now: DateTime<Utc>) -> Result<Self, Error> {
        let wanted: Vec<(AgentId, Duty)> =
            judged.iter().flat_map(|j| [duty(j), Duty::Policy, Duty::Purpose].map(|d| (j.agent.id, d))).collect();
        let seats = seats(reads, &wanted, now).await?;
        let sql = "SELECT id FROM person WHERE status = 'active' AND ' ' || roles || ' ' LIKE '% security-lead %' \
                   ORDER BY id LIMIT 20";
        let leads = reads.rows(sql, args![]).await?.iter().map(|r| r.get(0)).collect::<Result<_, DbError>>()?;
        let parties: Vec<Party> = judged.iter().flat_map(|j| j.held.iter().map(|h| h.party)).collect();
        let names = party_names(reads, parties).await?;
        Ok(Self { policy: policies::present(reads).await?, seats, leads, names })
    }

    fn seat(&self, agent: AgentId, duty: Duty) -> Seat {
        self.seats.get(&(agent, duty)).cloned().unwrap_or_default()
    }

    /// Who would decide it, if somebody else asked.
    pub(super) fn reviewer(&self, judged: &Judged) -> Option<PersonId> {
        let seat = self.seat(judged.agent.id, duty(judged));
        seat.holder.or(seat.acting)
    }

    /// In whose name the policy asks for a review.
    fn answerable(&self, agent: AgentId) -> Vec<PersonId> {
        let policy = self.seat(agent, Duty::Policy);
        let business = self.seat(agent, Duty::Purpose).holder;
        policy.holder.into_iter().chain(policy.managers).chain(business).chain(self.leads.iter().copied()).collect()
    }

    /// In whose name it is asked when `opener` begins it.
    pub(super) fn requester(
        &self,
        judged: &Judged,
        opener: PersonId,
        now: DateTime<Utc>,
    ) -> Result<PersonId, NotBegun> {
        let opening = Opening {
            opener,
            reviewer: self.reviewer(judged),
            due_at: judged.governance.review_due,
            answerable: &self.answerable(judged.agent.id),
        };
        requester(opening, now)
    }

    /// Of a campaign, whose maker may review some of it: then their manager decides in their
    /// place, as of any request.
    pub(super) fn of_campaign(&self, judged: &Judged, maker: PersonId, now: DateTime<Utc>) -> Result<PersonId, String> {
        match self.requester(judged, maker, now) {
            Ok(who) => Ok(who),
            Err(_) if !self.seat(judged.agent.id, duty(judged)).managers.is_empty() => Ok(maker),
            Err(why) => Err(why.to_string()),
        }
    }
}

/// Begun by whom, in whose name, why, until when.
pub(super) struct Begun<'a> {
    pub(super) opener: PersonId,
    pub(super) requester: PersonId,
    pub(super) capacity: String,
    pub(super) why: &'a str,
    pub(super) campaign: Option<CampaignId>,
    pub(super) due_at: Option<DateTime<Utc>>,
}

/// Writes the review of an agent, under an event of its own. The caller assesses it again.
pub(super) async fn begin(
    change: &mut Change<'_>,
    ground: &Ground,
    judged: &Judged,
    begun: Begun<'_>,
) -> Result<RequestId, Error> {
    let now = change.by.now;
    let record = &judged.agent;
    let policy = &ground.policy.policy;
    let due_at = begun.due_at.unwrap_or_else(|| now + TimeDelta::days(policy.step_days.of(record.tier)));
    // However far it is put off, it stays open as long as any request after that.
    let furthest = due_at.max(latest(policy.review_days.of(record.tier), due_at));
    let lapses_at = furthest + TimeDelta::days(i64::from(policy.lapse_days));
    let of = duty(judged);
    let own = begun.requester != begun.opener;
    let because = match (begun.campaign, own) {
        (Some(id), _) => format!("Campaign {id} asks for it."),
        (None, true) => "The policy asks for it: its review is due.".to_owned(),
        (None, false) => "A review was asked for.".to_owned(),
    };
    let content = content(ground, judged, &begun, own, now);
    let event = change.event(begun.capacity.clone(), "review.opened", record.id);
    let new = New {
        takes: TimeDelta::zero(),
        kind: RequestKind::Review,
        agent: record,
        facts: &record.facts,
        sha256: canonical::sha256_hex(&content),
        content,
        wanted: vec![Wanted { duty: of, because: vec![because], last: false }],
        told: begun.why,
        reviewer: None,
    };
    let dates = Dates { due_at, lapses_at };
    insert(change, event, begun.requester, ground.policy.version, new, dates).await
}

/// Everything that the reviewer is shown and answers on.
fn content(ground: &Ground, judged: &Judged, begun: &Begun<'_>, own: bool, now: DateTime<Utc>) -> Value {
    let record = &judged.agent;
    let findings: Vec<Value> = judged
        .assessment
        .findings
        .iter()
        .filter(|f| counts(f, now))
        .map(|f| json!({"key": f.key, "duty": f.duty, "sentence": f.told()}))
        .collect();
    let mut held: Vec<&Held> = judged.held.iter().filter(|h| h.role == RaciRole::Accountable).collect();
    held.sort_by_key(|h| h.duty);
    let owners: Vec<Value> = held
        .into_iter()
        .map(|h| json!({"duty": h.duty, "party": h.party, "name": ground.names.get(&h.party)}))
        .collect();
    let mut out = json!({
        "facts": record.facts,
        "boundary_sha256": record.facts.boundary_sha256(),
        "tier": record.tier,
        "state": record.state,
        "owners": owners,
        "findings": findings,
        "activity": NOT_OBSERVED,
        "last_reviewed_at": record.reviewed_at.map(domain::record::timestamp),
        "begun_by": begun.opener,
    });
    if own {
        out["asked_by_policy"] = true.into();
    }
    if let Some(campaign) = begun.campaign {
        out["campaign"] = json!(campaign);
    }
    out
}

/// The open review of an agent, if there is one.
pub(super) async fn present(
    reads: &mut impl Reads,
    id: AgentId,
    now: DateTime<Utc>,
) -> Result<Option<RequestId>, Error> {
    let open = stored::unclosed(reads, &[id]).await?;
    let review = open.iter().find(|r| r.kind == RequestKind::Review && r.state(now) == RequestState::Open);
    Ok(review.map(|r| r.id))
}

/// The open review of an agent, for whoever may see the agent.
pub async fn open_of(db: &Db, by: By<'_>, id: AgentId) -> Result<Option<RequestId>, Error> {
    let mut reads = db;
    agent(&mut reads, by, id).await?;
    present(&mut reads, id, by.now).await
}

/// Why an agent is not reviewed.
pub(super) fn unfit(judged: &Judged) -> Option<String> {
    let state = judged.agent.state;
    (!reviewable(state))
        .then(|| format!("it is {}, and only what was approved is reviewed", state.label().to_lowercase()))
}

/// Asks for a review of an agent. Its own reviewer begins one that is due: then the policy
/// asks, in the name of whoever answers for it.
pub async fn open(db: &Db, by: By<'_>, id: AgentId, why: &str) -> Result<RequestId, Error> {
    let why = words(why, "/reason", None)?;
    let mut change = Change::begin(db, by).await?;
    moves::hold(&mut change, id).await?;
    let (_, stands) = agent(&mut change.tx, by, id).await?;
    can(by.actor, Action::ReviewOpen, stands)?;
    let opener = me(by)?;
    crate::requests::lapse(&mut change, &[id]).await?;
    if let Some(open) = present(&mut change.tx, id, by.now).await? {
        return Err(Error::Conflict(format!("A review of {id} is open already: {open}.")));
    }
    let judged =
        judge(&mut change.tx, &[id], by.now).await?.pop().ok_or_else(|| Error::NotFound(format!("agent {id}")))?;
    if let Some(why) = unfit(&judged) {
        return Err(Error::Conflict(format!("{id} is not reviewed: {why}.")));
    }
    let ground = Ground::read(&mut change.tx, std::slice::from_ref(&judged), by.now).await?;
    let requester = ground.requester(&judged, opener, by.now).map_err(|e| Error::Conflict(e.to_string()))?;
    let capacity = if requester == opener {
        capacity(by.actor, stands)
    } else {
        format!("{}, because it is due", duty(&judged).owner_title().to_lowercase())
    };
    let begun = Begun { opener, requester, capacity, why: &why, campaign: None, due_at: None };
    let request = begin(&mut change, &ground, &judged, begun).await?;
    reassess(&mut change, &[id], false).await?;
    change.commit().await?;
    Ok(request)
}
