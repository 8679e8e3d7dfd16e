//! One exception with what stands around it: how each of its agents stands to the rule now, what it
//! renews and is renewed by, and whether it can be renewed.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::exception::{Control, Exception, ExceptionState, renewal};
use domain::id::{AgentId, ExceptionId, PersonId, RequestId};
use domain::party::Party;
use domain::tier::Tier;

use super::{View, board, stands, stored};
use crate::agents::assess::party_names;
use crate::agents::relation::relations;
use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, Reads, marks};
use crate::error::Error;
use crate::policies;

/// How many links of a chain are followed in each direction.
const LINKS: usize = 12;

/// An agent that an exception covers.
#[derive(Debug, Clone)]
pub struct Covered {
    /// Its reference.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// Its tier now.
    pub tier: Tier,
    /// Whether it breaks the rule now, excepted or not; `None` for a control that Muster does not
    /// check, and for who may not know.
    pub breaks: Option<bool>,
    /// Who owns the control there now.
    pub owner: Option<(Party, String)>,
}

/// An exception before or after another for the same rule.
#[derive(Debug, Clone)]
pub struct Link {
    /// Its reference.
    pub id: ExceptionId,
    /// Where it stands.
    pub state: ExceptionState,
    /// From when.
    pub starts_at: DateTime<Utc>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// Why it was asked.
    pub justification: String,
}

/// An exception with what stands around it.
#[derive(Debug, Clone)]
pub struct One {
    /// The exception.
    pub view: View,
    /// It has expired, and what it excepted is still so.
    pub breached: bool,
    /// Its agents that the reader may know of.
    pub agents: Vec<Covered>,
    /// Owners of its compensating controls who left.
    pub gone: HashSet<PersonId>,
    /// What it renews and what renews it, oldest first, itself among them.
    pub chain: Vec<Link>,
    /// Why it cannot be renewed now, for who might ask.
    pub not_renewable: Option<String>,
}

/// An exception with what stands around it, for whoever may read it.
pub async fn read(db: &Db, by: By<'_>, id: ExceptionId) -> Result<One, Error> {
    let view = super::read(db, by, id).await?;
    let mut reads = db;
    let e = view.line.kept.exception.clone();
    let sql = "SELECT 1 FROM exception_breach WHERE exception_id = $1 AND from_at <= $2 AND until_at > $2 LIMIT 1";
    let breached = view.line.state == ExceptionState::Expired && db.one(sql, args![id, by.now]).await?.is_some();
    let agents = covered(&mut reads, by, &view, &e).await?;
    let owners: Vec<PersonId> = e.controls.iter().map(|c| c.owner).collect();
    let mut gone: HashSet<PersonId> = owners.iter().copied().collect();
    for person in crate::people::load_many(&mut reads, &owners).await? {
        if person.active() {
            gone.remove(&person.id);
        }
    }
    let not_renewable = if view.may_renew {
        let others = stored::of_agents(&mut reads, &e.agents).await?;
        let most = policies::present(&mut reads).await?.policy.exception_renewals;
        let others = others.iter().map(|k| &k.exception);
        renewal(&e.control, &e.agents, "", others, most, by.now).err().map(|refused| refused.to_string())
    } else {
        None
    };
    let chain = chain(&mut reads, by, &e).await?;
    Ok(One { view, breached, agents, gone, chain, not_renewable })
}

