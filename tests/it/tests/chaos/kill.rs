//! Every service is killed once in the middle of a job.

use it::{Service, Shape, System};
use serde_json::json;

#[tokio::test]
async fn every_service_killed_in_the_middle_of_the_sample_job_changes_nothing() {
    let mut system = System::builder(Shape::FourProcesses)
        .env("LANE_SLICE_MS", "0")
        .prices(|prices| prices.delay(std::time::Duration::from_millis(20)))
        .start()
        .await;
    let job = system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-29" })).await;

    system.kill(Service::Trigger);
    system
        .client
        .until(&job, "download", |status| status["download"]["symbols_done"].as_u64() > Some(5))
        .await;
    system.kill(Service::Downloader);
    system.restart(Service::Trigger).await;
    system.restart(Service::Downloader).await;
    system.client.until(&job, "run", |status| status["progress"]["completed"].as_u64() > Some(3)).await;
    system.kill(Service::Executor);
    system.kill(Service::Status);
    system.restart(Service::Executor).await;
    system.restart(Service::Status).await;
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["progress"]["completed"], 126);
    let returns = system.client.returns("start_date=2025-10-01&end_date=2025-10-29").await;
    for (model, published) in [("deepseek-chat-v3.1", "+16.46"), ("MiniMax-M2", "+12.03"), ("gpt-5", "+9.98")]
    {
        assert_eq!(returns.get(model).map(String::as_str), Some(published), "{returns:?}");
    }
    assert_eq!(system.database.count("SELECT count(*) FROM execution.fills").await, 306);
    assert_eq!(
        system.database.count("SELECT count(*) FROM execution.model_days WHERE state = 'completed'").await,
        126
    );
    let seqs = format!("SELECT max(seq) - count(*) FROM status.events WHERE job_id = '{job}'");
    assert_eq!(system.database.count(&seqs).await, 0, "the numbers of the job's events have gaps");
}
