//! Guessing a mapping from the words of a header and the values below it. It never asks;
//! what it is not certain of it leaves out.

use std::collections::BTreeMap;

use super::mapping::{Field, ListRule, Mapping, Rule};
use super::profile::{Column, Profile};
use super::vocabulary::says_nothing;
use crate::duty::Duty;
use crate::text::fold;

/// Values of a closed vocabulary that are written out in a guessed mapping.
const WRITTEN: usize = 60;

/// How a header is recognised.
enum Sign {
    /// It is this, whole.
    Is(&'static str),
    /// It is short and has all of these words.
    Short(&'static [&'static str]),
    /// It has this phrase, however long it is.
    Has(&'static str),
}

use Sign::{Has, Is, Short};

fn signs(field: Field) -> &'static [Sign] {
    match field {
        Field::Name => &[
            Is("use case name"),
            Is("agent name"),
            Is("name"),
            Is("agent"),
            Is("system name"),
            Is("ai system name"),
            Is("ai agent"),
            Is("bot name"),
            Is("application name"),
            Is("solution name"),
            Is("model name"),
            Is("title"),
            Is("system"),
            Is("ai system"),
            Is("use case"),
            Is("use case title"),
            Is("bot"),
            Is("application"),
            Is("display name"),
            Is("asset name"),
            Is("service name"),
            Is("project name"),
            Short(&["agent", "name"]),
            Short(&["case", "name"]),
            Short(&["system", "name"]),
        ],
        Field::Purpose => &[
            Is("purpose"),
            Is("purpose and benefits"),
            Has("intended purpose"),
            Has("purpose and expected benefits"),
            Is("business purpose"),
            Is("description"),
            Is("use case description"),
            Is("agent description"),
            Is("summary"),
            Is("objective"),
            Short(&["purpose"]),
            Short(&["description"]),
            Is("use"),
            Is("what it does"),
        ],
        Field::Kind => {
            &[Is("kind"), Is("agent type"), Is("agent kind"), Is("type"), Is("type of agent"), Is("category")]
        }
        Field::BusinessUnit => &[
            Is("business unit"),
            Is("agency"),
            Is("department"),
            Is("division"),
            Is("organisation"),
            Is("organization"),
            Is("org"),
            Is("agency name"),
            Is("ministry"),
            Is("bu"),
            Is("unit"),
            Is("line of business"),
            Is("business area"),
            Is("owning department"),
            Short(&["business", "unit"]),
            Is("bureau"),
            Is("office"),
            Is("component"),
        ],
        Field::Stage => &[
            Is("stage of development"),
            Is("development stage"),
            Is("stage"),
            Is("lifecycle stage"),
            Is("lifecycle"),
            Is("life cycle stage"),
            Is("lifecycle state"),
            Is("lifecycle status"),
            Is("status"),
            Is("state"),
            Is("phase"),
            Is("deployment status"),
            Is("current status"),
            Is("use case status"),
            Short(&["stage"]),
            Short(&["status"]),
        ],
        Field::State => &[],
        Field::Running => {
            &[Is("running"), Is("runs"), Is("is running"), Is("in use"), Is("runtime status"), Is("active")]
        }
        Field::Environment => {
            &[Is("environment"), Is("env"), Is("deployment environment"), Is("deployed to"), Is("tier of deployment")]
        }
        Field::Hosting => {
            &[Is("hosting"), Is("hosting model"), Is("hosted"), Is("deployment model"), Is("hosting type")]
        }
        Field::Vendor => &[
            Is("vendor"),
            Is("vendor name"),
            Is("hosting vendor"),
            Is("hosted by"),
            Is("hosting provider"),
            Is("supplier"),
            Is("provider"),
        ],
        Field::Contract => &[Is("contract"), Is("contract number"), Is("contract reference"), Is("contract id")],
        Field::WorkloadIdentity => &[
            Is("workload identity"),
            Is("spiffe id"),
            Is("service principal"),
            Is("identity"),
            Is("client id"),
            Is("principal"),
            Is("service account"),
        ],
        Field::Models => &[
            Is("models"),
            Is("model"),
            Is("ai model"),
            Is("ai models"),
            Is("llm"),
            Is("llms"),
            Is("foundation model"),
            Is("underlying model"),
            Is("model(s)"),
        ],
        Field::Autonomy => &[
            Is("autonomy"),
            Is("autonomy level"),
            Is("level of autonomy"),
            Is("human oversight"),
            Is("human in the loop"),
        ],
        Field::Exposure => &[
            Is("exposure"),
            Is("audience"),
            Is("users"),
            Is("user type"),
            Is("internal or external"),
            Is("internal/external"),
            Is("exposed to"),
            Is("customer facing"),
            Is("customer-facing"),
            Is("public facing"),
            Is("public-facing"),
            Has("public-facing service"),
        ],
        Field::Data => &[
            Is("data classification"),
            Is("data class"),
            Is("data sensitivity"),
            Is("classification"),
            Is("data"),
            Is("information classification"),
            Has("involve personally identifiable information"),
            Is("pii"),
            Is("contains pii"),
        ],
        Field::Regulated => &[
            Is("regulated"),
            Has("rights-impacting"),
            Has("safety-impacting"),
            Has("rights impacting"),
            Is("high risk"),
            Is("high-risk"),
            Is("high impact"),
            Is("high-impact"),
            Short(&["regulated"]),
        ],
        Field::Confidential => &[Is("confidential")],
    }
}

