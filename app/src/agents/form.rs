//! The form of an agent: as typed, read back into facts, and what differs from what is stored.
//! The same code reads it on the server and, for the tier's preview, in the browser.

use std::collections::BTreeMap;
use std::str::FromStr;

use domain::agent::{AgentFacts, CredentialUse, ExternalId, ToolGrant};
use domain::facts;

use crate::components::FieldErrors;

/// Rows of a repeated part that a form may send; more are refused by `facts::check` anyway.
const ROWS_MAX: usize = 400;

/// The fields that an approval covers, beside tools and credentials. The contract is not read by
/// policy, but says nothing without its vendor.
const BOUNDARY: [&str; 10] = [
    "purpose",
    "environment",
    "hosting",
    "vendor",
    "workload_identity",
    "models",
    "autonomy",
    "exposure",
    "data",
    "regulated",
];

/// A tool as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of `domain::agent::ToolGrant`, as text")]
pub struct ToolForm {
    pub name: String,
    pub kind: String,
    pub sensitivity: String,
    pub access: String,
    pub scope: String,
}

/// A credential as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of `domain::agent::CredentialUse`, as text")]
pub struct CredentialForm {
    pub name: String,
    pub kind: String,
    pub lifetime: String,
    pub kept_in: String,
    pub last_rotated: String,
}

/// An agent as typed. Everything is text, so that what cannot be read comes back as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of `domain::agent::AgentFacts`, as text")]
pub struct AgentForm {
    /// The version that was read; empty for a new agent.
    pub version: String,
    pub name: String,
    pub purpose: String,
    pub kind: String,
    pub business_unit: String,
    pub environment: String,
    pub hosting: String,
    pub vendor: String,
    pub contract: String,
    pub built_by: String,
    pub operated_by: String,
    pub parent: String,
    pub platform: String,
    /// Lines of `source=id`.
    pub external_ids: String,
    /// Lines of `key=value`.
    pub labels: String,
    pub workload_identity: String,
    /// One a line.
    pub models: String,
    pub autonomy: String,
    pub exposure: String,
    pub data: String,
    pub regulated: String,
    pub running: String,
    pub confidential: String,
    pub tools: Vec<ToolForm>,
    pub credentials: Vec<CredentialForm>,
    /// Why it is changed.
    pub reason: String,
}

impl AgentForm {
    /// An empty form for a new agent.
    pub fn blank() -> Self {
        Self { version: String::new(), ..Self::of(&AgentFacts::named("")) }
    }

    /// A form filled with what is stored.
    pub fn of(facts: &AgentFacts) -> Self {
        let flag = |on: bool| if on { "true".to_owned() } else { String::new() };
        let id = |id: Option<String>| id.unwrap_or_default();
        Self {
            version: String::new(),
            name: facts.name.clone(),
            purpose: facts.purpose.clone(),
            kind: facts.kind.key().to_owned(),
            business_unit: facts.business_unit.clone(),
            environment: facts.environment.key().to_owned(),
            hosting: facts.hosting.key().to_owned(),
            vendor: facts.vendor.clone(),
            contract: facts.contract.clone(),
            built_by: id(facts.built_by.map(|t| t.to_string())),
            operated_by: id(facts.operated_by.map(|t| t.to_string())),
            parent: id(facts.parent.map(|s| s.to_string())),
            platform: id(facts.platform.map(|s| s.to_string())),
            external_ids: lines(facts.external_ids.iter().map(|e| format!("{}={}", e.source, e.id))),
            labels: lines(facts.labels.iter().map(|(k, v)| format!("{k}={v}"))),
            workload_identity: facts.workload_identity.clone(),
            models: lines(facts.models.iter().cloned()),
            autonomy: facts.autonomy.key().to_owned(),
            exposure: facts.exposure.key().to_owned(),
            data: facts.data.key().to_owned(),
            regulated: flag(facts.regulated),
            running: facts.running.key().to_owned(),
            confidential: flag(facts.confidential),
            tools: facts
                .tools
                .iter()
                .map(|t| ToolForm {
                    name: t.name.clone(),
                    kind: t.kind.key().to_owned(),
                    sensitivity: t.sensitivity.key().to_owned(),
                    access: t.access.key().to_owned(),
                    scope: t.scope.clone(),
                })
                .collect(),
            credentials: facts
                .credentials
                .iter()
                .map(|c| CredentialForm {
                    name: c.name.clone(),
                    kind: c.kind.key().to_owned(),
                    lifetime: c.ttl_seconds.map(lifetime).unwrap_or_default(),
                    kept_in: c.kept_in.clone(),
                    last_rotated: c.last_rotated.clone(),
                })
                .collect(),
            reason: String::new(),
        }
    }

