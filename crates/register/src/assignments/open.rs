//! What an agent's pages need beside the matrix: its open offers as one reader sees them,
//! R, C and I one at a time, and what a bulk assignment would do.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::assignment::{Ended, RaciRole};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::AgentId;
use domain::party::{Party, Standing};
use domain::system::Subject;
use domain::text;
use serde_json::{Value, json};

use super::ground::column;
use super::{Ground, Mode, REASON_MAX, Wanted, answerable, close, insert, lapse, raced};
use crate::agents::assess::{party_names, party_standing, reassess};
use crate::agents::read::visible;
use crate::agents::relation::relation;
use crate::agents::stored;
use crate::args;
use crate::change::{By, Change};
use crate::db::{Arg, Db, marks};
use crate::error::Error;

/// An open offer of one agent, as the reader sees it.
#[derive(Debug, Clone)]
pub struct Open {
    /// The duty.
    pub duty: Duty,
    /// To whom.
    pub party: Party,
    /// Since when.
    pub offered_at: DateTime<Utc>,
    /// By whom: a reference, `cli`, …
    pub offered_by: String,
    /// Why.
    pub reason: String,
    /// Whether the reader may accept or decline it.
    pub mine: bool,
    /// Whether the reader may take it back.
    pub withdraw: bool,
}

/// The open offers of an agent or a system that the reader may see.
pub async fn offers(db: &Db, by: By<'_>, of: impl Into<Subject>) -> Result<Vec<Open>, Error> {
    let of = of.into();
    Ground::find(&mut &*db, by, of).await?;
    let mine = match by.actor.person_id() {
        Some(me) if can(by.actor, Action::AssignmentAnswer, Relation::Owner).is_ok() => answerable(db, me).await?,
        _ => Vec::new(),
    };
    let me = by.actor.who.to_string();
    let sql = format!(
        "SELECT duty, party_kind, party_id, offered_at, offered_by, reason FROM assignment \
         WHERE {} = $1 AND valid_to IS NULL AND accepted_at IS NULL AND offered_at > $2 ORDER BY id",
        column(of)
    );
    let rows = db.all(sql, args![of.number(), lapse::since(by.now)]).await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        let Some(party) = Party::from_stored(&r.get::<String>(1)?, r.get(2)?) else { continue };
        let offered_by: String = r.get(4)?;
        let made = if offered_by == me { Relation::Requester } else { Relation::None };
        out.push(Open {
            duty: r.get(0)?,
            party,
            offered_at: r.get(3)?,
            reason: r.get(5)?,
            mine: mine.contains(&party),
            withdraw: can(by.actor, Action::AssignmentWithdraw, made).is_ok(),
            offered_by,
        });
    }
    Ok(out)
}

/// Makes a party Responsible, Consulted or Informed, at once. An A is offered or recorded
/// by [`super::assign`].
pub async fn add(
    db: &Db,
    by: By<'_>,
    agent: AgentId,
    duty: Duty,
    role: RaciRole,
    party: Party,
    reason: &str,
) -> Result<(), Error> {
    let reason = text::prose(reason, "The reason", REASON_MAX).map_err(|e| Error::field("/reason", e.to_string()))?;
    if role == RaciRole::Accountable {
        return Err(Error::field("/role", "Who is Accountable is asked first: offer the duty."));
    }
    let mut change = Change::begin(db, by).await?;
    let ground = permitted(&mut change, by, agent).await?;
    match party_standing(&mut change.tx, party).await? {
        None => return Err(Error::field("/party", format!("There is no {party}."))),
        Some(Standing::Left) => return Err(Error::field("/party", "They have left; choose somebody active.")),
        Some(Standing::Active | Standing::Leaderless) => {}
    }
    let event = change.event(ground.capacity(by.actor), "assignment.added", agent);
    change.describe(event, Value::Null, json!({"duty": duty, "role": role, "party": party}));
    change.because(event, &reason);
    let id = change.next("assignment", 1).await?;
    let wanted = Wanted { duty, party, role };
    let row = super::row(&mut change, event, id, agent.into(), wanted, Mode::Offer, &reason);
    let already = || format!("They are {} for {} already.", role.label(), duty.label().to_lowercase());
    insert(&mut change, vec![row]).await.map_err(|e| match e {
        Error::Conflict(_) => Error::field("/party", already()),
        e => e,
    })?;
    reassess(&mut change, &[agent], false).await?;
    change.commit().await.map_err(raced)?;
    Ok(())
}

/// Ends a party's R, C or I.
pub async fn end(
    db: &Db,
    by: By<'_>,
    agent: AgentId,
    duty: Duty,
    role: RaciRole,
    party: Party,
    reason: &str,
) -> Result<(), Error> {
    let reason = text::prose(reason, "The reason", REASON_MAX).map_err(|e| Error::field("/reason", e.to_string()))?;
    if role == RaciRole::Accountable {
        return Err(Error::field("/role", "A duty is handed over, not dropped: offer it to somebody else."));
    }
    let mut change = Change::begin(db, by).await?;
    let ground = permitted(&mut change, by, agent).await?;
    let row = change
        .tx
        .one(
            "SELECT id FROM assignment WHERE agent_id = $1 AND duty = $2 AND role = $3 AND party_kind = $4 \
             AND party_id = $5 AND valid_to IS NULL",
            args![agent, duty.key(), role.key(), party.kind(), party.number()],
        )
        .await?;
    let Some(row) = row else {
        return Err(Error::Conflict(format!("{party} is not {} any more.", role.label())));
    };
    let event = change.event(ground.capacity(by.actor), "assignment.ended", agent);
    change.describe(event, json!({"duty": duty, "role": role, "party": party}), json!({}));
    change.because(event, &reason);
    close(&mut change, event, row.get(0)?, Ended::Removed).await?;
    reassess(&mut change, &[agent], false).await?;
    change.commit().await.map_err(raced)?;
    Ok(())
}

