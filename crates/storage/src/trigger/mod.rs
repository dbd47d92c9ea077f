//! Schema `trigger`: accepted jobs, idempotency keys, cancellations, models and universes; and what a dry run reads of the other schemas.

mod acceptance;
mod agents;
mod cancellations;
pub mod catalogue;
pub mod dry_run;
mod failed_days;
mod idempotency;
mod jobs;
mod key_variables;
mod pauses;

pub use acceptance::{Acceptance, Admission, accept};
pub use agents::store_agents;
pub use cancellations::{Cancellation, cancel, is_cancelled};
pub use failed_days::{AcceptedJob, accepted, failed_days};
pub use idempotency::{IdempotencyKey, prune_keys};
pub use jobs::{count_active_jobs, last_completed, mark_ended, unnoticed_ends};
pub use key_variables::key_variables;
pub use pauses::{PauseEffect, has_open_lanes, pause, pause_effects, resume, source_names};
