//! What the reviewer is shown beside the request: what is wrong now, what happened since the
//! last review, and that nothing reports what the agent does.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::{CampaignId, PersonId, RequestId};
use domain::import::FieldChange;
use domain::party::Party;
use domain::record::Event;
use domain::request::{RequestKind, Verdict};
use domain::review::latest;

use super::begin::counts;
use super::campaigns::made_for;
use super::defer::{Deferral, deferral};
use crate::agents::assess::{judge, party_names};
use crate::args;
use crate::change::By;
use crate::db::{Db, Reads};
use crate::error::Error;
use crate::paging::Page;
use crate::requests::conditions::{self, Condition};
use crate::requests::{View, observed};
use crate::{audit, policies};

/// Events and stops listed at most.
const MOST: i64 = 20;

/// Something that is wrong with the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The sentence.
    pub sentence: String,
    /// It began after the review did.
    pub new: bool,
}

/// A stop of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Its number, for its address.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// Somebody else has reviewed it.
    pub reviewed: bool,
}

/// A drill of stopping it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// When.
    pub at: DateTime<Utc>,
    /// Whether it was shown.
    pub passed: bool,
    /// How long it took, in seconds.
    pub seconds: i64,
    /// Of which surface, by its key.
    pub surface: String,
}

/// Everything beside the request.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Since when things are listed: the last review, or the approval, or the record's begin.
    pub since: DateTime<Utc>,
    /// The review before this one: when, by whom, how.
    pub last: Option<(RequestId, DateTime<Utc>, String, Verdict)>,
    /// Who answers for what: the duty, the party, its name.
    pub owners: Vec<(Duty, Party, String)>,
    /// Duties that are required and have nobody.
    pub vacant: Vec<Duty>,
    /// What is wrong now.
    pub findings: Vec<Found>,
    /// What was wrong when the review began and is not any more.
    pub mended: Vec<String>,
    /// Stops since then, newest first.
    pub stops: Vec<Stopped>,
    /// Drills since then, newest first.
    pub drills: Vec<Fact>,
    /// What was changed since then, newest first.
    pub changes: Vec<Event>,
    /// There are more changes than are listed.
    pub more: bool,
    /// What is still to be done, soonest first.
    pub conditions: Vec<Condition>,
    /// What was seen that differs from what was approved: by whom, since when, and what.
    pub drift: Option<(String, DateTime<Utc>, Vec<FieldChange>)>,
    /// Whether it was put off.
    pub deferral: Option<Deferral>,
    /// The latest day to which it may be put off.
    pub latest: DateTime<Utc>,
    /// The campaigns it belongs to.
    pub campaigns: Vec<(CampaignId, String)>,
    /// When the agent's next review is due by the cadence.
    pub due_at: Option<DateTime<Utc>>,
}

