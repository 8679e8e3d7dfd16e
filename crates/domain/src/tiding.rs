//! What people are told, in one place so that all of it reads alike: what happened, why you, what
//! to do, where.

use chrono::{DateTime, Utc};

use crate::duty::Duty;
use crate::finding::{Finding, FindingKey};
use crate::id::{AgentId, HandoverId, PersonId, RequestId};
use crate::notice::NoticeKind;
use crate::request::{RequestKind, RequestState};

/// Something that somebody is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiding {
    /// Of which kind: what one may mute.
    pub kind: NoticeKind,
    /// It does not wait for the morning.
    pub critical: bool,
    /// What it is about, a reference.
    pub subject: String,
    /// Once for a person and a key.
    pub key: String,
    /// What happened.
    pub what: String,
    /// Why they are told.
    pub why: String,
    /// What they can do about it.
    pub todo: String,
    /// Where.
    pub link: String,
    /// How many of the same are told as one: after their number, and where all of them are.
    pub many: (String, String),
}

/// Stands in a link for the reference of whoever is told.
pub const ME: &str = "{me}";

/// How many references a notice about many names.
const NAMED: usize = 3;

impl Tiding {
    fn new(kind: NoticeKind, subject: impl ToString, key: impl Into<String>) -> Self {
        Self {
            kind,
            critical: false,
            subject: subject.to_string(),
            key: key.into(),
            what: String::new(),
            why: String::new(),
            todo: String::new(),
            link: "/".to_owned(),
            many: (String::new(), "/".to_owned()),
        }
    }

    fn says(mut self, what: impl Into<String>, why: impl Into<String>, todo: impl Into<String>) -> Self {
        (self.what, self.why, self.todo) = (what.into(), why.into(), todo.into());
        self
    }

    fn at(mut self, link: impl Into<String>) -> Self {
        self.link = link.into();
        self.many.1.clone_from(&self.link);
        self
    }

    /// Many of the same: what stands after their number, and where they are listed.
    fn many(mut self, words: impl Into<String>, link: impl Into<String>) -> Self {
        self.many = (words.into(), link.into());
        self
    }

    fn loud(mut self, critical: bool) -> Self {
        self.critical = critical;
        self
    }

    /// One for all of these, which are of one kind and to one person: how many, of what, and where
    /// they are listed. What is told of one thing several times counts once.
    pub fn folded(mut list: Vec<Self>) -> Option<Self> {
        let mut seen = std::collections::BTreeSet::new();
        list.retain(|t| seen.insert(t.subject.clone()));
        let count = list.len();
        let critical = list.iter().any(|t| t.critical);
        let named: Vec<&str> = list.iter().take(NAMED).map(|t| t.subject.as_str()).collect();
        let rest = count.saturating_sub(named.len());
        let named = if rest == 0 { named.join(", ") } else { format!("{} and {rest} more", named.join(", ")) };
        let first = list.first()?;
        if count == 1 {
            return Some(Self { critical, ..first.clone() });
        }
        Some(Self {
            critical,
            key: format!("{}+{}", first.key, count - 1),
            what: format!("{count} {}: {named}.", first.many.0),
            link: first.many.1.clone(),
            ..first.clone()
        })
    }

    /// With the reference of whoever is told in its links.
    #[must_use]
    pub fn to(mut self, person: PersonId) -> Self {
        self.link = self.link.replace(ME, &person.to_string());
        self
    }
}

/// How an agent is called. What leaves Muster never names a confidential one.
pub fn called(id: AgentId, name: &str, confidential: bool) -> String {
    match name.trim() {
        name if !confidential && !name.is_empty() => format!("“{name}” ({id})"),
        _ => id.to_string(),
    }
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%-d %B %Y").to_string()
}

/// The page of a request.
fn page(kind: RequestKind, id: RequestId) -> String {
    match kind {
        RequestKind::Review => format!("/reviews/{id}"),
        RequestKind::Retirement => format!("/retirements/{id}"),
        RequestKind::Approval | RequestKind::ScopeChange | RequestKind::Resumption => format!("/requests/{id}"),
    }
}

fn list(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Review => "/reviews",
        RequestKind::Retirement => "/retirements",
        RequestKind::Approval | RequestKind::ScopeChange | RequestKind::Resumption => "/approvals",
    }
}

fn noun(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Approval => "approval",
        RequestKind::ScopeChange => "change of scope",
        RequestKind::Resumption => "resumption",
        RequestKind::Review => "review",
        RequestKind::Retirement => "retirement",
    }
}

