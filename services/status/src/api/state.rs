//! What all routes share.

use std::sync::Arc;

use chrono::{NaiveDate, Utc};
use domain::market::calendar::exchange_date;
use runtime::relay::Wake;
use storage::PgPool;

use crate::config::ApiSettings;
use crate::feed::Feed;

#[derive(Clone)]
pub(crate) struct Api {
    pub(super) pool: PgPool,
    pub(super) settings: Arc<ApiSettings>,
    pub(super) feed: Feed,
    pub(super) wake: Wake,
}

impl Api {
    /// Routes read through `pool` and stream from `feed`; replayed dead letters notify `wake`.
    pub(crate) fn new(pool: PgPool, settings: ApiSettings, feed: Feed, wake: Wake) -> Self {
        Self { pool, settings: Arc::new(settings), feed, wake }
    }

    /// The date in New York, or `SIMULATED_TODAY`.
    pub(super) fn today(&self) -> NaiveDate {
        self.settings.today.unwrap_or_else(|| exchange_date(Utc::now()))
    }
}
