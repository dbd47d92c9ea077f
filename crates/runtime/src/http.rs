//! The HTTP server: access control, the API's description, probes, problem details.

mod guard;
mod health;
mod number;
mod openapi;
mod params;
mod problem;
mod serve;

pub use guard::Caller;
pub use health::{Health, openapi as probes_openapi};
pub use number::Number;
pub use openapi::document;
pub use params::Params;
pub use problem::{Problem, ProblemBody};
pub use serve::{bind, serve};
