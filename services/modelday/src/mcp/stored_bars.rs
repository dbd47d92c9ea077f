//! The stored bars and corporate actions. A session reads them day by day, never later than its own day.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use chrono::NaiveDate;
use domain::agent::sandbox::KnownMarket;
use domain::market::calendar::Calendar;
use domain::market::instruments::Symbol;
use domain::market::known_actions::KnownActions;
use domain::simulation::decider::AGENT_LOOKBACK;
use storage::PgPool;
use storage::market::{BarRow, bars_between, known_actions, last_before};

/// The stored bars of a session's symbols.
pub(super) struct StoredBars {
    pub(super) pool: PgPool,
    pub(super) symbols: Vec<Symbol>,
}

impl StoredBars {
    /// What an agent may need on `date`, with the bars of `date` itself.
    pub(super) async fn up_to(&self, date: NaiveDate, calendar: &Calendar) -> anyhow::Result<KnownMarket> {
        let from = calendar.sessions_before(date, AGENT_LOOKBACK).first().copied().unwrap_or(date);
        let earlier = last_before(&self.pool, &self.symbols, from).await.context("reading prices")?;
        let bars = bars_between(&self.pool, &self.symbols, from, date).await.context("reading prices")?;
        ensure!(bars.iter().any(|row| row.date == date), missing(date));
        let actions = known_actions(&self.pool, &self.symbols, date, NEWEST).await;
        Ok(known(earlier.into_iter().chain(bars), actions.context("reading corporate actions")?))
    }

    /// The bars of `date` alone, and all actions, for a portfolio that has held `held` since `since`. What holders receive
    /// by an action, such as the shares of a spin-off, is priced too.
    pub(super) async fn on(
        &self,
        date: NaiveDate,
        since: NaiveDate,
        held: &[Symbol],
    ) -> anyhow::Result<KnownMarket> {
        let mut symbols: BTreeSet<Symbol> = self.symbols.iter().chain(held).cloned().collect();
        loop {
            let list: Vec<Symbol> = symbols.iter().cloned().collect();
            let actions = known_actions(&self.pool, &list, date, NEWEST).await;
            let actions = actions.context("reading corporate actions")?;
            symbols.extend(actions.received(held, since, date));
            if symbols.len() == list.len() {
                let bars = bars_between(&self.pool, &list, date, date).await.context("reading prices")?;
                ensure!(!bars.is_empty(), missing(date));
                return Ok(known(bars, actions));
            }
        }
    }
}

/// The version of stored actions that no other is newer than.
const NEWEST: i64 = i64::MAX;

fn known(rows: impl IntoIterator<Item = BarRow>, actions: KnownActions) -> KnownMarket {
    KnownMarket { bars: rows.into_iter().map(|row| (row.symbol, row.date, row.bar)).collect(), actions }
}

fn missing(date: NaiveDate) -> String {
    format!("no prices of {date} are stored; a job over that date fetches them: modelday run --end {date}")
}
