//! The messages of a day, from which the next request is built.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::response::MessageClass;

/// The author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The system prompt.
    System,
    /// The message that opens the day, or a reminder.
    User,
    /// The model.
    Assistant,
    /// A tool, with its result.
    Tool,
}

impl Role {
    /// The role's stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its author.
    pub role: Role,
    /// Its step, from 1; 0 before the first request.
    pub step: u32,
    /// Of a tool's result: the call's place in the model's message, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// Its text.
    pub content: String,
    /// Of a tool's result: the tool's name as the model wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of a tool's result: the arguments as the model wrote them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
    /// Of a tool's result: the call's id, made unique in the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// Of a model's message: its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<MessageClass>,
    /// Of a model's message: the reasoning, as far as the endpoint shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// Of a model's message: how many tools it calls, those not run included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<u32>,
    /// Of a model's message, or of the call that a tool's result belongs to: members that go back to the endpoint
    /// unchanged.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

impl Message {
    /// A message with text alone.
    pub(super) fn plain(role: Role, step: u32, content: String) -> Self {
        Self {
            role,
            step,
            index: None,
            content,
            name: None,
            arguments: None,
            call_id: None,
            class: None,
            reasoning: None,
            tool_calls: None,
            extra: Map::new(),
        }
    }
}

/// All messages of a day, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Transcript {
    /// The messages.
    pub messages: Vec<Message>,
}

impl Transcript {
    /// The tools' results of one step, in the order of the calls.
    pub fn tool_results_of(&self, step: u32) -> impl Iterator<Item = &Message> {
        // The results of a step are near the end when they are needed.
        let reversed = self.messages.iter().rev().skip_while(move |message| message.step > step);
        let mut found: Vec<_> = reversed
            .take_while(move |message| message.step == step)
            .filter(|message| message.role == Role::Tool)
            .collect();
        found.reverse();
        found.into_iter()
    }
}
