//! Which of the prices that a job needs are stored.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use domain::ingest::coverage::{AnswerSpan, Coverage, Need, Scope};
use domain::ingest::refusals::{Refusal, absent_symbols};
use domain::market::instruments::{Symbol, Universe};
use storage::{PgPool, market};

use super::clock::Clock;

/// The dates of stored bars, the spans of earlier responses and the refusals of sources, for the symbols and sessions
/// of a scope, as of the last load.
#[derive(Debug, Clone)]
pub(crate) struct StoredPrices {
    scope: Scope,
    /// The sources in use, as their call quotas are named.
    sources: Vec<String>,
    bars: HashMap<Symbol, Vec<NaiveDate>>,
    spans: HashMap<Symbol, Vec<AnswerSpan>>,
    refusals: Vec<Refusal>,
}

impl StoredPrices {
    /// Loads what is stored about the symbols and sessions of `scope`; `sources` are those in use.
    pub(crate) async fn load(pool: &PgPool, scope: Scope, sources: &[String]) -> storage::Result<Self> {
        let symbols: Vec<Symbol> = scope.symbols().cloned().collect();
        let sources = sources.to_vec();
        let (bars, spans, refusals) = (HashMap::new(), HashMap::new(), Vec::new());
        let mut prices = Self { scope, sources, bars, spans, refusals };
        prices.reload(pool, &symbols).await?;
        Ok(prices)
    }

    /// Loads again what is stored about `symbols`.
    pub(super) async fn reload(&mut self, pool: &PgPool, symbols: &[Symbol]) -> storage::Result<()> {
        let sessions = self.scope.sessions();
        let (Some(first), Some(last)) = (sessions.first(), sessions.last()) else { return Ok(()) };
        for symbol in symbols {
            self.spans.remove(symbol);
        }
        self.refusals.retain(|refusal| !symbols.contains(&refusal.symbol));
        self.refusals.extend(market::refusals(pool, symbols).await?);
        self.bars.extend(market::dates_with_bars(pool, symbols, *first, *last).await?);
        for span in market::spans(pool, symbols).await? {
            self.spans.entry(span.symbol.clone()).or_default().push(span);
        }
        Ok(())
    }

    /// What is missing and can be fetched.
    pub(crate) fn need(&self, clock: &Clock) -> Need {
        self.coverage(clock.now).need(clock.now, clock.storable_until)
    }

    /// The dates of `symbol` that are missing and can be fetched.
    pub(super) fn missing_of(&self, symbol: &Symbol, clock: &Clock) -> BTreeSet<NaiveDate> {
        let scope = scope_of(symbol, self.scope.sessions().iter().copied());
        let bars = self.bars.get(symbol).into_iter().flatten().map(|date| (symbol, *date));
        let spans = self.spans.get(symbol).map(Vec::as_slice).unwrap_or_default();
        let coverage =
            Coverage::assess(scope, bars, spans, clock.now).without(self.refused(clock.now).keys());
        coverage.need(clock.now, clock.storable_until).dates_of(symbol)
    }

    /// The symbols that no source has, and that lack the bar of some session, with the reasons.
    pub(crate) fn absent(&self, now: DateTime<Utc>) -> BTreeMap<Symbol, String> {
        let mut refused = self.refused(now);
        let symbols: BTreeSet<Symbol> =
            self.coverage(now).lacking(refused.keys()).into_iter().cloned().collect();
        refused.retain(|symbol, _| symbols.contains(symbol));
        refused
    }

    fn refused(&self, now: DateTime<Utc>) -> BTreeMap<Symbol, String> {
        absent_symbols(&self.refusals, |_| self.sources.iter().map(String::as_str).collect(), now)
    }

    /// What is known about each symbol and session.
    pub(crate) fn coverage(&self, now: DateTime<Utc>) -> Coverage {
        let bars = self.bars.iter().flat_map(|(symbol, dates)| dates.iter().map(move |date| (symbol, *date)));
        let coverage = Coverage::assess(self.scope.clone(), bars, self.spans.values().flatten(), now);
        coverage.without(self.refused(now).keys())
    }
}

/// The scope of one symbol.
pub(super) fn scope_of(symbol: &Symbol, sessions: impl IntoIterator<Item = NaiveDate>) -> Scope {
    let universe = Universe { name: String::new(), symbols: vec![symbol.clone()], benchmark: None };
    Scope::new(sessions, &universe, &[])
}
