//! `/rules`: standing rules, what they would do, and running them.

use axum::extract::State;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, RuleId};
use domain::party::{Party, Standing};
use domain::rule::{AtImport, Condition, RuleState};
use register::Error;
use register::rules::{self, Fields};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, created, ok, versioned};
use super::asked::Asked;
use super::sent::{At, Expected, Maybe, merge, patch, read, said, without_echo};
use super::words;
use crate::App;
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(list_rules, create_rule))
        .routes(routes!(preview_rule))
        .routes(routes!(run_rules))
        .routes(routes!(read_rule, change_rule))
        .routes(routes!(preview_kept_rule))
        .routes(routes!(run_rule))
}

/// Nothing is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Which agents a rule is about: every member that is said narrows.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RuleCondition {
    /// Of this business unit, in whatever case.
    business_unit: Option<String>,
    /// Deployed there.
    #[schema(value_type = Option<words::Environment>)]
    environment: Option<String>,
    /// Of this tier.
    #[schema(value_type = Option<words::Tier>)]
    tier: Option<String>,
    /// Of this kind.
    #[schema(value_type = Option<words::AgentKind>)]
    kind: Option<String>,
    /// Hosted so.
    #[schema(value_type = Option<words::Hosting>)]
    hosting: Option<String>,
    /// Hosted by this vendor.
    vendor: Option<String>,
    /// Operated by this team.
    #[schema(value_type = Option<words::TeamRef>)]
    operated_by: Option<String>,
    /// Member of this system.
    #[schema(value_type = Option<words::SystemRef>)]
    system: Option<String>,
    /// Known to this source, by an external id.
    source: Option<String>,
    /// Labelled: `name`, or `name=value`.
    label: Option<String>,
    /// Whether it counts as running.
    runs: Option<bool>,
}

/// A standing rule.
#[derive(Debug, Serialize, ToSchema)]
struct Rule {
    #[schema(value_type = words::RuleRef)]
    id: RuleId,
    /// Counts changes; the number in the `ETag`.
    version: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// Who made it.
    #[schema(value_type = words::ActorRef)]
    made_by: String,
    /// What it is called.
    name: String,
    #[schema(value_type = RuleCondition)]
    condition: Condition,
    /// The duty that it fills where nobody holds it.
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// Whom it asks.
    #[schema(value_type = words::PartyRef)]
    party: Party,
    #[schema(value_type = words::AtImport)]
    at_import: AtImport,
    /// Its place: the lowest is asked first.
    place: i64,
    #[schema(value_type = words::RuleState)]
    state: RuleState,
    /// It asks nobody: its party has left, or has no active lead.
    broken: bool,
}

impl From<rules::Rule> for Rule {
    fn from(r: rules::Rule) -> Self {
        Self {
            broken: r.standing != Standing::Active,
            id: r.id,
            version: r.version,
            created_at: r.created_at,
            updated_at: r.updated_at,
            made_by: r.made_by,
            name: r.name,
            condition: r.condition,
            duty: r.duty,
            party: r.party,
            at_import: r.at_import,
            place: r.place,
            state: r.state,
        }
    }
}

/// List the standing rules
///
/// All that are not removed, in the order in which they are asked.
#[utoipa::path(
    get,
    path = "/api/v1/rules",
    tag = "ownership",
    responses((status = 200, description = "The rules; at most 100.", body = List<Rule>))
)]
async fn list_rules(State(app): State<App>, caller: ApiActor, _: Asked<Nothing>) -> Answer {
    let found = rules::list(&app.db, caller.by()).await?;
    ok(List::whole(found.into_iter().map(Rule::from).collect()))
}

/// What is written about a rule.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Claims runs on the platform", "condition": {"business_unit": "Claims", "environment": "production"},
    "duty": "containment", "party": "TE-3"
}))]
struct RuleNew {
    /// What it is called; whoever is asked reads it.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Which agents it is about; left out, every one.
    #[serde(default)]
    #[schema(value_type = RuleCondition, required = false)]
    condition: Condition,
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// Whom it asks.
    #[schema(value_type = words::PartyRef)]
    party: Party,
    /// `offer` if left out.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::AtImport, required = false)]
    at_import: Option<AtImport>,
    /// `active` or `paused`; only where a rule is changed. `removed` is for good.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::RuleState, required = false)]
    state: Option<RuleState>,
    /// Why, for the record.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 1000)]
    reason: String,
}

impl RuleNew {
    fn fields(self) -> Fields {
        Fields {
            name: self.name,
            condition: self.condition,
            duty: self.duty,
            party: self.party,
            at_import: self.at_import.unwrap_or(AtImport::Offer),
        }
    }
}

