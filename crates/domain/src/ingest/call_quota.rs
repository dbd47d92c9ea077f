//! How many calls a provider's key allows: rate limits over windows of time, each with its own row of state.
//!
//! Pure: `now` is an argument, and the caller stores the state that `debited` and `refused` return.

mod period;

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::market::instruments::Symbol;

pub use period::Period;

/// The window that records the provider's refusals only: it allows every call until one is refused.
pub const REFUSALS: &str = "provider";

/// When a window's calls become available again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowKind {
    /// Each call becomes available again one period after it was made.
    Rolling,
    /// All calls at once, when the next period begins in this time zone.
    Fixed(Tz),
}

/// What a window counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Calls.
    #[default]
    Calls,
    /// Different symbols; a second call for a symbol in the same window is free.
    DistinctSymbols,
}

/// A window as it is written in a configuration.
///
/// ```toml
/// { id = "day", per = "day", limit = 25, kind = "fixed", time_zone = "America/New_York" }
/// { id = "pace", per = "second", limit = 1, kind = "rolling" }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSpec {
    /// The window's name, unique per provider key; it identifies the row of state.
    pub id: String,
    /// `rolling` or `fixed`.
    pub kind: WindowKindSpec,
    /// The length of the window.
    pub per: Period,
    /// How many calls, or symbols, the window allows.
    pub limit: NonZeroU32,
    /// What is counted; calls by default.
    #[serde(default)]
    pub counts: Counts,
    /// The IANA time zone of a fixed window's hours and days; UTC by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// The kind of a window as it is written in a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowKindSpec {
    /// See [`WindowKind::Rolling`].
    Rolling,
    /// See [`WindowKind::Fixed`].
    Fixed,
}

/// Why a specification is not a window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// The time zone is not in the IANA database.
    #[error("window {id:?}: {time_zone:?} is not a time zone")]
    UnknownTimeZone {
        /// The window.
        id: String,
        /// The given text.
        time_zone: String,
    },
    /// A rolling window has a time zone, which would have no effect.
    #[error("window {id:?} is rolling, so it has no time zone")]
    RollingTimeZone {
        /// The window.
        id: String,
    },
    /// A rolling window counts symbols, but has no beginning from which they could be counted.
    #[error("window {id:?} counts distinct symbols, so it must be fixed")]
    RollingSymbols {
        /// The window.
        id: String,
    },
}

/// One rate limit of a provider key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WindowSpec", into = "WindowSpec")]
pub struct Window {
    id: String,
    kind: WindowKind,
    per: Period,
    limit: NonZeroU32,
    counts: Counts,
}

impl TryFrom<WindowSpec> for Window {
    type Error = WindowError;

    fn try_from(spec: WindowSpec) -> Result<Self, Self::Error> {
        let WindowSpec { id, kind, per, limit, counts, time_zone } = spec;
        let kind = match (kind, time_zone) {
            (WindowKindSpec::Rolling, Some(_)) => return Err(WindowError::RollingTimeZone { id }),
            (WindowKindSpec::Rolling, None) if counts == Counts::DistinctSymbols => {
                return Err(WindowError::RollingSymbols { id });
            }
            (WindowKindSpec::Rolling, None) => WindowKind::Rolling,
            (WindowKindSpec::Fixed, None) => WindowKind::Fixed(Tz::UTC),
            (WindowKindSpec::Fixed, Some(name)) => match name.parse() {
                Ok(zone) => WindowKind::Fixed(zone),
                Err(_) => return Err(WindowError::UnknownTimeZone { id, time_zone: name }),
            },
        };
        Ok(Self { id, kind, per, limit, counts })
    }
}

impl From<Window> for WindowSpec {
    fn from(window: Window) -> Self {
        let (kind, time_zone) = match window.kind {
            WindowKind::Rolling => (WindowKindSpec::Rolling, None),
            WindowKind::Fixed(zone) => (WindowKindSpec::Fixed, Some(zone.name().to_owned())),
        };
        let Window { id, per, limit, counts, .. } = window;
        Self { id, kind, per, limit, counts, time_zone }
    }
}

