//! Jobs whose lanes this process has to let go of, now. It only hastens: who does not hear of it cannot write any
//! more, since the lanes' epochs are over.

use domain::values::ids::JobId;
use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError};

/// Most stops that a turn may be behind with.
const MOST: usize = 1024;

/// Tells turns to stop.
pub(crate) struct Stops(Sender<JobId>);

impl Default for Stops {
    fn default() -> Self {
        Self(broadcast::channel(MOST).0)
    }
}

impl Stops {
    /// Stops the turns of `job` in this process.
    pub(crate) fn stop(&self, job: JobId) {
        // An error means that no turn is in hand.
        let _ = self.0.send(job);
    }

    /// Hears of every stop from here on. To be called before a turn is taken: a lane that is cut off later is
    /// heard of, and one that was before is not given out.
    pub(crate) fn listen(&self) -> Stop {
        Stop(self.0.subscribe())
    }
}

/// What a turn hears.
pub(crate) struct Stop(Receiver<JobId>);

impl Stop {
    /// Waits until `job` is told to stop.
    pub(crate) async fn told(mut self, job: JobId) {
        loop {
            match self.0.recv().await {
                Ok(told) if told == job => return,
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
    fn a_turn_hears_of_its_own_job_and_of_no_other() {
        let (mine, other) = (JobId(Uuid::from_u128(1)), JobId(Uuid::from_u128(2)));
        let stops = Stops::default();
        let (stopped, going_on) = (stops.listen(), stops.listen());

        stops.stop(mine);

        assert_eq!(stopped.told(mine).now_or_never(), Some(()));
        assert_eq!(going_on.told(other).now_or_never(), None);
    }
}
