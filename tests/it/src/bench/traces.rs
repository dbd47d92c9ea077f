//! What traces cost: model-days per second while they are exported. The floor is the rate without them.

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::routing::post;
use it::Shape;
use tokio::net::TcpListener;

use crate::measure::Line;
use crate::throughput;

/// Jobs of which the middle one counts.
const JOBS: usize = 3;

pub(crate) async fn measure() -> Vec<Line> {
    let collector = collector().await;
    let export = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    ];
    let sampled = [("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.05")];
    let without = rate(&[]).await;
    let all = rate(&export).await;
    let some = rate(&[export, sampled].concat()).await;
    let line = |what, rate: f64| Line {
        what,
        ours: format!("{rate:.0} /s"),
        floor: format!("{without:.0} /s"),
        ratio: Some(rate / without),
        target: "-",
    };
    vec![
        line(
            "model-days per second while all traces are exported, the collector on the same processors (floor: none)",
            all,
        ),
        line("the same while one trace in twenty is", some),
    ]
}

async fn rate(env: &[(&str, &str)]) -> f64 {
    let (system, _) = throughput::started(Shape::OneProcess, env).await;
    let mut rates = Vec::new();
    for number in 0..JOBS {
        rates.push(throughput::run(&system, &format!("job-{number}"), || ()).await.1);
    }
    rates.sort_by(f64::total_cmp);
    rates[JOBS / 2]
}

/// Starts a collector that accepts all spans and keeps none; its address.
async fn collector() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // An empty message in protocol buffers.
    let accept =
        |_: Bytes| async { (StatusCode::OK, [(header::CONTENT_TYPE, "application/x-protobuf")], "") };
    let routes = Router::new().route("/v1/traces", post(accept));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}
