//! Deleting old rows, batch by batch.

/// What a batch deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// How many rows.
    pub rows: u64,
    /// Whether the batch was full, so that there may be more.
    pub more: bool,
}

impl Pruned {
    /// Of a batch that could have had `limit` rows.
    pub(crate) fn of(rows: u64, limit: i64) -> Self {
        Self { rows, more: i64::try_from(rows).is_ok_and(|rows| rows >= limit) }
    }
}
