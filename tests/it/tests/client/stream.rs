//! Event streams that break, and servers without event streams.

use serde_json::{Value, json};

use crate::command::{modelday, small};
use crate::fake_server::{FakeServer, ReceivedRequest, Script};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

fn status(state: &str, completed: u64) -> Script {
    let progress = json!({ "total_model_days": 3, "completed": completed, "failed": 0, "skipped": 0,
        "pending": 3 - completed, "running": 0 });
    let body = json!({ "job_id": "a", "status": state, "progress": progress, "error": null, "warnings": null,
        "total_duration_seconds": 1.25 });
    Script::Body(200, JSON, body.to_string())
}

fn not_found(request: &ReceivedRequest) -> Script {
    let body =
        json!({ "title": "Not Found", "status": 404, "detail": "Not Found", "instance": request.line });
    Script::Body(404, PROBLEM, body.to_string())
}

/// Ids of the events in lines of JSON.
fn ids(lines: &[Value]) -> Vec<u64> {
    lines.iter().map(|line| line["id"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_stream_continues_after_the_last_complete_event() {
    let server = FakeServer::start(|request, before| match (&*request.line, before) {
        ("GET /jobs/a/events", 0) => Script::Cut(vec![
            ": hello\n\nid: 1\nevent: modelday.job.requested.v1\nda",
            "ta: {\"n\": 1.10}\n\nid: 2\nevent: modelday.job.started.v1\ndata: {\"n\": 2}\n\nid: 3\nevent: mod",
        ]),
        // A server that shuts down ends its streams in order.
        ("GET /jobs/a/events", 1) => Script::Stream(vec!["id: 3\nevent: modelday.model_day.completed.v1\ndata: {\"n\": 3}\n\n"]),
        ("GET /jobs/a/events", 2) => Script::Body(503, PROBLEM, json!({ "detail": "starting" }).to_string()),
        ("GET /jobs/a/events", 3) => Script::Stream(vec!["id: 4\r\nevent: modelday.job.completed.v1\r\ndata: {\"n\": 4}\r\n\r\n"]),
        ("GET /simulate/status/a?details=false", 0) => status("running", 0),
        ("GET /simulate/status/a?details=false", _) => status("completed", 3),
        _ => not_found(request),
    })
    .await;

    let ran = modelday(&server.url, &["watch", "a", "--json"]);

    assert_eq!(ran.code, Some(0), "{ran:?}");
    let lines = ran.json_lines();
    assert_eq!(ids(&lines), [1, 2, 3, 4], "none is missing, and none is there twice");
    assert_eq!(lines[3]["event"], "modelday.job.completed.v1");
    assert!(ran.out.contains("{\"n\": 1.10}"), "bodies keep their digits: {}", ran.out);
    let streams = server.requests().into_iter().filter(|request| request.line == "GET /jobs/a/events");
    let after: Vec<Option<String>> = streams.map(|request| request.last_event_id).collect();
    assert_eq!(after, [None, Some("2".to_owned()), Some("3".to_owned()), Some("3".to_owned())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_streams_the_status_is_polled() {
    let server = FakeServer::start(|request, before| match (&*request.line, before) {
        ("GET /simulate/status/a?details=false", count @ 0..3) => status("running", count as u64),
        ("GET /simulate/status/a?details=false", _) => status("completed", 3),
        _ => not_found(request),
    })
    .await;

    let json_lines = modelday(&server.url, &["watch", "a", "--json"]);
    let progress = modelday(&server.url, &["watch", "a"]);

    assert_eq!((json_lines.code, progress.code), (Some(0), Some(0)), "{json_lines:?} {progress:?}");
    let lines = json_lines.json_lines();
    let states: Vec<&str> = lines.iter().map(|line| line["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["running", "running", "completed"], "each new status");
    assert_eq!(progress.out, "Job a\n\ncompleted: 3 model-days executed, 0 failed, 0 skipped, in 1.2 s\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_days_are_printed_as_they_happen_and_a_cancelled_job_ends_with_4() {
    let server = FakeServer::start(|request, before| match (&*request.line, before) {
        ("GET /jobs/a/events", _) => Script::Stream(vec![
            "id: 1\nevent: modelday.model_day.failed.v1\ndata: {\"key\": {\"model\": \"gpt\", \"trading_date\": \"2025-10-01\"}, \"error\": \"no \\u001b[31mkey\"}\n\n",
            "id: 2\nevent: modelday.job.cancelled.v1\ndata: {}\n\n",
        ]),
        ("GET /simulate/status/a?details=false", 0..2) => status("running", 1),
        ("GET /simulate/status/a?details=false", _) => status("cancelled", 1),
        _ => not_found(request),
    })
    .await;

    let ran = modelday(&server.url, &["watch", "a"]);

    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.err.contains("  failed: gpt on 2025-10-01: no \u{fffd}[31mkey\n"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_of_a_real_job_is_a_line() {
    let system = small().start().await;
    let url = &system.client.status_url;
    let request = json!({ "start_date": "2025-11-24", "end_date": "2025-11-28" });
    let job = system.client.trigger(&request).await;

    let live = modelday(url, &["watch", &job, "--json"]);
    let later = modelday(url, &["watch", &job, "--json"]);

    assert_eq!((live.code, later.code), (Some(0), Some(0)), "{live:?} {later:?}");
    let lines = live.json_lines();
    assert_eq!(ids(&lines), (1..=lines.len() as u64).collect::<Vec<_>>());
    assert_eq!(live.out, later.out);
    let completed = lines.iter().filter(|line| line["event"] == "modelday.model_day.completed.v1");
    assert_eq!(completed.count(), 8);
    assert_eq!(lines[0]["data"]["job"]["job_id"], job.as_str());
}
