//! What every service needs from outside: Postgres, RabbitMQ, an address to listen on.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use messaging::{BrokerConfig, TlsOptions};
use storage::Database;

use crate::deployment::Deployment;
use crate::settings::Settings;

/// How long the broker may take to answer before it counts as away.
const BROKER_TIMEOUT: Duration = Duration::from_secs(4);

/// Settings that all services share.
#[derive(Debug, Clone)]
pub struct Infrastructure {
    /// `LISTEN`: address of the HTTP API.
    pub listen: SocketAddr,
    /// `DATABASE_URL` (or a service's own, e.g. `TRIGGER_DATABASE_URL`).
    pub database: Database,
    /// `AMQP_URL`, with `AMQP_CA_FILE` for a private authority.
    pub broker: BrokerConfig,
    /// `DEPLOYMENT_MODE`, `PRESERVE_DEV_DATA`.
    pub deployment: Deployment,
}

impl Infrastructure {
    /// Reads the shared settings of `service`. `None` when they cannot be used; the settings know why.
    pub fn from_settings(settings: &mut Settings, service: &str, port: u16) -> Option<Self> {
        let default = SocketAddr::from(([127, 0, 0, 1], port));
        let listen: SocketAddr =
            settings.parsed("LISTEN", default, "write address:port, e.g. 127.0.0.1:8080");
        let trusted = settings.flag("LISTEN_TRUSTED_NETWORK", false);
        if !listen.ip().is_loopback() && !trusted {
            let place = settings.place("LISTEN");
            settings.mistake(
                &place,
                "LISTEN",
                format!("{listen} is open to others and no API token is configured"),
                "listen on 127.0.0.1, or set LISTEN_TRUSTED_NETWORK=true behind a gateway that authenticates",
            );
        }
        let database = database(settings, service);
        let broker = broker(settings, service);
        let deployment = Deployment::from_settings(settings);
        Some(Self { listen, database: database?, broker: broker?, deployment })
    }
}

/// The database of `service`. `None` when it cannot be used; the settings know why.
pub fn database(settings: &mut Settings, service: &str) -> Option<Database> {
    let own = format!("{}_DATABASE_URL", service.to_uppercase());
    let fix = "set it to postgres://user:password@host:port/database";
    let (key, url) = match settings.text(&own) {
        Some(url) => (own.as_str(), url),
        None => ("DATABASE_URL", settings.required("DATABASE_URL", fix)?),
    };
    let count = "write how many connections a service may hold";
    let sixteen = NonZeroU32::MIN.saturating_add(15);
    let max_connections = settings.parsed("DATABASE_CONNECTIONS", sixteen, count).get();
    match Database::new(url, max_connections) {
        Ok(database) => Some(database),
        Err(error) => {
            let place = settings.place(key);
            settings.mistake(&place, key, error.to_string(), fix);
            None
        }
    }
}

fn broker(settings: &mut Settings, service: &str) -> Option<BrokerConfig> {
    let fix = "set it to amqp://user:password@host:port/vhost";
    let ca_file = settings.text("AMQP_CA_FILE").map(PathBuf::from);
    if let Some(Err(error)) = ca_file.as_ref().map(std::fs::read) {
        let place = settings.place("AMQP_CA_FILE");
        let fix = "name a PEM file with certificate authorities, or leave it out";
        settings.mistake(&place, "AMQP_CA_FILE", format!("cannot be read: {error}"), fix);
    }
    let url = settings.required("AMQP_URL", fix)?;
    match BrokerConfig::new(&url, &format!("modelday-{service}")) {
        Ok(broker) => Some(broker.with_tls(TlsOptions { ca_file }).with_timeout(BROKER_TIMEOUT)),
        Err(error) => {
            let place = settings.place("AMQP_URL");
            settings.mistake(&place, "AMQP_URL", error.to_string(), fix);
            None
        }
    }
}
