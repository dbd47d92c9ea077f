//! One connection: its requests, and when it closes.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, header};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tower::Service as _;

use super::peer::Peer;
use super::waiting::{Stay, Waiting};
use crate::shutdown::Shutdown;

/// How long a connection waits for the whole head of a request, the first one or the next.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// About how many bytes of a request are held before they are used; a head that is larger by far is refused.
const MAX_BUFFER: usize = 64 * 1024;
/// How long requests may still come on open connections after the port has closed. One that is on its way when a
/// connection closes would get no response.
const LAST_CALL: Duration = Duration::from_millis(500);
/// How long a connection that makes room for another one may take to send what is left of its last response.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection as its requests see it.
pub(super) struct Connection {
    peer: Peer,
    app: Router,
    shutdown: Shutdown,
    waiting: Arc<Waiting>,
    /// `None` while a request is in hand.
    stay: Mutex<Option<Stay>>,
    close: CancellationToken,
}

impl Connection {
    /// A connection that waits for its first request.
    pub(super) fn new(peer: Peer, app: Router, waiting: &Arc<Waiting>, shutdown: &Shutdown) -> Arc<Self> {
        let (close, shutdown) = (CancellationToken::new(), shutdown.clone());
        let stay = Mutex::new(Some(waiting.enter(&close)));
        Arc::new(Self { peer, app, shutdown, waiting: Arc::clone(waiting), stay, close })
    }

    /// Waits until the connection has to make room for another one.
    pub(super) fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        self.close.clone().cancelled_owned()
    }

    fn set_stay(&self, stay: Option<Stay>) {
        *self.stay.lock().unwrap_or_else(PoisonError::into_inner) = stay;
    }

    fn is_busy(&self) -> bool {
        self.stay.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    async fn answer(self: Arc<Self>, mut request: Request<Incoming>) -> Response<Sent> {
        self.set_stay(None);
        let in_hand = InHand(Arc::clone(&self));
        request.extensions_mut().insert(self.peer);
        let Ok(mut response) = self.app.clone().call(request).await;
        if self.shutdown.begun.is_cancelled() {
            // So that no client sends a request on a connection that is about to close.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.map(|body| Sent { body, _until_the_end: in_hand })
    }
}

/// Serves the requests of a connection until the client closes it, or one of the timeouts does.
pub(super) async fn serve(
    connection: Arc<Connection>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) {
    let (make_room, port_closes) = (connection.closed(), connection.shutdown.port_closes.clone());
    let answering = Arc::clone(&connection);
    let service = service_fn(move |request| {
        let connection = Arc::clone(&answering);
        async move { Ok::<_, Infallible>(connection.answer(request).await) }
    });
    let mut served = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_BUFFER)
            .serve_connection(TokioIo::new(stream), service)
    );
    // An error is the client's: it has gone, or what it sent is no HTTP.
    tokio::select! {
        _ = served.as_mut() => {}
        () = make_room => {
            served.as_mut().graceful_shutdown();
            let flushed = tokio::time::timeout(FLUSH_TIMEOUT, served.as_mut()).await;
            if flushed.is_err() && connection.is_busy() {
                let _ = served.await;
            }
        }
        () = port_closes.cancelled_owned() => {
            if tokio::time::timeout(LAST_CALL, served.as_mut()).await.is_err() {
                served.as_mut().graceful_shutdown();
                let _ = served.await;
            }
        }
    }
}

/// A request in hand. With this value its connection begins to wait for the next one.
struct InHand(Arc<Connection>);

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.set_stay(Some(self.0.waiting.enter(&self.0.close)));
    }
}

/// The body of a response, which keeps its request in hand until it is sent or the client has gone.
struct Sent {
    body: Body,
    _until_the_end: InHand,
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
