//! The client against servers that misbehave.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::NaiveDate;
use runtime::outbound::Outbound;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::super::testing::{body, good, kept, now};
use super::*;
use crate::provider::secret::Secret;
use crate::testing::{bars, date, dates, sessions, symbol};

const KEY: &str = "K3Y9SECRET";
const FULL_IS_PREMIUM: &str =
    r#"{"Information": "The outputsize=full parameter value is a premium feature for this endpoint."}"#;

/// What a server does with a connection, after it has read the request.
#[derive(Clone)]
enum Reaction {
    /// A status line, headers and a body.
    Answer(&'static str, String),
    /// A body that ends before its length.
    Cut(String),
    /// A body that never ends.
    Endless,
    /// No response.
    Silence,
    /// A closed connection.
    HangUp,
    /// The first text for a full history, the second for a compact one.
    BySize(String, String),
}

fn access(base_url: &str) -> Access {
    Access {
        base_url: base_url.to_owned(),
        key: Secret::from(KEY.to_owned()),
        timeout: Duration::from_millis(500),
        outbound: Outbound::new(domain::agent::AddressRules::default(), None),
    }
}

fn ok(body: impl Into<String>) -> Reaction {
    Reaction::Answer("200 OK", body.into())
}

struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(reaction: Reaction) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(react(stream, reaction.clone(), Arc::clone(&seen)));
            }
        });
        Self { url, requests }
    }

    fn client(&self, history: History) -> AlphaVantage {
        let mut client = AlphaVantage::new(access(&self.url), history, false).unwrap();
        client.http.max_body_bytes = 100_000;
        client
    }

    /// The sizes that were requested.
    fn sizes(&self) -> Vec<&'static str> {
        let size = |line: &String| if line.contains("outputsize=full") { "full" } else { "compact" };
        self.requests.lock().unwrap().iter().map(size).collect()
    }
}

async fn react(mut stream: TcpStream, reaction: Reaction, seen: Arc<Mutex<Vec<String>>>) {
    let mut request = vec![0; 4_096];
    let length = stream.read(&mut request).await.unwrap_or_default();
    let line = String::from_utf8_lossy(&request[..length]).lines().next().unwrap_or_default().to_owned();
    let is_full = line.contains("outputsize=full");
    seen.lock().unwrap().push(line);
    let head = |status: &str, length: usize| {
        format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nretry-after: 9\r\nconnection: close\r\n\r\n"
        )
    };
    let answer = match reaction {
        Reaction::Answer(status, body) => head(status, body.len()) + &body,
        Reaction::BySize(full, _) if is_full => head("200 OK", full.len()) + &full,
        Reaction::BySize(_, compact) => head("200 OK", compact.len()) + &compact,
        Reaction::Cut(body) => head("200 OK", body.len() + 1) + &body,
        Reaction::HangUp => return,
        Reaction::Silence => return std::future::pending().await,
        Reaction::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(&[b' '; 8_192]).await.is_ok() {}
            return;
        }
    };
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn fetch(client: &AlphaVantage, dates: &BTreeSet<NaiveDate>) -> FetchResult {
    let call = Request::Symbol(symbol("A"));
    client
        .fetch(&FetchRequest {
            symbols: &BTreeSet::new(),
            call: &call,
            dates,
            sessions: sessions(),
            now: now(),
        })
        .await
}

/// The outcome of one call for a recent date.
async fn outcome(reaction: Reaction) -> Outcome {
    let server = Server::start(reaction).await;
    let fetched = fetch(&server.client(History::AsNeeded), &dates(&["2025-10-29"])).await;
    let printed = format!("{fetched:?}");
    assert!(!printed.contains(KEY) && !printed.contains("127.0.0.1"), "{printed}");
    assert_eq!(fetched.calls, 1);
    fetched.outcome
}

#[tokio::test]
async fn a_good_response_brings_its_bars() {
    let server = Server::start(ok(body("A", "Compact", &[good("2025-10-29")]))).await;

    let fetched = fetch(&server.client(History::AsNeeded), &dates(&["2025-10-29"])).await;

    assert_eq!(kept(&bars(fetched.outcome)), ["2025-10-29"]);
    let line = "GET /query?function=TIME_SERIES_DAILY&symbol=A&apikey=K3Y9SECRET&outputsize=compact&datatype=json HTTP/1.1";
    assert_eq!(*server.requests.lock().unwrap(), [line]);
}

#[tokio::test]
async fn a_cut_body_is_rejected_whole() {
    let whole = body("A", "Compact", &[good("2025-10-29")]);

    let reason = "a cut body".to_owned();
    assert_eq!(outcome(Reaction::Cut(whole)).await, Outcome::Malformed { reason });
}

#[tokio::test]
async fn an_endless_body_is_rejected_at_its_bound() {
    let reason = "a body of more than 100000 bytes".to_owned();

    assert_eq!(outcome(Reaction::Endless).await, Outcome::Malformed { reason });
}

