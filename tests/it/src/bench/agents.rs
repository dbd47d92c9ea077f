//! The overhead of an agent's day: its duration without the time of the endpoint.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use it::{Shape, System};
use serde_json::json;
use standin::chat::{ChatEndpoint, Script, ToolCall};

use crate::measure::{Line, ended, millis, percentile};

/// Six tool calls, one in each step, so that the endpoint is called seven times.
fn script() -> Script {
    let buy = || ToolCall::new("buy", &json!({ "symbol": "AAPL", "amount": 1 }));
    let sell = || ToolCall::new("sell", &json!({ "symbol": "AAPL", "amount": 1 }));
    let look = || ToolCall::new("get_position", &json!({}));
    [look(), buy(), look(), sell(), buy(), sell()].map(|call| vec![call]).to_vec()
}

/// p50 of a day of seven calls, minus the time in which a bare client makes the same calls.
pub(crate) async fn measure() -> Vec<Line> {
    let endpoint = ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.expect("the endpoint starts");
    endpoint.script("*", "*", script());
    let models = format!(
        "[[models]]\nsignature = \"agent\"\nkind = \"llm\"\nenabled = true\nbase_url = \"{}\"\nbasemodel = \"m\"\n",
        endpoint.base_url()
    );
    let system = System::builder(Shape::OneProcess).models(&models).start().await;
    let mut bundle = Vec::new();
    for experiment in ["warm", "measured"] {
        let request =
            json!({ "start_date": "2025-07-01", "end_date": "2025-10-29", "experiment": experiment });
        let job = system.client.trigger(&request).await;
        ended(&system, &job, || ()).await;
        bundle = system.client.bundle(&job).await.1;
    }
    let rows: Vec<(DateTime<Utc>, DateTime<Utc>)> = sqlx::query_as(
        "SELECT (body::json ->> 'started_at')::timestamptz, (body::json ->> 'completed_at')::timestamptz
         FROM execution.outbox
         WHERE kind = 'modelday.model_day.completed.v1' AND body::json #>> '{key,experiment}' = 'measured'",
    )
    .fetch_all(&system.database.admin)
    .await
    .expect("the days can be read");
    let floor = bare(&endpoint).await;
    let mut days: Vec<Duration> =
        rows.iter().map(|(began, ended)| (*ended - *began).to_std().unwrap_or_default()).collect();
    let overhead = Line {
        what: "an agent's model-day of 6 tool calls, p50, beyond its calls made by a bare client (the floor; the original: 600 to 1,500 ms)",
        ours: millis(percentile(&mut days, 50).saturating_sub(floor)),
        floor: millis(floor),
        ratio: None,
        target: "under 10 ms",
    };
    vec![overhead, replay(&bundle, days.len())]
}

/// p50 of the calls of one day, repeated one after the other.
async fn bare(endpoint: &ChatEndpoint) -> Duration {
    let url = format!("{}/chat/completions", endpoint.base_url());
    let calls = endpoint.calls();
    let day = calls.rchunks(7).next().expect("a day of calls");
    let http = it::http();
    let mut rounds = Vec::new();
    for _ in 0..100 {
        let began = Instant::now();
        for call in day {
            let request = http.post(&url).header("content-type", "application/json").body(call.text.clone());
            request.send().await.expect("a response").bytes().await.expect("a body");
        }
        rounds.push(began.elapsed());
    }
    percentile(&mut rounds, 50)
}

/// Model-days per second of `modelday replay`, from the start of the program to its end.
fn replay(bundle: &[u8], days: usize) -> Line {
    let file = std::env::temp_dir().join(format!("modelday-bench-{}.jsonl.gz", uuid::Uuid::now_v7()));
    std::fs::write(&file, bundle).expect("the bundle can be saved");
    let path = file.to_str().expect("a path");
    let began = Instant::now();
    let output = it::modelday(&["replay", path]);
    let took = began.elapsed();
    let _ = std::fs::remove_file(&file);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = days as f64 / took.as_secs_f64();
    Line {
        what: "replayed days of that agent per second, reading the file included",
        ours: format!("{rate:.0} /s"),
        floor: "-".to_owned(),
        ratio: None,
        target: "over 500 /s",
    }
}
