//! Local stand-ins for Tiingo and Massive. They respond as the real services do, from recorded or generated prices, and
//! refuse what the real ones refuse.
//!
//! A test sets their clock, their limits and their faults. They never call the real services.

mod massive;
mod server;
mod state;
mod tiingo;

pub use server::{Feed, FeedBuilder};
pub use state::FeedCall;
