//! Imports of prices from files: all rows of a file are stored, or none.

mod parquet_file;
mod unpacked;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use domain::ingest::import::{
    self, ActionFile, ActionRow, BarFile, BarOptions, Basis, Faults, ImportKind, Rules,
};
use domain::market::corporate_action::ActionKind;
use domain::market::instruments::Symbol;
use domain::market::renames::Rename;
use storage::market::{self, ImportMode, ImportOutcome};
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
    /// The most bytes of a file, and of a compressed one's content.
    pub(crate) limit: usize,
}

/// The rows of a file.
pub(crate) enum FileRows {
    Bars(BarFile),
    Actions(ImportKind, ActionFile),
}

impl FileRows {
    fn read(file: &Bytes, kind: ImportKind, options: &BarOptions, rules: &Rules<'_>) -> Result<Self, Faults> {
        match kind {
            ImportKind::Bars if parquet_file::is_parquet(file) => {
                Ok(Self::Bars(parquet_file::read(file, options, rules)?))
            }
            ImportKind::Bars => Ok(Self::Bars(import::bars(&import::text(file)?, options, rules)?)),
            actions => Ok(Self::Actions(actions, import::actions(&import::text(file)?, actions, rules)?)),
        }
    }

    /// Line, symbol and date of each row.
    pub(crate) fn cells(&self) -> Vec<(usize, &Symbol, NaiveDate)> {
        match self {
            Self::Bars(file) => file.rows.iter().map(|row| (row.line, &row.symbol, row.date)).collect(),
            Self::Actions(_, file) => file.rows.iter().map(|row| (row.line, &row.symbol, row.date)).collect(),
        }
    }
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// Rows are wrong.
    #[error("the file is wrong")]
    Wrong(Faults),
    /// The task that read it has crashed.
    #[error(transparent)]
    Crashed(#[from] JoinError),
    /// The splits that are known could not be read.
    #[error(transparent)]
    Storage(#[from] storage::StorageError),
}

impl Importer {
    /// Reads the rows of a file and checks all of them. Bars that are adjusted for splits are brought back to the
    /// prices of the time, as far as splits are known.
    pub(crate) async fn read(
        &self,
        file: Bytes,
        kind: ImportKind,
        options: BarOptions,
        now: DateTime<Utc>,
    ) -> Result<FileRows, ReadError> {
        let calendar = self.context.calendar.clone();
        let closed_until = calendar.last_closed_session(now, Duration::ZERO).unwrap_or(NaiveDate::MAX);
        let limit = self.limit;
        let read = move || {
            let rules = Rules { calendar: &calendar, closed_until };
            FileRows::read(&unpacked::unpacked(file, limit)?, kind, &options, &rules)
        };
        let mut rows = tokio::task::spawn_blocking(read).await?.map_err(ReadError::Wrong)?;
        if let FileRows::Bars(file) = &mut rows
            && file.basis == Basis::SplitAdjusted
        {
            let symbols: HashSet<&Symbol> = file.rows.iter().map(|row| &row.symbol).collect();
            let symbols: Vec<Symbol> = symbols.into_iter().cloned().collect();
            let mut known =
                market::known_actions(&self.context.pool, &symbols, closed_until, i64::MAX).await?;
            known.extend(file.further_splits(&known));
            file.restore_raw(&known, closed_until).map_err(ReadError::Wrong)?;
        }
        Ok(rows)
    }

    /// Stores all rows, or none, with who sent them.
    pub(crate) async fn store(
        &self,
        rows: &FileRows,
        mode: ImportMode,
        by: &str,
    ) -> storage::Result<ImportOutcome> {
        let pool = &self.context.pool;
        let import = match rows {
            FileRows::Bars(file) if file.actions.is_empty() => {
                market::import_bars(pool, &file.rows, file.basis, mode, by).await?
            }
            FileRows::Bars(file) => self.store_with_actions(file, mode, by).await?,
            FileRows::Actions(kind, file) => {
                market::import_actions(pool, *kind, &file.rows, mode, by).await?
            }
        };
        if let ImportOutcome::Stored(_) = import {
            self.due.notify_one();
        }
        Ok(import)
    }

    /// What the user of a file of renames should know: whose symbols they take.
    pub(crate) async fn notes_on(&self, rows: &FileRows) -> storage::Result<Vec<String>> {
        let FileRows::Actions(ImportKind::Renames, file) = rows else { return Ok(Vec::new()) };
        let renames: Vec<Rename> = file
            .rows
            .iter()
            .filter_map(|row| {
                let new = row.action.as_ref()?.new_symbol()?.clone();
                Some(Rename { date: row.date, old: row.symbol.clone(), new })
            })
            .collect();
        let takeovers = market::takeovers(&self.context.pool, &renames).await?;
        // Those of the same file are not stored when it is tried only.
        let gives_up = |taken: &Rename, other: &Rename| other.old == taken.new && other.date <= taken.date;
        let unknown = takeovers.iter().filter(|taken| !renames.iter().any(|other| gives_up(taken, other)));
        Ok(unknown.map(|taken| taken.advice()).collect())
    }

    /// Stores bars with the splits and dividends of their file. The bars are compared first, so that nothing is stored of
    /// a file whose bars are refused.
    async fn store_with_actions(
        &self,
        file: &BarFile,
        mode: ImportMode,
        by: &str,
    ) -> storage::Result<ImportOutcome> {
        let pool = &self.context.pool;
        let compared = ImportMode { dry_run: true, ..mode };
        let compared = market::import_bars(pool, &file.rows, file.basis, compared, by).await?;
        if !matches!(compared, ImportOutcome::Stored(_)) {
            return Ok(compared);
        }
        for (kind, action) in
            [(ImportKind::Splits, ActionKind::Split), (ImportKind::Dividends, ActionKind::Dividend)]
        {
            let rows: Vec<ActionRow> =
                file.actions.iter().filter(|row| row.kind == action).cloned().collect();
            if !rows.is_empty() {
                let stored = market::import_actions(pool, kind, &rows, mode, by).await?;
                if !matches!(stored, ImportOutcome::Stored(_)) {
                    return Ok(stored);
                }
            }
        }
        market::import_bars(pool, &file.rows, file.basis, mode, by).await
    }
}
