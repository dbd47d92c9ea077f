//! What agents' days are expected to use, before they are run.
//!
//! A model's own past days say most. Without them the limits of its days say what they cost at most, but for
//! the last answer of each day, which may exceed a limit. Without either nobody knows, which is not 0.

use rust_decimal::Decimal;

use crate::agent::AgentSettings;
use crate::values::arithmetic::exact_product;

/// Fewer past days than these say nothing about the next one.
pub const ENOUGH_DAYS: u64 = 3;

/// Where an amount comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// The mean of the model's own past days under the same configuration.
    History,
    /// The most that the limits of its days allow.
    Limits,
    /// Nothing is known.
    Unknown,
}

impl Basis {
    /// The basis as the API names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Limits => "limits",
            Self::Unknown => "unknown",
        }
    }
}

/// What a model's past days used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PastDays {
    /// Days all of whose tokens are known.
    pub counted: u64,
    /// Mean tokens of such a day, of request and answer.
    pub tokens: Option<Decimal>,
    /// Days whose whole cost is known.
    pub priced: u64,
    /// Mean dollars of such a day.
    pub cost: Option<Decimal>,
}

/// An amount for each of several days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerDay {
    /// Where it comes from.
    pub basis: Basis,
    /// Of one day; `None` when nothing is known.
    pub amount: Option<Decimal>,
}

/// What each day of an agent is expected to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Tokens of request and answer.
    pub tokens: PerDay,
    /// Dollars.
    pub cost: PerDay,
}

impl PerDay {
    fn of(history: Option<Decimal>, limit: Option<Decimal>) -> Self {
        match (history, limit) {
            (Some(_), _) => Self { basis: Basis::History, amount: history },
            (None, Some(_)) => Self { basis: Basis::Limits, amount: limit },
            (None, None) => Self { basis: Basis::Unknown, amount: None },
        }
    }

    /// Of so many days; `None` when nothing is known or the amount cannot be represented. No day uses nothing.
    pub fn of_days(&self, days: usize) -> Option<Decimal> {
        if days == 0 {
            return Some(Decimal::ZERO);
        }
        self.amount?.checked_mul(Decimal::from(days))
    }
}

/// Estimates a day of an agent with these settings.
pub fn estimate(settings: &AgentSettings, past: &PastDays) -> Estimate {
    let limits = &settings.limits;
    let of_tokens = limits.max_tokens.zip(settings.prices.as_ref()).and_then(|(tokens, prices)| {
        exact_product(Decimal::from(tokens), exact_product(prices.highest(), Decimal::new(1, 6))?)
    });
    let most = [limits.max_cost, of_tokens].into_iter().flatten().min();
    Estimate {
        tokens: PerDay::of(
            past.tokens.filter(|_| past.counted >= ENOUGH_DAYS),
            limits.max_tokens.map(Decimal::from),
        ),
        cost: PerDay::of(past.cost.filter(|_| past.priced >= ENOUGH_DAYS), most),
    }
}

/// What all agents of a job are expected to cost together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// Dollars that past days speak for.
    pub expected: Decimal,
    /// Dollars that the limits allow on top, at most.
    pub at_most: Decimal,
    /// Whether the cost of some day is unknown, so that the sum of the two is too low.
    pub is_partial: bool,
}

/// Whether a budget would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suffices {
    /// It covers what is expected, and the limits of those without past days.
    Yes,
    /// What past days speak for is more.
    No,
    /// The limits allow more than the budget.
    LimitsAllowMore,
    /// The cost of some model is unknown.
    CostUnknown,
}

