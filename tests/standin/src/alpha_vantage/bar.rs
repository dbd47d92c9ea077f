//! One day's prices as whole ten-thousandths, so that they print as they were recorded.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;

/// A price in ten-thousandths of a dollar. It prints with four decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticks(pub(crate) i64);

impl fmt::Display for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:04}", self.0 / 10_000, self.0 % 10_000)
    }
}

/// Why a text is no price.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a price with four decimals")]
pub(crate) struct TicksError(String);

impl FromStr for Ticks {
    type Err = TicksError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || TicksError(text.to_owned());
        let (whole, fraction) = text.split_once('.').ok_or_else(error)?;
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if fraction.len() != 4 || !digits(whole) || !digits(fraction) {
            return Err(error());
        }
        format!("{whole}{fraction}").parse().map(Self).map_err(|_| error())
    }
}

/// One session of one symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) date: NaiveDate,
    pub(crate) open: Ticks,
    pub(crate) high: Ticks,
    pub(crate) low: Ticks,
    pub(crate) close: Ticks,
    pub(crate) volume: u64,
}

impl Bar {
    /// A valid bar of the same day with other prices; on the `first` poisoned day the open stays.
    pub(crate) fn poisoned(self, first: NaiveDate) -> Self {
        let open = if self.date == first { self.open } else { Ticks(self.open.0 * 3 + 700) };
        let (high, low, close) = (Ticks(open.0 * 7 + 100), Ticks(300), Ticks(open.0 * 5 + 500));
        Self { date: self.date, open, high, low, close, volume: self.volume / 2 + 7 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_prints_as_it_was_read() {
        for text in ["0.0100", "197.3601", "1072.6800"] {
            assert_eq!(text.parse::<Ticks>().unwrap().to_string(), text, "{text}");
        }
    }

    #[test]
    fn a_price_without_four_decimals_is_refused() {
        for text in ["", "1", "1.5", "-1.0000", "+1.0000", "1.00000", ".0001"] {
            assert_eq!(text.parse::<Ticks>(), Err(TicksError(text.to_owned())), "{text}");
        }
    }
}
