//! Bars in memory: read in stretches of sessions, shared by all lanes of a job.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::NaiveDate;
use domain::calendar::Calendar;
use domain::ids::JobId;
use domain::market::Symbol;
use domain::portfolio::Portfolio;
use domain::price_table::PriceTable;
use storage::PgPool;
use storage::market::{bars_between, last_before};
use tokio::sync::{Mutex, OnceCell};

use crate::error::ExecutorError;
use crate::jobs::PlannedJob;

/// Sessions that are read at once.
const STRETCH: usize = 64;
/// Most stretches in memory.
const MOST: usize = 16;

type Key = (JobId, NaiveDate);
type Stretch = Arc<OnceCell<Arc<PriceTable>>>;

/// The stretches in memory.
pub(crate) struct Prices {
    calendar: Calendar,
    stretches: Mutex<VecDeque<(Key, Stretch)>>,
}

impl Prices {
    pub(crate) fn new(calendar: Calendar) -> Self {
        Self { calendar, stretches: Mutex::default() }
    }

    /// All bars that a day of `job` may need, among others: today's, those a policy looks back on, and the
    /// last known one of each symbol. What a decision may see of them is up to `AsOf`.
    pub(crate) async fn around(
        &self,
        pool: &PgPool,
        job: &PlannedJob,
        date: NaiveDate,
        held: Option<&Portfolio>,
    ) -> Result<Arc<PriceTable>, ExecutorError> {
        let (first, last) = self.stretch_of(date);
        let stretch = self.stretch((job.job.id, first)).await;
        let universe = &job.job.universe;
        let mut symbols: Vec<Symbol> = universe.symbols.iter().chain(&universe.benchmark).cloned().collect();
        let from = self.calendar.sessions_before(first, job.lookback() + 1).first().copied().unwrap_or(first);
        let table = stretch.get_or_try_init(|| load(pool, &symbols, from, last)).await?.clone();
        // A held symbol that has left the universe keeps being priced.
        let held = held.into_iter().flat_map(|portfolio| portfolio.holdings().keys());
        let strangers: Vec<Symbol> = held.filter(|symbol| !symbols.contains(symbol)).cloned().collect();
        if strangers.is_empty() {
            return Ok(table);
        }
        symbols.extend(strangers);
        load(pool, &symbols, from, last).await
    }

    async fn stretch(&self, key: Key) -> Stretch {
        let mut stretches = self.stretches.lock().await;
        if let Some((_, stretch)) = stretches.iter().find(|(known, _)| *known == key) {
            return stretch.clone();
        }
        let stretch = Stretch::default();
        stretches.push_back((key, stretch.clone()));
        if stretches.len() > MOST {
            stretches.pop_front();
        }
        stretch
    }

    /// First and last session of the stretch that `date` is in.
    fn stretch_of(&self, date: NaiveDate) -> (NaiveDate, NaiveDate) {
        let earlier = self.calendar.sessions_before(date, usize::MAX);
        let first = earlier.len() / STRETCH * STRETCH;
        let first = earlier.get(first).copied().unwrap_or(date);
        let mut last = first;
        for _ in 1..STRETCH {
            last = self.calendar.next_session(last).unwrap_or(last);
        }
        (first, last.max(date))
    }
}

async fn load(
    pool: &PgPool,
    symbols: &[Symbol],
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Arc<PriceTable>, ExecutorError> {
    let earlier = last_before(pool, symbols, from).await?;
    let bars = bars_between(pool, symbols, from, to).await?;
    let rows = earlier.into_iter().chain(bars).map(|row| (row.symbol, row.date, row.bar));
    Ok(Arc::new(rows.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_session_is_in_one_stretch_and_stretches_do_not_overlap() {
        let prices = Prices::new(Calendar::nyse());
        let start = "2019-01-01".parse().unwrap();
        let mut previous: Option<(NaiveDate, NaiveDate)> = None;

        for date in prices.calendar.sessions(start, "2021-01-01".parse().unwrap()) {
            let (first, last) = prices.stretch_of(date);
            assert!(first <= date && date <= last, "{date} is not within {first}..{last}");
            if let Some(previous) = previous.filter(|previous| *previous != (first, last)) {
                assert!(previous.1 < first, "{previous:?} overlaps {first}..{last}");
            }
            previous = Some((first, last));
        }
    }
}
