//! The connections that wait for a request. When all places are taken, the one that has waited longest makes room.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// The connections that wait for a request, in the order in which they began to.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// What closes each of them.
    connections: BTreeMap<u64, CancellationToken>,
    /// Whether the next connection that would wait is to close instead.
    wanted: bool,
}

/// A connection's stay among those that wait; it leaves with this value.
#[derive(Debug)]
pub(super) struct Stay {
    waiting: Arc<Waiting>,
    number: u64,
}

impl Waiting {
    /// Adds a connection, which `close` closes.
    pub(super) fn enter(self: &Arc<Self>, close: &CancellationToken) -> Stay {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.connections.insert(number, close.clone());
        if std::mem::take(&mut state.wanted) {
            close.cancel();
        }
        Stay { waiting: Arc::clone(self), number }
    }

    /// Closes the connection that has waited longest; without any, the next one that would wait.
    pub(super) fn make_room(&self) {
        let mut state = self.state();
        match state.connections.pop_first() {
            Some((_, close)) => close.cancel(),
            None => state.wanted = true,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.waiting.state().connections.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_that_has_waited_longest_makes_room() {
        let waiting = Arc::new(Waiting::default());
        let [busy, first, second] = [(); 3].map(|()| CancellationToken::new());
        drop(waiting.enter(&busy));
        let _stays = [waiting.enter(&first), waiting.enter(&second)];

        waiting.make_room();

        assert_eq!([&busy, &first, &second].map(|close| close.is_cancelled()), [false, true, false]);
    }

    #[test]
    fn when_all_are_busy_the_first_that_would_wait_makes_room() {
        let waiting = Arc::new(Waiting::default());
        let [first, second] = [(); 2].map(|()| CancellationToken::new());

        waiting.make_room();
        let _stays = [waiting.enter(&first), waiting.enter(&second)];

        assert_eq!([&first, &second].map(|close| close.is_cancelled()), [true, false]);
    }
}
