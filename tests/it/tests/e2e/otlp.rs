//! Traces: what a collector receives about one small job.

use std::collections::BTreeSet;

use it::{Shape, System};
use serde_json::json;
use test_support::eventually;
use tokio::sync::OnceCell;

mod collector;

use collector::{Collector, Span};

const EQUAL: &str = "[[models]]\nsignature = \"equal\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"equal_weight\" }\n";

#[tokio::test]
async fn a_job_is_one_trace_from_the_request_to_the_read_model() {
    let traced = traced_job().await;

    let request = traced.only("POST /simulate/trigger");
    let trace = traced.of_trace(&request.trace);
    let names: BTreeSet<_> =
        trace.iter().map(|span| (span.service.as_str(), span.kind, span.name.as_str())).collect();
    let expected = [
        ("modelday-downloader", "CLIENT", "fetch alpha_vantage"),
        (
            "modelday-downloader",
            "CONSUMER",
            "process modelday.events:modelday.job.requested.v1:downloader.jobs.v1",
        ),
        ("modelday-downloader", "INTERNAL", "prepare prices"),
        ("modelday-downloader", "PRODUCER", "send modelday.events:modelday.data.download_progressed.v1"),
        ("modelday-downloader", "PRODUCER", "send modelday.events:modelday.data.download_started.v1"),
        ("modelday-downloader", "PRODUCER", "send modelday.events:modelday.data.ready.v1"),
        ("modelday-executor", "CONSUMER", "process modelday.events:modelday.data.ready.v1:executor.plans.v1"),
        ("modelday-executor", "INTERNAL", "plan"),
        ("modelday-executor", "PRODUCER", "send modelday.events:modelday.job.started.v1"),
        ("modelday-status", "CONSUMER", "process status.projection.v1"),
        ("modelday-trigger", "PRODUCER", "send modelday.events:modelday.job.requested.v1"),
        ("modelday-trigger", "SERVER", "POST /simulate/trigger"),
    ];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), expected);
    for span in trace.iter().filter(|span| span.id != request.id) {
        assert!(trace.iter().any(|other| other.id == span.parent), "{} has no parent", span.name);
    }
}

#[tokio::test]
async fn a_lane_has_its_own_trace_that_links_to_the_trace_of_the_job() {
    let traced = traced_job().await;

    let (plan, lane) = (traced.only("plan"), traced.only("lane"));
    assert_eq!(lane.links, [(plan.trace.clone(), plan.id.clone())]);
    let trace = traced.of_trace(&lane.trace);
    let days = trace.iter().filter(|span| span.name == "model_day").map(|span| {
        let attribute = |name: &str| span.attributes[name].as_str();
        (attribute("job.id"), attribute("model"), attribute("trading_date"))
    });
    let job = traced.job.as_str();
    assert_eq!(
        days.collect::<BTreeSet<_>>(),
        BTreeSet::from([(job, "equal", "2025-10-01"), (job, "equal", "2025-10-02")])
    );
    for name in [
        "send modelday.commands.v2:lane.continue",
        "process modelday.commands.v2:lane.continue:executor.lanes.v1",
        "send modelday.events:modelday.model_day.completed.v1",
        "send modelday.events:modelday.job.completed.v1",
        "process modelday.events:modelday.job.completed.v1:trigger.jobs.v1",
        "process status.projection.v1",
    ] {
        assert!(trace.iter().any(|span| span.name == name), "{name}");
    }
}

#[tokio::test]
async fn spans_of_messages_follow_the_conventions() {
    let traced = traced_job().await;

    for span in &traced.spans {
        let operation = match span.kind {
            "PRODUCER" => "send",
            "CONSUMER" => "process",
            _ => continue,
        };
        let attribute = |name: &str| span.attributes.get(name).map_or("", String::as_str);
        let destination = attribute("messaging.destination.name");
        assert_eq!(span.name, format!("{operation} {destination}"));
        assert_eq!(attribute("messaging.system"), "rabbitmq", "{span:?}");
        assert_eq!(attribute("messaging.operation.type"), operation, "{span:?}");
        assert_eq!(attribute("messaging.operation.name"), operation, "{span:?}");
        assert_eq!(attribute("server.address"), "127.0.0.1", "{span:?}");
        assert!(attribute("server.port").parse::<u16>().is_ok(), "{span:?}");
        assert!(!span.links.is_empty(), "{} is linked to what created its message", span.name);
        if let [(trace, id)] = span.links.as_slice() {
            assert_eq!((&span.trace, &span.parent), (trace, id), "{span:?}");
        }
        if !span.attributes.contains_key("messaging.batch.message_count") {
            let key = attribute("messaging.rabbitmq.destination.routing_key");
            assert!(!key.is_empty() && destination.contains(key), "{span:?}");
            assert_eq!(attribute("messaging.message.conversation_id"), traced.job, "{span:?}");
            assert!(attribute("messaging.message.id").parse::<uuid::Uuid>().is_ok(), "{span:?}");
        }
    }
}

#[tokio::test]
async fn ids_are_attributes_and_never_in_names() {
    let traced = traced_job().await;

    for span in &traced.spans {
        let words = span.name.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        assert!(words.into_iter().all(|word| word.parse::<uuid::Uuid>().is_err()), "{}", span.name);
        assert!(!span.name.contains("2025-10"), "{}", span.name);
    }
    for name in ["prepare prices", "plan", "lane", "model_day"] {
        let spans: Vec<_> = traced.spans.iter().filter(|span| span.name == name).collect();
        assert!(spans.iter().all(|span| span.attributes["job.id"] == traced.job), "{spans:?}");
    }
}

/// All spans of four services about one job.
struct Traced {
    job: String,
    spans: Vec<Span>,
}

impl Traced {
    fn only(&self, name: &str) -> &Span {
        let found: Vec<_> = self.spans.iter().filter(|span| span.name == name).collect();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        found[0]
    }

    fn of_trace(&self, trace: &str) -> Vec<&Span> {
        self.spans.iter().filter(|span| span.trace == trace).collect()
    }
}

/// Runs the job once for all tests of this file.
async fn traced_job() -> &'static Traced {
    static TRACED: OnceCell<Traced> = OnceCell::const_new();
    TRACED
        .get_or_init(|| async {
            let collector = Collector::start().await;
            let mut system = System::builder(Shape::FourProcesses)
                .universe(&["AAPL"], None)
                .models(EQUAL)
                .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)
                .env("OTEL_BSP_SCHEDULE_DELAY", "100")
                .start()
                .await;
            // A job that is triggered before is taken from an outbox, and its message is handled later.
            eventually("every service has subscribed", async || {
                let logs = system.logs();
                let subscribed = |name: &str| logs.contains(&format!("subscribed to {name}"));
                messaging::topology::QUEUES.iter().all(|queue| subscribed(queue.name)).then_some(())
            })
            .await;
            let request = json!({ "start_date": "2025-10-01", "end_date": "2025-10-02" });
            let job = system.client.trigger(&request).await;
            system.client.ended(&job).await;
            // Trigger is the last service that handles the end.
            let last = "process modelday.events:modelday.job.completed.v1:trigger.jobs.v1";
            eventually("trigger has handled the end", async || {
                let spans = collector.spans();
                spans.iter().any(|span| span.name == last).then_some(())
            })
            .await;
            // A process exports what is left before it ends.
            for service in system.services() {
                system.signal(service, "TERM");
                eventually("it ends", async || system.has_ended(service).then_some(())).await;
            }
            let spans = collector.spans();
            Traced { job, spans }
        })
        .await
}
