//! The configuration of Prometheus, its rules and their rehearsals, checked by its own tool.

use std::path::{Path, PathBuf};

use it::{prometheus_folder, prometheus_program};

#[test]
fn promtool_accepts_the_configuration_and_the_rules() {
    let config = prometheus_folder().join("prometheus.yml");

    let answer = promtool(&["check", "config", config.to_str().unwrap()]);

    assert!(answer.contains("SUCCESS"), "{answer}");
}

#[test]
fn each_alert_fires_in_its_fault_and_clears_after_it() {
    let tests =
        ["alerts.yml", "slo.yml", "days.yml"].map(|name| prometheus_folder().join("tests").join(name));
    let tests: Vec<&str> = tests.iter().map(|path| path.to_str().unwrap()).collect();

    promtool(&[&["test", "rules"], tests.as_slice()].concat());

    let rehearsed: String = tests.iter().map(|path| read(Path::new(path))).collect();
    for alert in alerts() {
        let expected = format!("alertname: {alert}\n        exp_alerts:");
        assert!(rehearsed.contains(&expected), "no rehearsal lets {alert} fire");
        let clears = format!("alertname: {alert} }}");
        assert!(rehearsed.contains(&clears), "no rehearsal lets {alert} clear");
    }
}

#[test]
fn each_alert_has_an_entry_in_the_runbook() {
    let runbook = read(&root().join("docs/runbook.md"));
    let rules = rules();

    for alert in alerts() {
        let url = format!("runbook_url: docs/runbook.md#{}\n", alert.to_lowercase());
        assert!(rules.contains(&url), "{alert} has no link");
        assert!(runbook.contains(&format!("\n### {alert}\n")), "{alert} has no entry");
    }
}

fn alerts() -> Vec<String> {
    let text = rules();
    let names = text.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let names: Vec<String> = names.map(str::to_owned).collect();
    assert!(names.len() >= 12, "{names:?}");
    names
}

fn rules() -> String {
    ["alerts.yml", "slo.yml"].map(|name| read(&prometheus_folder().join(name))).concat()
}

/// What it prints.
fn promtool(arguments: &[&str]) -> String {
    let output = prometheus_program("promtool").args(arguments).output().expect("promtool is there");
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    assert!(output.status.success(), "{printed}");
    printed
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
