//! The time of Postgres, which all replicas share, whatever the clocks of their machines say.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};

/// The time of Postgres: read once, and carried on from there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerTime {
    read: DateTime<Utc>,
    at: Instant,
}

impl ServerTime {
    /// The time that was read from Postgres at this moment.
    pub(crate) fn read_now(read: DateTime<Utc>) -> Self {
        Self { read, at: Instant::now() }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.read + TimeDelta::from_std(self.at.elapsed()).unwrap_or_default()
    }
}
