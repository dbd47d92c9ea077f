//! Server-sent events as a client reads them.

use reqwest::{Response, StatusCode};

/// An event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEvent {
    /// `id`.
    pub id: u64,
    /// `event`.
    pub kind: String,
    /// `data`, line by line.
    pub data: String,
}

/// An open stream.
pub struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    /// Opens the stream at `url`, after the event `last` when there is one. `None` when there is no more of it.
    pub async fn open(http: &reqwest::Client, url: &str, last: Option<u64>) -> Option<Self> {
        let mut request = http.get(url).header("Accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().await.expect("status answers");
        match response.status() {
            StatusCode::NO_CONTENT => None,
            StatusCode::OK => Some(Self { response, text: String::new() }),
            status => panic!("{url} answered {status}"),
        }
    }

    /// The next event; `None` when the stream has ended as it should.
    pub async fn next(&mut self) -> Option<StreamEvent> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let event = event(block);
                self.text = rest.to_owned();
                if event.is_some() {
                    return event;
                }
            }
            let more = self.response.chunk().await.expect("the stream is not broken off")?;
            self.text.push_str(std::str::from_utf8(&more).expect("text"));
        }
    }
}

/// A client that waits for a stream as long as it takes.
pub fn patient_http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("an HTTP client")
}

fn event(block: &str) -> Option<StreamEvent> {
    let fields = |name: &str| -> Vec<&str> {
        let name = format!("{name}: ");
        block.lines().filter_map(|line| line.strip_prefix(name.as_str())).collect()
    };
    let id = fields("id").first()?.parse().expect("a number");
    Some(StreamEvent { id, kind: fields("event").concat(), data: fields("data").join("\n") })
}
