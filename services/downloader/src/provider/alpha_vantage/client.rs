//! Sending a call and reading its answer, with bounds on time and size.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::ingest::fetch_plan::{Offer, Request, Shape};
use domain::market::instruments::Symbol;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Client, Response, Url};

use super::classify::{Asked, HttpAnswer, classify};
use super::{OutputSize, Reach, compact_from, reach};
use crate::provider::secret::Secret;
use crate::provider::{FetchRequest, Fetched, Fetching, Gate, Outcome, PriceProvider, Sessions};

/// For how long a refusal of the full history is taken to hold: a key may be upgraded while this runs.
const REFUSAL_HOLDS: TimeDelta = TimeDelta::hours(6);

/// Which part of a symbol's history to ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum History {
    /// The last 100 sessions when they have all that is wanted, else everything.
    #[default]
    AsNeeded,
    /// Everything, so that no later job has to ask again. For paying keys.
    Full,
    /// The last 100 sessions, whatever is wanted: a free key has no more.
    Recent,
}

/// How to reach Alpha Vantage.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address before `/query`, e.g. `https://www.alphavantage.co`.
    pub base_url: String,
    /// The key.
    pub key: Secret,
    /// Which part of the history to ask for.
    pub history: History,
    /// How long a call may take, its body included.
    pub timeout: Duration,
    /// How long a body may be; a full history has about 1.5 MB.
    pub max_body_bytes: usize,
}

impl Settings {
    /// The usual settings for a key.
    pub fn new(base_url: impl Into<String>, key: Secret) -> Self {
        Self {
            base_url: base_url.into(),
            key,
            history: History::default(),
            timeout: Duration::from_secs(30),
            max_body_bytes: 16 << 20,
        }
    }
}

/// Why a client cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The address is not one; it is not printed, as people put keys into addresses.
    #[error("the base URL is not a plain http or https address")]
    BaseUrl,
    /// There are no certificates, or the like.
    #[error("no HTTP client")]
    Client(#[source] reqwest::Error),
}

/// The real service, or anything that speaks like it.
#[derive(Debug)]
pub struct AlphaVantage {
    http: Client,
    endpoint: Url,
    key: Secret,
    history: History,
    timeout: Duration,
    max_body_bytes: usize,
    full_refused_at: Mutex<Option<DateTime<Utc>>>,
}

