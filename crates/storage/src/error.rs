//! Why storing or loading did not work.

/// A statement that did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Postgres refused or could not be reached.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The address does not parse.
    #[error("the database URL is not a valid postgres:// address")]
    Address,
    /// The lane is in other hands; nothing was written.
    #[error("the lane's epoch is over; the write was refused")]
    Fenced,
    /// A row holds what no writer of ours writes.
    #[error("row of {table} cannot be read: {problem}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The schema could not be brought up to date.
    #[error("migrations: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

impl StorageError {
    pub(crate) fn corrupt(table: &'static str, problem: impl std::fmt::Display) -> Self {
        Self::Corrupt { table, problem: problem.to_string() }
    }
}

/// The result of a statement.
pub type Result<T> = std::result::Result<T, StorageError>;
