//! Bars in memory: read in price windows, which all lanes share that read the same prices, whatever their job.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use chrono::NaiveDate;
use domain::market::calendar::Calendar;
use domain::market::instruments::Symbol;
use domain::market::known_actions::KnownActions;
use domain::market::price_table::PriceTable;
use domain::simulation::price_window::PriceWindow;
use domain::simulation::run::PortfolioDay;
use storage::PgPool;
use storage::market::{bars_between, known_actions, last_before, undo_replacements};
use tokio::sync::{Mutex, OnceCell};

use crate::error::ExecutorError;
use crate::job::cache::PlannedJob;
use crate::prices_read::PricesRead;

/// Windows in memory.
const MAX_WINDOWS: usize = 8;
/// Windows of the same prices. The lanes of a job take turns, and are seldom further apart.
const MAX_WINDOWS_OF_SAME_PRICES: usize = 3;

type Table = Arc<OnceCell<Arc<Market>>>;
/// What is in memory, last used last.
type Windows = VecDeque<(PricesRead, PriceWindow, Table)>;

/// What is read for the days of a window.
#[derive(Debug, Clone, Default)]
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
        let read = &job.prices_read;
        let (window, table) = self.window(read, date).await;
        let universe = &job.job.universe;
        let range = || (window.from(&self.calendar, read.lookback), window.last);
        let load = async |symbols: &[Symbol]| load(pool, symbols, range(), read.version).await;
        let mut market = table
            .get_or_try_init(async || Ok::<_, ExecutorError>(Arc::new(load(&read.symbols).await?)))
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

    async fn window(&self, read: &PricesRead, date: NaiveDate) -> (PriceWindow, Table) {
        let mut windows = self.windows.lock().await;
        let is_it = |window: &PriceWindow| window.first <= date && date <= window.last;
        let known = windows.iter().position(|(of, known, _)| is_it(known) && of == read);
        let (read, window, table) = known
            .and_then(|place| windows.remove(place))
            .unwrap_or_else(|| (read.clone(), PriceWindow::of(&self.calendar, date), Table::default()));
        windows.push_back((read.clone(), window, table.clone()));
        forget(&mut windows, &read);
        (window, table)
    }
}

/// Forgets what was not used for longest: of the same prices, and of all.
fn forget(windows: &mut Windows, read: &PricesRead) {
    let mut same = windows.iter().enumerate().filter(|(_, (of, ..))| of == read).map(|(place, _)| place);
    if let Some(oldest) = same.next()
        && same.count() >= MAX_WINDOWS_OF_SAME_PRICES
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
    use super::*;

    /// A day in the `index`-th of some windows.
    fn day(index: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2015, 1, 5).unwrap() + chrono::Days::new(400 * u64::from(index))
    }

    /// What a job reads of one symbol.
    fn of(changes: i64) -> PricesRead {
        PricesRead { symbols: [symbol("AAPL")].into(), lookback: 20, version: 1, changes }
    }

    fn symbol(name: &str) -> Symbol {
        name.parse().unwrap()
    }

    async fn is_known(prices: &PriceCache, read: &PricesRead, date: NaiveDate) -> bool {
        let windows = prices.windows.lock().await;
        windows.iter().any(|(of, known, _)| of == read && known.first <= date && date <= known.last)
    }

    #[tokio::test]
    async fn lanes_that_read_the_same_prices_share_a_window() {
        let prices = PriceCache::new(Calendar::nyse());

        let (window, table) = prices.window(&of(1), day(0)).await;
        let (_, same) = prices.window(&of(1), window.last).await;

        assert!(Arc::ptr_eq(&table, &same));
        let others = [
            of(2),
            PricesRead { version: 2, ..of(1) },
            PricesRead { lookback: 21, ..of(1) },
            PricesRead { symbols: [symbol("AAPL"), symbol("MSFT")].into(), ..of(1) },
        ];
        for other in others {
            let (_, of_another) = prices.window(&other, day(0)).await;
            assert!(!Arc::ptr_eq(&table, &of_another), "{other:?}");
        }
    }

    #[tokio::test]
    async fn the_three_windows_of_the_same_prices_that_were_used_last_stay() {
        let prices = PriceCache::new(Calendar::nyse());
        prices.window(&of(2), day(0)).await;

        for index in [0, 1, 2, 0, 3] {
            prices.window(&of(1), day(index)).await;
        }

        for (index, known) in [(0, true), (1, false), (2, true), (3, true)] {
            assert_eq!(is_known(&prices, &of(1), day(index)).await, known, "{index}");
        }
        assert!(is_known(&prices, &of(2), day(0)).await, "that of other prices stays");
    }

    #[tokio::test]
    async fn of_all_windows_those_used_last_stay() {
        let prices = PriceCache::new(Calendar::nyse());

        for number in 0..=8 {
            prices.window(&of(number), day(0)).await;
        }

        assert!(!is_known(&prices, &of(0), day(0)).await);
        assert!(is_known(&prices, &of(1), day(0)).await);
    }
}
