//! Why the executor could not do its work this time.

/// A failure of our own; the message stays in hand and is tried again, or is no message of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExecutorError {
    /// Postgres, or a lane in other hands.
    #[error(transparent)]
    Storage(#[from] storage::StorageError),
    /// A message that cannot be understood or written.
    #[error(transparent)]
    Contract(#[from] contract::ContractError),
    /// A day without accounts: no attempt would change that.
    #[error(transparent)]
    Day(#[from] domain::accounting::day_error::DayError),
    /// A response or result that the session did not request.
    #[error(transparent)]
    Session(#[from] domain::agent::session::SessionError),
    /// A journal that its session cannot read.
    #[error(transparent)]
    JournaledSession(#[from] domain::agent::JournaledSessionError),
    /// A bundle whose client has gone.
    #[error("a bundle was not sent: {0}")]
    Export(#[source] std::io::Error),
    /// A lane or job row that contradicts another.
    #[error("{0}")]
    Inconsistent(String),
}

impl ExecutorError {
    /// Whether the same may work in a moment.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Storage(problem) if problem.is_transient())
    }

    /// Whether the lane went into other hands; nothing was written, and nothing has to be done.
    pub(crate) fn is_fenced(&self) -> bool {
        matches!(self, Self::Storage(storage::StorageError::Fenced))
    }
}