impl Total {
    /// The sum of days with their costs.
    pub fn of<'a>(costs: impl IntoIterator<Item = (usize, &'a PerDay)>) -> Self {
        let mut total = Self { expected: Decimal::ZERO, at_most: Decimal::ZERO, is_partial: false };
        for (days, cost) in costs.into_iter().filter(|(days, _)| *days > 0) {
            let sum = match cost.basis {
                Basis::History => &mut total.expected,
                Basis::Limits | Basis::Unknown => &mut total.at_most,
            };
            match cost.of_days(days).and_then(|cost| sum.checked_add(cost)) {
                Some(more) => *sum = more,
                None => total.is_partial = true,
            }
        }
        total
    }

    /// Dollars in all, those of unknown days left out.
    pub fn known(&self) -> Decimal {
        self.expected.saturating_add(self.at_most)
    }

    /// The weakest basis that it stands on; of nothing at all, history.
    pub fn basis(&self) -> Basis {
        match (self.is_partial, self.at_most.is_zero()) {
            (true, _) => Basis::Unknown,
            (false, false) => Basis::Limits,
            (false, true) => Basis::History,
        }
    }

    /// Whether `budget` would do.
    pub fn within(&self, budget: Decimal) -> Suffices {
        match (self.expected > budget, self.is_partial, self.known() > budget) {
            (true, _, _) => Suffices::No,
            (false, true, _) => Suffices::CostUnknown,
            (false, false, true) => Suffices::LimitsAllowMore,
            (false, false, false) => Suffices::Yes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn settings(text: &str) -> AgentSettings {
        serde_json::from_str(text).unwrap()
    }

    fn past(days: u64) -> PastDays {
        PastDays { counted: days, tokens: Some(decimal("1200")), priced: days, cost: Some(decimal("0.02")) }
    }

    #[track_caller]
    fn check(settings: &AgentSettings, past: &PastDays, basis: Basis, cost: Option<&str>) {
        let cost = PerDay { basis, amount: cost.map(decimal) };

        assert_eq!(estimate(settings, past).cost, cost);
    }

    #[test]
    fn past_days_say_more_than_limits_once_there_are_enough() {
        let limited = settings(r#"{"basemodel":"m","limits":{"max_cost":"0.50"}}"#);

        check(&limited, &past(3), Basis::History, Some("0.02"));
        check(&limited, &past(2), Basis::Limits, Some("0.50"));
        check(&settings(r#"{"basemodel":"m"}"#), &past(2), Basis::Unknown, None);
    }

    #[test]
    fn tokens_at_the_highest_price_bound_a_day_whose_cost_has_no_limit() {
        let prices = r#""prices":{"input":"1.25","output":"10"}"#;
        let tokens = settings(&format!(r#"{{"basemodel":"m","limits":{{"max_tokens":30000}},{prices}}}"#));
        let both = settings(&format!(
            r#"{{"basemodel":"m","limits":{{"max_tokens":30000,"max_cost":"0.10"}},{prices}}}"#
        ));

        check(&tokens, &PastDays::default(), Basis::Limits, Some("0.3"));
        check(&both, &PastDays::default(), Basis::Limits, Some("0.10"));
        check(
            &settings(r#"{"basemodel":"m","limits":{"max_tokens":30000}}"#),
            &PastDays::default(),
            Basis::Unknown,
            None,
        );
        assert_eq!(estimate(&tokens, &PastDays::default()).tokens.amount, Some(decimal("30000")));
    }

    #[test]
    fn a_budget_is_held_against_what_is_known_and_what_is_not() {
        let per_day = |basis, amount: Option<&str>| PerDay { basis, amount: amount.map(decimal) };
        let history = per_day(Basis::History, Some("0.02"));
        let limits = per_day(Basis::Limits, Some("0.50"));
        let unknown = per_day(Basis::Unknown, None);
        let within = |costs: &[(usize, &PerDay)], budget: &str| {
            Total::of(costs.iter().copied()).within(decimal(budget))
        };

        assert_eq!(within(&[(10, &history)], "0.20"), Suffices::Yes);
        assert_eq!(within(&[(10, &history), (5, &unknown)], "0.19"), Suffices::No);
        assert_eq!(within(&[(10, &history), (1, &limits)], "0.69"), Suffices::LimitsAllowMore);
        assert_eq!(within(&[(10, &history), (1, &limits)], "0.70"), Suffices::Yes);
        assert_eq!(within(&[(10, &history), (1, &unknown)], "9"), Suffices::CostUnknown);
        assert_eq!(within(&[(0, &unknown)], "0.01"), Suffices::Yes, "no day costs nothing");
        assert_eq!(Total::of([(10, &history), (1, &unknown)]).basis(), Basis::Unknown);
        assert_eq!(Total::of([(10, &history), (1, &limits)]).known(), decimal("0.70"));
    }
}
