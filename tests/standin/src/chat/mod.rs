//! A chat-completions endpoint that plays scripts: its models call tools and report usage like real ones.
//!
//! The script is found by the model and the date in the user message, the step by the number of assistant messages. So a
//! request that is sent again gets the same response. A model without a script does nothing, or trades by a rule.

mod completion;
mod day_facts;
mod endpoint;
mod provider;
mod script;
mod trader;

pub use endpoint::{ChatCall, ChatEndpoint};
pub use provider::Provider;
pub use script::{Fault, Script, ToolCall};
