//! A service's connections.

use std::future::ready;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use sqlx::pool::PoolConnection;
use sqlx::{Describe, Execute, Executor, SqlStr};
use sqlx_postgres::{PgRow, PgStatement, PgTypeInfo, Postgres};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::connection::{Connection, Patience, Seen, SharedConnection, Steps};
use crate::error::Result;
use crate::primary::{Current, Primary};
use crate::transaction::Transaction;

/// How long a connection is waited for. It is the limit of sqlx's pool.
pub(crate) const MAX_ACQUIRE: Duration = Duration::from_secs(10);
/// The same for somebody who waits, as long as Postgres answers nobody: it is away.
const MAX_ACQUIRE_FOR_REQUEST: Duration = Duration::from_millis(900);
/// Of several servers: after so long without a connection and without any answer, the primary is looked for.
const LOOKED_AFTER: Duration = Duration::from_millis(300);
/// Wait before another attempt when no server takes writes.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a statement may take.
const MAX_ANSWER: Duration = Duration::from_secs(15);
/// The same for statements that read or write much: a little above the server's own limit.
pub(crate) const MAX_LONG_ANSWER: Duration = Duration::from_secs(42);
/// The server's own limit for a statement.
pub(crate) const STATEMENT_TIMEOUT: &str = "40s";

/// The connections of a service: a pool with its role and search path. No wait on one of them is without an end.
#[derive(Debug, Clone)]
pub struct PgPool {
    primary: Arc<Primary>,
    max_acquire: Duration,
    patience: Patience,
}

/// The connections of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Those in use.
    pub used: u32,
    /// Those that wait for use.
    pub idle: u32,
    /// How many there may be.
    pub max: u32,
}

impl From<Primary> for PgPool {
    fn from(primary: Primary) -> Self {
        let patience = Patience { limit: MAX_ANSWER, seen: Arc::new(Seen::new()) };
        Self { primary: Arc::new(primary), max_acquire: MAX_ACQUIRE, patience }
    }
}

impl From<sqlx_postgres::PgPool> for PgPool {
    fn from(connections: sqlx_postgres::PgPool) -> Self {
        Primary::alone(connections).into()
    }
}

impl PgPool {
    /// The same connections for the requests of users, who learn within a second that the database is away.
    #[must_use]
    pub fn for_requests(&self) -> Self {
        Self { max_acquire: MAX_ACQUIRE_FOR_REQUEST, ..self.clone() }
    }

    /// The same connections for statements that read or write much, which may take up to 40 s and not only 15 s.
    #[must_use]
    pub fn for_long_statements(&self) -> Self {
        let patience = Patience { limit: MAX_LONG_ANSWER, ..self.patience.clone() };
        Self { patience, ..self.clone() }
    }

    /// The same connections, whose answers are waited for so long.
    pub(crate) fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// How many statements have waited for PostgreSQL for more than three seconds, and still do.
    pub fn slow_statements(&self) -> usize {
        self.patience.seen.slow()
    }

    /// How many connections there are at this moment.
    pub fn connections(&self) -> Connections {
        let Current { connections, .. } = self.primary.current();
        let idle = u32::try_from(connections.num_idle()).unwrap_or(u32::MAX);
        let max = connections.options().get_max_connections();
        Connections { used: connections.size().saturating_sub(idle), idle, max }
    }

    /// A connection, which is given back when it is dropped.
    ///
    /// # Errors
    /// Also when none can be had in time.
    pub async fn acquire(&self) -> Result<Connection> {
        Ok(self.pooled().await?)
    }

    /// A connection beside those of the pool.
    ///
    /// # Errors
    /// Also when none can be had in time.
    pub async fn open(&self) -> Result<Connection> {
        Ok(Connection::own(self.connection().await?.detach(), self.patience.clone()))
    }

