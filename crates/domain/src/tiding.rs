//! What people are told, in one place so that all of it reads alike: what happened, why you, what
//! to do, where.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::duty::Duty;
use crate::exception::{Compensating, Exception};
use crate::finding::{Finding, FindingKey};
use crate::id::{AgentId, HandoverId, PersonId, RequestId};
use crate::notice::NoticeKind;
use crate::request::{RequestKind, RequestState};
use crate::system::Subject;

/// Something that somebody is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiding {
    /// Of which kind: what one may mute.
    pub kind: NoticeKind,
    /// It does not wait for the morning.
    pub critical: bool,
    /// Whoever acts is told too: it is not their act that it tells of.
    pub to_actor: bool,
    /// What it is about, a reference.
    pub subject: String,
    /// The agent or system for whose name [`CALLED`] stands in its sentences.
    pub of: Option<Subject>,
    /// Once for a person and a key.
    pub key: String,
    /// What counts once where many are told as one.
    pub once: String,
    /// What happened.
    pub what: String,
    /// Why they are told.
    pub why: String,
    /// What they can do about it.
    pub todo: String,
    /// Where.
    pub link: String,
    /// How many of the same are told as one: after their number, and where all of them are.
    /// Empty for what is never told so.
    pub many: (String, String),
}

/// Stands in a link for the reference of whoever is told. No text that is kept holds it.
pub const ME: char = '\u{1e}';

/// Stands in a sentence for how the agent or system is called. No text that is kept holds it.
pub const CALLED: char = '\u{1f}';

/// How many references a notice about many names.
const NAMED: usize = 3;

impl Tiding {
    fn new(kind: NoticeKind, subject: impl ToString, key: impl Into<String>) -> Self {
        let key = key.into();
        Self {
            kind,
            critical: false,
            to_actor: false,
            subject: subject.to_string(),
            of: None,
            once: key.clone(),
            key,
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
        self
    }

    fn of(mut self, of: impl Into<Subject>) -> Self {
        self.of = Some(of.into());
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

    /// What is told as one with others to the same person.
    pub fn group(&self) -> (NoticeKind, &str) {
        (self.kind, if self.many.0.is_empty() { &self.key } else { &self.many.0 })
    }
}

/// What is told somebody as one: a tiding, and how many more of its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    first: Tiding,
    critical: bool,
    named: Vec<String>,
    more: bool,
    seen: BTreeSet<String>,
}

impl Letter {
    /// A letter about one.
    pub fn new(first: Tiding) -> Self {
        let seen = BTreeSet::from([first.once.clone()]);
        Self { critical: first.critical, named: vec![first.subject.clone()], more: false, seen, first }
    }

    /// One more of its group. What counts once and is there already adds nothing.
    pub fn add(&mut self, next: &Tiding) {
        self.critical |= next.critical;
        if self.seen.insert(next.once.clone()) {
            self.name(&next.subject);
        }
    }

    /// All of another letter of its group.
    pub fn join(&mut self, other: &Self) {
        self.critical |= other.critical;
        self.seen.extend(other.seen.iter().cloned());
        for subject in &other.named {
            self.name(subject);
        }
        self.more |= other.more;
    }

    fn name(&mut self, subject: &str) {
        if !self.named.iter().any(|n| n == subject) {
            if self.named.len() < NAMED {
                self.named.push(subject.to_owned());
            } else {
                self.more = true;
            }
        }
    }

    /// Whoever acts is told too.
    pub const fn to_actor(&self) -> bool {
        self.first.to_actor
    }

    /// What is told: of one, itself; of many, how many of what, and where they are listed.
    pub fn tiding(&self) -> Tiding {
        let first = Tiding { critical: self.critical, ..self.first.clone() };
        let count = self.seen.len();
        if count == 1 {
            return first;
        }
        let more = if self.more { " and more" } else { "" };
        Tiding {
            key: format!("{}+{}", first.key, count - 1),
            of: None,
            what: format!("{count} {}: {}{more}.", first.many.0, self.named.join(", ")),
            link: first.many.1.clone(),
            ..first
        }
    }
}

/// How an agent or system is called where everybody told of it may know its name.
pub fn called(of: Subject, name: &str, confidential: bool) -> String {
    match name.trim() {
        name if !confidential && !name.is_empty() => format!("“{name}” ({of})"),
        _ => of.to_string(),
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
        RequestKind::Approval | RequestKind::ScopeChange | RequestKind::Resumption | RequestKind::Exception => {
            format!("/requests/{id}")
        }
    }
}

fn list(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Review => "/reviews",
        RequestKind::Retirement => "/retirements",
        RequestKind::Approval | RequestKind::ScopeChange | RequestKind::Resumption | RequestKind::Exception => {
            "/approvals"
        }
    }
}

