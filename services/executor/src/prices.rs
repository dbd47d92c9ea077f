//! Bars in memory: read in stretches of sessions, shared by all lanes of a job.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::NaiveDate;
use domain::calendar::Calendar;
use domain::ids::JobId;
use domain::market::Symbol;
use domain::portfolio::Portfolio;
use domain::price_table::PriceTable;
use domain::stretch::Stretch;
use storage::PgPool;
use storage::market::{bars_between, last_before};
use tokio::sync::{Mutex, OnceCell};

use crate::error::ExecutorError;
use crate::jobs::PlannedJob;

/// Most stretches in memory.
const MOST: usize = 8;

type Key = (JobId, NaiveDate);
type Table = Arc<OnceCell<Arc<PriceTable>>>;

/// The stretches in memory.
pub(crate) struct Prices {
    calendar: Calendar,
    stretches: Mutex<VecDeque<(Key, Table)>>,
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
        let stretch = Stretch::of(&self.calendar, date);
        let (from, last) = (stretch.from(&self.calendar, job.lookback()), stretch.last);
        let stretch = self.stretch((job.job.id, stretch.first)).await;
        let universe = &job.job.universe;
        let members = || universe.symbols.iter().chain(&universe.benchmark).cloned().collect::<Vec<_>>();
        let table = stretch.get_or_try_init(async || load(pool, &members(), from, last).await).await?.clone();
        // A held symbol that has left the universe keeps being priced.
        let held = held.into_iter().flat_map(|portfolio| portfolio.holdings().keys());
        let is_stranger = |symbol: &&Symbol| !table.knows(symbol) && !universe.tradable(symbol);
        let strangers: Vec<Symbol> = held.filter(is_stranger).cloned().collect();
        if strangers.is_empty() {
            return Ok(table);
        }
        load(pool, &[members(), strangers].concat(), from, last).await
    }

    async fn stretch(&self, key: Key) -> Table {
        let mut stretches = self.stretches.lock().await;
        if let Some((_, stretch)) = stretches.iter().find(|(known, _)| *known == key) {
            return stretch.clone();
        }
        let stretch = Table::default();
        stretches.push_back((key, stretch.clone()));
        if stretches.len() > MOST {
            stretches.pop_front();
        }
        stretch
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
