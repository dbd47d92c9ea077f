//! Starting while a server is away: it is waited for.

use std::time::Duration;

use anyhow::Context as _;
use messaging::BrokerConfig;
use storage::{Database, Owner, PgPool};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::authentication;
use crate::error_text;
use crate::parts::{Part, Parts};

/// Time between two attempts.
const PAUSE: Duration = Duration::from_millis(500);
/// How often the log says what is waited for.
const REPORT_INTERVAL: Duration = Duration::from_secs(30);

/// How long an attempt may take before the start counts as slow.
const RHYTHM: Duration = Duration::from_secs(30);

/// The start of a service: Postgres answers, and the keys that messages are signed with are read.
pub struct Start {
    /// The service.
    pub owner: Owner,
    /// Where Postgres is.
    pub database: Database,
    /// Connections to it.
    pub pool: PgPool,
    /// The broker, whose keyring is filled.
    pub broker: BrokerConfig,
    /// Where the start says what it waits for.
    pub parts: Parts,
    /// Until then the keys are kept up to date.
    pub shutdown: CancellationToken,
}

impl Start {
    /// Waits for Postgres when it is away.
    ///
    /// # Errors
    /// When Postgres refuses the account, the role or the database is missing, or there is no key.
    pub async fn run(self) -> anyhow::Result<()> {
        let part = self.parts.add(format!("{}: start", self.owner.as_str()), RHYTHM);
        let attempt = || async {
            storage::check(&self.database, self.owner).await.context("connecting to Postgres")?;
            authentication::read_keys(&self.broker, &self.pool).await
        };
        until_there(part, attempt).await?;
        authentication::keep_keys(self.broker, self.pool, self.shutdown);
        Ok(())
    }
}

/// Repeats `attempt` until it succeeds, or fails for a reason that does not pass by itself.
///
/// # Errors
/// The first error that is not transient.
pub async fn until_there<T, F>(part: Part, attempt: impl Fn() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let mut reported: Option<Instant> = None;
    loop {
        let work = part.work();
        let attempted = attempt().await;
        drop(work);
        let problem = match attempted {
            Err(problem) if is_transient(&problem) => error_text(&problem),
            ended => {
                part.note(&ended);
                return ended;
            }
        };
        part.hindered(format!("waiting: {problem}"));
        if reported.is_none_or(|at| at.elapsed() >= REPORT_INTERVAL) {
            reported = Some(Instant::now());
            tracing::warn!("the start waits: {problem}");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether the server may be there in a moment. A certificate that is refused is a matter of settings.
fn is_transient(problem: &anyhow::Error) -> bool {
    let storage = problem.chain().find_map(|cause| cause.downcast_ref::<storage::StorageError>());
    let broker = problem.chain().find_map(|cause| cause.downcast_ref::<messaging::BrokerError>());
    match (storage, broker) {
        (Some(storage::StorageError::Certificate(_)), _) => false,
        (Some(problem), _) => problem.is_transient(),
        (None, Some(problem)) => problem.is_transient(),
        (None, None) => false,
    }
}
