//! The lock of the one projector at work, among several status processes.
//!
//! It is an advisory lock of a session, and the projector projects in that same session: when its connection ends, the
//! lock ends with it, and so does whatever it was about to write. Two projectors cannot be at work, and none waits for
//! the rows of another.

use std::time::Duration;

use tokio::time::timeout;

use super::projection::Sessions;
use crate::connection::{Connection, SharedConnection};
use crate::error::Result;
use crate::pool::PgPool;

/// After so much silence Postgres closes the connection.
const MAX_SILENCE: &str = "5s";
/// How long an attempt to take the lock and a sign of life may take.
const MAX_ANSWER: Duration = Duration::from_secs(3);

/// A connection that has the projector's lock, or tries to get it. The lock ends with this value.
#[derive(Debug)]
pub struct ProjectorLock(SharedConnection);

impl ProjectorLock {
    /// Connects; the lock is not taken yet.
    pub async fn open(pool: &PgPool) -> Result<Self> {
        let lock = Self(pool.open_shared().await?);
        let mut session = lock.0.lend().await?;
        let setting =
            sqlx::query("-- projector_lock::open\nSELECT set_config('idle_session_timeout', $1, false)")
                .bind(MAX_SILENCE)
                .execute(&mut session);
        answered(setting).await?;
        drop(session);
        Ok(lock)
    }

    /// Takes the lock unless another process has it; whether it did. To be called more often than each five seconds, until
    /// it is taken.
    ///
    /// # Errors
    /// After any error the connection has to be given up.
    pub async fn try_take(&self) -> Result<bool> {
        let mut session = self.0.lend().await?;
        // It does not wait, so that processes that stand by are not seen as waiting for a lock.
        let taking = sqlx::query_scalar(
            "-- projector_lock::try_take\nSELECT pg_try_advisory_lock(hashtext('status'), hashtext('projector'))",
        )
        .fetch_one(&mut session);
        answered(taking).await
    }

    /// Shows that the process lives; to be called more often than each five seconds. A projection shows it too.
    ///
    /// # Errors
    /// After any error the lock has to be taken as lost.
    pub async fn show(&self) -> Result<()> {
        let Some(mut session) = self.0.lend_if_free()? else { return Ok(()) };
        answered(sqlx::query("-- projector_lock::show\nSELECT").execute(&mut session)).await?;
        Ok(())
    }
}

impl Sessions for ProjectorLock {
    async fn session(&self) -> Result<Connection> {
        self.0.lend().await
    }
}

async fn answered<T>(answer: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
    Ok(timeout(MAX_ANSWER, answer).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))?)
}
