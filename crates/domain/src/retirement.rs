//! Retirement: the gated checklist by which an agent ends. One row a credential and a tool,
//! each with its duty, its evidence and its time; nothing ends while a row is open.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::agent::{AgentFacts, Running};
use crate::duty::Duty;
use crate::exception::{Exception, ExceptionState};
use crate::id::AgentId;
use crate::tier::Tier;

crate::words! {
    /// What a row of the checklist is about.
    pub enum RowKind {
        Announce = "announce", "Announce it to whoever uses it";
        StopExecution = "stop-execution", "Stop it for good";
        RevokeCredential = "revoke-credential", "Revoke a credential";
        RemoveTool = "remove-tool", "Remove a tool grant";
        DeleteIdentity = "delete-identity", "Delete the workload identity";
        HandleData = "handle-data", "Hand over or delete its data";
        ArchiveLogs = "archive-logs", "Archive its logs";
        CloseExceptions = "close-exceptions", "Close its exceptions";
        Watch = "watch", "Watch for a sign of life";
    }
}

impl RowKind {
    /// Whose owner does it.
    pub const fn duty(self) -> Duty {
        match self {
            Self::Announce => Duty::Purpose,
            Self::StopExecution => Duty::Containment,
            Self::RevokeCredential | Self::DeleteIdentity => Duty::Identity,
            Self::RemoveTool => Duty::Requests,
            Self::HandleData => Duty::Implementation,
            Self::ArchiveLogs | Self::Watch => Duty::Monitoring,
            Self::CloseExceptions => Duty::Policy,
        }
    }

    /// What there is to do, in one line.
    pub const fn told(self) -> &'static str {
        match self {
            Self::Announce => "Tell the people and systems that rely on it, and by when they must do without.",
            Self::StopExecution => "Stop every instance and take away whatever starts it again.",
            Self::RevokeCredential => "Revoke it where it was issued. A shared one: take this agent's use away.",
            Self::RemoveTool => "Take the grant away at the tool itself.",
            Self::DeleteIdentity => "Delete it, and the trust that others put in it.",
            Self::HandleData => "Say what becomes of what it kept: handed over, archived or deleted.",
            Self::ArchiveLogs => "Keep its logs for as long as the rules demand.",
            Self::CloseExceptions => "End every exception that was made for it.",
            Self::Watch => "Look where it ran until the days have passed: does anything still act as this agent?",
        }
    }
}

/// Whose owner does a row now: that of its duty; where nobody holds that, the retirement owner,
/// and then the runtime owner. `None` while none of them is there.
pub fn doer(kind: RowKind, held: impl Fn(Duty) -> bool) -> Option<Duty> {
    [kind.duty(), Duty::Retirement, Duty::Containment].into_iter().find(|d| held(*d))
}

/// How many days an agent of a tier is watched after it was stopped.
pub const fn watch_days(tier: Tier) -> i64 {
    match tier {
        Tier::Low => 7,
        Tier::Moderate => 14,
        Tier::High | Tier::Critical => 30,
    }
}

/// A row that a retirement begins with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Planned {
    /// What it is about.
    pub kind: RowKind,
    /// Which credential, tool or identity; empty for the rest.
    #[serde(default)]
    pub subject: String,
}

impl Planned {
    /// As one line: what, and which.
    pub fn label(&self) -> String {
        label(self.kind, &self.subject)
    }
}

/// A row as one line: what, and which.
pub fn label(kind: RowKind, subject: &str) -> String {
    if subject.is_empty() { kind.label().to_owned() } else { format!("{}: {subject}", kind.label()) }
}

/// The checklist for an agent with these facts: a row a credential and a tool, the identity if
/// there is one, and the rows that every agent has.
pub fn rows(facts: &AgentFacts) -> Vec<Planned> {
    let mut out = Vec::new();
    for &kind in RowKind::ALL {
        let mut subjects: Vec<&str> = match kind {
            RowKind::RevokeCredential => facts.credentials.iter().map(|c| c.name.as_str()).collect(),
            RowKind::RemoveTool => facts.tools.iter().map(|t| t.name.as_str()).collect(),
            RowKind::DeleteIdentity => {
                Some(facts.workload_identity.trim()).filter(|w| !w.is_empty()).into_iter().collect()
            }
            _ => vec![""],
        };
        subjects.sort_unstable();
        subjects.dedup();
        out.extend(subjects.into_iter().map(|s| Planned { kind, subject: s.to_owned() }));
    }
    out
}

