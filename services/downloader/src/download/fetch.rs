//! One symbol from missing to stored: its download is claimed, a call is debited and made, and the response is
//! stored in one commit.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::ingest::fetch_plan::Request;
use domain::market::instruments::Symbol;
use domain::values::ids::JobId;
use storage::market::{self, BarRow, Download};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use super::clock::{Clock, up_to_own_date};
use super::quota::Grant;
use super::source::PriceSource;
use super::stop_reason::StopReason;
use super::stored_prices::{StoredPrices, scope_of};
use crate::context::Context;
use crate::provider::{FetchRequest, FetchResult, Gate, NoPrices, Outcome, PriceResponse, RejectedRow};
use crate::server_time::ServerTime;

/// How long the claim of a download lasts after its last renewal, in seconds.
pub(crate) const CLAIM_SECONDS: f64 = 10.0;

/// How often a call without a response is made.
const MAX_TRIES: u32 = 3;
/// Wait before the second try; the next is twice that.
const BACKOFF: Duration = Duration::from_millis(500);
/// How often a download that another worker has claimed is checked.
const POLL: Duration = Duration::from_millis(75);

/// Fetches symbols for one preparation.
pub(super) struct Fetcher {
    pub(super) job: JobId,
    pub(super) context: Arc<Context>,
    pub(super) source: Arc<PriceSource>,
    /// The sessions that the preparation needs.
    pub(super) needed: BTreeSet<NaiveDate>,
    pub(super) time: ServerTime,
    /// In whose name downloads are claimed.
    pub(super) holder: Uuid,
    /// Once it is cancelled no call is begun; a call in progress is finished.
    pub(super) halt: CancellationToken,
    /// Whether the provider has refused a call as too fast; from then on calls are made one at a time.
    pub(super) throttled: AtomicBool,
    pub(super) one_at_a_time: Mutex<()>,
}

/// What became of a symbol.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SymbolOutcome {
    /// A response is stored, by this worker or by another.
    Stored,
    /// It cannot be fetched this time.
    Failed {
        /// Why, for people.
        reason: String,
        /// Whether there was no response at all.
        unreachable: bool,
    },
    /// The provider has no prices of it.
    NoPrices(NoPrices),
    /// The missing dates are older than the key's plan reaches.
    Gated,
    /// The claim expired and another worker has the download; what is stored has to be loaded again.
    TakenOver,
    /// The work was halted before a call was made.
    Halted,
    /// No further call is useful.
    Stopped(StopReason),
}

/// How to go on after a call.
enum AfterCall {
    Store(Box<PriceResponse>, Option<DateTime<Utc>>),
    Retry,
    End(SymbolOutcome),
}

/// How often, and for how long, the fetch of a symbol has been retried.
#[derive(Default)]
struct Retries {
    unreachable: u32,
    throttled: u32,
    waited: Duration,
}

impl Fetcher {
    /// Fetches what is missing of `symbol`, unless another worker does.
    pub(super) async fn fetch(&self, symbol: &Symbol) -> storage::Result<SymbolOutcome> {
        while !market::take_download(&self.context.pool, symbol, self.holder, CLAIM_SECONDS).await? {
            tokio::select! {
                () = self.halt.cancelled() => return Ok(SymbolOutcome::Halted),
                () = tokio::time::sleep(POLL) => {}
            }
        }
        let outcome = self.fetch_claimed(symbol).await?;
        // Storing a response has released the claim already; in that case this changes nothing.
        market::release_download(&self.context.pool, symbol, self.holder).await?;
        Ok(outcome)
    }

    async fn fetch_claimed(&self, symbol: &Symbol) -> storage::Result<SymbolOutcome> {
        let mut retries = Retries::default();
        loop {
            // Another worker may have stored it since the plan was made.
            let clock = Clock::at(&self.context.calendar, self.time.now());
            let scope = scope_of(symbol, self.needed.iter().copied());
            let sources = [self.source.quota.key.clone()];
            let stored = StoredPrices::load(&self.context.pool, scope, &sources).await?;
            let dates = stored.need(&clock).dates_of(symbol);
            if dates.is_empty() {
                return Ok(SymbolOutcome::Stored);
            }
            let slow_lane = match self.throttled.load(Ordering::Relaxed) {
                true => Some(self.one_at_a_time.lock().await),
                false => None,
            };
            if self.halt.is_cancelled() {
                return Ok(SymbolOutcome::Halted);
            }
            if storage::trigger::is_cancelled(&self.context.pool, self.job).await? {
                self.halt.cancel();
                return Ok(SymbolOutcome::Halted);
            }
            match self.source.quota.debit(symbol, &self.halt).await? {
                Grant::Granted => {}
                Grant::Exhausted { until } => {
                    return Ok(SymbolOutcome::Stopped(StopReason::RateLimited { until }));
                }
                Grant::Halted => return Ok(SymbolOutcome::Halted),
            }
            let result = self.call(symbol, &dates, &clock).await;
            drop(slow_lane);
            match self.after_call(result, &mut retries).await? {
                AfterCall::Store(response, responded_at) => {
                    return self.store(symbol, *response, responded_at, &clock).await;
                }
                AfterCall::Retry => {}
                AfterCall::End(outcome) => return Ok(outcome),
            }
        }
    }

