//! Model-days per second. The floor is ten connections that commit the same rows while nothing else runs.

use std::time::Instant;

use chrono::NaiveDate;
use it::{Service, Shape, System};
use serde_json::json;
use sqlx::Connection;
use sqlx_postgres::PgConnectOptions;
use sqlx_postgres::PgConnection;
use uuid::Uuid;

use crate::measure::{Line, ended};

const FIRST: &str = "2017-01-03";
const LAST: &str = "2024-12-12";

/// Ten policies over two thousand sessions of the whole universe.
pub(crate) const MODELS: [(&str, &str); 10] = [
    ("hold-qqq", "policy = \"buy_and_hold\", symbol = \"QQQ\""),
    ("hold-nvda", "policy = \"buy_and_hold\", symbol = \"NVDA\""),
    ("hold-aapl", "policy = \"buy_and_hold\", symbol = \"AAPL\""),
    ("equal-weight", "policy = \"equal_weight\""),
    ("momentum-20", "policy = \"momentum\", lookback = 20, top = 5, rebalance_every = 5"),
    ("momentum-60", "policy = \"momentum\", lookback = 60, top = 10, rebalance_every = 20"),
    ("momentum-120", "policy = \"momentum\", lookback = 120, top = 3, rebalance_every = 20"),
    ("random-1", "policy = \"random\", seed = 1, orders_per_day = 2"),
    ("random-2", "policy = \"random\", seed = 2, orders_per_day = 2"),
    ("cash", "policy = \"cash\""),
];

/// The same models as a models file.
pub(crate) fn models() -> String {
    let model = |(name, policy): &(&str, &str)| {
        format!(
            "[[models]]\nsignature = \"{name}\"\nkind = \"policy\"\nenabled = true\npolicy = {{ {policy} }}\n"
        )
    };
    MODELS.iter().map(model).collect()
}

/// A system with these settings that has run a job of these dates, over the prices of all symbols; and the memory in MiB
/// that its process, or the executor, needed before.
pub(crate) async fn started(shape: Shape, env: &[(&str, &str)]) -> (System, u64) {
    let builder = System::builder(shape)
        .models(&models())
        .prices(|prices| prices.generated_from("2016-01-04".parse().unwrap()));
    let system = env.iter().fold(builder, |builder, (key, value)| builder.env(key, value)).start().await;
    let at_rest = match shape {
        Shape::OneProcess => system.resident(Service::Modelday),
        Shape::FourProcesses => system.resident(Service::Executor),
    };
    // This model needs the prices of all symbols.
    let warm =
        json!({ "start_date": FIRST, "end_date": LAST, "models": ["equal-weight"], "experiment": "warm" });
    let warm = system.client.trigger(&warm).await;
    ended(&system, &warm, || ()).await;
    (system, at_rest)
}

/// Runs the job of all models, with what is to be done while it runs; its id, and its model-days per second.
pub(crate) async fn run(system: &System, experiment: &str, meanwhile: impl FnMut()) -> (String, f64) {
    let began = Instant::now();
    let job = json!({ "start_date": FIRST, "end_date": LAST, "experiment": experiment });
    let job = system.client.trigger(&job).await;
    let status = ended(system, &job, meanwhile).await;
    let elapsed = began.elapsed();
    assert_eq!(status["status"], "completed", "{}", status["error"]);
    let days = status["progress"]["completed"].as_f64().expect("a count");
    (job, days / elapsed.as_secs_f64())
}

/// The rate, and the memory of the process meanwhile.
pub(crate) async fn measure() -> Vec<Line> {
    let (system, at_rest) = started(Shape::OneProcess, &[]).await;
    let mut memory = Vec::new();
    let (job, ours) = run(&system, "default", || memory.push(system.resident(Service::Modelday))).await;

    system.signal(Service::Modelday, "STOP");
    let floor = floor(&system, &job).await;
    system.signal(Service::Modelday, "CONT");
    vec![
        Line {
            what: "model-days per second, acceptance to terminal state (floor: 10 connections commit the same rows)",
            ours: format!("{ours:.0} /s"),
            floor: format!("{floor:.0} /s"),
            ratio: Some(ours / floor),
            target: "at least 1,000 /s and 0.3",
        },
        Line {
            what: "memory of `modelday serve` during that job, at most (floor: after its first quarter)",
            ours: format!("{} MiB", memory.iter().max().unwrap_or(&0)),
            floor: format!("{} MiB", memory.get(memory.len() / 4).unwrap_or(&0)),
            ratio: None,
            target: "under 200 MiB, flat",
        },
        Line {
            what: "the same before its first job",
            ours: format!("{at_rest} MiB"),
            floor: "-".to_owned(),
            ratio: None,
            target: "under 80 MiB",
        },
    ]
}

async fn floor(system: &System, job: &str) -> f64 {
    for table in ["model_days", "fills", "outbox"] {
        system
            .database
            .execute(&format!("CREATE TABLE public.{table} (LIKE execution.{table} INCLUDING ALL)"))
            .await;
    }
    let job: Uuid = job.parse().unwrap();
    let rows: Vec<(Uuid, NaiveDate, i64)> = sqlx::query_as(
        "WITH messages AS MATERIALIZED (
             SELECT id, body::json #>> '{key,model}' AS model, (body::json #>> '{key,trading_date}')::date AS trading_date
             FROM execution.outbox
             WHERE job_id = $1 AND kind = 'modelday.model_day.completed.v1'
         )
         SELECT d.portfolio_id, d.trading_date, m.id
         FROM execution.model_days d
         JOIN execution.portfolios p ON p.id = d.portfolio_id
         JOIN messages m USING (model, trading_date)
         WHERE d.job_id = $1 AND d.state = 'completed'
         ORDER BY 1, 2",
    )
    .bind(job)
    .fetch_all(&system.database.admin)
    .await
    .unwrap();
    let mut portfolios: Vec<Uuid> = rows.iter().map(|row| row.0).collect();
    portfolios.dedup();
    let count = rows.len();
    let began = Instant::now();
    let writers: Vec<_> = portfolios
        .into_iter()
        .map(|portfolio| {
            let own: Vec<_> = rows.iter().filter(|row| row.0 == portfolio).copied().collect();
            let options = system.database.admin.connect_options();
            tokio::spawn(async move { write(&options, job, own).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let count = count as f64;
    count / began.elapsed().as_secs_f64()
}

async fn write(options: &PgConnectOptions, job: Uuid, rows: Vec<(Uuid, NaiveDate, i64)>) {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    for (portfolio, date, message) in rows {
        sqlx::query(
            "WITH day AS (
                INSERT INTO public.model_days
                SELECT * FROM execution.model_days WHERE job_id = $1 AND portfolio_id = $2 AND trading_date = $3
                RETURNING revision
            ), fills AS (
                INSERT INTO public.fills
                SELECT f.* FROM execution.fills f, day
                WHERE f.portfolio_id = $2 AND f.trading_date = $3 AND f.revision = day.revision
            )
            INSERT INTO public.outbox (event_id, kind, exchange, routing_key, job_id, traceparent, body)
            SELECT event_id, kind, exchange, routing_key, job_id, traceparent, body
            FROM execution.outbox WHERE id = $4",
        )
        .bind(job)
        .bind(portfolio)
        .bind(date)
        .bind(message)
        .execute(&mut connection)
        .await
        .unwrap();
    }
}
