//! What every service needs from outside: Postgres, RabbitMQ, an address to listen on.

use std::net::SocketAddr;
use std::path::PathBuf;

use messaging::{BrokerConfig, TlsOptions};
use storage::Database;

use crate::deployment::Deployment;
use crate::settings::Settings;

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
        let own = format!("{}_DATABASE_URL", service.to_uppercase());
        let fix = "set it to postgres://user:password@host:port/database";
        let url = match settings.text(&own) {
            Some(url) => url,
            None => settings.required("DATABASE_URL", fix),
        };
        let max_connections =
            settings.parsed("DATABASE_CONNECTIONS", 16, "write how many connections a service may hold");
        let amqp = settings.required("AMQP_URL", "set it to amqp://user:password@host:port/vhost");
        let ca_file = settings.text("AMQP_CA_FILE").map(PathBuf::from);
        let deployment = Deployment::from_settings(settings);
        if amqp.is_empty() || url.is_empty() {
            return None;
        }
        match BrokerConfig::new(&amqp, &format!("modelday-{service}")) {
            Ok(broker) => {
                let broker =
                    broker.with_tls(TlsOptions { ca_file }).with_timeout(std::time::Duration::from_secs(4));
                Some(Self { listen, database: Database { url, max_connections }, broker, deployment })
            }
            Err(error) => {
                let place = settings.place("AMQP_URL");
                settings.mistake(
                    &place,
                    "AMQP_URL",
                    error.to_string(),
                    "write amqp://user:password@host:port/vhost",
                );
                None
            }
        }
    }
}
