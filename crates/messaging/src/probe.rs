//! Checks whether the broker can be used: it must accept the credentials and the virtual host, not only a connection.

use lapin::Connection;
use tokio::sync::Mutex;

use crate::connection::{BrokerConfig, close};

/// A health check of the broker. It keeps its connection open between two checks.
pub struct Probe {
    config: BrokerConfig,
    connection: Mutex<Option<Connection>>,
}

impl Probe {
    /// Does not connect yet.
    #[must_use]
    pub fn new(config: BrokerConfig) -> Self {
        Self { config, connection: Mutex::default() }
    }

    /// Whether the connection is open or can be opened.
    pub async fn answers(&self) -> bool {
        let mut connection = self.connection.lock().await;
        if connection.as_ref().is_some_and(|connection| connection.status().connected()) {
            return true;
        }
        if let Some(lost) = connection.take() {
            close(lost).await;
        }
        match self.config.connect("probe").await {
            Ok(new) => {
                *connection = Some(new);
                true
            }
            Err(problem) => {
                tracing::debug!("the broker cannot be used: {problem}");
                false
            }
        }
    }
}
