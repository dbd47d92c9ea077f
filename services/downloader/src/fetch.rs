//! One symbol from "missing" to "stored": its download is taken, budgeted, made, and landed in one commit.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use domain::ingest::fetch_plan::Request;
use domain::market::calendar::Calendar;
use domain::market::instruments::Symbol;
use domain::values::ids::JobId;
use storage::PgPool;
use storage::market::{self, BarRow, Landing};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::budget::{CallBudget, Grant};
use crate::lease::FLIGHT_SECONDS;
use crate::prices::Prices;
use crate::provider::{Answer, FetchRequest, Fetched, Gate, Outcome, PriceProvider, RejectedRow};
use crate::sessions::{Clock, vouched};
use crate::stop::Stop;

/// How often a call without an answer is made.
const TRIES: u32 = 3;
/// Wait before the second try; the next is twice that.
const BACKOFF: Duration = Duration::from_millis(500);
/// How often a download in other hands is looked at.
const POLL: Duration = Duration::from_millis(75);

/// Fetches symbols for one preparation.
pub(crate) struct Fetcher {
    pub(crate) job: JobId,
    pub(crate) pool: PgPool,
    pub(crate) provider: Arc<dyn PriceProvider>,
    pub(crate) budget: CallBudget,
    pub(crate) calendar: Calendar,
    /// The sessions that the preparation needs.
    pub(crate) needed: BTreeSet<NaiveDate>,
    /// In whose name downloads are taken.
    pub(crate) holder: Uuid,
    /// Nothing new is begun once it is cancelled; a call under way is finished.
    pub(crate) halt: CancellationToken,
    /// The provider found the calls too fast; they are made one at a time then.
    pub(crate) throttled: AtomicBool,
    pub(crate) one_at_a_time: Mutex<()>,
}

/// What became of a symbol.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// An answer is stored, by us or by somebody else.
    Done,
    /// It cannot be had this time.
    Failed {
        /// Why, for people.
        reason: String,
        /// Whether the provider gave no answer at all.
        unreachable: bool,
    },
    /// The key's plan does not reach as far back as was asked.
    Gated,
    /// Somebody else has taken the download over; what is stored has to be looked at again.
    TakenOver,
    /// Nobody waits for it any more.
    Halted,
    /// No further call makes sense.
    Stopped(Stop),
}

/// What to do after an answer.
enum Next {
    Land(Box<Answer>, Option<DateTime<Utc>>),
    Again,
    End(Fate),
}

/// How patient a download still is.
#[derive(Default)]
struct Patience {
    unreachable: u32,
    throttled: u32,
    waited: Duration,
}

impl Fetcher {
    /// Fetches what is missing of `symbol`, unless somebody else does.
    pub(crate) async fn fetch(&self, symbol: &Symbol) -> storage::Result<Fate> {
        while !market::take_flight(&self.pool, symbol, self.holder, FLIGHT_SECONDS).await? {
            tokio::select! {
                () = self.halt.cancelled() => return Ok(Fate::Halted),
                () = tokio::time::sleep(POLL) => {}
            }
        }
        let fate = self.fetch_in_flight(symbol).await?;
        // Landing gave it back already; then there is nothing to give back.
        market::give_back(&self.pool, symbol, self.holder).await?;
        Ok(fate)
    }

    async fn fetch_in_flight(&self, symbol: &Symbol) -> storage::Result<Fate> {
        let mut patience = Patience::default();
        loop {
            // Somebody else may have stored it since the plan was made.
            let clock = Clock::at(&self.calendar, Utc::now());
            let stored = Prices::of_symbol(&self.pool, &self.needed, symbol).await?;
            let wanted = stored.missing_of(symbol, &clock);
            if wanted.is_empty() {
                return Ok(Fate::Done);
            }
            let slow_lane = match self.throttled.load(Ordering::Relaxed) {
                true => Some(self.one_at_a_time.lock().await),
                false => None,
            };
            if self.halt.is_cancelled() {
                return Ok(Fate::Halted);
            }
            if storage::trigger::is_cancelled(&self.pool, self.job).await? {
                self.halt.cancel();
                return Ok(Fate::Halted);
            }
            match self.budget.debit(symbol, &self.halt).await? {
                Grant::Granted => {}
                Grant::Exhausted { until } => return Ok(Fate::Stopped(Stop::RateLimited { until })),
                Grant::Halted => return Ok(Fate::Halted),
            }
            let fetched = self.call(symbol, &wanted, &clock).await;
            drop(slow_lane);
            if fetched.calls > 1 {
                self.budget.debit_made(symbol, fetched.calls - 1).await?;
            }
            match self.next(fetched, &mut patience).await? {
                Next::Land(answer, answered_at) => {
                    return self.land(symbol, *answer, answered_at, &clock).await;
                }
                Next::Again => {}
                Next::End(fate) => return Ok(fate),
            }
        }
    }

