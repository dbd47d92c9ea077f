//! Finds events that the broker has lost, in the outboxes of the other services.

mod catch_up;
mod watermark;

pub(crate) use catch_up::CatchUp;
