//! Messages of the downloader's outbox that can never be planned.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

/// Ids of such messages. The outbox holds them for days, and each is reported once.
#[derive(Default)]
pub(crate) struct Unplannable(Mutex<HashSet<Uuid>>);

impl Unplannable {
    /// Notes a message; true when it was not known.
    pub(crate) fn note(&self, message: Uuid) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(message)
    }

    pub(crate) fn contains(&self, message: Uuid) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&message)
    }
}
