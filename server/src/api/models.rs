//! `/operating-models`: the models, what one would do, and applying it.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::assignment::RaciRole;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::AgentId;
use domain::model::{Fate, Model, Slot};
use domain::party::Party;
use register::Error;
use register::models::{self, Filler, Wish};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::agents::AgentFilter;
use super::answer::{Answer, List, ok};
use super::asked::Asked;
use super::assignments::{at_agent, meant};
use super::sent::{At, read, said};
use super::words;
use crate::App;
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_models)).routes(routes!(preview_model)).routes(routes!(apply_model))
}

domain::words! {
    /// What would become of a duty.
    pub enum Outcome {
        Offer = "offer", "Offered to the model's party";
        Held = "held", "The model's party holds it";
        Withdraw = "withdraw", "The model's party holds it, and an offer to somebody else ends";
        Offered = "offered", "On offer to the model's party";
        Kept = "kept", "Somebody chose otherwise";
        Open = "open", "Nobody fills the function";
    }
}

/// Nothing is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// An operating model: who holds which duty, by function.
#[derive(Debug, Serialize, ToSchema)]
struct OperatingModel {
    #[schema(value_type = words::Model)]
    key: Model,
    /// What people call it.
    name: &'static str,
    /// When it fits.
    fits: &'static str,
    /// Whether it needs a justification with an end.
    needs_justification: bool,
    /// The functions to which a party is chosen.
    #[schema(value_type = Vec<words::Slot>)]
    slots: Vec<Slot>,
    /// Its rows. A duty that an agent does not need is not filled.
    rows: Vec<ModelCell>,
}

/// A letter of a model.
#[derive(Debug, Serialize, ToSchema)]
struct ModelCell {
    #[schema(value_type = words::Duty)]
    duty: Duty,
    #[schema(value_type = words::RaciRole)]
    role: RaciRole,
    #[schema(value_type = words::Slot)]
    slot: Slot,
}

/// List the operating models
#[utoipa::path(
    get,
    path = "/api/v1/operating-models",
    tag = "ownership",
    responses((status = 200, description = "All of them.", body = List<OperatingModel>))
)]
async fn list_models(caller: ApiActor, _: Asked<Nothing>) -> Answer {
    can(&caller.actor, Action::AgentRead, Relation::None).map_err(Error::from)?;
    let items = Model::ALL
        .iter()
        .map(|m| OperatingModel {
            key: *m,
            name: m.label(),
            fits: m.fits(),
            needs_justification: m.needs_justification(),
            slots: m.slots(Duty::ALL),
            rows: Duty::ALL
                .iter()
                .flat_map(|d| m.holds(*d).iter().map(|(role, slot)| ModelCell { duty: *d, role: *role, slot: *slot }))
                .collect(),
        })
        .collect();
    ok(List::whole(items))
}

/// A model for agents.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "query": {"business_unit": "Claims"},
    "slots": {"business": "PE-7", "team": "operated-by", "platform": "TE-3", "security": "TE-4", "incident": "TE-5"},
    "reason": "Agreed by the steering group."
}))]
struct ModelWish {
    /// The agents; or `query`. At most 2,000.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Vec<words::AgentRef>, required = false, min_items = 1, max_items = 2000)]
    agents: Option<Vec<AgentId>>,
    /// Every agent that this filter leaves, with the names and values of the list of agents.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = AgentFilter, required = false)]
    query: Option<Map<String, Value>>,
    /// Who fills each function, by its key: a person or a team, or `operated-by` for the team
    /// that operates each agent. A function that is left out leaves its duties as they are.
    #[schema(value_type = BTreeMap<String, String>)]
    slots: BTreeMap<Slot, Fills>,
    /// Whether rows that somebody holds, or is asked to hold, are made what the model says.
    /// A present owner stays until the new one accepts.
    #[serde(default)]
    replace: bool,
    /// Why, for the record and for those who are asked; needed to apply.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: String,
    /// Why control points lie in one hand; for models that need it.
    #[serde(default)]
    #[schema(max_length = 2000)]
    justification: String,
    /// Until when that holds, at most twelve months.
    #[serde(default)]
    until: Option<DateTime<Utc>>,
    /// The `digest` of a preview: if something else would be done now, nothing is, and it is
    /// 409.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::Sha256, required = false)]
    seen: Option<String>,
}

