//! Exceptions: rare, time-bound, recorded at the control owner. Each is decided by a request;
//! whether one is in force is a question of the clock, never of a job having run.
//!
//! The words of its life: `requested` until its request ends; `scheduled` once it is approved and
//! before it begins; `active` from its first to its last moment; `expired` after that; `closed` or
//! `revoked` where somebody ended it before; `rejected` where its request ended in any other way.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::canonical;
use crate::duty::Duty;
use crate::finding::{Finding, FindingKey};
use crate::id::{AgentId, ExceptionId, PersonId};
use crate::policy::{Policy, Wanted};
use crate::reach::Span;
use crate::record::timestamp;
use crate::text;
use crate::tier::Tier;

crate::words! {
    /// Where an exception stands.
    pub enum ExceptionState {
        Requested = "requested", "Waits for decisions";
        /// Approved, and not begun.
        Scheduled = "scheduled", "Approved, not begun";
        Active = "active", "In force";
        Expired = "expired", "Expired";
        /// Ended before its time, because it is not needed any more.
        Closed = "closed", "Closed early";
        /// Ended before its time, because it is not allowed any more.
        Revoked = "revoked", "Revoked";
        /// Refused, taken back, lapsed, or void: nothing was ever allowed.
        Rejected = "rejected", "Not allowed";
    }
}

impl ExceptionState {
    /// Whether it can still change, or ended.
    pub const fn ended(self) -> bool {
        matches!(self, Self::Expired | Self::Closed | Self::Revoked | Self::Rejected)
    }
}

crate::words! {
    /// How an exception is ended before its time.
    pub enum Ending {
        Closed = "closed", "Closed early";
        Revoked = "revoked", "Revoked";
    }
}

/// Most agents of one exception.
pub const AGENTS_MAX: usize = 200;

/// Most compensating controls of one exception.
pub const CONTROLS_MAX: usize = 20;

/// A new exception for the same rule and agent within this time of the end of another is a
/// renewal of it.
pub const RENEWAL_WITHIN: TimeDelta = TimeDelta::days(90);

/// How near its end an exception is told to be soon over.
pub const SOON: TimeDelta = TimeDelta::days(30);

/// What no policy lets anybody except: that nobody can stop a running agent, and that what was
/// promised in exchange for an exception is not checked.
pub const NEVER: [FindingKey; 4] = [
    FindingKey::NoRuntimeOwner,
    FindingKey::RuntimeOwnerInactive,
    FindingKey::RuntimeOwnerPending,
    FindingKey::ControlUnchecked,
];

/// Whose control a finding is about, where that is the same for each of its kind. Of the others
/// it is said when the exception is asked.
pub const fn duty_of(key: FindingKey) -> Option<Duty> {
    match key {
        FindingKey::NoRuntimeOwner
        | FindingKey::RuntimeOwnerInactive
        | FindingKey::RuntimeOwnerPending
        | FindingKey::RuntimeOwnerUnable
        | FindingKey::RuntimeOwnerUntested
        | FindingKey::OwnerUnreachable => Some(Duty::Containment),
        FindingKey::StopReviewOverdue | FindingKey::ControlUnchecked => Some(Duty::Policy),
        FindingKey::ReviewOverdue => Some(Duty::Review),
        FindingKey::LongLivedCredential => Some(Duty::Identity),
        FindingKey::OwnershipUnconfirmed
        | FindingKey::NoOwner
        | FindingKey::OwnerInactive
        | FindingKey::NoResponsible
        | FindingKey::JustificationEnded
        | FindingKey::HandoverMissing
        | FindingKey::LifecycleSplit
        | FindingKey::RegulatoryConflict
        | FindingKey::ApprovalDue
        | FindingKey::Drift
        | FindingKey::ConditionOverdue
        | FindingKey::DecisionOverdue
        | FindingKey::NeverApproved
        | FindingKey::NameMissing
        | FindingKey::PossibleDuplicate => None,
    }
}

/// What is excepted: a rule that Muster checks, or a control of the organisation's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// A check; while the exception is in force its finding does not count.
    Finding(FindingKey),
    /// Any other control, by its name.
    Own(String),
}

impl Control {
    /// Reads one. The key of a check is that check, however it is written.
    pub fn parse(given: &str) -> Result<Self, String> {
        let name = text::required_line(given, "The control", 100).map_err(|e| e.to_string())?;
        Ok(match name.to_lowercase().parse() {
            Ok(key) => Self::Finding(key),
            Err(_) => Self::Own(name),
        })
    }

    /// As it is kept.
    pub fn key(&self) -> &str {
        match self {
            Self::Finding(key) => key.key(),
            Self::Own(name) => name,
        }
    }

