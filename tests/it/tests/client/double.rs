//! A server that plays a part, for what a real Modelday does too seldom or too well.

use std::io::Error;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use futures::StreamExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Method, path and query.
    pub(crate) what: String,
    pub(crate) last_event_id: Option<String>,
}

/// An answer.
pub(crate) enum Says {
    /// A status, a content type and a body.
    All(u16, &'static str, String),
    /// These pieces of a stream of events, and then an end in order.
    Stream(Vec<&'static str>),
    /// The same, and then the connection breaks.
    Cut(Vec<&'static str>),
}

/// A server. It ends with the test.
pub(crate) struct Double {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Double {
    /// A server that answers what `part` says; it is told how often the same was asked before.
    pub(crate) async fn start(part: impl Fn(&Asked, usize) -> Says + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let part = Arc::new(part);
        let router = Router::new().fallback({
            let asked = asked.clone();
            move |request: Request<Body>| answer(request, asked.clone(), part.clone())
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { url, asked, task }
    }

    /// Everything that was asked for so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    request: Request<Body>,
    all: Arc<Mutex<Vec<Asked>>>,
    part: Arc<impl Fn(&Asked, usize) -> Says + Send + Sync>,
) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let header = |name: &str| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
    let last_event_id = header("last-event-id");
    let asked = Asked { what: format!("{} {}", parts.method, parts.uri), last_event_id };
    let before = {
        let mut all = all.lock().unwrap();
        let before = all.iter().filter(|other: &&Asked| other.what == asked.what).count();
        all.push(asked.clone());
        before
    };
    let events = |pieces: Vec<&'static str>, cut: Option<Error>| {
        let pieces = pieces.into_iter().map(|piece| Ok(Bytes::from(piece))).chain(cut.map(Err));
        // One by one, so that what stands before a cut has left before the connection breaks.
        let pieces = futures::stream::iter(pieces).then(|piece| async {
            tokio::task::yield_now().await;
            piece
        });
        let response = Response::builder().header("content-type", "text/event-stream");
        response.body(Body::from_stream(pieces)).expect("a response")
    };
    match part(&asked, before) {
        Says::All(status, kind, body) => {
            let response = Response::builder().status(status).header("content-type", kind);
            response.body(body.into()).expect("a response")
        }
        Says::Stream(pieces) => events(pieces, None),
        Says::Cut(pieces) => events(pieces, Some(Error::other("cut"))),
    }
}
