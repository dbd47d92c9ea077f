//! The HTTP edge: serving, probes, problem details.

mod health;
mod number;
mod problem;
mod serve;

pub use health::{Health, Probe};
pub use number::Number;
pub use problem::Problem;
pub use serve::{bind, serve};
