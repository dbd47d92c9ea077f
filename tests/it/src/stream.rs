//! A client for server-sent events.

use reqwest::{Response, StatusCode};

/// An event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEvent {
    /// The field `id`.
    pub id: u64,
    /// The field `event`.
    pub kind: String,
    /// The lines of the field `data`.
    pub data: String,
}

/// An open stream.
pub struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    /// Opens the stream at `url`, after the event `last` if that is given. `None` when the stream has no more events.
    pub async fn open(http: &reqwest::Client, url: &str, last: Option<u64>) -> Option<Self> {
        let mut request = http.get(url).header("Accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().await.expect("a response");
        match response.status() {
            StatusCode::NO_CONTENT => None,
            StatusCode::OK => Some(Self { response, text: String::new() }),
            status => panic!("{url}: {status}"),
        }
    }

    /// The next event; `None` when the server has ended the stream.
    pub async fn next(&mut self) -> Option<StreamEvent> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let event = event(block);
                self.text = rest.to_owned();
                if event.is_some() {
                    return event;
                }
            }
            let more = self.response.chunk().await.expect("the stream does not break")?;
            self.text.push_str(std::str::from_utf8(&more).expect("text"));
        }
    }
}

/// An HTTP client without a timeout, for streams.
pub fn http_without_timeout() -> reqwest::Client {
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
