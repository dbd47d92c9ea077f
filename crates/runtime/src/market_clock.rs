//! Settings of the exchange's calendar and of the current date.

use chrono::NaiveDate;
use domain::market::calendar::Calendar;
use domain::values::date::parse_date;

use crate::settings::Settings;

/// The exchange's calendar without the dates of `MARKET_CLOSURES`: closed days that the built-in calendar does not have,
/// separated by commas.
pub fn calendar(settings: &mut Settings) -> Calendar {
    let text = settings.text("MARKET_CLOSURES").unwrap_or_default();
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let closures: Vec<NaiveDate> = parts.filter_map(|part| date(settings, "MARKET_CLOSURES", part)).collect();
    Calendar::nyse().with_closures(closures)
}

/// `SIMULATED_TODAY`: the last date that requests may name, for installations with data of the past.
pub fn today(settings: &mut Settings) -> Option<NaiveDate> {
    let text = settings.text("SIMULATED_TODAY")?;
    date(settings, "SIMULATED_TODAY", text.trim())
}

fn date(settings: &mut Settings, key: &str, text: &str) -> Option<NaiveDate> {
    let date = parse_date(text);
    if date.is_none() {
        settings.invalid(key, format!("{text:?} is not a date"), "write YYYY-MM-DD");
    }
    date
}
