//! Schema `trigger`: accepted jobs, idempotency keys; and what a plan reads of the others.

mod jobs;
pub mod plan;

pub use jobs::{
    Acceptance, Admission, Idempotency, accept, body, last_completed, mark_ended, prune_keys, unnoticed_ends,
};
