//! The connections of the API: accepted up to a limit, served one by one, and finished at shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connection::{Connection, serve};
use super::peer::Peer;
use super::tls::Tls;
use super::waiting::Waiting;
use crate::shutdown::Shutdown;

/// How long a client may take for the handshake of TLS.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests in progress may take after the port is closed.
const GRACE: Duration = Duration::from_secs(5);
/// Wait after the system had no file descriptor for a connection.
const PAUSE: Duration = Duration::from_millis(50);
/// After which a connection ends whose client takes nothing of what is sent to it.
#[cfg(target_os = "linux")]
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// What serves the connections of a listener.
pub(super) struct Server {
    pub(super) app: Router,
    pub(super) tls: Option<Arc<Tls>>,
    /// How many connections may be open.
    pub(super) max_connections: usize,
}

impl Server {
    /// Accepts connections until the port has to close; then requests in progress may finish within five seconds.
    pub(super) async fn run(self, listener: TcpListener, shutdown: Shutdown) {
        let places = Arc::new(Semaphore::new(self.max_connections));
        let waiting = Arc::new(Waiting::default());
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = shutdown.port_closes.cancelled() => break,
                Some(_) = connections.join_next() => continue,
                accepted = accept(&listener, &waiting) => accepted,
            };
            let place = tokio::select! {
                () = shutdown.port_closes.cancelled() => break,
                place = place(&places, &waiting) => place,
            };
            let Some(place) = place else { break };
            connections.spawn(self.serve(accepted, place, &waiting, &shutdown));
        }
        // Clients whose connections the system has accepted already are answered too.
        for accepted in accepted_already(listener) {
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else { break };
            connections.spawn(self.serve(accepted, place, &waiting, &shutdown));
        }
        let finished = async { while connections.join_next().await.is_some() {} };
        if timeout(GRACE, finished).await.is_err() {
            tracing::warn!("requests were cut off that took longer than {} s", GRACE.as_secs());
        }
    }

    /// The work of a connection, which keeps its place until the end.
    fn serve(
        &self,
        (stream, peer): (TcpStream, SocketAddr),
        place: OwnedSemaphorePermit,
        waiting: &Arc<Waiting>,
        shutdown: &Shutdown,
    ) -> impl Future<Output = ()> + Send + use<> {
        let local = stream.local_addr().map_or(peer.ip(), |local| local.ip().to_canonical());
        let peer = Peer { address: peer.ip().to_canonical(), local };
        let connection = Connection::new(peer, self.app.clone(), waiting, shutdown);
        let tls = self.tls.as_ref().map(|tls| tls.acceptor());
        set_options(&stream);
        async move {
            let _place = place;
            match tls {
                None => serve(connection, stream).await,
                Some(tls) => {
                    let closed = connection.closed();
                    let shaken = tokio::select! {
                        () = closed => return,
                        shaken = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)) => shaken,
                    };
                    if let Ok(Ok(stream)) = shaken {
                        serve(connection, stream).await;
                    }
                }
            }
        }
    }
}

async fn accept(listener: &TcpListener, waiting: &Waiting) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The client has gone already.
            Err(problem) if is_of_client(&problem) => {}
            Err(problem) => {
                tracing::error!("a connection cannot be accepted: {problem}");
                waiting.make_room();
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Closes the port. Yields the connections that the system has accepted before; it would reset them.
fn accepted_already(listener: TcpListener) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
    let listener = listener.into_std().ok();
    std::iter::from_fn(move || {
        let (stream, peer) = listener.as_ref()?.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, peer))
    })
}

fn is_of_client(problem: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(problem.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// A place for a connection, for which another one may have to close. `None` never happens while the server runs.
async fn place(places: &Arc<Semaphore>, waiting: &Waiting) -> Option<OwnedSemaphorePermit> {
    if let Ok(place) = Arc::clone(places).try_acquire_owned() {
        return Some(place);
    }
    metrics::counter!("modelday_http_connections_displaced_total").increment(1);
    waiting.make_room();
    Arc::clone(places).acquire_owned().await.ok()
}

fn set_options(stream: &TcpStream) {
    // An error means that the client has gone, which shows when the connection is read.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(SEND_TIMEOUT));
}
