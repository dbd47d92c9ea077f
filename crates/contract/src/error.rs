//! Why a message cannot be decoded or encoded.

use domain::job::bounds::OutOfBounds;

/// A message that cannot be decoded or encoded. A retry would fail in the same way.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// This version does not know the type.
    #[error("unknown message type {0:?}")]
    UnknownType(String),
    /// The body is no ProtoJSON of the type.
    #[error("{kind} does not parse at {path}: {source}")]
    NotProtoJson {
        /// The message's type.
        kind: String,
        /// The path to the value that does not parse; `.` when no field was reached.
        path: String,
        /// The parser's error.
        source: serde_json::Error,
    },
    /// A field's value is not valid.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field's name, with its path.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The message orders more work than any job may have.
    #[error("{field}: {0}", field = .0.field)]
    OutOfBounds(#[from] OutOfBounds),
    /// A message could not be encoded.
    #[error("message cannot be written: {0}")]
    Unwritable(#[source] serde_json::Error),
}

impl ContractError {
    pub(crate) fn invalid(field: &'static str, problem: impl std::fmt::Display) -> Self {
        Self::Invalid { field, problem: problem.to_string() }
    }

    pub(crate) fn missing(field: &'static str) -> Self {
        Self::invalid(field, "is missing")
    }
}
