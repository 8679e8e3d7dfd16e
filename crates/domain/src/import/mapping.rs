//! The mapping: which column is which fact, and what its words mean. Kept per source, and
//! exchanged as TOML.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::vocabulary::{self, Stage};
use crate::duty::Duty;
use crate::text::fold;

crate::words! {
    /// A fact that a column can give.
    pub enum Field {
        Name = "name", "Name";
        Purpose = "purpose", "Purpose";
        Kind = "kind", "Kind";
        BusinessUnit = "business_unit", "Business unit";
        Stage = "stage", "Stage";
        State = "state", "State";
        Running = "running", "Running";
        Environment = "environment", "Environment";
        Hosting = "hosting", "Hosting";
        Vendor = "vendor", "Vendor";
        Contract = "contract", "Contract";
        WorkloadIdentity = "workload_identity", "Workload identity";
        Models = "models", "Models";
        Autonomy = "autonomy", "Autonomy";
        Exposure = "exposure", "Exposure";
        Data = "data", "Data";
        Regulated = "regulated", "Regulated";
        Confidential = "confidential", "Confidential";
    }
}

impl Field {
    /// What the fact's value may be, when it comes from a closed vocabulary: key and label.
    pub fn choices(self) -> Vec<(&'static str, &'static str)> {
        macro_rules! of {
            ($t:ty) => {
                <$t>::ALL.iter().map(|v| (v.key(), v.label())).collect()
            };
        }
        match self {
            Self::Kind => of!(crate::agent::AgentKind),
            Self::Stage => of!(Stage),
            Self::State => crate::agent::Lifecycle::ALL
                .iter()
                .filter(|s| s.may_be_born(true))
                .map(|v| (v.key(), v.label()))
                .collect(),
            Self::Running => of!(crate::agent::Running),
            Self::Environment => of!(crate::agent::Environment),
            Self::Hosting => of!(crate::agent::Hosting),
            Self::Autonomy => of!(crate::agent::Autonomy),
            Self::Exposure => of!(crate::agent::Exposure),
            Self::Data => of!(crate::agent::DataClass),
            Self::Regulated | Self::Confidential => vec![("yes", "Yes"), ("no", "No")],
            Self::Name
            | Self::Purpose
            | Self::BusinessUnit
            | Self::Vendor
            | Self::Contract
            | Self::WorkloadIdentity
            | Self::Models => Vec::new(),
        }
    }

    /// Whether its values come from a closed vocabulary.
    pub fn is_closed(self) -> bool {
        !self.choices().is_empty()
    }

    /// Reads a value by the vocabulary: the key of what it means.
    pub fn understand(self, value: &str) -> Option<&'static str> {
        match self {
            Self::Kind => vocabulary::kind(value).map(crate::agent::AgentKind::key),
            Self::Stage => vocabulary::stage(value).map(Stage::key),
            Self::State => vocabulary::state(value).map(crate::agent::Lifecycle::key),
            Self::Running => vocabulary::running(value).map(crate::agent::Running::key),
            Self::Environment => vocabulary::environment(value).map(crate::agent::Environment::key),
            Self::Hosting => vocabulary::hosting(value).map(crate::agent::Hosting::key),
            Self::Autonomy => vocabulary::autonomy(value).map(crate::agent::Autonomy::key),
            Self::Exposure => vocabulary::exposure(value).map(crate::agent::Exposure::key),
            Self::Data => vocabulary::data(value).map(crate::agent::DataClass::key),
            Self::Regulated => vocabulary::regulated(value).map(yes_no),
            Self::Confidential => vocabulary::yes_or_no(value).map(yes_no),
            Self::Name
            | Self::Purpose
            | Self::BusinessUnit
            | Self::Vendor
            | Self::Contract
            | Self::WorkloadIdentity
            | Self::Models => None,
        }
    }
}

const fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// Where one fact comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Several columns, joined by a blank line for the purpose and a blank otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// The same value for every row, where no column says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What the words of the file mean, beside what Muster understands by itself. An empty
    /// meaning says nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
}

impl Rule {
    /// From one column.
    pub fn column(name: impl Into<String>) -> Self {
        Self { column: Some(name.into()), ..Self::default() }
    }

    /// Every column the rule names.
    pub fn every_column(&self) -> impl Iterator<Item = &str> {
        self.column.iter().chain(&self.columns).map(String::as_str)
    }
}

/// Where lists of shared records come from: names in one cell.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListRule {
    /// The column.
    pub column: String,
    /// What stands between names; by default a semicolon, comma, bar or line break.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// The kind of each that is not recorded yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What the agent may do with a tool; `write` unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<String>,
    /// How much harm a tool can do; `medium` unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<String>,
}

/// The whole mapping.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What the inventory is called: with the key, it names an agent for ever.
    #[serde(default)]
    pub source: String,
    /// The columns whose values together tell agents apart.
    #[serde(default)]
    pub key: Vec<String>,
    /// Facts by field.
    #[serde(default)]
    pub fields: BTreeMap<Field, Rule>,
    /// Labels: name and column.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Owners: duty and the columns in which to look for the person or team.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub owners: BTreeMap<Duty, Vec<String>>,
    /// The column with the team that built it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_by: Option<String>,
    /// The column with the team that operates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operated_by: Option<String>,
    /// References in other systems: source and column.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub external_ids: BTreeMap<String, String>,
    /// Tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<ListRule>,
    /// Credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<ListRule>,
}

