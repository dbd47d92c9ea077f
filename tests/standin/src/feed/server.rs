//! A stand-in as a test handles it: begun, changed while it runs, and stopped.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{RawQuery, State as Shared};
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use axum::routing::get;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::state::{FeedCall, Settings, State};
use super::{massive, tiingo};
use crate::alpha_vantage::fault::ScriptedFault;
use crate::alpha_vantage::prices::Prices;
use crate::wire::{WireResponse, date_header, pause, send};

/// Which service is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Tiingo,
    Massive,
}

/// A local Tiingo or Massive. It stops when dropped, and its connections with it.
pub struct Feed {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    _stop: watch::Sender<()>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Context {
    service: Service,
    state: Arc<Mutex<State>>,
    stopping: watch::Receiver<()>,
}

/// The behaviour of a stand-in from its start.
#[derive(Debug, Clone)]
pub struct FeedBuilder {
    service: Service,
    generated_from: Option<NaiveDate>,
    settings: Settings,
}

impl Feed {
    /// A Tiingo with recorded prices, late in the evening of 2025-10-30, without a limit of calls.
    pub fn tiingo() -> FeedBuilder {
        FeedBuilder::new(Service::Tiingo)
    }

    /// A Massive with recorded prices, late in the evening of 2025-10-30, without a limit of calls.
    pub fn massive() -> FeedBuilder {
        FeedBuilder::new(Service::Massive)
    }

    /// The URL before the service's paths, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All calls, oldest first.
    pub fn calls(&self) -> Vec<FeedCall> {
        self.state().calls.clone()
    }

    /// What was asked for: symbols as they were written, or dates, oldest call first.
    pub fn subjects(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.subject).collect()
    }

    /// Moves the clock. A later window has all its calls again.
    pub fn advance(&self, by: TimeDelta) {
        self.state().settings.now += by;
    }

    /// Makes the responses for a symbol or a date faulty; `None` ends it.
    pub fn set_fault(&self, subject: &str, fault: Option<ScriptedFault>) {
        let faults = &mut self.state().settings.faults;
        match fault {
            Some(fault) => _ = faults.insert(subject.to_owned(), fault),
            None => _ = faults.remove(subject),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FeedBuilder {
    fn new(service: Service) -> Self {
        let settings = Settings {
            now: DateTime::from_timestamp(1_761_883_199, 0).unwrap_or_default(),
            keys: Default::default(),
            bad_keys: Default::default(),
            limit: None,
            delay: Duration::ZERO,
            faults: Default::default(),
            listed: Default::default(),
            unknown: Default::default(),
            splits: Default::default(),
            dividends: Default::default(),
            market: Default::default(),
            reaches_back_to: None,
        };
        Self { service, generated_from: None, settings }
    }

    /// The clock; days after it have no prices.
    pub fn now(mut self, now: DateTime<Utc>) -> Self {
        self.settings.now = now;
        self
    }

    /// Generated prices for any symbol, from the first session at or after `from`, instead of the recorded ones. A
    /// whole date has the symbols that [`Self::market`] names.
    pub fn generated_from(mut self, from: NaiveDate) -> Self {
        self.generated_from = Some(from);
        self
    }

    /// The symbols of a whole date.
    pub fn market(mut self, symbols: &[&str]) -> Self {
        self.settings.market.extend(symbols.iter().map(|symbol| (*symbol).to_owned()));
        self
    }

    /// A key that is accepted. With one, keys that are not listed are refused.
    pub fn key(mut self, key: &str) -> Self {
        self.settings.keys.insert(key.to_owned());
        self
    }

    /// A key that is refused.
    pub fn bad_key(mut self, key: &str) -> Self {
        self.settings.bad_keys.insert(key.to_owned());
        self
    }

    /// How many calls fit into a window of this length.
    pub fn limit(mut self, calls: u32, window: TimeDelta) -> Self {
        self.settings.limit = Some((calls, window));
        self
    }

    /// Delays every response.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.settings.delay = delay;
        self
    }

    /// Makes the responses for a symbol or a date faulty; `*` stands for all without a fault of their own.
    pub fn fault(mut self, subject: &str, fault: impl Into<ScriptedFault>) -> Self {
        self.settings.faults.insert(subject.to_owned(), fault.into());
        self
    }

    /// The service does not have this symbol.
    pub fn unknown(mut self, symbol: &str) -> Self {
        self.settings.unknown.insert(symbol.to_owned());
        self
    }

    /// The symbol has bars from `first` to `last` only.
    pub fn listed(mut self, symbol: &str, first: NaiveDate, last: NaiveDate) -> Self {
        self.settings.listed.insert(symbol.to_owned(), first..=last);
        self
    }

    /// A split before the open of `date`; the prices stay as they are.
    pub fn split(mut self, symbol: &str, date: NaiveDate, factor: &str) -> Self {
        self.settings.splits.insert((symbol.to_owned(), date), factor.to_owned());
        self
    }

    /// A dividend before the open of `date`.
    pub fn dividend(mut self, symbol: &str, date: NaiveDate, cash: &str) -> Self {
        self.settings.dividends.insert((symbol.to_owned(), date), cash.to_owned());
        self
    }

    /// Older dates are not in the key's plan.
    pub fn reaches_back_to(mut self, date: NaiveDate) -> Self {
        self.settings.reaches_back_to = Some(date);
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    /// When no port is free or the recorded prices are damaged.
    pub async fn start(mut self) -> anyhow::Result<Feed> {
        let prices = match self.generated_from {
            Some(from) => Prices::generated(from),
            None => Prices::recorded()?,
        };
        if let Prices::Recorded(series) = &prices {
            self.settings.market.extend(series.keys().cloned());
        }
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.context("listening")?;
        let address = listener.local_addr().context("reading the address")?;
        let state = Arc::new(Mutex::new(State::new(prices, self.settings)));
        let (stop, stopping) = watch::channel(());
        let context = Context { service: self.service, state: Arc::clone(&state), stopping };
        let router = Router::new().fallback(get(respond)).with_state(context);
        let server = tokio::spawn(async move { _ = axum::serve(listener, router).await });
        Ok(Feed { address, state, _stop: stop, server })
    }
}

async fn respond(
    Shared(context): Shared<Context>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let request = Request {
        path: uri.path().split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        query: query.unwrap_or_default(),
        authorization: authorization.map(str::to_owned),
    };
    let (response, delay, now): (WireResponse, Duration, DateTime<Utc>) = {
        let mut state = context.state.lock().unwrap_or_else(PoisonError::into_inner);
        let response = match context.service {
            Service::Tiingo => tiingo::respond(&request, &mut state),
            Service::Massive => massive::respond(&request, &mut state),
        };
        (response, state.settings.delay, state.settings.now)
    };
    pause(delay, &context.stopping).await;
    let mut response = send(response, &context.stopping).await;
    if let Some(date) = date_header(now) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// The parts of a request that decide the response.
pub(super) struct Request {
    pub(super) path: Vec<String>,
    query: String,
    pub(super) authorization: Option<String>,
}

impl Request {
    /// A parameter of the query. The services' parameters need no escapes.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next_back()
    }

    /// A parameter that is a date.
    pub(super) fn date(&self, name: &str) -> Option<NaiveDate> {
        self.parameter(name)?.parse().ok()
    }
}

#[cfg(test)]
mod tests;
