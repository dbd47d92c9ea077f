//! Warnings: facts that a user should know although the job goes on.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::agent::end_reason::EndReason;
use crate::market::instruments::Symbol;
use crate::market::renames::{IMPORT_FATE, Rename};

/// Stable codes of the warnings that Modelday gives.
pub mod code {
    /// The provider's quota ended the download.
    pub const RATE_LIMITED: &str = "RATE_LIMITED";
    /// Symbols that could not be downloaded for another reason.
    pub const SYMBOLS_FAILED: &str = "SYMBOLS_FAILED";
    /// Symbols that no source has prices of; dates run without them.
    pub const SYMBOLS_UNAVAILABLE: &str = "SYMBOLS_UNAVAILABLE";
    /// Sessions that are not run because prices are missing.
    pub const DATES_SKIPPED: &str = "DATES_SKIPPED";
    /// Prices that the call quota did not allow, and when it will allow them.
    pub const PRICES_MISSING: &str = "PRICES_MISSING";
    /// Weekdays without a session.
    pub const MARKET_CLOSED: &str = "MARKET_CLOSED";
    /// Model-days that were completed before.
    pub const ALREADY_COMPLETED: &str = "ALREADY_COMPLETED";
    /// Kept model-days that were made with another configuration.
    pub const CONFIG_CHANGED: &str = "CONFIG_CHANGED";
    /// Days whose base was replaced or filled later, or whose prices were replaced.
    pub const STALE_DAYS: &str = "STALE_DAYS";
    /// Rows of a provider's response that are no bars.
    pub const ROWS_REJECTED: &str = "ROWS_REJECTED";
    /// A provider's bar that differs from the stored one; the stored one stays.
    pub const PRICE_REVISED: &str = "PRICE_REVISED";
    /// Overnight moves of held symbols that look like splits that were not imported.
    pub const SPLIT_SUSPECTED: &str = "SPLIT_SUSPECTED";
    /// Days of an agent that ended without its decision, such as at a limit of steps.
    pub const DAYS_ENDED_ODDLY: &str = "DAYS_ENDED_ODDLY";
    /// Held symbols that have had no price for many sessions.
    pub const HELD_WITHOUT_PRICES: &str = "HELD_WITHOUT_PRICES";
    /// Symbols that another company had until they were taken by a rename, and nothing is known of what became of it.
    pub const SYMBOL_TAKEN_OVER: &str = "SYMBOL_TAKEN_OVER";
    /// The provider refused: key, plan or fault.
    pub const PROVIDER_REFUSED: &str = "PROVIDER_REFUSED";
    /// Prices that are adjusted for dividends, at which no trade happened.
    pub const TOTAL_RETURN_PRICES: &str = "TOTAL_RETURN_PRICES";
    /// A field of the request that means nothing.
    pub const UNKNOWN_FIELD: &str = "UNKNOWN_FIELD";
    /// Symbols that a model trades and the universe does not have.
    pub const OUTSIDE_UNIVERSE: &str = "OUTSIDE_UNIVERSE";

    /// All of them.
    pub const ALL: [&str; 19] = [
        RATE_LIMITED,
        SYMBOLS_FAILED,
        SYMBOLS_UNAVAILABLE,
        DATES_SKIPPED,
        PRICES_MISSING,
        MARKET_CLOSED,
        ALREADY_COMPLETED,
        CONFIG_CHANGED,
        STALE_DAYS,
        ROWS_REJECTED,
        PRICE_REVISED,
        SPLIT_SUSPECTED,
        DAYS_ENDED_ODDLY,
        HELD_WITHOUT_PRICES,
        SYMBOL_TAKEN_OVER,
        PROVIDER_REFUSED,
        TOTAL_RETURN_PRICES,
        UNKNOWN_FIELD,
        OUTSIDE_UNIVERSE,
    ];
}

/// How many symbols a warning's message names.
const MAX_NAMES: usize = 10;
/// Dates that a warning about any number of days lists: events carry them.
const MAX_LISTED: usize = 100;

/// One warning. Two warnings with the same code and message are the same warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// One of [`code`], or a newer one.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// The symbols concerned, if any.
    pub symbols: Vec<Symbol>,
    /// The dates concerned, if any.
    pub dates: Vec<NaiveDate>,
    /// How many things are concerned.
    pub count: u32,
}

impl Warning {
    /// The download stopped at the provider's limit after `done` of `total` symbols.
    pub fn rate_limited(done: usize, total: usize) -> Self {
        Self::new(
            code::RATE_LIMITED,
            format!("Rate limit reached - downloaded {done}/{total} symbols"),
            total - done.min(total),
        )
    }

    /// The request has a field `name`, which means nothing.
    pub fn unknown_field(name: &str) -> Self {
        Self::new(code::UNKNOWN_FIELD, format!("The request's field {name} means nothing and was ignored"), 1)
    }

