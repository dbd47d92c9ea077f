//! The broker stops, or loses its state.

use it::{Broker, Service, Shape, System};
use messaging::topology::{Account, QUEUES};
use serde_json::{Value, json};

const MODELS: &str = "[[models]]\nsignature = \"cash\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }\n\
    [[models]]\nsignature = \"random\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"random\", seed = 1, orders_per_day = 3 }\n";

fn request(experiment: &str, start: &str, end: &str) -> Value {
    json!({ "start_date": start, "end_date": end, "experiment": experiment })
}

async fn assert_no_second_fill(system: &System) {
    let days = "SELECT count(*) FROM execution.model_days WHERE state = 'completed'";
    let portfolio_days = "SELECT count(DISTINCT (portfolio_id, trading_date)) FROM execution.model_days WHERE state = 'completed'";
    assert_eq!(system.database.count(days).await, system.database.count(portfolio_days).await);
    assert_eq!(
        system.database.count("SELECT count(*) FROM execution.model_days WHERE revision > 1").await,
        0
    );
}

#[tokio::test]
async fn jobs_triggered_while_the_broker_is_down_are_accepted_and_complete_when_it_is_back() {
    let broker = Broker::start("down");
    let mut system = System::builder(Shape::FourProcesses)
        .broker(broker.urls())
        .universe(&["AAPL", "MSFT"], None)
        .models(MODELS)
        .start()
        .await;
    broker.bind_queue("modelday.events", "modelday.job.requested.v1", "ext.test.order").await;
    broker.stop();

    let mut jobs = Vec::new();
    for number in 0..50 {
        jobs.push(system.client.trigger(&request(&format!("e{number}"), "2025-10-01", "2025-10-03")).await);
    }
    assert_eq!(system.database.count("SELECT count(*) FROM trigger.outbox WHERE sent_at IS NULL").await, 50);
    broker.up();

    for job in &jobs {
        let status = system.client.ended(job).await;
        assert_eq!(status["status"], "completed", "{status}");
    }
    let mut sent = Vec::new();
    for job in broker.correlations("ext.test.order").await {
        if !sent.contains(&job) {
            sent.push(job);
        }
    }
    assert_eq!(sent, jobs, "the first copies were sent out of order");
    for service in system.services() {
        assert!(!system.has_ended(service), "{service:?} ended");
    }
    assert_no_second_fill(&system).await;
}

#[tokio::test]
async fn a_broker_that_forgets_everything_while_jobs_run_costs_no_job_and_no_second_fill() {
    let broker = Broker::start("wiped");
    let system = System::builder(Shape::FourProcesses)
        .broker(broker.urls())
        .universe(&["AAPL", "MSFT"], None)
        .models(MODELS)
        .prices(|prices| prices.generated_from("2023-01-01".parse().expect("a date")))
        .env("LANE_SLICE_MS", "20")
        .start()
        .await;
    let mut jobs = Vec::new();
    for number in 0..4 {
        jobs.push(system.client.trigger(&request(&format!("e{number}"), "2024-01-02", "2025-09-30")).await);
    }
    system
        .client
        .until(&jobs[0], "begin", |status| status["progress"]["completed"].as_u64() > Some(10))
        .await;

    broker.reset();

    for job in &jobs {
        let status = system.client.ended(job).await;
        assert_eq!(status["status"], "completed", "{status}");
    }
    assert_no_second_fill(&system).await;
}

/// As if the service had never run: nobody else declares its queues.
#[tokio::test]
async fn a_service_whose_queues_are_missing_finds_what_was_sent_without_it() {
    let mut system =
        System::builder(Shape::FourProcesses).universe(&["AAPL"], None).models(MODELS).start().await;
    let services = [
        (Service::Trigger, Account::Trigger),
        (Service::Downloader, Account::Downloader),
        (Service::Executor, Account::Executor),
        (Service::Status, Account::Status),
    ];

    for (service, account) in services {
        let before =
            system.client.trigger(&request(&format!("{service:?}"), "2025-10-01", "2025-10-02")).await;
        system.kill(service);
        for queue in QUEUES.iter().filter(|queue| queue.reader == account) {
            system.vhost.as_ref().expect("a virtual host").delete_queue(queue.name);
        }
        if service == Service::Trigger {
            system.client.ended(&before).await;
        } else {
            system
                .client
                .trigger(&request(&format!("without-{service:?}"), "2025-10-01", "2025-10-02"))
                .await;
        }
        system.restart(service).await;
    }

    let jobs = "SELECT count(*) FROM trigger.jobs";
    let ended = "SELECT count(*) FROM trigger.jobs WHERE ended_at IS NOT NULL";
    let completed = "SELECT count(*) FROM status.jobs WHERE state = 'completed'";
    test_support::eventually("every service knows that every job has ended", async || {
        let known = [system.database.count(ended).await, system.database.count(completed).await];
        (known == [7, 7]).then_some(())
    })
    .await;
    assert_eq!(system.database.count(jobs).await, 7);
    assert_no_second_fill(&system).await;
}
