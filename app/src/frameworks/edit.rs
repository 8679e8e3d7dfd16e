//! The form of what the organisation says of a node: which records evidence it, for which agents it
//! counts, and what is attested.

use std::collections::BTreeMap;

use domain::coverage::{Condition, ControlKey};
use domain::framework::{Node, Strength};
use leptos::prelude::*;

use super::node::Attested;
use crate::components::{
    Button, Choice, Crumb, Crumbs, ErrorSummary, Field, IntoPiece, Kind, LinkButton, PageHead, Piece, PostForm,
    Refused, Select, Suggestions, Tab, Tabs, TextArea,
};

domain::words! {
    /// What is changed at a time.
    pub enum Part {
        Links = "links", "What evidences it";
        Only = "only", "For which agents it counts";
        Attest = "attest", "Attest it";
        End = "end", "End an attestation";
    }
}

/// As typed.
#[derive(Debug, Clone, Default)]
pub struct NodeForm {
    /// The version that was read.
    pub version: String,
    /// How far each record bears on it; empty for not at all.
    pub strengths: BTreeMap<ControlKey, String>,
    /// For which agents it counts.
    pub condition: String,
    /// Until when.
    pub until: String,
    /// For which business unit it is attested, or whose attestation ends; empty for all.
    pub business_unit: String,
    /// What is attested.
    pub says: String,
    /// Where the evidence is.
    pub evidence: String,
    /// Why.
    pub reason: String,
}

/// What the form shows.
#[derive(Debug, Clone)]
pub struct Editing {
    /// The node.
    pub node: &'static Node,
    /// What is changed.
    pub part: Part,
    /// What was typed.
    pub form: Refused<NodeForm>,
    /// Business units that are suggested.
    pub units: Vec<String>,
    /// The attestations that hold.
    pub attested: Vec<Attested>,
}

/// Where the form of a part is.
fn at(node: &Node, part: Part) -> String {
    format!("{}/mapping?part={part}", node.path())
}

/// The page at `/frameworks/{id}/{node}/mapping`; goes inside `Layout`.
#[component]
pub fn EditNode(
    /// What it shows.
    editing: Editing,
) -> impl IntoView {
    let (node, part) = (editing.node, editing.part);
    let errors = editing.form.errors.clone();
    let values = editing.form.values.clone();
    let tabs = Part::ALL
        .iter()
        .filter(|p| **p != Part::End || !editing.attested.is_empty())
        .map(|p| Tab::new(p.label(), at(node, *p), *p == part))
        .collect::<Vec<_>>();
    let fields = match part {
        Part::Links => links(&editing),
        Part::Only => only(&editing),
        Part::Attest => attest(&editing),
        Part::End => end(&editing),
    };
    let why = match part {
        Part::Links => "Why it is to be read so. It stays beside each link that changes.",
        Part::Only => "Why it does not count for the others.",
        Part::Attest => "Why this is attested and not shown by a record.",
        Part::End => "Why it ends.",
    };
    let reason_error = errors.of("reason");
    view! {
        <Crumbs trail=vec![
            Crumb::new("Frameworks", "/frameworks"),
            Crumb::new(node.reference.clone(), node.path()),
            Crumb::here("Change what is said of it"),
        ]/>
        <PageHead title=format!("What is said of {}", node.reference) lead=super::title(node)/>
        <Tabs label="What is changed" tabs=tabs/>
        <PostForm action=at(node, part)>
            <ErrorSummary errors=errors/>
            <input type="hidden" name="version" value=values.version/>
            {fields}
            <TextArea name="reason" label="Reason" value=values.reason error=reason_error hint=why required=true/>
            <div class="actions">
                <Button kind=Kind::Primary>{if part == Part::End { "End it" } else { "Save" }}</Button>
                <LinkButton href=node.path() kind=Kind::Quiet>"Cancel"</LinkButton>
            </div>
        </PostForm>
    }
    .piece()
}

fn links(editing: &Editing) -> Piece {
    let options = || Strength::ALL.iter().map(|s| Choice::new(s.key(), s.label())).collect::<Vec<_>>();
    let rows = ControlKey::ALL
        .iter()
        .map(|control| {
            let selected = editing.form.values.strengths.get(control).cloned().unwrap_or_default();
            let hint = if control.measured() { "" } else { "Not measured." };
            view! { <Select name=control.key() label=control.label() options=options() selected=selected blank="Does not bear on it" hint=hint required=true/> }
        })
        .collect_view();
    view! {
        <p class="prose">"A record that contributes is never a whole answer, however many there are. One that is a whole answer is a judgement about the record, never about conformity."</p>
        <div class="fields">{rows}</div>
    }
    .piece()
}

fn only(editing: &Editing) -> Piece {
    let v = &editing.form.values;
    let options = Condition::ALL.iter().map(|c| Choice::new(c.key(), c.label())).collect::<Vec<_>>();
    let (condition, until) = (v.condition.clone(), v.until.clone());
    let (wrong, late) = (editing.form.errors.of("condition"), editing.form.errors.of("until"));
    view! {
        <p class="prose">"For every other agent the node is then not applicable, and leaves the denominator. You answer for that, and it ends with its day: then the node counts for all agents again."</p>
        <Select name="condition" label="It counts only while" options=options selected=condition blank="It counts for every agent" error=wrong/>
        <Field name="until" label="Until the end of" kind="date" value=until error=late hint="At most twelve months." short=true/>
    }
    .piece()
}

fn attest(editing: &Editing) -> Piece {
    let v = editing.form.values.clone();
    let of = |field: &str| editing.form.errors.of(field);
    let units = editing.units.iter().map(|u| Choice::new(u.clone(), String::new())).collect::<Vec<_>>();
    view! {
        <p class="prose">"What no record shows may be attested, with evidence. The node then counts as met for these agents. You answer for it, and it ends with its day."</p>
        <Field name="business_unit" label="Business unit" value=v.business_unit error=of("business_unit") hint="Leave it empty for all agents." list="units"/>
        <Suggestions id="units" values=units/>
        <TextArea name="says" label="What is so" value=v.says error=of("says") required=true/>
        <Field name="evidence" label="Where that is shown" value=v.evidence error=of("evidence") hint="A document’s name or address." required=true/>
        <Field name="until" label="Until the end of" kind="date" value=v.until error=of("until") hint="At most twelve months." short=true required=true/>
    }
    .piece()
}

fn end(editing: &Editing) -> Piece {
    // All agents are sent as `*`: a business unit has no such name.
    let options = editing
        .attested
        .iter()
        .map(|a| match &a.attestation.business_unit {
            None => Choice::new("*", format!("All agents: {}", a.attestation.says)),
            Some(unit) => Choice::new(unit.clone(), format!("{unit}: {}", a.attestation.says)),
        })
        .collect::<Vec<_>>();
    let selected = editing.form.values.business_unit.clone();
    view! { <Select name="business_unit" label="Attestation" options=options selected=selected required=true/> }.piece()
}
