//! Schema `trigger`: accepted jobs, idempotency keys, cancellations; and what a plan reads of the others.

mod cancellations;
mod failed;
mod jobs;
pub mod plan;

pub use cancellations::{Cancellation, cancel, is_cancelled};
pub use failed::{AcceptedJob, accepted, failed_days};
pub use jobs::{
    Acceptance, Admission, Idempotency, accept, body, last_completed, mark_ended, prune_keys, unnoticed_ends,
};