/// Whether a checklist still covers an agent: what is taken away meanwhile needs no new row,
/// what is added does.
pub fn covers(checklist: &[Planned], facts: &AgentFacts) -> bool {
    rows(facts).iter().all(|r| checklist.contains(r))
}

crate::words! {
    /// How good the evidence of a row is.
    pub enum Proof {
        /// A bare link: somebody says so, and Muster cannot look.
        Claimed = "claimed", "Claimed";
        /// A file that is kept under its SHA-256, or a system's own answer.
        Verified = "verified", "Verified";
    }
}

/// Whether evidence of this kind is enough for a tier: high and critical need it verified.
pub fn enough(tier: Tier, proof: Proof) -> bool {
    proof == Proof::Verified || tier < Tier::High
}

/// How a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// Nothing has been shown.
    Open,
    /// It was shown, at that moment.
    Done(DateTime<Utc>),
    /// Security let it go, at that moment.
    Waived(DateTime<Utc>),
}

impl Standing {
    /// Whether it still keeps the retirement from ending.
    pub const fn open(self) -> bool {
        matches!(self, Self::Open)
    }
}

/// A row as the rules read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number, from 1.
    pub place: i64,
    /// What it is about.
    pub kind: RowKind,
    /// Which.
    pub subject: String,
    /// How it stands.
    pub standing: Standing,
}

/// The rows that keep a retirement from ending.
pub fn missing(rows: &[Row]) -> Vec<&Row> {
    rows.iter().filter(|r| r.standing.open()).collect()
}

/// What is known of whether the agent still lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// Whether it runs, as far as is known.
    pub running: Running,
    /// The newest sign of life since it was said to be stopped.
    pub last_sign: Option<DateTime<Utc>>,
}

/// Until when the agent is watched: the tier's days from the moment it was stopped, or from
/// the newest sign of life. `None` while it is not stopped.
pub fn watched_until(rows: &[Row], tier: Tier, life: Life) -> Option<DateTime<Utc>> {
    let stopped = rows.iter().find(|r| r.kind == RowKind::StopExecution).and_then(|r| match r.standing {
        Standing::Done(at) | Standing::Waived(at) => Some(at),
        Standing::Open => None,
    })?;
    let from = life.last_sign.map_or(stopped, |sign| sign.max(stopped));
    Some(from + TimeDelta::days(watch_days(tier)))
}

/// Why a row is not closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Somebody was first.
    #[error("This row is closed already.")]
    Closed,
    /// The watch begins once it is stopped.
    #[error("The watch begins once it is stopped: close that row first.")]
    NotStopped,
    /// The days have not passed.
    #[error("It is watched until {}: nothing may act as this agent until then.", .0.format("%-d %B %Y, %H:%M UTC"))]
    Watched(DateTime<Utc>),
    /// It is said to run.
    #[error("It is said to run: stop it, and watch it from then on.")]
    Runs,
    /// The tier needs better evidence.
    #[error("An agent of {} tier needs verified evidence: a file, or a system's own answer. A bare link only claims it.", .0.label().to_lowercase())]
    Claimed(Tier),
    /// Exceptions for it alone are asked for or in force.
    #[error("Still open: {0}. Close or withdraw what was made for this agent alone.")]
    Excepted(String),
}

/// Whether the row about its exceptions may be closed: none that was made for it alone is asked
/// for, approved or in force. One made for others as well goes on for them.
///
/// # Errors
/// [`Refused::Excepted`] names those that are open.
pub fn exceptions_ended(agent: AgentId, of_it: &[Exception], now: DateTime<Utc>) -> Result<(), Refused> {
    let open: Vec<String> = of_it
        .iter()
        .filter(|e| e.agents == [agent])
        .filter(|e| {
            matches!(e.state(now), ExceptionState::Requested | ExceptionState::Scheduled | ExceptionState::Active)
        })
        .map(|e| e.id.to_string())
        .collect();
    if open.is_empty() { Ok(()) } else { Err(Refused::Excepted(open.join(", "))) }
}

