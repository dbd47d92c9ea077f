//! The state of a running stand-in. A test changes it through the handle, a person through `POST /control`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use serde::Deserialize;

use super::fault::{FaultError, ScriptedFault};
use super::ledger::{Call, Ledger};
use super::prices::Prices;
use super::response::{Query, respond};
use super::settings::Settings;
use crate::wire::WireResponse;

/// The state, shared by requests and the handle.
pub(crate) struct Control {
    prices: Prices,
    initial: Settings,
    current: Mutex<(Settings, Ledger)>,
}

/// A change of settings. Absent fields change nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Change {
    today: Option<NaiveDate>,
    /// `null` removes the limit.
    #[serde(deserialize_with = "present")]
    rate_limit_after: Option<Option<u32>>,
    /// `null` removes the header.
    #[serde(deserialize_with = "present")]
    retry_after: Option<Option<u64>>,
    delay_ms: Option<u64>,
    /// By symbol: a fault as on the command line, or `null` for none.
    faults: BTreeMap<String, Option<String>>,
}

/// Reads a field that may be `null`. Without it, serde reads `null` like an absent field.
fn present<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl Control {
    pub(crate) fn new(prices: Prices, settings: Settings) -> Self {
        let current = Mutex::new((settings.clone(), Ledger::default()));
        Self { prices, initial: settings, current }
    }

    /// The response to `query`, and the delay before it is sent.
    pub(crate) fn respond(&self, query: &Query) -> (Duration, WireResponse) {
        let mut current = self.current();
        let (settings, ledger) = &mut *current;
        let response = respond(query, settings, ledger, &self.prices, Instant::now());
        (settings.delay, response)
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.current().1.calls.clone()
    }

    /// The newest day that has prices.
    pub(crate) fn today(&self) -> NaiveDate {
        self.current().0.today
    }

    /// Returns to the initial settings, without calls and with full quotas.
    pub(crate) fn reset(&self) {
        *self.current() = (self.initial.clone(), Ledger::default());
    }

    /// Moves "today". Another day has new quotas.
    pub(crate) fn set_today(&self, today: NaiveDate) {
        let mut current = self.current();
        if current.0.today != today {
            current.0.today = today;
            current.1.next_day();
        }
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.current().0);
    }

    /// Applies the whole change, or nothing when a fault has no known name.
    pub(crate) fn apply(&self, change: Change) -> Result<(), FaultError> {
        let mut faults = Vec::new();
        for (symbol, mode) in change.faults {
            faults.push((symbol, mode.map(|mode| mode.parse::<ScriptedFault>()).transpose()?));
        }
        if let Some(today) = change.today {
            self.set_today(today);
        }
        self.set(|settings| {
            for (symbol, fault) in faults {
                match fault {
                    Some(fault) => settings.faults.insert(symbol, fault),
                    None => settings.faults.remove(&symbol),
                };
            }
            settings.rate_limit_after = change.rate_limit_after.unwrap_or(settings.rate_limit_after);
            settings.retry_after = change.retry_after.unwrap_or(settings.retry_after);
            settings.delay = change.delay_ms.map_or(settings.delay, Duration::from_millis);
        });
        Ok(())
    }

    fn current(&self) -> MutexGuard<'_, (Settings, Ledger)> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
