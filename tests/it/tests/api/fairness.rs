//! What one client takes must not keep others out: streams, active jobs, slow imports.

use std::time::Duration;

use futures::future::join_all;
use it::{Shape, System, http, http_without_timeout};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::Executor as _;
use test_support::eventually;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::token::{MadeToken, make_token};

const STREAMS: usize = 600;
const MAX_STREAMS: usize = 20;
const BARS: &str = "symbol,date,open,high,low,close,volume\nAAPL,2025-10-01,1,2,1,2,10\n";

async fn two_tokens(settings: &[(&str, &str)]) -> (System, MadeToken, MadeToken) {
    let scopes = ["read", "trigger", "operate"];
    let (busy, other) = (make_token("busy", &scopes), make_token("other", &scopes));
    let builder = System::builder(Shape::OneProcess);
    let builder = builder.env("API_TOKENS", &format!("{} {}", busy.entry, other.entry));
    let builder = settings.iter().fold(builder, |builder, (key, value)| builder.env(key, value));
    (builder.start().await, busy, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_six_hundred_streams_of_one_token_those_beyond_the_limit_are_refused_and_another_token_has_its_own()
 {
    let (system, busy, other) = two_tokens(&[("MAX_STREAMS_PER_TOKEN", &MAX_STREAMS.to_string())]).await;
    let http = http_without_timeout();
    let open = async |token: &MadeToken| {
        let url = format!("{}/events", system.client.status_url);
        http.get(url).bearer_auth(&token.token).send().await.unwrap()
    };

    let streams = join_all((0..STREAMS).map(|_| open(&busy))).await;

    let (opened, refused): (Vec<_>, Vec<_>) =
        streams.into_iter().partition(|response| response.status() == StatusCode::OK);
    assert_eq!((opened.len(), refused.len()), (MAX_STREAMS, STREAMS - MAX_STREAMS));
    for response in refused {
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(response.headers().contains_key("retry-after"));
    }
    assert_eq!(open(&other).await.status(), StatusCode::OK);
    drop(opened);
    eventually("the places of closed streams are free", async || {
        (open(&busy).await.status() == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_token_that_fills_its_places_leaves_another_token_its_own() {
    // Nothing ends: the prices come from a provider that never answers.
    let never = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let provider = format!("http://{}", never.local_addr().unwrap());
    let (system, busy, other) = two_tokens(&[
        ("MAX_ACTIVE_JOBS", "10"),
        ("MAX_ACTIVE_JOBS_PER_TOKEN", "3"),
        ("ALPHAVANTAGE_BASE_URL", &provider),
    ])
    .await;
    let trigger = async |token: &MadeToken| {
        let url = format!("{}/simulate/trigger", system.client.trigger_url);
        let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["cash"] });
        let response = http().post(url).bearer_auth(&token.token).json(&body).send().await.unwrap();
        (response.status(), response.json::<Value>().await.unwrap())
    };
    for _ in 0..3 {
        let (status, body) = trigger(&busy).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }

    let (status, refused) = trigger(&busy).await;

    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{refused}");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.starts_with("Token busy has 3 active jobs"), "{detail}");
    let (status, body) = trigger(&other).await;
    assert_eq!(status, StatusCode::OK, "{body}");
}

/// An import that has begun, and whose client sends a line now and then.
async fn slow_import(system: &System, token: &MadeToken) -> JoinHandle<()> {
    let address = system.client.prices_url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let token = &token.token;
    let head = format!(
        "POST /prices/import HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    // The server says so when it begins to read the body.
    assert_eq!(&answer, b"HTTP/1.1 100");
    tokio::spawn(async move {
        while stream.write_all(b"1\r\n\n\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_import_does_not_keep_another_one_waiting() {
    let (system, busy, other) = two_tokens(&[]).await;
    let slow = slow_import(&system, &busy).await;

    let url = format!("{}/prices/import", system.client.prices_url);
    let good = http().post(url).bearer_auth(&other.token).header("Content-Type", "text/csv").body(BARS);
    let good = timeout(Duration::from_secs(10), good.send()).await;

    let good = good.expect("it does not wait for the slow one").unwrap();
    assert_eq!(good.status(), StatusCode::OK);
    assert!(!slow.is_finished(), "the slow one was in progress all the time");
    slow.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_take_much_work_do_not_keep_others_from_being_answered() {
    let (system, busy, other) = two_tokens(&[("HEAVY_REQUESTS_AT_ONCE", "2")]).await;
    let get = |token: &MadeToken, path: &str| {
        http().get(format!("{}{path}", system.client.status_url)).bearer_auth(&token.token).send()
    };
    // Whoever reads results waits for this transaction.
    let mut transaction = system.database.admin.begin().await.unwrap();
    transaction.execute("LOCK TABLE status.model_days IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let heavy: Vec<_> = (0..2).map(|_| tokio::spawn(get(&busy, "/leaderboard"))).collect();
    eventually("two requests wait for the transaction", async || {
        let waiting =
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'status.model_days'::regclass";
        (system.database.count(waiting).await >= 2).then_some(())
    })
    .await;

    let refused = get(&other, "/leaderboard").await.unwrap();
    let light = get(&other, "/models").await.unwrap();
    transaction.rollback().await.unwrap();

    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(light.status(), StatusCode::OK);
    for response in join_all(heavy).await {
        assert_eq!(response.unwrap().unwrap().status(), StatusCode::OK);
    }
    assert_eq!(get(&other, "/leaderboard").await.unwrap().status(), StatusCode::OK);
}
