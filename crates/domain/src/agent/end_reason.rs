//! Why an agent's day ended, and whether it counts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::response::FailureClass;

/// Whether what was traded takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The day completes with what was traded.
    Completes,
    /// The day fails and leaves no trace in the portfolio.
    Fails,
}

/// Why an agent's day ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum EndReason {
    /// The agent said that it is done.
    Finished,
    /// It neither used tools nor said that it is done, also when reminded.
    NoMoreToSay,
    /// It answered nothing, twice in a row.
    NoDecision,
    /// It was asked as often as allowed.
    MaxSteps,
    /// It used as many tools as allowed.
    MaxToolCalls,
    /// It used as many tokens as allowed.
    MaxTokens,
    /// It cost as much as allowed.
    MaxCost,
    /// It took as long as allowed.
    WallTime,
    /// The job's money is used up.
    BudgetExhausted,
    /// Its arguments could not be used, three times in a row.
    BadArguments,
    /// Its answer was filtered, or it refused.
    ContentFilter,
    /// Its answer was cut at the limit, twice in a row.
    Length,
    /// The journal holds another request for this step: the code or the configuration has changed.
    RequestChanged,
    /// A replayed day asks for what was not recorded.
    NotRecorded,
    /// The endpoint failed for good.
    Endpoint(FailureClass),
}

impl EndReason {
    /// All reasons that are not an endpoint's failure.
    pub const OWN: [Self; 14] = [
        Self::Finished,
        Self::NoMoreToSay,
        Self::NoDecision,
        Self::MaxSteps,
        Self::MaxToolCalls,
        Self::MaxTokens,
        Self::MaxCost,
        Self::WallTime,
        Self::BudgetExhausted,
        Self::BadArguments,
        Self::ContentFilter,
        Self::Length,
        Self::RequestChanged,
        Self::NotRecorded,
    ];

    /// The reason's stable name, for rows and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::NoMoreToSay => "no_more_to_say",
            Self::NoDecision => "no_decision",
            Self::MaxSteps => "max_steps",
            Self::MaxToolCalls => "max_tool_calls",
            Self::MaxTokens => "max_tokens",
            Self::MaxCost => "max_cost",
            Self::WallTime => "wall_time",
            Self::BudgetExhausted => "budget_exhausted",
            Self::BadArguments => "bad_arguments",
            Self::ContentFilter => "content_filter",
            Self::Length => "length",
            Self::RequestChanged => "request_changed",
            Self::NotRecorded => "not_recorded",
            Self::Endpoint(class) => class.as_str(),
        }
    }

    /// What a failed day tells when nothing else is known.
    pub fn failed(self) -> String {
        format!("the agent's day ended: {self}")
    }

    /// Whether the day takes effect. A limit is an end like any other; without an endpoint, or
    /// without the same facts, there is no decision to take effect.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Finished
            | Self::NoMoreToSay
            | Self::NoDecision
            | Self::MaxSteps
            | Self::MaxToolCalls
            | Self::MaxTokens
            | Self::MaxCost
            | Self::WallTime
            | Self::BudgetExhausted
            | Self::BadArguments
            | Self::ContentFilter
            | Self::Length => Outcome::Completes,
            Self::RequestChanged | Self::NotRecorded | Self::Endpoint(_) => Outcome::Fails,
        }
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is no reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no reason for a day to end")]
pub struct EndReasonError(String);

impl FromStr for EndReason {
    type Err = EndReasonError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::OWN.into_iter().chain(FailureClass::ALL.map(Self::Endpoint));
        all.find(|reason| reason.as_str() == text).ok_or_else(|| EndReasonError(text.to_owned()))
    }
}

impl TryFrom<String> for EndReason {
    type Error = EndReasonError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<EndReason> for String {
    fn from(reason: EndReason) -> Self {
        reason.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_name_of_its_own() {
        let all: Vec<_> =
            EndReason::OWN.into_iter().chain(FailureClass::ALL.map(EndReason::Endpoint)).collect();

        for reason in all {
            assert_eq!(reason.as_str().parse(), Ok(reason));
        }
        assert!("done".parse::<EndReason>().is_err());
    }

    #[test]
    fn a_limit_completes_the_day_and_an_endpoint_fails_it() {
        assert_eq!(EndReason::MaxSteps.outcome(), Outcome::Completes);
        assert_eq!(EndReason::ContentFilter.outcome(), Outcome::Completes);
        assert_eq!(EndReason::Endpoint(FailureClass::NoMoney).outcome(), Outcome::Fails);
        assert_eq!(EndReason::NotRecorded.outcome(), Outcome::Fails);
    }
}
