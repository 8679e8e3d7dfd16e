//! Who may do what: one function decides, `can`. Every use case asks it; nothing else
//! touches the store.

use serde::{Deserialize, Serialize};

use crate::id::{PersonId, TokenId};
use crate::party::{Role, Roles};

crate::words! {
    /// What a service token is for.
    pub enum Scope {
        Read = "read", "Read";
        Write = "write", "Write";
        Intake = "intake", "Intake";
        Scim = "scim", "SCIM";
        Admin = "admin", "Admin";
    }
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// A person, signed in or through a token they own.
    Person(PersonId),
    /// A service token without an owner.
    Token(TokenId),
    /// The command line on the server's own machine.
    Cli,
    /// Nobody: before sign-in, or Muster itself keeping its house.
    Nobody,
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(id) => id.fmt(f),
            Self::Token(id) => id.fmt(f),
            Self::Cli => f.write_str("cli"),
            Self::Nobody => f.write_str("muster"),
        }
    }
}

/// Who acts, with which roles, and through which token's scopes if through one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub who: Who,
    /// With which roles.
    pub roles: Roles,
    /// Scopes of the token in use; `None` for a browser session or the command line.
    pub scopes: Option<Vec<Scope>>,
}

impl Actor {
    /// A signed-in person.
    pub const fn person(id: PersonId, roles: Roles) -> Self {
        Self { who: Who::Person(id), roles, scopes: None }
    }

    /// The command line: whoever may run it may do all that needs no person.
    pub fn cli() -> Self {
        Self { who: Who::Cli, roles: Role::ALL.iter().copied().collect(), scopes: None }
    }

    /// Muster itself, for instance while serving set-up or folding counters.
    pub const fn muster() -> Self {
        Self { who: Who::Nobody, roles: Roles::NONE, scopes: None }
    }

    /// A token without an owner: what its scopes allow, and nothing reserved to a person.
    pub fn token(id: TokenId, scopes: Vec<Scope>) -> Self {
        let roles = if scopes.contains(&Scope::Admin) {
            Role::ALL.iter().copied().collect()
        } else if scopes.contains(&Scope::Write) {
            [Role::SecurityLead, Role::RiskAnalyst, Role::Member].into_iter().collect()
        } else {
            [Role::Auditor].into_iter().collect()
        };
        Self { who: Who::Token(id), roles, scopes: Some(scopes) }
    }

    /// The person who acts, if it is one.
    pub const fn person_id(&self) -> Option<PersonId> {
        match self.who {
            Who::Person(id) => Some(id),
            _ => None,
        }
    }
}

crate::words! {
    /// How the actor stands to the subject, strongest first.
    pub enum Relation {
        /// Holds a duty of the agent as A or R (a team's members hold its duties); is the
        /// person, the session's or token's owner, the offer's addressee.
        Owner = "owner", "Owner";
        /// Named deputy of an owner.
        Delegate = "delegate", "Delegate";
        /// Registered the agent, or made the offer.
        Requester = "requester", "Requester";
        /// Held a duty once.
        FormerOwner = "former-owner", "Former owner";
        None = "none", "None";
    }
}

