//! Scripts and faults of the endpoint.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

/// A tool call of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// The name of a tool, which need not exist.
    pub name: String,
    /// The arguments as the text that goes over the wire.
    pub arguments: String,
}

impl ToolCall {
    /// A call with JSON arguments.
    pub fn new(name: &str, arguments: &Value) -> Self {
        Self { name: name.to_owned(), arguments: arguments.to_string() }
    }
}

/// The steps of a day, each with the tool calls of one response. After the last, the model says that it has finished.
pub type Script = Vec<Vec<ToolCall>>;

/// A response other than a completion.
#[derive(Debug, Clone)]
pub enum Fault {
    /// A status with headers and a body.
    Response(u16, Vec<(String, String)>, String),
    /// No response.
    Hang,
    /// Half of the completion, then the end of the connection.
    Cut,
    /// Spaces without end.
    Endless,
    /// The completion after a delay.
    Late(Duration),
}

/// Scripts by model and date; `*` stands for every model or date without a script of its own.
#[derive(Debug, Default, Clone)]
pub(super) struct Scripts(BTreeMap<(String, String), Script>);

impl Scripts {
    pub(super) fn set(&mut self, model: &str, date: &str, script: Script) {
        self.0.insert((model.to_owned(), date.to_owned()), script);
    }

    pub(super) fn of(&self, model: &str, date: &str) -> Option<Script> {
        let places = [(model, date), (model, "*"), ("*", date), ("*", "*")];
        let found =
            places.iter().find_map(|(model, date)| self.0.get(&((*model).to_owned(), (*date).to_owned())));
        found.cloned()
    }

    /// Scripts from recorded decisions, `model,date,sequence,action,symbol,quantity`: the model reads its position
    /// first, then sends its orders in one response.
    pub(super) fn of_decisions(csv: &str) -> Self {
        let mut orders: BTreeMap<(String, String), Vec<(u32, ToolCall)>> = BTreeMap::new();
        for line in csv.lines().skip(1).filter(|line| !line.is_empty()) {
            let fields: Vec<&str> = line.split(',').collect();
            let [model, date, sequence, action, symbol, quantity, ..] = fields.as_slice() else { continue };
            let amount: i64 = quantity.parse().unwrap_or_default();
            let order = ToolCall::new(action, &json!({ "symbol": symbol, "amount": amount }));
            let day = orders.entry(((*model).to_owned(), (*date).to_owned())).or_default();
            day.push((sequence.parse().unwrap_or_default(), order));
        }
        let script = |mut orders: Vec<(u32, ToolCall)>| {
            orders.sort_by_key(|(sequence, _)| *sequence);
            let look = vec![ToolCall::new("get_position", &json!({}))];
            vec![look, orders.into_iter().map(|(_, order)| order).collect()]
        };
        Self(orders.into_iter().map(|(day, orders)| (day, script(orders))).collect())
    }
}
