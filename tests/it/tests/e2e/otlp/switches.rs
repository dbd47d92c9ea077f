//! What settings change of traces: days of policies one by one, many lanes, and to whom the trace context goes.

use it::{Shape, System};
use serde_json::json;
use standin::chat::ChatEndpoint;

use super::collector::Collector;
use super::{Traced, traced};

#[tokio::test]
async fn days_have_spans_lanes_beyond_a_hundred_share_one_and_no_context_goes_out_when_this_is_set() {
    let collector = Collector::over_grpc().await;
    let endpoint = ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let models = format!(
        "[[models]]\nsignature = \"many\"\nkind = \"policy\"\nenabled = true\ntrials = 103\n\
         policy = {{ policy = \"random\", seed = 1, orders_per_day = 2 }}\n\
         [[models]]\nsignature = \"a\"\nkind = \"llm\"\nenabled = true\nbase_url = \"{}\"\nbasemodel = \"a\"\n",
        endpoint.base_url()
    );
    let system = System::builder(Shape::OneProcess).universe(&["AAPL", "MSFT"], None).models(&models);
    let system = traced(system, &collector)
        .env("TRACE_DAYS", "all")
        .env("TRACE_CONTEXT_TO_MODELS", "false")
        .env("TRACE_CONTEXT_TO_PROVIDERS", "false")
        .start()
        .await;

    let request = json!({ "start_date": "2025-10-02", "end_date": "2025-10-03" });
    let traced = Traced::of(system, &collector, &request).await;

    let plan = traced.only("plan job");
    let lanes: Vec<_> = traced
        .spans
        .iter()
        .filter(|span| span.parent == plan.id && span.name.starts_with("lane "))
        .map(|span| (span.attribute("trial"), span.attribute("lane.count").parse::<u64>().unwrap()))
        .collect();
    let (one, several): (Vec<_>, Vec<_>) = lanes.iter().partition(|(trial, _)| !trial.is_empty());
    assert!(one.len() == 100 && one.iter().all(|(_, count)| *count == 1), "{lanes:?}");
    let shared: u64 = several.iter().map(|(_, count)| *count).sum();
    assert!(several.len() <= 2 && shared == 4, "the others are one span of each model: {several:?}");
    let days: Vec<String> = traced
        .spans
        .iter()
        .filter(|span| span.name == "model-day many")
        .map(|span| format!("{} {}", span.attribute("trial"), span.attribute("trading_date")))
        .collect();
    assert_eq!(days.len(), 206);
    assert!(days.contains(&"102 2025-10-03".to_owned()), "{days:?}");
    assert!(traced.spans.iter().all(|span| !span.name.starts_with("model-days ")));
    let contents = ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.call.arguments"];
    assert!(traced.spans.iter().all(|span| contents.iter().all(|name| span.attribute(name).is_empty())));
    assert!(!endpoint.calls().is_empty() && endpoint.calls().iter().all(|call| call.traceparent.is_none()));
    let of_provider = &traced.provider_traceparents;
    assert!(!of_provider.is_empty() && of_provider.iter().all(Option::is_none), "{of_provider:?}");
}