impl AlphaVantage {
    /// A client. Makes ring the process's TLS implementation unless there is one.
    ///
    /// # Errors
    /// When the address is none, or the system has no certificates.
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        // An error says that there is one already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Settings { base_url, key, history, timeout, max_body_bytes } = settings;
        let endpoint = endpoint(&base_url).ok_or(SetupError::BaseUrl)?;
        // A redirect would carry the key to whatever address it names.
        let client = Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("modelday/", env!("CARGO_PKG_VERSION")));
        let client = if is_loopback(&endpoint) { client.no_proxy() } else { client };
        let http = client.build().map_err(|error| SetupError::Client(error.without_url()))?;
        let full_refused_at = Mutex::new(None);
        Ok(Self { http, endpoint, key, history, timeout, max_body_bytes, full_refused_at })
    }

    async fn fetch_symbol(&self, symbol: &Symbol, request: &FetchRequest<'_>) -> Fetched {
        let reach = reach(request.wanted, &request.sessions);
        let size = match (self.history, reach) {
            (History::AsNeeded, Reach::All) => OutputSize::Compact,
            (History::Recent, Reach::None) => return gated(0),
            (History::Recent, Reach::All | Reach::Some) => OutputSize::Compact,
            (History::AsNeeded | History::Full, _) if !self.full_is_refused(request.now) => OutputSize::Full,
            (History::AsNeeded | History::Full, Reach::None) => return gated(0),
            (History::AsNeeded | History::Full, Reach::All | Reach::Some) => OutputSize::Compact,
        };
        let (outcome, answered_at) = self.ask(symbol, size, request).await;
        if size == OutputSize::Compact || outcome != Outcome::PlanGated(Gate::Parameter) {
            return Fetched { outcome, calls: 1, answered_at };
        }
        *self.full_refused_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(request.now);
        match reach {
            Reach::All => {
                let (outcome, answered_at) = self.ask(symbol, OutputSize::Compact, request).await;
                Fetched { outcome, calls: 2, answered_at }
            }
            Reach::Some | Reach::None => gated(1),
        }
    }

    fn full_is_refused(&self, now: DateTime<Utc>) -> bool {
        let refused_at = *self.full_refused_at.lock().unwrap_or_else(PoisonError::into_inner);
        refused_at.is_some_and(|at| now - at < REFUSAL_HOLDS)
    }

    /// One call, with the provider's time of its answer.
    async fn ask(
        &self,
        symbol: &Symbol,
        size: OutputSize,
        request: &FetchRequest<'_>,
    ) -> (Outcome, Option<DateTime<Utc>>) {
        let sent = self
            .http
            .get(self.endpoint.clone())
            .query(&[
                ("function", "TIME_SERIES_DAILY"),
                ("symbol", symbol.as_str()),
                ("outputsize", size.parameter()),
                ("datatype", "json"),
                ("apikey", self.key.expose()),
            ])
            .send()
            .await;
        let response = match sent {
            Ok(response) => response,
            Err(error) => return (self.unreachable(error), None),
        };
        let answered_at = header(response.headers(), &DATE)
            .and_then(|text| DateTime::parse_from_rfc2822(text).ok())
            .map(|at| at.to_utc());
        let status = response.status().as_u16();
        let retry_after = header(response.headers(), &RETRY_AFTER).map(str::to_owned);
        let body = match status {
            500.. => Vec::new(),
            _ => match self.body(response).await {
                Ok(body) => body,
                Err(outcome) => return (outcome, answered_at),
            },
        };
        let answer = HttpAnswer { status, retry_after: retry_after.as_deref(), body: &body };
        let FetchRequest { sessions, now, .. } = *request;
        (classify(&answer, &Asked { symbol, size, sessions, now, key: &self.key }), answered_at)
    }

    /// The whole body, unless it is cut or longer than is allowed.
    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Outcome> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > self.max_body_bytes => {
                    let reason = format!("a body of more than {} bytes", self.max_body_bytes);
                    return Err(Outcome::Malformed { reason });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(error) if error.is_timeout() => return Err(self.unreachable(error)),
                Err(_) => return Err(Outcome::Malformed { reason: "a cut body".to_owned() }),
            }
        }
    }

    /// No answer. The error's own texts name the address, and with it the key.
    fn unreachable(&self, error: reqwest::Error) -> Outcome {
        let reason = if error.is_timeout() {
            format!("no answer within {} s", self.timeout.as_secs_f64())
        } else {
            let error = error.without_url();
            let mut texts = vec![error.to_string()];
            let mut source = error.source();
            while let Some(cause) = source {
                texts.push(cause.to_string());
                source = cause.source();
            }
            self.key.redact(&texts.join(": "))
        };
        Outcome::Unreachable { reason, retry_after: None }
    }
}

impl PriceProvider for AlphaVantage {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn offer(&self, sessions: &Sessions<'_>, now: DateTime<Utc>) -> Offer {
        let recent_only = self.history == History::Recent || self.full_is_refused(now);
        Offer { shape: Shape::BySymbol, earliest: recent_only.then(|| compact_from(sessions)) }
    }

    fn fetch<'a>(&'a self, request: &'a FetchRequest<'a>) -> Fetching<'a> {
        Box::pin(async move {
            match request.call {
                Request::Symbol(symbol) => self.fetch_symbol(symbol, request).await,
                Request::Date(_) => {
                    let reason = "Alpha Vantage has no answers by date".to_owned();
                    Fetched { outcome: Outcome::BugInRequest { reason }, calls: 0, answered_at: None }
                }
            }
        })
    }
}

fn gated(calls: u32) -> Fetched {
    Fetched { outcome: Outcome::PlanGated(Gate::Parameter), calls, answered_at: None }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `/query` below an address that has no user, password or query in it.
fn endpoint(base_url: &str) -> Option<Url> {
    let mut url: Url = base_url.parse().ok()?;
    let is_web = ["http", "https"].contains(&url.scheme());
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let path = format!("{}/query", url.path().trim_end_matches('/'));
    url.set_path(&path);
    (is_web && is_plain).then_some(url)
}

/// A proxy cannot reach this machine's own addresses.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
