//! The description of the tools for agents.

use serde_json::{Value, json};

use super::Tool;
use super::arguments::MAX_DAYS;

impl Tool {
    /// What the tool does, for an agent. `is_restated` says that earlier prices are shown in today's shares.
    pub fn description(self, is_restated: bool) -> String {
        match self {
            Self::GetPriceLocal => {
                "Prices of a symbol on a day: the full bar of an earlier day, only the open of today."
                    .to_owned()
            }
            // The words of days without a split are those of all recorded conversations.
            Self::GetPriceHistory => format!(
                "Daily bars of a symbol before today, oldest first, at most {MAX_DAYS}. {}",
                if is_restated {
                    "Prices and volumes are in today's shares: adjusted for the splits up to today, not for dividends."
                } else {
                    "Prices are as traded, not adjusted for splits."
                }
            ),
            Self::GetPosition => "Your cash and shares, the orders of today included.".to_owned(),
            Self::Buy => {
                "Buy whole shares of a symbol at today's open. Answers with the whole position.".to_owned()
            }
            Self::Sell => {
                "Sell whole shares of a symbol at today's open. Answers with the whole position.".to_owned()
            }
            Self::Add => "The exact sum of two numbers.".to_owned(),
            Self::Multiply => "The exact product of two numbers.".to_owned(),
            Self::GetInformation => "Search the web for what was published before today.".to_owned(),
        }
    }
}

/// The JSON schema of its arguments.
pub fn parameters(tool: Tool) -> Value {
    let symbol = || json!({"type": "string", "description": "Ticker symbol, e.g. AAPL"});
    let number = || json!({"type": "number"});
    let amount = || json!({"type": "integer", "minimum": 1, "description": "Number of shares"});
    let (properties, required) = match tool {
        Tool::GetPriceLocal => {
            let date = json!({"type": "string", "description": "Day as YYYY-MM-DD, not after today"});
            (json!({"symbol": symbol(), "date": date}), json!(["symbol", "date"]))
        }
        Tool::GetPriceHistory => {
            let days = json!({"type": "integer", "minimum": 1, "maximum": MAX_DAYS, "description": "Number of sessions"});
            (json!({"symbol": symbol(), "days": days}), json!(["symbol", "days"]))
        }
        Tool::GetPosition => (json!({}), json!([])),
        Tool::Buy | Tool::Sell => {
            (json!({"symbol": symbol(), "amount": amount()}), json!(["symbol", "amount"]))
        }
        Tool::Add | Tool::Multiply => (json!({"a": number(), "b": number()}), json!(["a", "b"])),
        Tool::GetInformation => {
            let query = json!({"type": "string", "description": "What to search for"});
            (json!({"query": query}), json!(["query"]))
        }
    };
    json!({"type": "object", "properties": properties, "required": required})
}

/// The tools on offer, as chat completions describe them.
pub fn definitions(search: bool, is_restated: bool) -> Value {
    let function = |tool: Tool| {
        let description = tool.description(is_restated);
        json!({"name": tool.name(), "description": description, "parameters": parameters(tool)})
    };
    Tool::offered(search).map(|tool| json!({"type": "function", "function": function(tool)})).collect()
}
