//! The stored bars. A session reads them day by day, never later than its own day.

use anyhow::{Context as _, ensure};
use chrono::NaiveDate;
use domain::agent::sandbox::DatedBar;
use domain::market::calendar::Calendar;
use domain::market::instruments::Symbol;
use domain::simulation::decider::AGENT_LOOKBACK;
use storage::PgPool;
use storage::market::{bars_between, last_before};

/// The stored bars of a session's symbols.
pub(super) struct StoredBars {
    pub(super) pool: PgPool,
    pub(super) symbols: Vec<Symbol>,
}

impl StoredBars {
    /// The bars that an agent may need on `date`, with those of `date` itself.
    pub(super) async fn up_to(&self, date: NaiveDate, calendar: &Calendar) -> anyhow::Result<Vec<DatedBar>> {
        let from = calendar.sessions_before(date, AGENT_LOOKBACK).first().copied().unwrap_or(date);
        let earlier = last_before(&self.pool, &self.symbols, from).await.context("reading prices")?;
        let bars = bars_between(&self.pool, &self.symbols, from, date).await.context("reading prices")?;
        ensure!(bars.iter().any(|row| row.date == date), missing(date));
        Ok(earlier.into_iter().chain(bars).map(|row| (row.symbol, row.date, row.bar)).collect())
    }

    /// The bars of `date` alone.
    pub(super) async fn on(&self, date: NaiveDate) -> anyhow::Result<Vec<DatedBar>> {
        let bars = bars_between(&self.pool, &self.symbols, date, date).await.context("reading prices")?;
        ensure!(!bars.is_empty(), missing(date));
        Ok(bars.into_iter().map(|row| (row.symbol, row.date, row.bar)).collect())
    }
}

fn missing(date: NaiveDate) -> String {
    format!("no prices of {date} are stored; a job over that date fetches them: modelday run --end {date}")
}
