//! Why an agent's day ended, and whether the day completes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::response::FailureClass;

/// Why an agent's day ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum EndReason {
    /// The agent ended its day.
    Finished,
    /// It neither used tools nor ended its day, even after a reminder.
    NoMoreToSay,
    /// Its messages were empty, twice in a row.
    NoDecision,
    /// It made as many calls of the model as allowed.
    MaxSteps,
    /// It used as many tools as allowed.
    MaxToolCalls,
    /// It used as many tokens as allowed.
    MaxTokens,
    /// It cost as much as allowed.
    MaxCost,
    /// It took as long as allowed.
    WallTime,
    /// The job's budget is used up.
    BudgetExhausted,
    /// Its arguments could not be used, three times in a row.
    BadArguments,
    /// Its message was filtered, or the model refused.
    ContentFilter,
    /// Its message was cut at the limit of tokens, twice in a row.
    Length,
    /// The journal holds another request for this step: the code or the configuration has changed.
    RequestChanged,
    /// A replayed day needs a response that was not recorded.
    NotRecorded,
    /// The endpoint failed for good.
    Endpoint(FailureClass),
}

impl EndReason {
    /// All reasons that are not an endpoint's failure.
    const OWN: [Self; 14] = [
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

    /// The error of a failed day of which nothing else is known.
    pub fn failed(self) -> String {
        format!("the agent's day ended: {self}")
    }

    /// Whether the day completes with what was traded; otherwise it fails and leaves no trace in the portfolio. A day
    /// that ends at a limit completes. Without an endpoint, or with another request than the journal's, there is no
    /// decision that could take effect.
    pub fn completes_day(self) -> bool {
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
            | Self::Length => true,
            Self::RequestChanged | Self::NotRecorded | Self::Endpoint(_) => false,
        }
    }
}

impl EndReason {
    /// Whether the user should be told of a day that ended so, after `tool_calls` that were used (`None`: unknown): the
    /// agent did not get to decide, and nothing that the user has set ended it.
    pub fn is_odd(self, tool_calls: Option<u64>) -> bool {
        match self {
            Self::NoMoreToSay => tool_calls == Some(0),
            Self::NoDecision
            | Self::MaxSteps
            | Self::MaxToolCalls
            | Self::BadArguments
            | Self::ContentFilter
            | Self::Length
            | Self::Endpoint(FailureClass::Malformed | FailureClass::TooLarge) => true,
            Self::Finished
            | Self::MaxTokens
            | Self::MaxCost
            | Self::WallTime
            | Self::BudgetExhausted
            | Self::RequestChanged
            | Self::NotRecorded
            | Self::Endpoint(_) => false,
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
        assert!(EndReason::MaxSteps.completes_day());
        assert!(EndReason::ContentFilter.completes_day());
        assert!(!EndReason::Endpoint(FailureClass::NoMoney).completes_day());
        assert!(!EndReason::NotRecorded.completes_day());
    }

    #[test]
    fn having_no_more_to_say_is_odd_only_for_an_agent_that_did_nothing() {
        assert!(EndReason::NoMoreToSay.is_odd(Some(0)));
        assert!(!EndReason::NoMoreToSay.is_odd(Some(1)));
        assert!(!EndReason::NoMoreToSay.is_odd(None), "days of before were not counted");
        assert!(EndReason::MaxSteps.is_odd(Some(30)));
        assert!(EndReason::Endpoint(FailureClass::Malformed).is_odd(Some(1)));
        assert!(!EndReason::Endpoint(FailureClass::NoMoney).is_odd(Some(0)), "the day says it itself");
        assert!(!EndReason::Finished.is_odd(Some(0)), "to do nothing is a decision");
    }
}