    /// As people read it.
    pub fn label(&self) -> &str {
        match self {
            Self::Finding(key) => key.label(),
            Self::Own(name) => name,
        }
    }

    /// What two exceptions have in common that are for the same rule.
    pub fn same(&self, other: &Self) -> bool {
        text::fold(self.key()) == text::fold(other.key())
    }
}

/// What is done meanwhile instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compensating {
    /// Its number in the exception, from 1.
    pub place: i64,
    /// What is done.
    pub text: String,
    /// By whom.
    pub owner: PersonId,
    /// Until when somebody looks whether it is.
    pub check_at: DateTime<Utc>,
    /// When that was, by whom as in the record, and what they found.
    pub checked: Option<Checked>,
}

/// That somebody looked whether a compensating control is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// When.
    pub at: DateTime<Utc>,
    /// Who, as in the record.
    pub by: String,
    /// What they found.
    pub note: String,
}

impl Compensating {
    /// Whether its date has passed and nobody had looked by then, nor since.
    pub fn unchecked(&self, now: DateTime<Utc>) -> bool {
        self.checked.is_none() && self.check_at <= now
    }
}

/// That an exception was ended before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: DateTime<Utc>,
    /// How.
    pub how: Ending,
    /// By whom, as in the record.
    pub by: String,
    /// Why.
    pub why: String,
}

/// An exception, as far as the rules read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Its reference.
    pub id: ExceptionId,
    /// What it is about, in a line.
    pub title: String,
    /// What is excepted.
    pub control: Control,
    /// The node of a framework; empty where none is named.
    pub node: String,
    /// Whose control it is.
    pub duty: Duty,
    /// How likely it is that something comes of it, from 1 to 5.
    pub likelihood: u8,
    /// How bad that would be, from 1 to 5.
    pub impact: u8,
    /// Why it is needed.
    pub justification: String,
    /// Its agents, frozen.
    pub agents: Vec<AgentId>,
    /// How they were chosen.
    pub selection: Selection,
    /// The tier of the riskiest of them when it was asked.
    pub tier: Tier,
    /// What is done meanwhile instead.
    pub controls: Vec<Compensating>,
    /// From when, at the earliest.
    pub starts_at: DateTime<Utc>,
    /// Until when, exclusive.
    pub expires_at: DateTime<Utc>,
    /// When its request lapses.
    pub lapses_at: DateTime<Utc>,
    /// What is still wrong at its end stops its agents then.
    pub suspends: bool,
    /// Who asked.
    pub requester: PersonId,
    /// The exception that it renews.
    pub renews: Option<ExceptionId>,
    /// How often it has been renewed until now.
    pub renewals: u16,
    /// When it was approved.
    pub approved_at: Option<DateTime<Utc>>,
    /// When its request ended otherwise, as written, and how.
    pub rejected: Option<(DateTime<Utc>, String)>,
    /// That it was ended before its time.
    pub ended: Option<Ended>,
}

impl Exception {
    /// Where it stands at a moment.
    pub fn state(&self, now: DateTime<Utc>) -> ExceptionState {
        let Some(approved) = self.approved_at else {
            return if self.rejected.is_some() || now >= self.lapses_at {
                ExceptionState::Rejected
            } else {
                ExceptionState::Requested
            };
        };
        match &self.ended {
            Some(e) if e.at <= now => match e.how {
                Ending::Closed => ExceptionState::Closed,
                Ending::Revoked => ExceptionState::Revoked,
            },
            _ if now >= self.expires_at => ExceptionState::Expired,
            _ if now < self.starts_at.max(approved) => ExceptionState::Scheduled,
            _ => ExceptionState::Active,
        }
    }

    /// When it is in force: from its start, or its approval if that came later, until its expiry,
    /// or its early end. `None` while it is not approved, or when it never came into force.
    pub fn span(&self) -> Option<Span> {
        let from = self.starts_at.max(self.approved_at?);
        let until = self.ends_at();
        (from < until).then_some(Span { from, until: Some(until) })
    }

    /// When it ends, or ended.
    pub fn ends_at(&self) -> DateTime<Utc> {
        self.ended.as_ref().map_or(self.expires_at, |e| e.at.min(self.expires_at))
    }

    /// Whole days until it ends, upward: 1 on its last day. Zero once it has ended.
    pub fn days_left(&self, now: DateTime<Utc>) -> i64 {
        days_until(self.ends_at(), now)
    }

    /// Likelihood times impact, from 1 to 25.
    pub const fn risk(&self) -> u8 {
        self.likelihood * self.impact
    }

