//! Whether the broker can be used: it takes our credentials and our virtual host, not only a connection.

use lapin::Connection;
use tokio::sync::Mutex;

use crate::connection::{BrokerConfig, close};

/// Looks whether the broker answers, on a connection that is kept between two looks.
pub struct Probe {
    config: BrokerConfig,
    connection: Mutex<Option<Connection>>,
}

impl Probe {
    /// Connects at the first look.
    #[must_use]
    pub fn new(config: BrokerConfig) -> Self {
        Self { config, connection: Mutex::default() }
    }

    /// Whether the broker has us connected, or lets us connect.
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