/// Who fills a function.
#[derive(Debug, Clone, Copy)]
struct Fills(Filler);

impl<'de> Deserialize<'de> for Fills {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        if text == "operated-by" {
            return Ok(Self(Filler::OperatedBy));
        }
        text.parse().map(|party| Self(Filler::Party(party))).map_err(|_| {
            let given: String = text.chars().take(80).collect();
            serde::de::Error::custom(format!(
                "“{given}” is neither a person such as PE-1, nor a team such as TE-1, nor operated-by"
            ))
        })
    }
}

impl ModelWish {
    fn wish(&self) -> Wish {
        Wish {
            slots: self.slots.iter().map(|(slot, fills)| (*slot, fills.0)).collect(),
            replace: self.replace,
            reason: self.reason.clone(),
            justification: self.justification.clone(),
            until: self.until,
        }
    }
}

/// What a model would do.
#[derive(Debug, Serialize, ToSchema)]
struct ModelPreview {
    /// Of all that would be done: send it back as `seen`.
    #[schema(value_type = words::Sha256)]
    digest: String,
    /// How many agents would change.
    changes: usize,
    /// By agent.
    agents: Vec<ModelAgent>,
}

/// What would become of an agent.
#[derive(Debug, Serialize, ToSchema)]
struct ModelAgent {
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    /// Why it would stay as it is; null where the model can be applied.
    #[schema(required)]
    skipped: Option<String>,
    /// The duties it needs.
    rows: Vec<ModelRow>,
}

/// What would become of a duty.
#[derive(Debug, Serialize, ToSchema)]
struct ModelRow {
    #[schema(value_type = words::Duty)]
    duty: Duty,
    #[schema(value_type = words::ModelOutcome)]
    outcome: Outcome,
    /// The model's party.
    #[schema(value_type = Option<words::PartyRef>, required)]
    to: Option<Party>,
    /// Who is Accountable now.
    #[schema(value_type = Option<words::PartyRef>, required)]
    owner: Option<Party>,
    /// Who is asked now.
    #[schema(value_type = Option<words::PartyRef>, required)]
    offered: Option<Party>,
    /// The function that nobody fills.
    #[schema(value_type = Option<words::Slot>, required)]
    slot: Option<Slot>,
    /// R, C and I that would be added.
    add: Vec<ModelLetter>,
    /// R, C and I that would end.
    end: Vec<ModelLetter>,
}

/// A letter of a party.
#[derive(Debug, Serialize, ToSchema)]
struct ModelLetter {
    #[schema(value_type = words::RaciRole)]
    role: RaciRole,
    #[schema(value_type = words::PartyRef)]
    party: Party,
}

fn letters(list: &[(RaciRole, Party)]) -> Vec<ModelLetter> {
    list.iter().map(|(role, party)| ModelLetter { role: *role, party: *party }).collect()
}

fn row(row: &domain::model::Row) -> ModelRow {
    let (outcome, to, owner, offered, slot) = match row.fate {
        Fate::Offer { to, owner, instead_of } => (Outcome::Offer, Some(to), owner, instead_of, None),
        Fate::Withdraw { owner, asked } => (Outcome::Withdraw, Some(owner), Some(owner), Some(asked), None),
        Fate::Held(p) => (Outcome::Held, Some(p), Some(p), None, None),
        Fate::Offered(p) => (Outcome::Offered, Some(p), None, Some(p), None),
        Fate::Kept { owner, offered } => (Outcome::Kept, None, owner, offered, None),
        Fate::Open(slot) => (Outcome::Open, None, None, None, Some(slot)),
    };
    ModelRow { duty: row.duty, outcome, to, owner, offered, slot, add: letters(&row.add), end: letters(&row.end) }
}

