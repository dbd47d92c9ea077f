//! Pausing, draining and resuming.

use it::Service;
use serde_json::json;
use standin::chat::ChatEndpoint;
use test_support::eventually;

use crate::command::{POLICIES, RunningCommand, modelday, small};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_says_what_it_waits_for_and_whoever_watches_a_job_reads_that_it_waits() {
    let endpoint = ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.expect("the endpoint starts");
    endpoint.hold_from(0);
    let agent = format!(
        "{POLICIES}\n[[models]]\nsignature = \"agent\"\nkind = \"llm\"\nbase_url = \"{}\"\nbasemodel = \"a\"\n",
        endpoint.base_url()
    );
    let system = small().models(&agent).start().await;
    let url = system.client.status_url.clone();
    let run = RunningCommand::start(
        &url,
        &["run", "--start", "2025-11-24", "--end", "2025-11-25", "--models", "agent"],
    );
    let job = system.client.get_ok("/jobs").await["jobs"][0]["job_id"].as_str().unwrap().to_owned();
    eventually("it calls", async || (!endpoint.calls().is_empty()).then_some(())).await;
    let requests = async |route: &str| {
        let (_, metrics) = system.get(Service::Modelday, "/metrics").await.unwrap();
        let of_route = format!("http_route=\"{route}\"");
        let count = metrics.lines().filter(|line| {
            line.starts_with("http_server_request_duration_seconds_count") && line.contains(&of_route)
        });
        count.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>()
    };

    let drain = {
        let url = url.clone();
        std::thread::spawn(move || modelday(&url, &["drain", "model", "agent", "--reason", "to save money"]))
    };
    // By then executor has read the pause.
    eventually("it looks often at what still runs", async || {
        (requests("/pauses").await >= 8.0).then_some(())
    })
    .await;
    endpoint.hold_from(usize::MAX);
    let drained = drain.join().unwrap();
    system.client.until(&job, "wait", |status| !status["paused"].is_null()).await;
    let seen = requests("/simulate/status/{job_id}").await;
    eventually("the watching command reads it", async || {
        (requests("/simulate/status/{job_id}").await >= seen + 2.0).then_some(())
    })
    .await;
    let listed = modelday(&url, &["paused"]);
    let as_json = modelday(&url, &["paused", "--json"]);
    let unknown = modelday(&url, &["pause", "model", "agnt"]);
    let queue = modelday(&url, &["pause", "queue", "executor"]);
    let resumed = modelday(&url, &["resume", "queue", "executor"]);
    let again = modelday(&url, &["resume", "queue", "executor"]);
    let agent = modelday(&url, &["resume", "model", "agent"]);
    let ran = run.ended();
    let none = modelday(&url, &["paused"]);

    assert_eq!(drained.code, Some(0), "{drained:?}");
    assert_eq!(drained.err, format!("waiting for 1 turn of model agent, in job {job}\n"));
    assert_eq!(drained.out, "Nothing of model agent runs any more. Waiting for it: 1 lane, 1 job.\n");
    assert!(listed.out.contains("to save money"), "{listed:?}");
    assert_eq!(as_json.json()["pauses"][0]["waiting_lanes"], json!(1));
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.err.contains("There is no model agnt. Known models: cash, "), "{unknown:?}");
    assert!(queue.out.starts_with("queue executor is paused since 20"), "{queue:?}");
    assert_eq!((resumed.code, again.code, agent.code), (Some(0), Some(0), Some(0)));
    assert!(resumed.out.starts_with("queue executor is resumed. Waited for it: "), "{resumed:?}");
    assert_eq!(again.out, "queue executor was not paused.\n");
    assert_eq!(agent.out, "model agent is resumed. Waited for it: 1 lane, 1 job.\n");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let says = ran.err.lines().filter(|line| line.contains("waiting: model agent is paused since"));
    assert_eq!(says.count(), 1, "{ran:?}");
    assert!(ran.err.contains("(to save money)"), "{ran:?}");
    assert_eq!(none.err, "Nothing is paused.\n");
}
