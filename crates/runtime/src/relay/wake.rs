//! How a service notifies its relay of committed messages.

use std::sync::{Arc, Mutex, PoisonError};

use storage::outbox::StoredMessage;
use tokio::sync::Notify;

/// Notifies the relay that messages were committed.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Signals>);

#[derive(Debug, Default)]
struct Signals {
    commands: Notify,
    events: Notify,
    urgent: Notify,
    handed_over: Notify,
    handed_over_commands: Mutex<Vec<StoredMessage>>,
}

impl Wake {
    /// Call right after a commit that wrote messages of any kind. They are sent at once.
    pub fn wake(&self) {
        self.0.commands.notify_one();
        self.wake_for_urgent_events();
    }

    /// Call right after a commit that wrote only events, of which one is waited for. They are sent at once.
    pub fn wake_for_urgent_events(&self) {
        self.0.events.notify_one();
        self.0.urgent.notify_one();
    }

    /// Call right after a commit that wrote only events which are not urgent: those of several commits may be sent
    /// together.
    pub fn wake_for_events(&self) {
        self.0.events.notify_one();
    }

    /// Hands over a command that was just committed, to be sent without being read from the outbox.
    pub fn hand_over(&self, command: StoredMessage) {
        self.0.handed_over_commands.lock().unwrap_or_else(PoisonError::into_inner).push(command);
        self.0.handed_over.notify_one();
    }

    pub(super) fn commands(&self) -> &Notify {
        &self.0.commands
    }

    pub(super) fn events(&self) -> &Notify {
        &self.0.events
    }

    /// Notified by [`Self::wake`] and [`Self::wake_for_urgent_events`].
    pub(super) fn urgent(&self) -> &Notify {
        &self.0.urgent
    }

    /// Notified by [`Self::hand_over`].
    pub(super) fn handed_over(&self) -> &Notify {
        &self.0.handed_over
    }

    /// The commands handed over since the last call.
    pub(super) fn take_commands(&self) -> Vec<StoredMessage> {
        std::mem::take(&mut *self.0.handed_over_commands.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
