//! The manifests for Kubernetes: valid by its own schemas, and about the services as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use it::{node_packages, python_programs};
use serde_json::Value;

use crate::{printed, root};

const SERVICES: [&str; 4] = ["trigger", "downloader", "executor", "status"];

/// The resources of the overlay, put together and valid; `None` on a machine that cannot validate them.
fn resources() -> Option<&'static [Value]> {
    static RESOURCES: OnceLock<Option<Vec<Value>>> = OnceLock::new();
    let read = || {
        let output = build(&root().join("deploy/kubernetes/external"))?;
        assert!(output.status.success(), "{}", printed(&output));
        Some(serde_json::from_slice(&output.stdout).unwrap())
    };
    RESOURCES.get_or_init(read).as_deref()
}

fn build(folder: &Path) -> Option<Output> {
    let programs = python_programs("kubernetes")?;
    let mut python = Command::new(programs.join("python"));
    Some(python.arg(root().join("tests/python/kubernetes.py")).arg(folder).output().unwrap())
}

fn of_kind<'a>(resources: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    resources.iter().filter(move |resource| resource["kind"] == kind)
}

fn name(resource: &Value) -> &str {
    resource["metadata"]["name"].as_str().unwrap()
}

fn named<'a>(resources: &'a [Value], kind: &'a str, expected: &str) -> &'a Value {
    let found = of_kind(resources, kind).find(|resource| name(resource) == expected);
    found.unwrap_or_else(|| panic!("there is no {kind} {expected}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The pod of each Deployment and Job, by its name.
fn pods(resources: &[Value]) -> BTreeMap<&str, &Value> {
    let workloads = of_kind(resources, "Deployment").chain(of_kind(resources, "Job"));
    workloads.map(|workload| (name(workload), &workload["spec"]["template"])).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn kubernetes_and_keda_accept_the_manifests() {
    let Some(resources) = resources() else { return };

    for service in SERVICES {
        named(resources, "Deployment", service);
        named(resources, "Service", service);
        named(resources, "PodDisruptionBudget", service);
    }
    let Some(packages) = node_packages("kubernetes") else { return };
    for scaled in of_kind(resources, "ScaledObject") {
        assert!(keda_accepts(&packages, scaled), "{scaled}");
        let target =
            named(resources, "Deployment", scaled["spec"]["scaleTargetRef"]["name"].as_str().unwrap());
        assert!(target["spec"]["replicas"].is_null(), "KEDA sets how many {} there are", name(target));
        let mut wrong = scaled.clone();
        wrong["spec"]["triggers"] = Value::from("prometheus");
        assert!(!keda_accepts(&packages, &wrong), "triggers are a list");
    }
    assert_eq!(of_kind(resources, "ScaledObject").count(), 2);
}

/// Whether the schema of KEDA's resource has it as valid.
fn keda_accepts(packages: &Path, scaled: &Value) -> bool {
    let program =
        "const { ScaledObject } = await import('@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject');
        try { new ScaledObject(JSON.parse(process.argv[1])).validate(); }
        catch (problem) { console.error(String(problem)); process.exit(1); }";
    let mut node = Command::new("node");
    node.args(["--input-type=module", "-e", program, &scaled.to_string()]).current_dir(packages);
    let output = node.output().unwrap();
    assert!(output.status.success() || !printed(&output).contains("ERR_"), "{}", printed(&output));
    output.status.success()
}

#[test]
fn a_member_that_kubernetes_does_not_know_is_refused() {
    let copy = std::env::temp_dir().join(format!("modelday-kubernetes-{}", uuid::Uuid::now_v7()));
    let status =
        Command::new("cp").arg("-r").arg(root().join("deploy/kubernetes")).arg(&copy).status().unwrap();
    assert!(status.success());
    let file = copy.join("base/executor.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("readinessProbe:", "readynessProbe:", 1)).unwrap();

    let output = build(&copy.join("external"));

    std::fs::remove_dir_all(&copy).unwrap();
    let Some(output) = output else { return };
    assert!(!output.status.success() && printed(&output).contains("readynessProbe"), "{}", printed(&output));
}

/// A variable that no service knows looks like a setting that has no effect.
#[test]
fn every_variable_is_a_setting_and_addresses_with_passwords_come_from_secrets() {
    let Some(resources) = resources() else { return };
    let names = read("crates/runtime/src/settings/names.rs");
    let known: BTreeSet<String> = names
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","))
        .map(str::to_uppercase)
        .collect();
    let shared = named(resources, "ConfigMap", "modelday")["data"].as_object().unwrap();

    for variable in shared.keys() {
        assert!(known.contains(variable), "{variable} is no setting");
        assert!(!variable.ends_with("DATABASE_URL") && !variable.ends_with("AMQP_URL"), "{variable}");
    }
    for (pod, template) in pods(resources) {
        let container = &template["spec"]["containers"][0];
        for variable in list(&container["env"]) {
            let variable_name = variable["name"].as_str().unwrap();
            assert!(known.contains(variable_name), "{pod}: {variable_name} is no setting");
            let has_password = variable_name.ends_with("DATABASE_URL") || variable_name.ends_with("AMQP_URL");
            let secret = &variable["valueFrom"]["secretKeyRef"];
            assert_eq!(secret["name"].is_string(), has_password, "{pod}: {variable_name}");
        }
    }
    assert_eq!(of_kind(resources, "Secret").count(), 0, "no secret is in a repository");
}

#[test]
fn ports_probes_and_programs_are_those_of_the_services() {
    let Some(resources) = resources() else { return };
    let routes = read("docs/openapi.json");
    let (image, gateway) = (read("deploy/Dockerfile"), read("deploy/gateway/Caddyfile"));

    for service in SERVICES {
        let template = pods(resources)[service];
        let container = &template["spec"]["containers"][0];
        let port = container["ports"][0]["containerPort"].as_u64().unwrap();
        let listen = list(&container["env"]).iter().find(|variable| variable["name"] == "LISTEN").unwrap();
        assert_eq!(listen["value"], format!("0.0.0.0:{port}"), "{service}");
        assert!(
            gateway.contains(&format!("reverse_proxy {service}:{port} ")),
            "the gateway's way to {service}"
        );
        let way = &named(resources, "Service", service)["spec"];
        assert_eq!(
            (&way["ports"][0]["port"], &way["ports"][0]["targetPort"]),
            (&port.into(), &"http".into())
        );
        assert_eq!(way["selector"]["app.kubernetes.io/name"], service);
        for (probe, path) in
            [("livenessProbe", "/livez"), ("startupProbe", "/livez"), ("readinessProbe", "/readyz")]
        {
            assert_eq!(container[probe]["httpGet"]["path"], path, "{service}");
            assert!(routes.contains(&format!("\"{path}\": {{")), "{path} is no route");
        }
        assert_eq!(container["command"][0], service);
    }
    for (pod, template) in pods(resources) {
        let Some(program) = template["spec"]["containers"][0]["command"][0].as_str() else { continue };
        assert!(image.contains(&format!("/programs/{program} ")), "{pod}: the image has no {program}");
    }
    assert_eq!(read("deploy/kubernetes/base/Caddyfile"), gateway, "the two files are the same");
}

#[test]
fn no_container_may_do_more_than_it_needs() {
    let Some(resources) = resources() else { return };
    let pods = pods(resources);

    assert_eq!(pods.len(), 6, "{:?}", pods.keys());
    for (pod, template) in pods {
        let (spec, container) = (&template["spec"], &template["spec"]["containers"][0]);
        assert_eq!(spec["securityContext"]["runAsNonRoot"], true, "{pod}");
        assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{pod}");
        assert_eq!(spec["automountServiceAccountToken"], false, "{pod}");
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true, "{pod}");
        assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false, "{pod}");
        assert_eq!(container["securityContext"]["capabilities"]["drop"], serde_json::json!(["ALL"]), "{pod}");
        for amount in ["cpu", "memory"] {
            assert!(container["resources"]["requests"][amount].is_string(), "{pod} requests no {amount}");
        }
        assert!(container["resources"]["limits"]["memory"].is_string(), "{pod} has no limit of memory");
        let version = container["image"].as_str().unwrap().rsplit_once(':').unwrap().1;
        assert!(
            version.split(['-', '.']).filter_map(|part| part.parse::<u32>().ok()).count() == 3,
            "{version}"
        );
    }
}

/// A policy that selects nothing allows nothing, and forbids nothing.
#[test]
fn every_selector_selects_a_pod_and_every_pod_is_shut_off_but_for_what_is_listed() {
    let Some(resources) = resources() else { return };
    let pods = pods(resources);
    let selects = |selector: &Value, pod: &str| {
        let labels = &pods[pod]["metadata"]["labels"];
        let equal = selector["matchLabels"]
            .as_object()
            .into_iter()
            .flatten()
            .all(|(key, value)| labels[key] == *value);
        equal
            && list(&selector["matchExpressions"])
                .iter()
                .all(|one| list(&one["values"]).contains(&labels[one["key"].as_str().unwrap()]))
    };

    for policy in of_kind(resources, "NetworkPolicy") {
        let selector = &policy["spec"]["podSelector"];
        assert!(pods.keys().any(|pod| selects(selector, pod)), "{} selects no pod", name(policy));
    }
    for budget in of_kind(resources, "PodDisruptionBudget") {
        assert!(selects(&budget["spec"]["selector"], name(budget)), "{}", name(budget));
    }
    let nothing_else = &named(resources, "NetworkPolicy", "nothing-else")["spec"];
    assert_eq!(nothing_else["policyTypes"], serde_json::json!(["Ingress", "Egress"]));
    assert!(nothing_else["ingress"].is_null() && nothing_else["egress"].is_null());
    for pod in pods.keys() {
        assert!(selects(&nothing_else["podSelector"], pod), "{pod} is not shut off");
    }
}

#[test]
fn replicas_follow_metrics_that_exist() {
    let Some(resources) = resources() else { return };
    let documented = read("docs/observability.md");

    let mut metrics = 0;
    for scaled in of_kind(resources, "ScaledObject") {
        for trigger in list(&scaled["spec"]["triggers"]) {
            let query = trigger["metadata"]["query"].as_str().unwrap();
            let words = query.split(|c: char| !c.is_ascii_lowercase() && c != '_');
            for metric in words.filter(|word| word.starts_with("modelday_")) {
                metrics += 1;
                assert!(documented.contains(&format!("| `{metric}` | gauge")), "{metric} is no gauge");
            }
        }
    }
    assert_eq!(metrics, 3);
}
