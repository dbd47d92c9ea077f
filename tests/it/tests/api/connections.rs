//! Clients that hold connections, send slowly, or invent methods.

use std::net::SocketAddr;
use std::time::Duration;

use futures::future::join_all;
use it::{Service, Shape, System};
use test_support::{PATIENCE, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

const IDLE: usize = 3_000;
const DRIBBLERS: usize = 50;
const INVENTED: usize = 2_000;
/// After which a connection is gone whose client sends no whole request.
const GONE: Duration = Duration::from_secs(15);

fn address(system: &System) -> SocketAddr {
    system.client.status_url.trim_start_matches("http://").parse().unwrap()
}

/// Waits until the server has closed the connection.
async fn closed(mut stream: TcpStream) {
    let mut bytes = [0; 64];
    while stream.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn three_thousand_idle_connections_cost_little_are_closed_and_leave_nothing() {
    let system = System::builder(Shape::OneProcess).start().await;
    // Everything that a first request allocates is there.
    system.client.get_ok("/openapi.json").await;
    let before = system.resident(Service::Modelday);

    let connecting = (0..IDLE).map(|_| TcpStream::connect(address(&system)));
    let connections: Vec<TcpStream> =
        join_all(connecting).await.into_iter().collect::<Result<_, _>>().unwrap();
    let answered = timeout(Duration::from_secs(5), system.client.get_ok("/jobs")).await;
    let during = system.resident(Service::Modelday);
    let all_closed = timeout(PATIENCE, join_all(connections.into_iter().map(closed))).await;

    assert!(answered.is_ok(), "idle connections keep a request from being answered");
    assert!(during < before + 100, "{before} MiB before, {during} MiB with {IDLE} connections");
    assert!(all_closed.is_ok(), "idle connections are still open after {} s", PATIENCE.as_secs());
    // The process grows by itself in its first minute, by some tens of megabytes.
    eventually("the memory comes back", async || {
        (system.resident(Service::Modelday) < before + 80).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_finish_the_head_of_a_request_are_gone_after_fifteen_seconds() {
    let system = System::builder(Shape::OneProcess).start().await;
    let started = Instant::now();

    let dribblers = (0..DRIBBLERS).map(|_| async {
        let mut stream = TcpStream::connect(address(&system)).await.unwrap();
        let mut refused =
            stream.write_all(b"GET /jobs HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await.is_err();
        while !refused && started.elapsed() < GONE {
            let (mut byte, tick) = ([0; 1], Duration::from_millis(500));
            let ended = matches!(timeout(tick, stream.read(&mut byte)).await, Ok(Ok(0) | Err(_)));
            refused = ended || stream.write_all(b"x").await.is_err();
        }
        refused
    });
    let gone = join_all(dribblers).await.into_iter().filter(|gone| *gone).count();

    assert_eq!(gone, DRIBBLERS);
}

#[tokio::test]
async fn invented_methods_add_no_line_to_the_metrics() {
    let system = System::builder(Shape::OneProcess).start().await;
    let mut stream = TcpStream::connect(address(&system)).await.unwrap();
    let mut send = async |method: String| {
        let request = format!("{method} /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        response(&mut stream).await
    };
    assert!(send("INVENTED".to_owned()).await.starts_with("HTTP/1.1 405"));
    let lines = async || {
        let metrics = it::http().get(format!("{}/metrics", system.client.status_url)).send().await.unwrap();
        metrics
            .text()
            .await
            .unwrap()
            .lines()
            .filter(|line| line.starts_with("http_server_") && line.contains("route=\"/jobs\""))
            .map(|line| line.split(' ').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let before = lines().await;

    for number in 0..INVENTED {
        send(format!("INVENTED{number}")).await;
    }

    let after = lines().await;
    assert!(after.iter().any(|line| line.contains("_OTHER")), "{after:?}");
    assert_eq!(after.len(), before.len());
}

#[tokio::test]
async fn the_head_of_a_request_has_a_limit() {
    let system = System::builder(Shape::OneProcess).start().await;
    let mut stream = TcpStream::connect(address(&system)).await.unwrap();
    let head = format!("GET /jobs HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n", "x".repeat(300 << 10));

    // An error means that the server has closed the connection already, and its refusal may be lost with it.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;

    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

/// Reads one response with a `Content-Length`, or none.
async fn response(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut bytes = [0; 4096];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse::<usize>().unwrap()) {
                return text;
            }
        }
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "the connection ended after {text:?}");
        text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
}
