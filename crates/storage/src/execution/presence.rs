//! A process that holds lanes, as other processes see it: it holds an advisory lock on a connection of its own. With the
//! process, or its connection, the lock ends at once, and with the lock its hold on its lanes.

use std::time::Duration;

use tokio::time::timeout;
use uuid::Uuid;

use crate::connection::Connection;
use crate::error::Result;
use crate::pool::PgPool;

/// After so much silence Postgres closes the connection.
const MAX_SILENCE: &str = "5s";
/// How long the lock and a sign of life may take.
const MAX_ANSWER: Duration = Duration::from_secs(3);

/// The lock of a process. It ends with this value.
#[derive(Debug)]
pub struct Presence {
    connection: Connection,
    holder: i64,
}

impl Presence {
    /// Takes the lock of a number that no process had before.
    pub async fn begin(pool: &PgPool) -> Result<Self> {
        let mut connection = pool.open().await?;
        let (_, random) = Uuid::now_v7().as_u64_pair();
        let holder = random.cast_signed();
        let locking = sqlx::query(
            "-- presence::begin
            SELECT set_config('idle_session_timeout', $1, false), pg_advisory_lock($2)",
        )
        .bind(MAX_SILENCE)
        .bind(holder)
        .execute(&mut connection);
        answered(locking).await?;
        Ok(Self { connection, holder })
    }

    /// The number of the process, by which lanes name it.
    pub fn holder(&self) -> i64 {
        self.holder
    }

    /// Shows that the process lives; to be called more often than each five seconds.
    ///
    /// # Errors
    /// After any error the lock has to be taken as lost.
    pub async fn show(&mut self) -> Result<()> {
        answered(sqlx::query("-- presence::show\nSELECT").execute(&mut self.connection)).await
    }
}

async fn answered<T>(answer: impl Future<Output = sqlx::Result<T>>) -> Result<()> {
    timeout(MAX_ANSWER, answer).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
    Ok(())
}
