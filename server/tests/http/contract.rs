//! What the OpenAPI document promises, held against what is answered: every answer that a
//! test of the API receives is checked here.

use axum::http::Method;
use serde_json::Value;

use crate::support::{Answer, Browser};

/// A program that holds Muster to its document.
pub(crate) struct Program<'a>(pub(crate) Browser<'a>);

impl Program<'_> {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, &[], Some(&body)).await
    }

    /// Changes what was read with this `ETag`.
    pub(crate) async fn patch(&self, path: &str, etag: &str, body: Value) -> Answer {
        self.ask(Method::PATCH, path, &[("if-match", etag)], Some(&body)).await
    }

    pub(crate) async fn put(&self, path: &str, etag: &str, body: Value) -> Answer {
        self.ask(Method::PUT, path, &[("if-match", etag)], Some(&body)).await
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let kind = body.map(|_| "application/json");
        let bytes = body.map(|b| serde_json::to_vec(b).unwrap()).unwrap_or_default();
        let answer = self.0.send_with(method.clone(), path, kind, bytes, headers).await;
        hold(&method, path, &answer);
        answer
    }
}

/// Fails when an answer is not as the document says.
#[track_caller]
pub(crate) fn hold(method: &Method, path: &str, answer: &Answer) {
    let document = server::api::document();
    let Some(operation) = operation(document, method, path) else {
        assert!(
            matches!(answer.status.as_u16(), 401 | 404 | 405),
            "{method} {path} is not documented: {}",
            answer.text()
        );
        return;
    };
    let status = answer.status.as_u16().to_string();
    let response = resolved(document, &operation["responses"][&status]);
    assert!(response.is_object(), "{method} {path}: {status} is not documented: {}", answer.text());
    for (name, _) in response["headers"].as_object().into_iter().flatten() {
        assert!(!answer.header(&name.to_lowercase()).is_empty(), "{method} {path}: {status} without {name}");
    }
    let kind = answer.header("content-type").split(';').next().unwrap_or_default();
    let schema = &response["content"][kind]["schema"];
    assert!(!schema.is_null(), "{method} {path}: {status} as {kind} is not documented");
    if kind.ends_with("json") {
        let wrong = violations(document, schema, &answer.body(), "");
        assert!(wrong.is_empty(), "{method} {path}: {wrong:#?}\n{}", answer.text());
    }
}

fn operation<'d>(document: &'d Value, method: &Method, path: &str) -> Option<&'d Value> {
    let path: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        template.len() == path.len() && template.iter().zip(&path).all(|(t, p)| t.starts_with('{') || t == p)
    };
    document["paths"]
        .as_object()?
        .iter()
        .filter(|(template, _)| fits(template))
        .min_by_key(|(template, _)| template.matches('{').count())
        .and_then(|(_, item)| item.get(method.as_str().to_lowercase()))
}

/// What a reference leads to, or the value itself.
pub(crate) fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null),
        None => value,
    }
}

/// Where a value is not as a schema says: as much of JSON Schema as the document uses, and
/// stricter in one thing: members that are not described may not be there.
pub(crate) fn violations(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let schema = resolved(document, schema);
    if schema.is_null() {
        return vec![format!("{at}: the document has no schema")];
    }
    if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        let tried: Vec<Vec<String>> = choices.iter().map(|c| violations(document, c, value, at)).collect();
        return if tried.iter().any(Vec::is_empty) { Vec::new() } else { tried.concat() };
    }
    let mut out = Vec::new();
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(some) => some.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = |kind: &str| match kind {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    if !types.is_empty() && !types.iter().any(|t| is(t)) {
        out.push(format!("{at}: {value} is no {}", types.join(" or ")));
        return out;
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        out.push(format!("{at}: {value} is none of the values"));
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
        && !fits(pattern, text)
    {
        out.push(format!("{at}: {text} does not fit {pattern}"));
    }
    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
        if schema.get("items").is_some() {
            out.extend(violations(document, &schema["items"], item, &format!("{at}/{i}")));
        }
    }
    let Some(members) = value.as_object().filter(|_| schema.get("properties").is_some() || !types.is_empty()) else {
        return out;
    };
    for needed in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(needed) {
            out.push(format!("{at}: {needed} is missing"));
        }
    }
    for (name, member) in members {
        let at = format!("{at}/{name}");
        if let Some(schema) = schema["properties"].get(name) {
            out.extend(violations(document, schema, member, &at));
        } else if schema["additionalProperties"].is_object() {
            out.extend(violations(document, &schema["additionalProperties"], member, &at));
        } else if schema.get("properties").is_some() {
            out.push(format!("{at}: it is not described"));
        }
    }
    out
}

/// The patterns of the document: a reference, a digest, who acts.
fn fits(pattern: &str, text: &str) -> bool {
    let hexadecimal = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if pattern.contains("[0-9a-f]{64}") {
        return hexadecimal;
    }
    let prefixes: Vec<&str> = ["AG", "PE", "TE", "SY", "IM", "TK", "SR", "HO", "RQ", "EX"]
        .into_iter()
        .filter(|p| pattern.contains(p))
        .collect();
    let named = pattern.contains("|cli|muster)") && matches!(text, "cli" | "muster");
    named
        || prefixes.iter().any(|p| {
            text.strip_prefix(p).and_then(|t| t.strip_prefix('-')).is_some_and(|n| {
                !n.is_empty() && !n.starts_with('0') && n.len() <= 18 && n.bytes().all(|b| b.is_ascii_digit())
            })
        })
}