#[tokio::test]
async fn a_body_about_another_symbol_is_rejected() {
    let other = body("B", "Compact", &[good("2025-10-29")]);

    assert_eq!(outcome(ok(other)).await.class(), "malformed");
}

#[tokio::test]
async fn a_servers_error_can_be_tried_again_after_a_while() {
    let failed = outcome(Reaction::Answer("503 Service Unavailable", String::new())).await;

    let retry_after = Some(Duration::from_secs(9));
    assert_eq!(failed, Outcome::Unreachable { reason: "HTTP status 503".to_owned(), retry_after });
}

#[tokio::test]
async fn no_response_is_unreachable_and_names_no_address() {
    let reason = "no answer within 0.5 s".to_owned();
    let silent = outcome(Reaction::Silence).await;
    assert_eq!(silent, Outcome::Unreachable { reason, retry_after: None });

    assert_eq!(outcome(Reaction::HangUp).await.class(), "unreachable");
}

#[tokio::test]
async fn a_closed_port_is_unreachable_and_names_no_key() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = AlphaVantage::new(access(&url), History::AsNeeded, false).unwrap();

    let fetched = fetch(&client, &dates(&["2025-10-29"])).await;

    assert_eq!(fetched.outcome.class(), "unreachable");
    assert!(!format!("{fetched:?} {client:?}").contains(KEY));
}

#[tokio::test]
async fn a_refusal_that_echoes_the_key_is_kept_without_it() {
    let echo = r#"{"Information": "The demo key K3Y9SECRET is not for you, we detected K3Y9SECRET."}"#;

    let refused = outcome(ok(echo)).await;

    assert!(
        matches!(refused, Outcome::BadCredentials { reason } if reason.contains("[redacted] is not for you"))
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let moved = Reaction::Answer("302 Found\r\nlocation: http://127.0.0.1:1/stolen", String::new());

    assert_eq!(outcome(moved).await.class(), "bug_in_request");
}

#[tokio::test]
async fn the_full_history_is_requested_only_when_the_last_hundred_sessions_are_not_enough() {
    let server = Server::start(ok(body("A", "Full size", &[good("2025-06-16")]))).await;
    let client = server.client(History::AsNeeded);

    fetch(&client, &dates(&["2025-06-16", "2025-10-29"])).await;
    fetch(&client, &dates(&["2025-06-13", "2025-10-29"])).await;

    assert_eq!(server.sizes(), ["compact", "full"]);
}

#[tokio::test]
async fn a_refused_full_history_narrows_the_offer_and_costs_no_more_calls() {
    let compact = body("A", "Compact", &[good("2025-10-29")]);
    let server = Server::start(Reaction::BySize(FULL_IS_PREMIUM.to_owned(), compact)).await;
    let client = server.client(History::AsNeeded);
    let old = dates(&["2025-01-02"]);
    let both = dates(&["2025-01-02", "2025-10-29"]);
    assert_eq!(client.offer(&sessions(), now()).earliest, None);

    let refused = fetch(&client, &both).await;

    assert_eq!(refused, FetchResult { calls: 1, ..gated() });

    assert_eq!(client.offer(&sessions(), now()).earliest, Some(date("2025-06-16")));
    assert_eq!(client.offer(&sessions(), now() + TimeDelta::hours(7)).earliest, None);
    assert_eq!(fetch(&client, &old).await, gated());
    assert_eq!(fetch(&client, &both).await.outcome.class(), "bars");
    assert_eq!(server.sizes(), ["full", "compact"]);
}

#[tokio::test]
async fn a_free_key_never_requests_the_full_history() {
    let server = Server::start(ok(body("A", "Compact", &[good("2025-10-29")]))).await;
    let client = server.client(History::Recent);

    fetch(&client, &dates(&["2025-01-02", "2025-10-29"])).await;

    assert_eq!(fetch(&client, &dates(&["2025-01-02"])).await, gated());
    assert_eq!(client.offer(&sessions(), now()).earliest, Some(date("2025-06-16")));
    assert_eq!(server.sizes(), ["compact"]);
}

#[tokio::test]
async fn a_date_cannot_be_requested() {
    let server = Server::start(Reaction::HangUp).await;
    let call = Request::Date(date("2025-10-29"));
    let dates = BTreeSet::new();
    let request = FetchRequest {
        symbols: &BTreeSet::new(),
        call: &call,
        dates: &dates,
        sessions: sessions(),
        now: now(),
    };

    let fetched = server.client(History::AsNeeded).fetch(&request).await;

    assert_eq!((fetched.outcome.class(), fetched.calls), ("bug_in_request", 0));
}

#[test]
fn an_address_that_is_none_is_refused_without_being_printed() {
    for base_url in
        ["", "ftp://x", "K3Y9SECRET", "http://", "https://me:K3Y9SECRET@x", "https://x/?apikey=K3Y9SECRET"]
    {
        let error = AlphaVantage::new(access(base_url), History::AsNeeded, false).unwrap_err();
        assert_eq!(error.to_string(), "the base URL is not a plain http or https address", "{base_url}");
    }
}
