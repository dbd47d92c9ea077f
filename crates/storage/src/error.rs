//! Errors of storing and loading.

use sqlx::migrate::MigrateError;

/// Why storing or loading did not work.
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
    #[error(
        "the database URL is not a valid postgres:// address; a password's @ : / ? # are written %40 %3A %2F %3F %23; \
         each of several addresses, with commas between them, begins with postgres://"
    )]
    Address,
    /// The database of a `DEV` deployment is missing and could not be created.
    #[error(
        "the database {name:?} is missing and cannot be created: {source}; create it, owned by this user"
    )]
    NotCreated {
        /// Its name.
        name: String,
        /// The error of Postgres.
        #[source]
        source: sqlx::Error,
    },
    /// Another worker has taken the lane; nothing was written.
    #[error("the lane's epoch is over; the write was refused")]
    Fenced,
    /// A row that no version of Modelday writes.
    #[error("row of {table} cannot be read: {problem}")]
    Corrupt {
        /// The table, view or function.
        table: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Jobs cannot come back from files; nothing was written.
    #[error(
        "only {found} of {written} rows of {table} can be put back: since then, other jobs ran the same days of these \
         portfolios"
    )]
    NotPutBack {
        /// The table.
        table: &'static str,
        /// How many of their rows there would be.
        found: u64,
        /// How many the files have.
        written: u64,
    },
    /// The database was made by migrations of a development version, which no longer exist.
    #[error(
        "the database was made by an earlier development version and cannot be brought up to date: if `make run` made \
         it, run `make down` and remove .local/postgres; if it is your own, dump its results and create it again"
    )]
    BeforeBaseline,
    /// The schema could not be brought up to date.
    #[error("migrations: {0}")]
    Migration(#[from] MigrateError),
}

/// SQLSTATE of a write to a server that takes none.
pub(crate) const READ_ONLY: &str = "25006";

/// How the SQLSTATEs of transient problems begin: connections, conflicts of transactions, missing resources, locks,
/// timeouts and shutdowns, errors of the server's system; a server that has become a standby.
const TRANSIENT: [&str; 8] = ["08", "25P03", READ_ONLY, "40", "53", "55P03", "57", "58"];

impl StorageError {
    /// Whether the same may succeed in a moment, because the problem was the connection, the server or another
    /// transaction.
    pub fn is_transient(&self) -> bool {
        let error = match self {
            Self::Database(error)
            | Self::Migration(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
                error
            }
            // A certificate that is out of date may be renewed at any time.
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
                error.code().is_some_and(|code| TRANSIENT.iter().any(|class| code.starts_with(class)))
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
        // The text of rustls, which comes through several layers.
        let refused = matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_))
            && error.to_string().contains("invalid peer certificate");
        if refused { Self::Certificate(error) } else { Self::Database(error) }
    }
}

/// The result of a statement.
pub type Result<T> = std::result::Result<T, StorageError>;
