//! The leaderboard, against the one that was published for October 2025.

use std::io::Read as _;

use domain::events::event::Event;
use domain::simulation::model_day::CompletedDay;
use serde_json::json;

use crate::world::{World, completed, day, decimal, job, job_id};

const RECORDED: &str = include_str!("../../../../tests/data/recorded_portfolios.csv");
const PRICES: &[u8] = include_bytes!("../../../../tests/data/nasdaq100_daily_2025.csv.gz");

/// The recorded portfolios' values at each close. Nobody ordered on 10-01.
fn recorded() -> Vec<Event> {
    let mut events = Vec::new();
    let mut previous: Option<(String, String)> = None;
    for row in csv::Reader::from_reader(RECORDED.as_bytes()).records() {
        let row = row.unwrap();
        let (model, on, value) = (&row[0], &row[1], &row[4]);
        let base = match &previous {
            Some((of, date)) if of == model => date.clone(),
            _ => {
                events.push(completed(day(1, model, "2025-10-01", None, "10000")));
                "2025-10-01".to_owned()
            }
        };
        let value_at_close = decimal(value);
        events.push(completed(CompletedDay { value_at_close, ..day(1, model, on, Some(&base), "10000") }));
        previous = Some((model.to_owned(), on.to_owned()));
    }
    events
}

async fn store_prices(world: &World, symbols: &[&str]) {
    let mut text = String::new();
    flate2::read::GzDecoder::new(PRICES).read_to_string(&mut text).unwrap();
    for row in csv::Reader::from_reader(text.as_bytes()).records() {
        let row = row.unwrap();
        if symbols.contains(&&row[0]) && &row[1] >= "2025-09-25" {
            let values = row.iter().map(|field| format!("'{field}'")).collect::<Vec<_>>().join(", ");
            let columns = "symbol, trading_date, open, high, low, close, volume, source";
            world
                .database
                .execute(&format!("INSERT INTO market.bars ({columns}) VALUES ({values}, 'test')"))
                .await;
        }
    }
}

async fn sample() -> World {
    let world = World::new().await;
    let models =
        ["deepseek-chat-v3.1", "MiniMax-M2", "gpt-5", "claude-3.7-sonnet", "qwen3-max", "gemini-2.5-flash"];
    let job = job(1, &models, "2025-10-01", "2025-10-29");
    world.accept(&job).await;
    world.project(&[Event::JobRequested(job)]).await;
    world.project(&recorded()).await;
    store_prices(&world, &["QQQ", "AAPL"]).await;
    world
}

#[tokio::test]
async fn the_recorded_run_gives_the_published_leaderboard() {
    let world = sample().await;
    let published = [
        ("deepseek-chat-v3.1", 16.46_f64),
        ("MiniMax-M2", 12.03),
        ("gpt-5", 9.98),
        ("claude-3.7-sonnet", 9.8),
        ("qwen3-max", 7.96),
        ("QQQ", 5.39),
        ("equal weight", 5.58),
        ("gemini-2.5-flash", 0.48),
    ];

    let whole = world.get("/leaderboard").await.json;
    let dated = world.get("/leaderboard?start_date=2025-10-01&end_date=2025-10-29").await.json;
    let of_job = world.get(&format!("/leaderboard?job_id={}", job_id(1))).await.json;

    let rows = whole["rows"].as_array().unwrap();
    let board: Vec<_> = rows
        .iter()
        .map(|row| (row["model"].as_str().unwrap(), row["return_pct"].as_f64().unwrap()))
        .collect();
    let mut expected = published.to_vec();
    expected.sort_by(|a, b| b.1.total_cmp(&a.1));
    assert_eq!(board, expected);
    assert_eq!((&dated["rows"], &of_job["rows"]), (&whole["rows"], &whole["rows"]));
    assert_eq!(
        (&rows[0]["kind"], &rows[0]["model_days"], &rows[0]["stale_days"]),
        (&json!("model"), &json!(21), &json!(0))
    );
    let fund = rows.iter().find(|row| row["model"] == "QQQ").unwrap();
    assert_eq!(
        (&fund["kind"], &fund["trades"], &fund["trial"]),
        (&json!("benchmark"), &json!(null), &json!(null))
    );
    assert!((fund["return"].as_f64().unwrap() - 0.053_908).abs() < 1e-6);
    assert!(rows.iter().all(|row| row["sharpe"].is_number() && row["max_drawdown"].as_f64().unwrap() <= 0.0));
    assert_eq!((&whole["benchmark"], &whole["risk_free"]), (&json!("QQQ"), &json!(0.0)));
    assert!(
        (fund["beta"].as_f64().unwrap() - 1.0).abs() < 1e-9 && fund["alpha"].as_f64().unwrap().abs() < 1e-9
    );
    assert_eq!(
        (&fund["information_ratio"], &fund["reasons"]["information_ratio"]),
        (&json!(null), &json!("all returns are equal"))
    );
    for name in ["annual_return", "alpha", "beta", "information_ratio"] {
        assert!(rows[0][name].is_number(), "{name} of {}", rows[0]);
    }
}

#[tokio::test]
async fn a_range_inside_starts_from_the_close_before_it_and_says_what_is_undefined() {
    let world = sample().await;

    let board =
        world.get("/leaderboard?start_date=2025-10-29&end_date=2025-10-29&models=gpt-5,unknown").await.json;

    let row = board["rows"].as_array().unwrap().iter().find(|row| row["model"] == "gpt-5").unwrap().clone();
    assert_eq!(board["count"], 3, "one portfolio and two benchmarks");
    assert_eq!((&row["sharpe"], &row["reasons"]["sharpe"]), (&json!(null), &json!("too few returns")));
    assert_ne!(row["starting_value"], 10000);
}

#[tokio::test]
async fn the_risk_free_rate_is_subtracted_each_day() {
    let world = sample().await;
    let sharpe = async |query: &str| {
        let board = world.get(&format!("/leaderboard{query}")).await.json;
        board["rows"][0]["sharpe"].as_f64().unwrap()
    };

    let (plain, zero) = (sharpe("").await, sharpe("?risk_free=0").await);
    let less = sharpe("?risk_free=1e-4").await;

    assert!(plain.to_bits() == zero.to_bits() && less < plain, "{plain}, {zero}, {less}");
}

#[tokio::test]
async fn without_data_the_leaderboard_is_empty_and_invalid_dates_are_named() {
    let world = World::new().await;

    let empty = world.get("/leaderboard?experiment=none").await.json;
    let wrong = world.get("/leaderboard?start_date=yesterday&risk_free=5%25").await;
    let unknown = world.get("/leaderboard?job_id=x").await;

    assert_eq!(empty["rows"], json!([]));
    assert_eq!(wrong.status.as_u16(), 422);
    assert_eq!(wrong.json["errors"][0]["loc"], json!(["query", "start_date"]));
    assert_eq!(wrong.json["errors"][1]["msg"], "Input should be a number from -0.01 to 0.01, as 0.0001");
    assert_eq!(unknown.json["detail"], "Job x not found");
}
