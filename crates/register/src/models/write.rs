//! Writing what was drawn up: rows close and open, one event an agent.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::assignment::{Ended, RaciRole};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::AgentId;
use domain::model::{Fate, Filled, Model};
use domain::party::Party;
use serde_json::{Value, json};

use super::{Done, Drawn, Plan, Wish, justifications};
use crate::agents::assess::reassess;
use crate::agents::relation::capacity;
use crate::assignments::{Mode, close};
use crate::change::{self, Change};
use crate::db::{Arg, DbError, marks};
use crate::error::Error;
use crate::rules::rows::{Opened, open};

pub(super) fn raced(e: DbError) -> Error {
    Error::unique(e, "Somebody else changed a duty at the same moment; look at it again.")
}

/// An open row of assignments: its number, and whether it was accepted.
type Open = HashMap<(AgentId, Duty, RaciRole, Party), Vec<(i64, bool)>>;

async fn opened(change: &mut Change<'_>, agents: &[AgentId]) -> Result<Open, Error> {
    let mut out = Open::new();
    for batch in agents.chunks(500) {
        let sql = format!(
            "SELECT id, agent_id, duty, role, party_kind, party_id, accepted_at IS NOT NULL FROM assignment \
             WHERE valid_to IS NULL AND agent_id IN {}",
            marks(1, batch.len())
        );
        for r in change.tx.all(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
            let Some(party) = Party::from_stored(&r.get::<String>(4)?, r.get(5)?) else { continue };
            out.entry((r.get(1)?, r.get(2)?, r.get(3)?, party)).or_default().push((r.get(0)?, r.get(6)?));
        }
    }
    Ok(out)
}

pub(super) async fn write(
    change: &mut Change<'_>,
    model: Model,
    wish: &Wish,
    justification: Option<(String, DateTime<Utc>)>,
    plan: Plan,
) -> Result<Done, Error> {
    let mut done = Done::default();
    let mut todo: Vec<(AgentId, Filled)> = Vec::new();
    for Drawn { agent, fate, .. } in plan.agents {
        match fate {
            Err(why) => done.skipped.push((agent, why)),
            Ok(filled) if filled.changes() || justification.is_some() => todo.push((agent, filled)),
            Ok(_) => done.skipped.push((agent, "its matrix is as the model says, or was chosen by somebody".into())),
        }
    }
    let ids: Vec<AgentId> = todo.iter().map(|(id, _)| *id).collect();
    let present = opened(change, &ids).await?;
    let reason = wish.reason.trim();
    let actor = change.by.actor;
    // Whoever may not everywhere does it as the agents' owner.
    let everywhere = can(actor, Action::AssignmentOffer, Relation::None).is_ok();
    let by = capacity(actor, if everywhere { Relation::None } else { Relation::Owner });
    let mut rows = Vec::new();
    for (agent, filled) in &todo {
        let event = change.event(by.clone(), "assignment.model-applied", agent);
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        let told = |duty: Duty, role: RaciRole, party: Party| json!({"duty": duty, "role": role, "party": party});
        for row in &filled.rows {
            let mut gone = row.end.iter().map(|(role, p)| (*role, *p, true)).collect::<Vec<_>>();
            if let Fate::Offer { to, instead_of, .. } = row.fate {
                gone.extend(instead_of.map(|p| (RaciRole::Accountable, p, false)));
                added.push(told(row.duty, RaciRole::Accountable, to));
                rows.push(Opened::offer(event, *agent, row.duty, to));
                done.offered += 1;
            }
            if let Fate::Withdraw { asked, .. } = row.fate {
                gone.push((RaciRole::Accountable, asked, false));
            }
            for (role, party) in &row.add {
                added.push(told(row.duty, *role, *party));
                rows.push(Opened::letter(event, *agent, row.duty, *role, *party));
                done.added += 1;
            }
            for (role, party, accepted) in gone {
                let found = present.get(&(*agent, row.duty, role, party)).into_iter().flatten();
                for (id, _) in found.filter(|(_, is)| *is == accepted) {
                    let ended = if accepted { Ended::Removed } else { Ended::Replaced };
                    close(change, event, *id, ended).await?;
                    removed.push(told(row.duty, role, party));
                }
            }
        }
        let mut after = json!({"model": model, "added": added});
        if let Some((words, until)) = &justification {
            after["justification"] = words.as_str().into();
            after["until"] = domain::record::timestamp(*until).into();
            justifications::put(change, event, *agent, words, *until).await?;
        }
        change.describe(event, if removed.is_empty() { Value::Null } else { json!({"removed": removed}) }, after);
        change.because(event, reason);
        done.agents.push(*agent);
    }
    open(change, rows, reason).await?;
    reassess(change, &ids, false).await?;
    Ok(done)
}

impl Opened {
    /// An offer of A.
    pub(crate) const fn offer(event: change::EventRef, agent: AgentId, duty: Duty, party: Party) -> Self {
        Self { event, agent, duty, role: RaciRole::Accountable, party, mode: Mode::Offer, rule: None }
    }

    /// R, C or I, which hold at once.
    pub(crate) const fn letter(
        event: change::EventRef,
        agent: AgentId,
        duty: Duty,
        role: RaciRole,
        party: Party,
    ) -> Self {
        Self { event, agent, duty, role, party, mode: Mode::Offer, rule: None }
    }
}
