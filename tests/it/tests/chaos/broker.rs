//! The broker stops, or loses its state.

use it::{Broker, Service, Shape, System};
use messaging::topology::{Account, QUEUES};
use serde_json::{Value, json};
use test_support::eventually;

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
async fn a_job_that_is_triggered_while_the_broker_blocks_publishers_is_accepted_and_runs_when_it_does_not() {
    let broker = Broker::start("alarm");
    let system = System::builder(Shape::FourProcesses)
        .broker(broker.urls())
        .universe(&["AAPL", "MSFT"], None)
        .models(MODELS)
        .start()
        .await;

    broker.memory_alarm(true);
    let mut jobs = Vec::new();
    for experiment in ["first", "second"] {
        jobs.push(system.client.trigger(&request(experiment, "2025-10-01", "2025-10-03")).await);
    }
    // A relay gives up a blocked channel after ten seconds.
    tokio::time::sleep(std::time::Duration::from_secs(12)).await;
    assert_eq!(system.database.count("SELECT count(*) FROM execution.model_days").await, 0);
    broker.memory_alarm(false);

    for job in &jobs {
        let status = system.client.ended(job).await;
        assert_eq!(status["status"], "completed", "{status}");
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

/// What a broker may lose of a queue.
#[derive(Debug, Clone, Copy)]
enum Loss {
    /// The queue itself, as if its service had never run: nobody else declares it.
    Queue,
    /// Its messages, as after a purge, which the broker does not report.
    Messages,
}

/// Waits until every service knows that every job has ended.
async fn all_have_ended(system: &System) {
    let open = "SELECT (SELECT count(*) FROM trigger.jobs WHERE ended_at IS NULL)
        + (SELECT count(*) FROM trigger.jobs)
        - (SELECT count(*) FROM status.jobs WHERE state = 'completed')";
    eventually("all jobs have ended", async || (system.database.count(open).await == 0).then_some(())).await;
}

#[tokio::test]
async fn a_service_whose_queues_are_missing_or_emptied_finds_what_was_sent_without_it() {
    let mut system =
        System::builder(Shape::FourProcesses).universe(&["AAPL"], None).models(MODELS).start().await;
    let services = [
        (Service::Trigger, Account::Trigger),
        (Service::Downloader, Account::Downloader),
        (Service::Executor, Account::Executor),
        (Service::Status, Account::Status),
    ];
    let losses = [Loss::Queue, Loss::Messages];

    for ((service, account), loss) in services.iter().flat_map(|service| losses.map(|loss| (*service, loss)))
    {
        let job = |when| request(&format!("{when}-{service:?}-{loss:?}"), "2025-10-01", "2025-10-02");
        system.client.trigger(&job("before")).await;
        all_have_ended(&system).await;
        if service == Service::Trigger {
            let without = system.client.trigger(&job("without")).await;
            system.kill(service);
            system.client.ended(&without).await;
        } else {
            system.kill(service);
            system.client.trigger(&job("without")).await;
        }
        let vhost = system.vhost.as_ref().expect("a virtual host");
        let queues: Vec<_> = QUEUES.iter().filter(|queue| queue.reader == account).collect();
        match loss {
            Loss::Queue => queues.iter().for_each(|queue| vhost.delete_queue(queue.name)),
            Loss::Messages => {
                eventually("messages are lost", async || {
                    let mut lost = 0;
                    for queue in &queues {
                        lost += vhost.drain(queue.name).await.len();
                    }
                    (lost > 0).then_some(())
                })
                .await;
            }
        }
        system.restart(service).await;
    }

    all_have_ended(&system).await;
    assert_eq!(system.database.count("SELECT count(*) FROM trigger.jobs").await, 16);
    assert_no_second_fill(&system).await;
}
