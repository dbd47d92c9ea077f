//! PostgreSQL is away, or a connection to it falls silent for good.

use std::time::{Duration, Instant};

use it::{Service, Shape, System};
use serde_json::{Value, json};
use test_support::eventually;

const MODELS: &str =
    "[[models]]\nsignature = \"cash\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }\n";
/// Within so long everything runs again after a silence, by itself.
const RECOVERY: Duration = Duration::from_secs(45);

async fn system() -> System {
    System::builder(Shape::FourProcesses)
        .behind_proxies()
        .universe(&["AAPL", "MSFT"], None)
        .models(MODELS)
        .start()
        .await
}

fn request(experiment: &str) -> Value {
    json!({ "start_date": "2025-10-01", "end_date": "2025-10-03", "experiment": experiment })
}

/// Runs a job to its end.
async fn run_job(system: &System, experiment: &str) {
    let job = system.client.trigger(&request(experiment)).await;
    let status = system.client.ended(&job).await;
    assert_eq!(status["status"], "completed", "{status}");
}

/// What a service says that does not go on.
async fn degraded(system: &System, service: Service) -> Vec<String> {
    let (_, body) = system.get(service, "/readyz").await.unwrap_or_default();
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let reasons = body["degraded"].as_array().cloned().unwrap_or_default();
    reasons.iter().map(|reason| reason.as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn services_that_start_while_their_servers_are_away_wait_and_say_so() {
    let mut system = system().await;
    let services = system.services();
    for service in &services {
        system.kill(*service);
    }
    system.network().database.go_away();
    system.network().broker.go_away();

    for service in &services {
        system.launch(*service);
        eventually("it says what it waits for", async || {
            let reasons = degraded(&system, *service).await;
            reasons.iter().any(|reason| reason.contains("waiting: ")).then_some(())
        })
        .await;
        assert_eq!(system.get(*service, "/livez").await.unwrap().0, 200);
        assert_eq!(system.get(*service, "/readyz").await.unwrap().0, 503);
    }
    system.network().database.come_back();
    system.network().broker.come_back();

    for service in services {
        system.ready(service).await;
    }
    run_job(&system, "after").await;
}

#[tokio::test]
async fn a_request_is_answered_within_a_second_while_the_database_is_away() {
    let mut system = system().await;
    let http = reqwest::Client::new();
    system.network().database.go_away();

    let (trigger, status) = (&system.client.trigger_url, &system.client.status_url);
    let requests = [
        http.post(format!("{trigger}/simulate/trigger")).json(&request("away")),
        http.get(format!("{status}/events")).header("accept", "application/json"),
    ];
    for request in requests {
        let began = Instant::now();
        let response = request.send().await.unwrap();

        assert_eq!(response.status(), 503);
        assert!(response.headers().contains_key("retry-after"));
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
    system.network().database.come_back();
    system.ready(Service::Trigger).await;
    run_job(&system, "back").await;
}

#[tokio::test]
async fn all_connections_fall_silent_for_good_and_everything_runs_again() {
    let system = system().await;
    run_job(&system, "before").await;

    system.network().database.fall_silent();
    let began = Instant::now();
    eventually("some service says that something does not go on", async || {
        let mut reasons = Vec::new();
        for service in system.services() {
            reasons.extend(degraded(&system, service).await);
        }
        (!reasons.is_empty()).then_some(())
    })
    .await;
    run_job(&system, "after").await;

    assert!(began.elapsed() < RECOVERY, "{:?}", began.elapsed());
}

/// The connections of the services, oldest first: the port that each comes from, and whose it is.
async fn connections(system: &System) -> Vec<(u16, String)> {
    let query = "SELECT client_port, concat_ws(': ', application_name,
            CASE
                WHEN query LIKE '-- outbox::%' THEN 'relay'
                WHEN query LIKE '-- presence::%' THEN 'presence'
                WHEN query LIKE 'LISTEN%' OR query LIKE '-- feed::next%' THEN 'notifications'
                ELSE 'pool'
            END)
        FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'modelday-%'
        ORDER BY backend_start";
    let rows: Vec<(i32, String)> = sqlx::query_as(query).fetch_all(&system.database.admin).await.unwrap();
    rows.into_iter().map(|(port, part)| (u16::try_from(port).unwrap(), part)).collect()
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn the_connections_of_each_part_fall_silent_one_after_another_and_everything_runs_again() {
    let system = system().await;
    run_job(&system, "before").await;
    let mut cut: Vec<String> = Vec::new();

    // Each relay has two connections. One that is cut is replaced by a younger one.
    let most = |part: &str| if part.ends_with(": relay") { 2 } else { 1 };
    while let Some((port, part)) = connections(&system)
        .await
        .into_iter()
        .find(|(_, part)| cut.iter().filter(|before| *before == part).count() < most(part))
    {
        system.network().database.fall_silent_on(port);
        let began = Instant::now();
        run_job(&system, &format!("after{}", cut.len())).await;
        assert!(began.elapsed() < RECOVERY, "{part}: {:?}", began.elapsed());
        cut.push(part);
    }

    for part in
        ["modelday-executor: presence", "modelday-status-streams: notifications", "modelday-trigger: relay"]
    {
        assert!(cut.iter().any(|known| known == part), "{part} is none of {cut:?}");
    }
}
