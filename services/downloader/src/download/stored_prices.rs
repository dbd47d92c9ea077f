//! Which of the prices that a job needs are stored, and which source may be asked for the others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use domain::ingest::coverage::{AnswerSpan, Coverage, Need, Scope};
use domain::ingest::refusals::{Refusal, absent_symbols};
use domain::market::instruments::Symbol;
use storage::{PgPool, market};

use super::clock::Clock;
use super::source::PriceSource;
use super::source_name::{HandOver, SourceName, SourceNames};

/// The dates of stored bars, the spans of earlier responses and the refusals of sources, for the symbols and sessions
/// of a scope, as of the last load.
#[derive(Debug, Clone)]
pub(crate) struct StoredPrices {
    scope: Scope,
    sources: Arc<SourceNames>,
    bars: HashMap<Symbol, Vec<NaiveDate>>,
    spans: HashMap<Symbol, Vec<AnswerSpan>>,
    refusals: Vec<Refusal>,
    /// The source in use that the newest bars of each symbol are from; `None` while it was not looked up.
    homes: Option<HashMap<Symbol, String>>,
}

impl StoredPrices {
    /// Loads what is stored about the symbols and sessions of `scope`; `sources` are those in use.
    pub(crate) async fn load(
        pool: &PgPool,
        scope: Scope,
        sources: Arc<SourceNames>,
    ) -> storage::Result<Self> {
        let symbols: Vec<Symbol> = scope.symbols().cloned().collect();
        let (bars, spans, refusals) = (HashMap::new(), HashMap::new(), Vec::new());
        let mut prices = Self { scope, sources, bars, spans, refusals, homes: None };
        prices.reload(pool, &symbols).await?;
        Ok(prices)
    }

    /// Loads again what is stored about `symbols`.
    pub(super) async fn reload(&mut self, pool: &PgPool, symbols: &[Symbol]) -> storage::Result<()> {
        let sessions = self.scope.sessions();
        let (Some(first), Some(last)) = (sessions.first(), sessions.last()) else { return Ok(()) };
        if symbols.is_empty() {
            return Ok(());
        }
        for symbol in symbols {
            self.spans.remove(symbol);
        }
        self.refusals.retain(|refusal| !symbols.contains(&refusal.symbol));
        self.refusals.extend(market::refusals(pool, symbols).await?);
        self.bars.extend(market::dates_with_bars(pool, symbols, *first, *last).await?);
        for span in market::spans(pool, symbols).await? {
            self.spans.entry(span.symbol.clone()).or_default().push(span);
        }
        if let Some(homes) = &mut self.homes {
            homes.extend(homes_of(pool, symbols, &self.sources.names).await?);
        }
        Ok(())
    }

    /// Looks up which source each symbol's bars are from. It is needed only where something is to be fetched.
    pub(super) async fn load_homes(&mut self, pool: &PgPool) -> storage::Result<()> {
        let symbols: Vec<Symbol> = self.scope.symbols().cloned().collect();
        self.homes = Some(homes_of(pool, &symbols, &self.sources.names).await?);
        Ok(())
    }

    /// The cells that matter.
    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The sources in use.
    pub(super) fn sources(&self) -> &Arc<SourceNames> {
        &self.sources
    }

    /// What is missing and can be fetched from some source.
    pub(crate) fn need(&self, clock: &Clock) -> Need {
        self.coverage(clock.now).need(clock.now, clock.storable_until)
    }

    /// What is missing and can be fetched from this source: it has not refused the symbol, and has its other bars if
    /// there are any.
    pub(super) fn need_of(&self, source: &PriceSource, clock: &Clock) -> Need {
        let refused = |symbol: &Symbol| {
            let by_source =
                |refusal: &Refusal| refusal.source == source.quota.key && refusal.symbol == *symbol;
            self.refusals.iter().any(|refusal| by_source(refusal) && refusal.is_valid(clock.now))
        };
        let may_ask = |symbol: &Symbol| self.is_home(source.provider.name(), symbol) && !refused(symbol);
        let mut need = self.need(clock);
        need.missing.retain(|symbol, _| may_ask(symbol));
        need.recheck.retain(|symbol, _| may_ask(symbol));
        need.others.retain(|(symbol, _)| may_ask(symbol));
        need
    }

    /// The symbols without a bar on `date` that this source may be asked for.
    pub(super) fn lacking_on(&self, date: NaiveDate, source: &PriceSource) -> BTreeSet<Symbol> {
        let has_bar = |symbol: &Symbol| self.bars.get(symbol).is_some_and(|dates| dates.contains(&date));
        let may_ask = |symbol: &&Symbol| self.is_home(source.provider.name(), symbol) && !has_bar(symbol);
        self.scope.symbols().filter(may_ask).cloned().collect()
    }

    /// Whether a provider may be asked for a symbol: the symbol's bars are from it, or from no source in use, or that does
    /// not matter.
    fn is_home(&self, provider: &str, symbol: &Symbol) -> bool {
        let home = self.homes.as_ref().and_then(|homes| homes.get(symbol));
        self.sources.hand_over == HandOver::AllSymbols || home.is_none_or(|home| home == provider)
    }

    /// Whether no source in use has ever given a bar of a symbol.
    pub(super) fn is_stranger(&self, symbol: &Symbol) -> bool {
        self.homes.as_ref().is_some_and(|homes| !homes.contains_key(symbol))
    }

    /// The dates of `symbol` that are missing and can be fetched.
    pub(super) fn missing_of(&self, symbol: &Symbol, clock: &Clock) -> BTreeSet<NaiveDate> {
        let scope = self.scope.of(symbol);
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
        let sources_of = |symbol: &Symbol| -> Vec<&str> {
            let homes = self.sources.names.iter().filter(|source| self.is_home(source.provider, symbol));
            homes.map(|source| source.quota.as_str()).collect()
        };
        absent_symbols(&self.refusals, sources_of, now)
    }

    /// What is known about each symbol and session.
    pub(crate) fn coverage(&self, now: DateTime<Utc>) -> Coverage {
        let bars = self.bars.iter().flat_map(|(symbol, dates)| dates.iter().map(move |date| (symbol, *date)));
        let coverage = Coverage::assess(self.scope.clone(), bars, self.spans.values().flatten(), now);
        coverage.without(self.refused(now).keys())
    }
}

async fn homes_of(
    pool: &PgPool,
    symbols: &[Symbol],
    sources: &[SourceName],
) -> storage::Result<HashMap<Symbol, String>> {
    let providers: Vec<&str> = sources.iter().map(|source| source.provider).collect();
    Ok(market::sources_of(pool, symbols, &providers).await?.into_iter().collect())
}

/// How many symbols lack a price.
pub(super) fn symbols_of(need: &Need) -> usize {
    let others = need.others.iter().map(|(symbol, _)| symbol);
    need.missing.keys().chain(need.recheck.keys()).chain(others).collect::<BTreeSet<&Symbol>>().len()
}