    /// A connection beside those of the pool that several tasks use one after another.
    ///
    /// # Errors
    /// Also when none can be had in time.
    pub(crate) async fn open_shared(&self) -> Result<SharedConnection> {
        Ok(SharedConnection::new(self.connection().await?.detach(), self.patience.clone()))
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// Also when no connection can be had in time.
    pub async fn begin(&self) -> Result<Transaction> {
        Transaction::begin(self.acquire().await?).await
    }

    async fn pooled(&self) -> sqlx::Result<Connection> {
        Ok(Connection::pooled(self.connection().await?, self.patience.clone()))
    }

    async fn connection(&self) -> sqlx::Result<PoolConnection<Postgres>> {
        let deadline = Instant::now() + self.max_acquire;
        loop {
            let current = self.primary.current();
            let acquired = match self.primary.is_alone() {
                true => {
                    return self.connection_in_time(current.connections.acquire(), self.max_acquire).await;
                }
                false => self.connection_unless_moved(&current, deadline).await,
            };
            match acquired {
                Some(Ok(connection)) => return Ok(connection),
                Some(Err(error)) if Instant::now() + PAUSE >= deadline => return Err(error),
                Some(Err(_)) => sleep(PAUSE).await,
                None => {}
            }
        }
    }

    /// A connection, or an error when there is neither one nor an answer on another one within `limit`.
    async fn connection_in_time(
        &self,
        acquired: impl Future<Output = sqlx::Result<PoolConnection<Postgres>>>,
        limit: Duration,
    ) -> sqlx::Result<PoolConnection<Postgres>> {
        let mut acquired = pin!(acquired);
        loop {
            match timeout(limit, acquired.as_mut()).await {
                Ok(acquired) => return acquired,
                // All connections are in use, and Postgres answers.
                Err(_) if self.patience.seen.has_answered_within(limit) => {}
                Err(_) => return Err(sqlx::Error::PoolTimedOut),
            }
        }
    }

    /// The same for one server among several, until `deadline`. When this takes long the primary is looked for meanwhile;
    /// `None` when that is another server.
    async fn connection_unless_moved(
        &self,
        server: &Current,
        deadline: Instant,
    ) -> Option<sqlx::Result<PoolConnection<Postgres>>> {
        let mut acquired = pin!(server.connections.acquire().fuse());
        loop {
            let in_time = self.connection_in_time(acquired.as_mut(), LOOKED_AFTER).await;
            if in_time.is_ok() {
                return Some(in_time);
            }
            // A connection that is being made is not given up for the look: it may only take long.
            let ended = matches!(&in_time, Err(error) if !matches!(error, sqlx::Error::PoolTimedOut));
            tokio::select! {
                biased;
                acquired = acquired.as_mut(), if !ended => return Some(acquired),
                moved = timeout_at(deadline, self.primary.look(server)) => match moved {
                    Ok(true) => return None,
                    Ok(false) if !ended && Instant::now() < deadline => {}
                    Ok(false) | Err(_) => return Some(in_time),
                },
            }
        }
    }
}

impl<'p> Executor<'p> for &'p PgPool {
    type Database = Postgres;

    /// Answers when all rows are there. A [`Connection`] hands them out as they come.
    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Steps<'e>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let steps = async move {
            let mut connection = self.pooled().await?;
            let steps: Vec<_> = Executor::fetch_many(&mut connection, query).try_collect().await?;
            Ok::<_, sqlx::Error>(stream::iter(steps).map(Ok))
        };
        stream::once(steps).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move { Executor::fetch_optional(&mut self.pooled().await?, query).await })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'p: 'e,
    {
        Box::pin(async move { Executor::prepare_with(&mut self.pooled().await?, sql, parameters).await })
    }

    fn describe<'e>(self, _: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>>
    where
        'p: 'e,
    {
        Box::pin(ready(Err(sqlx::Error::Protocol(
            "statements are described by sqlx's macros only".to_owned(),
        ))))
    }
}
