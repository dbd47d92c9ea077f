use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::alpha_vantage::fault::Fault;

/// Status and body of a GET with this `Authorization`.
async fn get(feed: &Feed, path: &str, authorization: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(feed.address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

const AAPL: &str = "/tiingo/daily/AAPL/prices?startDate=2025-10-01&endDate=2025-10-02&format=json";
const DATE: &str = "/v2/aggs/grouped/locale/us/market/stocks/2025-10-01?adjusted=false";

#[tokio::test]
async fn tiingo_gives_raw_and_adjusted_numbers_oldest_first_with_actions() {
    let split = "2025-10-02".parse().unwrap();
    let feed =
        Feed::tiingo().split("AAPL", split, "10.0").dividend("AAPL", split, "0.26").start().await.unwrap();

    let (status, body) = get(&feed, AAPL, "Token any").await;

    let rows: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, rows.as_array().unwrap().len()), (200, 2));
    assert_eq!(rows[0]["date"], "2025-10-01T00:00:00.000Z");
    assert_eq!((&rows[1]["splitFactor"], &rows[1]["divCash"]), (&10.0.into(), &0.26.into()));
    assert!(rows[1]["adjClose"].is_number() && rows[1]["close"].is_number(), "{body}");
}

#[tokio::test]
async fn tiingo_refuses_what_the_real_one_refuses() {
    let feed = Feed::tiingo().key("K").unknown("ZZZZ").start().await.unwrap();
    let status = async |path: &str, key: &str| get(&feed, path, key).await.0;

    assert_eq!(status(AAPL, "Token K").await, 200);
    assert_eq!(status(AAPL, "Bearer K").await, 403, "no token");
    assert_eq!(status(AAPL, "Token L").await, 401);
    assert_eq!(status("/tiingo/daily/ZZZZ/prices", "Token K").await, 404);
    assert_eq!(status("/tiingo/daily/BRK.B/prices", "Token K").await, 404, "it is written with a dash");
    assert_eq!(status("/tiingo/other", "Token K").await, 404);
}

#[tokio::test]
async fn a_window_is_used_up_until_the_clock_is_moved() {
    let feed = Feed::tiingo().limit(1, TimeDelta::hours(1)).start().await.unwrap();
    let status = async || get(&feed, AAPL, "Token K").await.0;

    assert_eq!([status().await, status().await], [200, 429]);
    feed.advance(TimeDelta::hours(1));

    assert_eq!(status().await, 200);
    assert_eq!(
        feed.calls().iter().map(|call| call.answer.as_str()).collect::<Vec<_>>(),
        ["prices", "quota used up", "prices"]
    );
}

#[tokio::test]
async fn massive_gives_a_whole_date_or_a_ticker_and_leaves_empty_results_out() {
    let feed = Feed::massive().start().await.unwrap();
    let body = async |path: &str| -> serde_json::Value {
        serde_json::from_str(&get(&feed, path, "Bearer K").await.1).unwrap()
    };

    let date = body(DATE).await;
    let ticker = body("/v2/aggs/ticker/AAPL/range/1/day/2025-10-01/2025-10-03?adjusted=false").await;
    let sunday = body(&DATE.replace("10-01", "10-05")).await;

    assert_eq!((date["results"].as_array().unwrap().len(), &date["adjusted"]), (102, &false.into()));
    assert_eq!((ticker["results"].as_array().unwrap().len(), &ticker["ticker"]), (3, &"AAPL".into()));
    assert_eq!((&sunday["results"], &sunday["status"]), (&serde_json::Value::Null, &"DELAYED".into()));
}

#[tokio::test]
async fn massive_refuses_what_the_real_one_refuses_and_has_faults() {
    let feed = Feed::massive().bad_key("B").reaches_back_to("2025-10-02".parse().unwrap());
    let feed = feed.fault("2025-10-06", Fault::ServerError.times(1)).limit(3, TimeDelta::minutes(1));
    let feed = feed.start().await.unwrap();
    let status = async |path: &str, key: &str| get(&feed, path, key).await.0;
    let late = DATE.replace("10-01", "10-06");

    assert_eq!(status(DATE, "Token K").await, 401);
    assert_eq!(status(DATE, "Bearer B").await, 401);
    assert_eq!(status(DATE, "Bearer K").await, 403, "the plan does not reach it");
    assert_eq!([status(&late, "Bearer K").await, status(&late, "Bearer K").await], [500, 200]);
    assert_eq!([status(&late, "Bearer K").await, status(&late, "Bearer K").await], [200, 429]);
    assert_eq!(status("/v3/other", "Bearer K").await, 404);
}
