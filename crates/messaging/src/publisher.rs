//! Publishes in order, with publisher confirms and the `mandatory` flag: the broker returns a message that no
//! queue is bound for.

use lapin::{Channel, Connection, options::ConfirmSelectOptions};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    broker_error::BrokerError,
    confirms::Confirms,
    connection::{BrokerConfig, abandon, backoff_jittered},
    declaration::declare_topology,
    envelope::Envelope,
    outgoing::{Outgoing, PublishError, Published},
    send_spans::{SendSpans, Tracing},
    trace_context::{LinkSpan, TraceparentOf},
};

/// Publishes one batch at a time over a connection of its own, which is opened when it is first needed.
pub struct Publisher {
    config: BrokerConfig,
    role: String,
    tracing: Option<Tracing>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    session: Option<Session>,
    failures: u32,
}

struct Session {
    connection: Connection,
    channel: Channel,
}

impl Publisher {
    /// Does not connect yet. `role` names the connection in the broker's UI.
    #[must_use]
    pub fn new(config: BrokerConfig, role: &str) -> Self {
        Self { config, role: role.to_owned(), tracing: None, state: Mutex::default() }
    }

    /// Calls `link` with each `send` span and the trace context of its messages, which then carry the `traceparent_of` the
    /// span: what consumers do is below it.
    #[must_use]
    pub fn with_tracing(self, link: LinkSpan, traceparent_of: TraceparentOf) -> Self {
        Self { tracing: Some(Tracing { link, traceparent_of }), ..self }
    }

    /// Connects and declares the topology of its account, unless that is done already.
    ///
    /// # Errors
    /// When the broker cannot be used.
    pub async fn connect(&self) -> Result<(), BrokerError> {
        self.session(&mut *self.state.lock().await).await.map(|_| ())
    }

    /// Whether a connection is open. False before the first message, and while a batch is being published.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        let Ok(state) = self.state.try_lock() else { return false };
        state.session.as_ref().is_some_and(Session::is_usable)
    }

    /// Publishes `batch` in its order and waits for the confirms, at most for the configured timeout, to which
    /// connecting may add another. Stops at the first message that the broker does not take.
    pub async fn publish_in_order(&self, batch: &[Envelope]) -> Published {
        let mut unencodable = None;
        let encodable: Vec<_> = batch
            .iter()
            .map_while(|envelope| {
                let encoded = Outgoing::new(envelope, self.config.keyring()).map_err(|source| {
                    unencodable =
                        Some(PublishError::Unencodable { message: envelope.id.to_string(), source });
                });
                encoded.ok()
            })
            .collect();
        let mut published = self.publish(&encodable).await;
        published.failure = published.failure.or(unencodable);
        published.confirmed.resize(batch.len(), false);
        published
    }

    pub(crate) async fn publish(&self, batch: &[Outgoing<'_>]) -> Published {
        if batch.is_empty() {
            return Published { confirmed: Vec::new(), failure: None };
        }
        let mut state = self.state.lock().await;
        let channel = match self.session(&mut state).await {
            Ok(session) => session.channel.clone(),
            Err(error) => {
                return Published { confirmed: vec![false; batch.len()], failure: Some(error.into()) };
            }
        };
        let published = self.send(&channel, batch).await;
        self.repair(&mut state, &published).await;
        published
    }

    async fn send(&self, channel: &Channel, batch: &[Outgoing<'_>]) -> Published {
        let mut confirms = Confirms::new(batch, Instant::now() + self.config.timeout());
        let mut spans = SendSpans::new(&self.config, self.tracing, batch);
        for (index, message) in batch.iter().enumerate() {
            let (span, properties) = spans.of(message);
            confirms.send(channel, index, properties, span).await;
            if confirms.failed() {
                break;
            }
        }
        confirms.finish(self.config.timeout()).await
    }

    /// Closes a session that failed: a late confirm is not taken for that of another message, and a channel whose messages
    /// the broker refused may refuse them for ever. Declares the topology of its account again after a message was returned.
    async fn repair(&self, state: &mut State, published: &Published) {
        let keep = match &published.failure {
            None | Some(PublishError::Unencodable { .. }) => true,
            Some(PublishError::Transient(_) | PublishError::Nacked { .. }) => false,
            Some(PublishError::Returned { .. }) => match &state.session {
                Some(session) => self.declare(&session.connection).await.is_ok(),
                None => false,
            },
        };
        if !keep && let Some(session) = state.session.take() {
            abandon(session.connection);
        }
    }

    /// The open session, or a new one. After a failed connect, the next one waits first.
    async fn session<'s>(&self, state: &'s mut State) -> Result<&'s Session, BrokerError> {
        if let Some(lost) = state.session.take_if(|session| !session.is_usable()) {
            abandon(lost.connection);
        }
        if state.session.is_none() {
            if state.failures > 0 {
                tokio::time::sleep(backoff_jittered(state.failures)).await;
            }
            state.failures = state.failures.saturating_add(1);
            let session = self.open().await?;
            state.failures = 0;
            state.session = Some(session);
        }
        state.session.as_ref().ok_or(BrokerError::Lost)
    }

    async fn open(&self) -> Result<Session, BrokerError> {
        let connection = self.config.connect(&self.role).await?;
        match self.open_channel(&connection).await {
            Ok(channel) => Ok(Session { connection, channel }),
            Err(error) => {
                abandon(connection);
                Err(error)
            }
        }
    }

    /// Declares the topology and opens a channel with publisher confirms.
    async fn open_channel(&self, connection: &Connection) -> Result<Channel, BrokerError> {
        self.declare(connection).await?;
        self.config
            .bounded("opening a channel", async {
                let channel = connection.create_channel().await?;
                channel.confirm_select(ConfirmSelectOptions::default()).await?;
                Ok(channel)
            })
            .await
    }

    async fn declare(&self, connection: &Connection) -> Result<(), BrokerError> {
        let declaring = declare_topology(connection, self.config.account());
        self.config.bounded("declaring the topology", declaring).await.map(|_| ())
    }
}

impl Session {
    fn is_usable(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }
}