    /// Reads the pairs that a browser sends. Rows in which nothing was typed are left out.
    pub fn read<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut form = Self::default();
        let mut tools: BTreeMap<usize, ToolForm> = BTreeMap::new();
        let mut credentials: BTreeMap<usize, CredentialForm> = BTreeMap::new();
        for (name, value) in pairs {
            if let Some((row, field)) = numbered(name, "tool-") {
                let tool = tools.entry(row).or_default();
                match field {
                    "name" => value.clone_into(&mut tool.name),
                    "kind" => value.clone_into(&mut tool.kind),
                    "sensitivity" => value.clone_into(&mut tool.sensitivity),
                    "access" => value.clone_into(&mut tool.access),
                    "scope" => value.clone_into(&mut tool.scope),
                    _ => {}
                }
            } else if let Some((row, field)) = numbered(name, "credential-") {
                let credential = credentials.entry(row).or_default();
                match field {
                    "name" => value.clone_into(&mut credential.name),
                    "kind" => value.clone_into(&mut credential.kind),
                    "lifetime" => value.clone_into(&mut credential.lifetime),
                    "kept_in" => value.clone_into(&mut credential.kept_in),
                    "last_rotated" => value.clone_into(&mut credential.last_rotated),
                    _ => {}
                }
            } else if let Some(field) = form.field(name) {
                value.clone_into(field);
            }
        }
        let typed = |texts: &[&str]| texts.iter().any(|text| !text.trim().is_empty());
        form.tools = tools.into_values().filter(|t| typed(&[&t.name, &t.scope])).collect();
        form.credentials =
            credentials.into_values().filter(|c| typed(&[&c.name, &c.lifetime, &c.kept_in, &c.last_rotated])).collect();
        form
    }

    fn field(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "version" => &mut self.version,
            "name" => &mut self.name,
            "purpose" => &mut self.purpose,
            "kind" => &mut self.kind,
            "business_unit" => &mut self.business_unit,
            "environment" => &mut self.environment,
            "hosting" => &mut self.hosting,
            "vendor" => &mut self.vendor,
            "contract" => &mut self.contract,
            "built_by" => &mut self.built_by,
            "operated_by" => &mut self.operated_by,
            "parent" => &mut self.parent,
            "platform" => &mut self.platform,
            "external_ids" => &mut self.external_ids,
            "labels" => &mut self.labels,
            "workload_identity" => &mut self.workload_identity,
            "models" => &mut self.models,
            "autonomy" => &mut self.autonomy,
            "exposure" => &mut self.exposure,
            "data" => &mut self.data,
            "regulated" => &mut self.regulated,
            "running" => &mut self.running,
            "confidential" => &mut self.confidential,
            "reason" => &mut self.reason,
            _ => return None,
        })
    }

    /// Takes from `stored` every part of the boundary that was not sent: the form of an agent
    /// whose boundary is approved shows it and sends none of it.
    pub fn keep_boundary(&mut self, stored: &Self, sent: impl Fn(&str) -> bool) {
        for name in BOUNDARY {
            let mut stored = stored.clone();
            if !sent(name)
                && let (Some(here), Some(there)) = (self.field(name), stored.field(name))
            {
                *here = std::mem::take(there);
            }
        }
        if !sent("tool-0-name") {
            self.tools.clone_from(&stored.tools);
        }
        if !sent("credential-0-name") {
            self.credentials.clone_from(&stored.credentials);
        }
    }

    /// The facts as far as they can be read, and what cannot be.
    pub fn facts_so_far(&self) -> (AgentFacts, FieldErrors) {
        let mut errors = FieldErrors::new();
        let e = &mut errors;
        let nothing = AgentFacts::named("");
        let facts = AgentFacts {
            name: self.name.clone(),
            purpose: self.purpose.clone(),
            kind: choice(&self.kind, nothing.kind, "kind", e),
            business_unit: self.business_unit.clone(),
            environment: choice(&self.environment, nothing.environment, "environment", e),
            hosting: choice(&self.hosting, nothing.hosting, "hosting", e),
            vendor: self.vendor.clone(),
            contract: self.contract.clone(),
            built_by: reference(&self.built_by, "built_by", e),
            operated_by: reference(&self.operated_by, "operated_by", e),
            parent: reference(&self.parent, "parent", e),
            platform: reference(&self.platform, "platform", e),
            external_ids: external_ids(&self.external_ids, e),
            labels: labels(&self.labels, e),
            workload_identity: self.workload_identity.clone(),
            models: filled(&self.models).map(|(_, line)| line.to_owned()).collect(),
            autonomy: choice(&self.autonomy, nothing.autonomy, "autonomy", e),
            exposure: choice(&self.exposure, nothing.exposure, "exposure", e),
            data: choice(&self.data, nothing.data, "data", e),
            regulated: !self.regulated.is_empty(),
            tools: self.tools.iter().enumerate().map(|(row, tool)| tool.grant(row, e)).collect(),
            credentials: self.credentials.iter().enumerate().map(|(row, c)| c.use_of(row, e)).collect(),
            running: choice(&self.running, nothing.running, "running", e),
            confidential: !self.confidential.is_empty(),
        };
        (facts, errors)
    }

    /// The facts, checked, or everything that is wrong, by field.
    pub fn facts(&self) -> Result<AgentFacts, FieldErrors> {
        let (given, mut errors) = self.facts_so_far();
        let checked = facts::check(given);
        if let Err(wrong) = &checked {
            for (pointer, message) in wrong {
                errors.add(field_of(pointer), message.clone());
            }
        }
        match checked {
            Ok(facts) if errors.is_empty() => Ok(facts),
            _ => Err(errors),
        }
    }

    /// Every field in which the two differ: its label, the text here and the text there.
    pub fn differences(&self, other: &Self) -> Vec<(&'static str, String, String)> {
        let mut out = Vec::new();
        let mut compare = |label, here: &str, there: &str| {
            if here.trim() != there.trim() {
                out.push((label, here.to_owned(), there.to_owned()));
            }
        };
        let fields: [(&str, &str, &str); 22] = [
            ("Name", &self.name, &other.name),
            ("Purpose", &self.purpose, &other.purpose),
            ("Kind", &self.kind, &other.kind),
            ("Business unit", &self.business_unit, &other.business_unit),
            ("Environment", &self.environment, &other.environment),
            ("Hosting", &self.hosting, &other.hosting),
            ("Vendor", &self.vendor, &other.vendor),
            ("Contract", &self.contract, &other.contract),
            ("Built by", &self.built_by, &other.built_by),
            ("Operated by", &self.operated_by, &other.operated_by),
            ("System", &self.parent, &other.parent),
            ("Platform", &self.platform, &other.platform),
            ("External ids", &self.external_ids, &other.external_ids),
            ("Labels", &self.labels, &other.labels),
            ("Workload identity", &self.workload_identity, &other.workload_identity),
            ("Models", &self.models, &other.models),
            ("Autonomy", &self.autonomy, &other.autonomy),
            ("Exposure", &self.exposure, &other.exposure),
            ("Data", &self.data, &other.data),
            ("Regulated", &self.regulated, &other.regulated),
            ("Running", &self.running, &other.running),
            ("Confidential", &self.confidential, &other.confidential),
        ];
        for (label, here, there) in fields {
            compare(label, here, there);
        }
        compare("Tools", &tool_lines(&self.tools), &tool_lines(&other.tools));
        compare("Credentials", &credential_lines(&self.credentials), &credential_lines(&other.credentials));
        out
    }
}