    /// The compensating controls that nobody looked at in time.
    pub fn unchecked(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Compensating> {
        self.controls.iter().filter(move |c| c.unchecked(now))
    }

    /// Exactly what is decided on.
    pub fn terms(&self) -> Value {
        json!({
            "exception": self.id,
            "title": self.title,
            "control": self.control.key(),
            "node": self.node,
            "duty": self.duty,
            "likelihood": self.likelihood,
            "impact": self.impact,
            "justification": self.justification,
            "agents": self.agents,
            "selection": self.selection.to_string(),
            "tier": self.tier,
            "compensating_controls": self.controls.iter().map(|c| json!({
                "text": c.text, "owner": c.owner, "check_at": timestamp(c.check_at),
            })).collect::<Vec<_>>(),
            "starts_at": timestamp(self.starts_at),
            "expires_at": timestamp(self.expires_at),
            "suspends": self.suspends,
            "renews": self.renews,
            "renewals": self.renewals,
        })
    }

    /// The SHA-256 of that, in canonical form.
    pub fn sha256(&self) -> String {
        canonical::sha256_hex(&self.terms())
    }
}

/// Whole days from a moment to a later one, upward; zero once that has come.
pub fn days_until(end: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    if end <= now {
        return 0;
    }
    let day = TimeDelta::days(1).num_microseconds().unwrap_or(i64::MAX);
    let left = (end - now).num_microseconds().unwrap_or(i64::MAX);
    left / day + i64::from(left % day > 0)
}

/// How the agents of an exception were chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Selection {
    /// Each by name.
    #[default]
    Named,
    /// The members of a system when it was asked.
    System(crate::id::SystemId),
    /// Those with a label: looked up when it is asked, and again when the last step is decided.
    Label {
        /// The label's name.
        key: String,
        /// Its value.
        value: String,
    },
}

impl std::fmt::Display for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named => Ok(()),
            Self::System(id) => id.fmt(f),
            Self::Label { key, value } => write!(f, "label:{key}={value}"),
        }
    }
}

impl std::str::FromStr for Selection {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        if s.is_empty() {
            return Ok(Self::Named);
        }
        if let Some(query) = s.strip_prefix("label:") {
            return Self::label(query);
        }
        s.parse().map(Self::System).map_err(|e: crate::id::BadReference| e.to_string())
    }
}

impl Selection {
    /// A label query, `key=value`.
    pub fn label(query: &str) -> Result<Self, String> {
        let wrong = || "Write a label as key=value, for instance team=finance.".to_owned();
        let (key, value) = query.split_once('=').ok_or_else(wrong)?;
        let key = text::required_line(key, "The label", 100).map_err(|_| wrong())?;
        let value = text::required_line(value, "The label's value", 200).map_err(|_| wrong())?;
        Ok(Self::Label { key, value })
    }
}

/// An exception as it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What it is about, in a line.
    pub title: String,
    /// What is excepted.
    pub control: Control,
    /// The node of a framework; may be empty.
    pub node: String,
    /// Whose control it is; `None` takes that of the finding.
    pub duty: Option<Duty>,
    /// From 1 to 5.
    pub likelihood: i64,
    /// From 1 to 5.
    pub impact: i64,
    /// Why it is needed.
    pub justification: String,
    /// What is done meanwhile instead.
    pub controls: Vec<AskedControl>,
    /// From when; `None` is at once.
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when; there is always an end.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether what is still wrong at its end stops its agents then.
    pub suspends: bool,
}

/// A compensating control as it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedControl {
    /// What is done.
    pub text: String,
    /// By whom.
    pub owner: PersonId,
    /// Until when somebody looks whether it is.
    pub check_at: DateTime<Utc>,
}

/// What is wrong with something that was asked, by JSON pointer.
pub type Wrong = Vec<(String, String)>;

/// Whether a text is a framework's node as people write it.
pub fn is_node(node: &str) -> bool {
    (1..=64).contains(&node.len())
        && node.bytes().all(|b| b.is_ascii_alphanumeric() || b" ._:()-".contains(&b))
        && node.trim() == node
}

/// When an exception that is asked begins: a moment of the day that has just passed is now.
pub fn begins(asked: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match asked {
        None => Some(now),
        Some(at) if at >= now => Some(at),
        Some(at) if now - at < TimeDelta::days(1) => Some(now),
        Some(_) => None,
    }
}

