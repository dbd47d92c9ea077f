//! What agents' days are expected to use, before they are run.
//!
//! The mean of a model's own past days comes first. Without past days the limits of a day are the estimate, although
//! the last response of a day may exceed a limit. Without limits the estimate is unknown, which is not 0.

use rust_decimal::Decimal;

use crate::agent::AgentSettings;
use crate::values::arithmetic::exact_product;

/// Past days that a mean needs.
pub const MIN_PAST_DAYS: u64 = 3;

/// What an amount is based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EstimateBasis {
    /// The mean of the model's own past days with the same configuration.
    History,
    /// The limits of a day.
    Limits,
    /// Nothing is known.
    Unknown,
}

impl EstimateBasis {
    /// The basis as the API names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Limits => "limits",
            Self::Unknown => "unknown",
        }
    }
}

/// What a model's past days have used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PastDays {
    /// Days of which all tokens are known.
    pub counted: u64,
    /// Mean request and response tokens of such a day.
    pub tokens: Option<Decimal>,
    /// Days whose whole cost is known.
    pub priced: u64,
    /// Mean dollars of such a day.
    pub cost: Option<Decimal>,
}

/// An amount for each of several days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyAmount {
    /// What it is based on.
    pub basis: EstimateBasis,
    /// Of one day; `None` when unknown.
    pub amount: Option<Decimal>,
}

/// What each day of an agent is expected to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayEstimate {
    /// Request and response tokens.
    pub tokens: DailyAmount,
    /// Dollars.
    pub cost: DailyAmount,
}

impl DailyAmount {
    fn of(history: Option<Decimal>, limit: Option<Decimal>) -> Self {
        match (history, limit) {
            (Some(_), _) => Self { basis: EstimateBasis::History, amount: history },
            (None, Some(_)) => Self { basis: EstimateBasis::Limits, amount: limit },
            (None, None) => Self { basis: EstimateBasis::Unknown, amount: None },
        }
    }

    /// Of `days` days; `None` when unknown or not representable. 0 for no days.
    pub fn of_days(&self, days: usize) -> Option<Decimal> {
        if days == 0 {
            return Some(Decimal::ZERO);
        }
        self.amount?.checked_mul(Decimal::from(days))
    }
}

/// Estimates a day of an agent with these settings.
pub fn estimate(settings: &AgentSettings, past: &PastDays) -> DayEstimate {
    let limits = &settings.limits;
    let of_tokens = limits.max_tokens.zip(settings.prices.as_ref()).and_then(|(tokens, prices)| {
        exact_product(Decimal::from(tokens), exact_product(prices.highest(), Decimal::new(1, 6))?)
    });
    let max_cost = [limits.max_cost, of_tokens].into_iter().flatten().min();
    DayEstimate {
        tokens: DailyAmount::of(
            past.tokens.filter(|_| past.counted >= MIN_PAST_DAYS),
            limits.max_tokens.map(Decimal::from),
        ),
        cost: DailyAmount::of(past.cost.filter(|_| past.priced >= MIN_PAST_DAYS), max_cost),
    }
}

/// What all agents of a job are expected to cost together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCost {
    /// Dollars that are based on past days.
    pub expected: Decimal,
    /// Dollars that are based on limits: an upper bound for the other days.
    pub at_most: Decimal,
    /// Whether the cost of some day is unknown, so that the sum of the two is too low.
    pub is_partial: bool,
}

/// Whether a budget suffices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetCheck {
    /// It covers the expected cost and the limits of the other days.
    Yes,
    /// The expected cost is higher.
    No,
    /// The limits allow more than the budget.
    LimitsAllowMore,
    /// The cost of some model is unknown.
    CostUnknown,
}

