//! What a form or an address carries. Bad input reaches our own check: every value is
//! text, and what is missing is empty.

use std::collections::HashSet;
use std::convert::Infallible;

use app::components::{Address, FieldErrors};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;

use super::Fault;

/// A form whose fields are all `String` with `#[serde(default)]`. Fields that occur more
/// than once are read by [`Fields`].
#[derive(Debug, Clone, Default)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Fault;
    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let mut pairs = pairs(request, state).await?;
        let mut seen = HashSet::new();
        pairs.retain(|(key, _)| seen.insert(key.clone()));
        let de = MapDeserializer::new(pairs.into_iter());
        T::deserialize(de).map(Self).map_err(|e: serde::de::value::Error| Fault::malformed(e.to_string()))
    }
}

/// A choice among those who fit what was typed: `field:Name (PE-7)`.
pub fn chosen(choose: &str) -> Option<(&str, &str)> {
    choose.split_once(':')
}

/// A form as the pairs it was sent as, in order.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Of pairs that came another way, such as the parts of a form with files.
    pub fn of(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// The first value of a field; empty when it was not sent.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Every value of a field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The choice that was pressed among those who fit: the field, and what to fill it with.
    pub fn chosen(&self) -> Option<(&str, &str)> {
        chosen(self.get("choose"))
    }

    /// Every field, in order.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Fault;
    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        pairs(request, state).await.map(Self)
    }
}

async fn pairs<S: Send + Sync>(request: Request, state: &S) -> Result<Vec<(String, String)>, Fault> {
    match axum::Form::<Vec<(String, String)>>::from_request(request, state).await {
        Ok(axum::Form(pairs)) => Ok(pairs),
        Err(rejection) => Err(match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "The form is too large."),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "This page takes the form that it shows.")
            }
            _ => Fault::malformed("The form did not arrive whole."),
        }),
    }
}

/// Where a page is: its path and query, as components write links from it.
#[derive(Debug, Clone)]
pub struct Here(pub Address);

impl std::ops::Deref for Here {
    type Target = Address;
    fn deref(&self) -> &Address {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Here {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Address::parse(parts.uri.path(), parts.uri.query().unwrap_or_default())))
    }
}

/// What a use case refused, beside the fields of its form: `/name` is the field `name`,
/// and a conflict is about the whole form. What no form can mend stays a fault.
pub fn field_errors(error: register::Error) -> Result<FieldErrors, Fault> {
    let mut errors = FieldErrors::new();
    match error {
        register::Error::Invalid(fields) => {
            for field in fields {
                errors.add(field.pointer.trim_start_matches('/').to_owned(), field.message);
            }
        }
        register::Error::Conflict(sentence) => errors.add("", sentence),
        register::Error::Stale(_) => {
            errors.add("", "Somebody changed this in the meantime. Open it again to see what, then make your change.");
        }
        error => return Err(error.into()),
    }
    Ok(errors)
}