crate::words! {
    /// What may be asked of a resource; the part before the dot is the resource.
    pub enum Action {
        AgentRead = "agent.read", "Read an agent's name and owners";
        AgentReadConfidential = "agent.read-confidential", "Read a confidential agent";
        AgentReadControls = "agent.read-controls", "Read findings, credentials and stop state";
        AgentCreate = "agent.create", "Register an agent";
        AgentEdit = "agent.edit", "Edit an agent";
        AgentExport = "agent.export", "Export the inventory";
        AgentHistory = "agent.history", "Read an agent's history";
        AssignmentOffer = "assignment.offer", "Offer or change a duty";
        AssignmentRecord = "assignment.record", "Record a present owner as accepted";
        AssignmentAnswer = "assignment.answer", "Accept or decline an offer";
        AssignmentWithdraw = "assignment.withdraw", "Withdraw an offer";
        AssignmentConfirm = "assignment.confirm", "Say that a duty is still one's own";
        OnCallWrite = "on-call.write", "Say who takes turns on call";
        OnCallCover = "on-call.cover", "Take over on call, or give it to somebody";
        ChannelRead = "channel.read", "Read how a person is reached";
        ChannelWrite = "channel.write", "Say how a person is reached";
        ChannelTest = "channel.test", "Begin the test of a channel";
        ChannelProve = "channel.prove", "Type the code that came by a channel";
        AbsenceWrite = "absence.write", "Say when a person is away";
        JustificationWrite = "justification.write", "Justify several control points in one hand";
        HandoverOffer = "handover.offer", "Offer an agent to the team that operates it";
        HandoverAnswer = "handover.answer", "Accept or decline an agent from the team that built it";
        PolicyRead = "policy.read", "Read the policy";
        PolicyWrite = "policy.write", "Change the policy";
        DelegationWrite = "delegation.write", "Let somebody decide in one's place";
        CalendarWrite = "calendar.write", "Make or end the secret link of a calendar";
        RuleRead = "rule.read", "Read standing rules";
        RuleWrite = "rule.write", "Create, change and run standing rules";
        RequestOpen = "request.open", "Ask for an approval, a change of scope, a resumption";
        RequestRead = "request.read", "Read what is asked and decided";
        RequestDecide = "request.decide", "Decide a step of a request";
        RequestAsk = "request.ask", "Ask or answer a question about a request";
        RequestWithdraw = "request.withdraw", "Take a request back";
        ConditionMeet = "condition.meet", "Say that a condition is met";
        ActingAppoint = "acting.appoint", "Appoint who decides for a vacant capacity";
        RetirementRow = "retirement.row", "Show that a row of a retirement is done";
        RetirementWaive = "retirement.waive", "Waive a row or a vacant signature of a retirement";
        ExceptionRead = "exception.read", "Read exceptions";
        ExceptionClose = "exception.close", "Close an exception early";
        ExceptionRevoke = "exception.revoke", "Revoke an exception";
        ExceptionCheck = "exception.check", "Say that a compensating control was checked";
        AgentActivate = "agent.activate", "Make an approved agent active";
        ReviewOpen = "review.open", "Ask for a review";
        CampaignRead = "campaign.read", "Read review campaigns";
        CampaignWrite = "campaign.write", "Make and close review campaigns";
        StopMethodWrite = "stop-method.write", "Record how an agent is stopped";
        StopDrill = "stop.drill", "Show that a stop works";
        StopWitness = "stop.witness", "Say what one saw of a drill";
        StopPress = "stop.press", "Stop an agent at once";
        StopStep = "stop.step", "Note that a step of a stop is done";
        StopReview = "stop.review", "Review a stop";
        PersonRead = "person.read", "Read people and teams";
        PersonWrite = "person.write", "Create and change people";
        PersonGrant = "person.grant", "Grant roles";
        PersonCredential = "person.credential", "Set a person's password";
        PersonConfirm = "person.confirm", "Confirm what needs a second person";
        TeamWrite = "team.write", "Create and change teams";
        SystemWrite = "system.write", "Create and change systems";
        ImportRun = "import.run", "Import an inventory";
        PostureRead = "posture.read", "Read posture";
        AuditRead = "audit.read", "Read the record";
        SettingsRead = "settings.read", "Read settings";
        SettingsWrite = "settings.write", "Change settings";
        TokenManage = "token.manage", "Create and revoke service tokens";
        SessionManage = "session.manage", "List and revoke sessions";
        NoticeRead = "notice.read", "Read one's notices";
        NoticeSet = "notice.set", "Mark notices read, and choose what reaches one";
    }
}

/// A refusal of `can`, with what would be needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Denied {
    /// The subject may not even be seen: answered as if it did not exist.
    #[error("There is no such thing.")]
    Hidden,
    /// Seen, but not allowed. The sentence says who could.
    #[error("{0}")]
    Forbidden(String),
}

