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

#[tokio::test]
async fn bars_as_of_a_day_follow_renames_and_what_is_known_later_changes_no_byte_of_them() {
    let system = System::builder(Shape::OneProcess).start().await;
    let import = async |query: &str, text: &str| {
        let (status, body) = system.client.import_prices(query, text).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    };
    let get = async |query: &str| {
        let url = format!("{}/prices/bars?{query}&format=csv", system.client.prices_url);
        http().get(url).send().await.unwrap().text().await.unwrap()
    };
    let head = "symbol,date,open,high,low,close,volume\n";
    let row =
        |name: &str, date: &str, price: u32| format!("{name},{date},{price},{price},{price},{price},10\n");
    let first = [
        row("FB", "2025-10-01", 100),
        row("FB", "2025-10-02", 110),
        row("META", "2025-10-02", 9),
        row("OTHER", "2025-09-30", 7),
    ];
    import("", &format!("{head}{}", first.concat())).await;
    let views =
        ["symbol=FB&as_of=2025-10-03", "symbol=META&as_of=2025-10-03", "symbol=OTHER&as_of=2025-10-03"];
    let mut before = Vec::new();
    for view in views {
        before.push(get(view).await);
    }

    import("", &format!("{head}{}{}", row("META", "2025-10-06", 24), row("OTHER", "2025-10-03", 8))).await;
    import("?kind=renames", "symbol,date,new_symbol\nFB,2025-10-06,META\nNEXT,2025-10-07,OTHER\n").await;
    import("?kind=splits", "symbol,date,ratio\nMETA,2025-10-06,5:1\n").await;

    for (view, before) in views.into_iter().zip(before) {
        assert_eq!(get(view).await, before, "{view}");
    }
    let after = get("symbol=META&as_of=2025-10-07").await;
    let split = "META,2025-10-01,20,20,20,20,50\r\nMETA,2025-10-02,22,22,22,22,50\r\n";
    assert_eq!(after, format!("{}{split}META,2025-10-06,24,24,24,24,10\r\n", head.replace('\n', "\r\n")));
    let later = get("symbol=META&start=2025-10-02&end=2025-10-02&as_of=2025-10-07").await;
    assert!(
        later.ends_with("META,2025-10-02,22,22,22,22,50\r\n") && !later.contains("2025-10-01"),
        "{later}"
    );
    let traded = get("symbol=META").await;
    assert!(traded.contains("META,2025-10-02,9,"), "without as_of, as stored: {traded}");
}
