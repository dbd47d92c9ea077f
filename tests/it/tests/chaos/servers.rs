//! Three brokers and two databases, from the commands of `docs/deploy.md`, each of which is killed during a job.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use it::{Client, Shape, System};
use messaging::topology::Account;
use serde_json::{Value, json};
use sqlx_postgres::PgPoolOptions;
use test_support::eventually;

/// How soon after a server was killed a job that was triggered then has ended.
const RECOVERY: Duration = Duration::from_secs(5);
const MODELS: &str = "[[models]]\nsignature = \"cash\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }\n\
    [[models]]\nsignature = \"random\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"random\", seed = 1, orders_per_day = 3 }\n";

/// The servers. They are deleted with this value.
struct Servers {
    state: PathBuf,
}

impl Servers {
    /// Starts them as the document says, and returns the settings of the services.
    fn up() -> (Self, BTreeMap<String, String>) {
        let folder =
            std::env::var("MODELDAY_TEST_STATE").map_or_else(|_| std::env::temp_dir(), PathBuf::from);
        let servers = Self { state: folder.join("stacks").join(format!("cluster-{}", uuid::Uuid::now_v7())) };
        let text = std::fs::read_to_string(root().join("docs/deploy.md")).unwrap();
        let mut blocks = text.split("```sh\n").skip(1).map(|rest| rest.split_once("\n```").unwrap().0);
        let commands =
            blocks.find(|block| block.contains("cluster.sh up")).expect("commands that start them");
        // The services are those that the tests have built.
        let (commands, serve) = commands.rsplit_once('\n').unwrap();
        assert_eq!(serve, "target/release/modelday serve");
        let printed = servers.run(&format!("{commands}\nenv"));
        let settings = printed
            .lines()
            .filter_map(|line| line.split_once('='))
            .filter(|(name, _)| name.ends_with("_URL"));
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        (servers, settings)
    }

    /// Runs commands and returns what they print, through a file, because the servers keep a pipe open.
    fn run(&self, commands: &str) -> String {
        let path = std::env::temp_dir().join(format!("modelday-servers-{}", uuid::Uuid::now_v7()));
        let output = File::create(&path).unwrap();
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", commands])
            .current_dir(root())
            .env("MODELDAY_STATE", &self.state);
        bash.env_remove("DATABASE_URL").env_remove("AMQP_URL").env_remove("AMQP_MANAGEMENT_URL");
        bash.stdin(Stdio::null()).stderr(output.try_clone().unwrap()).stdout(output);
        let status = bash.status().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(status.success() || std::thread::panicking(), "{commands}: {text}");
        text
    }

    fn cluster(&self, arguments: &str) -> String {
        self.run(&format!("deploy/local/cluster.sh {arguments}"))
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.cluster("wipe");
        let _ = std::fs::remove_dir_all(&self.state);
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn request(experiment: &str, start: &str) -> Value {
    json!({ "start_date": start, "end_date": "2025-09-30", "experiment": experiment })
}

/// Triggers a job as soon as one is accepted.
async fn trigger(client: &Client, request: &Value) -> String {
    eventually("a job is accepted", async || {
        let (status, body) = client.post_trigger(request).await;
        status.is_success().then(|| body["job_id"].as_str().unwrap().to_owned())
    })
    .await
}

async fn completed(client: &Client, job: &str) {
    let status = client.ended(job).await;
    assert_eq!(status["status"], "completed", "{status}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn any_one_of_three_brokers_and_two_databases_is_killed_during_a_job_and_nothing_is_lost() {
    let (servers, settings) = Servers::up();
    let mut system = System::builder(Shape::OneProcess)
        .broker(
            Account::ALL
                .map(|account| settings[&format!("{}_AMQP_URL", account.as_str().to_uppercase())].clone()),
        )
        .universe(&["AAPL", "MSFT"], None)
        .models(MODELS)
        .prices(|prices| prices.generated_from("2023-01-01".parse().expect("a date")))
        .env("LANE_SLICE_MS", "5");
    for (name, value) in settings.iter().filter(|(name, _)| name.ends_with("DATABASE_URL")) {
        system = system.env(name, value);
    }
    let system = system.start().await;
    completed(&system.client, &trigger(&system.client, &request("prices", "2024-01-02")).await).await;

    let mut waits = Vec::new();
    // The first database is the primary, then the second one, which is the standby at last.
    for (round, name) in
        ["broker-1", "broker-2", "broker-3", "postgres-1", "postgres-2", "postgres-2"].into_iter().enumerate()
    {
        eventually("commits wait for the standby", async || {
            servers.cluster("status").contains("wait for the standby").then_some(())
        })
        .await;
        let running = trigger(&system.client, &request(&format!("running-{round}"), "2024-01-02")).await;
        system.client.until(&running, "run", |job| job["progress"]["completed"].as_u64() > Some(10)).await;

        servers.cluster(&format!("kill {name}"));
        let killed = Instant::now();
        let after = trigger(&system.client, &request(&format!("after-{round}"), "2025-09-25")).await;
        completed(&system.client, &after).await;
        let wait = killed.elapsed();
        eprintln!("{name}: a job triggered afterwards has ended after {wait:.1?}");
        waits.push(wait);

        completed(&system.client, &running).await;
        servers.cluster(&format!("start {name}"));
    }

    assert!(waits.iter().all(|wait| *wait < RECOVERY), "{waits:?}");
    let database = PgPoolOptions::new().max_connections(1);
    let mut days = None;
    for url in storage::addresses(&settings["DATABASE_URL"]) {
        let Ok(database) = database.clone().connect(url).await else { continue };
        let query = "SELECT count(*), count(DISTINCT (portfolio_id, trading_date)) FROM execution.model_days
            WHERE state = 'completed' AND NOT pg_is_in_recovery()";
        let counted: (i64, i64) = sqlx::query_as(query).fetch_one(&database).await.unwrap();
        days = days.or((counted.0 > 0).then_some(counted));
    }
    let (days, different) = days.expect("one database takes writes");
    assert_eq!(days, different, "each day of each portfolio is completed once");
    drop(system);
    drop(servers);
}
