//! The MCP server: lists the tools and the prompt of the day, and runs the tools.
//!
//! Names, parameters and results of the agents' tools come from `domain`.

use domain::accounting::day_error::DayError;
use domain::agent::response::ToolCall;
use domain::agent::sandbox::{Sandbox, refused};
use domain::agent::tool::ToolOutcome;
use executor::Searcher;
use executor::mcp::tools::{
    GET_TODAY, NEXT_DAY, agent_tools, day_tool, prompt_of_the_day, prompts, require_prompt_of_the_day,
    server_config, tool_call, tool_result,
};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, GetPromptRequestParams, GetPromptResponse, ListPromptsResult,
    ListToolsResult, PaginatedRequestParams, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::json;
use tokio::sync::Mutex;

use super::session::Session;
use super::stored_bars::StoredBars;

const INSTRUCTIONS: &str = "A paper portfolio on real daily prices. It is the open of one trading day: \
    get_today returns its date, your position and the opening prices. Orders fill at that open. next_day goes to the \
    next session; there is no way back, and nothing later than today's open is known. This position is in memory: it is \
    lost when this process ends, and nothing is recorded. POST /mcp/EXPERIMENT/MODEL of a running Modelday keeps one.";

/// The tools of one session, over its portfolio and its current day.
pub(super) struct ToolServer {
    sandbox: Mutex<Sandbox>,
    bars: StoredBars,
    searcher: Option<Searcher>,
}

impl ToolServer {
    pub(super) fn new(Session { sandbox, bars, searcher }: Session) -> Self {
        Self { sandbox: Mutex::new(sandbox), bars, searcher }
    }

    fn tools(&self) -> Vec<Tool> {
        let day_tools = [
            (
                GET_TODAY,
                "Today's date, your position and value at the open, yesterday's closes and today's opens.",
            ),
            (
                NEXT_DAY,
                "Close today and go to the next session. There is no way back. Returns how today went, and for the next session what get_today returns.",
            ),
        ];
        let day_tools = day_tools.map(|(name, description)| {
            let schema = json!({"type": "object", "properties": {}, "required": []});
            day_tool(name, description.to_owned(), schema, name == GET_TODAY)
        });
        agent_tools(self.searcher.is_some()).chain(day_tools).collect()
    }

    /// Runs a tool and returns its result as JSON text. The lock makes calls run one after another.
    async fn run_tool(&self, call: &ToolCall) -> Result<String, DayError> {
        let mut sandbox = self.sandbox.lock().await;
        match call.name.as_str() {
            GET_TODAY => sandbox.observation(),
            NEXT_DAY => self.next_day(&mut sandbox).await,
            _ => match (sandbox.call(call)?, &self.searcher) {
                (ToolOutcome::Answered { text, .. }, _) => Ok(text),
                (ToolOutcome::Search(query), Some(searcher)) => {
                    Ok(searcher.search(&query, sandbox.today()).await)
                }
                (ToolOutcome::Search(_), None) => Ok(refused("no search engine is configured")),
            },
        }
    }

    async fn next_day(&self, sandbox: &mut Sandbox) -> Result<String, DayError> {
        let Some(next) = sandbox.next_session() else {
            return Ok(refused("The calendar knows no session after today"));
        };
        match self.bars.on(next, sandbox.today(), &sandbox.held()?).await {
            Ok(known) => sandbox.advance_to(next, known),
            Err(error) => Ok(refused(&runtime::error_text(&error))),
        }
    }
}

fn internal_error(error: DayError) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

impl ServerHandler for ToolServer {
    fn get_info(&self) -> ServerConfig {
        server_config(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let text = self.run_tool(&tool_call(request)).await.map_err(internal_error)?;
        Ok(tool_result(text).into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(prompts())
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        require_prompt_of_the_day(&request)?;
        let (system, user) = self.sandbox.lock().await.prompt().map_err(internal_error)?;
        Ok(prompt_of_the_day(&system, &user).into())
    }
}
