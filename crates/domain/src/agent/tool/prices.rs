//! Prices as known at the open.

use chrono::NaiveDate;

use crate::agent::json::{Object, array};
use crate::market::as_of::{AsOf, AsOfError};
use crate::market::instruments::{Bar, Symbol};

/// The prices of `symbol` on `date`: the full bar of an earlier day, today's open, nothing later.
pub(super) fn on(as_of: &AsOf<'_>, symbol: &str, date: NaiveDate) -> String {
    let object = || Object::new().text("symbol", symbol).text("date", &date.to_string());
    let refused = |why: String| {
        Object::new().text("error", &why).text("symbol", symbol).text("date", &date.to_string()).finish()
    };
    let unknown = || refused(format!("Symbol {symbol} not found on {date}"));
    let Ok(name) = symbol.parse::<Symbol>() else { return unknown() };
    if date == as_of.today() {
        let Some(open) = as_of.open(&name) else { return unknown() };
        return object().json("ohlcv", Object::new().decimal("open", open.amount()).finish()).finish();
    }
    match as_of.bar(&name, date) {
        Ok(bar) => object().json("ohlcv", ohlcv(Object::new(), &bar)).finish(),
        Err(AsOfError::Unknown { .. }) => unknown(),
        Err(AsOfError::LookAhead { today, .. }) => {
            refused(format!("Prices after the open of {today} are not known"))
        }
    }
}

/// The last `days` bars of `symbol` before today, oldest first.
pub(super) fn history(as_of: &AsOf<'_>, symbol: &str, days: usize) -> String {
    let bars = symbol.parse::<Symbol>().map(|symbol| as_of.history(&symbol, days)).unwrap_or_default();
    if bars.is_empty() {
        let why = format!("Symbol {symbol} not found before {}", as_of.today());
        return Object::new().text("error", &why).text("symbol", symbol).finish();
    }
    let dated = |(date, bar): &(NaiveDate, Bar)| ohlcv(Object::new().text("date", &date.to_string()), bar);
    Object::new().text("symbol", symbol).json("bars", array(bars.iter().map(dated))).finish()
}

fn ohlcv(object: Object, bar: &Bar) -> String {
    object
        .decimal("open", bar.open().amount())
        .decimal("high", bar.high().amount())
        .decimal("low", bar.low().amount())
        .decimal("close", bar.close().amount())
        .json("volume", bar.volume())
        .finish()
}
