//! The arguments of a call.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::Tool;
use crate::accounting::order::{Order, RequestedQuantity, Side};
use crate::agent::{json, number};
use crate::values::date::parse_date;

/// Sessions that one call shows at most.
pub(super) const MAX_DAYS: u64 = 100;
/// Characters of an agent's own text that a result repeats at most.
pub(super) const MAX_ECHO: usize = 64;
const MAX_QUERY: usize = 400;
/// Below this, a float holds every whole number: 2^53.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// A call with its arguments read.
pub(super) enum ParsedCall {
    Price { symbol: String, date: NaiveDate },
    History { symbol: String, days: usize },
    Position,
    Order(Order),
    Sum(Decimal, Decimal),
    Product(Decimal, Decimal),
    Search(String),
}

impl ParsedCall {
    /// Reads what `tool` takes; `text` is the arguments as written, for numbers of many digits.
    ///
    /// # Errors
    /// When an argument is missing or of the wrong kind; the text is for the agent.
    pub(super) fn read(tool: Tool, arguments: &Map<String, Value>, text: &str) -> Result<Self, String> {
        let numbers = || Ok::<_, String>((decimal(text, "a")?, decimal(text, "b")?));
        Ok(match tool {
            Tool::GetPriceLocal => {
                Self::Price { symbol: symbol(arguments)?, date: date(required(arguments, "date")?)? }
            }
            Tool::GetPriceHistory => {
                Self::History { symbol: symbol(arguments)?, days: days(required(arguments, "days")?)? }
            }
            Tool::GetPosition => Self::Position,
            Tool::Buy => Self::Order(order(Side::Buy, arguments)?),
            Tool::Sell => Self::Order(order(Side::Sell, arguments)?),
            Tool::Add => numbers().map(|(a, b)| Self::Sum(a, b))?,
            Tool::Multiply => numbers().map(|(a, b)| Self::Product(a, b))?,
            Tool::GetInformation => {
                let query = words(arguments, "query")?;
                Self::Search(json::bounded(json::printable(query).trim(), MAX_QUERY))
            }
        })
    }
}

fn required<'a>(arguments: &'a Map<String, Value>, name: &str) -> Result<&'a Value, String> {
    arguments.get(name).ok_or_else(|| format!("Missing required parameter: {name}"))
}

fn words<'a>(arguments: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    let text = required(arguments, name)?.as_str().ok_or_else(|| format!("{name} must be a string"))?;
    if text.trim().is_empty() { Err(format!("{name} must not be empty")) } else { Ok(text) }
}

/// The symbol's text, cut, since results repeat it and refusals store it.
fn symbol(arguments: &Map<String, Value>) -> Result<String, String> {
    words(arguments, "symbol").map(|text| json::bounded(&json::printable(text), MAX_ECHO))
}

fn date(value: &Value) -> Result<NaiveDate, String> {
    let read = value.as_str().and_then(|text| parse_date(text.trim()));
    read.ok_or_else(|| "date must be a string of the form YYYY-MM-DD".to_owned())
}

fn days(value: &Value) -> Result<usize, String> {
    let days = whole(value).as_u64().filter(|days| *days > 0);
    let days = days.and_then(|days| usize::try_from(days.min(MAX_DAYS)).ok());
    days.ok_or_else(|| format!("days must be an integer from 1 to {MAX_DAYS}"))
}

/// The book judges every amount: a text or a fraction is a refused order.
fn order(side: Side, arguments: &Map<String, Value>) -> Result<Order, String> {
    let symbol = symbol(arguments)?;
    let quantity = match RequestedQuantity::from(&whole(required(arguments, "amount")?)) {
        RequestedQuantity::NotInteger(text) => RequestedQuantity::NotInteger(json::bounded(&text, MAX_ECHO)),
        integer @ RequestedQuantity::Integer(_) => integer,
    };
    Ok(Order::new(side, symbol, quantity))
}

/// A whole number that is written with a fraction of zero, as some models write them, without this fraction.
fn whole(value: &Value) -> Value {
    let exact = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < MAX_EXACT);
    match exact {
        #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is small enough")]
        Some(number) if value.is_f64() => Value::from(number as i64),
        Some(_) | None => value.clone(),
    }
}

fn decimal(text: &str, name: &str) -> Result<Decimal, String> {
    let exact = json::object(&json::numbers_as_text(text))?;
    let number = required(&exact, name)?.as_str().and_then(|text| number::decimal(text.trim()));
    number.ok_or_else(|| format!("{name} must be a number of at most 28 digits"))
}