/// Reads it beside a review, for whoever could read the review.
pub async fn sheet(db: &Db, by: By<'_>, view: &View) -> Result<Sheet, Error> {
    can(by.actor, Action::RequestRead, Relation::Requester)?;
    if view.kept.kind != RequestKind::Review {
        return Err(Error::NotFound(format!("review {}", view.kept.id)));
    }
    let mut reads = db;
    let (id, now) = (view.kept.agent, by.now);
    let judged = judge(&mut reads, &[id], now).await?.pop().ok_or_else(|| Error::NotFound(format!("agent {id}")))?;
    let sql = "SELECT r.id, s.decided_at, s.decided_by, s.verdict FROM request r JOIN request_step s ON s.request_id = r.id \
               WHERE r.agent_id = $1 AND r.kind = 'review' AND r.outcome = 'completed' AND r.id < $2 \
               ORDER BY r.id DESC LIMIT 1";
    let before = match reads.rows(sql, args![id, view.kept.id]).await?.first() {
        Some(r) => {
            let (at, who): (DateTime<Utc>, PersonId) = (r.get(1)?, r.get(2)?);
            r.get::<String>(3)?.parse::<Verdict>().ok().map(|v| Ok((r.get::<RequestId>(0)?, at, who, v)))
        }
        None => None,
    };
    let before: Option<(RequestId, DateTime<Utc>, PersonId, Verdict)> =
        before.transpose().map_err(|e: crate::db::DbError| Error::Store(e))?;
    let approved = judged.agent.approved.as_ref().map(|a| a.at);
    let since = before
        .as_ref()
        .map(|b| b.1)
        .or(approved.filter(|at| *at < view.kept.opened_at))
        .unwrap_or(judged.agent.created_at);

    // What is to be done and what was seen to differ is listed apart, with who and since when.
    let apart = [FindingKey::ConditionOverdue, FindingKey::Drift];
    let pinned: Vec<String> = view.kept.content["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|f| !apart.iter().any(|k| f["key"] == k.key()))
        .filter_map(|f| f["sentence"].as_str().map(str::to_owned))
        .collect();
    let shown = judged.assessment.findings.iter().filter(|f| counts(f, now) && !apart.contains(&f.key));
    let present: Vec<String> = shown.map(domain::finding::Finding::told).collect();
    let mended = pinned.iter().filter(|s| !present.contains(s)).cloned().collect();
    let findings = present.into_iter().map(|sentence| Found { new: !pinned.contains(&sentence), sentence }).collect();

    let mut owners = Vec::new();
    let mut vacant: BTreeSet<Duty> = Duty::all_required(&judged.agent.facts).collect();
    let people = judged.held.iter().map(|h| h.party).chain(before.as_ref().map(|b| Party::Person(b.2)));
    let names = party_names(&mut reads, people.collect::<Vec<_>>()).await?;
    let named = |p: Party| names.get(&p).cloned().unwrap_or_else(|| p.to_string());
    for duty in Duty::ALL {
        let Some(held) = domain::assignment::accountable(&judged.held, *duty) else { continue };
        if held.standing == domain::party::Standing::Active {
            vacant.remove(duty);
            owners.push((*duty, held.party, named(held.party)));
        }
    }

    let sql = format!(
        "SELECT id, at, reason, reviewed_at IS NOT NULL FROM stopping WHERE agent_id = $1 AND at >= $2 \
         ORDER BY id DESC LIMIT {MOST}"
    );
    let mut stops = Vec::new();
    for r in reads.rows(sql, args![id, since]).await? {
        stops.push(Stopped { id: r.get(0)?, at: r.get(1)?, reason: r.get(2)?, reviewed: r.get(3)? });
    }
    let sql = format!(
        "SELECT at, passed, seconds, COALESCE(surface, 'pause') FROM stop_drill WHERE agent_id = $1 AND at >= $2 \
         ORDER BY at DESC LIMIT {MOST}"
    );
    let mut drills = Vec::new();
    for r in reads.rows(sql, args![id, since]).await? {
        drills.push(Fact { at: r.get(0)?, passed: r.get(1)?, seconds: r.get(2)?, surface: r.get(3)? });
    }
    let changes: Page<Event> = audit::since(db, &id.to_string(), since, MOST).await?;
    let policy = policies::present(&mut reads).await?;
    let drift = observed::open(&mut reads, id).await?.map(|seen| {
        let differs = domain::import::changes(&judged.agent.facts, &seen.facts);
        (seen.source, seen.first_at, differs.into_iter().filter(|c| c.boundary).collect())
    });
    Ok(Sheet {
        since,
        last: before.map(|(id, at, who, verdict)| (id, at, named(Party::Person(who)), verdict)),
        owners,
        vacant: vacant.into_iter().collect(),
        findings,
        mended,
        stops,
        drills,
        more: changes.next.is_some(),
        changes: changes.items,
        conditions: conditions::of_agent(&mut reads, id).await?,
        drift,
        deferral: deferral(&mut reads, view.kept.id).await?,
        latest: latest(policy.policy.review_days.of(judged.agent.tier), now),
        campaigns: made_for(&mut reads, view.kept.id).await?,
        due_at: judged.governance.review_due,
    })
}
