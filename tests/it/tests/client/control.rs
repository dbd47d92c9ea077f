//! Cancelling and retrying.

use serde_json::json;
use standin::chat::{ChatEndpoint, Fault};

use crate::command::{POLICIES, RunningCommand, modelday, small};

async fn endpoint() -> ChatEndpoint {
    ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.expect("the endpoint starts")
}

fn agent(endpoint: &ChatEndpoint) -> String {
    format!(
        "{POLICIES}\n[[models]]\nsignature = \"agent\"\nkind = \"llm\"\nbase_url = \"{}\"\nbasemodel = \"a\"\n",
        endpoint.base_url()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_cancelled_and_the_command_that_watches_it_ends_with_4() {
    let endpoint = endpoint().await;
    endpoint.hold_from(0);
    let system = small().models(&agent(&endpoint)).start().await;
    let url = &system.client.status_url;
    let run = RunningCommand::start(url, &["run", "--end", "2025-11-25", "--models", "agent"]);
    let job = system.client.get_ok("/jobs").await["jobs"][0]["job_id"].as_str().unwrap().to_owned();
    system.client.until(&job, "run", |status| status["status"] == "running").await;

    let cancelled = modelday(url, &["cancel", &job]);
    let ran = run.ended();
    let again = modelday(url, &["cancel", &job, "--json"]);
    let retried = modelday(url, &["retry", &job]);

    assert_eq!((cancelled.code, cancelled.out), (Some(0), format!("Job {job} is cancelled.\n")));
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.out.contains("\ncancelled: 0 model-days executed, 0 failed, 1 skipped"), "{ran:?}");
    assert_eq!(again.json(), json!({ "job_id": job, "status": "cancelled" }), "{again:?}");
    assert_eq!(retried.code, Some(2), "nothing failed: {retried:?}");
    assert!(retried.err.contains("has no failed model-day, so there is nothing to retry"), "{retried:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_model_days_are_run_again_as_a_new_job() {
    let endpoint = endpoint().await;
    for _ in 0..2 {
        endpoint.fault("a", Fault::Response(401, Vec::new(), "{}".to_owned()));
    }
    let system = small().models(&agent(&endpoint)).start().await;
    let url = &system.client.status_url;
    let ran = modelday(url, &["run", "--end", "2025-11-25", "--models", " agent, cash"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(
        ran.out.contains("\n  failed: agent on 2025-11-25: the endpoint failed (bad_credentials)"),
        "{ran:?}"
    );
    let job = ran.out.lines().next().unwrap().strip_prefix("Job ").unwrap();

    let still = modelday(url, &["retry", job, "--watch"]);
    let still = still.out.lines().next().unwrap().strip_prefix("Job ").unwrap().to_owned();
    let retried = modelday(url, &["retry", &still, "--watch"]);
    let late = modelday(url, &["cancel", &still]);

    assert_eq!(retried.code, Some(0), "{retried:?}");
    assert!(retried.out.contains("\ncompleted: 1 model-days executed, 0 failed, 0 skipped"), "{retried:?}");
    assert_eq!(late.code, Some(2), "{late:?}");
    assert_eq!(
        late.err,
        format!(
            "modelday: Job {still} has ended already: it is failed. Only an active job can be cancelled.\n"
        )
    );
}
