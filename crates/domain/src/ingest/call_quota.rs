//! How many calls a provider's key allows: any number of windows, each with its own row of state.
//!
//! Pure: `now` is an argument, and the caller stores the state that `debited` and `refused` return. Time
//! that a fixed window starts and ends at is in `budget/fixed.rs`.

mod fixed;

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::market::instruments::Symbol;

/// The window that only keeps the provider's refusals: it allows everything until one comes.
pub const REFUSALS: &str = "provider";

/// The length of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day; a rolling one has 24 hours.
    Day,
    /// A month; a rolling one has 30 days.
    Month,
}

impl Per {
    fn rolling(self) -> TimeDelta {
        match self {
            Self::Second => TimeDelta::seconds(1),
            Self::Minute => TimeDelta::minutes(1),
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
            Self::Month => TimeDelta::days(30),
        }
    }
}

/// When a window's calls become available again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Each call its own time after it was made.
    Rolling,
    /// All at once, when the next second, minute, hour, day or month begins in this time zone.
    Fixed(Tz),
}

/// What a window counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Calls.
    #[default]
    Calls,
    /// Different symbols asked for; a symbol already asked for in the window is free.
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
    /// What the window is called; it names the row of state, so it is unique per provider key.
    pub id: String,
    /// `rolling` or `fixed`.
    pub kind: KindSpec,
    /// The length of the window.
    pub per: Per,
    /// How many calls, or symbols, the window allows.
    pub limit: NonZeroU32,
    /// What is counted; calls when it is left out.
    #[serde(default)]
    pub counts: Counts,
    /// The IANA time zone in whose hours and days a fixed window begins; UTC when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// The word for a window's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KindSpec {
    /// See [`Kind::Rolling`].
    Rolling,
    /// See [`Kind::Fixed`].
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
        /// What was given.
        time_zone: String,
    },
    /// A rolling window has no beginning that a time zone could move.
    #[error("window {id:?} is rolling, so it has no time zone")]
    RollingTimeZone {
        /// The window.
        id: String,
    },
    /// Symbols are counted from the beginning of a window, which a rolling one does not have.
    #[error("window {id:?} counts distinct symbols, so it must be fixed")]
    RollingSymbols {
        /// The window.
        id: String,
    },
}

/// One limit of a provider key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WindowSpec", into = "WindowSpec")]
pub struct Window {
    id: String,
    kind: Kind,
    per: Per,
    limit: NonZeroU32,
    counts: Counts,
}

impl TryFrom<WindowSpec> for Window {
    type Error = WindowError;

    fn try_from(spec: WindowSpec) -> Result<Self, Self::Error> {
        let WindowSpec { id, kind, per, limit, counts, time_zone } = spec;
        let kind = match (kind, time_zone) {
            (KindSpec::Rolling, Some(_)) => return Err(WindowError::RollingTimeZone { id }),
            (KindSpec::Rolling, None) if counts == Counts::DistinctSymbols => {
                return Err(WindowError::RollingSymbols { id });
            }
            (KindSpec::Rolling, None) => Kind::Rolling,
            (KindSpec::Fixed, None) => Kind::Fixed(Tz::UTC),
            (KindSpec::Fixed, Some(name)) => match name.parse() {
                Ok(zone) => Kind::Fixed(zone),
                Err(_) => return Err(WindowError::UnknownTimeZone { id, time_zone: name }),
            },
        };
        Ok(Self { id, kind, per, limit, counts })
    }
}

impl From<Window> for WindowSpec {
    fn from(window: Window) -> Self {
        let (kind, time_zone) = match window.kind {
            Kind::Rolling => (KindSpec::Rolling, None),
            Kind::Fixed(zone) => (KindSpec::Fixed, Some(zone.name().to_owned())),
        };
        let Window { id, per, limit, counts, .. } = window;
        Self { id, kind, per, limit, counts, time_zone }
    }
}

/// What has been used of one window: one row of a table. The default is an unused window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WindowState {
    /// Rolling windows: when each call that still counts was made, oldest first; never more than the limit
    /// unless the limit was lowered.
    pub debits: Vec<DateTime<Utc>>,
    /// Fixed windows: the beginning of the window that `used` and `symbols` are about.
    pub window_start: Option<DateTime<Utc>>,
    /// Fixed windows that count calls: how many were made since `window_start`.
    pub used: u32,
    /// Fixed windows that count symbols: those asked for since `window_start`.
    pub symbols: BTreeSet<Symbol>,
    /// Until when the provider has said it will refuse calls.
    pub blocked_until: Option<DateTime<Utc>>,
}