    async fn call(&self, symbol: &Symbol, wanted: &BTreeSet<NaiveDate>, clock: &Clock) -> Fetched {
        let provider = self.provider.name();
        let span = tracing::info_span!(
            "provider call",
            otel.name = format!("fetch {provider}"),
            otel.kind = "client",
            provider,
            %symbol,
            outcome = tracing::field::Empty,
        );
        let call = Request::Symbol(symbol.clone());
        let is_session = |date: NaiveDate| self.calendar.is_session(date);
        let request =
            FetchRequest { call: &call, wanted, sessions: clock.sessions(&is_session), now: clock.now };
        let fetched = self.provider.fetch(&request).instrument(span.clone()).await;
        let outcome = fetched.outcome.class();
        span.record("outcome", outcome);
        metrics::counter!("modelday_provider_calls_total", "provider" => provider, "outcome" => outcome)
            .increment(fetched.calls.into());
        fetched
    }

    /// Decides how to go on after an answer, and waits where that is part of it.
    async fn next(&self, fetched: Fetched, patience: &mut Patience) -> storage::Result<Next> {
        let failed = |reason: String| Ok(Next::End(Fate::Failed { reason, unreachable: false }));
        match fetched.outcome {
            Outcome::Bars(answer) => Ok(Next::Land(Box::new(answer), fetched.answered_at)),
            Outcome::Throttled { retry_after } => self.slow_down(retry_after, patience).await,
            Outcome::QuotaExhausted { until } => {
                let until = self.budget.used_up(until).await?;
                Ok(Next::End(Fate::Stopped(Stop::RateLimited { until })))
            }
            Outcome::PlanGated(Gate::Parameter) => Ok(Next::End(Fate::Gated)),
            Outcome::PlanGated(Gate::Endpoint) => Ok(Next::End(Fate::Stopped(Stop::NotInPlan))),
            Outcome::BadCredentials { .. } => Ok(Next::End(Fate::Stopped(Stop::BadCredentials))),
            Outcome::UnknownSymbol => failed("the symbol is unknown".to_owned()),
            Outcome::Empty => failed("an empty answer".to_owned()),
            Outcome::Malformed { reason } => failed(reason),
            Outcome::BugInRequest { reason } => Ok(Next::End(Fate::Failed { reason, unreachable: true })),
            Outcome::Unreachable { reason, retry_after } => {
                Ok(self.try_again(reason, retry_after, patience).await)
            }
        }
    }

    /// Too fast: the budget is blocked for a while, twice as long each time, and the call is made again.
    async fn slow_down(&self, retry_after: Duration, patience: &mut Patience) -> storage::Result<Next> {
        self.throttled.store(true, Ordering::Relaxed);
        let pause = doubled(retry_after, patience.throttled);
        patience.throttled += 1;
        patience.waited += pause;
        let until = self.budget.throttled(pause).await?;
        let is_too_long = patience.waited > self.budget.max_wait;
        Ok(if is_too_long { Next::End(Fate::Stopped(Stop::RateLimited { until })) } else { Next::Again })
    }

    /// No answer: the call is made again after a while, a few times.
    async fn try_again(
        &self,
        reason: String,
        retry_after: Option<Duration>,
        patience: &mut Patience,
    ) -> Next {
        let backoff = doubled(BACKOFF, patience.unreachable).mul_f64(rand::random_range(0.5..1.0));
        let pause = retry_after.unwrap_or_default().max(backoff);
        patience.unreachable += 1;
        if patience.unreachable >= TRIES || pause > self.budget.max_wait {
            return Next::End(Fate::Failed { reason, unreachable: true });
        }
        tokio::select! {
            () = self.halt.cancelled() => Next::End(Fate::Halted),
            () = tokio::time::sleep(pause) => Next::Again,
        }
    }

    async fn land(
        &self,
        symbol: &Symbol,
        answer: Answer,
        answered_at: Option<DateTime<Utc>>,
        clock: &Clock,
    ) -> storage::Result<Fate> {
        let answer = vouched(answer, answered_at, clock.now, &self.calendar);
        let bars: Vec<BarRow> =
            answer.bars.into_iter().map(|(symbol, date, bar)| BarRow { symbol, date, bar }).collect();
        let rejected: Vec<String> = answer.rejected.iter().map(told).collect();
        let landing = Landing {
            symbol,
            holder: self.holder,
            source: self.provider.name(),
            bars: &bars,
            spans: &answer.spans,
            job: self.job,
            rejected: &rejected,
        };
        let Some(stored) = market::land(&self.pool, landing).await? else { return Ok(Fate::TakenOver) };
        tracing::debug!(%symbol, bar.count = stored.inserted, "stored {} bars of {symbol}", stored.inserted);
        Ok(Fate::Done)
    }
}

/// A rejected row for people. Its date is as the provider wrote it, and Postgres cannot hold every text.
fn told(row: &RejectedRow) -> String {
    format!("{}: {}", row.date, row.fault).replace('\0', "\u{fffd}")
}

/// `base`, doubled `times` over.
fn doubled(base: Duration, times: u32) -> Duration {
    base.saturating_mul(1 << times.min(10))
}