/// A step of a request that nobody decided yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenStep {
    /// The request.
    pub request: RequestId,
    /// What is asked.
    pub kind: RequestKind,
    /// The step's number.
    pub place: i64,
    /// Whose owner decides.
    pub duty: Duty,
    /// How the agent is called.
    pub agent: String,
    /// Until when.
    pub due_at: DateTime<Utc>,
}

impl OpenStep {
    fn tiding(&self, kind: NoticeKind, key: &str) -> Tiding {
        let key = format!("{}/{}/{key}", self.request, self.place);
        Tiding::new(kind, self.request, key).at(page(self.kind, self.request))
    }

    fn title(&self) -> String {
        self.duty.owner_title().to_lowercase()
    }

    fn why(&self) -> String {
        format!("You decide for the {}.", self.title())
    }

    /// It waits for somebody's decision now.
    pub fn waits(&self, person: PersonId) -> Tiding {
        let (noun, agent) = (noun(self.kind), &self.agent);
        let (kind, todo) = match self.kind {
            RequestKind::Review => (NoticeKind::ReviewDue, "Attest it, ask for a change, or have it retired"),
            RequestKind::Retirement => (NoticeKind::DecisionWaits, "Sign once every row of its checklist is closed"),
            _ => (NoticeKind::DecisionWaits, "Approve, approve with conditions, ask, or reject"),
        };
        let what = match self.kind {
            RequestKind::Review => format!("{agent} is to be reviewed ({}).", self.request),
            _ => format!("The {noun} of {agent} waits for you ({}).", self.request),
        };
        let many = match self.kind {
            RequestKind::Review => "reviews wait for you",
            RequestKind::Retirement => "retirements wait for your signature",
            _ => "decisions wait for you",
        };
        self.tiding(kind, &format!("waits/{person}"))
            .says(what, self.why(), format!("{todo}, by {}.", day(self.due_at)))
            .many(many, list(self.kind))
    }

    /// Nobody can decide it: the capacity is vacant.
    pub fn vacant(&self) -> Tiding {
        let (noun, agent, title) = (noun(self.kind), &self.agent, self.title());
        self.tiding(NoticeKind::DecisionEscalated, "vacant")
            .says(
                format!("Nobody can decide the {noun} of {agent} for the {title} ({}).", self.request),
                "You are security lead, and the capacity is vacant.",
                "Assign an owner, or appoint who decides meanwhile.",
            )
            .many("decisions wait for nobody", "/approvals?view=vacant")
    }

    /// It is due soon.
    pub fn soon(&self) -> Tiding {
        let (noun, agent) = (noun(self.kind), &self.agent);
        self.tiding(NoticeKind::DecisionDue, "soon")
            .says(
                format!("The {noun} of {agent} is due on {} ({}).", day(self.due_at), self.request),
                self.why(),
                "Decide, or ask what you must know.",
            )
            .many("decisions are due soon", list(self.kind))
    }

    /// It is overdue.
    pub fn due(&self) -> Tiding {
        let (noun, agent) = (noun(self.kind), &self.agent);
        self.tiding(NoticeKind::DecisionDue, "due")
            .says(
                format!("The {noun} of {agent} was due on {} ({}).", day(self.due_at), self.request),
                self.why(),
                "Decide, or delegate it; otherwise it is told to your manager and to security.",
            )
            .many("decisions are overdue", list(self.kind))
    }

    /// It is long overdue: told to the decider's manager, with the decider's name, or to security.
    pub fn escalated(&self, decider: Option<&str>, manager: bool) -> Tiding {
        let (noun, agent, title) = (noun(self.kind), &self.agent, self.title());
        let who = decider.map_or_else(|| format!("the {title} (vacant)"), str::to_owned);
        let why = match (manager, decider) {
            (true, Some(name)) => format!("You are the manager of {name}."),
            _ => "You are security lead.".to_owned(),
        };
        let todo = match decider {
            Some(_) => "Ask them to decide or to delegate. Silence approves nothing.",
            None => "Assign an owner, or appoint who decides meanwhile. Silence approves nothing.",
        };
        self.tiding(NoticeKind::DecisionEscalated, if manager { "escalated-to-manager" } else { "escalated" })
            .says(
                format!(
                    "The {noun} of {agent} waits for {who} and was due on {} ({}).",
                    day(self.due_at),
                    self.request
                ),
                why,
                todo,
            )
            .many("decisions are long overdue", "/approvals")
    }

