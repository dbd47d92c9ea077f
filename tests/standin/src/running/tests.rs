use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;
use crate::fault::Fault;

/// The raw answer to a request for AAPL, up to the end of the connection.
async fn ask(standin: &AlphaVantage) -> String {
    let address = standin.address;
    let asked = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let path = "/query?function=TIME_SERIES_DAILY&symbol=AAPL&apikey=k";
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        // A cut connection may show as an error after what was received.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    });
    asked.await.unwrap()
}

#[tokio::test]
async fn it_answers_on_its_base_url_and_counts() {
    let standin = AlphaVantage::builder().key("k").start().await.unwrap();
    assert_eq!(standin.base_url(), format!("http://{}", standin.address));

    let answer = ask(&standin).await;

    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("    }\n}"), "{answer:.300}");
    assert_eq!(standin.calls_for("AAPL")[0].key, "k");
    assert_eq!((standin.calls().len(), standin.calls_for("MSFT").len()), (1, 0));
    standin.reset();
    assert!(standin.calls().is_empty());
}

#[tokio::test]
async fn a_cut_answer_ends_without_its_end() {
    let standin = AlphaVantage::builder().fault("AAPL", Fault::Cut.times(1)).start().await.unwrap();

    let cut = ask(&standin).await;
    let whole = ask(&standin).await;

    assert!(cut.contains("Meta Data") && !cut.ends_with("0\r\n\r\n"), "{}", cut.len());
    assert!(whole.ends_with("    }\n}"), "{}", whole.len());
}

#[tokio::test]
async fn a_hanging_answer_does_not_keep_it_from_stopping() {
    let standin = AlphaVantage::builder().fault("*", Fault::Hang).start().await.unwrap();
    let address = standin.address;
    let mut client = TcpStream::connect(address).unwrap();
    write!(client, "GET /query?symbol=AAPL HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    while standin.calls().is_empty() {
        tokio::task::yield_now().await;
    }

    tokio::time::timeout(Duration::from_secs(10), standin.stop()).await.unwrap().unwrap();

    assert!(TcpStream::connect(address).is_err());
}

#[tokio::test]
async fn a_taken_address_is_named() {
    let first = AlphaVantage::builder().start().await.unwrap();

    let error = AlphaVantage::builder().listen(first.address).start().await.err().unwrap();

    assert_eq!(error.to_string(), format!("listening on {}", first.address));
}