/// Whether a row may be closed with evidence of this kind.
pub fn may_close(
    rows: &[Row],
    place: i64,
    proof: Proof,
    tier: Tier,
    life: Life,
    now: DateTime<Utc>,
) -> Result<(), Refused> {
    let Some(row) = rows.iter().find(|r| r.place == place) else { return Ok(()) };
    if !row.standing.open() {
        return Err(Refused::Closed);
    }
    if row.kind == RowKind::Watch {
        let until = watched_until(rows, tier, life).ok_or(Refused::NotStopped)?;
        if life.running == Running::Yes {
            return Err(Refused::Runs);
        }
        if now < until {
            return Err(Refused::Watched(until));
        }
    }
    if enough(tier, proof) { Ok(()) } else { Err(Refused::Claimed(tier)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::{Access, CredentialKind, CredentialUse, Sensitivity, ToolGrant, ToolKind};

    fn at(days: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(days)
    }

    fn tool(name: &str) -> ToolGrant {
        ToolGrant {
            name: name.into(),
            kind: ToolKind::Saas,
            sensitivity: Sensitivity::Low,
            access: Access::Read,
            scope: String::new(),
        }
    }

    fn key(name: &str) -> CredentialUse {
        CredentialUse {
            name: name.into(),
            kind: CredentialKind::ShortLived,
            ttl_seconds: None,
            kept_in: String::new(),
            last_rotated: String::new(),
        }
    }

    fn checklist(facts: &AgentFacts) -> Vec<Row> {
        (1..)
            .zip(rows(facts))
            .map(|(place, r)| Row { place, kind: r.kind, subject: r.subject, standing: Standing::Open })
            .collect()
    }

    const QUIET: Life = Life { running: Running::No, last_sign: None };

    #[test]
    fn one_row_a_credential_and_a_tool_and_the_identity_only_if_there_is_one() {
        let mut f = AgentFacts::named("x");
        assert_eq!(rows(&f).len(), 6);
        f.credentials = vec![key("b"), key("a")];
        f.tools = vec![tool("mail"), tool("crm"), tool("mail")];
        f.workload_identity = "spiffe://x".into();
        let all = rows(&f);
        let of = |kind| all.iter().filter(|r| r.kind == kind).map(|r| r.subject.as_str()).collect::<Vec<_>>();
        assert_eq!(of(RowKind::RevokeCredential), ["a", "b"]);
        assert_eq!(of(RowKind::RemoveTool), ["crm", "mail"]);
        assert_eq!(of(RowKind::DeleteIdentity), ["spiffe://x"]);
        assert_eq!(all.last().map(|r| r.kind), Some(RowKind::Watch));
    }

    #[test]
    fn what_goes_needs_no_new_row_and_what_comes_does() {
        let mut f = AgentFacts::named("x");
        f.credentials = vec![key("a")];
        let list = rows(&f);
        f.credentials.clear();
        assert!(covers(&list, &f));
        f.credentials = vec![key("a"), key("b")];
        assert!(!covers(&list, &f));
    }

    #[test]
    fn the_watch_waits_for_the_stop_for_its_days_and_for_silence() {
        let f = AgentFacts::named("x");
        let mut list = checklist(&f);
        let watch = list.iter().find(|r| r.kind == RowKind::Watch).unwrap().place;
        let close = |list: &[Row], life, now| may_close(list, watch, Proof::Verified, Tier::Moderate, life, at(now));
        assert_eq!(close(&list, QUIET, 99), Err(Refused::NotStopped));
        list.iter_mut().find(|r| r.kind == RowKind::StopExecution).unwrap().standing = Standing::Done(at(10));
        assert_eq!(close(&list, QUIET, 23), Err(Refused::Watched(at(24))));
        assert_eq!(close(&list, QUIET, 24), Ok(()));
        let seen = Life { last_sign: Some(at(20)), ..QUIET };
        assert_eq!(close(&list, seen, 24), Err(Refused::Watched(at(34))));
        assert_eq!(close(&list, Life { running: Running::Yes, ..QUIET }, 99), Err(Refused::Runs));
    }

    #[test]
    fn high_tiers_need_verified_evidence() {
        let list = checklist(&AgentFacts::named("x"));
        for &tier in Tier::ALL {
            let claimed = may_close(&list, 1, Proof::Claimed, tier, QUIET, at(1));
            assert_eq!(claimed.is_ok(), tier < Tier::High, "{tier}");
            assert_eq!(may_close(&list, 1, Proof::Verified, tier, QUIET, at(1)), Ok(()));
        }
    }

    #[test]
    fn its_exceptions_end_first_but_not_those_of_others() {
        let mut e = crate::exception::tests::exception(7, 0, 20);
        let ended = |e: &Exception, day| exceptions_ended(AgentId(1), std::slice::from_ref(e), at(day));
        let told = ended(&e, 19).unwrap_err().to_string();
        assert!(told.contains("EX-7"), "{told}");
        assert_eq!(ended(&e, 20), Ok(()));
        e.approved_at = None;
        assert!(ended(&e, 19).is_err(), "it is asked for");
        e.approved_at = Some(at(0));
        e.agents.push(AgentId(2));
        assert_eq!(ended(&e, 19), Ok(()), "it goes on for the other");
    }

    #[test]
    fn a_vacant_duty_falls_to_who_retires_it_and_then_to_who_stops_it() {
        let kind = RowKind::RemoveTool;
        assert_eq!(doer(kind, |d| d == Duty::Requests || d == Duty::Retirement), Some(Duty::Requests));
        assert_eq!(doer(kind, |d| d == Duty::Retirement || d == Duty::Containment), Some(Duty::Retirement));
        assert_eq!(doer(kind, |d| d == Duty::Containment), Some(Duty::Containment));
        assert_eq!(doer(kind, |_| false), None);
    }

    proptest! {
        /// Whoever tries what in whatever order: nothing is missing only once every row is
        /// closed, a closed row stays as it is, and the watch never closes before its days.
        #[test]
        fn no_order_of_trying_leaves_a_row_behind(
            keys in 0..4usize, tools in 0..4usize, identity in any::<bool>(), tier in 0..4usize,
            tries in proptest::collection::vec((1..20i64, any::<bool>(), 0..12i64, any::<bool>()), 0..80),
        ) {
            let mut f = AgentFacts::named("x");
            f.credentials = (0..keys).map(|n| key(&format!("k{n}"))).collect();
            f.tools = (0..tools).map(|n| tool(&format!("t{n}"))).collect();
            if identity { f.workload_identity = "w".into(); }
            let tier = Tier::ALL[tier];
            let mut list = checklist(&f);
            prop_assert_eq!(list.len(), 6 + keys + tools + usize::from(identity));
            let mut today = 0;
            let mut life = QUIET;
            for (place, verified, days, sign) in tries {
                today += days;
                if sign && today % 5 == 0 { life.last_sign = Some(at(today)); }
                let proof = if verified { Proof::Verified } else { Proof::Claimed };
                let before = list.clone();
                if place > i64::try_from(list.len()).unwrap() { continue; }
                if may_close(&list, place, proof, tier, life, at(today)).is_ok() {
                    let row = &mut list[usize::try_from(place - 1).unwrap()];
                    prop_assert!(row.standing.open());
                    prop_assert!(verified || tier < Tier::High);
                    if row.kind == RowKind::Watch {
                        prop_assert!(watched_until(&before, tier, life).unwrap() <= at(today));
                    }
                    row.standing = Standing::Done(at(today));
                }
                let closed = list.iter().filter(|r| !r.standing.open()).count();
                prop_assert_eq!(missing(&list).len(), list.len() - closed);
            }
        }
    }
}
