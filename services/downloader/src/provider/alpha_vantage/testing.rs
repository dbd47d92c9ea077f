//! What the tests of this provider share: Friday 2025-10-31 at noon in New York.

use chrono::{DateTime, Utc};

use crate::provider::PriceResponse;

pub(super) fn now() -> DateTime<Utc> {
    "2025-10-31T16:00:00Z".parse().unwrap()
}

/// A body as the service prints it: rows are date, open, high, low, close, volume.
pub(super) fn body(symbol: &str, size: &str, rows: &[[&str; 6]]) -> String {
    let row = |[date, open, high, low, close, volume]: &[&str; 6]| {
        format!(
            r#""{date}": {{"1. open": "{open}", "2. high": "{high}", "3. low": "{low}", "4. close": "{close}", "5. volume": "{volume}"}}"#
        )
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    format!(
        r#"{{"Meta Data": {{"2. Symbol": "{symbol}", "4. Output Size": "{size}"}}, "Time Series (Daily)": {{{}}}}}"#,
        rows.join(", ")
    )
}

pub(super) fn good(date: &str) -> [&str; 6] {
    [date, "10.0000", "12.0000", "9.0000", "11.0000", "1000"]
}

/// The dates of the bars that were kept.
pub(super) fn kept(response: &PriceResponse) -> Vec<String> {
    response.bars.iter().map(|(_, date, _)| date.to_string()).collect()
}
