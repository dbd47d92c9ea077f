//! The recorded prices: 101 NASDAQ-100 symbols and QQQ, 100 sessions of 2025. `tests/data/README.md` names their source.

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::Context;
use flate2::read::GzDecoder;

use super::bar::Bar;

static ARCHIVE: &[u8] = include_bytes!("../../../data/nasdaq100_daily_2025.csv.gz");

/// All recorded series by symbol, oldest bar first.
pub(crate) fn load() -> anyhow::Result<BTreeMap<String, Vec<Bar>>> {
    let mut text = String::new();
    GzDecoder::new(ARCHIVE).read_to_string(&mut text).context("unpacking the recorded prices")?;
    parse(&text)
}

fn parse(text: &str) -> anyhow::Result<BTreeMap<String, Vec<Bar>>> {
    let mut series: BTreeMap<String, Vec<Bar>> = BTreeMap::new();
    for (index, line) in text.lines().enumerate().skip(1) {
        let (symbol, bar) =
            row(line).with_context(|| format!("line {} of the recorded prices", index + 1))?;
        series.entry(symbol.to_owned()).or_default().push(bar);
    }
    Ok(series)
}

fn row(line: &str) -> anyhow::Result<(&str, Bar)> {
    let columns: Vec<&str> = line.split(',').collect();
    let [symbol, date, open, high, low, close, volume] = columns[..] else {
        anyhow::bail!("{} columns instead of 7", columns.len());
    };
    let bar = Bar {
        date: date.parse()?,
        open: open.parse()?,
        high: high.parse()?,
        low: low.parse()?,
        close: close.parse()?,
        volume: volume.parse()?,
    };
    Ok((symbol, bar))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use domain::market::calendar::Calendar;

    use super::*;

    #[test]
    fn every_series_has_exactly_the_sessions_of_its_span() {
        let series = load().unwrap();

        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let sessions = Calendar::nyse().sessions(day("2025-06-10"), day("2025-10-30"));
        assert_eq!((series.len(), sessions.len()), (102, 100));
        for (symbol, bars) in series {
            let dates: Vec<NaiveDate> = bars.iter().map(|bar| bar.date).collect();
            assert_eq!(dates, sessions, "{symbol}");
        }
    }

    #[test]
    fn a_line_with_a_missing_column_is_named() {
        let error = parse("header\nAAPL,2025-06-10,1.0000\n").unwrap_err();

        assert_eq!(format!("{error:#}"), "line 2 of the recorded prices: 3 columns instead of 7");
    }
}
