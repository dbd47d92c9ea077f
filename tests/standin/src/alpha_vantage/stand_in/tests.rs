use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;
use crate::alpha_vantage::fault::Fault;

/// The raw response to a request for AAPL, up to the end of the connection.
async fn request(standin: &AlphaVantage) -> String {
    let address = standin.address;
    let response = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let path = "/query?function=TIME_SERIES_DAILY&symbol=AAPL&apikey=k";
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        // A cut connection may show as an error after what was received.
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8(bytes).unwrap()
    });
    response.await.unwrap()
}

#[tokio::test]
async fn it_responds_at_its_base_url_and_counts() {
    let standin = AlphaVantage::builder().key("k").start().await.unwrap();
    assert_eq!(standin.base_url(), format!("http://{}", standin.address));

    let response = request(&standin).await;

    assert!(response.starts_with("HTTP/1.1 200 OK") && response.ends_with("    }\n}"), "{response:.300}");
    assert_eq!(standin.calls_for("AAPL")[0].key, "k");
    assert_eq!((standin.calls().len(), standin.calls_for("MSFT").len()), (1, 0));
    standin.reset();
    assert!(standin.calls().is_empty());
}

#[tokio::test]
async fn a_cut_response_lacks_its_end() {
    let standin = AlphaVantage::builder().fault("AAPL", Fault::Cut.times(1)).start().await.unwrap();

    let cut = request(&standin).await;
    let whole = request(&standin).await;

    assert!(cut.contains("Meta Data") && !cut.ends_with("0\r\n\r\n"), "{}", cut.len());
    assert!(whole.ends_with("    }\n}"), "{}", whole.len());
}

#[tokio::test]
async fn a_hanging_response_does_not_prevent_a_stop() {
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
async fn an_address_in_use_is_named() {
    let first = AlphaVantage::builder().start().await.unwrap();

    let error = AlphaVantage::builder().listen(first.address).start().await.err().unwrap();

    assert_eq!(error.to_string(), format!("listening on {}", first.address));
}
