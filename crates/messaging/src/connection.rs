//! Connects to the broker, and says how long to wait before the next attempt.
//!
//! lapin's own recovery is off: the owner of a connection notices its loss and opens a new one, because the
//! topology must be declared again before anything else happens.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use lapin::{
    Connection, ConnectionProperties, ErrorKind,
    tcp::OwnedTLSConfig,
    uri::{AMQPScheme, AMQPUri},
};

use crate::addresses::{Addresses, is_exposed};
use crate::broker_error::BrokerError;
use crate::signature::{Authentication, Keyring};
use crate::topology::Account;

/// Frame size in bytes, large enough for the headers of every message that this project publishes.
const SMALL_FRAME: u32 = 16 * 1024;
/// Frame size in bytes of other connections: the broker's own default. lapin's buffers have their size from the beginning when
/// it is named, so that memory which no message has used yet costs nothing; buffers that grow to it are written to.
const FRAME: u32 = 128 * 1024;
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one broker among several may take to accept a connection.
const MAX_TRY: Duration = Duration::from_secs(2);

/// Addresses of the broker or the brokers of a cluster, and the service that connects. The `Debug` output never shows the password.
#[derive(Clone)]
pub struct BrokerConfig {
    addresses: Addresses,
    service: Arc<str>,
    account: Option<Account>,
    ca_file: Option<PathBuf>,
    timeout: Duration,
    authentication: Authentication,
}

impl BrokerConfig {
    /// `url` may be several addresses with commas between them, which are tried in turn. `service` names the connections
    /// in the broker's UI. The default timeout is 10 s.
    ///
    /// # Errors
    /// `InvalidUrl`, without the URL.
    pub fn new(url: &str, service: &str) -> Result<Self, BrokerError> {
        Ok(Self {
            addresses: Addresses::of(url).ok_or(BrokerError::InvalidUrl)?,
            service: service.into(),
            account: None,
            ca_file: None,
            timeout: Duration::from_secs(10),
            authentication: Authentication::default(),
        })
    }

    /// Declares only the part of the topology that `account` may declare. Without this, everything is declared.
    #[must_use]
    pub fn with_account(self, account: Account) -> Self {
        Self { account: Some(account), ..self }
    }

    /// Trusts the authorities of a PEM file for `amqps://`, besides those of the system. The file is read at every connect,
    /// so that it can be replaced.
    #[must_use]
    pub fn with_ca_file(self, ca_file: Option<PathBuf>) -> Self {
        Self { ca_file, ..self }
    }

    /// The same broker's virtual host for a `DEV` deployment: named as this one with `_dev` after it, and
    /// `modelday_dev` beside the default one.
    #[must_use]
    pub fn in_development(self) -> Self {
        let addresses = self.addresses.map(|uri| {
            uri.vhost = match uri.vhost.as_str() {
                "/" => "modelday_dev".to_owned(),
                name => format!("{name}_dev"),
            };
        });
        Self { addresses, ..self }
    }

    /// Limits the frame size, for connections that carry only messages of this project, or none. lapin has buffers of 64
    /// frames of the largest size for each connection, which is 8 MiB at the broker's default. A connection that receives
    /// or forwards messages of others needs the default size, since all headers of a message are one frame. Has no
    /// effect when the URL sets a size.
    #[must_use]
    pub fn with_small_frames(self) -> Self {
        let addresses = self.addresses.map(|uri| {
            uri.query.frame_max.get_or_insert(SMALL_FRAME);
        });
        Self { addresses, ..self }
    }

    /// Sets the timeout of each connect, each declaration of the topology and each published batch.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Signs and verifies messages in this way. Before this is called nothing is signed, and every message is rejected.
    #[must_use]
    pub fn with_authentication(self, authentication: Authentication) -> Self {
        Self { authentication, ..self }
    }

    /// How messages are signed and verified.
    #[must_use]
    pub fn authentication(&self) -> &Authentication {
        &self.authentication
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.authentication.keyring
    }