/// The use of one window: one row of a table. The default is an unused window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WindowState {
    /// Rolling windows: the instants of the calls that still count, oldest first. There are more than the limit only
    /// after the limit was lowered.
    pub debits: Vec<DateTime<Utc>>,
    /// Fixed windows: the beginning of the window that `used` and `symbols` belong to.
    pub window_start: Option<DateTime<Utc>>,
    /// Fixed windows that count calls: the number of calls since `window_start`.
    pub used: u32,
    /// Fixed windows that count symbols: the symbols requested since `window_start`.
    pub symbols: BTreeSet<Symbol>,
    /// Until when the provider refuses calls, after a refusal.
    pub blocked_until: Option<DateTime<Utc>>,
}

/// The use of a window, as it is shown to users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Number of calls, or symbols, that it allows.
    pub limit: u32,
    /// Number that was used.
    pub used: u32,
    /// Number that is left; 0 while the provider refuses calls.
    pub left: u32,
    /// When the next used call, or in a fixed window all, become available again; `None` when none was used.
    pub resets_at: Option<DateTime<Utc>>,
}

/// Whether a call may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Every window has room.
    Allowed,
    /// Some window has no room now.
    Wait {
        /// When all windows have room, provided that no other call is made.
        until: DateTime<Utc>,
        /// The window that has room last.
        window: String,
    },
}

/// Whether a call for `symbol` (`None` for a call about a date) fits into all `windows` at `now`.
pub fn decide(now: DateTime<Utc>, windows: &[(Window, WindowState)], symbol: Option<&Symbol>) -> Decision {
    decide_together(now, windows, symbol, 1)
}

/// The same for so many calls that belong together. A window that allows fewer has room for them when it is unused.
pub fn decide_together(
    now: DateTime<Utc>,
    windows: &[(Window, WindowState)],
    symbol: Option<&Symbol>,
    calls: u32,
) -> Decision {
    windows
        .iter()
        .filter_map(|(window, state)| Some((window.free_at(state, now, symbol, calls)?, window)))
        .max_by_key(|(until, _)| *until)
        .map_or(Decision::Allowed, |(until, window)| Decision::Wait { until, window: window.id.clone() })
}

/// The next period of the window of an hour or more that has the fewest calls left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextWindow {
    /// When calls are allowed again.
    pub opens_at: DateTime<Utc>,
    /// How many calls it allows.
    pub calls: u32,
}

/// The next period of the tightest long window; `None` without a window of an hour or more.
pub fn next_window(windows: &[(Window, WindowState)], now: DateTime<Utc>) -> Option<NextWindow> {
    let long = windows.iter().filter(|(window, _)| window.id != REFUSALS && window.per.is_long());
    let (window, state) = long.min_by_key(|(window, state)| window.left(state, now))?;
    let returns_at = match window.kind {
        WindowKind::Fixed(zone) => window.per.end(zone, now),
        WindowKind::Rolling => {
            let oldest = window.at(state, now).debits.first().copied();
            oldest.unwrap_or(now) + window.per.rolling()
        }
    };
    let blocked = windows.iter().filter_map(|(_, state)| state.blocked_until).max();
    Some(NextWindow {
        opens_at: blocked.map_or(returns_at, |until| until.max(returns_at)),
        calls: window.limit.get(),
    })
}

impl Window {
    /// The window's name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The length of the window.
    pub fn per(&self) -> Period {
        self.per
    }

    /// How many more calls fit at `now`; 0 while the provider refuses calls.
    pub fn left(&self, state: &WindowState, now: DateTime<Utc>) -> u32 {
        if state.blocked_until.is_some_and(|until| now < until) {
            return 0;
        }
        self.limit.get().saturating_sub(self.used(&self.at(state, now)))
    }

    /// What is counted.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// When its calls become available again.
    pub fn kind(&self) -> WindowKind {
        self.kind
    }

