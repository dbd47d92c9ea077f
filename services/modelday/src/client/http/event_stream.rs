//! A job's events as they happen, from the first to the last, over as many connections as it takes.

use std::time::Duration;

use contract::kind::{JOB_CANCELLED, JOB_COMPLETED, JOB_FAILED, JOB_PARTIAL};
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::api::Api;
use super::error::ApiError;
use super::retry_deadline::RetryDeadline;
use super::sse::{Event, MAX_EVENT_MIB, Parser};

/// First wait before the next connection. It doubles up to [`MAX_BACKOFF`].
const MIN_BACKOFF: Duration = Duration::from_millis(200);
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// Events that wait to be shown. Each may have the largest size.
const MAX_WAITING: usize = 16;

/// An event of a stream, or why no more events come.
pub(crate) enum StreamItem {
    Event(Event),
    /// The job has ended, and all of its events came.
    End,
    /// The server has no event streams.
    Unsupported,
    /// The stream broke for longer than it is retried.
    Failed(ApiError),
}

/// The events of a job. Dropping this value closes the connection.
pub(crate) struct EventStream {
    items: mpsc::Receiver<StreamItem>,
    task: JoinHandle<()>,
}

impl EventStream {
    /// Opens the stream at the job's first event.
    pub(crate) fn open(api: &Api, job: &str) -> Self {
        let (sender, items) = mpsc::channel(MAX_WAITING);
        let stream = Connections { api: api.clone(), job: job.to_owned(), last: None, ended: false, sender };
        Self { items, task: tokio::spawn(stream.run()) }
    }

    /// The next item; `None` after an item that is no event.
    pub(crate) async fn next(&mut self) -> Option<StreamItem> {
        self.items.recv().await
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The task behind a stream: it connects again after the last event until the job has ended.
struct Connections {
    api: Api,
    job: String,
    /// Id of the last event.
    last: Option<String>,
    /// The event that ends the job was among them.
    ended: bool,
    sender: mpsc::Sender<StreamItem>,
}

/// How a connection ended.
enum Closed {
    /// The server closed it.
    InOrder,
    /// The server has no event streams.
    NoStream,
}

impl Connections {
    async fn run(mut self) {
        let mut deadline = RetryDeadline::new();
        let mut backoff = MIN_BACKOFF;
        let last = loop {
            let before = self.last.clone();
            let closed = self.connection().await;
            if self.last != before || closed.is_ok() {
                deadline.reset();
                backoff = MIN_BACKOFF;
            }
            match closed {
                Ok(Closed::NoStream) => break StreamItem::Unsupported,
                Ok(Closed::InOrder) if self.ended => break StreamItem::End,
                // The server is shutting down. The next one sends the rest.
                Ok(Closed::InOrder) => {}
                Err(error) => {
                    if let Err(error) = deadline.allow_retry(error) {
                        break StreamItem::Failed(error);
                    }
                }
            }
            sleep(backoff).await;
            backoff = (backoff * 2).min(MAX_BACKOFF);
        };
        // Sending fails only when the receiver is gone.
        let _ = self.sender.send(last).await;
    }

    async fn connection(&mut self) -> Result<Closed, ApiError> {
        let mut headers = vec![("accept", "text/event-stream")];
        if let Some(last) = &self.last {
            headers.push(("last-event-id", last));
        }
        let opened = self.api.open(&["jobs", &self.job, "events"], &(), &headers).await;
        let mut response = match opened {
            Ok(response) => response,
            Err(ApiError::Problem(problem)) if problem.is_unknown_path() => return Ok(Closed::NoStream),
            Err(problem) => return Err(problem),
        };
        if response.status() == StatusCode::NO_CONTENT {
            self.ended = true;
            return Ok(Closed::InOrder);
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
            return Ok(Closed::NoStream);
        }
        let mut parser = Parser::default();
        while let Some(bytes) = self.api.chunk(&mut response).await? {
            for event in parser.push(&bytes).map_err(|_| self.api.too_large(MAX_EVENT_MIB))? {
                self.ended |= [JOB_COMPLETED, JOB_PARTIAL, JOB_FAILED, JOB_CANCELLED].contains(&&*event.kind);
                self.last.clone_from(&event.id);
                if self.sender.send(StreamItem::Event(event)).await.is_err() {
                    return Ok(Closed::InOrder);
                }
            }
        }
        Ok(Closed::InOrder)
    }
}
