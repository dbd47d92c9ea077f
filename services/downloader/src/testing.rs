//! What the unit tests share.

use std::collections::BTreeSet;

use chrono::{Datelike as _, NaiveDate, Weekday};
use domain::accounting::costs::Costs;
use domain::job::{Job, Model, ModelKind, Options};
use domain::market::instruments::{Bar, Symbol, Universe};
use domain::strategy::policy::Policy;
use domain::values::ids::JobId;

use crate::provider::{Outcome, PriceResponse, Sessions};

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn dates(texts: &[&str]) -> BTreeSet<NaiveDate> {
    texts.iter().map(|text| date(text)).collect()
}

pub(crate) fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

pub(crate) fn bar() -> Bar {
    let price = |text: &str| text.parse().unwrap();
    Bar::new(price("10"), price("12"), price("9"), price("11"), 1_000).unwrap()
}

/// A job of one model `m`, whose universe is A, B and C.
pub(crate) fn job(start: &str, end: &str) -> Job {
    let model = Model {
        signature: "m".to_owned(),
        config_hash: "h".to_owned(),
        initial_cash: 10_000.into(),
        trials: 1,
        start: date(start),
        requested_dates: None,
        costs: Costs::default(),
        training_cutoff: None,
        kind: ModelKind::Policy(Policy::Cash),
    };
    Job {
        id: JobId(uuid::Uuid::nil()),
        experiment: "default".to_owned(),
        models: vec![model],
        universe: Universe {
            name: "abc".to_owned(),
            symbols: ["A", "B", "C"].map(symbol).to_vec(),
            benchmark: None,
        },
        start: date(start),
        end: date(end),
        options: Options::default(),
        accepted_at: chrono::DateTime::UNIX_EPOCH,
        retry_of: None,
        unknown_fields: Vec::new(),
        requested_by: String::new(),
    }
}

fn is_weekday(date: NaiveDate) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// On Friday 2025-10-31 at noon in New York: the session of the 30th closed 20 hours ago; the one of the 31st is open.
pub(crate) fn sessions() -> Sessions<'static> {
    Sessions {
        is_session: &is_weekday,
        today: date("2025-10-31"),
        storable_until: date("2025-10-30"),
        final_until: date("2025-10-29"),
    }
}

#[track_caller]
pub(crate) fn bars(outcome: Outcome) -> PriceResponse {
    match outcome {
        Outcome::Bars(response) => response,
        other => panic!("not bars: {other:?}"),
    }
}