/// Decides. `relation` is the actor's strongest relation to the subject; for an action
/// without a subject (creating, lists) it is [`Relation::None`].
pub fn can(actor: &Actor, action: Action, relation: Relation) -> Result<(), Denied> {
    if let Some(scopes) = &actor.scopes
        && !scope_allows(scopes, action)
    {
        return Err(Denied::Forbidden(format!("The token's scopes do not allow this ({}).", action.label())));
    }
    if reserved_to_a_person(action) && actor.person_id().is_none() {
        return Err(Denied::Forbidden(
            "This is a person's decision: sign in, or use a token that has an owner.".into(),
        ));
    }
    if role_allows(actor.roles, action) || relation_allows(actor.roles, action, relation) {
        return Ok(());
    }
    Err(match action {
        Action::AgentReadConfidential => Denied::Hidden,
        // Its scopes allow it, but it has nobody's roles.
        _ if matches!(actor.who, Who::Token(_)) => Denied::Forbidden(format!(
            "{} is for {}, and a token without an owner is none of these: use a token whose owner is, or one with \
             scope admin.",
            action.label(),
            who_may(action)
        )),
        _ => Denied::Forbidden(format!("{} is for {}.", action.label(), who_may(action))),
    })
}

fn scope_allows(scopes: &[Scope], action: Action) -> bool {
    scopes.contains(&Scope::Admin)
        || match action {
            Action::AgentRead
            | Action::AgentReadConfidential
            | Action::AgentReadControls
            | Action::AgentExport
            | Action::AgentHistory
            | Action::PersonRead
            | Action::ChannelRead
            | Action::PostureRead
            | Action::AuditRead
            | Action::RuleRead
            | Action::RequestRead
            | Action::PolicyRead
            | Action::CampaignRead
            | Action::ExceptionRead
            | Action::NoticeRead
            | Action::SettingsRead => scopes.contains(&Scope::Read) || scopes.contains(&Scope::Write),
            Action::AgentCreate
            | Action::AgentEdit
            | Action::AssignmentOffer
            | Action::AssignmentRecord
            | Action::AssignmentAnswer
            | Action::AssignmentWithdraw
            | Action::AssignmentConfirm
            | Action::OnCallWrite
            | Action::OnCallCover
            | Action::ChannelWrite
            | Action::ChannelTest
            | Action::ChannelProve
            | Action::AbsenceWrite
            | Action::JustificationWrite
            | Action::HandoverOffer
            | Action::HandoverAnswer
            | Action::RuleWrite
            | Action::RequestOpen
            | Action::RequestDecide
            | Action::RequestAsk
            | Action::RequestWithdraw
            | Action::ConditionMeet
            | Action::ActingAppoint
            | Action::RetirementRow
            | Action::RetirementWaive
            | Action::ExceptionClose
            | Action::ExceptionRevoke
            | Action::ExceptionCheck
            | Action::AgentActivate
            | Action::PolicyWrite
            | Action::DelegationWrite
            | Action::ReviewOpen
            | Action::CampaignWrite
            | Action::StopMethodWrite
            | Action::StopDrill
            | Action::StopWitness
            | Action::StopPress
            | Action::StopStep
            | Action::StopReview
            | Action::TeamWrite
            | Action::SystemWrite
            | Action::NoticeSet
            | Action::ImportRun => scopes.contains(&Scope::Write),
            Action::PersonWrite => scopes.contains(&Scope::Write) || scopes.contains(&Scope::Scim),
            Action::PersonGrant
            | Action::PersonCredential
            | Action::PersonConfirm
            | Action::CalendarWrite
            | Action::SettingsWrite
            | Action::TokenManage
            | Action::SessionManage => false,
        }
}

/// Decisions that no program makes by itself. The command line records present owners
/// at set-up, and says so in the record.
const fn reserved_to_a_person(action: Action) -> bool {
    matches!(
        action,
        Action::AssignmentAnswer
            | Action::AssignmentConfirm
            | Action::ChannelTest
            | Action::ChannelProve
            | Action::DelegationWrite
            | Action::CalendarWrite
            | Action::HandoverAnswer
            | Action::PersonConfirm
            | Action::RequestOpen
            | Action::RequestDecide
            | Action::RequestAsk
            | Action::RequestWithdraw
            | Action::ConditionMeet
            | Action::ActingAppoint
            | Action::ReviewOpen
            | Action::CampaignWrite
            | Action::RetirementWaive
            | Action::ExceptionClose
            | Action::ExceptionRevoke
            | Action::ExceptionCheck
            | Action::StopWitness
            | Action::StopReview
            | Action::NoticeRead
            | Action::NoticeSet
    )
}

