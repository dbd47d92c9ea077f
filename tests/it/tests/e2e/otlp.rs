//! Traces: what a collector receives about jobs, and what of it stands in the documents.

use std::collections::{BTreeMap, BTreeSet};

use it::{Builder, Shape, System, http};
use serde_json::{Value, json};
use standin::chat::{ChatEndpoint, Script, ToolCall};
use test_support::eventually;
use tokio::sync::OnceCell;

mod collector;
mod conventions;
mod drawing;
mod langchain;
mod switches;

use collector::{Collector, Span};
use drawing::{depth, draw, is_documented};

/// The trace of a caller, and its span.
const CALLER: (&str, &str) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");

#[tokio::test]
async fn the_sample_job_is_one_trace_that_leads_to_one_for_each_lane() {
    let traced = sample_job().await;

    let request = traced.only("POST /simulate/trigger");
    assert_eq!((request.trace.as_str(), request.parent.as_str()), CALLER, "the caller's trace goes on");
    is_documented("the sample job", &draw(&traced.spans, request));
    let root = traced.roots().into_iter().find(|root| root.name == "lane gpt-5").unwrap();
    is_documented("a lane of the sample job", &draw(&traced.spans, root));
}

#[tokio::test]
async fn lanes_and_the_job_are_linked_both_ways() {
    let traced = sample_job().await;

    let plan = traced.only("plan job");
    let roots: Vec<&Span> =
        traced.roots().into_iter().filter(|root| root.name.starts_with("lane ")).collect();
    assert_eq!(roots.len(), 6);
    for root in roots {
        assert_eq!(root.links, [(plan.trace.clone(), plan.id.clone())], "{root:?}");
        let forward = traced.spans.iter().filter(|span| span.parent == plan.id && span.name == root.name);
        let links: Vec<_> = forward.flat_map(|span| span.links.clone()).collect();
        assert_eq!(links, [(root.trace.clone(), root.id.clone())]);
    }
}

#[tokio::test]
async fn every_span_keeps_to_the_conventions_and_has_its_place() {
    for traced in [sample_job().await, agents_day().await] {
        conventions::hold(&traced.spans);
        for root in traced.roots() {
            assert!(depth(&traced.spans, root) <= 12, "{}", draw(&traced.spans, root));
        }
        for span in traced.spans.iter().filter(|span| !span.parent.is_empty() && span.parent != CALLER.1) {
            let is_parent = |other: &Span| other.trace == span.trace && other.id == span.parent;
            assert!(traced.spans.iter().any(is_parent), "{} has no parent: {span:?}", span.name);
        }
        for probe in ["/health", "/livez", "/readyz", "/metrics"] {
            assert!(traced.spans.iter().all(|span| span.attribute("url.path") != probe), "{probe}");
        }
    }
}

#[tokio::test]
async fn batches_are_traces_of_their_own_with_few_links() {
    let traced = sample_job().await;

    let batches: Vec<_> =
        traced.spans.iter().filter(|span| span.name == "process status.projection.v1").collect();
    assert!(!batches.is_empty());
    for batch in batches {
        assert!(batch.parent.is_empty() && (1..=128).contains(&batch.links.len()), "{batch:?}");
    }
}

#[tokio::test]
async fn ids_are_attributes_and_never_in_names() {
    let traced = sample_job().await;

    for span in &traced.spans {
        let words = span.name.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        assert!(words.into_iter().all(|word| word.parse::<uuid::Uuid>().is_err()), "{}", span.name);
        assert!(!span.name.contains("2025-10"), "{}", span.name);
        assert!(!span.attribute("url.full").contains("a-paying-key"), "{span:?}");
    }
}

#[tokio::test]
async fn lines_about_a_job_say_which_of_its_traces_they_belong_to() {
    let traced = sample_job().await;

    let traces: BTreeSet<&str> = traced.spans.iter().map(|span| span.trace.as_str()).collect();
    let lines: Vec<Value> = traced.logs.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of_job: Vec<&Value> = lines.iter().filter(|line| line["job.id"] == traced.job.as_str()).collect();
    assert!(of_job.len() >= 3, "{}", traced.logs);
    for line in of_job {
        let trace = line["trace_id"].as_str().unwrap_or_default();
        // Of batches, which are traces of their own, some are not kept.
        let is_of_batch = line["span"]["messaging.batch.message_count"].is_number();
        assert!(traces.contains(trace) || is_of_batch && trace.len() == 32, "{line}");
        assert_eq!(line["span_id"].as_str().map(str::len), Some(16), "{line}");
    }
}

