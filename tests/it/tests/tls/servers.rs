//! A private PostgreSQL and RabbitMQ that speak TLS.

use it::Stack;
use messaging::topology::Account;

use super::authority::Authority;

/// Both servers. They are stopped, and their data is deleted, with this value.
pub(super) struct Servers {
    stack: Stack,
    /// The authority that signed the servers' certificates.
    pub(super) authority: Authority,
}

impl Servers {
    pub(super) fn start() -> Self {
        let authority = Authority::new("the right one");
        let stack = Stack::new("tls", Some(authority.folder()));
        stack.run(&["up", "--private"]);
        // From here on PostgreSQL refuses connections without TLS.
        let only_tls =
            "COPY (VALUES ('hostssl all all 127.0.0.1/32 scram-sha-256')) TO PROGRAM 'cat >pg_hba.conf'";
        stack.run(&["ctl", "postgres", "-c", only_tls, "-c", "SELECT pg_reload_conf()"]);
        Self { stack, authority }
    }

    /// The database's URL for its owner, without parameters.
    pub(super) fn database_url(&self) -> String {
        self.stack.variable("DATABASE_URL")
    }

    /// The broker's URL of each service, for TLS.
    pub(super) fn amqps_urls(&self) -> [String; 4] {
        Account::ALL.map(|account| self.amqps_url(account))
    }

    fn amqps_url(&self, account: Account) -> String {
        let setting = format!("{}_AMQP_URL", account.as_str().to_uppercase());
        let url = self.stack.variable(&setting).replace("amqp://", "amqps://");
        let (address, vhost) = url.rsplit_once('/').unwrap();
        let (host, port) = address.rsplit_once(':').unwrap();
        format!("{host}:{}/{vhost}", port.parse::<u16>().unwrap() + 1)
    }
}
