//! What was taken otherwise than it was written, said per row.

use crate::duty::Duty;
use crate::id::AgentId;

/// One thing worth saying about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// No name.
    NameMissing,
    /// No key.
    KeyMissing,
    /// The key was seen before in the same file: which one.
    Duplicate(String),
    /// Longer than can be kept.
    Shortened {
        /// Which text.
        what: String,
        /// What is kept, in characters.
        kept: usize,
        /// What was given.
        given: usize,
    },
    /// Control characters were left out.
    Cleaned,
    /// A value that is not understood, and what was taken instead.
    NotUnderstood {
        /// Which fact.
        what: String,
        /// The value.
        value: String,
        /// What was taken.
        taken: String,
    },
    /// No stage.
    StageMissing,
    /// A vendor or contract of an agent that is hosted internally, kept as a label.
    KeptAsLabel(&'static str),
    /// Vendor-managed, and no vendor named.
    VendorMissing,
    /// An owner's name that belongs to nobody on record.
    OwnerUnknown {
        /// For which duty.
        duty: Duty,
        /// The name.
        name: String,
    },
    /// An owner's name that several have.
    OwnerAmbiguous {
        /// For which duty.
        duty: Duty,
        /// The name.
        name: String,
    },
    /// An owner who left, or a team without an active lead.
    OwnerGone {
        /// For which duty.
        duty: Duty,
        /// The name.
        name: String,
    },
    /// The register has another owner, who stays.
    OwnerKept {
        /// For which duty.
        duty: Duty,
        /// The name in the file.
        name: String,
    },
    /// The owner of the file has declined this duty.
    OwnerDeclined {
        /// For which duty.
        duty: Duty,
        /// The name in the file.
        name: String,
    },
    /// Whoever imports may not appoint for this agent.
    OwnerNotYours {
        /// For which duty.
        duty: Duty,
        /// The name in the file.
        name: String,
    },
    /// A team's name that no team has.
    TeamUnknown {
        /// In which capacity.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The shared record of a tool or credential says otherwise, and holds.
    SharedRecordHolds {
        /// Its name.
        name: String,
    },
    /// More than can be kept of one sort.
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are kept.
        kept: usize,
    },
    /// The file says retired; retiring is a decision here.
    RetireHere,
    /// The file says both retired and running.
    Contradiction,
    /// Retired here: its record is closed, and the row differs from it.
    RecordClosed,
    /// Retired here, and the file says that it runs.
    SignOfLife,
    /// An external id that another agent already has.
    IdTaken {
        /// Its source.
        source: String,
        /// The id.
        id: String,
        /// Whose it is.
        agent: Option<AgentId>,
    },
}

impl Note {
    /// One plain sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::NameMissing => "It has no name.".into(),
            Self::KeyMissing => "It has no key: it is told apart by its place among such rows.".into(),
            Self::Duplicate(key) => format!("The key “{key}” was seen before: possibly the same agent twice."),
            Self::Shortened { what, kept, given } => {
                format!("{what} was shortened to {kept} characters of {given}.")
            }
            Self::Cleaned => "Control characters were left out.".into(),
            Self::NotUnderstood { what, value, taken } => {
                format!("{what} “{value}” is not understood: taken as {taken}.")
            }
            Self::StageMissing => "It has no stage: taken as draft, and counts as running.".into(),
            Self::KeptAsLabel(what) => {
                format!("The {what} is kept as a label: only a vendor-managed agent has one.")
            }
            Self::VendorMissing => "It is vendor-managed and no vendor is named.".into(),
            Self::OwnerUnknown { duty, name } => {
                format!(
                    "{} “{name}” is nobody on record: add the person or team, then import again.",
                    duty.owner_title()
                )
            }
            Self::OwnerAmbiguous { duty, name } => {
                format!("{} “{name}” could be several: name one, best by e-mail.", duty.owner_title())
            }
            Self::OwnerGone { duty, name } => {
                format!("{} “{name}” has left, or leads nobody: name somebody who is there.", duty.owner_title())
            }
            Self::OwnerKept { duty, name } => {
                format!("{} “{name}” is not taken: the register has another, who stays.", duty.owner_title())
            }
            Self::OwnerDeclined { duty, name } => {
                format!("{} “{name}” has declined and is not asked again.", duty.owner_title())
            }
            Self::OwnerNotYours { duty, name } => format!(
                "{} “{name}” is not asked: for an agent that somebody else registered, a security lead appoints.",
                duty.owner_title()
            ),
            Self::TeamUnknown { what, name } => format!("{what} “{name}” is no team on record."),
            Self::SharedRecordHolds { name } => {
                format!("“{name}” is recorded already, shared by every agent that uses it: its record holds.")
            }
            Self::TooMany { what, kept } => format!("More than {kept} {what}: the first {kept} are kept."),
            Self::RetireHere => "The file says retired: retire it here, by its checklist.".into(),
            Self::Contradiction => "The file says both retired and running: taken as discovered and running.".into(),
            Self::RecordClosed => "It is retired here: its record is closed and nothing is changed.".into(),
            Self::SignOfLife => "It is retired here, and the file says that it runs.".into(),
            Self::IdTaken { source, id, agent } => {
                let whose = agent.map_or_else(|| "another row".to_owned(), |a| a.to_string());
                format!("The id “{id}” of {source} already belongs to {whose}.")
            }
        }
    }

    /// The owner's or team's name that belongs to nobody, with its capacity.
    pub fn unmatched(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::OwnerUnknown { duty, name }
            | Self::OwnerAmbiguous { duty, name }
            | Self::OwnerGone { duty, name } => Some((duty.owner_title(), name)),
            Self::TeamUnknown { what, name } => Some((what, name)),
            _ => None,
        }
    }
}
