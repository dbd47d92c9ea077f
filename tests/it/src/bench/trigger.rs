//! The time to accept a job. The floor is a handler that does one INSERT and commits.

use std::net::SocketAddr;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use it::{Service, Shape, System};
use serde_json::json;
use sqlx_postgres::PgPool;
use sqlx_postgres::PgPoolOptions;

use crate::measure::{Line, ended, millis, percentile, ratio};

const PER_SECOND: u32 = 200;
const SECONDS: u32 = 10;

/// p99 at 200 requests per second, with all consumers stopped.
pub(crate) async fn measure() -> Line {
    let system = System::builder(Shape::FourProcesses).env("MAX_ACTIVE_JOBS", "1000000").start().await;
    // A service that has not declared its queue yet would let the broker return every job, which is then sent again and again.
    let warm = system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-01" })).await;
    ended(&system, &warm, || ()).await;
    for service in [Service::Downloader, Service::Executor, Service::Status] {
        system.signal(service, "STOP");
    }
    let url = format!("{}/simulate/trigger", system.client.trigger_url);
    let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-29" }).to_string();
    system.database.execute("CREATE TABLE public.floor (id uuid PRIMARY KEY, body text NOT NULL)").await;
    system.database.execute("GRANT INSERT ON public.floor TO PUBLIC").await;
    let (mut floor, floor_url) = start_floor(system.database.url());

    // Both twice, and the better of each, because the speed of the machine varies.
    let mut ours = Vec::new();
    let mut floors = Vec::new();
    for _ in 0..2 {
        floors.push(percentile(&mut load(&floor_url, &body).await, 99));
        ours.push(percentile(&mut load(&url, &body).await, 99));
    }
    let _ = floor.kill();
    let _ = floor.wait();
    for service in [Service::Downloader, Service::Executor, Service::Status] {
        system.signal(service, "CONT");
    }
    let (ours, floor) = (ours.into_iter().min().unwrap(), floors.into_iter().min().unwrap());
    Line {
        what: "trigger, p99 at 200 requests/s (floor: one INSERT and commit)",
        ours: millis(ours),
        floor: millis(floor),
        ratio: ratio(ours, floor),
        target: "at most 2",
    }
}

async fn load(url: &str, body: &str) -> Vec<Duration> {
    let http = it::http();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / PER_SECOND);
    let mut requests = Vec::new();
    for number in 0..PER_SECOND * SECONDS {
        ticks.tick().await;
        let request = http.post(url).header("content-type", "application/json").body(body.to_owned());
        let request = tokio::spawn(async move {
            let began = Instant::now();
            let response = request.send().await.expect("a response");
            assert!(response.status().is_success(), "{}", response.status());
            response.bytes().await.expect("a body");
            began.elapsed()
        });
        // The first second warms connections and caches.
        if number >= PER_SECOND {
            requests.push(request);
        }
    }
    let mut durations = Vec::new();
    for request in requests {
        durations.push(request.await.expect("the request ended"));
    }
    durations
}

fn start_floor(database_url: &str) -> (Child, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let program = std::env::current_exe().unwrap();
    let child = Command::new(program)
        .args(["floor-server", &address.to_string()])
        .env("DATABASE_URL", database_url)
        .spawn()
        .unwrap();
    while std::net::TcpStream::connect(address).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    (child, format!("http://{address}/"))
}

/// The floor: a handler that does one INSERT and commits, in its own process.
pub(crate) async fn floor_server(address: &str) {
    let url = std::env::var("DATABASE_URL").unwrap();
    let pool = PgPoolOptions::new().max_connections(8).connect(&url).await.unwrap();
    let routes = Router::new().route("/", post(insert)).with_state(pool);
    let address: SocketAddr = address.parse().unwrap();
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    axum::serve(listener, routes).await.unwrap();
}

async fn insert(State(pool): State<PgPool>, body: String) -> String {
    let id = uuid::Uuid::now_v7();
    sqlx::query("INSERT INTO public.floor (id, body) VALUES ($1, $2)")
        .bind(id)
        .bind(body)
        .execute(&pool)
        .await
        .unwrap();
    id.to_string()
}
