//! Bars in memory: read in stretches of sessions, shared by all lanes of a job.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::NaiveDate;
use domain::actions::KnownActions;
use domain::calendar::Calendar;
use domain::ids::JobId;
use domain::market::Symbol;
use domain::portfolio::Portfolio;
use domain::price_table::PriceTable;
use domain::stretch::Stretch;
use storage::PgPool;
use storage::market::{bars_between, known_actions, last_before, put_back};
use tokio::sync::{Mutex, OnceCell};

use crate::error::ExecutorError;
use crate::jobs::PlannedJob;

/// Most stretches in memory.
const MOST: usize = 8;

type Table = Arc<OnceCell<Arc<Market>>>;

/// What is read for the days of a stretch.
#[derive(Debug)]
pub(crate) struct Market {
    /// The bars.
    pub(crate) table: PriceTable,
    /// The splits and dividends.
    pub(crate) actions: KnownActions,
}

/// The stretches in memory.
pub(crate) struct Prices {
    calendar: Calendar,
    stretches: Mutex<VecDeque<(JobId, Stretch, Table)>>,
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

    async fn stretch(&self, job: JobId, date: NaiveDate) -> (Stretch, Table) {
        let mut stretches = self.stretches.lock().await;
        let is_it = |stretch: &Stretch| stretch.first <= date && date <= stretch.last;
        if let Some((_, stretch, table)) = stretches.iter().find(|(of, known, _)| *of == job && is_it(known))
        {
            return (*stretch, table.clone());
        }
        let (stretch, table) = (Stretch::of(&self.calendar, date), Table::default());
        stretches.push_back((job, stretch, table.clone()));
        if stretches.len() > MOST {
            stretches.pop_front();
        }
        (stretch, table)
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
