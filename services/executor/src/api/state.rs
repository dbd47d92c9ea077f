//! What the routes read from.

use std::sync::Arc;

use domain::market::calendar::Calendar;
use storage::PgPool;

use crate::key_store::KeyStore;
use crate::lane::turn::LaneRunner;
use crate::rehearsal::Rehearsals;

/// The state of every route.
#[derive(Clone)]
pub(crate) struct ApiState {
    pub(crate) pool: PgPool,
    pub(crate) calendar: Calendar,
    pub(crate) keys: KeyStore,
    pub(crate) rehearsals: Arc<Rehearsals>,
    /// Runs the lanes of clients over MCP.
    pub(crate) runner: Arc<LaneRunner>,
}
