//! A running stand-in and how to start one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::NaiveDate;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::control::Control;
use crate::fault::Scripted;
use crate::ledger::Call;
use crate::prices::Prices;
use crate::server;
use crate::settings::{RECORDED_TODAY, Settings};

/// A local Alpha Vantage. It stops when dropped, and its connections with it.
pub struct AlphaVantage {
    address: SocketAddr,
    control: Arc<Control>,
    stop: watch::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl AlphaVantage {
    /// Recorded prices, "today" 2025-10-30, every key pays, a free port on loopback.
    pub fn builder() -> Builder {
        Builder {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            generated_from: None,
            settings: Settings::default(),
        }
    }

    /// What stands before `/query`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every call since the start or the last reset, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.control.calls()
    }

    /// The calls that asked for `symbol`, oldest first.
    pub fn calls_for(&self, symbol: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.symbol == symbol).collect()
    }

    /// Moves "today"; another day brings new budgets.
    pub fn set_today(&self, today: NaiveDate) {
        self.control.set_today(today);
    }

    /// After `series` good answers in all the day's calls are used up; `None` lifts the limit.
    pub fn set_rate_limit_after(&self, series: Option<u32>) {
        self.control.set(|settings| settings.rate_limit_after = series);
    }

    /// Adds `Retry-After` in seconds to throttled and used-up answers.
    pub fn set_retry_after(&self, seconds: Option<u64>) {
        self.control.set(|settings| settings.retry_after = seconds);
    }

    /// Every answer waits this long.
    pub fn set_delay(&self, delay: Duration) {
        self.control.set(|settings| settings.delay = delay);
    }

    /// Spoils the answers for `symbol`; `*` stands for all that have no fault of their own.
    pub fn set_fault(&self, symbol: &str, fault: impl Into<Scripted>) {
        self.control.set_fault(symbol, Some(fault.into()));
    }

    /// Ends the fault of `symbol`.
    pub fn clear_fault(&self, symbol: &str) {
        self.control.set_fault(symbol, None);
    }

    /// The symbol has bars from `first` to `last` only.
    pub fn set_listed(&self, symbol: &str, first: NaiveDate, last: NaiveDate) {
        self.control.set_gaps(symbol, |gaps| gaps.listed = Some((first, last)));
    }

    /// The symbol has no bars on `dates`.
    pub fn set_halted(&self, symbol: &str, dates: impl IntoIterator<Item = NaiveDate>) {
        self.control.set_gaps(symbol, |gaps| gaps.halted = dates.into_iter().collect());
    }

    /// Forgets calls and budgets, and returns to what the builder said.
    pub fn reset(&self) {
        self.control.reset();
    }

    /// Runs until [`stop`](Self::stop) or a failure of the server.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn wait(&mut self) -> anyhow::Result<()> {
        (&mut self.server).await.context("the server's task")?.context("serving")
    }

    /// Ends the server after the answers under way; hanging ones are cut short.
    ///
    /// # Errors
    /// When the server had failed.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Self { stop, server, .. } = self;
        drop(stop);
        server.await.context("the server's task")?.context("serving")
    }
}

/// Says how a stand-in behaves from the start. `set_*` of the running one change it later.
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

    /// After `series` good answers in all the day's calls are used up.
    pub fn rate_limit_after(mut self, series: u32) -> Self {
        self.settings.rate_limit_after = Some(series);
        self
    }

    /// Adds `Retry-After` in seconds to throttled and used-up answers.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.settings.retry_after = Some(seconds);
        self
    }

    /// Every answer waits this long.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.settings.delay = delay;
        self
    }

    /// Spoils the answers for `symbol`; `*` stands for all that have no fault of their own.
    pub fn fault(mut self, symbol: &str, fault: impl Into<Scripted>) -> Self {
        self.settings.faults.insert(symbol.to_owned(), fault.into());
        self
    }

    /// The symbol has bars from `first` to `last` only.
    pub fn listed(mut self, symbol: &str, first: NaiveDate, last: NaiveDate) -> Self {
        self.settings.gaps.entry(symbol.to_owned()).or_default().listed = Some((first, last));
        self
    }

    /// The symbol has no bars on `dates`.
    pub fn halted(mut self, symbol: &str, dates: impl IntoIterator<Item = NaiveDate>) -> Self {
        self.settings.gaps.entry(symbol.to_owned()).or_default().halted.extend(dates);
        self
    }

    /// Everything after the open of `date` is another future: no price or volume of it is the real one.
    pub fn poisoned_after_open(mut self, date: NaiveDate) -> Self {
        self.settings.poisoned_after_open = Some(date);
        self
    }

    /// Listens, and answers from then on.
    ///
    /// # Errors
    /// When the address is taken or the recorded prices are damaged.
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
        let router = server::router(Arc::clone(&control), stopping.clone());
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
