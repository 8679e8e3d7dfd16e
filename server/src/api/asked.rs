//! What an address asks for. A name that is unknown, given twice or of a value that is none
//! is refused by 422 with a pointer to it (`/state`): a filter misspelt must not read as a
//! list of everything.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use register::paging;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use utoipa::IntoParams;

use crate::json;
use crate::problem::Problem;

/// What a single thing is asked with.
#[derive(Debug)]
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(pairs(parts)?).map(Self)
    }
}

/// What a list is asked with: its filter, and which page of it.
#[derive(Debug)]
pub(super) struct Listed<T> {
    pub(super) filter: T,
    pub(super) page: Paging,
}

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// How many items at most.
    #[serde(default, deserialize_with = "whole")]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before. It belongs to one list and one order.
    #[serde(default)]
    pub(super) cursor: Option<String>,
    /// The order: a member's name, with `-` before it downwards.
    #[serde(default)]
    pub(super) sort: Option<String>,
}

impl Paging {
    /// How many items at most, checked.
    pub(super) fn limit(&self) -> Result<i64, Problem> {
        Ok(paging::limit(self.limit)?)
    }

    /// For a list whose only order is by name: whether it goes downwards.
    pub(super) fn by_name(&self) -> Result<bool, Problem> {
        match self.sort.as_deref() {
            None | Some("name") => Ok(false),
            Some("-name") => Ok(true),
            Some(_) => Err(Problem::field("/sort", "This list is sorted by name or -name.")),
        }
    }

    /// For a list that has one order.
    pub(super) fn unsorted(&self) -> Result<(), Problem> {
        if self.sort.is_none() {
            Ok(())
        } else {
            Err(Problem::field("/sort", "This list has one order; leave it out."))
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Listed<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut filter = pairs(parts)?;
        let mut page = Map::new();
        for name in ["limit", "cursor", "sort"] {
            if let Some(value) = filter.remove(name) {
                page.insert(name.to_owned(), value);
            }
        }
        let page: Paging = read(page)?;
        page.limit()?;
        Ok(Self { filter: read(filter)?, page })
    }
}

/// A list without filters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoFilter {}

fn pairs(parts: &Parts) -> Result<Map<String, Value>, Problem> {
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) else {
        return Err(Problem::field("", "What follows the `?` of the address is not understood."));
    };
    let mut out = Map::new();
    for (name, value) in pairs {
        if out.contains_key(&name) {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            return Err(Problem::field(pointer, "It is given twice."));
        }
        out.insert(name, value.into());
    }
    Ok(out)
}

fn read<T: DeserializeOwned>(pairs: Map<String, Value>) -> Result<T, Problem> {
    json::from_value(Value::Object(pairs)).map_err(|wrong| register::Error::Invalid(vec![wrong]).into())
}

/// A whole number, which an address has as text.
pub(super) fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map(Some).map_err(|_| serde::de::Error::custom("enter a whole number"))
}

/// Yes or no, which an address has as text.
pub(super) fn truth<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map(Some).map_err(|_| serde::de::Error::custom("enter true or false"))
}

/// A moment. The `+` of a zone that was not encoded has become a blank.
pub(super) fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = String::deserialize(from)?;
    let whole = match text.rsplit_once(' ') {
        Some((time, zone)) if time.contains(['T', 't']) => format!("{time}+{zone}"),
        _ => text,
    };
    DateTime::parse_from_rfc3339(&whole)
        .map(|at| Some(at.to_utc()))
        .map_err(|_| serde::de::Error::custom("enter a time such as 2026-07-03T14:05:00Z"))
}