/// Make a standing rule
///
/// It is asked after those that are there. It acts when it is run, and at imports.
#[utoipa::path(
    post,
    path = "/api/v1/rules",
    tag = "ownership",
    request_body = RuleNew,
    responses((
        status = 201, description = "Made.", body = Rule,
        headers(("Location" = String, description = "Where it is."), ("ETag" = String, description = "Its version."))
    ))
)]
async fn create_rule(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    let new = new(&caller, body)?;
    let reason = new.reason.clone();
    let rule = Rule::from(rules::create(&app.db, caller.by(), &new.fields(), &reason).await?);
    created(&format!("/api/v1/rules/{}", rule.id), rule.version, rule)
}

fn new(caller: &ApiActor, body: Value) -> Result<RuleNew, Problem> {
    can(&caller.actor, Action::RuleWrite, Relation::None).map_err(Error::from)?;
    let new: RuleNew = read(body)?;
    if new.state.is_some_and(|s| s != RuleState::Active) {
        return Err(Problem::field("/state", "A rule begins active; pause it afterwards."));
    }
    Ok(new)
}

/// What a rule would do now.
#[derive(Debug, Serialize, ToSchema)]
struct RuleForeseen {
    /// Agents for which it would ask.
    agents: usize,
    /// There are more than were counted.
    more: bool,
    /// The first of them.
    #[schema(value_type = Vec<words::AgentRef>)]
    first: Vec<AgentId>,
    /// Agents that it is about and that lack the duty, and that it leaves.
    left: Vec<RuleLeft>,
}

/// Agents that a rule leaves, for one reason.
#[derive(Debug, Serialize, ToSchema)]
struct RuleLeft {
    /// Why.
    reason: String,
    /// How many.
    agents: usize,
}

impl From<rules::Foreseen> for RuleForeseen {
    fn from(f: rules::Foreseen) -> Self {
        Self {
            agents: f.count,
            more: f.more,
            first: f.first.into_iter().map(|(id, _)| id).collect(),
            left: f.left.into_iter().map(|(bar, agents)| RuleLeft { reason: bar.to_string(), agents }).collect(),
        }
    }
}

/// Preview a rule that is not made yet
///
/// What the same body would do if the rule were made and run now. Nothing is written.
#[utoipa::path(
    post,
    path = "/api/v1/rules/preview",
    tag = "ownership",
    request_body = RuleNew,
    responses((status = 200, description = "What it would do.", body = RuleForeseen))
)]
async fn preview_rule(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    let new = new(&caller, body)?;
    ok(RuleForeseen::from(rules::foresee(&app.db, caller.by(), &new.fields()).await?))
}

/// Read a standing rule
#[utoipa::path(
    get,
    path = "/api/v1/rules/{id}",
    tag = "ownership",
    params(("id" = inline(words::RuleRef), Path, description = "The rule.")),
    responses((
        status = 200, description = "The rule.", body = Rule,
        headers(("ETag" = String, description = "Its version, for `If-Match`."))
    ))
)]
async fn read_rule(State(app): State<App>, caller: ApiActor, At(id): At<RuleId>) -> Answer {
    let rule = Rule::from(rules::read(&app.db, caller.by(), id).await?);
    versioned(rule.version, rule)
}

/// Change a standing rule
///
/// By merge patch; `condition` is merged member by member, and null takes a member away.
/// With `state` it is paused, made active again, or removed. Offers that it made stay.
#[utoipa::path(
    patch,
    path = "/api/v1/rules/{id}",
    tag = "ownership",
    params(("id" = inline(words::RuleRef), Path, description = "The rule.")),
    request_body(content((RuleChange = "application/merge-patch+json"), (RuleChange = "application/json"))),
    responses((
        status = 200, description = "The rule as it is now.", body = Rule,
        headers(("ETag" = String, description = "Its new version."))
    ))
)]
async fn change_rule(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<RuleId>,
    headers: HeaderMap,
    Sent(body): Sent<Value>,
) -> Answer {
    let by = caller.by();
    let kept = rules::read(&app.db, by, id).await?;
    can(&caller.actor, Action::RuleWrite, Relation::None).map_err(Error::from)?;
    let version = Expected::of(&headers).is(kept.version)?;
    let (patch, reason) = patch(body)?;
    let known = Rule::from(kept);
    let shown = serde_json::to_value(&known).map_err(Problem::internal)?;
    let present = known.state;
    let now = RuleNew {
        name: known.name,
        condition: known.condition,
        duty: known.duty,
        party: known.party,
        at_import: Some(known.at_import),
        state: Some(present),
        reason: String::new(),
    };
    let mut written = serde_json::to_value(now).map_err(Problem::internal)?;
    let patch = without_echo(patch, &shown, &written)?;
    merge(&mut written, Value::Object(patch));
    let wanted: RuleNew = read(written)?;
    let state = wanted.state.unwrap_or(present);
    let mut rule = rules::edit(&app.db, by, id, Some(version), &wanted.fields(), &reason).await?;
    if rule.state != state {
        rule = rules::set_state(&app.db, by, id, Some(rule.version), state, &reason).await?;
    }
    versioned(rule.version, Rule::from(rule))
}

