//! The endpoint: its routes, and the handle with which tests set scripts and faults and read the calls.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State as AxumState;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::completion::{ChatRequest, invalid, step_response};
use super::day_facts;
use super::provider::{Protocol, Provider, Step};
use super::script::{Fault, Script, Scripts};

/// A request that the endpoint received.
#[derive(Debug, Clone)]
pub struct ChatCall {
    /// The model of the request.
    pub model: String,
    /// The date of the conversation.
    pub date: String,
    /// The number of assistant messages in it.
    pub step: usize,
    /// The header `Idempotency-Key`, which copies of a request share.
    pub identity: String,
    /// The header `traceparent`.
    pub traceparent: Option<String>,
    /// The body.
    pub body: Value,
    /// The body, byte for byte.
    pub text: String,
}

#[derive(Default)]
struct State {
    scripts: Scripts,
    /// Models without a script trade instead of doing nothing.
    trades: bool,
    faults: VecDeque<(String, Fault)>,
    calls: Vec<ChatCall>,
    key: Option<String>,
    delay: Duration,
}

#[derive(Clone)]
struct RouteState {
    state: Arc<Mutex<State>>,
    /// Calls from this number on, counted from 0, have to wait for their response.
    held_from: watch::Receiver<usize>,
}

/// A local chat-completions endpoint. It stops when dropped.
pub struct ChatEndpoint {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    held_from: watch::Sender<usize>,
    server: JoinHandle<std::io::Result<()>>,
}