#[tokio::test]
async fn a_day_with_six_tool_calls_shows_each_call_and_each_tool() {
    let traced = agents_day().await;

    let root = traced.roots().into_iter().find(|root| root.name == "lane a").unwrap();
    is_documented("a day with six tool calls", &draw(&traced.spans, root));
    let services: BTreeMap<String, String> = traced
        .spans
        .iter()
        .map(|span| (span.service(), format!("{:?}", span.resource["service.instance.id"])))
        .collect();
    let without = traced.spans.iter().find(|span| span.service() == "modelday");
    assert!(without.is_none(), "{without:?} belongs to no service");
    let expected = ["modelday-downloader", "modelday-executor", "modelday-status", "modelday-trigger"];
    assert_eq!(services.keys().map(String::as_str).collect::<Vec<_>>(), expected);
    assert_eq!(services.values().collect::<BTreeSet<_>>().len(), 1, "they are one process: {services:?}");
    let sent: BTreeSet<&str> =
        traced.traceparents.iter().map(|traceparent| traceparent.split('-').nth(1).unwrap()).collect();
    assert_eq!(
        sent,
        BTreeSet::from([root.trace.as_str()]),
        "calls of the endpoint belong to the lane's trace"
    );
    let of_provider = &traced.provider_traceparents;
    assert!(!of_provider.is_empty() && of_provider.iter().all(Option::is_some), "{of_provider:?}");
    assert!(traced.tenants.iter().all(|tenant| tenant == "blue") && !traced.tenants.is_empty());
}

#[tokio::test]
async fn a_job_of_many_turns_is_a_few_flat_traces_and_loses_no_span() {
    let collector = Collector::over_grpc().await;
    let models: String = (0..10)
        .map(|number| {
            format!(
                "[[models]]\nsignature = \"m{number}\"\nkind = \"policy\"\nenabled = true\n\
                 policy = {{ policy = \"random\", seed = {number}, orders_per_day = 2 }}\n"
            )
        })
        .collect();
    let system = System::builder(Shape::OneProcess).universe(&["AAPL", "MSFT"], None).models(&models);
    // A turn ends after each day.
    let system = traced(system, &collector).env("LANE_SLICE_MS", "0").start().await;

    let traced =
        Traced::of(system, &collector, &json!({ "start_date": "2025-10-01", "end_date": "2025-10-29" }))
            .await;

    assert_eq!(traced.spans.iter().filter(|span| span.name.starts_with("model-days ")).count(), 210);
    let roots = traced.roots();
    assert!(roots.len() <= 30, "{:?}", roots.iter().map(|root| &root.name).collect::<Vec<_>>());
    for root in roots {
        assert!(depth(&traced.spans, root) <= 12, "{}", draw(&traced.spans, root));
    }
    assert_eq!(traced.counts["dropped"] + traced.counts["refused"], 0);
    assert!(traced.counts["exported"] > 210, "{:?}", traced.counts);
}

#[tokio::test]
async fn a_collector_of_a_given_authority_is_reached_over_tls() {
    let (collector, authority) = Collector::over_tls().await;
    let file = std::env::temp_dir().join(format!("modelday-otlp-{}.pem", uuid::Uuid::now_v7()));
    std::fs::write(&file, authority).unwrap();
    let system = System::builder(Shape::OneProcess)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)
        .env("OTEL_EXPORTER_OTLP_CERTIFICATE", &file.display().to_string())
        .env("OTEL_SERVICE_NAME", "desk")
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .start()
        .await;

    system.client.get_ok("/models").await;

    let span = eventually("the request is exported", async || {
        collector.spans().into_iter().find(|span| span.name == "GET /models")
    })
    .await;
    assert_eq!(span.service(), "desk-trigger");
    std::fs::remove_file(file).unwrap();
}

/// What is known of one job.
struct Traced {
    job: String,
    spans: Vec<Span>,
    logs: String,
    /// Spans by what became of them.
    counts: BTreeMap<&'static str, u64>,
    /// The headers of the same name that a model's endpoint received.
    traceparents: Vec<String>,
    /// The same of each call of the provider of prices.
    provider_traceparents: Vec<Option<String>>,
    tenants: Vec<String>,
}

