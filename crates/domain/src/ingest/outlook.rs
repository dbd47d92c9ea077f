//! When the prices that a call quota keeps from a job will be there, and what can be done instead of waiting.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What users can do about prices that the call quota does not allow.
pub const WAYS_OUT: &str = "let the job wait for them with wait_for_data, run it over fewer symbols, or import prices \
     with `modelday prices import`";

/// What is missing when a call quota is used up, and when it will be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    /// When calls are allowed again.
    pub until: DateTime<Utc>,
    /// Symbols that lack prices.
    pub symbols_missing: u32,
    /// In how many windows of the quota, the one that opens at `until` included, the calls for them fit; `None` when
    /// the quota is not known.
    pub windows: Option<u32>,
}

impl Outlook {
    /// The outlook when `calls` calls for `symbols_missing` symbols are left to make, and a window has room for
    /// `calls_per_window`.
    pub fn new(
        until: DateTime<Utc>,
        symbols_missing: usize,
        calls: usize,
        calls_per_window: Option<u32>,
    ) -> Self {
        let windows = calls_per_window.filter(|calls| *calls > 0);
        let windows = windows.map(|per_window| calls.div_ceil(per_window as usize).max(1));
        Self {
            until,
            symbols_missing: u32::try_from(symbols_missing).unwrap_or(u32::MAX),
            windows: windows.map(|windows| u32::try_from(windows).unwrap_or(u32::MAX)),
        }
    }

    /// The one of two outlooks of a job that was made later: less is missing then.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        let order =
            |outlook: &Self| (outlook.until, Reverse(outlook.symbols_missing), Reverse(outlook.windows));
        if order(&other) > order(&self) { other } else { self }
    }
}

impl std::fmt::Display for Outlook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (symbols, lack) = match self.symbols_missing {
            1 => ("symbol", "lacks"),
            _ => ("symbols", "lack"),
        };
        let until = self.until.format("%Y-%m-%d %H:%M UTC");
        write!(
            f,
            "{} {symbols} still {lack} prices; calls are allowed again from {until}",
            self.symbols_missing
        )?;
        match self.windows {
            Some(1) => f.write_str(", and that window has room for all of them"),
            Some(windows) => {
                write!(f, ", and all of them will be there within {windows} windows of the call quota")
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(symbols: usize, per_window: Option<u32>) -> String {
        Outlook::new("2025-10-31T04:00:00Z".parse().unwrap(), symbols, symbols, per_window).to_string()
    }

    #[test]
    fn the_number_of_windows_is_told_when_the_quota_is_known() {
        let begin = "calls are allowed again from 2025-10-31 04:00 UTC";

        assert_eq!(
            text(77, Some(25)),
            format!(
                "77 symbols still lack prices; {begin}, and all of them will be there within 4 windows of the call quota"
            )
        );
        assert_eq!(
            text(1, Some(25)),
            format!("1 symbol still lacks prices; {begin}, and that window has room for all of them")
        );
        assert_eq!(text(2, None), format!("2 symbols still lack prices; {begin}"));
    }
}
