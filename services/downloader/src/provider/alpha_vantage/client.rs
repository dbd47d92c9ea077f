//! Makes the calls of Alpha Vantage: how much history to request, and what the key's plan does not include.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::ingest::fetch_plan::{Offer, Request, Shape};
use domain::market::instruments::Symbol;
use reqwest::RequestBuilder;

use super::actions::{self, function};
use super::classify::classify;
use super::history::{History, OutputSize, compact_from};
use super::query::Query;
use crate::provider::action_calls::add_actions;
use crate::provider::http::{Access, HttpClient, SetupError};
use crate::provider::spelling::{Separator, spelled};
use crate::provider::{
    FetchFuture, FetchRequest, FetchResult, Gate, Outcome, PriceProvider, Sessions, not_offered,
};

/// The name in quotas, stored bars and metrics.
pub(crate) const NAME: &str = "alpha_vantage";

/// The name in texts for people.
pub(crate) const TITLE: &str = "Alpha Vantage";

/// How long after a refusal the full history is not requested again. It ends, as a key may be upgraded.
const REFUSAL_PERIOD: TimeDelta = TimeDelta::hours(6);

/// A client of the real service or of a stand-in.
#[derive(Debug)]
pub(crate) struct AlphaVantage {
    http: HttpClient,
    history: History,
    /// Whether the splits and dividends of a symbol are requested with its prices.
    with_actions: bool,
    full_refused_at: Mutex<Option<DateTime<Utc>>>,
}

impl AlphaVantage {
    /// Builds a client.
    pub(crate) fn new(access: Access, history: History, with_actions: bool) -> Result<Self, SetupError> {
        Ok(Self {
            http: HttpClient::new(NAME, access)?,
            history,
            with_actions,
            full_refused_at: Mutex::new(None),
        })
    }

    async fn fetch_symbol(&self, symbol: &Symbol, request: &FetchRequest<'_>) -> FetchResult {
        let from = compact_from(&request.sessions);
        let is_recent = |date: Option<&NaiveDate>| date.is_none_or(|date| *date >= from);
        let size = if is_recent(request.dates.first()) {
            OutputSize::Compact
        } else if self.history == History::AsNeeded && !self.full_is_refused(request.now) {
            OutputSize::Full
        } else if is_recent(request.dates.last()) {
            OutputSize::Compact
        } else {
            return gated();
        };
        let result = self.call(symbol, size, request).await;
        if size == OutputSize::Full && result.outcome == Outcome::PlanGated(Gate::Parameter) {
            *self.full_refused_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(request.now);
        }
        result
    }

    fn full_is_refused(&self, now: DateTime<Utc>) -> bool {
        let refused_at = *self.full_refused_at.lock().unwrap_or_else(PoisonError::into_inner);
        refused_at.is_some_and(|at| now - at < REFUSAL_PERIOD)
    }

    async fn call(&self, symbol: &Symbol, size: OutputSize, request: &FetchRequest<'_>) -> FetchResult {
        let key = self.http.key();
        let spelled = spelled(symbol, Separator::Dash);
        let FetchRequest { sessions, now, .. } = *request;
        let query = Query { symbol, spelled: &spelled, size, sessions, now, key };
        let call = self.query("TIME_SERIES_DAILY", &spelled);
        let call = call.query(&[("outputsize", size.parameter()), ("datatype", "json")]);
        let prices = self.http.call(request.call, call, |response| classify(response, &query)).await;
        if !self.with_actions {
            return prices;
        }
        let query = &query;
        let listed = move |table| {
            let call = self.query(function(table), query.spelled);
            self.http.call(request.call, call, move |response| actions::classify(response, table, query))
        };
        add_actions(prices, listed).await
    }

    fn query(&self, function: &str, symbol: &str) -> RequestBuilder {
        let key = self.http.key().expose();
        self.http.get(&["query"]).query(&[("function", function), ("symbol", symbol), ("apikey", key)])
    }
}

impl PriceProvider for AlphaVantage {
    fn name(&self) -> &'static str {
        NAME
    }

    fn shape(&self) -> Shape {
        Shape::BySymbol
    }

    fn offer(&self, sessions: &Sessions<'_>, now: DateTime<Utc>) -> Offer {
        let recent_only = self.history == History::Recent || self.full_is_refused(now);
        Offer { shape: self.shape(), earliest: recent_only.then(|| compact_from(sessions)) }
    }

    fn calls(&self) -> u32 {
        if self.with_actions { 3 } else { 1 }
    }

    fn fetch<'a>(&'a self, request: &'a FetchRequest<'a>) -> FetchFuture<'a> {
        Box::pin(async move {
            match request.call {
                Request::Symbol(symbol) => self.fetch_symbol(symbol, request).await,
                Request::Date(_) => not_offered(TITLE, "by date"),
            }
        })
    }
}

/// A refusal that is known without a call.
fn gated() -> FetchResult {
    FetchResult { outcome: Outcome::PlanGated(Gate::Parameter), calls: 0, responded_at: None }
}

#[cfg(test)]
mod tests;