/// What changes of a rule.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "the shape of a patch, for the document; read as a merge patch")]
struct RuleChange {
    /// What it is called.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// Which agents it is about, member by member.
    #[schema(nullable = false)]
    condition: Option<RuleCondition>,
    #[schema(value_type = words::Duty, required = false)]
    duty: Option<String>,
    /// Whom it asks.
    #[schema(value_type = words::PartyRef, required = false)]
    party: Option<String>,
    #[schema(value_type = words::AtImport, required = false)]
    at_import: Option<String>,
    #[schema(value_type = words::RuleState, required = false)]
    state: Option<String>,
    /// Why, for the record.
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

/// Preview a standing rule
///
/// What running it would do now. Nothing is written.
#[utoipa::path(
    post,
    path = "/api/v1/rules/{id}/preview",
    tag = "ownership",
    params(("id" = inline(words::RuleRef), Path, description = "The rule.")),
    request_body(content((Empty = "application/json")), description = "An empty object, or nothing."),
    responses((status = 200, description = "What it would do.", body = RuleForeseen))
)]
async fn preview_kept_rule(State(app): State<App>, caller: ApiActor, At(id): At<RuleId>, Maybe(body): Maybe) -> Answer {
    can(&caller.actor, Action::RuleRead, Relation::None).map_err(Error::from)?;
    read::<Empty>(body)?;
    ok(RuleForeseen::from(rules::foresee_rule(&app.db, caller.by(), id).await?))
}

/// Nothing to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Empty {}

/// What running rules did.
#[derive(Debug, Serialize, ToSchema)]
struct RulesRan {
    /// How many duties were offered in all.
    asked: usize,
    /// By rule, in their order.
    rules: Vec<RuleRan>,
}

/// What one rule did.
#[derive(Debug, Serialize, ToSchema)]
struct RuleRan {
    #[schema(value_type = words::RuleRef)]
    rule: RuleId,
    /// Agents for which it asked; one run asks for at most about 10,000.
    #[schema(value_type = Vec<words::AgentRef>)]
    asked: Vec<AgentId>,
    /// It asked nobody: its party has left, or has no active lead.
    broken: bool,
}

impl From<rules::Ran> for RulesRan {
    fn from(ran: rules::Ran) -> Self {
        Self {
            asked: ran.asked(),
            rules: ran.rules.into_iter().map(|r| RuleRan { rule: r.rule, asked: r.asked, broken: r.broken }).collect(),
        }
    }
}

/// Run a standing rule
///
/// Every agent that it is about, that lacks the duty, and of which nobody decided
/// otherwise, is asked for. One event of the record for each.
#[utoipa::path(
    post,
    path = "/api/v1/rules/{id}/run",
    tag = "ownership",
    params(("id" = inline(words::RuleRef), Path, description = "The rule.")),
    request_body(content((Empty = "application/json")), description = "An empty object, or nothing."),
    responses((status = 200, description = "What it did.", body = RulesRan))
)]
async fn run_rule(State(app): State<App>, caller: ApiActor, At(id): At<RuleId>, Maybe(body): Maybe) -> Answer {
    can(&caller.actor, Action::RuleWrite, Relation::None).map_err(Error::from)?;
    read::<Empty>(body)?;
    ok(RulesRan::from(rules::run(&app.db, caller.by(), Some(id)).await?))
}

/// Run every active rule, in their order
#[utoipa::path(
    post,
    path = "/api/v1/rules/run",
    tag = "ownership",
    request_body(content((Empty = "application/json")), description = "An empty object, or nothing."),
    responses((status = 200, description = "What they did.", body = RulesRan))
)]
async fn run_rules(State(app): State<App>, caller: ApiActor, Maybe(body): Maybe) -> Answer {
    can(&caller.actor, Action::RuleWrite, Relation::None).map_err(Error::from)?;
    read::<Empty>(body)?;
    ok(RulesRan::from(rules::run(&app.db, caller.by(), None).await?))
}
