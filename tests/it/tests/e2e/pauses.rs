//! What is paused waits, says why, and goes on as if nothing had been, although a process dies meanwhile.

use it::{Service, Shape, System, http};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::eventually;

const MODELS: &str = "[[models]]\nsignature = \"random\"\nkind = \"policy\"\nenabled = true\ntrials = 4\npolicy = { policy = \"random\", seed = 1, orders_per_day = 3 }\n\
    [[models]]\nsignature = \"cash\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }\n";

const PAUSE: &str = "/pauses/model/random";

async fn send(system: &System, method: Method, path: &str) -> StatusCode {
    let request = http().request(method, format!("{}{path}", system.client.trigger_url));
    request.json(&json!({ "reason": "its data are checked" })).send().await.unwrap().status()
}

fn completed(status: &Value) -> u64 {
    status["progress"]["completed"].as_u64().unwrap()
}

#[tokio::test]
async fn a_paused_model_waits_over_a_restart_says_why_and_comes_to_the_same_results() {
    let mut system = System::builder(Shape::FourProcesses)
        .universe(&["AAPL", "MSFT"], None)
        .models(MODELS)
        .prices(|prices| prices.generated_from("2022-12-01".parse().unwrap()))
        .env("LANE_SLICE_MS", "20")
        .start()
        .await;
    let request = |experiment: &str| json!({ "start_date": "2023-01-03", "end_date": "2025-09-30", "experiment": experiment });
    let undisturbed = system.client.trigger(&request("undisturbed")).await;
    let all = completed(&system.client.ended(&undisturbed).await);
    let job = system.client.trigger(&request("paused")).await;
    system.client.until(&job, "run", |status| completed(status) > 10).await;

    assert_eq!(send(&system, Method::PUT, PAUSE).await, StatusCode::OK);
    eventually("the other model ends, and nothing is in hand", async || {
        let lanes = "SELECT count(*) FROM execution.lanes WHERE state <> 'finished'";
        let paused = format!("{lanes} AND is_paused");
        let (lanes, paused) = (system.database.count(lanes).await, system.database.count(&paused).await);
        (lanes == 4 && paused == 4).then_some(())
    })
    .await;
    let waiting = system.client.until(&job, "wait", |status| !status["paused"].is_null()).await;
    let jobs = system.client.get_ok("/jobs?status=running").await;
    let (_, pauses) = system.get(Service::Trigger, "/pauses").await.unwrap();
    eventually("the metrics say so", async || {
        let (_, metrics) = system.get(Service::Trigger, "/metrics").await?;
        let is_there = |line: &str| metrics.lines().any(|found| found == line);
        let lanes = is_there("modelday_paused_lanes{kind=\"model\",name=\"random\"} 4");
        (lanes && is_there("modelday_paused{kind=\"model\",name=\"random\"} 1")).then_some(())
    })
    .await;
    system.kill(Service::Executor);
    system.restart(Service::Executor).await;
    let later = json!({ "start_date": "2023-01-03", "end_date": "2023-01-05", "models": ["cash"] });
    let later = system.client.ended(&system.client.trigger(&later).await).await;
    let still = system.client.job(&job).await;
    assert_eq!(send(&system, Method::DELETE, PAUSE).await, StatusCode::NO_CONTENT);
    let ended = system.client.ended(&job).await;

    let pause = &waiting["paused"][0];
    let message = pause["message"].as_str().unwrap();
    assert!(message.starts_with("waiting: model random is paused since 20"), "{message}");
    assert!(message.ends_with(" by anonymous (its data are checked)"), "{message}");
    assert_eq!((&waiting["status"], &jobs["jobs"][0]["paused"][0]), (&json!("running"), pause));
    let pauses: Value = serde_json::from_str(&pauses).unwrap();
    let held = &pauses["pauses"][0];
    assert_eq!(
        ["in_hand", "waiting_lanes", "waiting_jobs"].map(|name| held[name].as_u64().unwrap()),
        [0, 4, 1]
    );
    assert_eq!(later["status"], "completed", "other models go on");
    assert!((all / 5..all).contains(&completed(&still)), "{}", still["progress"]);
    assert_eq!((&still["status"], &still["progress"]["failed"]), (&json!("running"), &json!(0)));
    assert_eq!((&ended["status"], completed(&ended)), (&json!("completed"), all));
    assert!(ended["paused"].is_null(), "{ended}");
    let [paused, undisturbed] = [
        system.client.returns("experiment=paused").await,
        system.client.returns("experiment=undisturbed").await,
    ];
    assert_eq!(paused, undisturbed, "a pause changes no result");
}
