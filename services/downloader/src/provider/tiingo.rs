//! Tiingo: a call returns the raw and the adjusted bars of one symbol between two dates, with splits and dividends.

use std::num::NonZeroU32;

use chrono::{DateTime, Days, Utc};
use domain::ingest::call_quota::{Counts, Period, Window};
use domain::ingest::coverage::BEGINNING;
use domain::ingest::fetch_plan::{Offer, Request, Shape};
use domain::market::instruments::Symbol;

use super::http::{Access, HttpClient, SetupError};
use super::limits::fixed;
use super::spelling::{Separator, spelled};
use super::{FetchFuture, FetchRequest, FetchResult, PriceProvider, Sessions, not_offered};
use classify::{Query, classify};

mod classify;
#[cfg(test)]
mod tests;

pub(crate) const NAME: &str = "tiingo";
pub(crate) const TITLE: &str = "Tiingo";
/// The real service.
pub(crate) const ADDRESS: &str = "https://api.tiingo.com";

/// How much more of the past than needed a call requests, for models that look back.
const LOOK_BACK: Days = Days::new(400);

/// What a free key allows: 50 calls an hour, 1,000 a day, 500 different symbols a month.
pub(crate) fn free_budgets() -> Vec<Window> {
    let limit = |calls: u32| NonZeroU32::new(calls).unwrap_or(NonZeroU32::MIN);
    let hour = fixed("hour", Period::Hour, limit(50), Counts::Calls);
    let day = fixed("day", Period::Day, limit(1_000), Counts::Calls);
    let month = fixed("month", Period::Month, limit(500), Counts::DistinctSymbols);
    [hour, day, month].into_iter().flatten().collect()
}

/// A client of the real service or of a stand-in.
#[derive(Debug)]
pub(crate) struct Tiingo {
    http: HttpClient,
}

impl Tiingo {
    pub(crate) fn new(access: Access) -> Result<Self, SetupError> {
        Ok(Self { http: HttpClient::new(NAME, access)? })
    }

    async fn fetch_symbol(&self, symbol: &Symbol, request: &FetchRequest<'_>) -> FetchResult {
        let FetchRequest { sessions, now, .. } = *request;
        let first = request.dates.first().copied().unwrap_or(sessions.today);
        let from = first.checked_sub_days(LOOK_BACK).unwrap_or(BEGINNING).max(BEGINNING);
        let spelled = spelled(symbol, Separator::Dash);
        let token = format!("Token {}", self.http.key().expose());
        let call = self
            .http
            .get(&["tiingo", "daily", &spelled, "prices"])
            .query(&[("startDate", from.to_string()), ("endDate", sessions.today.to_string())])
            .query(&[("format", "json"), ("resampleFreq", "daily")])
            .header("Authorization", token);
        let query = Query { symbol, from, sessions, now };
        self.http.call(request.call, call, |response| classify(response, &query, self.http.key())).await
    }
}

impl PriceProvider for Tiingo {
    fn name(&self) -> &'static str {
        NAME
    }

    fn shape(&self) -> Shape {
        Shape::BySymbol
    }

    fn offer(&self, _: &Sessions<'_>, _: DateTime<Utc>) -> Offer {
        Offer { shape: self.shape(), earliest: None }
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
