//! Deciding several approvals by one press, where the agents are alike. Each is decided and
//! recorded apart.

use domain::agent::AgentFacts;
use domain::duty::Duty;
use domain::id::{AgentId, RequestId};
use domain::request::{RequestKind, Verdict, unlike};
use domain::tier::Tier;

use super::{Answer, View, decide, read};
use crate::change::By;
use crate::db::Db;
use crate::error::Error;

/// Most requests of one press.
pub const MOST: usize = 50;

/// One of several requests that are alike.
#[derive(Debug, Clone, PartialEq)]
pub struct One {
    /// The request.
    pub request: RequestId,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// The hash of what is decided on.
    pub subject_sha256: String,
    /// The steps that the reader decides.
    places: Vec<i64>,
}

/// Requests that are decided together.
#[derive(Debug, Clone, PartialEq)]
pub struct Alike {
    /// What they share, as the first of them has it.
    pub facts: AgentFacts,
    /// Their tier.
    pub tier: Tier,
    /// In which capacities the reader decides each of them.
    pub duties: Vec<Duty>,
    /// The requests.
    pub all: Vec<One>,
}

/// What one press did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approved {
    /// Approved.
    pub done: Vec<RequestId>,
    /// Not, and why.
    pub left: Vec<(RequestId, String)>,
}

/// The steps of a request that wait for the reader: their numbers and duties.
fn mine(view: &View) -> (Vec<i64>, Vec<Duty>) {
    view.steps.iter().filter(|s| s.mine && s.ready).map(|s| (s.kept.step.place, s.kept.step.duty)).unzip()
}

/// Requests that may be decided together: approvals that wait for the reader in the same
/// capacities, of agents whose boundaries are alike. Refused, with the one that differs and in
/// what, when they are not.
pub async fn alike(db: &Db, by: By<'_>, ids: &[RequestId]) -> Result<Alike, Error> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Err(Error::field("/request", "Tick the approvals that you decide together."));
    }
    if ids.len() > MOST {
        return Err(Error::field("/request", format!("At most {MOST} approvals are decided at once.")));
    }
    let mut out: Option<Alike> = None;
    for id in ids {
        let view = read(db, by, id).await?;
        let (places, duties) = mine(&view);
        if view.kept.kind != RequestKind::Approval {
            let what = view.kept.kind.label().to_lowercase();
            return Err(Error::field("/request", format!("{id} is a {what}: it is decided on its own page.")));
        }
        if places.is_empty() || !view.unchanged {
            return Err(Error::field("/request", format!("{id} does not wait for your decision: leave it out.")));
        }
        let Some((_, facts)) = view.kept.facts() else {
            return Err(Error::field("/request", format!("What {id} asks cannot be read: leave it out.")));
        };
        let one = One {
            request: id,
            agent: view.kept.agent,
            name: view.agent_name.clone(),
            purpose: facts.purpose.clone(),
            subject_sha256: view.kept.subject_sha256.clone(),
            places,
        };
        let Some(out) = &mut out else {
            out = Some(Alike { facts, tier: view.kept.tier, duties, all: vec![one] });
            continue;
        };
        let mut differs = unlike(&out.facts, &facts);
        if view.kept.tier != out.tier {
            differs.push("tier".into());
        }
        if duties != out.duties {
            differs.push("your part in it".into());
        }
        if !differs.is_empty() {
            let first = out.all.first().map_or(id, |o| o.request);
            let message = format!("{id} is not like {first} ({}): decide it apart.", differs.join(", "));
            return Err(Error::field("/request", message));
        }
        out.all.push(one);
    }
    out.ok_or_else(|| Error::field("/request", "Tick the approvals that you decide together."))
}

/// Approves requests that are alike, each in a transaction of its own and on the hash that was
/// shown of it. What cannot be approved after all is left and said.
pub async fn approve(db: &Db, by: By<'_>, given: &[(RequestId, String)], reason: &str) -> Result<Approved, Error> {
    let ids: Vec<RequestId> = given.iter().map(|(id, _)| *id).collect();
    let found = alike(db, by, &ids).await?;
    let mut out = Approved::default();
    for one in found.all {
        let shown = given.iter().find(|(id, _)| *id == one.request).map(|(_, sha)| sha.clone());
        let answer = Answer {
            verdict: Verdict::Approve,
            reason: reason.to_owned(),
            conditions: Vec::new(),
            subject_sha256: shown.unwrap_or_default(),
        };
        match decide(db, by, one.request, &one.places, &answer).await {
            Ok(_) => out.done.push(one.request),
            Err(e @ (Error::Store(_) | Error::Invalid(_))) => return Err(e),
            Err(e) => out.left.push((one.request, e.to_string())),
        }
    }
    Ok(out)
}
