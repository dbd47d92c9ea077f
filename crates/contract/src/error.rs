//! Why a message is not one of ours.

/// A message that cannot be understood. It will not get better by trying again.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The type is none that this version knows.
    #[error("unknown message type {0:?}")]
    UnknownType(String),
    /// The body is not ProtoJSON of the type.
    #[error("{kind} does not parse at {path}: {source}")]
    NotProtoJson {
        /// The message's type.
        kind: String,
        /// The way to the place that does not parse; `.` when no field was reached.
        path: String,
        /// What the parser says.
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
    /// A message could not be written.
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