fn role_allows(roles: Roles, action: Action) -> bool {
    use Role::{Administrator, Auditor, Member, RiskAnalyst, SecurityLead};
    let allowed: &[Role] = match action {
        Action::AgentRead | Action::AgentExport | Action::PersonRead | Action::PolicyRead | Action::SettingsRead => {
            &[Administrator, SecurityLead, RiskAnalyst, Member, Auditor]
        }
        Action::AgentReadConfidential
        | Action::AgentReadControls
        | Action::AgentHistory
        | Action::PostureRead
        | Action::RuleRead
        | Action::RequestRead
        | Action::CampaignRead
        | Action::ExceptionRead
        | Action::AuditRead => &[SecurityLead, RiskAnalyst, Auditor],
        Action::AgentCreate => &[SecurityLead, RiskAnalyst, Member],
        Action::AgentEdit | Action::ImportRun | Action::RequestOpen | Action::ReviewOpen | Action::CampaignWrite => {
            &[SecurityLead, RiskAnalyst]
        }
        Action::AssignmentOffer
        | Action::AssignmentRecord
        | Action::AssignmentWithdraw
        | Action::OnCallWrite
        | Action::OnCallCover
        | Action::JustificationWrite
        | Action::HandoverOffer
        | Action::RuleWrite
        | Action::PolicyWrite
        | Action::StopMethodWrite
        | Action::StopPress
        | Action::StopStep
        | Action::StopReview
        | Action::RequestWithdraw
        | Action::ConditionMeet
        | Action::ActingAppoint
        | Action::RetirementRow
        | Action::RetirementWaive
        | Action::ExceptionClose
        | Action::ExceptionRevoke
        | Action::ExceptionCheck
        | Action::AgentActivate
        | Action::SystemWrite => &[SecurityLead],
        Action::AssignmentAnswer
        | Action::AssignmentConfirm
        | Action::ChannelProve
        | Action::DelegationWrite
        | Action::CalendarWrite
        | Action::HandoverAnswer
        | Action::RequestDecide
        | Action::RequestAsk
        | Action::StopDrill
        | Action::NoticeRead
        | Action::NoticeSet
        | Action::StopWitness => &[],
        Action::PersonWrite
        | Action::PersonGrant
        | Action::PersonCredential
        | Action::ChannelWrite
        | Action::SettingsWrite
        | Action::TokenManage
        | Action::SessionManage => &[Administrator],
        Action::TeamWrite
        | Action::PersonConfirm
        | Action::ChannelRead
        | Action::ChannelTest
        | Action::AbsenceWrite => &[Administrator, SecurityLead],
    };
    roles.any(allowed)
}

/// What one owns adds to one's roles, except for an auditor's: who only reads, only reads.
fn relation_allows(roles: Roles, action: Action, relation: Relation) -> bool {
    use Relation::{Delegate, FormerOwner, Owner, Requester};
    let only_auditor = roles.iter().all(|r| r == Role::Auditor) && !roles.is_empty();
    let reads = matches!(
        action,
        Action::AgentRead
            | Action::AgentReadConfidential
            | Action::AgentReadControls
            | Action::AgentHistory
            | Action::RequestRead
            | Action::CampaignRead
            | Action::ExceptionRead
            | Action::ChannelRead
    );
    // What is one's own and nobody else's stays so.
    let own = matches!(action, Action::SessionManage | Action::NoticeRead | Action::NoticeSet);
    if only_auditor && !reads && !own {
        return false;
    }
    match action {
        Action::AgentRead | Action::AgentReadConfidential | Action::AgentHistory => {
            matches!(relation, Owner | Delegate | Requester | FormerOwner)
        }
        // Of a request: whoever decides, asked or owns the agent. Of an exception, whoever looks
        // after a compensating control too.
        Action::AgentReadControls | Action::RequestRead | Action::ExceptionRead => {
            matches!(relation, Owner | Delegate | Requester)
        }
        // Of a request: its decider is the owner, whoever asked is the requester. Of an exception,
        // the owner of the control and the business owner are owners.
        Action::RequestAsk | Action::ExceptionClose => matches!(relation, Owner | Requester),
        Action::AgentEdit | Action::AssignmentOffer | Action::RequestOpen | Action::AgentActivate => {
            matches!(relation, Owner | Requester)
        }
        // A deputy stops what an owner who is away cannot; what an owner shows, they show themself.
        Action::StopMethodWrite | Action::StopPress => matches!(relation, Owner | Delegate),
        // Of a person: oneself is the owner, a colleague who may know how they are reached a
        // delegate. Of a team: lead and deputy are owners, its members delegates.
        Action::ChannelRead | Action::OnCallCover => matches!(relation, Owner | Delegate),
        Action::ChannelTest => relation == Delegate,
        // Who manages a person or leads their team asks for the absence as a requester.
        Action::AbsenceWrite => matches!(relation, Owner | Requester),
        // A deputy acts for an owner who is away; an appointment is the owner's own word.
        Action::AssignmentConfirm | Action::OnCallWrite | Action::ChannelWrite | Action::ChannelProve => {
            relation == Owner
        }
        // Of a handover, whoever leads the team, or deputises for its lead; of a campaign, whoever
        // reviews an agent of it.
        Action::AssignmentAnswer
        | Action::ReviewOpen
        | Action::CampaignRead
        | Action::HandoverOffer
        | Action::HandoverAnswer
        | Action::DelegationWrite
        | Action::CalendarWrite
        | Action::SessionManage
        | Action::StopDrill
        | Action::StopWitness
        | Action::RequestDecide
        | Action::ConditionMeet
        | Action::RetirementRow
        | Action::ExceptionRevoke
        | Action::ExceptionCheck
        | Action::NoticeRead
        | Action::NoticeSet
        | Action::StopStep => relation == Owner,
        Action::AssignmentWithdraw | Action::RequestWithdraw => matches!(relation, Requester),
        _ => false,
    }
}

