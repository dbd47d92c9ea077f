//! Spans and metrics of a program with LangChain beside ours, read by the same queries.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;

use it::{Prometheus, PythonAgent, Shape, System, python_programs};
use serde_json::{Value, json};
use standin::chat::{ChatEndpoint, ToolCall};
use test_support::eventually;

use super::collector::{Collector, Span};
use super::traced;

/// The calls that the model of both answers, and the tools that it calls.
const SELECTED: [[&str; 4]; 8] = [
    ["chat", "openai", "scripted", ""],
    ["chat", "openai", "scripted", ""],
    ["chat", "openai", "scripted", ""],
    ["chat", "openai", "scripted", ""],
    ["execute_tool", "", "", "buy"],
    ["execute_tool", "", "", "buy"],
    ["execute_tool", "", "", "buy"],
    ["execute_tool", "", "", "get_position"],
];

#[tokio::test(flavor = "multi_thread")]
async fn one_query_reads_the_calls_and_tools_of_langchain_and_ours() {
    let Some(programs) = python_programs("frameworks") else { return };
    let collector = Collector::over_http().await;
    let chat = ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let order = |amount: u64| ToolCall::new("buy", &json!({ "symbol": "AAPL", "amount": amount }));
    let look = ToolCall::new("get_position", &json!({}));
    chat.script("scripted", "*", vec![vec![look], vec![order(1_000_000)], vec![order(2), order(1)]]);
    let metrics = free_address();
    let agent = langgraph(&programs.join("python"), &chat, &collector, &metrics);
    let models = format!(
        "[[models]]\nsignature = \"ours\"\nkind = \"llm\"\nenabled = true\nbase_url = \"{}\"\nbasemodel = \"scripted\"\n\
         [[models]]\nsignature = \"theirs\"\nkind = \"http\"\nenabled = true\nurl = \"{}\"\n",
        chat.base_url(),
        agent.url
    );
    let system = System::builder(Shape::FourProcesses).universe(&["AAPL", "MSFT"], None).models(&models);
    let system = traced(system, &collector)
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        .env("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
        .start()
        .await;
    let prometheus = Prometheus::start_beside(&system, &[("langchain", &metrics)]).await;

    let job = system.client.trigger(&json!({ "start_date": "2025-10-02", "end_date": "2025-10-02" })).await;
    let ended = system.client.ended(&job).await;

    assert_eq!(ended["status"], "completed", "{ended}");
    for service in ["modelday-executor", "langchain"] {
        let spans = eventually(&format!("all spans of {service} are exported"), async || {
            let spans = selected(&collector.spans(), service);
            (spans.len() >= SELECTED.len()).then_some(spans)
        })
        .await;
        let rows: Vec<[String; 4]> = spans.iter().map(row).collect();
        assert_eq!(rows, SELECTED.map(|row| row.map(str::to_owned)), "{service}");
        for span in spans.iter().filter(|span| span.attribute("gen_ai.operation.name") == "chat") {
            let tokens = |kind: &str| span.attribute(&format!("gen_ai.usage.{kind}_tokens")).parse::<u64>();
            assert!(tokens("input").unwrap() > 100 && tokens("output").unwrap() > 0, "{span:?}");
            assert_eq!(span.attribute("gen_ai.response.model"), "scripted", "{span:?}");
        }
        assert_eq!(parts(&spans), ["text", "tool_call", "tool_call_response"], "{service}");
    }
    let calls = "sum by (job, gen_ai_provider_name, gen_ai_request_model) \
                 (gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name=\"chat\"})";
    let tokens =
        "sum by (job, gen_ai_token_type) (gen_ai_client_token_usage_sum{gen_ai_request_model=\"scripted\"})";
    eventually("one query counts the calls of both", async || {
        let found = by_job(&prometheus.query(calls).await?, "gen_ai_provider_name");
        let expected = |job: &str| (format!("{job} openai"), 4.0);
        (found == BTreeMap::from(["langchain", "modelday"].map(expected))).then_some(())
    })
    .await;
    let tokens = by_job(&prometheus.query(tokens).await.unwrap(), "gen_ai_token_type");
    let expected = ["langchain input", "langchain output", "modelday input", "modelday output"];
    assert_eq!(tokens.keys().map(String::as_str).collect::<Vec<_>>(), expected);
    assert!(tokens.values().all(|count| *count > 0.0), "{tokens:?}");
}

/// The example of an agent in LangGraph, instrumented.
fn langgraph(
    python: &std::path::Path,
    chat: &ChatEndpoint,
    collector: &Collector,
    metrics: &str,
) -> PythonAgent {
    let (host, port) = metrics.split_once(':').unwrap();
    let environment = [
        ("MODEL_URL", chat.base_url()),
        ("MODEL_NAME", "scripted".to_owned()),
        ("OPENAI_API_KEY", "none".to_owned()),
        ("NO_PROXY", "127.0.0.1".to_owned()),
        ("OTEL_SERVICE_NAME", "langchain".to_owned()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.clone()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf".to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
        ("OTEL_METRICS_EXPORTER", "prometheus".to_owned()),
        ("OTEL_EXPORTER_PROMETHEUS_HOST", host.to_owned()),
        ("OTEL_EXPORTER_PROMETHEUS_PORT", port.to_owned()),
        ("OTEL_LOGS_EXPORTER", "none".to_owned()),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY".to_owned()),
    ];
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    PythonAgent::start_instrumented(python, "docs/examples/langgraph_agent.py", &environment)
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// The spans of calls of models, and of tools in the same traces, in the order of their rows.
fn selected(spans: &[Span], service: &str) -> Vec<Span> {
    let is = |span: &Span, operation: &str| {
        span.service() == service && span.attribute("gen_ai.operation.name") == operation
    };
    // In our other lane an agent is called, and no model.
    let traces: BTreeSet<&str> =
        spans.iter().filter(|span| is(span, "chat")).map(|span| span.trace.as_str()).collect();
    let is_one =
        |span: &&Span| is(span, "chat") || is(span, "execute_tool") && traces.contains(span.trace.as_str());
    let mut found: Vec<Span> = spans.iter().filter(is_one).cloned().collect();
    found.sort_by_key(row);
    found
}

/// What is selected of a span.
fn row(span: &Span) -> [String; 4] {
    let operation = span.attribute("gen_ai.operation.name");
    // Which provider a tool belongs to, some say and some do not.
    let of_call = |name: &str| if operation == "chat" { span.attribute(name) } else { String::new() };
    let (provider, model) = (of_call("gen_ai.provider.name"), of_call("gen_ai.request.model"));
    [operation.clone(), provider, model, span.attribute("gen_ai.tool.name")]
}

/// The types of the parts of all messages.
fn parts(spans: &[Span]) -> Vec<String> {
    let of =
        |span: &Span, name: &str| serde_json::from_str::<Value>(&span.attribute(name)).unwrap_or_default();
    let messages = spans.iter().flat_map(|span| ["input", "output"].map(|kind| (span, kind)));
    let messages = messages.map(|(span, kind)| of(span, &format!("gen_ai.{kind}.messages")));
    let messages: Vec<Value> = messages.filter_map(|list| list.as_array().cloned()).flatten().collect();
    let parts = messages.iter().filter_map(|message| message["parts"].as_array()).flatten();
    let mut types: Vec<String> = parts.filter_map(|part| part["type"].as_str().map(str::to_owned)).collect();
    types.sort();
    types.dedup();
    types
}

/// The values of samples by their job and another label.
fn by_job(samples: &[Value], label: &str) -> BTreeMap<String, f64> {
    let value = |sample: &Value| {
        let name = |label: &str| sample["metric"][label].as_str().unwrap_or_default().to_owned();
        let number = sample["value"][1].as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
        (format!("{} {}", name("job"), name(label)), number)
    };
    samples.iter().map(value).collect()
}
