//! Rows of `/equity`: what portfolios were worth.

use rust_decimal::Decimal;
use storage::PgPool;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::column::{Cell, Column, Kind, nearest};
use super::row::{Day, TableRow, schema};

/// The value of a portfolio on a day.
pub(crate) struct EquityRow {
    job: String,
    cash: Decimal,
    gain: Option<f64>,
    key: domain::values::ids::ModelDayKey,
    starting_value: Decimal,
    value_at_open: Decimal,
    value_at_close: Decimal,
    profit: Decimal,
    return_pct: Decimal,
}

impl TableRow for EquityRow {
    const TABLE: &'static str = "equity";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("date", Kind::Date, "The session.", |row| Cell::Date(row.key.date)),
        Column::new("job_id", Kind::Text, "The job that ran the day.", |row| Cell::Text(&row.job)),
        Column::new("experiment", Kind::Text, "The portfolio's experiment.", |row| {
            Cell::Text(&row.key.experiment)
        }),
        Column::new("model", Kind::Text, "The portfolio's model.", |row| Cell::Text(&row.key.model)),
        Column::new("trial", Kind::Count, "The portfolio's trial, from 0.", |row| {
            Cell::Count(row.key.trial.into())
        }),
        Column::new("starting_value", Kind::Amount, "Dollars at the open, before the first order.", |row| {
            Cell::Amount(row.starting_value)
        }),
        Column::new(
            "value_at_open",
            Kind::Amount,
            "Dollars after the last order, at the open's prices.",
            |row| Cell::Amount(row.value_at_open),
        ),
        Column::new("value_at_close", Kind::Amount, "Dollars at the close.", |row| {
            Cell::Amount(row.value_at_close)
        }),
        Column::new("cash", Kind::Amount, "Dollars of it that are cash.", |row| Cell::Amount(row.cash)),
        Column::new(
            "profit",
            Kind::Amount,
            "As in `/results`: open to open, overnight moves included.",
            |row| Cell::Amount(row.profit),
        ),
        Column::new("return_pct", Kind::Amount, "`profit` in percent.", |row| Cell::Amount(row.return_pct)),
        Column::optional(
            "return",
            Kind::Ratio,
            "Close to close, as a fraction; of a first day, from the capital it began with. The leaderboard's \
             statistics are of these. Null when there was nothing to begin with.",
            |row| row.gain.map_or(Cell::Nothing, Cell::Ratio),
        ),
    ];

    async fn of(_: &PgPool, days: &[Day]) -> storage::Result<Vec<Vec<Self>>> {
        Ok(days.iter().map(|day| vec![Self::new(day)]).collect())
    }
}

impl PartialSchema for EquityRow {
    fn schema() -> RefOr<Schema> {
        schema::<Self>()
    }
}

impl ToSchema for EquityRow {}

impl EquityRow {
    fn new(Day { day, base_close }: &Day) -> Self {
        let before = base_close.unwrap_or(day.starting_value);
        Self {
            job: day.key.job.to_string(),
            cash: day.ending_position.cash(),
            gain: gain(before, day.value_at_close),
            key: day.key.clone(),
            starting_value: day.starting_value,
            value_at_open: day.value_at_open,
            value_at_close: day.value_at_close,
            profit: day.profit,
            return_pct: day.return_pct,
        }
    }
}

/// The relative gain, as the nearest floating-point number.
fn gain(before: Decimal, after: Decimal) -> Option<f64> {
    nearest(after.checked_sub(before)?.checked_div(before)?)
}
