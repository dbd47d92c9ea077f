//! What a user sees of the download, in the five cases of the design.

use it::{Shape, System};
use serde_json::{Value, json};

const FIFTEEN: [&str; 15] = [
    "AAPL", "MSFT", "NVDA", "AMZN", "META", "GOOG", "TSLA", "AMD", "NFLX", "COST", "CSCO", "PEP", "INTC",
    "QCOM", "TXN",
];

const EQUAL: &str = "[[models]]\nsignature = \"equal\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"equal_weight\" }\n";

fn job(start: &str, end: &str) -> Value {
    json!({ "start_date": start, "end_date": end })
}

async fn kinds(system: &System, job: &str) -> Vec<String> {
    let query =
        format!("SELECT string_agg(kind, ' ' ORDER BY seq) FROM status.events WHERE job_id = '{job}'");
    let kinds = system.database.text(&query).await;
    kinds.split_whitespace().map(str::to_owned).collect()
}

fn warnings(status: &Value) -> Vec<&str> {
    status["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[tokio::test]
async fn with_all_data_present_nothing_is_downloaded() {
    let system =
        System::builder(Shape::OneProcess).universe(&FIFTEEN, Some("QQQ")).models(EQUAL).start().await;
    let first = system.client.trigger(&job("2025-10-01", "2025-10-10")).await;
    let status = system.client.ended(&first).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert!(kinds(&system, &first).await.contains(&"modelday.data.download_started.v1".to_owned()));
    let calls = system.prices.calls().len();
    assert_eq!(calls, 16, "{:?}", system.prices.calls());

    let request = json!({ "start_date": "2025-10-01", "end_date": "2025-10-10", "experiment": "second" });
    let second = system.client.trigger(&request).await;
    let status = system.client.ended(&second).await;

    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["progress"]["completed"], 8);
    let kinds = kinds(&system, &second).await;
    assert!(!kinds.iter().any(|kind| kind.starts_with("modelday.data.download")), "{kinds:?}");
    assert_eq!(system.prices.calls().len(), calls);
}

#[tokio::test]
async fn after_a_rate_limit_the_downloaded_prices_are_stored_and_the_complete_dates_run() {
    let system = System::builder(Shape::OneProcess).universe(&FIFTEEN, None).models(EQUAL).start().await;
    for symbol in &FIFTEEN[12..] {
        system
            .database
            .execute(&format!(
                "INSERT INTO market.bars (trading_date, symbol, open, high, low, close, volume, source)
                 SELECT date, '{symbol}', 10, 11, 9, 10, 1, 'test'
                 FROM unnest('{{2025-10-01,2025-10-02,2025-10-03}}'::date[]) AS date"
            ))
            .await;
    }
    system.prices.set_rate_limit_after(Some(12));

    let id = system.client.trigger(&job("2025-10-01", "2025-10-07")).await;
    let status = system.client.ended(&id).await;

    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(
        warnings(&status),
        [
            "Rate limit reached - downloaded 12/15 symbols",
            "Skipped 2 dates due to incomplete price data: ['2025-10-06', '2025-10-07']"
        ]
    );
    assert_eq!(status["progress"]["completed"], 3);
    assert_eq!(status["progress"]["skipped"], 2);
    let stored =
        system.database.count("SELECT count(DISTINCT symbol) FROM market.bars WHERE source <> 'test'").await;
    assert_eq!(stored, 12);
}

#[tokio::test]
async fn an_invalid_key_fails_the_job_and_is_never_shown() {
    const KEY: &str = "SECRETKEY0123456";
    let system = System::builder(Shape::OneProcess)
        .universe(&FIFTEEN, Some("QQQ"))
        .models(EQUAL)
        .env("ALPHAVANTAGE_API_KEY", KEY)
        .prices(|prices| prices.bad_key(KEY))
        .start()
        .await;

    let id = system.client.trigger(&job("2025-10-01", "2025-10-10")).await;
    let status = system.client.ended(&id).await;

    assert_eq!(status["status"], "failed", "{status}");
    let error = status["error"].as_str().expect("an error");
    assert!(error.contains("invalid") && error.contains("ALPHAVANTAGE_API_KEY"), "{error}");
    assert!(!status.to_string().contains(KEY) && !system.logs().contains(KEY), "the key is shown");
    for table in ["trigger.outbox", "market.outbox", "execution.outbox", "status.events"] {
        let shown = format!("SELECT count(*) FROM {table} WHERE body LIKE '%{KEY}%'");
        assert_eq!(system.database.count(&shown).await, 0, "the key is in {table}");
    }
}

#[tokio::test]
async fn only_the_model_that_is_not_completed_runs() {
    let two = format!(
        "{EQUAL}[[models]]\nsignature = \"hold\"\nkind = \"policy\"\nenabled = true\npolicy = {{ policy = \"buy_and_hold\", symbol = \"AAPL\" }}\n"
    );
    let system = System::builder(Shape::OneProcess).universe(&FIFTEEN, None).models(&two).start().await;
    let first = json!({ "start_date": "2025-10-01", "end_date": "2025-10-10", "models": ["equal"] });
    let first = system.client.trigger(&first).await;
    system.client.ended(&first).await;

    let second = system.client.trigger(&job("2025-10-01", "2025-10-10")).await;
    let status = system.client.ended(&second).await;

    assert_eq!(status["status"], "completed", "{status}");
    let details = status["details"].as_array().expect("details");
    for detail in details {
        let expected = if detail["model"] == "hold" { "completed" } else { "skipped" };
        assert_eq!(detail["status"], expected, "{detail}");
    }
    assert_eq!(details.len(), 16);
}
