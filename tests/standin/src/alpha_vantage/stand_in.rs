//! The handle of a running stand-in, and the builder that starts one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::NaiveDate;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::control::Control;
use super::fault::ScriptedFault;
use super::ledger::Call;
use super::prices::Prices;
use super::routes;
use super::settings::{RECORDED_TODAY, Settings};

/// A local Alpha Vantage. It stops when dropped, and its connections with it.
pub struct AlphaVantage {
    address: SocketAddr,
    control: Arc<Control>,
    stop: watch::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl AlphaVantage {
    /// Begins with recorded prices, "today" 2025-10-30, any key as a paying one, and a free port on loopback.
    pub fn builder() -> Builder {
        Builder {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            generated_from: None,
            settings: Settings::default(),
        }
    }

    /// The URL before `/query`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All calls since the start or the last reset, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.control.calls()
    }

    /// The calls for `symbol`, oldest first.
    pub fn calls_for(&self, symbol: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.symbol == symbol).collect()
    }

    /// Moves "today". Another day has new quotas.
    pub fn set_today(&self, today: NaiveDate) {
        self.control.set_today(today);
    }

    /// After `series` correct responses no calls are left for the day; `None` removes the limit.
    pub fn set_rate_limit_after(&self, series: Option<u32>) {
        self.control.set(|settings| settings.rate_limit_after = series);
    }

    /// Delays every response.
    pub fn set_delay(&self, delay: Duration) {
        self.control.set(|settings| settings.delay = delay);
    }

    /// Returns to the builder's settings, without calls and with full quotas.
    pub fn reset(&self) {
        self.control.reset();
    }

    /// Waits until the server fails.
    pub async fn wait(&mut self) -> anyhow::Result<()> {
        (&mut self.server).await.context("the server's task")?.context("serving")
    }

    /// Stops the server after the current responses; hanging ones end at once.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Self { stop, server, .. } = self;
        drop(stop);
        server.await.context("the server's task")?.context("serving")
    }
}

/// The behaviour of a stand-in from its start. The methods `set_*` of [`AlphaVantage`] change it later.
#[derive(Debug, Clone)]
pub struct Builder {
    listen: SocketAddr,
    generated_from: Option<NaiveDate>,
    settings: Settings,
}

impl Builder {
    /// The address to listen on.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// The newest day that has prices. Default: 2025-10-30.
    pub fn today(mut self, today: NaiveDate) -> Self {
        self.settings.today = today;
        self
    }

    /// Generated prices for any symbol, from 2010 on, instead of the recorded ones.
    pub fn generated(self) -> Self {
        let from = NaiveDate::from_ymd_opt(2010, 1, 1).unwrap_or(RECORDED_TODAY);
        self.generated_from(from)
    }

    /// Generated prices from the first session at or after `from`, 2000 at the earliest.
    pub fn generated_from(mut self, from: NaiveDate) -> Self {
        self.generated_from = Some(from);
        self
    }

    /// A split of a symbol on a date, with its factor as `10.0000` for 10:1.
    pub fn split(mut self, symbol: &str, date: NaiveDate, factor: &str) -> Self {
        self.settings.splits.entry(symbol.to_owned()).or_default().push((date, factor.to_owned()));
        self
    }

    /// A dividend of a symbol on its ex-date, in dollars for a share as `0.0100`.
    pub fn dividend(mut self, symbol: &str, date: NaiveDate, amount: &str) -> Self {
        self.settings.dividends.entry(symbol.to_owned()).or_default().push((date, amount.to_owned()));
        self
    }

    /// A paying key. With one, keys that are not listed are refused.
    pub fn key(mut self, key: &str) -> Self {
        self.settings.keys.paying.insert(key.to_owned());
        self
    }

    /// A free key: 25 calls a day, one a second, no `full`.
    pub fn free_key(mut self, key: &str) -> Self {
        self.settings.keys.free.insert(key.to_owned());
        self
    }

    /// A key that is refused.
    pub fn bad_key(mut self, key: &str) -> Self {
        self.settings.keys.bad.insert(key.to_owned());
        self
    }

    /// After `series` correct responses no calls are left for the day.
    pub fn rate_limit_after(mut self, series: u32) -> Self {
        self.settings.rate_limit_after = Some(series);
        self
    }

    /// Adds `Retry-After` in seconds to throttled and quota responses.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.settings.retry_after = Some(seconds);
        self
    }

    /// Delays every response.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.settings.delay = delay;
        self
    }

    /// Makes the responses for `symbol` faulty; `*` stands for every symbol without a fault of its own.
    pub fn fault(mut self, symbol: &str, fault: impl Into<ScriptedFault>) -> Self {
        self.settings.faults.insert(symbol.to_owned(), fault.into());
        self
    }

    /// The symbol has bars from `first` to `last` only.
    pub fn listed(mut self, symbol: &str, first: NaiveDate, last: NaiveDate) -> Self {
        self.settings.listed.insert(symbol.to_owned(), first..=last);
        self
    }

    /// Replaces every price and volume after the open of `date`.
    pub fn poisoned_after_open(mut self, date: NaiveDate) -> Self {
        self.settings.poisoned_after_open = Some(date);
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    /// When the address is in use or the recorded prices are damaged.
    pub async fn start(self) -> anyhow::Result<AlphaVantage> {
        let prices = match self.generated_from {
            Some(from) => Prices::generated(from),
            None => Prices::recorded()?,
        };
        let listener =
            TcpListener::bind(self.listen).await.with_context(|| format!("listening on {}", self.listen))?;
        let address = listener.local_addr().context("reading the address")?;
        let control = Arc::new(Control::new(prices, self.settings));
        let (stop, stopping) = watch::channel(());
        let router = routes::router(Arc::clone(&control), stopping.clone());
        let server = tokio::spawn(async move {
            let stopped = async move {
                let mut stopping = stopping;
                while stopping.changed().await.is_ok() {}
            };
            axum::serve(listener, router).with_graceful_shutdown(stopped).await
        });
        Ok(AlphaVantage { address, control, stop, server })
    }
}

#[cfg(test)]
mod tests;