impl Asked {
    /// What is wrong with it, whoever asks: the riskiest tier of its agents caps how long it may
    /// last.
    pub fn wrong(&self, tier: Tier, policy: &Policy, now: DateTime<Utc>) -> Wrong {
        let mut out = Wrong::new();
        let mut add = |pointer: &str, message: String| out.push((pointer.to_owned(), message));
        if let Err(e) = text::required_line(&self.title, "The title", 200) {
            add("/title", e.to_string());
        }
        if let Control::Finding(key) = self.control {
            if let Some(why) = policy.no_exception(key) {
                add("/control", why);
            } else if let (Some(given), Some(whose)) = (self.duty, duty_of(key))
                && given != whose
            {
                let owner = crate::finding::lower(whose.owner_title());
                add("/duty", format!("“{}” is the {owner}'s control: give the duty {whose}.", key.label()));
            }
        }
        if self.whose().is_none() {
            add("/duty", "Say whose control it is: the owner of that duty agrees what is done instead.".into());
        }
        if !self.node.is_empty() && !is_node(&self.node) {
            add("/node", "A framework's node has letters, digits, spaces and . _ : ( ) -, at most 64.".into());
        }
        for (pointer, what, n) in [("/likelihood", "likelihood", self.likelihood), ("/impact", "impact", self.impact)] {
            if !(1..=5).contains(&n) {
                add(pointer, format!("The {what} is a number from 1 to 5."));
            }
        }
        match text::prose(&self.justification, "The justification", 4000) {
            Err(e) => add("/justification", e.to_string()),
            Ok(words) if words.is_empty() => {
                add("/justification", "Say why it is needed: the deciders read it.".into());
            }
            Ok(_) => {}
        }
        let starts = begins(self.starts_at, now);
        if starts.is_none() {
            add(
                "/starts_at",
                "It begins today at the earliest: what was already done is not excepted afterwards.".into(),
            );
        }
        let most = policy.exception_days.of(tier);
        match (self.expires_at, starts) {
            (None, _) => {
                add("/expires_at", format!("Say when it ends: every exception does, here within {most} days."));
            }
            (Some(end), _) if end <= now => add("/expires_at", "It ends in the future.".into()),
            (Some(end), Some(start)) if end <= start => add("/expires_at", "It ends after it begins.".into()),
            (Some(end), Some(start)) if end - start > TimeDelta::days(most) => add(
                "/expires_at",
                format!(
                    "An exception for an agent of {} tier lasts at most {most} days. Ask for less; it can be renewed.",
                    tier.label().to_lowercase()
                ),
            ),
            _ => {}
        }
        out.extend(wrong_controls(&self.controls, starts.unwrap_or(now), self.expires_at, now));
        out
    }

    /// Whose control it is.
    pub fn whose(&self) -> Option<Duty> {
        match &self.control {
            Control::Finding(key) => duty_of(*key).or(self.duty),
            Control::Own(_) => self.duty,
        }
    }
}

/// What is wrong with compensating controls as they are asked.
pub fn wrong_controls(
    controls: &[AskedControl],
    starts_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Wrong {
    let mut out = Wrong::new();
    let mut add = |pointer: String, message: String| out.push((pointer, message));
    if controls.len() > CONTROLS_MAX {
        add("/compensating_controls".into(), format!("At most {CONTROLS_MAX} compensating controls."));
    }
    for (at, c) in controls.iter().enumerate() {
        let pointer = |field: &str| format!("/compensating_controls/{at}/{field}");
        match text::prose(&c.text, "The text", 1000) {
            Err(e) => add(pointer("text"), e.to_string()),
            Ok(words) if words.is_empty() => add(pointer("text"), "Say what is done instead.".into()),
            Ok(_) => {}
        }
        if c.check_at <= now.max(starts_at) {
            add(pointer("check_at"), "It is checked after the exception begins.".into());
        } else if expires_at.is_some_and(|end| c.check_at >= end) {
            add(pointer("check_at"), "It is checked before the exception ends.".into());
        }
    }
    out
}

/// A step of the request that decides an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentStep {
    /// Of which agent.
    pub agent: AgentId,
    /// Whose owner decides, and why.
    pub wanted: Wanted,
}

/// The steps: for each agent the owner of the control, the business owner and the security
/// owner; of a regulated one the regulatory approver too, at last. One duty is asked once.
pub fn steps(duty: Duty, agents: &[(AgentId, bool)]) -> Vec<AgentStep> {
    let mut out = Vec::new();
    for (agent, regulated) in agents {
        let asked = [
            (duty, "The control's owner agrees what is done instead.", false),
            (Duty::Purpose, "The business owner accepts the risk that remains.", false),
            (Duty::Policy, "Security concurs.", false),
            (Duty::Regulatory, "It is regulated: an exception needs both.", true),
        ];
        let mut wanted: Vec<Wanted> = Vec::new();
        for (whose, because, second) in asked {
            if second && !regulated {
                continue;
            }
            match wanted.iter_mut().find(|w| w.duty == whose) {
                Some(w) => {
                    w.because.push(because.to_owned());
                    w.last |= second;
                }
                None => wanted.push(Wanted { duty: whose, because: vec![because.to_owned()], last: second }),
            }
        }
        wanted.sort_by_key(|w| (w.last, w.duty));
        out.extend(wanted.into_iter().map(|wanted| AgentStep { agent: *agent, wanted }));
    }
    out.sort_by_key(|s| s.wanted.last);
    out
}

