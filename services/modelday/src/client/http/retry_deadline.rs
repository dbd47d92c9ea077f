//! How long the client retries while Modelday does not respond: a restart passes, a mistake does not.

use std::time::Duration;

use tokio::time::Instant;

use super::error::ApiError;

/// How long an outage may last.
const MAX_OUTAGE: Duration = Duration::from_secs(60);

/// Limits how long requests are retried after the last response.
pub(crate) struct RetryDeadline {
    last_response: Instant,
    is_out: bool,
}

impl RetryDeadline {
    /// Begins with a server that has responded just now.
    pub(crate) fn new() -> Self {
        Self { last_response: Instant::now(), is_out: false }
    }

    /// Notes a response: the next outage may last as long again.
    pub(crate) fn reset(&mut self) {
        *self = Self::new();
    }

    /// Allows a retry after `error`. True for the first error of an outage, so that it is reported once.
    ///
    /// # Errors
    /// `error` itself, when a retry does not help or the outage has lasted too long.
    pub(crate) fn allow_retry(&mut self, error: ApiError) -> Result<bool, ApiError> {
        if !is_transient(&error) || self.last_response.elapsed() > MAX_OUTAGE {
            return Err(error);
        }
        Ok(!std::mem::replace(&mut self.is_out, true))
    }
}

/// Whether the same request may succeed in a moment.
fn is_transient(error: &ApiError) -> bool {
    match error {
        ApiError::Unreachable { .. } | ApiError::CutOff { .. } => true,
        ApiError::Problem(problem) => problem.status >= 500 || problem.status == 429,
        ApiError::Unreadable { .. } | ApiError::TooLarge { .. } | ApiError::Address(_) | ApiError::Token => {
            false
        }
    }
}
