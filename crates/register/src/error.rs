//! What a use case answers when it does not do as asked.

use domain::can::Denied;
use domain::text::TextError;

use crate::db::DbError;

/// One thing wrong with the input, by JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// Where, for instance `/name`.
    pub pointer: String,
    /// What to do about it, a plain sentence.
    pub message: String,
}

/// A refusal or a failure. Everything but `Store` is a sentence for the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not allowed, or not even to be seen.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is no such thing.
    #[error("There is no {0}.")]
    NotFound(String),
    /// The input is refused; nothing was written.
    #[error("{}", .0.iter().map(|e| e.message.as_str()).collect::<Vec<_>>().join(" "))]
    Invalid(Vec<FieldError>),
    /// The state of things does not allow it now, or somebody else was first.
    #[error("{0}")]
    Conflict(String),
    /// It was changed since it was read.
    #[error("It was changed in the meantime; read it again. The version is now {0}.")]
    Stale(i64),
    /// The store failed; the cause goes to the log.
    #[error("the store failed: {0}")]
    Store(#[from] DbError),
}

impl Error {
    /// An input error at one place.
    pub fn field(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { pointer: pointer.into(), message: message.into() }])
    }

    /// The refusal of an attempt that lost a race for something unique, or the failure itself.
    pub fn unique(e: DbError, message: impl Into<String>) -> Self {
        match e {
            DbError::Unique => Self::Conflict(message.into()),
            e => Self::Store(e),
        }
    }
}

/// Gathers input errors, so that all of them are shown at once.
#[derive(Debug, Default)]
pub struct Checked(Vec<FieldError>);

impl Checked {
    /// Takes the value, or notes the error and answers the default.
    pub fn take<T: Default, E: std::fmt::Display>(&mut self, pointer: &str, value: Result<T, E>) -> T {
        value.unwrap_or_else(|e| {
            self.refuse(pointer, e.to_string());
            T::default()
        })
    }

    /// Notes an error.
    pub fn refuse(&mut self, pointer: &str, message: impl Into<String>) {
        self.0.push(FieldError { pointer: pointer.to_owned(), message: message.into() });
    }

    /// Whether nothing was refused, else all of it.
    pub fn done(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}

impl From<TextError> for FieldError {
    fn from(e: TextError) -> Self {
        Self { pointer: String::new(), message: e.to_string() }
    }
}
