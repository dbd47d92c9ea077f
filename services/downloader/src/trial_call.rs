//! One call to a source of prices, by which people see that its key works. Nothing is stored or counted.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{NaiveDate, Utc};
use domain::ingest::fetch_plan::{Request, Shape};
use domain::market::calendar::Calendar;
use domain::market::instruments::Symbol;
use runtime::settings::Settings;

use crate::config::sources;
use crate::download::clock::Clock;
use crate::download::source::provider;
use crate::provider::{FetchRequest, NoPrices, Outcome};

/// The longest time of the call.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Makes one call for `symbol` on `date` to the source whose key `key_variable` holds in `settings`. Returns how many bars
/// it brought.
///
/// # Errors
/// What is wrong, and what to do about it; never the key.
pub async fn try_source(
    settings: &mut Settings,
    key_variable: &str,
    calendar: &Calendar,
    symbol: &Symbol,
    date: NaiveDate,
) -> Result<usize, String> {
    let (sources, _) = sources::sources(settings, TIMEOUT);
    let source = sources.iter().find(|source| source.key_variable == key_variable);
    let source = source.ok_or_else(|| {
        format!("no source of SOURCES_FILE (configs/sources.toml) has its key in {key_variable}; add one")
    })?;
    let access = source.access.clone().ok_or_else(|| format!("{key_variable} is not set"))?;
    let title = source.kind.title();
    let provider = provider(source, access).map_err(|problem| format!("{title}: {problem}"))?;
    let call = match provider.shape() {
        Shape::BySymbol | Shape::Either => Request::Symbol(symbol.clone()),
        Shape::ByDate => Request::Date(date),
    };
    let clock = Clock::at(calendar, Utc::now());
    let is_session = |date: NaiveDate| calendar.is_session(date);
    let (dates, symbols) = (BTreeSet::from([date]), BTreeSet::from([symbol.clone()]));
    let request = FetchRequest {
        call: &call,
        dates: &dates,
        symbols: &symbols,
        sessions: clock.sessions(&is_session),
        now: clock.now,
    };
    read(title, key_variable, symbol, provider.fetch(&request).await.outcome)
}

fn read(title: &str, key_variable: &str, symbol: &Symbol, outcome: Outcome) -> Result<usize, String> {
    Err(match outcome {
        Outcome::Bars(prices) => return Ok(prices.bars.len()),
        Outcome::BadCredentials { reason } => {
            format!("{title} refuses the key ({reason}); check the value of {key_variable}")
        }
        Outcome::Throttled { retry_after } => format!(
            "{title} takes no call for another {} s; the key is known, so try again then",
            retry_after.as_secs()
        ),
        Outcome::QuotaExhausted { .. } => {
            format!("the calls of this key are used up at {title}; try again tomorrow, or use another key")
        }
        Outcome::PlanGated(_) | Outcome::NoPrices(NoPrices::NotInPlan) => {
            format!("the plan of this key at {title} does not include these prices; choose a later date")
        }
        Outcome::NoPrices(no_prices) => {
            format!("{title} {} ({symbol}); correct the symbol", no_prices.reason())
        }
        Outcome::BugInRequest { reason } => format!("{title} does not understand the call ({reason})"),
        Outcome::Malformed { reason } => format!("the answer of {title} cannot be read ({reason})"),
        Outcome::Unreachable { reason, .. } => {
            format!("{title} does not answer ({reason}); check the connection, and OUTBOUND_PROXY")
        }
    })
}
