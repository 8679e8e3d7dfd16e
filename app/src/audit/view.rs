//! An event as people read it: a sentence, and what changed field by field.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::record::Event;
use serde_json::{Map, Value};

use crate::components::exact;

/// A reference and what it is called now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// `PE-7`, `cli`, `vendor/3`.
    pub id: String,
    /// Its name; empty when it is not known.
    pub name: String,
}

impl Named {
    fn new(id: &str, names: &BTreeMap<String, String>) -> Self {
        Self { id: id.to_owned(), name: names.get(id).cloned().unwrap_or_default() }
    }
}

/// A value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// There is none.
    Nothing,
    /// Text, each line on its own.
    Lines(Vec<String>),
    /// A reference.
    Named(Named),
}

/// A field that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Read as.
    pub field: String,
    /// As it was.
    pub before: Shown,
    /// As it is.
    pub after: Shown,
}

/// An event, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventView {
    /// Position in the chain.
    pub seq: i64,
    /// Its unique id.
    pub id: String,
    /// When; `None` when what stands there is no time.
    pub at: Option<DateTime<Utc>>,
    /// When, exactly as recorded.
    pub at_text: String,
    /// Who.
    pub actor: Named,
    /// In which capacity.
    pub capacity: String,
    /// What, as recorded: `agent.created`.
    pub action: String,
    /// On what.
    pub subject: Named,
    /// Whether there was something before.
    pub was: bool,
    /// What changed.
    pub changed: Vec<Changed>,
    /// The rows that it wrote, with their digests.
    pub rows: Vec<(String, String)>,
    /// Why.
    pub reason: String,
    /// The hash of the event before.
    pub prev: String,
    /// Its hash.
    pub hash: String,
}

/// What may be a reference in events, so that it can be named.
pub fn references(events: &[Event]) -> BTreeSet<String> {
    fn walk(value: &Value, out: &mut BTreeSet<String>) {
        match value {
            Value::String(text) if is_reference(text) => drop(out.insert(text.clone())),
            Value::Array(items) => items.iter().for_each(|v| walk(v, out)),
            Value::Object(members) => members.iter().filter(|(k, _)| *k != "rows").for_each(|(_, v)| walk(v, out)),
            _ => {}
        }
    }
    let mut out = BTreeSet::new();
    for event in events {
        out.insert(event.actor.clone());
        out.insert(event.subject.clone());
        walk(&event.before, &mut out);
        walk(&event.after, &mut out);
    }
    out
}

