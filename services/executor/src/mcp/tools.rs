//! The agents' tools and the prompt of the day as MCP describes them, for the server on a pipe and for the one over HTTP. Names, parameters and
//! results come from `domain`.

use domain::agent::response::ToolCall;
use domain::agent::tool::{Tool as AgentTool, parameters};
use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ContentBlock, GetPromptRequestParams, GetPromptResult,
    Implementation, ListPromptsResult, Prompt, PromptMessage, Role, ServerCapabilities, ServerConfig, Tool,
    ToolAnnotations,
};
use serde_json::{Map, Value};

/// The tool that returns today's date and observation.
pub const GET_TODAY: &str = "get_today";
/// The tool that goes to the next trading day.
pub const NEXT_DAY: &str = "next_day";
/// The prompt of the day.
const TRADE_TODAY: &str = "trade_today";

/// The tools of an agent.
pub fn agent_tools(search: bool) -> impl Iterator<Item = Tool> {
    AgentTool::offered(search).map(|tool| {
        let trades = matches!(tool, AgentTool::Buy | AgentTool::Sell);
        day_tool(tool.name(), tool.description(false), parameters(tool), !trades)
    })
}

/// A tool. Even orders are marked as not destructive: they trade on paper, so a client need not ask its user.
pub fn day_tool(name: &'static str, description: String, schema: Value, is_read_only: bool) -> Tool {
    let effects = ToolAnnotations::new().read_only(is_read_only).destructive(false).open_world(false);
    Tool::new(name, description, object(schema)).annotate(effects)
}

/// What a server says of itself.
pub fn server_config(instructions: impl Into<String>) -> ServerConfig {
    ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_prompts().build())
        .with_server_info(Implementation::new("modelday", env!("CARGO_PKG_VERSION")))
        .with_instructions(instructions)
}

/// The prompts: that of the day.
pub fn prompts() -> ListPromptsResult {
    let description = "The messages with which a model of kind llm begins the day.";
    ListPromptsResult::with_all_items(vec![Prompt::new(TRADE_TODAY, Some(description), None)])
}

/// Refuses requests for other prompts.
///
/// # Errors
/// When the request is not for the prompt of the day.
pub fn require_prompt_of_the_day(request: &GetPromptRequestParams) -> Result<(), ErrorData> {
    if request.name == TRADE_TODAY {
        return Ok(());
    }
    Err(ErrorData::invalid_params(format!("no prompt is called {:?}", request.name), None))
}

/// The prompt of the day, of an agent's instructions and its first message.
pub fn prompt_of_the_day(system: &str, user: &str) -> GetPromptResult {
    GetPromptResult::new(vec![PromptMessage::new_text(Role::User, format!("{system}\n\n{user}"))])
}

/// The call of a client as an agent would make it.
pub fn tool_call(request: CallToolRequestParams) -> ToolCall {
    let arguments = Value::Object(request.arguments.unwrap_or_default()).to_string();
    ToolCall { id: None, name: request.name.into_owned(), arguments, extra: Map::new() }
}

/// The result of a tool. A refusal is a tool error, which the model sees, and not a protocol error, which it does not.
pub fn tool_result(text: String) -> CallToolResult {
    let failed = serde_json::from_str::<Value>(&text).is_ok_and(|value| value.get("error").is_some());
    let content = vec![ContentBlock::text(text)];
    if failed { CallToolResult::error(content) } else { CallToolResult::success(content) }
}

/// The object of a JSON schema; empty when the schema is no object.
fn object(schema: Value) -> Map<String, Value> {
    if let Value::Object(schema) = schema { schema } else { Map::new() }
}
