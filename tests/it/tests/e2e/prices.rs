//! Imported prices, their coverage, and the provider's call quota.

use it::{Service, Shape, System};
use reqwest::StatusCode;
use serde_json::{Value, json};
use test_support::eventually;

const HEADER: &str = "symbol,date,open,high,low,close,volume";
const HOLD: &str = "[[models]]\nsignature = \"hold\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"buy_and_hold\", symbol = \"AAPL\" }\n";

async fn two_symbols(shape: Shape) -> System {
    System::builder(shape).universe(&["AAPL", "MSFT"], None).models(HOLD).start().await
}

/// A price file with these rows.
fn csv(rows: &[&str]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

/// AAPL opens at 100, 110 and 120 and closes 5 above.
fn three_days() -> String {
    csv(&[
        "AAPL,2025-10-01,100,106,99,105,1000",
        "AAPL,2025-10-02,110,116,109,115,1000",
        "AAPL,2025-10-03,120,126,119,125,1000",
        "MSFT,2025-10-01,500.25,501,499,500.75,2000",
        "MSFT,2025-10-02,500.25,501,499,500.75,2000",
        "MSFT,2025-10-03,500.25,501,499,500.75,2000",
    ])
}

fn job() -> Value {
    json!({ "start_date": "2025-10-01", "end_date": "2025-10-03" })
}

async fn bars(system: &System) -> i64 {
    system.database.count("SELECT count(*) FROM market.bars").await
}

#[tokio::test]
async fn a_job_runs_on_imported_prices_without_a_call_to_the_provider() {
    let system = two_symbols(Shape::FourProcesses).await;

    let (status, response) = system.client.import_prices("", &three_days()).await;
    let job = system.client.trigger(&job()).await;
    let ended = system.client.ended(&job).await;

    assert_eq!(status, StatusCode::OK, "{response}");
    assert_eq!(
        response,
        json!({ "bars_received": 6, "inserted": 6, "unchanged": 0, "replaced": 0, "symbols": 2,
            "dates": { "from": "2025-10-01", "to": "2025-10-03" }, "basis": "raw", "stale_days": 0 })
    );
    assert_eq!((ended["status"].as_str(), &ended["progress"]["completed"]), (Some("completed"), &json!(3)));
    assert!(system.prices.calls().is_empty(), "{:?}", system.prices.calls());
    let last = system.client.get_ok("/results?start_date=2025-10-03&end_date=2025-10-03").await;
    let position = &last["results"][0]["final_position"];
    assert_eq!(position["holdings"], json!([{ "symbol": "AAPL", "quantity": 100 }]), "{position}");
    assert_eq!(position["portfolio_value_close"], json!(12500));
    let (status, response) = system.client.import_prices("", &three_days()).await;
    assert_eq!((status, &response["unchanged"]), (StatusCode::OK, &json!(6)), "{response}");
}

#[tokio::test]
async fn a_file_with_wrong_rows_imports_nothing_and_each_is_listed_with_its_line() {
    let system = two_symbols(Shape::OneProcess).await;
    let file = csv(&[
        "AAPL,2025-10-01,100,106,99,105,1000",
        "AAPL,2025-10-04,110,116,109,115,1000",
        "AAPL,2025-10-02,110,100,109,115,many",
    ]);

    let (status, response) = system.client.import_prices("?replace=true", &file).await;

    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{response}");
    let errors = response["errors"].as_array().unwrap();
    let places: Vec<&Value> = errors.iter().map(|error| &error["loc"]).collect();
    assert_eq!(places, [&json!(["body", 3, "date"]), &json!(["body", 4, "volume"])], "{response}");
    assert_eq!(
        response["detail"],
        "2 things are wrong, nothing is imported: line 3: date is no session (a weekend); leave the row out"
    );
    assert_eq!(bars(&system).await, 0);
    for (query, body, expected) in [
        ("?replace=maybe", three_days(), 422),
        ("", String::new(), 422),
        ("", "\u{0}\u{ffff}".to_owned(), 422),
        ("", format!("{HEADER}\n{}", "x".repeat(2 << 20)), 422),
    ] {
        let (status, response) = system.client.import_prices(query, &body).await;
        assert_eq!(status.as_u16(), expected, "{query} {}: {response}", body.len());
    }
}

#[tokio::test]
async fn a_file_above_the_limit_is_refused_with_the_setting_that_raises_it() {
    let system = System::builder(Shape::OneProcess).env("IMPORT_LIMIT_MIB", "1").start().await;

    let (status, response) = system.client.import_prices("", &"x".repeat((1 << 20) + 1)).await;

    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let detail = response["detail"].as_str().unwrap();
    assert_eq!(detail, "The file is larger than 1 MiB; send it in parts, or raise IMPORT_LIMIT_MIB");
}

#[tokio::test]
async fn rows_that_differ_from_stored_ones_are_refused_unless_they_replace_them() {
    let system = two_symbols(Shape::OneProcess).await;
    system.client.import_prices("", &three_days()).await;
    let file = csv(&["AAPL,2025-10-02,111,116,109,115,1000", "AAPL,2025-10-06,130,131,129,130,1"]);

    let (refused, why) = system.client.import_prices("", &file).await;
    let after_refusal = bars(&system).await;
    let (replaced, response) = system.client.import_prices("?replace=true", &file).await;

    assert_eq!(refused, StatusCode::CONFLICT, "{why}");
    assert_eq!(
        why["errors"][0]["msg"],
        "line 2: AAPL on 2025-10-02 is stored with open 110, high 116, low 109, close 115, volume 1000"
    );
    assert_eq!(after_refusal, 6, "the new row of the file is not stored either");
    assert_eq!(replaced, StatusCode::OK, "{response}");
    assert_eq!((&response["replaced"], &response["inserted"]), (&json!(1), &json!(1)));
    let open = "SELECT open::text FROM market.bars WHERE symbol = 'AAPL' AND trading_date = '2025-10-02'";
    assert_eq!(system.database.text(open).await, "111");
}

#[tokio::test]
async fn days_that_ran_on_replaced_prices_are_stale_until_they_are_run_again() {
    let system = System::builder(Shape::OneProcess)
        .universe(&["AAPL", "MSFT"], None)
        .models(&format!("{HOLD}[[models]]\nsignature = \"cash\"\nkind = \"policy\"\nenabled = true\npolicy = {{ policy = \"cash\" }}\n"))
        .start()
        .await;
    system.client.import_prices("", &three_days()).await;
    let first = system.client.trigger(&job()).await;
    assert_eq!(system.client.ended(&first).await["stale_days"], 0);

    let other = csv(&["AAPL,2025-10-02,110,116,109,113,1000"]);
    let (_, response) = system.client.import_prices("?replace=true", &other).await;
    let stale = system.client.job(&first).await;
    let resumed = system.client.trigger(&job()).await;
    let resumed = system.client.ended(&resumed).await;
    let again = json!({ "start_date": "2025-10-01", "end_date": "2025-10-03", "reprocess_stale": true });
    let plan = system.client.plan(&again).await;
    let (_, before) = system.client.bundle(&first).await;
    let second = system.client.trigger(&again).await;
    let repaired = system.client.ended(&second).await;

    assert_eq!(response["stale_days"], 2, "{response}");
    assert_eq!(stale["stale_days"], 2, "the other model holds cash and needs no prices");
    let warnings = resumed["warnings"].to_string();
    assert!(warnings.contains("2 completed days of hold stand on"), "{warnings}");
    assert_eq!(plan["model_days"]["to_run"], 2, "{plan}");
    let ran: Vec<(&str, &str, &str)> = repaired["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| {
            let text = |name: &str| day[name].as_str().unwrap();
            (text("date"), text("model"), text("status"))
        })
        .filter(|(_, _, status)| *status == "completed")
        .collect();
    assert_eq!(ran, [("2025-10-02", "hold", "completed"), ("2025-10-03", "hold", "completed")]);
    assert_eq!(repaired["stale_days"], 0, "{repaired}");
    let day = system.client.get_ok("/results?model=hold&start_date=2025-10-02").await;
    assert_eq!(day["results"][0]["final_position"]["portfolio_value_close"], json!(11300), "{day}");
    let (_, after) = system.client.bundle(&first).await;
    assert_eq!(before, after, "the first job ran on the prices of its time");
    assert_eq!(verified(&after), Some(0));
    assert_eq!(verified(&system.client.bundle(&second).await.1), Some(0));
}

