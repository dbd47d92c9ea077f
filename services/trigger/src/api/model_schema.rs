//! The schema of a model's members, for the API's description only. The catalogue reads them, and reports what is wrong.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;

/// The members of a model, as in an entry of `configs/models.toml`; docs/configuration.md says what they mean.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes; the catalogue reads the body")]
pub(super) struct ModelMembers {
    /// As in the address, or absent.
    signature: Option<String>,
    /// How it decides: `recorded`, `policy`, `llm` or `http`.
    #[schema(pattern = "^(recorded|policy|llm|http)$", example = "policy")]
    kind: String,
    /// Whether it runs when a request names no models; false when absent.
    enabled: Option<bool>,
    /// Dollars before the first day, as text or number; 10000 when absent.
    #[schema(value_type = Option<Value>)]
    initial_cash: Option<Value>,
    /// Separate portfolios; 1 when absent.
    #[schema(minimum = 1, maximum = 1000)]
    trials: Option<u32>,
    /// Last date of the model's training data.
    #[schema(format = Date)]
    training_cutoff: Option<String>,
    /// `bps`, `per_share`, `min`, `max_bps_of_notional`, `slippage_bps`.
    costs: Option<BTreeMap<String, Value>>,
    /// `policy`: the rule with its parameters.
    #[schema(value_type = Option<Object>, example = json!({ "policy": "buy_and_hold", "symbol": "QQQ" }))]
    policy: Option<Value>,
    /// `recorded`: lines of `model,date,sequence,action,symbol,quantity`.
    decisions_csv: Option<String>,
    /// `llm`: the endpoint's protocol: `chat_completions`, `messages` or `responses`.
    dialect: Option<String>,
    /// `llm`: the address of the endpoint.
    base_url: Option<String>,
    /// `llm`: the model's name at the endpoint.
    basemodel: Option<String>,
    /// `http`: the address of the agent.
    url: Option<String>,
    /// `llm`, `http`: the executor's environment variable that holds the key; it must belong to the endpoint's host.
    api_key_env: Option<String>,
    /// `llm`, `http`: limits of a day.
    limits: Option<BTreeMap<String, Value>>,
    /// `llm`, `http`: sampling parameters.
    sampling: Option<BTreeMap<String, Value>>,
    /// `llm`, `http`: dollars a million tokens.
    prices: Option<BTreeMap<String, Value>>,
    /// `llm`, `http`: `reported` or `prices`.
    cost_basis: Option<String>,
    /// `llm`: the name of the prompt.
    prompt: Option<String>,
    /// `llm`: the text of the prompt.
    prompt_text: Option<String>,
    /// `llm`, `http`: whether it may search the web.
    search: Option<bool>,
    /// `llm`, `http`: days of the endpoint that run at the same time.
    concurrency: Option<u32>,
    /// `llm`, `http`: tokens that are sent to the endpoint in a minute.
    tokens_per_minute: Option<u64>,
    /// `llm`, `http`: seconds without a byte after which a call is aborted.
    timeout_seconds: Option<u64>,
}
