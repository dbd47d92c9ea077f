//! Stand-ins for the outside world, so that tests and `make run` need no network.

mod alpha_vantage;
pub mod chat;
mod feed;
mod wire;

pub use alpha_vantage::{AlphaVantage, Builder, Call, Fault, FaultError, ScriptedFault};
pub use feed::{Feed, FeedBuilder, FeedCall};
