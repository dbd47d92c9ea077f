//! A connection to PostgreSQL on which no wait is without an end.
//!
//! PostgreSQL ends a statement that takes too long. But when it, or the network on the way to it, is gone without a
//! word, no answer comes at all, and sqlx waits for ever. Here each wait for an answer has a limit, and a connection on
//! which an answer is still due, for whatever reason, is closed and not used again.

use std::future::ready;
use std::io;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt as _};
use sqlx::pool::PoolConnection;
use sqlx::{Describe, Either, Execute, Executor, SqlStr};
use sqlx_postgres::{PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

use crate::error::{READ_ONLY, Result};

/// The rows and ends of statements, as they come.
pub(crate) type Steps<'a> = BoxStream<'a, sqlx::Result<Either<PgQueryResult, PgRow>>>;

/// A wait that takes longer is counted as slow, as long as it lasts.
const SLOW_AFTER: Duration = Duration::from_secs(3);
/// How long the rollback and the test of a connection may take that is given back to its pool.
const MAX_RETURN: Duration = Duration::from_secs(5);

/// How long an answer is waited for.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    /// After which the connection is given up; longer than [`SLOW_AFTER`].
    pub(crate) limit: Duration,
    /// What is seen on all connections of the pool.
    pub(crate) seen: Arc<Seen>,
}

/// What is seen on the connections of a pool.
#[derive(Debug)]
pub(crate) struct Seen {
    began: Instant,
    /// How many waits are slow at the moment.
    slow: AtomicUsize,
    /// When the last answer came, in milliseconds since `began`.
    answered: AtomicU64,
}

impl Seen {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), slow: AtomicUsize::new(0), answered: AtomicU64::new(0) }
    }

    /// How many waits are slow at the moment.
    pub(crate) fn slow(&self) -> usize {
        self.slow.load(Ordering::Relaxed)
    }

    /// Whether an answer came within the last `time`.
    pub(crate) fn has_answered_within(&self, time: Duration) -> bool {
        let answered = Duration::from_millis(self.answered.load(Ordering::Relaxed));
        answered > Duration::ZERO && self.began.elapsed().saturating_sub(answered) <= time
    }

    fn answered(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.answered.store(now, Ordering::Relaxed);
    }
}

impl Patience {
    /// Waits for an answer.
    async fn wait<T>(&self, answer: impl Future<Output = T>) -> sqlx::Result<T> {
        let mut answer = pin!(answer);
        if let Ok(answer) = timeout(SLOW_AFTER, answer.as_mut()).await {
            return Ok(answer);
        }
        let _slow = SlowWait::begin(&self.seen.slow);
        let answer = timeout(self.limit.saturating_sub(SLOW_AFTER), answer).await;
        answer.map_err(|_| {
            let problem = format!("PostgreSQL has not answered for {} s", self.limit.as_secs());
            tracing::warn!("{problem}; the connection is given up");
            sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, problem))
        })
    }
}

/// Counts a slow wait until it is dropped.
struct SlowWait<'a>(&'a AtomicUsize);

impl<'a> SlowWait<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for SlowWait<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection of a [`PgPool`](crate::PgPool), or one beside it. It is given back to the pool when it is dropped, or
/// closed when an answer was still due.
#[derive(Debug)]
pub struct Connection {
    link: Link,
    state: State,
    patience: Patience,
}

#[derive(Debug)]
enum Link {
    Pooled(PoolConnection<Postgres>),
    Own(PgConnection),
    Lent { connection: OwnedMutexGuard<PgConnection>, is_lost: Arc<AtomicBool> },
}

/// What is known of the protocol's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Every answer has come.
    Idle,
    /// An answer is due, or what came was none.
    Unknown,
}

impl State {
    fn after<T>(answer: &sqlx::Result<T>, seen: &Seen) -> Self {
        match answer {
            Err(sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)) => Self::Unknown,
            // Behind a balancer the server may be a standby by now; another connection may lead to the primary.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(READ_ONLY) => Self::Unknown,
            _ => {
                seen.answered();
                Self::Idle
            }
        }
    }
}

impl Deref for Link {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Self::Pooled(connection) => connection,
            Self::Own(connection) => connection,
            Self::Lent { connection, .. } => connection,
        }
    }
}

impl DerefMut for Link {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Pooled(connection) => connection,
            Self::Own(connection) => connection,
            Self::Lent { connection, .. } => connection,
        }
    }
}

