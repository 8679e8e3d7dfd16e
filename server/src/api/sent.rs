//! What a body says, and which version it is about.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use domain::text;
use register::Error;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::json::{self, Json};
use crate::problem::{Kind, Problem};

/// Longest reason, in characters.
const REASON_MAX: usize = 1000;

/// The references in a path. One that is none is not there: 404.
#[derive(Debug)]
pub(super) struct At<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(at) = Path::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        Ok(Self(at))
    }
}

/// A body that may be left out; then it is `{}`.
#[derive(Debug)]
pub(super) struct Maybe(pub(super) Value);

impl<S: Send + Sync> FromRequest<S> for Maybe {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if request.headers().contains_key(header::CONTENT_TYPE) {
            return Json::from_request(request, state).await.map(|Json(value)| Self(value));
        }
        let bytes = Bytes::from_request(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(Value::Object(Map::new())));
        }
        Err(Problem::new(Kind::UnsupportedMediaType, "Send `Content-Type: application/json`."))
    }
}

/// What a body says, or where it says the wrong thing.
pub(super) fn read<T: DeserializeOwned>(body: Value) -> Result<T, Problem> {
    json::from_value(body).map_err(|wrong| Error::Invalid(vec![wrong]).into())
}

/// As [`read`], for a part of the body that lies at `pointer`.
pub(super) fn read_at<T: DeserializeOwned>(pointer: &str, body: Value) -> Result<T, Problem> {
    json::from_value(body).map_err(|mut wrong| {
        wrong.pointer.insert_str(0, pointer);
        Error::Invalid(vec![wrong]).into()
    })
}

/// Present means said: null is no value of it.
pub(super) fn said<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// The members of a merge patch, and the reason among them.
pub(super) fn patch(body: Value) -> Result<(Map<String, Value>, String), Problem> {
    let Value::Object(mut members) = body else {
        return Err(Problem::field("", "Send an object with the members that change."));
    };
    let reason = match members.remove("reason") {
        None | Some(Value::Null) => String::new(),
        Some(reason) => reason_of(&read_at::<String>("/reason", reason)?)?,
    };
    Ok((members, reason))
}

/// A reason, checked.
pub(super) fn reason_of(reason: &str) -> Result<String, Problem> {
    text::prose(reason, "The reason", REASON_MAX).map_err(|e| Problem::field("/reason", e.to_string()))
}

/// Applies a merge patch (RFC 7396): null removes, an object goes deeper, anything else
/// replaces.
pub(super) fn merge(into: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *into = patch;
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Some(members) = into.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(&name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// The members of a patch without those that only repeat what is shown and cannot be
/// written: whoever reads an object, changes a member and sends it all back means that
/// member.
pub(super) fn without_echo(
    mut patch: Map<String, Value>,
    shown: &Value,
    writable: &Value,
) -> Result<Map<String, Value>, Problem> {
    let mut wrong = register::Checked::default();
    patch.retain(|name, value| {
        let derived = writable.get(name).is_none() && shown.get(name).is_some();
        if derived && shown.get(name) != Some(value) {
            wrong.refuse(&format!("/{name}"), "It follows from other things and is not written; leave it out.");
        }
        !derived
    });
    wrong.done()?;
    Ok(patch)
}

/// Which version the asker read, by `If-Match` (and `If-None-Match: *`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// Nothing was said.
    Unsaid,
    /// Whichever there is.
    Any,
    /// One of these; none of them if the header names no version of ours.
    Versions(Vec<i64>),
    /// There must be none yet.
    Nothing,
}

impl Expected {
    /// Reads the headers. `"7"` is version 7, as `ETag` has it; a weak tag never matches.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if headers.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes().trim_ascii() == b"*") {
            return Self::Nothing;
        }
        let mut tags = headers
            .get_all(header::IF_MATCH)
            .iter()
            .flat_map(|v| v.to_str().unwrap_or("?").split(','))
            .map(str::trim)
            .peekable();
        if tags.peek().is_none() {
            return Self::Unsaid;
        }
        let mut versions = Vec::new();
        for tag in tags {
            if tag == "*" {
                return Self::Any;
            }
            let quoted = tag.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
            versions.extend(quoted.unwrap_or(tag).parse::<i64>());
        }
        Self::Versions(versions)
    }

    /// The version that is there, if it is the one that was read; else 428 or 412.
    pub(super) fn is(&self, present: i64) -> Result<i64, Problem> {
        match self {
            Self::Unsaid => Err(Problem::new(
                Kind::PreconditionRequired,
                "Read it first, then send its `ETag` as `If-Match`, so that nobody’s change is lost.",
            )),
            Self::Any => Ok(present),
            Self::Versions(versions) if versions.contains(&present) => Ok(present),
            Self::Versions(_) | Self::Nothing => Err(Error::Stale(present).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_merge_patch_is_that_of_rfc_7396() {
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut out = target;
            merge(&mut out, patch);
            assert_eq!(out, result);
        }
    }

    #[test]
    fn a_version_is_expected_as_the_etag_was_sent() {
        let of = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, value.parse().unwrap());
            }
            Expected::of(&headers)
        };
        assert_eq!(of(&[]), Expected::Unsaid);
        assert_eq!(of(&[("if-match", "*")]), Expected::Any);
        assert_eq!(of(&[("if-match", "\"7\"")]), Expected::Versions(vec![7]));
        assert_eq!(of(&[("if-match", "\"6\", \"7\"")]), Expected::Versions(vec![6, 7]));
        assert_eq!(of(&[("if-match", "W/\"7\"")]), Expected::Versions(vec![]));
        assert_eq!(of(&[("if-match", "soup")]), Expected::Versions(vec![]));
        assert_eq!(of(&[("if-none-match", "*")]), Expected::Nothing);
        assert!(Expected::Versions(vec![6, 7]).is(7).is_ok());
        assert_eq!(Expected::Versions(vec![6]).is(7).unwrap_err().kind(), Kind::Stale);
        assert_eq!(Expected::Unsaid.is(7).unwrap_err().kind(), Kind::PreconditionRequired);
    }
}
