//! The endpoint as tests hold it: scripts, faults, and every call that came.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::answer::{Asked, completion, invalid, step_answer};
use super::script::{Fault, Script, Scripts};
use super::told;

/// A call that came.
#[derive(Debug, Clone)]
pub struct ChatCall {
    /// The model asked for.
    pub model: String,
    /// The day of the conversation.
    pub date: String,
    /// Assistant messages before it.
    pub step: usize,
    /// The header that says which copies are the same call.
    pub identity: String,
    /// The whole request.
    pub body: Value,
    /// The same, byte for byte.
    pub text: String,
}

#[derive(Default)]
struct Inner {
    scripts: Scripts,
    /// Models without a script trade as they see fit.
    trades: bool,
    faults: VecDeque<(String, Fault)>,
    calls: Vec<ChatCall>,
    key: Option<String>,
    delay: Duration,
}

#[derive(Clone)]
struct Shared {
    inner: Arc<Mutex<Inner>>,
    /// Calls from this number on, counted from 0, are not answered yet.
    held_from: watch::Receiver<usize>,
}

/// A local chat-completions endpoint. It stops when dropped.
pub struct ChatEndpoint {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
    held_from: watch::Sender<usize>,
    server: JoinHandle<std::io::Result<()>>,
}

impl ChatEndpoint {
    /// An endpoint whose models have nothing to do.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn start(listen: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let inner = Arc::new(Mutex::new(Inner::default()));
        let (held_from, receiver) = watch::channel(usize::MAX);
        let shared = Shared { inner: inner.clone(), held_from: receiver };
        let routes = Router::new()
            .route("/v1/chat/completions", post(complete))
            .route("/v1/agent", post(agent))
            .route("/v1/models", get(models))
            .with_state(shared);
        let server = tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { address, inner, held_from, server })
    }

    /// What stands before `/chat/completions`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Plays recorded decisions, `model,date,sequence,action,symbol,quantity`.
    pub fn play_decisions(&self, csv: &str) {
        self.inner().scripts = Scripts::of_decisions(csv);
    }

    /// Models without a script look at prices, buy and sell, the same on the same day. Agents do, too, which ask
    /// at `/agent` below the base URL.
    pub fn trade(&self) {
        self.inner().trades = true;
    }

    /// What `model` does on `date`; `*` stands for all others.
    pub fn script(&self, model: &str, date: &str, script: Script) {
        self.inner().scripts.set(model, date, script);
    }

    /// Spoils the next call of `model` that has no earlier fault; `*` is any model.
    pub fn fault(&self, model: &str, fault: Fault) {
        self.inner().faults.push_back((model.to_owned(), fault));
    }

    /// Refuses calls without this key.
    pub fn require_key(&self, key: &str) {
        self.inner().key = Some(key.to_owned());
    }

    /// Every answer waits this long.
    pub fn set_delay(&self, delay: Duration) {
        self.inner().delay = delay;
    }

    /// Does not answer the calls from `number` on, counted from 0, until this is called again.
    pub fn hold_from(&self, number: usize) {
        self.held_from.send_replace(number);
    }

    /// Every call so far, oldest first.
    pub fn calls(&self) -> Vec<ChatCall> {
        self.inner().calls.clone()
    }

    /// Runs until the server fails.
    ///
    /// # Errors
    /// When it does.
    pub async fn wait(&mut self) -> std::io::Result<()> {
        (&mut self.server).await.map_err(std::io::Error::other)?
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ChatEndpoint {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn complete(State(mut shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return (StatusCode::BAD_REQUEST, Json(invalid("We could not parse the JSON body"))).into_response();
    };
    let Some(asked) = Asked::of(&request) else {
        return (StatusCode::BAD_REQUEST, Json(invalid("you must provide a model and messages")))
            .into_response();
    };
    let (number, fault, uses, delay, key) = {
        let mut inner = shared.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let uses = match inner.scripts.of(&asked.model, &asked.date) {
            Some(script) => script.get(asked.step).cloned(),
            None if inner.trades => told::by_chat(&asked, &request).uses(asked.step),
            None => None,
        };
        let call = ChatCall {
            model: asked.model.clone(),
            date: asked.date.clone(),
            step: asked.step,
            identity: header("idempotency-key").to_owned(),
            body: request,
            text: String::from_utf8_lossy(&body).into_owned(),
        };
        inner.calls.push(call);
        let ours = |(model, _): &(String, Fault)| model == "*" || *model == asked.model;
        let fault = inner.faults.iter().position(ours).and_then(|place| inner.faults.remove(place));
        (inner.calls.len() - 1, fault.map(|(_, fault)| fault), uses, inner.delay, inner.key.clone())
    };
    if key.is_some_and(|key| header("authorization") != format!("Bearer {key}")) {
        let told = header("authorization").trim_start_matches("Bearer ");
        let problem = format!("Incorrect API key provided: {told}.");
        let mut body = invalid(&problem);
        body["error"]["code"] = "invalid_api_key".into();
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    // A sender that is gone holds nothing.
    let _ = shared.held_from.wait_for(|from| number < *from).await;
    // A timer takes a millisecond even when it is set to none.
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let answer = completion(&asked, body.len(), uses.as_deref());
    respond(fault, answer).await
}

/// A step of a user's own agent.
async fn agent(State(shared): State<Shared>, Json(request): Json<Value>) -> Response {
    let Some((known, step)) = told::by_observation(&request) else {
        return (StatusCode::BAD_REQUEST, Json(invalid("this is no step of modelday.agent/1")))
            .into_response();
    };
    let trades = shared.inner.lock().unwrap_or_else(PoisonError::into_inner).trades;
    Json(step_answer(known.uses(step).filter(|_| trades).as_deref())).into_response()
}

/// What real endpoints list; here a word that it is none.
async fn models() -> Json<Value> {
    Json(
        json!({ "object": "list", "data": [{ "id": "scripted", "object": "model", "owned_by": "modelday" }] }),
    )
}

async fn respond(fault: Option<Fault>, answer: Value) -> Response {
    match fault {
        None => Json(answer).into_response(),
        Some(Fault::Late(wait)) => {
            tokio::time::sleep(wait).await;
            Json(answer).into_response()
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Answer(status, headers, body)) => {
            let mut response = (StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body).into_response();
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) =
                    (axum::http::HeaderName::try_from(name), axum::http::HeaderValue::try_from(value))
                {
                    response.headers_mut().insert(name, value);
                }
            }
            response
        }
        Some(Fault::Cut) => {
            let text = answer.to_string();
            let half = Bytes::from(text[..text.len() / 2].to_owned());
            let broken = stream::iter([Ok(half), Err(std::io::Error::other("cut"))]);
            json_body(Body::from_stream(broken))
        }
        Some(Fault::Endless) => {
            let blanks = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from(vec![b' '; 65_536])));
            json_body(Body::from_stream(blanks.then(async |chunk| chunk)))
        }
    }
}

fn json_body(body: Body) -> Response {
    ([("content-type", "application/json")], body).into_response()
}
