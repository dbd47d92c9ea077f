//! A model that trades without a script: it looks at its position and a price, then buys and sells a little.
//!
//! What it does depends on its name, the date and what it is told, so the same day comes out the same.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::script::Use;

/// What is traded when no prices were told.
const FALLBACK: &str = "AAPL";

/// What the model knows of its day.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Known {
    pub(super) model: String,
    pub(super) date: String,
    /// Symbols that have prices, as they were told.
    pub(super) symbols: Vec<String>,
    pub(super) cash: Option<Decimal>,
    pub(super) holdings: BTreeMap<String, u64>,
    /// Today's open of the symbol it looks at.
    pub(super) open: Option<Decimal>,
}

impl Known {
    /// The tools of a step, counted from 0; none when it is done.
    pub(super) fn uses(&self, step: usize) -> Option<Vec<Use>> {
        match step {
            0 => Some(self.look()),
            1 => Some(self.trade()).filter(|orders| !orders.is_empty()),
            _ => None,
        }
    }

    /// The symbol it looks at today.
    pub(super) fn favourite(&self) -> &str {
        pick(&self.symbols, self.chance()).map_or(FALLBACK, String::as_str)
    }

    fn look(&self) -> Vec<Use> {
        let price = json!({ "symbol": self.favourite(), "date": self.date });
        vec![Use::new("get_position", &json!({})), Use::new("get_price_local", &price)]
    }

    /// Half of one holding goes once there are three; a fifth of the cash becomes shares of today's favourite.
    fn trade(&self) -> Vec<Use> {
        let order = |name: &str, symbol: &str, amount: u64| {
            Use::new(name, &json!({ "symbol": symbol, "amount": amount }))
        };
        let held: Vec<_> = self.holdings.iter().collect();
        let sold = pick(&held, self.chance()).filter(|_| held.len() >= 3);
        let sold = sold.map(|(symbol, quantity)| order("sell", symbol, quantity.div_ceil(2)));
        let bought = self.cash.zip(self.open).and_then(|(cash, open)| {
            let shares = (cash / Decimal::from(5)).checked_div(open)?.trunc();
            let shares: u64 = shares.try_into().ok()?;
            (cash >= open).then(|| order("buy", self.favourite(), shares.max(1)))
        });
        sold.into_iter().chain(bought).collect()
    }

    /// A number that is the same for the same model and date: FNV-1a.
    fn chance(&self) -> u64 {
        let bytes = self.model.bytes().chain(self.date.bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
}

fn pick<T>(items: &[T], chance: u64) -> Option<&T> {
    let count = u64::try_from(items.len()).ok().filter(|count| *count > 0)?;
    items.get(usize::try_from(chance % count).ok()?)
}

/// A number of JSON as it is written.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    value.as_number()?.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        Known {
            model: "m".to_owned(),
            date: "2025-10-02".to_owned(),
            symbols: ["AAPL", "MSFT", "NVDA"].map(str::to_owned).to_vec(),
            cash: Some(Decimal::from(1_000)),
            open: Some(Decimal::from(90)),
            holdings: BTreeMap::new(),
        }
    }

    #[test]
    fn it_looks_then_spends_a_fifth_of_its_cash_then_is_done() {
        let known = known();

        let names =
            |step| known.uses(step).map(|uses| uses.into_iter().map(|used| used.name).collect::<Vec<_>>());

        assert_eq!(names(0), Some(vec!["get_position".to_owned(), "get_price_local".to_owned()]));
        assert_eq!(names(1), Some(vec!["buy".to_owned()]));
        assert_eq!(
            known.uses(1).unwrap()[0].arguments,
            format!(r#"{{"amount":2,"symbol":"{}"}}"#, known.favourite())
        );
        assert_eq!(names(2), None);
    }

    #[test]
    fn with_three_holdings_half_of_one_goes_first() {
        let holdings = [("A", 5), ("B", 5), ("C", 5)].map(|(name, quantity)| (name.to_owned(), quantity));

        let orders = Known { holdings: holdings.into(), ..known() }.uses(1).unwrap();

        assert_eq!(orders.iter().map(|order| order.name.as_str()).collect::<Vec<_>>(), ["sell", "buy"]);
        assert!(orders[0].arguments.starts_with(r#"{"amount":3"#), "{}", orders[0].arguments);
    }

    #[test]
    fn without_money_it_does_nothing() {
        assert_eq!(Known { cash: Some(Decimal::ONE), ..known() }.uses(1), None);
        assert_eq!(Known { cash: None, ..known() }.uses(1), None);
    }

    #[test]
    fn its_favourite_changes_with_the_day() {
        let favourite = |day: u32| {
            let date = format!("2025-10-{day:02}");
            Known { date, ..known() }.favourite().to_owned()
        };

        let favourites: std::collections::BTreeSet<_> = (1..15).map(favourite).collect();

        assert!(favourites.len() > 1, "{favourites:?}");
        assert_eq!(favourite(3), favourite(3));
    }
}