impl ToolForm {
    fn grant(&self, row: usize, errors: &mut FieldErrors) -> ToolGrant {
        let at = |field: &str| format!("tool-{row}-{field}");
        ToolGrant {
            name: self.name.clone(),
            kind: choice(&self.kind, domain::agent::ToolKind::Other, at("kind"), errors),
            sensitivity: choice(&self.sensitivity, domain::agent::Sensitivity::Medium, at("sensitivity"), errors),
            access: choice(&self.access, domain::agent::Access::Read, at("access"), errors),
            scope: self.scope.clone(),
        }
    }
}

impl CredentialForm {
    fn use_of(&self, row: usize, errors: &mut FieldErrors) -> CredentialUse {
        let at = |field: &str| format!("credential-{row}-{field}");
        let ttl_seconds = seconds(&self.lifetime).unwrap_or_else(|message| {
            errors.add(at("lifetime"), message);
            None
        });
        CredentialUse {
            name: self.name.clone(),
            kind: choice(&self.kind, domain::agent::CredentialKind::LongLived, at("kind"), errors),
            ttl_seconds,
            kept_in: self.kept_in.clone(),
            last_rotated: self.last_rotated.clone(),
        }
    }
}

/// Where a JSON pointer into the facts is in the form: `/tools/0/name` is `tool-0-name`.
pub fn field_of(pointer: &str) -> String {
    let mut parts = pointer.trim_start_matches('/').split('/');
    let first = parts.next().unwrap_or_default();
    match (first, parts.next(), parts.next()) {
        ("tools", Some(row), Some(field)) => format!("tool-{row}-{field}"),
        ("credentials", Some(row), Some("ttl_seconds")) => format!("credential-{row}-lifetime"),
        ("credentials", Some(row), Some(field)) => format!("credential-{row}-{field}"),
        ("tools", ..) => "tool-0-name".to_owned(),
        ("credentials", ..) => "credential-0-name".to_owned(),
        _ => first.to_owned(),
    }
}

