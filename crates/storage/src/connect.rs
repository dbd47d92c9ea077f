//! Connections: each service works with its own role and schema.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgPool};

use crate::error::{Result, StorageError};

/// A connection that has been idle for so long is tested before it is used.
const TESTED_AFTER: Duration = Duration::from_secs(1);

/// The service that owns a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Owns `trigger`.
    Trigger,
    /// Owns `market`.
    Downloader,
    /// Owns `execution`.
    Executor,
    /// Owns `status`.
    Status,
}

impl Owner {
    fn setup(self) -> &'static str {
        match self {
            Self::Trigger => "SET ROLE modelday_trigger; SET search_path TO trigger",
            Self::Downloader => "SET ROLE modelday_downloader; SET search_path TO market",
            Self::Executor => "SET ROLE modelday_executor; SET search_path TO execution",
            Self::Status => "SET ROLE modelday_status; SET search_path TO status",
        }
    }

    /// The service's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Downloader => "downloader",
            Self::Executor => "executor",
            Self::Status => "status",
        }
    }
}

/// Where Postgres is and how many connections a service may hold.
#[derive(Clone)]
pub struct Database {
    /// `postgres://user:password@host:port/database?sslmode=...`; contains a secret.
    pub url: String,
    /// How many connections may be open at once.
    pub max_connections: u32,
}

impl Database {
    /// Checks the address, without connecting.
    ///
    /// # Errors
    /// [`StorageError::Address`], which does not repeat the address: it may hold a password.
    pub fn new(url: String, max_connections: u32) -> Result<Self> {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        if !matches!(scheme, Some("postgres" | "postgresql")) || PgConnectOptions::from_str(&url).is_err() {
            return Err(StorageError::Address);
        }
        Ok(Self { url, max_connections })
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("max_connections", &self.max_connections).finish_non_exhaustive()
    }
}

/// A pool of connections with the role and the search path of `owner`; waits until Postgres answers.
///
/// # Errors
/// When the address is malformed, Postgres does not answer, or the role is missing.
pub async fn connect(database: &Database, owner: Owner) -> Result<PgPool> {
    let options = PgConnectOptions::from_str(&database.url)?
        .application_name(&format!("modelday-{}", owner.as_str()))
        .options([
            // Ends the transaction of a paused process, which would otherwise keep its locks.
            ("idle_in_transaction_session_timeout", "5s"),
            ("statement_timeout", "60s"),
            // A plan that was made while a table was empty would read the whole table ever after.
            ("enable_seqscan", "off"),
            // The planner adds a large cost to discouraged plans, for which it would compile each of them.
            ("jit", "off"),
        ]);
    let pool = PgPoolOptions::new()
        .max_connections(database.max_connections)
        .acquire_timeout(Duration::from_secs(10))
        // A test before every statement is a round trip of its own, which takes longer than many statements.
        .test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                if known.idle_for >= TESTED_AFTER {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(owner.setup()).await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await?;
    Ok(pool)
}

/// Fails when Postgres does not answer.
pub async fn ping(pool: &PgPool) -> Result<()> {
    sqlx::query("SELECT 1").execute(pool).await?;
    Ok(())
}
