//! The HTTP server: access control, the API's description, probes, problem details.

mod caller;
mod compression;
mod connection;
mod connections;
mod described;
mod failures;
mod guard;
mod health;
mod limits;
mod media_type;
mod number;
mod observe;
mod openapi;
mod origin;
mod params;
mod peer;
mod problem;
mod query;
mod serve;
mod tls;
mod waiting;

pub use caller::Caller;
pub use compression::lists;
pub(crate) use described::declare_metrics;
pub use health::{Health, openapi as probes_openapi};
pub(crate) use limits::HeavyRequests;
pub use limits::{HeavyRequest, OpenStream, Streams};
pub use number::Number;
pub use openapi::document;
pub use params::Params;
pub use problem::{Problem, ProblemBody};
pub use serve::{bind, serve};
pub use tls::{TlsError, TlsFiles};
