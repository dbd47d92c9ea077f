//! What services tell each other, and what the events of a job add up to.

pub mod event;
pub mod job_view;
