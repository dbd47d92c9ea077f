//! Bars in memory: read in stretches of sessions, shared by all lanes of a job.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::NaiveDate;
use domain::accounting::known_actions::KnownActions;
use domain::accounting::portfolio::Portfolio;
use domain::market::calendar::Calendar;
use domain::market::instruments::Symbol;
use domain::market::price_table::PriceTable;
use domain::simulation::price_window::PriceWindow;
use domain::values::ids::JobId;
use storage::PgPool;
use storage::market::{bars_between, known_actions, last_before, put_back};
use tokio::sync::{Mutex, OnceCell};

use crate::error::ExecutorError;
use crate::job::cache::PlannedJob;

/// Stretches in memory.
const MAX_STRETCHES: usize = 8;
/// Stretches of one job. Its lanes take turns, and are seldom further apart.
const MAX_STRETCHES_OF_A_JOB: usize = 3;

type Table = Arc<OnceCell<Arc<Market>>>;
/// What is in memory, last used last.
type Stretches = VecDeque<(JobId, PriceWindow, Table)>;

/// What is read for the days of a stretch.
#[derive(Debug)]
pub(crate) struct Market {
    /// The bars.
    pub(crate) table: PriceTable,
    /// The splits and dividends.
    pub(crate) actions: KnownActions,
}

/// The stretches in memory.
pub(crate) struct PriceCache {
    calendar: Calendar,
    stretches: Mutex<Stretches>,
}

impl PriceCache {
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
    ) -> Result<Arc<Market>, ExecutorError> {
        let (stretch, table) = self.stretch(job.job.id, date).await;
        let universe = &job.job.universe;
        let members = || universe.symbols.iter().chain(&universe.benchmark).cloned().collect::<Vec<_>>();
        let range = || (stretch.from(&self.calendar, job.lookback()), stretch.last);
        let load = async |symbols: &[Symbol]| load(pool, symbols, range(), job.price_version).await;
        let market = table.get_or_try_init(async || load(&members()).await).await?.clone();
        // A held symbol that has left the universe keeps being priced.
        let held = held.into_iter().flat_map(|portfolio| portfolio.holdings().keys());
        let is_stranger = |symbol: &&Symbol| !market.table.knows(symbol) && !universe.tradable(symbol);
        let strangers: Vec<Symbol> = held.filter(is_stranger).cloned().collect();
        if strangers.is_empty() {
            return Ok(market);
        }
        load(&[members(), strangers].concat()).await
    }

    async fn stretch(&self, job: JobId, date: NaiveDate) -> (PriceWindow, Table) {
        let mut stretches = self.stretches.lock().await;
        let is_it = |stretch: &PriceWindow| stretch.first <= date && date <= stretch.last;
        let known = stretches.iter().position(|(of, known, _)| *of == job && is_it(known));
        let (_, stretch, table) = known
            .and_then(|place| stretches.remove(place))
            .unwrap_or_else(|| (job, PriceWindow::of(&self.calendar, date), Table::default()));
        stretches.push_back((job, stretch, table.clone()));
        forget(&mut stretches, job);
        (stretch, table)
    }
}

/// Forgets what was not used for longest: of `job`, and of all.
fn forget(stretches: &mut Stretches, job: JobId) {
    let mut of_job = stretches.iter().enumerate().filter(|(_, (of, ..))| *of == job).map(|(place, _)| place);
    if let Some(oldest) = of_job.next()
        && of_job.count() >= MAX_STRETCHES_OF_A_JOB
    {
        stretches.remove(oldest);
    }
    if stretches.len() > MAX_STRETCHES {
        stretches.pop_front();
    }
}

/// The bars as they were at `version`.
async fn load(
    pool: &PgPool,
    symbols: &[Symbol],
    (from, to): (NaiveDate, NaiveDate),
    version: i64,
) -> Result<Arc<Market>, ExecutorError> {
    let mut rows = last_before(pool, symbols, from).await?;
    rows.extend(bars_between(pool, symbols, from, to).await?);
    put_back(pool, &mut rows, symbols, to, version).await?;
    let table: PriceTable = rows.into_iter().map(|row| (row.symbol, row.date, row.bar)).collect();
    let actions = known_actions(pool, symbols, to, version).await?;
    Ok(Arc::new(Market { table, actions }))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// A day in the `index`-th of some stretches.
    fn day(index: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2015, 1, 5).unwrap() + chrono::Days::new(400 * u64::from(index))
    }

    fn job(number: u128) -> JobId {
        JobId(Uuid::from_u128(number))
    }

    async fn is_known(prices: &PriceCache, job: JobId, date: NaiveDate) -> bool {
        let stretches = prices.stretches.lock().await;
        stretches.iter().any(|(of, known, _)| *of == job && known.first <= date && date <= known.last)
    }

    #[tokio::test]
    async fn lanes_of_a_job_share_a_stretch() {
        let prices = PriceCache::new(Calendar::nyse());

        let (stretch, table) = prices.stretch(job(1), day(0)).await;
        let (_, same) = prices.stretch(job(1), stretch.last).await;
        let (_, of_another) = prices.stretch(job(2), day(0)).await;

        assert!(Arc::ptr_eq(&table, &same));
        assert!(!Arc::ptr_eq(&table, &of_another));
    }

    #[tokio::test]
    async fn a_job_keeps_the_three_stretches_that_it_used_last() {
        let prices = PriceCache::new(Calendar::nyse());
        prices.stretch(job(2), day(0)).await;

        for index in [0, 1, 2, 0, 3] {
            prices.stretch(job(1), day(index)).await;
        }

        for (index, known) in [(0, true), (1, false), (2, true), (3, true)] {
            assert_eq!(is_known(&prices, job(1), day(index)).await, known, "{index}");
        }
        assert!(is_known(&prices, job(2), day(0)).await, "another job's stays");
    }

    #[tokio::test]
    async fn of_many_jobs_the_stretches_used_last_stay() {
        let prices = PriceCache::new(Calendar::nyse());

        for number in 0..=8 {
            prices.stretch(job(number), day(0)).await;
        }

        assert!(!is_known(&prices, job(0), day(0)).await);
        assert!(is_known(&prices, job(1), day(0)).await);
    }
}
