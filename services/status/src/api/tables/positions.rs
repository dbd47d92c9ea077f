//! Rows of `/positions`: what portfolios held at the end of their days.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::market::instruments::Symbol;
use domain::market::known_actions::KnownActions;
use domain::simulation::model_day::CompletedDay;
use domain::values::money::Price;
use rust_decimal::Decimal;
use storage::{PgPool, market};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::column::{Cell, Column, Kind, amount, count};
use super::row::{Day, TableRow, schema};

/// The symbol in the row of the cash; no real symbol has a `$`.
const CASH: &str = "$CASH";

/// A position, or the cash.
pub(crate) struct PositionRow {
    date: NaiveDate,
    job: String,
    experiment: String,
    model: String,
    trial: u32,
    symbol: String,
    quantity: Option<u64>,
    price: Option<Decimal>,
    value: Option<Decimal>,
    /// The session of the price.
    price_date: Option<NaiveDate>,
}

impl TableRow for PositionRow {
    const TABLE: &'static str = "positions";
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
        Column::new("symbol", Kind::Text, "What is held; `$CASH` in the row of the cash.", |row| {
            Cell::Text(&row.symbol)
        }),
        Column::optional("quantity", Kind::Count, "Shares; null for the cash.", |row| {
            row.quantity.map_or(Cell::Nothing, count)
        }),
        Column::optional(
            "price",
            Kind::Amount,
            "Dollars a share at the day's close, or at the last one known before; null for the cash.",
            |row| amount(row.price),
        ),
        Column::optional("value", Kind::Amount, "Dollars; null when no price is known.", |row| {
            amount(row.value)
        }),
        Column::optional("price_date", Kind::Date, "The session of the price; null for the cash.", |row| {
            row.price_date.map_or(Cell::Nothing, Cell::Date)
        }),
        Column::new("stale", Kind::Flag, "Whether the price is of an earlier session than the day.", |row| {
            Cell::Flag(row.price_date.is_some_and(|price_date| price_date < row.date))
        }),
    ];

    async fn of(pool: &PgPool, days: &[Day]) -> storage::Result<Vec<Vec<Self>>> {
        let held = days.iter().flat_map(|Day { day, .. }| {
            day.ending_position.holdings().keys().map(|symbol| (symbol, day.key.date))
        });
        let held: Vec<(&Symbol, NaiveDate)> = held.collect();
        let closes = market::last_closes(pool, &held).await?;
        // A price of an earlier session is restated for the splits since.
        let is_stale = |((_, date), last): &(&(&Symbol, NaiveDate), &Option<(NaiveDate, Price)>)| {
            last.is_some_and(|(known_on, _)| known_on < *date)
        };
        let stale: BTreeSet<Symbol> =
            held.iter().zip(&closes).filter(is_stale).map(|((symbol, _), _)| (*symbol).clone()).collect();
        let actions = match held.iter().map(|(_, date)| *date).max() {
            Some(last) if !stale.is_empty() => {
                let stale: Vec<Symbol> = stale.into_iter().collect();
                market::known_actions(pool, &stale, last, i64::MAX).await?
            }
            _ => KnownActions::default(),
        };
        let mut closes = closes.into_iter();
        let rows = |Day { day, .. }: &Day| {
            let cash = day.ending_position.cash();
            let cash = Self { value: Some(cash), ..Self::new(day, CASH) };
            let position = |(symbol, quantity): (&Symbol, &u64)| {
                let last = closes.next().flatten();
                let price_date = last.map(|(date, _)| date);
                let price = last.and_then(|(known_on, price)| {
                    Some(actions.basis(symbol, known_on, day.key.date)?.price(price)?.amount())
                });
                let value = price.and_then(|price| price.checked_mul(Decimal::from(*quantity)));
                Self {
                    quantity: Some(*quantity),
                    price,
                    value,
                    price_date,
                    ..Self::new(day, symbol.as_str())
                }
            };
            let positions = day.ending_position.holdings().iter().map(position);
            std::iter::once(cash).chain(positions).collect()
        };
        Ok(days.iter().map(rows).collect())
    }
}

impl PartialSchema for PositionRow {
    fn schema() -> RefOr<Schema> {
        schema::<Self>()
    }
}

impl ToSchema for PositionRow {}

impl PositionRow {
    fn new(day: &CompletedDay, symbol: &str) -> Self {
        Self {
            date: day.key.date,
            job: day.key.job.to_string(),
            experiment: day.key.experiment.clone(),
            model: day.key.model.clone(),
            trial: day.key.trial,
            symbol: symbol.to_owned(),
            quantity: None,
            price: None,
            value: None,
            price_date: None,
        }
    }
}
