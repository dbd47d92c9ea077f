//! Schema `trigger`: accepted jobs, idempotency keys.

mod jobs;

pub use jobs::{
    Acceptance, Admission, Idempotency, accept, body, last_completed, mark_ended, prune_keys, unnoticed_ends,
};
