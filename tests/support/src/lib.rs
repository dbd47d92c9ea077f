//! What tests of several packages share: a database and a virtual host for each test, and waiting.
//!
//! Both are gone when the test ends, however it ends. The servers are those of `make test`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so and end"
)]

mod counts;
mod database;
mod eventually;
mod lines;
mod management;
mod vhost;

pub use counts::Counts;
pub use database::TestDatabase;
pub use eventually::{PATIENCE, eventually};
pub use lines::Lines;
pub use vhost::TestVhost;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: `make test` provides the servers that these tests need; to run them alone, run \
             `deploy/local/stack.sh up` and export what `deploy/local/stack.sh env` prints"
        )
    })
}
