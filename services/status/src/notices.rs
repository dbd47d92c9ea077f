//! Who was told of what: each projection tells the listeners of this process which jobs have new events.

use domain::ids::JobId;
use tokio::sync::broadcast;

/// How many notices a slow listener may lag behind before it has to look for itself.
const BACKLOG: usize = 1_024;

/// A job has events up to this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// The job.
    pub job: JobId,
    /// The number of its last event.
    pub last_seq: i64,
}

/// Tells listeners about new events. A notice is a hint: the event log is the truth.
#[derive(Debug, Clone)]
pub struct Notices(broadcast::Sender<Notice>);

impl Default for Notices {
    fn default() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }
}

impl Notices {
    /// Tells all listeners; without any, nothing happens.
    pub fn tell(&self, notice: Notice) {
        let _ = self.0.send(notice);
    }

    /// All notices from here on.
    pub fn listen(&self) -> broadcast::Receiver<Notice> {
        self.0.subscribe()
    }
}
