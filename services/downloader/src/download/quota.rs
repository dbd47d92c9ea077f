//! The call quota of a provider key: a call is debited before it is made, and the provider's refusals are recorded.
//!
//! What fits is decided in `domain::ingest::call_quota`; the windows are rows that all replicas share, and their
//! time is the time of Postgres.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::ingest::call_quota::{
    Decision, REFUSALS, Window, WindowState, decide, decide_together, next_window,
};
use domain::market::instruments::Symbol;
use storage::market::LockedQuota;
use storage::{PgPool, market};
use tokio_util::sync::CancellationToken;

/// The call quota of one key of one provider.
#[derive(Debug)]
pub(crate) struct CallQuota {
    pub(crate) pool: PgPool,
    /// The provider's name and the key's fingerprint: each key has windows of its own.
    pub(crate) key: String,
    pub(crate) windows: Vec<Window>,
    /// A longer wait counts as exhausted.
    pub(crate) max_wait: Duration,
}

/// Whether a call may be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Grant {
    /// It may, and is debited.
    Granted,
    /// It may not before `until`.
    Exhausted { until: DateTime<Utc> },
    /// The work was halted during the wait.
    Halted,
}

/// How many calls a plan may use.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Allowance {
    /// This many before a wait that is too long.
    Calls(usize),
    /// None before `until`.
    Exhausted { until: DateTime<Utc> },
}

impl CallQuota {
    /// Debits so many calls together or none, for `symbol` if they are about one; waits up to `max_wait` until they are
    /// allowed.
    pub(super) async fn debit(
        &self,
        symbol: Option<&Symbol>,
        calls: u32,
        halt: &CancellationToken,
    ) -> storage::Result<Grant> {
        loop {
            let budget = self.lock().await?;
            let now = budget.now;
            let Decision::Wait { until, .. } = decide_together(now, &budget.windows, symbol, calls) else {
                set_gauge(&self.key, calls_left(&budget.windows, now));
                store_debit(budget, symbol, calls).await?;
                return Ok(Grant::Granted);
            };
            budget.leave().await?;
            let wait = (until - now).to_std().unwrap_or_default();
            if wait > self.max_wait {
                return Ok(Grant::Exhausted { until });
            }
            tokio::select! {
                () = halt.cancelled() => return Ok(Grant::Halted),
                () = tokio::time::sleep(wait + jitter()) => {}
            }
        }
    }

    /// Records that the provider refuses calls until the instant that `until` gives for the time of Postgres or, when
    /// it gives none, until the provider's next day; returns until when.
    pub(super) async fn record_refusal(
        &self,
        until: impl FnOnce(DateTime<Utc>) -> Option<DateTime<Utc>>,
    ) -> storage::Result<DateTime<Utc>> {
        let budget = self.lock().await?;
        let now = budget.now;
        let until = until(now);
        let refusals = budget.windows.iter().filter(|(window, _)| window.id() == REFUSALS);
        let states: Vec<_> = refusals
            .map(|(window, state)| (window.id().to_owned(), window.refused(state, now, until)))
            .collect();
        let blocked = states.iter().filter_map(|(_, state)| state.blocked_until).max();
        budget.store(&states).await?;
        Ok(blocked.unwrap_or(now))
    }

    /// Whether its calls are limited over an hour or more.
    pub(crate) fn is_long(&self) -> bool {
        self.windows.iter().any(|window| window.id() != REFUSALS && !is_short(window))
    }

    /// How many calls a plan may use now.
    pub(super) async fn allowance(&self) -> storage::Result<Allowance> {
        let budget = self.lock().await?;
        let allowance = allowance(&budget.windows, budget.now, self.max_wait);
        budget.leave().await?;
        Ok(allowance)
    }

    /// How many calls the tightest window of an hour or more allows; `None` when there is none.
    pub(super) async fn calls_per_window(&self) -> storage::Result<Option<u32>> {
        let windows = market::peek_call_quota(&self.pool, &self.key, &self.windows).await?;
        Ok(next_window(&windows, storage::now(&self.pool).await?).map(|next| next.calls))
    }

    /// Calls left in the tightest window of an hour or more; `None` when there is none.
    pub(crate) async fn calls_left(&self) -> storage::Result<Option<u32>> {
        let windows = market::peek_call_quota(&self.pool, &self.key, &self.windows).await?;
        let left = calls_left(&windows, storage::now(&self.pool).await?);
        set_gauge(&self.key, left);
        Ok(left)
    }

    async fn lock(&self) -> storage::Result<LockedQuota> {
        market::lock_call_quota(&self.pool, &self.key, &self.windows).await
    }
}

