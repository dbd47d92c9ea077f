//! The HTTP edge: serving, who may ask, the description of the API, probes, problem details.

mod guard;
mod health;
mod number;
mod openapi;
mod problem;
mod query;
mod serve;

pub use guard::Caller;
pub use health::{Health, Probe, openapi as probes_openapi};
pub use number::Number;
pub use openapi::document;
pub use problem::{Body as ProblemBody, Problem};
pub use query::Params;
pub use serve::{bind, serve};