    /// Whether the password and the messages would cross a network without encryption.
    pub fn is_exposed(&self) -> bool {
        self.addresses.all().iter().any(is_exposed)
    }

    pub(crate) fn account(&self) -> Option<Account> {
        self.account
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The host of the broker that was tried last, for span attributes.
    pub(crate) fn host(&self) -> &str {
        &self.addresses.current().authority.host
    }

    /// The service that connects, for spans.
    pub(crate) fn service(&self) -> &str {
        &self.service
    }

    /// Its port, for span attributes.
    pub(crate) fn port(&self) -> u16 {
        self.addresses.current().authority.port
    }

    /// Opens a connection that the broker's UI shows as `<service> <role>`, to the next broker in turn that accepts it.
    ///
    /// # Errors
    /// `CaFile`, `Certificate`, `VirtualHost`, `Timeout` or `Amqp`: what is not transient, or else the last one.
    pub(crate) async fn connect(&self, role: &str) -> Result<Connection, BrokerError> {
        // An error means that the process has a provider already, which may stay.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut problem: Option<BrokerError> = None;
        for _ in self.addresses.all() {
            match self.connect_to(self.addresses.advance(), role).await {
                Ok(connection) => return Ok(connection),
                Err(_) if problem.as_ref().is_some_and(|problem| !problem.is_transient()) => {}
                Err(error) => problem = Some(error),
            }
        }
        Err(problem.unwrap_or(BrokerError::Lost))
    }

    async fn connect_to(&self, uri: &AMQPUri, role: &str) -> Result<Connection, BrokerError> {
        let tls = self.tls_config(uri)?;
        let mut uri = uri.clone();
        uri.query.frame_max.get_or_insert(FRAME);
        let vhost = uri.vhost.clone();
        let name = format!("{} {role}", self.service);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let is_alone = self.addresses.all().len() == 1;
        let limit = if is_alone { self.timeout } else { self.timeout.min(MAX_TRY) };
        within(limit, "connecting", async {
            let runtime = lapin::runtime::default_runtime()?;
            Connection::connect_uri_with_config(uri, properties, tls, runtime).await
        })
        .await
        .map_err(|error| match error {
            BrokerError::Amqp { source, .. } if refuses_certificate(&source) => {
                BrokerError::Certificate(source)
            }
            BrokerError::Amqp { source, .. } if refuses_virtual_host(&source) => {
                BrokerError::VirtualHost { name: vhost, source }
            }
            other => other,
        })
    }

    /// Fails on a mistake in the configuration that only an operator can correct.
    pub(crate) fn check(&self) -> Result<(), BrokerError> {
        self.addresses.all().iter().try_for_each(|uri| self.tls_config(uri).map(|_| ()))
    }

    /// Runs `operation` for at most the configured timeout.
    pub(crate) async fn bounded<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, lapin::Error>>,
    ) -> Result<T, BrokerError> {
        within(self.timeout, operation, work).await
    }

    fn tls_config(&self, uri: &AMQPUri) -> Result<OwnedTLSConfig, BrokerError> {
        let cert_chain = match (&uri.scheme, &self.ca_file) {
            (AMQPScheme::AMQPS, Some(path)) => Some(
                std::fs::read_to_string(path)
                    .map_err(|source| BrokerError::CaFile { path: path.clone(), source })?,
            ),
            (AMQPScheme::AMQPS, None) | (AMQPScheme::AMQP, _) => None,
        };
        Ok(OwnedTLSConfig { identity: None, cert_chain })
    }
}

async fn within<T>(
    limit: Duration,
    operation: &'static str,
    work: impl Future<Output = Result<T, lapin::Error>>,
) -> Result<T, BrokerError> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result.map_err(|source| BrokerError::Amqp { operation, source }),
        Err(_) => Err(BrokerError::Timeout { operation, after: limit }),
    }
}

fn refuses_certificate(error: &lapin::Error) -> bool {
    let ErrorKind::IOError(error) = error.kind() else { return false };
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}

