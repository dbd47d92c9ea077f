//! What settings say of the sampling, as members of a request.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::agent::settings::{AgentSettings, Sampling};

/// The members that all dialects call the same. Members that are set later replace those of `extra`.
pub(super) fn body(settings: &AgentSettings) -> Map<String, Value> {
    let Sampling { temperature, top_p, extra, .. } = &settings.sampling;
    let mut body: Map<String, Value> = extra.clone().into_iter().collect();
    let mut set = |name: &str, value: Option<Value>| value.map(|value| body.insert(name.to_owned(), value));
    // JSON keeps the decimal's own digits.
    let number = |value: &Option<Decimal>| serde_json::from_str(&value.as_ref()?.to_string()).ok();
    set("temperature", number(temperature));
    set("top_p", number(top_p));
    set("model", Some(Value::from(settings.basemodel.as_str())));
    // Some gateways stream unless this is refused.
    set("stream", Some(Value::from(false)));
    body
}
