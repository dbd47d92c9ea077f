//! Three brokers that form one cluster. A test may kill them and bring them back.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use messaging::topology::Account;
use test_support::{Proxy, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::folder::Folder;

/// How many brokers there are.
pub const NODES: usize = 3;
/// Where the first block of ports is tried. All are below those that the system gives to outgoing connections, so that a
/// killed broker finds its port free.
const FIRST_PORT: u16 = 26_400;
/// Ports of a block: three for AMQP, three among the brokers, one of the port mapper, the others for tools.
const PORTS: u16 = 20;

/// Three brokers behind one address. They are killed, and their data is deleted, with this value.
pub struct Cluster {
    nodes: [Option<Child>; NODES],
    mapper: Child,
    ports: u16,
    password: String,
    proxy: Proxy,
    folder: Folder,
}

impl Cluster {
    /// Starts it and waits until every broker has joined.
    pub async fn start() -> Self {
        let (folder, password) = (Folder::create(), uuid::Uuid::now_v7().simple().to_string());
        let ports = free_block();
        let urls: Vec<String> = (0..NODES).map(|node| url(&password, ports, node)).collect();
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        let proxy = Proxy::before_all(&urls).await;
        let mapper = Command::new("epmd")
            .args(["-address", "127.0.0.1", "-relaxed_command_check", "-port", &(ports + 6).to_string()])
            .stdin(Stdio::null())
            .spawn()
            .expect("Erlang's port mapper starts");
        let mut cluster = Self { nodes: [const { None }; NODES], mapper, ports, password, proxy, folder };
        for node in 0..NODES {
            cluster.configure(node);
            cluster.launch(node);
        }
        for node in 0..NODES {
            cluster.ready(node).await;
        }
        cluster
    }

    /// A URL for each service, which leads to the brokers in turn.
    pub fn urls(&self) -> [String; 4] {
        Account::ALL.map(|_| self.proxy.instead_of(&self.url(0)))
    }

    /// Kills a broker with SIGKILL.
    pub fn kill(&mut self, node: usize) {
        if let Some(mut broker) = self.nodes[node].take() {
            let _ = broker.kill();
            let _ = broker.wait();
        }
    }

    /// Starts a broker, without waiting until it is ready.
    pub fn launch(&mut self, node: usize) {
        let log =
            std::fs::File::create(self.folder.0.join(format!("n{node}.log"))).expect("a log can be made");
        let mut server = self.command(node, "rabbitmq-server");
        server.stdout(log.try_clone().expect("a file can be shared")).stderr(log);
        self.nodes[node] = Some(server.spawn().expect("RabbitMQ starts"));
    }

    /// Waits until a broker answers: it responds to the first bytes of AMQP, as soon as all its queues run.
    pub async fn ready(&self, node: usize) {
        let port = port(self.ports, node);
        eventually(&format!("broker {node} answers"), async || {
            let answer = async {
                let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
                stream.write_all(b"AMQP\0\0\x09\x01").await.ok()?;
                stream.read_u8().await.ok()
            };
            tokio::time::timeout(Duration::from_secs(1), answer).await.ok().flatten()
        })
        .await;
    }

    /// How many consumers each queue has, by its name.
    pub fn consumers(&self, node: usize) -> BTreeMap<String, usize> {
        let queues = self.ctl(node, &["list_queues", "-p", "modelday", "name", "consumers"]);
        let counts = queues.lines().filter_map(|line| line.split_once('\t'));
        counts.filter_map(|(queue, count)| Some((queue.to_owned(), count.parse().ok()?))).collect()
    }

    /// The output of `rabbitmqctl` at a broker.
    pub fn ctl(&self, node: usize, arguments: &[&str]) -> String {
        let mut ctl = self.command(node, "rabbitmqctl");
        let output = ctl.arg("-q").args(arguments).output().expect("rabbitmqctl runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn url(&self, node: usize) -> String {
        url(&self.password, self.ports, node)
    }

    fn home(&self, node: usize) -> PathBuf {
        self.folder.0.join(format!("n{node}"))
    }

    fn configure(&self, node: usize) {
        let home = self.home(node);
        for folder in ["data", "log", "generated"] {
            std::fs::create_dir_all(home.join(folder)).expect("a folder can be made");
        }
        let (port, password) = (port(self.ports, node), &self.password);
        let peers: String = (0..NODES)
            .map(|peer| format!("cluster_formation.classic_config.nodes.{} = n{peer}@localhost\n", peer + 1))
            .collect();
        let settings = format!(
            "listeners.tcp.local = 127.0.0.1:{port}\n\
             default_vhost = modelday\n\
             default_user = modelday\n\
             default_pass = {password}\n\
             cluster_formation.peer_discovery_backend = classic_config\n\
             cluster_formation.discovery_retry_limit = 1\n\
             {peers}\
             disk_free_limit.absolute = 100MB\n\
             vm_memory_high_watermark.absolute = 1GB\n\
             log.console = false\n\
             log.file.level = warning\n"
        );
        let files = [
            ("rabbitmq.conf", settings.as_str()),
            ("empty.conf", ""),
            ("advanced.config", "[].\n"),
            ("enabled_plugins", "[].\n"),
            (".erlang.cookie", password),
        ];
        for (name, text) in files {
            std::fs::write(home.join(name), text).expect("a file can be written");
        }
        let secret = std::os::unix::fs::PermissionsExt::from_mode(0o400);
        std::fs::set_permissions(home.join(".erlang.cookie"), secret).expect("a file can be made secret");
    }

    /// A program of a broker, with everything in its folder and on loopback, as in `deploy/local/rabbitmq.sh`.
    fn command(&self, node: usize, program: &str) -> Command {
        let home = self.home(node);
        let mut command = Command::new(scripts().join(program));
        command.env_clear().envs(std::env::vars().filter(|(key, _)| key == "PATH"));
        command.stdin(Stdio::null()).current_dir(&home);
        for (key, file) in [
            ("HOME", ""),
            ("RABBITMQ_MNESIA_BASE", "data"),
            ("RABBITMQ_LOG_BASE", "log"),
            ("RABBITMQ_PID_FILE", "pid"),
            ("RABBITMQ_CONF_ENV_FILE", "empty.conf"),
            ("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced.config"),
            ("RABBITMQ_GENERATED_CONFIG_DIR", "generated"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", "enabled_plugins"),
        ] {
            command.env(key, home.join(file));
        }
        let loopback = "-kernel inet_dist_use_interface {127,0,0,1}";
        for (key, value) in [
            ("LANG", "C.UTF-8".to_owned()),
            // The script becomes the broker, and starts no child of its own.
            ("detached", "yes".to_owned()),
            ("RABBITMQ_NODENAME", format!("n{node}@localhost")),
            ("RABBITMQ_DIST_PORT", (port(self.ports, node) + 3).to_string()),
            ("ERL_EPMD_PORT", (self.ports + 6).to_string()),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
            ("RABBITMQ_CTL_DIST_PORT_MIN", (self.ports + 7).to_string()),
            ("RABBITMQ_CTL_DIST_PORT_MAX", (self.ports + PORTS - 1).to_string()),
            (
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                format!("{loopback} +sbwt none +sbwtdcpu none +sbwtdio none"),
            ),
            ("RABBITMQ_CTL_ERL_ARGS", loopback.to_owned()),
            ("ERL_CRASH_DUMP_SECONDS", "0".to_owned()),
        ] {
            command.env(key, value);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in 0..NODES {
            self.kill(node);
        }
        let _ = self.mapper.kill();
        let _ = self.mapper.wait();
    }
}

fn port(ports: u16, node: usize) -> u16 {
    ports + u16::try_from(node).expect("a small number")
}

fn url(password: &str, ports: u16, node: usize) -> String {
    format!("amqp://modelday:{password}@127.0.0.1:{}/modelday", port(ports, node))
}

/// A block of ports that are free at this moment.
fn free_block() -> u16 {
    let mut blocks = (FIRST_PORT..FIRST_PORT + 60 * PORTS).step_by(usize::from(PORTS));
    let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    blocks.find(|first| (*first..first + PORTS).all(is_free)).expect("a block of free ports")
}

/// Where the newest installed server's scripts are.
fn scripts() -> PathBuf {
    if let Some(folder) = std::env::var_os("MODELDAY_RABBITMQ_SBIN") {
        return folder.into();
    }
    let servers = std::fs::read_dir("/usr/lib/rabbitmq/lib").expect("RabbitMQ is installed").flatten();
    let newest = servers.map(|server| server.path().join("sbin")).filter(|sbin| sbin.is_dir()).max();
    newest.expect("RabbitMQ is installed")
}
