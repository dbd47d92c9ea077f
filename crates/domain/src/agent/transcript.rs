//! What was said on a day, in order: enough to read it, and to build the next request from it.

use serde::{Deserialize, Serialize};

use super::response::MessageClass;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The prompt.
    System,
    /// The day's request, or a reminder.
    User,
    /// The model.
    Assistant,
    /// A tool's answer.
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

/// One turn of the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// The step it belongs to, from 1; 0 for what is said before the first.
    pub step: u32,
    /// Of a tool's answer: the call's place in the model's message, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// What is said.
    pub content: String,
    /// Of a tool's answer: the tool's name as the model wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of a tool's answer: the arguments as the model wrote them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
    /// Of a tool's answer: the call's id in the conversation, made unique; identifies nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// Of a model's message: its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<MessageClass>,
    /// Of a model's message: what the endpoint shows of its reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// Of a model's message: how many tools it wanted, those not run included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<u32>,
}

impl Message {
    /// A turn that only says something.
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
        }
    }
}

/// All turns of a day, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Transcript {
    /// The turns.
    pub messages: Vec<Message>,
}

impl Transcript {
    /// The tools' answers of one step, in the order of the calls.
    pub fn tool_results_of(&self, step: u32) -> impl Iterator<Item = &Message> {
        // The answers of a step are near the end when they are asked for.
        let reversed = self.messages.iter().rev().skip_while(move |turn| turn.step > step);
        let mut found: Vec<_> = reversed
            .take_while(move |turn| turn.step == step)
            .filter(|turn| turn.role == Role::Tool)
            .collect();
        found.reverse();
        found.into_iter()
    }
}
