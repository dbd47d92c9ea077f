//! Live streams, with clients that disconnect and reconnect.

use std::time::Duration;

use futures::future::join_all;
use it::{Service, Shape, Stream, StreamEvent, System, http_without_timeout};
use serde_json::json;
use test_support::{PATIENCE, eventually};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};

const CLIENTS: u64 = 50;
const CUTS: u64 = 20;

/// Pseudo-random numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Follows a job to its end; reconnects many times, to the other address each time.
async fn follow(urls: [String; 2], job: String, seed: u64) -> Vec<StreamEvent> {
    let (http, mut random) = (http_without_timeout(), Random(seed));
    let mut seen: Vec<StreamEvent> = Vec::new();
    for cut in 0.. {
        let url = format!("{}/jobs/{job}/events", urls[usize::try_from(cut + seed).unwrap() % 2]);
        let last = seen.last().map(|event| event.id);
        let Some(mut stream) = Stream::open(&http, &url, last).await else { break };
        let count = if cut < CUTS { random.below(6) } else { u64::MAX };
        for _ in 0..count {
            match stream.next().await {
                Some(event) => seen.push(event),
                None => break,
            }
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_clients_that_reconnect_often_all_see_the_same_events_without_a_gap() {
    let mut system = System::builder(Shape::FourProcesses).start().await;
    let urls = [system.client.status_url.clone(), system.second(Service::Status).await];
    let range = json!({ "start_date": "2025-10-01", "end_date": "2025-10-29" });
    let job = system.client.trigger(&range).await;

    let clients = (0..CLIENTS).map(|seed| tokio::spawn(follow(urls.clone(), job.clone(), seed)));
    let clients = tokio::time::timeout(2 * PATIENCE, join_all(clients)).await.expect("all see the end");

    let seen: Vec<Vec<StreamEvent>> = clients.into_iter().map(|client| client.unwrap()).collect();
    let ids: Vec<u64> = seen[0].iter().map(|event| event.id).collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
    assert!(ids.len() > 126, "{} events", ids.len());
    assert!(seen[0].iter().any(|event| event.kind == "modelday.job.completed.v1"));
    for (client, events) in seen.iter().enumerate() {
        assert_eq!(*events, seen[0], "client {client}");
    }
    let logged = "SELECT count(*) FROM status.events";
    assert_eq!(system.database.count(logged).await, i64::try_from(ids.len()).unwrap());
    let data: serde_json::Value = serde_json::from_str(&seen[0][0].data).unwrap();
    assert!(data.is_object(), "{data}");
}

/// A client that requests all events and never reads.
async fn deaf(url: &str) -> TcpStream {
    let address = url.trim_start_matches("http://").parse().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(1_024).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_read_delay_no_other_client() {
    let system = System::builder(Shape::OneProcess).start().await;
    let url = &system.client.status_url;
    let deaf = join_all((0..30).map(|_| deaf(url))).await;

    let range = json!({ "start_date": "2025-10-01", "end_date": "2025-10-29" });
    let job = system.client.trigger(&range).await;
    let mut stream =
        Stream::open(&http_without_timeout(), &format!("{url}/jobs/{job}/events"), None).await.unwrap();
    let read = async {
        let mut count = 0;
        while stream.next().await.is_some() {
            count += 1;
        }
        count
    };
    let count = tokio::time::timeout(PATIENCE, read).await.expect("the stream ends with the job");

    assert!(count > 126, "{count} events");
    assert_eq!(system.client.job(&job).await["status"], "completed");
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_outlives_the_time_limit_of_requests_and_ends_when_its_process_stops() {
    let mut system = System::builder(Shape::FourProcesses)
        .env("REQUEST_TIMEOUT_SECONDS", "1")
        .env("STREAM_HEARTBEAT_SECONDS", "1")
        .start()
        .await;
    let url = format!("{}/events", system.client.status_url);
    let mut stream = Stream::open(&http_without_timeout(), &url, None).await.unwrap();
    // Longer than a request may take.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let job = system.client.trigger(&json!({ "end_date": "2025-10-01", "models": ["cash"] })).await;

    let first = stream.next().await.unwrap();
    system.client.ended(&job).await;
    system.signal(Service::Status, "TERM");

    assert_eq!((first.id, first.kind.as_str()), (1, "modelday.job.requested.v1"));
    let rest = async { while stream.next().await.is_some() {} };
    // The stream ends in order, before the process stops waiting for its clients.
    tokio::time::timeout(Duration::from_secs(4), rest).await.expect("the stream ends");
    eventually("status has stopped", async || system.has_ended(Service::Status).then_some(())).await;
}
