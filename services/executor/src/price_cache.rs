//! Bars in memory: read in price windows, which all lanes of a job share.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use chrono::NaiveDate;
use domain::market::calendar::Calendar;
use domain::market::instruments::Symbol;
use domain::market::known_actions::KnownActions;
use domain::market::price_table::PriceTable;
use domain::simulation::price_window::PriceWindow;
use domain::simulation::run::PortfolioDay;
use domain::values::ids::JobId;
use storage::PgPool;
use storage::market::{bars_between, known_actions, last_before, undo_replacements};
use tokio::sync::{Mutex, OnceCell};

use crate::error::ExecutorError;
use crate::job::cache::PlannedJob;

/// Windows in memory.
const MAX_WINDOWS: usize = 8;
/// Windows of one job. Its lanes take turns, and are seldom further apart.
const MAX_WINDOWS_OF_A_JOB: usize = 3;

type Table = Arc<OnceCell<Arc<Market>>>;
/// What is in memory, last used last.
type Windows = VecDeque<(JobId, PriceWindow, Table)>;

/// What is read for the days of a window.
#[derive(Debug, Clone)]
pub(crate) struct Market {
    /// The bars.
    pub(crate) table: PriceTable,
    /// The corporate actions.
    pub(crate) actions: KnownActions,
}

/// The windows in memory.
pub(crate) struct PriceCache {
    calendar: Calendar,
    windows: Mutex<Windows>,
}

impl PriceCache {
    pub(crate) fn new(calendar: Calendar) -> Self {
        Self { calendar, windows: Mutex::default() }
    }

    /// All bars that a day of `job` may need, among others: today's, those a policy looks back on, and the
    /// last known one of each symbol. What a decision may see of them is up to `AsOf`.
    pub(crate) async fn around(
        &self,
        pool: &PgPool,
        job: &PlannedJob,
        date: NaiveDate,
        previous: Option<&PortfolioDay>,
    ) -> Result<Arc<Market>, ExecutorError> {
        let (window, table) = self.window(job.job.id, date).await;
        let universe = &job.job.universe;
        let members = || universe.symbols.iter().chain(&universe.benchmark).cloned().collect::<Vec<_>>();
        let range = || (window.from(&self.calendar, job.lookback()), window.last);
        let load = async |symbols: &[Symbol]| load(pool, symbols, range(), job.price_version).await;
        let mut market = table
            .get_or_try_init(async || Ok::<_, ExecutorError>(Arc::new(load(&members()).await?)))
            .await?
            .clone();
        let Some(previous) = previous else { return Ok(market) };
        // A held symbol that has left the universe keeps being priced, and so is what is received for a held one.
        let held = || previous.position.holdings().keys();
        let mut known: BTreeSet<Symbol> = BTreeSet::new();
        loop {
            let received = market.actions.received(held(), previous.day.date, date);
            let is_stranger = |symbol: &&Symbol| !universe.tradable(symbol) && !known.contains(*symbol);
            let strangers: Vec<Symbol> = held().chain(&received).filter(is_stranger).cloned().collect();
            if strangers.is_empty() {
                return Ok(market);
            }
            let of_strangers = load(&strangers).await?;
            let all = Arc::make_mut(&mut market);
            all.table.merge(of_strangers.table);
            all.actions.extend(of_strangers.actions);
            known.extend(strangers);
        }
    }

    async fn window(&self, job: JobId, date: NaiveDate) -> (PriceWindow, Table) {
        let mut windows = self.windows.lock().await;
        let is_it = |window: &PriceWindow| window.first <= date && date <= window.last;
        let known = windows.iter().position(|(of, known, _)| *of == job && is_it(known));
        let (_, window, table) = known
            .and_then(|place| windows.remove(place))
            .unwrap_or_else(|| (job, PriceWindow::of(&self.calendar, date), Table::default()));
        windows.push_back((job, window, table.clone()));
        forget(&mut windows, job);
        (window, table)
    }
}

/// Forgets what was not used for longest: of `job`, and of all.
fn forget(windows: &mut Windows, job: JobId) {
    let mut of_job = windows.iter().enumerate().filter(|(_, (of, ..))| *of == job).map(|(place, _)| place);
    if let Some(oldest) = of_job.next()
        && of_job.count() >= MAX_WINDOWS_OF_A_JOB
    {
        windows.remove(oldest);
    }
    if windows.len() > MAX_WINDOWS {
        windows.pop_front();
    }
}

/// The bars as they were at `version`.
async fn load(
    pool: &PgPool,
    symbols: &[Symbol],
    (from, to): (NaiveDate, NaiveDate),
    version: i64,
) -> Result<Market, ExecutorError> {
    let mut rows = last_before(pool, symbols, from).await?;
    rows.extend(bars_between(pool, symbols, from, to).await?);
    undo_replacements(pool, &mut rows, symbols, to, version).await?;
    let table: PriceTable = rows.into_iter().map(|row| (row.symbol, row.date, row.bar)).collect();
    let actions = known_actions(pool, symbols, to, version).await?;
    Ok(Market { table, actions })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// A day in the `index`-th of some windows.
    fn day(index: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2015, 1, 5).unwrap() + chrono::Days::new(400 * u64::from(index))
    }

    fn job(number: u128) -> JobId {
        JobId(Uuid::from_u128(number))
    }

    async fn is_known(prices: &PriceCache, job: JobId, date: NaiveDate) -> bool {
        let windows = prices.windows.lock().await;
        windows.iter().any(|(of, known, _)| *of == job && known.first <= date && date <= known.last)
    }

    #[tokio::test]
    async fn lanes_of_a_job_share_a_window() {
        let prices = PriceCache::new(Calendar::nyse());

        let (window, table) = prices.window(job(1), day(0)).await;
        let (_, same) = prices.window(job(1), window.last).await;
        let (_, of_another) = prices.window(job(2), day(0)).await;

        assert!(Arc::ptr_eq(&table, &same));
        assert!(!Arc::ptr_eq(&table, &of_another));
    }

    #[tokio::test]
    async fn a_job_keeps_the_three_windows_that_it_used_last() {
        let prices = PriceCache::new(Calendar::nyse());
        prices.window(job(2), day(0)).await;

        for index in [0, 1, 2, 0, 3] {
            prices.window(job(1), day(index)).await;
        }

        for (index, known) in [(0, true), (1, false), (2, true), (3, true)] {
            assert_eq!(is_known(&prices, job(1), day(index)).await, known, "{index}");
        }
        assert!(is_known(&prices, job(2), day(0)).await, "another job's stays");
    }

    #[tokio::test]
    async fn of_many_jobs_the_windows_used_last_stay() {
        let prices = PriceCache::new(Calendar::nyse());

        for number in 0..=8 {
            prices.window(job(number), day(0)).await;
        }

        assert!(!is_known(&prices, job(0), day(0)).await);
        assert!(is_known(&prices, job(1), day(0)).await);
    }
}
