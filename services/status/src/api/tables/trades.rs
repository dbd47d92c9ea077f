//! Rows of `/trades`: filled orders.

use chrono::{DateTime, NaiveDate, Utc};
use domain::simulation::model_day::{CompletedDay, Trade};
use rust_decimal::Decimal;
use storage::PgPool;
use storage::status::Trading;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::column::{Cell, Column, Kind, count};
use super::row::{Day, TableRow, schema};

/// A filled order.
pub(crate) struct TradeRow {
    date: NaiveDate,
    job: String,
    experiment: String,
    model: String,
    trial: u32,
    sequence: u32,
    action: &'static str,
    symbol: String,
    quantity: u64,
    price: Decimal,
    fee: Decimal,
    cash_after: Decimal,
    at: DateTime<Utc>,
}

impl TableRow for TradeRow {
    const TABLE: &'static str = "trades";
    const OF: Trading = Trading::Filled;
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("date", Kind::Date, "The session.", |row| Cell::Date(row.date)),
        Column::new("job_id", Kind::Text, "The job that ran the day.", |row| Cell::Text(&row.job)),
        Column::new("experiment", Kind::Text, "The portfolio's experiment.", |row| {
            Cell::Text(&row.experiment)
        }),
        Column::new("model", Kind::Text, "The portfolio's model.", |row| Cell::Text(&row.model)),
        Column::new("trial", Kind::Count, "The portfolio's trial, from 0.", |row| {
            Cell::Count(row.trial.into())
        }),
        Column::new(
            "sequence",
            Kind::Count,
            "Place among the day's orders, from 0; refused ones count.",
            |row| Cell::Count(row.sequence.into()),
        ),
        Column::new("action_type", Kind::Text, "`buy` or `sell`.", |row| Cell::Text(row.action)),
        Column::new("symbol", Kind::Text, "What was traded.", |row| Cell::Text(&row.symbol)),
        Column::new("quantity", Kind::Count, "Shares.", |row| count(row.quantity)),
        Column::new("price", Kind::Amount, "Dollars a share.", |row| Cell::Amount(row.price)),
        Column::new("fee", Kind::Amount, "Dollars.", |row| Cell::Amount(row.fee)),
        Column::new("cash_after", Kind::Amount, "Dollars left after the trade.", |row| {
            Cell::Amount(row.cash_after)
        }),
        Column::new("created_at", Kind::Instant, "When the day was completed.", |row| Cell::Instant(row.at)),
    ];

    async fn of(_: &PgPool, days: &[Day]) -> storage::Result<Vec<Vec<Self>>> {
        let rows = |Day { day, .. }: &Day| day.trades.iter().map(|trade| Self::new(day, trade)).collect();
        Ok(days.iter().map(rows).collect())
    }
}

impl PartialSchema for TradeRow {
    fn schema() -> RefOr<Schema> {
        schema::<Self>()
    }
}

impl ToSchema for TradeRow {}

impl TradeRow {
    fn new(day: &CompletedDay, trade: &Trade) -> Self {
        Self {
            date: day.key.date,
            job: day.key.job.to_string(),
            experiment: day.key.experiment.clone(),
            model: day.key.model.clone(),
            trial: day.key.trial,
            sequence: trade.sequence,
            action: trade.side.as_str(),
            symbol: trade.symbol.to_string(),
            quantity: trade.quantity,
            price: trade.price,
            fee: trade.fee,
            cash_after: trade.cash_after,
            at: day.completed_at,
        }
    }
}
