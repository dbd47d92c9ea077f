//! A private PostgreSQL and RabbitMQ that speak TLS.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::authority::Authority;

/// Both are wiped with this value.
pub(super) struct Servers {
    state: PathBuf,
    /// Of the authority that signed the servers' certificates.
    pub(super) authority: Authority,
}

impl Servers {
    pub(super) fn start() -> Self {
        let folder =
            std::env::var("MODELDAY_TEST_STATE").map_or_else(|_| std::env::temp_dir(), PathBuf::from);
        let servers = Self { state: folder.join("stacks/tls"), authority: Authority::new("the right one") };
        servers.stack(&["up", "--private"]);
        // From here on PostgreSQL takes nobody without TLS.
        let only_tls =
            "COPY (VALUES ('hostssl all all 127.0.0.1/32 scram-sha-256')) TO PROGRAM 'cat >pg_hba.conf'";
        servers.stack(&["ctl", "postgres", "-c", only_tls, "-c", "SELECT pg_reload_conf()"]);
        servers
    }

    /// Runs a command of the script; its answer goes through a file, because a server keeps a pipe open.
    pub(super) fn stack(&self, arguments: &[&str]) -> String {
        let path = self.authority.folder().join("answer");
        let output = File::create(&path).unwrap();
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/local/stack.sh"));
        command.args(arguments).env("MODELDAY_STATE", &self.state).env("MODELDAY_ENGINE", "native");
        command.env("MODELDAY_TLS", self.authority.folder());
        command.env_remove("DATABASE_URL").env_remove("AMQP_URL").env_remove("AMQP_MANAGEMENT_URL");
        command.stdin(Stdio::null()).stderr(output.try_clone().unwrap()).stdout(output);
        let status = command.status().unwrap();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(status.success(), "stack.sh {arguments:?}: {text}");
        text
    }

    /// The database's address without parameters.
    pub(super) fn database_url(&self) -> String {
        self.variable("DATABASE_URL")
    }

    /// The broker's address for TLS.
    pub(super) fn amqps_url(&self) -> String {
        let url = self.variable("AMQP_URL").replace("amqp://", "amqps://");
        let (address, vhost) = url.rsplit_once('/').unwrap();
        let (host, port) = address.rsplit_once(':').unwrap();
        format!("{host}:{}/{vhost}", port.parse::<u16>().unwrap() + 1)
    }

    fn variable(&self, name: &str) -> String {
        let text = self.stack(&["env"]);
        let prefix = format!("{name}=");
        let value = text.split_whitespace().find_map(|word| word.strip_prefix(&prefix)).unwrap();
        value.trim_matches(|c| c == '\'' || c == '"').to_owned()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.stack(&["wipe"]);
    }
}
