//! Exit codes, and the messages with them.

use std::net::TcpListener;

use serde_json::Value;
use standin::chat::{ChatEndpoint, Fault};

use crate::command::{POLICIES, RunningCommand, modelday, small};

async fn endpoint() -> ChatEndpoint {
    ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.expect("the endpoint starts")
}

/// An agent at the endpoint.
fn agent(endpoint: &ChatEndpoint) -> String {
    format!(
        "[[models]]\nsignature = \"agent\"\nkind = \"llm\"\nenabled = true\nbase_url = \"{}\"\nbasemodel = \"a\"\n",
        endpoint.base_url()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_request_prints_the_words_of_the_api_and_ends_with_2() {
    let system = small().start().await;
    let url = &system.client.status_url;
    let unknown = "01990000-0000-7000-8000-000000000001";

    for (arguments, expected) in [
        (
            &["run", "--start", "2025-11-26", "--end", "2025-11-25"][..],
            "start_date (2025-11-26) must be <= end_date (2025-11-25)",
        ),
        (&["plan", "--end", "2025-11-31"], "Invalid date format: 2025-11-31. Expected YYYY-MM-DD"),
        (&["watch", unknown], "Job 01990000-0000-7000-8000-000000000001 not found"),
        (&["watch", "../jobs"], "Job ../jobs not found"),
        (&["results", "--start", "2025-11-24"], "No trading data found for the specified filters"),
        (&["jobs", "--status", "done"], "--status: Input should be 'pending', 'downloading_data', "),
        (&["export", "--bundle", unknown], "Job 01990000-0000-7000-8000-000000000001 not found"),
    ] {
        let ran = modelday(url, arguments);

        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.err.starts_with("modelday: ") && ran.err.contains(expected), "{arguments:?}: {ran:?}");
        assert_eq!((ran.out.as_str(), ran.err.lines().count()), ("", 1), "{ran:?}");
    }
    let several = modelday(url, &["run", "--end", "soon", "--experiment", "a b"]);
    assert_eq!(several.code, Some(2));
    assert!(several.err.starts_with("modelday: 2 things are wrong\n  --end: "), "{several:?}");
    assert!(several.err.contains("\n  --experiment: "), "{several:?}");
    assert_eq!(modelday(url, &["run"]).code, Some(2), "usage");
    assert_eq!(system.database.count("SELECT count(*) FROM trigger.jobs").await, 0);
}

#[test]
fn an_unreachable_server_is_one_sentence_with_the_remedy() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}/");
    let folder = std::env::temp_dir().display().to_string();

    for arguments in [
        &["jobs"][..],
        &["run", "--sample"],
        &["watch", "a"],
        &["watch", "a", "--json"],
        &["cancel", "a"],
        &["export", "--trades", "-o", &format!("{folder}/modelday-test-nothing.csv")],
    ] {
        let ran = modelday(&url, arguments);

        assert_eq!(ran.code, Some(5), "{arguments:?}: {ran:?}");
        let expected = format!("modelday: Modelday does not answer at http://{free} (Connection refused");
        assert!(ran.err.starts_with(&expected), "{ran:?}");
        assert!(
            ran.err.contains("start it with `make run`, or set MODELDAY_URL to where it runs\n"),
            "{ran:?}"
        );
    }
}

#[test]
fn an_invalid_address_is_a_usage_error() {
    let ran = modelday("127.0.0.1:8080", &["jobs"]);

    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("write it as http://host:port"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_fails_ends_with_1_and_a_partial_one_with_3() {
    let endpoint = endpoint().await;
    for _ in 0..2 {
        endpoint.fault("a", Fault::Response(401, Vec::new(), "{}".to_owned()));
    }
    let system = small().models(&(POLICIES.to_owned() + &agent(&endpoint))).start().await;
    let url = &system.client.status_url;

    let failed = modelday(url, &["run", "--end", "2025-11-25", "--models", "agent"]);
    let partial =
        modelday(url, &["run", "--end", "2025-11-26", "--models", "agent,cash", "--experiment", "two"]);
    let json =
        modelday(url, &["watch", partial.out.lines().next().unwrap().trim_start_matches("Job "), "--json"]);

    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.out.contains("\nfailed: 0 model-days executed, 1 failed, 0 skipped"), "{failed:?}");
    assert_eq!(partial.code, Some(3), "{partial:?}");
    assert!(partial.out.contains("\npartial: 1 model-days executed, 1 failed"), "{partial:?}");
    assert!(partial.out.contains("\ncash "), "a partial job has a leaderboard too: {partial:?}");
    assert_eq!(json.code, Some(3), "{json:?}");
    assert!(json.json_lines().iter().all(Value::is_object));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_run_leaves_its_job_running_and_says_how_to_come_back() {
    let endpoint = endpoint().await;
    endpoint.hold_from(0);
    let system = small().models(&agent(&endpoint)).start().await;
    let url = &system.client.status_url;
    let run = RunningCommand::start(url, &["run", "--end", "2025-11-25"]);
    let job = system.client.get_ok("/jobs").await["jobs"][0]["job_id"].as_str().unwrap().to_owned();
    system.client.until(&job, "run", |status| status["status"] == "running").await;

    run.interrupt();
    let ran = run.ended();

    assert_eq!(ran.out, format!("Job {job}\n"));
    assert_eq!(ran.code, Some(130), "{ran:?}");
    let expected = format!(
        "The job goes on. Watch it again with `modelday watch {job}`; end it with `modelday cancel {job}`."
    );
    assert!(ran.err.contains(&expected), "{ran:?}");
    endpoint.hold_from(usize::MAX);
    let watched = modelday(url, &["watch", &job]);
    assert_eq!(watched.code, Some(0), "{watched:?}");
    assert!(watched.out.contains("\ncompleted: 1 model-days executed"), "{watched:?}");
}