/// A lifetime as people write it: `15m`, `8h`, `90d`.
pub fn lifetime(seconds: i64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    units
        .into_iter()
        .find(|(size, _)| seconds != 0 && seconds % size == 0)
        .map_or_else(|| format!("{seconds}s"), |(size, unit)| format!("{}{unit}", seconds / size))
}

/// Reads a lifetime; empty is unknown or without end.
fn seconds(text: &str) -> Result<Option<i64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || "Enter a lifetime such as 15m, 8h or 90d, or nothing when it has no end.".to_owned();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let size = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "y" | "year" | "years" => 31_536_000,
        _ => return Err(wrong()),
    };
    number.parse::<i64>().ok().and_then(|n| n.checked_mul(size)).map(Some).ok_or_else(wrong)
}

fn lines(of: impl Iterator<Item = String>) -> String {
    of.collect::<Vec<_>>().join("\n")
}

/// The lines that hold something, with their number.
fn filled(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())).filter(|(_, line)| !line.is_empty())
}

fn numbered<'a>(name: &'a str, prefix: &str) -> Option<(usize, &'a str)> {
    let (row, field) = name.strip_prefix(prefix)?.split_once('-')?;
    let row = row.parse().ok().filter(|row| *row < ROWS_MAX)?;
    Some((row, field))
}

/// A choice of a vocabulary; nothing chosen is the least that can be said.
fn choice<T: FromStr + Copy>(
    text: &str,
    otherwise: T,
    field: impl Into<std::borrow::Cow<'static, str>>,
    errors: &mut FieldErrors,
) -> T {
    if text.is_empty() {
        return otherwise;
    }
    text.parse().unwrap_or_else(|_| {
        errors.add(field, "Choose one of the list.");
        otherwise
    })
}

fn reference<T: FromStr>(text: &str, field: &'static str, errors: &mut FieldErrors) -> Option<T> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let read = text.parse().ok();
    if read.is_none() {
        errors.add(field, "Choose one of the list.");
    }
    read
}

fn external_ids(text: &str, errors: &mut FieldErrors) -> Vec<ExternalId> {
    let mut out = Vec::new();
    for (number, line) in filled(text) {
        match line.split_once('=') {
            Some((source, id)) => {
                out.push(ExternalId { source: source.trim().to_owned(), id: id.trim().to_owned() });
            }
            None => errors.add("external_ids", format!("Line {number}: write the source, “=” and the id.")),
        }
    }
    out
}

fn labels(text: &str, errors: &mut FieldErrors) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for (number, line) in filled(text) {
        let Some((key, value)) = line.split_once('=') else {
            errors.add("labels", format!("Line {number}: write the key, “=” and the value."));
            continue;
        };
        let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
        if out.contains_key(&key) {
            errors.add("labels", format!("Line {number}: “{key}” is given twice."));
        }
        out.insert(key, value);
    }
    out
}

fn tool_lines(tools: &[ToolForm]) -> String {
    lines(tools.iter().map(|t| [&t.name, &t.kind, &t.sensitivity, &t.access, &t.scope].map(String::as_str).join(" · ")))
}