/// Two capital letters, a dash, a number.
fn is_reference(text: &str) -> bool {
    text.split_once('-').is_some_and(|(prefix, number)| {
        prefix.len() == 2
            && prefix.bytes().all(|b| b.is_ascii_uppercase())
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

impl EventView {
    /// An event with the names that its references have.
    pub fn new(event: &Event, names: &BTreeMap<String, String>) -> Self {
        let none = Map::new();
        let members = |value: &'_ Value| -> Map<String, Value> {
            match value {
                Value::Object(members) => members.clone(),
                Value::Null => none.clone(),
                other => Map::from_iter([("value".to_owned(), other.clone())]),
            }
        };
        let (before, mut after) = (members(&event.before), members(&event.after));
        let rows = match after.remove("rows") {
            Some(Value::Object(rows)) => {
                rows.into_iter().map(|(row, digest)| (row, digest.as_str().unwrap_or_default().to_owned())).collect()
            }
            _ => Vec::new(),
        };
        let fields: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let changed = fields
            .into_iter()
            .map(|field| Changed {
                field: words(field),
                before: shown(field, before.get(field), names),
                after: shown(field, after.get(field), names),
            })
            .collect();
        Self {
            seq: event.seq,
            id: event.id.clone(),
            at: DateTime::parse_from_rfc3339(&event.at).ok().map(|at| at.to_utc()),
            at_text: event.at.clone(),
            actor: Named::new(&event.actor, names),
            capacity: event.capacity.replace('-', " "),
            action: event.action.clone(),
            subject: Named::new(&event.subject, names),
            was: !before.is_empty(),
            changed,
            rows,
            reason: event.reason.clone(),
            prev: event.prev.clone(),
            hash: event.hash.clone(),
        }
    }

    /// `Stop method recorded`.
    pub fn what(&self) -> String {
        words(&self.action.replace('.', " "))
    }
}

/// `business_unit` as people write it.
fn words(key: &str) -> String {
    let text = key.replace(['_', '-'], " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn shown(field: &str, value: Option<&Value>, names: &BTreeMap<String, String>) -> Shown {
    let Some(value) = value.filter(|v| !is_empty(v)) else { return Shown::Nothing };
    if let Value::String(text) = value
        && names.contains_key(text)
    {
        return Shown::Named(Named::new(text, names));
    }
    if let Value::Array(items) = value {
        return Shown::Lines(items.iter().map(|v| line(field, v, names)).collect());
    }
    if let Value::Object(members) = value {
        return Shown::Lines(members.iter().map(|(k, v)| format!("{}: {}", words(k), line(k, v, names))).collect());
    }
    Shown::Lines(line(field, value, names).lines().map(str::to_owned).collect())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(s) => s.is_empty(),
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.is_empty(),
        _ => false,
    }
}

/// A value in one line.
fn line(field: &str, value: &Value, names: &BTreeMap<String, String>) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(n) => match n.as_i64() {
            // Times are stored as microseconds.
            Some(micros) if micros > 1_000_000_000_000_000 && is_time(field) => {
                DateTime::from_timestamp_micros(micros).map_or_else(|| n.to_string(), exact)
            }
            _ => n.to_string(),
        },
        Value::String(text) => match names.get(text) {
            Some(name) => format!("{text} {name}"),
            None => text.clone(),
        },
        Value::Array(items) => items.iter().map(|v| line(field, v, names)).collect::<Vec<_>>().join(", "),
        Value::Object(members) => members
            .iter()
            .filter(|(_, v)| !is_empty(v))
            .map(|(k, v)| format!("{}: {}", words(k).to_lowercase(), line(k, v, names)))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn is_time(field: &str) -> bool {
    field.ends_with("_at") || matches!(field, "at" | "since" | "until" | "valid_from" | "valid_to" | "lead_since")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(before: Value, after: Value) -> Event {
        Event {
            seq: 7,
            id: "id".into(),
            at: "2026-07-03T14:05:09.000001Z".into(),
            actor: "PE-1".into(),
            capacity: "security-lead".into(),
            action: "stop-method.recorded".into(),
            subject: "AG-42".into(),
            before,
            after,
            reason: String::new(),
            prev: "p".into(),
            hash: "h".into(),
        }
    }

    #[test]
    fn what_changed_is_told_field_by_field() {
        let names = BTreeMap::from([("PE-3".to_owned(), "Ada".to_owned())]);
        let e = event(
            json!({"business_unit": "Claims", "regulated": false}),
            json!({"business_unit": "Care", "regulated": true, "owner": "PE-3", "tools": [{"name": "Mail", "access": "write"}],
                "left_at": 1_783_000_000_000_000_i64, "empty": [], "rows": {"agent/42": "ab"}}),
        );
        let view = EventView::new(&e, &names);
        assert_eq!(view.what(), "Stop method recorded");
        assert_eq!(view.capacity, "security lead");
        assert_eq!(view.rows, [("agent/42".to_owned(), "ab".to_owned())]);
        let of = |field: &str| view.changed.iter().find(|c| c.field == field).unwrap();
        assert_eq!(of("Business unit").before, Shown::Lines(vec!["Claims".into()]));
        assert_eq!(of("Business unit").after, Shown::Lines(vec!["Care".into()]));
        assert_eq!(of("Regulated").after, Shown::Lines(vec!["yes".into()]));
        assert_eq!(of("Owner").after, Shown::Named(Named { id: "PE-3".into(), name: "Ada".into() }));
        assert_eq!(of("Tools").after, Shown::Lines(vec!["name: Mail, access: write".into()]));
        assert_eq!(of("Left at").after, Shown::Lines(vec!["2026-07-02 13:46:40 UTC".into()]));
        assert_eq!((&of("Empty").before, &of("Empty").after), (&Shown::Nothing, &Shown::Nothing));
        assert_eq!(references(&[e]).into_iter().collect::<Vec<_>>(), ["AG-42", "PE-1", "PE-3"]);
    }

    #[test]
    fn an_event_that_somebody_spoiled_is_shown_as_it_stands() {
        let view = EventView::new(&event(json!("not what it was"), Value::Null), &BTreeMap::new());
        assert_eq!(view.changed[0].before, Shown::Lines(vec!["not what it was".into()]));
        assert_eq!(view.changed[0].after, Shown::Nothing);
    }
}
