//! The arguments of a call, read into what is wanted.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::{ECHO_LIMIT, Tool};
use crate::accounting::order::{Order, RequestedQuantity, Side};
use crate::agent::{json, number};

/// The most sessions that one call shows.
pub(super) const MOST_DAYS: u64 = 100;
const QUERY_LIMIT: usize = 400;

/// What a call wants.
pub(super) enum Wanted {
    Price { symbol: String, date: NaiveDate },
    History { symbol: String, days: usize },
    Position,
    Order(Order),
    Sum(Decimal, Decimal),
    Product(Decimal, Decimal),
    Search(String),
}

impl Wanted {
    /// Reads what `tool` takes; `text` is the arguments as written, for numbers of many digits.
    ///
    /// # Errors
    /// In words for the agent: what is missing or of the wrong kind.
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
                Self::Search(json::bounded(json::printable(query).trim(), QUERY_LIMIT))
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

/// The symbol's text, cut: it is repeated in answers and stored with refusals.
fn symbol(arguments: &Map<String, Value>) -> Result<String, String> {
    words(arguments, "symbol").map(|text| json::bounded(&json::printable(text), ECHO_LIMIT))
}

fn date(value: &Value) -> Result<NaiveDate, String> {
    let read = value.as_str().and_then(|text| NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok());
    read.ok_or_else(|| "date must be a string of the form YYYY-MM-DD".to_owned())
}

fn days(value: &Value) -> Result<usize, String> {
    let wanted = value.as_u64().filter(|days| *days > 0);
    let wanted = wanted.and_then(|days| usize::try_from(days.min(MOST_DAYS)).ok());
    wanted.ok_or_else(|| format!("days must be an integer from 1 to {MOST_DAYS}"))
}

/// Whatever the amount is, the book judges it: a text or a fraction is a refused order.
fn order(side: Side, arguments: &Map<String, Value>) -> Result<Order, String> {
    let symbol = symbol(arguments)?;
    let quantity = match RequestedQuantity::from(required(arguments, "amount")?) {
        RequestedQuantity::NotInteger(text) => {
            RequestedQuantity::NotInteger(json::bounded(&text, ECHO_LIMIT))
        }
        integer @ RequestedQuantity::Integer(_) => integer,
    };
    Ok(Order::new(side, symbol, quantity))
}

fn decimal(text: &str, name: &str) -> Result<Decimal, String> {
    let exact = json::object(&json::numbers_as_text(text))?;
    let written = required(&exact, name)?.as_str().and_then(|text| number::decimal(text.trim()));
    written.ok_or_else(|| format!("{name} must be a number of at most 28 digits"))
}