    /// The request lapses soon: told to whom it waits for, or to who asked.
    pub fn lapses(&self, lapses_at: DateTime<Utc>, asked: bool) -> Tiding {
        let (noun, agent) = (noun(self.kind), &self.agent);
        let (key, why, todo) = match asked {
            true => ("lapses-asked", "You asked for it.".to_owned(), "Ask those who have not decided yet."),
            false => ("lapses", self.why(), "Decide before, or it ends without a decision."),
        };
        self.tiding(NoticeKind::DecisionDue, key)
            .says(
                format!("The {noun} of {agent} lapses on {} ({}).", day(lapses_at), self.request),
                why,
                todo,
            )
            .many("requests lapse soon", list(self.kind))
    }
}

/// A request ended: told to who asked.
pub fn request_ended(id: RequestId, kind: RequestKind, agent: &str, state: RequestState, why: &str) -> Tiding {
    let noun = noun(kind);
    let how = match state {
        RequestState::Open => "waits again".to_owned(),
        RequestState::Approved => "was approved".to_owned(),
        RequestState::Rejected => "was rejected".to_owned(),
        RequestState::Withdrawn => "was taken back".to_owned(),
        RequestState::Voided => "is void".to_owned(),
        RequestState::Lapsed => "lapsed".to_owned(),
        RequestState::Completed => "is completed".to_owned(),
    };
    let todo = match state {
        RequestState::Rejected => "Read why, mend it, and ask again.",
        RequestState::Voided | RequestState::Lapsed => "Ask again if it is still wanted.",
        RequestState::Approved if kind == RequestKind::Approval => "Bring it into use once it can be stopped.",
        _ => "Nothing is left to do.",
    };
    let what = match why {
        "" => format!("The {noun} of {agent} {how} ({id})."),
        why => format!("The {noun} of {agent} {how} ({id}): {}.", why.trim_end_matches('.')),
    };
    Tiding::new(NoticeKind::RequestEnded, id, format!("{id}/ended"))
        .says(what, "You asked for it.", todo)
        .at(page(kind, id))
        .many("of your requests ended", list(kind))
}

/// A decider asks something: told to who asked for the request.
pub fn asked(id: RequestId, kind: RequestKind, agent: &str, number: i64, words: &str) -> Tiding {
    Tiding::new(NoticeKind::QuestionAsked, id, format!("{id}/asked/{number}"))
        .says(
            format!("Before deciding on {agent} somebody asks: “{}”", short(words)),
            "You asked for it.",
            "Answer on the request's page.",
        )
        .at(page(kind, id))
}

/// A question was answered: told to who asked it.
pub fn answered(id: RequestId, kind: RequestKind, agent: &str, number: i64, words: &str) -> Tiding {
    Tiding::new(NoticeKind::QuestionAnswered, id, format!("{id}/answered/{number}"))
        .says(
            format!("Your question about {agent} was answered: “{}”", short(words)),
            "You asked it.",
            "Decide on the request's page.",
        )
        .at(page(kind, id))
}

fn short(words: &str) -> String {
    const MOST: usize = 160;
    let flat = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= MOST { flat } else { flat.chars().take(MOST).chain(['…']).collect() }
}

/// A duty of an agent or a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Its reference.
    pub of: String,
    /// How it is called.
    pub called: String,
    /// Its page.
    pub page: String,
    /// The duty.
    pub duty: Duty,
    /// The number of the assignment.
    pub number: i64,
}

impl Post {
    fn title(&self) -> String {
        self.duty.owner_title().to_lowercase()
    }

    fn tiding(&self, kind: NoticeKind, key: &str) -> Tiding {
        Tiding::new(kind, &self.of, format!("{}/{}/{key}", self.of, self.number)).at(self.page.clone())
    }

    /// The duty is offered.
    pub fn offered(&self) -> Tiding {
        let (title, called) = (self.title(), &self.called);
        self.tiding(NoticeKind::OwnershipOffered, "offered")
            .says(
                format!("You are asked to be {title} of {called}."),
                format!("Whoever accepts answers for it: {}.", self.duty.answers_for()),
                "Accept, or decline with the reason. Until then it is not yours.",
            )
            .at("/")
            .many("duties are offered to you", "/")
    }

    /// An offer was answered: told to who made it.
    pub fn accepted(&self, by: &str) -> Tiding {
        let (title, called) = (self.title(), &self.called);
        self.tiding(NoticeKind::OwnershipEnded, "accepted")
            .says(format!("{by} is {title} of {called} now."), "You offered it.", "Nothing is left to do.")
            .many("duties that you offered were accepted", "/agents")
    }

