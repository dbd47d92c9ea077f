//! Why the broker could not be used.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why the broker could not be used. Transient, except for `InvalidUrl` and `CaFile`.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The URL does not parse. It is not repeated here: it may hold a password.
    #[error(
        "the broker URL is not a valid amqp:// or amqps:// address; a password's @ : / ? # are written %40 %3A %2F %3F %23; \
         each of several addresses, with commas between them, begins with amqp:// or amqps://"
    )]
    InvalidUrl,
    /// The file with certificate authorities cannot be read.
    #[error("CA file {path:?} is unreadable")]
    CaFile {
        /// As configured.
        path: PathBuf,
        /// The error of the file system.
        #[source]
        source: io::Error,
    },
    /// The broker's certificate is not trusted, belongs to another host, or has expired.
    #[error("the broker's certificate is refused: {0}; AMQP_CA_FILE names further authorities to trust")]
    Certificate(#[source] lapin::Error),
    /// The virtual host does not exist, or this user has no access to it.
    #[error(
        "the broker has no virtual host {name:?} for this user; make it with \"rabbitmqctl add_vhost {name}\", and the user's permissions in it as docs/accounts.md says"
    )]
    VirtualHost {
        /// As configured.
        name: String,
        /// The error of lapin.
        #[source]
        source: lapin::Error,
    },
    /// The broker took longer than the configured timeout. This is also how a blocked connection shows.
    #[error("no answer from the broker within {} s ({operation})", .after.as_secs_f32())]
    Timeout {
        /// The operation that was not finished.
        operation: &'static str,
        /// The timeout.
        after: Duration,
    },
    /// The connection was lost between two operations.
    #[error("connection lost")]
    Lost,
    /// The connection or channel broke, or the broker refused the operation.
    #[error("{operation}: {source}")]
    Amqp {
        /// The operation that failed.
        operation: &'static str,
        /// The error of lapin.
        #[source]
        source: lapin::Error,
    },
}

impl BrokerError {
    /// Whether the same may succeed in a moment, because the problem was the connection or the broker.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Lost | Self::Amqp { .. } => true,
            Self::InvalidUrl | Self::CaFile { .. } | Self::Certificate(_) | Self::VirtualHost { .. } => false,
        }
    }
}
