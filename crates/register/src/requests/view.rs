//! A request as its page and the API show it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::id::{AgentId, PersonId, RequestId};
use domain::party::Party;
use domain::request::{Decider, RequestKind, RequestState, Urgency, barred, decider, urgency};

use super::ends::hidden;
use super::seats::seats;
use super::{agent, conditions, stored};
use crate::agents::assess::party_names;
use crate::args;
use crate::change::By;
use crate::db::{Db, Reads};
use crate::error::Error;
use crate::policies;

/// One message of the thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The step it is about.
    pub place: i64,
    /// A question, or an answer.
    pub question: bool,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: PersonId,
    /// What.
    pub words: String,
}

/// A step with who decides it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownStep {
    /// The step.
    pub kept: stored::KeptStep,
    /// Who decides it now; `None` while the capacity is vacant or once it is decided.
    pub decider: Option<Decider>,
    /// Whether it is its turn.
    pub ready: bool,
    /// How it stands to the clock; `None` once it is decided or the request ended.
    pub urgency: Option<Urgency>,
    /// The reader may decide it.
    pub mine: bool,
    /// Why the reader, whose step it would be, may not.
    pub not_mine: Option<String>,
}

/// A request, whole.
#[derive(Debug, Clone)]
pub struct View {
    /// What is kept.
    pub kept: stored::Kept,
    /// Where it stands.
    pub state: RequestState,
    /// The agent's name.
    pub agent_name: String,
    /// What it is about is still what is there.
    pub unchanged: bool,
    /// Its steps.
    pub steps: Vec<ShownStep>,
    /// Its thread.
    pub thread: Vec<Message>,
    /// The conditions of its approvals.
    pub conditions: Vec<conditions::Condition>,
    /// The names of everybody named.
    pub names: BTreeMap<Party, String>,
    /// The reader asked for it.
    pub asked_by_me: bool,
    /// The reader may take it back.
    pub may_withdraw: bool,
    /// The reader may appoint who decides for a vacant capacity.
    pub may_appoint: bool,
    /// The agent as it is.
    pub agent: crate::agents::Agent,
    /// A justification for several parts in one hand is in force.
    pub small_organisation: bool,
}

impl View {
    /// The name of a person.
    pub fn name(&self, person: PersonId) -> String {
        self.names.get(&Party::Person(person)).cloned().unwrap_or_else(|| person.to_string())
    }
}

