//! What is measured of each call of an endpoint, under the names that OpenTelemetry's conventions for generative AI give
//! calls of language models, as Prometheus spells them.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::agent::{Dialect, EndpointUrl, FailureClass, MessageClass, ModelResponse};
use domain::job::AgentModel;
use metrics::{Label, counter, describe_counter, describe_histogram, histogram};
use rust_decimal::prelude::ToPrimitive as _;

const DURATION: &str = "gen_ai_client_operation_duration_seconds";
const TOKENS: &str = "gen_ai_client_token_usage";
const COST: &str = "modelday_agent_call_cost_dollars";
const CALLS: &str = "modelday_agent_calls_total";
const TO_ENDPOINTS: &str = "modelday_endpoint_calls_total";
const ERRORS: &str = "modelday_endpoint_errors_total";

/// Providers by the ends of their hosts, as the conventions name them.
const PROVIDERS: [(&str, &str); 16] = [
    ("anthropic.com", "anthropic"),
    ("openai.azure.com", "azure.ai.openai"),
    ("amazonaws.com", "aws.bedrock"),
    ("cerebras.ai", "cerebras"),
    ("cohere.com", "cohere"),
    ("deepseek.com", "deepseek"),
    ("fireworks.ai", "fireworks"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("groq.com", "groq"),
    ("mistral.ai", "mistral_ai"),
    ("moonshot.ai", "moonshot_ai"),
    ("openai.com", "openai"),
    ("openrouter.ai", "openrouter"),
    ("perplexity.ai", "perplexity"),
    ("x.ai", "x_ai"),
];

/// Names that are labels: the first hundred of each kind. Users may name models as they like, and each name is a series.
struct Names(Mutex<BTreeSet<String>>);

const MAX_NAMES: usize = 100;
static MODELS: Names = Names(Mutex::new(BTreeSet::new()));
static ADDRESSES: Names = Names(Mutex::new(BTreeSet::new()));

impl Names {
    /// The name itself, or `_OTHER` when there are too many.
    fn label(&self, name: &str) -> String {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !names.contains(name) && names.len() >= MAX_NAMES {
            return "_OTHER".to_owned();
        }
        names.insert(name.to_owned());
        name.to_owned()
    }
}

/// Describes the metrics, and begins those at 0 whose labels are known.
pub(crate) fn declare() {
    describe_histogram!(DURATION, "Time that a call of an endpoint took; with error_type if it failed.");
    describe_histogram!(TOKENS, "Tokens of a call of an endpoint, as the endpoint counts them.");
    describe_histogram!(COST, "Dollars that a call of an endpoint cost, as far as they are known.");
    describe_counter!(CALLS, "Calls of endpoints, by what came back.");
    describe_counter!(TO_ENDPOINTS, "Calls of endpoints, by endpoint.");
    describe_counter!(ERRORS, "Calls of endpoints that failed.");
    let messages = MessageClass::ALL.map(MessageClass::as_str);
    let failures = FailureClass::ALL.map(FailureClass::as_str);
    for class in messages.into_iter().chain(failures) {
        counter!(CALLS, "class" => class).absolute(0);
    }
}

/// A call begins: the counters of its endpoint exist before they increase.
pub(super) fn begins(agent: &AgentModel) {
    counter!(TO_ENDPOINTS, "server_address" => address(agent)).increment(0);
    for class in FailureClass::ALL {
        counter!(ERRORS, "server_address" => address(agent), "error_type" => class.as_str()).increment(0);
    }
}

/// A call has ended.
pub(super) fn ended(agent: &AgentModel, response: &ModelResponse, took: Duration) {
    counter!(CALLS, "class" => response.class()).increment(1);
    counter!(TO_ENDPOINTS, "server_address" => address(agent)).increment(1);
    let labels = labels(agent);
    match response {
        ModelResponse::Failed(failure) => {
            let class = failure.class.as_str();
            counter!(ERRORS, "server_address" => address(agent), "error_type" => class).increment(1);
            let failed = [labels, vec![Label::new("error_type", class)]].concat();
            histogram!(DURATION, failed).record(took);
        }
        ModelResponse::Message(message) => {
            histogram!(DURATION, labels.clone()).record(took);
            for (kind, tokens) in [("input", message.usage.prompt), ("output", message.usage.completion)] {
                if let Some(tokens) = tokens.and_then(|tokens| u32::try_from(tokens).ok()) {
                    let of_kind = [labels.clone(), vec![Label::new("gen_ai_token_type", kind)]].concat();
                    histogram!(TOKENS, of_kind).record(tokens);
                }
            }
            let settings = &agent.settings;
            let cost = message.usage.cost(settings.prices.as_ref(), settings.cost_basis);
            if let Some(dollars) = cost.and_then(|cost| cost.to_f64()) {
                histogram!(COST, labels).record(dollars);
            }
        }
    }
}

fn labels(agent: &AgentModel) -> Vec<Label> {
    vec![
        Label::new("gen_ai_operation_name", operation(agent.dialect)),
        Label::new("gen_ai_provider_name", provider(agent)),
        Label::new("gen_ai_request_model", MODELS.label(&agent.settings.basemodel)),
        Label::new("server_address", address(agent)),
    ]
}

/// The operation, as the conventions name it.
pub(super) fn operation(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::ChatCompletions | Dialect::Messages | Dialect::Responses => "chat",
        Dialect::Agent | Dialect::Mcp => "invoke_agent",
    }
}

/// Who answers: a known provider, or the one whose protocol the endpoint speaks.
pub(super) fn provider(agent: &AgentModel) -> &'static str {
    let host = host(agent);
    let is_of = |end: &str| host == end || host.strip_suffix(end).is_some_and(|before| before.ends_with('.'));
    let known = PROVIDERS.iter().find(|(end, _)| is_of(end)).map(|(_, name)| *name);
    known.unwrap_or(match agent.dialect {
        Dialect::ChatCompletions | Dialect::Responses => "openai",
        Dialect::Messages => "anthropic",
        Dialect::Agent | Dialect::Mcp => "modelday.agent",
    })
}

fn address(agent: &AgentModel) -> String {
    ADDRESSES.label(&host(agent))
}

fn host(agent: &AgentModel) -> String {
    agent.url.parse::<EndpointUrl>().map(|url| url.host()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_a_hundred_names_are_one_label() {
        let names = Names(Mutex::new(BTreeSet::new()));
        let labels: BTreeSet<String> = (0..1_000).map(|n| names.label(&format!("model-{n}"))).collect();

        assert_eq!(labels.len(), MAX_NAMES + 1);
        assert_eq!(names.label("model-7"), "model-7");
        assert_eq!(names.label("model-100"), "_OTHER");
    }
}