/// Stores debits in every window but that of refusals, which counts no calls.
async fn store_debit(budget: LockedQuota, symbol: Option<&Symbol>, calls: u32) -> storage::Result<()> {
    let counting = budget.windows.iter().filter(|(window, _)| window.id() != REFUSALS);
    let debited = |window: &Window, state: &WindowState| {
        (0..calls).fold(state.clone(), |state, _| window.debited(&state, budget.now, symbol))
    };
    let states: Vec<_> =
        counting.map(|(window, state)| (window.id().to_owned(), debited(window, state))).collect();
    if states.is_empty() { budget.leave().await } else { budget.store(&states).await }
}

fn allowance(windows: &[(Window, WindowState)], now: DateTime<Utc>, max_wait: Duration) -> Allowance {
    if let Decision::Wait { until, .. } = decide(now, windows, None)
        && (until - now).to_std().is_ok_and(|wait| wait > max_wait)
    {
        return Allowance::Exhausted { until };
    }
    let long = windows.iter().filter(|(window, _)| window.id() != REFUSALS && !is_short(window));
    let calls = long.map(|(window, state)| window.left(state, now)).min();
    // A call that has to wait counts as one, or the plan would be empty.
    Allowance::Calls(calls.map_or(usize::MAX, |calls| calls.max(1) as usize))
}

/// Calls left in the tightest window of an hour or more; `None` when there is none.
pub(crate) fn calls_left(windows: &[(Window, WindowState)], now: DateTime<Utc>) -> Option<u32> {
    let counts = |window: &Window, left: u32| window.id() != REFUSALS || left == 0;
    windows
        .iter()
        .filter(|(window, _)| !is_short(window))
        .map(|(window, state)| (window, window.left(state, now)))
        .filter(|(window, left)| counts(window, *left))
        .map(|(_, left)| left)
        .min()
}

/// A window under an hour never limits a plan: its calls are waited for.
fn is_short(window: &Window) -> bool {
    !window.per().is_long()
}

fn set_gauge(key: &str, left: Option<u32>) {
    let provider = key.split(':').next().unwrap_or_default().to_owned();
    if let Some(left) = left {
        metrics::gauge!("modelday_provider_calls_left", "provider" => provider).set(f64::from(left));
    }
}

/// Spreads the calls that wait for the same window. The least value keeps a call that leaves at the very end of its
/// wait from overtaking, on the network, the call before it.
fn jitter() -> Duration {
    Duration::from_millis(rand::random_range(200..300))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use chrono::TimeDelta;

    use super::*;
    use crate::provider::alpha_vantage::{KeyPlan, quota_windows};

    const WAIT: Duration = Duration::from_secs(120);

    fn now() -> DateTime<Utc> {
        "2025-10-30T16:00:00Z".parse().unwrap()
    }

    fn fresh(plan: KeyPlan, per_day: u32) -> Vec<(Window, WindowState)> {
        let windows = quota_windows(plan, None, NonZeroU32::new(per_day));
        windows.into_iter().map(|window| (window, WindowState::default())).collect()
    }

    fn after_calls(mut windows: Vec<(Window, WindowState)>, calls: usize) -> Vec<(Window, WindowState)> {
        for (window, state) in &mut windows {
            for _ in 0..calls {
                *state = window.debited(state, now(), None);
            }
        }
        windows
    }

    #[test]
    fn a_plan_has_as_many_calls_as_the_day() {
        assert_eq!(allowance(&after_calls(fresh(KeyPlan::Free, 0), 5), now(), WAIT), Allowance::Calls(20));
        assert_eq!(allowance(&fresh(KeyPlan::Paid, 0), now(), WAIT), Allowance::Calls(usize::MAX));
    }

    #[test]
    fn a_used_up_day_ends_at_midnight_in_new_york() {
        let until = "2025-10-31T04:00:00Z".parse().unwrap();

        assert_eq!(
            allowance(&after_calls(fresh(KeyPlan::Free, 0), 25), now(), WAIT),
            Allowance::Exhausted { until }
        );
    }

    #[test]
    fn a_short_refusal_leaves_something_to_plan() {
        let mut windows = fresh(KeyPlan::Paid, 0);
        for (window, state) in &mut windows {
            *state = window.refused(state, now(), Some(now() + TimeDelta::seconds(5)));
        }

        assert_eq!(allowance(&windows, now(), WAIT), Allowance::Calls(usize::MAX));
        assert_eq!(calls_left(&windows, now()), Some(0));
    }

    #[test]
    fn a_key_without_a_long_window_has_no_calls_left_to_show() {
        assert_eq!(calls_left(&fresh(KeyPlan::Paid, 0), now()), None);
        assert_eq!(calls_left(&fresh(KeyPlan::Paid, 500), now()), Some(500));
    }
}