/// Most characters of a mapping.
const TOML_MAX: usize = 512 * 1024;

impl Mapping {
    /// Reads TOML and checks it.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        if text.len() > TOML_MAX {
            return Err("The mapping is longer than 512 KiB.".into());
        }
        let mapping: Self = toml::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|e| format!("The mapping is not valid: {}", e.to_string().trim()))?;
        mapping.check()?;
        Ok(mapping)
    }

    /// Writes TOML, with a word on what it is.
    pub fn to_toml(&self) -> String {
        let body = toml::to_string_pretty(self).unwrap_or_default();
        format!(
            "# How the columns of an inventory become agents in Muster.\n\
             # muster import FILE.csv --mapping THIS.toml\n\n{body}"
        )
    }

    /// Refuses meanings that no vocabulary has.
    pub fn check(&self) -> Result<(), String> {
        for (field, rule) in &self.fields {
            let meanings = rule.values.values().chain(&rule.value).filter(|v| !v.is_empty());
            if !field.is_closed() {
                continue;
            }
            let choices = field.choices();
            for meaning in meanings {
                if !choices.iter().any(|(key, _)| key == meaning) {
                    let keys: Vec<&str> = choices.iter().map(|(k, _)| *k).collect();
                    return Err(format!(
                        "The mapping of {field} means “{meaning}”, which is not one of: {}.",
                        keys.join(", ")
                    ));
                }
            }
        }
        let lists = [("tools", &self.tools), ("credentials", &self.credentials)];
        for (name, list) in lists.into_iter().filter_map(|(n, l)| l.as_ref().map(|l| (n, l))) {
            let bad = |value: &Option<String>, known: fn(&str) -> bool| value.as_deref().is_some_and(|v| !known(v));
            let kind: fn(&str) -> bool = if name == "tools" {
                |v| vocabulary::tool_kind(v).is_some()
            } else {
                |v| vocabulary::credential_kind(v).is_some()
            };
            if bad(&list.kind, kind)
                || bad(&list.access, |v| vocabulary::access(v).is_some())
                || bad(&list.sensitivity, |v| vocabulary::sensitivity(v).is_some())
            {
                return Err(format!(
                    "The mapping of {name} has a kind, access or sensitivity that Muster does not know."
                ));
            }
        }
        if self.credentials.as_ref().is_some_and(|c| c.kind.is_none()) {
            return Err("The mapping of credentials must say their kind.".into());
        }
        if self.external_ids.contains_key(&self.source) {
            return Err("The source itself cannot be mapped to a column: its ids come from the key.".into());
        }
        if self.source.chars().count() > 100 || self.source.chars().any(char::is_control) {
            return Err("The source may have at most 100 characters, on one line.".into());
        }
        let long = |s: &String| s.trim().is_empty() || s.chars().count() > 100 || s.chars().any(char::is_control);
        if self.labels.keys().chain(self.external_ids.keys()).any(long) {
            return Err("A label’s name and a source have 1 to 100 characters, on one line.".into());
        }
        Ok(())
    }

    /// Every column the mapping names, in the order of its parts.
    pub fn columns(&self) -> Vec<&str> {
        self.key
            .iter()
            .map(String::as_str)
            .chain(self.fields.values().flat_map(Rule::every_column))
            .chain(self.labels.values().map(String::as_str))
            .chain(self.owners.values().flatten().map(String::as_str))
            .chain(self.built_by.as_deref())
            .chain(self.operated_by.as_deref())
            .chain(self.external_ids.values().map(String::as_str))
            .chain(self.tools.iter().map(|t| t.column.as_str()))
            .chain(self.credentials.iter().map(|t| t.column.as_str()))
            .collect()
    }

    /// The columns that the file does not have.
    pub fn missing(&self, header: &[String]) -> Vec<String> {
        let have: std::collections::HashSet<String> = header.iter().map(|h| fold(h)).collect();
        let mut out: Vec<String> = Vec::new();
        for column in self.columns() {
            if !have.contains(&fold(column)) && !out.iter().any(|c| c == column) {
                out.push(column.to_owned());
            }
        }
        out
    }

    /// The sentence that refuses a file without these columns; `None` when it has them all.
    pub fn refusal(&self, header: &[String]) -> Option<String> {
        let missing = self.missing(header);
        let first: Vec<String> = missing.iter().take(5).map(|c| format!("“{c}”")).collect();
        match missing.len() {
            0 => None,
            1 => Some(format!("The mapping names the column {}, which the file does not have.", first[0])),
            n => Some(format!(
                "The mapping names {n} columns that the file does not have: {}{}.",
                first.join(", "),
                if n > 5 { ", …" } else { "" }
            )),
        }
    }
}

/// What a source is called when nobody says: the file's name without its ending, in plain
/// letters.
pub fn source_of(file: &str) -> String {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let mut stem = fold(name);
    for ending in [".gz", ".csv", ".tsv", ".txt", ".tab"] {
        if let Some(s) = stem.strip_suffix(ending) {
            stem = s.to_owned();
        }
    }
    let mut out = String::new();
    for c in stem.chars() {
        if c.is_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let out: String = out.trim_end_matches('-').chars().take(80).collect();
    if out.is_empty() { "inventory".to_owned() } else { out }
}
