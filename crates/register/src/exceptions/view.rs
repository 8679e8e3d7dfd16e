//! An exception as its page and the API show it.

use std::collections::BTreeMap;

use domain::can::{Action, Denied, Relation, can};
use domain::exception::{Compensating, Exception, ExceptionState, may_check, may_end};
use domain::id::{AgentId, ExceptionId, PersonId};
use domain::party::Party;

use super::list::{Line, lines};
use super::{stands, stored};
use crate::agents::assess::party_names;
use crate::args;
use crate::change::By;
use crate::db::{Db, Reads};
use crate::error::Error;
use crate::requests;

/// A compensating control as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewControl {
    /// What is kept.
    pub kept: Compensating,
    /// Its owner's name.
    pub owner: String,
    /// Its date has passed, and nobody looked.
    pub unchecked: bool,
    /// The reader may say what they found.
    pub may_check: bool,
}

/// An exception, whole.
#[derive(Debug, Clone)]
pub struct View {
    /// What is kept, where it stands, its agents that the reader may know of, its control's owner.
    pub line: Line,
    /// How many of its agents the reader may not know of.
    pub hidden: usize,
    /// What is done meanwhile instead.
    pub controls: Vec<ViewControl>,
    /// The request that decides it, if the reader may read that.
    pub request: Option<requests::View>,
    /// Those that renew it, the oldest first.
    pub renewed_by: Vec<ExceptionId>,
    /// Names of everybody named.
    pub names: BTreeMap<Party, String>,
    /// The reader may close it.
    pub may_close: bool,
    /// The reader may revoke it.
    pub may_revoke: bool,
    /// The reader may ask for it again.
    pub may_renew: bool,
    /// The reader may change what is done instead.
    pub may_amend: bool,
    /// How often the policy lets it be renewed.
    pub most_renewals: u16,
}

/// What may be done with an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Change what is done instead.
    Amend,
    /// Say that a compensating control was checked, by its place.
    Check(i64),
    /// Close it early.
    Close,
    /// Ask for it again.
    Renew,
    /// Revoke it.
    Revoke,
}

/// Refuses whoever may not do that, before it is looked at what they say. Answers the version.
pub async fn may(db: &Db, by: By<'_>, id: ExceptionId, act: Act) -> Result<i64, Error> {
    let mut reads = db;
    let kept = stored::load(&mut reads, id).await?;
    let found = stands(&mut reads, by, &kept).await?;
    match act {
        Act::Amend => amend(by, &kept.exception)?,
        Act::Check(place) => check(by, id, &kept.exception, place).map(drop)?,
        Act::Close => can(by.actor, Action::ExceptionClose, found.close)?,
        Act::Renew => {
            super::may_ask(by)?;
            renew(&mut reads, by, &kept.exception.agents).await?;
        }
        Act::Revoke => can(by.actor, Action::ExceptionRevoke, found.revoke)?,
    }
    Ok(kept.version)
}

/// An exception is asked for again by whoever may ask for each of its agents.
async fn renew(reads: &mut impl Reads, by: By<'_>, agents: &[AgentId]) -> Result<(), Error> {
    let relations = crate::agents::relation::relations(reads, by.actor, agents, by.now).await?;
    for agent in agents {
        can(by.actor, Action::RequestOpen, relations.get(agent).copied().unwrap_or(Relation::None))?;
    }
    Ok(())
}

/// What is done instead is changed by whoever asked.
pub(super) fn amend(by: By<'_>, e: &Exception) -> Result<(), Denied> {
    if by.actor.person_id() != Some(e.requester) {
        return Err(Denied::Forbidden("What is done instead is changed by whoever asked for the exception.".into()));
    }
    can(by.actor, Action::RequestOpen, Relation::Requester)
}

/// A compensating control is checked by its owner or a security lead. Answers how they stand to it.
pub(super) fn check(by: By<'_>, id: ExceptionId, e: &Exception, place: i64) -> Result<Relation, Error> {
    let control = e.controls.iter().find(|c| c.place == place);
    let control = control.ok_or_else(|| Error::NotFound(format!("compensating control {place} of {id}")))?;
    let relation = if by.actor.person_id() == Some(control.owner) { Relation::Owner } else { Relation::None };
    can(by.actor, Action::ExceptionCheck, relation)?;
    Ok(relation)
}

/// An exception, for whoever may read it: its deciders, whoever asked, who looks after a
/// compensating control, the agents' owners, and those whose role reads all.
pub async fn read(db: &Db, by: By<'_>, id: ExceptionId) -> Result<View, Error> {
    let mut reads = db;
    let kept = stored::load(&mut reads, id).await?;
    let found = stands(&mut reads, by, &kept).await?;
    let e = kept.exception.clone();
    let state = e.state(by.now);
    let request = match requests::read(db, by, kept.request).await {
        Ok(view) => Some(view),
        Err(Error::NotFound(_) | Error::Denied(_)) => None,
        Err(error) => return Err(error),
    };
    let sql = "SELECT id FROM exception WHERE renews = $1 ORDER BY id";
    let rows = reads.rows(sql, args![id]).await?;
    let renewed_by = rows.iter().map(|r| r.get(0)).collect::<Result<Vec<ExceptionId>, _>>()?;
    let people: Vec<Party> = [Some(e.requester)]
        .into_iter()
        .flatten()
        .chain(e.controls.iter().map(|c| c.owner))
        .chain(e.ended.iter().filter_map(|x| x.by.parse::<PersonId>().ok()))
        .chain(e.controls.iter().filter_map(|c| c.checked.as_ref()?.by.parse::<PersonId>().ok()))
        .map(Party::Person)
        .collect();
    let names = party_names(&mut reads, people).await?;
    let name = |p: PersonId| names.get(&Party::Person(p)).cloned().unwrap_or_else(|| p.to_string());
    let controls = e
        .controls
        .iter()
        .map(|c| ViewControl {
            owner: name(c.owner),
            unchecked: e.approved_at.is_some() && c.unchecked(by.now),
            may_check: c.checked.is_none()
                && may_check(&e, c.place, by.now).is_ok()
                && check(by, id, &e, c.place).is_ok(),
            kept: c.clone(),
        })
        .collect();
    let policy = crate::policies::present(&mut reads).await?.policy;
    let line =
        lines(&mut reads, by, vec![kept]).await?.pop().ok_or_else(|| Error::NotFound(format!("exception {id}")))?;
    let asks = renew(&mut reads, by, &e.agents).await.is_ok();
    let endable = may_end(&e, by.now).is_ok();
    let over = matches!(
        state,
        ExceptionState::Active | ExceptionState::Expired | ExceptionState::Closed | ExceptionState::Revoked
    );
    Ok(View {
        hidden: e.agents.len() - line.agents.len(),
        line,
        controls,
        request,
        renewed_by,
        names,
        may_close: endable && can(by.actor, Action::ExceptionClose, found.close).is_ok(),
        may_revoke: endable && can(by.actor, Action::ExceptionRevoke, found.revoke).is_ok(),
        may_renew: over && asks,
        may_amend: state == ExceptionState::Requested && amend(by, &e).is_ok(),
        most_renewals: policy.exception_renewals,
    })
}
