//! Which prices a job reads.

use std::sync::Arc;

use domain::market::instruments::Symbol;

/// Which prices a job reads. Two jobs that read the same ones share them in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PricesRead {
    /// The members of the universe, and its benchmark.
    pub(crate) symbols: Arc<[Symbol]>,
    /// Sessions before a window that its first days look back on.
    pub(crate) lookback: usize,
    /// The version of prices.
    pub(crate) version: i64,
    /// How often bars of the symbols were written before the job was planned: it needs all of these, and may see later ones.
    pub(crate) changes: i64,
}
