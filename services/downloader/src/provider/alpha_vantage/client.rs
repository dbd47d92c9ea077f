//! Sends a call and reads the response, with bounds on time and size.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::ingest::fetch_plan::{Offer, Request, Shape};
use domain::market::instruments::Symbol;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use runtime::outbound::Outbound;

use super::classify::{HttpResponse, classify};
use super::history::{History, OutputSize, compact_from};
use super::query::Query;
use crate::provider::secret::Secret;
use crate::provider::{FetchFuture, FetchRequest, FetchResult, Gate, Outcome, PriceProvider, Sessions};

/// The name in quotas, warnings and metrics.
pub(crate) const NAME: &str = "alpha_vantage";

/// The longest accepted body; a full history has about 1.5 MB.
const MAX_BODY_BYTES: usize = 16 << 20;

/// How long after a refusal the full history is not requested again. It ends, as a key may be upgraded.
const REFUSAL_PERIOD: TimeDelta = TimeDelta::hours(6);

/// How to reach Alpha Vantage.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The address before `/query`, e.g. `https://www.alphavantage.co`.
    pub(crate) base_url: String,
    pub(crate) key: Secret,
    pub(crate) history: History,
    /// How long a call may take, its body included.
    pub(crate) timeout: Duration,
    pub(crate) outbound: Outbound,
}

/// Why a client cannot be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// The address is malformed. It is not printed, as people put keys into addresses.
    #[error("the base URL is not a plain http or https address")]
    BaseUrl,
    /// E.g. the system has no certificates.
    #[error("no HTTP client")]
    Client(#[source] reqwest::Error),
}

/// A client of the real service or of a stand-in.
#[derive(Debug)]
pub(crate) struct AlphaVantage {
    http: Client,
    endpoint: Url,
    settings: Settings,
    max_body_bytes: usize,
    full_refused_at: Mutex<Option<DateTime<Utc>>>,
}

impl AlphaVantage {
    /// Builds a client.
    pub(crate) fn new(settings: Settings) -> Result<Self, SetupError> {
        let endpoint = endpoint(&settings.base_url).ok_or(SetupError::BaseUrl)?;
        let client = settings.outbound.of_operator().client();
        let http = client.and_then(|client| client.timeout(settings.timeout).build());
        let http = http.map_err(|error| SetupError::Client(error.without_url()))?;
        let full_refused_at = Mutex::new(None);
        Ok(Self { http, endpoint, settings, max_body_bytes: MAX_BODY_BYTES, full_refused_at })
    }

    async fn fetch_symbol(&self, symbol: &Symbol, request: &FetchRequest<'_>) -> FetchResult {
        let from = compact_from(&request.sessions);
        let is_recent = |date: Option<&NaiveDate>| date.is_none_or(|date| *date >= from);
        let size = if is_recent(request.dates.first()) {
            OutputSize::Compact
        } else if self.settings.history == History::AsNeeded && !self.full_is_refused(request.now) {
            OutputSize::Full
        } else if is_recent(request.dates.last()) {
            OutputSize::Compact
        } else {
            return gated();
        };
        let (outcome, responded_at) = self.call(symbol, size, request).await;
        if size == OutputSize::Full && outcome == Outcome::PlanGated(Gate::Parameter) {
            *self.full_refused_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(request.now);
        }
        FetchResult { outcome, calls: 1, responded_at }
    }

    fn full_is_refused(&self, now: DateTime<Utc>) -> bool {
        let refused_at = *self.full_refused_at.lock().unwrap_or_else(PoisonError::into_inner);
        refused_at.is_some_and(|at| now - at < REFUSAL_PERIOD)
    }

    /// Makes one call; returns the outcome and the provider's time.
    async fn call(
        &self,
        symbol: &Symbol,
        size: OutputSize,
        request: &FetchRequest<'_>,
    ) -> (Outcome, Option<DateTime<Utc>>) {
        let sent = self
            .http
            .get(self.endpoint.clone())
            .query(&[
                ("function", "TIME_SERIES_DAILY"),
                ("symbol", symbol.as_str()),
                ("outputsize", size.parameter()),
                ("datatype", "json"),
                ("apikey", self.settings.key.expose()),
            ])
            .send()
            .await;
        let response = match sent {
            Ok(response) => response,
            Err(error) => return (self.unreachable(error), None),
        };
        let responded_at = header(response.headers(), &DATE)
            .and_then(|text| DateTime::parse_from_rfc2822(text).ok())
            .map(|at| at.to_utc());
        let status = response.status().as_u16();
        let retry_after = header(response.headers(), &RETRY_AFTER).map(str::to_owned);
        let body = match status {
            500.. => Vec::new(),
            _ => match self.body(response).await {
                Ok(body) => body,
                Err(outcome) => return (outcome, responded_at),
            },
        };
        let response = HttpResponse { status, retry_after: retry_after.as_deref(), body: &body };
        let FetchRequest { sessions, now, .. } = *request;
        (classify(&response, &Query { symbol, size, sessions, now, key: &self.settings.key }), responded_at)
    }

    /// The whole body, unless it is cut or too long.
    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Outcome> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > self.max_body_bytes => {
                    let reason = format!("a body of more than {} bytes", self.max_body_bytes);
                    return Err(Outcome::Malformed { reason });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(error) if error.is_timeout() => return Err(self.unreachable(error)),
                Err(_) => return Err(Outcome::Malformed { reason: "a cut body".to_owned() }),
            }
        }
    }

    /// The outcome of a call without a response. The error's own texts contain the address, and with it the key.
    fn unreachable(&self, error: reqwest::Error) -> Outcome {
        let reason = if error.is_timeout() {
            format!("no answer within {} s", self.settings.timeout.as_secs_f64())
        } else {
            let error = error.without_url();
            let mut texts = vec![error.to_string()];
            let mut source = error.source();
            while let Some(cause) = source {
                texts.push(cause.to_string());
                source = cause.source();
            }
            self.settings.key.redact(&texts.join(": "))
        };
        Outcome::Unreachable { reason, retry_after: None }
    }
}

impl PriceProvider for AlphaVantage {
    fn name(&self) -> &'static str {
        NAME
    }

    fn offer(&self, sessions: &Sessions<'_>, now: DateTime<Utc>) -> Offer {
        let recent_only = self.settings.history == History::Recent || self.full_is_refused(now);
        Offer { shape: Shape::BySymbol, earliest: recent_only.then(|| compact_from(sessions)) }
    }

    fn fetch<'a>(&'a self, request: &'a FetchRequest<'a>) -> FetchFuture<'a> {
        Box::pin(async move {
            match request.call {
                Request::Symbol(symbol) => self.fetch_symbol(symbol, request).await,
                Request::Date(_) => {
                    let reason = "Alpha Vantage has no calls by date".to_owned();
                    FetchResult { outcome: Outcome::BugInRequest { reason }, calls: 0, responded_at: None }
                }
            }
        })
    }
}

/// A refusal that is known without a call.
fn gated() -> FetchResult {
    FetchResult { outcome: Outcome::PlanGated(Gate::Parameter), calls: 0, responded_at: None }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `/query` below `base_url`; `None` unless that is a web address without user, password and query.
fn endpoint(base_url: &str) -> Option<Url> {
    let mut url: Url = base_url.parse().ok()?;
    let is_web = ["http", "https"].contains(&url.scheme());
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let path = format!("{}/query", url.path().trim_end_matches('/'));
    url.set_path(&path);
    (is_web && is_plain).then_some(url)
}

#[cfg(test)]
mod tests;
