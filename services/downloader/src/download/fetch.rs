//! One call from missing to stored: it is claimed, debited and made, and the response is stored in one commit.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::ingest::coverage::Scope;
use domain::ingest::fetch_plan::Request;
use domain::ingest::import::ActionRow;
use domain::market::corporate_action::Action;
use domain::market::instruments::Symbol;
use domain::values::ids::JobId;
use storage::market::{self, BarRow, Download};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::clock::{Clock, up_to_own_date};
use super::quota::Grant;
use super::source::PriceSource;
use super::source_name::SourceNames;
use super::stop_reason::StopReason;
use super::stored_prices::StoredPrices;
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

/// Makes the calls of one source for one preparation.
pub(super) struct Fetcher {
    pub(super) job: JobId,
    pub(super) context: Arc<Context>,
    pub(super) source: Arc<PriceSource>,
    /// What the preparation needs.
    pub(super) scope: Scope,
    /// The sources in use.
    pub(super) sources: Arc<SourceNames>,
    pub(super) time: ServerTime,
    /// In whose name downloads are claimed.
    pub(super) holder: Uuid,
    /// Once it is cancelled no call is begun; a call in progress is finished.
    pub(super) halt: CancellationToken,
    /// Whether the provider has refused a call as too fast; from then on calls are made one at a time.
    pub(super) throttled: AtomicBool,
    pub(super) one_at_a_time: Mutex<()>,
}

/// What became of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CallOutcome {
    /// A response is stored, by this worker or by another.
    Stored,
    /// It brought nothing this time.
    Failed {
        /// Why, for people.
        reason: String,
        /// Whether there was no response at all.
        unreachable: bool,
    },
    /// The provider has no such prices.
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
    End(CallOutcome),
}

/// How often, and for how long, a call has been made again.
#[derive(Default)]
struct Retries {
    unreachable: u32,
    throttled: u32,
    waited: Duration,
}

/// What a call is to bring.
struct Missing {
    dates: BTreeSet<NaiveDate>,
    symbols: BTreeSet<Symbol>,
    /// Those of them of which no source has ever given a bar.
    strangers: BTreeSet<Symbol>,
}

impl Fetcher {
    /// Makes a call for what is missing, unless another worker does.
    pub(super) async fn fetch(&self, request: &Request) -> storage::Result<CallOutcome> {
        let claim = claim(request);
        let source = self.source.provider.name();
        while !market::take_download(&self.context.pool, &claim, source, self.holder, CLAIM_SECONDS).await? {
            tokio::select! {
                () = self.halt.cancelled() => return Ok(CallOutcome::Halted),
                () = tokio::time::sleep(POLL) => {}
            }
        }
        let outcome = self.fetch_claimed(request, &claim).await?;
        // Storing a response has released the claim already; in that case this changes nothing.
        market::release_download(&self.context.pool, &claim, self.holder).await?;
        Ok(outcome)
    }

    async fn fetch_claimed(&self, request: &Request, claim: &str) -> storage::Result<CallOutcome> {
        let mut retries = Retries::default();
        loop {
            // Another worker may have stored it since the plan was made.
            let clock = Clock::at(&self.context.calendar, self.time.now());
            let missing = self.missing(request, &clock).await?;
            if missing.dates.is_empty() || missing.symbols.is_empty() {
                return Ok(CallOutcome::Stored);
            }
            let slow_lane = match self.throttled.load(Ordering::Relaxed) {
                true => Some(self.one_at_a_time.lock().await),
                false => None,
            };
            if self.halt.is_cancelled() {
                return Ok(CallOutcome::Halted);
            }
            if storage::trigger::is_cancelled(&self.context.pool, self.job).await? {
                self.halt.cancel();
                return Ok(CallOutcome::Halted);
            }
            let symbol = match request {
                Request::Symbol(symbol) => Some(symbol),
                Request::Date(_) => None,
            };
            match self.source.quota.debit(symbol, self.source.provider.calls(), &self.halt).await? {
                Grant::Granted => {}
                Grant::Exhausted { until } => return Ok(CallOutcome::Stopped(self.rate_limited(until))),
                Grant::Halted => return Ok(CallOutcome::Halted),
            }
            let result = self.call(request, &missing, &clock).await;
            drop(slow_lane);
            match self.after_call(result, &mut retries).await? {
                AfterCall::Store(response, responded_at) => {
                    return self.store(claim, *response, responded_at, &clock, &missing.strangers).await;
                }
                AfterCall::Retry => {}
                AfterCall::End(outcome) => return Ok(outcome),
            }
        }
    }

    /// What is missing of what a call brings.
    async fn missing(&self, request: &Request, clock: &Clock) -> storage::Result<Missing> {
        let (pool, sources) = (&self.context.pool, || Arc::clone(&self.sources));
        match request {
            Request::Symbol(symbol) => {
                let stored = StoredPrices::load(pool, self.scope.of(symbol), sources()).await?;
                let dates = stored.need_of(&self.source, clock).dates_of(symbol);
                Ok(Missing { dates, symbols: [symbol.clone()].into(), strangers: BTreeSet::new() })
            }
            Request::Date(date) => {
                let mut stored = StoredPrices::load(pool, self.scope.on(*date), sources()).await?;
                stored.load_homes(pool).await?;
                let is_open = !stored.need_of(&self.source, clock).is_empty();
                let dates = is_open.then_some(*date).into_iter().collect();
                let symbols = stored.lacking_on(*date, &self.source);
                let strangers = symbols.iter().filter(|symbol| stored.is_stranger(symbol)).cloned().collect();
                Ok(Missing { dates, symbols, strangers })
            }
        }
    }

