//! `modelday.agent/1`, the protocol of users' own agents.

use serde_json::{Map, Value};

use super::chat_call;
use crate::accounting::applied_action::AppliedAction;
use crate::accounting::portfolio::Portfolio;
use crate::agent::action_notices;
use crate::agent::json::{Object, array, printable, quoted};
use crate::agent::prompt;
use crate::agent::response::{AssistantMessage, Failure, FailureClass, Finish, ToolCall};
use crate::agent::tool::{Tool, parameters};
use crate::agent::transcript::{Message, Role, Transcript};
use crate::agent::usage::Usage;
use crate::market::as_of::AsOf;
use crate::market::instruments::{Symbol, Universe};
use crate::values::ids::ModelDayKey;
use crate::values::money::Price;

const PROTOCOL: &str = "modelday.agent/1";

/// What a request is made from.
pub(crate) struct Step<'a> {
    pub(crate) key: &'a ModelDayKey,
    pub(crate) step: u32,
    pub(crate) as_of: AsOf<'a>,
    pub(crate) portfolio: &'a Portfolio,
    pub(crate) applied: &'a [AppliedAction],
    pub(crate) universe: &'a Universe,
    pub(crate) symbols: &'a [Symbol],
    pub(crate) search: bool,
    pub(crate) transcript: &'a Transcript,
}

/// The body. Numbers are exact decimals, tool results those of the step before. It names no job, so a journal can be
/// replayed in another job.
pub(crate) fn request(step: &Step<'_>) -> String {
    let key = step.key;
    let tools = Tool::offered(step.search).map(|tool| {
        let description = tool.description(step.as_of.is_restated());
        let object = Object::new().text("name", tool.name()).text("description", &description);
        object.json("parameters", parameters(tool)).finish()
    });
    let results = step.transcript.tool_results_of(step.step.saturating_sub(1)).map(result);
    let object = Object::new()
        .text("protocol", PROTOCOL)
        .text("experiment", &key.experiment)
        .text("model", &key.model)
        .json("trial", key.trial)
        .text("date", &key.date.to_string())
        .json("step", step.step)
        .json("observation", observation(&step.observed()))
        .json("tools", array(tools))
        .json("tool_results", array(results));
    match step.transcript.messages.last() {
        Some(Message { role: Role::User, step: 1.., content, .. }) => object.text("notice", content),
        Some(_) | None => object,
    }
    .finish()
}

impl<'a> Step<'a> {
    fn observed(&self) -> Observed<'a> {
        let Self { as_of, portfolio, applied, universe, symbols, .. } = *self;
        Observed { as_of, portfolio, applied, universe, symbols }
    }
}

/// What an observation shows.
pub(crate) struct Observed<'a> {
    pub(crate) as_of: AsOf<'a>,
    pub(crate) portfolio: &'a Portfolio,
    /// What corporate actions did to the portfolio before the open.
    pub(crate) applied: &'a [AppliedAction],
    pub(crate) universe: &'a Universe,
    pub(crate) symbols: &'a [Symbol],
}

/// The position, and prices as known now, as JSON text.
pub(crate) fn observation(observed: &Observed<'_>) -> String {
    let held = observed.portfolio.holdings().iter();
    let holdings =
        held.fold(Object::new(), |object, (symbol, quantity)| object.json(symbol.as_str(), quantity));
    let session =
        observed.as_of.previous_session().map_or_else(|| "null".to_owned(), |date| quoted(&date.to_string()));
    let benchmark = observed.universe.benchmark.as_ref();
    let observation = Object::new()
        .decimal("cash", observed.portfolio.cash())
        .json("holdings", holdings.finish())
        .json("previous_session", session)
        .json("previous_closes", prices(observed.as_of.previous_closes(observed.symbols)))
        .json("opens", prices(prompt::opens(&observed.as_of, observed.symbols)))
        .json("universe", array(observed.universe.symbols.iter().map(|symbol| quoted(symbol.as_str()))))
        .json("benchmark", benchmark.map_or_else(|| "null".to_owned(), |symbol| quoted(symbol.as_str())));
    let notices = action_notices::notices(&observed.as_of, observed.symbols, observed.applied);
    if notices.is_empty() {
        return observation.finish();
    }
    observation.json("corporate_actions", action_notices::data(&notices)).finish()
}

fn prices(prices: Vec<(&Symbol, Price)>) -> String {
    let priced =
        |object: Object, (symbol, price): (&Symbol, Price)| object.decimal(symbol.as_str(), price.amount());
    prices.into_iter().fold(Object::new(), priced).finish()
}

/// The content is JSON text already, unless a search returned something else.
fn result(message: &Message) -> String {
    let is_json = serde_json::from_str::<Value>(&message.content).is_ok();
    let content = if is_json { message.content.clone() } else { quoted(&message.content) };
    Object::new()
        .json("index", message.index.unwrap_or_default())
        .text("name", message.name.as_deref().unwrap_or_default())
        .json("result", content)
        .finish()
}

/// The message in an agent's response.
///
/// # Errors
/// When the tool calls are no list, or `finish` is no boolean.
pub(crate) fn message(body: &Value) -> Result<AssistantMessage, Failure> {
    let malformed = |text: &str| Failure::new(FailureClass::Malformed, text);
    let calls = match body.get("tool_calls") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(calls)) => calls.iter().map(tool_call).collect(),
        Some(_) => return Err(malformed("tool_calls is no list")),
    };
    let done = match body.get("finish") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(done)) => *done,
        Some(_) => return Err(malformed("finish is no boolean")),
    };
    let reasoning = body.get("reasoning").and_then(Value::as_str).map(printable);
    Ok(AssistantMessage {
        content: reasoning.unwrap_or_default(),
        reasoning: None,
        tool_calls: calls,
        finish: Finish::Stop,
        done,
        usage: body.get("usage").map(Usage::from_json).unwrap_or_default(),
        extra: Map::new(),
    })
}

fn tool_call(call: &Value) -> ToolCall {
    // This protocol identifies results by their index, not by an id.
    ToolCall { id: None, extra: Map::new(), ..chat_call::tool_call(call) }
}
