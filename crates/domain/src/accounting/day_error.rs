//! Why the accounts of a model-day cannot be made.

use chrono::NaiveDate;

use crate::accounting::portfolio::PortfolioError;
use crate::market::instruments::Symbol;

/// Why a day has no accounts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DayError {
    /// The cash or the positions to begin with are not a portfolio.
    #[error(transparent)]
    Portfolio(#[from] PortfolioError),
    /// The day continues from one that is not before it.
    #[error("{date} is not after {previous}")]
    NotAfter {
        /// The day to open.
        date: NaiveDate,
        /// The day to continue from.
        previous: NaiveDate,
    },
    /// A held symbol has neither a bar that day nor one before it.
    #[error("{0} is held and has no price")]
    Unpriced(Symbol),
    /// An amount needs more than 28 digits.
    #[error("an amount is too large to be exact")]
    TooLarge,
}
