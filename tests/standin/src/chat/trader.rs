//! A model that trades without a script: it reads its position and a price, then buys and sells a little.
//!
//! Its calls depend only on its name, the date and the facts of the day, so the same day has the same result.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::script::ToolCall;

/// The symbol to trade when the requests had no prices.
const FALLBACK: &str = "AAPL";

/// What the requests of a day say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct DayFacts {
    pub(super) model: String,
    pub(super) date: String,
    /// The symbols that have prices, in the order of the request.
    pub(super) symbols: Vec<String>,
    pub(super) cash: Option<Decimal>,
    pub(super) holdings: BTreeMap<String, u64>,
    /// Today's open of the favourite.
    pub(super) open: Option<Decimal>,
}

impl DayFacts {
    /// The tool calls of a step, counted from 0; `None` when the day is finished.
    pub(super) fn calls(&self, step: usize) -> Option<Vec<ToolCall>> {
        match step {
            0 => Some(self.look()),
            1 => Some(self.trade()).filter(|orders| !orders.is_empty()),
            _ => None,
        }
    }

    /// The symbol that the model buys today.
    pub(super) fn favourite(&self) -> &str {
        pick(&self.symbols, self.hash()).map_or(FALLBACK, String::as_str)
    }

    fn look(&self) -> Vec<ToolCall> {
        let price = json!({ "symbol": self.favourite(), "date": self.date });
        vec![ToolCall::new("get_position", &json!({})), ToolCall::new("get_price_local", &price)]
    }

    /// Sells half of one holding when there are at least three, and buys today's favourite for a fifth of the cash.
    fn trade(&self) -> Vec<ToolCall> {
        let order = |name: &str, symbol: &str, amount: u64| {
            ToolCall::new(name, &json!({ "symbol": symbol, "amount": amount }))
        };
        let held: Vec<_> = self.holdings.iter().collect();
        let sold = pick(&held, self.hash()).filter(|_| held.len() >= 3);
        let sold = sold.map(|(symbol, quantity)| order("sell", symbol, quantity.div_ceil(2)));
        let bought = self.cash.zip(self.open).and_then(|(cash, open)| {
            let shares = (cash / Decimal::from(5)).checked_div(open)?.trunc();
            let shares: u64 = shares.try_into().ok()?;
            (cash >= open).then(|| order("buy", self.favourite(), shares.max(1)))
        });
        sold.into_iter().chain(bought).collect()
    }

    /// The FNV-1a hash of model and date.
    fn hash(&self) -> u64 {
        let bytes = self.model.bytes().chain(self.date.bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
}

fn pick<T>(items: &[T], hash: u64) -> Option<&T> {
    let count = u64::try_from(items.len()).ok().filter(|count| *count > 0)?;
    items.get(usize::try_from(hash % count).ok()?)
}

/// A JSON number with all of its digits.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    value.as_number()?.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> DayFacts {
        DayFacts {
            model: "m".to_owned(),
            date: "2025-10-02".to_owned(),
            symbols: ["AAPL", "MSFT", "NVDA"].map(str::to_owned).to_vec(),
            cash: Some(Decimal::from(1_000)),
            open: Some(Decimal::from(90)),
            holdings: BTreeMap::new(),
        }
    }

    #[test]
    fn it_reads_then_spends_a_fifth_of_its_cash_then_finishes() {
        let facts = facts();

        let names =
            |step| facts.calls(step).map(|calls| calls.into_iter().map(|call| call.name).collect::<Vec<_>>());

        assert_eq!(names(0), Some(vec!["get_position".to_owned(), "get_price_local".to_owned()]));
        assert_eq!(names(1), Some(vec!["buy".to_owned()]));
        assert_eq!(
            facts.calls(1).unwrap()[0].arguments,
            format!(r#"{{"amount":2,"symbol":"{}"}}"#, facts.favourite())
        );
        assert_eq!(names(2), None);
    }

    #[test]
    fn with_three_holdings_half_of_one_goes_first() {
        let holdings = [("A", 5), ("B", 5), ("C", 5)].map(|(name, quantity)| (name.to_owned(), quantity));

        let orders = DayFacts { holdings: holdings.into(), ..facts() }.calls(1).unwrap();

        assert_eq!(orders.iter().map(|order| order.name.as_str()).collect::<Vec<_>>(), ["sell", "buy"]);
        assert!(orders[0].arguments.starts_with(r#"{"amount":3"#), "{}", orders[0].arguments);
    }

    #[test]
    fn without_money_it_does_nothing() {
        assert_eq!(DayFacts { cash: Some(Decimal::ONE), ..facts() }.calls(1), None);
        assert_eq!(DayFacts { cash: None, ..facts() }.calls(1), None);
    }

    #[test]
    fn its_favourite_changes_with_the_day() {
        let favourite = |day: u32| {
            let date = format!("2025-10-{day:02}");
            DayFacts { date, ..facts() }.favourite().to_owned()
        };

        let favourites: std::collections::BTreeSet<_> = (1..15).map(favourite).collect();

        assert!(favourites.len() > 1, "{favourites:?}");
        assert_eq!(favourite(3), favourite(3));
    }
}