fn noun(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Approval => "approval",
        RequestKind::ScopeChange => "change of scope",
        RequestKind::Resumption => "resumption",
        RequestKind::Review => "review",
        RequestKind::Retirement => "retirement",
        RequestKind::Exception => "exception",
    }
}

/// A step of a request that nobody decided yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenStep {
    /// The request.
    pub request: RequestId,
    /// What is asked.
    pub kind: RequestKind,
    /// The step's number.
    pub place: i64,
    /// Whose owner decides.
    pub duty: Duty,
    /// The agent.
    pub agent: AgentId,
    /// Until when.
    pub due_at: DateTime<Utc>,
}

impl OpenStep {
    fn tiding(&self, kind: NoticeKind, key: &str) -> Tiding {
        let key = format!("{}/{}/{key}", self.request, self.place);
        let tiding = Tiding::new(kind, self.request, key).at(page(self.kind, self.request)).of(self.agent);
        Tiding { once: self.request.to_string(), ..tiding }
    }

    fn title(&self) -> String {
        self.duty.owner_title().to_lowercase()
    }

    fn why(&self) -> String {
        format!("You decide for the {}.", self.title())
    }

    /// It waits for somebody's decision now.
    pub fn waits(&self, person: PersonId) -> Tiding {
        let noun = noun(self.kind);
        let (kind, todo) = match self.kind {
            RequestKind::Review => (NoticeKind::ReviewDue, "Attest it, ask for a change, or have it retired"),
            RequestKind::Retirement => (NoticeKind::DecisionWaits, "Sign once every row of its checklist is closed"),
            RequestKind::Exception => (NoticeKind::DecisionWaits, "Approve, ask, or reject"),
            _ => (NoticeKind::DecisionWaits, "Approve, approve with conditions, ask, or reject"),
        };
        let what = match self.kind {
            RequestKind::Review => format!("{CALLED} is to be reviewed ({}).", self.request),
            _ => format!("The {noun} of {CALLED} waits for you ({}).", self.request),
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
        let (noun, title) = (noun(self.kind), self.title());
        self.tiding(NoticeKind::DecisionEscalated, "vacant")
            .says(
                format!("Nobody can decide the {noun} of {CALLED} for the {title} ({}).", self.request),
                "You are security lead, and the capacity is vacant.",
                "Assign an owner, or appoint who decides meanwhile.",
            )
            .many("decisions wait for nobody", "/approvals?view=vacant")
    }

    /// It is due soon.
    pub fn soon(&self) -> Tiding {
        let noun = noun(self.kind);
        self.tiding(NoticeKind::DecisionDue, "soon")
            .says(
                format!("The {noun} of {CALLED} is due on {} ({}).", day(self.due_at), self.request),
                self.why(),
                "Decide, or ask what you must know.",
            )
            .many("decisions are due soon", list(self.kind))
    }

    /// It is overdue.
    pub fn due(&self) -> Tiding {
        let noun = noun(self.kind);
        self.tiding(NoticeKind::DecisionDue, "due")
            .says(
                format!("The {noun} of {CALLED} was due on {} ({}).", day(self.due_at), self.request),
                self.why(),
                "Decide, or delegate it; otherwise it is told to your manager and to security.",
            )
            .many("decisions are overdue", list(self.kind))
    }

    /// It is long overdue: told to the decider's manager, with the decider's name, or to security.
    pub fn escalated(&self, decider: Option<&str>, manager: bool) -> Tiding {
        let (noun, title) = (noun(self.kind), self.title());
        let who = decider.map_or_else(|| format!("the {title} (vacant)"), str::to_owned);
        let why = match (manager, decider) {
            (true, Some(name)) => format!("You are the manager of {name}."),
            _ => "You are security lead.".to_owned(),
        };
        let todo = match decider {
            Some(_) => "Ask them to decide or to delegate. Silence approves nothing.",
            None => "Assign an owner, or appoint who decides meanwhile. Silence approves nothing.",
        };
        self.tiding(NoticeKind::DecisionEscalated, "escalated")
            .says(
                format!(
                    "The {noun} of {CALLED} waits for {who} and was due on {} ({}).",
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
        let noun = noun(self.kind);
        let (key, why, todo) = if asked {
            ("lapses-asked", "You asked for it.".to_owned(), "Ask those who have not decided yet.")
        } else {
            ("lapses", self.why(), "Decide before, or it ends without a decision.")
        };
        self.tiding(NoticeKind::DecisionDue, key)
            .says(format!("The {noun} of {CALLED} lapses on {} ({}).", day(lapses_at), self.request), why, todo)
            .many("requests lapse soon", list(self.kind))
    }
}

/// A request ended: told to who asked.
pub fn request_ended(id: RequestId, kind: RequestKind, agent: AgentId, state: RequestState, why: &str) -> Tiding {
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
        "" => format!("The {noun} of {CALLED} {how} ({id})."),
        why => format!("The {noun} of {CALLED} {how} ({id}): {}.", why.trim_end_matches('.')),
    };
    Tiding::new(NoticeKind::RequestEnded, id, format!("{id}/ended"))
        .of(agent)
        .says(what, "You asked for it.", todo)
        .at(page(kind, id))
        .many("of your requests ended", list(kind))
}

/// A decider asks something: told to who asked for the request.
pub fn asked(id: RequestId, kind: RequestKind, agent: AgentId, number: i64, words: &str) -> Tiding {
    Tiding::new(NoticeKind::QuestionAsked, id, format!("{id}/asked/{number}"))
        .of(agent)
        .says(
            format!("Before deciding on {CALLED} somebody asks: “{}”", short(words)),
            "You asked for it.",
            "Answer on the request's page.",
        )
        .at(page(kind, id))
}

/// A question was answered: told to who asked it.
pub fn answered(id: RequestId, kind: RequestKind, agent: AgentId, number: i64, words: &str) -> Tiding {
    Tiding::new(NoticeKind::QuestionAnswered, id, format!("{id}/answered/{number}"))
        .of(agent)
        .says(
            format!("Your question about {CALLED} was answered: “{}”", short(words)),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Post {
    /// Of what.
    pub of: Subject,
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
        Tiding::new(kind, self.of, format!("{}/{}/{key}", self.of, self.number)).at(self.of.href()).of(self.of)
    }

    /// The duty is offered.
    pub fn offered(&self) -> Tiding {
        let title = self.title();
        self.tiding(NoticeKind::OwnershipOffered, "offered")
            .says(
                format!("You are asked to be {title} of {CALLED}."),
                format!("Whoever accepts answers for it: {}.", self.duty.answers_for()),
                "Accept, or decline with the reason. Until then it is not yours.",
            )
            .at("/")
            .many("duties are offered to you", "/")
    }

    /// An offer was answered: told to who made it.
    pub fn accepted(&self, by: &str) -> Tiding {
        let title = self.title();
        self.tiding(NoticeKind::OwnershipEnded, "accepted")
            .says(format!("{by} is {title} of {CALLED} now."), "You offered it.", "Nothing is left to do.")
            .many("duties that you offered were accepted", "/agents")
    }

    /// An offer was declined: told to who made it.
    pub fn declined(&self, by: &str, why: &str) -> Tiding {
        let title = self.title();
        self.tiding(NoticeKind::OwnershipEnded, "declined")
            .says(
                format!("{by} declined to be {title} of {CALLED}: “{}”", short(why)),
                "You offered it.",
                "Offer it to somebody else.",
            )
            .many("duties that you offered were declined", "/agents")
    }

    /// Somebody else holds the duty now: told to who held it.
    pub fn passed_on(&self, to: &str) -> Tiding {
        let title = self.title();
        self.tiding(NoticeKind::OwnershipEnded, "passed-on")
            .says(
                format!("{to} accepted to be {title} of {CALLED}."),
                "You were, until then.",
                "Hand over what only you know.",
            )
            .many("duties of yours passed on to others", "/agents")
    }

    /// An offer was taken back: told to whom it was made.
    pub fn withdrawn(&self) -> Tiding {
        let title = self.title();
        self.tiding(NoticeKind::OwnershipEnded, "withdrawn")
            .says(
                format!("You are no longer asked to be {title} of {CALLED}."),
                "It was offered to you.",
                "Nothing is left to do.",
            )
            .many("duties are not offered to you any more", "/")
    }

    /// An offer lapsed: told to who made it.
    pub fn lapsed(&self, to: &str) -> Tiding {
        let title = self.title();
        self.tiding(NoticeKind::OwnershipEnded, "lapsed")
            .says(
                format!("{to} did not answer the offer to be {title} of {CALLED}, so it lapsed."),
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
    let key = || format!("{party}/unanswered/{}", offered_at.timestamp_micros());
    let made = format!("{name} has not answered an offer of {since}: {duties}.");
    match whose {
        Unanswered::Addressee => Tiding::new(NoticeKind::OfferLapsing, party, key())
            .says(
                format!("You have not answered an offer of {since}: {duties}."),
                "Until somebody accepts, nobody answers for it.",
                "Accept, or decline with the reason.",
            )
            .many("offers wait for your answer", "/"),
        Unanswered::Maker => Tiding::new(NoticeKind::OfferLapsing, party, key())
            .says(made, "You made it.", "Ask them, or offer it to somebody else. It lapses after 30 days.")
            .many("parties have not answered your offers", "/agents?runtime_owner=pending"),
        Unanswered::Security => Tiding::new(NoticeKind::OfferLapsing, party, key())
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
pub fn handover_offered(id: HandoverId, agent: AgentId, from: &str) -> Tiding {
    Tiding::new(NoticeKind::HandoverOffered, id, format!("{id}/offered"))
        .of(agent)
        .says(
            format!("{from} hands {CALLED} over to your team."),
            "You lead the team that operates it.",
            "Accept it, or decline and say what is missing.",
        )
        .at(format!("/agents/{agent}/handover"))
        .many("agents are handed over to your team", "/")
}

/// A handover was answered, or taken back.
pub fn handover_ended(id: HandoverId, agent: AgentId, how: &str, reason: &str) -> Tiding {
    let reason = if reason.is_empty() { ".".to_owned() } else { format!(": “{}”", short(reason)) };
    Tiding::new(NoticeKind::HandoverOffered, id, format!("{id}/ended"))
        .of(agent)
        .says(
            format!("The handover of {CALLED} was {how}{reason}"),
            "You lead one of its two teams.",
            "Look at what is left to do on its page.",
        )
        .at(format!("/agents/{agent}/handover"))
        .many("handovers of your team were answered", "/")
}

/// Somebody names a person as witness of a stop drill.
pub fn witness_asked(delivery: &str, agent: AgentId, by: &str) -> Tiding {
    Tiding::new(NoticeKind::DrillDue, agent, format!("{delivery}/witness"))
        .of(agent)
        .says(
            format!("{by} says that you watched a stop drill of {CALLED}."),
            "You are named as its witness; without your word it does not count.",
            "Say what you saw, on your home page.",
        )
        .at("/")
        .many("stop drills wait for your word as witness", "/")
}

/// Somebody decides in another's place from now on, or from a day that is still to come.
pub fn delegated(number: i64, from: &str, since: DateTime<Utc>, until: DateTime<Utc>, why: &str) -> Tiding {
    Tiding::new(NoticeKind::Account, "", format!("delegation/{number}"))
        .says(
            format!("You decide for {from} from {} until {}: “{}”", day(since), day(until), short(why)),
            "They delegated to you, and remain accountable.",
            "What waits for them is among your approvals meanwhile.",
        )
        .at("/approvals")
}

/// An agent was stopped at once.
pub fn stopped(agent: AgentId, stop: i64, by: &str, why: &str, by_hand: bool) -> Tiding {
    let todo = if by_hand {
        "No webhook pauses it: carry out the written procedure now, and see the steps that are open."
    } else {
        "See the steps that are open on its stop page."
    };
    Tiding::new(NoticeKind::AgentStopped, agent, format!("{agent}/stopped/{stop}"))
        .of(agent)
        .says(format!("{by} stopped {CALLED}: “{}”", short(why)), "You answer for a part of it.", todo)
        .at(format!("/agents/{agent}/stop"))
        .many("agents that you answer for were stopped", format!("/agents?state=suspended&owner={ME}"))
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

/// Somebody changed department: they are asked of each duty whether it is still theirs.
pub fn moved(person: PersonId, agents: usize, at: DateTime<Utc>) -> Tiding {
    let count = if agents == 1 { "1 agent".to_owned() } else { format!("{agents} agents") };
    Tiding::new(NoticeKind::ConfirmationDue, person, format!("{person}/moved/{}", at.timestamp_micros()))
        .says(
            format!("You changed department, and answer for a part of {count}."),
            "Whoever moves is asked of each duty whether it is still theirs.",
            "Say which are, and offer the others to somebody else.",
        )
        .at("/still-yours")
}

/// Somebody's roles were changed by another.
pub fn roles_changed(person: PersonId, roles: &str, by: &str, at: DateTime<Utc>) -> Tiding {
    let now = if roles.is_empty() { "none".to_owned() } else { roles.to_owned() };
    Tiding::new(NoticeKind::Account, person, format!("{person}/roles/{}", at.timestamp_micros()))
        .says(
            format!("{by} changed your roles. They are now: {now}."),
            "They are yours.",
            "Tell an administrator if that is not as it should be.",
        )
        .at("/account")
}

/// Somebody's password was set by another.
pub fn password_set(person: PersonId, by: &str, at: DateTime<Utc>) -> Tiding {
    Tiding::new(NoticeKind::Account, person, format!("{person}/password/{}", at.timestamp_micros()))
        .says(
            format!("{by} set a new password for you, and every session of yours has ended."),
            "It is your account.",
            "Sign in and choose a password of your own. Tell an administrator if you did not ask for this.",
        )
        .at("/account")
}

/// Something waits for a second person.
pub fn second_person(proposal: i64, what: &str, by: &str, until: DateTime<Utc>, link: &str) -> Tiding {
    Tiding::new(NoticeKind::DecisionWaits, "", format!("proposal/{proposal}"))
        .says(
            format!("{what}, and needs a second person. {by} asked."),
            "You are administrator or security lead.",
            format!("Confirm or refuse it by {}.", day(until)),
        )
        .at(link)
}

/// The retirement of an agent has started: told to whoever has a row of its checklist.
pub fn retirement_started(id: RequestId, agent: AgentId, why: &str) -> Tiding {
    Tiding::new(NoticeKind::DecisionWaits, id, format!("{id}/started"))
        .of(agent)
        .says(
            format!("The retirement of {CALLED} has started ({id}): “{}”", short(why)),
            "Rows of its checklist are yours to do.",
            "See which, do them, and leave the evidence.",
        )
        .at(format!("/retirements/{id}"))
        .many("retirements have started with rows that are yours", "/retirements")
}

fn exception(kind: NoticeKind, e: &Exception, key: &str) -> Tiding {
    let tiding = Tiding::new(kind, e.id, format!("{}/{key}", e.id)).at(format!("/exceptions/{}", e.id));
    // Whether it may be told outside is the agent's question.
    Tiding { of: e.agents.first().map(|a| Subject::Agent(*a)), ..tiding }
}

fn days(count: i64) -> String {
    if count == 1 { "1 day".to_owned() } else { format!("{count} days") }
}

/// An exception ends soon: told to the control owner.
pub fn exception_ending(e: &Exception, left: i64, told_at: i64) -> Tiding {
    exception(NoticeKind::ExceptionExpiring, e, &format!("ending/{told_at}"))
        .says(
            format!("{} ({}) ends in {}, on {}.", e.id, e.title, days(left), day(e.ends_at())),
            format!("You are {} of what it covers.", e.duty.owner_title().to_lowercase()),
            "Have it mended before, or ask for a renewal with a new reason.",
        )
        .many("exceptions end soon", "/exceptions")
}

/// An exception has ended: told to the control owner, and to who asked.
pub fn exception_ended(e: &Exception, asked: bool) -> Tiding {
    let why = if asked {
        "You asked for it.".to_owned()
    } else {
        format!("You are {} of what it covered.", e.duty.owner_title().to_lowercase())
    };
    exception(NoticeKind::ExceptionExpired, e, "ended")
        .says(
            format!("{} ({}) has ended. What it covered counts again from now.", e.id, e.title),
            why,
            "Have it mended, or ask for a renewal with a new reason.",
        )
        .many("exceptions have ended", "/exceptions?state=expired")
}

/// An exception has ended and what it covered still holds: told to the control owner's manager, with
/// the owner's name, or to security.
pub fn exception_unmended(e: &Exception, owner: Option<&str>) -> Tiding {
    let why =
        owner.map_or_else(|| "You are security lead.".to_owned(), |name| format!("You are the manager of {name}."));
    exception(NoticeKind::ExceptionExpired, e, "unmended")
        .says(
            format!("{} ({}) ended on {}, and what it covered still holds.", e.id, e.title, day(e.ends_at())),
            why,
            "Have it mended, or decide what happens to its agents.",
        )
        .many("exceptions have ended and nothing was mended", "/exceptions?state=expired")
}

/// A compensating control is to be checked: told to its owner.
pub fn control_check(e: &Exception, control: &Compensating, now: DateTime<Utc>) -> Tiding {
    let (key, when) = if control.check_at <= now { ("unchecked", "was") } else { ("check", "is") };
    exception(NoticeKind::ControlCheckDue, e, &format!("{key}/{}", control.place))
        .says(
            format!("“{}” {when} to be checked by {} ({}).", short(&control.text), day(control.check_at), e.id),
            "You promised it in exchange for the exception.",
            "Check it and say what you found; unchecked, it blocks a renewal.",
        )
        .many("compensating controls are to be checked", "/exceptions")
}

/// A finding that began by the clock alone: told to who can mend it.
pub fn began(agent: AgentId, finding: &Finding, runs: bool) -> Tiding {
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
        _ => format!(
            "You answer for it as {}, or lead security while nobody does.",
            mender(key).owner_title().to_lowercase()
        ),
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
    let tiding = Tiding::new(kind, agent, format!("{agent}/{key}/{}", finding.from.timestamp_micros()))
        .of(agent)
        .says(format!("{CALLED}: {}", lower_first(&finding.sentence())), why, format!("{}.", finding.fix_label()))
        .at(link)
        .many(format!("agents: {}", lower_first(key.label())), all)
        .loud(runs && key == FindingKey::NoRuntimeOwner);
    Tiding { to_actor: true, ..tiding }
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
            agent: AgentId(n),
            due_at: at(20_000),
        }
    }

    fn told(list: &[Tiding]) -> Tiding {
        let mut letter = Letter::new(list[0].clone());
        list[1..].iter().for_each(|t| letter.add(t));
        letter.tiding()
    }

    #[test]
    fn many_of_one_kind_are_told_as_one_with_a_count_and_the_list() {
        let five: Vec<Tiding> = (1..=5).map(|n| step(n).waits(PersonId(7))).collect();
        let told = told(&five);
        assert_eq!(told.what, "5 reviews wait for you: RQ-1, RQ-2, RQ-3 and more.");
        assert_eq!(told.link, "/reviews");
        assert_eq!(told.key, "RQ-1/1/waits/PE-7+4");
        let mut joined = Letter::new(five[0].clone());
        let mut other = Letter::new(five[0].clone());
        other.add(&five[1]);
        joined.join(&other);
        assert_eq!(joined.tiding().what, "2 reviews wait for you: RQ-1, RQ-2.");
    }

    #[test]
    fn one_is_told_as_itself_and_steps_of_one_request_count_once() {
        let one = step(1).waits(PersonId(7));
        assert_eq!(told(&[one.clone(), OpenStep { place: 2, ..step(1) }.waits(PersonId(7))]), one);
    }

    #[test]
    fn each_duty_of_one_agent_counts_though_the_agent_is_named_once() {
        let post = |number, duty| Post { of: AgentId(4).into(), duty, number }.offered();
        let list = [post(1, Duty::Purpose), post(2, Duty::Policy), post(3, Duty::Identity)];
        assert_eq!(told(&list).what, "3 duties are offered to you: AG-4.");
    }

    #[test]
    fn a_confidential_agent_is_never_named() {
        let of = Subject::Agent(AgentId(3));
        assert_eq!(called(of, "Parcel sorter", false), "“Parcel sorter” (AG-3)");
        assert_eq!(called(of, "Parcel sorter", true), "AG-3");
        assert_eq!(called(of, " ", false), "AG-3");
    }

    #[test]
    fn every_finding_that_is_told_names_what_to_do_without_haste_or_blame() {
        for key in FindingKey::ALL.iter().copied().filter(|k| super::told(*k)) {
            let severity = crate::finding::Severity::High;
            let finding = Finding {
                key,
                duty: None,
                severity,
                from: at(1),
                until: None,
                detail: "something".to_owned(),
                excepted: None,
            };
            let told = began(AgentId(1), &finding, true);
            assert!(told.what.ends_with('.') && told.todo.ends_with('.') && told.why.ends_with('.'), "{told:?}");
            assert!(!format!("{told:?}").contains('!'), "{told:?}");
            assert_eq!(told.critical, key == FindingKey::NoRuntimeOwner);
        }
    }
}
