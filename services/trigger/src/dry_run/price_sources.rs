//! What is known about the sources of prices.

use chrono::{DateTime, NaiveDate, Utc};
use domain::dry_run::{Source, Sources};
use domain::ingest::call_quota::{Decision, NextWindow, REFUSALS, decide, next_window};
use domain::ingest::fetch_plan::Offer;
use domain::ingest::refusals::Refusal;
use domain::market::calendar::{Calendar, exchange_date};
use storage::trigger::dry_run::StoredSource;

/// The sources in order of preference.
pub(super) struct PriceSources {
    /// `None` when no downloader has told of them.
    stored: Option<Vec<StoredSource>>,
}

impl PriceSources {
    pub(super) fn of(stored: Vec<StoredSource>) -> Self {
        Self { stored: Some(stored) }
    }

    pub(super) fn unknown() -> Self {
        Self { stored: None }
    }

    fn listed(&self) -> &[StoredSource] {
        self.stored.as_deref().unwrap_or_default()
    }

    /// The names of their call quotas.
    pub(super) fn keys(&self) -> Vec<&str> {
        self.listed().iter().map(|source| source.quota_key.as_str()).collect()
    }

    /// Whether calls are made for prices that no date needs.
    pub(super) fn have_calls_to_spare(&self) -> bool {
        let is_free = |source: &StoredSource| next_window(&source.windows, source.now).is_none();
        self.stored.as_ref().is_none_or(|sources| !sources.is_empty() && sources.iter().all(is_free))
    }

    /// The sources as a forecast asks them.
    pub(super) fn forecast(&self, calendar: &Calendar, refusals: &[Refusal], now: DateTime<Utc>) -> Sources {
        let Some(stored) = &self.stored else { return Sources::Unknown };
        let source = |source: &StoredSource| {
            let by_it = refusals.iter().filter(|refusal| refusal.source == source.quota_key);
            Source {
                offer: Offer { shape: source.shape, earliest: earliest(source, calendar, now) },
                calls_left: calls_left(source),
                calls_per_request: source.calls_per_request as usize,
                refused: by_it
                    .filter(|refusal| refusal.is_valid(now))
                    .map(|refusal| refusal.symbol.clone())
                    .collect(),
            }
        };
        Sources::Listed(stored.iter().map(source).collect())
    }

    /// Whether there is a source; `None` when that is not known.
    pub(super) fn exist(&self) -> Option<bool> {
        self.stored.as_ref().map(|sources| !sources.is_empty())
    }

    /// The name of the most preferred one.
    pub(super) fn name(&self) -> Option<&str> {
        self.listed().first().map(|source| source.name.as_str())
    }

    /// Calls left in the tightest window of an hour or more, of all sources together; `None` when one has none.
    pub(super) fn budget_left(&self) -> Option<u32> {
        let left = |source: &StoredSource| match waits_too_long(source) {
            true => Some(0),
            false => long_calls_left(source),
        };
        let left: Option<Vec<u32>> = self.listed().iter().map(left).collect();
        left.filter(|left| !left.is_empty()).map(|left| left.into_iter().fold(0, u32::saturating_add))
    }

    /// Calls that may be made now, of all sources together.
    pub(super) fn calls_left(&self) -> usize {
        self.listed().iter().map(calls_left).fold(0, usize::saturating_add)
    }

    /// Whether none of them reaches back to `date`.
    pub(super) fn none_reaches(&self, date: NaiveDate, calendar: &Calendar, now: DateTime<Utc>) -> bool {
        let mut reaches = self.listed().iter().map(|source| earliest(source, calendar, now));
        reaches.all(|earliest| earliest.is_some_and(|earliest| date < earliest))
    }

    /// The window that returns first; `None` without a window of an hour or more.
    pub(super) fn next_window(&self) -> Option<NextWindow> {
        let next = self.listed().iter().filter_map(|source| next_window(&source.windows, source.now));
        next.min_by_key(|next| next.opens_at)
    }
}

fn waits_too_long(source: &StoredSource) -> bool {
    match decide(source.now, &source.windows, None) {
        Decision::Allowed => false,
        Decision::Wait { until, .. } => {
            (until - source.now).to_std().is_ok_and(|wait| wait > source.max_wait)
        }
    }
}

fn calls_left(source: &StoredSource) -> usize {
    match (waits_too_long(source), long_calls_left(source)) {
        (true, _) => 0,
        // A wait that is short enough allows one call more, as in the download.
        (false, Some(calls)) => calls.max(1) as usize,
        (false, None) => usize::MAX,
    }
}

/// Calls left in the tightest window of an hour or more; `None` without such a window.
fn long_calls_left(source: &StoredSource) -> Option<u32> {
    let counting =
        source.windows.iter().filter(|(window, _)| window.id() != REFUSALS && window.per().is_long());
    counting.map(|(window, state)| window.left(state, source.now)).min()
}

/// The oldest session whose prices the provider gives for this key. The recent sessions include today's.
fn earliest(source: &StoredSource, calendar: &Calendar, now: DateTime<Utc>) -> Option<NaiveDate> {
    let sessions = usize::try_from(source.recent_sessions?).ok()?;
    let tomorrow = exchange_date(now).succ_opt()?;
    calendar.sessions_before(tomorrow, sessions).first().copied()
}
