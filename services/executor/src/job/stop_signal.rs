//! The signal that makes turns of this process let go of a job at once.
//!
//! It only hastens: a turn that misses the signal cannot write any more, since the epoch of its lane is over.

use domain::values::ids::JobId;
use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError};

/// Signals that a turn may be behind with.
const CAPACITY: usize = 1024;

/// Sends the signal to all turns of the process.
pub(crate) struct StopSignals(Sender<JobId>);

impl Default for StopSignals {
    fn default() -> Self {
        Self(broadcast::channel(CAPACITY).0)
    }
}

impl StopSignals {
    /// Stops the turns of `job` in this process.
    pub(crate) fn stop(&self, job: JobId) {
        // An error means that no turn is in hand.
        let _ = self.0.send(job);
    }

    /// Receives every signal from here on. To be called before a turn is taken, so that no signal is missed between
    /// the taking and the listening.
    pub(crate) fn listen(&self) -> StopSignal {
        StopSignal(self.0.subscribe())
    }
}

/// The signals that one turn receives.
pub(crate) struct StopSignal(Receiver<JobId>);

impl StopSignal {
    /// Waits until `job` has to stop.
    pub(crate) async fn received(mut self, job: JobId) {
        loop {
            match self.0.recv().await {
                Ok(stopped) if stopped == job => return,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_turn_receives_the_signal_of_its_own_job_and_of_no_other() {
        let (mine, other) = (JobId(Uuid::from_u128(1)), JobId(Uuid::from_u128(2)));
        let signals = StopSignals::default();
        let (stopped, going_on) = (signals.listen(), signals.listen());

        signals.stop(mine);

        assert_eq!(stopped.received(mine).now_or_never(), Some(()));
        assert_eq!(going_on.received(other).now_or_never(), None);
    }
}
