//! The body of a series, byte for byte as the real service prints it: four spaces, its order of keys, all numbers as
//! text, newest first.

use std::fmt::Write;

use super::bar::Bar;

/// The number of bars of `outputsize=compact`.
const COMPACT: usize = 100;

/// The `outputsize` of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Compact,
    Full,
}

impl Size {
    fn title(self) -> &'static str {
        match self {
            Self::Compact => "Compact",
            Self::Full => "Full size",
        }
    }

    /// The part of `bars`, newest first, that this size has.
    pub(crate) fn of(self, bars: &[Bar]) -> &[Bar] {
        match self {
            Self::Compact => &bars[..bars.len().min(COMPACT)],
            Self::Full => bars,
        }
    }
}

/// The columns of a series: prices, or also splits and dividends, of which the stand-in has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Columns {
    Daily,
    Adjusted,
}

/// The JSON body for `bars`, which are newest first.
pub(crate) fn json(symbol: &str, size: Size, columns: Columns, bars: &[Bar]) -> String {
    let information = match columns {
        Columns::Daily => "Daily Prices (open, high, low, close) and Volumes",
        Columns::Adjusted => "Daily Time Series with Splits and Dividend Events",
    };
    let refreshed = bars.first().map(|bar| bar.date.to_string()).unwrap_or_default();
    let mut body = format!(
        "{{\n    \"Meta Data\": {{\n        \"1. Information\": \"{information}\",\n        \"2. Symbol\": \
         {},\n        \"3. Last Refreshed\": \"{refreshed}\",\n        \"4. Output Size\": \
         \"{}\",\n        \"5. Time Zone\": \"US/Eastern\"\n    }},\n    \"Time Series (Daily)\": {{",
        serde_json::Value::from(symbol),
        size.title()
    );
    for (index, bar) in bars.iter().enumerate() {
        body.push_str(if index == 0 { "\n" } else { ",\n" });
        push_bar(&mut body, columns, bar);
    }
    body.push_str("\n    }\n}");
    body
}

fn push_bar(body: &mut String, columns: Columns, bar: &Bar) {
    let Bar { date, open, high, low, close, volume } = bar;
    // Writing to a String cannot fail.
    let _ = write!(
        body,
        "        \"{date}\": {{\n            \"1. open\": \"{open}\",\n            \"2. high\": \
         \"{high}\",\n            \"3. low\": \"{low}\",\n            \"4. close\": \"{close}\",\n"
    );
    let _ = match columns {
        Columns::Daily => write!(body, "            \"5. volume\": \"{volume}\"\n        }}"),
        Columns::Adjusted => write!(
            body,
            "            \"5. adjusted close\": \"{close}\",\n            \"6. volume\": \
             \"{volume}\",\n            \"7. dividend amount\": \"0.0000\",\n            \"8. split \
             coefficient\": \"1.0\"\n        }}"
        ),
    };
}

/// The body for `datatype=csv`.
pub(crate) fn csv(columns: Columns, bars: &[Bar]) -> String {
    let mut body = match columns {
        Columns::Daily => "timestamp,open,high,low,close,volume\r\n",
        Columns::Adjusted => {
            "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient\r\n"
        }
    }
    .to_owned();
    for Bar { date, open, high, low, close, volume } in bars {
        let _ = match columns {
            Columns::Daily => write!(body, "{date},{open},{high},{low},{close},{volume}\r\n"),
            Columns::Adjusted => {
                write!(body, "{date},{open},{high},{low},{close},{close},{volume},0.0000,1.0\r\n")
            }
        };
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alpha_vantage::prices::{Prices, visible};

    fn check(symbol: &str, sample: &str) {
        let series = Prices::recorded().unwrap().series(symbol).unwrap();
        let bars = visible(&series, "2025-10-30".parse().unwrap(), None);

        let body = json(symbol, Size::Compact, Columns::Daily, Size::Compact.of(&bars));

        assert!(body == sample, "{symbol} differs from the real body; it begins {body:.300}");
    }

    #[test]
    fn compact_bodies_equal_the_real_ones_byte_for_byte() {
        check("AAPL", include_str!("../../testdata/daily_prices_AAPL.json"));
        check("ASML", include_str!("../../testdata/daily_prices_ASML.json"));
        check("NVDA", include_str!("../../testdata/daily_prices_NVDA.json"));
    }
}
