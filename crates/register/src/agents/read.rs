//! Reading one agent, as much of it as the reader may see.

use domain::can::{Action, Actor, Denied, Relation, can};
use domain::id::{AgentId, SystemId, TeamId};
use domain::party::Party;
use domain::system::SystemKind;

use super::Agent;
use super::assess::{Judged, judge, party_names};
use super::relation::relation;
use crate::args;
use crate::change::By;
use crate::db::{Db, Reads};
use crate::error::Error;
use crate::stops::Method;

/// An agent with what its page shows, and what the reader may do.
#[derive(Debug, Clone)]
pub struct View {
    /// The agent, its owners, its assessment.
    pub judged: Judged,
    /// How the reader stands to it.
    pub relation: Relation,
    /// Whether the reader may see findings, credentials and stop state; if not, the view
    /// has none of them.
    pub controls: bool,
    /// Names of every party it mentions.
    pub names: std::collections::BTreeMap<Party, String>,
    /// Name of the multi-agent system it belongs to.
    pub parent: Option<(SystemId, String)>,
    /// Name of the platform it runs on.
    pub platform: Option<(SystemId, String)>,
    /// How it is stopped, surface by surface, if the reader may see it.
    pub methods: Vec<Method>,
    /// Seconds that the newest passed drill of the present owner took.
    pub drill_seconds: Option<i64>,
}

/// Refuses whoever may not even know of it.
pub fn visible(actor: &Actor, agent: &Agent, relation: Relation) -> Result<(), Error> {
    let action = if agent.facts.confidential { Action::AgentReadConfidential } else { Action::AgentRead };
    can(actor, action, relation).map_err(|d| match d {
        Denied::Hidden => Error::NotFound(format!("agent {}", agent.id)),
        d => Error::Denied(d),
    })
}

async fn named(db: &Db, system: Option<SystemId>) -> Result<Option<(SystemId, String)>, Error> {
    let Some(id) = system else { return Ok(None) };
    let row = db.one("SELECT name FROM system WHERE id = $1", args![id]).await?;
    Ok(row.map(|r| r.get(0).map(|name| (id, name))).transpose()?)
}

/// One agent.
pub async fn read(db: &Db, by: By<'_>, id: AgentId) -> Result<View, Error> {
    let mut reads = db;
    let mut judged =
        judge(&mut reads, &[id], by.now).await?.pop().ok_or_else(|| Error::NotFound(format!("agent {id}")))?;
    let relation = relation(&mut reads, by.actor, &judged.agent).await?;
    visible(by.actor, &judged.agent, relation)?;
    let controls = can(by.actor, Action::AgentReadControls, relation).is_ok();
    let (mut methods, mut drill_seconds) = (Vec::new(), None);
    if controls {
        methods = crate::stops::methods(&mut reads, id).await?;
        if let Some(d) = &judged.stop.drill {
            drill_seconds = db
                .one("SELECT seconds FROM stop_drill WHERE agent_id = $1 AND at = $2 AND passed AND COALESCE(surface, 'pause') = 'pause'", args![id, d.at])
                .await?
                .map(|r| r.get(0))
                .transpose()?;
        }
    } else {
        judged.assessment.findings.clear();
        judged.assessment.runtime_owner = None;
        judged.agent.hide_controls();
        judged.stop = domain::assignment::StopFacts::default();
    }
    let parties = judged
        .held
        .iter()
        .map(|h| h.party)
        .chain(judged.offers.iter().map(|o| o.party))
        .chain([judged.agent.facts.built_by, judged.agent.facts.operated_by].into_iter().flatten().map(Party::Team))
        .chain(judged.agent.created_by.parse::<Party>().ok());
    let names = party_names(&mut reads, parties.collect::<Vec<_>>()).await?;
    let facts = &judged.agent.facts;
    let (parent, platform) = (named(db, facts.parent).await?, named(db, facts.platform).await?);
    Ok(View { judged, relation, controls, names, parent, platform, methods, drill_seconds })
}

/// The agent another system calls `source`/`external`, if any.
pub async fn by_external_id(db: &Db, source: &str, external: &str) -> Result<Option<AgentId>, Error> {
    Ok(db
        .one("SELECT agent_id FROM agent_external WHERE source = $1 AND external_id = $2", args![source, external])
        .await?
        .map(|r| r.get(0))
        .transpose()?)
}

/// Which of the facts' references (teams, system) do not exist, by JSON pointer.
pub async fn missing_references(
    reads: &mut impl Reads,
    facts: &domain::agent::AgentFacts,
) -> Result<Vec<crate::FieldError>, Error> {
    let mut wrong = Vec::new();
    for (pointer, team) in [("/built_by", facts.built_by), ("/operated_by", facts.operated_by)] {
        if let Some(TeamId(t)) = team
            && reads.rows("SELECT 1 FROM team WHERE id = $1", args![t]).await?.is_empty()
        {
            let message = format!("There is no team {}.", TeamId(t));
            wrong.push(crate::FieldError { pointer: pointer.into(), message });
        }
    }
    for (pointer, system, kind) in
        [("/parent", facts.parent, SystemKind::MultiAgent), ("/platform", facts.platform, SystemKind::Platform)]
    {
        let Some(system) = system else { continue };
        match reads.rows("SELECT kind FROM system WHERE id = $1", args![system]).await?.first() {
            Some(r) if r.get::<SystemKind>(0)? == kind => {}
            Some(_) => wrong.push(crate::FieldError {
                pointer: pointer.into(),
                message: format!("{system} is not a {}.", kind.label().to_lowercase()),
            }),
            None => {
                wrong.push(crate::FieldError {
                    pointer: pointer.into(),
                    message: format!("There is no system {system}."),
                });
            }
        }
    }
    Ok(wrong)
}