const OWNERS: &[(Duty, &[&str])] = &[
    (
        Duty::Purpose,
        &[
            "business owner",
            "product owner",
            "owner",
            "accountable owner",
            "use case owner",
            "agent owner",
            "sponsor",
            "accountable",
        ],
    ),
    (
        Duty::Implementation,
        &[
            "system owner",
            "technical owner",
            "technical lead",
            "tech lead",
            "engineering owner",
            "it owner",
            "developer",
            "application owner",
        ],
    ),
    (
        Duty::Containment,
        &["runtime owner", "operations owner", "operator", "on-call", "on call", "service owner", "stop owner"],
    ),
    (Duty::Policy, &["security owner", "security contact", "security lead"]),
    (Duty::Identity, &["identity owner"]),
    (Duty::Requests, &["api owner"]),
    (Duty::Platform, &["platform owner"]),
    (Duty::Monitoring, &["monitoring owner"]),
    (Duty::Incident, &["incident lead", "incident owner"]),
    (Duty::Improvement, &["improvement owner", "model owner"]),
    (Duty::Review, &["review owner", "reviewer"]),
    (Duty::Retirement, &["retirement owner"]),
    (Duty::CustomerImpact, &["customer-impact owner", "customer impact owner"]),
    (Duty::Vendor, &["vendor-oversight owner", "vendor owner", "vendor manager"]),
    (Duty::Regulatory, &["regulatory approver", "compliance owner"]),
];

/// Short columns that are worth keeping as labels: header and label.
const LABELS: &[(&str, &str)] = &[
    ("bureau", "bureau"),
    ("agency abbreviation", "agency"),
    ("agency", "agency"),
    ("department", "department"),
    ("division", "division"),
    ("office", "office"),
    ("component", "component"),
    ("region", "region"),
    ("country", "country"),
    ("location", "location"),
    ("use case topic area", "topic"),
    ("topic area", "topic"),
    ("topic", "topic"),
    ("category", "category"),
    ("type", "type"),
    ("domain", "domain"),
    ("tag", "tag"),
    ("tags", "tags"),
    ("cost centre", "cost centre"),
    ("cost center", "cost center"),
    ("vendor", "vendor"),
    ("vendor name", "vendor"),
    ("supplier", "vendor"),
    ("provider", "vendor"),
    ("criticality", "criticality"),
    ("priority", "priority"),
    ("risk level", "risk level"),
    ("risk", "risk"),
];

/// Headers that name an id.
const IDS: &[&str] = &[
    "id",
    "use case id",
    "agent id",
    "system id",
    "asset id",
    "identifier",
    "unique id",
    "unique identifier",
    "inventory id",
    "record id",
    "reference",
    "ref",
    "uid",
    "uuid",
    "guid",
    "external id",
    "key",
    "ci id",
    "number",
    "inventory number",
];

/// Whether a header names an id.
pub fn names_an_id(header: &str) -> bool {
    IDS.contains(&plain(header).as_str())
}

fn plain(header: &str) -> String {
    let folded = fold(header).replace('_', " ");
    folded.trim_matches(|c: char| matches!(c, '*' | ':' | '?' | '#' | ' ')).to_owned()
}