/// How a window stands, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Calls, or symbols, that it allows.
    pub limit: u32,
    /// How many were made.
    pub used: u32,
    /// How many are left; 0 while the provider refuses.
    pub left: u32,
    /// When some, or in a fixed window all, of those that were made no longer count; `None` when none was made.
    pub resets_at: Option<DateTime<Utc>>,
}

/// Whether a call may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Every window has room.
    Allowed,
    /// Some window has no room before `until`.
    Wait {
        /// When all windows have room, if no call is made meanwhile.
        until: DateTime<Utc>,
        /// The window that takes the longest.
        window: String,
    },
}

/// Whether a call for `symbol` (`None` for a call about a date) fits into all `windows` at `now`.
pub fn decide(now: DateTime<Utc>, windows: &[(Window, WindowState)], symbol: Option<&Symbol>) -> Decision {
    windows
        .iter()
        .filter_map(|(window, state)| Some((window.free_at(state, now, symbol)?, window)))
        .max_by_key(|(until, _)| *until)
        .map_or(Decision::Allowed, |(until, window)| Decision::Wait { until, window: window.id.clone() })
}

impl Window {
    /// What the window is called.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The length of the window: what is waited for, and what ends a download, depends on it.
    pub fn per(&self) -> Per {
        self.per
    }

    /// How many more calls fit at `now`; 0 while the provider refuses.
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
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How it stands at `now`.
    pub fn usage(&self, state: &WindowState, now: DateTime<Utc>) -> Usage {
        let current = self.at(state, now);
        let used = self.used(&current);
        let resets_at = match self.kind {
            _ if used == 0 => None,
            Kind::Rolling => current.debits.first().map(|debit| *debit + self.per.rolling()),
            Kind::Fixed(zone) => Some(fixed::end(self.per, zone, now)),
        };
        Usage { limit: self.limit.get(), used, left: self.left(state, now), resets_at }
    }

    /// The state after a call for `symbol` at `now`, whether it fits or not.
    #[must_use]
    pub fn debited(&self, state: &WindowState, now: DateTime<Utc>, symbol: Option<&Symbol>) -> WindowState {
        let mut state = self.at(state, now);
        match (self.kind, self.counts) {
            (Kind::Rolling, _) => state.debits.push(now),
            (Kind::Fixed(_), Counts::Calls) => state.used = state.used.saturating_add(1),
            (Kind::Fixed(_), Counts::DistinctSymbols) => state.symbols.extend(symbol.cloned()),
        }
        state
    }

    /// The state after the provider refused a call made at `now`: nothing is sent before `until`, or,
    /// when the provider did not say, before this window has rolled over.
    #[must_use]
    pub fn refused(
        &self,
        state: &WindowState,
        now: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
    ) -> WindowState {
        let until = until.unwrap_or_else(|| match self.kind {
            Kind::Rolling => now + self.per.rolling(),
            Kind::Fixed(zone) => fixed::end(self.per, zone, now),
        });
        WindowState { blocked_until: state.blocked_until.max(Some(until)), ..self.at(state, now) }
    }

    /// When a call fits, when it does not fit at `now`.
    fn free_at(
        &self,
        state: &WindowState,
        now: DateTime<Utc>,
        symbol: Option<&Symbol>,
    ) -> Option<DateTime<Utc>> {
        let blocked = state.blocked_until.filter(|until| now < *until);
        let state = self.at(state, now);
        let free = match (self.kind, self.counts) {
            _ if self.used(&state) < self.limit.get() => None,
            (_, Counts::DistinctSymbols) if symbol.is_none_or(|symbol| state.symbols.contains(symbol)) => {
                None
            }
            (Kind::Fixed(zone), _) => Some(fixed::end(self.per, zone, now)),
            (Kind::Rolling, _) => {
                let in_the_way = state.debits.len() - self.limit.get() as usize;
                state.debits.get(in_the_way).map(|debit| *debit + self.per.rolling())
            }
        };
        free.max(blocked)
    }

    fn used(&self, state: &WindowState) -> u32 {
        let used = match (self.kind, self.counts) {
            (Kind::Rolling, _) => state.debits.len(),
            (Kind::Fixed(_), Counts::Calls) => return state.used,
            (Kind::Fixed(_), Counts::DistinctSymbols) => state.symbols.len(),
        };
        u32::try_from(used).unwrap_or(u32::MAX)
    }

    /// The state with everything forgotten that no longer counts at `now`.
    fn at(&self, state: &WindowState, now: DateTime<Utc>) -> WindowState {
        let mut state = state.clone();
        state.blocked_until = state.blocked_until.filter(|until| now < *until);
        match self.kind {
            Kind::Rolling => {
                state.debits.retain(|debit| now < *debit + self.per.rolling());
                state.debits.sort_unstable();
            }
            Kind::Fixed(zone) => {
                let start = fixed::start(self.per, zone, now);
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
