//! The sample job: the published leaderboard, to the cent.

use it::{Shape, System, portfolios_are_the_recorded_ones};
use serde_json::{Value, json};

/// The published leaderboard, in percent.
const PUBLISHED: [(&str, &str); 7] = [
    ("deepseek-chat-v3.1", "+16.46"),
    ("MiniMax-M2", "+12.03"),
    ("gpt-5", "+9.98"),
    ("claude-3.7-sonnet", "+9.80"),
    ("qwen3-max", "+7.96"),
    ("QQQ", "+5.39"),
    ("gemini-2.5-flash", "+0.48"),
];

const RANGE: &str = "start_date=2025-10-01&end_date=2025-10-29";

fn sample() -> Value {
    json!({ "start_date": "2025-10-01", "end_date": "2025-10-29" })
}

#[tokio::test]
async fn the_sample_job_gives_the_published_leaderboard_in_one_process() {
    the_sample_job_gives_the_published_leaderboard(Shape::OneProcess).await;
}

#[tokio::test]
async fn the_sample_job_gives_the_published_leaderboard_in_four_processes() {
    the_sample_job_gives_the_published_leaderboard(Shape::FourProcesses).await;
}

async fn the_sample_job_gives_the_published_leaderboard(shape: Shape) {
    let system = System::builder(shape).start().await;

    let job = system.client.trigger(&sample()).await;
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["progress"]["total_model_days"], 126);
    assert_eq!(status["progress"]["completed"], 126);
    let returns = system.client.returns(RANGE).await;
    for (model, published) in PUBLISHED {
        assert_eq!(returns.get(model).map(String::as_str), Some(published), "{model} of {returns:?}");
    }
    portfolios_are_the_recorded_ones(&system.client).await;
    assert_eq!(fills_and_refusals(&system).await, (306, 5));

    let calls = system.prices.calls().len();
    let again = system.client.trigger(&sample()).await;
    let status = system.client.ended(&again).await;

    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["progress"]["completed"], 0, "nothing is executed twice");
    assert_eq!(status["progress"]["skipped"], 126);
    assert_eq!(system.prices.calls().len(), calls, "nothing is downloaded twice");
    assert_eq!(system.client.returns(RANGE).await, returns);
}

async fn fills_and_refusals(system: &System) -> (i64, i64) {
    let fills = system.database.count("SELECT count(*) FROM execution.fills").await;
    let refused = system
        .database
        .count(
            "SELECT coalesce(sum(json_array_length(body::json -> 'refused')), 0)::bigint
             FROM status.events
             WHERE kind = 'modelday.model_day.completed.v1' AND body::json -> 'refused' IS NOT NULL",
        )
        .await;
    (fills, refused)
}
