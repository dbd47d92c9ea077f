//! What the endpoint says, and how it misbehaves.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

/// One use of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The tool's name; need not exist.
    pub name: String,
    /// Its arguments, as the text that goes over the wire.
    pub arguments: String,
}

impl Use {
    /// A use with arguments that are JSON.
    pub fn new(name: &str, arguments: &Value) -> Self {
        Self { name: name.to_owned(), arguments: arguments.to_string() }
    }
}

/// The steps of a day: tools used together. After the last, the model says that it is done.
pub type Script = Vec<Vec<Use>>;

/// An answer that is none.
#[derive(Debug, Clone)]
pub enum Fault {
    /// A status with headers and a body.
    Answer(u16, Vec<(String, String)>, String),
    /// Nothing, for ever.
    Hang,
    /// Half of the answer, then the connection is closed.
    Cut,
    /// Blanks without end.
    Endless,
    /// The answer, late.
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

    /// The days of recorded decisions, `model,date,sequence,action,symbol,quantity`: the model looks at its
    /// position first, then gives its orders together.
    pub(super) fn of_decisions(csv: &str) -> Self {
        let mut orders: BTreeMap<(String, String), Vec<(u32, Use)>> = BTreeMap::new();
        for line in csv.lines().skip(1).filter(|line| !line.is_empty()) {
            let fields: Vec<&str> = line.split(',').collect();
            let [model, date, sequence, action, symbol, quantity, ..] = fields.as_slice() else { continue };
            let amount: i64 = quantity.parse().unwrap_or_default();
            let order = Use::new(action, &json!({ "symbol": symbol, "amount": amount }));
            let place = orders.entry(((*model).to_owned(), (*date).to_owned())).or_default();
            place.push((sequence.parse().unwrap_or_default(), order));
        }
        let script = |mut orders: Vec<(u32, Use)>| {
            orders.sort_by_key(|(sequence, _)| *sequence);
            let look = vec![Use::new("get_position", &json!({}))];
            vec![look, orders.into_iter().map(|(_, order)| order).collect()]
        };
        Self(orders.into_iter().map(|(place, orders)| (place, script(orders))).collect())
    }
}
