//! The agents' tools as MCP describes them, for the server on a pipe and for the one over HTTP. Names, parameters and
//! results come from `domain`.

use domain::agent::response::ToolCall;
use domain::agent::tool::{Tool as AgentTool, parameters};
use rmcp::model::{CallToolRequestParams, CallToolResult, ContentBlock, Tool, ToolAnnotations};
use serde_json::{Map, Value};

/// The tool that returns today's date and observation.
pub const GET_TODAY: &str = "get_today";
/// The tool that goes to the next trading day.
pub const NEXT_DAY: &str = "next_day";
/// The prompt of the day.
pub const TRADE_TODAY: &str = "trade_today";
/// What the prompt is.
pub const TRADE_TODAY_IS: &str = "The messages with which a model of kind llm begins the day.";

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
