//! The events that services publish, and the state of a job that is made from them.

pub mod event;
pub mod job_view;
