//! Which jobs have ended before a moment, and what hangs together with them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::job::JobState;
use domain::values::ids::{JobId, PortfolioId};
use uuid::Uuid;

use crate::error::Result;
use crate::pool::PgPool;

/// A portfolio by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedPortfolio {
    /// Its experiment.
    pub experiment: String,
    /// Its model.
    pub model: String,
    /// Its trial.
    pub trial: i32,
}

/// What is known about the jobs that may be archived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archivable {
    /// Jobs that ended before the moment, all of whose messages were sent and all of whose days are shown.
    pub ended: BTreeSet<JobId>,
    /// The portfolios that each job, ended or not, had days to run of.
    pub lanes: Vec<(JobId, PortfolioId)>,
    /// The portfolios of experiments with a job that has not ended.
    pub kept: BTreeSet<PortfolioId>,
    /// All portfolios.
    pub portfolios: BTreeMap<PortfolioId, NamedPortfolio>,
}

/// What is known about jobs that ended before the moment.
pub async fn archivable(pool: &PgPool, before: DateTime<Utc>) -> Result<Archivable> {
    let terminal = [JobState::Completed, JobState::Partial, JobState::Failed, JobState::Cancelled];
    let ended: Vec<(Uuid,)> = sqlx::query_as(
        "-- selection::ended
        SELECT job.id
        FROM trigger.jobs job
        JOIN execution.jobs planned ON planned.id = job.id
        JOIN status.jobs shown ON shown.id = job.id
        WHERE job.ended_at IS NOT NULL AND planned.ended_at < $1 AND shown.state = ANY($2)
            AND NOT EXISTS (SELECT FROM trigger.outbox WHERE job_id = job.id AND sent_at IS NULL)
            AND NOT EXISTS (SELECT FROM market.outbox WHERE job_id = job.id AND sent_at IS NULL)
            AND NOT EXISTS (SELECT FROM execution.outbox WHERE job_id = job.id AND sent_at IS NULL)",
    )
    .bind(before)
    .bind(terminal.map(JobState::as_str).to_vec())
    .fetch_all(pool)
    .await?;
    let lanes: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "-- selection::lanes\nSELECT job_id, portfolio_id FROM execution.lanes WHERE days > 0",
    )
    .fetch_all(pool)
    .await?;
    let portfolios: Vec<(Uuid, String, String, i32, bool)> = sqlx::query_as(
        "-- selection::portfolios
        SELECT id, experiment, model, trial, experiment IN (
            SELECT body::jsonb ->> 'experiment' FROM trigger.jobs WHERE ended_at IS NULL
        )
        FROM execution.portfolios",
    )
    .fetch_all(pool)
    .await?;
    let mut found = Archivable {
        ended: ended.into_iter().map(|(job,)| JobId(job)).collect(),
        lanes: lanes.into_iter().map(|(job, portfolio)| (JobId(job), PortfolioId(portfolio))).collect(),
        ..Archivable::default()
    };
    for (id, experiment, model, trial, is_active) in portfolios {
        if is_active {
            found.kept.insert(PortfolioId(id));
        }
        found.portfolios.insert(PortfolioId(id), NamedPortfolio { experiment, model, trial });
    }
    Ok(found)
}
