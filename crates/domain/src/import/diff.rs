//! What a row would change: compared with what is on record, fact by fact.

use std::collections::{BTreeMap, BTreeSet};

use super::note::Note;
use super::row::Imported;
use crate::agent::{AgentFacts, Lifecycle, Running};

/// One fact that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Which, as the record names it.
    pub field: String,
    /// Which, as people read it.
    pub label: String,
    /// As it is.
    pub before: String,
    /// As the file says.
    pub after: String,
    /// Whether it belongs to the boundary.
    pub boundary: bool,
}

/// What comes of comparing a row with the agent it names.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The facts to be written; equal to those on record when nothing changes.
    pub facts: AgentFacts,
    /// What would be written.
    pub changes: Vec<FieldChange>,
    /// What is not written, since the boundary was approved.
    pub drift: Vec<FieldChange>,
    /// The facts that the row tells of an agent whose boundary was approved, whether or not they
    /// differ from it.
    pub seen: Option<AgentFacts>,
    /// What was noticed.
    pub notes: Vec<Note>,
}

/// Compares a row with the agent it names. A closed record is left alone. An approved
/// boundary is never overwritten: the difference is drift, and only the other facts are
/// taken. The state of an agent is never an import's to change.
pub fn compare(row: &Imported, before: &AgentFacts, state: Lifecycle) -> Compared {
    let mut notes = Vec::new();
    if state == Lifecycle::Retired {
        if row.said.running == Some(Running::Yes) {
            notes.push(Note::SignOfLife);
        } else if !changes(before, &row.said.upon(before, &mut Vec::new())).is_empty() {
            // A row that says what is on record is no news.
            notes.push(Note::RecordClosed);
        }
        return Compared { facts: before.clone(), changes: Vec::new(), drift: Vec::new(), seen: None, notes };
    }
    if row.state_said && row.state == Lifecycle::Retired && state != Lifecycle::Retiring {
        notes.push(Note::RetireHere);
    }
    let wanted = row.said.upon(before, &mut notes);
    let mut facts = wanted.clone();
    let mut drift = Vec::new();
    if state.boundary_is_approved() && wanted.boundary_sha256() != before.boundary_sha256() {
        drift = changes(before, &wanted).into_iter().filter(|c| c.boundary).collect();
        hold_boundary(before, &mut facts);
    }
    let seen = state.boundary_is_approved().then_some(wanted);
    Compared { changes: changes(before, &facts), facts, drift, seen, notes }
}

/// Puts back every fact that policy reads.
pub fn hold_boundary(before: &AgentFacts, facts: &mut AgentFacts) {
    facts.purpose.clone_from(&before.purpose);
    facts.tools.clone_from(&before.tools);
    facts.data = before.data;
    facts.autonomy = before.autonomy;
    facts.exposure = before.exposure;
    facts.environment = before.environment;
    facts.regulated = before.regulated;
    facts.hosting = before.hosting;
    facts.vendor.clone_from(&before.vendor);
    // A contract without its vendor would say nothing.
    facts.contract.clone_from(&before.contract);
    facts.models.clone_from(&before.models);
    facts.workload_identity.clone_from(&before.workload_identity);
    facts.credentials.clone_from(&before.credentials);
}

/// Every fact that differs, in the order of the record.
pub fn changes(before: &AgentFacts, after: &AgentFacts) -> Vec<FieldChange> {
    let mut out = Vec::new();
    let mut add = |field: &str, label: &str, boundary: bool, b: String, a: String| {
        if b != a {
            out.push(FieldChange { field: field.to_owned(), label: label.to_owned(), before: b, after: a, boundary });
        }
    };
    macro_rules! text {
        ($($field:ident $label:literal $boundary:literal),+ $(,)?) => {
            $(add(stringify!($field), $label, $boundary, before.$field.clone(), after.$field.clone());)+
        };
    }
    macro_rules! word {
        ($($field:ident $label:literal $boundary:literal),+ $(,)?) => {
            $(add(stringify!($field), $label, $boundary, before.$field.label().into(), after.$field.label().into());)+
        };
    }
    let yes = |b: bool| String::from(if b { "Yes" } else { "No" });
    text!(name "Name" false, purpose "Purpose" true);
    word!(kind "Kind" false);
    text!(business_unit "Business unit" false);
    word!(environment "Environment" true, hosting "Hosting" true);
    text!(vendor "Vendor" true, contract "Contract" false);
    let reference = |t: Option<crate::id::TeamId>| t.map(|t| t.to_string()).unwrap_or_default();
    add("built_by", "Built by", false, reference(before.built_by), reference(after.built_by));
    add("operated_by", "Operated by", false, reference(before.operated_by), reference(after.operated_by));
    text!(workload_identity "Workload identity" true);
    add("models", "Models", true, set(&before.models), set(&after.models));
    word!(autonomy "Autonomy" true, exposure "Exposure" true, data "Data" true);
    add("regulated", "Regulated", true, yes(before.regulated), yes(after.regulated));
    let tools = |f: &AgentFacts| {
        set(&f.tools.iter().map(|t| format!("{} ({})", t.name, t.access.label().to_lowercase())).collect::<Vec<_>>())
    };
    add("tools", "Tools", true, tools(before), tools(after));
    let credentials = |f: &AgentFacts| {
        set(&f
            .credentials
            .iter()
            .map(|c| format!("{} ({})", c.name, c.kind.label().to_lowercase()))
            .collect::<Vec<_>>())
    };
    add("credentials", "Credentials", true, credentials(before), credentials(after));
    word!(running "Running" false);
    add("confidential", "Confidential", false, yes(before.confidential), yes(after.confidential));
    let keys: BTreeSet<&String> = before.labels.keys().chain(after.labels.keys()).collect();
    for key in keys {
        let of = |l: &BTreeMap<String, String>| l.get(key).cloned().unwrap_or_default();
        add(&format!("labels.{key}"), &format!("Label {key}"), false, of(&before.labels), of(&after.labels));
    }
    let ids =
        |f: &AgentFacts| set(&f.external_ids.iter().map(|e| format!("{}: {}", e.source, e.id)).collect::<Vec<_>>());
    add("external_ids", "External ids", false, ids(before), ids(after));
    out
}

fn set(items: &[String]) -> String {
    let mut items: Vec<&str> = items.iter().map(String::as_str).collect();
    items.sort_unstable();
    items.dedup();
    items.join("; ")
}
