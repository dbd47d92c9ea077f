//! Days that stand on prices that are adjusted for dividends.

use domain::market::instruments::Symbol;
use domain::values::ids::JobId;

use crate::columns::symbol;
use crate::connection::Connection;
use crate::error::Result;

/// Each model of a job with a symbol that it traded or held, of which the prices are adjusted for dividends; by model and
/// symbol.
pub async fn total_return_holdings(connection: &mut Connection, job: JobId) -> Result<Vec<(String, Symbol)>> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "-- total_return::total_return_holdings
        SELECT portfolio.model, known.symbol
        FROM market.total_return_symbols known
        CROSS JOIN execution.portfolios portfolio
        WHERE EXISTS (
            SELECT FROM execution.model_days day
            LEFT JOIN execution.fills fill USING (portfolio_id, trading_date, revision)
            WHERE day.job_id = $1 AND day.portfolio_id = portfolio.id
                AND (day.holdings ? known.symbol OR fill.symbol = known.symbol))
        GROUP BY portfolio.model, known.symbol
        ORDER BY portfolio.model, known.symbol",
    )
    .bind(job.0)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|(model, name)| Ok((model, symbol("market.total_return_symbols", name)?))).collect()
}
