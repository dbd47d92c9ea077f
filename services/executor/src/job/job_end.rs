//! The end of a job: how it ended, with all its warnings.

use std::collections::BTreeMap;

use chrono::Utc;
use domain::events::event::{Event, JobEnded};
use domain::job::warning::Warning;
use domain::job::{EndCause, JobOutcome, JobState, Tally};
use domain::market::instruments::Symbol;
use domain::simulation::lane::config_changed;
use domain::simulation::run::MANY_SESSIONS;
use domain::simulation::staleness::stale_dates;
use domain::values::ids::{JobId, PortfolioId};
use storage::execution;
use storage::execution::agents::odd_ends;
use storage::outbox::NewMessage;

use super::cache::PlannedJob;
use crate::error::ExecutorError;

/// Portfolios whose days are in memory together.
const PORTFOLIOS_AT_ONCE: usize = 1_000;

/// How a job ends, with its terminal event.
pub(crate) struct JobEnd {
    pub(crate) outcome: JobOutcome,
    pub(crate) message: NewMessage,
    /// The event's warnings without those that came with the data.
    pub(crate) added: Vec<Warning>,
}

/// Decides the end of a job whose lanes are all finished; reads within the transaction that ends it.
pub(crate) async fn job_end(
    connection: &mut storage::Connection,
    planned: &PlannedJob,
    tally: Tally,
    end_cause: EndCause,
) -> Result<JobEnd, ExecutorError> {
    let job = &planned.job;
    let outcome = tally.outcome(end_cause);
    let added = added_warnings(connection, planned, &tally).await?;
    let error = (outcome == JobOutcome::Failed).then(|| {
        planned.error.clone().unwrap_or_else(|| match tally.failed {
            0 => "No trading dates available after price data preparation".to_owned(),
            failed => format!("All {failed} model-days failed"),
        })
    });
    tracing::info!(
        job.id = %job.id,
        "Job {}: {} - {} completed, {} failed, {} skipped",
        job.id, JobState::from(outcome).as_str(), tally.completed, tally.failed, tally.skipped,
    );
    let warnings = planned.warnings.iter().chain(&added).cloned().collect();
    let (ended_at, outline) = (Utc::now(), Some(job.into()));
    let event = Event::JobEnded(JobEnded { job: job.id, outcome, tally, error, warnings, ended_at, outline });
    Ok(JobEnd { outcome, message: runtime::outgoing::event(&event)?, added })
}

async fn added_warnings(
    connection: &mut storage::Connection,
    planned: &PlannedJob,
    tally: &Tally,
) -> Result<Vec<Warning>, ExecutorError> {
    let job = &planned.job;
    let mut warnings: Vec<Warning> =
        job.up_to_date().map(|model| Warning::up_to_date(&model.signature)).collect();
    if tally.already_completed > 0 {
        warnings.push(Warning::already_completed(tally.already_completed as usize));
        for (model, count) in config_changed(job, &execution::kept_days(connection, job.id).await?) {
            warnings.push(Warning::config_changed(&model, count));
        }
    }
    let causes = execution::warning_causes(connection, job.id).await?;
    if causes.suspected_splits {
        warnings.push(Warning::split_suspected(execution::suspected_splits(connection, job.id).await?));
    }
    if causes.total_returns {
        warnings.extend(total_return_warnings(connection, job.id).await?);
    }
    if causes.odd_ends {
        warnings.extend(odd_end_warnings(connection, job.id).await?);
    }
    if causes.unpriced_holdings {
        let unpriced = execution::unpriced_holdings(connection, job.id).await?;
        warnings.push(Warning::held_without_prices(MANY_SESSIONS, unpriced));
    }
    if causes.stale_days {
        warnings.extend(stale_warnings(connection, job.id).await?);
    }
    Ok(warnings)
}

async fn total_return_warnings(
    connection: &mut storage::Connection,
    job: JobId,
) -> Result<Vec<Warning>, ExecutorError> {
    let mut of_models: BTreeMap<String, Vec<Symbol>> = BTreeMap::new();
    for (model, symbol) in execution::total_return_holdings(connection, job).await? {
        of_models.entry(model).or_default().push(symbol);
    }
    Ok(of_models.into_iter().map(|(model, symbols)| Warning::total_return(&model, symbols)).collect())
}

async fn odd_end_warnings(
    connection: &mut storage::Connection,
    job: JobId,
) -> Result<Vec<Warning>, ExecutorError> {
    let mut of_models: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (model, date, reason) in odd_ends(connection, job).await? {
        of_models.entry(model).or_default().push((date, reason));
    }
    Ok(of_models.iter().map(|(model, days)| Warning::days_ended_oddly(model, days)).collect())
}

async fn stale_warnings(
    connection: &mut storage::Connection,
    job: JobId,
) -> Result<Vec<Warning>, ExecutorError> {
    let portfolios = execution::portfolios_of(connection, job).await?;
    let mut warnings = Vec::new();
    for some in portfolios.chunks(PORTFOLIOS_AT_ONCE) {
        let ids: Vec<PortfolioId> = some.iter().map(|(id, _)| *id).collect();
        let chains = execution::winning_days(connection, &ids, None).await?;
        let warning = |(id, model): &(PortfolioId, String)| {
            let stale = stale_dates(chains.get(id)?);
            (!stale.is_empty()).then(|| Warning::stale_days(model, stale))
        };
        warnings.extend(some.iter().filter_map(warning));
    }
    Ok(warnings)
}
