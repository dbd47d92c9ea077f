//! What the routes read from.

use domain::market::calendar::Calendar;
use storage::PgPool;

/// The state of every route.
#[derive(Clone)]
pub(crate) struct ApiState {
    pub(crate) pool: PgPool,
    pub(crate) calendar: Calendar,
}
