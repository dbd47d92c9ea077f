//! Imports of prices from CSV files: all rows of a file are stored, or none.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use domain::accounting::corporate_action::ActionKind;
use domain::ingest::import::{self, ActionRow, BarRow, Faults, ImportKind, Rules};
use domain::market::instruments::Symbol;
use storage::market::{self, ImportOutcome};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinError;

use crate::context::Context;

/// Imports files.
pub(crate) struct Importer {
    pub(crate) context: Arc<Context>,
    /// Wakes the workers: preparations may lack nothing any more.
    pub(crate) due: Arc<Notify>,
    /// One permit: the rows of a file are held in memory, so there is one import at a time.
    pub(crate) permits: Semaphore,
}

/// The rows of a file.
pub(crate) enum FileRows {
    Bars(Vec<BarRow>),
    Actions(ActionKind, Vec<ActionRow>),
}

impl FileRows {
    fn read(text: &str, kind: ImportKind, rules: &Rules<'_>) -> Result<Self, Faults> {
        let actions = |kind| Ok(Self::Actions(kind, import::actions(text, kind, rules)?));
        match kind {
            ImportKind::Bars => Ok(Self::Bars(import::bars(text, rules)?)),
            ImportKind::Splits => actions(ActionKind::Split),
            ImportKind::Dividends => actions(ActionKind::Dividend),
        }
    }

    /// Line, symbol and date of each row.
    pub(crate) fn cells(&self) -> Vec<(usize, &Symbol, NaiveDate)> {
        match self {
            Self::Bars(rows) => rows.iter().map(|row| (row.line, &row.symbol, row.date)).collect(),
            Self::Actions(_, rows) => rows.iter().map(|row| (row.line, &row.symbol, row.date)).collect(),
        }
    }
}

impl Importer {
    /// Reads the rows of a file and checks all of them. The outer error says that the reading task has crashed.
    pub(crate) async fn read(
        &self,
        file: Bytes,
        kind: ImportKind,
        now: DateTime<Utc>,
    ) -> Result<Result<FileRows, Faults>, JoinError> {
        let calendar = self.context.calendar.clone();
        let closed_until = calendar.last_closed_session(now, Duration::ZERO).unwrap_or(NaiveDate::MAX);
        let read = move || {
            let rules = Rules { calendar: &calendar, closed_until };
            import::text(&file).and_then(|text| FileRows::read(text, kind, &rules))
        };
        tokio::task::spawn_blocking(read).await
    }

    /// Stores all rows, or none, with who sent them. With `replace`, rows take the place of stored ones that differ.
    pub(crate) async fn store(
        &self,
        rows: &FileRows,
        replace: bool,
        by: &str,
    ) -> storage::Result<ImportOutcome> {
        let import = match rows {
            FileRows::Bars(bars) => market::import_bars(&self.context.pool, bars, replace, by).await?,
            FileRows::Actions(kind, rows) => {
                market::import_actions(&self.context.pool, *kind, rows, replace, by).await?
            }
        };
        if let ImportOutcome::Stored(_) = import {
            self.due.notify_one();
        }
        Ok(import)
    }
}
