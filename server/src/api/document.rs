//! `/api/v1/openapi.json`: the document, made once. Each operation says what it takes and
//! answers; what all of them have in common (problems, keys, versions, doors) is added here,
//! by rule, so that none is forgotten.

use std::sync::OnceLock;

use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Answer;
use super::asked::Asked;
use crate::App;
use crate::problem::Kind;

const ABOUT: &str = "\
The register of an organisation's AI agents and of the people who answer for them.

**Who asks.** Send a service token (`Authorization: Bearer mst_…`) or the browser's session. Without either, everything \
here is 401. What one may not see is 404; what one may not do is 403, and says who may.

**Lists** answer `items`, `next_cursor` and `total`. Ask for the next page with `cursor`; begin without it. An unknown \
parameter or a value that is none is 422, never a list of something else.

**Changes** of something that exists need `If-Match` with the `ETag` that was read: absent 428, another version 412. \
Members that do not exist, wrong types and references to nothing are 422 with a JSON pointer each.

**Repeating.** A POST with an `Idempotency-Key` may be sent again for 24 hours: the first answer is given again \
(`Idempotency-Replayed: true`). Another request with the same key is 422, one still under way 409. Only what was done \
is kept: a refused request may be corrected and sent with the same key. Where a server stops between the change and the \
keeping of its answer, the record still knows that it was done, and the repeat is 409 and names what it made.

**Stop webhooks.** Muster posts JSON (`delivery`, `agent`, `surface`, `method_version`, `drill`, `callback`) with \
`Muster-Delivery`, `Muster-Timestamp` (whole seconds since 1970) and `Muster-Signature`: `v1=` and the HMAC-SHA-256, in \
lower-case hexadecimal, of the timestamp, a full stop and the body, keyed with the method's secret as text. A 2xx means \
accepted. That it stopped is shown by a POST to `callback`, of \
`{\"delivery\": \"…\", \"stopped\": true}`, with a timestamp within five minutes and a signature made the same way: once, and \
before the method's time is over. With `drill` true everything is done but the stop itself. After a restart a delivery \
may arrive again, under the same id.

**Stopping.** `POST /api/v1/agents/{id}/actions/suspend` stops one agent and answers once the webhook of every surface \
that has one was called. `GET /api/v1/blast-radius` tells how many agents use a credential, a tool, a vendor or a system, \
and `POST /api/v1/blast-radius/stop` stops all of them that you may stop; it answers before their webhooks are called, at \
most 32 at a time, and a call that waits has as much longer for its callback. What became of each is in the blast radius, \
in `stops` of the agent, and on its page.

**Problems** are RFC 9457; `type` never changes its meaning.";

const TAGS: [(&str, &str); 10] = [
    ("agents", "The inventory: what is written about agents, and what is wrong with them."),
    ("requests", "What is asked about agents, who decides each step, and how an agent's life moves."),
    ("exceptions", "What is excepted, of which agents, until when, and in exchange for what."),
    ("ownership", "Who answers for what: the matrix, offers and their answers, and who did at a moment."),
    ("people", "People, teams and systems."),
    ("notices", "What people are told, what of it reaches them, and the channels of the organisation."),
    ("policy", "Who must approve what, how long things take, and who decides in whose place."),
    ("posture", "The dashboard's numbers."),
    ("audit", "The record: one hash-chained event for every change."),
    ("meta", "This document."),
];

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(read_document))
}

/// Nothing is asked for.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Read this document
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "meta",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object))
)]
async fn read_document(_: Asked<Nothing>) -> Answer {
    Ok(([(header::CONTENT_TYPE, "application/json")], text()).into_response())
}

fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| document().to_string())
}

/// The OpenAPI document of the API.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(made)
}

fn made() -> Value {
    let written = super::router().into_openapi();
    let mut out = serde_json::to_value(written).unwrap_or_default();
    out["openapi"] = "3.1.0".into();
    out["info"] = json!({
        "title": "Muster",
        "version": env!("CARGO_PKG_VERSION"),
        "description": ABOUT,
    });
    out["jsonSchemaDialect"] = "https://spec.openapis.org/oas/3.1/dialect/base".into();
    out["servers"] = json!([{"url": "/"}]);
    out["tags"] = TAGS.iter().map(|(name, description)| json!({"name": name, "description": description})).collect();
    out["security"] = json!([{"token": []}, {"session": []}]);
    complete_components(&mut out["components"]);
    if let Some(paths) = out["paths"].as_object_mut() {
        for (path, item) in paths {
            for method in METHODS {
                if let Some(operation) = item.get_mut(method) {
                    complete(path, method, operation);
                }
            }
        }
    }
    out
}

