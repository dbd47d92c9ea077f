//! What a day is shown of the market, and what it may trade of it.

use crate::market::instruments::Bar;
use crate::market::known_actions::KnownActions;
use crate::market::renames::Renames;

/// The rules of a job's days. A job keeps those that it was planned with, so that it comes out the same when it is run
/// again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MarketRules {
    /// The rules of the first versions: all prices are as traded, whatever splits came after them, and a session
    /// without volume fills orders.
    AsTraded,
    /// Earlier prices are in the shares of the day, corporate actions are told, a session without volume has no
    /// opening price and fills nothing, and what is held may be sold after it left the universe, or was never in it.
    Restated,
    /// As [`Self::Restated`], and the shares of a company are the same ones before and after a rename: each day has the
    /// symbol of that day, with one history.
    #[default]
    Continuous,
}

impl MarketRules {
    /// Their stable name, in the database and in bundles.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AsTraded => "as_traded",
            Self::Restated => "restated",
            Self::Continuous => "continuous",
        }
    }

    /// Whether earlier prices are in the shares of the day, and days are shown corporate actions.
    pub fn restates(self) -> bool {
        match self {
            Self::AsTraded => false,
            Self::Restated | Self::Continuous => true,
        }
    }

    /// The renames that count, of those that are known.
    pub fn renames(self, known: &KnownActions) -> &Renames {
        match self {
            Self::AsTraded | Self::Restated => Renames::NONE,
            Self::Continuous => known.renames(),
        }
    }

    /// Whether nothing was traded in the session of `bar`, so that no order of it is filled.
    pub fn is_halted(self, bar: &Bar) -> bool {
        self.restates() && bar.volume() == 0
    }

    /// The rules of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::AsTraded, Self::Restated, Self::Continuous].into_iter().find(|rules| rules.as_str() == name)
    }
}
