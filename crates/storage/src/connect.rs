//! Connections: each service works with its own role and schema.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use log::LevelFilter;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use sqlx_postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use tokio::time::timeout;

use crate::connection::{Connection, Patience, Seen};
use crate::error::Result;
use crate::pool::{MAX_ACQUIRE, MAX_LONG_ANSWER, PgPool, STATEMENT_TIMEOUT};
use crate::primary::Primary;
use crate::servers::{Servers, standby, takes_writes};

/// A connection that has been idle for so long is tested before it is used.
const TESTED_AFTER: Duration = Duration::from_secs(1);
/// How long this test may take. A connection that fails it is replaced, also while a request waits for it.
const MAX_TEST: Duration = Duration::from_millis(400);
/// A statement that takes so long is reported, for traces. Those that people should know of in the log take longer.
const REPORTED_AFTER: Duration = Duration::from_millis(5);
/// Settings of each session. They are statements and no options of the connection, which PgBouncer drops.
const SETTINGS: [(&str, &str); 9] = [
    // Ends the transaction of a paused process, which would otherwise keep its locks.
    ("idle_in_transaction_session_timeout", "5s"),
    ("statement_timeout", STATEMENT_TIMEOUT),
    // A statement of a process that is gone ends, and does not do later what nobody waits for.
    ("client_connection_check_interval", "500ms"),
    // A process that is gone without a word: its session ends within 25 s.
    ("tcp_user_timeout", "25s"),
    ("tcp_keepalives_idle", "10s"),
    ("tcp_keepalives_interval", "5s"),
    ("tcp_keepalives_count", "3"),
    // A plan that was made while a table was empty would read the whole table ever after.
    ("enable_seqscan", "off"),
    // The planner adds a large cost to discouraged plans, for which it would compile each of them.
    ("jit", "off"),
];

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
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Trigger, Self::Downloader, Self::Executor, Self::Status];

    /// The schema that it owns.
    pub const fn schema(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Downloader => "market",
            Self::Executor => "execution",
            Self::Status => "status",
        }
    }

    /// What begins each session.
    fn setup(self) -> String {
        let schema = self.schema();
        let settings =
            SETTINGS.map(|(name, value)| format!("; SET {name} = '{value}'")).concat() + self.plans();
        format!("SET ROLE modelday_{}; SET search_path TO {schema}{settings}", self.as_str())
    }

    /// Whether statements are planned once. PostgreSQL would otherwise plan those with lists again each time, for longer
    /// than they run. Only status has statements whose best plan depends on their parameters: which of them are given.
    const fn plans(self) -> &'static str {
        match self {
            Self::Trigger | Self::Downloader | Self::Executor => {
                "; SET plan_cache_mode = 'force_generic_plan'"
            }
            Self::Status => "",
        }
    }

    /// The service's name.
    pub const fn as_str(self) -> &'static str {
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
    /// `postgres://user:password@host:port/database?sslmode=...`, or several addresses of the database's servers with
    /// commas between them; contains a secret.
    pub url: String,
    /// How many connections may be open at once.
    pub max_connections: u32,
}

impl Database {
    /// Checks the addresses, without connecting.
    ///
    /// # Errors
    /// [`StorageError::Address`](crate::StorageError::Address), which repeats no address: it may hold a password.
    pub fn new(url: String, max_connections: u32) -> Result<Self> {
        Servers::of(&url)?;
        Ok(Self { url, max_connections })
    }

    /// Whether the password and the data may cross a network without encryption.
    pub fn is_exposed(&self) -> bool {
        Servers::of(&self.url).is_ok_and(|servers| servers.all().iter().any(is_exposed))
    }
}

fn is_exposed(server: &PgConnectOptions) -> bool {
    let host = server.get_host().trim_start_matches('[').trim_end_matches(']');
    let is_local = server.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    let may_be_plain =
        matches!(server.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer);
    may_be_plain && !is_local
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("max_connections", &self.max_connections).finish_non_exhaustive()
    }
}