fn complete_components(components: &mut Value) {
    components["securitySchemes"] = json!({
        "token": {
            "type": "http", "scheme": "bearer",
            "description": "A service token, `mst_…`, made by `muster token create` or in the settings.",
        },
        "session": {"type": "apiKey", "in": "cookie", "name": "muster_session", "description": "The browser's session."},
    });
    components["schemas"]["Problem"] = json!({
        "type": "object",
        "description": "A refusal or a failure (RFC 9457).",
        "required": ["type", "title", "status", "detail", "errors"],
        "properties": {
            "type": {"type": "string", "description": "Stable: what programs decide by.",
                "enum": Kind::ALL.iter().map(|k| format!("/problems/{}", k.key())).collect::<Vec<_>>()},
            "title": {"type": "string", "description": "A few words, the same for every problem of the type."},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What happened and what to do, for a person."},
            "errors": {
                "type": "array",
                "description": "What is wrong with the input, each at its place.",
                "items": {
                    "type": "object",
                    "required": ["pointer", "message"],
                    "properties": {
                        "pointer": {"type": "string", "description": "A JSON pointer into the body, or `/` and the name of a parameter."},
                        "message": {"type": "string"},
                    },
                },
            },
        },
    });
    let responses: Map<String, Value> = Kind::ALL
        .iter()
        .map(|kind| {
            let example = json!({
                "type": format!("/problems/{}", kind.key()), "title": kind.title(), "status": kind.status().as_u16(),
                "detail": "…", "errors": if *kind == Kind::Invalid { json!([{"pointer": "/name", "message": "Enter a name."}]) } else { json!([]) },
            });
            let response = json!({
                "description": meaning(*kind),
                "content": {"application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"}, "example": example,
                }},
            });
            (kind.key().to_owned(), response)
        })
        .collect();
    components["responses"] = Value::Object(responses);
}

const fn meaning(kind: Kind) -> &'static str {
    match kind {
        Kind::Unauthorized => "No token and no session, or none that holds.",
        Kind::Forbidden => "Not for this caller; the detail says for whom.",
        Kind::NotFound => "Not there, or not to be seen.",
        Kind::MethodNotAllowed => "There, but not with this method; `Allow` names those it has.",
        Kind::Conflict => "The state of things does not allow it now, or somebody else was first.",
        Kind::Stale => "`If-Match` names another version; `ETag` has the present one.",
        Kind::PreconditionRequired => "`If-Match` is missing.",
        Kind::Invalid => "The input is understood and refused; `errors` says where and why.",
        Kind::Malformed => "The body is no JSON, or a header is not what it should be.",
        Kind::UnsupportedMediaType => "The body is of another type.",
        Kind::TooLarge => "The body is too large.",
        Kind::TooMany => "Too often; `Retry-After` says when to come again.",
        Kind::Unavailable => "It took too long, or the server is starting.",
        Kind::Internal => "Our fault; the log has the cause under `X-Request-Id`.",
    }
}

/// What every operation has, by what it is.
fn complete(path: &str, method: &str, operation: &mut Value) {
    let has = |operation: &Value, place: &str, name: &str| {
        operation["parameters"]
            .as_array()
            .is_some_and(|all| all.iter().any(|p| p["in"] == place && (name.is_empty() || p["name"] == name)))
    };
    let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let mut kinds = vec![Kind::Unauthorized, Kind::Forbidden, Kind::Internal, Kind::Unavailable];
    if path.contains('{') {
        kinds.push(Kind::NotFound);
    }
    // A list, or numbers of everything: what is asked of it and not understood is refused.
    if has(operation, "query", "") || (method == "get" && !path.contains('{')) {
        kinds.push(Kind::Invalid);
    }
    if operation.get("requestBody").is_some() {
        kinds.extend([Kind::Malformed, Kind::UnsupportedMediaType, Kind::TooLarge, Kind::Invalid]);
    }
    if method == "post" {
        kinds.extend([Kind::Conflict, Kind::Malformed, Kind::Invalid]);
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Makes the request safe to repeat for 24 hours; any text, for instance a UUID.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        }));
    }
    if matches!(method, "put" | "patch") {
        kinds.extend([Kind::Conflict, Kind::Stale, Kind::PreconditionRequired]);
        if !has(operation, "header", "If-Match") {
            parameters.push(json!({
                "name": "If-Match", "in": "header", "required": true,
                "description": "The `ETag` that was read, or `*` for whichever version there is.",
                "schema": {"type": "string"}, "example": "\"3\"",
            }));
        }
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    for kind in kinds {
        let status = kind.status().as_u16().to_string();
        if operation["responses"].get(&status).is_none() {
            operation["responses"][status] = json!({"$ref": format!("#/components/responses/{}", kind.key())});
        }
    }
    if let Some(responses) = operation["responses"].as_object_mut() {
        responses.sort_keys();
    }
}