/// The exit code of `modelday verify`.
fn verified(bundle: &[u8]) -> Option<i32> {
    let path = std::env::temp_dir().join(format!("modelday-test-{}.jsonl.gz", uuid::Uuid::now_v7()));
    std::fs::write(&path, bundle).unwrap();
    let output = it::modelday(&["verify", path.to_str().unwrap()]);
    std::fs::remove_file(&path).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.status.code()
}

#[tokio::test]
async fn a_process_killed_at_the_end_of_an_import_has_imported_nothing() {
    let mut system = two_symbols(Shape::FourProcesses).await;
    let waiting = "INSERT INTO market.preparations (job_id, body, not_before)
                   VALUES ('00000000-0000-0000-0000-000000000001', '', now() + interval '1 day')";
    system.database.execute(waiting).await;
    // The last statement of an import updates this preparation, so the import waits for the lock on it.
    let mut holder = system.database.admin.begin().await.unwrap();
    sqlx::query("SELECT FROM market.preparations FOR UPDATE").execute(&mut *holder).await.unwrap();
    let client = system.client.clone();
    let import = tokio::spawn(async move {
        reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .post(format!("{}/prices/import", client.prices_url))
            .header("content-type", "text/csv")
            .body(three_days())
            .send()
            .await
    });
    let stopped = "SELECT count(*) FROM pg_stat_activity
                   WHERE wait_event_type = 'Lock' AND query LIKE '-- imports::wake_preparations%' AND datname = current_database()";
    eventually("the import has stored its bars", async || {
        (system.database.count(stopped).await > 0).then_some(())
    })
    .await;

    system.kill(Service::Downloader);
    holder.rollback().await.unwrap();

    assert!(import.await.unwrap().is_err(), "the process that would respond is dead");
    eventually("the transaction is gone", async || (system.database.count(stopped).await == 0).then_some(()))
        .await;
    assert_eq!(bars(&system).await, 0);
    system.restart(Service::Downloader).await;
    let (status, response) = system.client.import_prices("", &three_days()).await;
    assert_eq!((status, &response["inserted"]), (StatusCode::OK, &json!(6)), "{response}");
}

