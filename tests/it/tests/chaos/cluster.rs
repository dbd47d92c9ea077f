//! A broker of three nodes, of which two are killed again and again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use it::{Cluster, NODES, Shape, System};
use messaging::topology::{CONTROL_LISTENERS, QUEUES};
use serde_json::{Value, json};
use test_support::eventually;

const ROUNDS: usize = 20;
/// How soon after the second node is back the first message has to be handled: an attempt that began without a quorum takes
/// up to four seconds, and so does the wait for the next one.
const RECOVERY: Duration = Duration::from_secs(10);
/// How often the consumers are counted, which takes a second, before there are too many or too few for good.
const LOOKS: usize = 30;
const MODELS: &str = "[[models]]\nsignature = \"cash\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }\n\
    [[models]]\nsignature = \"random\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"random\", seed = 1, orders_per_day = 3 }\n";

fn request(experiment: &str, start: &str) -> Value {
    json!({ "start_date": start, "end_date": "2025-09-30", "experiment": experiment })
}

/// How many messages of each queue were handed to a handler so far.
async fn handled(system: &System) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for service in system.services() {
        let (_, metrics) = system.get(service, "/metrics").await.unwrap_or_default();
        for line in
            metrics.lines().filter(|line| line.starts_with("messaging_client_consumed_messages_total"))
        {
            let queue = QUEUES.iter().find(|queue| line.contains(&format!("\"{}\"", queue.name)));
            let count = line.rsplit(' ').next().and_then(|count| count.parse::<u64>().ok());
            if let (Some(queue), Some(count)) = (queue, count) {
                *counts.entry(queue.name.to_owned()).or_default() += count;
            }
        }
    }
    counts
}

/// How long it takes from now until some queue has a message handled, and until each of `queues` has.
async fn until_handled(system: &System, queues: usize) -> (Duration, Duration) {
    let (began, before) = (Instant::now(), handled(system).await);
    let mut first = None;
    let all = eventually("messages of every queue are handled", async || {
        let now = handled(system).await;
        let moved = now.iter().filter(|(queue, count)| before.get(*queue).is_none_or(|old| *count > old));
        let moved = moved.count();
        if moved > 0 {
            first.get_or_insert(began.elapsed());
        }
        (moved >= queues).then(|| began.elapsed())
    })
    .await;
    (first.unwrap_or(all), all)
}

/// Waits until nothing is left of the fault: every queue has its one consumer, each listening process its temporary queue,
/// and no message waits in an outbox.
async fn all_is_well(system: &System, cluster: &Cluster) {
    let mut found = BTreeMap::new();
    for _ in 0..LOOKS {
        found = cluster.consumers(0);
        if found.len() == QUEUES.len() + CONTROL_LISTENERS.len() && found.values().all(|count| *count == 1) {
            break;
        }
    }
    assert_eq!(found.len(), QUEUES.len() + CONTROL_LISTENERS.len(), "{found:?}");
    assert!(found.values().all(|count| *count == 1), "consumers: {found:?}");
    let waiting = "SELECT (SELECT count(*) FROM trigger.outbox WHERE sent_at IS NULL)
        + (SELECT count(*) FROM market.outbox WHERE sent_at IS NULL)
        + (SELECT count(*) FROM execution.outbox WHERE sent_at IS NULL)";
    eventually("the outboxes are empty", async || (system.database.count(waiting).await == 0).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "twenty rounds take about ten minutes"]
async fn two_of_three_brokers_killed_and_brought_back_twenty_times_leave_nothing_that_stands_still() {
    let mut cluster = Cluster::start().await;
    let system = System::builder(Shape::FourProcesses)
        .broker(cluster.urls())
        .universe(&["AAPL", "MSFT"], None)
        .models(MODELS)
        .prices(|prices| prices.generated_from("2023-01-01".parse().expect("a date")))
        .env("LANE_SLICE_MS", "20")
        .start()
        .await;
    let members = cluster.ctl(0, &["list_queues", "-p", "modelday", "name", "members"]);
    for queue in &QUEUES {
        let line = members.lines().find(|line| line.starts_with(queue.name)).unwrap_or_default();
        assert_eq!(line.matches("@localhost").count(), NODES, "{members}");
    }

    let mut waits = Vec::new();
    for round in 0..ROUNDS {
        let survivor = round % NODES;
        let [first, second] = [(survivor + 1) % NODES, (survivor + 2) % NODES];
        let running = system.client.trigger(&request(&format!("running-{round}"), "2024-01-02")).await;
        system.client.until(&running, "run", |job| job["progress"]["completed"].as_u64() > Some(10)).await;

        cluster.kill(first);
        cluster.kill(second);
        let waiting = system.client.trigger(&request(&format!("waiting-{round}"), "2025-09-25")).await;
        // How long there is no quorum, besides the start of a node: shorter and longer than the services' own waits.
        tokio::time::sleep(Duration::from_secs(4) * u32::try_from(round % 4).unwrap()).await;
        cluster.launch(first);
        cluster.ready(first).await;
        let (one, all) = until_handled(&system, 5).await;
        eprintln!("round {round}: first message after {one:.1?}, one of each queue after {all:.1?}");
        cluster.launch(second);
        cluster.ready(second).await;

        for job in [running, waiting] {
            let status = system.client.ended(&job).await;
            assert_eq!(status["status"], "completed", "round {round}: {status}");
        }
        all_is_well(&system, &cluster).await;
        waits.push(one);
    }

    assert!(waits.iter().all(|wait| *wait < RECOVERY), "from quorum to the first message: {waits:?}");
    let days = "SELECT count(*) FROM execution.model_days WHERE state = 'completed'";
    let portfolio_days = "SELECT count(DISTINCT (portfolio_id, trading_date)) FROM execution.model_days WHERE state = 'completed'";
    assert_eq!(system.database.count(days).await, system.database.count(portfolio_days).await);
}