impl Connection {
    pub(crate) fn pooled(connection: PoolConnection<Postgres>, patience: Patience) -> Self {
        Self { link: Link::Pooled(connection), state: State::Idle, patience }
    }

    /// A connection that no pool counts.
    pub(crate) fn own(connection: PgConnection, patience: Patience) -> Self {
        Self { link: Link::Own(connection), state: State::Idle, patience }
    }

    /// Waits for the end of `exchange`, which sends something to the server and waits for the answer.
    pub(crate) async fn exchange<'c, T, F>(
        &'c mut self,
        exchange: impl FnOnce(&'c mut PgConnection) -> F,
    ) -> sqlx::Result<T>
    where
        F: Future<Output = sqlx::Result<T>>,
    {
        let Self { link, state, patience } = self;
        *state = State::Unknown;
        let answer = patience.wait(exchange(link)).await?;
        *state = State::after(&answer, &patience.seen);
        answer
    }

    /// The connection as sqlx has it, for what is sent without waiting for an answer.
    pub(crate) fn link(&mut self) -> &mut PgConnection {
        &mut self.link
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        match (&mut self.link, self.state, Handle::try_current()) {
            (Link::Own(_), ..) | (Link::Lent { .. }, State::Idle, _) => {}
            (Link::Lent { is_lost, .. }, State::Unknown, _) => is_lost.store(true, Ordering::Relaxed),
            // sqlx rolls back and tests what is given back, and waits for that as long as it takes.
            (Link::Pooled(connection), State::Idle, Ok(runtime)) => {
                runtime.spawn(timeout(MAX_RETURN, connection.return_to_pool()));
            }
            (Link::Pooled(connection), ..) => connection.close_on_drop(),
        }
    }
}

/// One connection that several tasks use, one after another. What its session holds, such as an advisory lock, is held
/// whenever one of them uses it.
#[derive(Debug)]
pub(crate) struct SharedConnection {
    connection: Arc<Mutex<PgConnection>>,
    is_lost: Arc<AtomicBool>,
    patience: Patience,
}

impl SharedConnection {
    pub(crate) fn new(connection: PgConnection, patience: Patience) -> Self {
        Self { connection: Arc::new(Mutex::new(connection)), is_lost: Arc::default(), patience }
    }

    /// The connection, when it is free.
    ///
    /// # Errors
    /// Once an answer on it did not come: it is lost then, and with it what its session held.
    pub(crate) async fn lend(&self) -> Result<Connection> {
        self.lent(self.connection.clone().lock_owned().await)
    }

    /// The connection if it is free; `None` while it is used.
    ///
    /// # Errors
    /// As [`Self::lend`].
    pub(crate) fn lend_if_free(&self) -> Result<Option<Connection>> {
        self.connection.clone().try_lock_owned().ok().map(|connection| self.lent(connection)).transpose()
    }

    fn lent(&self, connection: OwnedMutexGuard<PgConnection>) -> Result<Connection> {
        if self.is_lost.load(Ordering::Relaxed) {
            return Err(sqlx::Error::PoolClosed.into());
        }
        let link = Link::Lent { connection, is_lost: self.is_lost.clone() };
        Ok(Connection { link, state: State::Idle, patience: self.patience.clone() })
    }
}

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Steps<'e>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let Connection { link, state, patience } = self;
        let patience: &'c Patience = patience;
        *state = State::Unknown;
        let steps = Executor::fetch_many(&mut **link, query);
        let next = move |going_on: Option<(Steps<'e>, &'c mut State)>| async move {
            let (mut steps, state) = going_on?;
            match patience.wait(steps.next()).await {
                Ok(Some(step)) => {
                    let error = step.is_err();
                    if error {
                        *state = State::after(&step, &patience.seen);
                    }
                    Some((step, (!error).then_some((steps, state))))
                }
                Ok(None) => {
                    patience.seen.answered();
                    *state = State::Idle;
                    None
                }
                Err(silence) => Some((Err(silence), None)),
            }
        };
        Box::pin(stream::unfold(Some((steps, state)), next))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(self.exchange(|link| Executor::fetch_optional(link, query)))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        Box::pin(self.exchange(|link| Executor::prepare_with(link, sql, parameters)))
    }

    fn describe<'e>(self, _: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>>
    where
        'c: 'e,
    {
        Box::pin(ready(Err(sqlx::Error::Protocol(
            "statements are described by sqlx's macros only".to_owned(),
        ))))
    }
}
