//! Checking what is written about an agent: parsed once, valid ever after.

use crate::agent::{AgentFacts, Hosting};
use crate::text::{TextError, line, prose, required_line};

/// Longest name, in characters.
pub const NAME_MAX: usize = 200;
/// Longest purpose, in characters.
pub const PURPOSE_MAX: usize = 4000;
/// Longest other single line, in characters.
pub const LINE_MAX: usize = 300;
/// Most tools, credentials, models, external ids or labels of one agent.
pub const MANY_MAX: usize = 200;

/// One thing wrong: a JSON pointer into the facts and a plain sentence.
pub type Wrong = (String, String);

/// Trims and checks every text, removes repeats, and refuses what cannot be kept
/// faithfully. All errors are answered at once.
pub fn check(mut facts: AgentFacts) -> Result<AgentFacts, Vec<Wrong>> {
    let mut wrong: Vec<Wrong> = Vec::new();
    {
        let mut keep = |at: &str, field: &mut String, value: Result<String, TextError>| match value {
            Ok(v) => *field = v,
            Err(e) => wrong.push((at.to_owned(), e.to_string())),
        };
        let f = &mut facts;
        let v = required_line(&f.name, "a name", NAME_MAX);
        keep("/name", &mut f.name, v);
        let v = prose(&f.purpose, "The purpose", PURPOSE_MAX);
        keep("/purpose", &mut f.purpose, v);
        let v = line(&f.business_unit, "The business unit", NAME_MAX);
        keep("/business_unit", &mut f.business_unit, v);
        let v = line(&f.vendor, "The vendor", NAME_MAX);
        keep("/vendor", &mut f.vendor, v);
        let v = line(&f.contract, "The contract", LINE_MAX);
        keep("/contract", &mut f.contract, v);
        let v = line(&f.workload_identity, "The workload identity", LINE_MAX);
        keep("/workload_identity", &mut f.workload_identity, v);
        for (i, m) in f.models.iter_mut().enumerate() {
            let v = required_line(m, "a model", NAME_MAX);
            keep(&format!("/models/{i}"), m, v);
        }
        for (i, e) in f.external_ids.iter_mut().enumerate() {
            let v = required_line(&e.source, "a source", 100);
            keep(&format!("/external_ids/{i}/source"), &mut e.source, v);
            let v = required_line(&e.id, "an id", 500);
            keep(&format!("/external_ids/{i}/id"), &mut e.id, v);
        }
        for (i, t) in f.tools.iter_mut().enumerate() {
            let v = required_line(&t.name, "a tool’s name", NAME_MAX);
            keep(&format!("/tools/{i}/name"), &mut t.name, v);
            let v = line(&t.scope, "The scope", LINE_MAX);
            keep(&format!("/tools/{i}/scope"), &mut t.scope, v);
        }
        for (i, c) in f.credentials.iter_mut().enumerate() {
            let v = required_line(&c.name, "a credential’s name", NAME_MAX);
            keep(&format!("/credentials/{i}/name"), &mut c.name, v);
            let v = line(&c.kept_in, "Where it is kept", LINE_MAX);
            keep(&format!("/credentials/{i}/kept_in"), &mut c.kept_in, v);
            let v = line(&c.last_rotated, "The date of rotation", 40);
            keep(&format!("/credentials/{i}/last_rotated"), &mut c.last_rotated, v);
        }
    }
    for (i, c) in facts.credentials.iter().enumerate() {
        if c.ttl_seconds.is_some_and(|t| !(0..=3_153_600_000).contains(&t)) {
            wrong.push((
                format!("/credentials/{i}/ttl_seconds"),
                "Enter a lifetime between 0 seconds and 100 years.".into(),
            ));
        }
        if !c.last_rotated.is_empty() && chrono::NaiveDate::parse_from_str(&c.last_rotated, "%Y-%m-%d").is_err() {
            wrong.push((format!("/credentials/{i}/last_rotated"), "Enter a date such as 2026-11-21.".into()));
        }
    }
    let mut labels = std::collections::BTreeMap::new();
    for (k, v) in &facts.labels {
        match (required_line(k, "a label’s name", 100), line(v, "The label", LINE_MAX)) {
            (Ok(k), Ok(v)) => {
                labels.insert(k, v);
            }
            (Err(e), _) | (_, Err(e)) => {
                wrong.push((format!("/labels/{}", k.replace('~', "~0").replace('/', "~1")), e.to_string()));
            }
        }
    }
    facts.labels = labels;
    for (at, n) in [
        ("/models", facts.models.len()),
        ("/external_ids", facts.external_ids.len()),
        ("/labels", facts.labels.len()),
        ("/tools", facts.tools.len()),
        ("/credentials", facts.credentials.len()),
    ] {
        if n > MANY_MAX {
            wrong.push((at.to_owned(), format!("At most {MANY_MAX} may be recorded; these are {n}.")));
        }
    }
    if facts.hosting == Hosting::VendorManaged && facts.vendor.is_empty() {
        wrong.push(("/vendor".into(), "Name the vendor that hosts it.".into()));
    }
    if facts.hosting == Hosting::Internal && !(facts.vendor.is_empty() && facts.contract.is_empty()) {
        wrong.push((
            "/vendor".into(),
            "An internally hosted agent has no vendor: choose vendor-managed, or leave it empty.".into(),
        ));
    }
    for (at, names) in [
        ("/tools", facts.tools.iter().map(|t| crate::text::fold(&t.name)).collect::<Vec<_>>()),
        ("/credentials", facts.credentials.iter().map(|c| crate::text::fold(&c.name)).collect()),
    ] {
        for (i, name) in names.iter().enumerate() {
            if names[..i].contains(name) {
                wrong.push((format!("{at}/{i}/name"), "It is named twice.".into()));
            }
        }
    }
    facts.models.sort();
    facts.models.dedup();
    facts.external_ids.sort();
    facts.external_ids.dedup();
    if wrong.is_empty() { Ok(facts) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_said_at_once() {
        let mut f = AgentFacts::named(" ");
        f.hosting = Hosting::VendorManaged;
        f.models = vec!["a\u{0}".into()];
        let at: Vec<String> = check(f).unwrap_err().into_iter().map(|(p, _)| p).collect();
        assert_eq!(at, ["/name", "/models/0", "/vendor"]);
    }

    #[test]
    fn good_facts_are_trimmed() {
        assert_eq!(check(AgentFacts::named("  A  ")).unwrap().name, "A");
    }
}
