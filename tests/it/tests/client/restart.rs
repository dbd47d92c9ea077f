//! A restart of Modelday while a job is watched.

use it::Service;
use standin::chat::ChatEndpoint;

use crate::command::{RunningCommand, small};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watched_job_is_watched_on_after_a_restart() {
    let endpoint = ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.expect("the endpoint starts");
    endpoint.hold_from(0);
    let agent = format!(
        "[[models]]\nsignature = \"agent\"\nkind = \"llm\"\nenabled = true\nbase_url = \"{}\"\nbasemodel = \"a\"\n",
        endpoint.base_url()
    );
    let mut system = small().models(&agent).start().await;
    let url = system.client.status_url.clone();
    let job = system.client.trigger(&serde_json::json!({ "end_date": "2025-11-25" })).await;
    system.client.until(&job, "run", |status| status["status"] == "running").await;
    let (progress, json) = (
        RunningCommand::start(&url, &["watch", &job]),
        RunningCommand::start(&url, &["watch", &job, "--json"]),
    );

    system.kill(Service::Modelday);
    endpoint.hold_from(usize::MAX);
    system.restart(Service::Modelday).await;
    let (progress, json) = (progress.ended(), json.ended());

    assert_eq!(progress.code, Some(0), "{progress:?}");
    assert!(progress.out.contains("\ncompleted: 1 model-days executed"), "{progress:?}");
    assert_eq!(json.code, Some(0), "{json:?}");
    assert!(!json.json_lines().is_empty(), "{json:?}");
}