async fn covered(reads: &mut impl Reads, by: By<'_>, view: &View, e: &Exception) -> Result<Vec<Covered>, Error> {
    let ids: Vec<AgentId> = view.line.agents.iter().map(|(id, _)| *id).collect();
    let tiers = tiers_of(reads, &ids).await?;
    let owners = board::owners(reads, &ids).await?;
    let names = party_names(reads, owners.iter().filter(|((_, d), _)| *d == e.duty).map(|(_, p)| *p)).await?;
    let mut breaking: HashSet<AgentId> = HashSet::new();
    let checked = match e.control {
        Control::Finding(key) => {
            for batch in ids.chunks(500) {
                let sql = format!(
                    "SELECT DISTINCT agent_id FROM finding WHERE key = $1 AND from_at <= $2 AND until_at > $2 \
                     AND agent_id IN {}",
                    marks(3, batch.len())
                );
                let mut list = args![key.key(), by.now];
                list.extend(batch.iter().map(|id| Arg::from(*id)));
                for r in reads.rows(sql, list).await? {
                    breaking.insert(r.get(0)?);
                }
            }
            true
        }
        Control::Own(_) => false,
    };
    let stands = if board::sees_all(by) { HashMap::new() } else { relations(reads, by.actor, &ids, by.now).await? };
    let knows = |id: &AgentId| {
        let stands = stands.get(id).copied().unwrap_or(Relation::None);
        can(by.actor, Action::AgentReadControls, stands).is_ok()
    };
    Ok(view
        .line
        .agents
        .iter()
        .map(|(id, name)| Covered {
            id: *id,
            name: name.clone(),
            tier: tiers.get(id).copied().unwrap_or(e.tier),
            breaks: (checked && knows(id)).then(|| breaking.contains(id)),
            owner: owners.get(&(*id, e.duty)).map(|p| (*p, names.get(p).cloned().unwrap_or_else(|| p.to_string()))),
        })
        .collect())
}

async fn tiers_of(reads: &mut impl Reads, ids: &[AgentId]) -> Result<HashMap<AgentId, Tier>, Error> {
    let mut out = HashMap::new();
    for batch in ids.chunks(500) {
        let sql = format!("SELECT id, tier FROM agent WHERE id IN {}", marks(1, batch.len()));
        for r in reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
            out.insert(r.get(0)?, r.get(1)?);
        }
    }
    Ok(out)
}

/// The tiers of some agents that the caller has found already.
pub async fn tiers(db: &Db, ids: impl IntoIterator<Item = AgentId>) -> Result<HashMap<AgentId, Tier>, Error> {
    let mut reads = db;
    tiers_of(&mut reads, &ids.into_iter().collect::<Vec<_>>()).await
}

/// The exceptions that this one renews, itself, and those that renew it; what the reader may not
/// read is left out.
async fn chain(reads: &mut impl Reads, by: By<'_>, e: &Exception) -> Result<Vec<Link>, Error> {
    let mut found = vec![e.clone()];
    let mut before = e.renews;
    while let Some(id) = before.filter(|_| found.len() <= LINKS) {
        let kept = stored::load(reads, id).await?;
        before = kept.exception.renews;
        if readable(reads, by, &kept).await? {
            found.insert(0, kept.exception);
        }
    }
    let mut after = vec![e.id];
    for _ in 0..LINKS {
        let sql = format!("SELECT id FROM exception WHERE renews IN {} ORDER BY id LIMIT 12", marks(1, after.len()));
        let rows = reads.rows(sql, after.iter().map(|id| Arg::from(*id)).collect()).await?;
        after = rows.iter().map(|r| r.get(0)).collect::<Result<_, _>>()?;
        if after.is_empty() {
            break;
        }
        for id in &after {
            let kept = stored::load(reads, *id).await?;
            if readable(reads, by, &kept).await? {
                found.push(kept.exception);
            }
        }
    }
    Ok(found
        .into_iter()
        .map(|e| Link {
            id: e.id,
            state: e.state(by.now),
            starts_at: e.approved_at.map_or(e.starts_at, |at| e.starts_at.max(at)),
            expires_at: e.ends_at(),
            justification: e.justification,
        })
        .collect())
}

async fn readable(reads: &mut impl Reads, by: By<'_>, kept: &stored::Kept) -> Result<bool, Error> {
    match stands(reads, by, kept).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound(_) | Error::Denied(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The exception that a request decides or decided, if one does. Of a request whose controls were
/// written anew it is the same exception that the later one decides.
pub async fn of_request(db: &Db, request: RequestId) -> Result<Option<ExceptionId>, Error> {
    let mut reads = db;
    Ok(stored::of_request(&mut reads, request).await?.map(|kept| kept.id()))
}
