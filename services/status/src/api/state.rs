//! What all routes share.

use std::sync::Arc;

use chrono::{NaiveDate, Utc};
use domain::market::calendar::exchange_date;
use messaging::Authentication;
use runtime::pauses::Pauses;
use runtime::relay::Wake;
use storage::PgPool;

use crate::config::ApiSettings;
use crate::feed::Feed;

#[derive(Clone)]
pub(crate) struct Api {
    pub(super) pool: PgPool,
    pub(super) settings: Arc<ApiSettings>,
    pub(super) feed: Feed,
    pub(super) replays: Replays,
    pub(super) pauses: Pauses,
}

/// How dead letters are published again.
#[derive(Clone, Default)]
pub(crate) struct Replays {
    /// Notified when the message of a replay was committed.
    pub(crate) wake: Wake,
    /// Says whether a letter is authentic.
    pub(crate) authentication: Authentication,
}

impl Api {
    /// Routes read through `pool` and stream from `feed`; they look at `pauses` before they read what is paused.
    pub(crate) fn new(
        pool: PgPool,
        settings: ApiSettings,
        feed: Feed,
        replays: Replays,
        pauses: Pauses,
    ) -> Self {
        Self { pool, settings: Arc::new(settings), feed, replays, pauses }
    }

    /// The date in New York, or `SIMULATED_TODAY`.
    pub(super) fn today(&self) -> NaiveDate {
        self.settings.today.unwrap_or_else(|| exchange_date(Utc::now()))
    }
}
