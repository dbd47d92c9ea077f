//! An accepted cancellation is carried out, no matter which process is killed meanwhile.

use it::{Broker, Service, Shape, System};
use serde_json::{Value, json};
use test_support::eventually;

const MODELS: &str = "[[models]]\nsignature = \"random\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"random\", seed = 1, orders_per_day = 3 }\n";

fn long() -> Value {
    json!({ "start_date": "2016-01-04", "end_date": "2025-09-30" })
}

async fn is_cancelled(system: &System, job: &str) {
    let status = system.client.ended(job).await;
    assert_eq!(status["status"], "cancelled", "{}", status["progress"]);
    let ends = format!(
        "SELECT count(*) FROM execution.outbox WHERE job_id = '{job}' AND kind LIKE 'modelday.job.%'
             AND kind <> 'modelday.job.started.v1'"
    );
    assert_eq!(system.database.count(&ends).await, 1, "the job ended more than once");
    let open = "SELECT count(*) FROM execution.portfolios WHERE holder IS NOT NULL";
    assert_eq!(system.database.count(open).await, 0, "a portfolio is held");
}

#[tokio::test]
async fn jobs_cancelled_while_the_broker_is_down_end_so_and_cost_nothing() {
    let broker = Broker::start("cancel");
    let system = System::builder(Shape::FourProcesses)
        .broker(broker.urls())
        .universe(&["AAPL", "MSFT"], None)
        .models(MODELS)
        .prices(|prices| prices.generated_from("2015-01-02".parse().expect("a date")))
        .env("LANE_SLICE_MS", "20")
        .start()
        .await;
    let running = system.client.trigger(&long()).await;
    system.client.until(&running, "run", |status| status["progress"]["completed"].as_u64() > Some(10)).await;
    let calls = system.prices.calls().len();
    broker.stop();
    let pending = json!({ "start_date": "2015-06-01", "end_date": "2015-06-05", "experiment": "pending" });
    let pending = system.client.trigger(&pending).await;

    system.client.cancel(&running).await;
    system.client.cancel(&pending).await;

    let state = format!("SELECT state FROM execution.jobs WHERE id = '{running}'");
    eventually("the running job is cancelled without the broker", async || {
        (system.database.text(&state).await == "cancelled").then_some(())
    })
    .await;
    broker.up();
    is_cancelled(&system, &running).await;
    is_cancelled(&system, &pending).await;
    assert_eq!(system.prices.calls().len(), calls, "prices were fetched for a cancelled job");
}

#[tokio::test]
async fn every_service_killed_around_a_cancellation_loses_nothing_of_it() {
    let mut system = System::builder(Shape::FourProcesses)
        .universe(&["AAPL", "MSFT"], None)
        .models(MODELS)
        .prices(|prices| prices.generated_from("2015-01-02".parse().expect("a date")))
        .env("LANE_SLICE_MS", "20")
        .start()
        .await;

    for killed in [Service::Executor, Service::Trigger, Service::Downloader, Service::Status] {
        let job = json!({ "start_date": "2016-01-04", "end_date": "2025-09-30", "experiment": format!("{killed:?}") });
        let job = system.client.trigger(&job).await;
        system.client.until(&job, "run", |status| status["progress"]["completed"].as_u64() > Some(5)).await;

        system.client.cancel(&job).await;
        system.kill(killed);
        system.restart(killed).await;

        is_cancelled(&system, &job).await;
    }
    let fills = "SELECT count(*) - count(DISTINCT (portfolio_id, trading_date, revision, sequence)) FROM execution.fills";
    assert_eq!(system.database.count(fills).await, 0);
}
