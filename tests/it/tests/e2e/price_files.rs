//! Files of prices as vendors, libraries and spreadsheets write them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use it::{Shape, System};
use reqwest::StatusCode;
use serde_json::{Value, json};

/// Sends a file as it is.
async fn send(
    system: &System,
    query: &str,
    media_type: &str,
    file: impl Into<reqwest::Body>,
) -> (StatusCode, Value) {
    let url = format!("{}/prices/import{query}", system.client.prices_url);
    let request = it::http().post(url).header("Content-Type", media_type).body(file);
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

#[track_caller]
fn check_imported((status, response): &(StatusCode, Value), basis: &str, note: &str) {
    assert_eq!(*status, StatusCode::OK, "{response}");
    assert_eq!((&response["inserted"], &response["basis"]), (&json!(1), &json!(basis)), "{response}");
    let notes = response["notes"].to_string();
    assert!(notes.contains(note), "{response}");
}

async fn system() -> System {
    System::builder(Shape::OneProcess).universe(&["AAPL", "MSFT"], None).start().await
}

#[tokio::test]
async fn a_file_of_each_vendor_is_imported_with_nothing_but_a_symbol() {
    let system = system().await;
    let with = |symbol: &str| format!("?symbol={symbol}");
    let csv =
        async |symbol: &str, file: &str| send(&system, &with(symbol), "text/csv", file.to_owned()).await;

    let yahoo =
        "Date,Open,High,Low,Close,Adj Close,Volume\n2025-10-01,255.04,258.79,254.93,255.45,254.90,48713940\n";
    let imported = csv("VA", yahoo).await;
    check_imported(&imported, "split_adjusted", "No split is known of VA");
    assert_eq!(imported.1["ignored_columns"], json!(["Adj Close"]));
    let yfinance = "Price,Close,High,Low,Open,Volume\nTicker,VB,VB,VB,VB,VB\nDate,,,,,\n2025-10-01,255.4499969482422,258.79,254.93,255.04,48713940.0\n";
    check_imported(&send(&system, "", "text/csv", yfinance).await, "total_return", "ten decimal places: 1");
    let stooq = "Date,Open,High,Low,Close,Volume\r\n2025-10-01,255.04,258.79,254.93,255.45,48713940\r\n";
    check_imported(&csv("VC", stooq).await, "split_adjusted", "VC");
    let tiingo = r#"[{"date":"2025-10-01T00:00:00.000Z","close":255.45,"high":258.79,"low":254.93,"open":255.04,"volume":48713940,"adjClose":255.45,"divCash":0.0,"splitFactor":1.0}]"#;
    check_imported(&send(&system, "?symbol=VD", "application/json", tiingo).await, "raw", "adjClose");
    let nasdaq =
        "Date,Close/Last,Volume,Open,High,Low\n10/01/2025,$255.45,48713940,$255.04,$258.79,$254.93\n";
    check_imported(&csv("VE", nasdaq).await, "split_adjusted", "VE");
    let alpha_vantage =
        "timestamp,open,high,low,close,volume\r\n2025-10-01,255.0400,258.7900,254.9300,255.4500,48713940\r\n";
    check_imported(&csv("VF", alpha_vantage).await, "raw", "");
    let response = r#"{"Meta Data":{"2. Symbol":"VG"},"Time Series (Daily)":{"2025-10-01":{"1. open":"255.04","2. high":"258.79","3. low":"254.93","4. close":"255.45","5. volume":"48713940"}}}"#;
    check_imported(&send(&system, "", "application/json", response).await, "raw", "");
    let excel =
        "symbol;date;open;high;low;close;volume\nVH;01.10.2025;255,04;258,79;254,93;255,45;48.713.940\n";
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(excel.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    check_imported(&send(&system, "", "application/gzip", packed).await, "raw", "");

    let same: i64 = system
        .database
        .count("SELECT count(*) FROM market.bars WHERE (open, high, low, volume) = (255.04, 258.79, 254.93, 48713940)")
        .await;
    assert_eq!(same, 8);
}

#[tokio::test]
async fn split_adjusted_prices_are_stored_as_they_were_traded() {
    let system = system().await;
    let splits = "symbol,date,ratio\nNVDA,2024-06-10,10:1\n";
    let adjusted = "Date,Open,High,Low,Close,Adj Close,Volume\n2024-06-07,119.77,121.692,118.022,120.888,120.8,412386000\n2024-06-10,120.37,123.1,117.01,121.79,121.7,314162700\n";
    system.client.import_prices("?kind=splits", splits).await;

    let (status, response) = system.client.import_prices("?symbol=NVDA", adjusted).await;

    assert_eq!(status, StatusCode::OK, "{response}");
    assert!(response["notes"].to_string().contains("1 bar was brought back"), "{response}");
    let raw = "symbol,date,open,high,low,close,volume\nNVDA,2024-06-07,1197.70,1216.92,1180.22,1208.88,41238600\nNVDA,2024-06-10,120.37,123.1,117.01,121.79,314162700\n";
    let (status, response) = system.client.import_prices("", raw).await;
    assert_eq!((status, &response["unchanged"]), (StatusCode::OK, &json!(2)), "{response}");
}

#[tokio::test]
async fn prices_adjusted_for_dividends_never_stand_beside_others() {
    let system = system().await;
    let row = |date: &str| format!("AAPL,{date},1,1,1,1,1\n");
    let file = |dates: &[&str]| {
        let rows: String = dates.iter().map(|date| row(date)).collect();
        format!("symbol,date,open,high,low,close,volume\n{rows}")
    };
    let import = async |query: &str, dates: &[&str]| system.client.import_prices(query, &file(dates)).await;
    import("", &["2025-10-01"]).await;

    let (status, response) = import("?basis=total_return", &["2025-10-02"]).await;

    assert_eq!(status, StatusCode::CONFLICT, "{response}");
    assert!(response["detail"].as_str().unwrap().contains("of AAPL some would"), "{response}");
    let (status, response) = import("?basis=total_return&replace=true", &["2025-10-01", "2025-10-02"]).await;
    assert_eq!((status, &response["basis"]), (StatusCode::OK, &json!("total_return")), "{response}");
    let (status, _) = import("", &["2025-10-03"]).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(system.database.count("SELECT count(*) FROM market.bars").await, 2);
}

#[tokio::test]
async fn a_model_that_stands_on_prices_adjusted_for_dividends_says_so() {
    let hold = "[[models]]\nsignature = \"hold\"\nkind = \"policy\"\npolicy = { policy = \"buy_and_hold\", symbol = \"AAPL\" }\n";
    let system = System::builder(Shape::OneProcess).universe(&["AAPL"], None).models(hold).start().await;
    let bar = "symbol,date,open,high,low,close,volume\nAAPL,2025-10-01,1,1,1,1,1\n";
    system.client.import_prices("?basis=total_return", bar).await;

    let request =
        json!({ "start_date": "2025-10-01", "end_date": "2025-10-01", "models": ["hold"], "more": 1 });
    let job = system.client.trigger(&request).await;
    let ended = system.client.ended(&job).await;

    let warnings = ended["warning_details"].as_array().unwrap();
    let codes: Vec<&Value> = warnings.iter().map(|warning| &warning["code"]).collect();
    assert_eq!(codes, ["UNKNOWN_FIELD", "TOTAL_RETURN_PRICES"], "{ended}");
    assert_eq!(warnings[1]["symbols"], json!(["AAPL"]));
    assert!(warnings[1]["message"].as_str().unwrap().starts_with("hold stands on prices of AAPL"), "{ended}");
    let day = system.client.get_ok("/results?start_date=2025-10-01").await;
    let range = system.client.get_ok("/results?start_date=2025-09-30&end_date=2025-10-01").await;
    let board = system.client.get_ok("/leaderboard").await;
    let row = |kind: &str| board["rows"].as_array().unwrap().iter().find(|row| row["kind"] == kind).unwrap();
    for shown in [&day["results"][0], &range["results"][0], row("model")] {
        assert_eq!(shown["total_return_symbols"], json!(["AAPL"]), "{shown}");
    }
    assert_eq!(row("benchmark")["total_return_symbols"], Value::Null, "{board}");
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_stores_nothing() {
    let system = system().await;
    let bar = "symbol,date,open,high,low,close,volume\nAAPL,2025-10-01,1,1,1,1,1\n";
    let split = "symbol,date,ratio\nAAPL,2025-10-02,2:1\n";

    let (_, bars) = system.client.import_prices("?dry_run=true", bar).await;
    let (_, splits) = system.client.import_prices("?dry_run=true&kind=splits", split).await;

    for response in [bars, splits] {
        assert_eq!((&response["inserted"], &response["dry_run"]), (&json!(1), &json!(true)), "{response}");
    }
    let stored = "SELECT (SELECT count(*) FROM market.bars) + (SELECT count(*) FROM market.corporate_actions)
        + (SELECT count(*) FROM market.imports)";
    assert_eq!(system.database.count(stored).await, 0);
}