/// When a connection is opened, the reply code 530 (`NOT_ALLOWED`) concerns the virtual host.
fn refuses_virtual_host(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error) if error.get_id() == 530)
}

impl fmt::Debug for BrokerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrokerConfig")
            .field("host", &self.host())
            .field("port", &self.port())
            .field("vhost", &self.addresses.current().vhost)
            .field("service", &self.service)
            .field("ca_file", &self.ca_file)
            .finish_non_exhaustive()
    }
}

/// Closes a connection with the handshake of AMQP. One that does not answer is dropped, and the broker ends it after
/// missed heartbeats.
pub(crate) async fn close(connection: Connection) {
    if connection.status().connected() && !connection.status().blocked() {
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, connection.close(200, "bye".into())).await;
    }
}

/// Closes a connection that failed, while its owner goes on: one to a broker without a quorum may not answer.
pub(crate) fn abandon(connection: Connection) {
    tokio::spawn(close(connection));
}

/// Wait before attempt `attempt` (counted from 1): doubles from 100 ms to a second. `jitter` (0 to 1) spreads the upper half,
/// so that many processes do not reconnect at the same moment.
fn backoff(attempt: u32, jitter: f64) -> Duration {
    let full = FIRST_WAIT.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(MAX_WAIT);
    full.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

/// The longest wait before the second attempt.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait before another attempt: what failed may be back, and should be used soon then.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// [`backoff`] with a random spread.
pub(crate) fn backoff_jittered(attempt: u32) -> Duration {
    backoff(attempt, rand::random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_up_to_a_second() {
        let waits = [1, 2, 3, 4, 5, 60].map(|attempt| backoff(attempt, 1.0).as_millis());

        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000]);
        assert_eq!(backoff(7, 0.0), Duration::from_millis(500));
    }

    #[test]
    fn development_has_a_virtual_host_of_its_own() {
        let beside = |url: &str| {
            BrokerConfig::new(url, "x").unwrap().in_development().addresses.advance().vhost.clone()
        };

        assert_eq!(beside("amqp://joe@127.0.0.1/trading"), "trading_dev");
        assert_eq!(beside("amqp://joe@127.0.0.1/%2f"), "modelday_dev");
        assert_eq!(beside("amqp://joe@127.0.0.1"), "modelday_dev");
        assert_eq!(beside("amqp://joe@127.0.0.1/"), "modelday_dev");
    }

    #[test]
    fn a_password_is_never_shown() {
        let config = BrokerConfig::new("amqp://joe:s3cret@127.0.0.1:1/%2f", "trigger").unwrap();
        let error = BrokerConfig::new("http://joe:s3cret@127.0.0.1", "trigger").unwrap_err();

        let shown = format!("{config:?} {config:#?} {error} {error:?}");

        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("127.0.0.1"), "{shown}");
    }

    #[test]
    fn a_password_with_characters_of_an_address_is_refused_instead_of_taken_for_a_virtual_host() {
        for url in ["amqp://joe:12/s3cret@host/v", "amqp://joe:12?s3cret@host/v", "amqp://joe:1#s3@host"] {
            let error = BrokerConfig::new(url, "trigger").unwrap_err();

            assert!(matches!(error, BrokerError::InvalidUrl), "{url}");
            assert!(error.to_string().contains("%2F"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_refused_connection_shows_no_password() {
        let config = BrokerConfig::new("amqp://joe:s3cret@127.0.0.1:1/%2f", "trigger").unwrap();

        let error = config.connect("test").await.unwrap_err();

        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }

    #[test]
    fn a_missing_ca_file_is_named() {
        let config = BrokerConfig::new("amqps://127.0.0.1:1/%2f", "trigger").unwrap();
        let config = config.with_ca_file(Some("/nowhere/ca.pem".into()));

        let error = config.check().unwrap_err();

        assert_eq!(error.to_string(), r#"CA file "/nowhere/ca.pem" is unreadable"#);
    }
}
