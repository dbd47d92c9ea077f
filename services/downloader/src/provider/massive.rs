//! Massive, formerly Polygon: a call returns the bars of all symbols of one date, or those of one symbol between two
//! dates. Splits and dividends are calls of their own.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::ingest::call_quota::{Period, Window};
use domain::ingest::coverage::BEGINNING;
use domain::ingest::fetch_plan::{Offer, Request, Shape};
use domain::market::instruments::Symbol;
use reqwest::RequestBuilder;

use super::action_calls::add_actions;
use super::http::{Access, HttpClient, SetupError};
use super::limits::rolling;
use super::spelling::{Separator, spelled};
use super::{FetchFuture, FetchRequest, FetchResult, Gate, Outcome, PriceProvider, Sessions};
use actions::{parameters, path};
use classify::{Query, Requested, classify};

mod actions;
mod classify;
#[cfg(test)]
mod tests;

pub(crate) const NAME: &str = "massive";
pub(crate) const TITLE: &str = "Massive";
/// The real service.
pub(crate) const ADDRESS: &str = "https://api.massive.com";

/// How long after a refusal older dates are not requested again. It ends, as a key may be upgraded.
const REFUSAL_PERIOD: TimeDelta = TimeDelta::hours(6);

/// What a free key allows: five calls a minute.
pub(crate) fn free_budgets() -> Vec<Window> {
    let limit = NonZeroU32::MIN.saturating_add(4);
    rolling("minute", Period::Minute, limit).into_iter().collect()
}

/// A client of the real service or of a stand-in.
#[derive(Debug)]
pub(crate) struct Massive {
    http: HttpClient,
    /// Whether splits and dividends are requested with prices.
    with_actions: bool,
    /// The newest date that the key's plan was found not to reach, and when.
    refused: Mutex<Option<(NaiveDate, DateTime<Utc>)>>,
}

impl Massive {
    pub(crate) fn new(access: Access, with_actions: bool) -> Result<Self, SetupError> {
        Ok(Self { http: HttpClient::new(NAME, access)?, with_actions, refused: Mutex::new(None) })
    }

    async fn fetch_date(&self, date: NaiveDate, request: &FetchRequest<'_>) -> FetchResult {
        let day = date.to_string();
        let path = ["v2", "aggs", "grouped", "locale", "us", "market", "stocks", &day];
        let call = self.http.get(&path).query(&[("adjusted", "false")]);
        self.call(call, Requested::Date { date, symbols: request.symbols }, request).await
    }

    async fn fetch_symbol(&self, symbol: &Symbol, request: &FetchRequest<'_>) -> FetchResult {
        let reach = self.earliest(request.now).unwrap_or(BEGINNING);
        let from = request.dates.range(reach..).next().copied().unwrap_or(request.sessions.today);
        let ticker = spelled(symbol, Separator::Dot);
        let (first, last) = (from.to_string(), request.sessions.today.to_string());
        let path = ["v2", "aggs", "ticker", &ticker, "range", "1", "day", &first, &last];
        let parameters = [("adjusted", "false"), ("sort", "asc"), ("limit", "50000")];
        let call = self.http.get(&path).query(&parameters);
        self.call(call, Requested::Symbol { symbol, ticker: &ticker, from }, request).await
    }

    async fn call(
        &self,
        call: RequestBuilder,
        requested: Requested<'_>,
        request: &FetchRequest<'_>,
    ) -> FetchResult {
        let query = Query { requested, sessions: request.sessions, now: request.now, key: self.http.key() };
        let call = self.http.call(request.call, self.with_key(call), |response| classify(response, &query));
        let result = call.await;
        if result.outcome == Outcome::PlanGated(Gate::Parameter) {
            self.note_refusal(requested.oldest(), request.now);
        }
        if !self.with_actions {
            return result;
        }
        let query = &query;
        let listed = move |table| {
            let call = self.with_key(self.http.get(&path(table)).query(&parameters(table, requested)));
            self.http.call(request.call, call, move |response| actions::classify(response, table, query))
        };
        add_actions(result, listed).await
    }

    fn with_key(&self, call: RequestBuilder) -> RequestBuilder {
        call.header("Authorization", format!("Bearer {}", self.http.key().expose()))
    }

    fn note_refusal(&self, date: NaiveDate, now: DateTime<Utc>) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let newest =
            refused.filter(|(_, at)| now - *at < REFUSAL_PERIOD).map_or(date, |(old, _)| old.max(date));
        *refused = Some((newest, now));
    }

    /// The oldest date that the key's plan may reach.
    fn earliest(&self, now: DateTime<Utc>) -> Option<NaiveDate> {
        let refused = *self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.filter(|(_, at)| now - *at < REFUSAL_PERIOD).and_then(|(date, _)| date.succ_opt())
    }
}

impl PriceProvider for Massive {
    fn name(&self) -> &'static str {
        NAME
    }

    fn shape(&self) -> Shape {
        Shape::Either
    }

    fn offer(&self, _: &Sessions<'_>, now: DateTime<Utc>) -> Offer {
        Offer { shape: self.shape(), earliest: self.earliest(now) }
    }

    fn calls(&self) -> u32 {
        if self.with_actions { 3 } else { 1 }
    }

    fn fetch<'a>(&'a self, request: &'a FetchRequest<'a>) -> FetchFuture<'a> {
        Box::pin(async move {
            match request.call {
                Request::Symbol(symbol) => self.fetch_symbol(symbol, request).await,
                Request::Date(date) => self.fetch_date(*date, request).await,
            }
        })
    }
}