/// The guess: for each fact the column whose header says so most plainly and whose values
/// do not contradict; for the words of closed vocabularies what they mean.
pub fn guess(profile: &Profile, source: &str, ours: impl Fn(usize) -> bool) -> Mapping {
    let columns = &profile.columns;
    let headers: Vec<String> = columns.iter().map(|c| plain(&c.name)).collect();
    let mut taken: Vec<bool> = (0..columns.len()).map(&ours).collect();
    let mut fields: BTreeMap<Field, Rule> = BTreeMap::new();
    let order = [
        Field::Name,
        Field::Purpose,
        Field::Stage,
        Field::Regulated,
        Field::Data,
        Field::BusinessUnit,
        Field::Running,
        Field::Environment,
        Field::Hosting,
        Field::Kind,
        Field::Autonomy,
        Field::Exposure,
        Field::WorkloadIdentity,
        Field::Models,
        Field::Confidential,
    ];
    let mut hosted = false;
    for field in order {
        let found = column_for(field, columns, &headers, &taken);
        let found = if field == Field::Name { found.or_else(|| any_name(columns, &taken)) } else { found };
        let Some(at) = found else { continue };
        taken[at] = true;
        hosted |= field == Field::Hosting;
        let mut rule = Rule::column(&columns[at].name);
        if field.is_closed() {
            rule.values = meanings(field, &columns[at], &headers[at]);
        }
        fields.insert(field, rule);
    }
    // A vendor is one in our sense only where hosting is stated, or the header says so.
    for field in [Field::Vendor, Field::Contract] {
        if let Some(at) = column_for(field, columns, &headers, &taken)
            && (hosted || headers[at].contains("host"))
        {
            taken[at] = true;
            fields.insert(field, Rule::column(&columns[at].name));
        }
    }
    let owners = owners(columns, &headers, &mut taken);
    let find = |names: &[&str], taken: &[bool]| {
        names.iter().find_map(|n| headers.iter().position(|h| h == n).filter(|at| !taken[*at]))
    };
    let built_by = find(&["built by", "development team", "developed by"], &taken);
    let operated_by = find(&["operated by", "operating team", "team", "owning team", "support team"], &taken);
    for at in built_by.into_iter().chain(operated_by) {
        taken[at] = true;
    }
    let tools = find(&["tools", "integrations", "connected systems", "connectors", "tools used"], &taken);
    if let Some(at) = tools {
        taken[at] = true;
    }
    let id = headers
        .iter()
        .enumerate()
        .find(|(at, _)| !ours(*at) && columns[*at].unique && columns[*at].filled * 100 >= profile.rows * 95)
        .map(|(at, _)| columns[at].name.clone());
    let key = id.map_or_else(|| natural_key(columns, &headers, &fields), |id| vec![id]);
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for (header, label) in LABELS {
        if let Some(at) = headers.iter().position(|h| h == header)
            && !taken[at]
            && columns[at].filled > 0
            && columns[at].longest <= 400
            && !labels.contains_key(*label)
        {
            taken[at] = true;
            labels.insert((*label).to_owned(), columns[at].name.clone());
        }
    }
    Mapping {
        source: source.to_owned(),
        key,
        fields,
        labels,
        owners,
        built_by: built_by.map(|at| columns[at].name.clone()),
        operated_by: operated_by.map(|at| columns[at].name.clone()),
        external_ids: BTreeMap::new(),
        tools: tools.map(|at| ListRule { column: columns[at].name.clone(), ..ListRule::default() }),
        credentials: None,
    }
}

fn matches(sign: &Sign, header: &str) -> bool {
    match sign {
        Is(text) => header == *text,
        Short(words) => {
            let have: Vec<&str> = header.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
            have.len() <= 4 && words.iter().all(|w| have.contains(w))
        }
        Has(phrase) => header.contains(phrase),
    }
}

fn column_for(field: Field, columns: &[Column], headers: &[String], taken: &[bool]) -> Option<usize> {
    signs(field).iter().find_map(|sign| {
        (0..columns.len())
            .find(|at| !taken[*at] && matches(sign, &headers[*at]) && agrees(field, &columns[*at], &headers[*at]))
    })
}