    /// These symbols could not be downloaded.
    pub fn symbols_failed(symbols: Vec<Symbol>) -> Self {
        let message = format!("{} symbols failed to download", symbols.len());
        Self { symbols, ..Self::new(code::SYMBOLS_FAILED, message, 0) }.counted()
    }

    /// These symbols have no prices, for these reasons.
    pub fn symbols_unavailable(reasons: &BTreeMap<Symbol, String>) -> Self {
        let list: Vec<String> =
            reasons.iter().map(|(symbol, reason)| format!("{symbol}: {reason}")).collect();
        let message = format!(
            "{} symbols have no prices and cannot be traded; dates run without them - {}",
            reasons.len(),
            list.join("; ")
        );
        Self::new(code::SYMBOLS_UNAVAILABLE, message, 0).about(reasons.keys().cloned().collect())
    }

    /// These sessions are not run because prices are missing.
    pub fn dates_skipped(dates: Vec<NaiveDate>) -> Self {
        let list: Vec<String> = dates.iter().map(|date| format!("'{date}'")).collect();
        let message =
            format!("Skipped {} dates due to incomplete price data: [{}]", dates.len(), list.join(", "));
        Self { dates, ..Self::new(code::DATES_SKIPPED, message, 0) }.counted()
    }

    /// These weekdays have no session.
    pub fn market_closed(days: Vec<(NaiveDate, String)>) -> Self {
        let list: Vec<String> = days.iter().map(|(date, name)| format!("{date} ({name})")).collect();
        let message = format!("Market closed on {}", list.join(", "));
        let dates = days.into_iter().map(|(date, _)| date).collect();
        Self { dates, ..Self::new(code::MARKET_CLOSED, message, 0) }.counted()
    }

    /// `count` model-days were completed before and are kept.
    pub fn already_completed(count: usize) -> Self {
        Self::new(code::ALREADY_COMPLETED, format!("Skipped {count} model-days already completed"), count)
    }

    /// `model` has no day in the job: its own history already reaches the last date.
    pub fn up_to_date(model: &str) -> Self {
        Self::new(code::ALREADY_COMPLETED, format!("{model} is up to date; nothing to run"), 0)
    }

    /// `count` kept model-days of `model` were made with another configuration.
    pub fn config_changed(model: &str, count: usize) -> Self {
        let message = format!(
            "{count} completed model-days of {model} were made under another configuration and are kept; \
             use replace_existing or another experiment to run them anew"
        );
        Self::new(code::CONFIG_CHANGED, message, count)
    }

    /// Held symbols whose open on a date looks like a split of that ratio, which was not imported.
    pub fn split_suspected(splits: Vec<(Symbol, NaiveDate, String)>) -> Self {
        let list: Vec<String> =
            splits.iter().map(|(symbol, date, ratio)| format!("{symbol} on {date} ({ratio})")).collect();
        let message = format!(
            "Held symbols open as after a split that is not known: {}; import it with POST /prices/import?kind=splits, \
             then trigger with reprocess_stale",
            list.join(", ")
        );
        let (mut symbols, mut dates): (Vec<Symbol>, Vec<NaiveDate>) =
            splits.iter().map(|(symbol, date, _)| (symbol.clone(), *date)).unzip();
        symbols.sort();
        symbols.dedup();
        dates.sort();
        dates.dedup();
        Self { symbols, dates, ..Self::new(code::SPLIT_SUSPECTED, message, splits.len()) }
    }

    /// Held symbols that had no price for at least `sessions` sessions, with the sessions of their last prices.
    pub fn held_without_prices(sessions: usize, holdings: Vec<(Symbol, NaiveDate)>) -> Self {
        let list: Vec<String> =
            holdings.iter().map(|(symbol, date)| format!("{symbol} (last price of {date})")).collect();
        let message = format!(
            "Held symbols have had no price for {sessions} sessions or more, and are valued at their last: {}; import \
             their prices, or what became of them with POST /prices/import?kind=delistings, renames or mergers, then \
             trigger with reprocess_stale",
            list.join(", ")
        );
        let (symbols, mut dates): (Vec<Symbol>, Vec<NaiveDate>) = holdings.into_iter().unzip();
        dates.sort();
        dates.dedup();
        let count = symbols.len();
        Self { symbols, dates, ..Self::new(code::HELD_WITHOUT_PRICES, message, count) }
    }