/// A request, for whoever may read it: its deciders, whoever asked, the agent's owners, those who
/// manage the decider of an escalated step, and those whose role reads all.
pub async fn read(db: &Db, by: By<'_>, id: RequestId) -> Result<View, Error> {
    let mut reads = db;
    let kept = stored::load(&mut reads, id).await?;
    let about: AgentId = kept.agent;
    let record = crate::agents::stored::load(&mut reads, &[about], by.now)
        .await?
        .pop()
        .ok_or_else(|| Error::NotFound(format!("request {id}")))?;
    let state = kept.state(by.now);
    let until = crate::models::justified(&mut reads, &kept.agents()).await?;
    let small = kept.agents().iter().all(|a| until.get(a).is_some_and(|u| *u > by.now));
    let rules = kept.rules(small);
    let wanted: Vec<_> = kept.steps.iter().map(|s| (s.agent, s.step.duty)).collect();
    let found = seats(&mut reads, &wanted, by.now).await?;
    let me = by.actor.person_id();
    let policy = policies::present(&mut reads).await?.policy;
    let mut steps = Vec::with_capacity(kept.steps.len());
    for s in &kept.steps {
        let seat = found.get(&(s.agent, s.step.duty)).cloned().unwrap_or_default();
        let open = s.step.decided.is_none() && !state.ended();
        let who = if open { decider(&rules, s.step.duty, &seat) } else { None };
        let delegate = |d: &Decider| me.is_some_and(|me| seat.delegates.contains(&(d.person, me)));
        let would_be =
            open && me.is_some_and(|me| seat.holder == Some(me) || who.is_some_and(|d| d.person == me || delegate(&d)));
        let not_mine = me.filter(|_| would_be).and_then(|me| barred(&rules, s.step.duty, me));
        let mine = would_be
            && not_mine.is_none()
            && who.is_some_and(|d| Some(d.person) == me || delegate(&d))
            && can(by.actor, Action::RequestDecide, Relation::Owner).is_ok();
        let ready = open && rules.ready(&s.step);
        steps.push(ShownStep {
            decider: who,
            ready,
            urgency: open.then(|| urgency(s.step.due_at, policy.escalate_days, by.now)),
            mine,
            not_mine: not_mine.map(|r| r.to_string()),
            kept: s.clone(),
        });
    }
    let asked_by_me = me == Some(kept.requester);
    let decides = |s: &ShownStep| {
        s.mine
            || s.kept.step.decided.as_ref().is_some_and(|d| me.is_some() && (Some(d.by) == me || d.on_behalf_of == me))
    };
    let conditions = conditions::of_request(&mut reads, id).await?;
    let owns = me.is_some_and(|me| conditions.iter().any(|c| c.owner.0 == me));
    // Whoever manages the decider of an escalated step sees it too.
    let manages = |s: &ShownStep| {
        let seat = found.get(&(s.kept.agent, s.kept.step.duty));
        let above = |p: PersonId| {
            let managers = &seat.map_or(&[][..], |seat| seat.managers.as_slice());
            match managers.iter().position(|m| *m == p) {
                Some(at) => managers.get(at + 1).copied(),
                None => managers.first().copied(),
            }
        };
        s.urgency == Some(Urgency::Escalated) && me.is_some() && s.decider.and_then(|d| above(d.person)) == me
    };
    let part = asked_by_me || owns || steps.iter().any(|s| decides(s) || manages(s));
    let stands = if part { Relation::Requester } else { strongest(&mut reads, by, &kept).await? };
    // Whoever owned it reads how it ended: nobody owns it any more.
    let stands = if kept.kind == RequestKind::Retirement && stands == Relation::FormerOwner {
        Relation::Requester
    } else {
        stands
    };
    can(by.actor, Action::RequestRead, stands)?;
    let thread = messages(&mut reads, id).await?;
    let people: Vec<Party> = [Some(kept.requester), kept.reviewer]
        .into_iter()
        .flatten()
        .chain(steps.iter().filter_map(|s| s.decider.map(|d| d.person)))
        .chain(
            steps
                .iter()
                .filter_map(|s| s.kept.step.decided.as_ref())
                .flat_map(|d| [Some(d.by), d.on_behalf_of])
                .flatten(),
        )
        .chain(thread.iter().map(|m| m.by))
        .chain(kept.closed_by.parse::<PersonId>().ok())
        .map(Party::Person)
        .collect();
    let names = party_names(&mut reads, people).await?;
    let may = |action, relation| !state.ended() && can(by.actor, action, relation).is_ok();
    Ok(View {
        state,
        agent_name: record.facts.name.clone(),
        unchanged: kept.present_sha256(&record) == kept.subject_sha256,
        steps,
        thread,
        conditions,
        names,
        asked_by_me,
        may_withdraw: may(Action::RequestWithdraw, if asked_by_me { Relation::Requester } else { Relation::None }),
        may_appoint: may(Action::ActingAppoint, Relation::None) && kept.kind != RequestKind::Review,
        agent: record,
        small_organisation: small,
        kept,
    })
}

/// How the reader stands to the agent of a request; of several, to the one that they own most of.
async fn strongest(reads: &mut impl Reads, by: By<'_>, kept: &stored::Kept) -> Result<Relation, Error> {
    let mut best: Option<Relation> = None;
    for about in kept.agents() {
        match agent(reads, by, about).await.map_err(|e| hidden(e, kept.id)) {
            Ok((_, stands)) => best = Some(best.map_or(stands, |b| b.min(stands))),
            Err(Error::NotFound(_)) => {}
            Err(e) => return Err(e),
        }
    }
    best.ok_or_else(|| Error::NotFound(format!("request {}", kept.id)))
}

async fn messages(reads: &mut impl Reads, id: RequestId) -> Result<Vec<Message>, Error> {
    let sql =
        "SELECT place, question, at, by_id, words FROM request_message WHERE request_id = $1 ORDER BY id LIMIT 200";
    let mut out = Vec::new();
    for r in reads.rows(sql, args![id]).await? {
        out.push(Message { place: r.get(0)?, question: r.get(1)?, at: r.get(2)?, by: r.get(3)?, words: r.get(4)? });
    }
    Ok(out)
}
