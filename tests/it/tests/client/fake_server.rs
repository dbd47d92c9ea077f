//! A server with scripted responses, for faults that a real Modelday cannot show on demand.

use std::io::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use futures::StreamExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request that the server received.
#[derive(Debug, Clone)]
pub(crate) struct ReceivedRequest {
    /// Method, path and query.
    pub(crate) line: String,
    pub(crate) last_event_id: Option<String>,
}

/// A scripted response.
pub(crate) enum Script {
    /// A status, a content type and a body.
    Body(u16, &'static str, String),
    /// A file.
    File(Vec<u8>),
    /// A content type and a first chunk, then the second again and again. The count goes up with each chunk.
    Endless(&'static str, &'static str, String, Arc<AtomicUsize>),
    /// These chunks of an event stream, then its regular end.
    Stream(Vec<&'static str>),
    /// These chunks of an event stream, then a broken connection.
    Cut(Vec<&'static str>),
}

/// A running server. It stops with this value.
pub(crate) struct FakeServer {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<ReceivedRequest>>>,
    task: JoinHandle<()>,
}

impl FakeServer {
    /// Starts a server that responds as `script` says. Its second argument is the number of equal requests before.
    pub(crate) async fn start(
        script: impl Fn(&ReceivedRequest, usize) -> Script + Send + Sync + 'static,
    ) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(script);
        let router = Router::new().fallback({
            let requests = requests.clone();
            move |request: Request<Body>| respond(request, requests.clone(), script.clone())
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { url, requests, task }
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<ReceivedRequest> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn respond(
    request: Request<Body>,
    requests: Arc<Mutex<Vec<ReceivedRequest>>>,
    script: Arc<impl Fn(&ReceivedRequest, usize) -> Script + Send + Sync>,
) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let header = |name: &str| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
    let last_event_id = header("last-event-id");
    let received = ReceivedRequest { line: format!("{} {}", parts.method, parts.uri), last_event_id };
    let before = {
        let mut requests = requests.lock().unwrap();
        let before = requests.iter().filter(|other| other.line == received.line).count();
        requests.push(received.clone());
        before
    };
    let events = |chunks: Vec<&'static str>, cut: Option<Error>| {
        let chunks = chunks.into_iter().map(|chunk| Ok(Bytes::from(chunk))).chain(cut.map(Err));
        // One by one, so that the chunks before a cut are sent before the connection breaks.
        let chunks = futures::stream::iter(chunks).then(|chunk| async {
            tokio::task::yield_now().await;
            chunk
        });
        let response = Response::builder().header("content-type", "text/event-stream");
        response.body(Body::from_stream(chunks)).expect("a response")
    };
    match script(&received, before) {
        Script::Body(status, kind, body) => {
            let response = Response::builder().status(status).header("content-type", kind);
            response.body(body.into()).expect("a response")
        }
        Script::File(bytes) => Response::new(bytes.into()),
        Script::Endless(kind, first, again, count) => {
            let first = futures::stream::iter([Bytes::from(first)]);
            let again = futures::stream::repeat(Bytes::from(again));
            let chunks = first.chain(again).map(move |chunk| {
                count.fetch_add(1, Ordering::SeqCst);
                Ok::<_, Error>(chunk)
            });
            let response = Response::builder().header("content-type", kind);
            response.body(Body::from_stream(chunks)).expect("a response")
        }
        Script::Stream(chunks) => events(chunks, None),
        Script::Cut(chunks) => events(chunks, Some(Error::other("cut"))),
    }
}