    /// An offer was declined: told to who made it.
    pub fn declined(&self, by: &str, why: &str) -> Tiding {
        let (title, called) = (self.title(), &self.called);
        self.tiding(NoticeKind::OwnershipEnded, "declined")
            .says(
                format!("{by} declined to be {title} of {called}: “{}”", short(why)),
                "You offered it.",
                "Offer it to somebody else.",
            )
            .many("duties that you offered were declined", "/agents")
    }

    /// Somebody else holds the duty now: told to who held it.
    pub fn passed_on(&self, to: &str) -> Tiding {
        let (title, called) = (self.title(), &self.called);
        self.tiding(NoticeKind::OwnershipEnded, "passed-on")
            .says(
                format!("{to} accepted to be {title} of {called}."),
                "You were, until then.",
                "Hand over what only you know.",
            )
            .many("duties of yours passed on to others", "/agents")
    }

    /// An offer was taken back: told to whom it was made.
    pub fn withdrawn(&self) -> Tiding {
        let (title, called) = (self.title(), &self.called);
        self.tiding(NoticeKind::OwnershipEnded, "withdrawn")
            .says(
                format!("You are no longer asked to be {title} of {called}."),
                "It was offered to you.",
                "Nothing is left to do.",
            )
            .many("duties are not offered to you any more", "/")
    }

    /// An offer lapsed: told to who made it.
    pub fn lapsed(&self, to: &str) -> Tiding {
        let (title, called) = (self.title(), &self.called);
        self.tiding(NoticeKind::OwnershipEnded, "lapsed")
            .says(
                format!("{to} did not answer the offer to be {title} of {called}, so it lapsed."),
                "You offered it.",
                "Offer it to somebody else, or ask them and offer it again.",
            )
            .many("duties that you offered lapsed unanswered", "/agents")
    }
}

/// Offers that nobody answered for ten days: told to whom they were made, to who made them, and
/// to security.
pub fn unanswered(party: &str, name: &str, count: i64, offered_at: DateTime<Utc>, whose: Unanswered) -> Tiding {
    let duties = if count == 1 { "1 duty".to_owned() } else { format!("{count} duties") };
    let since = day(offered_at);
    let key = |who: &str| format!("{party}/unanswered/{}/{who}", offered_at.timestamp_micros());
    let made = format!("{name} has not answered an offer of {since}: {duties}.");
    match whose {
        Unanswered::Addressee => Tiding::new(NoticeKind::OfferLapsing, party, key("asked"))
            .says(
                format!("You have not answered an offer of {since}: {duties}."),
                "Until somebody accepts, nobody answers for it.",
                "Accept, or decline with the reason.",
            )
            .many("offers wait for your answer", "/"),
        Unanswered::Maker => Tiding::new(NoticeKind::OfferLapsing, party, key("made"))
            .says(made, "You made it.", "Ask them, or offer it to somebody else. It lapses after 30 days.")
            .many("parties have not answered your offers", "/agents?runtime_owner=pending"),
        Unanswered::Security => Tiding::new(NoticeKind::OfferLapsing, party, key("security"))
            .says(made, "You are security lead.", "Ask them, or assign it to somebody else.")
            .at("/agents?runtime_owner=pending")
            .many("parties have not answered offers", "/agents?runtime_owner=pending"),
    }
}

/// To whom an unanswered offer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// Whom it was made.
    Addressee,
    /// Who made it.
    Maker,
    /// Security leads.
    Security,
}

/// A handover between the team that built an agent and the team that operates it.
pub fn handover_offered(id: HandoverId, agent: AgentId, called: &str, from: &str) -> Tiding {
    Tiding::new(NoticeKind::HandoverOffered, id, format!("{id}/offered"))
        .says(
            format!("{from} hands {called} over to your team."),
            "You lead the team that operates it.",
            "Accept it, or decline and say what is missing.",
        )
        .at(format!("/agents/{agent}/handover"))
        .many("agents are handed over to your team", "/")
}

/// A handover was answered, or taken back.
pub fn handover_ended(id: HandoverId, agent: AgentId, called: &str, how: &str, reason: &str) -> Tiding {
    let reason = if reason.is_empty() { ".".to_owned() } else { format!(": “{}”", short(reason)) };
    Tiding::new(NoticeKind::HandoverOffered, id, format!("{id}/ended"))
        .says(
            format!("The handover of {called} was {how}{reason}"),
            "You lead one of its two teams.",
            "Look at what is left to do on its page.",
        )
        .at(format!("/agents/{agent}/handover"))
        .many("handovers of your team were answered", "/")
}

