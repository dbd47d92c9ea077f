//! What a day is shown of the market, and what it may trade of it.

use crate::market::instruments::Bar;

/// The rules of a job's days. A job keeps those that it was planned with, so that it comes out the same when it is run
/// again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MarketRules {
    /// The rules of the first versions: all prices are as traded, whatever splits came after them, and a session
    /// without volume fills orders.
    AsTraded,
    /// Earlier prices are in the shares of the day, corporate actions are told, a session without volume has no
    /// opening price and fills nothing, and what is held may be sold after it left the universe, or was never in it.
    #[default]
    Restated,
}

impl MarketRules {
    /// Their stable name, in the database and in bundles.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AsTraded => "as_traded",
            Self::Restated => "restated",
        }
    }

    /// Whether nothing was traded in the session of `bar`, so that no order of it is filled.
    pub fn is_halted(self, bar: &Bar) -> bool {
        self == Self::Restated && bar.volume() == 0
    }

    /// The rules of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::AsTraded, Self::Restated].into_iter().find(|rules| rules.as_str() == name)
    }
}
