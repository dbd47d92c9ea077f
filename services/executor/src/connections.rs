//! Connections that turns keep from their first day to their last: the pool looks at each that it gets back, which
//! between two days would be a round trip for nothing.

use std::sync::Arc;

use storage::{Connection, PgConnection, PgPool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ExecutorError;

/// Connections that turns must leave to everything else.
const LEFT: u32 = 4;

/// How many connections turns may keep.
pub(crate) struct Connections(Arc<Semaphore>);

/// A turn's own connection.
pub(crate) struct Own {
    connection: Connection,
    _permit: OwnedSemaphorePermit,
}

impl Own {
    /// It.
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Connections {
    /// Those of a pool of `most`.
    pub(crate) fn of(most: u32) -> Self {
        Self(Arc::new(Semaphore::new(most.saturating_sub(LEFT) as usize)))
    }

    /// A connection to keep; `None` while too many are kept.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn own(&self, pool: &PgPool) -> Result<Option<Own>, ExecutorError> {
        let Ok(permit) = self.0.clone().try_acquire_owned() else { return Ok(None) };
        let connection = pool.acquire().await.map_err(storage::StorageError::from)?;
        Ok(Some(Own { connection, _permit: permit }))
    }
}
