//! A chat-completions endpoint that plays scripts: it really calls tools, and bills like the real ones.
//!
//! A conversation is found by its model and the date in its user message; its step is the number of
//! assistant messages in it. So a call that is sent again gets the same answer.
//! Without a script it has nothing to do, or trades as it sees fit.

mod answer;
mod endpoint;
mod script;
mod told;
mod trader;

pub use endpoint::{ChatCall, ChatEndpoint};
pub use script::{Fault, Script, Use};
