//! The MCP server of one portfolio. The protocol's session means nothing: everything is in the lane and its journal, so
//! that clients may open a session for each call, and any executor can answer it.

use std::sync::Arc;

use chrono::NaiveDate;
use domain::agent::AssistantMessage;
use domain::values::date::parse_date;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, GetPromptRequestParams, GetPromptResponse, ListPromptsResult,
    ListToolsResult, PaginatedRequestParams, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};

use super::answer::{refused, text_of_next_day, text_of_today};
use super::tools::{
    GET_TODAY, NEXT_DAY, agent_tools, day_tool, prompt_of_the_day, prompts, require_prompt_of_the_day,
    server_config, tool_call, tool_result,
};
use crate::error::ExecutorError;
use crate::lane::turn::{LaneRunner, PortfolioName, Visited};
use crate::visit::{Seen, Visit};

/// The longest reasoning that is stored with the end of a day, in characters.
const MAX_REASONING: usize = 20_000;

/// The job's budget is in use by calls of other models for a moment.
const NOT_NOW: &str = "this could not be done now; try again";

/// The tools of one portfolio.
#[derive(Clone)]
pub(crate) struct PortfolioServer {
    pub(super) runner: Arc<LaneRunner>,
    pub(super) portfolio: PortfolioName,
}

/// What a client gets instead of a result.
enum NoResult {
    /// A sentence.
    Refused(String),
    /// The cause stays in the log.
    Failed(ExecutorError),
}

impl PortfolioServer {
    /// Makes a visit. It goes on when the client has gone, so that its call takes effect as a whole or not at all.
    async fn visit(&self, visit: Visit) -> Result<(Seen, bool), NoResult> {
        let (runner, portfolio, visit) = (self.runner.clone(), self.portfolio.clone(), Arc::new(visit));
        let made = visit.clone();
        let visited = tokio::spawn(async move { runner.visit(&portfolio, &made).await }).await;
        let PortfolioName { experiment, model } = &self.portfolio;
        match visited {
            Ok(Ok(Visited::Made)) => Ok((visit.seen(), visit.is_unused())),
            Ok(Ok(Visited::NoLane)) => Err(NoResult::Refused(format!(
                "no job of model {model} in experiment {experiment} waits for its client; start one: modelday run \
                 --models {model} --experiment {experiment} --start DATE --end DATE --detach"
            ))),
            Ok(Ok(Visited::Paused)) => Err(NoResult::Refused(format!(
                "model {model} is paused; an operator ends that with: modelday resume model {model}"
            ))),
            Ok(Ok(Visited::Busy)) => {
                Err(NoResult::Refused("another call for this portfolio is in progress; try again".to_owned()))
            }
            Ok(Err(problem)) if problem.is_fenced() => {
                Err(NoResult::Refused("the portfolio went into other hands; try again".to_owned()))
            }
            Ok(Err(problem)) => Err(NoResult::Failed(problem)),
            Err(crashed) => {
                Err(NoResult::Failed(ExecutorError::Inconsistent(format!("a visit crashed: {crashed}"))))
            }
        }
    }

    async fn run_tool(&self, request: CallToolRequestParams) -> Result<String, NoResult> {
        let call = tool_call(request);
        match call.name.as_str() {
            GET_TODAY => {
                let (seen, _) = self.visit(Visit::default()).await?;
                Ok(text_of_today(&seen))
            }
            NEXT_DAY => {
                let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
                let (date, reasoning) = match closing(&arguments) {
                    Ok(closing) => closing,
                    Err(problem) => return Ok(refused(&problem)),
                };
                let message =
                    AssistantMessage { content: reasoning, done: true, ..AssistantMessage::empty() };
                let (seen, is_unused) = self.visit(Visit::with(message, Some(date))).await?;
                Ok(match seen.today.is_none() && is_unused {
                    true => refused(NOT_NOW),
                    false => text_of_next_day(&seen, is_unused.then_some(date)),
                })
            }
            _ => {
                let message = AssistantMessage { tool_calls: vec![call], ..AssistantMessage::empty() };
                let (mut seen, is_unused) = self.visit(Visit::with(message, None)).await?;
                Ok(match (seen.results.pop(), seen.ended.first()) {
                    (Some(result), _) => result,
                    (None, Some(ended)) => refused(&format!(
                        "{} ended at a limit of the model, and this call was not run",
                        ended.date
                    )),
                    (None, None) if is_unused => refused(NOT_NOW),
                    (None, None) => refused("the job has ended"),
                })
            }
        }
    }
}

/// The day that is to be closed, and why.
fn closing(arguments: &Value) -> Result<(NaiveDate, String), String> {
    let date = arguments.get("date").and_then(Value::as_str).and_then(parse_date);
    let date =
        date.ok_or("date must be today's date as YYYY-MM-DD, so that a repeated call closes no second day")?;
    let reasoning = arguments.get("reasoning").and_then(Value::as_str).unwrap_or_default();
    let plain = reasoning.chars().filter(|c| !c.is_control() || *c == '\n').take(MAX_REASONING);
    Ok((date, plain.collect()))
}

impl From<NoResult> for ErrorData {
    fn from(no_result: NoResult) -> Self {
        match no_result {
            NoResult::Refused(text) => Self::invalid_request(text, None),
            NoResult::Failed(problem) => {
                tracing::error!(error = &problem as &dyn std::error::Error, "a visit failed");
                Self::internal_error("the executor could not do this now; try again", None)
            }
        }
    }
}

impl ServerHandler for PortfolioServer {
    fn get_info(&self) -> ServerConfig {
        let PortfolioName { experiment, model } = &self.portfolio;
        let instructions = format!(
            "The paper portfolio of {model} in the experiment {experiment}, on real daily prices. It is the open of one \
             trading day: get_today returns its date, your position and the opening prices. Orders fill at that open. \
             next_day closes the day for good and goes to the next one of the job; nothing later than today's open is \
             known. The portfolio is kept: every call is recorded, and it does not matter which session makes it."
        );
        server_config(instructions)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let no_arguments = json!({"type": "object", "properties": {}, "required": []});
        let today =
            "Today's date, your position and value at the open, yesterday's closes and today's opens.";
        let next = "Close today for good and go to the job's next day. Returns how today went, and for the next day what \
                    get_today returns.";
        let closing = json!({
            "type": "object",
            "properties": {
                "date": {"type": "string", "description": "Today's date as YYYY-MM-DD: the day to close"},
                "reasoning": {"type": "string", "description": "Why you traded as you did; it is stored with the day"},
            },
            "required": ["date"],
        });
        // Without a lane there is no search either; the tools are those of any day.
        let search = match self.visit(Visit::default()).await {
            Ok((seen, _)) => seen.today.is_some_and(|today| today.search),
            Err(_) => false,
        };
        let day_tools = [
            day_tool(GET_TODAY, today.to_owned(), no_arguments, true),
            day_tool(NEXT_DAY, next.to_owned(), closing, false),
        ];
        Ok(ListToolsResult::with_all_items(agent_tools(search).chain(day_tools).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match self.run_tool(request).await {
            Ok(text) => Ok(tool_result(text).into()),
            Err(NoResult::Refused(text)) => Ok(tool_result(refused(&text)).into()),
            Err(failed) => Err(failed.into()),
        }
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
        let (seen, _) = self.visit(Visit::default()).await?;
        let Some(today) = seen.today else {
            return Err(ErrorData::invalid_request("the job has ended", None));
        };
        let (system, user) = today.prompt;
        Ok(prompt_of_the_day(&system, &user).into())
    }
}
