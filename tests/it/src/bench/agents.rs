//! What an agent's day takes beyond its endpoint's own time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use it::{Shape, System};
use serde_json::json;
use standin::chat::{ChatEndpoint, Script, Use};

use crate::measure::{Line, millis, percentile};

/// Six uses of tools, one a step, so that the endpoint is asked seven times.
fn script() -> Script {
    let buy = || Use::new("buy", &json!({ "symbol": "AAPL", "amount": 1 }));
    let sell = || Use::new("sell", &json!({ "symbol": "AAPL", "amount": 1 }));
    let look = || Use::new("get_position", &json!({}));
    [look(), buy(), look(), sell(), buy(), sell()].map(|used| vec![used]).to_vec()
}

/// p50 of a day of seven calls, with an endpoint that answers at once.
pub(crate) async fn measure() -> Line {
    let endpoint = ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.expect("the endpoint starts");
    endpoint.script("*", "*", script());
    let models = format!(
        "[[models]]\nsignature = \"agent\"\nkind = \"llm\"\nenabled = true\nbase_url = \"{}\"\nbasemodel = \"m\"\n",
        endpoint.base_url()
    );
    let system = System::builder(Shape::OneProcess).models(&models).start().await;
    for experiment in ["warm", "measured"] {
        let request =
            json!({ "start_date": "2025-07-01", "end_date": "2025-10-29", "experiment": experiment });
        let job = system.client.trigger(&request).await;
        system.client.ended(&job).await;
    }
    let rows: Vec<(DateTime<Utc>, DateTime<Utc>)> = sqlx::query_as(
        "SELECT (body::json ->> 'started_at')::timestamptz, (body::json ->> 'completed_at')::timestamptz
         FROM execution.outbox
         WHERE kind = 'modelday.model_day.completed.v1' AND body::json #>> '{key,experiment}' = 'measured'",
    )
    .fetch_all(&system.database.admin)
    .await
    .expect("the days can be read");
    let mut days: Vec<Duration> =
        rows.iter().map(|(began, ended)| (*ended - *began).to_std().unwrap_or_default()).collect();
    Line {
        what: "an agent's model-day of 6 tool calls, endpoint without latency, p50 (the original: 600 to 1,500 ms)",
        ours: millis(percentile(&mut days, 50)),
        floor: "-".to_owned(),
        ratio: None,
        wanted: "under 10 ms",
    }
}
