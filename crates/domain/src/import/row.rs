//! From a row to what it says about an agent.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use sha2::{Digest as _, Sha256};

use super::mapping::{Field, ListRule, Mapping, Rule};
use super::note::Note;
use super::profile::plain;
use super::table::{Record, Table};
use super::vocabulary::{self, Stage, says_nothing};
use crate::agent::{
    Access, AgentFacts, AgentKind, Autonomy, CredentialKind, CredentialUse, DataClass, Environment, Exposure,
    ExternalId, Hosting, Lifecycle, Running, Sensitivity, ToolGrant, ToolKind,
};
use crate::duty::Duty;
use crate::facts::{LINE_MAX, MANY_MAX, NAME_MAX, PURPOSE_MAX};
use crate::finding::ImportNotes;
use crate::text::fold;

/// A key longer than this is cut and told apart by its hash.
const KEY_MAX: usize = 400;
/// Most characters of an external id.
const ID_MAX: usize = 480;

/// What becomes of a row before it is compared with the register.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It says something about an agent.
    Row(Box<Imported>),
    /// It cannot be taken.
    Refused(Refused),
}

/// A row that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its number.
    pub row: usize,
    /// The key it would have had, number included.
    pub key: String,
    /// What it was called, as far as one can tell.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// What a row says about an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Its number.
    pub row: usize,
    /// What tells the agent apart in its source, number included.
    pub key: String,
    /// Its name; `(unnamed, row N)` when it has none.
    pub name: String,
    /// Where a new record would begin.
    pub state: Lifecycle,
    /// Whether the row said so.
    pub state_said: bool,
    /// What the import keeps on record about the row.
    pub record: ImportNotes,
    /// The facts it states; what it leaves empty says nothing.
    pub said: Said,
    /// Owners by duty, as candidates for one party: e-mail addresses and names.
    pub owners: Vec<(Duty, Vec<String>)>,
    /// The name of the team that built it.
    pub built_by: String,
    /// The name of the team that operates it.
    pub operated_by: String,
    /// What was taken otherwise than it was written.
    pub notes: Vec<Note>,
}

/// Facts that a row states.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    /// Name, when there is one.
    pub name: Option<String>,
    /// Purpose.
    pub purpose: Option<String>,
    /// Kind.
    pub kind: Option<AgentKind>,
    /// Business unit.
    pub business_unit: Option<String>,
    /// Environment.
    pub environment: Option<Environment>,
    /// Hosting.
    pub hosting: Option<Hosting>,
    /// Vendor.
    pub vendor: Option<String>,
    /// Contract.
    pub contract: Option<String>,
    /// Workload identity.
    pub workload_identity: Option<String>,
    /// Models.
    pub models: Option<Vec<String>>,
    /// Autonomy.
    pub autonomy: Option<Autonomy>,
    /// Exposure.
    pub exposure: Option<Exposure>,
    /// Data.
    pub data: Option<DataClass>,
    /// Regulated.
    pub regulated: Option<bool>,
    /// Running.
    pub running: Option<Running>,
    /// Confidential.
    pub confidential: Option<bool>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// References elsewhere, the row's own key first.
    pub external_ids: Vec<ExternalId>,
    /// Tools.
    pub tools: Option<Vec<ToolGrant>>,
    /// Credentials.
    pub credentials: Option<Vec<CredentialUse>>,
}

