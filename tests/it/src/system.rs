//! A running system: its processes, its stand-ins, and the servers that it uses.

use std::collections::BTreeMap;
use std::net::TcpListener;

use standin::AlphaVantage;
use test_support::{Proxy, TestDatabase, TestVhost, eventually};

use crate::binaries::binary;
use crate::client::{Client, http};
use crate::folder::Folder;
use crate::process::Process;

/// How the services run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `modelday serve`.
    OneProcess,
    /// A process for each service.
    FourProcesses,
}

/// One program of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// All four services in one process.
    Modelday,
    /// `trigger`.
    Trigger,
    /// `downloader`.
    Downloader,
    /// `executor`.
    Executor,
    /// `status`.
    Status,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Modelday => "modelday",
            Self::Trigger => "trigger",
            Self::Downloader => "downloader",
            Self::Executor => "executor",
            Self::Status => "status",
        }
    }

    /// Whether its process gets a setting: a service that runs alone does not get the accounts of others.
    fn reads(self, key: &str) -> bool {
        let own = format!("{}_", self.name().to_uppercase());
        self == Self::Modelday
            || !(key.ends_with("DATABASE_URL") || key.ends_with("AMQP_URL"))
            || key.starts_with(&own)
    }
}

/// What is between the services and their servers.
pub struct Network {
    /// On the way to PostgreSQL.
    pub database: Proxy,
    /// On the way to RabbitMQ.
    pub broker: Proxy,
}

/// A running system. It ends with this value, the processes first.
pub struct System {
    processes: BTreeMap<Service, Process>,
    seconds: Vec<Process>,
    ports: BTreeMap<Service, u16>,
    env: BTreeMap<String, String>,
    folder: Folder,
    /// The API.
    pub client: Client,
    /// The stand-in of the price provider.
    pub prices: AlphaVantage,
    /// The virtual host, unless the test has a broker of its own.
    pub vhost: Option<TestVhost>,
    network: Option<Network>,
    /// The database.
    pub database: TestDatabase,
}

impl System {
    pub(crate) async fn start(
        shape: Shape,
        env: BTreeMap<String, String>,
        database: TestDatabase,
        vhost: Option<TestVhost>,
        network: Option<Network>,
        prices: AlphaVantage,
        folder: Folder,
    ) -> Self {
        let services: &[Service] = match shape {
            Shape::OneProcess => &[Service::Modelday],
            Shape::FourProcesses => {
                &[Service::Trigger, Service::Downloader, Service::Executor, Service::Status]
            }
        };
        let ports = free_ports(services);
        let url = |service: Service| {
            let port = ports.get(&service).or_else(|| ports.get(&Service::Modelday)).expect("a port");
            format!("http://127.0.0.1:{port}")
        };
        let [trigger, downloader, executor, status] =
            [Service::Trigger, Service::Downloader, Service::Executor, Service::Status].map(url);
        let client = Client::new(trigger, downloader, executor, status);
        let processes = BTreeMap::new();
        let seconds = Vec::new();
        let mut system =
            Self { processes, seconds, ports, env, folder, client, prices, vhost, network, database };
        if shape == Shape::FourProcesses
            && system.env.get("DEPLOYMENT_MODE").is_some_and(|mode| mode.eq_ignore_ascii_case("DEV"))
        {
            let prepared = system.modelday(&["migrate", "--reset-dev"]);
            assert!(prepared.status.success(), "{}", String::from_utf8_lossy(&prepared.stderr));
        }
        for service in services {
            system.launch(*service);
        }
        for service in services {
            system.ready(*service).await;
        }
        system
    }

    /// Starts a killed service again, without waiting until it is ready.
    pub fn launch(&mut self, service: Service) {
        let port = self.ports[&service];
        let mut env: Vec<(String, String)> =
            self.env.clone().into_iter().filter(|(key, _)| service.reads(key)).collect();
        env.push(("LISTEN".to_owned(), format!("127.0.0.1:{port}")));
        let arguments: &[&str] = if service == Service::Modelday { &["serve"] } else { &[] };
        let log = self.folder.0.join(format!("{}.log", service.name()));
        let process = Process::spawn(service.name(), &binary(service.name()), arguments, &env, log);
        self.processes.insert(service, process);
    }

    /// Waits until a service is ready.
    pub async fn ready(&mut self, service: Service) {
        let url = format!("http://127.0.0.1:{}/readyz", self.ports[&service]);
        let http = http();
        let process = self.processes.get_mut(&service).expect("it was launched");
        eventually(&format!("{} is ready", service.name()), async || {
            assert!(!process.has_ended(), "{} ended: {}", service.name(), process.log());
            http.get(&url).send().await.ok().filter(|response| response.status().is_success())
        })
        .await;
    }