async fn permitted(change: &mut Change<'_>, by: By<'_>, agent: AgentId) -> Result<Ground, Error> {
    let ground = Ground::find(&mut change.tx, by, agent.into()).await?;
    can(by.actor, Action::AssignmentOffer, ground.relation)?;
    ground.open()?;
    Ok(ground)
}

/// What a bulk assignment would do, as far as it is known before it is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// Agents whose duty would be offered or recorded.
    pub changes: i64,
    /// Of these, those whose present owner stays until the offer is accepted.
    pub held: i64,
    /// Of these, those whose open offer to another party ends.
    pub reoffered: i64,
    /// Agents that would stay as they are: why, and how many.
    pub skipped: BTreeMap<String, i64>,
}

/// What [`super::assign_many`] would do now. Nothing is written.
pub async fn foresee(
    db: &Db,
    by: By<'_>,
    agents: &[AgentId],
    duty: Duty,
    party: Party,
    mode: Mode,
) -> Result<Foreseen, Error> {
    let action = match mode {
        Mode::Offer => Action::AssignmentOffer,
        Mode::Record => Action::AssignmentRecord,
    };
    let mut reads = db;
    let name = party_names(&mut reads, [party]).await?.remove(&party).unwrap_or_else(|| party.to_string());
    match party_standing(&mut reads, party).await? {
        None => return Err(Error::field("/party", format!("There is no {party}."))),
        Some(Standing::Left) => {
            return Err(Error::field(
                "/party",
                format!("{name} has left and cannot be Accountable; choose somebody active."),
            ));
        }
        Some(Standing::Leaderless) => {
            return Err(Error::field(
                "/party",
                format!("{name} has no active lead, so nobody would be named; give the team a lead first."),
            ));
        }
        Some(Standing::Active) => {}
    }
    let everywhere = can(by.actor, action, Relation::None).is_ok();
    let title = duty.owner_title().to_lowercase();
    let mut out = Foreseen::default();
    for batch in agents.chunks(500) {
        let ids = || batch.iter().map(|id| Arg::from(*id)).collect::<Vec<_>>();
        let mut barred: HashSet<AgentId> = HashSet::new();
        if !everywhere {
            for record in stored::load(&mut reads, batch, by.now).await? {
                let stands = relation(&mut reads, by.actor, &record).await?;
                if visible(by.actor, &record, stands).is_err() || can(by.actor, action, stands).is_err() {
                    barred.insert(record.id);
                }
            }
        }
        let mut standing: HashMap<AgentId, (Option<Party>, Option<Party>, bool)> = HashMap::new();
        let sql = format!(
            "SELECT agent_id, party_kind, party_id, accepted_at IS NOT NULL, \
                    valid_to IS NULL AND (accepted_at IS NOT NULL OR offered_at > $2) FROM assignment \
             WHERE role = 'A' AND duty = $1 AND agent_id IN {}",
            marks(3, batch.len())
        );
        let mut list = args![duty.key(), lapse::since(by.now)];
        list.extend(ids());
        for r in db.all(sql, list).await? {
            let Some(who) = Party::from_stored(&r.get::<String>(1)?, r.get(2)?) else { continue };
            let (accepted, open): (bool, bool) = (r.get(3)?, r.get(4)?);
            let entry = standing.entry(r.get(0)?).or_default();
            match (accepted, open) {
                (true, true) => entry.0 = Some(who),
                (false, true) => entry.1 = Some(who),
                _ => {}
            }
            entry.2 |= accepted;
        }
        let sql = format!("SELECT id, state FROM agent WHERE id IN {}", marks(1, batch.len()));
        for r in db.all(sql, ids()).await? {
            let (id, state): (AgentId, Lifecycle) = (r.get(0)?, r.get(1)?);
            let (owner, offer, ever) = standing.get(&id).copied().unwrap_or_default();
            let mut skip = |why: String| *out.skipped.entry(why).or_default() += 1;
            if barred.contains(&id) {
                skip("they are not yours to assign.".to_owned());
            } else if state == Lifecycle::Retired {
                skip("they are retired.".to_owned());
            } else if owner == Some(party) {
                skip(format!("{name} is their {title} already."));
            } else if mode == Mode::Record && ever {
                skip(format!("they have had a {title}; offer the duty instead, so that it is handed over."));
            } else {
                out.changes += 1;
                out.held += i64::from(owner.is_some());
                out.reoffered += i64::from(offer.is_some_and(|o| o != party));
            }
        }
    }
    Ok(out)
}
