//! `merged.jsonl`: the prices of many symbols, each a line in Alpha Vantage's form with other names of two prices.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

/// The bars as CSV, except those of symbols in `without`; with the symbols that have one, and how many bars have no close.
///
/// The project hides all prices of a symbol's last day but the open; such a day is no bar.
pub(crate) fn csv_of_merged(text: &str, without: &BTreeSet<String>) -> (String, BTreeSet<String>, usize) {
    let mut csv = "symbol,date,open,high,low,close,volume\n".to_owned();
    let (mut symbols, mut hidden) = (BTreeSet::new(), 0);
    for document in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let Some(symbol) = document["Meta Data"]["2. Symbol"].as_str() else { continue };
        let Some(bars) = document["Time Series (Daily)"].as_object() else { continue };
        if without.contains(symbol) {
            continue;
        }
        for (date, bar) in bars {
            let price = |names: [&str; 2]| names.iter().find_map(|name| bar[*name].as_str());
            let values = [
                price(["1. buy price", "1. open"]),
                price(["2. high", "2. high"]),
                price(["3. low", "3. low"]),
                price(["4. sell price", "4. close"]),
                price(["5. volume", "6. volume"]),
            ];
            let [Some(open), Some(high), Some(low), Some(close), Some(volume)] = values else {
                hidden += 1;
                continue;
            };
            let _ = writeln!(csv, "{symbol},{date},{open},{high},{low},{close},{volume}");
            symbols.insert(symbol.to_owned());
        }
    }
    (csv, symbols, hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_s_names_of_prices_are_read_and_its_hidden_last_day_is_no_bar() {
        let line = |symbol: &str| {
            format!(
                r#"{{"Meta Data": {{"2. Symbol": "{symbol}"}}, "Time Series (Daily)": {{"2025-10-30": {{"1. buy price": "9"}}, "2025-10-29": {{"1. buy price": "1", "2. high": "4", "3. low": "1", "4. sell price": "3", "5. volume": "7"}}}}}}"#
            )
        };
        let text = format!("{}\nnot json\n{}\n", line("AAPL"), line("MSFT"));

        let (csv, symbols, hidden) = csv_of_merged(&text, &BTreeSet::from(["MSFT".to_owned()]));

        assert_eq!(csv, "symbol,date,open,high,low,close,volume\nAAPL,2025-10-29,1,4,1,3,7\n");
        assert_eq!((symbols, hidden), (BTreeSet::from(["AAPL".to_owned()]), 1));
    }
}
