//! What follows an answer: use it, ask again, or give up; and how long to wait.

use std::time::Duration;

use super::response::{Failure, FailureClass, MessageClass, ModelResponse};

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// An endpoint that asks for more than this will not serve the day.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);
/// Jitter is a number of thousandths.
const WHOLE_JITTER: u32 = 1_000;

/// What an answer calls for. The session does all of it except `Retry`, which is the shell's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reaction {
    /// Go on: run the tools, nudge, or end as the model says.
    Use,
    /// Tell the model what is wrong with its arguments.
    Correct,
    /// Ask the same once more, as a new step; a second time in a row ends the day.
    AskOnceMore,
    /// The day completes with what was traded so far.
    EndDay,
    /// Send the same request again, at most so many times in all.
    Retry {
        /// The most times the request is sent.
        tries: u32,
    },
    /// The day fails; the same request would fail again.
    FailDay,
}

impl ModelResponse {
    /// What the answer calls for.
    pub fn reaction(&self) -> Reaction {
        match self {
            Self::Message(message) => match message.class() {
                MessageClass::ToolCalls | MessageClass::Final => Reaction::Use,
                MessageClass::BadArguments => Reaction::Correct,
                MessageClass::Empty | MessageClass::Truncated => Reaction::AskOnceMore,
                MessageClass::Refused => Reaction::EndDay,
            },
            Self::Failed(failure) => failure.class.reaction(),
        }
    }
}

impl FailureClass {
    /// What a failure of this class calls for.
    pub fn reaction(self) -> Reaction {
        match self {
            Self::Throttled => Reaction::Retry { tries: 10 },
            Self::ServerError | Self::Unreachable => Reaction::Retry { tries: 6 },
            // These may have been billed each time.
            Self::Timeout | Self::Malformed => Reaction::Retry { tries: 3 },
            Self::NoMoney
            | Self::BadCredentials
            | Self::BadModel
            | Self::TooLong
            | Self::BadRequest
            | Self::TooLarge => Reaction::FailDay,
        }
    }
}

/// The wait before a request is sent again that failed `tries` times, counted from 1; `None` when
/// it is not. Doubles from a second to a minute, is never below what the endpoint asks for, and
/// grows by up to half the backoff with `jitter`, a random number of thousandths.
pub fn next_try(failure: &Failure, tries: u32, jitter: u16) -> Option<Duration> {
    let Reaction::Retry { tries: most } = failure.class.reaction() else { return None };
    let asked = failure.retry_after.unwrap_or_default();
    if tries >= most || asked > LONGEST_WAIT {
        return None;
    }
    let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
    let backoff = FIRST_WAIT.saturating_mul(doubled).min(LONGEST_BACKOFF);
    let spread = backoff * u32::from(jitter).min(WHOLE_JITTER) / (2 * WHOLE_JITTER);
    Some(backoff.max(asked) + spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(class: FailureClass, retry_after: Option<u64>) -> Failure {
        Failure { retry_after: retry_after.map(Duration::from_secs), ..Failure::new(class, "") }
    }

    fn seconds(failure: &Failure, tries: u32, jitter: u16) -> Option<f32> {
        next_try(failure, tries, jitter).map(|wait| wait.as_secs_f32())
    }

    #[test]
    fn the_wait_doubles_to_a_minute_and_ends() {
        let throttled = failure(FailureClass::Throttled, None);

        let waits: Vec<_> = (1..=10).map(|tries| seconds(&throttled, tries, 0)).collect();

        let minute = Some(60.0);
        let expected = [
            Some(1.0),
            Some(2.0),
            Some(4.0),
            Some(8.0),
            Some(16.0),
            Some(32.0),
            minute,
            minute,
            minute,
            None,
        ];
        assert_eq!(waits, expected);
    }

    #[test]
    fn the_wait_is_never_below_what_is_asked_for() {
        let throttled = failure(FailureClass::Throttled, Some(90));

        assert_eq!(seconds(&throttled, 1, 0), Some(90.0));
        assert_eq!(seconds(&throttled, 1, 1_000), Some(90.5));
        assert_eq!(seconds(&throttled, 1, u16::MAX), Some(90.5), "jitter is bounded");
        assert_eq!(seconds(&failure(FailureClass::Throttled, Some(3_601)), 1, 0), None);
    }

    #[test]
    fn what_would_fail_again_is_never_sent_again() {
        for class in FailureClass::ALL {
            let again = next_try(&failure(class, None), 1, 0).is_some();
            let expected = matches!(
                class,
                FailureClass::Throttled
                    | FailureClass::ServerError
                    | FailureClass::Unreachable
                    | FailureClass::Timeout
                    | FailureClass::Malformed
            );
            assert_eq!(again, expected, "{class:?}");
        }
    }
}
