//! What the parts of this process share: the database, the calendar, the relay, what is paused, and why their work stops
//! early.

use contract::ContractError;
use domain::market::calendar::Calendar;
use runtime::pauses::Pauses;
use runtime::relay::Wake;
use storage::{PgPool, StorageError};
use tokio::task::JoinError;

/// The database, the calendar, the relay and what is paused.
pub(crate) struct Context {
    pub(crate) pool: PgPool,
    pub(crate) calendar: Calendar,
    /// Wakes the outbox relay after a commit with messages.
    pub(crate) wake: Wake,
    pub(crate) pauses: Pauses,
}

/// An early end of the work on a preparation. The preparation stays due, so a worker claims it again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Interruption {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("a message cannot be decoded or encoded: {0}")]
    Contract(#[from] ContractError),
    #[error("a download task has crashed: {0}")]
    Crashed(#[from] JoinError),
    #[error("the work was halted")]
    Halted,
}