    /// These renames take symbols that other companies had until then, and nothing is known of what became of those.
    pub fn symbol_taken_over(renames: &[Rename]) -> Self {
        let taken = renames.iter().take(MAX_NAMES).map(Rename::takeover).collect::<Vec<_>>().join("; ");
        let message = format!(
            "{taken}. What became of the other company is not known: a portfolio that holds its shares is paid their last \
             close, which /results shows among the day's corporate_actions as estimated. {IMPORT_FATE}, then trigger \
             with reprocess_stale"
        );
        let mut symbols: Vec<Symbol> = renames.iter().map(|rename| rename.new.clone()).collect();
        symbols.sort();
        symbols.dedup();
        let mut dates: Vec<NaiveDate> = renames.iter().map(|rename| rename.date).collect();
        dates.sort();
        dates.dedup();
        Self { symbols, dates, ..Self::new(code::SYMBOL_TAKEN_OVER, message, renames.len()) }
    }

    /// The bases of these days of `model` were replaced or filled later, or their prices were replaced.
    pub fn stale_days(model: &str, dates: Vec<NaiveDate>) -> Self {
        let message = format!(
            "{} completed days of {model} stand on a replaced or later filled day, or on replaced prices; \
             trigger with reprocess_stale to run them again",
            dates.len()
        );
        Self { dates, ..Self::new(code::STALE_DAYS, message, 0) }.counted()
    }

    /// `model` traded or held these symbols, whose prices are adjusted for dividends.
    pub fn total_return(model: &str, symbols: Vec<Symbol>) -> Self {
        let message = format!(
            "{model} stands on prices of {} that are adjusted for dividends: nobody traded at them, and a \
             dividend that is imported too would count twice",
            named(&symbols)
        );
        Self::new(code::TOTAL_RETURN_PRICES, message, 0).about(symbols)
    }

    /// Days of `model` that ended for these reasons, which are no decisions of its own.
    pub fn days_ended_oddly(model: &str, days: &[(NaiveDate, EndReason)]) -> Self {
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        days.iter().for_each(|(_, reason)| *reasons.entry(reason.as_str()).or_default() += 1);
        let list: Vec<String> = reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        let (noun, it) = if days.len() == 1 { ("day", "its") } else { ("days", "their") };
        let message = format!(
            "{} {noun} of {model} ended without a decision ({}); {it} conversation shows why: \
             GET /jobs/JOB/model-days/{model}/DATE",
            days.len(),
            list.join(", ")
        );
        let mut dates: Vec<NaiveDate> = days.iter().map(|(date, _)| *date).collect();
        dates.sort();
        dates.dedup();
        dates.truncate(MAX_LISTED);
        Self { dates, ..Self::new(code::DAYS_ENDED_ODDLY, message, days.len()) }
    }

    /// `model` trades these symbols, which are not in the universe of its job.
    pub fn outside_universe(model: &str, symbols: Vec<Symbol>) -> Self {
        let message = format!(
            "{model} trades {}, which the universe does not have; such orders are refused",
            named(&symbols)
        );
        Self::new(code::OUTSIDE_UNIVERSE, message, 0).about(symbols)
    }

    /// A warning with a message of its own.
    pub fn new(code: &str, message: String, count: usize) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Self { code: code.to_owned(), message, symbols: Vec::new(), dates: Vec::new(), count }
    }

    /// The same warning about these symbols.
    pub fn about(self, symbols: Vec<Symbol>) -> Self {
        Self { symbols, ..self }.counted()
    }

    fn counted(self) -> Self {
        let count = u32::try_from(self.symbols.len().max(self.dates.len())).unwrap_or(u32::MAX);
        Self { count, ..self }
    }
}

/// The first symbols by name, and how many more there are.
fn named(symbols: &[Symbol]) -> String {
    let names: Vec<&str> = symbols.iter().take(MAX_NAMES).map(Symbol::as_str).collect();
    let more = symbols.len().saturating_sub(MAX_NAMES);
    let others = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{others}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_ends_are_counted_by_reason() {
        let day = |date: &str, reason| (date.parse().unwrap(), reason);
        let days = [
            day("2025-10-02", EndReason::NoMoreToSay),
            day("2025-10-01", EndReason::MaxSteps),
            day("2025-10-02", EndReason::NoMoreToSay),
        ];

        let warning = Warning::days_ended_oddly("m", &days);

        assert!(
            warning
                .message
                .starts_with("3 days of m ended without a decision (max_steps 1, no_more_to_say 2); their"),
            "{}",
            warning.message
        );
        assert_eq!((warning.count, warning.dates), (3, vec![days[1].0, days[0].0]));
    }

    #[test]
    fn messages_keep_the_original_wording() {
        let dates = vec!["2025-10-02".parse().unwrap(), "2025-10-05".parse().unwrap()];

        assert_eq!(Warning::rate_limited(12, 15).message, "Rate limit reached - downloaded 12/15 symbols");
        assert_eq!(
            Warning::dates_skipped(dates).message,
            "Skipped 2 dates due to incomplete price data: ['2025-10-02', '2025-10-05']"
        );
        let failed = vec!["A".parse().unwrap(), "B".parse().unwrap(), "C".parse().unwrap()];
        assert_eq!(Warning::symbols_failed(failed).message, "3 symbols failed to download");
    }
}
