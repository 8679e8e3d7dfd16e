//! Every route, and who may ask it. A route without a case fails a test; a case that lets
//! somebody in who should stay out, or keeps somebody out who should come in, fails
//! another.

use std::collections::BTreeSet;

use axum::http::Method;
use domain::can::Scope;
use domain::party::Role;
use server::routes::Door;

use crate::support::{Answer, Site};

/// Whom a route lets in, behind its door.
pub(crate) enum May {
    /// Who stands before a public door: everybody.
    Anybody,
    /// Everybody who is signed in.
    Everybody,
    /// People with one of these roles; others are refused by 403 or 404.
    Roles(&'static [Role]),
    /// People with one of these roles, and tokens with one of these scopes (`admin` always).
    Program(&'static [Role], &'static [Scope]),
}

use May::{Anybody, Everybody};

/// A route, an address it answers in the demonstration, and what is sent there: a form
/// (`a=b&c=d`) or, if it begins with a brace, JSON.
pub(crate) struct Case(pub(crate) &'static str, &'static str, pub(crate) &'static str, &'static str, May);

/// Who reads the record.
const RECORD: &[Role] = &[Role::SecurityLead, Role::RiskAnalyst, Role::Auditor];

/// Who registers agents, and who edits any of them.
const REGISTER: &[Role] = &[Role::SecurityLead, Role::RiskAnalyst, Role::Member];
const EDIT: &[Role] = &[Role::SecurityLead, Role::RiskAnalyst];

/// Who may own a duty and so offer it: whoever does not only read.
const OWNERS: &[Role] = &[Role::Administrator, Role::SecurityLead, Role::RiskAnalyst, Role::Member];

/// Who keeps people and settings, teams, systems.
const KEEP: &[Role] = &[Role::Administrator];
const TEAMS: &[Role] = &[Role::Administrator, Role::SecurityLead];
const SECURITY: &[Role] = &[Role::SecurityLead];
const ANALYST: &[Role] = &[Role::RiskAnalyst];

/// Every role, and every scope.
const ROLES: &[Role] = Role::ALL;
const SCOPES: &[Scope] = Scope::ALL;
/// The scopes that read, and those that write.
const READS: &[Scope] = &[Scope::Read, Scope::Write];
const WRITES: &[Scope] = &[Scope::Write];
const ADMIN: &[Scope] = &[Scope::Admin];

/// Opened by the secret of a stop method, which a receiver has.
const CALLBACKS: &str = "/api/v1/stop-callbacks/";

/// The retirement of the demonstration that is half way.
macro_rules! half_way {
    ($before:literal, $after:literal) => {
        concat!($before, "/retirements/RQ-13", $after)
    };
}
const ROW_DONE: &str = "/api/v1/retirements/{id}/rows/{place}/done";
const ROW_WAIVE: &str = "/api/v1/retirements/{id}/rows/{place}/waive";
const EX_CHECK: &str = "/api/v1/exceptions/{id}/controls/{number}/check";
const SIGN_WAIVE: &str = "/api/v1/retirements/{id}/signatures/{step}/waive";

/// Addresses that are long, and what is sent there.
const CALLED: &str = "/api/v1/agents/by-external-id/{source}/{id}";
/// Who may say that the first condition is met: its owner is a member.
const CONDITION: &[Role] = &[Role::SecurityLead, Role::Member];
const DECIDE: &str = "/api/v1/requests/{id}/steps/{step}/decision";
const ANSWER: &str = "/api/v1/requests/{id}/steps/{step}/answer";
const CONFIRM: &str = "/people/{id}/proposals/{proposal}/confirm";
const REFUSE: &str = "/people/{id}/proposals/{proposal}/refuse";
const STOPS: &str = "/api/v1/agents/{id}/stop-methods";
const DRILL: &str = "/api/v1/agents/{id}/drills/{delivery}";
const SAW: &str = "/api/v1/agents/{id}/drills/{delivery}/testimony";
const STEP: &str = "/api/v1/agents/{id}/stops/{stop}/steps/{step}/done";
const REVIEW: &str = "/api/v1/agents/{id}/stops/{stop}/review";
const EVERYTHING: &str = r#"{"tool": "Code runner", "reason": "now"}"#;
const ON_CALL: &str = "/api/v1/teams/{id}/on-call";
const OVERRIDES: &str = "/api/v1/teams/{id}/on-call/overrides";
const UNCOVER: &str = "/api/v1/teams/{id}/on-call/overrides/{override}/cancellation";
const BACK: &str = "/api/v1/people/{id}/absences/{absence}/end";
const CHANNELS: &str = "/api/v1/people/{id}/channels";
const UNREACH: &str = "/api/v1/people/{id}/channels/{channel}/removal";
const TEST: &str = "/api/v1/people/{id}/channels/{channel}/test";
const PROVE: &str = "/api/v1/people/{id}/channels/{channel}/prove";
const ONE_WORD: &str = r#"{"confirmations": [{"agent": "AG-12", "duty": "containment"}]}"#;
const MODEL_PREVIEW: &str = "/api/v1/operating-models/regulated/preview";
const MODEL_APPLY: &str = "/api/v1/operating-models/regulated/apply";
/// Of several agents, what is not the caller's is skipped.
const MODEL_WISH: &str = r#"{"agents": ["AG-31", "AG-32"], "slots": {"security": "TE-4"}, "reason": "so"}"#;
const NO: &str = r#"{"reason": "no"}"#;
const ONE_DUTY: &str = r#"{"agents": ["AG-31"], "duty": "purpose", "party": "PE-5"}"#;
const ONE_OFFER: &str = r#"{"offers": [{"agent": "AG-12", "duty": "containment"}], "reason": "no"}"#;

/// Beside each new route, a line here.
pub(crate) const CASES: &[Case] = &[
    Case("GET", "/healthz", "/healthz", "", Anybody),
    Case("GET", "/readyz", "/readyz", "", Anybody),
    // From elsewhere than this machine it asks for a token itself.
    Case("GET", "/metrics", "/metrics", "", Anybody),
    Case("GET", "/pkg/{version}/{*path}", "/pkg/0/app.css", "", Anybody),
    Case("GET", "/login", "/login", "", Anybody),
    Case("POST", "/login", "/login", "email=a", Anybody),
    Case("GET", "/setup", "/setup", "", Anybody),
    Case("POST", "/setup", "/setup", "code=a", Anybody),
    Case("POST", "/logout", "/logout", "", Everybody),
    Case("POST", "/theme", "/theme", "theme=dark", Everybody),
    Case("GET", "/help", "/help", "", Everybody),
    Case("GET", "/account", "/account", "", Everybody),
    Case("POST", "/account", "/account", "present=x", Everybody),
    Case("POST", "/account/sessions/{session}/revoke", "/account/sessions/none/revoke", "", May::Roles(&[])),
    Case("GET", "/", "/", "", Everybody),
    Case("POST", "/", "/", "answer=accept", Everybody),
    Case("GET", "/help/findings", "/help/findings", "", Everybody),
    Case("GET", "/help/tiers", "/help/tiers", "", Everybody),
    Case("GET", "/raci/check", "/raci/check", "", Everybody),
    Case("POST", "/raci/check", "/raci/check", "table=Task,One", Everybody),
    Case("GET", "/agents", "/agents", "", Everybody),
    Case("GET", "/agents/export.csv", "/agents/export.csv", "", Everybody),
    Case("GET", "/agents/new", "/agents/new", "", May::Roles(REGISTER)),
    Case("POST", "/agents/new", "/agents/new", "name=", May::Roles(REGISTER)),
    Case("GET", "/agents/{id}", "/agents/AG-31", "", Everybody),
    // What is pressed decides who may; a press that is none is told so.
    Case("POST", "/agents/{id}", "/agents/AG-31", "do=none", Everybody),
    Case("GET", "/agents/{id}/edit", "/agents/AG-31/edit", "", May::Roles(EDIT)),
    Case("POST", "/agents/{id}/edit", "/agents/AG-31/edit", "name=", May::Roles(EDIT)),
    Case("GET", "/agents/{id}/history", "/agents/AG-31/history", "", May::Roles(RECORD)),
    Case("GET", "/agents/{id}/assign", "/agents/AG-31/assign", "", May::Roles(&[Role::SecurityLead])),
    Case("POST", "/agents/{id}/assign", "/agents/AG-31/assign", "duty=", May::Roles(&[Role::SecurityLead])),
    Case("GET", "/agents/{id}/raci", "/agents/AG-31/raci", "", Everybody),
    Case("GET", "/agents/{id}/raci.csv", "/agents/AG-31/raci.csv", "", Everybody),
    Case("GET", "/agents/{id}/raci/edit", "/agents/AG-31/raci/edit", "", May::Roles(SECURITY)),
    Case("POST", "/agents/{id}/raci/edit", "/agents/AG-31/raci/edit", "version=1", May::Roles(SECURITY)),
    // Of many agents each is asked for; who may assign none is told which are not theirs.
    Case("GET", "/agents/assign", "/agents/assign?id=AG-31", "", May::Roles(OWNERS)),
    Case("POST", "/agents/assign", "/agents/assign", "id=AG-31&do=preview", May::Roles(OWNERS)),
    Case("GET", "/agents/model", "/agents/model?id=AG-31", "", May::Roles(SECURITY)),
    Case("POST", "/agents/model", "/agents/model", "id=AG-31&do=preview", May::Roles(SECURITY)),
    Case("GET", "/agents/{id}/handover", "/agents/AG-31/handover", "", Everybody),
    // What is pressed decides who may; a press that is none is told so.
    Case("POST", "/agents/{id}/handover", "/agents/AG-31/handover", "do=none", Everybody),
    Case("GET", "/api/v1/handovers", "/api/v1/handovers", "", May::Program(ROLES, READS)),
    // Of one team's agent there is nothing to hand over: who may is told so.
    Case(
        "POST",
        "/api/v1/agents/{id}/actions/handover",
        "/api/v1/agents/AG-31/actions/handover",
        "{}",
        May::Program(SECURITY, WRITES),
    ),
    // Only the lead of the receiving team answers; none of these is.
    Case("POST", "/api/v1/handovers/{id}/acceptance", "/api/v1/handovers/HO-2/acceptance", "{}", May::Roles(&[])),
    Case("POST", "/api/v1/handovers/{id}/refusal", "/api/v1/handovers/HO-2/refusal", NO, May::Roles(&[])),
    Case(
        "POST",
        "/api/v1/handovers/{id}/withdrawal",
        "/api/v1/handovers/HO-2/withdrawal",
        "{}",
        May::Program(SECURITY, WRITES),
    ),
    Case("GET", "/approvals", "/approvals", "", Everybody),
    Case("GET", "/approvals/alike", "/approvals/alike", "", Everybody),
    Case("POST", "/approvals/alike", "/approvals/alike", "reason=x", Everybody),
    Case("GET", "/requests/{id}", "/requests/RQ-1", "", May::Roles(RECORD)),
    Case("POST", "/requests/{id}", "/requests/RQ-1", "do=none", May::Roles(RECORD)),
    Case("GET", "/agents/{id}/submit", "/agents/AG-40/submit", "", May::Roles(EDIT)),
    Case("POST", "/agents/{id}/submit", "/agents/AG-40/submit", "reason=", May::Roles(EDIT)),
    Case("GET", "/agents/{id}/resume", "/agents/AG-31/resume", "", May::Roles(EDIT)),
    Case("POST", "/agents/{id}/resume", "/agents/AG-31/resume", "reason=", May::Roles(EDIT)),
    Case("GET", "/agents/{id}/scope", "/agents/AG-31/scope", "", May::Roles(EDIT)),
    Case("POST", "/agents/{id}/scope", "/agents/AG-31/scope", "do=preview&name=x", May::Roles(EDIT)),
    // What is pressed decides who may; a press that is none is told so on the agent's page.
    Case("POST", "/agents/{id}/life", "/agents/AG-31/life", "do=none", Everybody),
    Case("GET", "/api/v1/requests", "/api/v1/requests", "", May::Program(ROLES, READS)),
    Case("GET", "/api/v1/requests/{id}", "/api/v1/requests/RQ-1", "", May::Program(RECORD, READS)),
    // Only the deciders decide, and only whoever asked answers: the demonstration's risk analyst did.
    Case("POST", DECIDE, "/api/v1/requests/RQ-1/steps/1/decision", r#"{"decision":"approve"}"#, May::Roles(&[])),
    Case(
        "POST",
        ANSWER,
        "/api/v1/requests/RQ-2/steps/1/answer",
        r#"{"reason":"Yes."}"#,
        May::Roles(&[Role::RiskAnalyst]),
    ),
    Case("POST", "/api/v1/requests/{id}/withdrawal", "/api/v1/requests/RQ-1/withdrawal", "{}", May::Roles(EDIT)),
    Case(
        "POST",
        "/api/v1/conditions/{id}/met",
        "/api/v1/conditions/1/met",
        r#"{"note":"Done."}"#,
        May::Roles(CONDITION),
    ),
    Case("POST", "/api/v1/agents/{id}/actions/submit", "/api/v1/agents/AG-40/actions/submit", "{}", May::Roles(EDIT)),
    Case("GET", "/api/v1/agents/{id}/approval-preview", "/api/v1/agents/AG-40/approval-preview", "", May::Roles(EDIT)),
    Case(
        "POST",
        "/api/v1/agents/{id}/actions/withdraw",
        "/api/v1/agents/AG-29/actions/withdraw",
        "{}",
        May::Roles(EDIT),
    ),
    Case(
        "POST",
        "/api/v1/agents/{id}/actions/activate",
        "/api/v1/agents/AG-40/actions/activate",
        "{}",
        May::Program(SECURITY, WRITES),
    ),
    Case(
        "POST",
        "/api/v1/agents/{id}/actions/adopt",
        "/api/v1/agents/AG-15/actions/adopt",
        "{}",
        May::Program(EDIT, WRITES),
    ),
    Case("POST", "/api/v1/agents/{id}/actions/resume", "/api/v1/agents/AG-31/actions/resume", "{}", May::Roles(EDIT)),
    Case(
        "POST",
        "/api/v1/agents/{id}/scope-changes",
        "/api/v1/agents/AG-31/scope-changes",
        r#"{"reason":"More.","facts":{}}"#,
        May::Roles(EDIT),
    ),
    Case("GET", "/api/v1/agents/{id}/observed", "/api/v1/agents/AG-43/observed", "", May::Roles(EDIT)),
    Case(
        "POST",
        "/api/v1/agents/{id}/actions/appoint",
        "/api/v1/agents/AG-31/actions/appoint",
        r#"{"duty":"policy","person":"PE-1","reason":"Meanwhile."}"#,
        May::Roles(SECURITY),
    ),
    Case("GET", "/exceptions", "/exceptions", "", Everybody),
    Case("GET", "/exceptions.csv", "/exceptions.csv?state=all", "", Everybody),
    // Of which agents one may ask is found out when it is known for which.
    Case("GET", "/exceptions/new", "/exceptions/new", "", May::Roles(OWNERS)),
    Case("POST", "/exceptions/new", "/exceptions/new", "title=", May::Roles(OWNERS)),
    Case("GET", "/exceptions/{id}", "/exceptions/EX-1", "", May::Roles(RECORD)),
    Case("POST", "/exceptions/{id}", "/exceptions/EX-1", "do=none", May::Roles(RECORD)),
    Case("GET", "/exceptions/{id}/renew", "/exceptions/EX-1/renew", "", May::Roles(EDIT)),
    Case("POST", "/exceptions/{id}/renew", "/exceptions/EX-1/renew", "title=", May::Roles(EDIT)),
    // The demonstration's risk analyst asked for it.
    Case("GET", "/exceptions/{id}/controls", "/exceptions/EX-9/controls", "", May::Roles(ANALYST)),
    Case("POST", "/exceptions/{id}/controls", "/exceptions/EX-9/controls", "control-text-0=x", May::Roles(ANALYST)),
    Case("GET", "/reviews", "/reviews", "", Everybody),
    Case("POST", "/reviews", "/reviews", "agent=AG-31&do=begin", May::Roles(EDIT)),
    Case("GET", "/reviews/new", "/reviews/new?agent=AG-31", "", May::Roles(EDIT)),
    // And whoever reviews an agent of the campaign.
    Case("GET", "/reviews/{id}", "/reviews/CA-1", "", May::Roles(RECORD)),
    Case("POST", "/reviews/{id}", "/reviews/CA-1", "do=none", May::Roles(RECORD)),
    Case("GET", "/agents/review", "/agents/review?id=AG-31", "", May::Roles(EDIT)),
    Case("POST", "/agents/review", "/agents/review", "id=AG-31&name=", May::Roles(EDIT)),
    Case("GET", "/api/v1/reviews", "/api/v1/reviews", "", May::Program(ROLES, READS)),
    Case("GET", "/api/v1/reviews/due", "/api/v1/reviews/due", "", May::Program(RECORD, READS)),
    // Whoever asks is a person, as in what follows.
    Case("POST", "/api/v1/agents/{id}/actions/review", "/api/v1/agents/AG-31/actions/review", "{}", May::Roles(EDIT)),
    // There is none.
    Case("POST", "/api/v1/requests/{id}/defer", "/api/v1/requests/RQ-9999/defer", "{}", May::Roles(&[])),
    Case("GET", "/api/v1/campaigns", "/api/v1/campaigns", "", May::Program(ROLES, READS)),
    Case("POST", "/api/v1/campaigns", "/api/v1/campaigns", "{}", May::Roles(EDIT)),
    Case("GET", "/api/v1/campaigns/{id}", "/api/v1/campaigns/CA-1", "", May::Program(RECORD, READS)),
    Case("GET", "/api/v1/campaigns/{id}/agents", "/api/v1/campaigns/CA-1/agents", "", May::Program(RECORD, READS)),
    Case("POST", "/api/v1/campaigns/{id}/close", "/api/v1/campaigns/CA-1/close", "{}", May::Roles(EDIT)),
    Case("GET", "/retirements", "/retirements", "", Everybody),
    Case("GET", "/retirements/{id}", half_way!("", ""), "", May::Roles(RECORD)),
    // What is pressed decides who may; a press that is none is told so.
    Case("POST", "/retirements/{id}", half_way!("", ""), "do=none", May::Roles(RECORD)),
    Case("POST", "/retirements/{id}/evidence", half_way!("", "/evidence"), "place=1", May::Roles(SECURITY)),
    Case("GET", "/agents/{id}/retire", "/agents/AG-31/retire", "", May::Roles(EDIT)),
    Case("POST", "/agents/{id}/retire", "/agents/AG-31/retire", "reason=", May::Roles(EDIT)),
    Case("GET", "/api/v1/retirements", "/api/v1/retirements", "", May::Program(ROLES, READS)),
    Case("GET", "/api/v1/retirements/{id}", half_way!("/api/v1", ""), "", May::Program(RECORD, READS)),
    Case("POST", "/api/v1/agents/{id}/actions/retire", "/api/v1/agents/AG-31/actions/retire", "{}", May::Roles(EDIT)),
    Case("POST", ROW_DONE, half_way!("/api/v1", "/rows/9/done"), "{}", May::Program(SECURITY, WRITES)),
    Case("POST", ROW_WAIVE, half_way!("/api/v1", "/rows/9/waive"), "{}", May::Roles(SECURITY)),
    Case("POST", SIGN_WAIVE, half_way!("/api/v1", "/signatures/1/waive"), "{}", May::Roles(SECURITY)),
    Case("GET", "/api/v1/exceptions", "/api/v1/exceptions", "", May::Program(ROLES, READS)),
    Case("POST", "/api/v1/exceptions", "/api/v1/exceptions", "{}", May::Roles(OWNERS)),
    Case("GET", "/api/v1/exceptions/{id}", "/api/v1/exceptions/EX-1", "", May::Program(RECORD, READS)),
    // As on the pages: whoever asked, and whose part it is; each says of whom by its own rule.
    Case("PUT", "/api/v1/exceptions/{id}/controls", "/api/v1/exceptions/EX-9/controls", "{}", May::Roles(ANALYST)),
    Case(
        "POST",
        "/api/v1/exceptions/{id}/decision",
        "/api/v1/exceptions/EX-9/decision",
        r#"{"decision":"approve"}"#,
        May::Roles(SECURITY),
    ),
    Case("POST", "/api/v1/exceptions/{id}/renew", "/api/v1/exceptions/EX-1/renew", "{}", May::Roles(EDIT)),
    Case("POST", "/api/v1/exceptions/{id}/close", "/api/v1/exceptions/EX-1/close", "{}", May::Roles(EDIT)),
    Case("POST", "/api/v1/exceptions/{id}/revoke", "/api/v1/exceptions/EX-1/revoke", "{}", May::Roles(SECURITY)),
    Case("POST", EX_CHECK, "/api/v1/exceptions/EX-1/controls/1/check", "{}", May::Roles(SECURITY)),
    Case("GET", "/rules", "/rules", "", May::Roles(RECORD)),
    Case("POST", "/rules", "/rules", "", May::Roles(SECURITY)),
    Case("GET", "/rules/new", "/rules/new", "", May::Roles(SECURITY)),
    Case("POST", "/rules/new", "/rules/new", "name=", May::Roles(SECURITY)),
    Case("GET", "/rules/{id}", "/rules/SR-1", "", May::Roles(RECORD)),
    Case("POST", "/rules/{id}", "/rules/SR-1", "do=none", May::Roles(SECURITY)),
    Case("GET", "/rules/{id}/edit", "/rules/SR-1/edit", "", May::Roles(SECURITY)),
    Case("POST", "/rules/{id}/edit", "/rules/SR-1/edit", "name=", May::Roles(SECURITY)),
    Case("GET", "/api/v1/operating-models", "/api/v1/operating-models", "", May::Program(ROLES, READS)),
    // Of what is not theirs they learn only that it is not.
    Case("POST", "/api/v1/operating-models/{key}/preview", MODEL_PREVIEW, MODEL_WISH, May::Program(OWNERS, WRITES)),
    Case("POST", "/api/v1/operating-models/{key}/apply", MODEL_APPLY, MODEL_WISH, May::Program(OWNERS, WRITES)),
    Case("GET", "/api/v1/rules", "/api/v1/rules", "", May::Program(RECORD, READS)),
    Case("POST", "/api/v1/rules", "/api/v1/rules", "{}", May::Program(SECURITY, WRITES)),
    Case("POST", "/api/v1/rules/preview", "/api/v1/rules/preview", "{}", May::Program(SECURITY, WRITES)),
    Case("POST", "/api/v1/rules/run", "/api/v1/rules/run", "{}", May::Program(SECURITY, WRITES)),
    Case("GET", "/api/v1/rules/{id}", "/api/v1/rules/SR-1", "", May::Program(RECORD, READS)),
    // Whoever may change it is told first that the version is missing.
    Case("PATCH", "/api/v1/rules/{id}", "/api/v1/rules/SR-1", "{}", May::Program(SECURITY, WRITES)),
    Case("POST", "/api/v1/rules/{id}/preview", "/api/v1/rules/SR-1/preview", "{}", May::Program(RECORD, READS)),
    Case("POST", "/api/v1/rules/{id}/run", "/api/v1/rules/SR-1/run", "{}", May::Program(SECURITY, WRITES)),
    Case("GET", "/agents/import", "/agents/import", "", May::Roles(EDIT)),
    Case("POST", "/agents/import", "/agents/import", "file=", May::Roles(EDIT)),
    // A staged file is there for who sent it; there is none.
    Case("GET", "/agents/import/{upload}", "/agents/import/none", "", May::Roles(&[])),
    Case("POST", "/agents/import/{upload}", "/agents/import/none", "then=diff", May::Roles(&[])),
    Case("GET", "/agents/import/{upload}/mapping.toml", "/agents/import/none/mapping.toml", "", May::Roles(&[])),
    Case("POST", "/agents/import/{upload}/mapping", "/agents/import/none/mapping", "", May::Roles(&[])),
    Case("POST", "/agents/import/{upload}/discard", "/agents/import/none/discard", "", May::Roles(&[])),
    Case("GET", "/agents/import/{upload}/diff", "/agents/import/none/diff", "", May::Roles(&[])),
    Case("POST", "/agents/import/{upload}/diff", "/agents/import/none/diff", "seen=x", May::Roles(&[])),
    Case("GET", "/agents/import/{upload}/refused.csv", "/agents/import/none/refused.csv", "", May::Roles(&[])),
    Case("GET", "/agents/import/{upload}/done", "/agents/import/none/done", "", May::Roles(&[])),
    Case("GET", "/people", "/people", "", Everybody),
    Case("GET", "/people/new", "/people/new", "", May::Roles(KEEP)),
    Case("POST", "/people/new", "/people/new", "name=", May::Roles(KEEP)),
    Case("GET", "/people/{id}", "/people/PE-5", "", Everybody),
    Case("GET", "/people/{id}/edit", "/people/PE-5/edit", "", May::Roles(KEEP)),
    Case("POST", "/people/{id}/edit", "/people/PE-5/edit", "name=", May::Roles(KEEP)),
    Case("POST", "/people/{id}/leave", "/people/PE-5/leave", "reason=", May::Roles(KEEP)),
    Case("POST", "/people/{id}/return", "/people/PE-5/return", "reason=", May::Roles(KEEP)),
    Case("POST", "/people/{id}/password", "/people/PE-5/password", "", May::Roles(KEEP)),
    Case("GET", "/people/{id}/password", "/people/PE-5/password", "", Everybody),
    // There is none: who may is told so, as who may not is told that they may not.
    Case("POST", CONFIRM, "/people/PE-5/proposals/1/confirm", "", May::Roles(&[])),
    Case("POST", REFUSE, "/people/PE-5/proposals/1/refuse", "", May::Roles(&[])),
    // And to the person themself.
    Case("POST", "/people/{id}/handover", "/people/PE-5/handover", "to=", May::Roles(SECURITY)),
    Case("GET", "/teams", "/teams", "", Everybody),
    Case("GET", "/teams/new", "/teams/new", "", May::Roles(TEAMS)),
    Case("POST", "/teams/new", "/teams/new", "name=", May::Roles(TEAMS)),
    Case("GET", "/teams/{id}", "/teams/TE-1", "", Everybody),
    Case("GET", "/teams/{id}/edit", "/teams/TE-1/edit", "", May::Roles(TEAMS)),
    Case("POST", "/teams/{id}/edit", "/teams/TE-1/edit", "name=", May::Roles(TEAMS)),
    Case("POST", "/teams/{id}/members", "/teams/TE-1/members", "person=", May::Roles(TEAMS)),
    Case("POST", "/teams/{id}/members/{person}/remove", "/teams/TE-1/members/PE-999/remove", "", May::Roles(TEAMS)),
    Case("GET", "/teams/{id}/on-call", "/teams/TE-1/on-call", "", Everybody),
    // And the team's own people.
    Case("POST", "/teams/{id}/on-call", "/teams/TE-1/on-call", "do=end", May::Roles(SECURITY)),
    Case("GET", "/people/{id}/reach", "/people/PE-5/reach", "", Everybody),
    // And the person, their manager, whoever leads a team of theirs.
    Case("POST", "/people/{id}/reach", "/people/PE-5/reach", "do=away", May::Roles(TEAMS)),
    Case("GET", "/still-yours", "/still-yours", "", May::Roles(OWNERS)),
    Case("POST", "/still-yours", "/still-yours", "do=picked", May::Roles(OWNERS)),
    Case("POST", "/agents/{id}/succession", "/agents/AG-31/succession", "offer=purpose:PE-1", May::Roles(SECURITY)),
    Case("GET", "/systems", "/systems", "", Everybody),
    Case("GET", "/systems/new", "/systems/new", "", May::Roles(SECURITY)),
    Case("POST", "/systems/new", "/systems/new", "name=", May::Roles(SECURITY)),
    Case("GET", "/systems/{id}", "/systems/SY-1", "", Everybody),
    Case("GET", "/systems/{id}/raci", "/systems/SY-1/raci", "", Everybody),
    Case("GET", "/systems/{id}/raci.csv", "/systems/SY-1/raci.csv", "", Everybody),
    Case("GET", "/systems/{id}/raci/edit", "/systems/SY-1/raci/edit", "", May::Roles(SECURITY)),
    Case("POST", "/systems/{id}/raci/edit", "/systems/SY-1/raci/edit", "version=1", May::Roles(SECURITY)),
    Case("GET", "/systems/{id}/edit", "/systems/SY-1/edit", "", May::Roles(SECURITY)),
    Case("POST", "/systems/{id}/edit", "/systems/SY-1/edit", "name=", May::Roles(SECURITY)),
    Case("GET", "/policy", "/policy", "", Everybody),
    Case("GET", "/policy/edit", "/policy/edit", "", May::Roles(SECURITY)),
    Case("POST", "/policy/edit", "/policy/edit", "do=preview", May::Roles(SECURITY)),
    // There is none: who may is told so, as who may not is told that they may not.
    Case("POST", "/policy/proposals/{proposal}/confirm", "/policy/proposals/1/confirm", "", May::Roles(&[])),
    Case("POST", "/policy/proposals/{proposal}/refuse", "/policy/proposals/1/refuse", "", May::Roles(&[])),
    Case("GET", "/api/v1/policy", "/api/v1/policy", "", May::Program(ROLES, READS)),
    Case("GET", "/api/v1/policy/versions", "/api/v1/policy/versions", "", May::Program(ROLES, READS)),
    Case("POST", "/api/v1/policy/preview", "/api/v1/policy/preview", "{}", May::Program(SECURITY, WRITES)),
    // Whoever may change it is told first that the version is missing.
    Case("PUT", "/api/v1/policy", "/api/v1/policy", "{}", May::Program(SECURITY, WRITES)),
    Case("GET", "/account/delegation", "/account/delegation", "", Everybody),
    // What is one's own; whoever only reads has nothing to delegate.
    Case("POST", "/account/delegation", "/account/delegation", "do=give", May::Roles(OWNERS)),
    Case("GET", "/api/v1/delegations", "/api/v1/delegations", "", May::Roles(OWNERS)),
    Case("POST", "/api/v1/delegations", "/api/v1/delegations", "{}", May::Roles(OWNERS)),
    // There is none: who may is told so.
    Case("POST", "/api/v1/delegations/{id}/end", "/api/v1/delegations/99/end", "{}", May::Roles(&[])),
    Case("GET", "/calendar/{file}", "/calendar/none.ics", "", Anybody),
    Case("GET", "/account/calendar", "/account/calendar", "", Everybody),
    Case("POST", "/account/calendar", "/account/calendar", "do=make", May::Roles(OWNERS)),
    Case("GET", "/notices", "/notices?show=all", "", Everybody),
    // A notice of nobody is not there.
    Case("POST", "/notices", "/notices", "do=read&notice=none", May::Roles(&[])),
    Case("GET", "/notices/stream", "/notices/stream?once=yes", "", Everybody),
    Case("GET", "/account/notices", "/account/notices", "", Everybody),
    Case("POST", "/account/notices", "/account/notices", "offset=", Everybody),
    Case("GET", "/settings/notices", "/settings/notices", "", Everybody),
    Case("POST", "/settings/notices", "/settings/notices", "do=add", May::Roles(KEEP)),
    Case("GET", "/api/v1/notices", "/api/v1/notices", "", May::Roles(ROLES)),
    Case("POST", "/api/v1/notices/read", "/api/v1/notices/read", "{}", May::Roles(ROLES)),
    Case("POST", "/api/v1/notices/{id}/read", "/api/v1/notices/none/read", "{}", May::Roles(&[])),
    Case("GET", "/api/v1/notice-preferences", "/api/v1/notice-preferences", "", May::Roles(ROLES)),
    Case("POST", "/api/v1/notice-preferences", "/api/v1/notice-preferences", "{}", May::Roles(ROLES)),
    Case("GET", "/api/v1/notice-channels", "/api/v1/notice-channels", "", May::Program(ROLES, READS)),
    Case("POST", "/api/v1/notice-channels", "/api/v1/notice-channels", "{}", May::Program(KEEP, ADMIN)),
    Case("POST", "/api/v1/notice-channels/{id}/remove", "/api/v1/notice-channels/99/remove", "{}", May::Roles(&[])),
    Case("GET", "/api/v1/notice-queue", "/api/v1/notice-queue", "", May::Program(ROLES, READS)),
    Case("POST", "/api/v1/notice-queue/resend", "/api/v1/notice-queue/resend", "{}", May::Program(KEEP, ADMIN)),
    Case("GET", "/settings", "/settings", "", Everybody),
    Case("POST", "/settings", "/settings", "organisation=", May::Roles(KEEP)),
    Case("GET", "/settings/tokens", "/settings/tokens", "", Everybody),
    Case("POST", "/settings/tokens", "/settings/tokens", "name=", May::Roles(KEEP)),
    // There is none: who may is told so, as who may not is told that they may not.
    Case("POST", "/settings/tokens/{id}/revoke", "/settings/tokens/TK-1/revoke", "", May::Roles(&[])),
    Case("POST", "/settings/sessions/{session}/revoke", "/settings/sessions/none/revoke", "", May::Roles(&[])),
    Case("GET", "/audit", "/audit", "", May::Roles(RECORD)),
    Case("POST", "/audit", "/audit", "", May::Roles(RECORD)),
    Case("GET", "/audit/export.jsonl", "/audit/export.jsonl", "", May::Roles(RECORD)),
    Case("GET", "/api/docs", "/api/docs", "", May::Program(ROLES, SCOPES)),
    Case("GET", "/api/v1/openapi.json", "/api/v1/openapi.json", "", May::Program(ROLES, SCOPES)),
    Case("GET", "/api/v1/agents", "/api/v1/agents", "", May::Program(ROLES, READS)),
    Case("POST", "/api/v1/agents", "/api/v1/agents", "{}", May::Program(REGISTER, WRITES)),
    Case("GET", "/api/v1/agents/{id}", "/api/v1/agents/AG-31", "", May::Program(ROLES, READS)),
    // Whoever may change it is told first that the version is missing.
    Case("PATCH", "/api/v1/agents/{id}", "/api/v1/agents/AG-31", "{}", May::Program(EDIT, WRITES)),
    Case("GET", CALLED, "/api/v1/agents/by-external-id/cmdb/HF-1030", "", May::Program(ROLES, READS)),
    Case("PUT", CALLED, "/api/v1/agents/by-external-id/cmdb/HF-1030", "{}", May::Program(EDIT, WRITES)),
    Case("GET", "/api/v1/agents/{id}/tools", "/api/v1/agents/AG-31/tools", "", May::Program(ROLES, READS)),
    Case("PUT", "/api/v1/agents/{id}/tools", "/api/v1/agents/AG-31/tools", "{}", May::Program(EDIT, WRITES)),
    Case("GET", "/api/v1/agents/{id}/credentials", "/api/v1/agents/AG-31/credentials", "", May::Program(RECORD, READS)),
    Case(
        "PUT",
        "/api/v1/agents/{id}/credentials",
        "/api/v1/agents/AG-31/credentials",
        "{}",
        May::Program(EDIT, WRITES),
    ),
    Case("GET", "/api/v1/agents/{id}/findings", "/api/v1/agents/AG-31/findings", "", May::Program(RECORD, READS)),
    Case("GET", "/api/v1/agents/{id}/history", "/api/v1/agents/AG-31/history", "", May::Program(RECORD, READS)),
    Case("GET", STOPS, "/api/v1/agents/AG-31/stop-methods", "", May::Program(RECORD, READS)),
    Case("POST", STOPS, "/api/v1/agents/AG-31/stop-methods", "{}", May::Program(SECURITY, WRITES)),
    Case("GET", "/api/v1/agents/{id}/drills", "/api/v1/agents/AG-31/drills", "", May::Program(RECORD, READS)),
    // Only the owner of the duty shows it; none of these is.
    Case("POST", "/api/v1/agents/{id}/actions/drill", "/api/v1/agents/AG-31/actions/drill", "{}", May::Roles(&[])),
    Case(
        "POST",
        "/api/v1/agents/{id}/actions/suspend",
        "/api/v1/agents/AG-31/actions/suspend",
        r#"{"reason": "now"}"#,
        May::Program(SECURITY, WRITES),
    ),
    // Bringing a drill is for the owner of the duty too; what one saw, for the witness.
    Case("POST", "/api/v1/agents/{id}/drills", "/api/v1/agents/AG-31/drills", "", May::Roles(&[])),
    Case("GET", DRILL, "/api/v1/agents/AG-31/drills/none", "", May::Roles(&[])),
    Case("POST", SAW, "/api/v1/agents/AG-31/drills/none/testimony", r#"{"saw": true}"#, May::Roles(&[])),
    Case("GET", "/api/v1/agents/{id}/stops", "/api/v1/agents/AG-20/stops", "", May::Program(RECORD, READS)),
    Case("GET", "/api/v1/agents/{id}/stops/{stop}", "/api/v1/agents/AG-20/stops/1", "", May::Program(RECORD, READS)),
    Case("POST", STEP, "/api/v1/agents/AG-20/stops/1/steps/2/done", "{}", May::Program(SECURITY, WRITES)),
    // A person's decision, and not that of whoever stopped it.
    Case("POST", REVIEW, "/api/v1/agents/AG-20/stops/1/review", r#"{"review": "right"}"#, May::Roles(SECURITY)),
    Case("GET", "/api/v1/blast-radius", "/api/v1/blast-radius?tool=Code+runner", "", May::Program(RECORD, READS)),
    Case("POST", "/api/v1/blast-radius/stop", "/api/v1/blast-radius/stop", EVERYTHING, May::Program(SECURITY, WRITES)),
    Case("GET", "/stop", "/stop?tool=Code+runner", "", May::Roles(RECORD)),
    Case("POST", "/stop", "/stop?tool=Code+runner", "why=now", May::Roles(SECURITY)),
    Case("POST", "/api/v1/stop-callbacks/{delivery}", "/api/v1/stop-callbacks/none", "{}", Anybody),
    Case("GET", "/agents/{id}/stop", "/agents/AG-31/stop", "", May::Roles(RECORD)),
    // What is pressed decides who may.
    Case("POST", "/agents/{id}/stop", "/agents/AG-31/stop", "do=none", May::Roles(RECORD)),
    Case("POST", "/agents/{id}/stop/drill", "/agents/AG-31/stop/drill", "", May::Roles(&[])),
    Case("GET", "/agents/{id}/evidence/{sha256}", "/agents/AG-31/evidence/none", "", May::Roles(&[])),
    Case("GET", "/api/v1/agents/{id}/raci", "/api/v1/agents/AG-31/raci", "", May::Program(ROLES, READS)),
    Case("PUT", "/api/v1/agents/{id}/raci", "/api/v1/agents/AG-31/raci", "{}", May::Program(SECURITY, WRITES)),
    Case(
        "GET",
        "/api/v1/agents/{id}/accountability",
        "/api/v1/agents/AG-31/accountability",
        "",
        May::Program(RECORD, READS),
    ),
    // Only those to whom it is offered answer; none of these is.
    Case(
        "POST",
        "/api/v1/agents/{id}/raci/{duty}/acceptance",
        "/api/v1/agents/AG-12/raci/containment/acceptance",
        "{}",
        May::Roles(&[]),
    ),
    Case(
        "POST",
        "/api/v1/agents/{id}/raci/{duty}/refusal",
        "/api/v1/agents/AG-12/raci/containment/refusal",
        "{\"reason\": \"no\"}",
        May::Roles(&[]),
    ),
    Case(
        "POST",
        "/api/v1/agents/{id}/raci/{duty}/withdrawal",
        "/api/v1/agents/AG-12/raci/containment/withdrawal",
        "{}",
        May::Program(SECURITY, WRITES),
    ),
    Case("GET", "/api/v1/assignments", "/api/v1/assignments", "", May::Program(ROLES, READS)),
    Case("POST", "/api/v1/assignments", "/api/v1/assignments", ONE_DUTY, May::Program(SECURITY, WRITES)),
    // Of what is not theirs they learn only that it is not.
    Case("POST", "/api/v1/assignments/preview", "/api/v1/assignments/preview", ONE_DUTY, May::Program(OWNERS, WRITES)),
    Case("POST", "/api/v1/assignments/acceptance", "/api/v1/assignments/acceptance", ONE_OFFER, May::Roles(&[])),
    Case("POST", "/api/v1/assignments/refusal", "/api/v1/assignments/refusal", ONE_OFFER, May::Roles(&[])),
    Case("GET", "/api/v1/people", "/api/v1/people", "", May::Program(ROLES, READS)),
    Case("POST", "/api/v1/people", "/api/v1/people", "{}", May::Program(KEEP, &[Scope::Admin])),
    Case("GET", "/api/v1/people/{id}", "/api/v1/people/PE-5", "", May::Program(ROLES, READS)),
    Case("PATCH", "/api/v1/people/{id}", "/api/v1/people/PE-5", "{}", May::Program(KEEP, &[Scope::Admin])),
    Case("GET", "/api/v1/people/{id}/impact", "/api/v1/people/PE-5/impact", "", May::Program(ROLES, READS)),
    Case("GET", "/api/v1/teams", "/api/v1/teams", "", May::Program(ROLES, READS)),
    Case("POST", "/api/v1/teams", "/api/v1/teams", "{}", May::Program(TEAMS, WRITES)),
    Case("GET", "/api/v1/teams/{id}", "/api/v1/teams/TE-1", "", May::Program(ROLES, READS)),
    Case("PATCH", "/api/v1/teams/{id}", "/api/v1/teams/TE-1", "{}", May::Program(TEAMS, WRITES)),
    Case("GET", ON_CALL, "/api/v1/teams/TE-1/on-call", "", May::Program(ROLES, READS)),
    Case("PUT", ON_CALL, "/api/v1/teams/TE-1/on-call", "{}", May::Program(SECURITY, WRITES)),
    Case("POST", OVERRIDES, "/api/v1/teams/TE-1/on-call/overrides", "{}", May::Program(SECURITY, WRITES)),
    // There is none: who may is told so.
    Case("POST", UNCOVER, "/api/v1/teams/TE-1/on-call/overrides/99/cancellation", "{}", May::Roles(&[])),
    Case("GET", "/api/v1/people/{id}/absences", "/api/v1/people/PE-5/absences", "", May::Program(ROLES, READS)),
    Case("POST", "/api/v1/people/{id}/absences", "/api/v1/people/PE-5/absences", "{}", May::Program(TEAMS, WRITES)),
    Case("POST", BACK, "/api/v1/people/PE-5/absences/99/end", "{}", May::Roles(&[])),
    Case("GET", CHANNELS, "/api/v1/people/PE-5/channels", "", May::Program(TEAMS, WRITES)),
    Case("POST", CHANNELS, "/api/v1/people/PE-5/channels", "{}", May::Program(KEEP, &[Scope::Admin])),
    Case("POST", UNREACH, "/api/v1/people/PE-5/channels/99/removal", "{}", May::Roles(&[])),
    Case("POST", TEST, "/api/v1/people/PE-5/channels/99/test", "{}", May::Roles(&[])),
    Case("POST", PROVE, "/api/v1/people/PE-5/channels/99/prove", "{}", May::Roles(&[])),
    // What is one's own; a token without an owner owns nothing.
    Case("GET", "/api/v1/assignments/due", "/api/v1/assignments/due", "", May::Roles(OWNERS)),
    Case("POST", "/api/v1/assignments/confirmation", "/api/v1/assignments/confirmation", ONE_WORD, May::Roles(&[])),
    Case("GET", "/api/v1/systems", "/api/v1/systems", "", May::Program(ROLES, READS)),
    Case("POST", "/api/v1/systems", "/api/v1/systems", "{}", May::Program(SECURITY, WRITES)),
    Case("GET", "/api/v1/systems/{id}", "/api/v1/systems/SY-1", "", May::Program(ROLES, READS)),
    Case("GET", "/api/v1/systems/{id}/raci", "/api/v1/systems/SY-1/raci", "", May::Program(ROLES, READS)),
    Case("PUT", "/api/v1/systems/{id}/raci", "/api/v1/systems/SY-1/raci", "{}", May::Program(SECURITY, WRITES)),
    Case(
        "POST",
        "/api/v1/systems/{id}/raci/{duty}/acceptance",
        "/api/v1/systems/SY-1/raci/containment/acceptance",
        "{}",
        May::Roles(&[]),
    ),
    Case(
        "POST",
        "/api/v1/systems/{id}/raci/{duty}/refusal",
        "/api/v1/systems/SY-1/raci/containment/refusal",
        "{\"reason\": \"no\"}",
        May::Roles(&[]),
    ),
    Case(
        "POST",
        "/api/v1/systems/{id}/raci/{duty}/withdrawal",
        "/api/v1/systems/SY-1/raci/containment/withdrawal",
        "{}",
        May::Program(SECURITY, WRITES),
    ),
    Case("PATCH", "/api/v1/systems/{id}", "/api/v1/systems/SY-1", "{}", May::Program(SECURITY, WRITES)),
    Case("GET", "/api/v1/posture", "/api/v1/posture", "", May::Program(RECORD, READS)),
    Case("GET", "/api/v1/posture/history", "/api/v1/posture/history", "", May::Program(RECORD, READS)),
    Case("GET", "/api/v1/audit", "/api/v1/audit", "", May::Program(RECORD, READS)),
    Case("GET", "/api/v1/audit/export", "/api/v1/audit/export", "", May::Program(RECORD, READS)),
];

#[test]
fn every_route_has_a_case() {
    let routes: BTreeSet<(String, String)> =
        server::router::table().into_iter().map(|route| (route.path, route.method.to_owned())).collect();
    let cases: BTreeSet<(String, String)> = CASES.iter().map(|case| (case.1.to_owned(), case.0.to_owned())).collect();
    let without: Vec<_> = routes.difference(&cases).collect();
    assert!(without.is_empty(), "routes without a case in {}: {without:#?}", file!());
    let gone: Vec<_> = cases.difference(&routes).collect();
    assert!(gone.is_empty(), "cases of no route: {gone:#?}");
    assert_eq!(cases.len(), CASES.len(), "a route has two cases");
}

#[test]
fn only_the_named_doors_are_public() {
    for route in server::router::table() {
        let named =
            ["/healthz", "/readyz", "/metrics", "/login", "/setup", "/pkg/", "/auth/oidc", "/calendar/", CALLBACKS]
                .iter()
                .any(|path| route.path.starts_with(path));
        assert_eq!(route.door == Door::Public, named, "{} {}", route.method, route.path);
        let program =
            (route.path.starts_with("/api/") || route.path.starts_with("/scim/")) && !route.path.starts_with(CALLBACKS);
        assert_eq!(route.door == Door::Api, program, "{} {}", route.method, route.path);
    }
}

async fn ask(browser: &crate::support::Browser<'_>, case: &Case) -> Answer {
    let Case(method, _, path, body, _) = case;
    let method: Method = method.parse().unwrap();
    let kind = if body.starts_with(['{', '[']) { "application/json" } else { "application/x-www-form-urlencoded" };
    let kind = (method != Method::GET).then_some(kind);
    browser.send(method, path, kind, body.as_bytes().to_vec()).await
}

fn refused(answer: &Answer) -> bool {
    matches!(answer.status.as_u16(), 401 | 403 | 404)
}

/// One case: who may not come in is tried first, since who may changes something.
async fn hold(case: &Case, door: Door) -> Vec<String> {
    let mut wrong = Vec::new();
    let site = Site::demo().await;
    let name = format!("{} {}", case.0, case.1);
    let nobody = ask(&site.browser(), case).await;
    match door {
        Door::Public => return wrong,
        Door::Page => {
            if nobody.status != 303 || !nobody.header("location").starts_with("/login") {
                wrong.push(format!("{name}: nobody gets {}", nobody.status));
            }
        }
        Door::Api => {
            if nobody.status != 401 {
                wrong.push(format!("{name}: nobody gets {}", nobody.status));
            }
        }
    }
    let may = |role: Role| match &case.4 {
        Anybody | Everybody => true,
        May::Roles(roles) | May::Program(roles, _) => roles.contains(&role),
    };
    let mut roles = Role::ALL.to_vec();
    roles.sort_by_key(|role| may(*role));
    for role in roles {
        let answer = ask(&site.signed_in(role).await, case).await;
        if may(role) == refused(&answer) || answer.status.is_server_error() || answer.status == 405 {
            wrong.push(format!("{name}: {role} gets {}", answer.status));
        }
    }
    if door == Door::Api {
        let scopes = match &case.4 {
            May::Program(_, scopes) => *scopes,
            _ => &[],
        };
        let may = |scope: Scope| scopes.contains(&scope) || (scope == Scope::Admin && !scopes.is_empty());
        let mut all = Scope::ALL.to_vec();
        all.sort_by_key(|scope| may(*scope));
        for scope in all {
            let answer = ask(&site.program(&[scope]).await, case).await;
            if may(scope) == refused(&answer) || answer.status.is_server_error() {
                wrong.push(format!("{name}: a token for {scope} gets {}", answer.status));
            }
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_may_what_they_may_and_nothing_else() {
    let table = server::router::table();
    let mut wrong = Vec::new();
    for case in CASES {
        let Some(route) = table.iter().find(|route| route.path == case.1 && route.method == case.0) else { continue };
        wrong.extend(hold(case, route.door).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