impl ChatEndpoint {
    /// Starts an endpoint whose models do nothing.
    ///
    /// # Errors
    /// When the address is in use.
    pub async fn start(listen: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let (held_from, receiver) = watch::channel(usize::MAX);
        let route_state = RouteState { state: state.clone(), held_from: receiver };
        let routes = Router::new()
            .route("/v1/agent", post(agent))
            .route("/v1/models", get(models))
            .fallback(complete)
            .with_state(route_state);
        let server = tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { address, state, held_from, server })
    }

    /// The URL before `/chat/completions`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The same of an endpoint with the habits of a provider.
    pub fn base_url_of(&self, provider: Provider) -> String {
        format!("http://{}/{}/v1", self.address, provider.name())
    }

    /// Plays recorded decisions, `model,date,sequence,action,symbol,quantity`.
    pub fn play_decisions(&self, csv: &str) {
        self.state().scripts = Scripts::of_decisions(csv);
    }

    /// Lets models without a script trade, and agents whose URL is `/agent` below the base URL. The same day has the
    /// same trades.
    pub fn trade(&self) {
        self.state().trades = true;
    }

    /// Sets what `model` does on `date`; `*` stands for all others.
    pub fn script(&self, model: &str, date: &str, script: Script) {
        self.state().scripts.set(model, date, script);
    }

    /// Adds a fault for the next call of `model`, after the faults added before; `*` is any model.
    pub fn fault(&self, model: &str, fault: Fault) {
        self.state().faults.push_back((model.to_owned(), fault));
    }

    /// Refuses calls without this API key.
    pub fn require_key(&self, key: &str) {
        self.state().key = Some(key.to_owned());
    }

    /// Delays every response.
    pub fn set_delay(&self, delay: Duration) {
        self.state().delay = delay;
    }

    /// Holds back the responses to calls from `number` on, counted from 0, until this is called again.
    pub fn hold_from(&self, number: usize) {
        self.held_from.send_replace(number);
    }

    /// All calls so far, oldest first.
    pub fn calls(&self) -> Vec<ChatCall> {
        self.state().calls.clone()
    }

    /// Waits until the server fails.
    pub async fn wait(&mut self) -> std::io::Result<()> {
        (&mut self.server).await.map_err(std::io::Error::other)?
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ChatEndpoint {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A response of a language model, in the protocol of the route and with the habits of the provider in it.
async fn complete(
    AxumState(mut route): AxumState<RouteState>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((provider, protocol)) = called(uri.path()) else { return StatusCode::NOT_FOUND.into_response() };
    let Ok(document) = serde_json::from_slice::<Value>(&body) else {
        return (StatusCode::BAD_REQUEST, Json(invalid("We could not parse the JSON body"))).into_response();
    };
    let chat = protocol.as_chat(&document).unwrap_or_default();
    let Some(request) = ChatRequest::parse(&chat) else {
        return (StatusCode::BAD_REQUEST, Json(invalid("you must provide a model and messages")))
            .into_response();
    };
    let refusal = provider.and_then(|provider| provider.refusal(&request, &document, &headers));
    let (number, fault, tools, delay, key) = {
        let mut state = route.state.lock().unwrap_or_else(PoisonError::into_inner);
        let tools = match state.scripts.of(&request.model, &request.date) {
            Some(script) => script.get(request.step).cloned(),
            None if state.trades => day_facts::from_chat(&request, &chat).calls(request.step),
            None => None,
        };
        let call = ChatCall {
            model: request.model.clone(),
            date: request.date.clone(),
            step: request.step,
            identity: header("idempotency-key").to_owned(),
            traceparent: headers.get("traceparent").and_then(|value| value.to_str().ok()).map(str::to_owned),
            body: document,
            text: String::from_utf8_lossy(&body).into_owned(),
        };
        state.calls.push(call);
        let applies = |(model, _): &(String, Fault)| model == "*" || *model == request.model;
        let fault = state.faults.iter().position(applies).and_then(|place| state.faults.remove(place));
        (state.calls.len() - 1, fault.map(|(_, fault)| fault), tools, state.delay, state.key.clone())
    };
    let sent = match protocol {
        Protocol::Messages => header("x-api-key"),
        Protocol::Chat | Protocol::Responses => header("authorization").trim_start_matches("Bearer "),
    };
    if key.is_some_and(|key| sent != key) {
        let problem = format!("Incorrect API key provided: {sent}.");
        let mut body = invalid(&problem);
        body["error"]["code"] = "invalid_api_key".into();
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    // An error means that the handle is gone, which holds nothing back.
    let _ = route.held_from.wait_for(|from| number < *from).await;
    // A timer of zero still takes a millisecond.
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if let Some(refusal) = refusal {
        return refusal.into_response();
    }
    let step = Step { request: &request, tools: tools.as_deref(), request_bytes: body.len() };
    match (provider, fault) {
        (Some(provider), None) => provider.sent(&provider.response(&step)),
        (Some(provider), fault) => respond(fault, provider.response(&step)).await,
        (None, fault) => respond(fault, protocol.response(&step)).await,
    }
}

/// The provider and the protocol that a path stands for.
fn called(path: &str) -> Option<(Option<Provider>, Protocol)> {
    let (provider, route) = path.split_once("/v1/")?;
    let provider = match provider.trim_start_matches('/') {
        "" => None,
        name => Some(Provider::named(name)?),
    };
    let protocol = match route {
        "chat/completions" => Protocol::Chat,
        "messages" => Protocol::Messages,
        "responses" => Protocol::Responses,
        _ => return None,
    };
    Some((provider, protocol))
}

/// A step of a user's own agent.
async fn agent(AxumState(route): AxumState<RouteState>, Json(request): Json<Value>) -> Response {
    let Some((facts, step)) = day_facts::from_step(&request) else {
        return (StatusCode::BAD_REQUEST, Json(invalid("this is no step of modelday.agent/1")))
            .into_response();
    };
    let trades = route.state.lock().unwrap_or_else(PoisonError::into_inner).trades;
    Json(step_response(facts.calls(step).filter(|_| trades).as_deref())).into_response()
}

/// The list of models that real endpoints have.
async fn models() -> Json<Value> {
    Json(
        json!({ "object": "list", "data": [{ "id": "scripted", "object": "model", "owned_by": "modelday" }] }),
    )
}

async fn respond(fault: Option<Fault>, completion: Value) -> Response {
    match fault {
        None => Json(completion).into_response(),
        Some(Fault::Late(wait)) => {
            tokio::time::sleep(wait).await;
            Json(completion).into_response()
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Response(status, headers, body)) => {
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
            let text = completion.to_string();
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
