//! A JSON body, read in two steps, so that what is no JSON (400) is told from JSON that
//! says the wrong thing (422, with a pointer to where).

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use register::FieldError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use crate::problem::{Kind, Problem};

/// The body of a request, or of an answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(&request) {
            return Err(Problem::new(Kind::UnsupportedMediaType, "Send `Content-Type: application/json`."));
        }
        let bytes = Bytes::from_request(request, state).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => Problem::internal(error).into_response(),
        }
    }
}

/// `application/json`, or a type that ends with `+json`.
fn is_json(request: &Request) -> bool {
    request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
    })
}

/// Reads a body whole.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|e| Problem::new(Kind::Malformed, format!("The body is no JSON: {e}.")))?;
    from_value(value).map_err(|e| register::Error::Invalid(vec![e]).into())
}

/// What a JSON value says, or where it says the wrong thing.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, FieldError> {
    if let Some(pointer) = nul(&value) {
        return Err(FieldError { pointer, message: "Remove the control character U+0000.".into() });
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let mut pointer = String::new();
        for segment in error.path() {
            match segment {
                Segment::Seq { index } => push(&mut pointer, &index.to_string()),
                Segment::Map { key } => push(&mut pointer, key),
                Segment::Enum { .. } | Segment::Unknown => {}
            }
        }
        let message = error.inner().to_string();
        // serde names these in its sentence, and the path ends at what holds them.
        for beginning in ["missing field `", "unknown field `"] {
            if let Some(name) = message.strip_prefix(beginning).and_then(|rest| rest.split('`').next())
                && !pointer.ends_with(&format!("/{}", escaped(name)))
            {
                push(&mut pointer, name);
            }
        }
        FieldError { pointer, message: sentence(&message) }
    })
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn push(pointer: &mut String, key: &str) {
    pointer.push('/');
    pointer.push_str(&escaped(key));
}

fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let end = if message.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

/// Where a text or a key holds U+0000, which no engine keeps.
fn nul(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(at, item)| nul(item).map(|rest| format!("/{at}{rest}")))
        }
        Value::Object(members) => members.iter().find_map(|(key, member)| {
            let rest = if key.contains('\0') { Some(String::new()) } else { nul(member) };
            rest.map(|rest| format!("/{}{rest}", escaped(key)))
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the refusals are looked at")]
    struct Agent {
        name: String,
        #[serde(default)]
        tools: Vec<Tool>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the refusals are looked at")]
    struct Tool {
        name: String,
        access: domain::agent::Access,
    }

    fn pointer(json: &str) -> String {
        from_value::<Agent>(serde_json::from_str(json).unwrap()).unwrap_err().pointer
    }

    #[test]
    fn a_refusal_points_at_its_place() {
        assert_eq!(pointer(r#"{"name": 1}"#), "/name");
        assert_eq!(pointer("{}"), "/name");
        assert_eq!(pointer(r#"{"name": "a", "other/x": 1}"#), "/other~1x");
        assert_eq!(
            pointer(r#"{"name": "a", "tools": [{"name": "t", "access": "read"}, {"name": "t"}]}"#),
            "/tools/1/access"
        );
        assert_eq!(pointer(r#"{"name": "a", "tools": [{"name": "t", "access": "king"}]}"#), "/tools/0/access");
        assert_eq!(pointer(r#"{"name": "a", "tools": [{"name": "t\u0000"}]}"#), "/tools/0/name");
        assert_eq!(pointer("[]"), "");
        assert!(matches!(parse::<Agent>(b"{").unwrap_err().kind(), Kind::Malformed));
    }
}
