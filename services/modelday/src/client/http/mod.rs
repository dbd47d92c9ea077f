//! The HTTP API as the client calls it: requests, errors, the event stream, and a job as the API describes it.

mod api;
mod connection;
mod error;
mod event_stream;
mod job;
mod retry_deadline;
mod sse;

pub(crate) use api::{Api, ResponseBody};
pub(crate) use connection::Connection;
pub(crate) use error::ApiError;
pub(super) use event_stream::{EventStream, StreamItem};
pub(super) use job::{AcceptedJob, JobStatus, ModelDayCounts};
pub(super) use retry_deadline::RetryDeadline;
pub(super) use sse::Event;
