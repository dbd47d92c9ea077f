//! Trades, positions and values as rows: pages and files.

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use domain::accounting::order::Side;
use domain::accounting::portfolio::Portfolio;
use domain::events::event::Event;
use domain::simulation::model_day::{CompletedDay, Trade};
use domain::values::ids::ModelDayKey;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::world::{World, completed, day, decimal, job, job_id};

fn trade(sequence: u32, symbol: &str, cash_after: &str) -> Trade {
    Trade {
        sequence,
        side: Side::Buy,
        symbol: symbol.parse().unwrap(),
        quantity: 2,
        price: decimal("256.4833"),
        fee: decimal("0.01"),
        cash_after: decimal(cash_after),
    }
}

fn portfolio(cash: &str, held: &[(&str, u64)]) -> Portfolio {
    let held =
        held.iter().map(|(symbol, shares)| (symbol.parse().unwrap(), *shares)).collect::<BTreeMap<_, _>>();
    Portfolio::new(decimal(cash), held).unwrap()
}

/// A model, named as a CSV file does not like it, that buys two symbols on its first day and none on its
/// second, and one that never trades.
async fn world() -> World {
    let world = World::new().await;
    let models = ["a \"b\", c", "idle"];
    for number in 1..=2 {
        world.accept(&job(number, &models, "2025-10-01", "2025-10-02")).await;
    }
    let held = portfolio("8974.0468", &[("AAPL", 2), ("MSFT", 2)]);
    let first = CompletedDay {
        trades: vec![trade(0, "AAPL", "9487.0234"), trade(2, "MSFT", "8974.0468")],
        ending_position: held.clone(),
        value_at_open: decimal("9999.98"),
        value_at_close: decimal("10100"),
        ..day(1, models[0], "2025-10-01", None, "10000")
    };
    let second = CompletedDay {
        starting_value: decimal("10001.10"),
        profit: decimal("1.12"),
        return_pct: decimal("0.011200022400"),
        ending_position: held,
        value_at_open: decimal("10001.10"),
        value_at_close: decimal("10605"),
        ..day(1, models[0], "2025-10-02", Some("2025-10-01"), "10000")
    };
    let idle = [
        day(1, "idle", "2025-10-01", None, "10000"),
        day(1, "idle", "2025-10-02", Some("2025-10-01"), "10000"),
    ];
    let [idle, still] = idle.map(completed);
    world.project(&[job(1, &models, "2025-10-01", "2025-10-02")].map(Event::JobRequested)).await;
    world.project(&[completed(first), completed(second), idle, still]).await;
    let columns = "symbol, trading_date, open, high, low, close, volume, source";
    for (symbol, date, close) in [
        ("AAPL", "2025-10-01", "300.5"),
        ("AAPL", "2025-10-02", "310"),
        ("MSFT", "2025-09-30", "120.1234567891"),
    ] {
        let values = format!("'{symbol}', '{date}', {close}, {close}, {close}, {close}, 1, 'test'");
        world.database.execute(&format!("INSERT INTO market.bars ({columns}) VALUES ({values})")).await;
    }
    world
}

