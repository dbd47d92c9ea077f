//! The tools as MCP offers them. What they are called, take and answer is the domain's.

use domain::accounting::day_book::DayError;
use domain::agent::response::ToolCall;
use domain::agent::sandbox::{Walk, refused};
use domain::agent::tool::{Ran, Tool as AgentTool, parameters};
use executor::Searcher;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, GetPromptRequestParams,
    GetPromptResponse, GetPromptResult, Implementation, ListPromptsResult, ListToolsResult,
    PaginatedRequestParams, Prompt, PromptMessage, Role, ServerCapabilities, ServerConfig, Tool,
    ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::start::Started;
use super::stock::Stock;

/// Tells the day and what may be observed on it.
const GET_TODAY: &str = "get_today";
/// Goes to the next session.
const NEXT_DAY: &str = "next_day";
/// The prompt of the day.
const TRADE_TODAY: &str = "trade_today";

const INSTRUCTIONS: &str = "A paper portfolio on real daily prices. It is the open of one trading day: \
    get_today tells which, your position and the opening prices. Orders fill at that open. next_day goes to the \
    next session; there is no way back, and nothing later than today's open is known.";

/// One session: a portfolio, the day it has come to, and its tools.
pub(super) struct Tools {
    walk: Mutex<Walk>,
    stock: Stock,
    searcher: Option<Searcher>,
}

impl Tools {
    pub(super) fn new(Started { walk, stock, searcher }: Started) -> Self {
        Self { walk: Mutex::new(walk), stock, searcher }
    }

    fn offered(&self) -> Vec<Tool> {
        let agents = AgentTool::offered(self.searcher.is_some()).map(|tool| {
            let Value::Object(schema) = parameters(tool) else { return described(tool, Map::new()) };
            described(tool, schema)
        });
        let of_the_day = [
            (
                GET_TODAY,
                "Today's date, your position and value at the open, yesterday's closes and today's opens.",
            ),
            (
                NEXT_DAY,
                "Close today and go to the next session. There is no way back. Answers with how today went and what get_today tells of the next.",
            ),
        ];
        let of_the_day = of_the_day.map(|(name, description)| {
            let Value::Object(schema) = json!({"type": "object", "properties": {}, "required": []}) else {
                return Tool::new(name, description, Map::new());
            };
            Tool::new(name, description, schema).annotate(effects(name == GET_TODAY))
        });
        agents.chain(of_the_day).collect()
    }

    /// What the tool answers, as JSON text. Calls are answered one after another.
    async fn answer(&self, call: &ToolCall) -> Result<String, DayError> {
        let mut walk = self.walk.lock().await;
        match call.name.as_str() {
            GET_TODAY => walk.observation(),
            NEXT_DAY => self.next_day(&mut walk).await,
            _ => match (walk.call(call)?, &self.searcher) {
                (Ran::Answered { text, .. }, _) => Ok(text),
                (Ran::Search(query), Some(searcher)) => Ok(searcher.search(&query, walk.today()).await),
                (Ran::Search(_), None) => Ok(refused("no search engine is configured")),
            },
        }
    }

    async fn next_day(&self, walk: &mut Walk) -> Result<String, DayError> {
        let Some(next) = walk.next_session() else {
            return Ok(refused("The calendar knows no session after today"));
        };
        match self.stock.on(next).await {
            Ok(bars) => walk.go_to(next, bars),
            Err(problem) => Ok(refused(&runtime::process::told(&problem))),
        }
    }
}

fn described(tool: AgentTool, schema: Map<String, Value>) -> Tool {
    let trades = matches!(tool, AgentTool::Buy | AgentTool::Sell);
    Tool::new(tool.name(), tool.description(), schema).annotate(effects(!trades))
}

/// Nothing of a session outlives it, so a client need not ask before each call.
fn effects(read_only: bool) -> ToolAnnotations {
    ToolAnnotations::new().read_only(read_only).destructive(false).open_world(false)
}

/// A refusal is an answer that the model should see, not an error of the protocol.
fn result(text: String) -> CallToolResult {
    let failed = serde_json::from_str::<Value>(&text).is_ok_and(|answer| answer.get("error").is_some());
    let content = vec![ContentBlock::text(text)];
    if failed { CallToolResult::error(content) } else { CallToolResult::success(content) }
}

fn without_accounts(problem: DayError) -> ErrorData {
    ErrorData::internal_error(problem.to_string(), None)
}

impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_prompts().build())
            .with_server_info(Implementation::new("modelday", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.offered()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = Value::Object(request.arguments.unwrap_or_default()).to_string();
        let call = ToolCall { id: None, name: request.name.into_owned(), arguments };
        Ok(result(self.answer(&call).await.map_err(without_accounts)?).into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let description = "What a model of kind llm is told at the beginning of the day.";
        Ok(ListPromptsResult::with_all_items(vec![Prompt::new(TRADE_TODAY, Some(description), None)]))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if request.name != TRADE_TODAY {
            return Err(ErrorData::invalid_params(format!("no prompt is called {:?}", request.name), None));
        }
        let (system, user) = self.walk.lock().await.prompt().map_err(without_accounts)?;
        let message = PromptMessage::new_text(Role::User, format!("{system}\n\n{user}"));
        Ok(GetPromptResult::new(vec![message]).into())
    }
}
