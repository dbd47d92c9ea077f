//! `DEPLOYMENT_MODE=DEV`: scripted agents, and a separate database.

use it::{Builder, Service, Shape, System};
use messaging::topology::Account;
use serde_json::{Value, json};
use standin::chat::ChatEndpoint;

use crate::stage::{endpoint, models};

/// Models of both kinds at paid endpoints, with a key that is not set.
fn paid(paid: &ChatEndpoint, scripted: &ChatEndpoint, shape: Shape) -> Builder {
    let http = "[[models]]\nsignature = \"b\"\nkind = \"http\"\nenabled = true\nurl = \"http://agents.invalid/\"\n\
                api_key_env = \"NO_SUCH_KEY\"\n";
    let llm = models(&paid.base_url(), &["a"], "api_key_env = \"NO_SUCH_KEY\"");
    System::builder(shape)
        .universe(&["AAPL", "MSFT", "NVDA"], None)
        .models(&format!("{llm}\n{http}"))
        .env("DEPLOYMENT_MODE", "DEV")
        .env("DEV_ENDPOINT_URL", &scripted.base_url())
}

fn october() -> Value {
    json!({ "start_date": "2025-10-01", "end_date": "2025-10-07" })
}

async fn scripted() -> ChatEndpoint {
    let endpoint = endpoint().await;
    endpoint.trade();
    endpoint
}

const JOBS: &str = "SELECT (SELECT count(*) FROM trigger.jobs) + (SELECT count(*) FROM market.preparations)
    + (SELECT count(*) FROM execution.jobs) + (SELECT count(*) FROM execution.fills)
    + (SELECT count(*) FROM execution.outbox) + (SELECT count(*) FROM status.jobs)";
const BARS: &str = "SELECT count(*) FROM market.bars";

#[tokio::test]
async fn development_trades_without_a_paid_call_and_begins_from_nothing_but_prices() {
    let (paid_endpoint, scripted) = (endpoint().await, scripted().await);
    let mut system = paid(&paid_endpoint, &scripted, Shape::OneProcess).start().await;

    let (_, answer) = system.client.post_trigger(&october()).await;
    let trailer = |answer: &Value| {
        ["deployment_mode", "is_dev_mode", "preserve_dev_data"].map(|field| answer[field].clone())
    };
    assert_eq!(trailer(&answer), [json!("DEV"), json!(true), json!(false)], "{answer}");
    let job = answer["job_id"].as_str().unwrap().to_owned();
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["progress"]["completed"], 10, "{status}");
    assert_eq!(trailer(&status), trailer(&answer));
    assert_eq!(trailer(&system.client.get_ok("/health").await), trailer(&answer));
    for model in ["a", "b"] {
        let fills = format!(
            "SELECT count(*) FROM execution.fills f JOIN execution.portfolios p ON p.id = f.portfolio_id
             WHERE p.model = '{model}'"
        );
        assert!(system.database.count_in_development(&fills).await >= 5, "{model} hardly trades");
    }
    assert!(paid_endpoint.calls().is_empty(), "the paid endpoint was called");
    assert!(scripted.calls().iter().all(|call| call.model == "a") && !scripted.calls().is_empty());
    assert_eq!(system.database.count(JOBS).await, 0, "jobs are in the other database");
    assert_eq!(system.database.count(BARS).await, 0, "prices are in the other database");
    assert!(!system.vhost.as_ref().unwrap().has_consumers(), "messages are in the other virtual host");
    let bars = system.database.count_in_development(BARS).await;
    let calls = system.prices.calls().len();

    system.kill(Service::Modelday);
    system.restart(Service::Modelday).await;
    assert_eq!(system.database.count_in_development(JOBS).await, 0, "a start removes earlier jobs");
    assert_eq!(system.database.count_in_development(BARS).await, bars, "prices stay");
    let again = system.client.trigger(&october()).await;
    assert_eq!(system.client.ended(&again).await["status"], "completed");
    assert_eq!(system.prices.calls().len(), calls, "stored prices are not downloaded again");

    system.kill(Service::Modelday);
    system.set_env("PRESERVE_DEV_DATA", "true");
    system.restart(Service::Modelday).await;
    let status = system.client.job(&again).await;
    assert_eq!((&status["status"], &status["preserve_dev_data"]), (&json!("completed"), &json!(true)));
}

#[tokio::test]
async fn a_service_that_starts_alone_removes_nothing() {
    let (paid_endpoint, scripted) = (endpoint().await, scripted().await);
    let mut system = paid(&paid_endpoint, &scripted, Shape::FourProcesses).start().await;
    let job = system.client.trigger(&october()).await;
    system.client.ended(&job).await;
    let jobs = system.database.count_in_development(JOBS).await;

    for service in system.services() {
        system.kill(service);
        system.restart(service).await;
    }

    assert_eq!(system.client.job(&job).await["status"], "completed");
    assert!(system.database.count_in_development(JOBS).await >= jobs);
    assert!(paid_endpoint.calls().is_empty(), "the paid endpoint was called");
}

#[tokio::test]
async fn a_missing_part_of_development_is_named_with_the_remedy() {
    let (paid_endpoint, scripted) = (endpoint().await, scripted().await);
    let mut system = paid(&paid_endpoint, &scripted, Shape::OneProcess).start().await;
    let fails = |system: &System, arguments: &[&str]| {
        let output = system.modelday(arguments);
        assert!(!output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };

    let amqp = system.vhost.as_ref().unwrap().url_of(Account::Executor);
    system.set_env("EXECUTOR_AMQP_URL", &format!("{amqp}-nowhere"));
    let printed = fails(&system, &["migrate", "--reset-dev"]);
    assert!(printed.contains("rabbitmqctl add_vhost test-") && printed.contains("-nowhere_dev"), "{printed}");
    system.set_env("DEV_ENDPOINT_URL", "");
    let printed = fails(&system, &["serve"]);
    assert!(printed.contains("DEV_ENDPOINT_URL (environment): is not set"), "{printed}");
    system.set_env("DEPLOYMENT_MODE", "PROD");
    let printed = fails(&system, &["migrate", "--reset-dev"]);
    assert!(printed.contains("--reset-dev needs DEPLOYMENT_MODE=DEV; nothing was changed"), "{printed}");
}
