//! The HTTP edge: serving, probes, problem details.

mod health;
mod problem;
mod serve;

pub use health::{Health, Probe};
pub use problem::Problem;
pub use serve::{bind, serve};
