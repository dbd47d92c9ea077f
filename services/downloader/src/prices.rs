//! What is stored about the prices that a job needs.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use domain::ingest::coverage::{AnswerSpan, Coverage, Scope};
use domain::market::instruments::{Symbol, Universe};
use storage::{PgPool, market};

use crate::sessions::Clock;

/// Bars and answers about the cells of a scope, as they were when they were loaded.
#[derive(Debug, Clone)]
pub(crate) struct Prices {
    scope: Scope,
    range: Option<(NaiveDate, NaiveDate)>,
    bars: HashMap<Symbol, Vec<NaiveDate>>,
    spans: HashMap<Symbol, Vec<AnswerSpan>>,
}

impl Prices {
    /// Loads what is stored about `sessions` of the universe's symbols, and of those in `held` that have left
    /// it: they are wanted too, and never block a date.
    pub(crate) async fn load(
        pool: &PgPool,
        sessions: &BTreeSet<NaiveDate>,
        universe: &Universe,
        held: &[Symbol],
    ) -> storage::Result<Self> {
        let scope = Scope::new(sessions.iter().copied(), universe, held);
        let range = sessions.first().copied().zip(sessions.last().copied());
        let mut prices = Self { scope, range, bars: HashMap::new(), spans: HashMap::new() };
        let symbols = universe.symbols.iter().chain(&universe.benchmark).chain(held);
        let symbols: Vec<Symbol> = symbols.cloned().collect();
        prices.reload(pool, &symbols).await?;
        Ok(prices)
    }

    /// Loads what is stored about one symbol only.
    pub(crate) async fn of_symbol(
        pool: &PgPool,
        sessions: &BTreeSet<NaiveDate>,
        symbol: &Symbol,
    ) -> storage::Result<Self> {
        let universe = Universe { name: String::new(), symbols: vec![symbol.clone()], benchmark: None };
        Self::load(pool, sessions, &universe, &[]).await
    }

    /// Loads again what is stored about these symbols.
    pub(crate) async fn reload(&mut self, pool: &PgPool, symbols: &[Symbol]) -> storage::Result<()> {
        let Some((first, last)) = self.range else { return Ok(()) };
        for symbol in symbols {
            self.spans.remove(symbol);
        }
        self.bars.extend(market::present(pool, symbols, first, last).await?);
        for span in market::spans(pool, symbols).await? {
            self.spans.entry(span.symbol.clone()).or_default().push(span);
        }
        Ok(())
    }

    /// The dates of one symbol that are missing and can be had.
    pub(crate) fn missing_of(&self, symbol: &Symbol, clock: &Clock) -> BTreeSet<NaiveDate> {
        let universe = Universe { name: String::new(), symbols: vec![symbol.clone()], benchmark: None };
        let scope = Scope::new(self.scope.sessions().iter().copied(), &universe, &[]);
        let dates = self.bars.get(symbol).into_iter().flatten().map(|date| (symbol, *date));
        let spans = self.spans.get(symbol).map(Vec::as_slice).unwrap_or_default();
        Coverage::assess(scope, dates, spans, clock.now)
            .need(clock.now, clock.storable_until)
            .dates_of(symbol)
    }

    /// What that says about each cell.
    pub(crate) fn coverage(&self, now: DateTime<Utc>) -> Coverage {
        let bars = self.bars.iter().flat_map(|(symbol, dates)| dates.iter().map(move |date| (symbol, *date)));
        let spans: Vec<AnswerSpan> = self.spans.values().flatten().cloned().collect();
        Coverage::assess(self.scope.clone(), bars, &spans, now)
    }
}