    async fn call(&self, symbol: &Symbol, dates: &BTreeSet<NaiveDate>, clock: &Clock) -> FetchResult {
        let provider = self.source.provider.name();
        let span = tracing::info_span!(
            "provider call",
            otel.name = format!("fetch {provider}"),
            otel.kind = "client",
            provider,
            %symbol,
            outcome = tracing::field::Empty,
        );
        let call = Request::Symbol(symbol.clone());
        let is_session = |date: NaiveDate| self.context.calendar.is_session(date);
        let request =
            FetchRequest { call: &call, dates, sessions: clock.sessions(&is_session), now: clock.now };
        let result = self.source.provider.fetch(&request).instrument(span.clone()).await;
        let outcome = result.outcome.class();
        span.record("outcome", outcome);
        metrics::counter!("modelday_provider_calls_total", "provider" => provider, "outcome" => outcome)
            .increment(result.calls.into());
        result
    }

    /// Decides how to go on after a call, and waits where that is part of it.
    async fn after_call(&self, result: FetchResult, retries: &mut Retries) -> storage::Result<AfterCall> {
        let outcome = match result.outcome {
            Outcome::Bars(response) => return Ok(AfterCall::Store(Box::new(response), result.responded_at)),
            Outcome::Throttled { retry_after } => return self.slow_down(retry_after, retries).await,
            Outcome::Unreachable { reason, retry_after } => {
                return Ok(self.retry(reason, retry_after, retries).await);
            }
            Outcome::QuotaExhausted { until } => {
                let until = self.source.quota.record_refusal(|_| until).await?;
                SymbolOutcome::Stopped(StopReason::RateLimited { until })
            }
            Outcome::PlanGated(Gate::Parameter) => SymbolOutcome::Gated,
            Outcome::PlanGated(Gate::Endpoint) => SymbolOutcome::Stopped(StopReason::NotInPlan),
            Outcome::BadCredentials { .. } => SymbolOutcome::Stopped(StopReason::BadCredentials),
            Outcome::NoPrices(why) => SymbolOutcome::NoPrices(why),
            Outcome::Malformed { reason } => failed(reason),
            Outcome::BugInRequest { reason } => SymbolOutcome::Failed { reason, unreachable: true },
        };
        Ok(AfterCall::End(outcome))
    }

    /// The call was too fast: all calls are blocked for a while, twice as long each time, and it is made again.
    async fn slow_down(&self, retry_after: Duration, retries: &mut Retries) -> storage::Result<AfterCall> {
        self.throttled.store(true, Ordering::Relaxed);
        let quota = &self.source.quota;
        let pause = doubled(retry_after, retries.throttled);
        retries.throttled += 1;
        retries.waited += pause;
        let pause = TimeDelta::from_std(pause).unwrap_or(TimeDelta::days(1));
        let until = quota.record_refusal(|now| Some(now + pause)).await?;
        Ok(if retries.waited > quota.max_wait {
            AfterCall::End(SymbolOutcome::Stopped(StopReason::RateLimited { until }))
        } else {
            AfterCall::Retry
        })
    }

    /// There was no response: the call is made again after a while, a few times.
    async fn retry(&self, reason: String, retry_after: Option<Duration>, retries: &mut Retries) -> AfterCall {
        let backoff = doubled(BACKOFF, retries.unreachable).mul_f64(rand::random_range(0.5..1.0));
        let pause = retry_after.unwrap_or_default().max(backoff);
        retries.unreachable += 1;
        if retries.unreachable >= MAX_TRIES || pause > self.source.quota.max_wait {
            return AfterCall::End(SymbolOutcome::Failed { reason, unreachable: true });
        }
        tokio::select! {
            () = self.halt.cancelled() => AfterCall::End(SymbolOutcome::Halted),
            () = tokio::time::sleep(pause) => AfterCall::Retry,
        }
    }

    async fn store(
        &self,
        symbol: &Symbol,
        response: PriceResponse,
        responded_at: Option<DateTime<Utc>>,
        clock: &Clock,
    ) -> storage::Result<SymbolOutcome> {
        let response = up_to_own_date(response, responded_at, clock.now, &self.context.calendar);
        let bars: Vec<BarRow> =
            response.bars.into_iter().map(|(symbol, date, bar)| BarRow { symbol, date, bar }).collect();
        let rejected: Vec<String> = response.rejected.iter().map(described).collect();
        let landing = Download {
            symbol,
            holder: self.holder,
            source: self.source.provider.name(),
            bars: &bars,
            spans: &response.spans,
            job: self.job,
            rejected: &rejected,
        };
        let Some(stored) = market::store_download(&self.context.pool, landing).await? else {
            return Ok(SymbolOutcome::TakenOver);
        };
        tracing::debug!(%symbol, bar.count = stored.inserted, "stored {} bars of {symbol}", stored.inserted);
        Ok(SymbolOutcome::Stored)
    }
}

fn failed(reason: String) -> SymbolOutcome {
    SymbolOutcome::Failed { reason, unreachable: false }
}

/// A rejected row for people. The provider's text may have a NUL character, which Postgres cannot store.
fn described(row: &RejectedRow) -> String {
    format!("{}: {}", row.date, row.fault).replace('\0', "\u{fffd}")
}

/// `base`, doubled `times` times.
fn doubled(base: Duration, times: u32) -> Duration {
    base.saturating_mul(1 << times.min(10))
}
