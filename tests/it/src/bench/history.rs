//! The response times of status with a long history, compared with a short one.

use std::time::{Duration, Instant};

use it::{Shape, System};
use serde_json::{Value, json};
use sqlx_postgres::PgPool;

use crate::measure::{Line, millis, percentile, ratio};
use crate::throughput::{MODELS, models};

/// Measured calls of each route, after the warm-up.
const MEASURED: usize = 60;
const WARM_UP: usize = 12;

/// The dates of the job whose rows are the template of the history.
const TEMPLATE: [&str; 2] = ["2016-05-02", "2016-05-03"];

/// The last session of the history.
const LAST: &str = "2024-12-12";

/// Sessions of a job.
const SESSIONS: i64 = 50;

/// A history: in each experiment ten models ran every session, and then ran it again as a replacement.
struct Size {
    experiments: i64,
    sessions: i64,
}

const SHORT: Size = Size { experiments: 1, sessions: 50 };
const LONG: Size = Size { experiments: 25, sessions: 2_000 };

/// The requests; `JOB` is the last job.
const ROUTES: [(&str, &str); 8] = [
    ("status of a job, p50 behind 1,000,000 model-days (floor: behind 1,000)", "/simulate/status/JOB"),
    ("first page of jobs, the same", "/jobs"),
    ("a month of results, the same", "/results?start_date=2024-11-11&end_date=2024-12-12"),
    ("a day of results, the same", "/results?start_date=2024-12-12"),
    (
        "a month of the leaderboard of ten models, the same",
        "/leaderboard?start_date=2024-11-11&end_date=2024-12-12",
    ),
    ("first 100 trades, the same", "/trades?limit=100"),
    ("first 100 positions, the same", "/positions?limit=100"),
    ("first 100 days of equity, the same", "/equity?limit=100"),
];

/// Each route with the long history; the floor is the short one.
pub(crate) async fn measure() -> Vec<Line> {
    let short = times(&SHORT).await;
    let long = times(&LONG).await;
    let line = |(((what, _), ours), floor): (((&'static str, &str), Duration), Duration)| Line {
        what,
        ours: millis(ours),
        floor: millis(floor),
        ratio: ratio(ours, floor),
        target: "at most 2",
    };
    ROUTES.into_iter().zip(long).zip(short).map(line).collect()
}

/// A system in which a job of a few days of all models has completed, and that job, whose rows others are made of.
pub(crate) async fn with_template(shape: Shape) -> (System, String) {
    let system = System::builder(shape)
        .models(&models())
        .prices(|prices| prices.generated_from("2016-01-04".parse().unwrap()))
        .start()
        .await;
    let [start, end] = TEMPLATE;
    let template = json!({ "start_date": start, "end_date": end, "experiment": "template" });
    let template = system.client.trigger(&template).await;
    let status = system.client.ended(&template).await;
    assert_eq!(status["status"], "completed", "{status}");
    (system, template)
}

async fn times(size: &Size) -> Vec<Duration> {
    let (system, template) = with_template(Shape::OneProcess).await;
    let job = fill(&system.database.admin, &template, size).await;

    let mut times = Vec::new();
    for (what, path) in ROUTES {
        let path = path.replace("JOB", &job);
        times.push(time(&system, what, &path).await);
    }
    times
}

async fn time(system: &System, what: &str, path: &str) -> Duration {
    let http = it::http();
    let url = format!("{}{path}", system.client.status_url);
    let mut durations = Vec::new();
    for _ in 0..WARM_UP + MEASURED {
        let began = Instant::now();
        let response = http.get(&url).send().await.unwrap().error_for_status().unwrap();
        let body = response.bytes().await.unwrap();
        durations.push(began.elapsed());
        assert!(body.len() > 1_000, "{what}: {}", String::from_utf8_lossy(&body));
    }
    percentile(&mut durations.split_off(WARM_UP), 50)
}

/// Writes the history that status would project from events like those of the job `template`, and returns the id of
/// the last job.
async fn fill(admin: &PgPool, template: &str, size: &Size) -> String {
    let one = |query: &'static str| {
        sqlx::query_scalar::<_, String>(query).bind(template.to_owned()).fetch_one(admin)
    };
    let accepted = one("SELECT body FROM trigger.jobs WHERE id = $1::uuid").await.unwrap();
    let view = one("SELECT view::text FROM status.jobs WHERE id = $1::uuid").await.unwrap();
    let day = "SELECT body FROM status.events WHERE job_id = $1::uuid AND kind = 'modelday.model_day.completed.v1'
               AND body::jsonb #>> '{key,model}' = 'random-1' AND body::jsonb #>> '{key,trading_date}' = '2016-05-03'";
    let mut day: Value = serde_json::from_str(&one(day).await.unwrap()).unwrap();
    day["key"] = json!({
        "job_id": "@JOB", "experiment": "@EXPERIMENT", "model": "@MODEL", "trading_date": "@DATE",
    });
    day["base"] = json!({ "trading_date": "@BASE", "revision": 1 });

    let statements = include_str!("history.sql").split("\n\n");
    for statement in statements.filter(|statement| !statement.trim().is_empty()) {
        let text = statement
            .replace(":experiments", &size.experiments.to_string())
            .replace(":sessions", &size.sessions.to_string())
            .replace(":per_job", &SESSIONS.to_string())
            .replace(":last", &format!("'{LAST}'"))
            .replace(":models", &format!("'{{{}}}'::text[]", MODELS.map(|(name, _)| name).join(",")))
            .replace(":template_start", &format!("'{}'", TEMPLATE[0]))
            .replace(":template_end", &format!("'{}'", TEMPLATE[1]))
            .replace(":template", &format!("'{template}'"))
            .replace(":accepted", &quoted(&accepted))
            .replace(":view", &quoted(&view))
            .replace(":day", &quoted(&day.to_string()));
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(admin).await.unwrap();
    }
    let count = "SELECT count(*) FROM status.model_days WHERE experiment <> 'template'";
    let count: i64 = sqlx::query_scalar(count).fetch_one(admin).await.unwrap();
    assert_eq!(count, size.experiments * size.sessions * 2 * 10);
    sqlx::query_scalar(
        "SELECT max(id::text) FROM status.jobs WHERE view #>> '{requested,experiment}' = 'default'",
    )
    .fetch_one(admin)
    .await
    .unwrap()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