fn credential_lines(credentials: &[CredentialForm]) -> String {
    lines(
        credentials
            .iter()
            .map(|c| [&c.name, &c.kind, &c.lifetime, &c.kept_in, &c.last_rotated].map(String::as_str).join(" · ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::agent::{Access, Autonomy, CredentialKind, Sensitivity, ToolKind};

    fn facts() -> AgentFacts {
        let mut f = AgentFacts::named("وكيل الدعم 🤖");
        f.purpose = "Answers\n\nquestions.".into();
        f.autonomy = Autonomy::ActsAlone;
        f.regulated = true;
        f.labels.insert("cost-centre".into(), "a=b".into());
        f.labels.insert("bare".into(), String::new());
        f.external_ids.push(ExternalId { source: "cmdb".into(), id: "CI=7".into() });
        f.models = vec!["one".into(), "two".into()];
        f.tools.push(ToolGrant {
            name: "Ledger".into(),
            kind: ToolKind::InternalApi,
            sensitivity: Sensitivity::High,
            access: Access::Write,
            scope: "payments".into(),
        });
        f.credentials.push(CredentialUse {
            name: "ledger-key".into(),
            kind: CredentialKind::ShortLived,
            ttl_seconds: Some(5_400),
            kept_in: "vault/ledger".into(),
            last_rotated: "2026-01-02".into(),
        });
        f
    }

    #[test]
    fn facts_survive_the_form() {
        assert_eq!(AgentForm::of(&facts()).facts(), Ok(facts()));
        assert_eq!(AgentForm::blank().facts_so_far(), (AgentFacts::named(""), FieldErrors::new()));
    }

    #[test]
    fn rows_in_which_nothing_was_typed_are_left_out() {
        let form = AgentForm::read([
            ("name", "x"),
            ("tool-0-name", ""),
            ("tool-0-kind", "saas"),
            ("tool-2-name", "CRM"),
            ("tool-2-access", "admin"),
            ("credential-0-kind", "long-lived"),
            ("credential-999999999999-name", "no"),
            ("unknown", "ignored"),
        ]);
        assert_eq!(form.tools.len(), 1);
        assert!(form.credentials.is_empty());
        let (facts, errors) = form.facts_so_far();
        assert!(errors.is_empty());
        assert_eq!((facts.tools[0].name.as_str(), facts.tools[0].access), ("CRM", Access::Admin));
    }

    #[test]
    fn everything_wrong_is_said_at_its_field() {
        let form = AgentForm::read([
            ("name", " "),
            ("autonomy", "does-what-it-likes"),
            ("external_ids", "cmdb=1\nnonsense"),
            ("labels", "empty=\nbare"),
            ("tool-0-name", "a\u{1}"),
            ("credential-0-name", "k"),
            ("credential-0-lifetime", "soon"),
        ]);
        let errors = form.facts().unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["external_ids", "labels", "autonomy", "credential-0-lifetime", "name", "tool-0-name"]);
    }

    #[test]
    fn lifetimes_read_as_they_are_written() {
        for (text, value) in [("15m", 900), ("8 h", 28_800), ("90d", 7_776_000), ("45", 45), ("0s", 0)] {
            assert_eq!(seconds(text), Ok(Some(value)), "{text}");
            assert_eq!(seconds(&lifetime(value)), Ok(Some(value)), "{text}");
        }
        assert_eq!(seconds(" "), Ok(None));
        assert!(seconds("9999999999999999999d").is_err() && seconds("-1").is_err() && seconds("1 week").is_err());
    }

    #[test]
    fn a_boundary_that_was_not_sent_is_the_stored_one() {
        let stored = AgentForm::of(&facts());
        let sent = [("name", "New name"), ("kind", "assistant"), ("data", "public")];
        let mut form = AgentForm::read(sent);
        form.keep_boundary(&stored, |name| sent.iter().any(|(n, _)| *n == name));
        assert_eq!((form.name.as_str(), form.data.as_str()), ("New name", "public"), "what is sent stays");
        assert_eq!((&form.purpose, &form.regulated), (&stored.purpose, &stored.regulated));
        assert_eq!((form.tools.len(), &form.credentials), (1, &stored.credentials));
        assert!(form.labels.is_empty(), "what is not of the boundary is as it was sent");
    }

    #[test]
    fn differences_name_the_field() {
        let here = AgentForm::of(&facts());
        let mut there = here.clone();
        there.name = "Other".into();
        there.tools[0].access = "admin".into();
        let found: Vec<&str> = here.differences(&there).into_iter().map(|(label, ..)| label).collect();
        assert_eq!(found, ["Name", "Tools"]);
    }
}
