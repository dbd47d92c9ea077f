//! The bodies of `SPLITS` and `DIVIDENDS`.

use chrono::{Days, NaiveDate};
use serde_json::json;

/// The splits of a symbol, newest first.
pub(crate) fn splits(symbol: &str, splits: &[(NaiveDate, String)]) -> String {
    let rows =
        splits.iter().rev().map(|(date, factor)| json!({ "effective_date": date, "split_factor": factor }));
    json!({ "symbol": symbol, "data": rows.collect::<Vec<_>>() }).to_string()
}

/// The dividends of a symbol, newest first.
pub(crate) fn dividends(symbol: &str, dividends: &[(NaiveDate, String)]) -> String {
    let rows = dividends.iter().rev().map(|(date, amount)| {
        json!({
            "ex_dividend_date": date,
            "declaration_date": *date - Days::new(14),
            "record_date": date,
            "payment_date": *date + Days::new(14),
            "amount": amount,
        })
    });
    json!({ "symbol": symbol, "data": rows.collect::<Vec<_>>() }).to_string()
}