/// Who could do it, for a refusal that helps.
fn who_may(action: Action) -> &'static str {
    match action {
        Action::AgentReadControls | Action::AgentReadConfidential | Action::AgentHistory => {
            "the agent's owners, security, risk and auditors"
        }
        Action::AgentCreate => "members, risk analysts and security leads",
        Action::AgentEdit | Action::RequestOpen => {
            "the agent's owners, whoever registered it, risk analysts and security leads"
        }
        Action::RequestRead => "whoever asked, the deciders, the agent's owners, security, risk and auditors",
        Action::RequestDecide => "whoever is Accountable for the step's duty",
        Action::RequestAsk => "whoever decides a step, and whoever asked",
        Action::RequestWithdraw => "whoever asked and security leads",
        Action::ConditionMeet => "the condition's owner and security leads",
        Action::RetirementRow => "the owner of the row's duty, whoever does that work, and security leads",
        Action::RetirementWaive => "security leads other than whoever asked for the retirement",
        Action::ExceptionRead => {
            "whoever asked, the deciders, the owners of its agents and compensating controls, security, risk and auditors"
        }
        Action::ExceptionClose => "the control's owner, the business owner, whoever asked and security leads",
        Action::ExceptionRevoke => "the control's owner and security leads",
        Action::ExceptionCheck => "the owner of the compensating control and security leads",
        Action::AgentActivate => "the agent's owners, whoever registered it and security leads",
        Action::ReviewOpen => "the agent's owners, risk analysts and security leads",
        Action::CampaignRead => "whoever reviews an agent of it, security, risk and auditors",
        Action::ImportRun | Action::CampaignWrite => "risk analysts and security leads",
        Action::PostureRead | Action::AuditRead | Action::RuleRead => "security leads, risk analysts and auditors",
        Action::AssignmentOffer => "the agent's owners and security leads",
        Action::AssignmentAnswer => "the party to whom it was offered",
        Action::HandoverOffer => "the lead of the team that built the agent and security leads",
        Action::HandoverAnswer => "the lead of the team that operates the agent",
        Action::AssignmentWithdraw => "whoever offered it and security leads",
        Action::AssignmentRecord
        | Action::ActingAppoint
        | Action::SystemWrite
        | Action::JustificationWrite
        | Action::RuleWrite
        | Action::PolicyWrite => "security leads",
        Action::DelegationWrite => "the person who decides otherwise, and who does not only read",
        Action::CalendarWrite => "the person whose calendar it is, and who does not only read",
        Action::AssignmentConfirm => "the owner of the duty",
        Action::NoticeRead | Action::NoticeSet => "the person to whom they were written",
        Action::OnCallWrite => "the team's lead and deputy and security leads",
        Action::OnCallCover => "the team's members and security leads",
        Action::ChannelRead | Action::ChannelTest => "colleagues of the same team, security leads and administrators",
        Action::ChannelWrite => "the person and administrators",
        Action::ChannelProve => "the person whose channel it is",
        Action::AbsenceWrite => {
            "the person, their manager, whoever leads a team of theirs, security leads and administrators"
        }
        Action::StopMethodWrite => "the agent's owners, their deputies and security leads",
        Action::StopDrill => "the present owner of the duty",
        Action::StopWitness => "the witness whom the drill names",
        Action::StopPress => {
            "anyone who holds or is on call for a duty of the agent, their deputies and security leads"
        }
        Action::StopStep => "the owner of the step's duty, whoever does that work, and security leads",
        Action::StopReview => "security leads other than the one who stopped it",
        Action::TeamWrite | Action::PersonConfirm => "administrators and security leads",
        Action::PersonWrite
        | Action::PersonGrant
        | Action::PersonCredential
        | Action::SettingsWrite
        | Action::TokenManage
        | Action::SessionManage => "administrators",
        Action::AgentRead | Action::AgentExport | Action::PersonRead | Action::PolicyRead | Action::SettingsRead => {
            "people with a role"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole matrix, role × relation × action, in one golden file: a change of rights
    /// shows up in review as changed lines. `MUSTER_BLESS=1` rewrites it.
    #[test]
    fn the_matrix_is_the_golden_one() {
        let mut text = String::from("action | role | owner delegate requester former-owner none\n");
        let mut row = |action: Action, name: &str, actor: &Actor| {
            let marks: Vec<&str> = Relation::ALL
                .iter()
                .map(|r| match can(actor, action, *r) {
                    Ok(()) => "yes",
                    Err(Denied::Hidden) => "404",
                    Err(Denied::Forbidden(_)) => "-",
                })
                .collect();
            text.push_str(&format!("{action} | {name} | {}\n", marks.join(" ")));
        };
        for &action in Action::ALL {
            for &role in Role::ALL {
                row(action, role.key(), &Actor::person(PersonId(1), Roles::NONE.with(role)));
            }
            for &scope in Scope::ALL {
                row(action, &format!("token:{scope}"), &Actor::token(TokenId(1), vec![scope]));
            }
            row(action, "nobody", &Actor::muster());
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/can.golden");
        if std::env::var_os("MUSTER_BLESS").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).unwrap();
            std::fs::write(path, &text).unwrap();
        }
        let golden = std::fs::read_to_string(path).unwrap_or_default();
        assert!(golden == text, "rights changed: run with MUSTER_BLESS=1, then read the diff of {path}");
    }

    #[test]
    fn an_auditor_changes_nothing_whatever_they_own() {
        let auditor = Actor::person(PersonId(1), Roles::NONE.with(Role::Auditor));
        for &action in Action::ALL {
            let changes = !matches!(
                action,
                Action::AgentRead
                    | Action::AgentReadConfidential
                    | Action::AgentReadControls
                    | Action::AgentExport
                    | Action::AgentHistory
                    | Action::PersonRead
                    | Action::ChannelRead
                    | Action::PostureRead
                    | Action::AuditRead
                    | Action::RuleRead
                    | Action::RequestRead
                    | Action::PolicyRead
                    | Action::CampaignRead
                    | Action::ExceptionRead
                    | Action::SettingsRead
                    | Action::SessionManage
                    | Action::NoticeRead
                    | Action::NoticeSet
            );
            if changes {
                assert!(Relation::ALL.iter().all(|r| can(&auditor, action, *r).is_err()), "{action}");
            }
        }
    }

    #[test]
    fn a_token_without_owner_is_told_what_it_needs() {
        let token = Actor::token(TokenId(1), vec![Scope::Write]);
        let refused = can(&token, Action::PersonWrite, Relation::None).unwrap_err().to_string();
        assert!(refused.contains("administrators") && refused.contains("scope admin"), "{refused}");
    }

    #[test]
    fn an_administrator_takes_no_governance_decision() {
        let admin = Actor::person(PersonId(1), Roles::NONE.with(Role::Administrator));
        for action in [Action::AssignmentOffer, Action::AssignmentRecord, Action::AgentEdit, Action::ImportRun] {
            assert!(can(&admin, action, Relation::None).is_err(), "{action}");
        }
    }
}