/// Somebody names a person as witness of a stop drill.
pub fn witness_asked(delivery: &str, agent: AgentId, called: &str, by: &str) -> Tiding {
    Tiding::new(NoticeKind::DrillDue, agent, format!("{delivery}/witness"))
        .says(
            format!("{by} says that you watched a stop drill of {called}."),
            "You are named as its witness; without your word it does not count.",
            "Say what you saw, on your home page.",
        )
        .at("/")
        .many("stop drills wait for your word as witness", "/")
}

/// Somebody decides in another's place from now on, or from a day that is still to come.
pub fn delegated(number: i64, from: &str, since: DateTime<Utc>, until: DateTime<Utc>, why: &str) -> Tiding {
    Tiding::new(NoticeKind::Account, "delegation", format!("delegation/{number}"))
        .says(
            format!("You decide for {from} from {} until {}: “{}”", day(since), day(until), short(why)),
            "They delegated to you, and remain accountable.",
            "What waits for them is among your approvals meanwhile.",
        )
        .at("/approvals")
}

/// An agent was stopped at once.
pub fn stopped(agent: AgentId, called: &str, stop: i64, by: &str, why: &str, by_hand: bool) -> Tiding {
    let todo = if by_hand {
        "No webhook pauses it: carry out the written procedure now, and see the steps that are open."
    } else {
        "See the steps that are open on its stop page."
    };
    Tiding::new(NoticeKind::AgentStopped, agent, format!("{agent}/stopped/{stop}"))
        .says(format!("{by} stopped {called}: “{}”", short(why)), "You answer for a part of it.", todo)
        .at(format!("/agents/{agent}/stop"))
        .many("agents that you answer for were stopped", "/agents?state=suspended&owner={me}")
        .loud(true)
}

/// Somebody left who held duties.
pub fn left(person: PersonId, name: &str, agents: usize, at: DateTime<Utc>) -> Tiding {
    let count = if agents == 1 { "1 agent".to_owned() } else { format!("{agents} agents") };
    Tiding::new(NoticeKind::OwnershipEnded, person, format!("{person}/left/{}", at.timestamp_micros()))
        .says(
            format!("{name} has left and answered for a part of {count}."),
            "You are security lead, and nothing is handed over by itself.",
            "Hand over what they had, on their page.",
        )
        .at(format!("/people/{person}"))
        .many("people left who answered for agents", "/people")
}

/// Something waits for a second person.
pub fn second_person(proposal: i64, what: &str, by: &str, until: DateTime<Utc>, link: &str) -> Tiding {
    Tiding::new(NoticeKind::DecisionWaits, format!("proposal {proposal}"), format!("proposal/{proposal}"))
        .says(
            format!("{what}, and needs a second person. {by} asked."),
            "You are administrator or security lead.",
            format!("Confirm or refuse it by {}.", day(until)),
        )
        .at(link)
        .many("proposals wait for a second person", "/people")
}

/// The retirement of an agent has started: told to whoever has a row of its checklist.
pub fn retirement_started(id: RequestId, called: &str, why: &str) -> Tiding {
    Tiding::new(NoticeKind::DecisionWaits, id, format!("{id}/started"))
        .says(
            format!("The retirement of {called} has started ({id}): “{}”", short(why)),
            "Rows of its checklist are yours to do.",
            "See which, do them, and leave the evidence.",
        )
        .at(format!("/retirements/{id}"))
        .many("retirements have started with rows that are yours", "/retirements")
}

