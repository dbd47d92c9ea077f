//! Shared by the tests of several packages: a database and a virtual host for each test, and waiting.
//!
//! Database and virtual host are removed when the test ends, also when it fails. The servers are those of `make test`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so and end"
)]

mod counts;
mod database;
mod environment;
mod eventually;
mod lines;
mod management;
mod proxy;
mod vhost;

pub use counts::Counts;
pub use database::TestDatabase;
pub use eventually::{PATIENCE, eventually};
pub use lines::Lines;
pub use proxy::Proxy;
pub use vhost::TestVhost;