    async fn call(&self, call: &Request, missing: &Missing, clock: &Clock) -> FetchResult {
        let provider = self.source.provider.name();
        let is_session = |date: NaiveDate| self.context.calendar.is_session(date);
        let sessions = clock.sessions(&is_session);
        let Missing { dates, symbols, .. } = missing;
        let request = FetchRequest { call, dates, symbols, sessions, now: clock.now };
        let result = self.source.provider.fetch(&request).await;
        let outcome = result.outcome.class();
        metrics::counter!("modelday_provider_calls_total", "provider" => provider, "outcome" => outcome)
            .increment(result.calls.into());
        result
    }

    /// Decides how to go on after a call, and waits where that is part of it.
    async fn after_call(&self, result: FetchResult, retries: &mut Retries) -> storage::Result<AfterCall> {
        let label = self.source.label.clone();
        let outcome = match result.outcome {
            Outcome::Bars(response) => return Ok(AfterCall::Store(Box::new(response), result.responded_at)),
            Outcome::Throttled { retry_after } => return self.slow_down(retry_after, retries).await,
            Outcome::Unreachable { reason, retry_after } => {
                return Ok(self.retry(reason, retry_after, retries).await);
            }
            Outcome::QuotaExhausted { until } => {
                let until = self.source.quota.record_refusal(|_| until).await?;
                CallOutcome::Stopped(self.rate_limited(until))
            }
            Outcome::PlanGated(Gate::Parameter) => CallOutcome::Gated,
            Outcome::PlanGated(Gate::Endpoint) => CallOutcome::Stopped(StopReason::NotInPlan { label }),
            Outcome::BadCredentials { .. } => CallOutcome::Stopped(StopReason::BadCredentials { label }),
            Outcome::NoPrices(why) => CallOutcome::NoPrices(why),
            Outcome::Malformed { reason } => CallOutcome::Failed { reason, unreachable: false },
            Outcome::BugInRequest { reason } => CallOutcome::Failed { reason, unreachable: true },
        };
        Ok(AfterCall::End(outcome))
    }

    fn rate_limited(&self, until: DateTime<Utc>) -> StopReason {
        StopReason::RateLimited { label: self.source.label.clone(), until }
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
            AfterCall::End(CallOutcome::Stopped(self.rate_limited(until)))
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
            return AfterCall::End(CallOutcome::Failed { reason, unreachable: true });
        }
        tokio::select! {
            () = self.halt.cancelled() => AfterCall::End(CallOutcome::Halted),
            () = tokio::time::sleep(pause) => AfterCall::Retry,
        }
    }

    async fn store(
        &self,
        claim: &str,
        response: PriceResponse,
        responded_at: Option<DateTime<Utc>>,
        clock: &Clock,
        strangers: &BTreeSet<Symbol>,
    ) -> storage::Result<CallOutcome> {
        let mut response = up_to_own_date(response, responded_at, clock.now, &self.context.calendar);
        let absent = response.spans.extract_if(.., |span| strangers.contains(&span.symbol));
        // The source may not know it at all, so that another one is to be asked.
        let refused: Vec<Symbol> = absent.map(|span| span.symbol).collect();
        let bars: Vec<BarRow> =
            response.bars.into_iter().map(|(symbol, date, bar)| BarRow { symbol, date, bar }).collect();
        let action = |(symbol, date, action): (Symbol, NaiveDate, Action)| ActionRow {
            line: 0,
            symbol,
            date,
            kind: action.kind(),
            action: Some(action),
        };
        let actions: Vec<ActionRow> = response.actions.into_iter().map(action).collect();
        let rejected: Vec<(Symbol, String)> =
            response.rejected.iter().map(|row| (row.symbol.clone(), described(row))).collect();
        let landing = Download {
            claim,
            holder: self.holder,
            source: self.source.provider.name(),
            bars: &bars,
            spans: &response.spans,
            actions: &actions,
            job: self.job,
            rejected: &rejected,
        };
        let Some(stored) = market::store_download(&self.context.pool, landing).await? else {
            return Ok(CallOutcome::TakenOver);
        };
        tracing::debug!(bar.count = stored, "stored {stored} bars of {claim}");
        for symbol in &refused {
            let reason = format!("{} has no bar of it", self.source.label.title);
            market::record_refusal(&self.context.pool, &self.source.quota.key, symbol, &reason).await?;
        }
        Ok(CallOutcome::Stored)
    }
}

/// The name under which a call is claimed: its symbol, or its date, which stands for all symbols.
fn claim(request: &Request) -> String {
    match request {
        Request::Symbol(symbol) => symbol.to_string(),
        Request::Date(date) => date.to_string(),
    }
}

/// A rejected row for people. The provider's text may have a NUL character, which Postgres cannot store.
fn described(row: &RejectedRow) -> String {
    format!("{}: {}", row.date, row.fault).replace('\0', "\u{fffd}")
}

/// `base`, doubled `times` times.
fn doubled(base: Duration, times: u32) -> Duration {
    base.saturating_mul(1 << times.min(10))
}