impl Said {
    /// The facts that result when this is said of an agent.
    pub fn upon(&self, base: &AgentFacts, notes: &mut Vec<Note>) -> AgentFacts {
        let mut f = base.clone();
        macro_rules! take {
            ($($field:ident),+) => { $(if let Some(v) = &self.$field { f.$field = v.clone(); })+ };
        }
        take!(
            name,
            purpose,
            kind,
            business_unit,
            environment,
            workload_identity,
            models,
            autonomy,
            exposure,
            data,
            regulated,
            running,
            confidential,
            tools,
            credentials
        );
        f.labels.extend(self.labels.iter().map(|(k, v)| (k.clone(), v.clone())));
        for (at, id) in self.external_ids.iter().enumerate() {
            let same = |e: &ExternalId| e.source == id.source && (at > 0 || fold(&e.id) == fold(&id.id));
            if f.external_ids.iter().any(|e| same(e) && (at == 0 || e.id == id.id)) {
                continue;
            }
            f.external_ids.retain(|e| !same(e));
            f.external_ids.push(id.clone());
        }
        f.external_ids.sort();
        f.external_ids.dedup();
        f.models.sort();
        f.models.dedup();
        self.host(&mut f, notes);
        f
    }

    /// A vendor and a contract belong to a vendor-managed agent. Naming a vendor makes it
    /// one, unless the file or the register says that it is hosted internally.
    fn host(&self, f: &mut AgentFacts, notes: &mut Vec<Note>) {
        if let Some(h) = self.hosting {
            f.hosting = h;
        } else if self.vendor.is_some() {
            f.hosting = Hosting::VendorManaged;
        }
        if f.hosting == Hosting::VendorManaged {
            if let Some(v) = &self.vendor {
                f.vendor.clone_from(v);
            }
            if let Some(c) = &self.contract {
                f.contract.clone_from(c);
            }
            if f.vendor.is_empty() {
                "(not named)".clone_into(&mut f.vendor);
                notes.push(Note::VendorMissing);
            }
            return;
        }
        f.vendor.clear();
        f.contract.clear();
        for (what, value) in [("vendor", &self.vendor), ("contract", &self.contract)] {
            if let Some(v) = value {
                f.labels.insert(what.to_owned(), v.clone());
                notes.push(Note::KeptAsLabel(what));
            }
        }
    }
}

/// A field, the columns it comes from, its rule, and what words mean by it.
type Bound<'m> = (Field, Vec<usize>, &'m Rule, HashMap<String, &'m str>);