/// Why an exception is not asked, decided, ended or checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Another for the same rule waits.
    #[error("{0} is asked already for the same rule and an agent of these: wait for its decision, or take it back.")]
    Waits(ExceptionId),
    /// Renewed too often.
    #[error(
        "{of} has been renewed {times} already, as often as the policy allows. Mend what it excepts; only a security lead changes the policy.",
        times = if *.renewals == 1 { "once".to_owned() } else { format!("{renewals} times") }
    )]
    TooOften {
        /// The one before.
        of: ExceptionId,
        /// How often it was renewed.
        renewals: u16,
    },
    /// What was promised is not checked.
    #[error(
        "A compensating control of {of} was not checked in time ({text}): its owner checks it, then it can be renewed."
    )]
    Unchecked {
        /// The one before.
        of: ExceptionId,
        /// Which control.
        text: String,
    },
    /// The same words again.
    #[error("This renews {0}: say what is new since then, rather than the same reason again.")]
    SameReason(ExceptionId),
    /// Nothing is done instead.
    #[error(
        "Nothing is done instead yet: it is approved once it has compensating controls, each with an owner and a date."
    )]
    NoControls,
    /// What is done instead would not be looked at.
    #[error(
        "The compensating control “{0}” must be checked after now and before the exception ends: ask again with other dates."
    )]
    LateControl(String),
    /// Whoever does it is gone.
    #[error("The owner of the compensating control “{0}” is gone: name somebody else.")]
    NoOwner(String),
    /// The cap of the tier there is now.
    #[error("Its agents are of {} tier now, and an exception for these lasts at most {} days: ask again for less.", .0.label().to_lowercase(), .1)]
    TooLong(Tier, i64),
    /// It is not in force.
    #[error("It is not in force: {}.", .0.label().to_lowercase())]
    NotInForce(ExceptionState),
    /// Whoever looked was first.
    #[error("This control was checked already.")]
    CheckedAlready,
}

/// What a new exception renews, and how often that makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// The one before.
    pub of: ExceptionId,
    /// Renewals up to and with this one.
    pub renewals: u16,
}

/// Whether a new exception for a rule and agents renews another, given those for the same rule
/// and any of the same agents; and whether it may be asked.
pub fn renewal<'a>(
    control: &Control,
    agents: &[AgentId],
    justification: &str,
    before: impl IntoIterator<Item = &'a Exception>,
    most: u16,
    now: DateTime<Utc>,
) -> Result<Option<Renewal>, Refused> {
    let mut last: Option<&Exception> = None;
    for e in before {
        if !e.control.same(control) || !e.agents.iter().any(|a| agents.contains(a)) {
            continue;
        }
        match e.state(now) {
            ExceptionState::Requested | ExceptionState::Scheduled => return Err(Refused::Waits(e.id)),
            ExceptionState::Rejected => continue,
            _ => {}
        }
        if e.span().is_none() || now - e.ends_at() > RENEWAL_WITHIN {
            continue;
        }
        if let Some(c) = e.unchecked(now).next() {
            return Err(Refused::Unchecked { of: e.id, text: c.text.clone() });
        }
        if same_words(&e.justification, justification) {
            return Err(Refused::SameReason(e.id));
        }
        if last.is_none_or(|l| (l.renewals, l.ends_at(), l.id) < (e.renewals, e.ends_at(), e.id)) {
            last = Some(e);
        }
    }
    let Some(of) = last else { return Ok(None) };
    if of.renewals >= most {
        return Err(Refused::TooOften { of: of.id, renewals: of.renewals });
    }
    Ok(Some(Renewal { of: of.id, renewals: of.renewals + 1 }))
}

fn same_words(a: &str, b: &str) -> bool {
    let words = |t: &str| {
        text::fold(t).split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
    };
    let (a, b): (Vec<String>, Vec<String>) = (words(a), words(b));
    a == b
}

/// Whether its terms allow an approval now: something is done instead, by people who are there,
/// and looked at before it ends; and the tier of its agents still allows its length.
pub fn may_approve(
    exception: &Exception,
    tier: Tier,
    policy: &Policy,
    gone: &[PersonId],
    now: DateTime<Utc>,
) -> Result<(), Refused> {
    if exception.controls.is_empty() {
        return Err(Refused::NoControls);
    }
    for c in &exception.controls {
        if gone.contains(&c.owner) {
            return Err(Refused::NoOwner(c.text.clone()));
        }
        if c.check_at <= now || c.check_at >= exception.expires_at {
            return Err(Refused::LateControl(c.text.clone()));
        }
    }
    let most = policy.exception_days.of(tier);
    if exception.expires_at - exception.starts_at.max(now) > TimeDelta::days(most) {
        return Err(Refused::TooLong(tier, most));
    }
    Ok(())
}

