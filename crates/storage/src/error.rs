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

/// SQLSTATEs, by their beginning, of what passes: connections, transactions in each other's way, want of
/// resources, locks, timeouts and shutdowns, the server's own system.
const PASSING: [&str; 7] = ["08", "25P03", "40", "53", "55P03", "57", "58"];

impl StorageError {
    /// Whether the same may work in a moment: the connection, the server or somebody else's transaction was
    /// in the way, not what was asked for.
    pub fn is_transient(&self) -> bool {
        let Self::Database(error) = self else { return false };
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(error) => {
                error.code().is_some_and(|code| PASSING.iter().any(|class| code.starts_with(class)))
            }
            _ => false,
        }
    }

    pub(crate) fn corrupt(table: &'static str, problem: impl std::fmt::Display) -> Self {
        Self::Corrupt { table, problem: problem.to_string() }
    }
}

/// The result of a statement.
pub type Result<T> = std::result::Result<T, StorageError>;