/// All rows of a table, read in pages of `limit`.
async fn paged(world: &World, table: &str, limit: usize) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/{table}?limit={limit}{cursor}")).await.json;
        let found = page[table].as_array().unwrap();
        assert_eq!(page["count"], found.len());
        rows.extend(found.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

/// A file's headers and content.
async fn file(world: &World, path: &str, accept: &str) -> (String, String, Vec<u8>) {
    let request = Request::get(path).header("accept", accept).body(Body::empty()).unwrap();
    let response = world.routes.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let (media_type, disposition) = (header("content-type"), header("content-disposition"));
    (media_type, disposition, to_bytes(response.into_body(), usize::MAX).await.unwrap().into())
}

#[tokio::test]
async fn trades_are_rows_with_exact_numbers() {
    let world = world().await;

    let trades = world.get("/trades").await;

    assert_eq!((&trades.json["count"], &trades.json["next_cursor"]), (&json!(2), &Value::Null));
    let second = format!(
        r#"{{"date":"2025-10-01","job_id":"{}","experiment":"default","model":"a \"b\", c","trial":0,"sequence":2,"action_type":"buy","symbol":"MSFT","quantity":2,"price":256.4833,"fee":0.01,"cash_after":8974.0468,"created_at":"2025-10-30T15:00:07.250000Z"}}"#,
        job_id(1)
    );
    assert!(trades.text.contains(&second), "{second} is not in {}", trades.text);
}

#[tokio::test]
async fn positions_are_valued_at_the_close_or_the_last_known_one_beside_the_cash() {
    let world = world().await;

    let positions = world.get("/positions?start_date=2025-10-02").await;

    let rows: Vec<_> = positions.json["positions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (row["model"].as_str().unwrap(), row["symbol"].as_str().unwrap(), row["quantity"].as_u64())
        })
        .collect();
    let model = "a \"b\", c";
    assert_eq!(
        rows,
        [(model, "$CASH", None), (model, "AAPL", Some(2)), (model, "MSFT", Some(2)), ("idle", "$CASH", None)]
    );
    for exact in [
        r#""symbol":"$CASH","quantity":null,"price":null,"value":8974.0468,"price_date":null,"stale":false}"#,
        r#""symbol":"AAPL","quantity":2,"price":310,"value":620,"price_date":"2025-10-02","stale":false}"#,
        r#""symbol":"MSFT","quantity":2,"price":120.1234567891,"value":240.2469135782,"price_date":"2025-09-30","stale":true}"#,
    ] {
        assert!(positions.text.contains(exact), "{exact} is not in {}", positions.text);
    }
}

#[tokio::test]
async fn equity_has_values_at_open_and_close_and_the_return_between_closes() {
    let world = world().await;

    let equity = world.get("/equity?end_date=2025-10-02&model=a%20%22b%22,%20c").await;

    let rows = equity.json["equity"].as_array().unwrap();
    let returns: Vec<_> = rows.iter().map(|row| row["return"].as_f64().unwrap()).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(returns, [0.01, 0.05]);
    let exact = r#""starting_value":10001.1,"value_at_open":10001.1,"value_at_close":10605,"cash":8974.0468,"profit":1.12,"return_pct":0.0112000224,"return":"#;
    assert!(equity.text.contains(exact), "{exact} is not in {}", equity.text);
}

#[tokio::test]
async fn pages_of_any_size_add_up_to_the_same_rows() {
    let world = world().await;
    for (table, count) in [("trades", 2), ("positions", 8), ("equity", 4)] {
        let whole = paged(&world, table, 1_000).await;
        assert_eq!(whole.len(), count, "{table}");

        for limit in 1..=count + 1 {
            assert_eq!(paged(&world, table, limit).await, whole, "{table} by {limit}");
        }
    }
}

#[tokio::test]
async fn the_filters_choose_portfolios_dates_and_jobs() {
    let world = world().await;
    let again = CompletedDay { revision: 2, ..day(2, "idle", "2025-10-01", None, "9000") };
    let other =
        CompletedDay { key: ModelDayKey { trial: 3, ..again.key.clone() }, revision: 1, ..again.clone() };
    world.project(&[completed(again), completed(other)]).await;
    let first = job_id(1);

    let values = async |query: &str| {
        let rows = world.get(&format!("/equity?{query}")).await.json;
        let row = |row: &Value| {
            let (model, date) = (row["model"].as_str().unwrap(), row["date"].as_str().unwrap());
            format!(
                "{} {} {} {}",
                model.split(' ').next().unwrap(),
                row["trial"],
                &date[8..],
                row["value_at_close"]
            )
        };
        rows["equity"].as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };

    assert_eq!(values("model=idle").await, ["idle 0 01 9000", "idle 0 02 10000", "idle 3 01 9000"]);
    assert_eq!(values("model=idle&trial=3").await, ["idle 3 01 9000"]);
    assert_eq!(values(&format!("model=idle&job_id={first}")).await, ["idle 0 01 10000", "idle 0 02 10000"]);
    assert_eq!(values(&format!("job_id={}", job_id(2))).await, ["idle 0 01 9000"]);
    assert_eq!(values("end_date=2025-10-01").await, ["a 0 01 10100", "idle 0 01 9000", "idle 3 01 9000"]);
    assert_eq!(values("start_date=2025-10-02&model=idle").await, ["idle 0 02 10000"]);
    assert_eq!(values("experiment=other").await, Vec::<String>::new());
    assert_eq!(values(&format!("experiment=other&job_id={first}")).await, Vec::<String>::new());
}

