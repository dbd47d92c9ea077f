//! Why storing or loading did not work.

/// A statement that did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Postgres refused or could not be reached.
    #[error("database: {0}")]
    Database(#[source] sqlx::Error),
    /// The server's certificate is of an authority that is not trusted, for another host, or out of date.
    #[error(
        "the database's certificate is refused: {0}; sslrootcert in DATABASE_URL names a further authority to trust"
    )]
    Certificate(#[source] sqlx::Error),
    /// The address does not parse.
    #[error("the database URL is not a valid postgres:// address")]
    Address,
    /// The database of a `DEV` deployment is missing and could not be made.
    #[error(
        "the database {name:?} is missing and cannot be created: {source}; create it, owned by this user"
    )]
    NotCreated {
        /// Its name.
        name: String,
        /// What Postgres said.
        #[source]
        source: sqlx::Error,
    },
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
    /// The database was made by migrations of a development version, which no longer exist.
    #[error(
        "the database was made by an earlier development version and cannot be brought up to date: if `make run` made \
         it, run `make down` and remove .local/postgres; if it is your own, dump its results and create it again"
    )]
    BeforeBaseline,
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
        let error = match self {
            Self::Database(error) => error,
            // One that works today may be out of date tomorrow, and renewed a minute later.
            Self::Certificate(_) => return true,
            _ => return false,
        };
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

    /// Whether Postgres answered and refused the statement, so that nothing of it was written.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(_)))
    }

    pub(crate) fn corrupt(table: &'static str, problem: impl std::fmt::Display) -> Self {
        Self::Corrupt { table, problem: problem.to_string() }
    }
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        // As rustls says it, through whichever layer.
        let refused = matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_))
            && error.to_string().contains("invalid peer certificate");
        if refused { Self::Certificate(error) } else { Self::Database(error) }
    }
}

/// The result of a statement.
pub type Result<T> = std::result::Result<T, StorageError>;
