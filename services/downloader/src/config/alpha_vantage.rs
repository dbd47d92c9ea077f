//! The settings of Alpha Vantage, which were there before the list of sources: what an entry of the list leaves out
//! comes from them.

use std::fmt::Display;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use runtime::outbound::web_address;
use runtime::settings::Settings;

use super::source_config::{Entry, Kind, PLAIN, SourceConfig, access, is_local};
use crate::provider::alpha_vantage::{History, KeyPlan, quota_windows};
use crate::provider::http::is_plain_address;
use crate::provider::limits::with_refusals;

const SERVICE: &str = "https://www.alphavantage.co";
const CALLS_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(74);
const KEY: &str = "ALPHAVANTAGE_API_KEY";
const ACTIONS: &str = "ALPHAVANTAGE_ACTIONS";

/// Alpha Vantage as `entry` and the settings describe it: `ALPHAVANTAGE_API_KEY` (or its older, misspelt name
/// `ALPHAADVANTAGE_API_KEY`), `ALPHAVANTAGE_BASE_URL` (default the real service), `ALPHAVANTAGE_PLAN` (`free`: 25 calls
/// a day and one a second, the last 100 sessions; `paid`, the default), `ALPHAVANTAGE_CALLS_PER_MINUTE` (default 75 for
/// a paying key), `ALPHAVANTAGE_CALLS_PER_DAY` (default no limit for a paying key) and `ALPHAVANTAGE_ACTIONS` (default
/// `false`; with `true` each symbol takes three calls, which bring its splits and dividends too).
pub(super) fn source(settings: &mut Settings, entry: Entry, timeout: Duration) -> SourceConfig {
    let base_url = web_address(settings, "ALPHAVANTAGE_BASE_URL", PLAIN).unwrap_or(SERVICE.to_owned());
    if !is_plain_address(&base_url) {
        let problem = "the base URL is not a plain http or https address".to_owned();
        settings.invalid("ALPHAVANTAGE_BASE_URL", problem, PLAIN);
    }
    let base_url = entry.base_url.unwrap_or(base_url);
    let plan: Option<KeyPlan> = optional(settings, "ALPHAVANTAGE_PLAN", KeyPlan::Paid, "write free or paid");
    let number = "write a number of calls above 0";
    let per_minute = optional(settings, "ALPHAVANTAGE_CALLS_PER_MINUTE", NonZeroU32::MIN, number);
    let per_day = optional(settings, "ALPHAVANTAGE_CALLS_PER_DAY", NonZeroU32::MIN, number);
    let per_minute = match plan {
        Some(KeyPlan::Free) => per_minute,
        _ if is_local(&base_url) => per_minute,
        Some(KeyPlan::Paid) | None => per_minute.or(Some(CALLS_PER_MINUTE)),
    };
    let plan = plan.unwrap_or(KeyPlan::Paid);
    let with_actions = settings.parsed(ACTIONS, false, "write true or false");
    let with_actions = entry.actions.unwrap_or(with_actions);
    if with_actions && plan == KeyPlan::Free {
        let problem =
            "splits and dividends take two more calls for each symbol, which a free key does not have";
        settings.invalid(ACTIONS, problem.to_owned(), "leave it out, or import splits and dividends");
    }
    let key = match &entry.key_variable {
        Some(variable) => settings.text(variable),
        None => {
            let misspelt = settings.text("ALPHAADVANTAGE_API_KEY");
            settings.text(KEY).or(misspelt)
        }
    };
    SourceConfig {
        kind: Kind::AlphaVantage,
        access: access(settings, key, base_url, timeout),
        key_variable: entry.key_variable.unwrap_or_else(|| KEY.to_owned()),
        address_setting: "ALPHAVANTAGE_BASE_URL",
        history: match plan {
            KeyPlan::Free => History::Recent,
            KeyPlan::Paid => History::AsNeeded,
        },
        with_actions,
        windows: entry.budgets.map_or_else(|| quota_windows(plan, per_minute, per_day), with_refusals),
        plan: plan.as_str(),
    }
}

/// A setting without a default; `if_wrong` replaces one that cannot be read.
fn optional<T>(settings: &mut Settings, key: &str, if_wrong: T, fix: &str) -> Option<T>
where
    T: FromStr,
    T::Err: Display,
{
    settings.text(key)?;
    Some(settings.parsed(key, if_wrong, fix))
}
