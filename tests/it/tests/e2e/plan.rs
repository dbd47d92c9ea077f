//! A dry run, compared with the job that it was about.

use it::{Shape, System};
use serde_json::{Value, json};

const MODELS: &str = r#"
[[models]]
signature = "equal"
kind = "policy"
trials = 2
policy = { policy = "equal_weight" }

[[models]]
signature = "random"
kind = "policy"
policy = { policy = "random", seed = 7, orders_per_day = 2 }
"#;

/// Model-days to run, completed earlier, closed, without prices.
fn planned(plan: &Value) -> [u64; 4] {
    let names = ["to_run", "already_completed", "market_closed", "incomplete_prices"];
    names.map(|name| plan["model_days"][name].as_u64().expect("a count"))
}

/// The same counts of a job that has ended.
fn executed(status: &Value) -> [u64; 4] {
    let details = status["details"].as_array().expect("details");
    let skipped = |reason: &str| details.iter().filter(|day| day["error"] == reason).count() as u64;
    let completed = status["progress"]["completed"].as_u64().expect("a count");
    [completed, skipped("Already completed"), skipped("Market closed"), skipped("Incomplete price data")]
}

#[tokio::test]
async fn a_job_does_what_its_dry_run_said() {
    let system = System::builder(Shape::FourProcesses)
        .universe(&["AAPL", "MSFT", "NVDA"], Some("QQQ"))
        .models(MODELS)
        .env("ALPHAVANTAGE_CALLS_PER_DAY", "4")
        .prices(|prices| prices.generated().today("2025-12-15".parse().expect("a date")))
        .start()
        .await;
    let range = |start: &str, end: &str, models: &[&str], option: &str| json!({ "start_date": start, "end_date": end, "models": models, option: true });
    let requests = [
        // Over Thanksgiving; nothing is stored.
        range("2025-11-26", "2025-12-02", &["equal"], "wait_for_data"),
        // Some days are completed, and another model is added; 12-01 and 12-02 will be stale afterwards.
        range("2025-11-24", "2025-12-01", &["equal", "random"], "wait_for_data"),
        range("2025-11-24", "2025-12-02", &["equal", "random"], "reprocess_stale"),
        range("2025-11-28", "2025-12-01", &["equal"], "replace_existing"),
    ];

    let mut plans = Vec::new();
    for request in requests {
        let calls = system.prices.calls().len();
        let plan = system.client.plan(&request).await;
        assert_eq!(system.prices.calls().len(), calls, "a dry run calls no provider");
        let job = system.client.trigger(&request).await;
        let status = system.client.ended(&job).await;

        assert_eq!(status["status"], "completed", "{status}");
        assert_eq!(executed(&status), planned(&plan), "{request}: {plan}");
        let fetched = system.prices.calls().len() - calls;
        assert_eq!(plan["prices"]["requests"], fetched, "{request}: {plan}");
        assert_eq!(plan["prices"]["budget_suffices"], true, "{request}: {plan}");
        plans.push((planned(&plan), plan["prices"]["budget_left"].clone()));
    }
    assert_eq!(plans[0], ([8, 0, 2, 0], json!(4)), "the calls left before the download");
    assert_eq!(plans[1].1, json!(0), "and after it");
    assert!(plans[2].0[0] > 0, "days that became stale are run again: {plans:?}");
}
