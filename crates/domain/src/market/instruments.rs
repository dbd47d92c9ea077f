//! Symbols, daily bars and universes.

use std::fmt;
use std::str::FromStr;

use arrayvec::ArrayString;
use serde::{Deserialize, Serialize, Serializer};

use crate::values::money::Price;

/// Why a text is not a symbol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a ticker symbol (1 to 12 of A-Z, 0-9, '.', '-')")]
pub struct SymbolError(String);

/// A ticker as the exchange prints it: 1-12 of `A-Z`, `0-9`, `.`, `-`. A class of shares is written with a point, so
/// that `BRK.B`, `BRK-B` and `BRK/B` are one symbol.
///
/// The text is stored inline, because every bar and every fill copies it and a heap allocation each would be slow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Symbol(ArrayString<12>);

impl Symbol {
    /// The ticker as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Symbol {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '.' || c == '-';
        let refused = || SymbolError(text.to_owned());
        let mut symbol = ArrayString::from(text).map_err(|_| refused())?;
        if let Some((company, class)) = company_and_class(text) {
            symbol.clear();
            for part in [company, ".", class] {
                symbol.push_str(part);
            }
        }
        if !symbol.is_empty() && symbol.chars().all(allowed) { Ok(Self(symbol)) } else { Err(refused()) }
    }
}

/// The parts of a symbol that names a class of a company's shares: letters, a separator, and one letter.
fn company_and_class(text: &str) -> Option<(&str, &str)> {
    let (company, class) = text.split_once(['.', '-', '/'])?;
    let is_letters = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_uppercase());
    (is_letters(company) && is_letters(class) && class.len() == 1).then_some((company, class))
}

impl TryFrom<String> for Symbol {
    type Error = SymbolError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl Serialize for Symbol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why four prices are not a bar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BarError {
    /// The high is not the highest of the four prices.
    #[error("high {high} is below {other}")]
    HighTooLow {
        /// The bar's high.
        high: Price,
        /// The price above it.
        other: Price,
    },
    /// The low is not the lowest of the four prices.
    #[error("low {low} is above {other}")]
    LowTooHigh {
        /// The bar's low.
        low: Price,
        /// The price below it.
        other: Price,
    },
}

/// One symbol's prices and volume of one session. `low <= open, close <= high` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bar {
    open: Price,
    high: Price,
    low: Price,
    close: Price,
    volume: u64,
}

impl Bar {
    /// A bar of these prices.
    ///
    /// # Errors
    /// When the high is not the highest or the low not the lowest price.
    pub fn new(open: Price, high: Price, low: Price, close: Price, volume: u64) -> Result<Self, BarError> {
        let top = open.max(close).max(low);
        if high < top {
            return Err(BarError::HighTooLow { high, other: top });
        }
        let bottom = open.min(close);
        if low > bottom {
            return Err(BarError::LowTooHigh { low, other: bottom });
        }
        Ok(Self { open, high, low, close, volume })
    }

    /// The price of the session's opening auction.
    pub fn open(&self) -> Price {
        self.open
    }

    /// The session's highest price.
    pub fn high(&self) -> Price {
        self.high
    }

    /// The session's lowest price.
    pub fn low(&self) -> Price {
        self.low
    }

    /// The price of the session's closing auction.
    pub fn close(&self) -> Price {
        self.close
    }

    /// Shares traded in the session.
    pub fn volume(&self) -> u64 {
        self.volume
    }
}

/// The symbols that a job's models may trade, and the symbol with which their results are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Universe {
    /// Its name, e.g. `nasdaq100`.
    pub name: String,
    /// The members, without repetition, in the order of the file.
    pub symbols: Vec<Symbol>,
    /// The index fund; models may trade it too. A date can run without its bar.
    pub benchmark: Option<Symbol>,
}

impl Universe {
    /// Whether orders in `symbol` are allowed: a member or the benchmark.
    pub fn tradable(&self, symbol: &Symbol) -> bool {
        self.benchmark.as_ref() == Some(symbol) || self.symbols.contains(symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    #[test]
    fn a_symbol_is_upper_case_and_short() {
        assert!("BRK.B".parse::<Symbol>().is_ok());
        assert!("aapl".parse::<Symbol>().is_err());
        assert!("".parse::<Symbol>().is_err());
        assert!("ABCDEFGHIJKLM".parse::<Symbol>().is_err());
    }

    #[test]
    fn a_class_of_shares_is_one_symbol_however_it_is_spelled() {
        let read = |text: &str| text.parse::<Symbol>().unwrap();

        for spelling in ["BRK.B", "BRK-B", "BRK/B"] {
            assert_eq!(read(spelling).as_str(), "BRK.B");
        }
        assert_eq!(read("BF-B"), read("BF.B"));
        for other in ["BTC-USD", "0700.HK", "BAC-PL", "T", "A-1"] {
            assert_eq!(read(other).as_str(), other);
        }
        for wrong in ["/B", "BRK/", "BRK/BB", "B/R/K", "brk/b", "ABCDEFGHIJK/B"] {
            assert!(wrong.parse::<Symbol>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_bar_has_its_high_on_top_and_its_low_at_the_bottom() {
        assert!(Bar::new(price("10"), price("11"), price("9"), price("10.5"), 1).is_ok());
        assert!(Bar::new(price("10"), price("10.2"), price("9"), price("10.5"), 1).is_err());
        assert!(Bar::new(price("10"), price("11"), price("10.1"), price("10.5"), 1).is_err());
        assert!(Bar::new(price("10"), price("9"), price("10"), price("10"), 1).is_err());
    }
}