#[tokio::test]
async fn csv_is_quoted_by_the_standard_and_has_the_same_rows_as_the_pages() {
    let world = world().await;

    let (media_type, disposition, content) = file(&world, "/positions?format=csv", "*/*").await;

    assert_eq!(media_type, "text/csv; charset=utf-8; header=present");
    assert_eq!(disposition, "attachment; filename=\"positions.csv\"");
    let text = String::from_utf8(content).unwrap();
    let row = |end: &str| format!("2025-10-01,{},default,\"a \"\"b\"\", c\",0,{end}", job_id(1));
    assert_eq!(
        text.split("\r\n").collect::<Vec<_>>()[..4].to_vec(),
        [
            "date,job_id,experiment,model,trial,symbol,quantity,price,value,price_date,stale",
            &row("$CASH,,,8974.0468,,false"),
            &row("AAPL,2,300.5,601,2025-10-01,false"),
            &row("MSFT,2,120.1234567891,240.2469135782,2025-09-30,true"),
        ]
    );
    for table in ["trades", "positions", "equity"] {
        let (_, _, content) = file(&world, &format!("/{table}"), "text/csv").await;
        let mut reader = csv::Reader::from_reader(content.as_slice());
        let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let rows: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        let pages = paged(&world, table, 100).await;
        let cells = |row: &Value| -> Vec<String> {
            let cell = |column: &String| match &row[column] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                number => number.to_string().trim_end_matches(".0").to_owned(),
            };
            columns.iter().map(cell).collect()
        };
        assert_eq!(rows, pages.iter().map(cells).collect::<Vec<_>>(), "{table}");
    }
}

#[tokio::test]
async fn without_rows_there_are_empty_pages_and_files_with_a_header() {
    let world = World::new().await;

    let page = world.get("/trades").await.json;
    let (_, _, csv) = file(&world, "/trades?format=csv", "*/*").await;
    let (media_type, disposition, parquet) = file(&world, "/trades?format=parquet", "*/*").await;

    assert_eq!(page, json!({ "count": 0, "trades": [], "next_cursor": null }));
    assert!(csv.starts_with(b"date,job_id,experiment,") && csv.ends_with(b"created_at\r\n"));
    assert_eq!(media_type, "application/vnd.apache.parquet");
    assert_eq!(disposition, "attachment; filename=\"trades.parquet\"");
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
}

#[tokio::test]
async fn invalid_parameters_are_named() {
    let world = world().await;
    let cases = [
        ("?format=xlsx", 422, "query.format: Input should be 'json', 'csv' or 'parquet'"),
        ("?start_date=x", 422, "query.start_date: Input should be a valid date in the format YYYY-MM-DD"),
        ("?limit=0", 422, "query.limit: Input should be a whole number from 1 to 10000"),
        ("?cursor=zz", 422, "query.cursor: Input should be the next_cursor of an earlier answer"),
        (
            "?format=csv&limit=5",
            422,
            "query.limit: Value error, A file has all rows; pages are of format=json",
        ),
        ("?start_date=2025-10-02&end_date=2025-10-01", 400, "start_date must be <= end_date"),
        ("?job_id=x", 404, "Job x not found"),
    ];

    for (query, status, detail) in cases {
        let answer = world.get(&format!("/equity{query}")).await;

        assert_eq!(
            (answer.status.as_u16(), answer.json["detail"].as_str().unwrap()),
            (status, detail),
            "{query}"
        );
    }
}