/// Preview an operating model
///
/// What the same body would do if it were sent to `apply` now. Nothing is written.
#[utoipa::path(
    post,
    path = "/api/v1/operating-models/{key}/preview",
    tag = "ownership",
    params(("key" = inline(words::Model), Path, description = "The model.")),
    request_body = ModelWish,
    responses((status = 200, description = "What it would do.", body = ModelPreview))
)]
async fn preview_model(
    State(app): State<App>,
    caller: ApiActor,
    At(model): At<Model>,
    Sent(body): Sent<Value>,
) -> Answer {
    let (wish, agents, _) = asked(&app, &caller, model, body).await?;
    let plan = models::preview(&app.db, caller.by(), &agents, model, &wish).await.map_err(at_agent(&agents))?;
    ok(ModelPreview {
        changes: plan.changes(),
        agents: plan
            .agents
            .iter()
            .map(|d| match &d.fate {
                Err(why) => ModelAgent { agent: d.agent, skipped: Some(why.clone()), rows: Vec::new() },
                Ok(filled) => ModelAgent { agent: d.agent, skipped: None, rows: filled.rows.iter().map(row).collect() },
            })
            .collect(),
        digest: plan.digest,
    })
}

/// What applying a model did.
#[derive(Debug, Serialize, ToSchema)]
struct ModelDone {
    /// Agents whose matrix changed, or whose justification was written.
    #[schema(value_type = Vec<words::AgentRef>)]
    done: Vec<AgentId>,
    /// Duties that were offered.
    offered: usize,
    /// Letters R, C and I that were added.
    added: usize,
    /// Agents that stay as they were.
    skipped: Vec<ModelSkipped>,
}

/// An agent that stays as it was.
#[derive(Debug, Serialize, ToSchema)]
struct ModelSkipped {
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    /// Why.
    reason: String,
}

/// Apply an operating model
///
/// One transaction, one event of the record for each agent. New owners are asked; R, C and I
/// hold at once; what somebody chose before stays unless `replace` is said.
#[utoipa::path(
    post,
    path = "/api/v1/operating-models/{key}/apply",
    tag = "ownership",
    params(("key" = inline(words::Model), Path, description = "The model.")),
    request_body = ModelWish,
    responses((status = 200, description = "What was done, and what not.", body = ModelDone))
)]
async fn apply_model(
    State(app): State<App>,
    caller: ApiActor,
    At(model): At<Model>,
    Sent(body): Sent<Value>,
) -> Answer {
    let (wish, agents, seen) = asked(&app, &caller, model, body).await?;
    let done =
        models::apply(&app.db, caller.by(), &agents, model, &wish, seen.as_deref()).await.map_err(at_agent(&agents))?;
    ok(ModelDone {
        done: done.agents,
        offered: done.offered,
        added: done.added,
        skipped: done.skipped.into_iter().map(|(agent, reason)| ModelSkipped { agent, reason }).collect(),
    })
}

/// Whoever could not do it for any agent is told so before anything is looked at.
async fn asked(
    app: &App,
    caller: &ApiActor,
    model: Model,
    body: Value,
) -> Result<(Wish, Vec<AgentId>, Option<String>), Problem> {
    can(&caller.actor, Action::AssignmentOffer, Relation::Owner).map_err(Error::from)?;
    if model.needs_justification() {
        can(&caller.actor, Action::JustificationWrite, Relation::None).map_err(Error::from)?;
    }
    let mut wish: ModelWish = read(body)?;
    let (agents, query) = (wish.agents.take(), wish.query.take());
    let agents = meant(app, caller.by(), agents, query).await?;
    if agents.is_empty() {
        return Err(Problem::field("/query", "It leaves no agent."));
    }
    Ok((wish.wish(), agents, wish.seen))
}