/// A pool of connections with the role and the search path of `owner`. Nothing is connected yet.
///
/// # Errors
/// When the address is malformed.
pub fn pool(database: &Database, owner: Owner) -> Result<PgPool> {
    let connections = PgPoolOptions::new()
        .max_connections(database.max_connections)
        .acquire_timeout(MAX_ACQUIRE)
        // A test before every statement is a round trip of its own, which takes longer than many statements.
        .test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                if known.idle_for < TESTED_AFTER {
                    return Ok(true);
                }
                // A connection that does not answer is closed without a farewell, as one that fails is.
                let tested = timeout(MAX_TEST, takes_writes(connection)).await;
                tested.unwrap_or(Err(sqlx::Error::PoolTimedOut))
            })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(AssertSqlSafe(owner.setup())).await?;
                if takes_writes(connection).await? { Ok(()) } else { Err(standby()) }
            })
        });
    Ok(Primary::new(servers(database, owner)?, connections).into())
}

/// The same as [`pool`], for which Postgres has to answer.
///
/// # Errors
/// When the address is malformed, Postgres does not answer, or the role is missing.
pub async fn connect(database: &Database, owner: Owner) -> Result<PgPool> {
    check(database, owner).await?;
    pool(database, owner)
}

/// Connects once, and says what is wrong when that does not work. A pool would try again for a while.
///
/// # Errors
/// When the address is malformed, Postgres does not answer, or the role is missing.
pub async fn check(database: &Database, owner: Owner) -> Result<()> {
    let servers = servers(database, owner)?;
    let connected = async {
        let mut connection = servers.connect().await?;
        connection.execute(AssertSqlSafe(owner.setup())).await?;
        connection.close().await
    };
    Ok(timeout(MAX_ACQUIRE, connected).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))?)
}

/// A connection of its own for the user of `servers`, for work that no service does.
pub(crate) async fn open(servers: &Servers) -> sqlx::Result<Connection> {
    let opened = servers.connect().await?;
    Ok(Connection::own(opened, Patience { limit: MAX_LONG_ANSWER, seen: Arc::new(Seen::new()) }))
}

fn servers(database: &Database, owner: Owner) -> Result<Servers> {
    let name = format!("modelday-{}", owner.as_str());
    Ok(Servers::of(&database.url)?
        .map(|server| server.application_name(&name).log_slow_statements(LevelFilter::Warn, REPORTED_AFTER)))
}

/// The time of Postgres, which all processes share, whatever the clocks of their machines say.
pub async fn now(pool: &PgPool) -> Result<DateTime<Utc>> {
    let (now,) = sqlx::query_as("-- connect::now\nSELECT clock_timestamp()").fetch_one(pool).await?;
    Ok(now)
}

/// Fails when Postgres does not answer.
pub async fn ping(pool: &PgPool) -> Result<()> {
    sqlx::query("SELECT 1").execute(pool).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StorageError;

    fn database(url: &str) -> Result<Database> {
        Database::new(url.to_owned(), 1)
    }

    #[test]
    fn a_password_with_characters_of_an_address_is_refused_and_not_shown() {
        for url in ["postgres://joe:12/s3cret@host/d", "postgres://joe:12?s3cret@host/d"] {
            let error = database(url).err().unwrap();

            assert!(matches!(error, StorageError::Address), "{url}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn only_a_remote_database_without_tls_is_exposed() {
        let is_exposed = |url: &str| database(url).unwrap().is_exposed();

        for exposed in ["postgres://joe@db.example/d", "postgres://joe@db.example/d?sslmode=prefer"] {
            assert!(is_exposed(exposed), "{exposed}");
        }
        assert!(is_exposed("postgres://joe@127.0.0.1/d,postgres://joe@db.example/d"), "one of two");
        for safe in [
            "postgres://joe@db.example/d?sslmode=verify-full",
            "postgres://joe@db.example/d?sslmode=require",
            "postgres://joe@127.0.0.1/d",
            "postgres://joe@[::1]/d",
            "postgres://joe@localhost/d",
            "postgres:///d?host=/var/run/postgresql",
        ] {
            assert!(!is_exposed(safe), "{safe}");
        }
    }
}