/// Reads rows by a mapping. Keys are numbered as the rows come, so one reader goes through
/// one file from its beginning.
pub struct Reader<'m> {
    mapping: &'m Mapping,
    key: Vec<usize>,
    ours: Option<usize>,
    fields: Vec<Bound<'m>>,
    labels: Vec<(&'m str, usize)>,
    owners: Vec<(Duty, Vec<usize>)>,
    built_by: Option<usize>,
    operated_by: Option<usize>,
    ids: Vec<(&'m str, usize)>,
    tools: Option<(usize, &'m ListRule)>,
    credentials: Option<(usize, &'m ListRule)>,
    seen: HashMap<String, usize>,
    used: HashSet<String>,
}

impl<'m> Reader<'m> {
    /// Finds the mapping's columns in the file, or says which are missing.
    pub fn new(mapping: &'m Mapping, table: &Table<'_>) -> Result<Self, String> {
        mapping.check()?;
        if let Some(refusal) = mapping.refusal(table.header()) {
            return Err(refusal);
        }
        let at: HashMap<String, usize> = table.header().iter().enumerate().map(|(i, h)| (fold(h), i)).collect();
        let find = |name: &str| at.get(&fold(name)).copied();
        let all = |names: &[String]| names.iter().filter_map(|n| find(n)).collect::<Vec<_>>();
        Ok(Self {
            key: all(&mapping.key),
            ours: table.key_column(),
            fields: mapping
                .fields
                .iter()
                .map(|(field, rule)| {
                    let columns = rule.every_column().filter_map(find).collect();
                    let values = rule.values.iter().map(|(from, to)| (fold(&plain(from)), to.as_str())).collect();
                    (*field, columns, rule, values)
                })
                .collect(),
            labels: mapping.labels.iter().filter_map(|(l, c)| Some((l.as_str(), find(c)?))).collect(),
            owners: mapping.owners.iter().map(|(d, c)| (*d, all(c))).collect(),
            built_by: mapping.built_by.as_deref().and_then(find),
            operated_by: mapping.operated_by.as_deref().and_then(find),
            ids: mapping.external_ids.iter().filter_map(|(s, c)| Some((s.as_str(), find(c)?))).collect(),
            tools: mapping.tools.as_ref().and_then(|r| Some((find(&r.column)?, r))),
            credentials: mapping.credentials.as_ref().and_then(|r| Some((find(&r.column)?, r))),
            mapping,
            seen: HashMap::new(),
            used: HashSet::new(),
        })
    }

    /// Reads one row.
    pub fn take(&mut self, record: &Record<'_>) -> Outcome {
        let mut notes = Vec::new();
        let (key, record_notes) = self.numbered(record, &mut notes);
        let name = self.name(record, &mut notes);
        if let Some(reason) = record.refusal() {
            let name = name.unwrap_or_default();
            return Outcome::Refused(Refused { row: record.row, key, name, reason });
        }
        let mut row = Imported {
            row: record.row,
            name: name.clone().unwrap_or_else(|| format!("(unnamed, row {})", record.row)),
            state: Lifecycle::Draft,
            state_said: false,
            record: ImportNotes { name_missing: name.is_none(), ..record_notes },
            said: Said { name, ..Said::default() },
            owners: Vec::new(),
            built_by: String::new(),
            operated_by: String::new(),
            notes,
            key,
        };
        if row.record.name_missing {
            row.notes.push(Note::NameMissing);
        }
        row.said.external_ids.push(ExternalId { source: self.mapping.source.clone(), id: row.key.clone() });
        self.facts(record, &mut row);
        self.rest(record, &mut row);
        Outcome::Row(Box::new(row))
    }

    fn name(&self, record: &Record<'_>, notes: &mut Vec<Note>) -> Option<String> {
        let (_, columns, rule, _) = self.fields.iter().find(|(f, ..)| *f == Field::Name)?;
        let text = joined(record, columns, " ");
        let name = one_line(&text, "The name", NAME_MAX, notes);
        if name.is_empty() { rule.value.clone().filter(|v| !v.trim().is_empty()) } else { Some(name) }
    }

    /// The key of a row: told apart from the same key of earlier rows by a number.
    fn numbered(&mut self, record: &Record<'_>, notes: &mut Vec<Note>) -> (String, ImportNotes) {
        let mut ignored = Vec::new();
        let ours = self
            .ours
            .map(|c| one_line(&record.cells[c], "", usize::MAX, &mut ignored))
            .filter(|k| !k.is_empty() && k.chars().count() <= ID_MAX);
        if let Some(key) = ours {
            let key = self.free(&key);
            let duplicate_of = key
                .rsplit_once(" #")
                .filter(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
                .map(|(k, _)| k.to_owned())
                .filter(|k| !k.is_empty());
            notes.extend(duplicate_of.clone().map(Note::Duplicate));
            return (key, ImportNotes { name_missing: false, duplicate_of });
        }
        if record.open_quote {
            return (String::new(), ImportNotes::default());
        }
        let parts: Vec<String> =
            self.key.iter().map(|c| one_line(&record.cells[*c], "", usize::MAX, &mut ignored)).collect();
        if parts.iter().all(String::is_empty) {
            notes.push(Note::KeyMissing);
            return (self.free("#1"), ImportNotes::default());
        }
        let parts: Vec<&str> = parts.iter().map(|p| if p.is_empty() { "-" } else { p.as_str() }).collect();
        let key = cut_key(&parts.join(" / "));
        let numbered = self.free(&key);
        let duplicate_of = (numbered != key).then_some(key);
        notes.extend(duplicate_of.clone().map(Note::Duplicate));
        (numbered, ImportNotes { name_missing: false, duplicate_of })
    }

    /// The key itself when it is free, else the next number after it.
    fn free(&mut self, key: &str) -> String {
        let bare = key == "#1";
        let mut candidate = key.to_owned();
        let folded = fold(key);
        while !self.used.insert(fold(&candidate)) {
            let n = self.seen.entry(folded.clone()).or_insert(1);
            *n += 1;
            candidate = if bare { format!("#{n}") } else { format!("{key} #{n}") };
        }
        candidate
    }

    fn facts(&self, record: &Record<'_>, row: &mut Imported) {
        let notes = &mut row.notes;
        let said = &mut row.said;
        let (mut stage, mut state) = (None, None);
        for (field, columns, rule, values) in &self.fields {
            if field.is_closed() {
                let key = closed(*field, rule, values, record, columns, notes);
                let Some(key) = key else { continue };
                match field {
                    Field::Kind => said.kind = key.parse().ok(),
                    Field::Stage => stage = key.parse::<Stage>().ok(),
                    Field::State => state = key.parse::<Lifecycle>().ok(),
                    Field::Running => said.running = key.parse().ok(),
                    Field::Environment => said.environment = key.parse().ok(),
                    Field::Hosting => said.hosting = key.parse().ok(),
                    Field::Autonomy => said.autonomy = key.parse().ok(),
                    Field::Exposure => said.exposure = key.parse().ok(),
                    Field::Data => said.data = key.parse().ok(),
                    Field::Regulated => said.regulated = Some(key == "yes"),
                    Field::Confidential => said.confidential = Some(key == "yes"),
                    _ => {}
                }
                continue;
            }
            match field {
                Field::Purpose => {
                    let text = joined(record, columns, "\n\n");
                    let text =
                        if says_nothing(&text) { rule.value.clone().unwrap_or_default() } else { text.into_owned() };
                    said.purpose = Some(prose(&text, notes)).filter(|p| !p.is_empty());
                }
                Field::BusinessUnit => {
                    said.business_unit = open(rule, record, columns, "The business unit", NAME_MAX, notes);
                }
                Field::Vendor => said.vendor = open(rule, record, columns, "The vendor", NAME_MAX, notes),
                Field::Contract => said.contract = open(rule, record, columns, "The contract", LINE_MAX, notes),
                Field::WorkloadIdentity => {
                    said.workload_identity = open(rule, record, columns, "The workload identity", LINE_MAX, notes);
                }
                Field::Models => {
                    let text = joined(record, columns, "; ");
                    let names = names(&text, None, "models", notes);
                    said.models = Some(names).filter(|n| !n.is_empty());
                }
                _ => {}
            }
        }
        if let Some(stage) = stage {
            if said.running.is_none() && stage != Stage::Unknown {
                said.running = Some(stage.running());
            }
            said.environment = said.environment.or(stage.environment());
        }
        let own_running = said.running;
        match state.or(stage.map(Stage::state)) {
            Some(Lifecycle::Retired) if own_running == Some(Running::Yes) => {
                notes.push(Note::Contradiction);
                row.state = Lifecycle::Discovered;
            }
            Some(s) => {
                row.state = s;
                row.state_said = true;
                if s == Lifecycle::Retired {
                    said.running = said.running.or(Some(Running::No));
                }
            }
            None => {}
        }
    }

    fn rest(&self, record: &Record<'_>, row: &mut Imported) {
        let notes = &mut row.notes;
        let cell = |c: usize| record.cells[c].as_ref();
        for (label, c) in &self.labels {
            if !says_nothing(cell(*c)) {
                let value = one_line(cell(*c), &format!("The label “{label}”"), LINE_MAX, notes);
                if !value.is_empty() {
                    row.said.labels.insert((*label).to_owned(), value);
                }
            }
        }
        for (source, c) in &self.ids {
            if !says_nothing(cell(*c)) {
                let id = one_line(cell(*c), &format!("The id of {source}"), ID_MAX, notes);
                if !id.is_empty() {
                    row.said.external_ids.push(ExternalId { source: (*source).to_owned(), id });
                }
            }
        }
        for (duty, columns) in &self.owners {
            let found: Vec<String> = columns
                .iter()
                .filter(|c| !says_nothing(cell(**c)))
                .flat_map(|c| parties(&one_line(cell(*c), "", LINE_MAX, notes)))
                .collect();
            if !found.is_empty() {
                row.owners.push((*duty, found));
            }
        }
        let mut team = |c: Option<usize>| {
            c.filter(|c| !says_nothing(cell(*c)))
                .map(|c| one_line(cell(c), "The team", NAME_MAX, notes))
                .unwrap_or_default()
        };
        row.built_by = team(self.built_by);
        row.operated_by = team(self.operated_by);
        if let Some((c, rule)) = self.tools {
            let names = names(cell(c), rule.separator.as_deref(), "tools", notes);
            let kind = rule.kind.as_deref().and_then(vocabulary::tool_kind).unwrap_or(ToolKind::Other);
            let access = rule.access.as_deref().and_then(vocabulary::access).unwrap_or(Access::Write);
            let sensitivity =
                rule.sensitivity.as_deref().and_then(vocabulary::sensitivity).unwrap_or(Sensitivity::Medium);
            let tools: Vec<ToolGrant> = names
                .into_iter()
                .map(|name| ToolGrant { name, kind, sensitivity, access, scope: String::new() })
                .collect();
            row.said.tools = Some(tools).filter(|t| !t.is_empty());
        }
        if let Some((c, rule)) = self.credentials {
            let names = names(cell(c), rule.separator.as_deref(), "credentials", notes);
            let kind = rule.kind.as_deref().and_then(vocabulary::credential_kind).unwrap_or(CredentialKind::LongLived);
            let list: Vec<CredentialUse> = names
                .into_iter()
                .map(|name| CredentialUse {
                    name,
                    kind,
                    ttl_seconds: None,
                    kept_in: String::new(),
                    last_rotated: String::new(),
                })
                .collect();
            row.said.credentials = Some(list).filter(|t| !t.is_empty());
        }
        // Several columns may carry the same control characters: once is enough.
        let mut cleaned = false;
        notes.retain(|n| *n != Note::Cleaned || !std::mem::replace(&mut cleaned, true));
    }
}

/// A key of bearable length: cut, and told apart by its hash.
fn cut_key(key: &str) -> String {
    if key.chars().count() <= KEY_MAX {
        return key.to_owned();
    }
    let head: String = key.chars().take(KEY_MAX - 20).collect();
    format!("{head}… {}", &hex::encode(Sha256::digest(key.as_bytes()))[..16])
}

fn joined<'a>(record: &'a Record<'_>, columns: &[usize], by: &str) -> Cow<'a, str> {
    match columns {
        [] => Cow::Borrowed(""),
        [one] => Cow::Borrowed(record.cells[*one].as_ref()),
        many => {
            let parts: Vec<&str> = many.iter().map(|c| record.cells[*c].trim()).filter(|p| !says_nothing(p)).collect();
            Cow::Owned(parts.join(by))
        }
    }
}

fn open(
    rule: &Rule,
    record: &Record<'_>,
    columns: &[usize],
    what: &str,
    max: usize,
    notes: &mut Vec<Note>,
) -> Option<String> {
    let text = joined(record, columns, " ");
    let text = if says_nothing(&text) { Cow::Borrowed(rule.value.as_deref().unwrap_or("")) } else { text };
    Some(one_line(&text, what, max, notes)).filter(|t| !t.is_empty())
}

/// What a cell means in a closed vocabulary: as the mapping says, else as Muster
/// understands it, else nothing, with a note.
fn closed<'r>(
    field: Field,
    rule: &'r Rule,
    values: &HashMap<String, &'r str>,
    record: &Record<'_>,
    columns: &[usize],
    notes: &mut Vec<Note>,
) -> Option<&'r str> {
    let otherwise = rule.value.as_deref().filter(|v| !v.is_empty());
    if columns.is_empty() {
        return otherwise;
    }
    let text = joined(record, columns, " ");
    let value = plain(&text);
    if let Some(meaning) = values.get(&fold(&value)) {
        if field == Field::Stage && meaning.is_empty() {
            notes.push(Note::StageMissing);
        }
        return Some(*meaning).filter(|m| !m.is_empty()).or(otherwise);
    }
    if says_nothing(&value) {
        if field == Field::Stage && otherwise.is_none() {
            notes.push(Note::StageMissing);
        }
        return otherwise;
    }
    if let Some(meaning) = field.understand(&value) {
        return Some(meaning);
    }
    notes.push(Note::NotUnderstood {
        what: field.label().to_owned(),
        value: value.chars().take(80).collect(),
        taken: otherwise.map_or_else(|| taken(field).to_owned(), str::to_owned),
    });
    otherwise
}

/// What holds when a row says nothing that is understood.
const fn taken(field: Field) -> &'static str {
    match field {
        Field::Stage => "draft, and it counts as running",
        Field::State => "draft",
        Field::Running => "not known, which counts as running",
        Field::Environment => "sandbox, or what the register has",
        Field::Hosting => "internal, or what the register has",
        Field::Kind => "other, or what the register has",
        Field::Regulated | Field::Confidential => "no, or what the register has",
        _ => "not stated, or what the register has",
    }
}

/// One line: control characters left out, line breaks made blanks, shortened to `max`.
fn one_line(text: &str, what: &str, max: usize, notes: &mut Vec<Note>) -> String {
    let mut out = String::with_capacity(text.len().min(1_024));
    let mut cleaned = false;
    for c in text.chars() {
        if matches!(c, '\n' | '\r' | '\t') {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else if c.is_control() {
            cleaned = true;
        } else {
            out.push(c);
        }
    }
    if cleaned {
        notes.push(Note::Cleaned);
    }
    shorten(out.trim(), what, max, notes)
}

fn prose(text: &str, notes: &mut Vec<Note>) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let clean: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    if clean.len() != text.len() {
        notes.push(Note::Cleaned);
    }
    shorten(clean.trim(), "The purpose", PURPOSE_MAX, notes)
}

fn shorten(text: &str, what: &str, max: usize, notes: &mut Vec<Note>) -> String {
    let given = text.chars().count();
    if given <= max {
        return text.to_owned();
    }
    notes.push(Note::Shortened { what: what.to_owned(), kept: max, given });
    let mut out: String = text.chars().take(max - 1).collect();
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

/// Names in one cell, each once.
fn names(text: &str, separator: Option<&str>, what: &'static str, notes: &mut Vec<Note>) -> Vec<String> {
    let pieces: Vec<&str> = match separator.filter(|s| !s.is_empty()) {
        Some(s) => text.split(s).collect(),
        None => text.split([';', ',', '|', '\n', '\r']).collect(),
    };
    let mut seen = std::collections::HashSet::new();
    let mut out = Vec::new();
    for piece in pieces {
        if says_nothing(piece) {
            continue;
        }
        let name = one_line(piece, "A name", NAME_MAX, notes);
        if name.is_empty() || !seen.insert(fold(&name)) {
            continue;
        }
        if out.len() == MANY_MAX {
            notes.push(Note::TooMany { what, kept: MANY_MAX });
            break;
        }
        out.push(name);
    }
    out
}

/// `Ana Silva <ana@example.org>` gives the address and the name.
fn parties(cell: &str) -> Vec<String> {
    for (open, close) in [('<', '>'), ('(', ')'), ('[', ']')] {
        if let Some((name, rest)) = cell.split_once(open)
            && let Some(inner) = rest.trim_end().strip_suffix(close)
            && inner.contains('@')
        {
            return [inner.trim(), name.trim()].into_iter().filter(|s| !s.is_empty()).map(str::to_owned).collect();
        }
    }
    vec![cell.to_owned()]
}
