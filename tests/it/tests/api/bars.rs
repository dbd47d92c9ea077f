//! `GET /prices/bars`.

use it::{Shape, System, http};
use reqwest::StatusCode;
use serde_json::{Value, json};

const BARS: &str = "symbol,date,open,high,low,close,volume\nNVDA,2025-10-01,1000,1010,990,1000.5,10\n\
                    NVDA,2025-10-02,100,101,99,100.25,200\nNVDA,2025-10-03,102,103,101,102.5,300\n\
                    AAPL,2025-10-02,255,256,254,255.5,5\n";

#[tokio::test]
async fn stored_bars_are_returned_as_traded_or_as_they_were_seen_on_a_day_in_each_format() {
    let system = System::builder(Shape::OneProcess).start().await;
    let (imported, body) = system.client.import_prices("", BARS).await;
    assert_eq!(imported, StatusCode::OK, "{body}");
    let split = "symbol,date,ratio\nNVDA,2025-10-02,10:1\n";
    let (imported, body) = system.client.import_prices("?kind=splits", split).await;
    assert_eq!(imported, StatusCode::OK, "{body}");
    let get = async |query: &str| {
        let url = format!("{}/prices/bars?{query}", system.client.prices_url);
        let response = http().get(url).send().await.unwrap();
        (response.status(), response.bytes().await.unwrap())
    };
    let json = async |query: &str| -> (StatusCode, Value) {
        let (status, body) = get(query).await;
        (status, serde_json::from_slice(&body).unwrap())
    };
    let closes = |page: &Value| -> Vec<(String, f64)> {
        let bars = page["bars"].as_array().unwrap().iter();
        bars.map(|bar| {
            (
                format!("{} {}", bar["symbol"].as_str().unwrap(), bar["date"].as_str().unwrap()),
                bar["close"].as_f64().unwrap(),
            )
        })
        .collect()
    };
    let row = |name: &str, close| (name.to_owned(), close);

    let (_, raw) = json("symbol=NVDA,AAPL").await;
    let (_, seen) = json("symbol=NVDA&as_of=2025-10-03").await;
    let (_, before) = json("symbol=NVDA&as_of=2025-10-02").await;
    let (_, first) = json("symbol=NVDA,AAPL&limit=2").await;
    let cursor = first["next_cursor"].as_str().unwrap().to_owned();
    let (_, second) = json(&format!("symbol=NVDA,AAPL&limit=2&cursor={cursor}")).await;
    let csv = get("symbol=NVDA&start=2025-10-02&end=2025-10-02&format=csv").await.1;
    let none = get("symbol=TSLA&format=csv").await.1;
    let parquet = get("symbol=NVDA,AAPL&format=parquet").await.1;

    let all = [
        row("AAPL 2025-10-02", 255.5),
        row("NVDA 2025-10-01", 1000.5),
        row("NVDA 2025-10-02", 100.25),
        row("NVDA 2025-10-03", 102.5),
    ];
    assert_eq!(closes(&raw), all, "{raw}");
    assert_eq!(
        closes(&seen),
        [row("NVDA 2025-10-01", 100.05), row("NVDA 2025-10-02", 100.25)],
        "in the shares of the day"
    );
    assert_eq!(seen["bars"][0]["volume"], 100);
    assert_eq!(closes(&before), [row("NVDA 2025-10-01", 100.05)], "nothing of the day itself");
    assert_eq!([closes(&first), closes(&second)].concat(), all);
    assert_eq!(second["next_cursor"], Value::Null);
    let head = "symbol,date,open,high,low,close,volume\r\n";
    assert_eq!(csv, format!("{head}NVDA,2025-10-02,100,101,99,100.25,200\r\n").as_bytes());
    assert_eq!(none, head.as_bytes());
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    for (query, place) in [
        ("", "symbol"),
        ("symbol=a%20b", "symbol"),
        ("symbol=A&as_of=x", "as_of"),
        ("symbol=A&cursor=x", "cursor"),
    ] {
        let (status, problem) = json(query).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: {problem}");
        assert_eq!(problem["errors"][0]["loc"], json!(["query", place]), "{problem}");
    }
    assert_eq!(json("symbol=A&start=2025-10-02&end=2025-10-01").await.0, StatusCode::BAD_REQUEST);
}
