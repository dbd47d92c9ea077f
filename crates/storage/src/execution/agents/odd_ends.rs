//! Days of agents that did not end as the agents decided.

use chrono::NaiveDate;
use domain::agent::EndReason;
use domain::values::ids::JobId;

use crate::connection::Connection;
use crate::error::Result;

/// Model, date and reason of the job's days that ended oddly, by model and date.
pub async fn odd_ends(
    connection: &mut Connection,
    job: JobId,
) -> Result<Vec<(String, NaiveDate, EndReason)>> {
    let rows: Vec<(String, NaiveDate, String, Option<i64>)> = sqlx::query_as(
        "-- odd_ends::odd_ends
        SELECT portfolio.model, said.trading_date, said.reason, (said.usage ->> 'tool_calls')::bigint
        FROM execution.transcripts said
        JOIN execution.portfolios portfolio ON portfolio.id = said.portfolio_id
        WHERE said.job_id = $1 AND said.reason <> 'finished'
        ORDER BY portfolio.model, said.trading_date, portfolio.trial",
    )
    .bind(job.0)
    .fetch_all(connection)
    .await?;
    let odd = |(model, date, reason, tool_calls): (String, NaiveDate, String, Option<i64>)| {
        // A reason of a newer version is not known to be odd.
        let reason: EndReason = reason.parse().ok()?;
        reason.is_odd(tool_calls.map(i64::cast_unsigned)).then_some((model, date, reason))
    };
    Ok(rows.into_iter().filter_map(odd).collect())
}
