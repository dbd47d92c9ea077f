//! Every panel of the dashboards shows something after a real run.

use std::path::Path;

use it::Prometheus;
use serde_json::Value;
use test_support::eventually;

use crate::stage::{publish_noise, run, system};

#[tokio::test]
async fn each_query_of_each_panel_has_data_after_a_run() {
    let (system, _endpoints) = system().await;
    let prometheus = Prometheus::start(&system).await;
    run(&system, "first").await;
    prometheus.scraped().await;
    run(&system, "second").await;
    publish_noise(&system).await;
    system.counter(it::Service::Status, "modelday_dead_letters_total").await;

    for (panel, expression) in expressions() {
        let expression = expression.replace("$__rate_interval", "30s");
        eventually(&format!("{panel} shows something: {expression}"), async || {
            let samples = prometheus.query(&expression).await?;
            let values = samples.iter().filter_map(|sample| sample["value"][1].as_str()?.parse::<f64>().ok());
            values.into_iter().any(f64::is_finite).then_some(())
        })
        .await;
    }
}

/// Links to a dashboard and to a panel stay the same only when these do.
#[test]
fn dashboards_and_panels_have_ids_of_their_own_and_datasources_that_are_provisioned() {
    let sources = folder().join("provisioning/datasources/modelday.yaml");
    let sources = std::fs::read_to_string(sources).unwrap();
    for (name, dashboard) in dashboards() {
        assert_eq!(dashboard["uid"], format!("modelday-{name}"));
        let panels = dashboard["panels"].as_array().unwrap();
        let mut ids: Vec<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
        ids.dedup();
        assert_eq!(ids.len(), panels.len(), "{name}");
        for panel in panels {
            let source = panel["datasource"]["uid"].as_str().unwrap();
            assert!(sources.contains(&format!("uid: {source}\n")), "{source} of {}", panel["title"]);
        }
    }
}

/// The queries with the names of their panels.
fn expressions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, dashboard) in dashboards() {
        for panel in dashboard["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().unwrap() {
                let panel = format!("{name}: {}", panel["title"].as_str().unwrap());
                found.push((panel, target["expr"].as_str().unwrap().to_owned()));
            }
        }
    }
    assert!(found.len() > 40, "{} queries", found.len());
    found
}

fn dashboards() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder().join("dashboards")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        found.push((name, serde_json::from_str(&text).unwrap()));
    }
    assert_eq!(found.len(), 4);
    found
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/telemetry/grafana")
}
