//! How long a Modelday that does not answer is waited for: restarts pass, mistakes do not.

use std::time::Duration;

use tokio::time::Instant;

use super::error::ApiError;

/// How long it may be away.
const AWAY: Duration = Duration::from_secs(60);

/// Waits for a Modelday that has answered before.
pub(super) struct Patience {
    heard: Instant,
    away: bool,
}

impl Patience {
    /// It has answered just now.
    pub(super) fn new() -> Self {
        Self { heard: Instant::now(), away: false }
    }

    /// It answers.
    pub(super) fn heard(&mut self) {
        *self = Self::new();
    }

    /// Bears a problem that passes; whether it is the first since it answered.
    ///
    /// # Errors
    /// The problem, when it will not pass or has lasted too long.
    pub(super) fn bear(&mut self, problem: ApiError) -> Result<bool, ApiError> {
        if !passes(&problem) || self.heard.elapsed() > AWAY {
            return Err(problem);
        }
        Ok(!std::mem::replace(&mut self.away, true))
    }
}

/// Whether the same may work in a moment.
fn passes(problem: &ApiError) -> bool {
    match problem {
        ApiError::Unreachable { .. } | ApiError::CutOff { .. } => true,
        ApiError::Answered(problem) => problem.status >= 500 || problem.status == 429,
        ApiError::Unreadable { .. } | ApiError::Token => false,
    }
}
