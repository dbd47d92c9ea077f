//! Days and their fills as columns.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::market::instruments::Symbol;
use domain::simulation::model_day::DayRef;
use rust_decimal::Decimal;
use sqlx::types::Json;
use uuid::Uuid;

use super::super::days::{DayCommit, DayRow};

/// How one day ended.
#[derive(Default)]
pub(super) struct ResultColumns<'a> {
    pub(super) state: &'static str,
    pub(super) detail: Option<&'a str>,
    pub(super) revision: Option<i32>,
    pub(super) base: Option<DayRef>,
    pub(super) config_hash: Option<&'a str>,
    pub(super) cash: Option<Decimal>,
    pub(super) holdings: Option<Json<&'a BTreeMap<Symbol, u64>>>,
    pub(super) value_at_open: Option<Decimal>,
    pub(super) value_at_close: Option<Decimal>,
}

impl<'a> ResultColumns<'a> {
    pub(super) fn of(row: &'a DayRow) -> Self {
        match row {
            DayRow::Completed {
                revision,
                base,
                config_hash,
                position,
                value_at_open,
                value_at_close,
                ..
            } => Self {
                state: "completed",
                detail: None,
                revision: Some(revision.cast_signed()),
                base: *base,
                config_hash: Some(config_hash),
                cash: Some(position.cash()),
                holdings: Some(Json(position.holdings())),
                value_at_open: Some(*value_at_open),
                value_at_close: Some(*value_at_close),
            },
            DayRow::Failed(error) => Self { state: "failed", detail: Some(error), ..Self::default() },
            DayRow::Skipped(reason) => {
                Self { state: "skipped", detail: Some(reason.as_str()), ..Self::default() }
            }
        }
    }

    pub(super) fn base_date(&self) -> Option<NaiveDate> {
        self.base.map(|base| base.date)
    }

    pub(super) fn base_revision(&self) -> Option<i32> {
        self.base.map(|base| base.revision.cast_signed())
    }
}

/// The fills of days, each with its lane.
#[derive(Default)]
pub(super) struct FillColumns<'a> {
    pub(super) lanes: Vec<Uuid>,
    pub(super) sequences: Vec<i32>,
    pub(super) sides: Vec<&'static str>,
    pub(super) symbols: Vec<&'a str>,
    pub(super) quantities: Vec<i64>,
    pub(super) prices: Vec<Decimal>,
    pub(super) fees: Vec<Decimal>,
    pub(super) cash_after: Vec<Decimal>,
    pub(super) positions_after: Vec<i64>,
}

impl<'a> FillColumns<'a> {
    pub(super) fn of(commits: &'a [DayCommit]) -> Self {
        let mut columns = Self::default();
        for commit in commits {
            for fill in commit.fills() {
                columns.lanes.push(commit.lane.0);
                columns.sequences.push(fill.sequence.cast_signed());
                columns.sides.push(fill.side.as_str());
                columns.symbols.push(fill.symbol.as_str());
                columns.quantities.push(fill.quantity.cast_signed());
                columns.prices.push(fill.price.amount());
                columns.fees.push(fill.fee);
                columns.cash_after.push(fill.cash_after);
                columns.positions_after.push(fill.position_after.cast_signed());
            }
        }
        columns
    }
}
