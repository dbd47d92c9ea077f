//! How those who commit messages tell the relay.

use std::sync::{Arc, Mutex, PoisonError};

use storage::outbox::StoredMessage;
use tokio::sync::Notify;

/// Tells the relay that something was committed.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Wakes>);

#[derive(Debug, Default)]
struct Wakes {
    commands: Notify,
    events: Notify,
    hurry: Notify,
    handed: Notify,
    messages: Mutex<Vec<StoredMessage>>,
}

impl Wake {
    /// Call right after a commit that wrote messages, whichever they are. They go at once.
    pub fn wake(&self) {
        self.0.commands.notify_one();
        self.0.events.notify_one();
        self.0.hurry.notify_one();
    }

    /// Call right after a commit that wrote events, no command, and nothing that anybody waits for: when there are many
    /// they go together.
    pub fn wake_for_events(&self) {
        self.0.events.notify_one();
    }

    /// Hands over a command that was just committed, so that nobody has to read it again.
    pub fn hand_over(&self, command: StoredMessage) {
        self.0.messages.lock().unwrap_or_else(PoisonError::into_inner).push(command);
        self.0.handed.notify_one();
    }

    pub(super) fn commands(&self) -> &Notify {
        &self.0.commands
    }

    pub(super) fn events(&self) -> &Notify {
        &self.0.events
    }

    /// Returns after a [`Self::wake`].
    pub(super) fn hurry(&self) -> &Notify {
        &self.0.hurry
    }

    /// Returns after something was handed over.
    pub(super) fn handed(&self) -> &Notify {
        &self.0.handed
    }

    /// What was handed over since the last time.
    pub(super) fn take_handed(&self) -> Vec<StoredMessage> {
        std::mem::take(&mut *self.0.messages.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
