//! The provider's budget: a call is debited before it is made, and refusals are remembered.
//!
//! What fits is decided in `domain::ingest::call_quota`; the windows are rows that all replicas share.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::ingest::call_quota::{Decision, Per, REFUSALS, Window, WindowState, decide};
use domain::market::instruments::Symbol;
use storage::market::Budget;
use storage::{PgPool, market};
use tokio_util::sync::CancellationToken;

/// The budget of one key of one provider.
#[derive(Debug, Clone)]
pub(crate) struct CallBudget {
    pub(crate) pool: PgPool,
    /// Provider and fingerprint of the key: another key has budgets of its own.
    pub(crate) key: String,
    pub(crate) windows: Vec<Window>,
    /// Longer waits are not waited for.
    pub(crate) max_wait: Duration,
}

/// Whether a call may be made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// It is debited.
    Granted,
    /// There is none before then.
    Exhausted { until: DateTime<Utc> },
    /// Nobody waits for it any more.
    Halted,
}

/// What the budget allows, seen before a plan is made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// So many calls before a wait that is too long.
    Calls(usize),
    /// None before then.
    Exhausted { until: DateTime<Utc> },
}

impl CallBudget {
    /// Debits a call for `symbol`, waiting for it when that is not too long.
    pub(crate) async fn debit(&self, symbol: &Symbol, halt: &CancellationToken) -> storage::Result<Grant> {
        loop {
            let budget = market::lock_budget(&self.pool, &self.key, &self.windows).await?;
            let now = budget.now;
            let Decision::Wait { until, .. } = decide(now, &budget.windows, Some(symbol)) else {
                tell(&self.key, left(&budget.windows, now));
                store_debit(budget, symbol).await?;
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

    /// Debits `calls` that were made already, whether they fit or not.
    pub(crate) async fn debit_made(&self, symbol: &Symbol, calls: u32) -> storage::Result<()> {
        for _ in 0..calls {
            store_debit(market::lock_budget(&self.pool, &self.key, &self.windows).await?, symbol).await?;
        }
        Ok(())
    }

    /// Remembers that the provider refuses calls for `pause`; answers until when.
    pub(crate) async fn throttled(&self, pause: Duration) -> storage::Result<DateTime<Utc>> {
        let pause = TimeDelta::from_std(pause).unwrap_or(TimeDelta::days(1));
        self.refused(|now| Some(now + pause)).await
    }

    /// Remembers that the day's calls are used up until then, or, when the provider does not say, until its
    /// next day; answers until when.
    pub(crate) async fn used_up(&self, until: Option<DateTime<Utc>>) -> storage::Result<DateTime<Utc>> {
        self.refused(|_| until).await
    }

    async fn refused(
        &self,
        until: impl FnOnce(DateTime<Utc>) -> Option<DateTime<Utc>>,
    ) -> storage::Result<DateTime<Utc>> {
        let budget = market::lock_budget(&self.pool, &self.key, &self.windows).await?;
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

    /// What can be planned with.
    pub(crate) async fn outlook(&self) -> storage::Result<Outlook> {
        let budget = market::lock_budget(&self.pool, &self.key, &self.windows).await?;
        let outlook = outlook(&budget.windows, budget.now, self.max_wait);
        budget.leave().await?;
        Ok(outlook)
    }

    /// Calls left in the tightest window of an hour or more; `None` when there is none.
    pub(crate) async fn left(&self) -> storage::Result<Option<u32>> {
        let windows = market::peek_budget(&self.pool, &self.key, &self.windows).await?;
        let left = left(&windows, Utc::now());
        tell(&self.key, left);
        Ok(left)
    }
}

/// Refusals are no calls, so their window is left as it is.
async fn store_debit(budget: Budget, symbol: &Symbol) -> storage::Result<()> {
    let counting = budget.windows.iter().filter(|(window, _)| window.id() != REFUSALS);
    let debited = |window: &Window, state: &WindowState| window.debited(state, budget.now, Some(symbol));
    let states: Vec<_> =
        counting.map(|(window, state)| (window.id().to_owned(), debited(window, state))).collect();
    if states.is_empty() { budget.leave().await } else { budget.store(&states).await }
}

fn outlook(windows: &[(Window, WindowState)], now: DateTime<Utc>, max_wait: Duration) -> Outlook {
    if let Decision::Wait { until, .. } = decide(now, windows, None)
        && (until - now).to_std().is_ok_and(|wait| wait > max_wait)
    {
        return Outlook::Exhausted { until };
    }
    let long = windows.iter().filter(|(window, _)| window.id() != REFUSALS && !is_short(window));
    let calls = long.map(|(window, state)| window.left(state, now)).min();
    // What is waited for counts as one call, or nothing would be planned.
    Outlook::Calls(calls.map_or(usize::MAX, |calls| calls.max(1) as usize))
}

/// Calls left in the tightest window of an hour or more; `None` when there is none.
pub(crate) fn left(windows: &[(Window, WindowState)], now: DateTime<Utc>) -> Option<u32> {
    let counts = |window: &Window, left: u32| window.id() != REFUSALS || left == 0;
    windows
        .iter()
        .filter(|(window, _)| !is_short(window))
        .map(|(window, state)| (window, window.left(state, now)))
        .filter(|(window, left)| counts(window, *left))
        .map(|(_, left)| left)
        .min()
}

/// Such a window is waited for, whatever it says.
fn is_short(window: &Window) -> bool {
    match window.per() {
        Per::Second | Per::Minute => true,
        Per::Hour | Per::Day | Per::Month => false,
    }
}

fn tell(key: &str, left: Option<u32>) {
    let provider = key.split(':').next().unwrap_or_default().to_owned();
    if let Some(left) = left {
        metrics::gauge!("modelday_provider_budget_left", "provider" => provider).set(f64::from(left));
    }
}

/// Spreads those who wait for the same window; a call that leaves at its very end could overtake, on the
/// network, the one that it has to keep its distance from.
fn jitter() -> Duration {
    Duration::from_millis(rand::random_range(200..300))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::windows::{Plan, windows};

    const WAIT: Duration = Duration::from_secs(120);

    fn now() -> DateTime<Utc> {
        "2025-10-30T16:00:00Z".parse().unwrap()
    }

    fn fresh(plan: Plan, per_day: u32) -> Vec<(Window, WindowState)> {
        let windows = windows(plan, None, NonZeroU32::new(per_day));
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
        assert_eq!(outlook(&after_calls(fresh(Plan::Free, 0), 5), now(), WAIT), Outlook::Calls(20));
        assert_eq!(outlook(&fresh(Plan::Paid, 0), now(), WAIT), Outlook::Calls(usize::MAX));
    }

    #[test]
    fn a_used_up_day_ends_at_midnight_in_new_york() {
        let until = "2025-10-31T04:00:00Z".parse().unwrap();

        assert_eq!(
            outlook(&after_calls(fresh(Plan::Free, 0), 25), now(), WAIT),
            Outlook::Exhausted { until }
        );
    }

    #[test]
    fn a_short_refusal_leaves_something_to_plan() {
        let mut windows = fresh(Plan::Paid, 0);
        for (window, state) in &mut windows {
            *state = window.refused(state, now(), Some(now() + TimeDelta::seconds(5)));
        }

        assert_eq!(outlook(&windows, now(), WAIT), Outlook::Calls(usize::MAX));
        assert_eq!(left(&windows, now()), Some(0));
    }

    #[test]
    fn a_key_without_a_long_window_has_no_budget_to_show() {
        assert_eq!(left(&fresh(Plan::Paid, 0), now()), None);
        assert_eq!(left(&fresh(Plan::Paid, 500), now()), Some(500));
    }
}
