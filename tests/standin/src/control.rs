//! Changes while the stand-in runs: by a test through its handle, by a person through `POST /control`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use serde::Deserialize;

use crate::answer::{Answer, Query, answer};
use crate::fault::{FaultError, Scripted};
use crate::ledger::{Call, Ledger};
use crate::prices::{Gaps, Prices};
use crate::settings::Settings;

/// Everything the server knows; shared by its requests and its handle.
pub(crate) struct Control {
    prices: Prices,
    initial: Settings,
    current: Mutex<(Settings, Ledger)>,
}

/// A partial change: absent fields stay as they are.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Change {
    today: Option<NaiveDate>,
    /// `null` lifts the limit.
    #[serde(deserialize_with = "present")]
    rate_limit_after: Option<Option<u32>>,
    /// `null` leaves the header out.
    #[serde(deserialize_with = "present")]
    retry_after: Option<Option<u64>>,
    delay_ms: Option<u64>,
    /// By symbol: a mode as on the command line, or `null` for none.
    faults: BTreeMap<String, Option<String>>,
}

/// Tells an explicit `null` from an absent field.
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

    /// The answer to `query` and how long to wait before it is given.
    pub(crate) fn answer(&self, query: &Query) -> (Duration, Answer) {
        let mut current = self.current();
        let (settings, ledger) = &mut *current;
        let answer = answer(query, settings, ledger, &self.prices, Instant::now());
        (settings.delay, answer)
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.current().1.calls.clone()
    }

    /// The newest day that has prices.
    pub(crate) fn today(&self) -> NaiveDate {
        self.current().0.today
    }

    /// Forgets calls, budgets and changes.
    pub(crate) fn reset(&self) {
        *self.current() = (self.initial.clone(), Ledger::default());
    }

    /// Another day brings new budgets.
    pub(crate) fn set_today(&self, today: NaiveDate) {
        let mut current = self.current();
        if current.0.today != today {
            current.0.today = today;
            current.1.next_day();
        }
    }

    pub(crate) fn set_fault(&self, symbol: &str, fault: Option<Scripted>) {
        let faults = &mut self.current().0.faults;
        match fault {
            Some(fault) => faults.insert(symbol.to_owned(), fault),
            None => faults.remove(symbol),
        };
    }

    pub(crate) fn set_gaps(&self, symbol: &str, change: impl FnOnce(&mut Gaps)) {
        change(self.current().0.gaps.entry(symbol.to_owned()).or_default());
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.current().0);
    }

    /// Applies all of `change`, or nothing of it.
    pub(crate) fn apply(&self, change: Change) -> Result<(), FaultError> {
        let mut faults = Vec::new();
        for (symbol, mode) in change.faults {
            faults.push((symbol, mode.map(|mode| mode.parse()).transpose()?));
        }
        if let Some(today) = change.today {
            self.set_today(today);
        }
        for (symbol, fault) in faults {
            self.set_fault(&symbol, fault);
        }
        self.set(|settings| {
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
