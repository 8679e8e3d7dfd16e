//! `/api/docs`: the document as a page, made here and readable without JavaScript.

use app::api::{Answer, ApiReference, Body, Call, Group, Kind, Member, Parameter, Reference, Shape};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use leptos::prelude::*;
use serde_json::Value;

use super::document;
use crate::App;
use crate::page::{Page, plain};
use crate::problem::{self, Problem};
use crate::session;
use crate::signed::{Signed, Visitor};

const TITLE: &str = "API";

/// The page, with navigation for whoever is signed in. A program that sends a token gets it
/// without.
pub(super) async fn show(State(app): State<App>, visitor: Visitor, headers: HeaderMap) -> Result<Response, Problem> {
    let reference = reference();
    let now = app.clock.now();
    let Some(found) = session::of(&app, &headers).await? else {
        return Ok(plain(&app, &visitor, TITLE, StatusCode::OK, move || view! { <ApiReference reference=reference/> }));
    };
    let signed = Signed::of(found, now, visitor);
    Ok(Page::new(&app, &signed, TITLE).show(move || view! { <ApiReference reference=reference/> }))
}

fn text(of: &Value) -> String {
    of.as_str().unwrap_or_default().to_owned()
}

fn items(of: &Value) -> impl Iterator<Item = &Value> {
    of.as_array().into_iter().flatten()
}

fn members(of: &Value) -> impl Iterator<Item = (&String, &Value)> {
    of.as_object().into_iter().flatten()
}

/// The document in the page's terms.
fn reference() -> Reference {
    let document = document();
    let mut groups: Vec<Group> = items(&document["tags"])
        .map(|tag| Group { id: text(&tag["name"]), about: text(&tag["description"]), calls: Vec::new() })
        .collect();
    for (path, item) in members(&document["paths"]) {
        for (method, operation) in members(item).filter(|(_, o)| o.get("responses").is_some()) {
            if let Some(group) = groups.iter_mut().find(|g| operation["tags"][0] == g.id.as_str()) {
                group.calls.push(call(path, method, operation));
            }
        }
    }
    let shapes = members(&document["components"]["schemas"]).map(|(name, schema)| shape(name, schema)).collect();
    let problems = problem::Kind::ALL
        .iter()
        .map(|kind| Answer {
            status: kind.status().as_u16().to_string(),
            about: format!(
                "`/problems/{}`: {}",
                kind.key(),
                text(&document["components"]["responses"][kind.key()]["description"])
            ),
            ..Answer::default()
        })
        .collect();
    Reference {
        version: text(&document["info"]["version"]),
        about: text(&document["info"]["description"]),
        groups,
        shapes,
        problems,
    }
}

fn call(path: &str, method: &str, operation: &Value) -> Call {
    let parameters = items(&operation["parameters"])
        .map(|p| Parameter {
            name: text(&p["name"]),
            place: text(&p["in"]),
            kind: kind(&p["schema"]).words,
            required: p["required"] == true,
            about: text(&p["description"]),
        })
        .collect();
    let body = operation.get("requestBody").map(|body| Body {
        types: members(&body["content"]).map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" or "),
        kind: members(&body["content"]).next().map(|(_, content)| kind(&content["schema"])).unwrap_or_default(),
    });
    let (mut answers, mut problems) = (Vec::new(), Vec::new());
    for (status, response) in members(&operation["responses"]) {
        if response.get("$ref").is_some() {
            problems.push(status.clone());
            continue;
        }
        answers.push(Answer {
            status: status.clone(),
            about: text(&response["description"]),
            kind: members(&response["content"]).next().map(|(_, content)| kind(&content["schema"])).unwrap_or_default(),
            headers: members(&response["headers"]).map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "),
        });
    }
    Call {
        id: text(&operation["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        about: text(&operation["description"]),
        parameters,
        body,
        answers,
        problems: problems.join(", "),
    }
}

/// The name of the shape that a reference leads to.
fn named(reference: &Value) -> Option<&str> {
    reference.as_str()?.strip_prefix("#/components/schemas/")
}

/// What a schema allows, in words.
fn kind(schema: &Value) -> Kind {
    if let Some(name) = named(&schema["$ref"]) {
        return Kind { words: name.to_owned(), shape: name.to_owned() };
    }
    let choices: Vec<&Value> =
        items(&schema["oneOf"]).chain(items(&schema["anyOf"])).chain(items(&schema["allOf"])).collect();
    if !choices.is_empty() {
        let some: Vec<Kind> = choices.into_iter().map(kind).collect();
        return Kind {
            words: some.iter().map(|k| k.words.as_str()).collect::<Vec<_>>().join(" or "),
            shape: some.into_iter().map(|k| k.shape).find(|s| !s.is_empty()).unwrap_or_default(),
        };
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        return Kind { words: values.join(" | "), shape: String::new() };
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(some) => some.iter().filter_map(Value::as_str).collect(),
        _ => vec!["any"],
    };
    let mut shape = String::new();
    let mut words: Vec<String> = Vec::new();
    for one in types {
        words.push(match one {
            "array" => {
                let of = kind(&schema["items"]);
                shape = of.shape;
                format!("list of {}", of.words)
            }
            "object" if schema["additionalProperties"].is_object() => {
                format!("object of {}", kind(&schema["additionalProperties"]).words)
            }
            "string" => schema["format"].as_str().unwrap_or("string").to_owned(),
            other => other.to_owned(),
        });
    }
    let mut words = words.join(" or ");
    if let (Some(least), Some(most)) = (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        words.push_str(&format!(", {least} to {most}"));
    }
    Kind { words, shape }
}

fn shape(name: &str, schema: &Value) -> Shape {
    let needed: Vec<&str> = items(&schema["required"]).filter_map(Value::as_str).collect();
    Shape {
        name: name.to_owned(),
        about: text(&schema["description"]),
        values: items(&schema["enum"]).map(text).collect(),
        members: members(&schema["properties"])
            .map(|(name, schema)| Member {
                name: name.clone(),
                kind: kind(schema),
                required: needed.contains(&name.as_str()),
                about: text(&schema["description"]),
            })
            .collect(),
        example: schema.get("example").and_then(|e| serde_json::to_string_pretty(e).ok()).unwrap_or_default(),
    }
}