/// Whether it can be ended before its time.
pub fn may_end(exception: &Exception, now: DateTime<Utc>) -> Result<(), Refused> {
    match exception.state(now) {
        ExceptionState::Active | ExceptionState::Scheduled => Ok(()),
        state => Err(Refused::NotInForce(state)),
    }
}

/// Whether a compensating control can be checked: once it is approved, also after it ended, so
/// that a renewal is not blocked for ever.
pub fn may_check(exception: &Exception, place: i64, now: DateTime<Utc>) -> Result<(), Refused> {
    if exception.approved_at.is_none() {
        return Err(Refused::NotInForce(exception.state(now)));
    }
    match exception.controls.iter().find(|c| c.place == place) {
        Some(c) if c.checked.is_some() => Err(Refused::CheckedAlready),
        _ => Ok(()),
    }
}

/// That an exception keeps a check from counting for an agent, over its span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// The exception.
    pub exception: ExceptionId,
    /// Which check.
    pub key: FindingKey,
    /// From when, inclusive.
    pub from: DateTime<Utc>,
    /// Until when, exclusive.
    pub until: DateTime<Utc>,
}

/// A compensating control that is not checked in time, while its exception is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unchecked {
    /// The exception.
    pub exception: ExceptionId,
    /// What was promised.
    pub text: String,
    /// From when, inclusive.
    pub from: DateTime<Utc>,
    /// Until when, exclusive.
    pub until: DateTime<Utc>,
}

impl Exception {
    /// What it keeps from counting, if it is about a check and was approved.
    pub fn cover(&self) -> Option<Cover> {
        let Control::Finding(key) = self.control else { return None };
        let span = self.span()?;
        Some(Cover { exception: self.id, key, from: span.from, until: span.until? })
    }

    /// Its controls that are not checked in time, over the spans in which that counts.
    pub fn overdue_controls(&self) -> Vec<Unchecked> {
        let Some(span) = self.span() else { return Vec::new() };
        let end = self.ends_at();
        (self.controls.iter())
            .filter_map(|c| {
                let from = c.check_at.max(span.from);
                let until = c.checked.as_ref().map_or(end, |x| x.at.min(end));
                (from < until).then(|| Unchecked { exception: self.id, text: c.text.clone(), from, until })
            })
            .collect()
    }
}

/// When a check is covered, as spans apart from each other.
pub fn covered(covers: &[Cover], key: FindingKey) -> Vec<Span> {
    let of_key = covers.iter().filter(|c| c.key == key);
    crate::reach::joined(of_key.map(|c| Span { from: c.from, until: Some(c.until) }).collect())
}