impl JobCost {
    /// The sum of days with their costs.
    pub fn of<'a>(costs: impl IntoIterator<Item = (usize, &'a DailyAmount)>) -> Self {
        let mut total = Self { expected: Decimal::ZERO, at_most: Decimal::ZERO, is_partial: false };
        for (days, cost) in costs.into_iter().filter(|(days, _)| *days > 0) {
            let sum = match cost.basis {
                EstimateBasis::History => &mut total.expected,
                EstimateBasis::Limits | EstimateBasis::Unknown => &mut total.at_most,
            };
            match cost.of_days(days).and_then(|cost| sum.checked_add(cost)) {
                Some(more) => *sum = more,
                None => total.is_partial = true,
            }
        }
        total
    }

    /// Dollars in all, without the unknown ones.
    pub fn known(&self) -> Decimal {
        self.expected.saturating_add(self.at_most)
    }

    /// The weakest basis of its amounts; history when there are none.
    pub fn basis(&self) -> EstimateBasis {
        match (self.is_partial, self.at_most.is_zero()) {
            (true, _) => EstimateBasis::Unknown,
            (false, false) => EstimateBasis::Limits,
            (false, true) => EstimateBasis::History,
        }
    }

    /// Whether `budget` suffices.
    pub fn within(&self, budget: Decimal) -> BudgetCheck {
        match (self.expected > budget, self.is_partial, self.known() > budget) {
            (true, _, _) => BudgetCheck::No,
            (false, true, _) => BudgetCheck::CostUnknown,
            (false, false, true) => BudgetCheck::LimitsAllowMore,
            (false, false, false) => BudgetCheck::Yes,
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
    fn check(settings: &AgentSettings, past: &PastDays, basis: EstimateBasis, cost: Option<&str>) {
        let cost = DailyAmount { basis, amount: cost.map(decimal) };

        assert_eq!(estimate(settings, past).cost, cost);
    }

    #[test]
    fn past_days_say_more_than_limits_once_there_are_enough() {
        let limited = settings(r#"{"basemodel":"m","limits":{"max_cost":"0.50"}}"#);

        check(&limited, &past(3), EstimateBasis::History, Some("0.02"));
        check(&limited, &past(2), EstimateBasis::Limits, Some("0.50"));
        check(&settings(r#"{"basemodel":"m"}"#), &past(2), EstimateBasis::Unknown, None);
    }

    #[test]
    fn tokens_at_the_highest_price_bound_a_day_whose_cost_has_no_limit() {
        let prices = r#""prices":{"input":"1.25","output":"10"}"#;
        let tokens = settings(&format!(r#"{{"basemodel":"m","limits":{{"max_tokens":30000}},{prices}}}"#));
        let both = settings(&format!(
            r#"{{"basemodel":"m","limits":{{"max_tokens":30000,"max_cost":"0.10"}},{prices}}}"#
        ));

        check(&tokens, &PastDays::default(), EstimateBasis::Limits, Some("0.3"));
        check(&both, &PastDays::default(), EstimateBasis::Limits, Some("0.10"));
        check(
            &settings(r#"{"basemodel":"m","limits":{"max_tokens":30000}}"#),
            &PastDays::default(),
            EstimateBasis::Unknown,
            None,
        );
        assert_eq!(estimate(&tokens, &PastDays::default()).tokens.amount, Some(decimal("30000")));
    }

    #[test]
    fn a_budget_is_held_against_what_is_known_and_what_is_not() {
        let per_day = |basis, amount: Option<&str>| DailyAmount { basis, amount: amount.map(decimal) };
        let history = per_day(EstimateBasis::History, Some("0.02"));
        let limits = per_day(EstimateBasis::Limits, Some("0.50"));
        let unknown = per_day(EstimateBasis::Unknown, None);
        let within = |costs: &[(usize, &DailyAmount)], budget: &str| {
            JobCost::of(costs.iter().copied()).within(decimal(budget))
        };

        assert_eq!(within(&[(10, &history)], "0.20"), BudgetCheck::Yes);
        assert_eq!(within(&[(10, &history), (5, &unknown)], "0.19"), BudgetCheck::No);
        assert_eq!(within(&[(10, &history), (1, &limits)], "0.69"), BudgetCheck::LimitsAllowMore);
        assert_eq!(within(&[(10, &history), (1, &limits)], "0.70"), BudgetCheck::Yes);
        assert_eq!(within(&[(10, &history), (1, &unknown)], "9"), BudgetCheck::CostUnknown);
        assert_eq!(within(&[(0, &unknown)], "0.01"), BudgetCheck::Yes, "no day costs nothing");
        assert_eq!(JobCost::of([(10, &history), (1, &unknown)]).basis(), EstimateBasis::Unknown);
        assert_eq!(JobCost::of([(10, &history), (1, &limits)]).known(), decimal("0.70"));
    }
}