/// A finding that began by the clock alone: told to who can mend it. `until` is the instant at
/// which it began.
pub fn began(agent: AgentId, called: &str, finding: &Finding, runs: bool) -> Tiding {
    let key = finding.key;
    let kind = match key {
        FindingKey::ReviewOverdue => NoticeKind::ReviewDue,
        FindingKey::RuntimeOwnerUntested => NoticeKind::DrillDue,
        FindingKey::OwnershipUnconfirmed => NoticeKind::ConfirmationDue,
        FindingKey::ConditionOverdue => NoticeKind::ConditionDue,
        _ => NoticeKind::FindingRaised,
    };
    let why = match key {
        FindingKey::OwnershipUnconfirmed => "You answer for it.".to_owned(),
        FindingKey::ConditionOverdue => "You were to do it.".to_owned(),
        _ => format!("You answer for it as {}, or lead security while nobody does.", mender(key).owner_title().to_lowercase()),
    };
    let link = match key {
        FindingKey::OwnershipUnconfirmed => "/still-yours".to_owned(),
        FindingKey::RuntimeOwnerUntested | FindingKey::StopReviewOverdue => format!("/agents/{agent}/stop"),
        _ => format!("/agents/{agent}"),
    };
    let all = match key {
        FindingKey::OwnershipUnconfirmed => "/still-yours".to_owned(),
        FindingKey::ReviewOverdue => "/reviews".to_owned(),
        _ => format!("/agents?finding={key}"),
    };
    Tiding::new(kind, agent, format!("{agent}/{key}/{}", finding.from.timestamp_micros()))
        .says(
            format!("{called}: {}", lower_first(&finding.sentence())),
            why,
            format!("{}.", finding.fix_label()),
        )
        .at(link)
        .many(format!("agents: {}", lower_first(key.label())), all)
        .loud(runs && key == FindingKey::NoRuntimeOwner)
}

fn lower_first(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}

/// Whose owner can mend a finding that the clock brings about.
pub const fn mender(key: FindingKey) -> Duty {
    match key {
        FindingKey::RuntimeOwnerUntested | FindingKey::OwnerUnreachable | FindingKey::RuntimeOwnerUnable => {
            Duty::Containment
        }
        FindingKey::ReviewOverdue => Duty::Review,
        FindingKey::StopReviewOverdue | FindingKey::JustificationEnded => Duty::Policy,
        _ => Duty::Purpose,
    }
}

/// Whether somebody is told when a finding begins by the clock. Late decisions have alarms of their
/// own; what begins by a change is told of by the change.
pub const fn told(key: FindingKey) -> bool {
    matches!(
        key,
        FindingKey::ReviewOverdue
            | FindingKey::RuntimeOwnerUntested
            | FindingKey::OwnershipUnconfirmed
            | FindingKey::ConditionOverdue
            | FindingKey::NoRuntimeOwner
            | FindingKey::OwnerUnreachable
            | FindingKey::ApprovalDue
            | FindingKey::StopReviewOverdue
            | FindingKey::JustificationEnded
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(day * 86_400, 0).unwrap()
    }

    fn step(n: i64) -> OpenStep {
        OpenStep {
            request: RequestId(n),
            kind: RequestKind::Review,
            place: 1,
            duty: Duty::Review,
            agent: called(AgentId(n), "Parcel sorter", n % 2 == 0),
            due_at: at(20_000),
        }
    }

    #[test]
    fn many_of_one_kind_are_told_as_one_with_a_count_and_the_list() {
        let five = (1..=5).map(|n| step(n).waits(PersonId(7))).collect();
        let told = Tiding::folded(five).unwrap();
        assert_eq!(told.what, "5 reviews wait for you: RQ-1, RQ-2, RQ-3 and 2 more.");
        assert_eq!(told.link, "/reviews");
        assert_eq!(told.key, "RQ-1/1/waits/PE-7+4");
    }

    #[test]
    fn one_is_told_as_itself_and_what_is_said_twice_of_one_thing_counts_once() {
        let one = step(1).waits(PersonId(7));
        assert_eq!(Tiding::folded(vec![one.clone(), OpenStep { place: 2, ..step(1) }.waits(PersonId(7))]), Some(one));
        assert_eq!(Tiding::folded(Vec::new()), None);
    }

    #[test]
    fn a_confidential_agent_is_never_named() {
        assert_eq!(called(AgentId(3), "Parcel sorter", false), "“Parcel sorter” (AG-3)");
        assert_eq!(called(AgentId(3), "Parcel sorter", true), "AG-3");
        assert_eq!(called(AgentId(3), " ", false), "AG-3");
        assert!(!step(2).escalated(Some("Ada"), true).what.contains("Parcel"));
    }

    #[test]
    fn every_finding_that_is_told_names_what_to_do_without_haste_or_blame() {
        for key in FindingKey::ALL.iter().copied().filter(|k| told(*k)) {
            let severity = crate::finding::Severity::High;
            let finding =
                Finding { key, duty: None, severity, from: at(1), until: None, detail: "something".to_owned() };
            let told = began(AgentId(1), "AG-1", &finding, true);
            assert!(told.what.ends_with('.') && told.todo.ends_with('.') && told.why.ends_with('.'), "{told:?}");
            assert!(!format!("{told:?}").contains('!'), "{told:?}");
            assert_eq!(told.critical, key == FindingKey::NoRuntimeOwner);
        }
    }
}
