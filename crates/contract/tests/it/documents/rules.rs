//! What the `.proto` files cannot express: the form of texts, and the required fields.

use serde_json::{Value, json};

/// The form of a value, beyond its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// No rule.
    Any,
    /// Not empty.
    Text,
    Uuid,
    Date,
    Instant,
    Decimal,
    /// A decimal of at least zero.
    Amount,
    Symbol,
    /// At least 1.
    Shares,
    /// At least 1.
    FromOne,
    /// From 1 to 65535.
    Short,
}

use Form::{Amount, Any, Date, Decimal, FromOne, Instant, Shares, Short, Symbol, Text, Uuid};

/// Fields that decoding requires.
const REQUIRED: &[(&str, Form)] = &[
    ("Base.revision", FromOne),
    ("Base.trading_date", Date),
    ("BuyAndHold.symbol", Symbol),
    ("CashMerger.per_share", Amount),
    ("CorporateAction.cash", Amount),
    ("CorporateAction.symbol", Symbol),
    ("DataFailed.job", Any),
    ("DataReady.job", Any),
    ("DataWaiting.job_id", Uuid),
    ("DataWaiting.until", Instant),
    ("Dividend.per_share", Amount),
    ("DownloadProgressed.job_id", Uuid),
    ("DownloadStarted.job_id", Uuid),
    ("Holding.quantity", Shares),
    ("Holding.symbol", Symbol),
    ("Job.accepted_at", Instant),
    ("Job.end_date", Date),
    ("Job.experiment", Text),
    ("Job.job_id", Uuid),
    ("Job.start_date", Date),
    ("Job.universe", Any),
    ("JobCancel.job_id", Uuid),
    ("JobEnded.ended_at", Instant),
    ("JobEnded.job_id", Uuid),
    ("JobEnded.outcome", Any),
    ("JobRequested.job", Any),
    ("JobStarted.job_id", Uuid),
    ("LaneContinue.lane_id", Uuid),
    ("Model.initial_cash", Amount),
    ("Model.signature", Text),
    ("Model.start_date", Date),
    ("ModelDayCompleted.attempt", FromOne),
    ("ModelDayCompleted.completed_at", Instant),
    ("ModelDayCompleted.ending_position", Any),
    ("ModelDayCompleted.key", Any),
    ("ModelDayCompleted.profit", Decimal),
    ("ModelDayCompleted.return_pct", Decimal),
    ("ModelDayCompleted.revision", FromOne),
    ("ModelDayCompleted.started_at", Instant),
    ("ModelDayCompleted.starting_value", Decimal),
    ("ModelDayCompleted.value_at_close", Decimal),
    ("ModelDayCompleted.value_at_open", Decimal),
    ("ModelDayFailed.attempt", FromOne),
    ("ModelDayFailed.completed_at", Instant),
    ("ModelDayFailed.key", Any),
    ("ModelDayFailed.started_at", Instant),
    ("ModelDayKey.job_id", Uuid),
    ("ModelDayKey.trading_date", Date),
    ("ModelDaysSkipped.job_id", Uuid),
    ("ModelDayStarted.attempt", FromOne),
    ("ModelDayStarted.key", Any),
    ("ModelDayStarted.started_at", Instant),
    ("Momentum.lookback", Short),
    ("Momentum.rebalance_every", Short),
    ("Momentum.top", Short),
    ("Position.cash", Amount),
    ("RecordedOrder.side", Any),
    ("RecordedOrder.trading_date", Date),
    ("RefusedOrder.side", Any),
    ("Rename.new_symbol", Symbol),
    ("SkippedDate.reason", Any),
    ("SkippedDate.trading_date", Date),
    ("SpinOff.from_shares", FromOne),
    ("SpinOff.new_symbol", Symbol),
    ("SpinOff.to_shares", FromOne),
    ("Split.from_shares", FromOne),
    ("Split.to_shares", FromOne),
    ("StockMerger.from_shares", FromOne),
    ("StockMerger.new_symbol", Symbol),
    ("StockMerger.to_shares", FromOne),
    ("StalePrice.price_date", Date),
    ("StalePrice.symbol", Symbol),
    ("Trade.cash_after", Amount),
    ("Trade.fee", Amount),
    ("Trade.price", Amount),
    ("Trade.quantity", Shares),
    ("Trade.side", Any),
    ("Trade.symbol", Symbol),
];

/// Fields that may be absent, or empty, and otherwise have a form; of a list, its items have it.
const OPTIONAL: &[(&str, Form)] = &[
    ("Costs.bps", Amount),
    ("Costs.max_bps_of_notional", Amount),
    ("Costs.min", Amount),
    ("Costs.per_share", Amount),
    ("Costs.slippage_bps", Amount),
    ("DataReady.runnable_dates", Date),
    ("Job.retry_of", Uuid),
    ("JobEnded.end_date", Date),
    ("JobEnded.start_date", Date),
    ("JobStarted.end_date", Date),
    ("JobStarted.start_date", Date),
    ("Delisting.per_share", Amount),
    ("ModelDayCompleted.stale_symbols", Symbol),
    ("StockMerger.per_share", Amount),
    ("TrialDates.dates", Date),
    ("Universe.benchmark", Symbol),
    ("Universe.symbols", Symbol),
    ("Warning.dates", Date),
    ("Warning.symbols", Symbol),
];

/// Each `oneof` has one of its fields.
pub(super) const CHOICES: [&str; 3] = ["CorporateAction.action", "Model.kind", "PolicyModel.policy"];

/// Whether `Message.field` is required, and its form.
pub(super) fn of(field: &str) -> (bool, Form) {
    let find = |list: &[(&str, Form)]| list.iter().find(|(name, _)| *name == field).map(|(_, form)| *form);
    match (find(REQUIRED), find(OPTIONAL)) {
        (Some(form), _) => (true, form),
        (None, Some(form)) => (false, form),
        (None, None) => (false, Any),
    }
}

/// Every name above.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    REQUIRED.iter().chain(OPTIONAL).map(|(name, _)| *name)
}

impl Form {
    /// The keywords of the form.
    pub(super) fn keywords(self) -> Value {
        match self {
            Any => json!({}),
            Text => json!({ "minLength": 1 }),
            Uuid => json!({ "format": "uuid" }),
            Date => json!({ "format": "date" }),
            Instant => json!({ "format": "date-time" }),
            Decimal => json!({ "pattern": r"^-?[0-9]+(\.[0-9]+)?$" }),
            Amount => json!({ "pattern": r"^[0-9]+(\.[0-9]+)?$" }),
            Symbol => json!({ "pattern": "^[A-Z0-9.-]{1,12}$" }),
            Shares => json!({ "pattern": "^[1-9][0-9]*$" }),
            FromOne => json!({ "minimum": 1 }),
            Short => json!({ "minimum": 1, "maximum": u16::MAX }),
        }
    }
}
