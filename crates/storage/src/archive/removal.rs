//! Removing jobs that were written to files.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::job_tables::{JOB_TABLES, JobTable};
use super::rows::count_rows;
use crate::connection::Connection;
use crate::error::Result;
use crate::pool::PgPool;
use crate::transaction::Transaction;

/// What became of jobs that were to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// They are gone.
    Removed,
    /// They have other rows than were written to the files, or a job of their experiment is active: nothing was removed.
    Changed,
}

/// The lock under which trigger accepts jobs.
const ACCEPTANCE: i64 = 7_243_001;

/// Removes the jobs with all that they ran, in one transaction, if they still have the `written` rows: how many of each
/// table of [`JOB_TABLES`].
pub async fn remove(pool: &PgPool, jobs: &[Uuid], portfolios: &[Uuid], written: &[u64]) -> Result<Removal> {
    let mut transaction = pool.begin().await?;
    for (table, written) in JOB_TABLES.iter().zip(written).filter(|(table, _)| table.stays) {
        if count_rows(&mut transaction, table, jobs).await? != *written {
            return changed(transaction).await;
        }
    }
    for (table, written) in JOB_TABLES.iter().zip(written).rev().filter(|(table, _)| !table.stays) {
        if table.name == "trigger.jobs" {
            remove_keys_and_messages(&mut transaction, jobs).await?;
        }
        if delete(&mut transaction, table, jobs).await? != *written {
            return changed(transaction).await;
        }
    }
    remove_from_read_model(&mut transaction, jobs, portfolios).await?;
    if is_active(&mut transaction, portfolios).await? {
        return changed(transaction).await;
    }
    transaction.commit().await?;
    Ok(Removal::Removed)
}

async fn changed(transaction: Transaction) -> Result<Removal> {
    transaction.rollback().await?;
    Ok(Removal::Changed)
}

async fn delete(connection: &mut Connection, table: &JobTable, jobs: &[Uuid]) -> Result<u64> {
    let JobTable { name, rows, .. } = table;
    let deletion = AssertSqlSafe(format!("DELETE FROM {name} WHERE {rows}"));
    Ok(sqlx::query(deletion).bind(jobs.to_vec()).execute(connection).await?.rows_affected())
}

/// Removes what is kept for a while only. Status would take the messages for events that the log lacks.
async fn remove_keys_and_messages(connection: &mut Connection, jobs: &[Uuid]) -> Result<()> {
    let keys = "-- removal::keys\nDELETE FROM trigger.idempotency_keys WHERE job_id = ANY($1)";
    run(connection, keys, jobs).await?;
    let of_trigger = "-- removal::sent by trigger\nDELETE FROM trigger.outbox WHERE job_id = ANY($1)";
    run(connection, of_trigger, jobs).await?;
    let of_downloader = "-- removal::sent by downloader\nDELETE FROM market.outbox WHERE job_id = ANY($1)";
    run(connection, of_downloader, jobs).await?;
    let of_executor = "-- removal::sent by executor\nDELETE FROM execution.outbox WHERE job_id = ANY($1)";
    run(connection, of_executor, jobs).await
}

async fn run(connection: &mut Connection, statement: &'static str, ids: &[Uuid]) -> Result<()> {
    sqlx::query(statement).bind(ids.to_vec()).execute(connection).await?;
    Ok(())
}

/// Removes what the events of the jobs came to.
async fn remove_from_read_model(
    connection: &mut Connection,
    jobs: &[Uuid],
    portfolios: &[Uuid],
) -> Result<()> {
    let days = "-- removal::days\nDELETE FROM status.model_days WHERE job_id = ANY($1)";
    run(connection, days, jobs).await?;
    let views = "-- removal::views\nDELETE FROM status.jobs WHERE id = ANY($1)";
    run(connection, views, jobs).await?;
    let chains = "-- removal::chains
        DELETE FROM status.chains chain
        USING execution.portfolios portfolio
        WHERE portfolio.id = ANY($1) AND chain.experiment = portfolio.experiment
            AND chain.model = portfolio.model AND chain.trial = portfolio.trial
            AND NOT EXISTS (
                SELECT FROM status.model_days day
                WHERE day.state = 'completed' AND day.experiment = chain.experiment AND day.model = chain.model
                    AND day.trial = chain.trial
            )";
    run(connection, chains, portfolios).await
}

/// Whether a job of the portfolios' experiments is active. No job is accepted from here to the end of the transaction.
async fn is_active(connection: &mut Connection, portfolios: &[Uuid]) -> Result<bool> {
    sqlx::query("-- removal::acceptance\nSELECT pg_advisory_xact_lock($1)")
        .bind(ACCEPTANCE)
        .execute(&mut *connection)
        .await?;
    let (active,) = sqlx::query_as(
        "-- removal::is_active
        SELECT EXISTS (
            SELECT FROM trigger.jobs
            WHERE ended_at IS NULL AND body::jsonb ->> 'experiment' IN (
                SELECT experiment FROM execution.portfolios WHERE id = ANY($1)
            )
        )",
    )
    .bind(portfolios.to_vec())
    .fetch_one(connection)
    .await?;
    Ok(active)
}