    /// Its use at `now`.
    pub fn usage(&self, state: &WindowState, now: DateTime<Utc>) -> Usage {
        let current = self.at(state, now);
        let used = self.used(&current);
        let resets_at = match self.kind {
            _ if used == 0 => None,
            WindowKind::Rolling => current.debits.first().map(|debit| *debit + self.per.rolling()),
            WindowKind::Fixed(zone) => Some(self.per.end(zone, now)),
        };
        Usage { limit: self.limit.get(), used, left: self.left(state, now), resets_at }
    }

    /// The state after a call for `symbol` at `now`, even when the call does not fit.
    #[must_use]
    pub fn debited(&self, state: &WindowState, now: DateTime<Utc>, symbol: Option<&Symbol>) -> WindowState {
        let mut state = self.at(state, now);
        match (self.kind, self.counts) {
            (WindowKind::Rolling, _) => state.debits.push(now),
            (WindowKind::Fixed(_), Counts::Calls) => state.used = state.used.saturating_add(1),
            (WindowKind::Fixed(_), Counts::DistinctSymbols) => state.symbols.extend(symbol.cloned()),
        }
        state
    }

    /// The state after the provider refused a call at `now`. No call is allowed before `until` or, without one, before
    /// this window's next period.
    #[must_use]
    pub fn refused(
        &self,
        state: &WindowState,
        now: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
    ) -> WindowState {
        let until = until.unwrap_or_else(|| match self.kind {
            WindowKind::Rolling => now + self.per.rolling(),
            WindowKind::Fixed(zone) => self.per.end(zone, now),
        });
        WindowState { blocked_until: state.blocked_until.max(Some(until)), ..self.at(state, now) }
    }

    /// The first instant at which so many calls fit; `None` when they fit at `now`.
    fn free_at(
        &self,
        state: &WindowState,
        now: DateTime<Utc>,
        symbol: Option<&Symbol>,
        calls: u32,
    ) -> Option<DateTime<Utc>> {
        let blocked = state.blocked_until.filter(|until| now < *until);
        let state = self.at(state, now);
        let limit = self.limit.get();
        // All calls for a symbol count as one symbol.
        let calls = if self.counts == Counts::DistinctSymbols { 1 } else { calls.clamp(1, limit) };
        let free = match (self.kind, self.counts) {
            _ if self.used(&state).saturating_add(calls) <= limit => None,
            (_, Counts::DistinctSymbols) if symbol.is_none_or(|symbol| state.symbols.contains(symbol)) => {
                None
            }
            (WindowKind::Fixed(zone), _) => Some(self.per.end(zone, now)),
            (WindowKind::Rolling, _) => {
                let in_the_way = state.debits.len() + calls as usize - limit as usize;
                state.debits.get(in_the_way - 1).map(|debit| *debit + self.per.rolling())
            }
        };
        free.max(blocked)
    }

    fn used(&self, state: &WindowState) -> u32 {
        let used = match (self.kind, self.counts) {
            (WindowKind::Rolling, _) => state.debits.len(),
            (WindowKind::Fixed(_), Counts::Calls) => return state.used,
            (WindowKind::Fixed(_), Counts::DistinctSymbols) => state.symbols.len(),
        };
        u32::try_from(used).unwrap_or(u32::MAX)
    }

    /// The state without what no longer counts at `now`.
    fn at(&self, state: &WindowState, now: DateTime<Utc>) -> WindowState {
        let mut state = state.clone();
        state.blocked_until = state.blocked_until.filter(|until| now < *until);
        match self.kind {
            WindowKind::Rolling => {
                state.debits.retain(|debit| now < *debit + self.per.rolling());
                state.debits.sort_unstable();
            }
            WindowKind::Fixed(zone) => {
                let start = self.per.start(zone, now);
                if state.window_start.is_none_or(|known| known < start) {
                    state = WindowState {
                        window_start: Some(start),
                        blocked_until: state.blocked_until,
                        ..WindowState::default()
                    };
                }
            }
        }
        state
    }
}

#[cfg(test)]
mod tests;