impl Traced {
    /// Runs a job to its end, and stops the system, which exports what is left.
    async fn of(mut system: System, collector: &Collector, request: &Value) -> Self {
        // A job that is triggered before is taken from an outbox, and its message is handled later.
        eventually("every service has subscribed", async || {
            let logs = system.logs();
            let subscribed = |name: &str| logs.contains(&format!("subscribed to {name}"));
            messaging::topology::QUEUES.iter().all(|queue| subscribed(queue.name)).then_some(())
        })
        .await;
        let url = format!("{}/simulate/trigger", system.client.trigger_url);
        let traceparent = format!("00-{}-{}-01", CALLER.0, CALLER.1);
        let answer = http().post(url).header("traceparent", traceparent).json(request).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let job = answer["job_id"].as_str().unwrap().to_owned();
        system.client.ended(&job).await;
        // Trigger is the last service that handles the end.
        let last = "process modelday.events:modelday.job.completed.v1:trigger.jobs.v1";
        eventually("trigger has handled the end", async || {
            collector.spans().iter().any(|span| span.name == last).then_some(())
        })
        .await;
        let mut counts = BTreeMap::new();
        for outcome in ["exported", "refused", "dropped"] {
            let name = format!("modelday_trace_spans_total{{outcome=\"{outcome}\"}} ");
            let mut sum = 0;
            for service in system.services() {
                let (_, text) = system.get(service, "/metrics").await.unwrap();
                let value = text.lines().find_map(|line| line.strip_prefix(&name)).unwrap();
                sum += value.parse::<u64>().unwrap();
            }
            counts.insert(outcome, sum);
        }
        // A process exports what is left before it ends.
        for service in system.services() {
            system.signal(service, "TERM");
            eventually("it ends", async || system.has_ended(service).then_some(())).await;
        }
        let (spans, tenants) = (collector.spans(), collector.tenants());
        let provider_traceparents = system.prices.calls().into_iter().map(|call| call.traceparent).collect();
        let (logs, traceparents) = (system.logs(), Vec::new());
        Self { job, spans, logs, counts, traceparents, provider_traceparents, tenants }
    }

    fn only(&self, name: &str) -> &Span {
        let found: Vec<_> = self.spans.iter().filter(|span| span.name == name).collect();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        found[0]
    }

    /// The roots of the traces that the job has led to.
    fn roots(&self) -> Vec<&Span> {
        let is_root = |span: &&Span| {
            (span.parent.is_empty() || span.parent == CALLER.1) && !span.name.starts_with("GET ")
        };
        self.spans.iter().filter(is_root).collect()
    }
}

fn traced(builder: Builder, collector: &Collector) -> Builder {
    builder
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        // One turn for each lane, however slow the machine is.
        .env("LANE_SLICE_MS", "600000")
        .env("AGENT_SLICE_MS", "600000")
}

/// The sample job, in four processes that export over gRPC; run once for all tests.
async fn sample_job() -> &'static Traced {
    static TRACED: OnceCell<Traced> = OnceCell::const_new();
    let run = || async {
        let collector = Collector::over_grpc().await;
        let system = traced(System::builder(Shape::FourProcesses), &collector).start().await;
        let request = json!({ "start_date": "2025-10-01", "end_date": "2025-10-29" });
        Traced::of(system, &collector, &request).await
    };
    TRACED.get_or_init(run).await
}

/// A day of a language model, in one process that exports over HTTP; run once for all tests.
async fn agents_day() -> &'static Traced {
    static TRACED: OnceCell<Traced> = OnceCell::const_new();
    let run = || async {
        let collector = Collector::over_http().await;
        let endpoint = ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.unwrap();
        endpoint.script("a", "2025-10-02", six_tool_calls());
        let models = format!(
            "[[models]]\nsignature = \"a\"\nkind = \"llm\"\nenabled = true\nbase_url = \"{}\"\nbasemodel = \"a\"\n",
            endpoint.base_url()
        );
        let system = System::builder(Shape::OneProcess).universe(&["AAPL", "MSFT"], None).models(&models);
        let system = traced(system, &collector)
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
            .env("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=blue")
            .start()
            .await;
        let request = json!({ "start_date": "2025-10-02", "end_date": "2025-10-02" });
        let traced = Traced::of(system, &collector, &request).await;
        let traceparents = endpoint.calls().into_iter().filter_map(|call| call.traceparent).collect();
        Traced { traceparents, ..traced }
    };
    TRACED.get_or_init(run).await
}

fn six_tool_calls() -> Script {
    let call = |name: &str, arguments: Value| ToolCall::new(name, &arguments);
    let price = |symbol: &str| call("get_price_local", json!({ "symbol": symbol, "date": "2025-10-01" }));
    vec![
        vec![call("get_position", json!({})), price("AAPL"), price("MSFT")],
        vec![call("buy", json!({ "symbol": "AAPL", "amount": 3 }))],
        vec![call("buy", json!({ "symbol": "MSFT", "amount": 2 })), call("get_position", json!({}))],
    ]
}
