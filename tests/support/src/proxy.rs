//! A network between a program and its servers, which can fail without a word.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Passes connections on to a server, or to several in turn. Its connections end with this value.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    _passing: AbortOnDropHandle<()>,
}

struct Shared {
    servers: Vec<String>,
    next: AtomicUsize,
    is_away: AtomicBool,
    connections: Mutex<BTreeMap<u16, Passed>>,
}

/// How a connection can fail.
#[derive(Clone, Default)]
struct Passed {
    silent: CancellationToken,
    closed: CancellationToken,
}

impl Proxy {
    /// A proxy in front of the server of `url`.
    pub async fn before(url: &str) -> Self {
        Self::before_all(&[url]).await
    }

    /// A proxy in front of several servers: each connection goes to the next one that listens, as a balancer does it.
    pub async fn before_all(urls: &[&str]) -> Self {
        let servers = urls.iter().map(|url| parts(url).1.to_owned()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (is_away, next, connections) = (AtomicBool::new(false), AtomicUsize::new(0), Mutex::default());
        let shared = Arc::new(Shared { servers, next, is_away, connections });
        let passing = tokio::spawn(pass(listener, Arc::clone(&shared)));
        Self { port, shared, _passing: AbortOnDropHandle::new(passing) }
    }

    /// A URL of the server, with the proxy's address instead.
    pub fn instead_of(&self, url: &str) -> String {
        let (account, _, path) = parts(url);
        format!("{account}@127.0.0.1:{}/{path}", self.port)
    }

    /// Closes all connections, and each new one at once, until [`Proxy::come_back`].
    pub fn go_away(&self) {
        self.shared.is_away.store(true, Ordering::Relaxed);
        self.shared.connections().values().for_each(|connection| connection.closed.cancel());
    }

    /// Passes new connections on again.
    pub fn come_back(&self) {
        self.shared.is_away.store(false, Ordering::Relaxed);
    }

    /// Passes nothing more on over the connections that are open. Neither end hears of it, now or later. Connections that
    /// are opened from now on work.
    pub fn fall_silent(&self) {
        self.shared.connections().values().for_each(|connection| connection.silent.cancel());
    }

    /// The same for the one connection that comes to the server from `port`.
    pub fn fall_silent_on(&self, port: u16) {
        self.shared.connections().get(&port).expect("a connection of this proxy").silent.cancel();
    }
}

/// Of a URL: scheme and account, host and port, and the rest.
fn parts(url: &str) -> (&str, &str, &str) {
    let (account, rest) = url.rsplit_once('@').expect("a URL with an account");
    let (server, path) = rest.split_once('/').expect("a URL with a path");
    (account, server, path)
}

impl Shared {
    async fn connect(&self) -> Option<TcpStream> {
        for _ in &self.servers {
            let next = self.next.fetch_add(1, Ordering::Relaxed) % self.servers.len();
            if let Ok(stream) = TcpStream::connect(&self.servers[next]).await {
                return Some(stream);
            }
        }
        None
    }

    fn connections(&self) -> MutexGuard<'_, BTreeMap<u16, Passed>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn pass(listener: TcpListener, shared: Arc<Shared>) {
    let mut passing = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        if shared.is_away.load(Ordering::Relaxed) {
            continue;
        }
        let Some(server) = shared.connect().await else { continue };
        let passed = Passed::default();
        let port = server.local_addr().expect("an address").port();
        shared.connections().insert(port, passed.clone());
        passing.spawn(async move {
            let Passed { silent, closed } = passed;
            closed.run_until_cancelled(pass_on(client, server, silent)).await
        });
    }
}

async fn pass_on(mut client: TcpStream, mut server: TcpStream, silent: CancellationToken) {
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    if silent.run_until_cancelled(copy_bidirectional(&mut client, &mut server)).await.is_none() {
        // Both stay open, and nothing is read or written any more.
        std::future::pending::<()>().await;
    }
}
