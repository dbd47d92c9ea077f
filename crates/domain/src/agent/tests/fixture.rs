//! A small market, a day in it, and scripted models.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::accounting::costs::Costs;
use crate::accounting::day_book::DayBook;
use crate::accounting::market_day::MarketDay;
use crate::agent::response::Finish;
use crate::agent::session::SearchRequest;
use crate::agent::{
    AgentSettings, AssistantMessage, Delivery, Dialect, EndReason, EndedSession, ModelRequest, ModelResponse,
    Next, Opening, RawResponse, Session, Usage,
};
use crate::market::as_of::AsOf;
use crate::market::calendar::Calendar;
use crate::market::instruments::{Bar, Symbol, Universe};
use crate::market::known_actions::KnownActions;
use crate::market::price_table::PriceTable;
use crate::market::rules::MarketRules;
use crate::values::ids::{JobId, ModelDayKey};

pub(super) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(super) fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(super) fn bar(prices: [&str; 4], volume: u64) -> Bar {
    let [open, high, low, close] = prices.map(|text| text.parse().unwrap());
    Bar::new(open, high, low, close, volume).unwrap()
}

/// A day in a market, in which sessions are opened.
pub(super) struct World {
    pub(super) table: PriceTable,
    pub(super) calendar: Calendar,
    pub(super) universe: Universe,
    pub(super) key: ModelDayKey,
    pub(super) settings: AgentSettings,
    pub(super) dialect: Dialect,
    pub(super) cash: &'static str,
    pub(super) actions: KnownActions,
}

impl World {
    /// AAPL and MSFT on three days around 2025-10-02, with 1,000 dollars.
    pub(super) fn new() -> Self {
        let bars = [
            ("AAPL", "2025-10-01", bar(["99", "102", "98", "101.5"], 10)),
            ("AAPL", "2025-10-02", bar(["100", "111", "91", "110.9"], 20)),
            ("AAPL", "2025-10-03", bar(["120", "122", "118", "121.9"], 30)),
            ("MSFT", "2025-10-01", bar(["250", "260", "240", "255.25"], 40)),
            ("MSFT", "2025-10-02", bar(["256.5750", "266", "246", "265.9"], 50)),
        ];
        let bars = bars.into_iter().map(|(name, date, bar)| (symbol(name), day(date), bar));
        let symbols = vec![symbol("AAPL"), symbol("MSFT")];
        Self {
            table: bars.collect(),
            calendar: Calendar::nyse(),
            universe: Universe { name: "two".to_owned(), symbols, benchmark: Some(symbol("QQQ")) },
            key: ModelDayKey {
                job: JobId("018f3b1e-7b7a-7000-8000-0123456789ab".parse().unwrap()),
                experiment: "default".to_owned(),
                model: "m".to_owned(),
                trial: 0,
                date: day("2025-10-02"),
            },
            settings: serde_json::from_value(json!({"basemodel": "base"})).unwrap(),
            dialect: Dialect::ChatCompletions,
            cash: "1000",
            actions: KnownActions::default(),
        }
    }

    /// The settings with `changes` put over them.
    pub(super) fn with(mut self, changes: Value) -> Self {
        let mut settings = serde_json::to_value(&self.settings).unwrap();
        for (name, value) in changes.as_object().unwrap() {
            settings[name] = value.clone();
        }
        self.settings = serde_json::from_value(settings).unwrap();
        self
    }

    pub(super) fn market(&self) -> MarketDay<'_> {
        MarketDay::new(&self.table, &self.actions, self.key.date)
    }

    pub(super) fn open<'a>(&'a self, market: &'a MarketDay<'a>) -> Session<'a> {
        let cash = decimal(self.cash);
        let book =
            DayBook::open(self.key.date, None, cash, &self.universe, market, &[], Costs::NONE).unwrap();
        Session::open(Opening {
            key: &self.key,
            settings: &self.settings,
            dialect: self.dialect,
            universe: &self.universe,
            as_of: AsOf::new(&self.table, &self.calendar, self.key.date)
                .with_actions(&self.actions, MarketRules::Restated),
            book,
            initial_cash: cash,
        })
        .unwrap()
    }

    /// A whole day with these answers in order; every request and the end.
    pub(super) fn play<'a>(
        &'a self,
        market: &'a MarketDay<'a>,
        answers: &[ModelResponse],
    ) -> (Vec<ModelRequest>, EndedSession<'a>) {
        let mut session = self.open(market);
        let (mut requests, mut answers) = (Vec::new(), answers.iter());
        loop {
            match session.next() {
                Next::Call(request) => {
                    requests.push(request);
                    session.add_response(answers.next().expect("an answer to every request")).unwrap();
                }
                Next::Search(search) => session.add_search_result(search.index, "{\"results\":[]}").unwrap(),
                Next::Ended(_) => return (requests, session.finish()),
            }
        }
    }
}

/// A response that arrived whole.
pub(super) fn whole(status: u16, body: &str) -> RawResponse {
    RawResponse {
        delivery: Delivery::Whole,
        status: Some(status),
        headers: BTreeMap::new(),
        body: body.as_bytes().to_vec(),
        received_at: "2025-10-02T13:30:00Z".parse().unwrap(),
    }
}

pub(super) fn says(text: &str) -> ModelResponse {
    let done = text.contains("<FINISH_SIGNAL>");
    ModelResponse::Message(AssistantMessage { content: text.to_owned(), done, ..AssistantMessage::empty() })
}

pub(super) fn done() -> ModelResponse {
    says("<FINISH_SIGNAL>")
}

/// A message that calls these tools, with arguments as text.
pub(super) fn call_tools(calls: &[(&str, &str)]) -> ModelResponse {
    let call = |(index, (name, arguments)): (usize, &(&str, &str))| crate::agent::response::ToolCall {
        id: Some(format!("call_{index}")),
        name: (*name).to_owned(),
        arguments: (*arguments).to_owned(),
        extra: serde_json::Map::new(),
    };
    let tool_calls = calls.iter().enumerate().map(call).collect();
    ModelResponse::Message(AssistantMessage { tool_calls, ..AssistantMessage::empty() })
}

pub(super) fn cut(answer: ModelResponse) -> ModelResponse {
    match answer {
        ModelResponse::Message(message) => {
            ModelResponse::Message(AssistantMessage { finish: Finish::Length, ..message })
        }
        failed @ ModelResponse::Failed(_) => failed,
    }
}

pub(super) fn using(answer: ModelResponse, prompt: u64, completion: u64) -> ModelResponse {
    let usage = Usage { prompt: Some(prompt), completion: Some(completion), ..Usage::default() };
    match answer {
        ModelResponse::Message(message) => ModelResponse::Message(AssistantMessage { usage, ..message }),
        failed @ ModelResponse::Failed(_) => failed,
    }
}

pub(super) fn body(request: &ModelRequest) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

pub(super) fn expect_call(session: &mut Session<'_>) -> ModelRequest {
    match session.next() {
        Next::Call(request) => request,
        other => panic!("{other:?}"),
    }
}

pub(super) fn expect_search(session: &mut Session<'_>) -> SearchRequest {
    match session.next() {
        Next::Search(search) => search,
        other => panic!("{other:?}"),
    }
}

pub(super) fn expect_end(session: &mut Session<'_>) -> EndReason {
    match session.next() {
        Next::Ended(reason) => reason,
        other => panic!("{other:?}"),
    }
}

/// The answers of the tools of one step.
pub(super) fn results(ended: &EndedSession<'_>, step: u32) -> Vec<String> {
    ended.transcript.tool_results_of(step).map(|result| result.content.clone()).collect()
}