/// Whether what stands in the column can be the fact: at least half of the filled cells
/// are understood.
fn agrees(field: Field, column: &Column, header: &str) -> bool {
    if column.filled == 0 {
        return field == Field::Name;
    }
    if !field.is_closed() {
        return true;
    }
    let Some(values) = &column.values else { return false };
    let (mut understood, mut all) = (0, 0);
    for (value, n) in values.iter().filter(|(v, _)| !says_nothing(v)) {
        all += n;
        if meaning(field, value, header).is_some() {
            understood += n;
        }
    }
    all > 0 && understood * 2 >= all
}

/// What a value means under this header: a bare yes answers the header's question.
fn meaning(field: Field, value: &str, header: &str) -> Option<&'static str> {
    let answer = super::vocabulary::yes_or_no(value);
    match (field, answer) {
        (Field::Exposure, Some(yes)) => {
            let public = header.contains("public") && !header.contains("service");
            Some(match (yes, public) {
                (true, true) => "public",
                (true, false) => "customer-facing",
                (false, _) => "",
            })
        }
        (Field::Data, Some(yes)) => Some(if yes { "confidential" } else { "" }),
        (Field::Autonomy, Some(yes)) => Some(if yes { "acts-with-approval" } else { "" }),
        _ => field.understand(value),
    }
}

/// What the words of a column mean, as far as they are understood, when it is said to be
/// this fact.
pub fn meanings_of(field: Field, column: &Column) -> BTreeMap<String, String> {
    meanings(field, column, &plain(&column.name))
}

fn meanings(field: Field, column: &Column, header: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for (value, _) in column.values.iter().flatten().take(WRITTEN) {
        if says_nothing(value) {
            continue;
        }
        if let Some(meaning) = meaning(field, value, header) {
            out.insert(value.clone(), meaning.to_owned());
        }
    }
    out
}

/// With no header that says so: the first column whose values are short and mostly differ.
fn any_name(columns: &[Column], taken: &[bool]) -> Option<usize> {
    let free = |at: &usize| !taken[*at];
    let varied = |at: &usize| {
        let c = &columns[*at];
        let different = c.values.as_ref().map_or(usize::MAX, Vec::len);
        c.filled > 0 && c.longest <= 300 && different.saturating_mul(2) > c.filled
    };
    let wordy = |at: &usize| columns[*at].examples.iter().any(|e| e.chars().any(char::is_alphabetic));
    (0..columns.len())
        .find(|at| free(at) && varied(at) && wordy(at) && !names_an_id(&columns[*at].name))
        .or_else(|| (0..columns.len()).find(free))
}

fn owners(columns: &[Column], headers: &[String], taken: &mut [bool]) -> BTreeMap<Duty, Vec<String>> {
    let mut out: BTreeMap<Duty, Vec<String>> = BTreeMap::new();
    for (duty, names) in OWNERS {
        let mut found: Vec<(u8, usize)> = Vec::new();
        for (at, header) in headers.iter().enumerate() {
            let plain = header.replace(['(', ')'], "").replace("e-mail", "email");
            let (stem, rank) = match plain.strip_suffix(" email").or_else(|| plain.strip_suffix(" email address")) {
                Some(stem) => (stem, 0),
                None => (plain.strip_suffix(" name").unwrap_or(&plain), 1),
            };
            if !taken[at] && names.contains(&stem.trim()) && columns[at].filled > 0 {
                found.push((rank, at));
            }
        }
        found.sort_unstable();
        for (_, at) in found {
            taken[at] = true;
            out.entry(*duty).or_default().push(columns[at].name.clone());
        }
    }
    out
}

/// Name, unit and what lies below the unit: by the header alone, so that two editions of
/// one inventory get one key.
fn natural_key(columns: &[Column], headers: &[String], fields: &BTreeMap<Field, Rule>) -> Vec<String> {
    let mut key: Vec<String> = Vec::new();
    let of = |field: Field| fields.get(&field).and_then(|r| r.column.clone());
    key.extend(of(Field::Name));
    key.extend(of(Field::BusinessUnit).filter(|u| !key.contains(u)));
    for below in ["bureau", "office", "component", "sub-agency", "division"] {
        if let Some(at) = headers.iter().position(|h| h == below)
            && !key.contains(&columns[at].name)
            && key.len() < 3
        {
            key.push(columns[at].name.clone());
        }
    }
    key
}