#[tokio::test]
async fn downloaded_prices_are_covered_and_the_quota_counts_their_calls() {
    const KEY: &str = "SECRETKEY0123456";
    let system = System::builder(Shape::OneProcess)
        .universe(&["AAPL", "MSFT", "NVDA"], Some("QQQ"))
        .models("[[models]]\nsignature = \"equal\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"equal_weight\" }\n")
        .env("ALPHAVANTAGE_API_KEY", KEY)
        .env("ALPHAVANTAGE_CALLS_PER_DAY", "25")
        .start()
        .await;
    let before = system.client.prices("/prices/coverage?start_date=2025-10-01&end_date=2025-10-03").await;
    let job = system.client.trigger(&job()).await;
    system.client.ended(&job).await;

    let range = "/prices/coverage?start_date=2025-10-01&end_date=2025-10-03";
    let covered = system.client.prices(range).await;
    let paged = system.client.prices(&format!("{range}&limit=3")).await;
    let next = paged["next_cursor"].as_str().unwrap();
    let rest = system.client.prices(&format!("{range}&cursor={next}")).await;
    let one = system.client.prices("/prices/coverage?symbol=AAPL").await;
    let providers = system.client.prices("/providers").await;

    assert_eq!(
        before["totals"],
        json!({ "symbols": 4, "bars": 0, "missing_sessions": 12, "known_absent": 0 })
    );
    assert_eq!(
        before["symbols"][0]["missing"],
        json!([{ "from": "2025-10-01", "to": "2025-10-03", "sessions": 3 }])
    );
    assert_eq!(
        covered["totals"],
        json!({ "symbols": 4, "bars": 12, "missing_sessions": 0, "known_absent": 0 })
    );
    let symbols = |page: &Value| -> Vec<String> {
        let symbols = page["symbols"].as_array().unwrap().iter();
        symbols.map(|row| row["symbol"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!([symbols(&paged), symbols(&rest)].concat(), ["AAPL", "MSFT", "NVDA", "QQQ"]);
    assert_eq!(one["symbols"][0]["bars"], 100, "{one}");
    assert_eq!(one["symbols"][0]["last_bar"], "2025-10-30");
    let provider = &providers["providers"][0];
    assert_eq!((&provider["name"], &provider["key_configured"]), (&json!("alpha_vantage"), &json!(true)));
    assert_eq!(provider["calls_left"], 21, "{provider}");
    let day = &provider["windows"][0];
    assert_eq!((&day["id"], &day["limit"], &day["used"]), (&json!("day"), &json!(25), &json!(4)));
    assert!(day["resets_at"].is_string() && !providers.to_string().contains(KEY), "{providers}");
}
