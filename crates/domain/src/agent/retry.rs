//! Whether a failed call is sent again, and after which wait.

use std::time::Duration;

use super::response::{Failure, FailureClass};

const FIRST_WAIT: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// An endpoint that requests a longer wait is given up for the day.
const MAX_WAIT: Duration = Duration::from_secs(60 * 60);
/// Jitter is a number of thousandths.
const MAX_JITTER: u32 = 1_000;

impl FailureClass {
    /// How often a request that fails this way is sent in all; `None` when it would fail again.
    fn max_tries(self) -> Option<u32> {
        match self {
            Self::Throttled => Some(10),
            Self::ServerError | Self::Unreachable => Some(6),
            // These may have been billed each time.
            Self::Timeout | Self::Malformed => Some(3),
            Self::NoMoney
            | Self::BadCredentials
            | Self::BadModel
            | Self::TooLong
            | Self::BadRequest
            | Self::TooLarge
            | Self::Redirected
            | Self::NotAllowed => None,
        }
    }
}

/// The wait before a request is sent again that failed `tries` times, counted from 1; `None` when it is not sent
/// again. Doubles from a second to a minute, is at least the wait that the endpoint requests, and grows by up to half
/// the backoff with `jitter`, a random number of thousandths.
pub fn next_try(failure: &Failure, tries: u32, jitter: u16) -> Option<Duration> {
    let max_tries = failure.class.max_tries()?;
    let requested = failure.retry_after.unwrap_or_default();
    if tries >= max_tries || requested > MAX_WAIT {
        return None;
    }
    let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
    let backoff = FIRST_WAIT.saturating_mul(doubled).min(MAX_BACKOFF);
    let spread = backoff * u32::from(jitter).min(MAX_JITTER) / (2 * MAX_JITTER);
    Some(backoff.max(requested) + spread)
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
    fn the_wait_is_never_below_the_requested_one() {
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
