//! A message of the model, in one form for every dialect.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::agent::json;
use crate::agent::usage::Usage;

/// Why a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It is complete.
    Stop,
    /// It reached the limit of tokens.
    Length,
    /// A filter stopped it, or the model refused.
    ContentFilter,
}

/// A call of a tool as the model wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The endpoint's id of the call. It may be missing or repeated, so it identifies nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The tool's name; there may be no such tool.
    pub name: String,
    /// The arguments as text; it may be no JSON.
    pub arguments: String,
    /// Its other members, which endpoints may require back, such as the signature of a thought. Those of the inner
    /// object `function` stand under that name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

impl ToolCall {
    /// The arguments by name.
    ///
    /// # Errors
    /// When they are no JSON object; the text is for the model.
    pub fn parsed(&self) -> Result<Map<String, Value>, String> {
        json::object(&self.arguments)
    }
}

/// The kind of a message. It decides how the day goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageClass {
    /// It calls tools, and all their arguments can be read.
    ToolCalls,
    /// It calls tools, and the arguments of at least one cannot be read.
    BadArguments,
    /// It is text without calls.
    Final,
    /// It is empty.
    Empty,
    /// It was cut at the limit of tokens.
    Truncated,
    /// It was filtered, or the model refused.
    Refused,
}

impl MessageClass {
    /// All classes.
    pub const ALL: [Self; 6] =
        [Self::ToolCalls, Self::BadArguments, Self::Final, Self::Empty, Self::Truncated, Self::Refused];

    /// The class's stable name, for rows and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToolCalls => "tool_calls",
            Self::BadArguments => "bad_arguments",
            Self::Final => "final",
            Self::Empty => "empty",
            Self::Truncated => "truncated",
            Self::Refused => "refused",
        }
    }

    /// Whether the message stays in the conversation that the model sees.
    pub fn is_kept(self) -> bool {
        match self {
            Self::ToolCalls | Self::BadArguments | Self::Final => true,
            Self::Empty | Self::Truncated | Self::Refused => false,
        }
    }
}

/// A message of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssistantMessage {
    /// Its text; may be empty.
    pub content: String,
    /// The reasoning, as far as the endpoint shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// The calls of tools, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// Why it ended.
    pub finish: Finish,
    /// Whether the model ends its day with it.
    pub done: bool,
    /// What the call used.
    pub usage: Usage,
    /// Its other members, which endpoints may require back, such as `reasoning_content` and `reasoning_details`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

impl AssistantMessage {
    /// A message without text, calls or known usage.
    pub fn empty() -> Self {
        Self {
            content: String::new(),
            reasoning: None,
            tool_calls: Vec::new(),
            finish: Finish::Stop,
            done: false,
            usage: Usage::default(),
            extra: Map::new(),
        }
    }

    /// What kind of message it is.
    pub fn class(&self) -> MessageClass {
        match (self.finish, self.tool_calls.is_empty(), self.done) {
            (Finish::ContentFilter, _, _) => MessageClass::Refused,
            // The last call of a cut message may lack its end, and the others may depend on it.
            (Finish::Length, false, _) | (Finish::Length, true, false) => MessageClass::Truncated,
            (Finish::Stop, false, _) => match self.tool_calls.iter().all(|call| call.parsed().is_ok()) {
                true => MessageClass::ToolCalls,
                false => MessageClass::BadArguments,
            },
            (Finish::Stop | Finish::Length, true, true) => MessageClass::Final,
            (Finish::Stop, true, false) if self.content.trim().is_empty() => MessageClass::Empty,
            (Finish::Stop, true, false) => MessageClass::Final,
        }
    }
}