    /// Runs `modelday` with these arguments and the settings of the services.
    pub fn modelday(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = std::process::Command::new(binary("modelday"));
        command.args(arguments).env_clear().envs(&self.env);
        command.output().expect("modelday runs")
    }

    /// Changes a setting of the processes that start from now on.
    pub fn set_env(&mut self, key: &str, value: &str) {
        self.env.insert(key.to_owned(), value.to_owned());
    }

    /// Kills a service with SIGKILL.
    pub fn kill(&mut self, service: Service) {
        self.processes.get_mut(&service).expect("it runs").kill();
    }

    /// Starts a killed service again and waits until it is ready.
    pub async fn restart(&mut self, service: Service) {
        self.launch(service);
        self.ready(service).await;
    }

    /// The proxies of a system that was built with them.
    pub fn network(&self) -> &Network {
        self.network.as_ref().expect("the system is behind proxies")
    }

    /// Host and port of a service.
    pub fn address(&self, service: Service) -> String {
        format!("127.0.0.1:{}", self.ports[&service])
    }

    /// Status and body of a probe or another path of one service.
    pub async fn get(&self, service: Service, path: &str) -> Option<(u16, String)> {
        let url = format!("http://127.0.0.1:{}{path}", self.ports[&service]);
        let response = http().get(&url).send().await.ok()?;
        Some((response.status().as_u16(), response.text().await.ok()?))
    }

    /// Starts a second process of a service and returns its URL. [`System::kill`] and [`System::signal`] still mean the
    /// first process.
    pub async fn second(&mut self, service: Service) -> String {
        let first = self.processes.remove(&service).expect("it runs");
        let port = self.ports.insert(service, free_ports(&[service])[&service]).expect("a port");
        self.launch(service);
        self.ready(service).await;
        let second = self.processes.insert(service, first).expect("it was launched");
        let url = format!("http://127.0.0.1:{}", self.ports[&service]);
        self.ports.insert(service, port);
        self.seconds.push(second);
        url
    }

    /// Kills the second processes with SIGKILL.
    pub fn kill_seconds(&mut self) {
        self.seconds.clear();
    }

    /// Starts a second process of a service, without waiting until it is ready; returns its URL.
    pub fn launch_second(&mut self, service: Service) -> String {
        let first = self.processes.remove(&service).expect("it runs");
        let port = self.ports.insert(service, free_ports(&[service])[&service]).expect("a port");
        self.launch(service);
        let second = self.processes.insert(service, first).expect("it was launched");
        let url = format!("http://127.0.0.1:{}", self.ports[&service]);
        self.ports.insert(service, port);
        self.seconds.push(second);
        url
    }

    /// Waits until a counter of a service is above zero; its sum over all series.
    pub async fn counter(&self, service: Service, name: &str) -> f64 {
        let url = format!("http://127.0.0.1:{}/metrics", self.ports[&service]);
        let http = http();
        eventually(&format!("{name} of {} is above zero", service.name()), async || {
            let text = http.get(&url).send().await.ok()?.text().await.ok()?;
            let lines = text.lines().filter(|line| line.starts_with(name));
            let sum: f64 = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum();
            (sum > 0.0).then_some(sum)
        })
        .await
    }

    /// Sends a signal such as `STOP` or `CONT`.
    pub fn signal(&self, service: Service, signal: &str) {
        self.processes[&service].signal(signal);
    }

    /// Resident memory of a service in MiB.
    pub fn resident(&self, service: Service) -> u64 {
        self.processes[&service].resident()
    }

    /// Whether a service has ended by itself.
    pub fn has_ended(&mut self, service: Service) -> bool {
        self.processes.get_mut(&service).expect("it was launched").has_ended()
    }

    /// The logs of all services.
    pub fn logs(&self) -> String {
        self.processes.values().map(Process::log).collect()
    }

    /// The services of this system.
    pub fn services(&self) -> Vec<Service> {
        self.processes.keys().copied().collect()
    }
}

/// A port for each service that is free at this moment.
fn free_ports(services: &[Service]) -> BTreeMap<Service, u16> {
    let listeners: Vec<TcpListener> =
        services.iter().map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    services
        .iter()
        .zip(&listeners)
        .map(|(service, listener)| (*service, listener.local_addr().expect("an address").port()))
        .collect()
}
