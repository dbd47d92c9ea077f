//! Prices as known at the open.

use chrono::NaiveDate;

use crate::agent::action_notices::ActionNotice;
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
        if as_of.is_halted(&name) {
            return refused(format!(
                "Symbol {symbol} is halted on {date}: nothing was traded in the session"
            ));
        }
        let Some(open) = as_of.open(&name) else { return unknown() };
        let object = object().json("ohlcv", Object::new().decimal("open", open.amount()).finish());
        return with_actions(object, as_of, &name, date).finish();
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
    let name = symbol.parse::<Symbol>();
    let bars = name.as_ref().map(|name| as_of.history(name, days)).unwrap_or_default();
    let (Ok(name), Some((first, _))) = (name, bars.first()) else {
        let why = format!("Symbol {symbol} not found before {}", as_of.today());
        return Object::new().text("error", &why).text("symbol", symbol).finish();
    };
    let dated = |(date, bar): &(NaiveDate, Bar)| ohlcv(Object::new().text("date", &date.to_string()), bar);
    let object = Object::new().text("symbol", symbol).json("bars", array(bars.iter().map(dated)));
    with_actions(object, as_of, &name, *first).finish()
}

/// Adds what the company of `symbol` did from `from` to today, if anything.
fn with_actions(object: Object, as_of: &AsOf<'_>, symbol: &Symbol, from: NaiveDate) -> Object {
    let notices = as_of.actions_of(symbol, from).map(|(date, action)| {
        let dated = Object::new().text("date", &date.to_string());
        ActionNotice::of(&action.symbol, &action.action).object(dated).finish()
    });
    let notices: Vec<String> = notices.collect();
    if notices.is_empty() { object } else { object.json("corporate_actions", array(notices)) }
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
