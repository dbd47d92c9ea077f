//! Checks whether the broker can be used: it must accept the credentials and the virtual host, not only a connection.

use lapin::Connection;
use lapin::options::QueueDeclareOptions;
use lapin::types::{FieldTable, ShortString};
use tokio::sync::{Mutex, MutexGuard};

use crate::broker_error::BrokerError;
use crate::connection::{BrokerConfig, abandon};

/// What the broker says of a queue.
pub(crate) struct Counts {
    /// Consumers of all connections.
    pub(crate) consumers: u32,
    /// Messages that stand in line; those in the hands of consumers do not count.
    pub(crate) messages: u32,
}

/// The counts of a queue, over a channel of its own: the broker closes the channel when there is no such queue.
pub(crate) async fn counts(connection: &Connection, queue: ShortString) -> Result<Counts, lapin::Error> {
    let channel = connection.create_channel().await?;
    let options = QueueDeclareOptions { passive: true, ..Default::default() };
    let queue = channel.queue_declare(queue, options, FieldTable::default()).await?;
    channel.close(200, "counted".into()).await?;
    Ok(Counts { consumers: queue.consumer_count(), messages: queue.message_count() })
}

/// A health check of the broker. It keeps its connection open between two checks.
pub struct Probe {
    config: BrokerConfig,
    connection: Mutex<Option<Connection>>,
}

impl Probe {
    /// Does not connect yet.
    #[must_use]
    pub fn new(config: BrokerConfig) -> Self {
        Self { config: config.with_small_frames(), connection: Mutex::default() }
    }

    /// Whether the connection is open or can be opened.
    pub async fn answers(&self) -> bool {
        match self.connected().await {
            Ok(_) => true,
            Err(problem) => {
                tracing::debug!("the broker cannot be used: {problem}");
                false
            }
        }
    }

    /// How many messages stand in line in `queue`; those in the hands of consumers do not count.
    ///
    /// # Errors
    /// Also when there is no such queue.
    pub async fn waiting(&self, queue: &str) -> Result<u32, BrokerError> {
        let connected = self.connected().await?;
        let Some(connection) = connected.as_ref() else { return Err(BrokerError::Lost) };
        self.config
            .bounded("counting messages", counts(connection, queue.into()))
            .await
            .map(|counts| counts.messages)
    }

    async fn connected(&self) -> Result<MutexGuard<'_, Option<Connection>>, BrokerError> {
        let mut connection = self.connection.lock().await;
        if connection.as_ref().is_none_or(|connection| !connection.status().connected()) {
            if let Some(lost) = connection.take() {
                abandon(lost);
            }
            *connection = Some(self.config.connect("probe").await?);
        }
        Ok(connection)
    }
}