/// Splits findings at the edges of the exceptions that cover them: a part under an exception says
/// under which, and the rest counts. Parts that were over at `now` are left out.
pub fn split(findings: Vec<Finding>, covers: &[Cover], now: DateTime<Utc>) -> Vec<Finding> {
    let mut out = Vec::with_capacity(findings.len());
    for f in findings {
        let mut own: Vec<&Cover> = (covers.iter())
            .filter(|c| c.key == f.key && c.from < c.until && f.until.is_none_or(|u| c.from < u) && c.until > f.from)
            .collect();
        if own.is_empty() || NEVER.contains(&f.key) {
            out.push(f);
            continue;
        }
        own.sort_by_key(|c| (c.from, c.exception));
        let mut at = f.from;
        let mut add = |from: DateTime<Utc>, until: Option<DateTime<Utc>>, excepted: Option<ExceptionId>| {
            if until.is_none_or(|u| from < u && u > now) {
                out.push(Finding { from, until, excepted, ..f.clone() });
            }
        };
        for c in own {
            let (from, until) = (c.from.max(at), f.until.map_or(c.until, |u| u.min(c.until)));
            if until <= at {
                continue;
            }
            add(at, Some(from), None);
            add(from, Some(until), Some(c.exception));
            at = until;
        }
        if f.until.is_none_or(|u| at < u) {
            add(at, f.until, None);
        }
    }
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::finding::Severity;

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(n)
    }

    fn instant() -> TimeDelta {
        TimeDelta::microseconds(1)
    }

    pub(crate) fn exception(id: i64, from: i64, until: i64) -> Exception {
        Exception {
            id: ExceptionId(id),
            title: "x".into(),
            control: Control::Finding(FindingKey::LongLivedCredential),
            node: String::new(),
            duty: Duty::Identity,
            likelihood: 1,
            impact: 1,
            justification: format!("Reason {id}."),
            agents: vec![AgentId(1)],
            selection: Selection::Named,
            tier: Tier::Low,
            controls: Vec::new(),
            starts_at: day(from),
            expires_at: day(until),
            lapses_at: day(until),
            suspends: false,
            requester: PersonId(1),
            renews: None,
            renewals: 0,
            approved_at: Some(day(from)),
            rejected: None,
            ended: None,
        }
    }

    #[test]
    fn its_state_is_a_question_of_the_clock() {
        let e = exception(1, 10, 20);
        assert_eq!(e.state(day(10) - instant()), ExceptionState::Scheduled);
        assert_eq!(e.state(day(10)), ExceptionState::Active);
        assert_eq!(e.state(day(20) - instant()), ExceptionState::Active);
        assert_eq!(e.state(day(20)), ExceptionState::Expired);
        assert_eq!((e.days_left(day(20) - instant()), e.days_left(day(18)), e.days_left(day(20))), (1, 2, 0));
        // Approved after its start, it is in force from then on.
        let late = Exception { approved_at: Some(day(12)), ..e.clone() };
        assert_eq!(late.span(), Some(Span { from: day(12), until: Some(day(20)) }));
        let ended = Ended { at: day(15), how: Ending::Revoked, by: "PE-1".into(), why: "x".into() };
        let revoked = Exception { ended: Some(ended), ..e.clone() };
        assert_eq!(revoked.state(day(15) - instant()), ExceptionState::Active);
        assert_eq!(revoked.state(day(15)), ExceptionState::Revoked);
        assert_eq!(revoked.span().and_then(|s| s.until), Some(day(15)));
        let open = Exception { approved_at: None, lapses_at: day(18), ..e };
        assert_eq!(open.state(day(18) - instant()), ExceptionState::Requested);
        assert_eq!(open.state(day(18)), ExceptionState::Rejected);
        assert_eq!((open.span(), open.cover()), (None, None));
    }

    #[test]
    fn a_key_is_a_check_however_it_is_written() {
        assert_eq!(Control::parse(" No-Runtime-Owner "), Ok(Control::Finding(FindingKey::NoRuntimeOwner)));
        assert_eq!(Control::parse("Four eyes"), Ok(Control::Own("Four eyes".into())));
        assert!(Control::parse(" ").is_err());
        assert!(Control::Own("Four Eyes".into()).same(&Control::Own("four eyes".into())));
        for key in NEVER {
            assert!(Policy::default().no_exception(key).is_some(), "{key}");
        }
        assert_eq!(Policy::default().no_exception(FindingKey::LongLivedCredential), None);
    }

    #[test]
    fn a_selection_reads_as_it_is_written() {
        for s in [
            Selection::Named,
            Selection::System(crate::id::SystemId(3)),
            Selection::Label { key: "team".into(), value: "a=b".into() },
        ] {
            assert_eq!(s.to_string().parse(), Ok(s));
        }
        assert!(Selection::label("team").is_err() && Selection::label("=x").is_err());
    }

    #[test]
    fn a_renewal_is_known_by_rule_agent_and_time() {
        let rule = Control::Finding(FindingKey::LongLivedCredential);
        let old = exception(1, 10, 20);
        let ask = |control: &Control, agent: i64, words: &str, at: DateTime<Utc>, before: &[Exception]| {
            renewal(control, &[AgentId(agent)], words, before, 2, at)
        };
        let first = Some(Renewal { of: ExceptionId(1), renewals: 1 });
        let before = std::slice::from_ref(&old);
        assert_eq!(ask(&rule, 1, "New.", day(15), before), Ok(first));
        assert_eq!(ask(&rule, 1, "New.", day(110), before), Ok(first));
        assert_eq!(ask(&rule, 1, "New.", day(110) + instant(), before), Ok(None));
        assert_eq!(ask(&rule, 2, "New.", day(15), before), Ok(None));
        assert_eq!(ask(&Control::Own("x".into()), 1, "New.", day(15), before), Ok(None));
        assert_eq!(ask(&rule, 1, "reason 1", day(15), before), Err(Refused::SameReason(ExceptionId(1))));
        let open = Exception { approved_at: None, ..old.clone() };
        assert_eq!(ask(&rule, 1, "New.", day(15), &[open]), Err(Refused::Waits(ExceptionId(1))));
        let thrice = Exception { renewals: 2, renews: Some(ExceptionId(9)), ..old.clone() };
        assert!(matches!(ask(&rule, 1, "New.", day(15), &[thrice]), Err(Refused::TooOften { renewals: 2, .. })));
        let control =
            Compensating { place: 1, text: "Watch.".into(), owner: PersonId(1), check_at: day(14), checked: None };
        let unchecked = Exception { controls: vec![control], ..old };
        assert!(matches!(
            ask(&rule, 1, "New.", day(14), std::slice::from_ref(&unchecked)),
            Err(Refused::Unchecked { .. })
        ));
        assert_eq!(ask(&rule, 1, "New.", day(14) - instant(), &[unchecked]), Ok(first));
    }

    fn finding(from: i64, until: Option<i64>) -> Finding {
        Finding {
            key: FindingKey::LongLivedCredential,
            duty: None,
            severity: Severity::High,
            from: day(from),
            until: until.map(day),
            detail: String::new(),
            excepted: None,
        }
    }

    proptest! {
        /// At each moment from now on, a finding that held holds still, once, and it is excepted
        /// exactly while an exception covers it.
        #[test]
        fn splitting_loses_nothing_and_adds_nothing(
            from in 0..30i64,
            length in proptest::option::of(1..40i64),
            covers in proptest::collection::vec((0..60i64, 1..30i64), 0..5),
            now in 0..60i64,
        ) {
            let f = finding(from, length.map(|n| from + n));
            let covers: Vec<Cover> = (1..).zip(covers).map(|(n, (at, n_days))| Cover {
                exception: ExceptionId(n), key: f.key, from: day(at), until: day(at + n_days),
            }).collect();
            let parts = split(vec![f.clone()], &covers, day(now));
            for at in (now * 2)..200 {
                let at = DateTime::UNIX_EPOCH + TimeDelta::hours(at * 12);
                if at < day(now) { continue; }
                let held: Vec<&Finding> = parts.iter().filter(|p| p.holds_at(at)).collect();
                prop_assert_eq!(held.len(), usize::from(f.holds_at(at)), "{:?} at {}", &parts, at);
                let covered = covers.iter().any(|c| c.from <= at && at < c.until);
                if let Some(one) = held.first() {
                    prop_assert_eq!(one.excepted.is_some(), covered, "{:?} at {}", &parts, at);
                    let by = one.excepted.map(|id| covers.iter().any(|c| c.exception == id && c.from <= at && at < c.until));
                    prop_assert!(by != Some(false));
                }
            }
            let mut starts: Vec<_> = parts.iter().map(|p| p.from).collect();
            starts.dedup();
            prop_assert_eq!(starts.len(), parts.len(), "no two begin at once");
        }

        /// Whatever is asked, what is accepted has an end, within the cap, and never of what keeps
        /// a running agent stoppable.
        #[test]
        fn nothing_is_accepted_beyond_the_cap(
            start in proptest::option::of(-40..400i64),
            end in proptest::option::of(-40..800i64),
            tier in 0..4usize,
            key in 0..FindingKey::ALL.len(),
            n in -1..8i64,
        ) {
            let (now, tier, key) = (day(1000), Tier::ALL[tier], FindingKey::ALL[key]);
            let policy = Policy::default();
            let asked = Asked {
                title: "x".into(),
                control: Control::Finding(key),
                node: String::new(),
                duty: duty_of(key).or(Some(Duty::Policy)),
                likelihood: n,
                impact: 3,
                justification: "x".into(),
                controls: Vec::new(),
                starts_at: start.map(|d| now + TimeDelta::days(d)),
                expires_at: end.map(|d| now + TimeDelta::days(d)),
                suspends: false,
            };
            if asked.wrong(tier, &policy, now).is_empty() {
                let from = begins(asked.starts_at, now).unwrap();
                let until = asked.expires_at.unwrap();
                prop_assert!(from >= now && until > from);
                prop_assert!(until - from <= TimeDelta::days(policy.exception_days.of(tier)));
                prop_assert!(!NEVER.contains(&key));
                prop_assert!((1..=5).contains(&n));
            }
        }

        /// Each duty once an agent, the three capacities always, and the second approval last.
        #[test]
        fn the_steps_ask_each_capacity_of_each_agent(
            duty in 0..Duty::ALL.len(),
            agents in proptest::collection::vec(any::<bool>(), 1..9),
        ) {
            let duty = Duty::ALL[duty];
            let agents: Vec<(AgentId, bool)> = (1..).zip(agents).map(|(n, r)| (AgentId(n), r)).collect();
            let steps = steps(duty, &agents);
            for (agent, regulated) in &agents {
                let of: Vec<Duty> = steps.iter().filter(|s| s.agent == *agent).map(|s| s.wanted.duty).collect();
                for d in [duty, Duty::Purpose, Duty::Policy] {
                    prop_assert_eq!(of.iter().filter(|o| **o == d).count(), 1);
                }
                prop_assert_eq!(of.contains(&Duty::Regulatory), *regulated || duty == Duty::Regulatory);
            }
            let first_last = steps.iter().position(|s| s.wanted.last).unwrap_or(steps.len());
            prop_assert!(steps[first_last..].iter().all(|s| s.wanted.last && s.wanted.duty == Duty::Regulatory));
        }
    }
}
