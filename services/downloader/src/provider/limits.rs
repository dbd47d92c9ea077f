//! Windows of call quotas.

use std::num::NonZeroU32;

use domain::ingest::call_quota::{Counts, Period, REFUSALS, Window, WindowKindSpec, WindowSpec};

/// The day of American providers begins at midnight in this time zone.
const EXCHANGE_ZONE: &str = "America/New_York";

/// A window that lets each call return one period after it was made.
pub(crate) fn rolling(id: &str, per: Period, limit: NonZeroU32) -> Option<Window> {
    let (id, kind, counts) = (id.to_owned(), WindowKindSpec::Rolling, Counts::Calls);
    WindowSpec { id, kind, per, limit, counts, time_zone: None }.try_into().ok()
}

/// A window that lets all calls return when its next period begins in New York.
pub(crate) fn fixed(id: &str, per: Period, limit: NonZeroU32, counts: Counts) -> Option<Window> {
    let (id, kind, time_zone) = (id.to_owned(), WindowKindSpec::Fixed, Some(EXCHANGE_ZONE.to_owned()));
    WindowSpec { id, kind, per, limit, counts, time_zone }.try_into().ok()
}

/// These windows and the one that records the provider's refusals.
pub(crate) fn with_refusals(windows: Vec<Window>) -> Vec<Window> {
    let refusals = fixed(REFUSALS, Period::Day, NonZeroU32::MAX, Counts::Calls);
    windows.into_iter().filter(|window| window.id() != REFUSALS).chain(refusals).collect()
}
